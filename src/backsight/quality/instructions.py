"""Whether instructions say what they claim, and point at exactly one answer."""

from collections.abc import Iterator

from backsight.geometry.group_relations import GROUP_RELATIONS
from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.quality.claims import CLAIMS, claim_holds
from backsight.quality.references_of_change import MOTION_REASONING, question_problems
from backsight.quality.situation import Situation
from backsight.quality.things_asked import thing_problems
from backsight.records.instruction import Instruction
from backsight.records.sequence import SequenceAnnotations
from backsight.records.vocabulary import (
    COLOURS,
    COMPLEXITIES,
    FURNITURE_CATEGORIES,
    REASONING_TYPES,
    RELATIONS,
    ROOM_TYPES,
)

FRAMES_OF_REFERENCE = ("viewer", "world")


def instruction_problems(annotations: SequenceAnnotations) -> Iterator[tuple[str, str, int | None]]:
    """Yield field, problem and frame of everything that is wrong with a walk's instructions.

    Args:
        annotations: With a sound table of objects.
    """
    names = [instruction.instruction_id for instruction in annotations.instructions]
    if len(set(names)) != len(names):
        yield "instructions", "an instruction_id occurs twice", None
    situations: dict[int, Situation] = {}
    for index, instruction in enumerate(annotations.instructions):
        frame = instruction.current_frame
        if not 0 <= frame < len(annotations.world_from_camera):
            yield f"instructions[{index}].current_frame", "is no frame of the walk", frame
            continue
        if frame not in situations:
            situations[frame] = Situation.of(annotations, frame)
        for field, problem in problems_of(instruction, situations[frame]):
            yield f"instructions[{index}].{field}", problem, frame


def problems_of(instruction: Instruction, situation: Situation) -> list[tuple[str, str]]:
    """Return field and problem of everything that is wrong with one instruction.

    Args:
        instruction: Bound to a frame.
        situation: At that frame.
    """
    problems = list(_wording_problems(instruction))
    return problems or [*_meaning_problems(instruction, situation), *_step_problems(instruction, situation)]


def _wording_problems(instruction: Instruction) -> Iterator[tuple[str, str]]:
    for field, value, names in (
        ("reasoning_type", instruction.reasoning_type, REASONING_TYPES),
        ("complexity", instruction.complexity, COMPLEXITIES),
        ("frame_of_reference", instruction.frame_of_reference, FRAMES_OF_REFERENCE),
        ("category", instruction.category, (None, *FURNITURE_CATEGORIES)),
        ("colour", instruction.colour, (None, *COLOURS)),
        ("relation", instruction.relation, (None, *RELATIONS, *GROUP_RELATIONS)),
        ("room_type", instruction.room_type, (None, *ROOM_TYPES)),
    ):
        if value not in names:
            yield field, f"{value!r} is not in the vocabulary"
    for field in ("instruction_id", "text", "answer"):
        if not getattr(instruction, field).strip():
            yield field, "is empty"
    for field in ("category", "colour", "room_type"):
        word = getattr(instruction, field)
        if word is not None and word not in instruction.text.lower():
            yield "text", f"does not name its {field} {word!r}"
    if (instruction.relation is None) != (not instruction.anchor_ids):
        yield "anchor_ids", "a relation needs anchors, and anchors need a relation"
    if instruction.relation in VIEWER_RELATIONS and instruction.frame_of_reference != "viewer":
        yield "frame_of_reference", f"{instruction.relation!r} is said by a viewer"


def _meaning_problems(instruction: Instruction, situation: Situation) -> Iterator[tuple[str, str]]:
    """Dispatch to the rules of each reasoning type."""
    if instruction.reasoning_type in MOTION_REASONING:
        yield from question_problems(instruction, situation)
    else:
        yield from thing_problems(instruction, situation)


def _step_problems(instruction: Instruction, situation: Situation) -> Iterator[tuple[str, str]]:
    for index, step in enumerate(instruction.steps):
        if not step.text.strip():
            yield f"steps[{index}].text", "is empty"
        if step.claim not in CLAIMS:
            yield f"steps[{index}].claim", f"{step.claim!r} is not in the vocabulary"
        elif not claim_holds(step, situation, instruction):
            yield f"steps[{index}]", f"{step.text!r} is not true"
