from dataclasses import replace

import numpy as np
import pytest

from backsight.evaluate.baselines.run import keyframes_of_predictions, predict_baselines
from backsight.evaluate.predict import checkpoint_id, predict_split
from backsight.evaluate.prediction_files import read_predictions
from backsight.evaluate.report.gather import gather_walks
from backsight.evaluate.samples import EvaluationConfig, SequenceSource
from backsight.evaluate.score import score_all
from backsight.evaluate.shuffle import deranged_history
from backsight.model.backsight import Backsight
from backsight.model.presets import tiny
from backsight.model.tokenizer import build_tokenizer
from backsight.records.errors import DataError, UsageError

CONFIG = EvaluationConfig(bootstrap_samples=10, num_keyframes=3)


@pytest.fixture(scope="module")
def walks(make_sequence):
    made = [make_sequence(f"walk-{n}", 7, 128, 96, seed=n, place_id=f"flat-{n}") for n in range(2)]
    return SequenceSource(in_memory=tuple(made))


@pytest.fixture(scope="module")
def checkpoint(walks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    config = tiny()
    texts = [i.text for s in walks.in_memory for i in s.annotations.instructions]
    Backsight(config, build_tokenizer(texts, config.language.frame_tokens)).save_pretrained(folder)
    return folder


def test_predictions_are_written_scored_and_shown(walks, checkpoint, tmp_path):
    folder = predict_split(checkpoint, walks, tmp_path, CONFIG)
    (first, second) = read_predictions(folder)
    assert first.footprint.shape == (6, 24, 32)
    assert first.target.shape == (3, len(first.keyframes), 24, 32)
    assert first.keyframes[-1] == 6
    assert first.info.geometry == "estimated"
    assert first.info.checkpoint == second.info.checkpoint == checkpoint_id(checkpoint)
    baselines = predict_baselines(walks, CONFIG, tmp_path, keyframes=keyframes_of_predictions(folder))
    np.testing.assert_array_equal(next(iter(read_predictions(baselines[0]))).keyframes, first.keyframes)
    scores = score_all([folder, *baselines], walks, CONFIG)
    assert len(first.answers) == 3
    assert {"footprint_auc", "target_auc", "reasoning_accuracy", "reasoning_accuracy_chance"} <= {
        r.metric for r in scores.rows if r.predictor == "model"
    }
    assert len(gather_walks(folder, walks, CONFIG, scores.sample_aucs["model"])) == 2


def test_depth_and_poses_do_not_reach_the_model(walks, checkpoint, make_sequence, tmp_path):
    blind = [replace(s, depth_m=s.depth_m * 0, world_from_camera=s.world_from_camera[::-1]) for s in walks.in_memory]
    seen = read_predictions(predict_split(checkpoint, walks, tmp_path / "a", CONFIG))
    unseen = read_predictions(predict_split(checkpoint, SequenceSource(in_memory=tuple(blind)), tmp_path / "b", CONFIG))
    for one, other in zip(seen, unseen, strict=True):
        np.testing.assert_array_equal(one.footprint, other.footprint)
        np.testing.assert_array_equal(one.target, other.target)


def test_given_geometry_is_a_row_of_its_own_and_computes_footprints(walks, checkpoint, tmp_path):
    folder = predict_split(checkpoint, walks, tmp_path, CONFIG, geometry="given")
    assert folder.name == "model_given"
    first = next(iter(read_predictions(folder)))
    assert (first.info.predictor, first.info.geometry) == ("model_given", "given")
    scores = score_all([folder], walks, CONFIG)
    found = {row.metric: row.value for row in scores.rows if row.predictor == "model_given"}
    assert found["footprint_auc"] > 0.999
    assert found["bearing_median_deg"] < 0.1


def test_shuffled_words_change_targets_and_leave_footprints_out(walks, checkpoint, tmp_path):
    plain = next(iter(read_predictions(predict_split(checkpoint, walks, tmp_path, CONFIG))))
    folder = predict_split(checkpoint, walks, tmp_path, CONFIG, "instructions")
    shuffled = next(iter(read_predictions(folder)))
    assert shuffled.info.predictor == "model_shuffled"
    assert len(shuffled.history_frames) == 0
    assert shuffled.target.shape == plain.target.shape
    np.testing.assert_array_equal(shuffled.keyframes, plain.keyframes)


def test_shuffled_history_gives_every_frame_another_image(walks, checkpoint, tmp_path):
    folder = predict_split(checkpoint, walks, tmp_path / "a", CONFIG, "history")
    assert folder.name == "model_shuffled_history"
    orders = [deranged_history(sample, CONFIG.seed) for _, sample in walks.samples()]
    swapped = [
        replace(sequence, rgb=sequence.rgb[[*order, 6]])
        for (sequence, _), order in zip(walks.samples(), orders, strict=True)
    ]
    expected = predict_split(checkpoint, SequenceSource(in_memory=tuple(swapped)), tmp_path / "b", CONFIG)
    for one, other in zip(read_predictions(folder), read_predictions(expected), strict=True):
        np.testing.assert_array_equal(one.footprint, other.footprint)
        np.testing.assert_array_equal(one.bearing, other.bearing)
        np.testing.assert_array_equal(one.history_frames, np.arange(6))
        assert one.info.instruction_ids == one.answers == ()
    metrics = {row.metric for row in score_all([folder], walks, CONFIG).rows}
    assert "presence_ece" in metrics
    assert "target_auc" not in metrics


def test_a_history_of_one_frame_is_left_out_of_shuffled_history(walks, checkpoint, tmp_path):
    config = EvaluationConfig(bootstrap_samples=10, max_history=1)
    folder = predict_split(checkpoint, walks, tmp_path, config, "history")
    (first, _) = read_predictions(folder)
    assert len(first.history_frames) == 0
    assert first.keyframes.tolist() == [5, 6]


def test_keyframes_are_uniform_in_time_when_asked_for(walks, checkpoint, tmp_path):
    config = CONFIG.model_copy(update={"keyframes": "uniform"})
    assert next(iter(read_predictions(predict_split(checkpoint, walks, tmp_path, config)))).keyframes.tolist() == [
        0,
        3,
        6,
    ]


def test_a_grid_or_a_folder_that_does_not_fit_is_refused(walks, checkpoint, tmp_path):
    with pytest.raises(UsageError, match="32 x 24"):
        predict_split(checkpoint, walks, tmp_path, EvaluationConfig(map_width=16, map_height=12))
    with pytest.raises(DataError, match="safetensors"):
        checkpoint_id(tmp_path)
