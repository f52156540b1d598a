"""What every metric is called on screen, in which order, and which way is better."""

from dataclasses import dataclass
from typing import Literal

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

FOOTPRINT_PREDICTORS = (
    MODEL,
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
    "model_shuffled",
    "uniform",
    "centre",
    "dataset_mean",
    "category_mean",
    "colour_naming",
    "colour_and_category",
)
ORACLES = ("oracle", "oracle_depth_noise", "oracle_pose_noise")

PREDICTOR_LABELS: dict[str, str] = {
    "model": "Backsight",
    "model_shuffled": "shuffled words",
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
    "model_shuffled": "shuffled\nwords",
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

COVERAGE_BINS: tuple[tuple[float, float], ...] = ((0.01, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.0))
"""Share of the current view that the history frame saw too."""
YAW_BINS_DEG: tuple[tuple[int, int], ...] = ((0, 15), (15, 35), (35, 60), (60, 90), (90, 180))
"""Angle between the two cameras' headings."""


def coverage_metric(low: float, high: float) -> str:
    """Return the name of the footprint AUC inside one bin of coverage."""
    return f"footprint_auc@coverage_{low:g}-{high:g}"


def yaw_metric(low_deg: int, high_deg: int) -> str:
    """Return the name of the footprint AUC inside one bin of heading difference."""
    return f"footprint_auc@yaw_{low_deg}-{high_deg}"


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
        "Footprint AUC by overlap and by turn of the head",
        tuple(
            MetricName(coverage_metric(low, high), f"overlap {low * 100:g} to {high * 100:g} %")
            for low, high in COVERAGE_BINS
        )
        + tuple(MetricName(yaw_metric(low, high), f"turn {low} to {high} degrees") for low, high in YAW_BINS_DEG),
        FOOTPRINT_PREDICTORS,
    ),
    MetricGroup("Targets: where the named thing is in each keyframe", _target_rows(""), TARGET_PREDICTORS),
    MetricGroup("Targets, instruction names a colour", _target_rows(NAMES_A_COLOUR), TARGET_PREDICTORS),
    MetricGroup("Targets, instruction names no colour", _target_rows(NAMES_NO_COLOUR), TARGET_PREDICTORS),
    MetricGroup(
        "Reasoning: the answer in words, by what it takes",
        _reasoning_rows("", "all")
        + tuple(
            name
            for kind in REASONING_TYPES
            for name in _reasoning_rows(reasoning_suffix(kind), kind.replace("_", " or "))
        ),
        (MODEL, "model_shuffled"),
    ),
)


def predictor_label(predictor: str) -> str:
    """Return how a predictor is called on screen; an unknown one keeps its name."""
    return PREDICTOR_LABELS.get(predictor, predictor)
