"""Intervals: whole places are drawn with replacement, because views of one place are not independent.

Intervals are percentiles of the resampled figure. With a single place there is nothing to draw from: both ends are
NaN.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float64, Int64

RESAMPLES = 2000
LEVEL = 0.95
BLOCK_VALUES = 2**22
"""Weights handed to a statistic at once: bounds memory."""


def sequence_means(
    values: Float64[np.ndarray, " maps"], sequence_ids: Sequence[str]
) -> tuple[Float64[np.ndarray, " sequences"], tuple[str, ...], Int64[np.ndarray, " sequences"]]:
    """Return the mean of each sequence's values, the sequences' ids (sorted) and how many values each has.

    Args:
        values: One for each map or pair, only those that count.
        sequence_ids: Sequence of each value.
    """
    ids, index = np.unique(np.asarray(sequence_ids, dtype=str), return_inverse=True)
    count = np.bincount(index, minlength=len(ids))
    means = np.bincount(index, weights=values, minlength=len(ids)) / np.maximum(count, 1)
    return means, tuple(ids.tolist()), count


def bootstrap_interval(
    values: Float64[np.ndarray, " sequences"],
    place_ids: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[float, float, float]:
    """Return the mean over sequences and the ends of its interval.

    Args:
        values: One for each sequence (`sequence_means`).
        place_ids: Place of each sequence.
        rng: Draws the places.
        resamples: How many times.
        level: Share of resampled means inside the interval.

    Raises:
        ValueError: No values, or a value is NaN.
    """
    return bootstrap_ratio(values, np.ones(len(values)), place_ids, rng, resamples, level)


def bootstrap_ratio(
    numerators: Float64[np.ndarray, " sequences"],
    denominators: Float64[np.ndarray, " sequences"],
    place_ids: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[float, float, float]:
    """Return sum of numerators / sum of denominators over sequences and the ends of its interval.

    Args:
        numerators: One for each sequence.
        denominators: One for each sequence, not negative, positive in sum for every place.
        place_ids: Place of each sequence.
        rng: Draws the places.
        resamples: How many times.
        level: Share of resampled ratios inside the interval.

    Raises:
        ValueError: No values, a value is NaN, or the denominators of a place sum to nothing.
    """
    draws, index = _draws(numerators, place_ids, rng, resamples)
    above = np.bincount(index, weights=numerators, minlength=draws.shape[1])
    below = np.bincount(index, weights=denominators, minlength=draws.shape[1])
    if not (below > 0).all():
        raise ValueError("the denominators of every place must have a positive sum")
    value = float(above.sum() / below.sum())
    if draws.shape[1] == 1:
        return value, float("nan"), float("nan")
    return value, *_ends((draws @ above) / (draws @ below), level)


def bootstrap_difference(
    values: Float64[np.ndarray, " sequences"],
    other_values: Float64[np.ndarray, " sequences"],
    place_ids: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[float, float, float]:
    """Return the mean paired difference over sequences and the ends of its interval.

    Args:
        values: One for each sequence.
        other_values: Of the same sequences in the same order, from the predictor that is compared with.
        place_ids: Place of each sequence.
        rng: Draws the places.
        resamples: How many times.
        level: Share of resampled means inside the interval.

    Raises:
        ValueError: No values, or a value is NaN.
    """
    return bootstrap_interval(values - other_values, place_ids, rng, resamples, level)


def bootstrap_weighted(
    statistic: Callable[[Float64[np.ndarray, "resamples items"]], Float64[np.ndarray, " resamples"]],
    place_ids: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[float, float, float]:
    """Return a pooled figure, such as AUROC, and the ends of its interval.

    Args:
        statistic: Takes how often each item counts and gives the figure of each row. Rows where it is NaN (a class
        that was not
            drawn) do not enter the interval.
        place_ids: Place of each item.
        rng: Draws the places.
        resamples: How many times.
        level: Share of resampled figures inside the interval.

    Raises:
        ValueError: No items.
    """
    draws, index = _draws(np.zeros(len(place_ids)), place_ids, rng, resamples)
    value = float(statistic(np.ones((1, len(place_ids))))[0])
    if draws.shape[1] == 1:
        return value, float("nan"), float("nan")
    block = max(1, BLOCK_VALUES // len(index))
    figures = np.concatenate([statistic(draws[i : i + block, index]) for i in range(0, resamples, block)])
    figures = figures[~np.isnan(figures)]
    if len(figures) == 0:
        return value, float("nan"), float("nan")
    return value, *_ends(figures, level)


def _draws(
    values: Float64[np.ndarray, " sequences"], place_ids: Sequence[str], rng: np.random.Generator, resamples: int
) -> tuple[Float64[np.ndarray, "resamples places"], Int64[np.ndarray, " sequences"]]:
    """Return how often each place is drawn in each resample, and the place of each sequence."""
    if len(values) == 0:
        raise ValueError("an interval needs at least one value")
    if len(values) != len(place_ids):
        raise ValueError(f"{len(values)} values, but {len(place_ids)} place ids")
    if np.isnan(values).any():
        raise ValueError("values must not be NaN: leave out what is not defined")
    places, index = np.unique(np.asarray(place_ids, dtype=str), return_inverse=True)
    draws = rng.multinomial(len(places), np.full(len(places), 1.0 / len(places)), size=resamples)
    return draws.astype(np.float64), index


def _ends(figures: Float64[np.ndarray, " resamples"], level: float) -> tuple[float, float]:
    low, high = np.quantile(figures, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)
