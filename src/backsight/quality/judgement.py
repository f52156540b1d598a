"""What a metric says of a sequence."""

from collections.abc import Mapping
from dataclasses import dataclass

from backsight.records.quality import Finding

Problem = tuple[str, str, int | None]
"""Field of the annotations, what is wrong, frame."""


@dataclass(frozen=True)
class Judgement:
    """One metric of one sequence."""

    score: float
    """In [0, 1]."""
    parts: dict[str, float]
    """Name of each part to its value in [0, 1]."""
    findings: tuple[Finding, ...] = ()
    """Hard failures."""


def weighted_mean(parts: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Return the mean of the parts, weighted; parts that do not apply leave their weight to the others.

    Args:
        parts: Name to value.
        weights: Name to weight, of all parts.
    """
    total = sum(weights[name] for name in parts)
    return sum(weights[name] * value for name, value in parts.items()) / total


def weakest_counts(parts: Mapping[str, float], margin: float) -> float:
    """Return the mean of the parts, but at most the lowest one and a margin: the others can't make it good.

    Args:
        parts: Name to value.
        margin: How far the mean may lie above the lowest part.
    """
    values = list(parts.values())
    return min(sum(values) / len(values), min(values) + margin)
