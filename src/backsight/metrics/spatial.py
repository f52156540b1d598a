"""How well a map points at its truth: AUC, NSS, CC, SIM, KL, soft-IoU, pointing hit and IoU.

Every function takes predictions P and truths Q on one grid, leaves invalid cells out and gives one value for each
map, in float64. A map whose values are all equal has AUC 0.5, NSS 0 and CC 0; where a map is normalised to sum 1, an
empty one counts as even.

Source: Bylinskii et al. (arXiv 1604.03605) for AUC, NSS, CC, SIM and KL.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from numpy.typing import NDArray

THRESHOLD = 0.5
"""Cells whose truth reaches this are positive."""
ELIGIBLE_SHARE = 0.01
"""A map is scored when at least this share of its valid cells lies on each side of the threshold."""
KL_EPSILON = 2.2204e-16

Maps = Float[np.ndarray, "maps height width"]
Valid = Bool[np.ndarray, "maps height width"]
Values = Float64[np.ndarray, " maps"]


@dataclass(frozen=True)
class SpatialValues:
    """One value for each map; those of maps that are not eligible mean nothing."""

    eligible: Bool[np.ndarray, " maps"]
    auc: Float64[np.ndarray, " maps"]
    nss: Float64[np.ndarray, " maps"]
    cc: Float64[np.ndarray, " maps"]
    sim: Float64[np.ndarray, " maps"]
    kl: Float64[np.ndarray, " maps"]
    soft_iou: Float64[np.ndarray, " maps"]
    pointing_hit: Float64[np.ndarray, " maps"]
    iou: Float64[np.ndarray, " maps"]


def spatial_values(predicted: Maps, truth: Maps, valid: Valid) -> SpatialValues:
    """Return all values of this module.

    Args:
        predicted: Probabilities.
        truth: Map values in [0, 1].
        valid: Cells that count.
    """
    return SpatialValues(
        eligible=eligible(truth, valid),
        auc=auc(predicted, truth, valid),
        nss=nss(predicted, truth, valid),
        cc=cc(predicted, truth, valid),
        sim=sim(predicted, truth, valid),
        kl=kl(predicted, truth, valid),
        soft_iou=soft_iou(predicted, truth, valid),
        pointing_hit=pointing_hit(predicted, truth, valid),
        iou=iou(predicted, truth, valid),
    )


def eligible(truth: Maps, valid: Valid) -> Bool[np.ndarray, " maps"]:
    """Return which maps have at least `ELIGIBLE_SHARE` of their valid cells on each side of the threshold.

    Args:
        truth: Map values in [0, 1].
        valid: Cells that count.
    """
    cells = valid.sum(axis=(1, 2))
    positive = ((truth >= THRESHOLD) & valid).sum(axis=(1, 2))
    return (cells > 0) & (np.minimum(positive, cells - positive) >= ELIGIBLE_SHARE * cells)


def average_ranks(
    values: Float64[np.ndarray, "rows columns"], counted: Bool[np.ndarray, "rows columns"]
) -> Float64[np.ndarray, "rows columns"]:
    """Return each counted value's rank from 1 within its row, equal values sharing their mean rank.

    Args:
        values: Finite where they count.
        counted: Which values take part; the ranks of the others mean nothing.
    """
    kept = np.where(counted, values, np.inf)
    order = np.argsort(kept, axis=1, kind="stable")
    ordered = np.take_along_axis(kept, order, axis=1)
    starts = np.ones(ordered.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = np.ones(ordered.shape, dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    place: Int64[np.ndarray, " columns"] = np.arange(ordered.shape[1])
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
    backwards = np.where(ends, place, ordered.shape[1])[:, ::-1]
    last = np.minimum.accumulate(backwards, axis=1)[:, ::-1]
    ranks = np.empty(ordered.shape)
    np.put_along_axis(ranks, order, (first + last) / 2.0 + 1.0, axis=1)
    return ranks


def auc(predicted: Maps, truth: Maps, valid: Valid) -> Values:
    """Return the chance that P is larger in a positive cell than in a negative one, ties half; 0.5 without either.

    Args:
        predicted: Any scores; only their order counts.
        truth: Map values in [0, 1].
        valid: Cells that count.
    """
    counted = valid.reshape(len(valid), -1)
    positive = (truth.reshape(counted.shape) >= THRESHOLD) & counted
    ranks = average_ranks(predicted.reshape(counted.shape).astype(np.float64), counted)
    positives = positive.sum(axis=1)
    pairs = positives * (counted.sum(axis=1) - positives)
    wins = np.where(positive, ranks, 0.0).sum(axis=1) - positives * (positives + 1) / 2.0
    return np.where(pairs > 0, wins / np.maximum(pairs, 1), 0.5)


def nss(predicted: Maps, truth: Maps, valid: Valid) -> Values:
    """Return the mean of P over positive cells, in standard deviations of P from its mean; 0 for an even P.

    Args:
        predicted: Probabilities.
        truth: Map values in [0, 1].
        valid: Cells that count.
    """
    p, counted = _centred(predicted, valid)
    deviation = np.sqrt((p**2).sum(axis=1) / np.maximum(counted.sum(axis=1), 1))
    positive = (truth.reshape(counted.shape) >= THRESHOLD) & counted
    mean = (p * positive).sum(axis=1) / np.maximum(positive.sum(axis=1), 1)
    return _ratio(mean, deviation)


def cc(predicted: Maps, truth: Maps, valid: Valid) -> Values:
    """Return Pearson's correlation of P and Q; 0 where either is even.

    Args:
        predicted: Probabilities.
        truth: Map values in [0, 1].
        valid: Cells that count.
    """
    p, _ = _centred(predicted, valid)
    q, _ = _centred(truth, valid)
    return _ratio((p * q).sum(axis=1), np.sqrt((p**2).sum(axis=1)) * np.sqrt((q**2).sum(axis=1)))


def sim(predicted: Maps, truth: Maps, valid: Valid) -> Values:
    """Return the sum of the minima of the maps normalised to sum 1.

    Args:
        predicted: Not negative.
        truth: Map values in [0, 1].
        valid: Cells that count.
    """
    return np.minimum(distributions(predicted, valid), distributions(truth, valid)).sum(axis=(1, 2))


def kl(predicted: Maps, truth: Maps, valid: Valid) -> Values:
    """Return the divergence sum q log(eps + q / (p + eps)) of the truth from the prediction, in nats.

    Args:
        predicted: Not negative.
        truth: Map values in [0, 1].
        valid: Cells that count.
    """
    p, q = distributions(predicted, valid), distributions(truth, valid)
    return (q * np.log(KL_EPSILON + q / (p + KL_EPSILON))).sum(axis=(1, 2))


def soft_iou(predicted: Maps, truth: Maps, valid: Valid) -> Values:
    """Return sum of minima / sum of maxima; 1 where both maps are empty.

    Args:
        predicted: Probabilities.
        truth: Map values in [0, 1].
        valid: Cells that count.
    """
    p, q = predicted.astype(np.float64), truth.astype(np.float64)
    shared = np.where(valid, np.minimum(p, q), 0.0).sum(axis=(1, 2))
    covered = np.where(valid, np.maximum(p, q), 0.0).sum(axis=(1, 2))
    return _ratio(shared, covered, otherwise=1.0)


def pointing_hit(predicted: Maps, truth: Maps, valid: Valid) -> Values:
    """Return whether the largest value of P lies in a positive cell; of several largest ones, the share that does.

    Args:
        predicted: Any scores.
        truth: Map values in [0, 1].
        valid: Cells that count.
    """
    kept = np.where(valid, predicted, -np.inf)
    largest = valid & (kept == kept.max(axis=(1, 2), keepdims=True))
    hits = (largest & (truth >= THRESHOLD)).sum(axis=(1, 2))
    return hits / np.maximum(largest.sum(axis=(1, 2)), 1)


def iou(predicted: Maps, truth: Maps, valid: Valid) -> Values:
    """Return intersection over union of the cells that reach the threshold; 1 where no cell of either does.

    Args:
        predicted: Probabilities.
        truth: Map values in [0, 1].
        valid: Cells that count.
    """
    p, q = (predicted >= THRESHOLD) & valid, (truth >= THRESHOLD) & valid
    return _ratio(
        (p & q).sum(axis=(1, 2)).astype(np.float64), (p | q).sum(axis=(1, 2)).astype(np.float64), otherwise=1.0
    )


def distributions(maps: Maps, valid: Valid) -> Float64[np.ndarray, "maps height width"]:
    """Return maps normalised to sum 1 over their valid cells; an empty map becomes an even one.

    Args:
        maps: Not negative.
        valid: Cells that count; the others become 0.
    """
    kept = np.where(valid, maps.astype(np.float64), 0.0)
    total = kept.sum(axis=(1, 2), keepdims=True)
    even = valid / np.maximum(valid.sum(axis=(1, 2), keepdims=True), 1)
    return np.where(total > 0, kept / np.where(total > 0, total, 1.0), even)


def _centred(maps: Maps, valid: Valid) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return rows less their mean over valid cells, exactly zero for an even map and in invalid cells."""
    counted = valid.reshape(len(valid), -1)
    values = np.where(counted, maps.reshape(counted.shape).astype(np.float64), 0.0)
    cells = np.maximum(counted.sum(axis=1, keepdims=True), 1)
    centred = np.where(counted, values - values.sum(axis=1, keepdims=True) / cells, 0.0)
    low = np.where(counted, values, np.inf).min(axis=1, keepdims=True)
    high = np.where(counted, values, -np.inf).max(axis=1, keepdims=True)
    return np.where(low < high, centred, 0.0), counted


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64], otherwise: float = 0.0) -> NDArray[np.float64]:
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), otherwise)
