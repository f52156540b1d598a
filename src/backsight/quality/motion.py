"""Temporal smoothness: speeds, turns and accelerations of the recorded poses."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from backsight.geometry.poses import rotation_angle_rad
from backsight.quality.judgement import Judgement
from backsight.quality.limits import MotionLimits, QualityLimits
from backsight.records.quality import Finding
from backsight.records.sequence import Sequence
from backsight.storage.layout import ANNOTATIONS_FILE, path_in_dataset

_STILL_M, _STILL_RAD = 0.02, math.radians(1.0)


@dataclass(frozen=True)
class RecordedMotion:
    """Motion between neighbouring frames."""

    speed_mps: Float64[np.ndarray, " steps"]
    turn_radps: Float64[np.ndarray, " steps"]
    acceleration_mps2: Float64[np.ndarray, " changes"]
    turn_acceleration_radps2: Float64[np.ndarray, " changes"]


def measure_motion(world_from_camera: Float64[np.ndarray, "frames 4 4"], frame_rate_hz: float) -> RecordedMotion:
    """Return speeds and accelerations by finite differences.

    A chord is never longer than the way, and a second difference is a weighted mean of the true acceleration, so
    neither exceeds what was planned.

    Args:
        world_from_camera: Poses at even times.
        frame_rate_hz: Frames a second.
    """
    velocity = np.diff(world_from_camera[:, :3, 3], axis=0) * frame_rate_hz
    rotation = world_from_camera[:, :3, :3]
    world_turn = rotation[1:] @ rotation[:-1].swapaxes(1, 2)
    angle = rotation_angle_rad(world_turn)
    skew = world_turn - world_turn.swapaxes(1, 2)
    axis = np.stack([skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0]], axis=-1)
    length = np.linalg.norm(axis, axis=-1, keepdims=True)
    angular_velocity = (
        np.where(length > 0.0, axis / np.where(length > 0.0, length, 1.0), 0.0) * angle[:, None] * frame_rate_hz
    )
    return RecordedMotion(
        speed_mps=np.linalg.norm(velocity, axis=-1),
        turn_radps=angle * frame_rate_hz,
        acceleration_mps2=np.linalg.norm(np.diff(velocity, axis=0), axis=-1) * frame_rate_hz,
        turn_acceleration_radps2=np.linalg.norm(np.diff(angular_velocity, axis=0), axis=-1) * frame_rate_hz,
    )


def find_jumps(motion: RecordedMotion, limits: QualityLimits) -> Bool[np.ndarray, " steps"]:
    """Return which steps are no walk: far over the limits, or over what the rest of the walk does.

    Args:
        motion: Of the recorded poses.
        limits: With motion limits, or without for walks recorded elsewhere.
    """
    if limits.motion is not None:
        speed, turn = limits.motion.speed_mps, math.radians(limits.motion.turn_dps)
        return (motion.speed_mps > limits.jump_factor * speed) | (motion.turn_radps > limits.jump_factor * turn)
    # Without a promise the walk's own pace is the measure, and no person runs at 10 m/s indoors.
    pace = float(np.quantile(motion.speed_mps, 0.9)) if motion.speed_mps.size else 0.0
    return motion.speed_mps > max(10.0, 2.0 * limits.jump_factor * pace)


def judge_motion(sequence: Sequence, limits: QualityLimits) -> Judgement:
    """Return temporal smoothness: the lowest of its parts.

    A part is 1 within its limit and falls to 0 at twice the limit. A planned curve is C1, so its velocity changes by at
    most acceleration x time from step to step; a kink changes it at once, which the samples show as acceleration.

    Args:
        sequence: With finite, rigid poses.
        limits: What is allowed; without motion limits only jumps are looked for.
    """
    annotations = sequence.annotations
    motion = measure_motion(sequence.world_from_camera, annotations.frame_rate_hz)
    path = path_in_dataset(annotations.sequence_id, ANNOTATIONS_FILE)
    jumps = np.flatnonzero(find_jumps(motion, limits))
    findings = tuple(
        Finding(
            path,
            "world_from_camera",
            f"jumps at {motion.speed_mps[step]:.2f} m/s and {math.degrees(motion.turn_radps[step]):.0f} deg/s",
            int(step) + 1,
        )
        for step in jumps
    )
    parts = {"no_jumps": 1.0 - len(jumps) / max(1, len(motion.speed_mps))}
    if limits.motion is not None:
        parts |= _within_limits(motion, limits.motion)
    return Judgement(min(parts.values()), parts, findings)


def _within_limits(motion: RecordedMotion, allowed: MotionLimits) -> dict[str, float]:
    measured = (
        ("speed", motion.speed_mps, allowed.speed_mps),
        ("turn_rate", motion.turn_radps, math.radians(allowed.turn_dps)),
        ("velocity_continuity", motion.acceleration_mps2, allowed.acceleration_mps2),
        ("turn_continuity", motion.turn_acceleration_radps2, math.radians(allowed.turn_acceleration_dps2)),
    )
    return {
        name: float(np.clip(2.0 + allowed.allowance - float(values.max(initial=0.0)) / limit, 0.0, 1.0))
        for name, values, limit in measured
    }


def moved_between_frames(world_from_camera: Float64[np.ndarray, "frames 4 4"]) -> Bool[np.ndarray, " steps"]:
    """Return which steps move the camera enough to change the picture: 2 cm or 1 degree.

    Args:
        world_from_camera: Poses.
    """
    motion = measure_motion(world_from_camera, 1.0)
    return (motion.speed_mps > _STILL_M) | (motion.turn_radps > _STILL_RAD)
