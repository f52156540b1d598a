"""Layers of floor above each cell of a grid, and what stands in the way of somebody who stands on them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.records.errors import UsageError
from backsight.records.scene import Room
from backsight.records.vocabulary import FURNITURE_CATEGORIES
from backsight.sim.embedded.navigation.raster import (
    Grid,
    Touches,
    bounds_m,
    boxed,
    cells_under_centres,
    clipped_points,
    touched_cells,
)
from backsight.sim.embedded.packed import PackedScene

OBSTACLE_FROM_M = 0.1
"""Furniture lower than this above a floor is stepped over: rugs, cables."""
DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2))
"""Directions (x, z), not of unit length, that the outlines of obstacles are noted along within a cell."""
_STEEPEST_COSINE = 0.7
"""Faces that rise more steeply than this are not walked on: about 45 degrees."""
_HEIGHT_SLACK_M = 0.005
_FLOOR_BAND_M = 0.05
_LEAST_FLOOR_SHARE = 0.08
"""A storey has at least this share of the floor of the largest one."""
_AT_ROOM_M = 0.3
_OF_ROOM_M = 1.0
"""A storey's floor lies this near to that of one of its rooms."""
_COVERINGS = frozenset({"rug", "mat"})
_NEVER_FLOOR = frozenset({"wall", "ceiling", "door", "window"}) | frozenset(FURNITURE_CATEGORIES) - _COVERINGS


@dataclass(frozen=True)
class Body:
    """Who walks."""

    radius_m: float
    height_m: float
    step_m: float
    """Highest step that is climbed."""


@dataclass(frozen=True)
class Obstacles:
    """Faces that may be in the way of somebody on some layer, cell by cell."""

    touches: Touches
    corners_m: Float64[np.ndarray, "faces 3 3"]
    from_m: Float64[np.ndarray, " faces"]
    """Height above a floor up to which a face is stepped over or onto."""


@dataclass(frozen=True)
class Layers:
    """Pieces of floor, at most one per cell and height, sorted by cell and height."""

    cell: Int64[np.ndarray, " layers"]
    """Flat index."""
    height_m: Float64[np.ndarray, " layers"]
    free: Bool[np.ndarray, " layers"]
    """Whether an upright body of no width has room there."""


def find_layers(scene: PackedScene, body: Body, cell_m: float) -> tuple[Grid, Layers, Obstacles]:
    """Return the grid of a scene, its layers of floor and what stands on them.

    Faces that look up and are not steep are floor unless their object is furniture or another part of the building.

    Args:
        scene: triangles.
        body: who walks.
        cell_m: edge of a cell.

    Raises:
        UsageError: no face looks up.
    """
    corners = scene.vertices_m[scene.faces].astype(np.float64)
    floors, furniture = _floor_faces(scene, corners)
    if not floors.any():
        raise UsageError("navigation: the scene has no floor faces: none looks up and belongs to a floor or to stairs")
    on_floor = corners[floors][..., [0, 2]].reshape(-1, 2)
    # Half a cell off: builders like round numbers, and a wall on the line between two cells would block both.
    corner = on_floor.min(axis=0) - 1.5 * cell_m
    columns, rows = np.ceil((on_floor.max(axis=0) + cell_m - corner) / cell_m).astype(int).tolist()
    grid = Grid(corner, cell_m, rows, columns)
    cell, height = _merged(*cells_under_centres(corners[floors], grid), body.step_m)
    from_m = np.where(furniture, min(OBSTACLE_FROM_M, body.step_m), body.step_m) + _HEIGHT_SLACK_M
    relevant = _in_the_way(corners, height, from_m, body.height_m)
    obstacles = Obstacles(touched_cells(corners[relevant], grid), corners[relevant], from_m[relevant])
    return grid, Layers(cell, height, ~_blocked(cell, height, obstacles, grid, body.height_m)), obstacles


def storey_floors_m(
    layers: Layers, body: Body, cell_m: float, rooms: tuple[Room, ...]
) -> Float64[np.ndarray, " storeys"]:
    """Return the heights of the storeys' floors, rising: the heights at which most floor lies.

    Args:
        layers: of the scene.
        body: who walks; storeys are more than its height apart.
        cell_m: edge of a cell.
        rooms: of the scene; where any has its floor near one of those heights, the others (a roof) are no storeys.
    """
    heights = layers.height_m[layers.free]
    band = np.floor((heights - heights.min()) / _FLOOR_BAND_M + 0.5).astype(np.int64)
    counts = np.convolve(np.bincount(band), np.ones(3))[1:-1]
    middles = heights.min() + np.arange(len(counts)) * _FLOOR_BAND_M
    levels = np.array([room.floor_m for room in rooms])
    near_room = np.abs(middles[:, None] - levels).min(axis=1, initial=np.inf)
    apart = int(np.ceil(body.height_m / _FLOOR_BAND_M))
    least = min(max(_LEAST_FLOOR_SHARE * counts.max(), 1.0 / cell_m**2), counts.max())
    found: list[float] = []
    # Rooms say where floors are before sizes do: a gallery may be larger than the floor below it.
    for candidate in (near_room <= _AT_ROOM_M, np.ones(len(counts), dtype=bool)):
        while (np.where(candidate, counts, 0) >= least).any():
            peak = int(np.where(candidate, counts, 0).argmax())
            found.append(float(np.median(heights[np.abs(band - peak) <= 1])))
            counts[max(peak - apart, 0) : peak + apart + 1] = 0
    floors = np.sort(np.array(found))
    of_rooms = (np.abs(floors[:, None] - levels) <= _OF_ROOM_M).any(axis=1)
    return floors[of_rooms] if of_rooms.any() else floors


def obstacle_extents(
    obstacles: Obstacles,
    standing_m: Float64[np.ndarray, " cells"],
    height_m: float,
    grid: Grid,
) -> Float64[np.ndarray, "16 cells"]:
    """Return how far the obstacles in some cells reach along each of `DIRECTIONS`, lowest and highest.

    Args:
        obstacles: of the scene.
        standing_m: height that somebody beside each cell stands at; NaN where it does not matter.
        height_m: of the body.
        grid: cells.

    Returns:
        World coordinates; cells without an obstacle are taken as wholly filled.
    """
    touches = obstacles.touches
    beside = standing_m[touches.cell]
    reach = (touches.high_m > beside + obstacles.from_m[touches.face]) & (touches.low_m < beside + height_m)
    pairs = np.flatnonzero(reach)
    face, cell = touches.face[pairs], touches.cell[pairs]
    corners, centres, half = obstacles.corners_m[face], grid.centres_m(cell), grid.cell_m / 2
    low, high = bounds_m(corners)
    low, high = np.maximum(low[:, [0, 2]], centres - half), np.minimum(high[:, [0, 2]], centres + half)
    bounds = np.empty((2 * len(DIRECTIONS), len(pairs)))
    for number, (x, z) in enumerate(DIRECTIONS):
        ends = (low[:, 1], high[:, 1]) if z >= 0 else (high[:, 1], low[:, 1])
        bounds[2 * number], bounds[2 * number + 1] = x * low[:, 0] + z * ends[0], x * high[:, 0] + z * ends[1]
    # A face along the axes fills its box; others are cut to the cell.
    slanted = np.flatnonzero(~boxed(corners))
    points, present = clipped_points(corners[slanted], centres[slanted], grid.cell_m)
    some = present.any(axis=1)
    slanted, points, present = slanted[some], points[some], present[some]
    for number, (x, z) in enumerate(DIRECTIONS):
        values = x * points[..., 0] + z * points[..., 2]
        bounds[2 * number, slanted] = np.where(present, values, np.inf).min(axis=1)
        bounds[2 * number + 1, slanted] = np.where(present, values, -np.inf).max(axis=1)
    extents = np.empty((len(bounds), grid.rows * grid.columns))
    extents[::2], extents[1::2] = np.inf, -np.inf
    for number in range(len(DIRECTIONS)):
        np.minimum.at(extents[2 * number], cell, bounds[2 * number])
        np.maximum.at(extents[2 * number + 1], cell, bounds[2 * number + 1])
    return extents


def _floor_faces(
    scene: PackedScene, corners_m: Float64[np.ndarray, "faces 3 3"]
) -> tuple[Bool[np.ndarray, " faces"], Bool[np.ndarray, " faces"]]:
    """Return which faces can be walked on, and which belong to furniture."""
    never, furniture = set(_NEVER_FLOOR), set(FURNITURE_CATEGORIES)
    if any(thing.category == "floor" for thing in scene.objects):
        never |= _COVERINGS
    most = max(int(scene.face_instance.max()), max((thing.instance_id for thing in scene.objects), default=0))
    is_never, is_furniture = np.zeros(most + 1, dtype=bool), np.zeros(most + 1, dtype=bool)
    for thing in scene.objects:
        is_never[thing.instance_id] = thing.category in never
        is_furniture[thing.instance_id] = thing.category in furniture
    one, two = corners_m[:, 1] - corners_m[:, 0], corners_m[:, 2] - corners_m[:, 0]
    up = one[:, 2] * two[:, 0] - one[:, 0] * two[:, 2]
    across = np.hypot(one[:, 1] * two[:, 2] - one[:, 2] * two[:, 1], one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    gentle = up > _STEEPEST_COSINE * np.hypot(up, across)
    return gentle & ~is_never[scene.face_instance], is_furniture[scene.face_instance]


def _merged(
    cell: Int64[np.ndarray, " hits"], height_m: Float64[np.ndarray, " hits"], step_m: float
) -> tuple[Int64[np.ndarray, " layers"], Float64[np.ndarray, " layers"]]:
    """Return hits sorted by cell and height, of those within a step of one another only the highest."""
    order = np.lexsort((height_m, cell))
    cell, height_m = cell[order], height_m[order]
    kept = np.ones(len(cell), dtype=bool)
    kept[:-1] = (cell[1:] != cell[:-1]) | (height_m[1:] - height_m[:-1] > step_m + _HEIGHT_SLACK_M)
    return cell[kept], height_m[kept]


def _in_the_way(
    corners_m: Float64[np.ndarray, "faces 3 3"],
    floor_m: Float64[np.ndarray, " layers"],
    from_m: Float64[np.ndarray, " faces"],
    height_m: float,
) -> Bool[np.ndarray, " faces"]:
    """Whether a face could block some layer, by its heights alone."""
    floors = np.unique(np.round(floor_m, 3))
    heights = corners_m[..., 1]
    low = np.minimum(np.minimum(heights[:, 0], heights[:, 1]), heights[:, 2])
    high = np.maximum(np.maximum(heights[:, 0], heights[:, 1]), heights[:, 2])
    below = np.searchsorted(floors, high - from_m + 0.001) - 1
    return (below >= 0) & (floors[np.maximum(below, 0)] > low - height_m - 0.001)


def _blocked(
    cell: Int64[np.ndarray, " layers"],
    floor_m: Float64[np.ndarray, " layers"],
    obstacles: Obstacles,
    grid: Grid,
    height_m: float,
) -> Bool[np.ndarray, " layers"]:
    """Whether something stands or hangs in the body's way on each layer."""
    blocked = np.zeros(len(cell), dtype=bool)
    count = np.bincount(cell, minlength=grid.rows * grid.columns)
    start = np.cumsum(count) - count
    touches = obstacles.touches
    low, high = touches.low_m - height_m, touches.high_m - obstacles.from_m[touches.face]
    pairs = np.arange(len(touches.cell))
    for rank in range(int(count.max(initial=0))):
        pairs = pairs[count[touches.cell[pairs]] > rank]
        layer = start[touches.cell[pairs]] + rank
        hit = (floor_m[layer] > low[pairs]) & (floor_m[layer] < high[pairs])
        blocked[layer[hit]] = True
    return blocked
