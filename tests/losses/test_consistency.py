from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from backsight.losses.consistency import ViewPairs, consistency_loss, ordered_view_pairs, present_in_both


def painted_walls(room) -> torch.Tensor:
    """Two maps that are painted on the walls: the same in every view of a place."""
    x, y, z = np.moveaxis(room.points, -1, 0)
    first = 0.5 + 0.5 * np.sin(1.3 * x + 0.7 * y - 0.9 * z)
    second = 0.5 + 0.5 * np.cos(0.8 * x - 1.6 * y + 1.1 * z)
    return torch.from_numpy(np.stack([first, second], axis=1)).float()


@pytest.fixture
def scene(make_room: Callable) -> tuple[torch.Tensor, ViewPairs]:
    room = make_room(23, 31)
    return painted_walls(room), ordered_view_pairs(*room.tensors())


def everywhere(maps: torch.Tensor) -> torch.Tensor:
    return torch.ones(maps.shape[:3], dtype=torch.bool)


def loss_of(maps: torch.Tensor, pairs: ViewPairs) -> torch.Tensor:
    return consistency_loss(maps, maps, everywhere(maps), pairs)[0]


def test_all_ordered_pairs_of_each_sample_are_there(scene: tuple) -> None:
    _, pairs = scene
    found = list(zip(pairs.sample.tolist(), pairs.source.tolist(), pairs.target.tolist(), strict=True))
    assert sorted(found) == [(s, i, j) for s in range(2) for i in range(3) for j in range(3) if i != j]
    assert 0.2 < pairs.covisible.float().mean() < 0.95


def test_covisible_cells_are_those_of_the_target_view_that_the_source_view_frames(make_room: Callable) -> None:
    room = make_room(23, 31)
    pairs = ordered_view_pairs(*room.tensors())
    for pair in range(len(pairs.sample)):
        sample, source, target = (int(x[pair]) for x in (pairs.sample, pairs.source, pairs.target))
        source_from_world = np.linalg.inv(room.poses[sample, source])
        in_source = room.points[sample, target] @ source_from_world[:3, :3].T + source_from_world[:3, 3]
        pixels = (in_source @ room.intrinsics.T)[..., :2] / in_source[..., 2:]
        framed = (in_source[..., 2] > 0) & (pixels >= 0).all(-1) & (pixels < [31, 23]).all(-1)
        # Nothing is occluded in a convex room; only cells at its edges may fail the tolerance.
        assert (pairs.covisible[pair].numpy() == framed).mean() > 0.97


def test_maps_painted_on_the_walls_agree(scene: tuple) -> None:
    assert loss_of(*scene).max() < 2e-3


def test_inverted_pose_breaks_the_agreement(scene: tuple) -> None:
    maps, pairs = scene
    wrong = replace(pairs, source_from_target=torch.linalg.inv(pairs.source_from_target))
    assert (loss_of(maps, wrong).mean(1) > 5 * loss_of(maps, pairs).mean(1) + 2e-3).all()


def test_transposed_pair_breaks_the_agreement(scene: tuple) -> None:
    maps, pairs = scene
    wrong = replace(pairs, source=pairs.target, target=pairs.source)
    assert (loss_of(maps, wrong).mean(1) > 5 * loss_of(maps, pairs).mean(1) + 2e-3).all()


def test_gradient_flows_into_the_target_view_only(scene: tuple) -> None:
    maps, pairs = scene
    maps = (maps * torch.rand(maps.shape, generator=torch.Generator().manual_seed(0))).requires_grad_()
    losses = loss_of(maps, pairs)
    one = ((pairs.sample == 0) & (pairs.source == 0) & (pairs.target == 1)).nonzero().item()
    (gradient,) = torch.autograd.grad(losses[int(one), 1], maps)
    moved = gradient.abs().sum((-2, -1)).nonzero().tolist()
    assert moved == [[0, 1, 1]]


def test_cells_that_are_not_covisible_have_no_effect(scene: tuple) -> None:
    maps, pairs = scene
    maps = maps * torch.rand(maps.shape, generator=torch.Generator().manual_seed(1))
    for pair in range(len(pairs.sample)):
        sample, target = pairs.sample[pair], pairs.target[pair]
        hidden = ~pairs.covisible[pair]
        assert hidden.any()
        garbage = maps.clone()
        garbage[sample, :, target] = torch.where(hidden, 77.0, maps[sample, :, target])
        torch.testing.assert_close(
            consistency_loss(garbage, maps, everywhere(maps), pairs)[0][pair], loss_of(maps, pairs)[pair]
        )


def test_pairs_that_share_nothing_do_not_count(scene: tuple) -> None:
    maps, pairs = scene
    apart = replace(pairs, covisible=torch.zeros_like(pairs.covisible))
    values, counted = consistency_loss(maps, maps, everywhere(maps), apart)
    assert not counted.any()
    assert (values == 0).all()


def test_only_pairs_with_the_target_present_in_both_count(scene: tuple) -> None:
    maps, pairs = scene
    present = everywhere(maps)
    present[0, 1, 2] = False
    counted = present_in_both(present, pairs)
    touched = (pairs.sample == 0) & ((pairs.source == 2) | (pairs.target == 2))
    assert torch.equal(counted[:, 1], ~touched)
    assert counted[:, 0].all()
    values, _ = consistency_loss(torch.rand_like(maps), maps, present, pairs)
    assert torch.equal(values > 0, counted)


def test_balancing_gives_a_small_target_half_of_the_weight(scene: tuple) -> None:
    maps, pairs = scene
    truth = (maps > 0.97).float()
    predicted = truth.clone()
    predicted[:, :, 1] = 0.0  # the target is missed in view 1
    balanced, _ = consistency_loss(predicted, truth, everywhere(maps), pairs, balance=1.0)
    plain, _ = consistency_loss(predicted, truth, everywhere(maps), pairs, balance=0.0)
    missed = (pairs.target == 1)[:, None] & (plain > 1e-3)
    assert missed.any()
    assert (balanced[missed] > 2 * plain[missed]).all()


def test_constant_maps_cost_nothing(scene: tuple) -> None:
    maps, pairs = scene
    values, _ = consistency_loss(torch.full_like(maps, 0.3), maps, everywhere(maps), pairs)
    assert values.max() < 1e-10


def test_what_the_truths_differ_by_after_warping_costs_nothing(scene: tuple) -> None:
    maps, pairs = scene
    sharp = (maps > 0.7).float()
    plain, _ = consistency_loss(sharp, sharp, everywhere(maps), pairs)
    assert (plain > 1e-3).any()
    assert consistency_loss(sharp, sharp, everywhere(maps), pairs, above_truth=True)[0].max() == 0
    mixed = sharp.roll(1, dims=2)
    above, _ = consistency_loss(mixed, sharp, everywhere(maps), pairs, above_truth=True)
    found, _ = consistency_loss(mixed, sharp, everywhere(maps), pairs)
    torch.testing.assert_close(above, (found - plain).clamp_min(0))
    assert (above > 0).any()
