"""Room transition: from one room through a door or over stairs to another; across a room that is alone."""

import numpy as np
from jaxtyping import Float64, Int64

from backsight.collect.trajectories.gaze import LOOK_AHEAD_M, wave_rad
from backsight.collect.trajectories.routes import (
    checked_clear,
    distances_along_m,
    points_at_m,
    roomy_point,
    route_between,
    stretch_of,
)
from backsight.collect.trajectories.smooth import (
    FloorPath,
    SpeedProfile,
    TrajectoryError,
    clear_walk_test,
    dense_times_s,
    finished_motion,
    smooth_path,
)
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_success
from backsight.records.scene import Room
from backsight.sim.simulator import Simulator

ATTEMPTS = 12
FAR_CHOICES = 4
"""Goals tried in a room that is alone; the farthest is taken."""
LEAST_LENGTH_M = 1.0
ROOM_BELOW_M = 0.3
"""A room is entered this far below its floor: on the last steps of stairs."""


def plan_room_transition(request: WalkRequest) -> Walk:
    """Plan a walk through a door with slow looks around before, during and after.

    A scene of one room, such as a scan whose rooms nobody has marked, is walked across instead.

    Args:
        request: What is wanted.

    Raises:
        TrajectoryError: No way between rooms, or across the only one, could be walked.
    """
    what = "way between two rooms" if len(request.simulator.rooms) > 1 else "way across the room"
    return first_success(lambda: _walk_between(request), ATTEMPTS, what)


def _walk_between(request: WalkRequest) -> Walk:
    simulator, rng, limits, camera = request.simulator, request.rng, request.limits, request.camera
    time_s = dense_times_s(request.num_frames, camera.frame_rate_hz)
    duration_s = float(time_s[-1])
    speed_mps = float(rng.uniform(0.7, 0.95)) * limits.speed_mps
    longest_m = max(speed_mps * duration_s * float(rng.uniform(0.6, 0.8)), 2 * LEAST_LENGTH_M)
    way_points = _door_crossing(simulator, rng, longest_m)
    path = smooth_path(way_points, clear_walk_test(simulator.navigation, limits.clearance_m))
    profile = SpeedProfile(path, speed_mps, limits)
    wait_s = float(rng.uniform(0.2, 0.6)) * max(duration_s - profile.duration_s, 0.0)
    distance_m = profile.distance_m(time_s - wait_s)
    walked = checked_clear(path.points_m(distance_m), simulator.navigation, limits)
    yaw, pitch = _gaze(path, distance_m, rng, time_s)
    return Walk(finished_motion(walked[:, [0, 2, 1]], yaw, pitch, limits, camera))


def _door_crossing(simulator: Simulator, rng: np.random.Generator, longest_m: float) -> Float64[np.ndarray, "points 3"]:
    """Return the stretch of a route round one of its crossings from room to room, as (x, z, height)."""
    navigation = simulator.navigation
    alone = len(simulator.rooms) == 1
    first, second = (0, 0) if alone else rng.choice(len(simulator.rooms), size=2, replace=False)
    start = roomy_point(navigation, rng, simulator.rooms[first].room_id)
    if alone:
        goals = [roomy_point(navigation, rng, simulator.rooms[0].room_id) for _ in range(FAR_CHOICES)]
        goal = max(goals, key=lambda point: float(np.linalg.norm(point - start)))
    else:
        goal = roomy_point(navigation, rng, simulator.rooms[second].room_id)
    points = route_between(navigation, start, goal)
    length_m = float(distances_along_m(points)[-1])
    if length_m < LEAST_LENGTH_M:
        raise TrajectoryError("the chosen points lie too close to each other")
    even = np.linspace(0.0, length_m, int(length_m / 0.05) + 2)
    rooms = _room_of(simulator.rooms, points_at_m(points, even))
    crossings = np.arange(1, len(even) - 1) if alone else np.flatnonzero(rooms[1:] != rooms[:-1])
    if len(crossings) == 0:
        raise TrajectoryError("the way stays in one room")
    crossing_m = float(even[rng.choice(crossings)])
    begin_m = float(np.clip(crossing_m - longest_m * rng.uniform(0.35, 0.65), 0.0, length_m))
    return stretch_of(points, begin_m, begin_m + longest_m)


def _gaze(
    path: FloorPath,
    distance_m: Float64[np.ndarray, " samples"],
    rng: np.random.Generator,
    time_s: Float64[np.ndarray, " samples"],
) -> tuple[Float64[np.ndarray, " samples"], Float64[np.ndarray, " samples"]]:
    """Return wanted yaw and pitch: along the way, with slow pans to both sides."""
    ahead = path.heading_rad(np.minimum(distance_m + LOOK_AHEAD_M, path.length_m))
    pan = wave_rad(time_s, rng, float(rng.uniform(60.0, 90.0)), (14.0, 20.0))
    return ahead + pan, np.radians(rng.uniform(-14.0, -4.0)) + wave_rad(time_s, rng, 5.0, (7.0, 12.0))


def _room_of(rooms: tuple[Room, ...], points_m: Float64[np.ndarray, "points 3"]) -> Int64[np.ndarray, " points"]:
    """Return the room of each (x, z, height); where no room holds it (a doorway), that of the point before."""
    bounds = np.array([room.bounds_m for room in rooms])
    floors = np.array([room.floor_m for room in rooms])
    x, z, height = (points_m[:, [axis]] for axis in range(3))
    inside = (x >= bounds[:, 0]) & (x <= bounds[:, 2]) & (z >= bounds[:, 1]) & (z <= bounds[:, 3])
    # A room reaches up to where the next floor begins; the last steps of stairs belong to the upper room.
    inside &= (height >= floors - ROOM_BELOW_M) & (height < floors + np.array([room.height_m for room in rooms]))
    known = np.where(inside.any(axis=1), np.arange(len(points_m)), 0)
    upper = np.where(inside, floors, -np.inf).argmax(axis=1)
    return upper[np.maximum.accumulate(known)]
