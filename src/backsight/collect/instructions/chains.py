"""Things told apart by a relation to a thing that is itself told apart by a relation to a third."""

import numpy as np

from backsight.collect.instructions.draft import Draft
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.pairs import Pairs, draw, volumes_m3
from backsight.collect.instructions.phrases import steps
from backsight.collect.instructions.phrases.sentences import thing_slots
from backsight.collect.instructions.phrases.spatial import noun_phrase, place_phrase, relation_wordings
from backsight.collect.instructions.told_apart import Related, related_draft
from backsight.quality.reasoning import REASONING_OF_RELATION
from backsight.records.vocabulary import UNNAMED_CATEGORY

KEPT = 2
"""Drafts kept of each reasoning type, with and without colours."""
LINKS = ("on", "under", "inside", "next to", "above", "below", "left of", "right of", "in front of", "behind")
"""Relations that chains are made of."""


def chain_drafts(memory: Memory, pairs: Pairs, rng: np.random.Generator) -> list[Draft]:
    """Return drafts such as 'the cup on the table that is next to the sofa', where several tables were seen.

    Args:
        memory: What has been seen.
        pairs: Its pairs.
        rng: Source of every choice.
    """
    found: list[Draft] = []
    volume_m3 = volumes_m3(memory)
    is_named = memory.categories != UNNAMED_CATEGORY
    for with_colour in (False, True):
        words, has_words = memory.anchors(with_colour)
        # The middle thing is described without its colour, so it may look like any of its category.
        links = [
            (middle, relation, end)
            for relation in LINKS
            for middle, end in np.argwhere(
                pairs.singled_out(relation, False) & (is_named & ~has_words)[:, None] & has_words[None, :]
            ).tolist()
        ]
        ends: dict[int, list[tuple[str, int]]] = {}
        for middle, relation, end in links:
            ends.setdefault(middle, []).append((relation, end))
        options: dict[str, list[tuple[str, int, int]]] = {}
        for relation in LINKS:
            alone = pairs.singled_out(relation, with_colour) & memory.is_target[:, None]
            for target, middle in np.argwhere(alone).tolist():
                if middle in ends:
                    options.setdefault(REASONING_OF_RELATION[relation], []).append((relation, target, middle))
        for of_type in options.values():
            weights = [float(memory.target_weights[t]) * min(1.0, volume_m3[m] / volume_m3[t]) for _, t, m in of_type]
            for index in draw(np.array(weights), [target for _, target, _ in of_type], KEPT, rng):
                relation, target, middle = of_type[index]
                further = [one for one in ends[middle] if memory.categories[one[1]] != memory.categories[target]]
                if further:
                    second, end = further[rng.integers(len(further))]
                    chain = (relation, middle, second, end)
                    found.append(_chain_draft(memory, target, chain, words[end], with_colour, rng))
    return found


def _chain_draft(
    memory: Memory,
    target: int,
    chain: tuple[str, int, str, int],
    end_words: str,
    with_colour: bool,
    rng: np.random.Generator,
) -> Draft:
    first, middle, second, end = chain
    thing, middle_thing = memory.things[target], memory.things[middle]
    noun = noun_phrase(thing.category, thing.colour if with_colour else None)
    first_words, second_words = (
        wordings[rng.integers(len(wordings))]
        for wordings in (relation_wordings(first, middle_thing.category), relation_wordings(second, end_words))
    )
    middle_words = f"{middle_thing.category} that is{place_phrase(second_words, end_words, None)}"
    middle_ids = (middle_thing.instance_id,)
    own_steps = (
        steps.only_one_related(
            middle_thing.category, (*middle_ids, memory.things[end].instance_id), second, end_words, False
        ),
        steps.relation(noun, thing.instance_id, first, f"that {middle_thing.category}", middle_ids),
    )
    slots = thing_slots(noun, place_phrase(first_words, middle_words, None))
    return related_draft(memory, target, Related(first, middle_ids, with_colour, "complex"), slots, own_steps)
