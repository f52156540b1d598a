"""Where a walk looks: waves, pans, turns and things, as yaw and pitch over time."""

import math

import numpy as np
from jaxtyping import Float64

LOOK_AHEAD_M = 0.35
"""The gaze leads the path by this much."""


def wave_rad(
    time_s: Float64[np.ndarray, " samples"],
    rng: np.random.Generator,
    amplitude_deg: float,
    periods_s: tuple[float, float],
) -> Float64[np.ndarray, " samples"]:
    """Return a slow sine of random period and phase.

    Args:
        time_s: Times.
        rng: Source of period and phase.
        amplitude_deg: To either side.
        periods_s: Shortest and longest period.
    """
    period_s, phase = rng.uniform(*periods_s), rng.uniform(0.0, math.tau)
    return math.radians(amplitude_deg) * np.sin(math.tau * time_s / period_s + phase)


def to_and_fro(cycles: Float64[np.ndarray, " samples"]) -> Float64[np.ndarray, " samples"]:
    """Return a wave of straight lines between -1, at whole numbers of cycles, and 1, half a cycle later.

    Args:
        cycles: Phases, in whole waves.
    """
    return 1.0 - 4.0 * np.abs(cycles - np.floor(cycles) - 0.5)


def angles_towards_rad(
    points_m: Float64[np.ndarray, "samples 3"], target_m: Float64[np.ndarray, "*samples 3"]
) -> tuple[Float64[np.ndarray, " samples"], Float64[np.ndarray, " samples"]]:
    """Return unwrapped yaw and pitch of the directions from cameras to what they look at.

    Args:
        points_m: Camera centres, world frame.
        target_m: One point, or one for each camera.
    """
    offset = target_m - points_m
    yaw = np.unwrap(np.arctan2(-offset[:, 0], -offset[:, 2]))
    return yaw, np.arctan2(offset[:, 1], np.hypot(offset[:, 0], offset[:, 2]))


def looks_in_turn_rad(
    time_s: Float64[np.ndarray, " samples"],
    cameras_m: Float64[np.ndarray, "samples 3"],
    targets_m: Float64[np.ndarray, "targets 3"],
    dwell_s: float,
    rate_rps: float,
) -> tuple[Float64[np.ndarray, " samples"], Float64[np.ndarray, " samples"]]:
    """Return yaw and pitch of a gaze that looks at targets in turn, again and again, going the shorter way round.

    Args:
        time_s: Rising.
        cameras_m: Camera centres, world frame.
        targets_m: What is looked at.
        dwell_s: How long the gaze stays with each, besides the turn towards it.
        rate_rps: Rate of those turns.
    """
    offset = targets_m[:, None] - cameras_m[None]
    yaws = np.arctan2(-offset[..., 0], -offset[..., 2])
    pitches = np.arctan2(offset[..., 1], np.hypot(offset[..., 0], offset[..., 2]))
    number = np.zeros(len(time_s), dtype=np.int64)
    begin, target = 0, 0
    while begin < len(time_s):
        turn = 0.0
        if begin > 0:
            before = (target - 1) % len(targets_m)
            turn = abs(math.remainder(float(yaws[target, begin] - yaws[before, begin]), math.tau))
        # A limited gaze turns around the moment of the switch: half before, half after it.
        end = int(np.searchsorted(time_s, time_s[begin] + dwell_s + turn / rate_rps, side="right"))
        number[begin : max(end, begin + 1)] = target
        begin, target = max(end, begin + 1), (target + 1) % len(targets_m)
    samples = np.arange(len(time_s))
    return np.unwrap(yaws[number, samples]), pitches[number, samples]
