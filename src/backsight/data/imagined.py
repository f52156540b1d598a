"""Imagined views of a batch: which of a walk's are asked for, and their tensors."""

from collections.abc import Sequence as OrderedCollection
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64

from backsight.data.imagined_views import current_from_imagined, imagined_of_frame
from backsight.records.batch import ImaginedBatch
from backsight.records.sequence import Sequence


@dataclass(frozen=True)
class ImaginedDraw:
    """Imagined views of one sample."""

    views: Int64[np.ndarray, " views"]
    """Positions among the walk's imagined views."""
    current_from_imagined: Float64[np.ndarray, "views 4 4"]


def draw_imagined(
    sequence: Sequence,
    current_frame: int,
    count: int,
    rng: np.random.Generator,
    asked: OrderedCollection[int] = (),
) -> ImaginedDraw:
    """Draw at most `count` imagined views of a current frame; those that its instructions ask about come first.

    Args:
        sequence: The walk.
        current_frame: Index of the frame.
        count: How many at most.
        rng: Source of the choice; untouched where there is nothing to choose from.
        asked: Positions among the walk's imagined views that the sample's instructions name.
    """
    found = imagined_of_frame(sequence, current_frame)
    order = rng.permutation(len(found)) if len(found) else np.zeros(0, dtype=np.int64)
    chosen = order[np.argsort(~np.isin(found[order], np.array(asked, dtype=np.int64)), kind="stable")][:count]
    return ImaginedDraw(found[chosen], current_from_imagined(sequence, current_frame)[chosen])


def imagined_batch(
    sequences: OrderedCollection[Sequence], drawn: OrderedCollection[ImaginedDraw], count: int
) -> ImaginedBatch | None:
    """Return the tensors of the drawn views, padded to `count`; None when no sample has any.

    Args:
        sequences: Of the samples.
        drawn: Of the same samples.
        count: Views of each sample.
    """
    if not any(len(draw.views) for draw in drawn):
        return None
    height, width = sequences[0].depth_m.shape[1:]
    poses = np.tile(np.eye(4, dtype=np.float32), (len(drawn), count, 1, 1))
    ids = np.zeros((len(drawn), count, height, width), dtype=np.int64)
    real = np.zeros((len(drawn), count), dtype=bool)
    for row, (sequence, draw) in enumerate(zip(sequences, drawn, strict=True)):
        here = len(draw.views)
        if sequence.imagined is not None:
            poses[row, :here] = draw.current_from_imagined
            ids[row, :here] = sequence.imagined.instance_ids[draw.views]
            real[row, :here] = True
    return ImaginedBatch(torch.from_numpy(poses), torch.from_numpy(ids), torch.from_numpy(real))
