"""Figures of one predictor gathered map by map, and the rows they end in."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Float64

from backsight.evaluate.samples import EvaluationConfig, EvaluationSample
from backsight.metrics.bootstrap import bootstrap_interval, bootstrap_ratio, bootstrap_weighted, sequence_means
from backsight.metrics.presence import auroc, balanced_accuracy, expected_calibration_error
from backsight.records.score import ScoreRow

WeightedStatistic = Callable[[Float64[np.ndarray, "resamples items"]], Float64[np.ndarray, " resamples"]]


@dataclass
class _Column:
    """Values of one metric with the walk and place of each."""

    values: list[np.ndarray] = field(default_factory=list)
    sequence_ids: list[str] = field(default_factory=list)
    place_ids: list[str] = field(default_factory=list)

    def add(self, sample: EvaluationSample, values: np.ndarray) -> None:
        self.values.append(np.asarray(values, dtype=np.float64))
        self.sequence_ids += [sample.sequence_id] * len(values)
        self.place_ids += [sample.place_id] * len(values)

    @property
    def flat(self) -> np.ndarray:
        return np.concatenate(self.values)

    @property
    def num_places(self) -> int:
        return len(set(self.place_ids))


class Tally:
    """Gathers the figures of one predictor."""

    def __init__(self, predictor: str, config: EvaluationConfig) -> None:
        self.predictor = predictor
        self._config = config
        self._means: dict[str, _Column] = {}
        self._medians: dict[str, _Column] = {}
        self._presence: dict[tuple[str, str], tuple[_Column, _Column]] = {}
        self._ratios: dict[str, tuple[_Column, _Column, int]] = {}

    def add_means(self, metric: str, sample: EvaluationSample, values: Float[np.ndarray, " maps"]) -> None:
        """Add values of which the mean per walk, then over walks is reported."""
        self._means.setdefault(metric, _Column()).add(sample, values)

    def add_medians(self, metric: str, sample: EvaluationSample, values: Float[np.ndarray, " maps"]) -> None:
        """Add values of which the median over all is reported."""
        self._medians.setdefault(metric, _Column()).add(sample, values)

    def add_presence(
        self,
        prefix: str,
        sample: EvaluationSample,
        probability: Float[np.ndarray, " maps"],
        present: Bool[np.ndarray, " maps"],
        suffix: str = "",
    ) -> None:
        """Add presence probabilities and truths, reported as AUROC, balanced accuracy and calibration error."""
        told, true = self._presence.setdefault((prefix, suffix), (_Column(), _Column()))
        told.add(sample, probability)
        true.add(sample, present)

    def add_ratio(self, metric: str, sample: EvaluationSample, above: float, below: float, count: int) -> None:
        """Add one sample's numerator and denominator; the ratio of their means over walks is reported, at most 1."""
        numerators, denominators, total = self._ratios.get(metric, (_Column(), _Column(), 0))
        numerators.add(sample, np.array([above]))
        denominators.add(sample, np.array([below]))
        self._ratios[metric] = (numerators, denominators, total + count)

    def rows(self) -> list[ScoreRow]:
        """Return a row for each metric that has any value; what was not measured has no row."""
        rows = [self._mean_row(metric, column) for metric, column in self._means.items() if column.place_ids]
        rows += [self._ratio_row(metric) for metric in self._ratios]
        for metric, column in self._medians.items():
            if column.place_ids:
                values = column.flat
                rows.append(self._pooled_row(metric, column, lambda w, v=values: weighted_median(v, w)))
        for (prefix, suffix), (told, true) in self._presence.items():
            rows += self._presence_rows(prefix, suffix, told, true)
        return rows

    def _mean_row(self, metric: str, column: _Column) -> ScoreRow:
        means, sequence_ids, _ = sequence_means(column.flat, column.sequence_ids)
        place_of = dict(zip(column.sequence_ids, column.place_ids, strict=True))
        places = [place_of[i] for i in sequence_ids]
        interval = bootstrap_interval(means, places, self._random(), self._config.bootstrap_samples)
        return ScoreRow(metric, self.predictor, *interval, column.num_places, len(column.place_ids))

    def _ratio_row(self, metric: str) -> ScoreRow:
        above, below, count = self._ratios[metric]
        numerators, sequence_ids, _ = sequence_means(above.flat, above.sequence_ids)
        denominators, _, _ = sequence_means(below.flat, below.sequence_ids)
        place_of = dict(zip(above.sequence_ids, above.place_ids, strict=True))
        places = [place_of[i] for i in sequence_ids]
        interval = bootstrap_ratio(numerators, denominators, places, self._random(), self._config.bootstrap_samples)
        value, low, high = (float(np.minimum(figure, 1.0)) for figure in interval)
        return ScoreRow(metric, self.predictor, value, low, high, above.num_places, count)

    def _pooled_row(self, metric: str, column: _Column, statistic: WeightedStatistic) -> ScoreRow:
        interval = bootstrap_weighted(statistic, column.place_ids, self._random(), self._config.bootstrap_samples)
        return ScoreRow(metric, self.predictor, *interval, column.num_places, len(column.place_ids))

    def _presence_rows(self, prefix: str, suffix: str, told: _Column, true: _Column) -> list[ScoreRow]:
        probability, present = told.flat, true.flat.astype(bool)
        statistics: dict[str, WeightedStatistic] = {}
        if present.any() and not present.all():
            statistics["auroc"] = lambda w: auroc(probability, present, w)
            statistics["balanced_accuracy"] = lambda w: balanced_accuracy(probability, present, w)
        if len(present):
            statistics["ece"] = lambda w: expected_calibration_error(probability, present, w)
        return [self._pooled_row(f"{prefix}_{name}{suffix}", told, statistic) for name, statistic in statistics.items()]

    def _random(self) -> np.random.Generator:
        # The same draws for every row and predictor: their differences are not blurred by the bootstrap.
        return np.random.default_rng(self._config.seed)


def weighted_median(
    values: Float64[np.ndarray, " items"], weights: Float64[np.ndarray, "resamples items"]
) -> Float64[np.ndarray, " resamples"]:
    """Return the median of values that count several times or not at all.

    With an even total the mean of the two middle values, as numpy's median.
    """
    order = np.argsort(values, kind="stable")
    ordered, cumulated = values[order], np.cumsum(weights[:, order], axis=1)
    half = cumulated[:, -1:] / 2.0
    lower = ordered[(cumulated < half).sum(axis=1)]
    upper = ordered[np.minimum((cumulated <= half).sum(axis=1), len(values) - 1)]
    return (lower + upper) / 2.0
