from dataclasses import replace

import msgspec
import numpy as np
import pytest

from backsight.evaluate.baselines.colour_and_category import colour_and_category_prediction
from backsight.evaluate.baselines.colours import (
    colour_histogram_prediction,
    colour_naming_prediction,
    nearest_colour,
)
from backsight.evaluate.baselines.dataset_mean import (
    category_mean_prediction,
    dataset_mean_prediction,
    measure_training_means,
)
from backsight.evaluate.baselines.image_matcher import ImageMatcher, detect_features, match_features, spread_matches
from backsight.evaluate.baselines.oracle import (
    DEPTH_NOISE,
    POSE_NOISE,
    disturbed_oracle_prediction,
    disturbed_poses,
    oracle_prediction,
)
from backsight.evaluate.baselines.question import Question
from backsight.geometry.cells import ImageFit
from backsight.geometry.poses import check_rigid, rotation_angle_rad
from backsight.metrics.spatial import auc
from backsight.records.vocabulary import COLOURS


def repainted(question: Question, rgb: np.ndarray) -> Question:
    return replace(question, sequence=replace(question.sequence, rgb=rgb))


def test_every_named_colour_is_its_own_nearest():
    palette = np.array(list(COLOURS.values()), dtype=np.uint8)[None, None]
    assert nearest_colour(palette).ravel().tolist() == list(range(len(COLOURS)))


def test_colour_naming_marks_the_pixels_of_the_named_colour(all_questions):
    question = all_questions[0]
    rgb = np.full_like(question.sequence.rgb, COLOURS["white"])
    rgb[:, 4:12, 8:20] = COLOURS["red"]
    prediction = colour_naming_prediction(repainted(question, rgb))
    expected = np.zeros((7, 11), dtype=np.float32)
    expected[1:3, 2:5] = 1.0
    np.testing.assert_array_equal(prediction.target[1, 0], expected)
    np.testing.assert_array_equal(prediction.target[0], np.float32(0.5))


def test_both_clues_meet_where_a_colour_is_named_and_the_category_stands_alone_elsewhere(source, config, all_questions):
    means = measure_training_means(source, config)
    question = all_questions[0]
    rgb = np.full_like(question.sequence.rgb, COLOURS["white"])
    rgb[:, 4:12, 8:20] = COLOURS["red"]
    question = repainted(question, rgb)
    both, category = colour_and_category_prediction(question, means), category_mean_prediction(question, means)
    np.testing.assert_array_equal(both.target[0], category.target[0])
    red = np.zeros((7, 11), dtype=np.float32)
    red[1:3, 2:5] = 1.0
    np.testing.assert_allclose(both.target[1], category.target[1] * red)
    assert (both.target_presence[1] < category.target_presence[1]).all()
    assert both.info.predictor == "colour_and_category"


def test_the_histogram_prefers_colours_that_the_frame_has(all_questions):
    question = all_questions[0]
    rgb = np.full_like(question.sequence.rgb, COLOURS["white"])
    rgb[-1, :, 20:] = COLOURS["blue"]
    footprint = colour_histogram_prediction(repainted(question, rgb)).footprint
    np.testing.assert_array_equal(footprint[0, :, :5], 1.0)
    np.testing.assert_array_equal(footprint[0, :, 5:], 0.0)


def test_sift_finds_a_shifted_texture():
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 255, (40, 60)).astype(np.uint8)
    wall = np.repeat(np.kron(coarse, np.ones((4, 4), np.uint8))[..., None], 3, axis=2)
    current, other = wall[20:116, 20:148], wall[20:116, 68:196]
    points = match_features(detect_features(current), detect_features(other))
    assert len(points) >= 10
    # The other view begins 48 px further right: what it shares lies right of column 48.
    assert (points[:, 0] > 44).mean() > 0.9
    heatmap = spread_matches(points, ImageFit(128, 96, 128, 96), 32, 24)
    shared = np.zeros((1, 24, 32))
    shared[:, :, 12:] = 1.0
    assert auc(heatmap[None], shared, np.ones(shared.shape, dtype=bool))[0] > 0.95


def test_nothing_found_is_uniform_and_absent(all_questions):
    question = all_questions[0]
    prediction = ImageMatcher().predict(repainted(question, np.full_like(question.sequence.rgb, 90)))
    np.testing.assert_array_equal(prediction.footprint, np.float32(0.5))
    np.testing.assert_array_equal(prediction.footprint_presence, 0.0)


def test_disturbed_poses_stay_rigid_and_as_far_off_as_stated(make_sequence):
    poses = np.repeat(make_sequence().world_from_camera[:1], 4000, axis=0)
    disturbed = disturbed_poses(poses, POSE_NOISE, np.random.default_rng(0))
    check_rigid(disturbed)
    offset_m = np.linalg.norm(disturbed[:, :3, 3] - poses[:, :3, 3], axis=1)
    assert np.sqrt((offset_m**2).mean()) == pytest.approx(0.02, rel=0.05)
    turned = rotation_angle_rad(np.swapaxes(poses[:, :3, :3], 1, 2) @ disturbed[:, :3, :3])
    assert np.degrees(np.sqrt((turned**2).mean())) == pytest.approx(1.0, rel=0.05)


def test_oracle_noise_depends_on_the_sample_and_not_on_the_order(all_questions):
    first = disturbed_oracle_prediction(all_questions[1], DEPTH_NOISE)
    disturbed_oracle_prediction(all_questions[0], DEPTH_NOISE)
    again = disturbed_oracle_prediction(all_questions[1], DEPTH_NOISE)
    np.testing.assert_array_equal(first.footprint, again.footprint)


def test_the_dataset_mean_is_the_mean_of_the_truths(source, config, all_questions):
    means = measure_training_means(source, config)
    truths = np.concatenate([oracle_prediction(question).footprint for question in all_questions])
    np.testing.assert_allclose(means.footprint, truths.mean(axis=0), atol=0.01)
    assert np.linalg.norm(means.bearing) == pytest.approx(1.0)
    assert set(means.target_by_category) == {"table", "chair", "bathtub"}


def test_without_training_instructions_the_mean_says_nothing_of_targets(source, config, all_questions):
    silent = tuple(
        replace(s, annotations=msgspec.structs.replace(s.annotations, instructions=())) for s in source.in_memory
    )
    means = measure_training_means(replace(source, in_memory=silent), config)
    assert means.target is None
    assert dataset_mean_prediction(all_questions[0], means).info.instruction_ids == ()
