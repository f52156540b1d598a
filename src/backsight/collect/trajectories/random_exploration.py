"""Random exploration: from one random place of the scene to the next, looking around."""

import math

import numpy as np
from jaxtyping import Float64

from backsight.collect.trajectories.gaze import LOOK_AHEAD_M, to_and_fro, wave_rad
from backsight.collect.trajectories.routes import Course, checked_clear, legs_through, roomy_point
from backsight.collect.trajectories.smooth import (
    PITCH_SHARE,
    YAW_SHARE,
    TrajectoryError,
    dense_times_s,
    finished_motion,
)
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_success
from backsight.records.errors import UsageError

ATTEMPTS = 12
MOST_GOALS = 8
GOAL_CHOICES = 4
"""Places tried for the next goal; the farthest is taken."""
LEAST_LENGTH_M = 0.8
RESTS_S = (0.3, 1.5)
FIRST_TURNS_DEG = (70.0, 84.0)
"""The first two sharp turns are short enough to find time in the shortest walks."""
TURNS_DEG = (70.0, 130.0)
HOLDS_S = (0.5, 2.0)
"""How long the gaze rests between sharp turns."""
STRAY_DEG = 60.0
"""Looking further off the way than this, the next sharp turn leads back to it."""
LOWEST_DEG, HIGHEST_DEG = -26.0, 25.0
"""Pitch of complex walks: from the floor to the ceiling."""
COMPLEX_TURN_DEG = 225.0
"""That the gaze of complex walks sweeps at least, where the time allows."""


def plan_random_exploration(request: WalkRequest) -> Walk:
    """Plan a walk to random goals, over stairs where they lead.

    Args:
        request: What is wanted; variants: 'sharp turns' turns by 60 degrees and more at the limit of the turn rate,
            again and again; 'complex' sweeps from floor to ceiling and to all sides with pauses.

    Raises:
        TrajectoryError: No goals could be walked to.
        UsageError: No such variant.
    """
    if request.variant not in ("", "sharp turns", "complex"):
        raise UsageError(f"random_exploration has no variant {request.variant!r}")
    return first_success(lambda: _explore(request), ATTEMPTS, "way to random goals")


def _explore(request: WalkRequest) -> Walk:
    rng, limits, camera = request.rng, request.limits, request.camera
    time_s = dense_times_s(request.num_frames, camera.frame_rate_hz)
    speed_mps = float(rng.uniform(0.6, 0.97)) * limits.speed_mps
    course = _course_to_goals(request, speed_mps, float(time_s[-1]))
    walked = checked_clear(course.points_m(time_s), request.simulator.navigation, limits)
    heading = course.heading_rad(time_s, LOOK_AHEAD_M)
    match request.variant:
        case "sharp turns":
            yaw, pitch = _sharp_turns(heading, time_s, rng, limits.turn_dps)
        case "complex":
            yaw, pitch = _sweeping(heading, time_s, rng, limits.turn_dps)
        case _:
            yaw = heading + wave_rad(time_s, rng, float(rng.uniform(45.0, 85.0)), (12.0, 20.0))
            pitch = np.radians(rng.uniform(-14.0, -4.0)) + wave_rad(time_s, rng, 6.0, (7.0, 12.0))
    return Walk(finished_motion(walked[:, [0, 2, 1]], yaw, pitch, limits, camera))


def _course_to_goals(request: WalkRequest, speed_mps: float, duration_s: float) -> Course:
    """Return a course over random goals that lasts as long as the walk, or as `MOST_GOALS` goals allow."""
    navigation, rng = request.simulator.navigation, request.rng
    longest_m = max(speed_mps * duration_s, LEAST_LENGTH_M)
    stops = [roomy_point(navigation, rng)]
    straight_m = 0.0
    while len(stops) <= MOST_GOALS and straight_m < longest_m:
        choices = [roomy_point(navigation, rng) for _ in range(GOAL_CHOICES)]
        steps = [float(np.linalg.norm(choice - stops[-1])) for choice in choices]
        best = int(np.argmax(steps))
        stops.append(choices[best])
        straight_m += steps[best]
    legs = legs_through(navigation, stops, request.limits, longest_m)
    if sum(leg.length_m for leg in legs) < LEAST_LENGTH_M:
        raise TrajectoryError("the chosen goals lie too close to each other")
    return Course(legs, speed_mps, request.limits, float(rng.uniform(*RESTS_S)))


def _sharp_turns(
    heading_rad: Float64[np.ndarray, " samples"],
    time_s: Float64[np.ndarray, " samples"],
    rng: np.random.Generator,
    turn_dps: float,
) -> tuple[Float64[np.ndarray, " samples"], Float64[np.ndarray, " samples"]]:
    """Return wanted yaw and pitch: sharp turns to either side, never far from the way for long."""
    rate_dps = YAW_SHARE * turn_dps
    now_s = float(rng.uniform(0.2, 0.6))
    yaw = float(heading_rad[0])
    times, yaws = [0.0], [yaw]
    while now_s < time_s[-1]:
        early = len(times) < 4
        angle_deg = float(rng.uniform(*(FIRST_TURNS_DEG if early else TURNS_DEG)))
        stray = math.remainder(yaw - float(np.interp(now_s, time_s, heading_rad)), math.tau)
        side = float(rng.choice([-1.0, 1.0])) if abs(stray) < math.radians(STRAY_DEG) else -math.copysign(1.0, stray)
        times += [now_s, now_s + angle_deg / rate_dps]
        yaws += [yaw, yaw + side * math.radians(angle_deg)]
        yaw = yaws[-1]
        now_s = times[-1] + float(HOLDS_S[0] if early else rng.uniform(*HOLDS_S))
    pitch = np.radians(rng.uniform(-12.0, -4.0)) + wave_rad(time_s, rng, 4.0, (8.0, 14.0))
    return np.interp(time_s, times, yaws), pitch


def _sweeping(
    heading_rad: Float64[np.ndarray, " samples"],
    time_s: Float64[np.ndarray, " samples"],
    rng: np.random.Generator,
    turn_dps: float,
) -> tuple[Float64[np.ndarray, " samples"], Float64[np.ndarray, " samples"]]:
    """Return wanted yaw and pitch: pans to both sides while the pitch goes from floor to ceiling and back."""
    duration_s = max(float(time_s[-1]), 1e-6)
    rate_dps = max(float(rng.uniform(12.0, 22.0)), COMPLEX_TURN_DEG / duration_s)
    rate_dps = min(rate_dps, YAW_SHARE * turn_dps)
    reach_deg = float(rng.uniform(90.0, 150.0))
    side = float(rng.choice([-1.0, 1.0]))
    yaw = heading_rad[0] + side * np.radians(reach_deg) * to_and_fro(time_s * rate_dps / (4.0 * reach_deg))
    span_deg = HIGHEST_DEG - LOWEST_DEG
    half_wave_s = span_deg / (PITCH_SHARE * turn_dps) * float(rng.uniform(1.0, 1.3))
    phase = float(rng.choice([0.0, 0.5]))
    share = (1.0 + to_and_fro(phase + time_s / (2.0 * half_wave_s))) / 2.0
    return yaw, np.radians(LOWEST_DEG + span_deg * share)
