"""The quality of one sequence."""

from backsight.quality.agreement import compare_frames, compared_pairs
from backsight.quality.annotations import judge_annotations
from backsight.quality.coverage import judge_coverage
from backsight.quality.geometric import judge_geometry
from backsight.quality.integrity import find_broken_parts
from backsight.quality.judgement import Judgement
from backsight.quality.limits import QualityLimits
from backsight.quality.motion import judge_motion
from backsight.quality.samples import sample_views
from backsight.quality.visual import judge_pictures
from backsight.records.quality import METRIC_WEIGHTS, Finding, QualityReport
from backsight.records.sequence import Sequence

METRICS: tuple[str, ...] = tuple(METRIC_WEIGHTS)
DEFAULT_LIMITS = QualityLimits()
IMPORTED_LIMITS = QualityLimits(motion=None, agreement_m=0.05, agreement_share=0.05)
"""For walks that were recorded elsewhere: nothing was promised about their motion, and sensors have noise."""
NOTEWORTHY = 0.9
"""Parts above are not worth a word."""


def check_sequence(sequence: Sequence, limits: QualityLimits = DEFAULT_LIMITS) -> QualityReport:
    """Return scores with their parts and hard failures of a sequence.

    Args:
        sequence: Before it is committed, or read back from disk.
        limits: What is allowed.
    """
    name = sequence.annotations.sequence_id
    broken = find_broken_parts(sequence)
    if broken:
        return _recommended(QualityReport(name, dict.fromkeys(METRICS, 0.0), tuple(broken)))
    judged = judge_sequence(sequence, limits)
    findings: list[Finding] = []
    for judgement in judged.values():
        findings += judgement.findings
    return _recommended(
        QualityReport(
            sequence_id=name,
            scores={metric: judgement.score for metric, judgement in judged.items()},
            failures=tuple(findings),
            parts={metric: judgement.parts for metric, judgement in judged.items()},
        )
    )


def judge_sequence(sequence: Sequence, limits: QualityLimits) -> dict[str, Judgement]:
    """Return every metric that applies, in the order of `METRICS`.

    Args:
        sequence: With finite images of equal size and rigid poses.
        limits: What is allowed.
    """
    views = sample_views(sequence)
    first, second = compared_pairs(sequence.num_frames)
    tolerance = (limits.agreement_m, limits.agreement_share)
    readings = compare_frames(sequence, views, first, second, tolerance)
    judged = {
        "geometric_consistency": judge_geometry(sequence, readings, limits),
        "visual_quality": judge_pictures(sequence),
        "spatial_coverage": judge_coverage(sequence, views),
        "temporal_smoothness": judge_motion(sequence, limits),
        "annotation_consistency": judge_annotations(sequence, views, readings, limits),
    }
    return {metric: judgement for metric, judgement in judged.items() if judgement is not None}


def rejection_reason(report: QualityReport) -> str:
    """Return in one line why a report rejects its sequence; empty when it accepts.

    Args:
        report: Of one sequence.
    """
    if report.accepted:
        return ""
    if report.failures:
        first = report.failures[0]
        place = f" in frame {first.frame}" if first.frame is not None else ""
        more = f" and {len(report.failures) - 1} more" if len(report.failures) > 1 else ""
        return f"{first.field}{place}: {first.problem}{more}"
    name, score = min(report.scores.items(), key=lambda item: item[1])
    lowest = min(report.parts.get(name, {}).items(), key=lambda item: item[1], default=None)
    part = f" ({lowest[0]} {lowest[1]:.2f})" if lowest is not None else ""
    return f"{name} {score:.2f}{part}, overall {report.overall:.2f}"


def _recommended(report: QualityReport) -> QualityReport:
    if not report.accepted:
        advice = f"collect again: {rejection_reason(report)}"
    else:
        parts = [(v, f"{metric}.{name}") for metric, named in report.parts.items() for name, v in named.items()]
        value, name = min(parts)
        advice = "keep" if value > NOTEWORTHY else f"keep; weakest is {name} with {value:.2f}"
    return QualityReport(report.sequence_id, report.scores, report.failures, report.parts, advice)
