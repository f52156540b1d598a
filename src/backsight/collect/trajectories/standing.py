"""Where a walk may stop: places on the free floor of a room."""

import numpy as np
from jaxtyping import Float64

from backsight.collect.trajectories.smooth import TrajectoryError, on_floor
from backsight.collect.trajectories.walk import WalkRequest
from backsight.records.scene import Room

SPARE_CLEARANCE_M = 0.05
"""Places keep this much more distance to obstacles than walks must, so that ways to them can be rounded."""
_GRID_M = 0.2
_MOST_CELLS = 600


def standing_places(
    request: WalkRequest,
    room: Room,
    number: int,
    centre_m: Float64[np.ndarray, "3"] | None = None,
    reach_m: float = 3.0,
) -> Float64[np.ndarray, "places 3"]:
    """Return places in a room, far from each other, between which one can walk.

    Args:
        request: Says whose simulator, randomness and clearance.
        room: Where to stand.
        number: How many are wanted; fewer where there is less floor.
        centre_m: What they lie round; None for places in the whole room.
        reach_m: How far from it they lie at most, seen from above.

    Raises:
        TrajectoryError: There is no room to stand in it.
    """
    free = _free_points(request, room)
    if centre_m is not None:
        free = free[np.hypot(free[:, 0] - centre_m[0], free[:, 2] - centre_m[2]) <= reach_m]
    if len(free) == 0:
        raise TrajectoryError(f"room {room.room_id} has no floor with room for the walker")
    navigation = request.simulator.navigation
    start = int(request.rng.integers(len(free)))
    taken, left = [start], np.linalg.norm(free - free[start], axis=1)
    home = navigation.island(free[start])
    while len(taken) < number:
        furthest = int(np.argmax(left))
        if left[furthest] < _GRID_M:
            break
        left = np.minimum(left, np.linalg.norm(free - free[furthest], axis=1))
        if navigation.island(free[furthest]) == home:
            taken.append(furthest)
    return free[taken]


def _free_points(request: WalkRequest, room: Room) -> Float64[np.ndarray, "places 3"]:
    """Return free floor points of the room on a coarse grid with a random origin."""
    navigation = request.simulator.navigation
    storey = int(np.argmin(np.abs(np.array(navigation.floors_m) - room.floor_m)))
    free, corner_m, cell_m = navigation.top_down_map(storey)
    stride = max(int(round(_GRID_M / cell_m)), 1)
    first_row, first_column = request.rng.integers(stride, size=2)
    rows, columns = np.nonzero(free[first_row::stride, first_column::stride])
    points_xz = corner_m + (np.stack([columns, rows], axis=-1) * stride + [first_column, first_row] + 0.5) * cell_m
    min_x, min_z, max_x, max_z = room.bounds_m
    x, z = points_xz.T
    points_xz = points_xz[(x > min_x) & (x < max_x) & (z > min_z) & (z < max_z)]
    if len(points_xz) > _MOST_CELLS:
        points_xz = points_xz[np.sort(request.rng.choice(len(points_xz), _MOST_CELLS, replace=False))]
    points = on_floor(points_xz.astype(np.float64), room.floor_m)
    return points[navigation.clearance_m(points) >= request.limits.clearance_m + SPARE_CLEARANCE_M]
