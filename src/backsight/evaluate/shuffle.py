"""Instructions with somebody else's words: does the model listen at all?"""

from collections.abc import Sequence as Sized

import numpy as np

from backsight.evaluate.samples import SequenceSource
from backsight.records.errors import DataError
from backsight.records.instruction import Instruction

InstructionKey = tuple[str, str]
"""Sequence id and instruction id."""


def split_instructions(source: SequenceSource) -> list[tuple[InstructionKey, Instruction]]:
    """Return every instruction of an evaluation, in the order of sequence ids."""
    return [
        ((sequence_id, instruction.instruction_id), instruction)
        for sequence_id in source.sequence_ids()
        for instruction in source.annotations(sequence_id).instructions
    ]


def shuffled_texts(instructions: Sized[tuple[InstructionKey, Instruction]], seed: int) -> dict[InstructionKey, str]:
    """Return for each instruction the text of another one that names a different category.

    Args:
        instructions: all of the split.
        seed: of the choice.

    Raises:
        DataError: all instructions name one category, so there is nothing to exchange.
    """
    random = np.random.default_rng(seed)
    texts = {}
    for key, instruction in instructions:
        others = [other.text for _, other in instructions if other.category != instruction.category]
        if not others:
            raise DataError("instructions", "category", f"all name '{instruction.category}'", "nothing to shuffle")
        texts[key] = others[int(random.integers(len(others)))]
    return texts
