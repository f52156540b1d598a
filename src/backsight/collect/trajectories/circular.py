"""Circular pattern: round a piece of furniture or the middle of a room, looking at it."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from backsight.collect.trajectories.gaze import wave_rad
from backsight.collect.trajectories.routes import back_and_forth_m
from backsight.collect.trajectories.smooth import (
    CameraMount,
    FloorPath,
    MotionLimits,
    SpeedProfile,
    TrajectoryError,
    clear_test,
    dense_times_s,
    finished_motion,
    on_floor,
    smooth_path,
)
from backsight.collect.trajectories.walk import Walk, WalkRequest
from backsight.records.scene import Room
from backsight.sim.simulator import Simulator

DISTANCES_FROM_EDGE_M = (0.45, 0.7, 1.0, 1.4, 1.9)
"""Radii tried, beyond the half diagonal of the thing's footprint."""
LEAST_EXTENT_M = 0.35
"""Things smaller than this are not walked round."""
DIRECTIONS = 72
SPARE_CLEARANCE_M = 0.05
LEAST_ARC_M = 0.8
REACH_RAD = float(np.radians(90.0))
"""Arcs of which a walk covers so much come first: it shall see things from different sides."""
USUAL_SPEED = 0.7
"""Mean speed of a walk, as a share of the fastest."""
ATTEMPTS = 12
GLANCES_DEG, GLANCES_AT_THING_DEG = (60.0, 110.0), (50.0, 100.0)
"""Widest glances to the sides; what stands in the middle is seen again and again on the way."""
PAUSE_S = 0.6
"""Rest before walking a blocked arc back."""


@dataclass(frozen=True)
class _Arc:
    """A free arc round a centre, in a room."""

    centre_m: Float64[np.ndarray, "3"]
    radius_m: float
    room: Room
    thing_id: int | None = None
    """What stands in the middle; None for the middle of a room."""
    first_rad: float = 0.0
    span_rad: float = 2 * np.pi

    @property
    def length_m(self) -> float:
        return self.radius_m * self.span_rad

    @property
    def is_closed(self) -> bool:
        return self.span_rad >= 2 * np.pi

    def points_xz_m(self, angles_rad: Float64[np.ndarray, " points"]) -> Float64[np.ndarray, "points 2"]:
        circle = np.stack([np.cos(angles_rad), np.sin(angles_rad)], axis=-1)
        return self.centre_m[[0, 2]] + self.radius_m * circle


def plan_circular(request: WalkRequest) -> Walk:
    """Plan a walk round something: a whole circle where the floor is free, else an arc back and forth.

    Args:
        request: What is wanted.

    Raises:
        TrajectoryError: Nothing in the scene has enough free floor round it.
    """
    rng = request.rng
    arcs = _free_arcs(request.simulator, request.limits)
    if not arcs:
        raise TrajectoryError("nothing in the scene has enough free floor round it for the circular pattern")
    seconds = (request.num_frames - 1) / request.camera.frame_rate_hz
    walked_m = USUAL_SPEED * request.limits.speed_mps * seconds
    arcs = [arc for arc in arcs if min(arc.span_rad, walked_m / arc.radius_m) >= REACH_RAD] or arcs
    lengths = np.minimum([arc.length_m for arc in arcs], 4.0)
    order = rng.choice(len(arcs), size=min(ATTEMPTS, len(arcs)), replace=False, p=lengths / lengths.sum())
    failures: list[str] = []
    for index in order:
        try:
            return _walk_round(arcs[index], request)
        except TrajectoryError as error:
            failures.append(str(error))
    raise TrajectoryError(f"no free arc of the scene could be walked: {failures[-1]}")


def _walk_round(arc: _Arc, request: WalkRequest) -> Walk:
    rng, limits, camera = request.rng, request.limits, request.camera
    time_s = dense_times_s(request.num_frames, camera.frame_rate_hz)
    speed_mps = float(rng.uniform(0.5, 0.95)) * limits.speed_mps
    direction = float(rng.choice([-1.0, 1.0]))
    if arc.is_closed:
        span = speed_mps * float(time_s[-1]) / arc.radius_m + 0.5
        start = float(rng.uniform(0.0, 2 * np.pi))
    else:
        span = arc.span_rad
        start = arc.first_rad if direction > 0 else arc.first_rad + arc.span_rad
    count = max(int(span * arc.radius_m / 0.05), 8)
    points = arc.points_xz_m(start + direction * np.linspace(0.0, span, count))

    clear = clear_test(request.simulator.navigation, arc.room.floor_m, limits.clearance_m)
    path = FloorPath(points) if arc.is_closed else smooth_path(points, clear)
    walked = path.points_xz_m(back_and_forth_m(SpeedProfile(path, speed_mps, limits), path.length_m, PAUSE_S, time_s))
    if not clear(walked).all():
        raise TrajectoryError("the arc is not clear between its points")
    yaw, pitch = _gaze(arc, walked, rng, time_s, camera)
    motion = finished_motion(on_floor(walked, arc.room.floor_m), yaw, pitch, limits, camera)
    return Walk(motion, () if arc.thing_id is None else (arc.thing_id,))


def _gaze(
    arc: _Arc,
    walked_xz_m: Float64[np.ndarray, "samples 2"],
    rng: np.random.Generator,
    time_s: Float64[np.ndarray, " samples"],
    camera: CameraMount,
) -> tuple[Float64[np.ndarray, " samples"], Float64[np.ndarray, " samples"]]:
    """Return wanted yaw and pitch: at the centre, with slow glances to both sides."""
    offset = arc.centre_m[[0, 2]] - walked_xz_m
    towards = np.unwrap(np.arctan2(-offset[:, 0], -offset[:, 1]))
    widest = GLANCES_DEG if arc.thing_id is None else GLANCES_AT_THING_DEG
    glance = wave_rad(time_s, rng, float(rng.uniform(*widest)), (16.0, 26.0))
    height = float(arc.centre_m[1]) - arc.room.floor_m - camera.height_m
    base = np.clip(0.5 * np.arctan2(height, arc.radius_m), np.radians(-22.0), np.radians(5.0))
    return towards + glance, base + wave_rad(time_s, rng, 5.0, (7.0, 12.0))


def _free_arcs(simulator: Simulator, limits: MotionLimits) -> list[_Arc]:
    """Return the longest free arc of every circle worth walking."""
    circles = _circles(simulator)
    if not circles:
        return []
    angles = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
    floor_points = np.stack([on_floor(arc.points_xz_m(angles), arc.room.floor_m) for arc in circles])
    clearance = simulator.navigation.clearance_m(floor_points.reshape(-1, 3)).reshape(floor_points.shape[:2])
    found = []
    for arc, points, clearance_m in zip(circles, floor_points, clearance, strict=True):
        free = (clearance_m >= limits.clearance_m + SPARE_CLEARANCE_M) & _inside(arc.room, points)
        first, count = _longest_run(free)
        if count == DIRECTIONS:
            found.append(arc)
        elif count > 3:
            step = 2 * np.pi / DIRECTIONS
            part = replace(arc, first_rad=first * step, span_rad=(count - 1) * step)
            if part.length_m >= LEAST_ARC_M:
                found.append(part)
    return found


def _circles(simulator: Simulator) -> list[_Arc]:
    """Return whole circles round furniture and round the middles of rooms, free or not."""
    rooms = {room.room_id: room for room in simulator.rooms}
    circles = []
    for thing in simulator.objects:
        width, height, depth = thing.box.size_m
        room = rooms.get(thing.room_id)
        if thing.is_structure or room is None or min(width, depth, height) < LEAST_EXTENT_M:
            continue
        half_diagonal = float(np.hypot(width, depth)) / 2
        centre = np.array(thing.box.centre_m, dtype=np.float64)
        circles += [_Arc(centre, half_diagonal + edge, room, thing.instance_id) for edge in DISTANCES_FROM_EDGE_M]
    for room in simulator.rooms:
        min_x, min_z, max_x, max_z = room.bounds_m
        middle = np.array([(min_x + max_x) / 2, room.floor_m + 0.6, (min_z + max_z) / 2])
        largest = min(max_x - min_x, max_z - min_z) / 2 - 0.3
        circles += [_Arc(middle, float(radius), room) for radius in np.arange(0.6, max(largest, 0.6), 0.3)]
    return circles


def _inside(room: Room, points_m: Float64[np.ndarray, "points 3"]) -> Bool[np.ndarray, " points"]:
    min_x, min_z, max_x, max_z = room.bounds_m
    x, z = points_m[:, 0], points_m[:, 2]
    return (x >= min_x) & (x <= max_x) & (z >= min_z) & (z <= max_z)


def _longest_run(free: Bool[np.ndarray, " directions"]) -> tuple[int, int]:
    """Return start and length of the longest run of free directions round the circle."""
    if free.all():
        return 0, len(free)
    blocked = np.flatnonzero(~free)
    ends = np.append(blocked[1:], blocked[0] + len(free))
    gaps = ends - blocked - 1
    best = int(np.argmax(gaps))
    return int(blocked[best] + 1), int(gaps[best])
