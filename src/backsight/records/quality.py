"""What quality control found in a sequence."""

import msgspec

METRIC_WEIGHTS: dict[str, float] = {
    "geometric_consistency": 0.25,
    "visual_quality": 0.20,
    "spatial_coverage": 0.20,
    "temporal_smoothness": 0.15,
    "annotation_consistency": 0.20,
}
"""Metric to its weight in the overall score; a metric that does not apply to a walk leaves its weight to the others."""
LEAST_SCORE, LEAST_OVERALL = 0.7, 0.75


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong, with its place."""

    path: str
    """File, relative to the data set."""
    field: str
    problem: str
    frame: int | None = None


class QualityReport(msgspec.Struct, frozen=True):
    """Scores in [0, 1] and hard failures of one sequence."""

    sequence_id: str
    scores: dict[str, float]
    """Metric name to score, for the metrics that apply."""
    failures: tuple[Finding, ...] = ()
    parts: dict[str, dict[str, float]] = {}
    """Metric name to its parts and their values in [0, 1]; empty where the sequence could not be judged."""
    recommendation: str = ""
    """What to do with the sequence, in one line."""

    @property
    def overall(self) -> float:
        """Mean of the scores, weighted by `METRIC_WEIGHTS`."""
        weights = {name: METRIC_WEIGHTS[name] for name in self.scores}
        total = sum(weights.values())
        return sum(weights[name] * score for name, score in self.scores.items()) / total if total else 0.0

    @property
    def accepted(self) -> bool:
        """Every score at least 0.7, the overall score at least 0.75, no hard failure."""
        least = min(self.scores.values(), default=0.0)
        return not self.failures and least >= LEAST_SCORE and self.overall >= LEAST_OVERALL
