"""Words that single out one of the things seen, by category and colour alone."""

from dataclasses import dataclass

import numpy as np

from backsight.collect.instructions.memory import Memory
from backsight.records.vocabulary import UNNAMED_CATEGORY


@dataclass(frozen=True)
class Name:
    """What a thing is called."""

    index: int
    """Of the thing in the memory."""
    instance_id: int
    category: str
    colour: str | None
    """Where the name says it."""

    @property
    def noun(self) -> str:
        """Without an article: 'red chair'."""
        return self.category if self.colour is None else f"{self.colour} {self.category}"

    @property
    def words(self) -> str:
        """With the article: 'the red chair'."""
        return f"the {self.noun}"


def names_of(memory: Memory, rng: np.random.Generator) -> list[Name]:
    """Return a name for each thing seen that category, or category and colour, tells from all others seen.

    Where both do, one is drawn.

    Args:
        memory: What has been seen.
        rng: Draws whether the colour is said.
    """
    found: list[Name] = []
    drawn = rng.random(len(memory.things))
    for index, thing in enumerate(memory.things):
        if thing.category == UNNAMED_CATEGORY:
            continue
        alone = memory.count(thing.category) == 1
        by_colour = thing.colour is not None and memory.count(thing.category, thing.colour) == 1
        if alone or by_colour:
            said = thing.colour if by_colour and (not alone or drawn[index] < 0.5) else None
            found.append(Name(index, thing.instance_id, thing.category, said))
    return found
