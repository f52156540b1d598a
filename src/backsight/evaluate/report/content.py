"""What a report shows."""

from dataclasses import dataclass

import numpy as np

from backsight.evaluate.report.drawings import CurvePoint
from backsight.geometry.cells import ImageFit
from backsight.records.instruction import Instruction
from backsight.records.prediction import Prediction, Truth
from backsight.records.score import ScoreRow
from backsight.records.sequence import Sequence


@dataclass(frozen=True)
class Tile:
    """One headline figure."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Walk:
    """One sample shown in pictures."""

    reason: str
    """Why this one is shown: worst, median, best, random."""
    sequence: Sequence
    fit: ImageFit
    prediction: Prediction
    truth: Truth
    instructions: tuple[Instruction, ...]
    footprint_auc: float
    """Mean over the frames that can be scored."""
    frame_aucs: tuple[float | None, ...]
    """Of each history frame; None where the truth is (nearly) everything or nothing."""


@dataclass(frozen=True)
class RealWalks:
    """Footprints on recorded video that the model was never trained on."""

    description: str
    rows: tuple[ScoreRow, ...]
    walks: tuple[Walk, ...]


@dataclass(frozen=True)
class ReportContent:
    """Everything that goes into the page."""

    title: str
    summary: str
    """One paragraph: what is seen here and what it rests on."""
    rows: tuple[ScoreRow, ...]
    walks: tuple[Walk, ...]
    selection_rule: str
    """How the walks were chosen."""
    tiles: tuple[Tile, ...] = ()
    """Headline figures; empty: taken from the rows."""
    real: RealWalks | None = None
    curve_points: tuple[CurvePoint, ...] = ()
    curve_pictures: tuple[bytes, ...] = ()
    """PNG files."""
    facts: tuple[tuple[str, str], ...] = ()
    """Configuration, minutes, parameters, counts: name and value."""


SELECTION_RULE = (
    "Walks are chosen by rule: the median, the best and the worst by mean footprint AUC, then others drawn at random "
    "with the evaluation's seed."
)


def choose_walks(aucs: dict[tuple[str, int], float], num_random: int, seed: int) -> list[tuple[tuple[str, int], str]]:
    """Return which samples to show and why: median, best, worst by footprint AUC, then random ones.

    Args:
        aucs: mean footprint AUC of each sample that has one, by sequence id and current frame.
        num_random: how many random ones beside them, fewer when there are fewer samples.
        seed: of the random ones.
    """
    ordered = sorted(aucs, key=lambda key: (aucs[key], key))
    if not ordered:
        return []
    chosen: dict[tuple[str, int], str] = {}
    for key, reason in ((ordered[len(ordered) // 2], "median"), (ordered[-1], "best"), (ordered[0], "worst")):
        chosen.setdefault(key, reason)
    rest = [key for key in sorted(aucs) if key not in chosen]
    for position in np.random.default_rng(seed).permutation(len(rest))[:num_random]:
        chosen[rest[position]] = "random"
    return list(chosen.items())
