"""Each term alone, optimised over free outputs from random starts: it ends where its docstring says, and never at a
constant map."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from backsight.geometry.projection_torch import warp_maps_torch
from backsight.losses.camera import camera_loss
from backsight.losses.coherence import compactness_loss, temporal_excess, temporal_smoothness_loss, total_variation_loss
from backsight.losses.consistency import consistency_loss, ordered_view_pairs
from backsight.losses.depth import alignment_scale, depth_loss
from backsight.losses.discrimination import identification_loss, own_divergence, similarity_hinge_loss
from backsight.losses.matching import MatchingConfig, TrueMatches, bilinear_targets, matching_loss
from backsight.losses.projection import balanced_bce, bearing_loss, log_distance_loss, presence_bce, soft_iou_loss
from backsight.losses.transfer import transfer_loss

STARTS = 3
ROWS, COLUMNS = 7, 11
LEAST_STANDARD_DEVIATION = 0.05
"""A map that varies by less is called constant."""


def optimised(start: Tensor, loss: Callable[[Tensor], Tensor], steps: int = 400, rate: float = 0.1) -> Tensor:
    """Where Adam ends, its rate falling to zero."""
    free = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([free], lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(free).sum().backward()
        optimiser.step()
        schedule.step()
    return free.detach()


def random_logits(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)) * 1.5


def blobs(count: int) -> Tensor:
    """Soft maps with their middles in different places."""
    generator = torch.Generator().manual_seed(1)
    middle = torch.rand(count, 2, generator=generator) * torch.tensor([ROWS - 1.0, COLUMNS - 1.0])
    r, c = torch.meshgrid(torch.arange(ROWS), torch.arange(COLUMNS), indexing="ij")
    square = (r - middle[:, 0, None, None]) ** 2 + (c - middle[:, 1, None, None]) ** 2
    return (1.4 * torch.exp(-square / 7.0) - 0.1).clamp(0, 1)


def assert_not_constant(maps: Tensor, valid: Tensor | None = None) -> None:
    counted = torch.ones_like(maps, dtype=torch.bool) if valid is None else valid
    for one, cells in zip(maps.flatten(0, -3), counted.flatten(0, -3), strict=True):
        assert one[cells].std() > LEAST_STANDARD_DEVIATION


@pytest.mark.parametrize("loss", [balanced_bce, soft_iou_loss])
def test_maps_against_truth_end_at_the_truth(loss: Callable) -> None:
    truth = blobs(5).expand(STARTS, -1, -1, -1).contiguous()
    valid = torch.rand(truth.shape, generator=torch.Generator().manual_seed(2)) > 0.2
    end = optimised(random_logits(*truth.shape), lambda x: loss(x, truth, valid), 600, 0.3).sigmoid()
    assert (end - truth)[valid].abs().max() < 0.03
    assert_not_constant(end, valid)


def test_presence_bearing_and_distance_end_at_the_truth() -> None:
    generator = torch.Generator().manual_seed(3)
    present = torch.rand(STARTS, 7, generator=generator) > 0.5
    end = optimised(random_logits(STARTS, 7), lambda x: presence_bce(x, present), rate=0.3).sigmoid()
    assert (end - present.float()).abs().max() < 0.01
    truth = normalize(torch.randn(STARTS, 7, 3, generator=generator), dim=-1)
    end = optimised(random_logits(STARTS, 7, 3), lambda x: bearing_loss(x, truth))
    assert (normalize(end, dim=-1) * truth).sum(-1).min() > 0.999
    distance_m = torch.rand(STARTS, 7, generator=generator) * 5 + 0.1
    end = optimised(random_logits(STARTS, 7), lambda x: log_distance_loss(x, distance_m))
    assert (end - distance_m.log()).abs().max() < 0.01


def test_camera_ends_at_the_truth_but_for_the_sign_of_the_quaternion() -> None:
    generator = torch.Generator().manual_seed(4)
    truth = torch.randn(STARTS, 5, 9, generator=generator)
    truth[..., 3:7] = normalize(truth[..., 3:7], dim=-1)
    end = optimised(random_logits(2, STARTS, 5, 9), lambda x: camera_loss(x, truth))
    sign = (end[..., 3:7] * truth[..., 3:7]).sum(-1, keepdim=True).sign()
    end = torch.cat([end[..., :3], end[..., 3:7] * sign, end[..., 7:]], dim=-1)
    assert (end - truth).abs().max() < 0.01


def test_depth_ends_at_the_truth_but_for_one_scale_of_each_scene() -> None:
    generator = torch.Generator().manual_seed(5)
    truth_m = 1 + 3 * torch.rand(STARTS, 2, ROWS, COLUMNS, generator=generator)
    valid = torch.rand(truth_m.shape, generator=generator) > 0.2
    start = 1 + random_logits(*truth_m.shape).exp().clamp_max(5)
    end = optimised(start, lambda x: depth_loss(x, None, truth_m, valid), 800)
    aligned = end * alignment_scale(end, truth_m, valid)[:, None, None, None]
    assert (aligned - truth_m)[valid].abs().max() < 0.05
    assert_not_constant(end, valid)


def test_consistency_ends_at_maps_painted_on_the_surfaces(make_room: Callable) -> None:
    room = make_room(17, 23)
    pairs = ordered_view_pairs(*room.tensors())
    x, y, z = torch.from_numpy(room.points).float().unbind(-1)
    painted = (torch.sin(1.9 * x + 1.1 * y - 1.3 * z) > 0.3).float()
    truth = painted[:, None].expand(-1, STARTS, -1, -1, -1).contiguous()
    present = torch.ones(truth.shape[:3], dtype=torch.bool)

    def loss(logits: Tensor) -> Tensor:
        return consistency_loss(logits.sigmoid(), truth, present, pairs, above_truth=True)[0]

    start = random_logits(*truth.shape)
    end = optimised(start, loss)
    allowed = consistency_loss(truth, truth, present, pairs)[0]
    assert (consistency_loss(end.sigmoid(), truth, present, pairs)[0] <= allowed + 2e-3).all()
    assert loss(start).min() > 0.02
    assert_not_constant(end.sigmoid())
    # Nor are the cells that other views see.
    shared = torch.zeros(truth.shape[0], truth.shape[2], *truth.shape[3:], dtype=torch.bool)
    for n in range(len(pairs.sample)):
        shared[pairs.sample[n], pairs.target[n]] |= pairs.covisible[n]
    assert_not_constant(end.sigmoid(), shared[:, None].expand(truth.shape))


def test_total_variation_ends_at_maps_that_step_no_more_than_the_truth_within_surfaces() -> None:
    truth = blobs(5).expand(STARTS, -1, -1, -1).contiguous()
    depth_m = torch.full_like(truth, 2.0)
    depth_m[..., 6:] = 3.5
    end = optimised(
        random_logits(*truth.shape), lambda x: total_variation_loss(x.sigmoid(), depth_m, truth=truth), rate=0.03
    ).sigmoid()
    wanted = total_variation_loss(truth, depth_m)
    found = total_variation_loss(end, depth_m)
    assert (found <= wanted + 0.01).all()
    # Momentum carries on a little beyond the border of the set, where nothing pushes any more.
    assert (found > 0.5 * wanted).all()
    assert_not_constant(end)


def test_compactness_ends_at_maps_that_spread_no_more_than_their_truth() -> None:
    truth = blobs(5).expand(STARTS, -1, -1, -1).contiguous()
    valid = torch.rand(truth.shape, generator=torch.Generator().manual_seed(6)) > 0.1
    end = optimised(random_logits(*truth.shape), lambda x: compactness_loss(x.sigmoid(), truth, valid)).sigmoid()
    assert compactness_loss(end, truth, valid).max() < 2e-3
    assert compactness_loss(torch.full_like(truth, 0.5), truth, valid).min() > 0.02
    assert_not_constant(end, valid)


def steps_of(room, count: int) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor], Tensor]:
    """Maps painted on the walls over two views of each place, how to warp the first into the second, shared cells."""
    depth_m, intrinsics, poses = room.tensors()
    points = torch.from_numpy(room.points).float()[:, :2]
    waves = torch.randn(3, count, generator=torch.Generator().manual_seed(7)) * 2
    painted = torch.sigmoid(6 * torch.sin(points @ waves + torch.arange(count))).permute(0, 1, 4, 2, 3)
    geometry = tuple(
        part.repeat_interleave(count, dim=0)
        for part in (depth_m[:, 1], intrinsics, torch.linalg.inv(poses[:, 0]) @ poses[:, 1])
    )
    pairs = ordered_view_pairs(depth_m, intrinsics, poses)
    return painted, geometry, pairs.covisible[(pairs.source == 0) & (pairs.target == 1)]


def test_temporal_smoothness_ends_at_maps_as_steady_as_the_truths_for_how_much_they_differ(make_room: Callable) -> None:
    painted, geometry, covisible = steps_of(make_room(17, 23), 5)
    counted = torch.ones(2, 5, dtype=torch.bool)

    def warped(maps: Tensor) -> Tensor:
        return warp_maps_torch(maps[:, 0].flatten(0, 1), *geometry)[0].view_as(maps[:, 0])

    true = warped(painted), painted[:, 1], covisible, counted
    for seed in range(STARTS):
        start = torch.randn(painted.shape, generator=torch.Generator().manual_seed(seed)) * 1.5

        def loss(logits: Tensor) -> Tensor:
            maps = logits.sigmoid()
            return temporal_excess(warped(maps), maps[:, 1], *true)

        end = optimised(start, loss, 300).sigmoid()
        found = temporal_smoothness_loss(warped(end), end[:, 1], covisible, counted)
        assert loss(start).min() > 0.5
        assert (found <= temporal_smoothness_loss(*true) + 0.01).all()
        assert_not_constant(end)
        assert_not_constant(end[:, 1], covisible[:, None].expand(end[:, 1].shape))


def test_identification_ends_at_maps_that_tell_frames_apart_as_their_truths_do() -> None:
    truth = blobs(5).expand(STARTS, -1, -1, -1).contiguous()
    judged = truth, torch.ones_like(truth, dtype=torch.bool), torch.ones(STARTS, 5, dtype=torch.bool)
    end = optimised(random_logits(*truth.shape), lambda x: identification_loss(x.sigmoid(), *judged), 600).sigmoid()
    assert identification_loss(end, *judged).max() < 0.01
    assert identification_loss(torch.full_like(truth, 0.5), *judged).min() > 0.2
    assert_not_constant(end)


def test_similarity_hinge_ends_at_maps_that_differ_as_much_as_the_truths() -> None:
    truth = blobs(5).expand(STARTS, -1, -1, -1).contiguous()
    valid, present = torch.ones_like(truth, dtype=torch.bool), torch.ones(STARTS, 5, dtype=torch.bool)
    end = optimised(
        random_logits(*truth.shape), lambda x: similarity_hinge_loss(x.sigmoid(), truth, valid, present), 600
    )
    found, wanted = (own_divergence(maps, valid, present) for maps in (end.sigmoid(), truth))
    assert (found >= wanted - 0.03).all()
    assert_not_constant(end.sigmoid())


def test_transfer_ends_at_features_that_carry_the_truth(make_room: Callable) -> None:
    room, grid = make_room(15, 21), (5, 7)
    pairs = ordered_view_pairs(*room.tensors())
    x, y, z = torch.from_numpy(room.points).float().unbind(-1)
    painted = (torch.sin(1.9 * x + 1.1 * y - 1.3 * z) > 0.3).float()[:, None]
    present = torch.ones(2, 1, 3, dtype=torch.bool)

    def loss(features: Tensor) -> Tensor:
        return transfer_loss(normalize(features, dim=-1), painted, present, pairs, grid)[0]

    generator = torch.Generator().manual_seed(8)
    patches = adaptive_avg_pool2d(painted.flatten(0, 1), grid).unflatten(0, (2, 1))
    assert patches.std() > LEAST_STANDARD_DEVIATION
    constant = loss(torch.ones(2, 3, 35, 16))
    counted = constant > 0.05
    assert counted.any()
    for _ in range(STARTS):
        start = torch.randn(2, 3, 35, 16, generator=generator)
        end = optimised(start, loss, 300)
        # Soft patches that no source patch holds remain.
        assert loss(end).mean() < 0.1 * constant.mean()
        assert (normalize(end, dim=-1).std(dim=2).mean() > LEAST_STANDARD_DEVIATION).all()


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_matching_ends_where_every_matched_row_is_its_soft_target(share: float) -> None:
    generator = torch.Generator().manual_seed(9)
    position = torch.rand(1, STARTS, 15, 2, generator=generator) * torch.tensor([5.0, 3.0])
    matches = TrueMatches(position, torch.rand(1, STARTS, 15, generator=generator) > 0.4, 3, 5)
    negatives = MatchingConfig(hard_negative_share=share)
    start = random_logits(1, STARTS, 15, 15)
    end = optimised(start, lambda x: matching_loss(x, matches, 0.5, negatives=negatives), 600)
    target, weight = bilinear_targets(position.view(-1, 2), 3, 5)
    wanted = torch.zeros(STARTS * 15, 15).scatter_add(1, target, weight).view(1, STARTS, 15, 15)
    found = (end / 0.5).softmax(-1)
    assert (found - wanted)[matches.matched].abs().max() < 0.03
    torch.testing.assert_close(end[~matches.matched], start[~matches.matched])
