"""Rules of instructions that name a thing by what it is, how it looks, where it is and how it lies to others."""

from collections.abc import Iterator

from backsight.quality.references import matching_in
from backsight.quality.situation import Situation
from backsight.records.instruction import Instruction


def thing_problems(instruction: Instruction, situation: Situation) -> Iterator[tuple[str, str]]:
    """Yield field and problem of everything that is wrong with an instruction that names a thing.

    Args:
        instruction: With words of the vocabulary.
        situation: At its current frame.
    """
    if instruction.category is None:
        yield "category", "is not named"
        return
    unseen = sorted(number for number in instruction.anchor_ids if number not in situation.column)
    if unseen:
        yield "anchor_ids", f"{unseen} were not seen up to the current frame"
    targets = set(instruction.target_instance_ids)
    fitting = set(matching_in(instruction, situation))
    if fitting != targets:
        yield "target_instance_ids", f"{instruction.text!r} fits {sorted(fitting)}, stated {sorted(targets)}"
    elif len(targets) > 1:
        yield "target_instance_ids", f"{instruction.text!r} is ambiguous: it fits {sorted(targets)}"
    if (instruction.reasoning_type == "absent") != (not targets):
        yield "reasoning_type", "is 'absent' exactly when nothing fits"
    same = {thing.instance_id for thing in situation.things if thing.category == instruction.category}
    if same - targets != set(instruction.distractor_ids):
        problem = f"are {sorted(same - targets)}, stated {sorted(instruction.distractor_ids)}"
        yield "distractor_ids", problem
