"""Transfer by combined similarity: the features themselves carry the true map of view i into view j."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.backends.cuda import SDPAParams, can_use_efficient_attention
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint

from backsight.losses.consistency import ViewPairs, present_in_both
from backsight.losses.projection import balanced_cell_weights

CarryingPath = Literal["whole", "chunked", "attention"]
"""How maps are carried: all similarities at once, some pairs and rows at a time, or one memory-efficient kernel."""
WHOLE_BYTES = 256 * 2**20
"""Similarities and their softmax that take more than this are not held at once."""
CHUNK_BYTES = 32 * 2**20
"""What one chunk of them takes."""
ALIGNED_CHANNELS = 8
"""The memory-efficient kernel takes query, key and value channels in multiples of this, in every precision."""


def join_features(
    geometry: Float[Tensor, "batch views geometry_channels rows columns"],
    appearance: Float[Tensor, "batch views appearance_channels rows columns"],
) -> Float[Tensor, "batch views cells channels"]:
    """Return features whose inner product is the combined similarity 0.6 cos(geometry) + 0.4 cos(appearance).

    The encoder gives its features the lengths sqrt(0.6) and sqrt(0.4) (`GeometryConfig.weight`,
    `AppearanceConfig.weight`), so putting them side by side is all there is to do, and transfer is one attention call.

    Args:
        geometry: VGGT's features on the patch grid, of length sqrt(weight).
        appearance: DINOv3's features on the same grid, of length sqrt(weight).
    """
    return torch.cat([geometry, appearance], dim=2).flatten(3).transpose(2, 3)


def carrying_path(pairs: int, cells: int, source_cells: int, kernel: bool) -> CarryingPath:
    """Return how maps are best carried; every path gives the same result.

    Args:
        pairs: Pairs of views.
        cells: Cells of each target view.
        source_cells: Cells of each source view.
        kernel: Whether the memory-efficient kernel takes these features (`kernel_takes`).
    """
    if _similarity_bytes(pairs * cells, source_cells) <= WHOLE_BYTES:
        return "whole"
    return "attention" if kernel else "chunked"


def kernel_takes(
    queries: Float[Tensor, "pairs cells channels"], values: Float[Tensor, "pairs source_cells maps"]
) -> bool:
    """Return whether the memory-efficient kernel can carry maps by these features: on CUDA, within its widths.

    Args:
        queries: Features of one view.
        values: Maps to carry.
    """
    if queries.device.type != "cuda":
        return False
    query, value = (_padded(tensor)[:, None] for tensor in (queries, values.to(queries.dtype)))
    asked = SDPAParams(query, query, value, None, 0.0, False, False)
    return can_use_efficient_attention(asked)


def _similarity_bytes(rows: int, source_cells: int) -> int:
    """Of float32 similarities and their softmax, which the backward pass needs."""
    return 2 * 4 * rows * source_cells


def transfer_maps(
    target_features: Float[Tensor, "pairs cells channels"],
    source_features: Float[Tensor, "pairs source_cells channels"],
    source_maps: Float[Tensor, "pairs source_cells maps"],
    temperature: float | Float[Tensor, ""],
    path: CarryingPath | None = None,
    chunk_bytes: int = CHUNK_BYTES,
) -> Float[Tensor, "pairs cells maps"]:
    """Return maps carried from the source view: each target cell takes the softmax-weighted mean of the source cells.

    The softmax is computed in float32 at least, whatever the features are.

    Args:
        target_features: Joined features of view j (`join_features`).
        source_features: Joined features of view i.
        source_maps: Maps of view i, any number at once.
        temperature: Divides the similarity.
        path: Chosen by size when not given (`carrying_path`).
        chunk_bytes: Of the similarities of one chunk.
    """
    pairs, cells, source_cells = len(target_features), target_features.shape[1], source_features.shape[1]
    queries = target_features / temperature
    chosen = path or carrying_path(pairs, cells, source_cells, kernel_takes(queries, source_maps))
    if chosen == "whole":
        return _carry(queries, source_features, source_maps)
    if chosen == "attention":
        return _carry_by_attention(queries, source_features, source_maps)
    rows = max(chunk_bytes // _similarity_bytes(1, source_cells), 1)
    pairs_at_once, rows_at_once = max(rows // cells, 1), min(rows, cells)
    parts = [
        torch.cat(
            [
                # What a chunk holds is computed again in the backward pass.
                checkpoint(_carry, some, source, maps, use_reentrant=False, preserve_rng_state=False)
                for some in target.split(rows_at_once, dim=1)
            ],
            dim=1,
        )
        for target, source, maps in zip(
            queries.split(pairs_at_once),
            source_features.split(pairs_at_once),
            source_maps.split(pairs_at_once),
            strict=True,
        )
    ]
    return torch.cat(parts) if parts else _carry(queries, source_features, source_maps)


def _carry(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    similarity = torch.bmm(queries, keys.transpose(1, 2))
    weights = similarity.softmax(dim=-1, dtype=torch.promote_types(similarity.dtype, torch.float32))
    return torch.bmm(weights.to(values.dtype), values)


def _carry_by_attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    channels = values.shape[-1]
    # One head each; zero channels change neither the inner products nor the maps.
    query, key, value = (_padded(tensor)[:, None] for tensor in (queries, keys, values.to(queries.dtype)))
    if queries.device.type == "cuda":
        with sdpa_kernel(SDPBackend.EFFICIENT_ATTENTION):
            carried = functional.scaled_dot_product_attention(query, key, value, scale=1.0)
    else:
        carried = functional.scaled_dot_product_attention(query, key, value, scale=1.0)
    return carried[:, 0, :, :channels].to(values.dtype)


def _padded(tensor: Tensor) -> Tensor:
    return functional.pad(tensor, (0, -tensor.shape[-1] % ALIGNED_CHANNELS))


@dataclass(frozen=True)
class CarriedMaps:
    """What one attention call brings from the source views."""

    maps: Float[Tensor, "pairs cells maps"]
    total: Float[Tensor, "pairs cells"]
    """Share of the attention that fell on source cells that count."""
    position: Float[Tensor, "pairs cells 2"]
    """Expected x, y in source cells, of those that count; means nothing where `total` is 0."""


def carry_maps_and_positions(
    target_features: Float[Tensor, "pairs cells channels"],
    source_features: Float[Tensor, "pairs source_cells channels"],
    source_maps: Float[Tensor, "pairs source_cells maps"],
    source_valid: Bool[Tensor, "pairs source_cells"],
    columns: int,
    temperature: float | Float[Tensor, ""],
    path: CarryingPath | None = None,
) -> CarriedMaps:
    """Return carried maps, where each target cell looked, and how much of that counts: one call, all are values.

    Maps are means over the source cells that count, and zero where none got any attention.

    Args:
        target_features: Joined features of view j.
        source_features: Joined features of view i.
        source_maps: Maps of view i, any number at once.
        source_valid: Cells of view i that count.
        columns: Source cells across; cells are in row-major order.
        temperature: Divides the similarity.
        path: As in `transfer_maps`.
    """
    cell = torch.arange(source_maps.shape[1], device=source_maps.device)
    middle = torch.stack([cell % columns, cell // columns], dim=-1).to(source_maps.dtype) + 0.5
    middles = middle.expand(len(source_maps), -1, -1)
    values = torch.cat([source_maps, middles, torch.ones_like(middles[..., :1])], dim=-1) * source_valid[..., None]
    carried = transfer_maps(target_features, source_features, values, temperature, path)
    means = carried[..., :-1] / carried[..., -1:].clamp_min(torch.finfo(carried.dtype).eps)
    return CarriedMaps(maps=means[..., :-2], total=carried[..., -1], position=means[..., -2:])


def transfer_loss(
    features: Float[Tensor, "batch views cells channels"],
    truth: Float[Tensor, "batch instructions views height width"],
    present: Bool[Tensor, "batch instructions views"],
    pairs: ViewPairs,
    grid: tuple[int, int],
    temperature: float | Float[Tensor, ""] = 0.07,
) -> tuple[Float[Tensor, "pairs instructions"], Bool[Tensor, "pairs instructions"]]:
    """Return the squared error of true maps of view i carried into view j, and which pairs count; 0 where they do not.

    A mean over the patches of j at least half of whose cells i sees too, positive and negative ones balanced.
    Without truth, pass the detached prediction as `truth`.

    Optimised alone, over free features, it ends at the set of features that carry the true maps: surfaces of the target
    resemble each other and nothing else. Features that are the same everywhere carry each map's mean and are outside of
    it.

    Args:
        features: Joined features (`join_features`) on the patch grid.
        truth: True target maps.
        present: Whether the view shows the target.
        pairs: Ordered pairs of views.
        grid: Rows and columns of the patch grid.
        temperature: Divides the similarity.
    """
    patches = functional.adaptive_avg_pool2d(truth.flatten(0, 1), grid).unflatten(0, truth.shape[:2]).flatten(3)
    patches = patches.permute(0, 2, 3, 1)
    seen = functional.adaptive_avg_pool2d(pairs.covisible.to(truth.dtype), grid) >= 0.5
    counted = present_in_both(present, pairs) & seen.any(dim=-1).any(dim=-1)[:, None]
    # Only pairs that count for some instruction are carried.
    kept = counted.any(dim=1).nonzero(as_tuple=True)[0]
    sample, source, target = pairs.sample[kept], pairs.source[kept], pairs.target[kept]
    carried = transfer_maps(features[sample, target], features[sample, source], patches[sample, source], temperature)
    expected = patches[sample, target].transpose(1, 2).unflatten(2, grid)
    difference = carried.transpose(1, 2).unflatten(2, grid) - expected
    weights = balanced_cell_weights(expected, seen[kept][:, None].expand(expected.shape))
    error = (weights * difference.square()).sum(dim=(-2, -1)) * counted[kept]
    return error.new_zeros(counted.shape).index_copy(0, kept, error), counted
