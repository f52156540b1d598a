"""Easy to hard: how difficult a training item is, and how often it is drawn as training goes on."""

from collections.abc import Sequence as OrderedCollection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from pydantic import BaseModel, ConfigDict, Field
from scipy.stats import rankdata

from backsight.records.sequence import SequenceAnnotations


class CurriculumConfig(BaseModel):
    """Whether easy items come more often at first, and for how long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = False
    epochs: int = Field(default=5, ge=1)
    """Epochs until all items are drawn alike."""
    ratio: float = Field(default=8.0, gt=1.0, le=1000.0)
    """In the first epoch the easiest item is drawn so many times as often as the hardest."""


@dataclass(frozen=True)
class Curriculum:
    """Difficulty of all items, and the order of every epoch that follows from it."""

    difficulty: Float64[np.ndarray, " items"]
    """From 0, the easiest item, to 1."""
    config: CurriculumConfig

    def shares(self, epoch: int) -> Float64[np.ndarray, " items"]:
        """Return how often each item is drawn in an epoch, in the mean; they sum to the number of items."""
        left = 1.0 - min(1.0, epoch / self.config.epochs)
        weights = self.config.ratio ** (-left * self.difficulty)
        return weights * (len(weights) / weights.sum())

    def numbers(self, epoch: int, rng: np.random.Generator) -> Int64[np.ndarray, " items"]:
        """Return as many draws as there are items, in random order: item + items * (how often it came before).

        An item with a share of 2.3 comes two or three times (systematic resampling: one random offset, equal steps);
        once all shares are 1 every item comes exactly once.

        Args:
            epoch: from 0.
            rng: of the epoch.
        """
        items = len(self.difficulty)
        ends = np.cumsum(self.shares(epoch))
        ends[-1] = items
        drawn = np.searchsorted(ends, np.arange(items) + rng.uniform(1e-6, 1.0 - 1e-6))
        repeats = np.arange(items) - np.searchsorted(drawn, drawn)
        return rng.permutation(drawn + items * repeats).astype(np.int64)


def item_difficulty(
    annotations: OrderedCollection[SequenceAnnotations], items: OrderedCollection[tuple[int, int]]
) -> Float64[np.ndarray, " items"]:
    """Return the difficulty of training items, from what is annotated: mean rank in four respects, ranked again.

    Change of view (mean angle from the current camera to each earlier one, which overlap falls with), frames to look
    back on, distractors of an instruction, and the share of instructions that are not simple.

    Args:
        annotations: of all walks.
        items: position of the walk and current frame of each item.
    """
    if not items:
        return np.zeros(0)
    measures = np.array([_measures(annotations[walk], frame) for walk, frame in items])
    ranks = rankdata(measures, axis=0).mean(axis=1)
    return (rankdata(ranks) - 1.0) / max(1, len(items) - 1)


def _measures(walk: SequenceAnnotations, current: int) -> tuple[float, float, float, float]:
    forward = np.array(walk.world_from_camera[: current + 1]).reshape(-1, 4, 4)[:, :3, 2]
    angles = np.arccos(np.clip(forward[:-1] @ forward[-1], -1.0, 1.0))
    asked = [one for one in walk.instructions if one.current_frame == current]
    distractors = np.mean([len(one.distractor_ids) for one in asked]) if asked else 0.0
    involved = np.mean([one.complexity != "simple" for one in asked]) if asked else 0.0
    return float(angles.mean()) if len(angles) else 0.0, float(current), float(distractors), float(involved)
