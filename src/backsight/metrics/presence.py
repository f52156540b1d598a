"""Whether a query lies in a view at all: AUROC, balanced accuracy and expected calibration error.

Every function takes weights, one row for each resample of the bootstrap (`bootstrap.bootstrap_weighted`), and gives
one value for each row; without weights it gives a single value in an array of one.
"""

import numpy as np
from jaxtyping import Bool, Float, Float64

Probability = Float[np.ndarray, " maps"]
Present = Bool[np.ndarray, " maps"]
Weights = Float64[np.ndarray, "resamples maps"]


def auroc(
    probability: Probability, present: Present, weights: Weights | None = None
) -> Float64[np.ndarray, " resamples"]:
    """Return the chance that a present map has the larger probability than an absent one; NaN without either.

    Args:
        probability: Presence probabilities.
        present: Whether the query lies in the view.
        weights: How often each map counts; None = once.
    """
    weights = _weights(probability, weights)
    order = np.argsort(probability, kind="stable")
    ordered = probability[order]
    # Maps of equal probability form one level: within it ties count half.
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    positive = np.add.reduceat((weights * present)[:, order], starts, axis=1)
    negative = np.add.reduceat((weights * ~present)[:, order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative
    wins = (positive * (below + 0.5 * negative)).sum(axis=1)
    return _divide(wins, positive.sum(axis=1) * negative.sum(axis=1))


def balanced_accuracy(
    probability: Probability, present: Present, weights: Weights | None = None, threshold: float = 0.5
) -> Float64[np.ndarray, " resamples"]:
    """Return the mean of the shares of present and of absent maps that are told rightly; NaN where one kind is missing.

    Args:
        probability: Presence probabilities.
        present: Whether the query lies in the view.
        weights: How often each map counts; None = once.
        threshold: A probability that reaches it says present.
    """
    weights = _weights(probability, weights)
    told = probability >= threshold
    found = _divide((weights * (told & present)).sum(axis=1), (weights * present).sum(axis=1))
    refused = _divide((weights * (~told & ~present)).sum(axis=1), (weights * ~present).sum(axis=1))
    return (found + refused) / 2.0


def expected_calibration_error(
    probability: Probability, present: Present, weights: Weights | None = None, bins: int = 10
) -> Float64[np.ndarray, " resamples"]:
    """Return the mean distance between probability and observed share over bins of equal width, weighted by their maps.

    Args:
        probability: Presence probabilities in [0, 1].
        present: Whether the query lies in the view.
        weights: How often each map counts; None = once.
        bins: Number of bins; 1 belongs to the last one.

    Raises:
        ValueError: A probability lies outside [0, 1].
    """
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("presence probabilities must lie in [0, 1]")
    weights = _weights(probability, weights)
    index = np.minimum((probability.astype(np.float64) * bins).astype(np.int64), bins - 1)
    one_hot = np.zeros((len(probability), bins))
    one_hot[np.arange(len(probability)), index] = 1.0
    gap = (weights * (probability.astype(np.float64) - present)) @ one_hot
    return _divide(np.abs(gap).sum(axis=1), weights.sum(axis=1))


def _weights(probability: Probability, weights: Weights | None) -> Weights:
    return np.ones((1, len(probability))) if weights is None else weights


def _divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)
