"""Forward and backward: along a way that is as straight as the scene has room for, or on the spot."""

import math

import numpy as np
from jaxtyping import Float64

from backsight.collect.trajectories.gaze import LOOK_AHEAD_M, wave_rad
from backsight.collect.trajectories.routes import (
    Course,
    back_and_forth_m,
    checked_clear,
    distances_along_m,
    ends_apart,
    roomy_point,
    route_between,
    stretch_of,
)
from backsight.collect.trajectories.smooth import (
    YAW_SHARE,
    FloorPath,
    SpeedProfile,
    TrajectoryError,
    clear_walk_test,
    dense_times_s,
    finished_motion,
    smooth_path,
)
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_success
from backsight.records.errors import UsageError

ATTEMPTS = 12
LEAST_LENGTH_M = 1.1
SLOWEST_MPS = 0.15
"""Short ways are walked slowly rather than waited at, down to this speed."""
REST_S = 0.6
WAY_SHARE, THERE_SHARE = 0.9, 0.42
"""Length of the way wanted, as a share of what could be walked in the time; the lesser where it is walked back too."""
GLANCE_DEG = 14.0
"""The head turns by this much to either side: far less than the 45 degrees at which a walk ahead stops being one."""
PITCHES_DEG = (-14.0, -4.0)
SIDE_PROBE_M = 0.8
"""Free floor at this distance to either side says which of them there is more to see on."""
LEAST_TURN_DEG, MOST_TURN_DEG = 205.0, 720.0
"""Of a rotation on the spot; the least allows for the slow start and end."""
STANDING_CHOICES = 4


def plan_forward_backward(request: WalkRequest) -> Walk:
    """Plan a walk along a way, or a rotation.

    Args:
        request: What is wanted; variants: 'forward', 'backward' and 'lateral' look along, against and across the way,
            'rotation' turns on the spot, the usual form walks forward and then, without turning, backward.

    Raises:
        TrajectoryError: The scene has no way of `LEAST_LENGTH_M` that could be walked.
        UsageError: No such variant.
    """
    match request.variant:
        case "rotation":
            return first_success(lambda: _turn_on_the_spot(request), ATTEMPTS, "rotation in place")
        case "" | "forward" | "backward" | "lateral":
            return first_success(lambda: _walk_along(request), ATTEMPTS, "way straight ahead")
        case _:
            raise UsageError(f"forward_backward has no variant {request.variant!r}")


def _walk_along(request: WalkRequest) -> Walk:
    rng, limits, camera = request.rng, request.limits, request.camera
    time_s = dense_times_s(request.num_frames, camera.frame_rate_hz)
    duration_s = float(time_s[-1])
    speed_mps = float(rng.uniform(0.55, 0.97)) * limits.speed_mps
    share = THERE_SHARE if request.variant == "" else WAY_SHARE
    path = _straight_path(request, max(share * speed_mps * duration_s, LEAST_LENGTH_M))
    speed_mps = max(min(speed_mps, path.length_m / max(share * duration_s, 1e-6)), SLOWEST_MPS)
    if request.variant in ("forward", "backward"):
        reverse = FloorPath(path.points_m(path.distances_m[::-1]))
        legs = [path, reverse] if path.length_m < 0.5 * speed_mps * duration_s else [path]
        course = Course(legs, speed_mps, limits, REST_S, turning=True)
        wait_s = float(rng.uniform(0.0, 1.0)) * max(duration_s - course.duration_s, 0.0)
        walked = course.points_m(time_s - wait_s)
        yaw = course.heading_rad(time_s - wait_s, 0.0 if request.variant == "backward" else LOOK_AHEAD_M)
        yaw = yaw + (math.pi if request.variant == "backward" else 0.0)
    else:
        profile = SpeedProfile(path, speed_mps, limits)
        distance_m = back_and_forth_m(profile, path.length_m, REST_S, time_s)
        walked, yaw = path.points_m(distance_m), path.heading_rad(distance_m)
        if request.variant == "lateral":
            yaw = yaw + _open_side(request, walked, yaw) * math.pi / 2
    walked = checked_clear(walked, request.simulator.navigation, limits)
    yaw = yaw + wave_rad(time_s, rng, GLANCE_DEG * float(rng.uniform(0.5, 1.0)), (7.0, 13.0))
    return Walk(finished_motion(walked[:, [0, 2, 1]], yaw, _pitch_rad(time_s, rng), limits, camera))


def _pitch_rad(time_s: Float64[np.ndarray, " samples"], rng: np.random.Generator) -> Float64[np.ndarray, " samples"]:
    return np.radians(rng.uniform(*PITCHES_DEG)) + wave_rad(time_s, rng, 3.0, (7.0, 12.0))


def _straight_path(request: WalkRequest, wanted_m: float) -> FloorPath:
    navigation = request.simulator.navigation
    route = route_between(navigation, *ends_apart(navigation, request.rng, wanted_m))
    length_m = float(distances_along_m(route)[-1])
    spare_m = max(length_m - wanted_m, 0.0)
    begin_m = float(request.rng.uniform(0.0, 1.0)) * spare_m
    path = smooth_path(
        stretch_of(route, begin_m, begin_m + wanted_m), clear_walk_test(navigation, request.limits.clearance_m)
    )
    if path.length_m < LEAST_LENGTH_M:
        raise TrajectoryError("the chosen points lie too close to each other")
    return path


def _open_side(
    request: WalkRequest, walked_m: Float64[np.ndarray, "samples 3"], yaw_rad: Float64[np.ndarray, " samples"]
) -> float:
    """Return 1 where the left of a way has more free floor beside it, -1 where the right has."""
    left = SIDE_PROBE_M * np.stack([-np.cos(yaw_rad), np.sin(yaw_rad), np.zeros_like(yaw_rad)], axis=-1)
    room = [
        float(request.simulator.navigation.clearance_m((walked_m + side * left)[::10][:, [0, 2, 1]]).mean())
        for side in (1.0, -1.0)
    ]
    total = sum(room)
    share = 0.5 if total == 0.0 else float(np.clip(room[0] / total, 0.1, 0.9))
    return 1.0 if request.rng.uniform() < share**2 / (share**2 + (1.0 - share) ** 2) else -1.0


def _turn_on_the_spot(request: WalkRequest) -> Walk:
    rng, limits, camera = request.rng, request.limits, request.camera
    navigation = request.simulator.navigation
    time_s = dense_times_s(request.num_frames, camera.frame_rate_hz)
    duration_s = max(float(time_s[-1]), 1e-6)
    choices = np.stack([roomy_point(navigation, rng) for _ in range(STANDING_CHOICES)])
    point = choices[int(np.argmax(navigation.clearance_m(choices)))]
    standing = checked_clear(np.tile(point[[0, 2, 1]], (len(time_s), 1)), navigation, limits)
    fastest = YAW_SHARE * limits.turn_dps * duration_s
    total_deg = min(float(rng.uniform(LEAST_TURN_DEG, max(min(fastest, MOST_TURN_DEG), LEAST_TURN_DEG))), fastest)
    turned = np.radians(total_deg) * np.minimum(time_s / duration_s, 1.0)
    if total_deg > 1.5 * LEAST_TURN_DEG and rng.uniform() < 0.5:
        # Turning back costs some of the turn; the rest is still more than half a turn.
        back_rad = np.radians(total_deg) * float(rng.uniform(0.35, 0.65))
        turned = back_rad - np.abs(turned - back_rad)
    yaw = rng.uniform(0.0, math.tau) + float(rng.choice([-1.0, 1.0])) * turned
    pitch = np.radians(rng.uniform(-18.0, 0.0)) + wave_rad(time_s, rng, 6.0, (8.0, 14.0))
    return Walk(finished_motion(standing[:, [0, 2, 1]], yaw, pitch, limits, camera))
