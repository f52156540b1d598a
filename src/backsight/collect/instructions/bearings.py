"""Directions and distances in words, as a viewer says them; nothing where a border of two words is near."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from backsight.collect.instructions.phrases.grammar import capitalised
from backsight.records.instruction import Step
from backsight.records.scene import OrientedBox

DIRECTIONS: tuple[str, ...] = (
    "ahead",
    "ahead to the left",
    "to the left",
    "behind to the left",
    "behind",
    "behind to the right",
    "to the right",
    "ahead to the right",
)
"""Sectors of 45 degrees round the viewer, turning left."""
_AS_PLACES: dict[str, str] = {
    "ahead": "ahead of me",
    "ahead to the left": "ahead of me to the left",
    "to the left": "to my left",
    "behind to the left": "behind me to the left",
    "behind": "behind me",
    "behind to the right": "behind me to the right",
    "to the right": "to my right",
    "ahead to the right": "ahead of me to the right",
}
"""Where a thing is that lies in a direction."""
SECTOR_RAD = np.pi / 4
BORDER_RAD = np.radians(7.0)
"""Nearer than this to the border of two sectors no word is used."""
WIDEST_RAD = np.radians(35.0)
"""A thing that reaches further than this to either side of its middle has no single direction."""
LEAST_DISTANCE_M = 0.75
BETWEEN_METRES = 0.1
"""Nearer than this to half a metre between two whole numbers no distance is said."""


def level_angle_rad(
    world_from_camera: Float64[np.ndarray, "4 4"], points_m: Float64[np.ndarray, "points 3"]
) -> Float64[np.ndarray, " points"]:
    """Return where points lie round a viewer, seen from above: 0 is ahead, growing to the left, in (-pi, pi].

    Args:
        world_from_camera: The viewer; it does not look straight up or down.
        points_m: World frame.
    """
    offset = points_m - world_from_camera[:3, 3]
    ahead = world_from_camera[[0, 2], 2] / np.linalg.norm(world_from_camera[[0, 2], 2])
    forward = offset[:, 0] * ahead[0] + offset[:, 2] * ahead[1]
    left = offset[:, 0] * ahead[1] - offset[:, 2] * ahead[0]
    return np.arctan2(left, forward)


def direction_word(world_from_camera: Float64[np.ndarray, "4 4"], point_m: Float64[np.ndarray, "3"]) -> str | None:
    """Return the sector that a point lies in, None near a border.

    Args:
        world_from_camera: The viewer.
        point_m: World frame.
    """
    turns = float(level_angle_rad(world_from_camera, point_m[None])[0]) / SECTOR_RAD
    nearest = round(turns)
    if abs(turns - nearest) * SECTOR_RAD > SECTOR_RAD / 2 - BORDER_RAD:
        return None
    return DIRECTIONS[nearest % len(DIRECTIONS)]


def box_direction_word(world_from_camera: Float64[np.ndarray, "4 4"], box: OrientedBox) -> str | None:
    """Return the sector of a box's middle, None near a border and for a box that fills more than a sector.

    Args:
        world_from_camera: The viewer.
        box: In the world frame.
    """
    points_m = np.concatenate([np.array([box.centre_m]), box.corners_m()])
    angles = level_angle_rad(world_from_camera, points_m)
    spread = np.abs(np.angle(np.exp(1j * (angles[1:] - angles[0]))))
    return None if spread.max() > WIDEST_RAD else direction_word(world_from_camera, points_m[0])


def level_distance_m(world_from_camera: Float64[np.ndarray, "4 4"], point_m: Float64[np.ndarray, "3"]) -> float:
    """Return the distance of a point from the viewer, seen from above.

    Args:
        world_from_camera: The viewer.
        point_m: World frame.
    """
    return float(np.linalg.norm((point_m - world_from_camera[:3, 3])[[0, 2]]))


def distance_words(distance_m: float) -> str | None:
    """Return 'about 3 metres', None near the half between two numbers and for what is at hand.

    Args:
        distance_m: In metres.
    """
    whole = round(distance_m)
    if distance_m < LEAST_DISTANCE_M or abs(distance_m - whole) > 0.5 - BETWEEN_METRES:
        return None
    return "about 1 metre" if whole == 1 else f"about {whole} metres"


def from_here(world_from_camera: Float64[np.ndarray, "4 4"], where: OrientedBox | Sequence[float]) -> str | None:
    """Return direction and distance in words, 'behind to the right, about 3 metres away', None where one is unclear.

    Args:
        world_from_camera: The viewer.
        where: A thing's box, or a point of the world.
    """
    if isinstance(where, OrientedBox):
        point_m, direction = np.array(where.centre_m), box_direction_word(world_from_camera, where)
    else:
        point_m = np.array(where, dtype=np.float64)
        direction = direction_word(world_from_camera, point_m)
    if direction is None:
        return None
    distance = distance_words(level_distance_m(world_from_camera, point_m))
    return None if distance is None else f"{direction}, {distance} away"


def place_words(direction: str) -> str:
    """Return 'behind me to the right', as a sentence about a place says a direction.

    Args:
        direction: One of `DIRECTIONS`.
    """
    return _AS_PLACES[direction]


def from_here_steps(words: str, subject_id: int | None, answer: str) -> tuple[Step, Step]:
    """Return the steps that say a direction and a distance as `from_here` words them.

    Args:
        words: What is there: 'the red chair'.
        subject_id: Its id, None for the place that an instruction is about.
        answer: Of `from_here`.
    """
    direction, distance = answer.removesuffix(" away").split(", ")
    return direction_step(words, subject_id, direction), distance_step(words, subject_id, distance)


def direction_step(words: str, subject_id: int | None, direction: str) -> Step:
    """Return the step that says a direction.

    Args:
        words: What is there: 'the red chair'.
        subject_id: Its id, None for the place that an instruction is about.
        direction: One of `DIRECTIONS`.
    """
    text = f"{capitalised(words)} is {place_words(direction)}."
    return Step(text, "direction_from_here", subject_id=subject_id, word=direction)


def distance_step(words: str, subject_id: int | None, distance: str) -> Step:
    """Return the step that says a distance.

    Args:
        words: What is there: 'the red chair'.
        subject_id: Its id, None for the place that an instruction is about.
        distance: Of `distance_words`.
    """
    metres = float(distance.split()[1])
    text = f"{capitalised(words)} is {distance} away."
    return Step(text, "distance_from_here", subject_id=subject_id, number=metres)
