"""The places of a scene where an agent can stand: nodes on the sheets' views, in connected islands."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.ndimage import label, uniform_filter
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from backsight.records.errors import UsageError
from backsight.sim.embedded.navigation.layers import Body, find_layers, storey_floors_m
from backsight.sim.embedded.navigation.raster import Grid
from backsight.sim.embedded.navigation.sheets import AT_FLOOR_M, LEAST_ISLAND_M2, View, make_views
from backsight.sim.embedded.packed import PackedScene

TOLERANCE_M = 1e-6
"""Allowed below the agent's radius, for rounding."""
_LEAST_SHARE_AT_FLOOR = 0.3
"""An island lies on a storey's floor by at least this share: tops of tables do not."""
_RAMP_M = 0.3
"""Length of floor over which the height of somebody on stairs is averaged, twice."""


@dataclass(frozen=True)
class Ground:
    """All that can be walked on; nodes are the middles of cells on one of the views."""

    grid: Grid
    body: Body
    floors_m: tuple[float, ...]
    """Heights of the storeys' floors, rising."""
    views: tuple[View, ...]
    number: tuple[Int64[np.ndarray, "rows columns"], ...]
    """Per view: number of the node in a cell, on whichever sheet; -1 where there is none."""
    walk_m: tuple[Float64[np.ndarray, "rows columns"], ...]
    """Per view: height of somebody who walks there, stairs taken as ramps."""
    sheet: Int64[np.ndarray, " nodes"]
    cell: Int64[np.ndarray, " nodes"]
    """Flat index."""
    height_m: Float64[np.ndarray, " nodes"]
    island: Int64[np.ndarray, " nodes"]
    """Number of the connected part, 0 the largest."""

    @property
    def centres_m(self) -> Float64[np.ndarray, "nodes 2"]:
        """World (x, z) of all nodes."""
        return self.grid.centres_m(self.cell)


def find_ground(scene: PackedScene, body: Body, cell_m: float) -> Ground:
    """Return where a body can stand in a scene.

    Args:
        scene: triangles.
        body: who walks.
        cell_m: edge of a grid cell.

    Raises:
        UsageError: the scene has no floor, or no place where the body fits.
    """
    grid, layers, obstacles = find_layers(scene, body, cell_m)
    if not layers.free.any():
        raise UsageError(f"navigation: no place where an agent {body.height_m} m high has room to stand")
    floors_m = storey_floors_m(layers, body, cell_m, scene.rooms)
    views = make_views(grid, layers, floors_m, obstacles, body)
    stands = [
        (view.source == sheet) & (view.clearance_m >= body.radius_m - TOLERANCE_M) for sheet, view in enumerate(views)
    ]
    islands = _islands(views, stands, floors_m, cell_m)
    kept = [sheet for sheet, island in enumerate(islands) if (island >= 0).any()]
    if not kept:
        raise UsageError(f"navigation: no place where an agent of radius {body.radius_m} m fits")
    sheets, cells = zip(*((sheet, np.flatnonzero(islands[sheet] >= 0)) for sheet in kept), strict=True)
    own = [np.full(grid.shape, -1, dtype=np.int64) for _ in views]
    first = 0
    for sheet, cell in zip(sheets, cells, strict=True):
        own[sheet].ravel()[cell] = np.arange(first, first + len(cell))
        first += len(cell)
    number = tuple(_seen_numbers(view, own) for view in views)
    storeys = sorted({views[sheet].storey for sheet in kept})
    return Ground(
        grid=grid,
        body=body,
        floors_m=tuple(floors_m[storeys].tolist()),
        views=tuple(
            View(storeys.index(view.storey) if view.storey in storeys else -1, view.source, view.height_m, clearance)
            for view, clearance in zip(views, map(_without_pockets, views, number), strict=True)
        ),
        number=number,
        walk_m=tuple(_ramped(view.height_m, seen >= 0, cell_m) for view, seen in zip(views, number, strict=True)),
        sheet=np.repeat(sheets, [len(cell) for cell in cells]),
        cell=np.concatenate(cells),
        height_m=np.concatenate([views[s].height_m.ravel()[c] for s, c in zip(sheets, cells, strict=True)]),
        island=np.concatenate([islands[s].ravel()[c] for s, c in zip(sheets, cells, strict=True)]),
    )


def _islands(
    views: list[View],
    stands: list[Bool[np.ndarray, "rows columns"]],
    floors_m: Float64[np.ndarray, " storeys"],
    cell_m: float,
) -> list[Int64[np.ndarray, "rows columns"]]:
    """Return per sheet the number of the island that each cell belongs to, 0 the largest; -1 where there is none."""
    parts, first = [], 0
    for place in stands:
        part = np.zeros(place.shape, dtype=np.int64)
        label(place, output=part)
        parts.append(np.where(place, part + first - 1, -1))
        first += int(part.max())
    if first == 0:
        return parts
    pairs = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
    if len(views) > 1:
        pairs += [_seam(view, sheet, parts) for sheet, view in enumerate(views)]
    one, two = (np.concatenate(column) for column in zip(*pairs, strict=True))
    joined = csr_array((np.ones(len(one)), (one, two)), shape=(first, first))
    count, group = connected_components(joined, directed=False)
    size, at_floor = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for view, part in zip(views, parts, strict=True):
        inside = part >= 0
        near = np.abs(view.height_m[inside] - floors_m[view.storey]) <= AT_FLOOR_M
        size += np.bincount(group[part[inside]], minlength=count)
        at_floor += np.bincount(group[part[inside]][near], minlength=count)
    valid = at_floor >= np.maximum(_LEAST_SHARE_AT_FLOOR * size, 1)
    valid &= (size * cell_m**2 >= LEAST_ISLAND_M2) | (size == size[valid].max(initial=0))
    order = np.argsort(-np.where(valid, size, -1), kind="stable")
    island = np.full(count, -1, dtype=np.int64)
    island[order[: valid.sum()]] = np.arange(valid.sum())
    return [np.where(part >= 0, island[group[part]], -1) for part in parts]


def _seam(
    view: View, sheet: int, parts: list[Int64[np.ndarray, "rows columns"]]
) -> tuple[Int64[np.ndarray, " pairs"], Int64[np.ndarray, " pairs"]]:
    """Return pairs of parts, of a sheet and of its neighbours, that touch in the sheet's view."""
    own = np.where(view.source == sheet, parts[sheet], -1)
    other = np.full_like(own, -1)
    for number, part in enumerate(parts):
        if number != sheet:
            other = np.where((view.source == number) & (view.clearance_m > 0.0), part, other)
    one, two = [], []
    for axis, shift in ((0, 1), (0, -1), (1, 1), (1, -1)):
        beside = np.roll(other, shift, axis)
        touching = (own >= 0) & (beside >= 0)
        one.append(own[touching])
        two.append(beside[touching])
    return np.concatenate(one), np.concatenate(two)


def _seen_numbers(view: View, own: list[Int64[np.ndarray, "rows columns"]]) -> Int64[np.ndarray, "rows columns"]:
    """Return the node in each cell of a view."""
    seen = np.full_like(own[0], -1)
    for sheet, numbers in enumerate(own):
        seen = np.where(view.source == sheet, numbers, seen)
    return seen


def _without_pockets(view: View, number: Int64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows columns"]:
    """Return a view's clearance, 0 in parts of it that hold no node."""
    parts = np.zeros(number.shape, dtype=np.int64)
    label(view.clearance_m > 0.0, output=parts)
    used = np.zeros(int(parts.max()) + 1, dtype=bool)
    used[parts[number >= 0]] = True
    return np.where(used[parts], view.clearance_m, 0.0)


def _ramped(
    height_m: Float64[np.ndarray, "rows columns"], stands: Bool[np.ndarray, "rows columns"], cell_m: float
) -> Float64[np.ndarray, "rows columns"]:
    """Return the floor's height averaged over where one can stand, so that stairs become ramps."""
    if not stands.any() or np.ptp(height_m[stands]) < TOLERANCE_M:
        return height_m
    width = 2 * round(_RAMP_M / cell_m / 2) + 1
    weight = stands.astype(np.float64)
    walk = height_m
    for _ in range(2):
        total = uniform_filter(np.where(stands, walk, 0.0), size=width, mode="constant")
        share = uniform_filter(weight, size=width, mode="constant")
        walk = np.where(stands, total / np.maximum(share, 0.5 / width**2), height_m)
    return walk
