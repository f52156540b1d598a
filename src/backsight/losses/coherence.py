"""Maps hang together in space and time: edge-aware total variation, compactness, temporal smoothness."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def edge_weights(
    depth_m: Float[Tensor, "*views height width"], sharpness: float = 10.0
) -> tuple[Float[Tensor, "*views height-1 width"], Float[Tensor, "*views height width-1"]]:
    """Return weights in [0, 1] of vertical and horizontal neighbours: less across depth edges, 0 without depth.

    Args:
        depth_m: Planar depth of the cells, 0 = none.
        sharpness: Weight = exp(-sharpness |difference of log depth|).
    """
    measured = depth_m > 0
    log_depth = torch.where(measured, depth_m, 1.0).log()
    vertical = (-sharpness * log_depth.diff(dim=-2).abs()).exp()
    horizontal = (-sharpness * log_depth.diff(dim=-1).abs()).exp()
    return (
        vertical * (measured[..., 1:, :] & measured[..., :-1, :]),
        horizontal * (measured[..., :, 1:] & measured[..., :, :-1]),
    )


def total_variation_loss(
    probability: Float[Tensor, "*maps height width"],
    depth_m: Float[Tensor, "*#maps height width"],
    sharpness: float = 10.0,
) -> Float[Tensor, "*maps"]:
    """Return each map's mean absolute step between neighbouring cells, weighted by `edge_weights`.

    Args:
        probability: Predicted maps.
        depth_m: Planar depth of the cells of the view that each map lies over, 0 = none.
        sharpness: How fast the weights fall with a depth edge.
    """
    vertical, horizontal = edge_weights(depth_m, sharpness)
    steps = (vertical * probability.diff(dim=-2).abs()).sum(dim=(-2, -1))
    steps = steps + (horizontal * probability.diff(dim=-1).abs()).sum(dim=(-2, -1))
    total = vertical.sum(dim=(-2, -1)) + horizontal.sum(dim=(-2, -1))
    return steps / total.clamp_min(1.0)


def spread(
    maps: Float[Tensor, "*maps height width"], valid: Bool[Tensor, "*maps height width"]
) -> Float[Tensor, "*maps"]:
    """Return the standard deviation of the cells' positions under each map, as a share of the map's diagonal.

    Args:
        maps: Not negative; each is taken as a distribution over its cells.
        valid: Cells that count.
    """
    height, width = maps.shape[-2:]
    y = torch.arange(height, device=maps.device, dtype=maps.dtype)
    x = torch.arange(width, device=maps.device, dtype=maps.dtype)
    mass = maps * valid
    total = mass.sum(dim=(-2, -1)).clamp_min(1e-6)
    rows, columns = mass.sum(dim=-1) / total[..., None], mass.sum(dim=-2) / total[..., None]
    middle_y, middle_x = (rows * y).sum(dim=-1), (columns * x).sum(dim=-1)
    variance = (rows * (y - middle_y[..., None]).square()).sum(dim=-1)
    variance = variance + (columns * (x - middle_x[..., None]).square()).sum(dim=-1)
    # A hundredth of a cell keeps the root's slope bounded for a map of one cell.
    return torch.sqrt(variance + 1e-4) / float(height**2 + width**2) ** 0.5


def compactness_loss(
    probability: Float[Tensor, "*maps height width"],
    truth: Float[Tensor, "*maps height width"],
    valid: Bool[Tensor, "*maps height width"],
) -> Float[Tensor, "*maps"]:
    """Return how much wider each map spreads than its truth; means something for present, single-object targets.

    Args:
        probability: Predicted maps.
        truth: True maps.
        valid: Cells that count.
    """
    return torch.relu(spread(probability, valid) - spread(truth, valid))


def temporal_smoothness_loss(
    warped: Float[Tensor, "*maps height width"],
    probability: Float[Tensor, "*maps height width"],
    covisible: Bool[Tensor, "*maps height width"],
) -> Float[Tensor, "*maps"]:
    """Return the mean squared difference on co-visible cells of a map from the one before it, warped.

    Args:
        warped: Map of the earlier current view warped into the later one (`warp_maps_torch`).
        probability: Map of the later view, of the same history frame and instruction.
        covisible: Cells of the later view whose surface the earlier one sees as well.
    """
    error = ((warped - probability).square() * covisible).sum(dim=(-2, -1))
    return error / covisible.sum(dim=(-2, -1)).clamp_min(1)
