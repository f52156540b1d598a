"""Keyframes by the walk's own depth and poses, for truth and baselines."""

import numpy as np
from jaxtyping import Int64

from backsight.data.keyframes import keyframes_from_depth
from backsight.evaluate.samples import EvaluationSample
from backsight.records.sequence import Sequence


def sample_keyframes(
    sequence: Sequence, sample: EvaluationSample, num_keyframes: int
) -> Int64[np.ndarray, " keyframes"]:
    """Return the frames that together see most of the space, the current one last.

    Args:
        sequence: the walk, with depth and poses.
        sample: its current frame and history.
        num_keyframes: how many at most.
    """
    frames = np.append(sample.history_frames, sample.current_frame)
    depth_m, poses = sequence.depth_m[frames], sequence.world_from_camera[frames]
    return frames[keyframes_from_depth(depth_m, poses, sequence.intrinsics, num_keyframes)]
