import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from backsight.evaluate.baselines.oracle import oracle_prediction
from backsight.evaluate.prediction_files import read_predictions, write_predictions
from backsight.evaluate.samples import EvaluationSample
from backsight.evaluate.score import score_all, score_predictions
from backsight.evaluate.tally import Tally, weighted_median
from backsight.records.errors import DataError


@pytest.fixture(scope="session")
def rows(predictions, source, config):
    found = score_predictions(list(predictions.values()), source, config)
    return {(row.metric, row.predictor): row for row in found}


def sample_of(sequence_id, place_id):
    return EvaluationSample(sequence_id, place_id, 1, np.array([0]), ())


def test_the_clean_oracle_is_perfect(rows):
    for metric in ("footprint_auc", "footprint_cc", "footprint_soft_iou", "footprint_hit", "footprint_iou"):
        assert rows[metric, "oracle"].value == pytest.approx(1.0)
    for metric in ("target_auc", "target_soft_iou", "target_hit", "target_presence_auroc"):
        assert rows[metric, "oracle"].value == pytest.approx(1.0)
    assert rows["bearing_median_deg", "oracle"].value == pytest.approx(0.0, abs=1e-3)
    assert rows["distance_relative_error", "oracle"].value == pytest.approx(0.0, abs=1e-6)


def test_uniform_maps_have_auc_one_half_and_identify_by_chance(rows):
    assert rows["footprint_auc", "uniform"].value == 0.5
    assert rows["target_auc", "uniform"].value == 0.5
    assert rows["target_presence_auroc", "uniform"].value == 0.5
    if ("frame_identification", "uniform") in rows:
        chance = rows["frame_identification_chance", "uniform"].value
        assert chance == pytest.approx(1 / 6)
        assert rows["distinctness_ratio", "uniform"].value == pytest.approx(0.0, abs=1e-6)


def test_rows_that_do_not_apply_are_absent(rows):
    for predictor in ("uniform", "centre", "colour_histogram", "image_matcher"):
        assert ("bearing_median_deg", predictor) not in rows
    assert ("bearing_median_deg", "dataset_mean") in rows
    assert ("target_auc", "image_matcher") not in rows
    assert ("footprint_auc", "colour_naming") not in rows


def test_every_row_says_what_it_rests_on(rows):
    row = rows["target_presence_auroc", "oracle"]
    assert (row.maps, row.places) == (4 * 3 * 3, 2)
    assert rows["presence_ece", "oracle"].maps == 4 * 6
    named = rows["target_auc@names_a_colour", "oracle"].maps
    assert named + rows["target_auc@names_no_colour", "oracle"].maps == rows["target_auc", "oracle"].maps
    assert not any(math.isnan(r.value) for r in rows.values())


def test_the_order_of_samples_does_not_matter(predictions, source, config, rows, tmp_path):
    backwards = list(read_predictions(predictions["colour_histogram"]))[::-1]
    write_predictions(tmp_path, backwards)
    for row in score_predictions([tmp_path], source, config):
        assert row == rows[row.metric, row.predictor]


def test_a_missing_sample_another_history_and_two_of_a_name_are_refused(
    predictions, source, config, all_questions, tmp_path
):
    whole = [oracle_prediction(question) for question in all_questions]
    write_predictions(tmp_path, whole[:-1])
    with pytest.raises(DataError, match="walk-3"):
        score_predictions([tmp_path], source, config)
    first = whole[0]
    shorter = {n: getattr(first, n)[1:] for n in ("history_frames", "footprint", "footprint_presence")}
    shorter |= {n: getattr(first, n)[1:] for n in ("bearing", "distance_m")}
    write_predictions(tmp_path, [replace(first, **shorter), *whole[1:]])
    with pytest.raises(DataError, match="history_frames"):
        score_predictions([tmp_path], source, config)
    with pytest.raises(DataError, match="two folders"):
        score_predictions([predictions["oracle"], predictions["oracle"]], source, config)


def test_other_keyframes_are_judged_on_their_own_views(source, config, all_questions, predictions, tmp_path):
    others = [replace(q, keyframes=np.array([1, 6])) for q in all_questions]
    write_predictions(tmp_path, [oracle_prediction(q) for q in others])
    renamed = [replace(p, info=replace(p.info, predictor="mine")) for p in read_predictions(tmp_path)]
    write_predictions(tmp_path, renamed)
    found = score_predictions([predictions["uniform"], tmp_path], source, config)
    (row,) = [r for r in found if (r.metric, r.predictor) == ("target_auc", "mine")]
    assert row.value == pytest.approx(1.0)


def test_samples_keep_their_auc_for_the_choice_of_pictures(predictions, source, config, rows):
    scores = score_all([predictions["oracle_pose_noise"]], source, config)
    aucs = scores.sample_aucs["oracle_pose_noise"]
    assert set(aucs) <= {(f"walk-{n}", 6) for n in range(4)}
    assert np.mean(list(aucs.values())) == pytest.approx(rows["footprint_auc", "oracle_pose_noise"].value)


def test_the_mean_is_over_walks_and_the_interval_over_places(config):
    tally = Tally("any", config)
    tally.add_means("m", sample_of("a", "left"), np.array([0.0, 0.0, 0.0, 1.0]))
    tally.add_means("m", sample_of("b", "right"), np.array([1.0]))
    (row,) = tally.rows()
    assert row.value == pytest.approx((0.25 + 1.0) / 2)
    assert (row.low, row.high) == pytest.approx((0.25, 1.0))
    assert (row.places, row.maps) == (2, 5)
    alone = Tally("any", config)
    alone.add_means("m", sample_of("a", "left"), np.array([0.0, 1.0]))
    assert math.isnan(alone.rows()[0].low)


def test_the_weighted_median_is_that_of_repeated_values():
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=11), rng.integers(0, 4, (23, 11)).astype(np.float64)
    weights[:, 3] += 1
    expected = [np.median(np.repeat(values, row.astype(int))) for row in weights]
    np.testing.assert_allclose(weighted_median(values, weights), expected)


def test_scoring_needs_no_torch():
    program = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'accelerate'): sys.modules[name] = None\n"
        "import backsight.evaluate.score, backsight.evaluate.table, backsight.evaluate.report.page\n"
        "import backsight.evaluate.baselines.run, backsight.evaluate.shuffle\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
