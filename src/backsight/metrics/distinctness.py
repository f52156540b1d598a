"""Whether the maps of different history frames differ as their truths do: distinctness and identification."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

LEAST_TRUE_DISTANCE = 0.2
"""Pairs count whose truths differ by more than this, as square root of the Jensen-Shannon divergence, base 2."""
BLOCK_VALUES = 2**22
"""Values worked on at once: bounds memory on large maps."""

Maps = Float[np.ndarray, "history height width"]
Valid = Bool[np.ndarray, "history height width"]


@dataclass(frozen=True)
class Distinctness:
    """Of one current view; distances are square roots of the Jensen-Shannon divergence, base 2."""

    predicted_distance: float
    """Mean over the pairs, D(P); 0 without pairs."""
    true_distance: float
    """Mean over the pairs, D(Q); 0 without pairs."""
    pairs: int
    identified: Float64[np.ndarray, " frames"]
    """1 for each judged frame that is told rightly; of several best candidates, the share that is right."""
    chance: float
    """1 / number of present frames; 0 without present frames."""

    @property
    def ratio(self) -> float:
        """D(P) / D(Q), uncapped; NaN without pairs."""
        return self.predicted_distance / self.true_distance if self.pairs else float("nan")


def distinctness(predicted: Maps, truth: Maps, valid: Valid, present: Bool[np.ndarray, " history"]) -> Distinctness:
    """Return distinctness and identification of the history frames of one current view.

    Pairs are those of present frames whose truths differ by more than `LEAST_TRUE_DISTANCE`; judged frames are those
    in at least one such pair. A judged frame k is identified when, of all present frames j, j = k has the least
    JSD(P_k, Q_j).

    Args:
        predicted: Calibrated footprint maps P.
        truth: True maps Q.
        valid: Cells that count, for each frame.
        present: Whether the frame is a footprint of something.
    """
    kept = np.flatnonzero(present)
    if len(kept) == 0:
        return Distinctness(0.0, 0.0, 0, np.zeros(0), 0.0)
    p, q, v = predicted[kept], truth[kept], valid[kept]
    true_distance = np.sqrt(jensen_shannon_matrix(q, q, v, v))
    differ = true_distance > LEAST_TRUE_DISTANCE
    np.fill_diagonal(differ, False)
    upper = np.triu(differ)
    pairs = int(upper.sum())
    chance = 1.0 / len(kept)
    if pairs == 0:
        return Distinctness(0.0, 0.0, 0, np.zeros(0), chance)
    predicted_distance = np.sqrt(jensen_shannon_matrix(p, p, v, v))
    divergence = jensen_shannon_matrix(p, q, v, v)
    best = divergence == divergence.min(axis=1, keepdims=True)
    identified = np.diagonal(best) / best.sum(axis=1)
    return Distinctness(
        float(predicted_distance[upper].mean()),
        float(true_distance[upper].mean()),
        pairs,
        identified[differ.any(axis=1)],
        chance,
    )


def jensen_shannon_matrix(
    first: Float[np.ndarray, "first height width"],
    second: Float[np.ndarray, "second height width"],
    first_valid: Bool[np.ndarray, "first height width"],
    second_valid: Bool[np.ndarray, "second height width"],
) -> Float64[np.ndarray, "first second"]:
    """Return the Jensen-Shannon divergence, base 2, of each first map from each second map.

    Both are normalised to sum 1 over the cells valid in both; an empty map counts as even; 0 where no cell is valid
    in both.

    Args:
        first: Not negative.
        second: Not negative.
        first_valid: Cells that count.
        second_valid: Cells that count.
    """
    a = np.where(first_valid, first, 0.0).reshape(len(first), -1).astype(np.float64)
    b = np.where(second_valid, second, 0.0).reshape(len(second), -1).astype(np.float64)
    a_valid, b_valid = first_valid.reshape(a.shape), second_valid.reshape(b.shape)
    divergence = np.empty((len(a), len(b)))
    block = max(1, BLOCK_VALUES // max(1, b.size))
    for start in range(0, len(a), block):
        rows = slice(start, start + block)
        shared = a_valid[rows, None] & b_valid[None]
        p = _normalised(a[rows, None], shared)
        q = _normalised(b[None], shared)
        middle = (p + q) / 2.0
        divergence[rows] = (_times_log_ratio(p, middle) + _times_log_ratio(q, middle)).sum(axis=-1) / 2.0
    return np.maximum(divergence, 0.0)


def _normalised(maps: np.ndarray, counted: np.ndarray) -> np.ndarray:
    kept = np.where(counted, maps, 0.0)
    total = kept.sum(axis=-1, keepdims=True)
    even = counted / np.maximum(counted.sum(axis=-1, keepdims=True), 1)
    return np.where(total > 0, kept / np.where(total > 0, total, 1.0), even)


def _times_log_ratio(share: np.ndarray, middle: np.ndarray) -> np.ndarray:
    return share * np.log2(np.where(share > 0, share, 1.0) / np.where(share > 0, middle, 1.0))
