"""How to get from here to a thing or a room, in words."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from backsight.collect.instructions.bearings import distance_words, level_angle_rad
from backsight.collect.instructions.draft import Draft, InstructionContext
from backsight.collect.instructions.floor_seen import points_seen
from backsight.collect.instructions.imagine import CLEARANCE_M
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.naming import Name, names_of
from backsight.collect.instructions.phrases import routes as phrases
from backsight.collect.instructions.rooms import NO_ROOM, rooms_of
from backsight.collect.instructions.viewpoint import stays
from backsight.collect.instructions.ways import Clause, Way, gap_m, merged
from backsight.quality.places import START_M
from backsight.records.instruction import Place, Step
from backsight.records.scene import SceneObject
from backsight.records.sequence import annotation_arrays, objects_at
from backsight.records.vocabulary import UNNAMED_ROOM_TYPE

LEAST_WAY_M, LEAST_WAY_FAVOURED_M = 2.0, 1.5
"""Shorter ways are not asked for; walks for ways are also made in small rooms."""
MOST_WAYS, MOST_WAYS_FAVOURED = 1, 3
"""Ways asked for at each current frame."""
LENGTH_WEIGHT = 0.3
"""How much the question for the length of a way is preferred to that for the way."""
ENOUGH_WAYS = 2
"""Walks for ways make up so many with ways whose next stretch was not seen: for those only the words can be right."""
SEARCHES, SEARCHES_FAVOURED = 2, 5
"""For each way that is wanted: a search is what costs time, and not every way can be told."""
NEXT_STRETCH_M = 2.0
"""How much of the way is the place that is asked for."""
RADIUS_M = 0.3
LEAST_SEEN_SHARE = 0.25
"""How much of the next stretch one frame of the memory must show."""
AT_GOAL_M = 1.2
"""From the end of a way to the footprint of the thing that it leads to."""
AT_START_M = START_M - 0.1
"""From the camera to the beginning of a way, seen from above: on narrow stairs the nearest spot to stand is farther."""
MOST_CLAUSES = 5
ROUNDED_M = 0.02
"""What is left out of a way that is nearly straight."""
FIRST_TURN_RAD = (np.radians(30.0), np.radians(50.0), np.radians(130.0), np.radians(150.0))
"""Up to the first: ahead; then slightly to a side, to a side, and sharply to it; from the last on: around."""


@dataclass(frozen=True)
class _Goal:
    """Where a way may lead."""

    name: Name | None
    """None for a room."""
    room_id: int
    point_m: Float64[np.ndarray, "3"]


def route_drafts(context: InstructionContext, memory: Memory, rng: np.random.Generator) -> list[Draft]:
    """Return questions for the way from the current frame to things and rooms that were seen.

    Args:
        context: The walk.
        memory: What was seen up to the current frame.
        rng: Source of every choice.
    """
    camera_m = memory.situation.world_from_viewer[:3, 3]
    start_m = context.navigation.snap(camera_m)
    if np.linalg.norm((start_m - camera_m)[[0, 2]]) > AT_START_M:
        return []
    names = names_of(memory, rng)
    is_favoured = context.favoured == "route"
    least_m = LEAST_WAY_FAVOURED_M if is_favoured else LEAST_WAY_M
    goals = _things_to_go_to(context, memory, names, start_m, least_m)
    goals += _rooms_to_go_to(context, memory, start_m)
    most, searches = (MOST_WAYS_FAVOURED, SEARCHES_FAVOURED) if is_favoured else (MOST_WAYS, SEARCHES)
    drafts: list[Draft] = []
    unseen: list[Draft] = []
    for index in rng.permutation(len(goals))[: most * searches].tolist():
        if len(drafts) == most:
            break
        way = _way_to(context, memory, goals[index], start_m, least_m)
        is_seen = way is not None and _is_seen(context, memory, way)
        if way is not None and (is_seen or is_favoured):
            (drafts if is_seen else unseen).append(_route_draft(context, memory, names, goals[index], way))
    drafts += unseen[: max(ENOUGH_WAYS - len(drafts), 0)]
    return drafts + ([draft for way in drafts for draft in _length_drafts(way)] if is_favoured else [])


def _length_drafts(told: Draft) -> list[Draft]:
    """Return the question how long a way is; none where that lies between two whole numbers of metres."""
    length = distance_words(told.steps[0].number or 0.0)
    if length is None:
        return []
    template = told.template.replace("route", "way_length")
    return [dataclasses.replace(told, template=template, answer=length, complexity="medium", weight=LENGTH_WEIGHT)]


def _things_to_go_to(
    context: InstructionContext, memory: Memory, names: list[Name], start_m: Float64[np.ndarray, "3"], least_m: float
) -> list[_Goal]:
    found: list[_Goal] = []
    for name in names:
        thing = memory.things[name.index]
        centre_m = np.array(thing.box.centre_m)
        far = np.linalg.norm((centre_m - start_m)[[0, 2]]) >= least_m
        if not far or not memory.is_target[name.index] or not stays(context.annotations, memory, name):
            continue
        found.append(_Goal(name, thing.room_id, centre_m))
    return found


def _rooms_to_go_to(context: InstructionContext, memory: Memory, start_m: Float64[np.ndarray, "3"]) -> list[_Goal]:
    """Return the rooms walked through, other than the present one, whose type is the only one of the scene."""
    annotations = context.annotations
    types = [room.room_type for room in annotations.rooms]
    _, poses = annotation_arrays(annotations)
    floor_m = poses[: memory.current_frame + 1, :3, 3] - (poses[memory.current_frame, :3, 3] - start_m)
    inside = rooms_of(floor_m, annotations.rooms)
    found: list[_Goal] = []
    for room in annotations.rooms:
        frames = np.flatnonzero(inside == room.room_id)
        alone = room.room_type != UNNAMED_ROOM_TYPE and types.count(room.room_type) == 1
        if alone and len(frames) and inside[-1] not in (room.room_id, NO_ROOM):
            found.append(_Goal(None, room.room_id, floor_m[frames[len(frames) // 2]]))
    return found


def _way_to(
    context: InstructionContext, memory: Memory, goal: _Goal, start_m: Float64[np.ndarray, "3"], least_m: float
) -> Way | None:
    """Return the shortest way; None where there is none, or it is too short, leads elsewhere or into what has moved."""
    found = context.navigation.shortest_path(start_m, context.navigation.snap(goal.point_m))
    if found is None or found.length_m < least_m:
        return None
    corners_m = _straightened(found.points_m)
    if goal.name is not None and not _arrives(corners_m[-1], memory.things[goal.name.index], context):
        return None
    way = Way.of(corners_m)
    if _meets_moved_things(way, context, memory.current_frame):
        return None
    on_floor = rooms_of(way.points_m[:1], context.annotations.rooms)[0] != NO_ROOM
    return way if on_floor and way.length_m >= least_m else None


def _meets_moved_things(way: Way, context: InstructionContext, current_frame: int) -> bool:
    """Whether a thing stands in the way that the navigation knows at its old place."""
    moving = {motion.instance_id for motion in context.annotations.motions}
    if not moving:
        return False
    there = [thing for thing in objects_at(context.annotations, current_frame) if thing.instance_id in moving]
    low = [thing for thing in there if thing.box.centre_m[1] - thing.box.size_m[1] / 2 < way.points_m[:, 1].max() + 1.0]
    return any(gap_m(point, thing) < CLEARANCE_M for thing in low for point in way.points_m[:, [0, 2]])


def _route_draft(context: InstructionContext, memory: Memory, names: list[Name], goal: _Goal, way: Way) -> Draft:
    """Return the question for one way."""
    name, room_id = goal.name, goal.room_id
    viewer = memory.situation.world_from_viewer
    first = _first_turn(float(level_angle_rad(viewer, viewer[:3, 3] + np.array([way.at(1.0)]) - way.points_m[0])[0]))
    stretch_m = _straightened(way.first(min(NEXT_STRETCH_M, way.length_m)))
    clauses = _clauses(way, context, memory, [other for other in names if other != name])
    whither = name.words if name is not None else f"the {_room_type(context, room_id)}"
    points = tuple(_point(point) for point in way.corners_m)
    length_m = float(np.linalg.norm(np.diff(np.array(points), axis=0), axis=1).sum())
    length = phrases.metres_words(length_m)
    texts = phrases.route_texts(first, [clause.text for clause in clauses], (whither, length), name is None)
    steps = (
        Step(
            f"The way to {whither} is {length} long.",
            "way",
            subject_id=None if name is None else name.instance_id,
            other_ids=() if name is not None else (room_id,),
            number=round(length_m, 3),
            points_m=points,
        ),
        Step(f"It begins {_BEGINNINGS[first]}.", "first_turn", word=first),
        *(clause.step for clause in clauses),
    )
    return Draft(
        reasoning_type="route",
        template="route_to_thing" if name is not None else "route_to_room",
        slots={"the": whither} if name is not None else {"room": _room_type(context, room_id)},
        complexity="complex" if len(clauses) >= 2 else "medium",
        frame_of_reference="viewer",
        answer=phrases.joined(texts),
        steps=steps,
        category=None if name is None else name.category,
        colour=None if name is None else name.colour,
        room_type=None if name is not None else _room_type(context, room_id),
        target_place=Place(tuple(_point(point) for point in stretch_m), RADIUS_M),
        distractor_ids=() if name is None else memory.distractors_of(name.index),
        weight=1.0 + len(clauses),
    )


_BEGINNINGS = {
    "ahead": "straight ahead",
    "left": "on the left",
    "right": "on the right",
    "slightly left": "ahead of me, a little to the left",
    "slightly right": "ahead of me, a little to the right",
    "sharply left": "behind me on the left",
    "sharply right": "behind me on the right",
    "around": "behind me",
}


def _room_type(context: InstructionContext, room_id: int) -> str:
    return next(room.room_type for room in context.annotations.rooms if room.room_id == room_id)


def _arrives(end_m: Float64[np.ndarray, "3"], thing: SceneObject, context: InstructionContext) -> bool:
    """Whether a way ends by the thing and in its room."""
    near = gap_m(end_m[[0, 2]], thing) <= AT_GOAL_M
    return near and int(rooms_of(end_m[None], context.annotations.rooms)[0]) == thing.room_id


def _clauses(way: Way, context: InstructionContext, memory: Memory, names: list[Name]) -> list[Clause]:
    doors = [thing for thing in context.annotations.objects if thing.category == "door"]
    standing = [name for name in names if stays(context.annotations, memory, name)]
    entries = way.entries(context.annotations.rooms, doors)
    return merged(way.turns(), entries, way.passed(standing, memory.things), MOST_CLAUSES)


def _first_turn(angle_rad: float) -> str:
    """Return a key of `FIRST_TURNS`."""
    ahead, slight, sharp, around = FIRST_TURN_RAD
    size, side = abs(angle_rad), "left" if angle_rad > 0 else "right"
    if size <= ahead:
        return "ahead"
    if size >= around:
        return "around"
    return f"slightly {side}" if size < slight else side if size <= sharp else f"sharply {side}"


def _is_seen(context: InstructionContext, memory: Memory, way: Way) -> bool:
    """Whether the memory has seen the floor of the next stretch."""
    if context.depth_m is None:
        return True
    intrinsics, poses = annotation_arrays(context.annotations)
    end = memory.current_frame + 1
    seen = points_seen(way.first(min(NEXT_STRETCH_M, way.length_m)), context.depth_m[:end], intrinsics, poses[:end])
    return bool(seen.mean(axis=1).max() >= LEAST_SEEN_SHARE)


def _straightened(points_m: Float64[np.ndarray, "points 3"]) -> Float64[np.ndarray, "corners 3"]:
    """Return the points without those that lie on the line between others (Douglas and Peucker)."""
    keep = np.zeros(len(points_m), dtype=bool)
    keep[[0, -1]] = True
    spans = [(0, len(points_m) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        line = points_m[last] - points_m[first]
        offset = points_m[first + 1 : last] - points_m[first]
        share = np.clip(offset @ line / max(float(line @ line), 1e-12), 0.0, 1.0)
        away_m = np.linalg.norm(offset - share[:, None] * line, axis=1)
        farthest = int(np.argmax(away_m))
        if away_m[farthest] > ROUNDED_M:
            middle = first + 1 + farthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return points_m[keep]


def _point(point_m: Float64[np.ndarray, "3"]) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 4) for value in point_m)
    return x, y, z
