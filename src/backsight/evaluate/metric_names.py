"""What every metric is called on screen, in which order, and which way is better."""

from dataclasses import dataclass
from typing import Literal

from backsight.evaluate.bins import BEARING_BINNINGS, MAP_BINNINGS, Binning
from backsight.evaluate.samples import Shuffle
from backsight.records.vocabulary import REASONING_TYPES

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True)
class MetricName:
    """One row of the tables."""

    metric: str
    label: str
    better: Better = "higher"
    digits: int = 3


@dataclass(frozen=True)
class MetricGroup:
    """Rows that belong together, and the predictors that stand beside the model there."""

    title: str
    metrics: tuple[MetricName, ...]
    predictors: tuple[str, ...]


MODEL = "model"
SHUFFLED_INSTRUCTIONS = "model_shuffled"
SHUFFLED_HISTORY = "model_shuffled_history"
SHUFFLED: dict[Shuffle, str] = {"instructions": SHUFFLED_INSTRUCTIONS, "history": SHUFFLED_HISTORY}
CONTROLS = (SHUFFLED_INSTRUCTIONS, SHUFFLED_HISTORY)
"""The model, given what it must not do well with."""

MODEL_GIVEN = "model_given"
"""The model with depth and poses; shown beside the oracles where it was asked for."""

FOOTPRINT_PREDICTORS = (
    MODEL,
    SHUFFLED_HISTORY,
    "uniform",
    "centre",
    "dataset_mean",
    "colour_histogram",
    "image_matcher",
    "oracle_pose_noise",
    "oracle_depth_noise",
)
TARGET_PREDICTORS = (
    MODEL,
    SHUFFLED_INSTRUCTIONS,
    "uniform",
    "centre",
    "dataset_mean",
    "category_mean",
    "colour_naming",
    "colour_and_category",
)
IMAGINED_PREDICTORS = (MODEL, "model_turned", "uniform", "dataset_mean", "category_mean")
ORACLES = ("oracle", "oracle_depth_noise", "oracle_pose_noise")
NOT_COMPETING = (*ORACLES, MODEL_GIVEN)
"""Predictors that get depth or poses: never the best of a line."""

PREDICTOR_LABELS: dict[str, str] = {
    "model": "Backsight",
    "model_given": "Backsight, geometry given",
    "model_shuffled": "shuffled words",
    "model_shuffled_history": "shuffled history",
    "model_turned": "current view, turned",
    "uniform": "uniform",
    "centre": "centre Gaussian",
    "dataset_mean": "dataset mean",
    "colour_histogram": "colour histogram",
    "image_matcher": "SIFT matcher",
    "category_mean": "category mean",
    "colour_naming": "colour naming",
    "colour_and_category": "colour x category",
    "oracle_depth_noise": "oracle, depth noise",
    "oracle_pose_noise": "oracle, pose noise",
    "oracle": "oracle, clean",
}

SHORT_LABELS: dict[str, str] = {
    "model": "Backsight",
    "model_given": "geom.\ngiven",
    "model_shuffled": "shuffled\nwords",
    "model_shuffled_history": "shuff.\nhist.",
    "model_turned": "current\nturned",
    "uniform": "uniform",
    "centre": "centre\nGauss",
    "dataset_mean": "data\nmean",
    "colour_histogram": "colour\nhist.",
    "image_matcher": "SIFT",
    "category_mean": "categ.\nmean",
    "colour_naming": "colour\nnaming",
    "colour_and_category": "colour\nx cat.",
    "oracle_depth_noise": "oracle\ndepth",
    "oracle_pose_noise": "oracle\npose",
    "oracle": "oracle\nclean",
}
"""Heads of the terminal's columns, which have to fit beside each other."""


def _binned_rows(
    base: str, binnings: tuple[Binning, ...], better: Better = "higher", digits: int = 3
) -> tuple[MetricName, ...]:
    return tuple(
        MetricName(binning.metric(base, low, high), binning.bin_label(low, high), better, digits)
        for binning in binnings
        for low, high in binning.bins()
    )


TURN_BINS_DEG: tuple[tuple[int, int], ...] = ((0, 45), (45, 90), (90, 181))
"""How far an imagined view is turned away from the current one."""


def turn_suffix(low_deg: int, high_deg: int) -> str:
    """Return what follows a metric's name when only imagined views turned so far count."""
    return f"@turn_{low_deg}-{high_deg}"


def _target_rows(suffix: str) -> tuple[MetricName, ...]:
    return (
        MetricName(f"target_auc{suffix}", "AUC"),
        MetricName(f"target_cc{suffix}", "CC"),
        MetricName(f"target_soft_iou{suffix}", "soft IoU"),
        MetricName(f"target_hit{suffix}", "pointing hit"),
        MetricName(f"target_presence_auroc{suffix}", "presence AUROC"),
        MetricName(f"target_presence_balanced_accuracy{suffix}", "presence balanced acc."),
        MetricName(f"target_presence_ece{suffix}", "presence calibration err.", "lower"),
    )


def _imagined_rows(suffix: str, label: str) -> tuple[MetricName, ...]:
    return (
        MetricName(f"imagined_auc{suffix}", f"{label}: AUC"),
        MetricName(f"imagined_hit{suffix}", "  pointing hit"),
        MetricName(f"imagined_presence_auroc{suffix}", "  presence AUROC"),
        MetricName(f"imagined_presence_balanced_accuracy{suffix}", "  presence balanced acc."),
        MetricName(f"imagined_presence_ece{suffix}", "  presence calibration err.", "lower"),
    )


def reasoning_suffix(reasoning_type: str) -> str:
    """Return what follows a metric's name when only one reasoning type counts."""
    return f"@{reasoning_type}"


def _reasoning_rows(suffix: str, label: str) -> tuple[MetricName, ...]:
    return (
        MetricName(f"reasoning_accuracy{suffix}", f"{label}: exact answer"),
        MetricName(f"reasoning_accuracy_chance{suffix}", "  chance (commonest answer)", "neither"),
        MetricName(f"reasoning_hit{suffix}", "  pointing hit"),
        MetricName(f"reasoning_both{suffix}", "  both right"),
    )


NAMES_A_COLOUR = "@names_a_colour"
NAMES_NO_COLOUR = "@names_no_colour"

_REASONING_LABELS = {
    "front_behind": "front or behind",
    "left_right": "left or right",
    "above_below": "above or below",
    "inside_outside": "inside or outside",
    "near_far": "near or far",
    "between_among": "between or among",
    "what_if": "what if",
}
"""Types whose names are more than their words."""
GROUPS: tuple[MetricGroup, ...] = (
    MetricGroup(
        "Footprints: where a remembered frame lies in the present view",
        (
            MetricName("footprint_auc", "AUC"),
            MetricName("footprint_cc", "CC"),
            MetricName("footprint_nss", "NSS"),
            MetricName("footprint_soft_iou", "soft IoU"),
            MetricName("footprint_hit", "pointing hit"),
            MetricName("footprint_iou", "IoU at 0.5"),
            MetricName("presence_auroc", "presence AUROC"),
            MetricName("presence_balanced_accuracy", "presence balanced acc."),
            MetricName("presence_ece", "presence calibration err.", "lower"),
            MetricName("distinctness_ratio", "distinctness ratio"),
            MetricName("frame_identification", "frame identification"),
            MetricName("frame_identification_chance", "  chance", "neither"),
        ),
        FOOTPRINT_PREDICTORS,
    ),
    MetricGroup(
        "Bearings: where a remembered camera stood",
        (
            MetricName("bearing_median_deg", "median error, degrees", "lower", 1),
            MetricName("bearing_within_15deg", "within 15 degrees"),
            MetricName("distance_relative_error", "median rel. distance error", "lower"),
        ),
        FOOTPRINT_PREDICTORS,
    ),
    MetricGroup(
        "Footprint AUC by overlap, distance and turn of the head",
        _binned_rows("footprint_auc", MAP_BINNINGS),
        FOOTPRINT_PREDICTORS,
    ),
    MetricGroup(
        "Footprint pointing hit by overlap, distance and turn of the head",
        _binned_rows("footprint_hit", MAP_BINNINGS),
        FOOTPRINT_PREDICTORS,
    ),
    MetricGroup(
        "Median bearing error in degrees by overlap, distance and turn of the head",
        _binned_rows("bearing_median_deg", BEARING_BINNINGS, "lower", 1),
        FOOTPRINT_PREDICTORS,
    ),
    MetricGroup("Targets: where the named thing is in each keyframe", _target_rows(""), TARGET_PREDICTORS),
    MetricGroup("Targets, instruction names a colour", _target_rows(NAMES_A_COLOUR), TARGET_PREDICTORS),
    MetricGroup("Targets, instruction names no colour", _target_rows(NAMES_NO_COLOUR), TARGET_PREDICTORS),
    MetricGroup(
        "Imagined views: where the named thing would be with the head turned",
        _imagined_rows("", "all")
        + _imagined_rows("@turned", "turned only")
        + _imagined_rows("@turned_and_moved", "turned and moved")
        + tuple(
            name
            for low, high in TURN_BINS_DEG
            for name in _imagined_rows(turn_suffix(low, high), f"turned {low} to {min(high, 180)} degrees")
        ),
        IMAGINED_PREDICTORS,
    ),
    MetricGroup(
        "Reasoning: the answer in words, by what it takes",
        _reasoning_rows("", "all")
        + tuple(
            name
            for kind in REASONING_TYPES
            for name in _reasoning_rows(reasoning_suffix(kind), _REASONING_LABELS.get(kind, kind.replace("_", " ")))
        ),
        (MODEL, SHUFFLED_INSTRUCTIONS),
    ),
)


def predictor_label(predictor: str) -> str:
    """Return how a predictor is called on screen; an unknown one keeps its name."""
    return PREDICTOR_LABELS.get(predictor, predictor)
