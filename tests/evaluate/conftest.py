"""A small evaluation that the tests of this folder share."""

import pytest

from backsight.evaluate.baselines.dataset_mean import measure_training_means
from backsight.evaluate.baselines.oracle import oracle_prediction
from backsight.evaluate.baselines.run import predict_baselines, questions
from backsight.evaluate.prediction_files import write_predictions
from backsight.evaluate.samples import EvaluationConfig, SequenceSource

CONFIG = EvaluationConfig(map_width=11, map_height=7, num_keyframes=3, bootstrap_samples=50)


@pytest.fixture(scope="session")
def config():
    return CONFIG


@pytest.fixture(scope="session")
def source(make_sequence):
    walks = [make_sequence(f"walk-{n}", 7, 44, 28, seed=n, place_id=f"flat-{n // 2}") for n in range(4)]
    return SequenceSource(in_memory=tuple(walks))


@pytest.fixture(scope="session")
def all_questions(source):
    return list(questions(source, CONFIG))


@pytest.fixture(scope="session")
def predictions(source, all_questions, tmp_path_factory):
    """Folders of every baseline and of the clean oracle, by name."""
    out = tmp_path_factory.mktemp("predictions")
    folders = predict_baselines(source, CONFIG, out, measure_training_means(source, CONFIG))
    write_predictions(out / "oracle", (oracle_prediction(question) for question in all_questions))
    return {folder.name: folder for folder in [*folders, out / "oracle"]}
