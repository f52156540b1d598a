"""Rules of instructions that name a thing by what it is, how it looks, where it is and how it lies to others."""

import re
from collections.abc import Iterator

import msgspec

from backsight.geometry.group_relations import GROUP_RELATIONS
from backsight.quality.answers import ABSENT_ANSWER, CHOICE_ANSWERS, CHOICES, choice_answer, whereabouts_answer
from backsight.quality.reasoning import REASONING_OF_RELATION
from backsight.quality.references import matching_in
from backsight.quality.situation import Situation
from backsight.records.instruction import Instruction
from backsight.records.scene import SceneObject
from backsight.records.vocabulary import RELATION_WORDING, STRUCTURE_CATEGORIES

Problem = tuple[str, str]
"""Field, what is wrong."""


def thing_problems(instruction: Instruction, situation: Situation) -> Iterator[Problem]:
    """Yield field and problem of everything that is wrong with an instruction that names a thing.

    Args:
        instruction: With words of the vocabulary.
        situation: At its current frame.
    """
    if instruction.category is None or instruction.category in STRUCTURE_CATEGORIES:
        yield "category", "names no thing"
        return
    unseen = sorted(number for number in instruction.anchor_ids if number not in situation.column)
    if unseen:
        yield "anchor_ids", f"{unseen} were not seen up to the current frame"
        return
    yield from _target_problems(instruction, situation)
    yield from _type_problems(instruction)
    yield from _answer_problems(instruction, situation)
    if instruction.relation is not None:
        yield from _relation_wording_problems(instruction)
        yield from _anchor_problems(instruction, situation)


def is_choice(instruction: Instruction) -> bool:
    """Return whether an instruction asks which of two relations holds.

    Args:
        instruction: That names a thing.
    """
    return instruction.relation is not None and instruction.answer in CHOICE_ANSWERS


def _target_problems(instruction: Instruction, situation: Situation) -> Iterator[Problem]:
    """Exactly the target fits, and the distractors are the others of its category."""
    targets = set(instruction.target_instance_ids)
    fitting = set(matching_in(instruction, situation))
    if fitting != targets:
        yield "target_instance_ids", f"{instruction.text!r} fits {sorted(fitting)}, stated {sorted(targets)}"
    elif len(targets) > 1:
        yield "target_instance_ids", f"{instruction.text!r} is ambiguous: it fits {sorted(targets)}"
    elif is_choice(instruction):
        # The relation is asked for, so the other words alone must tell which thing is meant.
        plain = msgspec.structs.replace(instruction, relation=None, anchor_ids=())
        meant = matching_in(plain, situation)
        if set(meant) != targets:
            yield "target_instance_ids", f"{instruction.text!r} asks about one of {sorted(meant)}"
    same = {thing.instance_id for thing in situation.things if thing.category == instruction.category}
    if same - targets != set(instruction.distractor_ids):
        problem = f"are {sorted(same - targets)}, stated {sorted(instruction.distractor_ids)}"
        yield "distractor_ids", problem


def _type_problems(instruction: Instruction) -> Iterator[Problem]:
    """The reasoning type is what the instruction names."""
    if (instruction.reasoning_type == "absent") != (not instruction.target_instance_ids):
        yield "reasoning_type", "is 'absent' exactly when nothing fits"
        return
    orders = any(step.claim == "order" for step in instruction.steps)
    if instruction.reasoning_type == "absent":
        return
    if instruction.relation is not None:
        expected = REASONING_OF_RELATION[instruction.relation]
    elif orders:
        expected = "left_right"
    elif instruction.room_type is not None:
        expected = "room"
    else:
        expected = "category" if instruction.colour is None else "attribute"
    if instruction.reasoning_type != expected:
        yield "reasoning_type", f"is {instruction.reasoning_type!r}, what it names makes it {expected!r}"


def _answer_problems(instruction: Instruction, situation: Situation) -> Iterator[Problem]:
    """The answer says what was seen."""
    if not instruction.target_instance_ids:
        expected: str | None = ABSENT_ANSWER
    elif is_choice(instruction):
        expected = choice_answer(instruction.relation or "")
    else:
        expected = whereabouts_answer(situation, instruction.target_instance_ids[0])
    if instruction.answer != expected:
        yield "answer", f"is {instruction.answer!r}, should be {expected!r}"


def _relation_wording_problems(instruction: Instruction) -> Iterator[Problem]:
    """The text says the relation, or both of those that it lets one choose from."""
    relation, text = instruction.relation or "", f" {instruction.text.lower()} "
    if is_choice(instruction):
        options = next((pair for pair in CHOICES if relation in pair), ())
        missing = [name for name in options if not _says(text, name) and f" {choice_answer(name)} or " not in text]
        if missing or not options:
            yield "text", f"does not let one choose {relation!r}"
    elif not any(_says(text, wording) for wording in RELATION_WORDING[relation]):
        yield "text", f"does not say {relation!r}"


def _says(text: str, words: str) -> bool:
    return re.search(rf"\b{re.escape(words)}\b", text) is not None


def _anchor_problems(instruction: Instruction, situation: Situation) -> Iterator[Problem]:
    """Every anchor is named by words that fit no other thing seen."""
    anchors = [thing for number in instruction.anchor_ids if (thing := situation.thing(number)) is not None]
    told_apart = {step.subject_id for step in instruction.steps if step.claim == "only_one_related"}
    text = instruction.text.lower()
    for anchor in anchors:
        if anchor.category == instruction.category:
            yield "anchor_ids", f"{anchor.instance_id} is of the target's own category"
        elif instruction.relation in ("inside", "outside") and _is_any_of_kind(anchors, text, situation):
            continue
        elif instruction.relation == "among" or _is_pair(anchors, situation):
            if instruction.relation not in GROUP_RELATIONS or anchor.category[:-1] not in text:
                yield "text", f"does not name its anchor, the {anchor.category}"
        elif anchor.category not in text:
            yield "text", f"does not name its anchor, the {anchor.category}"
        elif anchor.instance_id not in told_apart and not _is_told_by_words(anchor, text, situation):
            yield "anchor_ids", f"{instruction.text!r} leaves open which {anchor.category} is meant"


def _is_pair(anchors: list[SceneObject], situation: Situation) -> bool:
    """Whether the anchors are the only two things of one category."""
    kinds = {anchor.category for anchor in anchors}
    return len(anchors) == 2 and len(kinds) == 1 and sum(thing.category in kinds for thing in situation.things) == 2


def _is_any_of_kind(anchors: list[SceneObject], text: str, situation: Situation) -> bool:
    """Whether the text says 'inside a bookshelf' or asks about 'the bookshelves', and the anchors are all of them."""
    category = anchors[0].category
    same = {thing.instance_id for thing in situation.things if thing.category == category}
    several = rf"(inside or outside|outside or inside) the {re.escape(category[:-1])}[a-z]*s\b"
    one_of_them = rf"inside (of )?an? {re.escape(category)}\b"
    said = re.search(rf"\b({several}|{one_of_them})", text) is not None
    return said and same == {anchor.instance_id for anchor in anchors}


def _is_told_by_words(anchor: SceneObject, text: str, situation: Situation) -> bool:
    """Whether category, or category and colour where the text names it, fit this anchor alone."""
    alike = [thing for thing in situation.things if thing.category == anchor.category]
    if anchor.colour is not None and f"{anchor.colour} {anchor.category}" in text:
        alike = [thing for thing in alike if thing.colour == anchor.colour]
    return len(alike) == 1
