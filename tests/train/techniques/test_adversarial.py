import sys
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from backsight.losses.matching import MatchingConfig
from backsight.losses.total import LossWeights
from backsight.model.question import Question
from backsight.model.tokenizer import build_tokenizer, encode_texts
from backsight.records.batch import ImaginedBatch
from backsight.train.data import model_images
from backsight.train.step import batch_truth, loss_terms
from backsight.train.techniques.adversarial import (
    CHANGED,
    AdversarialConfig,
    candidates,
    looks_for_worst,
    random_turns,
    reworded,
    sample_losses,
    turned_views,
    worst_of,
)
from backsight.train.techniques.wording import paraphrases


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def cast(make_dataset):
    """The analytic renderer that the walks were made with."""
    factories = sys.modules["factories"]
    return lambda pose, intrinsics: factories.cast(pose, intrinsics, 128, 96, factories.room_objects())


def test_turns_are_rotations_within_the_bound():
    turns = random_turns(500, 0.05, rng())
    torch.testing.assert_close(turns @ turns.mT, torch.eye(3, dtype=torch.float64).expand_as(turns))
    angles = torch.arccos(((turns.diagonal(dim1=1, dim2=2).sum(-1) - 1) / 2).clamp(-1, 1))
    assert 0.045 < angles.max() <= 0.05 + 1e-9
    assert angles.mean() == pytest.approx(0.025, abs=0.003)


def test_a_turned_view_is_what_the_turned_camera_renders(batch, cache, cast):
    turn = random_turns(2, 0.2, rng(3)).float()
    found = turned_views(batch, turn)
    for row in range(2):
        # Batches move the origin to the current camera, so the walk's own pose is turned here.
        walk = cache[row]
        pose = walk.world_from_camera[batch.frame_index[row, -1].item()].copy()
        pose[:3, :3] = pose[:3, :3] @ turn[row].double().numpy()
        depth_m, ids, rgb = cast(pose, walk.intrinsics)
        seen = (found.depth_m[row, -1] > 0).numpy()
        assert 0.5 < seen.mean() < 1.0
        off = np.abs(found.depth_m[row, -1].numpy() - depth_m)[seen] / depth_m[seen]
        assert np.median(off) < 0.005
        assert (off < 0.03).mean() > 0.95
        assert (found.instance_ids[row, -1].numpy() == ids)[seen].mean() > 0.97
        colour = np.abs(found.rgb[row, -1].permute(1, 2, 0).numpy().astype(float) - rgb)[seen]
        assert np.median(colour) <= 2
        np.testing.assert_allclose(found.world_from_camera[row, -1, :3, :3].numpy(), pose[:3, :3], atol=1e-5)
        # Without the turn it is another picture.
        assert np.median(np.abs(batch.depth_m[row, -1].numpy() - depth_m)[seen] / depth_m[seen]) > 0.005


def test_nothing_but_the_current_view_changes_and_no_turn_changes_nothing(batch):
    found = turned_views(batch, random_turns(2, 0.1, rng()).float())
    for name in ("rgb", "depth_m", "instance_ids", "world_from_camera"):
        assert torch.equal(getattr(found, name)[:, :-1], getattr(batch, name)[:, :-1])
        assert not torch.equal(getattr(found, name)[:, -1], getattr(batch, name)[:, -1])
    torch.testing.assert_close(found.world_from_camera[..., :3, 3], batch.world_from_camera[..., :3, 3])
    still = turned_views(batch, torch.eye(3).expand(2, 3, 3))
    for field in (f for f in fields(batch) if f.name != "imagined"):
        torch.testing.assert_close(getattr(still, field.name), getattr(batch, field.name))


def test_other_words_are_a_paraphrase_that_the_tokenizer_knows():
    known = ["Where is the red chair?", "Find the red chair.", "Go to the blue box."]
    tokenizer = build_tokenizer(known, 8)
    tokens = encode_texts(tokenizer, ["Where is the red chair?", "Go to the blue box.", ""])[None]
    found = {tuple(map(tuple, reworded(tokens, tokenizer, rng(seed))[0].tolist())) for seed in range(60)}
    texts = {tokenizer.decode(row, skip_special_tokens=True) for rows in found for row in rows}
    assert "find the red chair." in texts
    for text in texts - {""}:
        assert text in {"where is the red chair?", "go to the blue box."} or {
            p.lower() for original in known for p in paraphrases(original)
        } >= {text}
    assert tokenizer.unk_token_id not in {token for rows in found for row in rows for token in row}


def losses_of(model, grid):
    def losses(one):
        question = Question(one.keyframes, one.frame_index, one.instruction_tokens)
        with torch.no_grad():
            outputs = model(model_images(one, grid), question, one.current, one.history)
            return sample_losses(
                loss_terms(one, batch_truth(one, grid), *outputs, MatchingConfig()), one, LossWeights()
            )

    return losses


def test_the_chosen_example_is_worse_than_the_given_one_and_within_bounds(model, batch, grid):
    config = AdversarialConfig(enabled=True, candidates=3, rotation_rad=0.1)
    found = candidates(batch, config, model.tokenizer, rng(1))
    assert len(found) == 4
    losses = losses_of(model, grid)
    chosen = worst_of(found, losses)
    of_each = torch.stack([losses(one) for one in found])
    torch.testing.assert_close(losses(chosen), of_each.amax(0))
    assert (losses(chosen) >= losses(batch) - 1e-4).all()
    assert (of_each.argmax(0) > 0).any(), "no change was worse: the test shows nothing"
    turn = batch.world_from_camera[:, -1, :3, :3].mT @ chosen.world_from_camera[:, -1, :3, :3]
    angle = torch.arccos(((turn.diagonal(dim1=1, dim2=2).sum(-1) - 1) / 2).clamp(-1, 1))
    assert (angle <= 0.1 + 1e-3).all()
    for field in fields(batch):
        before = getattr(batch, field.name)
        if isinstance(before, torch.Tensor) and field.name not in CHANGED:
            assert torch.equal(getattr(chosen, field.name), before)


def test_imagined_views_stay_where_they_are_when_the_current_camera_turns(model, batch):
    views = torch.eye(4).repeat(2, 3, 1, 1)
    views[..., :3, 3] = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(4))
    ids = torch.zeros(2, 3, 5, 7, dtype=torch.long)
    asked = replace(batch, imagined=ImaginedBatch(views, ids, torch.ones(2, 3, dtype=torch.bool)))
    found = candidates(asked, AdversarialConfig(enabled=True, candidates=1, rotation_rad=0.1), model.tokenizer, rng(1))
    worst = worst_of(found, lambda one: torch.tensor([0.0, 1.0 if one is found[1] else 0.0]))
    turned = worst.imagined.current_from_imagined
    torch.testing.assert_close(turned[0], views[0], atol=1e-5, rtol=0)
    assert (turned[1] - views[1]).abs().max() > 1e-2
    world = batch.world_from_camera[:, -1:] @ views
    torch.testing.assert_close(worst.world_from_camera[:, -1:] @ turned, world, atol=1e-4, rtol=1e-4)


def test_each_sample_has_its_own_worst_and_none_without_truth(batch):
    found = [batch, replace(batch, rgb=batch.rgb + 1), replace(batch, rgb=batch.rgb + 2)]
    table = torch.tensor([[1.0, 3.0], [2.0, 0.0], [0.0, 9.0]])
    numbers = iter(table)
    chosen = worst_of(found, lambda _: next(numbers))
    assert torch.equal(chosen.rgb, torch.stack([found[1].rgb[0], found[2].rgb[1]]))
    blind = [replace(one, has_truth=torch.tensor([True, False])) for one in found]
    numbers = iter(table)
    assert torch.equal(worst_of(blind, lambda _: next(numbers)).rgb[1], batch.rgb[1])


def test_losses_of_samples_average_to_that_of_their_batch_where_as_much_counts(model, batch, grid):
    losses = losses_of(model, grid)
    twice = replace(
        batch,
        **{
            f.name: torch.cat([getattr(batch, f.name)[:1]] * 2)
            for f in fields(batch)
            if isinstance(getattr(batch, f.name), torch.Tensor) and f.name not in ("current", "history")
        },
    )
    twice = replace(
        twice,
        current=torch.tensor([[b, c] for b in (0, 1) for c in batch.current[:2, 1].tolist()]),
        history=torch.cat([batch.history[:2]] * 2),
    )
    one, other = losses(twice)
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
    first, second = losses(batch)
    torch.testing.assert_close(one, first, atol=1e-3, rtol=1e-3)
    assert abs(first - second) > 1e-3


def test_steps_are_drawn_by_their_share():
    config = AdversarialConfig(enabled=True, share=0.25)
    drawn = [looks_for_worst(config, 0, step) for step in range(400)]
    assert 70 < sum(drawn) < 130
    assert drawn == [looks_for_worst(config, 0, step) for step in range(400)]
    assert not any(looks_for_worst(AdversarialConfig(), 0, step) for step in range(20))
