"""Maps hang together in space and time: edge-aware total variation, compactness, temporal smoothness."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

LEAST_DIFFERENCE = 1e-3
"""Added to both mean squared differences of `temporal_smoothness_loss`: maps that differ less say nothing."""


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
    truth: Float[Tensor, "*maps height width"] | None = None,
) -> Float[Tensor, "*maps"]:
    """Return each map's mean absolute step between neighbouring cells, weighted by `edge_weights`, above the truth's.

    Optimised alone it ends at the set of maps that step no more than their truth within surfaces. A hinge, because
    without it every border inside a surface that the truth has would be flattened; maps flat within surfaces are in
    that set, but only a truth that is flat itself, or no truth, leads there. A mean only where the weights sum to 1 or
    more; less edge than that counts for that much less.

    Args:
        probability: Predicted maps.
        depth_m: Planar depth of the cells of the view that each map lies over, 0 = none.
        sharpness: How fast the weights fall with a depth edge.
        truth: True maps; None where there are none, then every step costs and the minimum is flat within surfaces.
    """
    vertical, horizontal = edge_weights(depth_m, sharpness)
    total = (vertical.sum(dim=(-2, -1)) + horizontal.sum(dim=(-2, -1))).clamp_min(1.0)
    steps = _weighted_steps(probability, vertical, horizontal) / total
    if truth is None:
        return steps
    return torch.relu(steps - _weighted_steps(truth, vertical, horizontal) / total)


def _weighted_steps(maps: Tensor, vertical: Tensor, horizontal: Tensor) -> Tensor:
    steps = (vertical * maps.diff(dim=-2).abs()).sum(dim=(-2, -1))
    return steps + (horizontal * maps.diff(dim=-1).abs()).sum(dim=(-2, -1))


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

    Optimised alone it ends at the set of maps that spread no more than their truth, wherever they lie. A constant map
    is not in it unless the truth itself spreads over the whole view.

    Args:
        probability: Predicted maps.
        truth: True maps.
        valid: Cells that count.
    """
    return torch.relu(spread(probability, valid) - spread(truth, valid))


def temporal_smoothness_loss(
    warped: Float[Tensor, "steps maps height width"],
    probability: Float[Tensor, "steps maps height width"],
    covisible: Bool[Tensor, "steps height width"],
    counted: Bool[Tensor, "steps maps"],
) -> Float[Tensor, "steps maps"]:
    """Return how far each map strays from its surfaces, in units of how far the maps of one step differ.

    E(own) / E(others), E = mean squared difference of a map over the later view and a warped one over the earlier view,
    on co-visible cells: own is the same map, others are the other counted maps of the step, in the mean. That is one
    minus the metric temporal consistency. Maps that do not differ score 1, as mixed-up ones do, so constant maps are no
    minimum: optimised alone it ends at maps that stay with their surfaces and differ from each other. 0 for maps that
    do not count and for a step that has fewer than two, or no co-visible cell.

    Args:
        warped: Maps of the earlier current view warped into the later one (`warp_maps_torch`).
        probability: Maps of the later view, of the same history frames in the same order.
        covisible: Cells of the later view whose surface the earlier one sees as well.
        counted: Maps that are footprints of something over both views.
    """
    cells = covisible.flatten(1).to(probability.dtype)
    number = cells.sum(dim=-1, keepdim=True).clamp_min(1.0)
    before, after = warped.flatten(2) * cells[:, None], probability.flatten(2) * cells[:, None]
    own = (after - before).square().sum(dim=-1) / number
    squares = after.square().sum(dim=-1)[:, :, None] + before.square().sum(dim=-1)[:, None]
    # The expanded square of all pairs at once; rounding may leave it a hair below zero.
    apart = torch.relu(squares - 2.0 * after @ before.transpose(1, 2)) / number[..., None]
    maps = counted.shape[1]
    among = counted[:, :, None] & counted[:, None] & ~torch.eye(maps, dtype=torch.bool, device=counted.device)
    others = (apart * among).sum(dim=-1) / among.sum(dim=-1).clamp_min(1)
    judged = among.any(dim=-1) & covisible.flatten(1).any(dim=-1, keepdim=True)
    return (own + LEAST_DIFFERENCE) / (others + LEAST_DIFFERENCE) * judged


def temporal_excess(
    warped: Float[Tensor, "steps maps height width"],
    probability: Float[Tensor, "steps maps height width"],
    truth_warped: Float[Tensor, "steps maps height width"],
    truth: Float[Tensor, "steps maps height width"],
    covisible: Bool[Tensor, "steps height width"],
    counted: Bool[Tensor, "steps maps"],
) -> Float[Tensor, "steps maps"]:
    """Return by how much `temporal_smoothness_loss` of each map exceeds that of its truth.

    Warping interpolates, so even true maps do not come out at zero; a hinge above their own value asks for no more than
    they have: neither for blurred maps nor for maps that differ more than geometry says. Optimised alone it ends at the
    set of maps that stay with their surfaces, for how much they differ, as well as the truths do; constant maps are
    outside of it.

    Args:
        warped: As in `temporal_smoothness_loss`.
        probability: Likewise.
        truth_warped: True maps of the earlier current view, warped likewise.
        truth: True maps of the later view.
        covisible: As in `temporal_smoothness_loss`.
        counted: Likewise.
    """
    found = temporal_smoothness_loss(warped, probability, covisible, counted)
    return torch.relu(found - temporal_smoothness_loss(truth_warped, truth, covisible, counted))
