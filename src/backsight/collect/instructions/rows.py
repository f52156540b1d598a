"""Things counted in the row of their kind, as the current frame shows it: 'the second chair from the left'."""

import numpy as np

from backsight.collect.instructions.draft import Draft
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.phrases import steps
from backsight.collect.instructions.phrases.grammar import ordinal
from backsight.collect.instructions.phrases.sentences import thing_slots
from backsight.collect.instructions.whereabouts import whereabouts_answer, whereabouts_steps
from backsight.quality.references import in_order
from backsight.records.vocabulary import UNNAMED_CATEGORY

LONGEST_ROW = 6
"""Nobody counts farther."""
LEAST_APART = 0.04
"""Of the image's width: middles of neighbours that are nearer leave doubt which comes first."""


def row_drafts(memory: Memory) -> list[Draft]:
    """Return drafts that count things of one kind from the left or the right of the current frame.

    Args:
        memory: What has been seen.
    """
    found: list[Draft] = []
    for category in memory.kinds:
        row = in_order(category, "left", memory.situation)
        if category != UNNAMED_CATEGORY and 2 <= len(row) <= LONGEST_ROW and _is_clear(memory, category, row):
            for place, instance_id in enumerate(row):
                index = memory.situation.column[instance_id]
                # From the nearer end; the middle one from the left.
                side, number = ("left", place + 1) if 2 * place < len(row) else ("right", len(row) - place)
                if memory.is_target[index]:
                    found.append(_row_draft(memory, index, side, number))
    return found


def _is_clear(memory: Memory, category: str, row: tuple[int, ...]) -> bool:
    """Whether all of the kind in view can be made out, and their middles stand apart."""
    annotations = memory.situation.annotations
    shown = {item.instance_id: item.box_px for item in annotations.visible_objects[memory.current_frame]}
    of_kind = [thing.instance_id for thing in memory.things if thing.category == category]
    if sum(number in shown for number in of_kind) != len(row):
        return False
    width_px = 2.0 * annotations.intrinsics[0][2]
    middles = np.array([(shown[number][0] + shown[number][2]) / 2 for number in row])
    return bool((np.diff(middles) >= LEAST_APART * width_px).all())


def _row_draft(memory: Memory, index: int, side: str, number: int) -> Draft:
    thing = memory.things[index]
    words = f"{side}most {thing.category}" if number == 1 else f"{ordinal(number)} {thing.category} from the {side}"
    return Draft(
        reasoning_type="left_right",
        template="row",
        slots=thing_slots(words),
        complexity="medium" if number == 1 else "complex",
        frame_of_reference="viewer",
        answer=whereabouts_answer(memory, index),
        steps=(
            steps.order(thing.category, thing.instance_id, (number, side), words),
            *whereabouts_steps(memory, index, thing.category),
        ),
        category=thing.category,
        target_instance_ids=(thing.instance_id,),
        distractor_ids=memory.distractors_of(index),
        weight=float(memory.target_weights[index]),
    )
