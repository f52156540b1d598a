"""Target maps of two views of one place agree after warping one into the other."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from backsight.geometry.covisibility import Label
from backsight.geometry.covisibility_torch import covisibility_labels_torch
from backsight.geometry.projection_torch import invert_pose_torch, warp_maps_torch
from backsight.losses.projection import balanced_cell_weights


@dataclass(frozen=True)
class ViewPairs:
    """Ordered pairs of views (i, j) of the same sample; maps travel from i into j."""

    sample: Int64[Tensor, " pairs"]
    source: Int64[Tensor, " pairs"]
    """Position i on the views axis."""
    target: Int64[Tensor, " pairs"]
    """Position j on the views axis."""
    target_depth_m: Float32[Tensor, "pairs height width"]
    """Planar depth of the cells of view j, 0 = none."""
    intrinsics_cells: Float32[Tensor, "pairs 3 3"]
    """Camera matrices in cells."""
    source_from_target: Float32[Tensor, "pairs 4 4"]
    covisible: Bool[Tensor, "pairs height width"]
    """Cells of view j whose surface view i sees as well."""


def ordered_view_pairs(
    depth_cells_m: Float32[Tensor, "batch views height width"],
    intrinsics_cells: Float32[Tensor, "batch 3 3"],
    world_from_camera: Float32[Tensor, "batch views 4 4"],
    relative_tolerance_only: bool = False,
) -> ViewPairs:
    """Return all ordered pairs of different views of each sample, with co-visibility told at the cells' own resolution.

    Args:
        depth_cells_m: Planar depth of each cell, 0 = none.
        intrinsics_cells: Camera matrices in cells.
        world_from_camera: Poses.
        relative_tolerance_only: For depth and poses of unknown scale, see `covisibility_labels_torch`.
    """
    batch, views = depth_cells_m.shape[:2]
    different = ~torch.eye(views, dtype=torch.bool, device=depth_cells_m.device)
    sample, source, target = different.expand(batch, -1, -1).nonzero(as_tuple=True)
    labels = covisibility_labels_torch(
        depth_cells_m.flatten(0, 1),
        current=sample * views + target,
        other=sample * views + source,
        intrinsics=intrinsics_cells.repeat_interleave(views, dim=0),
        world_from_camera=world_from_camera.flatten(0, 1),
        relative_tolerance_only=relative_tolerance_only,
    )
    return ViewPairs(
        sample=sample,
        source=source,
        target=target,
        target_depth_m=depth_cells_m[sample, target],
        intrinsics_cells=intrinsics_cells[sample],
        source_from_target=invert_pose_torch(world_from_camera[sample, source]) @ world_from_camera[sample, target],
        covisible=labels == int(Label.COVISIBLE),
    )


def present_in_both(
    present: Bool[Tensor, "batch instructions views"], pairs: ViewPairs
) -> Bool[Tensor, "pairs instructions"]:
    """Return whether each instruction's target is present in both views of each pair and the views share a cell.

    Args:
        present: Whether the view shows the target (or is predicted to, where there is no truth).
        pairs: Ordered pairs of views.
    """
    both = present[pairs.sample, :, pairs.source] & present[pairs.sample, :, pairs.target]
    return both & pairs.covisible.any(dim=-1).any(dim=-1)[:, None]


def consistency_loss(
    probability: Float[Tensor, "batch instructions views height width"],
    truth: Float[Tensor, "batch instructions views height width"],
    present: Bool[Tensor, "batch instructions views"],
    pairs: ViewPairs,
    balance: float = 1.0,
    above_truth: bool = False,
) -> tuple[Float[Tensor, "pairs instructions"], Bool[Tensor, "pairs instructions"]]:
    """Return the squared difference between map j and map i warped into j, and which pairs count; 0 where they do not.

    A mean over the cells of j that i sees too; positive and negative cells of the truth in j are balanced. No
    gradient flows into map i: the pair in the other order moves that one.

    Optimised alone it ends at the set of maps that are painted on the surfaces: whatever the surface carries, it looks
    the same from every view that sees it; cells that no other view sees keep any value. Constant maps are in that set,
    but nothing leads there: views meet in the middle of what they started with. Warping interpolates, so without
    `above_truth` the agreement is perfect only for maps without detail, and very long optimisation would blur; with it
    the loss stops where maps agree as well as the truths do. Without truth nothing in this term tells an empty
    painting from a right one: never train on it alone.

    Args:
        probability: Predicted target maps.
        truth: True target maps (without truth: the detached prediction); they balance the cells.
        present: Whether the view shows the target.
        pairs: Ordered pairs of views.
        balance: 0 weights all co-visible cells alike, 1 balances them fully.
        above_truth: Whether what the truths themselves differ by after warping costs nothing. For a real truth only:
            the detached prediction never exceeds its own error.
    """
    counted = present_in_both(present, pairs)
    pair, instruction = counted.nonzero(as_tuple=True)
    sample, source, target = pairs.sample[pair], pairs.source[pair], pairs.target[pair]
    geometry = pairs.target_depth_m[pair], pairs.intrinsics_cells[pair], pairs.source_from_target[pair]
    truth_j = truth[sample, instruction, target]
    warped, inside = warp_maps_torch(probability[sample, instruction, source].detach(), *geometry)
    weights = balanced_cell_weights(truth_j, pairs.covisible[pair] & inside, balance)
    difference = warped - probability[sample, instruction, target]
    error = (weights * difference.square()).sum(dim=(-2, -1))
    if above_truth:
        truth_warped, _ = warp_maps_torch(truth[sample, instruction, source], *geometry)
        error = torch.relu(error - (weights * (truth_warped - truth_j).square()).sum(dim=(-2, -1)))
    values = error.new_zeros(counted.shape).index_put((pair, instruction), error)
    return values, counted
