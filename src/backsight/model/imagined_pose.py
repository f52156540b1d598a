"""Poses of imagined views from plain words: how far the head turns and where it moves."""

import math

import numpy as np
from jaxtyping import Float32


def turned_pose(
    right_rad: float, up_rad: float = 0.0, move_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Float32[np.ndarray, "4 4"]:
    """Return current_from_imagined of a head that turns, then looks up or down, and moves.

    The turn is about the current camera's own vertical axis.

    Args:
        right_rad: Turn to the right; negative to the left.
        up_rad: Then raised by so much.
        move_m: To the right, down and ahead, in the current camera's frame.
    """
    cos_turn, sin_turn = math.cos(right_rad), math.sin(right_rad)
    cos_up, sin_up = math.cos(up_rad), math.sin(up_rad)
    turn = np.array([[cos_turn, 0.0, sin_turn], [0.0, 1.0, 0.0], [-sin_turn, 0.0, cos_turn]])
    raised = np.array([[1.0, 0.0, 0.0], [0.0, cos_up, -sin_up], [0.0, sin_up, cos_up]])
    pose = np.eye(4, dtype=np.float32)
    pose[:3, :3] = turn @ raised
    pose[:3, 3] = move_m
    return pose
