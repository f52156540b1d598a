from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import cosine_similarity, scaled_dot_product_attention

from backsight.losses.consistency import ordered_view_pairs
from backsight.losses.projection import balanced_cell_weights
from backsight.losses.transfer import combined_features, transfer_loss, transfer_maps

GRID = (5, 7)


def test_inner_product_is_the_weighted_sum_of_cosines() -> None:
    torch.manual_seed(0)
    geometry, appearance = torch.randn(1, 2, 11, *GRID) * 9, torch.randn(1, 2, 13, *GRID) * 0.1
    features = combined_features(geometry, appearance)
    similarity = features[0, 0] @ features[0, 1].T
    v, d = (x.flatten(3).transpose(2, 3)[0] for x in (geometry, appearance))
    expected = 0.6 * cosine_similarity(v[0][:, None], v[1][None], dim=-1)
    expected = expected + 0.4 * cosine_similarity(d[0][:, None], d[1][None], dim=-1)
    torch.testing.assert_close(similarity, expected)


def test_transfer_is_one_attention_call() -> None:
    torch.manual_seed(1)
    query, key, maps = torch.randn(3, 35, 24), torch.randn(3, 31, 24), torch.rand(3, 31, 4)
    expected = scaled_dot_product_attention(query, key, maps, scale=1 / 0.3)
    torch.testing.assert_close(transfer_maps(query, key, maps, 0.3), expected)


def perfect_features(room) -> torch.Tensor:
    """Features that are sharp functions of the wall's point, so that the same surface has the same features."""
    points = torch.from_numpy(room.points).float()[:, :, 1::3, 1::3]
    frequencies = torch.randn(3, 64, generator=torch.Generator().manual_seed(0)) * 1.5
    waves = points @ frequencies
    return torch.nn.functional.normalize(torch.cat([waves.sin(), waves.cos()], -1).flatten(2, 3), dim=-1)


def target_maps(room) -> torch.Tensor:
    """A blob painted on the walls."""
    middle = room.points[:, :1, 7:8, 10:11]
    distance = np.linalg.norm(room.points - middle, axis=-1)
    return torch.from_numpy(np.exp(-((distance / 0.9) ** 2)))[:, None].float()


def room_parts(make_room: Callable) -> tuple:
    room = make_room(15, 21)
    pairs = ordered_view_pairs(*room.tensors())
    maps = target_maps(room)
    return perfect_features(room), maps, torch.ones(2, 1, 3, dtype=torch.bool), pairs


def test_features_that_know_the_surface_carry_the_map(make_room: Callable) -> None:
    features, maps, present, pairs = room_parts(make_room)
    good, counted = transfer_loss(features, maps, present, pairs, GRID, 0.03)
    random = torch.nn.functional.normalize(
        torch.randn(features.shape, generator=torch.Generator().manual_seed(3)), dim=-1
    )
    bad, _ = transfer_loss(random, maps, present, pairs, GRID, 0.03)
    assert counted.any()
    assert good[counted].mean() < 0.2 * bad[counted].mean()


def test_transposed_pair_changes_the_result(make_room: Callable) -> None:
    features, maps, present, pairs = room_parts(make_room)
    maps = maps * torch.tensor([1.0, 0.5, 0.25])[None, None, :, None, None]
    values, _ = transfer_loss(features, maps, present, pairs, GRID, 0.03)
    forward = ((pairs.sample == 0) & (pairs.source == 0) & (pairs.target == 1)).nonzero().item()
    # The brighter map of view 0 carried into view 1 overshoots; sums confirm which way it went.
    carried = transfer_maps(
        features[:1, 1],
        features[:1, 0],
        torch.nn.functional.adaptive_avg_pool2d(maps[0, :, 0], GRID).flatten(1).T[None],
        0.03,
    )
    expected = torch.nn.functional.adaptive_avg_pool2d(maps[0, :, 1], GRID).flatten()
    seen = torch.nn.functional.adaptive_avg_pool2d(pairs.covisible[int(forward)][None].float(), GRID).flatten() >= 0.5
    error = (carried.flatten() - expected).square()
    weights = balanced_cell_weights(expected.view(1, *GRID), seen.view(1, *GRID)).flatten()
    torch.testing.assert_close(values[int(forward), 0], (weights * error).sum())


def test_absent_targets_do_not_count_and_gradients_reach_the_features(make_room: Callable) -> None:
    features, maps, present, pairs = room_parts(make_room)
    present[1] = False
    features.requires_grad_()
    values, counted = transfer_loss(features, maps, present, pairs, GRID, 0.01)
    assert not counted[pairs.sample == 1].any()
    assert (values[~counted] == 0).all()
    (gradient,) = torch.autograd.grad(values.sum(), features)
    assert torch.isfinite(gradient).all()
    assert (gradient[1] == 0).all()
    assert gradient[0].abs().sum() > 0


def test_gradients_are_finite_for_empty_features() -> None:
    geometry = torch.zeros(1, 2, 3, *GRID, requires_grad=True)
    features = combined_features(geometry, torch.ones(1, 2, 3, *GRID))
    (gradient,) = torch.autograd.grad(features.square().sum(), geometry)
    assert torch.isfinite(gradient).all()
