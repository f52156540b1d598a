"""A checkpoint's answers for imagined views."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from backsight.evaluate.imagined import imagined_sample, predict_imagined
from backsight.evaluate.imagined_files import prediction_path, read_imagined
from backsight.evaluate.imagined_scores import score_imagined
from backsight.evaluate.samples import EvaluationConfig, SequenceSource
from backsight.model.backsight import Backsight
from backsight.model.checkpoint import save_pretrained
from backsight.model.presets import tiny
from backsight.model.tokenizer import build_tokenizer

CONFIG = EvaluationConfig(num_keyframes=3, bootstrap_samples=20)


@pytest.fixture(scope="module")
def model() -> Backsight:
    torch.manual_seed(3)
    config = tiny()
    return Backsight(config, build_tokenizer(["Where is the table?"], config.language.frame_tokens)).eval()


@pytest.fixture(scope="module")
def walk(make_sequence):
    return make_sequence("walk-0", 5, 128, 96, imagined=3)


def test_every_view_is_answered_and_scored(model, walk, make_sequence, tmp_path):
    save_pretrained(model, tmp_path / "model")
    source = SequenceSource(in_memory=(walk, make_sequence("walk-1", 5, 128, 96, 1)))
    folder = predict_imagined(tmp_path / "model", source, tmp_path / "out", CONFIG)
    assert [path.name for path in folder.iterdir()] == ["walk-0_00004.npz"]
    found = read_imagined(prediction_path(folder, "walk-0", 4))
    assert found.target.shape == (3, 3, 24, 32)
    assert found.current_target.shape == (3, 24, 32)
    assert found.keyframes[-1] == 4
    rows = score_imagined(folder, source, source, CONFIG)
    assert {row.predictor for row in rows} >= {"model", "model_turned", "category_mean"}
    plain = SequenceSource(in_memory=(make_sequence("walk-1", 5, 128, 96, 1),))
    assert predict_imagined(tmp_path / "model", plain, tmp_path / "none", CONFIG) is None


def test_nothing_of_the_truth_is_read(model, walk):
    sample = next(SequenceSource(in_memory=(walk,)).samples())[1]
    blind = replace(
        walk,
        depth_m=np.zeros_like(walk.depth_m),
        instance_ids=np.zeros_like(walk.instance_ids),
        imagined=replace(walk.imagined, instance_ids=np.zeros_like(walk.imagined.instance_ids)),
    )
    first, again = (imagined_sample(model, sequence, sample, CONFIG) for sequence in (walk, blind))
    np.testing.assert_array_equal(first.target, again.target)
