from collections import Counter

import pytest
import torch
from pydantic import ValidationError

from backsight.data.truth import MapGrid
from backsight.geometry.cells import ImageFit
from backsight.model.question import Question
from backsight.train.data import model_images
from backsight.train.step import batch_truth, loss_terms
from backsight.train.techniques.multi_scale import MultiScaleConfig, scaled_grid, step_scale

TINY = MapGrid(ImageFit(160, 120, 128, 96), 32, 24)


@pytest.mark.parametrize(
    ("scale", "size", "cells"),
    [(0.5, (64, 64), (16, 16)), (1.0, (128, 96), (32, 24)), (1.5, (192, 160), (48, 40)), (0.1, (32, 32), (8, 8))],
)
def test_grids_by_hand(scale, size, cells):
    found = scaled_grid(TINY, scale)
    assert (found.fit.target_width, found.fit.target_height) == size
    assert (found.columns, found.rows) == cells
    assert (found.fit.source_width, found.fit.source_height) == (160, 120)


def test_sides_can_always_be_encoded():
    for scale in torch.linspace(0.3, 3.0, 61).tolist():
        fit = scaled_grid(TINY, scale).fit
        assert fit.target_width % 32 == 0 == fit.target_height % 32
        assert fit.target_width == pytest.approx(128 * scale, abs=16.01)


def test_every_scale_is_drawn_about_as_often_and_the_same_again():
    config = MultiScaleConfig(enabled=True)
    drawn = [step_scale(config, 3, step) for step in range(600)]
    assert drawn == [step_scale(config, 3, step) for step in range(600)]
    assert drawn != [step_scale(config, 4, step) for step in range(600)]
    assert Counter(drawn).keys() == {0.5, 1.0, 1.5}
    assert min(Counter(drawn).values()) > 150


def test_off_means_the_size_of_the_preset():
    assert {step_scale(MultiScaleConfig(), 0, step) for step in range(20)} == {1.0}
    assert scaled_grid(TINY, 1.0) is TINY


def test_a_scale_must_be_positive():
    with pytest.raises(ValidationError, match="greater than 0"):
        MultiScaleConfig(scales=(1.0, 0.0))
    with pytest.raises(ValueError, match="positive"):
        scaled_grid(TINY, -0.5)


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_the_same_weights_and_the_truth_follow_every_scale(scale, model, batch, grid):
    scaled = scaled_grid(grid, scale)
    truth = batch_truth(batch, scaled)
    question = Question(batch.keyframes, batch.frame_index, batch.instruction_tokens, batch.answer_tokens, True)
    with torch.no_grad():
        outputs = model(model_images(batch, scaled), question, batch.current, batch.history)
        terms = loss_terms(batch, truth, *outputs)
    assert outputs[1].logits.shape[-2:] == truth.footprint.maps.shape[-2:] == (scaled.rows, scaled.columns)
    assert outputs[2].logits.shape == truth.target.maps.shape
    for name, value in terms.means().items():
        assert torch.isfinite(value), name
    # Shares of the view are the same at every scale, but for what the crop cuts off.
    at_one = batch_truth(batch, grid)
    share, share_at_one = (t.footprint.maps.mean((-2, -1)) for t in (truth, at_one))
    torch.testing.assert_close(share, share_at_one, atol=0.25, rtol=0)
    assert torch.corrcoef(torch.stack([share.flatten(), share_at_one.flatten()]))[0, 1] > 0.8
