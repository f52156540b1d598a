"""The quality of one sequence."""

from backsight.quality.annotations import score_annotations
from backsight.quality.geometric import score_geometry
from backsight.quality.integrity import find_broken_parts
from backsight.quality.limits import QualityLimits
from backsight.quality.motion import score_motion
from backsight.quality.visual import score_pictures
from backsight.records.quality import QualityReport
from backsight.records.sequence import Sequence

METRICS: tuple[str, ...] = ("geometric_consistency", "visual_quality", "temporal_smoothness", "annotation_consistency")
DEFAULT_LIMITS = QualityLimits()
IMPORTED_LIMITS = QualityLimits(motion=None)
"""For walks that were recorded elsewhere: nothing was promised about their motion."""


def check_sequence(sequence: Sequence, limits: QualityLimits = DEFAULT_LIMITS) -> QualityReport:
    """Return scores and hard failures of a sequence.

    Args:
        sequence: Before it is committed, or read back from disk.
        limits: What is allowed.
    """
    name = sequence.annotations.sequence_id
    broken = find_broken_parts(sequence)
    if broken:
        return QualityReport(name, dict.fromkeys(METRICS, 0.0), tuple(broken))
    geometric, depth_findings = score_geometry(sequence, limits)
    smooth, jump_findings = score_motion(sequence, limits)
    consistent, annotation_findings = score_annotations(sequence)
    scores = dict(zip(METRICS, (geometric, score_pictures(sequence), smooth, consistent), strict=True))
    return QualityReport(name, scores, (*depth_findings, *jump_findings, *annotation_findings))


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
    return f"{name} {score:.2f}, mean {sum(report.scores.values()) / len(report.scores):.2f}"
