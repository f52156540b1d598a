"""Whether the reasoning steps of an instruction are true: one rule for each claim."""

import numpy as np

from backsight.quality.claims_of_motion import MOTION_CLAIMS, motion_claim_holds
from backsight.quality.references import in_order, matching_in, relation_to_all
from backsight.quality.situation import Situation
from backsight.records.instruction import Instruction, Step
from backsight.records.scene import SceneObject

SPATIAL_CLAIMS: tuple[str, ...] = (
    "in_room",
    "colour_of",
    "seen_in_frames",
    "last_seen",
    "visible_now",
    "count_of_category_seen",
    "relation",
    "only_one_related",
    "order",
    "none_fits",
)
CLAIMS: tuple[str, ...] = (*SPATIAL_CLAIMS, *MOTION_CLAIMS)
"""What a step can claim."""


def claim_holds(step: Step, situation: Situation, instruction: Instruction) -> bool:
    """Return whether what a step claims is true at the current frame of its instruction.

    Args:
        step: Of the instruction.
        situation: At the instruction's current frame.
        instruction: That the step belongs to.
    """
    match step.claim:
        case "in_room":
            return in_room(step, situation)
        case "colour_of":
            return colour_of(step, situation)
        case "seen_in_frames":
            return seen_in_frames(step, situation)
        case "last_seen":
            return last_seen(step, situation)
        case "visible_now":
            return visible_now(step, situation)
        case "count_of_category_seen":
            return count_of_category_seen(step, situation)
        case "relation":
            return relation(step, situation)
        case "only_one_related":
            return only_one_related(step, situation)
        case "order":
            return order(step, situation)
        case "none_fits":
            return not matching_in(instruction, situation)
        case _:
            return step.claim in MOTION_CLAIMS and motion_claim_holds(step, situation, instruction)


def in_room(step: Step, situation: Situation) -> bool:
    """Whether the room of `subject_id` is of type `word`."""
    subject = situation.thing(step.subject_id)
    return subject is not None and situation.room_type_of(subject) == step.word


def colour_of(step: Step, situation: Situation) -> bool:
    """Whether `subject_id` has the colour `word`."""
    subject = situation.thing(step.subject_id)
    return subject is not None and step.word is not None and subject.colour == step.word


def seen_in_frames(step: Step, situation: Situation) -> bool:
    """Whether `number` frames up to the current one show `subject_id` well."""
    index = situation.column.get(step.subject_id or 0)
    return index is not None and int(situation.shown_well[:, index].sum()) == step.number


def last_seen(step: Step, situation: Situation) -> bool:
    """Whether `frame` is the last one up to the current one that shows `subject_id` well."""
    return step.frame is not None and situation.last_shown_well(step.subject_id or 0) == step.frame


def visible_now(step: Step, situation: Situation) -> bool:
    """Whether the current frame shows `subject_id` so that it can be made out; `word` 'not' claims the contrary."""
    index = situation.column.get(step.subject_id or 0)
    return index is not None and bool(situation.is_visible[index]) == (step.word != "not")


def count_of_category_seen(step: Step, situation: Situation) -> bool:
    """Whether `number` things of category `word` were seen up to the current frame, by a pixel or more."""
    return sum(thing.category == step.word for thing in situation.things) == step.number


def relation(step: Step, situation: Situation) -> bool:
    """Whether `subject_id` is `word` to `other_ids`: to each, between both, or among them all."""
    subject, others = situation.thing(step.subject_id), _things(step.other_ids, situation)
    if subject is None or not others or step.word is None:
        return False
    return bool(relation_to_all(step.word, [subject], others, situation)[0])


def only_one_related(step: Step, situation: Situation) -> bool:
    """Whether `subject_id` is `word` to `other_ids` and no other thing seen of its category and colour is.

    The colour counts where `number` is 1: then the sentence names it.
    """
    subject, others = situation.thing(step.subject_id), _things(step.other_ids, situation)
    if subject is None or not others or step.word is None:
        return False
    alike = [
        thing
        for thing in situation.things
        if thing.category == subject.category and (step.number != 1 or thing.colour == subject.colour)
    ]
    holds = relation_to_all(step.word, alike, others, situation)
    return [alike[index].instance_id for index in np.flatnonzero(holds)] == [step.subject_id]


def order(step: Step, situation: Situation) -> bool:
    """Whether `subject_id` is number `number` of its category in the current frame, counted from the side `word`."""
    subject = situation.thing(step.subject_id)
    if subject is None or step.word not in ("left", "right") or step.number is None:
        return False
    row = in_order(subject.category, step.word, situation)
    place = int(step.number)
    return place == step.number and 1 <= place <= len(row) and row[place - 1] == step.subject_id


def _things(ids: tuple[int, ...], situation: Situation) -> list[SceneObject]:
    """Return the things with these ids; none where one of them was not seen."""
    found = [thing for number in ids if (thing := situation.thing(number)) is not None]
    return found if len(found) == len(ids) else []
