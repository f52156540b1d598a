"""The order in which training reads samples: reproducible, shared by ranks, resumable at any position."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from backsight.data.curriculum import Curriculum


@dataclass(frozen=True)
class SamplerState:
    """Where training stands in the global order of samples."""

    epoch: int = 0
    position: int = 0
    """Samples of this epoch already taken, over all ranks."""


@dataclass(frozen=True)
class Draw:
    """One sample to build: which item, and the seed of its random choices."""

    item: int
    seed: tuple[int, int, int]


class EpochSampler:
    """Draws every item once an epoch, in an order that depends on the seed and the epoch alone.

    With a curriculum an epoch has as many draws, but easy items come more often while it lasts; an item that comes
    again in an epoch has other random choices.

    The order is permuted globally and then dealt out to the ranks, so that another number of ranks or loader
    workers sees the same batches, and a state of two integers resumes without repeating or missing a sample.
    """

    def __init__(
        self, num_items: int, seed: int, state: SamplerState | None = None, curriculum: Curriculum | None = None
    ) -> None:
        if num_items < 1:
            raise ValueError("the sampler needs at least one item")
        self.num_items = num_items
        self.seed = seed
        self.curriculum = curriculum
        self.state = state or SamplerState()

    def order(self, epoch: int) -> Int64[np.ndarray, " items"]:
        """Return the draws of one epoch: item + number of items * (how often the item came before)."""
        rng = np.random.default_rng([self.seed, epoch])
        if self.curriculum is not None:
            return self.curriculum.numbers(epoch, rng)
        return rng.permutation(self.num_items).astype(np.int64)

    def next_batch(self, batch_size: int, rank: int = 0, num_ranks: int = 1) -> list[Draw]:
        """Return this rank's share of the next `batch_size * num_ranks` draws and move on.

        A batch may run over the end of an epoch: it is filled from the next one.
        """
        draws = list(self._take(batch_size * num_ranks))
        return draws[rank::num_ranks]

    def _take(self, count: int) -> Iterator[Draw]:
        epoch, position = self.state.epoch, self.state.position
        order = self.order(epoch)
        for _ in range(count):
            if position == self.num_items:
                epoch, position = epoch + 1, 0
                order = self.order(epoch)
            number = int(order[position])
            yield Draw(number % self.num_items, (self.seed, epoch, number))
            position += 1
        self.state = SamplerState(epoch, position)
