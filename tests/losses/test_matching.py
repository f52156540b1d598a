import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from backsight.geometry.cells import ImageFit
from backsight.geometry.covisibility import Label
from backsight.geometry.covisibility_torch import covisibility_labels_torch
from backsight.losses.matching import (
    MatchingConfig,
    TrueMatches,
    bilinear_targets,
    matches_within_window,
    matching_loss,
    true_matches,
)

ROWS, COLUMNS = 7, 11
FIT = ImageFit(121, 91, 110, 70)  # crops rows: the cells do not cover the stored image


def room_matches(room, invert: bool = False) -> TrueMatches:
    depth_m, intrinsics, poses = room.tensors()
    groups, history = 2, 2  # view 2 is current, views 0 and 1 are history
    first = torch.arange(groups) * 3
    labels = covisibility_labels_torch(
        depth_m.flatten(0, 1),
        current=(first + 2).repeat_interleave(history),
        other=(first[:, None] + torch.arange(history)).flatten(),
        intrinsics=intrinsics.repeat_interleave(3, dim=0),
        world_from_camera=poses.flatten(0, 1),
    ).unflatten(0, (groups, history))
    history_from_current = torch.linalg.inv(poses[:, :2]) @ poses[:, 2:]
    if invert:
        history_from_current = torch.linalg.inv(history_from_current)
    return true_matches(depth_m[:, 2], labels, intrinsics, history_from_current, FIT, ROWS, COLUMNS)


def distance_between_surfaces_m(room, matches: TrueMatches, points_seen: Callable) -> np.ndarray:
    """Distance of the surface that a current cell shows from the one that its match shows."""
    corner, step = (
        np.array([FIT.left_px, FIT.top_px]),
        np.array([FIT.crop_width_px / COLUMNS, FIT.crop_height_px / ROWS]),
    )
    x, y = np.meshgrid(np.arange(COLUMNS) + 0.5, np.arange(ROWS) + 0.5)
    middles = np.stack([x, y], -1).reshape(-1, 2)
    found = []
    for group, history, cell in matches.matched.nonzero().tolist():
        here = points_seen(room.poses[group, 2], room.intrinsics, corner + middles[cell] * step)[0]
        there_px = corner + matches.position[group, history, cell].numpy() * step
        there = points_seen(room.poses[group, history], room.intrinsics, there_px)[0]
        found.append(np.linalg.norm(here - there))
    return np.array(found)


def test_matches_show_the_same_surface(make_room: Callable, points_seen: Callable) -> None:
    room = make_room(91, 121)
    matches = room_matches(room)
    assert matches.matched.float().mean() > 0.4
    assert distance_between_surfaces_m(room, matches, points_seen).max() < 0.04


def test_matches_of_inverted_poses_do_not(make_room: Callable, points_seen: Callable) -> None:
    room = make_room(91, 121)
    matches = room_matches(room, invert=True)
    assert np.median(distance_between_surfaces_m(room, matches, points_seen)) > 0.2


def test_identity_matches_every_cell_with_itself() -> None:
    labels = torch.full((1, 1, 91, 121), int(Label.COVISIBLE), dtype=torch.uint8)
    intrinsics = torch.tensor([[[60.0, 0, 60.5], [0, 60, 45.5], [0, 0, 1]]])
    matches = true_matches(
        torch.full((1, 91, 121), 2.0), labels, intrinsics, torch.eye(4)[None, None], FIT, ROWS, COLUMNS
    )
    assert matches.index().flatten().tolist() == list(range(ROWS * COLUMNS))


def test_sideways_step_moves_matches_by_hand() -> None:
    # 0.5 m to the right at 2 m with focal length 44 px: 11 px to the left = one cell of 11 px.
    labels = torch.full((1, 1, 91, 121), int(Label.COVISIBLE), dtype=torch.uint8)
    intrinsics = torch.tensor([[[44.0, 0, 60.5], [0, 44, 45.5], [0, 0, 1]]])
    history_from_current = torch.eye(4)[None, None].clone()
    history_from_current[..., 0, 3] = -0.5
    matches = true_matches(torch.full((1, 91, 121), 2.0), labels, intrinsics, history_from_current, FIT, ROWS, COLUMNS)
    index = matches.index().view(ROWS, COLUMNS)
    assert (index[:, 0] == -1).all()
    assert torch.equal(index[:, 1:], torch.arange(ROWS * COLUMNS).view(ROWS, COLUMNS)[:, :-1])


def test_only_covisible_middles_with_depth_are_matched() -> None:
    labels = torch.full((1, 1, 91, 121), int(Label.COVISIBLE), dtype=torch.uint8)
    depth_m = torch.full((1, 91, 121), 2.0)
    labels[..., :60] = int(Label.OCCLUDED)
    depth_m[..., 90:] = 0
    intrinsics = torch.tensor([[[60.0, 0, 60.5], [0, 60, 45.5], [0, 0, 1]]])
    matches = true_matches(depth_m, labels, intrinsics, torch.eye(4)[None, None], FIT, ROWS, COLUMNS)
    seen = matches.matched.view(ROWS, COLUMNS)[0].tolist()
    assert seen == [60 <= int((column + 0.5) * 11) < 90 for column in range(COLUMNS)]


def test_bilinear_weights_give_back_the_position() -> None:
    position = torch.rand(50, 2) * torch.tensor([COLUMNS - 1.0, ROWS - 1.0]) + 0.5
    cells, weights = bilinear_targets(position, ROWS, COLUMNS)
    middles = torch.stack([cells % COLUMNS, cells // COLUMNS], dim=-1) + 0.5
    torch.testing.assert_close((weights[..., None] * middles).sum(1), position)
    torch.testing.assert_close(weights.sum(1), torch.ones(50))


def test_bilinear_targets_stay_on_the_grid_at_its_border() -> None:
    cells, weights = bilinear_targets(torch.tensor([[0.0, 0.0], [10.999, 6.999]]), ROWS, COLUMNS)
    assert cells.min() == 0
    assert cells.max() == ROWS * COLUMNS - 1
    assert weights.amax(1).tolist() == [1.0, 1.0]


def grid_matches(seed: int = 0) -> tuple[torch.Tensor, TrueMatches]:
    generator = torch.Generator().manual_seed(seed)
    similarity = torch.rand(2, 3, 77, 77, generator=generator, dtype=torch.float64) * 2 - 1
    position = torch.rand(2, 3, 77, 2, generator=generator) * torch.tensor([11.0, 7.0])
    matched = torch.rand(2, 3, 77, generator=generator) > 0.6
    matched[1, 2] = False
    return similarity, TrueMatches(position, matched, ROWS, COLUMNS)


def test_symmetric_loss_equals_dense_cross_entropy_both_ways() -> None:
    similarity, matches = grid_matches()
    forward = (similarity / 0.1).log_softmax(-1)
    backward = (similarity / 0.1).log_softmax(-2)
    for group in range(2):
        for history in range(3):
            losses = []
            for cell in matches.matched[group, history].nonzero().flatten().tolist():
                target, weight = bilinear_targets(matches.position[group, history, cell][None].double(), ROWS, COLUMNS)
                dense = torch.zeros(77, dtype=torch.float64).index_add(0, target[0], weight[0])
                row = (forward[group, history, cell] + backward[group, history, cell]) / 2
                losses.append(-(dense * row).sum() + torch.xlogy(dense, dense).sum())
            expected = torch.stack(losses).mean().item() if losses else 0.0
            found = matching_loss(similarity, matches, 0.1, symmetric=True)[group, history].item()
            assert found == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_easy_negatives_and_those_beside_the_truth_have_no_effect() -> None:
    matched = torch.zeros(1, 1, 77, dtype=torch.bool)
    matched[0, 0, 5] = True
    matches = TrueMatches(torch.full((1, 1, 77, 2), 3.5), matched, ROWS, COLUMNS)  # in the middle of row 3, column 3
    similarity = torch.linspace(-0.5, 0.5, 77).expand(1, 1, 77, 77).clone()
    beside = 2 * COLUMNS + 3
    similarity[0, 0, 5, beside] = 0.9  # the hardest of all, one cell from the truth
    config = MatchingConfig(hard_negative_share=0.1, exclusion_radius=1.1)
    found = matching_loss(similarity, matches, 0.1, negatives=config).item()
    # Kept: the targets (rows 3 and 4, columns 3 and 4), and of the other cells the last 8.
    around = [3 * COLUMNS + 3, 3 * COLUMNS + 4, 4 * COLUMNS + 3, 4 * COLUMNS + 4]
    row = similarity[0, 0, 5]
    kept = torch.cat([row[around], row[-8:]]) / 0.1
    assert found == pytest.approx((kept.logsumexp(0) - row[around[0]] / 0.1).item(), rel=1e-5)
    without_radius = MatchingConfig(hard_negative_share=0.1)
    assert matching_loss(similarity, matches, 0.1, negatives=without_radius).item() > found + 1


def test_all_negatives_are_kept_by_default() -> None:
    similarity, matches = grid_matches()
    torch.testing.assert_close(
        matching_loss(similarity, matches, 0.1, negatives=MatchingConfig()), matching_loss(similarity, matches, 0.1)
    )


def test_dropped_negatives_get_no_gradient() -> None:
    similarity, matches = grid_matches()
    similarity.requires_grad_()
    loss = matching_loss(similarity, matches, 0.1, negatives=MatchingConfig(hard_negative_share=0.25))
    (gradient,) = torch.autograd.grad(loss.sum(), similarity)
    touched = (gradient != 0).sum(-1)[matches.matched]
    assert touched.max() <= 4 + math.ceil(0.25 * 76)
    assert touched.min() >= 1 + math.ceil(0.25 * 73)


def test_pairs_outside_the_window_of_time_do_not_count() -> None:
    _, matches = grid_matches()
    current, history = torch.tensor([20, 7]), torch.tensor([[12, 19, 20], [3, 7, 16]])
    near = matches_within_window(matches, current, history, 8)
    kept = torch.tensor([[True, True, True], [True, True, False]])
    assert torch.equal(near.matched, matches.matched & kept[..., None])
    assert matches_within_window(matches, current, history, None) is matches


def test_loss_is_zero_where_the_softmax_equals_the_soft_target() -> None:
    _, matches = grid_matches()
    target, weight = bilinear_targets(matches.position.view(-1, 2), ROWS, COLUMNS)
    dense = torch.zeros(462, 77).scatter_add(1, target, weight).view(2, 3, 77, 77)
    similarity = (dense.clamp_min(1e-30).log() * 0.5).requires_grad_()
    loss = matching_loss(similarity, matches, 0.5)
    assert loss.abs().max() < 1e-5
    (gradient,) = torch.autograd.grad(loss.sum(), similarity)
    assert gradient.abs().max() < 1e-5


def test_even_similarity_costs_the_logarithm_of_the_cells() -> None:
    matched = torch.zeros(1, 1, 77, dtype=torch.bool)
    matched[0, 0, 5] = True
    position = torch.full((1, 1, 77, 2), 3.5)
    loss = matching_loss(torch.zeros(1, 1, 77, 77), TrueMatches(position, matched, ROWS, COLUMNS), 0.07)
    assert loss.item() == pytest.approx(math.log(77), rel=1e-5)


def test_transposed_similarity_changes_the_loss(make_room: Callable) -> None:
    matches = room_matches(make_room(91, 121))
    index = matches.index().clamp_min(0)
    similarity = torch.nn.functional.one_hot(index, 77).float()
    right = matching_loss(similarity, matches, 0.05)
    wrong = matching_loss(similarity.transpose(-1, -2), matches, 0.05)
    assert (wrong > right + 1).all()


def test_unmatched_rows_have_no_effect_and_a_learned_temperature_gets_a_gradient() -> None:
    similarity, matches = grid_matches()
    temperature = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    garbage = torch.where(matches.matched[..., None], similarity, 55.0).requires_grad_()
    loss = matching_loss(garbage, matches, temperature)
    torch.testing.assert_close(loss, matching_loss(similarity, matches, 0.1))
    gradients = torch.autograd.grad(loss.sum(), (garbage, temperature))
    assert (gradients[0][~matches.matched] == 0).all()
    assert torch.isfinite(gradients[1])
    assert gradients[1] != 0


def test_swapped_axes_of_the_grid_change_the_loss() -> None:
    similarity, matches = grid_matches()
    swapped = replace(matches, position=matches.position.flip(-1))
    assert (matching_loss(similarity, swapped, 0.1) - matching_loss(similarity, matches, 0.1))[0].abs().min() > 1e-3


def test_gradients_are_finite_at_extreme_similarities() -> None:
    _, matches = grid_matches()
    similarity = torch.full((2, 3, 77, 77), 1.0)
    similarity[..., ::2] = -1.0
    similarity.requires_grad_()
    (gradient,) = torch.autograd.grad(matching_loss(similarity, matches, 1e-4).sum(), similarity)
    assert torch.isfinite(gradient).all()
