"""Written predictions against the truth: rows of figures with intervals. Needs neither torch nor a GPU."""

from collections.abc import Sequence as Sized
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.progress import track

from backsight.evaluate.answers import add_answers, commonest_answers
from backsight.evaluate.bins import BEARING_BINNINGS, MAP_BINNINGS, FrameConditions, binned, frame_conditions
from backsight.evaluate.metric_names import NAMES_A_COLOUR, NAMES_NO_COLOUR
from backsight.evaluate.prediction_files import IndexEntry, read_index, read_prediction
from backsight.evaluate.samples import EvaluationConfig, EvaluationSample, SequenceSource, samples_of
from backsight.evaluate.tally import Tally
from backsight.evaluate.truth import target_maps, truth_of
from backsight.metrics.bearing import bearing_errors
from backsight.metrics.distinctness import distinctness
from backsight.metrics.spatial import SpatialValues, auc, eligible, spatial_values
from backsight.records.errors import DataError
from backsight.records.prediction import Prediction, Truth
from backsight.records.score import ScoreRow
from backsight.records.sequence import Sequence

SampleKey = tuple[str, int]
"""Sequence id and current frame."""


@dataclass(frozen=True)
class Scores:
    """All rows, and the footprint AUC of every sample for the choice of pictures."""

    rows: list[ScoreRow]
    sample_aucs: dict[str, dict[SampleKey, float]]
    """By predictor, then by sample; mean over the frames that can be scored; samples without any are left out."""


def score_predictions(folders: Sized[Path], source: SequenceSource, config: EvaluationConfig) -> list[ScoreRow]:
    """Return the rows of every predictor; see `score_all`."""
    return score_all(folders, source, config).rows


def score_all(folders: Sized[Path], source: SequenceSource, config: EvaluationConfig) -> Scores:
    """Score prediction folders against the walks they belong to.

    Args:
        folders: one for each predictor.
        source: the walks.
        config: grid, history, bootstrap.

    Raises:
        DataError: a folder lacks a sample, holds one that the evaluation does not ask for, or answers another history.
    """
    indices = [_index_by_sample(folder) for folder in folders]
    names = [_predictor_of(folder, index) for folder, index in zip(folders, indices, strict=True)]
    if len(set(names)) != len(names):
        raise DataError(folders[0], "predictor", f"two folders hold one predictor: {sorted(names)}")
    tallies = [Tally(name, config) for name in names]
    sample_aucs: dict[str, dict[SampleKey, float]] = {name: {} for name in names}
    sequence_ids = source.sequence_ids()
    asked = [s.key for i in sequence_ids for s in samples_of(source.annotations(i), config.max_history)]
    for folder, index in zip(folders, indices, strict=True):
        _check_samples(folder, index, asked)
    commonest = commonest_answers(source)
    walks = track(source.samples(config.max_history), description="scoring", total=len(asked), transient=True)
    for sequence, sample in walks:
        truth = None
        for folder, index, tally in zip(folders, indices, tallies, strict=True):
            prediction = read_prediction(folder, index[sample.key])
            _check_prediction(prediction, sample, config, folder / index[sample.key].file)
            truth = _truth_for(prediction, truth, sequence, sample, config)
            mean_auc = _add_footprints(tally, sample, prediction, truth[1], sequence)
            if mean_auc is not None:
                sample_aucs[tally.predictor][sample.key] = mean_auc
            _add_targets(tally, sample, prediction, truth[1])
            add_answers(tally, sample, prediction, truth[1], commonest)
    return Scores([row for tally in tallies for row in tally.rows()], sample_aucs)


def frame_aucs(prediction: Prediction, truth: Truth) -> tuple[float | None, ...]:
    """Return the footprint AUC of each history frame; None where the truth is (nearly) everything or nothing."""
    values = auc(prediction.footprint, truth.footprint, truth.footprint_valid)
    counts = eligible(truth.footprint, truth.footprint_valid)
    return tuple(float(v) if c else None for v, c in zip(values, counts, strict=True))


def _index_by_sample(folder: Path) -> dict[SampleKey, IndexEntry]:
    return {(e.info.sequence_id, e.info.current_frame): e for e in read_index(folder)}


def _predictor_of(folder: Path, index: dict[SampleKey, IndexEntry]) -> str:
    if not index:
        raise DataError(folder, "entries", "holds no prediction", "run predict again")
    return next(iter(index.values())).info.predictor


def _check_samples(folder: Path, index: dict[SampleKey, IndexEntry], asked: list[SampleKey]) -> None:
    missing, unknown = sorted(set(asked) - index.keys()), sorted(index.keys() - set(asked))
    if missing:
        sequence_id, frame = missing[0]
        raise DataError(folder, sequence_id, f"frame {frame} is not predicted ({len(missing)} samples lack)")
    if unknown:
        sequence_id, frame = unknown[0]
        raise DataError(folder, sequence_id, f"frame {frame} is not part of this evaluation", "another split?")


def _check_prediction(prediction: Prediction, sample: EvaluationSample, config: EvaluationConfig, path: Path) -> None:
    if len(prediction.history_frames) and not np.array_equal(prediction.history_frames, sample.history_frames):
        raise DataError(path, "history_frames", "are not the frames that the evaluation asks for")
    grid, wanted = prediction.footprint.shape[1:], (config.map_height, config.map_width)
    if grid != wanted:
        raise DataError(path, "footprint", f"maps are {grid[1]} x {grid[0]} cells, not {wanted[1]} x {wanted[0]}")
    if prediction.info.instruction_ids not in ((), sample.instruction_ids):
        raise DataError(path, "instruction_ids", "are not those of the current frame")


def _truth_for(
    prediction: Prediction,
    known: tuple[np.ndarray, Truth] | None,
    sequence: Sequence,
    sample: EvaluationSample,
    config: EvaluationConfig,
) -> tuple[np.ndarray, Truth]:
    """Return keyframes and truth; footprints are shared by all predictors, targets by those with equal keyframes."""
    keyframes, fit = prediction.keyframes, config.fit_of(sequence)
    if known is None:
        frames = sample.current_frame, sample.history_frames, keyframes
        return keyframes, truth_of(sequence, *frames, sample.instructions, fit)
    if np.array_equal(known[0], keyframes):
        return known
    target, present = target_maps(sequence, keyframes, sample.instructions, fit)
    valid = np.ones(target.shape, dtype=bool)
    return keyframes, replace(known[1], target=target, target_valid=valid, target_presence=present)


def _add_footprints(
    tally: Tally, sample: EvaluationSample, prediction: Prediction, truth: Truth, sequence: Sequence
) -> float | None:
    """Add everything about footprints and return their mean AUC where there is one."""
    if not len(prediction.history_frames):
        return None
    valid = truth.footprint_valid
    values = spatial_values(prediction.footprint, truth.footprint, valid)
    counts = values.eligible
    _add_spatial(tally, "footprint_", "", sample, values, counts)
    tally.add_means("footprint_nss", sample, values.nss[counts])
    tally.add_means("footprint_iou", sample, values.iou[counts])
    conditions = frame_conditions(sequence, sample, truth)
    for base, of_maps in (("footprint_auc", values.auc), ("footprint_hit", values.pointing_hit)):
        for metric, inside in binned(MAP_BINNINGS, conditions, counts, base):
            tally.add_means(metric, sample, of_maps[inside])
    tally.add_presence("presence", sample, prediction.footprint_presence, truth.footprint_presence)
    _add_distinctness(tally, sample, prediction, truth)
    if prediction.bearing.any():
        _add_bearings(tally, sample, prediction, truth, conditions)
    return float(values.auc[counts].mean()) if counts.any() else None


def _add_spatial(
    tally: Tally, prefix: str, suffix: str, sample: EvaluationSample, values: SpatialValues, counts: np.ndarray
) -> None:
    for name, of_maps in (
        ("auc", values.auc),
        ("cc", values.cc),
        ("soft_iou", values.soft_iou),
        ("hit", values.pointing_hit),
    ):
        tally.add_means(f"{prefix}{name}{suffix}", sample, of_maps[counts])


def _add_distinctness(tally: Tally, sample: EvaluationSample, prediction: Prediction, truth: Truth) -> None:
    found = distinctness(prediction.footprint, truth.footprint, truth.footprint_valid, truth.footprint_presence)
    if not found.pairs:
        return
    above, below = found.predicted_distance, found.true_distance
    tally.add_ratio("distinctness_ratio", sample, above, below, found.pairs)
    tally.add_means("frame_identification", sample, found.identified)
    chance = np.full(len(found.identified), found.chance)
    tally.add_means("frame_identification_chance", sample, chance)


def _add_bearings(
    tally: Tally, sample: EvaluationSample, prediction: Prediction, truth: Truth, conditions: FrameConditions
) -> None:
    errors = bearing_errors(prediction.bearing, prediction.distance_m, truth.bearing, truth.distance_m)
    tally.add_medians("bearing_median_deg", sample, errors.angle_deg[errors.counted])
    for metric, inside in binned(BEARING_BINNINGS, conditions, errors.counted, "bearing_median_deg"):
        tally.add_medians(metric, sample, errors.angle_deg[inside])
    within = errors.within_15_deg[errors.counted].astype(np.float64)
    tally.add_means("bearing_within_15deg", sample, within)
    tally.add_medians("distance_relative_error", sample, errors.relative_distance[errors.counted])


def _add_targets(tally: Tally, sample: EvaluationSample, prediction: Prediction, truth: Truth) -> None:
    """Add everything about targets: over all instructions, then apart by whether a colour is named."""
    if not prediction.info.instruction_ids:
        return
    names_colour = np.array([i.colour is not None for i in sample.instructions])
    everyone = np.ones(len(names_colour), dtype=bool)
    for suffix, rows in (("", everyone), (NAMES_A_COLOUR, names_colour), (NAMES_NO_COLOUR, ~names_colour)):
        if not rows.any():
            continue
        maps = prediction.target[rows].reshape(-1, *prediction.target.shape[2:])
        true, present = truth.target[rows].reshape(maps.shape), truth.target_presence[rows].ravel()
        values = spatial_values(maps, true, truth.target_valid[rows].reshape(maps.shape))
        _add_spatial(tally, "target_", suffix, sample, values, values.eligible & present)
        told = prediction.target_presence[rows].ravel()
        tally.add_presence("target_presence", sample, told, present, suffix)
