"""Instructions about how things lie to each other."""

import numpy as np

from backsight.collect.instructions.chains import chain_drafts
from backsight.collect.instructions.draft import Draft, InstructionContext
from backsight.collect.instructions.groups import group_drafts
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.pairs import Pairs
from backsight.collect.instructions.rows import row_drafts
from backsight.collect.instructions.told_apart import choice_drafts, held_drafts, pair_drafts, shelf_choice_drafts


def spatial_drafts(context: InstructionContext, memory: Memory, rng: np.random.Generator) -> list[Draft]:
    """Return drafts of the reasoning types of relations, some of each.

    Args:
        context: The walk.
        memory: What has been seen up to the current frame.
        rng: Draws which of the many that are true are returned, and their wording.
    """
    if not memory.things:
        return []
    pairs = Pairs.of(memory)
    return [
        *pair_drafts(memory, pairs, rng),
        *held_drafts(memory, pairs, rng),
        *shelf_choice_drafts(memory, pairs, rng),
        *choice_drafts(memory, pairs, rng),
        *chain_drafts(memory, pairs, rng),
        *group_drafts(memory, rng),
        *row_drafts(memory),
    ]
