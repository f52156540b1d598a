"""Run all baselines over an evaluation and write their predictions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from rich.progress import track

from backsight.evaluate.baselines.colour_and_category import colour_and_category_prediction
from backsight.evaluate.baselines.colours import colour_histogram_prediction, colour_naming_prediction
from backsight.evaluate.baselines.constant_maps import centre_gaussian_prediction, uniform_prediction
from backsight.evaluate.baselines.dataset_mean import (
    TrainingMeans,
    category_mean_prediction,
    dataset_mean_prediction,
)
from backsight.evaluate.baselines.image_matcher import ImageMatcher
from backsight.evaluate.baselines.oracle import DEPTH_NOISE, POSE_NOISE, disturbed_oracle_prediction
from backsight.evaluate.baselines.question import Question
from backsight.evaluate.keyframe_choice import sample_keyframes
from backsight.evaluate.prediction_files import PredictionWriter, read_index, read_prediction
from backsight.evaluate.samples import EvaluationConfig, SequenceSource, samples_of
from backsight.records.errors import DataError
from backsight.records.prediction import Prediction

Predictor = Callable[[Question], Prediction]
SampleKeyframes = Mapping[tuple[str, int], np.ndarray]
"""Keyframes by sequence id and current frame."""

TARGET_PREDICTORS = ("category_mean", "colour_naming", "colour_and_category")
"""Baselines that answer instructions alone; left out where a source has none."""


def keyframes_of_predictions(folder: Path) -> dict[tuple[str, int], np.ndarray]:
    """Return the keyframes that the predictions of a folder state, by sequence id and current frame."""
    return {
        (entry.info.sequence_id, entry.info.current_frame): read_prediction(folder, entry).keyframes
        for entry in read_index(folder)
    }


def questions(
    source: SequenceSource, config: EvaluationConfig, keyframes: SampleKeyframes | None = None
) -> Iterator[Question]:
    """Yield every sample as a question.

    Args:
        source: the walks.
        config: grid and history.
        keyframes: those of a model's predictions; None: chosen from the true depth.

    Raises:
        DataError: the model's predictions lack a sample.
    """
    for sequence, sample in source.samples(config.max_history):
        if keyframes is None:
            chosen = sample_keyframes(sequence, sample, config.num_keyframes)
        elif sample.key in keyframes:
            chosen = keyframes[sample.key]
        else:
            raise DataError(sample.sequence_id, f"frame {sample.current_frame}", "has no prediction of the model")
        yield Question(sequence, sample, chosen, config)


def baseline_predictors(means: TrainingMeans | None) -> dict[str, Predictor]:
    """Return the baselines by name; those that need the training split's means only where these are given."""
    predictors: dict[str, Predictor] = {
        "uniform": uniform_prediction,
        "centre": centre_gaussian_prediction,
        "colour_histogram": colour_histogram_prediction,
        "image_matcher": ImageMatcher().predict,
        "colour_naming": colour_naming_prediction,
        "oracle_depth_noise": partial(disturbed_oracle_prediction, disturbance=DEPTH_NOISE),
        "oracle_pose_noise": partial(disturbed_oracle_prediction, disturbance=POSE_NOISE),
    }
    if means is not None:
        predictors["dataset_mean"] = partial(dataset_mean_prediction, means=means)
        predictors["category_mean"] = partial(category_mean_prediction, means=means)
        predictors["colour_and_category"] = partial(colour_and_category_prediction, means=means)
    return predictors


def predict_baselines(
    source: SequenceSource,
    config: EvaluationConfig,
    out: Path,
    means: TrainingMeans | None = None,
    keyframes: SampleKeyframes | None = None,
) -> list[Path]:
    """Write the predictions of every baseline to `out/<predictor>` and return these folders.

    Args:
        source: the walks that are evaluated.
        config: grid, history, seed.
        out: folder that holds one folder for each predictor.
        means: of the training split; None leaves out the two baselines that need them.
        keyframes: those that the model used.
    """
    sequence_ids = source.sequence_ids()
    with_instructions = any(source.annotations(i).instructions for i in sequence_ids)
    predictors = baseline_predictors(means)
    if not with_instructions:
        predictors = {n: p for n, p in predictors.items() if n not in TARGET_PREDICTORS}
    total = sum(len(samples_of(source.annotations(i), config.max_history)) for i in sequence_ids)
    with ExitStack() as stack:
        writers = {name: stack.enter_context(PredictionWriter(out / name)) for name in predictors}
        asked = questions(source, config, keyframes)
        for question in track(asked, description="baselines", total=total, transient=True):
            for name, predictor in predictors.items():
                writers[name].add(predictor(question))
    return [out / name for name in predictors]
