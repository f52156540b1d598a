"""Layers of floor sorted into sheets, and what each sheet sees of its neighbours over the links between them.

A sheet has at most one floor per cell. Stairs lie half on the sheet of the lower storey and half on that of the upper
one, so distances and lines on the plane are measured in a sheet's view: its own floor and, in cells where it has none,
the floor of other sheets that one can step onto from there.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.ndimage import distance_transform_edt, label, maximum_filter
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from backsight.sim.embedded.navigation.layers import Body, Layers, Obstacles, obstacle_extents
from backsight.sim.embedded.navigation.raster import Grid

_VIEW_STEPS = 60
"""Cells that a view reaches beyond its own sheet."""
_CAREFUL_CELLS = 7.0
"""Up to this distance the cells round the nearest obstacle's are searched too."""
AT_FLOOR_M = 0.3
"""Floor within this of a storey's height lies on it."""
LEAST_ISLAND_M2 = 0.5
"""Smaller pieces of floor are no places: the inside of a wardrobe, the top of a shelf."""
_STEP_SLACK_M = 0.005
_AROUND = tuple((row, column) for row in (0, -1, 1) for column in (0, -1, 1))


@dataclass(frozen=True)
class View:
    """One sheet with what can be walked to from it, as arrays over the grid."""

    storey: int
    source: Int64[np.ndarray, "rows columns"]
    """Number of the sheet that the floor in a cell belongs to; -1 where there is none."""
    height_m: Float64[np.ndarray, "rows columns"]
    """Height of the floor; NaN where there is none."""
    clearance_m: Float64[np.ndarray, "rows columns"]
    """Distance from the cell's middle to the nearest obstacle or edge on the floor plane."""


def make_views(
    grid: Grid, layers: Layers, floors_m: Float64[np.ndarray, " storeys"], obstacles: Obstacles, body: Body
) -> list[View]:
    """Return the view of every sheet.

    Args:
        grid: cells.
        layers: of the scene.
        floors_m: heights of the storeys' floors.
        obstacles: of the scene.
        body: who walks.
    """
    storeys, heights = _sheets(grid, layers, floors_m, body.step_m)
    views = []
    for number, storey in enumerate(storeys):
        source, height = _extended(heights, number, grid.columns, body.step_m)
        free = source >= 0
        _take_off_ledges(free, height.reshape(grid.shape), grid.shape, body.step_m)
        shaped = free.reshape(grid.shape)
        clearance = _clearance_m(shaped, height.reshape(grid.shape), grid, obstacles, body)
        views.append(View(storey, source.reshape(grid.shape), height.reshape(grid.shape), clearance))
    return views


def _sheets(
    grid: Grid, layers: Layers, floors_m: Float64[np.ndarray, " storeys"], step_m: float
) -> tuple[list[int], list[Float64[np.ndarray, " cells"]]]:
    """Return storey and floor heights of each sheet.

    What hangs together over steps and lies on several storeys has sheets of its own, so that nothing else takes the
    place of its floor in their views; other parts share a sheet where they are nowhere next to one another. Parts that
    do not reach any storey's floor are left out: tops of tables, roofs.
    """
    cell, height = layers.cell[layers.free], layers.height_m[layers.free]
    away = np.abs(height[:, None] - floors_m)
    storey = away.argmin(axis=1)
    away = away.min(axis=1)
    part = _linked_parts(cell, height, grid, step_m)
    sizes = np.bincount(part)
    valid = (sizes * grid.cell_m**2 >= LEAST_ISLAND_M2) & (
        np.bincount(part[away <= AT_FLOOR_M], minlength=len(sizes)) > 0
    )
    order = np.argsort(part, kind="stable")
    ends = np.cumsum(sizes)
    own: list[tuple[int, Float64[np.ndarray, " cells"]]] = []
    shared: list[list[Float64[np.ndarray, " cells"]]] = [[] for _ in floors_m]
    for index in np.flatnonzero(valid).tolist():
        members = order[ends[index] - sizes[index] : ends[index]]
        pieces = []
        for number in np.unique(storey[members]).tolist():
            rest = members[storey[members] == number]
            while len(rest):
                chosen = _nearest_of_each(cell, away, rest)
                pieces.append((number, chosen))
                rest = np.setdiff1d(rest, chosen)
        for number, chosen in pieces:
            sheets: list[Float64[np.ndarray, " cells"]] = shared[number] if len(pieces) == 1 else []
            _place(sheets, cell[chosen], height[chosen], grid)
            if len(pieces) > 1:
                own.append((number, sheets[0]))
    own += [(number, sheet) for number, sheets in enumerate(shared) for sheet in sheets]
    own.sort(key=lambda entry: (entry[0], -np.isfinite(entry[1]).sum()))
    return [number for number, _ in own], [sheet for _, sheet in own]


def _linked_parts(
    cell: Int64[np.ndarray, " layers"], height_m: Float64[np.ndarray, " layers"], grid: Grid, step_m: float
) -> Int64[np.ndarray, " layers"]:
    """Return the number of the part that each layer (sorted by cell) belongs to, linked by steps to neighbours."""
    count = np.bincount(cell, minlength=grid.rows * grid.columns)
    if count.max(initial=0) <= 1 and (len(cell) == 0 or np.ptp(height_m) <= step_m):
        parts = np.zeros(grid.shape, dtype=np.int64)
        label(count.reshape(grid.shape) > 0, output=parts)
        return parts.ravel()[cell] - 1
    start = np.cumsum(count) - count
    one, two = [], []
    for step in (1, grid.columns):
        for place in range(int(count.max())):
            there = np.minimum(cell + step, len(count) - 1)
            some = np.flatnonzero(count[there] > place)
            other = start[there[some]] + place
            linked = np.abs(height_m[other] - height_m[some]) <= step_m + _STEP_SLACK_M
            one.append(some[linked])
            two.append(other[linked])
    pairs = (np.concatenate(one), np.concatenate(two))
    links = csr_array((np.ones(len(pairs[0]), dtype=bool), pairs), shape=(len(cell), len(cell)))
    return connected_components(links, directed=False)[1].astype(np.int64)


def _nearest_of_each(
    cell: Int64[np.ndarray, " layers"], away_m: Float64[np.ndarray, " layers"], some: Int64[np.ndarray, " some"]
) -> Int64[np.ndarray, " chosen"]:
    """Return of some layers (sorted by cell) the one per cell that is nearest to the storey's floor."""
    if (cell[some[1:]] != cell[some[:-1]]).all():
        return some
    ordered = some[np.lexsort((away_m[some], cell[some]))]
    starts = np.ones(len(ordered), dtype=bool)
    starts[1:] = cell[ordered[1:]] != cell[ordered[:-1]]
    return ordered[starts]


def _place(
    sheets: list[Float64[np.ndarray, " cells"]],
    cell: Int64[np.ndarray, " part"],
    height_m: Float64[np.ndarray, " part"],
    grid: Grid,
) -> None:
    """Put a part on the first sheet that has nothing in its cells or next to them, else on a new one."""
    for sheet in sheets:
        if all(np.isnan(sheet[cell + step]).all() for step in (0, 1, -1, grid.columns, -grid.columns)):
            sheet[cell] = height_m
            return
    sheets.append(np.full(grid.rows * grid.columns, np.nan))
    sheets[-1][cell] = height_m


def _extended(
    heights_m: list[Float64[np.ndarray, " cells"]], number: int, columns: int, step_m: float
) -> tuple[Int64[np.ndarray, " cells"], Float64[np.ndarray, " cells"]]:
    """Return source and height of a sheet's view, grown over links into cells where the sheet itself has no floor."""
    height = heights_m[number].copy()
    source = np.where(np.isnan(height), -1, number)
    if len(heights_m) == 1:
        return source, height
    # No floor lies in the outermost cells, so neighbours of floor are always on the grid.
    vacant = source < 0
    frontier = np.flatnonzero(~vacant)
    frontier = frontier[vacant[frontier[:, None] + np.array([1, -1, columns, -columns])].any(axis=1)]
    for _ in range(_VIEW_STEPS):
        reached = []
        for step in (1, -1, columns, -columns):
            there = frontier + step
            vacant = source[there] < 0
            here, there = frontier[vacant], there[vacant]
            for other, floor in enumerate(heights_m):
                if other == number:
                    continue
                linked = (np.abs(floor[there] - height[here]) <= step_m + _STEP_SLACK_M) & (source[there] < 0)
                found = there[linked]
                source[found] = other
                height[found] = floor[found]
                reached.append(np.unique(found))
        frontier = np.concatenate(reached)
        if len(frontier) == 0:
            break
    return source, height


def _take_off_ledges(
    free: Bool[np.ndarray, " cells"],
    height_m: Float64[np.ndarray, "rows columns"],
    shape: tuple[int, int],
    step_m: float,
) -> None:
    """Mark cells beside a step that is too high as not free, on both sides of it."""
    shaped = free.reshape(shape)
    for upper, lower in (
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ):
        steep = np.abs(height_m[upper] - height_m[lower]) > step_m + _STEP_SLACK_M
        if steep.any():
            shaped[upper] &= ~steep
            shaped[lower] &= ~steep


def _clearance_m(
    free: Bool[np.ndarray, "rows columns"],
    height_m: Float64[np.ndarray, "rows columns"],
    grid: Grid,
    obstacles: Obstacles,
    body: Body,
) -> Float64[np.ndarray, "rows columns"]:
    """Return the distance of each cell's middle to the nearest obstacle or edge of the floor; 0 where not free."""
    away, nearest = np.empty(free.shape), np.empty((2, *free.shape), dtype=np.int32)
    distance_transform_edt(free, return_indices=True, distances=away, indices=nearest)
    around = maximum_filter(np.where(free, height_m, -np.inf), size=3)
    standing = np.where(free | (around == -np.inf), np.nan, around).ravel()
    extents = obstacle_extents(obstacles, standing, body.height_m, grid)
    cells = np.flatnonzero(free)
    points = grid.centres_m(cells)
    rows, columns = nearest[0].ravel()[cells].astype(np.int64), nearest[1].ravel()[cells].astype(np.int64)
    close = away.ravel()[cells] <= _CAREFUL_CELLS
    distance = np.full(len(cells), np.inf)
    taken = ~free.ravel()
    for number, (row, column) in enumerate(_AROUND):
        some = np.arange(len(cells)) if number == 0 else np.flatnonzero(close)
        near = np.clip(rows[some] + row, 0, grid.rows - 1) * grid.columns
        near += np.clip(columns[some] + column, 0, grid.columns - 1)
        kept = taken[near]
        some, near = some[kept], near[kept]
        distance[some] = np.minimum(distance[some], _distance_to_cells_m(points[some], near, extents, grid))
    clearance = np.zeros(free.size)
    clearance[cells] = distance
    return clearance.reshape(free.shape)


def _distance_to_cells_m(
    points_m: Float64[np.ndarray, "points 2"],
    cells: Int64[np.ndarray, " points"],
    extents_m: Float64[np.ndarray, "8 cells"],
    grid: Grid,
) -> Float64[np.ndarray, " points"]:
    """Return the distance from each point to what fills one cell: an octagon, or the whole cell."""
    low_x, high_x, low_z, high_z, low_sum, high_sum, low_less, high_less = (extent[cells] for extent in extents_m)
    whole = low_x > high_x
    if whole.any():
        middle, half = grid.centres_m(cells[whole]), grid.cell_m / 2
        low_x[whole], high_x[whole] = middle[:, 0] - half, middle[:, 0] + half
        low_z[whole], high_z[whole] = middle[:, 1] - half, middle[:, 1] + half
        low_sum[whole] = high_sum[whole] = low_less[whole] = high_less[whole] = np.nan
    x, z = points_m.T
    beside_x = np.maximum(np.maximum(low_x - x, x - high_x), 0.0)
    beside_z = np.maximum(np.maximum(low_z - z, z - high_z), 0.0)
    both, less = x + z, x - z
    slanted = np.fmax(np.fmax(low_sum - both, both - high_sum), np.fmax(low_less - less, less - high_less))
    return np.fmax(np.hypot(beside_x, beside_z), slanted * np.sqrt(0.5))
