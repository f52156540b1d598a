"""Rules for ways told in words: each claim about a way is decided by the way's points, the rooms and the boxes."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from backsight.quality.situation import objects_seen
from backsight.records.instruction import RouteInstruction, Step
from backsight.records.scene import Room, SceneObject
from backsight.records.sequence import SequenceAnnotations, annotation_arrays, objects_at

WAY_CLAIMS: tuple[str, ...] = (
    "turns",
    "enters_room",
    "takes_stairs",
    "passes",
    "goes_on",
    "stops_beside",
    "stops_in_doorway",
    "stops_in_room",
    "stops_on_stairs",
    "stops_after",
)
"""What a step can claim about a way."""
_SPACING_M = 0.05
_ON_WAY_M = 0.25
"""Farthest from a way that one of its spots may be stated."""
_CHORD_M = 0.8
_LEAST_TURN_DEG, _MOST_TURN_DEG, _LEAST_AROUND_DEG = 40.0, 150.0, 130.0
_PASSED_M, _BESIDE_M, _DOOR_M = 1.5, 1.4, 0.7
_BACK_M = 3.0
"""How far before the door a way must have been in the room that it leaves."""
_DOORWAY_M = 0.1, 0.25
"""So near to a door's footprint nobody stands in a room, and so far from it nobody stands in the doorway."""
_SAME_FLOOR_M = 0.5
_NEAR_BORDER_M = 0.15
_STOREY_M = 1.0
_FLOOR_M = 0.15
_LOWEST_CAMERA_M = 0.15


def route_problems(annotations: SequenceAnnotations) -> Iterator[tuple[str, str, int | None]]:
    """Yield field, problem and frame of everything that is wrong with the ways told of a walk.

    Args:
        annotations: With a sound table of objects.
    """
    for index, route in enumerate(annotations.routes):
        field = f"routes[{index}]"
        if not 0 <= route.first_frame < route.last_frame < len(annotations.world_from_camera):
            yield field, "does not lie in the walk", None
            continue
        way_m = walked_way_m(annotations, route.first_frame, route.last_frame)
        for number, step in enumerate(route.steps):
            if step.claim not in WAY_CLAIMS:
                yield f"{field}.steps[{number}]", f"{step.claim!r} is no claim about a way", route.last_frame
            elif not way_claim_holds(step, way_m, annotations, route.last_frame):
                yield f"{field}.steps[{number}]", f"{step.text!r} is not true", route.last_frame
        for problem in _telling_problems(route, annotations):
            yield f"{field}.text", problem, route.last_frame


def told_in_order(text: str, steps: Sequence[Step], things: Sequence[SceneObject]) -> str | None:
    """Return the first clause that a text lacks, or has out of order; None where it tells every step.

    Args:
        text: The way in words.
        steps: Claims about it; those that are not about a way are left out.
        things: Whose categories and colours are named.
    """
    after, lowered = 0, text.lower()
    for step in steps:
        wanted = _clause(step, things)
        if wanted is not None:
            found = lowered.find(wanted, after)
            if found < 0:
                return wanted
            after = found + len(wanted)
    return None


def walked_way_m(annotations: SequenceAnnotations, first: int, last: int) -> Float64[np.ndarray, "points 3"]:
    """Return the way of the camera over the floor, between two frames.

    Args:
        annotations: Of the walk.
        first: Index of a frame.
        last: Index of a later frame.
    """
    cameras_m = annotation_arrays(annotations)[1][:, :3, 3]
    # On stairs the floor is not known: the height of the camera is one that it often has over floors, below a ceiling;
    # of an upper storey the one over its own floor and not over the floor of what lies below.
    heights_m: Counter[float] = Counter()
    for x, y, z in cameras_m.tolist():
        around = [room for room in annotations.rooms if _in_bounds(x, z, room, _NEAR_BORDER_M)]
        floors_m = {room.floor_m for room in around if _LOWEST_CAMERA_M <= y - room.floor_m <= room.height_m}
        heights_m.update(round(y - floor_m, 2) for floor_m in sorted(floors_m))
    often = max(heights_m.values(), default=0) / 2
    height_m = min((height for height, count in heights_m.items() if count >= often), default=0.0)
    return cameras_m[first : last + 1] - np.array([0.0, height_m, 0.0])


def way_claim_holds(
    step: Step, way_m: Float64[np.ndarray, "points 3"], annotations: SequenceAnnotations, frame: int
) -> bool:
    """Return whether what a step claims about a way is true.

    Args:
        step: Its claim is one of `WAY_CLAIMS`.
        way_m: Corners of the way, on the floor.
        annotations: Of the walk.
        frame: In which things are where the step says.
    """
    samples_m, along_m = sampled(way_m)
    match step.claim:
        case "goes_on":
            return step.number is not None and 0.0 < step.number <= along_m[-1] + 0.1
        case "stops_after":
            return step.number is not None and abs(step.number - along_m[-1]) <= 0.1
        case "stops_in_room":
            return _is_in(samples_m[-1], step.other_ids, step.word, annotations)
        case "stops_beside":
            subject = _thing(step.subject_id, annotations, frame)
            return subject is not None and footprint_gap_m(samples_m[-1], subject) <= _BESIDE_M
        case "stops_in_doorway":
            return step.subject_id in _doors_at(samples_m[-1], _DOORWAY_M[1], annotations)
        case "takes_stairs":
            return _takes_stairs(step, samples_m)
        case "stops_on_stairs":
            return all(abs(samples_m[-1, 1] - room.floor_m) > _FLOOR_M for room in annotations.rooms)
        case _:
            spot = _spot(step, samples_m, along_m)
            if spot is None:
                return False
    if step.claim == "turns":
        return _turns(step, spot, samples_m, along_m)
    if step.claim == "enters_room":
        return _enters_room(step, spot, samples_m, along_m, annotations)
    return step.claim == "passes" and _passes(
        step, spot, samples_m, along_m, _thing(step.subject_id, annotations, frame)
    )


def sampled(way_m: Float64[np.ndarray, "points 3"]) -> tuple[Float64[np.ndarray, "samples 3"], list[float]]:
    """Return points along a way, no farther apart than 5 cm, and the length of the way up to each, seen from above.

    Args:
        way_m: Its corners.
    """
    pieces = [way_m[:1]]
    for start, end in pairwise(way_m):
        count = max(math.ceil(math.dist(start[[0, 2]], end[[0, 2]]) / _SPACING_M), 1)
        pieces.append(start + (end - start) * np.arange(1, count + 1)[:, None] / count)
    samples_m = np.concatenate(pieces)
    steps_m = np.hypot(np.diff(samples_m[:, 0]), np.diff(samples_m[:, 2]))
    return samples_m, [0.0, *np.cumsum(steps_m).tolist()]


def footprint_gap_m(point_m: Float64[np.ndarray, "3"], thing: SceneObject) -> float:
    """Return how far a point lies from a thing's box, seen from above.

    Args:
        point_m: World frame.
        thing: Of the scene.
    """
    turn = complex(math.cos(thing.box.yaw_rad), math.sin(thing.box.yaw_rad))
    offset = complex(point_m[0] - thing.box.centre_m[0], point_m[2] - thing.box.centre_m[2]) * turn
    beside, before = abs(offset.real) - thing.box.size_m[0] / 2, abs(offset.imag) - thing.box.size_m[2] / 2
    return math.hypot(max(beside, 0.0), max(before, 0.0))


def is_in_room(point_m: Float64[np.ndarray, "3"], room: Room, margin_m: float = 0.0) -> bool:
    """Return whether a point of the floor lies in a room.

    Args:
        point_m: World frame.
        room: Of the scene.
        margin_m: How far outside of its walls it may lie.
    """
    x, y, z = point_m.tolist()
    return _in_bounds(x, z, room, margin_m) and room.floor_m - 0.4 <= y <= room.floor_m + room.height_m


def _in_bounds(x: float, z: float, room: Room, margin_m: float) -> bool:
    low_x, low_z, high_x, high_z = room.bounds_m
    return low_x - margin_m <= x <= high_x + margin_m and low_z - margin_m <= z <= high_z + margin_m


def _thing(instance_id: int | None, annotations: SequenceAnnotations, frame: int) -> SceneObject | None:
    return next((thing for thing in objects_at(annotations, frame) if thing.instance_id == instance_id), None)


def _room(room_id: int, annotations: SequenceAnnotations) -> Room | None:
    return next((room for room in annotations.rooms if room.room_id == room_id), None)


def _is_in(
    point_m: Float64[np.ndarray, "3"], ids: tuple[int, ...], word: str | None, annotations: SequenceAnnotations
) -> bool:
    room = _room(ids[0], annotations) if len(ids) == 1 else None
    if room is None or room.room_type != word or not is_in_room(point_m, room, _NEAR_BORDER_M):
        return False
    return not _doors_at(point_m, _DOORWAY_M[0], annotations)


def _doors_at(point_m: Float64[np.ndarray, "3"], reach_m: float, annotations: SequenceAnnotations) -> set[int]:
    """Return the doors of the storey in whose doorway, or no farther from it, a point lies."""
    return {
        thing.instance_id
        for thing in annotations.objects
        if thing.category == "door"
        and abs(thing.box.centre_m[1] - thing.box.size_m[1] / 2 - point_m[1]) < _SAME_FLOOR_M
        and footprint_gap_m(point_m, thing) <= reach_m
    }


def _spot(step: Step, samples_m: Float64[np.ndarray, "samples 3"], along_m: list[float]) -> int | None:
    """Return the sample where a step says that something is: `number` metres along the way, at its point.

    Both are seen from above: of a walk that never leaves the stairs nothing tells how high its camera is carried.
    """
    if len(step.points_m) != 1 or step.number is None:
        return None
    spot = int(np.argmin(np.abs(np.array(along_m) - step.number)))
    near = abs(along_m[spot] - step.number) <= _ON_WAY_M
    away_m = math.dist(samples_m[spot, [0, 2]], np.array(step.points_m[0])[[0, 2]])
    return spot if near and away_m <= _ON_WAY_M else None


def _chord(samples_m: Float64[np.ndarray, "samples 3"], along_m: list[float], spot: int, reach_m: float) -> complex:
    """Return the direction from one spot to another of the way: east is real, north (-z) imaginary."""
    wanted = along_m[spot] + reach_m
    other = min(range(len(along_m)), key=lambda index: abs(along_m[index] - wanted))
    step_m = (samples_m[other] - samples_m[spot]) * math.copysign(1.0, reach_m)
    return complex(step_m[0], -step_m[2])


def _turns(step: Step, spot: int, samples_m: Float64[np.ndarray, "samples 3"], along_m: list[float]) -> bool:
    before, after = _chord(samples_m, along_m, spot, -_CHORD_M), _chord(samples_m, along_m, spot, _CHORD_M)
    if abs(before) < 0.1 or abs(after) < 0.1:
        return False
    left_deg = math.degrees(math.atan2((after / before).imag, (after / before).real))
    if step.word == "around":
        return abs(left_deg) >= _LEAST_AROUND_DEG
    sided_deg = left_deg if step.word == "left" else -left_deg
    return step.word in ("left", "right") and _LEAST_TURN_DEG <= sided_deg <= _MOST_TURN_DEG


def _enters_room(
    step: Step,
    spot: int,
    samples_m: Float64[np.ndarray, "samples 3"],
    along_m: list[float],
    annotations: SequenceAnnotations,
) -> bool:
    rooms = [_room(number, annotations) for number in step.other_ids]
    if len(rooms) != 2 or rooms[0] is None or rooms[1] is None or rooms[1].room_type != step.word:
        return False
    ahead = samples_m[min(spot + round(0.3 / _SPACING_M), len(samples_m) - 1)]
    if not is_in_room(samples_m[spot], rooms[1], _NEAR_BORDER_M) or not is_in_room(ahead, rooms[1], _NEAR_BORDER_M):
        return False
    before = [index for index in range(spot) if along_m[spot] - along_m[index] <= _BACK_M]
    if not any(is_in_room(samples_m[index], rooms[0]) for index in before):
        return False
    if step.subject_id is None:
        return True
    door = _thing(step.subject_id, annotations, 0)
    return door is not None and door.category == "door" and footprint_gap_m(samples_m[spot], door) <= _DOOR_M


def _takes_stairs(step: Step, samples_m: Float64[np.ndarray, "samples 3"]) -> bool:
    """Whether the way ends a metre or more above its beginning, or below."""
    rise_m = float(samples_m[-1, 1] - samples_m[0, 1])
    return rise_m >= _STOREY_M if step.word == "up" else step.word == "down" and rise_m <= -_STOREY_M


def _passes(
    step: Step,
    spot: int,
    samples_m: Float64[np.ndarray, "samples 3"],
    along_m: list[float],
    subject: SceneObject | None,
) -> bool:
    inside = 0.5 <= along_m[spot] <= along_m[-1] - 0.5
    if subject is None or not inside or footprint_gap_m(samples_m[spot], subject) > _PASSED_M:
        return False
    way = _chord(samples_m, along_m, spot, -0.4) + _chord(samples_m, along_m, spot, 0.4)
    offset = complex(subject.box.centre_m[0] - samples_m[spot, 0], -(subject.box.centre_m[2] - samples_m[spot, 2]))
    if abs(way) < 0.05:
        return False
    lateral_m = (offset / (way / abs(way))).imag
    return lateral_m > 0.05 if step.word == "left" else step.word == "right" and lateral_m < -0.05


def _clause(step: Step, things: Sequence[SceneObject]) -> str | None:
    """Return what a text must contain to tell a step."""
    subject = next((thing for thing in things if thing.instance_id == step.subject_id), None)
    category = "" if subject is None else subject.category
    return {
        "turns": f"turn {step.word}",
        "enters_room": f"onto the {step.word}" if step.word == "landing" else f"into the {step.word}",
        "takes_stairs": f"{step.word} the stairs",
        "passes": f"{category} on your {step.word}",
        "stops_beside": category,
        "stops_in_doorway": "in the doorway",
        "stops_in_room": "stop",
        "stops_on_stairs": "on the stairs",
        "stops_after": "stop",
    }.get(step.claim)


def _telling_problems(route: RouteInstruction, annotations: SequenceAnnotations) -> Iterator[str]:
    missing = told_in_order(route.text, route.steps, annotations.objects)
    if missing is not None:
        yield f"does not say {missing!r} where it should"
    named = tuple(step.subject_id for step in route.steps if step.claim in ("passes", "stops_beside"))
    if named != route.landmark_ids:
        yield f"names landmarks {named}, stated {route.landmark_ids}"
    seen = objects_seen(annotations, route.last_frame)
    for number in route.landmark_ids:
        subject = next((thing for thing in seen if thing.instance_id == number), None)
        if subject is None:
            yield f"landmark {number} was not seen"
        elif not _is_singled_out(route.text.lower(), subject, seen):
            yield f"{subject.category} {number} is not told from others by {route.text!r}"


def _is_singled_out(text: str, subject: SceneObject, seen: Sequence[SceneObject]) -> bool:
    """Whether the text names the only thing seen of that category, or of that colour and category."""
    alike = [thing for thing in seen if thing.category == subject.category]
    if len(alike) == 1:
        return f"the {subject.category}" in text or f"the {subject.colour} {subject.category}" in text
    same = [thing for thing in alike if thing.colour == subject.colour]
    return len(same) == 1 and f"the {subject.colour} {subject.category}" in text
