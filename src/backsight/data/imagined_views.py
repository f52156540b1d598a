"""Which imagined views belong to a current frame, and their poses relative to it."""

import numpy as np
from jaxtyping import Float64, Int64

from backsight.geometry.poses import invert_pose
from backsight.records.sequence import Sequence, imagined_poses


def imagined_of_frame(sequence: Sequence, current_frame: int) -> Int64[np.ndarray, " views"]:
    """Return which of a walk's imagined views belong to a current frame.

    Args:
        sequence: The walk.
        current_frame: Index of the frame.
    """
    views = sequence.annotations.imagined
    return np.array([n for n, view in enumerate(views) if view.current_frame == current_frame], dtype=np.int64)


def current_from_imagined(sequence: Sequence, current_frame: int) -> Float64[np.ndarray, "views 4 4"]:
    """Return the poses of a current frame's imagined views relative to it, in metres.

    Args:
        sequence: The walk.
        current_frame: Index of the frame.
    """
    chosen = imagined_of_frame(sequence, current_frame)
    return invert_pose(sequence.world_from_camera[current_frame]) @ imagined_poses(sequence.annotations)[chosen]
