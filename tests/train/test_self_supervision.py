"""Terms without truth: on geometry that is exact they are those of the truth, and nobody's truth is read."""

from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor

from backsight.data.batches import BatchConfig, build_batch, training_items
from backsight.data.sampler import Draw
from backsight.geometry.covisibility import Label
from backsight.geometry.covisibility_torch import covisibility_labels_torch
from backsight.geometry.scene_scale_torch import scene_scale
from backsight.losses.camera import pose_encoding_from_poses
from backsight.losses.consistency import ordered_view_pairs
from backsight.losses.matching import MatchingConfig
from backsight.losses.total import LossTerms
from backsight.model.outputs import Encoding, Footprints, Targets
from backsight.model.question import Question
from backsight.records.batch import Batch
from backsight.records.errors import UsageError
from backsight.train.data import model_images
from backsight.train.self_supervision import (
    estimated_geometry,
    self_terms,
    supervised_constant_terms,
    supervised_terms,
)
from backsight.train.step import BatchTruth, batch_truth, loss_terms

SELF = {"consistency", "transfer", "total_variation", "temporal_smoothness"}
MATCHING = MatchingConfig()


@pytest.fixture(scope="module")
def truth(batch, grid) -> BatchTruth:
    return batch_truth(batch, grid)


@pytest.fixture(scope="module")
def outputs(model, batch, grid) -> tuple[Encoding, Footprints, Targets]:
    question = Question(batch.keyframes, batch.frame_index, batch.instruction_tokens, batch.answer_tokens, True)
    with torch.no_grad():
        return model(model_images(batch, grid), question, batch.current, batch.history)


@pytest.fixture(scope="module")
def exact(batch, truth, outputs) -> tuple[Encoding, Footprints, Targets]:
    """What a model says whose geometry and maps are right, in units of the scene's scale."""
    encoding, footprints, targets = outputs
    scale_m = scene_scale(batch.depth_m, batch.intrinsics, batch.world_from_camera)
    poses = pose_encoding_from_poses(batch.world_from_camera, batch.intrinsics, (96, 128), scale_m)
    encoding = replace(
        encoding,
        pose_encodings=poses.expand_as(encoding.pose_encodings).clone(),
        depth=truth.cells.depth_m / scale_m[:, None, None, None],
        depth_confidence=torch.ones_like(truth.cells.depth_m),
    )
    footprints = replace(footprints, logits=sure(truth.footprint.maps), presence_logits=sure(truth.footprint.present))
    return (
        encoding,
        footprints,
        replace(targets, logits=sure(truth.target.maps), presence_logits=sure(truth.target.present)),
    )


def sure(truth: Tensor) -> Tensor:
    return torch.logit(truth.float(), eps=1e-6)


def everyone(batch: Batch) -> Tensor:
    return torch.ones_like(batch.has_truth)


def test_the_estimate_is_one_geometry(batch, truth, exact):
    """Pairs from exact heads see each other's surfaces where true pairs do; with another unit of depth they do not."""
    rows = torch.arange(2)[:, None]
    chosen = (
        truth.cells.depth_m[rows, batch.keyframes],
        truth.cells.intrinsics,
        batch.world_from_camera[rows, batch.keyframes],
    )
    expected = ordered_view_pairs(*chosen).covisible

    def agreement(encoding: Encoding) -> float:
        geometry = estimated_geometry(encoding, truth.grid)
        torch.testing.assert_close(geometry.intrinsics, truth.cells.intrinsics, rtol=1e-3, atol=1e-3)
        poses = geometry.world_from_camera[rows, batch.keyframes]
        found = ordered_view_pairs(geometry.depth[rows, batch.keyframes], geometry.intrinsics, poses, True).covisible
        return float((found & expected).sum() / (found | expected).sum())

    assert agreement(exact[0]) > 0.95
    assert agreement(replace(exact[0], depth=0.4 * exact[0].depth)) < 0.8


def test_tolerances_at_a_scale_of_ones_own_are_relative(batch, truth):
    depth, poses = truth.cells.depth_m[0], batch.world_from_camera[0]
    pair = torch.tensor([4]), torch.tensor([0])
    intrinsics = truth.cells.intrinsics[:1].expand(5, 3, 3)
    smaller = poses.clone()
    smaller[:, :3, 3] *= 1e-2

    def seen(depth: Tensor, poses: Tensor, relative: bool) -> Tensor:
        found = ordered_view_pairs(depth[None, [0, 4]], intrinsics[:1], poses[None, [0, 4]], relative)
        return found.covisible

    assert torch.equal(seen(depth, poses, True), seen(1e-2 * depth, smaller, True))
    assert not torch.equal(seen(depth, poses, False), seen(1e-2 * depth, smaller, False))
    labels = covisibility_labels_torch(depth, *pair, intrinsics, poses, True)
    assert torch.equal(seen(depth, poses, True)[0], labels[0] == int(Label.COVISIBLE))


def test_right_maps_on_right_geometry_cost_little_and_mixed_up_ones_more(batch, truth, exact):
    encoding, footprints, targets = exact
    right = self_terms(batch, truth.grid, everyone(batch), *exact).means()
    assert set(right) == SELF
    wrong = (
        replace(footprints, logits=torch.where(odd_groups(batch), footprints.logits.roll(1, 1), footprints.logits)),
        replace(
            targets, logits=targets.logits.roll(1, dims=2), presence_logits=torch.full_like(targets.presence_logits, 9)
        ),
    )
    mixed = self_terms(batch, truth.grid, everyone(batch), encoding, *wrong).means()
    assert right["consistency"] < 0.05 < mixed["consistency"]
    assert right["temporal_smoothness"] < 0.8 * mixed["temporal_smoothness"]


def odd_groups(batch: Batch) -> Tensor:
    return (torch.arange(len(batch.current)) % 2 == 1)[:, None, None, None]


def test_no_gradient_reaches_the_geometry_heads(batch, grid, outputs):
    encoding, footprints, targets = outputs
    heads = {name: getattr(encoding, name).clone().requires_grad_() for name in ("depth", "pose_encodings")}
    learned = {name: getattr(encoding, name).clone().requires_grad_() for name in ("geometry_features",)}
    maps = footprints.logits.clone().requires_grad_(), targets.logits.clone().requires_grad_()
    seen = torch.full_like(targets.presence_logits, 3.0)
    terms = self_terms(
        batch,
        grid,
        everyone(batch),
        replace(encoding, **heads, **learned),
        replace(footprints, logits=maps[0]),
        replace(targets, logits=maps[1], presence_logits=seen),
    )
    total = torch.stack(
        [term.values.sum() for term in (terms.consistency, terms.transfer, terms.total_variation)]
    ).sum()
    (total + terms.temporal_smoothness.values.sum()).backward()
    assert all(value.grad is None for value in heads.values())
    assert maps[1].grad is not None


def test_all_samples_with_truth_get_exactly_the_terms_of_truth(batch, truth, outputs):
    expected = loss_terms(batch, truth, *outputs, MATCHING)
    for supervision in ("geometry", "mixed"):
        found = supervised_terms(batch, truth, *outputs, MATCHING, supervision)
        for field in fields(LossTerms):
            mine, other = getattr(found, field.name), getattr(expected, field.name)
            assert (mine is None) == (other is None)
            if mine is not None:
                assert torch.equal(mine.values, other.values)
                assert torch.equal(mine.counted, other.counted)


def without_truth(batch: Batch, sample: int) -> Batch:
    """The batch with one sample's truth taken away."""
    gone = torch.arange(len(batch.has_truth)) == sample
    images = gone[:, None, None, None]
    return replace(
        batch,
        has_truth=~gone,
        depth_m=batch.depth_m.masked_fill(images, 0.0),
        instance_ids=batch.instance_ids.masked_fill(images, 0),
        world_from_camera=torch.where(images, torch.eye(4), batch.world_from_camera),
    )


@pytest.mark.parametrize("sample", [0, 1])
def test_truth_counts_only_where_it_is(batch, truth, outputs, grid, sample):
    """Terms over both samples, one without truth, are those of the other sample alone, computed from its own rows."""
    half = without_truth(batch, sample)
    found = supervised_terms(half, batch_truth(half, grid), *outputs, MATCHING, "geometry").means()
    whole = loss_terms(batch, truth, *outputs, MATCHING)
    pairs = 3 * 2
    rows = {"consistency": pairs, "transfer": pairs, "temporal_smoothness": 1}
    of_groups = ("footprint", "bearing", "log_dis", "relative", "matching", "identif", "similarity")
    for name, value in found.items():
        term = getattr(whole, name)
        size = rows.get(name, 2 if name.startswith(of_groups) else 1)
        assert len(term.values) == 2 * size, name
        other = slice((1 - sample) * size, (2 - sample) * size)
        values, counted = term.values[other], term.counted[other]
        torch.testing.assert_close(value, (values * counted).sum() / counted.sum().clamp_min(1), msg=name)


def test_mixed_adds_what_the_sample_without_truth_says_of_itself(batch, outputs, grid):
    half = without_truth(batch, 1)
    truth = batch_truth(half, grid)
    known = supervised_terms(half, truth, *outputs, MATCHING, "geometry")
    alone = self_terms(half, grid, ~half.has_truth, *outputs)
    found = supervised_terms(half, truth, *outputs, MATCHING, "mixed")
    for name in SELF:
        parts = [getattr(terms, name) for terms in (known, alone) if getattr(terms, name) is not None]
        total = sum((part.values * part.counted).sum() for part in parts)
        count = sum(part.counted.sum() for part in parts)
        torch.testing.assert_close(getattr(found, name).mean(), total / max(count, 1), msg=name)
    assert torch.equal(found.footprint_bce.mean(), known.footprint_bce.mean())


def test_self_supervision_reads_no_truth(batch, outputs, grid):
    garbage = replace(
        batch,
        depth_m=torch.rand_like(batch.depth_m) * 5,
        instance_ids=batch.instance_ids.roll(1, 1),
        world_from_camera=batch.world_from_camera.roll(1, 1),
        target_ids=batch.target_ids.roll(1, 1),
    )
    one, other = (
        supervised_terms(b, batch_truth(b, grid), *outputs, MATCHING, "self").means() for b in (batch, garbage)
    )
    assert set(one) == set(other) == SELF
    assert all(torch.equal(one[name], other[name]) for name in SELF)
    assert supervised_constant_terms(batch, batch_truth(batch, grid), "self").means() == {}


def test_constants_are_those_of_the_samples_with_truth(batch, grid):
    half = without_truth(batch, 1)
    found = supervised_constant_terms(half, batch_truth(half, grid), "mixed").means()
    changed = replace(half, target_ids=torch.where(half.has_truth[:, None, None], half.target_ids, 8))
    other = supervised_constant_terms(changed, batch_truth(changed, grid), "mixed").means()
    assert all(torch.equal(found[name], other[name]) for name in found)


def test_geometry_without_any_truth_is_an_error_that_says_what_to_do(batch, outputs, grid):
    none = without_truth(without_truth(batch, 0), 1)
    none = replace(none, has_truth=torch.zeros_like(none.has_truth))
    with pytest.raises(UsageError, match="use mixed or self"):
        supervised_terms(none, batch_truth(none, grid), *outputs, MATCHING, "geometry")
    assert set(supervised_terms(none, batch_truth(none, grid), *outputs, MATCHING, "mixed").means()) == SELF


def test_a_walk_without_depth_has_no_truth(make_sequence):
    class Memory:
        root = "memory"

        def __getitem__(self, index: int):
            return walks[index]

    walks = [make_sequence(frames=7), make_sequence(frames=7, seed=1)]
    walks[1] = replace(walks[1], depth_m=0 * walks[1].depth_m)
    config = BatchConfig(num_frames=5, num_keyframes=3)
    items = training_items([walk.annotations for walk in walks], config)
    draws = [Draw(0, (0, 0, 0)), Draw(1, (0, 0, 1))]
    build = getattr(build_batch, "__wrapped__", build_batch)
    found = build(Memory(), items, draws, config, lambda texts: [[1] for _ in texts], 0, 2)
    assert found.has_truth.tolist() == [True, False]
