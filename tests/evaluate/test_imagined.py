"""Scores of imagined views: a perfect answer, baselines by hand, the current view turned, damaged files."""

import math
from dataclasses import replace

import numpy as np
import pytest

from backsight.data.imagined_views import current_from_imagined
from backsight.evaluate.imagined_files import (
    ImaginedPrediction,
    prediction_path,
    read_imagined,
    write_imagined,
)
from backsight.evaluate.imagined_scores import OVERALL, imagined_maps, imagined_means, score_imagined, turned_map
from backsight.evaluate.metric_names import GROUPS
from backsight.evaluate.samples import EvaluationConfig, SequenceSource
from backsight.geometry.poses import invert_pose, look_pose
from backsight.records.errors import DataError

CONFIG = EvaluationConfig(map_width=11, map_height=7, num_keyframes=3, bootstrap_samples=50)
INTRINSICS = np.array([[6.0, 0.0, 5.5], [0.0, 6.0, 3.5], [0.0, 0.0, 1.0]])


@pytest.fixture(scope="module")
def walks(make_sequence):
    return tuple(make_sequence(f"walk-{n}", 7, 44, 28, n, f"flat-{n // 2}", imagined=5) for n in range(4))


@pytest.fixture(scope="module")
def source(walks):
    return SequenceSource(in_memory=walks)


@pytest.fixture
def perfect(source, tmp_path):
    for sequence, sample in source.samples():
        maps, present = imagined_maps(sequence, sample, CONFIG)
        current = np.full((len(maps), 7, 11), 0.5, dtype=np.float32)
        found = ImaginedPrediction(np.array([0, 3, 6]), maps, present.astype(np.float32), current)
        write_imagined(prediction_path(tmp_path, sample.sequence_id, sample.current_frame), found)
    return tmp_path


def rows_of(folder, source):
    return {(row.metric, row.predictor): row for row in score_imagined(folder, source, source, CONFIG)}


def test_the_truth_is_perfect_and_a_constant_is_not(perfect, source):
    rows = rows_of(perfect, source)
    for metric in ("imagined_auc", "imagined_hit", "imagined_presence_auroc", "imagined_auc@turned"):
        assert rows[metric, "model"].value == pytest.approx(1.0), metric
    for metric in ("imagined_auc", "imagined_presence_auroc"):
        assert rows[metric, "uniform"].value == pytest.approx(0.5)
    assert 0.5 < rows["imagined_auc", "category_mean"].value < 1.0
    # The third instruction of each walk has no target, so nothing is counted for it; the others were all seen.
    asked = rows["imagined_presence_auroc", "model"]
    assert (asked.maps, asked.places) == (4 * 2 * 5, 2)
    apart = [rows[f"imagined_presence_ece@{name}", "model"].maps for name in ("turned", "turned_and_moved")]
    assert apart == [4 * 2 * 3, 4 * 2 * 2]
    named = {name.metric for group in GROUPS for name in group.metrics}
    assert {metric for metric, _ in rows} <= named


def test_what_no_keyframe_of_the_prediction_showed_is_not_asked(perfect, walks):
    blind = replace(walks[0], instance_ids=np.where(walks[0].instance_ids == 9, 0, walks[0].instance_ids))
    rows = rows_of(perfect, SequenceSource(in_memory=(blind, *walks[1:])))
    assert rows["imagined_presence_auroc", "model"].maps == 4 * 2 * 5 - 5


def test_mixed_up_views_score_worse(perfect, source):
    for path in perfect.glob("*.npz"):
        found = read_imagined(path)
        write_imagined(path, replace(found, target=np.roll(found.target, 1, axis=1)))
    assert rows_of(perfect, source)["imagined_auc", "model"].value < 0.9


def test_means_are_those_of_the_maps(walks):
    source = SequenceSource(in_memory=walks[:1])
    ((sequence, sample),) = source.samples()
    maps, present = imagined_maps(sequence, sample, CONFIG)
    means = imagined_means(source, CONFIG)
    assert set(means) == {OVERALL, "table", "chair"}
    np.testing.assert_allclose(means["table"][0], maps[0].mean(axis=0), atol=1e-6)
    assert means["chair"][1] == pytest.approx(present[1].mean())
    np.testing.assert_allclose(means[OVERALL][0], maps[:2].mean(axis=(0, 1)), atol=1e-6)


def test_the_turned_map_moves_against_the_turn():
    current = np.zeros((7, 11))
    current[3, 8] = 1.0
    angle = math.atan((8.5 - 5.5) / 6.0)
    forward = look_pose(np.zeros(3), 0.0)
    right, left = (invert_pose(forward) @ look_pose(np.zeros(3), yaw) for yaw in (-angle, angle))
    turned = turned_map(current, right[:3, :3], INTRINSICS)
    assert np.unravel_index(turned.argmax(), turned.shape) == (3, 5)
    assert turned[3, 5] == pytest.approx(1.0, abs=1e-3)
    assert turned_map(current, left[:3, :3], INTRINSICS).max() < 0.2
    back = invert_pose(forward) @ look_pose(np.zeros(3), math.pi)
    assert not turned_map(np.ones((7, 11)), back[:3, :3], INTRINSICS).any()
    np.testing.assert_allclose(turned_map(current, np.eye(3), INTRINSICS), current, atol=1e-6)


def test_turning_the_true_current_map_finds_the_thing_where_the_turned_view_shows_it(walks):
    """The factory's room: what both views show lies where the homography says, for pure turns."""
    sequence = walks[0]
    poses = current_from_imagined(sequence, 6)
    ids, views = sequence.instance_ids[6], sequence.imagined.instance_ids
    for index in (0, 2):
        current, expected = (ids == 9).astype(float), (views[index] == 9).astype(float)
        found = turned_map(current, poses[index][:3, :3], sequence.intrinsics) > 0.5
        if found.any():
            assert (found & (expected > 0)).sum() / found.sum() > 0.9
            other = turned_map(current, poses[index][:3, :3].T, sequence.intrinsics) > 0.5
            assert (other & (expected > 0)).sum() < 0.5 * (found & (expected > 0)).sum()
    assert turned_map((ids == 9).astype(float), poses[0][:3, :3], sequence.intrinsics).max() > 0.5


def test_missing_and_damaged_files_are_named(perfect, source):
    path = next(iter(sorted(perfect.glob("*.npz"))))
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(DataError, match=path.name):
        score_imagined(perfect, source, source, CONFIG)
    path.unlink()
    with pytest.raises(DataError, match="missing"):
        score_imagined(perfect, source, source, CONFIG)


def test_walks_without_imagined_views_have_no_rows(make_sequence, tmp_path):
    plain = SequenceSource(in_memory=(make_sequence("walk-0", 7, 44, 28),))
    assert score_imagined(tmp_path, plain, plain, CONFIG) == []
