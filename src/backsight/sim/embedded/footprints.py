"""Cells of a floor grid that triangles stand over, without missing any."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

_CANDIDATES_PER_BLOCK = 2_000_000
_EDGES = ((0, 1), (1, 2), (2, 0))
_TOUCH_M = 1e-7


def overlapped_cells(
    corners_m: Float64[np.ndarray, "faces 3 3"],
    heights_m: tuple[float, float],
    grid_corner_m: Float64[np.ndarray, "2"],
    cell_m: float,
    shape: tuple[int, int],
) -> Bool[np.ndarray, "rows columns"]:
    """Return the cells that the part of any triangle between two heights touches, seen from above.

    Exact for convex shapes by separating axes: those of the grid, the triangle's edges, and its level lines, along
    which the two heights cut it.

    Args:
        corners_m: triangles in the world frame.
        heights_m: lowest and highest y that counts.
        grid_corner_m: world (x, z) of the grid's corner.
        cell_m: edge of a cell.
        shape: rows (along +z) and columns (along +x).
    """
    points, present = _cut_points(corners_m, heights_m)
    some = present.any(axis=1)
    corners_m, points, present = corners_m[some], points[some], present[some]
    # Slots without a point repeat one that is there, so that minima and maxima hold.
    fallback = np.take_along_axis(points, present.argmax(axis=1)[:, None, None], axis=1)
    points = np.where(present[..., None], points, fallback)
    axes = _separating_axes(corners_m)
    along = np.einsum("fpx,fax->fap", points, axes)
    low, high = along.min(axis=2), along.max(axis=2)
    margin = np.abs(axes).sum(axis=2) * cell_m / 2 + _TOUCH_M
    first = np.floor((points.min(axis=1) - _TOUCH_M - grid_corner_m) / cell_m).astype(np.int64)
    last = np.floor((points.max(axis=1) + _TOUCH_M - grid_corner_m) / cell_m).astype(np.int64)
    limit = np.array(shape[::-1]) - 1
    inside = (last >= 0).all(axis=1) & (first <= limit).all(axis=1)
    first, last = np.clip(first, 0, limit), np.clip(last, 0, limit)

    covered = np.zeros(shape, dtype=bool)
    for block in blocks_of_faces(np.where(inside, np.prod(last - first + 1, axis=1), 0)):
        face, columns, rows = candidate_cells(block, first, last)
        centres = grid_corner_m + (np.stack([columns, rows], axis=1) + 0.5) * cell_m
        position = np.einsum("cx,cax->ca", centres, axes[face])
        touches = ((position >= low[face] - margin[face]) & (position <= high[face] + margin[face])).all(axis=1)
        covered[rows[touches], columns[touches]] = True
    return covered


def _cut_points(
    corners_m: Float64[np.ndarray, "faces 3 3"], heights_m: tuple[float, float]
) -> tuple[Float64[np.ndarray, "faces 9 2"], Bool[np.ndarray, "faces 9"]]:
    """Return corners of the part of each triangle between two heights as (x, z), and which of the slots are used."""
    low, high = heights_m
    height = corners_m[..., 1]
    points = [corners_m[:, index] for index in range(3)]
    present = [(height[:, index] >= low) & (height[:, index] <= high) for index in range(3)]
    for start, end in _EDGES:
        rise = height[:, end] - height[:, start]
        for level in heights_m:
            crosses = (height[:, start] - level) * (height[:, end] - level) < 0
            share = np.where(crosses, (level - height[:, start]) / np.where(crosses, rise, 1.0), 0.0)
            points.append(corners_m[:, start] + share[:, None] * (corners_m[:, end] - corners_m[:, start]))
            present.append(crosses)
    return np.stack(points, axis=1)[..., [0, 2]], np.stack(present, axis=1)


def _separating_axes(corners_m: Float64[np.ndarray, "faces 3 3"]) -> Float64[np.ndarray, "faces 4 2"]:
    """Return directions on the floor across the edges and along the slope of each triangle."""
    flat = corners_m[..., [0, 2]]
    edges = np.stack([flat[:, end] - flat[:, start] for start, end in _EDGES], axis=1)
    across = np.stack([-edges[..., 1], edges[..., 0]], axis=-1)
    normal = np.cross(corners_m[:, 1] - corners_m[:, 0], corners_m[:, 2] - corners_m[:, 0])
    return np.concatenate([across, normal[:, None, [0, 2]]], axis=1)


def blocks_of_faces(counts: Int64[np.ndarray, " faces"]) -> list[Int64[np.ndarray, " some"]]:
    """Return faces with candidates, in groups of a bounded number of candidate cells.

    Args:
        counts: candidate cells of each face.
    """
    faces = np.flatnonzero(counts)
    group = np.cumsum(counts[faces]) // _CANDIDATES_PER_BLOCK
    return np.split(faces, np.flatnonzero(np.diff(group)) + 1) if len(faces) else []


def candidate_cells(
    block: Int64[np.ndarray, " some"],
    first: Int64[np.ndarray, "faces 2"],
    last: Int64[np.ndarray, "faces 2"],
) -> tuple[Int64[np.ndarray, " cells"], Int64[np.ndarray, " cells"], Int64[np.ndarray, " cells"]]:
    """Return (face, column, row) of every cell in the bounding rectangles of some faces.

    Args:
        block: the faces.
        first: column and row where each face's rectangle begins.
        last: column and row where it ends, inclusive.
    """
    width = last[block, 0] - first[block, 0] + 1
    count = width * (last[block, 1] - first[block, 1] + 1)
    face = np.repeat(block, count)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    rows, columns = np.divmod(place, np.repeat(width, count))
    return face, columns + first[face, 0], rows + first[face, 1]
