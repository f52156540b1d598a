"""Stated overlap of frames, held against samples of their depth."""

from collections.abc import Iterator

import numpy as np

from backsight.quality.agreement import PairReadings
from backsight.quality.judgement import Problem
from backsight.records.sequence import SequenceAnnotations

ALLOWANCE = 0.12
"""Share of the samples by which a stated overlap may lie outside the bounds that the samples give: both sides look at
some hundred pixels of a frame."""


def overlap_problems(annotations: SequenceAnnotations, readings: PairReadings) -> Iterator[Problem]:
    """Yield stated overlaps that can't be: below what surely is co-visible, or above what may be; and broken tables.

    Args:
        annotations: With overlaps, or without.
        readings: Of some pairs of frames.
    """
    stated = annotations.covisible_percent
    if not stated:
        return
    frames = len(annotations.world_from_camera)
    if len(stated) != frames or any(len(row) != frames for row in stated):
        yield "covisible_percent", f"is no table of {frames} x {frames}", None
        return
    share = np.array(stated, dtype=np.float64) / 100.0
    if share.min() < 0.0 or share.max() > 1.0 or (share.diagonal() != 1.0).any():
        yield (
            "covisible_percent",
            "holds a share outside 0 to 100, or a frame that does not share all with itself",
            None,
        )
        return
    measured = np.maximum(readings.measured.sum(axis=1), 1)
    least = readings.agrees.sum(axis=1) / measured - ALLOWANCE
    most = readings.possible.sum(axis=1) / measured + ALLOWANCE
    claimed = share[readings.first, readings.second]
    for pair in np.flatnonzero((claimed < least) | (claimed > most)):
        one, other = int(readings.first[pair]), int(readings.second[pair])
        problem = (
            f"is {stated[one][other]} with frame {other}, {100 * least[pair]:.0f} to {100 * most[pair]:.0f} can be"
        )
        yield f"covisible_percent[{one}]", problem, one
