"""Figures of history frames apart by what makes them hard: overlap, distance and turn of the head."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from backsight.evaluate.samples import EvaluationSample
from backsight.geometry.poses import heading_rad
from backsight.records.prediction import Truth
from backsight.records.sequence import Sequence


@dataclass(frozen=True)
class Binning:
    """Bins along one quantity."""

    name: str
    """In the metrics' names."""
    edges: tuple[float, ...]
    """Rising; a value belongs to the bin whose lower edge it reaches, the last upper edge belongs to the last bin."""
    label: str
    unit: str
    shown_factor: float = 1.0
    """From the quantity to what the label shows."""

    def bins(self) -> tuple[tuple[float, float], ...]:
        """Return lower and upper edge of each bin."""
        return tuple(zip(self.edges[:-1], self.edges[1:], strict=True))

    def metric(self, base: str, low: float, high: float) -> str:
        """Return the name of a metric inside one bin."""
        end = f"-{high:g}" if np.isfinite(high) else "+"
        return f"{base}@{self.name}_{low:g}{end}"

    def bin_label(self, low: float, high: float) -> str:
        """Return what one bin is called on screen."""
        shown_low, shown_high = low * self.shown_factor, high * self.shown_factor
        if not np.isfinite(high):
            return f"{self.label} over {shown_low:g} {self.unit}"
        return f"{self.label} {shown_low:g} to {shown_high:g} {self.unit}"

    def members(self, values: Float64[np.ndarray, " history"]) -> Iterator[tuple[float, float, np.ndarray]]:
        """Yield lower edge, upper edge and which values lie in the bin."""
        for low, high in self.bins():
            last = high == self.edges[-1]
            yield low, high, (values >= low) & ((values < high) | (last & (values == high)))


OVERLAP = Binning("coverage", (0.01, 0.1, 0.3, 0.6, 1.0), "overlap", "%", 100.0)
"""Share of the current view that the history frame saw too."""
ANY_OVERLAP = Binning("coverage", (0.0, *OVERLAP.edges), "overlap", "%", 100.0)
"""Also frames that share nothing: they have a bearing, but no map that can be scored."""
DISTANCE = Binning("distance", (0.0, 0.5, 1.0, 2.0, 4.0, np.inf), "distance", "m")
"""Between the two cameras."""
TURN = Binning("yaw", (0.0, 15.0, 35.0, 60.0, 90.0, 180.0), "turn", "degrees")
"""Angle between the two cameras' headings."""

MAP_BINNINGS = (OVERLAP, DISTANCE, TURN)
BEARING_BINNINGS = (ANY_OVERLAP, DISTANCE, TURN)


@dataclass(frozen=True)
class FrameConditions:
    """How hard each history frame of a sample is."""

    overlap: Float64[np.ndarray, " history"]
    """Co-visible share of the current view's valid cells."""
    distance_m: Float64[np.ndarray, " history"]
    turn_deg: Float64[np.ndarray, " history"]
    """0 to 180."""

    def of(self, binning: Binning) -> Float64[np.ndarray, " history"]:
        """Return the quantity that a binning divides."""
        return {"coverage": self.overlap, "distance": self.distance_m, "yaw": self.turn_deg}[binning.name]


def frame_conditions(sequence: Sequence, sample: EvaluationSample, truth: Truth) -> FrameConditions:
    """Return overlap, distance and turn of every history frame against the current view.

    Args:
        sequence: the walk; its poses are read.
        sample: current frame and history.
        truth: of this sample.
    """
    valid = truth.footprint_valid
    covered = (truth.footprint * valid).sum(axis=(1, 2)) / np.maximum(valid.sum(axis=(1, 2)), 1)
    turn_deg = heading_differences_deg(sequence, sample)
    return FrameConditions(covered.astype(np.float64), truth.distance_m.astype(np.float64), turn_deg)


def heading_differences_deg(sequence: Sequence, sample: EvaluationSample) -> Float64[np.ndarray, " history"]:
    """Return how far each history camera is turned away from the current one about the vertical, 0 to 180 degrees."""
    headings = heading_rad(sequence.world_from_camera)
    turned = headings[sample.history_frames] - headings[sample.current_frame]
    return np.degrees(np.abs((turned + np.pi) % (2.0 * np.pi) - np.pi))


def binned(
    binnings: tuple[Binning, ...], conditions: FrameConditions, counted: Bool[np.ndarray, " history"], base: str
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name of a metric in each bin, and which history frames count there.

    Args:
        binnings: along which quantities.
        conditions: of the history frames.
        counted: frames for which the metric means something.
        base: the metric's name without bins.
    """
    for binning in binnings:
        for low, high, inside in binning.members(conditions.of(binning)):
            yield binning.metric(base, low, high), inside & counted
