from dataclasses import replace

import numpy as np
import pytest

from backsight.evaluate.bins import (
    ANY_OVERLAP,
    BEARING_BINNINGS,
    DISTANCE,
    MAP_BINNINGS,
    OVERLAP,
    TURN,
    frame_conditions,
    heading_differences_deg,
)
from backsight.evaluate.prediction_files import read_predictions, write_predictions
from backsight.evaluate.samples import EvaluationConfig
from backsight.evaluate.score import score_predictions
from backsight.evaluate.shuffle import deranged_history
from backsight.evaluate.truth import truth_of


@pytest.fixture(scope="module")
def rows(predictions, source, config):
    found = score_predictions([predictions["oracle_pose_noise"]], source, config)
    return {row.metric: row for row in found}


@pytest.mark.parametrize(("binning", "top"), [(ANY_OVERLAP, 1.0), (DISTANCE, 1e6), (TURN, 180.0)])
def test_every_value_lies_in_exactly_one_bin(binning, top):
    values = np.concatenate([np.linspace(0.0, min(top, 9.0), 701), np.array(binning.edges[:-1]), [top]])
    counts = sum(inside.astype(int) for *_, inside in binning.members(values))
    np.testing.assert_array_equal(counts, 1)


def test_a_value_on_an_edge_belongs_to_the_bin_above_it():
    names = [OVERLAP.metric("m", low, high) for low, high, inside in OVERLAP.members(np.array([0.1])) if inside[0]]
    assert names == ["m@coverage_0.1-0.3"]
    assert [low for low, _, inside in DISTANCE.members(np.array([4.0])) if inside[0]] == [4.0]
    assert not any(inside[0] for *_, inside in OVERLAP.members(np.array([0.009])))


def test_names_and_labels_tell_the_bin():
    assert DISTANCE.metric("footprint_auc", 4.0, np.inf) == "footprint_auc@distance_4+"
    assert DISTANCE.bin_label(0.5, 1.0) == "distance 0.5 to 1 m"
    assert DISTANCE.bin_label(4.0, np.inf) == "distance over 4 m"
    assert OVERLAP.bin_label(0.01, 0.1) == "overlap 1 to 10 %"


@pytest.mark.parametrize("base", ["footprint_auc", "footprint_hit"])
def test_bins_share_out_the_maps_and_their_mean(rows, base):
    for binning in MAP_BINNINGS:
        bins = [rows[m] for low, high in binning.bins() if (m := binning.metric(base, low, high)) in rows]
        assert sum(row.maps for row in bins) == rows[base].maps
        assert min(row.value for row in bins) <= rows[base].value <= max(row.value for row in bins)


def test_bearings_have_bins_for_frames_that_share_nothing(rows):
    for binning in BEARING_BINNINGS:
        names = [binning.metric("bearing_median_deg", low, high) for low, high in binning.bins()]
        assert sum(rows[name].maps for name in names if name in rows) == rows["bearing_median_deg"].maps


def test_the_distance_is_that_between_the_two_cameras(source, config, all_questions):
    question = all_questions[0]
    sequence, sample = question.sequence, question.sample
    frames = sample.current_frame, sample.history_frames, question.keyframes
    truth = truth_of(sequence, *frames, sample.instructions, config.fit_of(sequence))
    moved = sequence.world_from_camera.copy()
    moved[2, 0, 3] += 7.0
    far = replace(sequence, world_from_camera=moved)
    far_truth = truth_of(far, *frames, sample.instructions, config.fit_of(far))
    near, away = frame_conditions(sequence, sample, truth), frame_conditions(far, sample, far_truth)
    offsets = sequence.world_from_camera[:, :3, 3] - sequence.world_from_camera[sample.current_frame, :3, 3]
    np.testing.assert_allclose(near.distance_m, np.linalg.norm(offsets, axis=1)[sample.history_frames], rtol=1e-5)
    assert away.distance_m[2] > 4.0
    np.testing.assert_allclose(np.delete(away.distance_m, 2), np.delete(near.distance_m, 2), rtol=1e-5)
    np.testing.assert_allclose(near.turn_deg, heading_differences_deg(sequence, sample))


def test_maps_of_other_frames_identify_no_frame(source, all_questions, predictions, tmp_path):
    # The test's walks are short, so a wide grid is needed for truths that differ.
    config = EvaluationConfig(map_width=11, map_height=7, num_keyframes=3, bootstrap_samples=10)
    mixed = []
    for question, prediction in zip(all_questions, read_predictions(predictions["oracle"]), strict=True):
        order = deranged_history(question.sample, 0)
        other = replace(prediction, footprint=prediction.footprint[order])
        mixed.append(replace(other, info=replace(other.info, predictor="mixed")))
    write_predictions(tmp_path, mixed)
    whole, shuffled = (
        {row.metric: row.value for row in score_predictions([folder], source, config)}
        for folder in (predictions["oracle"], tmp_path)
    )
    assert whole["frame_identification"] == pytest.approx(1.0)
    assert shuffled["frame_identification"] <= shuffled["frame_identification_chance"]
    assert shuffled["footprint_auc"] < whole["footprint_auc"]
