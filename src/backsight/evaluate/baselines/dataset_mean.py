"""Means over the training split: of footprints, targets, bearings; and of targets by category."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from rich.progress import track

from backsight.evaluate.baselines.question import (
    Answer,
    FootprintAnswer,
    Question,
    TargetAnswer,
    answer_prediction,
)
from backsight.evaluate.keyframe_choice import sample_keyframes
from backsight.evaluate.samples import EvaluationConfig, SequenceSource, samples_of
from backsight.evaluate.truth import truth_of
from backsight.records.errors import DataError
from backsight.records.prediction import Prediction

MAX_TRAINING_WALKS = 200
"""The means rest on at most so many walks of the training split, drawn with the evaluation's seed."""


@dataclass(frozen=True)
class TargetMean:
    """Mean target map and how often a keyframe shows the target."""

    target: Float64[np.ndarray, "height width"]
    presence: float


@dataclass(frozen=True)
class TrainingMeans:
    """What the training split looks like on average."""

    footprint: Float64[np.ndarray, "height width"]
    footprint_presence: float
    bearing: Float64[np.ndarray, "3"]
    """Unit vector along the mean direction."""
    distance_m: float
    target: TargetMean | None
    """None where no training walk has instructions."""
    target_by_category: dict[str, TargetMean]


@dataclass
class _Sums:
    """Running sums behind the means."""

    footprint: Float64[np.ndarray, "height width"]
    footprint_cells: Float64[np.ndarray, "height width"]
    present: float = 0.0
    maps: int = 0
    bearing: Float64[np.ndarray, "3"] | float = 0.0
    distance_m: float = 0.0


def measure_training_means(source: SequenceSource, config: EvaluationConfig) -> TrainingMeans:
    """Return the means over a training split.

    Args:
        source: the walks of the training split.
        config: grid, keyframes, and the seed that draws the walks when there are many.

    Raises:
        DataError: the walks hold no history frame at all.
    """
    shape = (config.map_height, config.map_width)
    sums = _Sums(np.zeros(shape), np.zeros(shape))
    targets: dict[str, list[tuple[np.ndarray, float]]] = {}
    ids = source.sequence_ids()
    drawn = np.random.default_rng(config.seed).permutation(len(ids))[:MAX_TRAINING_WALKS]
    for position in track(sorted(drawn), description="means of the training split", transient=True):
        sequence = source.read(ids[position])
        fit = config.fit_of(sequence)
        for sample in samples_of(sequence.annotations, config.max_history):
            keyframes = sample_keyframes(sequence, sample, config.num_keyframes)
            frame, history = sample.current_frame, sample.history_frames
            truth = truth_of(sequence, frame, history, keyframes, sample.instructions, fit)
            sums.footprint += (truth.footprint * truth.footprint_valid).sum(axis=0)
            sums.footprint_cells += truth.footprint_valid.sum(axis=0)
            sums.present += float(truth.footprint_presence.sum())
            sums.maps += len(history)
            sums.bearing = sums.bearing + truth.bearing.sum(axis=0, dtype=np.float64)
            sums.distance_m += float(truth.distance_m.sum())
            for row, instruction in enumerate(sample.instructions):
                mean = truth.target[row].mean(axis=0, dtype=np.float64)
                present = float(truth.target_presence[row].mean())
                targets.setdefault(instruction.category or "", []).append((mean, present))
    if not sums.maps:
        raise DataError(source.root or "walks in memory", "frames", "no walk has a history frame")
    every = [entry for entries in targets.values() for entry in entries]
    return TrainingMeans(
        footprint=sums.footprint / np.maximum(sums.footprint_cells, 1.0),
        footprint_presence=sums.present / sums.maps,
        bearing=np.asarray(sums.bearing) / np.linalg.norm(np.asarray(sums.bearing)),
        distance_m=sums.distance_m / sums.maps,
        target=_target_mean(every) if every else None,
        target_by_category={name: _target_mean(entries) for name, entries in targets.items()},
    )


def _target_mean(entries: list[tuple[np.ndarray, float]]) -> TargetMean:
    return TargetMean(np.mean([e[0] for e in entries], axis=0), float(np.mean([e[1] for e in entries])))


def _target_answer(question: Question, means: list[TargetMean]) -> TargetAnswer:
    keyframes = len(question.keyframes)
    maps = np.array([m.target for m in means]).reshape(len(means), 1, *question.map_shape)
    presence = np.array([m.presence for m in means]).reshape(-1, 1)
    return TargetAnswer(np.repeat(maps, keyframes, axis=1), np.repeat(presence, keyframes, axis=1))


def dataset_mean_prediction(question: Question, means: TrainingMeans) -> Prediction:
    """Return the training split's mean map, presence, bearing and distance for everything."""
    history = question.num_history
    footprints = FootprintAnswer(
        np.repeat(means.footprint[None], history, axis=0),
        np.full(history, means.footprint_presence),
        np.repeat(means.bearing[None], history, axis=0),
        np.full(history, means.distance_m),
    )
    everything = None if means.target is None else [means.target] * question.num_instructions
    targets = None if everything is None else _target_answer(question, everything)
    return answer_prediction(question, Answer("dataset_mean", footprints, targets))


def category_mean_prediction(question: Question, means: TrainingMeans) -> Prediction:
    """Return the mean target map of the category that each instruction names.

    A category that no training instruction names gets the mean over all categories.
    """
    if means.target is None:
        return answer_prediction(question, Answer("category_mean"))
    named = [means.target_by_category.get(i.category or "", means.target) for i in question.sample.instructions]
    return answer_prediction(question, Answer("category_mean", targets=_target_answer(question, named)))
