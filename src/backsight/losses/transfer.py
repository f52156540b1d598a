"""Transfer by combined similarity: the features themselves carry the true map of view i into view j."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from backsight.losses.consistency import ViewPairs, present_in_both
from backsight.losses.projection import balanced_cell_weights


def combined_features(
    geometry: Float[Tensor, "batch views geometry_channels rows columns"],
    appearance: Float[Tensor, "batch views appearance_channels rows columns"],
    geometry_share: float = 0.6,
) -> Float[Tensor, "batch views cells channels"]:
    """Return unit features whose inner product is share x cos(geometry) + (1 - share) x cos(appearance).

    Args:
        geometry: VGGT's features on the patch grid, any length.
        appearance: DINOv3's features on the same grid, any length.
        geometry_share: Weight of the first cosine.
    """
    unit_geometry = functional.normalize(geometry, dim=2) * math.sqrt(geometry_share)
    unit_appearance = functional.normalize(appearance, dim=2) * math.sqrt(1.0 - geometry_share)
    return torch.cat([unit_geometry, unit_appearance], dim=2).flatten(3).transpose(2, 3)


def transfer_maps(
    target_features: Float[Tensor, "pairs cells channels"],
    source_features: Float[Tensor, "pairs source_cells channels"],
    source_maps: Float[Tensor, "pairs source_cells maps"],
    temperature: float | Float[Tensor, ""],
) -> Float[Tensor, "pairs cells maps"]:
    """Return maps carried from the source view: each target cell takes the softmax-weighted mean of the source cells.

    Args:
        target_features: Combined features of view j.
        source_features: Combined features of view i.
        source_maps: Maps of view i, any number at once.
        temperature: Divides the similarity.
    """
    similarity = torch.bmm(target_features, source_features.transpose(1, 2)) / temperature
    return torch.bmm(similarity.softmax(dim=-1), source_maps)


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

    Args:
        features: Combined features (`combined_features`) on the patch grid.
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
