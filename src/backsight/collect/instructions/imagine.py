"""Imagined views: the head turned, or turned and moved a little, away from a current frame."""

from collections.abc import Sequence as OrderedCollection

import numpy as np
from jaxtyping import Float64

from backsight.records.sequence import ImaginedView
from backsight.sim.simulator import Navigation

LEAST_TURN_RAD, LARGEST_TURN_RAD = np.radians(20.0), np.radians(120.0)
LEAST_STEP_M, LARGEST_STEP_M = 0.1, 0.5
CLEARANCE_M = 0.2
"""Between the way to an imagined view and the nearest obstacle."""
CHECKED_EVERY_M = 0.05
MOST_TRIES = 24
"""Directions drawn for a step; where none is free the view is turned only."""


def imagine_views(
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
    current_frames: OrderedCollection[int],
    count: int,
    navigation: Navigation,
    rng: np.random.Generator,
) -> tuple[ImaginedView, ...]:
    """Return `count` views of each current frame: the first half turned, the later half turned and moved.

    The turn is about the vertical, 20 to 120 degrees to either side; the move is level, 0.1 to 0.5 m, and its way is
    clear of obstacles.

    Args:
        world_from_camera: Poses of the walk.
        current_frames: Frames that instructions are bound to.
        count: Views of each.
        navigation: Of the scene.
        rng: Source of every choice.
    """
    views = []
    for frame in current_frames:
        for number in range(count):
            pose = turned(world_from_camera[frame], float(rng.uniform(LEAST_TURN_RAD, LARGEST_TURN_RAD)), rng)
            if number >= (count + 1) // 2:
                pose[:3, 3] += _free_step_m(pose[:3, 3], navigation, rng)
            views.append(ImaginedView(frame, tuple(pose.ravel().tolist())))
    return tuple(views)


def turned(
    world_from_camera: Float64[np.ndarray, "4 4"], turn_rad: float, rng: np.random.Generator
) -> Float64[np.ndarray, "4 4"]:
    """Return the pose turned about the vertical through the camera, to a side that is drawn.

    Args:
        world_from_camera: A pose.
        turn_rad: How far.
        rng: Draws the side.
    """
    angle = turn_rad if rng.random() < 0.5 else -turn_rad
    cosine, sine = np.cos(angle), np.sin(angle)
    about_vertical = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
    pose = world_from_camera.copy()
    pose[:3, :3] = about_vertical @ world_from_camera[:3, :3]
    return pose


def _free_step_m(
    position_m: Float64[np.ndarray, "3"], navigation: Navigation, rng: np.random.Generator
) -> Float64[np.ndarray, "3"]:
    """Draw a level step whose whole way is clear; zero where none of the tries is."""
    for _ in range(MOST_TRIES):
        length_m, heading = rng.uniform(LEAST_STEP_M, LARGEST_STEP_M), rng.uniform(0.0, 2.0 * np.pi)
        step_m = length_m * np.array([np.cos(heading), 0.0, np.sin(heading)])
        along = np.linspace(0.0, 1.0, int(np.ceil(length_m / CHECKED_EVERY_M)) + 1)
        if navigation.clearance_m(position_m + along[1:, None] * step_m).min() >= CLEARANCE_M:
            return step_m
    return np.zeros(3)
