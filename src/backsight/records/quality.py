"""What quality control found in a sequence."""

import msgspec


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
    """Metric name to score: geometric_consistency, visual_quality, temporal_smoothness, annotation_consistency."""
    failures: tuple[Finding, ...] = ()

    @property
    def accepted(self) -> bool:
        """Every score at least 0.7, their mean at least 0.75, no hard failure."""
        values = list(self.scores.values())
        return not self.failures and min(values, default=0.0) >= 0.7 and sum(values) >= 0.75 * len(values)
