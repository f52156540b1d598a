"""Levels of a building: heights at which horizontal faces cover much of the ground plan."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.sim.embedded.footprints import overlapped_cells

LEVEL_SHARE = 0.4
"""Share of the ground plan that a floor or ceiling covers at least; a large table covers less."""
SLAB_SHARE = 0.12
"""Levels nearer to each other than this share of the whole height are the two sides of a slab."""
UPRIGHT, LEVEL = 0.3, 0.95
"""Vertical part of the normals of walls (at most) and floors (at least)."""
_BINS_ACROSS = 150
_CELLS_ACROSS = 96


@dataclass(frozen=True)
class Faces:
    """Triangles with what is asked of them again and again; +y is up."""

    corners: Float64[np.ndarray, "faces 3 3"]
    area: Float64[np.ndarray, " faces"]
    normal: Float64[np.ndarray, "faces 3"]
    """Unit normals."""

    @classmethod
    def of(cls, corners: Float64[np.ndarray, "faces 3 3"]) -> "Faces":
        """Measure triangles.

        Args:
            corners: None of them degenerate.
        """
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        twice = np.linalg.norm(cross, axis=1)
        return cls(corners, twice / 2, cross / np.maximum(twice, 1e-300)[:, None])

    def turned(self, rotation: Float64[np.ndarray, "3 3"]) -> "Faces":
        """Return the faces in turned axes.

        Args:
            rotation: New from old axes.
        """
        return Faces(self.corners @ rotation.T, self.area, self.normal @ rotation.T)

    def selected(self, chosen: Bool[np.ndarray, " faces"]) -> "Faces":
        """Return some of the faces.

        Args:
            chosen: Which.
        """
        return Faces(self.corners[chosen], self.area[chosen], self.normal[chosen])

    @property
    def height(self) -> Float64[np.ndarray, " faces"]:
        """Heights of the faces' middles."""
        return self.corners[..., 1].mean(axis=1)

    @property
    def is_level(self) -> Bool[np.ndarray, " faces"]:
        """Faces of floors, ceilings and tops."""
        return np.abs(self.normal[:, 1]) >= LEVEL


@dataclass(frozen=True)
class Slab:
    """A floor, a ceiling, or both with what is between them."""

    bottom: float
    top: float


def find_slabs(faces: Faces) -> list[Slab]:
    """Return the slabs of a building, lowest first, in the unit of the faces.

    Args:
        faces: Of the whole scene.
    """
    level = faces.is_level
    corners, heights, areas = faces.corners[level], faces.height[level], faces.area[level]
    if not areas.size:
        return []
    flat = faces.corners.reshape(-1, 3)
    extent = flat.max(axis=0) - flat.min(axis=0)
    step = max(float(np.sqrt(extent[0] * extent[2])) / _BINS_ACROSS, float(extent[1]) / 20_000, 1e-9)
    first = np.floor(heights.min() / step)
    bins = (np.floor(heights / step) - first).astype(np.int64)
    histogram = np.bincount(bins, weights=areas)
    # A level may lie on the border of two bins.
    near = _with_neighbours(histogram)
    plan = covered_cells(corners, flat)
    possible = (near >= LEVEL_SHARE * plan.mean() * float(extent[0] * extent[2])) & (histogram > 0.2 * near)
    rows = [
        row
        for row in np.flatnonzero(possible).tolist()
        if covered_cells(corners[np.abs(bins - row) <= 1], flat).sum() >= LEVEL_SHARE * plan.sum()
    ]
    joined: list[list[int]] = []
    for row in rows:
        apart = np.inf if not joined else (row - joined[-1][-1]) * step
        if apart < max(SLAB_SHARE * float(extent[1]), 2.5 * step):
            joined[-1].append(row)
        else:
            joined.append([row])
    slabs = []
    for members in joined:
        low, high = (_surface(heights, areas, bins, (members[end], step), end) for end in (0, -1))
        slabs.append(Slab(low, high))
    return slabs


def _surface(
    heights: Float64[np.ndarray, " faces"],
    areas: Float64[np.ndarray, " faces"],
    bins: Int64[np.ndarray, " faces"],
    place: tuple[int, float],
    end: int,
) -> float:
    """Return the height of the outermost surface near a level: the lowest for end 0, the highest for -1.

    A floor may be two layers a few centimetres apart, and a scanned one is a few centimetres rough.
    """
    row, step = place
    near = np.abs(bins - row) <= 1
    fine = step / 8
    first = np.floor(heights[near].min() / fine)
    cells = (np.floor(heights[near] / fine) - first).astype(np.int64)
    histogram = _with_neighbours(np.bincount(cells, weights=areas[near]))
    full = np.flatnonzero(histogram >= 0.5 * histogram.max())
    at = np.abs(cells - full[end]) <= 1
    return float(np.average(heights[near][at], weights=areas[near][at]))


def _with_neighbours(histogram: Float64[np.ndarray, " bins"]) -> Float64[np.ndarray, " bins"]:
    return np.convolve(np.pad(histogram, 1), [1.0, 1.0, 1.0], mode="valid")


def covered_cells(
    corners: Float64[np.ndarray, "faces 3 3"], points: Float64[np.ndarray, "points 3"]
) -> Bool[np.ndarray, "rows columns"]:
    """Return which cells of a square grid over the ground plan some face lies over.

    Args:
        corners: The faces.
        points: Say where the ground plan begins and ends.
    """
    low, high = points.min(axis=0)[[0, 2]], points.max(axis=0)[[0, 2]]
    cell = max(float((high - low).max()) / _CELLS_ACROSS, 1e-9)
    columns, rows = np.maximum(np.ceil((high - low) / cell), 1).astype(int).tolist()
    return overlapped_cells(corners, (-np.inf, np.inf), low, cell, (rows, columns))


def wall_top(faces: Faces, floor: float) -> float:
    """Return the height up to which walls reach: 98 % of the upright area above a floor lies below it.

    Args:
        faces: Of the whole scene.
        floor: Height of a floor.
    """
    upright = np.abs(faces.normal[:, 1]) <= UPRIGHT
    tops = faces.corners[upright, :, 1].max(axis=1)
    above = tops > floor
    if not above.any():
        return floor
    order = np.argsort(tops[above])
    share = np.cumsum(faces.area[upright][above][order])
    return float(tops[above][order][np.searchsorted(share, 0.98 * share[-1])])


def storey_height(faces: Faces, slabs: list[Slab]) -> float:
    """Return the median clear height of the storeys, in the unit of the faces; 0 where nothing tells it.

    Args:
        faces: Of the whole scene.
        slabs: As `find_slabs` returns them.
    """
    if not slabs:
        return 0.0
    gaps = [above.bottom - below.top for below, above in pairwise(slabs)]
    return float(np.median(gaps)) if gaps else wall_top(faces, slabs[0].top) - slabs[0].top
