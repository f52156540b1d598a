from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity, normalize
from torch.utils._python_dispatch import TorchDispatchMode

from backsight.losses.consistency import ordered_view_pairs
from backsight.losses.projection import balanced_cell_weights
from backsight.losses.transfer import (
    WHOLE_BYTES,
    carry_maps_and_positions,
    carrying_path,
    join_features,
    transfer_loss,
    transfer_maps,
)

GRID = (5, 7)


def test_inner_product_of_the_encoders_features_is_the_weighted_sum_of_cosines() -> None:
    # The encoder normalises to sqrt(weight) and hands grids over; cosines are those of the raw features.
    generator = torch.Generator().manual_seed(0)
    raw = [torch.randn(1, 2, c, *GRID, generator=generator) * length for c, length in ((11, 9.0), (13, 0.1))]
    geometry, appearance = (normalize(x, dim=2) * w**0.5 for x, w in zip(raw, (0.6, 0.4), strict=True))
    features = join_features(geometry, appearance)
    v, d = (x.flatten(3).transpose(2, 3)[0] for x in raw)
    expected = 0.6 * cosine_similarity(v[0][:, None], v[1][None], dim=-1)
    expected = expected + 0.4 * cosine_similarity(d[0][:, None], d[1][None], dim=-1)
    torch.testing.assert_close(features[0, 0] @ features[0, 1].T, expected)


def random_views(dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    query = torch.randn(5, 37, 19, generator=generator, dtype=dtype)
    key = torch.randn(5, 31, 19, generator=generator, dtype=dtype)
    return query, key, torch.rand(5, 31, 3, generator=generator, dtype=dtype)


def with_gradients(path: str, chunk_bytes: int = 2**25) -> list[torch.Tensor]:
    inputs = [tensor.requires_grad_() for tensor in (*random_views(), torch.tensor(0.3))]
    carried = transfer_maps(*inputs, path=path, chunk_bytes=chunk_bytes)
    weights = torch.linspace(-1, 1, carried.numel()).view_as(carried)
    return [carried, *torch.autograd.grad((carried * weights).sum(), inputs)]


# Chunks of all pairs, of two pairs, and of some rows of one pair.
@pytest.mark.parametrize("chunk_bytes", [2**25, 8 * 31 * 37 * 2, 8 * 31 * 11])
def test_chunks_carry_what_the_whole_carries(chunk_bytes: int) -> None:
    for found, expected in zip(with_gradients("chunked", chunk_bytes), with_gradients("whole"), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_one_attention_call_carries_what_the_whole_carries() -> None:
    for found, expected in zip(with_gradients("attention"), with_gradients("whole"), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_memory_efficient_kernel_carries_what_the_whole_carries() -> None:
    query, key, maps = (tensor.cuda() for tensor in random_views())
    found = transfer_maps(query, key, maps, 0.3, path="attention")
    torch.testing.assert_close(found, transfer_maps(query, key, maps, 0.3, path="whole"), atol=1e-3, rtol=1e-3)


def test_half_precision_features_are_compared_in_single_precision() -> None:
    query, key, maps = random_views()
    expected = transfer_maps(query, key, maps, 3.0)
    found = transfer_maps(query.bfloat16(), key.bfloat16(), maps, 3.0)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0.02)


class LargestTensor(TorchDispatchMode):
    """Notes the elements of the largest tensor that any operation makes."""

    elements = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        made = [x for x in (result if isinstance(result, tuple | list) else [result]) if isinstance(x, torch.Tensor)]
        self.elements = max([self.elements, *(x.numel() for x in made)])
        return result


def test_chunks_never_hold_all_similarities() -> None:
    largest = {}
    for path in ("whole", "chunked"):
        with LargestTensor() as seen:
            with_gradients(path, chunk_bytes=8 * 31 * 11)
        largest[path] = seen.elements
    assert largest["whole"] == 5 * 37 * 31
    assert largest["chunked"] == 5 * 37 * 19  # the features themselves; a chunk holds 11 x 31


def test_chunks_keep_nothing_for_the_backward_pass() -> None:
    kept = {}
    for path in ("whole", "chunked"):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, sizes=sizes: sizes.append(t.numel()) or t, lambda t: t):
            inputs = [tensor.requires_grad_() for tensor in random_views()]
            transfer_maps(*inputs, 0.3, path=path, chunk_bytes=8 * 31 * 11).sum()
        kept[path] = max(sizes, default=0)
    assert kept["whole"] == 5 * 37 * 31
    assert kept["chunked"] <= 5 * 37 * 19


def test_the_path_is_chosen_by_size() -> None:
    small, full = (224, 192, 192), (960, 1008, 1008)
    assert carrying_path(*small, kernel=False) == carrying_path(*small, kernel=True) == "whole"
    assert carrying_path(*full, kernel=False) == "chunked"
    assert carrying_path(*full, kernel=True) == "attention"
    assert carrying_path(1, WHOLE_BYTES // 8, 1, kernel=False) == "whole"
    assert carrying_path(1, WHOLE_BYTES // 8 + 1, 1, kernel=False) == "chunked"


def test_no_pairs_carry_nothing() -> None:
    query, key, maps = (tensor[:0] for tensor in random_views())
    for path in ("whole", "chunked"):
        assert transfer_maps(query, key, maps, 0.3, path=path).shape == (0, 37, 3)


@pytest.mark.parametrize("path", ["whole", "chunked", "attention"])
def test_positions_and_what_counts_come_with_the_maps(path: str) -> None:
    query, key, maps = random_views()
    key, maps = key[:, :21], maps[:, :21]  # 3 x 7
    valid = torch.rand(5, 21, generator=torch.Generator().manual_seed(2)) > 0.3
    valid[4] = False
    carried = carry_maps_and_positions(query, key, maps, valid, 7, 3.0, path)
    weights = (query @ key.transpose(1, 2) / 3.0).softmax(-1) * valid[:, None]
    torch.testing.assert_close(carried.total, weights.sum(-1), atol=1e-5, rtol=1e-4)
    assert (carried.maps[4] == 0).all()
    shares = (weights / weights.sum(-1, keepdim=True))[:4]
    torch.testing.assert_close(carried.maps[:4], shares @ maps[:4], atol=1e-5, rtol=1e-4)
    middles = torch.tensor([[c + 0.5, r + 0.5] for r in range(3) for c in range(7)])
    torch.testing.assert_close(carried.position[:4], shares @ middles, atol=1e-4, rtol=1e-4)


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
