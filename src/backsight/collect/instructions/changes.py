"""Questions about things that moved: while the walk looked at them, or while it looked elsewhere."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from backsight.collect.instructions.bearings import distance_words, from_here, from_here_steps
from backsight.collect.instructions.draft import Draft, InstructionContext
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.naming import Name, names_of
from backsight.collect.instructions.phrases.changes import NOTHING_MOVED
from backsight.collect.instructions.phrases.grammar import capitalised, plural
from backsight.collect.instructions.phrases.steps import colour_of
from backsight.geometry.upright_boxes import footprint_gaps_m
from backsight.quality.situation import VISIBLE_SHARE
from backsight.records.instruction import Step
from backsight.records.scene_relations import scene_relation_holds
from backsight.records.sequence import SequenceAnnotations, objects_at
from backsight.records.vocabulary import UNNAMED_CATEGORY

STIRRED = 1e-6
"""Metres or radians: between two frames a thing has moved from here on."""
LEAST_MOVE_M = 0.3
"""Seen from above, between where a thing was and where it came to rest; what moved less did not go anywhere."""
LEAST_TURN_RAD = math.radians(30.0)
"""What neither moved nor turned so far is not asked about."""
DIRECTION_RAD = math.radians(35.0)
"""From each of the four directions as far as its word goes."""
CLEARLY_APART_M = 1.0
"""What is farther from another thing is no longer next to it."""
NEGATIVE_SHARE = 0.025
"""Of the current frames of walks without motion, how many are asked whether anything moved: in the whole plan as many
as are asked so where something has, or 'no' would be a good guess."""
MOVES: tuple[str, ...] = ("away from me", "to the left", "towards me", "to the right")
"""As seen by the camera of the frame in which the thing starts to move, a quarter turn apart."""


@dataclass(frozen=True)
class _Move:
    """What a thing has done up to a current frame."""

    instance_id: int
    first: int
    """Last frame before it moved."""
    last: int
    """First frame in which it has its new place."""
    step_m: Float64[np.ndarray, "3"]
    turn_rad: float
    """Seen from above, counter-clockwise."""
    watched: bool
    """Shown at both ends and for most of the time between."""
    unwatched: bool
    """Seen before and after and never while it moved."""

    @property
    def length_m(self) -> float:
        return float(np.hypot(self.step_m[0], self.step_m[2]))

    @property
    def is_clear(self) -> bool:
        return self.length_m >= LEAST_MOVE_M or abs(self.turn_rad) >= LEAST_TURN_RAD


def change_drafts(context: InstructionContext, memory: Memory, rng: np.random.Generator) -> list[Draft]:
    """Return questions about what moved up to the current frame.

    Args:
        context: The walk.
        memory: What was seen up to the current frame.
        rng: Source of every choice.
    """
    moves = _moves(context.annotations, memory)
    names = {name.instance_id: name for name in names_of(memory, rng)}
    if not moves:
        asked = rng.random() < NEGATIVE_SHARE and context.annotations.frame_rate_hz > 0.0
        return [_negative()] if asked else []
    drafts: list[Draft] = []
    for move in moves:
        index = memory.situation.column.get(move.instance_id)
        if index is None or not move.is_clear or memory.categories[index] == UNNAMED_CATEGORY:
            continue
        if move.watched:
            drafts += _motion_drafts(context.annotations, memory, move, moves, names)
        elif move.unwatched:
            drafts += _scene_change_drafts(context.annotations, memory, move, moves, names)
    return drafts


def _moves(annotations: SequenceAnnotations, memory: Memory) -> list[_Move]:
    """Return everything that moved up to the current frame, also what nobody saw."""
    found: list[_Move] = []
    end = memory.current_frame + 1
    for motion in annotations.motions:
        centres = np.array(motion.centres_m[:end])
        stirred = np.linalg.norm(np.diff(centres, axis=0), axis=1) > STIRRED
        turned = np.abs(np.diff(np.array(motion.yaws_rad[:end]))) > STIRRED
        changes = np.flatnonzero(stirred | turned)
        if len(changes) == 0:
            continue
        first, last = int(changes[0]), int(changes[-1]) + 1
        step_m, turn_rad = centres[last] - centres[first], motion.yaws_rad[last] - motion.yaws_rad[first]
        seen = _seen(memory, motion.instance_id, changes)
        found.append(_Move(motion.instance_id, first, last, step_m, turn_rad, *seen))
    return found


def _seen(memory: Memory, instance_id: int, changes: Int64[np.ndarray, " changes"]) -> tuple[bool, bool]:
    """Return whether the walk looked at a thing while it moved, and whether it looked before and after alone.

    Args:
        memory: What was seen up to the current frame.
        instance_id: Of the thing.
        changes: Frames after which it has another place.
    """
    index = memory.situation.column.get(instance_id)
    if index is None:
        return False, False
    first, last = int(changes[0]), int(changes[-1]) + 1
    shares = memory.situation.shares[:, index]
    shown, clear = shares > 0.0, shares >= VISIBLE_SHARE
    watched = bool(clear[first] and clear[last]) and float(shown[first : last + 1].mean()) > 0.5
    caught = (shown[changes] & shown[changes + 1]).any() or shown[first + 1 : last].any()
    return watched, bool(clear[: first + 1].any() and clear[last:].any() and not caught)


def _draft(reasoning_type: str, template: str, slots: dict[str, str], answer: str, steps: tuple[Step, ...]) -> Draft:
    return Draft(
        reasoning_type=reasoning_type,
        template=template,
        slots=slots,
        complexity="medium",
        frame_of_reference="world",
        answer=answer,
        steps=steps,
    )


def _negative() -> Draft:
    return _draft(
        "object_motion", "anything_moved", {}, NOTHING_MOVED, (Step("Everything stayed in its place.", "none_moved"),)
    )


def _about(draft: Draft, memory: Memory, name: Name) -> Draft:
    """Return the question with the thing that it names and asks for."""
    return dataclasses.replace(
        draft,
        category=name.category,
        colour=name.colour,
        target_instance_ids=(name.instance_id,),
        distractor_ids=memory.distractors_of(name.index),
    )


def _words(memory: Memory, move: _Move, names: dict[int, Name]) -> str:
    """Return what a thing is called in an answer: its category alone where no more tells it from others."""
    name = names.get(move.instance_id)
    index = memory.situation.column[move.instance_id]
    return name.words if name is not None else f"the {memory.categories[index]}"


def _motion_drafts(
    annotations: SequenceAnnotations, memory: Memory, move: _Move, moves: list[_Move], names: dict[int, Name]
) -> list[Draft]:
    words, drafts = _words(memory, move, names), []
    index = memory.situation.column[move.instance_id]
    thing = memory.things[index]
    moved = _moved_step(words, move, "moved_in_view")
    if len(moves) == 1:
        for template, answer in (("what_moved", words), ("anything_moved", f"yes, {words}")):
            draft = _draft("object_motion", template, {}, answer, (moved,))
            weight = 2.0 if template == "what_moved" else 0.5
            drafts.append(dataclasses.replace(draft, target_instance_ids=(move.instance_id,), weight=weight))
    category = thing.category
    movers = [m for m in moves if _category(annotations, m.instance_id) == category]
    if (
        len(movers) == 1
        and thing.colour is not None
        and memory.count(category) > memory.count(category, thing.colour) == 1
    ):
        slots = {"category": category, "plural": plural(category)}
        steps = (moved, colour_of(category, move.instance_id, thing.colour))
        draft = _draft("object_motion", "which_one_moved", slots, f"the {thing.colour} one", steps)
        about = _about(draft, memory, Name(index, move.instance_id, category, None))
        drafts.append(dataclasses.replace(about, weight=2.0))
    if move.length_m < LEAST_MOVE_M and move.instance_id in names:
        sense = "counter-clockwise" if move.turn_rad > 0.0 else "clockwise"
        step = Step(f"Seen from above, {words} turned {sense}.", "turned", subject_id=move.instance_id, word=sense)
        draft = _draft("object_motion", "which_way_turned", {"the": words}, sense, (moved, step))
        drafts.append(_about(draft, memory, names[move.instance_id]))
    direction = _direction(annotations, move)
    if direction is not None and move.instance_id in names:
        slots = {"the": words}
        text = f"Seen from frame {move.first}, {words} moved {direction}."
        step = Step(text, "moved_towards", subject_id=move.instance_id, word=direction, frame=move.first)
        draft = _draft("object_motion", "which_way_moved", slots, direction, (moved, step))
        about = _about(draft, memory, names[move.instance_id])
        drafts.append(dataclasses.replace(about, frame_of_reference="viewer", complexity="complex", weight=2.0))
    return drafts


def _scene_change_drafts(
    annotations: SequenceAnnotations, memory: Memory, move: _Move, moves: list[_Move], names: dict[int, Name]
) -> list[Draft]:
    words, drafts = _words(memory, move, names), []
    moved = _moved_step(words, move, "moved_unseen")
    if len(moves) == 1:
        draft = _draft("scene_change", "what_changed", {}, words, (moved,))
        drafts.append(dataclasses.replace(draft, target_instance_ids=(move.instance_id,), weight=2.0))
    name = names.get(move.instance_id)
    if name is None:
        return drafts
    slots = {"the": words}
    far = distance_words(move.length_m)
    if far is not None:
        step = Step(
            f"{capitalised(words)} was moved by {far}.",
            "moved_by",
            subject_id=move.instance_id,
            number=float(far.split()[1]),
        )
        drafts.append(_about(_draft("scene_change", "how_far_moved", slots, far, (moved, step)), memory, name))
    answer = from_here(memory.situation.world_from_viewer, memory.things[name.index].box)
    if answer is None:
        return drafts
    steps = (moved, *from_here_steps(words, move.instance_id, answer))
    anchor = _old_neighbour(annotations, memory, move)
    if anchor is None:
        draft = _draft("scene_change", "where_now", slots, answer, steps)
    else:
        anchor_words, anchor_id = anchor
        text = f"{capitalised(words)} was next to {anchor_words} in frame {move.first}."
        was = Step(text, "was_next_to", subject_id=move.instance_id, other_ids=(anchor_id,), frame=move.first)
        draft = _draft("scene_change", "where_now_used", {**slots, "anchor": anchor_words}, answer, (was, *steps))
        draft = dataclasses.replace(draft, complexity="complex")
    about = _about(draft, memory, name)
    drafts.append(dataclasses.replace(about, frame_of_reference="viewer", weight=2.0))
    return drafts


def _moved_step(words: str, move: _Move, claim: str) -> Step:
    how = "in view" if claim == "moved_in_view" else "while it was out of view"
    text = f"{capitalised(words)} moved {how} between frames {move.first} and {move.last}."
    return Step(text, claim, subject_id=move.instance_id, frame=move.first, number=float(move.last))


def _category(annotations: SequenceAnnotations, instance_id: int) -> str:
    return next(thing.category for thing in annotations.objects if thing.instance_id == instance_id)


def _direction(annotations: SequenceAnnotations, move: _Move) -> str | None:
    """Return where a thing moved as seen by the camera that saw it start, None between two directions."""
    if move.length_m < LEAST_MOVE_M:
        return None
    camera_m = np.array(annotations.world_from_camera[move.first], dtype=np.float64).reshape(4, 4)[:3, 3]
    motion = next(motion for motion in annotations.motions if motion.instance_id == move.instance_id)
    sight = np.array(motion.centres_m[move.first]) - camera_m
    away = sight[0] * move.step_m[0] + sight[2] * move.step_m[2]
    left = sight[2] * move.step_m[0] - sight[0] * move.step_m[2]
    quarters = float(np.arctan2(left, away)) / (np.pi / 2)
    nearest = round(quarters)
    if abs(quarters - nearest) * np.pi / 2 > DIRECTION_RAD:
        return None
    return MOVES[nearest % len(MOVES)]


def _old_neighbour(annotations: SequenceAnnotations, memory: Memory, move: _Move) -> tuple[str, int] | None:
    """Return a thing in words, and its id, that the moved one was next to and is far from now."""
    then = {thing.instance_id: thing for thing in objects_at(annotations, move.first)}
    subject_then, subject_now = then[move.instance_id], memory.things[memory.situation.column[move.instance_id]]
    movers = {motion.instance_id for motion in annotations.motions}
    for index, thing in enumerate(memory.things):
        words = memory.words_for(index, True)
        if words is None or thing.instance_id in movers:
            continue
        if footprint_gaps_m([subject_now.box, thing.box])[0, 1] <= CLEARLY_APART_M:
            continue
        if thing.room_id == subject_then.room_id and scene_relation_holds("next to", subject_then, thing):
            return f"the {words}", thing.instance_id
    return None
