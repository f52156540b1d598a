"""Instructions with somebody else's words, frames with somebody else's image: does the model listen and look at all?"""

from collections.abc import Sequence as Sized

import numpy as np
from jaxtyping import Int64

from backsight.evaluate.samples import EvaluationSample, SequenceSource
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


def deranged_history(sample: EvaluationSample, seed: int) -> Int64[np.ndarray, " history"]:
    """Return which history position's image each history position is given: never its own.

    Drawn evenly from all derangements; a history of one frame has none, and the result is then empty.

    Args:
        sample: with the history.
        seed: of the choice; it depends on this sample alone beside it.
    """
    count = len(sample.history_frames)
    if count < 2:
        return np.zeros(0, dtype=np.int64)
    random = sample.random_generator(seed)
    own = np.arange(count)
    # About one permutation in e is a derangement, so this ends soon, whatever the count.
    while True:
        order = random.permutation(count).astype(np.int64)
        if (order != own).all():
            return order
