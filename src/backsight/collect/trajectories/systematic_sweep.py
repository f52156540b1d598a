"""Systematic sweep: a room in lanes or along its walls, and looks at its corners, doors and windows."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.collect.trajectories.gaze import (
    LOOK_AHEAD_M,
    angles_towards_rad,
    looks_in_turn_rad,
    to_and_fro,
    wave_rad,
)
from backsight.collect.trajectories.routes import Course, checked_clear, legs_through, roomy_point
from backsight.collect.trajectories.small_views import small_views, thing_shares, things_per_frame, view_intrinsics
from backsight.collect.trajectories.smooth import (
    YAW_SHARE,
    TrajectoryError,
    dense_times_s,
    finished_motion,
)
from backsight.collect.trajectories.viewpoints import SPARE_CLEARANCE_M
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_success
from backsight.geometry.poses import look_poses
from backsight.quality.measures.corners import CORNER_ROWS, wall_corner_rows, wall_ids_of
from backsight.records.errors import UsageError
from backsight.records.scene import Room

ATTEMPTS = 20
LANES_M = (0.6, 1.1)
"""Distance of neighbouring lanes."""
INSETS_M = (0.35, 0.8)
"""Distance of a round along the walls from them."""
PROBE_M = 0.1
LEAST_RUN_M = 0.3
LEAST_LENGTH_M, LEAST_LOOK_M = 1.0, 0.6
"""Of a sweep, and of the way of a walk that looks at corners or openings."""
MOST_STOPS = 12
RESTS_S = (0.2, 0.6)
PANS_DEG = (50.0, 80.0)
"""To either side of the way; across the way, walls and furniture are seen from near."""
PAN_RATES_DPS = (11.0, 17.0)
DWELLS_S, CORNER_DWELL_S = (1.6, 4.0), 2.2
"""How long the gaze stays with a corner or an opening, and the least of corners."""
CORNER_HEIGHTS_M = (1.5, 2.2)
"""Above the floor: furniture seldom reaches up there."""
CORNER_FRAMES = 0.55
"""Share of the frames that must show a corner when planning looks: a bit more than is promised."""
STANDING_CHOICES, STANDING_STOPS = 12, 3
SEVERAL_CORNERS = 0.7
"""How likely it is that a try asks for two corners at least; where furniture hides all but one, that one will do."""
KEPT_SHARE = 0.3
"""A corner is looked at when it is seen from this share of the stops, of those from which the best one is."""
SWEEP_TRIES, THINGS_PER_FRAME, THING_SHARE = 4, 2.3, 0.006
"""Of so many sweeps the first that shows this many things in the mean, each of this share of the picture, is taken,
else the one that shows most."""
OPENING_CATEGORIES = ("door", "window")
OPENING_SHARE = 0.006
"""Of the picture; 0.005 counts."""
OPENING_FRAMES = 0.45
"""Share of the frames that must show an opening when planning looks."""
WALL_REACH_M = 0.4
"""Openings lie within the bounds of their room, or in its walls."""
SLOW_SPEEDS = (0.35, 0.75)


def plan_systematic_sweep(request: WalkRequest) -> Walk:
    """Plan a walk that sweeps a room.

    Args:
        request: What is wanted; variants: 'corners' looks at the room's corners one after the other, 'openings' at its
            doors and windows, the usual form pans to both sides of lanes or of a round along the walls.

    Raises:
        TrajectoryError: No room of the scene could be swept.
        UsageError: No such variant.
    """
    plans: dict[str, Callable[[WalkRequest], Walk]] = {
        "": _sweep,
        "corners": _look_at_corners,
        "openings": _look_at_openings,
    }
    if request.variant not in plans:
        raise UsageError(f"systematic_sweep has no variant {request.variant!r}")
    return first_success(lambda: plans[request.variant](request), ATTEMPTS, "sweep of a room")


def _sweep(request: WalkRequest) -> Walk:
    walks: list[tuple[float, Walk]] = []
    for _ in range(SWEEP_TRIES):
        walk = _sweep_of_a_room(request)
        walks.append((things_per_frame(request, walk.world_from_camera, THING_SHARE), walk))
        if walks[-1][0] >= THINGS_PER_FRAME:
            break
    return max(walks, key=lambda entry: entry[0])[1]


def _sweep_of_a_room(request: WalkRequest) -> Walk:
    rng, limits = request.rng, request.limits
    time_s = dense_times_s(request.num_frames, request.camera.frame_rate_hz)
    room = _drawn_room(request)
    stops = _lanes(request, room) if rng.uniform() < 0.6 else _round_along_walls(request, room)
    speed_mps = float(rng.uniform(0.6, 0.97)) * limits.speed_mps
    course = _course(request, stops, speed_mps, float(time_s[-1]), LEAST_LENGTH_M)
    rate_dps, reach_deg = float(rng.uniform(*PAN_RATES_DPS)), float(rng.uniform(*PANS_DEG))
    pan = to_and_fro(float(rng.uniform()) + time_s * rate_dps / (4.0 * reach_deg))
    yaw = course.heading_rad(time_s, LOOK_AHEAD_M) + np.radians(reach_deg) * pan
    pitch = np.radians(rng.uniform(-14.0, -6.0)) + wave_rad(time_s, rng, 6.0, (9.0, 15.0))
    return _walk(request, course, time_s, yaw, pitch)


def _look_at_corners(request: WalkRequest) -> Walk:
    room = _drawn_room(request)
    low_x, low_z, high_x, high_z = room.bounds_m
    height_m = room.floor_m + float(request.rng.uniform(*CORNER_HEIGHTS_M))
    # One after the other round the room, from any of them, either way round.
    corners = np.array([(low_x, low_z), (high_x, low_z), (high_x, high_z), (low_x, high_z)])
    corners = np.roll(corners[:: int(request.rng.choice([-1, 1]))], int(request.rng.integers(4)), axis=0)
    targets = np.stack([corners[:, 0], np.full(4, height_m), corners[:, 1]], axis=-1)
    points = _standing_choices(request, room)
    dwell_s = float(request.rng.uniform(CORNER_DWELL_S, DWELLS_S[1]))
    walls = wall_ids_of(request.simulator.objects)
    if len(walls) == 0:
        # Nothing says what is a wall: the bounds of the room say where they meet.
        return _look_at(request, list(points[:STANDING_STOPS]), targets, dwell_s)
    cameras = np.repeat(points + np.array([0.0, request.camera.height_m, 0.0]), 4, axis=0)
    views = look_poses(cameras, *angles_towards_rad(cameras, np.tile(targets, (len(points), 1))))
    seen = _shows_corner(request, views, walls).reshape(len(points), 4)
    best = _best_apart(points, seen.sum(axis=1))
    kept = seen[best].sum(axis=0) >= max(KEPT_SHARE * float(seen[best].sum(axis=0).max()), 1.0)
    if kept.sum() < (2 if request.rng.uniform() < SEVERAL_CORNERS else 1):
        raise TrajectoryError(f"the corners of the {room.room_type} are out of sight")
    walk = _look_at(request, list(points[best]), targets[kept], dwell_s)
    if _shows_corner(request, walk.world_from_camera, walls).mean() < CORNER_FRAMES:
        raise TrajectoryError(f"the corners of the {room.room_type} are out of sight too often")
    return walk


def _shows_corner(
    request: WalkRequest, poses: Float64[np.ndarray, "poses 4 4"], walls: Int64[np.ndarray, " walls"]
) -> Bool[np.ndarray, " poses"]:
    """Return from which poses two walls are seen to meet, by the measure that finished walks are judged by."""
    seen = small_views(request, poses)
    return wall_corner_rows(seen.depth_m, seen.instance_ids, walls, view_intrinsics(request), poses) >= CORNER_ROWS


def _best_apart(points_m: Float64[np.ndarray, "points 3"], worth: Int64[np.ndarray, " points"]) -> list[int]:
    """Return the points that are worth most, none close to another."""
    kept: list[int] = []
    for index in np.argsort(-worth, kind="stable").tolist():
        if all(np.linalg.norm(points_m[index] - points_m[other]) >= LEAST_LOOK_M for other in kept):
            kept.append(index)
    if len(kept) < 2:
        raise TrajectoryError("the room leaves hardly a way to walk")
    return kept[:STANDING_STOPS]


def _standing_choices(request: WalkRequest, room: Room) -> Float64[np.ndarray, "places 3"]:
    navigation, rng = request.simulator.navigation, request.rng
    return np.stack([roomy_point(navigation, rng, room.room_id) for _ in range(STANDING_CHOICES)])


def _look_at_openings(request: WalkRequest) -> Walk:
    openings = [thing for thing in request.simulator.objects if thing.category in OPENING_CATEGORIES]
    if not openings:
        raise TrajectoryError("the scene has no doors and windows")
    room = _drawn_room(request)
    centres = np.array([thing.box.centre_m for thing in openings], dtype=np.float64)
    low_x, low_z, high_x, high_z = room.bounds_m
    inside = (centres[:, 0] >= low_x - WALL_REACH_M) & (centres[:, 0] <= high_x + WALL_REACH_M)
    inside &= (centres[:, 2] >= low_z - WALL_REACH_M) & (centres[:, 2] <= high_z + WALL_REACH_M)
    inside &= (centres[:, 1] >= room.floor_m) & (centres[:, 1] <= room.floor_m + room.height_m)
    if not inside.any():
        raise TrajectoryError(f"the {room.room_type} has no doors and windows")
    stops = list(_standing_choices(request, room)[:STANDING_STOPS])
    targets = centres[inside][request.rng.permutation(int(inside.sum()))]
    walk = _look_at(request, stops, targets, float(request.rng.uniform(*DWELLS_S)))
    shown = thing_shares(request, walk.world_from_camera, openings) >= OPENING_SHARE
    if shown.any(axis=1).mean() < OPENING_FRAMES:
        raise TrajectoryError(f"doors and windows of the {room.room_type} are out of sight too often")
    return walk


def _look_at(
    request: WalkRequest,
    stops_m: list[Float64[np.ndarray, "3"]],
    targets_m: Float64[np.ndarray, "targets 3"],
    dwell_s: float,
) -> Walk:
    """Return a slow walk from stop to stop that looks at targets in turn."""
    rng, camera = request.rng, request.camera
    time_s = dense_times_s(request.num_frames, camera.frame_rate_hz)
    speed_mps = float(rng.uniform(*SLOW_SPEEDS)) * request.limits.speed_mps
    course = _course(request, stops_m, speed_mps, float(time_s[-1]), LEAST_LOOK_M)
    cameras = course.points_m(time_s)[:, [0, 2, 1]] + np.array([0.0, camera.height_m, 0.0])
    rate_rps = YAW_SHARE * math.radians(request.limits.turn_dps)
    yaw, pitch = looks_in_turn_rad(time_s, cameras, targets_m, dwell_s, rate_rps)
    yaw = yaw + wave_rad(time_s, rng, 3.0, (5.0, 9.0))
    return _walk(request, course, time_s, yaw, pitch)


def _walk(
    request: WalkRequest,
    course: Course,
    time_s: Float64[np.ndarray, " samples"],
    yaw_rad: Float64[np.ndarray, " samples"],
    pitch_rad: Float64[np.ndarray, " samples"],
) -> Walk:
    walked = checked_clear(course.points_m(time_s), request.simulator.navigation, request.limits)
    return Walk(finished_motion(walked[:, [0, 2, 1]], yaw_rad, pitch_rad, request.limits, request.camera))


def _course(
    request: WalkRequest, stops_m: list[Float64[np.ndarray, "3"]], speed_mps: float, duration_s: float, least_m: float
) -> Course:
    legs = legs_through(request.simulator.navigation, stops_m, request.limits, max(speed_mps * duration_s, least_m))
    if sum(leg.length_m for leg in legs) < least_m:
        raise TrajectoryError("the room leaves hardly a way to walk")
    return Course(legs, speed_mps, request.limits, float(request.rng.uniform(*RESTS_S)))


def _drawn_room(request: WalkRequest) -> Room:
    """Return a room, large and furnished ones more often."""
    rooms = request.simulator.rooms
    if not rooms:
        raise TrajectoryError("the scene has no rooms")
    area = np.array([(room.bounds_m[2] - room.bounds_m[0]) * (room.bounds_m[3] - room.bounds_m[1]) for room in rooms])
    things = [thing.room_id for thing in request.simulator.objects if not thing.is_structure]
    weight = np.sqrt(np.clip(area, 1.0, 30.0)) * np.array([min(things.count(room.room_id), 12) + 0.5 for room in rooms])
    return rooms[int(request.rng.choice(len(rooms), p=weight / weight.sum()))]


def _lanes(request: WalkRequest, room: Room) -> list[Float64[np.ndarray, "3"]]:
    """Return the ends of lanes across a room, to and fro, from a random one on."""
    rng = request.rng
    low_x, low_z, high_x, high_z = room.bounds_m
    along_x = (high_x - low_x >= high_z - low_z) ^ bool(rng.uniform() < 0.25)
    spans = ((low_x, high_x), (low_z, high_z)) if along_x else ((low_z, high_z), (low_x, high_x))
    along = np.arange(spans[0][0], spans[0][1], PROBE_M)
    distance_m = float(rng.uniform(*LANES_M))
    across = np.arange(spans[1][0] + float(rng.uniform(0.3, distance_m)), spans[1][1] - 0.2, distance_m)
    if len(across) == 0:
        raise TrajectoryError("the room is too narrow for lanes")
    grid_along, grid_across = np.meshgrid(along, across)
    x, z = (grid_along, grid_across) if along_x else (grid_across, grid_along)
    points = np.stack([x, np.full_like(x, room.floor_m), z], axis=-1)
    free = request.simulator.navigation.clearance_m(points.reshape(-1, 3)).reshape(x.shape)
    ends = []
    for lane, clear in zip(points, free >= request.limits.clearance_m + SPARE_CLEARANCE_M, strict=True):
        first, last = _longest_run(clear)
        if last - first >= LEAST_RUN_M / PROBE_M:
            ends.append((lane[first], lane[last]))
    if len(ends) == 0:
        raise TrajectoryError("the room has no free lane")
    # A walk seldom has time for all lanes: it begins at any of them and turns back at the last.
    begin = int(rng.integers(len(ends)))
    order = [*range(begin, len(ends)), *range(begin - 1, -1, -1)]
    if rng.uniform() < 0.5:
        order = [len(ends) - 1 - number for number in order]
    stops = []
    for number, lane in enumerate(order[:MOST_STOPS]):
        stops += ends[lane] if number % 2 == 0 else ends[lane][::-1]
    return stops


def _round_along_walls(request: WalkRequest, room: Room) -> list[Float64[np.ndarray, "3"]]:
    """Return free points along the walls of a room, in order round it."""
    rng = request.rng
    low_x, low_z, high_x, high_z = room.bounds_m
    inset_m = min(float(rng.uniform(*INSETS_M)), (min(high_x - low_x, high_z - low_z) - 0.1) / 2)
    left, right, near, far = low_x + inset_m, high_x - inset_m, low_z + inset_m, high_z - inset_m
    turns = np.array([(left, near), (right, near), (right, far), (left, far), (left, near)])
    sides = np.linalg.norm(np.diff(turns, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(sides)])
    if along[-1] <= 0.0:
        raise TrajectoryError("the room is too narrow for a round")
    at = np.arange(0.0, along[-1], PROBE_M)
    points = np.stack(
        [np.interp(at, along, turns[:, 0]), np.full(len(at), room.floor_m), np.interp(at, along, turns[:, 1])], axis=-1
    )
    clear = request.simulator.navigation.clearance_m(points) >= request.limits.clearance_m + SPARE_CLEARANCE_M
    points = points[clear]
    if len(points) < 4:
        raise TrajectoryError("the way along the walls is not free")
    spacing = max(int(rng.uniform(0.8, 1.4) / PROBE_M), 1)
    points = np.roll(points, -int(rng.integers(len(points))), axis=0)[:: int(rng.choice([-1, 1])) * spacing]
    return list(points[: 2 * MOST_STOPS])


def _longest_run(clear: np.ndarray) -> tuple[int, int]:
    """Return first and last index of the longest run of free points; of none, the same index twice."""
    padded = np.concatenate([[False], clear, [False]])
    begins, ends = np.flatnonzero(padded[1:] & ~padded[:-1]), np.flatnonzero(~padded[1:] & padded[:-1])
    if len(begins) == 0:
        return 0, 0
    best = int(np.argmax(ends - begins))
    return int(begins[best]), int(ends[best]) - 1
