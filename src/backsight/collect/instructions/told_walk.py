"""The walk itself in words, in the manner of room-to-room instructions: 'go past the table, turn left, stop there'."""

from collections.abc import Sequence

import numpy as np

from backsight.collect.instructions.config import InstructConfig
from backsight.collect.instructions.draft import InstructionContext
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.naming import Name, names_of
from backsight.collect.instructions.phrases import routes as phrases
from backsight.collect.instructions.phrases.grammar import capitalised
from backsight.collect.instructions.rooms import rooms_of
from backsight.collect.instructions.ways import DOORWAY_M, Way, door_at, gap_m, is_landmark, merged
from backsight.quality.answers import within_room
from backsight.records.instruction import RouteInstruction, Step
from backsight.records.scene import Room, SceneObject
from backsight.records.sequence import annotation_arrays
from backsight.records.vocabulary import UNNAMED_ROOM_TYPE

LEAST_WALK_M, LEAST_GAIN_M = 3.0, 2.0
"""A walk that is told goes so far, and ends so far from where it began."""
LEAST_FORWARD = 0.5
"""Mean cosine between walking and viewing direction: nobody is told to walk backwards."""
BESIDE_M = 1.2
"""From where a walk stops to the footprint of what it stops beside."""
MOST_CLAUSES = 6
LEAST_START_M = 1.5
"""A first clause farther on than this has the way up to it told."""
ON_STAIRS_M = 0.3
"""What lies so far above and below all floors is a step of stairs."""
LANDMARK_CLAIMS = ("passes", "stops_beside")


def route_instructions(context: InstructionContext, rng: np.random.Generator) -> tuple[RouteInstruction, ...]:
    """Return the walk in words; nothing for walks that go nowhere, or backwards.

    Args:
        context: The walk.
        rng: Source of every choice.
    """
    annotations = context.annotations
    _, poses = annotation_arrays(annotations)
    steps_m = np.diff(poses[:, [0, 2], 3], axis=0)
    length_m = float(np.linalg.norm(steps_m, axis=1).sum())
    gain_m = float(np.linalg.norm(poses[-1, [0, 2], 3] - poses[0, [0, 2], 3]))
    ahead = poses[:-1][:, [0, 2], 2]
    ahead = ahead / np.maximum(np.linalg.norm(ahead, axis=1), 1e-9)[:, None]
    if length_m < LEAST_WALK_M or gain_m < LEAST_GAIN_M or float((ahead * steps_m).sum()) < LEAST_FORWARD * length_m:
        return ()
    height_m = float(poses[0, 1, 3] - context.navigation.snap(poses[0, :3, 3])[1])
    way = Way.of(poses[:, :3, 3] - np.array([0.0, height_m, 0.0]))
    memory = Memory.of(annotations, len(poses) - 1, InstructConfig())
    names = [name for name in names_of(memory, rng) if _stands(context, name)]
    doors = [thing for thing in annotations.objects if thing.category == "door"]
    entries = way.entries(annotations.rooms, doors)
    beside = _beside(way, annotations.rooms, memory, names)
    others = [name for name in names if name != beside]
    clauses = merged(way.turns(), entries, way.passed(others, memory.things), MOST_CLAUSES)
    parts = [(clause.text, clause.step) for clause in clauses]
    if not clauses or (clauses[0].at_m > LEAST_START_M and clauses[0].step.claim != "turns"):
        start_m = clauses[0].at_m if clauses else way.length_m
        words = phrases.metres_words(start_m)
        step = Step(f"The walk goes on for {words}.", "goes_on", number=round(start_m, 3))
        parts.insert(0, (f"walk on for {words}", step))
    last = clauses[-1].step if clauses else None
    entered = last.other_ids[1] if last is not None and last.claim == "enters_room" else None
    climbs = any(clause.step.claim == "takes_stairs" for clause in clauses)
    doorway = door_at(way.points_m[-1], doors, DOORWAY_M)
    parts.append(_end(way, annotations.rooms, (beside, doorway), entered, climbs))
    steps = tuple(step for _, step in parts)
    landmarks = tuple(
        step.subject_id for step in steps if step.claim in LANDMARK_CLAIMS and step.subject_id is not None
    )
    text = f"{capitalised(phrases.joined([words for words, _ in parts]))}."
    return (RouteInstruction(text, 0, len(poses) - 1, landmarks, steps),)


def _stands(context: InstructionContext, name: Name) -> bool:
    """Whether a thing never moves during the walk."""
    return all(motion.instance_id != name.instance_id for motion in context.annotations.motions)


def _beside(way: Way, rooms: Sequence[Room], memory: Memory, names: Sequence[Name]) -> Name | None:
    """Return the nearest landmark of the room in which a walk ends, where there is one within reach."""
    end_m = way.points_m[-1]
    room_id = int(rooms_of(end_m[None], rooms)[0])
    found: list[tuple[float, int, Name]] = []
    for name in names:
        thing = memory.things[name.index]
        apart_m = gap_m(end_m[[0, 2]], thing)
        if thing.room_id == room_id and is_landmark(thing, float(end_m[1])) and apart_m <= BESIDE_M:
            found.append((apart_m, name.instance_id, name))
    return min(found, key=lambda entry: entry[:2])[2] if found else None


def _end(
    way: Way, rooms: Sequence[Room], at: tuple[Name | None, SceneObject | None], entered: int | None, climbs: bool
) -> tuple[str, Step]:
    """Return how the walk ends: beside a landmark or in a doorway (`at`), on stairs, in a room, or after its length.

    A room that the last clause leads into is not named again; who was sent up the stairs stops while still on them.
    """
    beside, door = at
    if beside is not None:
        step = Step(f"The walk ends beside {beside.words}.", "stops_beside", subject_id=beside.instance_id)
        return f"stop beside {beside.words}", step
    if door is not None:
        step = Step("The walk ends in the doorway.", "stops_in_doorway", subject_id=door.instance_id)
        return "stop in the doorway", step
    room_id = int(rooms_of(way.points_m[-1:], rooms)[0])
    room_type = next((room.room_type for room in rooms if room.room_id == room_id), UNNAMED_ROOM_TYPE)
    if min((abs(float(way.points_m[-1, 1]) - room.floor_m) for room in rooms), default=0.0) > ON_STAIRS_M:
        words = "stop while still on the stairs" if climbs else "stop on the stairs"
        return words, Step("The walk ends on the stairs.", "stops_on_stairs")
    if room_type != UNNAMED_ROOM_TYPE:
        place = within_room(room_type)
        step = Step(f"The walk ends {place}.", "stops_in_room", other_ids=(room_id,), word=room_type)
        return "stop there" if entered == room_id else f"stop {place}", step
    words = phrases.metres_words(way.length_m)
    step = Step(f"The walk is {words} long.", "stops_after", number=round(way.length_m, 3))
    return f"stop after {words} in all", step
