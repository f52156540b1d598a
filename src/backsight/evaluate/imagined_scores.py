"""Imagined views scored: the model beside constant maps, means of training, and its own current view turned."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from backsight.data.imagined_views import current_from_imagined, imagined_of_frame
from backsight.evaluate.imagined_files import prediction_path, read_imagined
from backsight.evaluate.metric_names import TURN_BINS_DEG, turn_suffix
from backsight.evaluate.samples import EvaluationConfig, EvaluationSample, SequenceSource, samples_of
from backsight.evaluate.tally import Tally
from backsight.evaluate.truth import target_maps
from backsight.geometry.cells import target_cells
from backsight.geometry.poses import rotation_angle_rad
from backsight.metrics.spatial import spatial_values
from backsight.records.score import ScoreRow
from backsight.records.sequence import Sequence

MAX_TRAINING_WALKS = 200
"""The means rest on at most so many walks of the training split, drawn with the evaluation's seed."""
SAME_PLACE_M = 1e-6
OVERALL = ""
"""Key of the mean over all categories."""


@dataclass(frozen=True)
class Said:
    """Maps and presence of one predictor, for every instruction and imagined view of a sample."""

    target: Float[np.ndarray, "instructions imagined height width"]
    presence: Float[np.ndarray, "instructions imagined"]


ImaginedMeans = Mapping[str, tuple[Float64[np.ndarray, "height width"], float]]
"""Mean map and share of views that show the target, by category."""


def score_imagined(
    folder: Path, source: SequenceSource, training: SequenceSource, config: EvaluationConfig
) -> list[ScoreRow]:
    """Return the rows of the model and its baselines.

    A pair of instruction and view counts where a keyframe of the model shows the target: of others nothing can be
    known. Maps count where the view shows it too.

    Args:
        folder: of `evaluate.imagined.predict_imagined`.
        source: the walks.
        training: the walks of the training split, for the means.
        config: grid and bootstrap.

    Raises:
        DataError: a prediction is missing or damaged.
    """
    means = imagined_means(training, config)
    tallies = {name: Tally(name, config) for name in _PREDICTORS}
    for sequence, sample in _samples(source, config):
        predicted = read_imagined(prediction_path(folder, sample.sequence_id, sample.current_frame))
        fit = config.fit_of(sequence)
        _, seen = target_maps(sequence, predicted.keyframes, sample.instructions, fit)
        truth, present = imagined_maps(sequence, sample, config)
        counted = np.broadcast_to(np.any(seen, axis=1, keepdims=True), present.shape)
        poses = current_from_imagined(sequence, sample.current_frame)
        turned = _turned(predicted.current_target, poses, sequence, config)
        shape = present.shape
        named = [means.get(one.category or "", means[OVERALL]) for one in sample.instructions] if means else []
        said = {
            "model": Said(predicted.target, predicted.presence),
            "model_turned": Said(turned, turned.max(axis=(2, 3))),
            "uniform": Said(np.full(truth.shape, 0.5), np.full(shape, 0.5)),
        }
        if means:
            said["dataset_mean"] = _repeated([means[OVERALL]] * shape[0], shape[1])
            said["category_mean"] = _repeated(named, shape[1])
        for name, answer in said.items():
            _add(tallies[name], sample, answer, (truth, present, counted), poses)
    return [row for tally in tallies.values() for row in tally.rows()]


_PREDICTORS = ("model", "model_turned", "uniform", "dataset_mean", "category_mean")


def imagined_maps(
    sequence: Sequence, sample: EvaluationSample, config: EvaluationConfig
) -> tuple[Float32[np.ndarray, "instructions imagined height width"], Bool[np.ndarray, "instructions imagined"]]:
    """Return true maps and presence of every instruction in every imagined view of a sample.

    Args:
        sequence: the walk, with images of its imagined views.
        sample: current frame and instructions.
        config: grid.
    """
    if sequence.imagined is None:
        raise ValueError(f"{sample.sequence_id} has no imagined views")
    fit, size = config.fit_of(sequence), (config.map_width, config.map_height)
    views = sequence.imagined.instance_ids[imagined_of_frame(sequence, sample.current_frame)]
    cells = [[target_cells(view, one.target_instance_ids, fit, *size) for view in views] for one in sample.instructions]
    maps = np.array([[found for found, _ in row] for row in cells], dtype=np.float32)
    return maps, np.array([[there for _, there in row] for row in cells], dtype=bool)


def imagined_means(training: SequenceSource, config: EvaluationConfig) -> ImaginedMeans:
    """Return the mean true map over the training split's imagined views, over all and by category.

    Args:
        training: the walks; empty where none has imagined views.
        config: grid, and the seed that draws the walks when there are many.
    """
    found: defaultdict[str, list[tuple[np.ndarray, float]]] = defaultdict(list)
    ids = training.sequence_ids()
    drawn = {ids[n] for n in np.random.default_rng(config.seed).permutation(len(ids))[:MAX_TRAINING_WALKS]}
    for sequence, sample in _samples(training, config, drawn):
        maps, present = imagined_maps(sequence, sample, config)
        for row, one in enumerate(sample.instructions):
            if one.target_instance_ids:
                entry = maps[row].mean(axis=0, dtype=np.float64), float(present[row].mean())
                found[one.category or ""].append(entry)
                found[OVERALL].append(entry)
    return {
        name: (np.mean([m for m, _ in entries], axis=0), float(np.mean([p for _, p in entries])))
        for name, entries in found.items()
    }


def turned_map(
    current: Float[np.ndarray, "height width"],
    current_from_imagined: Float64[np.ndarray, "3 3"],
    cell_intrinsics: Float64[np.ndarray, "3 3"],
) -> Float64[np.ndarray, "height width"]:
    """Return a map of the current view as a head that is only turned would see it; 0 outside of the view.

    Args:
        current: one value a cell.
        current_from_imagined: rotation.
        cell_intrinsics: in cells.
    """
    height, width = current.shape
    rows, columns = np.indices((height, width)) + 0.5
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(cell_intrinsics).T
    directions = rays @ current_from_imagined.T
    ahead = directions[..., 2] > 1e-6
    places = directions @ cell_intrinsics.T / np.where(ahead, directions[..., 2], 1.0)[..., None]
    # Our cell centres lie at half integers, those of OpenCV at integers.
    x, y = (np.where(ahead, places[..., axis] - 0.5, -10.0).clip(-1e4, 1e4).astype(np.float32) for axis in (0, 1))
    return cv2.remap(current.astype(np.float64), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def _samples(
    source: SequenceSource, config: EvaluationConfig, only: set[str] | None = None
) -> Iterator[tuple[Sequence, EvaluationSample]]:
    for sequence_id in source.sequence_ids():
        if (only is None or sequence_id in only) and source.annotations(sequence_id).imagined:
            sequence = source.read(sequence_id)
            for sample in samples_of(sequence.annotations, config.max_history):
                if sample.instructions and len(imagined_of_frame(sequence, sample.current_frame)):
                    yield sequence, sample


def _repeated(means: list[tuple[np.ndarray, float]], views: int) -> Said:
    maps = np.repeat(np.array([m for m, _ in means])[:, None], views, axis=1)
    return Said(maps, np.repeat(np.array([p for _, p in means])[:, None], views, axis=1))


def _turned(
    current: Float32[np.ndarray, "instructions height width"],
    poses: Float64[np.ndarray, "imagined 4 4"],
    sequence: Sequence,
    config: EvaluationConfig,
) -> Float64[np.ndarray, "instructions imagined height width"]:
    fit = config.fit_of(sequence)
    scale = np.diag([config.map_width / fit.target_width, config.map_height / fit.target_height, 1.0])
    intrinsics = scale @ fit.fit_intrinsics(sequence.intrinsics)
    return np.array([[turned_map(one, pose[:3, :3], intrinsics) for pose in poses] for one in current])


def _add(
    tally: Tally,
    sample: EvaluationSample,
    said: Said,
    truth: tuple[np.ndarray, np.ndarray, np.ndarray],
    poses: Float64[np.ndarray, "imagined 4 4"],
) -> None:
    maps, present, counted = truth
    moved = np.linalg.norm(poses[:, :3, 3], axis=-1) > SAME_PLACE_M
    turn_deg = np.degrees(rotation_angle_rad(poses[:, :3, :3]))
    groups = {"": np.ones(len(poses), dtype=bool), "@turned": ~moved, "@turned_and_moved": moved}
    for low, high in TURN_BINS_DEG:
        groups[turn_suffix(low, high)] = (turn_deg >= low) & (turn_deg < high)
    for suffix, views in groups.items():
        chosen = counted & views
        if not chosen.any():
            continue
        true, there = maps[chosen], present[chosen]
        values = spatial_values(said.target[chosen], true, np.ones(true.shape, dtype=bool))
        judged = values.eligible & there
        tally.add_means(f"imagined_auc{suffix}", sample, values.auc[judged])
        tally.add_means(f"imagined_hit{suffix}", sample, values.pointing_hit[judged])
        tally.add_presence("imagined_presence", sample, said.presence[chosen], there, suffix)
