"""Whether instructions say what they claim, and point at exactly one answer."""

from collections.abc import Iterator

from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.quality.references import matching_objects, objects_seen
from backsight.records.instruction import Instruction
from backsight.records.sequence import SequenceAnnotations
from backsight.records.vocabulary import COLOURS, FURNITURE_CATEGORIES, REASONING_TYPES, RELATIONS, ROOM_TYPES

COMPLEXITIES = ("simple", "medium", "complex")
FRAMES_OF_REFERENCE = ("viewer", "world")


def instruction_problems(annotations: SequenceAnnotations) -> Iterator[tuple[str, str, int | None]]:
    """Yield field, problem and frame of everything that is wrong with a walk's instructions.

    Args:
        annotations: With a sound table of objects.
    """
    names = [instruction.instruction_id for instruction in annotations.instructions]
    if len(set(names)) != len(names):
        yield "instructions", "an instruction_id occurs twice", None
    for index, instruction in enumerate(annotations.instructions):
        frame = instruction.current_frame
        wording = list(_wording_problems(instruction, len(annotations.world_from_camera)))
        problems = wording or list(_meaning_problems(instruction, annotations))
        for field, problem in problems:
            yield f"instructions[{index}].{field}", problem, frame


def _wording_problems(instruction: Instruction, frames: int) -> Iterator[tuple[str, str]]:
    if not 0 <= instruction.current_frame < frames:
        yield "current_frame", "is no frame of the walk"
    for field, value, names in (
        ("reasoning_type", instruction.reasoning_type, REASONING_TYPES),
        ("complexity", instruction.complexity, COMPLEXITIES),
        ("frame_of_reference", instruction.frame_of_reference, FRAMES_OF_REFERENCE),
        ("category", instruction.category, FURNITURE_CATEGORIES),
        ("colour", instruction.colour, (None, *COLOURS)),
        ("relation", instruction.relation, (None, *RELATIONS)),
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


def _meaning_problems(instruction: Instruction, annotations: SequenceAnnotations) -> Iterator[tuple[str, str]]:
    seen = objects_seen(annotations, instruction.current_frame)
    seen_ids = {item.instance_id for item in seen}
    if not set(instruction.anchor_ids) <= seen_ids:
        yield "anchor_ids", f"{sorted(set(instruction.anchor_ids) - seen_ids)} were not seen up to the current frame"
    targets = set(instruction.target_instance_ids)
    fitting = set(matching_objects(instruction, annotations))
    if fitting != targets:
        yield "target_instance_ids", f"{instruction.text!r} fits {sorted(fitting)}, stated {sorted(targets)}"
    elif len(targets) > 1:
        yield "target_instance_ids", f"{instruction.text!r} is ambiguous: it fits {sorted(targets)}"
    if (instruction.reasoning_type == "absent") != (not targets):
        yield "reasoning_type", "is 'absent' exactly when nothing fits"
    others = {item.instance_id for item in seen if item.category == instruction.category} - targets
    if others != set(instruction.distractor_ids):
        yield "distractor_ids", f"are {sorted(others)}, stated {sorted(instruction.distractor_ids)}"
