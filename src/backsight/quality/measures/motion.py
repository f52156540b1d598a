"""Measures of the camera's motion, from the poses alone."""

import math

import numpy as np
from jaxtyping import Float64

from backsight.geometry.poses import heading_rad, rotation_angle_rad
from backsight.records.measures import MotionMeasures
from backsight.records.sequence import SequenceAnnotations, annotation_arrays

SHARP_TURN_DEG = 60.0
SHARP_TURN_S = 4.0
ALONG_DEG = 45.0
"""A step within this of the viewing direction goes forward, within this of the opposite backward, else sideways."""
BLUR_DISTANCE_M = 2.0
NO_WAY_M = 1e-6
"""Shorter walks have no direction."""
_ROUNDING = 1e-9


def measure_motion_of_walk(annotations: SequenceAnnotations) -> MotionMeasures:
    """Return the measures of a walk's motion.

    Args:
        annotations: Of the walk; poses, frame rate, exposure and intrinsics are read.
    """
    intrinsics, poses = annotation_arrays(annotations)
    positions = poses[:, :3, 3]
    forward, backward, sideways = _shares_of_the_way(poses)
    pitch = np.degrees(np.arcsin(np.clip(poses[:, 1, 2], -1.0, 1.0)))
    turns = rotation_angle_rad(np.swapaxes(poses[:-1, :3, :3], 1, 2) @ poses[1:, :3, :3])
    return MotionMeasures(
        path_m=float(np.linalg.norm(np.diff(positions, axis=0), axis=1).sum()),
        turn_deg=float(np.degrees(turns).sum()),
        sharp_turns=float(_count_sharp_turns(poses, annotations.frame_rate_hz)),
        height_range_m=float(np.ptp(positions[:, 1])),
        pitch_range_deg=float(np.ptp(pitch)),
        forward_share=forward,
        backward_share=backward,
        sideways_share=sideways,
        blur_px=_mean_blur_px(poses, float(intrinsics[0, 0]), annotations.frame_rate_hz, annotations.exposure_s),
    )


def _count_sharp_turns(poses: Float64[np.ndarray, "frames 4 4"], frame_rate_hz: float) -> int:
    """Return the largest number of turns that do not overlap: each ends as early as it can."""
    heading = np.degrees(np.unwrap(heading_rad(poses)))
    window = math.floor(SHARP_TURN_S * frame_rate_hz + _ROUNDING)
    count, free_from = 0, 0
    for end in range(1, len(heading)):
        before = heading[max(end - window, free_from) : end]
        if before.size and np.abs(heading[end] - before).max() >= SHARP_TURN_DEG - _ROUNDING:
            count, free_from = count + 1, end
    return count


def _shares_of_the_way(poses: Float64[np.ndarray, "frames 4 4"]) -> tuple[float, float, float]:
    """Return the shares of the way, seen from above, that go forward, backward and sideways."""
    steps = np.diff(poses[:, [0, 2], 3], axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    if lengths.sum() < NO_WAY_M:
        return 0.0, 0.0, 0.0
    heading = np.unwrap(heading_rad(poses))
    # Between two frames the camera looks about half way between both directions.
    looking = (heading[1:] + heading[:-1]) / 2
    ahead = -(steps[:, 0] * np.sin(looking) + steps[:, 1] * np.cos(looking))
    least = lengths * (math.cos(math.radians(ALONG_DEG)) - _ROUNDING)
    forward = float(lengths[ahead >= least].sum() / lengths.sum())
    backward = float(lengths[(ahead <= -least) & (ahead < least)].sum() / lengths.sum())
    return forward, backward, max(1.0 - forward - backward, 0.0)


def _mean_blur_px(
    poses: Float64[np.ndarray, "frames 4 4"], focal_px: float, frame_rate_hz: float, exposure_s: float
) -> float:
    """Return how far the picture's centre moves while the shutter is open, for what is `BLUR_DISTANCE_M` away."""
    if len(poses) < 2:
        return 0.0
    rotation = poses[:, :3, :3]
    velocity = np.diff(poses[:, :3, 3], axis=0) * frame_rate_hz
    turn = rotation[1:] @ np.swapaxes(rotation[:-1], 1, 2)
    angle = rotation_angle_rad(turn)
    skew = np.stack(
        [turn[:, 2, 1] - turn[:, 1, 2], turn[:, 0, 2] - turn[:, 2, 0], turn[:, 1, 0] - turn[:, 0, 1]], axis=-1
    )
    sine = np.linalg.norm(skew, axis=1, keepdims=True)
    turning = skew / np.where(sine > 0.0, sine, 1.0) * angle[:, None] * frame_rate_hz
    moving = _at_frames(np.concatenate([velocity, turning], axis=1))
    velocity_camera = np.einsum("nij,ni->nj", rotation, moving[:, :3])
    turning_camera = np.einsum("nij,ni->nj", rotation, moving[:, 3:])
    # A point straight ahead moves against the camera and against its turn: x by yaw, y by pitch.
    x = -velocity_camera[:, 0] / BLUR_DISTANCE_M - turning_camera[:, 1]
    y = -velocity_camera[:, 1] / BLUR_DISTANCE_M + turning_camera[:, 0]
    return float(np.hypot(x, y).mean() * focal_px * exposure_s)


def _at_frames(of_steps: Float64[np.ndarray, "steps axes"]) -> Float64[np.ndarray, "frames axes"]:
    """Return the mean of the steps before and after every frame; at the ends there is one."""
    return (np.concatenate([of_steps[:1], of_steps]) + np.concatenate([of_steps, of_steps[-1:]])) / 2
