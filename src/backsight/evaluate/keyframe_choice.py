"""Keyframes of a sample when no model has chosen them: space-aware, from the true depth and poses."""

import numpy as np
from jaxtyping import Int64

from backsight.data.keyframes import select_keyframes, uniform_keyframes
from backsight.evaluate.samples import EvaluationSample
from backsight.geometry.poses import invert_pose
from backsight.records.sequence import Sequence

MAX_CANDIDATES = 128
"""Uniform candidates when depth is given (task.md)."""
POINT_STRIDE_PX = 6
"""Every such pixel is unprojected in both directions."""


def keyframes_from_depth(
    sequence: Sequence, sample: EvaluationSample, num_keyframes: int
) -> Int64[np.ndarray, " keyframes"]:
    """Return the frames that together see most of the space, the current one last.

    Args:
        sequence: the walk, with depth and poses.
        sample: its current frame and history.
        num_keyframes: how many at most.
    """
    frames = np.append(sample.history_frames, sample.current_frame)
    frames = frames[uniform_keyframes(len(frames), MAX_CANDIDATES)]
    half = POINT_STRIDE_PX // 2
    depth_m = sequence.depth_m[frames, half::POINT_STRIDE_PX, half::POINT_STRIDE_PX].astype(np.float64)
    rows, columns = np.indices(depth_m.shape[1:]) * POINT_STRIDE_PX + half + 0.5
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(sequence.intrinsics).T
    current_from_world = invert_pose(sequence.world_from_camera[frames[-1]])
    current_from_camera = current_from_world @ sequence.world_from_camera[frames]
    points = (depth_m[..., None] * rays).reshape(len(frames), -1, 3)
    points = points @ np.swapaxes(current_from_camera[:, :3, :3], 1, 2) + current_from_camera[:, None, :3, 3]
    valid = depth_m.reshape(len(frames), -1) > 0.0
    return frames[select_keyframes(points.astype(np.float32), valid, num_keyframes, metric_scale=True)]
