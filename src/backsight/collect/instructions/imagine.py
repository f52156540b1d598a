"""Imagined views: the head turned, or turned and moved a little, away from a current frame, by what words can say."""

from collections.abc import Sequence as OrderedCollection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from backsight.geometry.poses import heading_rad
from backsight.records.sequence import ImaginedView
from backsight.sim.simulator import Navigation

TURN_STEP_DEG = 15
LEAST_TURN_DEG, LARGEST_TURN_DEG = 30, 120
STEP_M, LARGEST_STEP_M = 0.25, 0.5
"""Moves are whole multiples of the first, up to the second."""
STEPS: dict[str, tuple[float, float]] = {"forward": (1, 0), "back": (-1, 0), "left": (0, 1), "right": (0, -1)}
"""Ways to move, as seen by the viewer: ahead and left."""
CLEARANCE_M = 0.2
"""Between the way to an imagined view and the nearest obstacle."""
CHECKED_EVERY_M = 0.05
SAME_DEG, SAME_M = 0.01, 1e-4
"""What rounding may do to a pose."""


def imagine_views(
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
    current_frames: OrderedCollection[int],
    count: int,
    navigation: Navigation,
    rng: np.random.Generator,
) -> tuple[ImaginedView, ...]:
    """Return `count` views of each current frame: the first half turned, the later half moved and then turned.

    The turn is about the vertical, 30 to 120 degrees to either side in whole multiples of 15; the move is level,
    forward, back, left or right by 0.25 or 0.5 m as the viewer of the current frame sees it, and its way is clear of
    obstacles; where none is, the view is turned only.

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
            pose = _turned(world_from_camera[frame], rng)
            if number >= (count + 1) // 2:
                pose[:3, 3] += _free_step_m(world_from_camera[frame], navigation, rng)
            views.append(ImaginedView(frame, tuple(pose.ravel().tolist())))
    return tuple(views)


def _turned(world_from_camera: Float64[np.ndarray, "4 4"], rng: np.random.Generator) -> Float64[np.ndarray, "4 4"]:
    """Return the pose turned about the vertical through the camera, by an angle and to a side that are drawn."""
    turns = int(rng.integers(LEAST_TURN_DEG // TURN_STEP_DEG, LARGEST_TURN_DEG // TURN_STEP_DEG + 1))
    angle = np.radians(turns * TURN_STEP_DEG) * (1.0 if rng.random() < 0.5 else -1.0)
    cosine, sine = np.cos(angle), np.sin(angle)
    about_vertical = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
    pose = world_from_camera.copy()
    pose[:3, :3] = about_vertical @ world_from_camera[:3, :3]
    return pose


def _free_step_m(
    world_from_camera: Float64[np.ndarray, "4 4"], navigation: Navigation, rng: np.random.Generator
) -> Float64[np.ndarray, "3"]:
    """Draw a level step whose whole way is clear; zero where none is."""
    ahead = world_from_camera[[0, 2], 2] / np.linalg.norm(world_from_camera[[0, 2], 2])
    lengths = STEP_M * np.arange(1, round(LARGEST_STEP_M / STEP_M) + 1)
    options = [(way, float(length)) for way in STEPS.values() for length in lengths]
    for chosen in rng.permutation(len(options)):
        (forward, left), length_m = options[chosen]
        step_m = length_m * np.array([forward * ahead[0] + left * ahead[1], 0.0, forward * ahead[1] - left * ahead[0]])
        along = np.linspace(0.0, 1.0, int(np.ceil(length_m / CHECKED_EVERY_M)) + 1)
        if navigation.clearance_m(world_from_camera[:3, 3] + along[1:, None] * step_m).min() >= CLEARANCE_M:
            return step_m
    return np.zeros(3)


@dataclass(frozen=True)
class Pose:
    """An imagined view in words' terms: first the move, then the turn."""

    turn_deg: int
    """To the left; negative to the right."""
    way: str | None
    """A key of `STEPS`; None for a view that is turned only."""
    length_m: float


def named_pose(
    world_from_current: Float64[np.ndarray, "4 4"], world_from_view: Float64[np.ndarray, "4 4"]
) -> Pose | None:
    """Return how a view is asked for, None for a pose that `imagine_views` would not have drawn.

    Args:
        world_from_current: The current frame.
        world_from_view: The imagined view.
    """
    turn_deg = float(np.degrees(heading_rad(world_from_view) - heading_rad(world_from_current)))
    turn_deg = (turn_deg + 180.0) % 360.0 - 180.0
    turn = round(turn_deg / TURN_STEP_DEG) * TURN_STEP_DEG
    if abs(turn - turn_deg) > SAME_DEG or not LEAST_TURN_DEG <= abs(turn) <= LARGEST_TURN_DEG:
        return None
    step_m = world_from_view[:3, 3] - world_from_current[:3, 3]
    if np.linalg.norm(step_m) < SAME_M:
        return Pose(turn, None, 0.0)
    ahead = world_from_current[[0, 2], 2] / np.linalg.norm(world_from_current[[0, 2], 2])
    forward, left = step_m[0] * ahead[0] + step_m[2] * ahead[1], step_m[0] * ahead[1] - step_m[2] * ahead[0]
    for way, (along, aside) in STEPS.items():
        length_m = float(forward * along + left * aside)
        whole_m = round(length_m / STEP_M) * STEP_M
        rest_m = np.hypot(forward - whole_m * along, left - whole_m * aside)
        if STEP_M <= whole_m <= LARGEST_STEP_M and np.hypot(rest_m, step_m[1]) < SAME_M:
            return Pose(turn, way, whole_m)
    return None
