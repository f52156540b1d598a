"""Rules for answers that are places: a spot where the camera stood, the way that it came, the way that it is to go."""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64

from backsight.quality.routes import footprint_gap_m, is_in_room, sampled
from backsight.quality.situation import Situation
from backsight.records.instruction import Instruction, Place, Step
from backsight.records.sequence import annotation_arrays

RADII_M = (0.1, 1.0)
STOOD_M = 0.15
"""From a spot to the camera that stood there, seen from above."""
CAMERA_HEIGHT_M = (0.1, 2.5)
"""Of cameras over the floor."""
ON_WALK_M = 0.35
"""From a way that was walked to the nearest camera, seen from above."""
START_M = 0.35
"""From the beginning of a way to the current camera, seen from above."""
LONGEST_STRETCH_M = 2.2
ARRIVED_M = 1.4
LENGTH_M, LENGTH_SHARE = 0.1, 0.03
"""How far the stated length of a way may be from that of its points."""
DOOR_REACH_M = 1.0
STOREY_M = 1.0
NOT_LONGER_M = 1.0
"""What the shortest way may be longer than the one that was walked."""


def place_problems(instruction: Instruction, situation: Situation) -> Iterator[tuple[str, str]]:
    """Yield field and problem of everything that is wrong with where an instruction's place lies.

    Args:
        instruction: With a place.
        situation: At its current frame.
    """
    place = instruction.target_place
    if place is None or not place.points_m:
        yield "target_place", "is missing"
        return
    points_m = np.array(place.points_m, dtype=np.float64)
    if not np.isfinite(points_m).all() or not RADII_M[0] <= place.radius_m <= RADII_M[1]:
        yield "target_place", "is no piece of floor"
        return
    if not any(is_in_room(points_m[0], room, 0.2) for room in situation.annotations.rooms):
        yield "target_place", "does not lie on the floor of a room"
    if instruction.reasoning_type == "own_trajectory":
        yield from _walked_problems(instruction, situation, points_m)
    elif instruction.reasoning_type == "route":
        yield from _stretch_problems(instruction, situation, place)


def _walked_problems(
    instruction: Instruction, situation: Situation, points_m: Float64[np.ndarray, "points 3"]
) -> Iterator[tuple[str, str]]:
    """A spot lies under the camera of its frame, a way under cameras one after the other, going back from here."""
    cameras_m = annotation_arrays(situation.annotations)[1][: situation.frame + 1, :3, 3]
    away_m = np.hypot(*(points_m[:, None, [0, 2]] - cameras_m[None, :, [0, 2]]).transpose(2, 0, 1))
    height_m = cameras_m[away_m.argmin(axis=1), 1] - points_m[:, 1]
    if (height_m < CAMERA_HEIGHT_M[0]).any() or (height_m > CAMERA_HEIGHT_M[1]).any():
        yield "target_place", "is not the floor under the camera"
    if len(points_m) == 1:
        frames = [step.frame for step in instruction.steps if step.claim == "stood_at"]
        if len(frames) != 1 or frames[0] is None or not 0 <= frames[0] <= situation.frame:
            yield "steps", "do not say when the camera stood there"
        elif away_m[0, frames[0]] > STOOD_M:
            yield "target_place", f"is {away_m[0, frames[0]]:.2f} m from where frame {frames[0]} was taken"
        return
    if (away_m.min(axis=1) > ON_WALK_M).any() or away_m[0, -1] > START_M:
        yield "target_place", "is not the way that was walked"
    # Each point is looked for before the frames of the last one: the way must go back in time.
    frame = situation.frame
    for row in away_m:
        near = [index for index in range(frame + 1) if row[index] <= ON_WALK_M]
        if not near:
            yield "target_place", "does not go back in the order of the walk"
            return
        frame = near[-1]


def _stretch_problems(instruction: Instruction, situation: Situation, place: Place) -> Iterator[tuple[str, str]]:
    """The next stretch is the beginning of the way, and the way goes from here to what was asked for."""
    ways = [step for step in instruction.steps if step.claim == "way"]
    if len(ways) != 1 or len(ways[0].points_m) < 2:
        yield "steps", "do not say where the way goes"
        return
    samples_m, along_m = sampled(np.array(ways[0].points_m, dtype=np.float64))
    stretch_m, stretch_along_m = sampled(np.array(place.points_m, dtype=np.float64))
    begun_m = samples_m[: 1 + sum(length <= LONGEST_STRETCH_M + 0.2 for length in along_m)]
    away_m = np.linalg.norm(stretch_m[:, None] - begun_m[None], axis=-1).min(axis=1)
    if math.dist(stretch_m[0], samples_m[0]) > 0.1 or away_m.max() > 0.15:
        yield "target_place", "is not the beginning of the way"
    if not 0.5 <= stretch_along_m[-1] <= LONGEST_STRETCH_M:
        yield "target_place", f"is {stretch_along_m[-1]:.2f} m long"


def way_holds(step: Step, situation: Situation) -> bool:
    """Whether `points_m` is a way of `number` metres from here to `subject_id`, or into the room `other_ids`.

    It begins under the camera, changes rooms at doors and on stairs alone, and is no longer than the camera's own way
    where that came by the goal.

    Args:
        step: Of an instruction.
        situation: At its current frame.
    """
    way_m = np.array(step.points_m, dtype=np.float64).reshape(-1, 3)
    if len(way_m) < 2 or step.number is None:
        return False
    cameras_m = annotation_arrays(situation.annotations)[1][: situation.frame + 1, :3, 3]
    length_m = float(np.linalg.norm(np.diff(way_m, axis=0), axis=1).sum())
    starts = math.dist(way_m[0, [0, 2]], cameras_m[-1, [0, 2]]) <= START_M
    if not starts or abs(length_m - step.number) > max(LENGTH_M, LENGTH_SHARE * length_m):
        return False
    steps_m = np.linalg.norm(np.diff(cameras_m[::-1], axis=0), axis=1)
    for camera_m, walked_m in zip(cameras_m[-2::-1], np.cumsum(steps_m), strict=True):
        by_goal = math.dist(camera_m[[0, 2]], way_m[-1, [0, 2]]) <= 0.3 and 0 < camera_m[1] - way_m[-1, 1] < 2.5
        if by_goal and length_m > walked_m + NOT_LONGER_M:
            return False
    return _arrives(step, way_m[-1], situation) and _keeps_to_doors(way_m, situation)


def _arrives(step: Step, end_m: Float64[np.ndarray, "3"], situation: Situation) -> bool:
    rooms = {room.room_id: room for room in situation.annotations.rooms}
    if step.subject_id is not None:
        subject = situation.thing(step.subject_id)
        if subject is None or footprint_gap_m(end_m, subject) > ARRIVED_M:
            return False
        return subject.room_id in rooms and is_in_room(end_m, rooms[subject.room_id], 0.2)
    return len(step.other_ids) == 1 and step.other_ids[0] in rooms and is_in_room(end_m, rooms[step.other_ids[0]], 0.2)


def _keeps_to_doors(way_m: Float64[np.ndarray, "points 3"], situation: Situation) -> bool:
    """Whether the way leaves rooms through doors and over stairs; where a scene has no doors nothing is known."""
    doors = [thing for thing in situation.annotations.objects if thing.category == "door"]
    if not doors:
        return True
    samples_m, _ = sampled(way_m)
    for point in samples_m:
        inside = any(is_in_room(point, room) for room in situation.annotations.rooms)
        if not inside and min(footprint_gap_m(point, door) for door in doors) > DOOR_REACH_M:
            return False
    return True
