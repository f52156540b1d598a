"""Ground truth of a batch, computed on its device from depth, poses and instance maps; never stored."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor

from backsight.geometry.cells import ImageFit
from backsight.geometry.cells_torch import pool_labels_torch, pool_targets_torch
from backsight.geometry.covisibility import MOVED
from backsight.geometry.covisibility_torch import covisibility_labels_torch
from backsight.geometry.places_torch import place_masks_torch
from backsight.records.batch import Batch, MovingBatch, PlaceBatch

PRESENT_FOOTPRINT_SHARE = 0.01
"""Co-visible share of the cropped current view from which a history frame is present."""
_PLACE_ID = 2**40
"""Stands for floor that is a target; no instance has it."""


@dataclass(frozen=True)
class MapGrid:
    """Cells of the heatmaps over stored images of one size."""

    fit: ImageFit
    columns: int
    rows: int


@dataclass(frozen=True)
class FootprintTruth:
    """Truth of every (current view, history frame) pair of a batch."""

    maps: Float32[Tensor, "groups history rows columns"]
    valid: Bool[Tensor, "groups history rows columns"]
    present: Bool[Tensor, "groups history"]
    bearing: Float32[Tensor, "groups history 3"]
    """Unit vector to the history camera in the current camera's frame; zero where the two coincide."""
    distance_m: Float32[Tensor, "groups history"]
    labels: UInt8[Tensor, "groups history height width"]
    """`geometry.covisibility.Label` of each stored pixel of the current view."""


@dataclass(frozen=True)
class CellGeometry:
    """Depth and cameras on a grid of cells."""

    depth_m: Float32[Tensor, "batch frames rows columns"]
    """Planar depth of the stored pixel that holds the middle of each cell, 0 = none."""
    intrinsics: Float32[Tensor, "batch 3 3"]
    """In cells."""


@dataclass(frozen=True)
class TargetTruth:
    """Truth of every (instruction, keyframe) pair of a batch."""

    maps: Float32[Tensor, "batch instructions keyframes rows columns"]
    present: Bool[Tensor, "batch instructions keyframes"]


@torch.no_grad()
def footprint_truth(batch: Batch, grid: MapGrid) -> FootprintTruth:
    """Return footprints, presence, bearings and distances, labelled at stored resolution and then pooled."""
    num_frames = batch.rgb.shape[1]
    groups, history = batch.history.shape
    current = batch.current[:, 0] * num_frames + batch.current[:, 1]
    other = batch.current[:, :1] * num_frames + batch.history
    poses = batch.world_from_camera.flatten(0, 1)
    labels = covisibility_labels_torch(
        batch.depth_m.flatten(0, 1),
        current.repeat_interleave(history),
        other.flatten(),
        batch.intrinsics.repeat_interleave(num_frames, dim=0),
        poses,
    )
    if batch.moving is not None:
        _carry_moved(labels, batch, batch.moving)
    share, valid, presence_share = pool_labels_torch(labels, grid.fit, grid.columns, grid.rows)
    shape = (groups, history, grid.rows, grid.columns)
    offset = poses[other][..., :3, 3] - poses[current][:, None, :3, 3]
    local = torch.einsum("gji,ghj->ghi", poses[current][:, :3, :3], offset)
    distance_m = local.norm(dim=-1)
    return FootprintTruth(
        share.view(shape),
        valid.view(shape),
        (presence_share >= PRESENT_FOOTPRINT_SHARE).view(groups, history),
        local / distance_m.clamp_min(1e-6)[..., None],
        distance_m,
        labels.unflatten(0, (groups, history)),
    )


def _carry_moved(labels: UInt8[Tensor, "pairs height width"], batch: Batch, moving: MovingBatch) -> None:
    """Label what moved between the two frames of a pair where it went: as if the current camera were carried along."""
    num_frames, history = batch.rgb.shape[1], batch.history.shape[1]
    sample = batch.current[:, :1].expand(-1, history).flatten()
    here, there = batch.current[:, 1:].expand(-1, history).flatten(), batch.history.flatten()
    poses = batch.world_from_camera.flatten(0, 1)
    ids = batch.instance_ids[sample, here]
    carried = moving.world_from_thing[sample, there] @ torch.linalg.inv(moving.world_from_thing[sample, here])
    moved = (carried - torch.eye(4, device=carried.device)).abs().amax((-2, -1)) > MOVED
    shown = (ids[:, None] == moving.instance_ids[sample][:, :, None, None]).any(-1).any(-1)
    pair, thing = (moved & shown & (moving.instance_ids[sample] > 0)).nonzero(as_tuple=True)
    if len(pair) == 0:
        return
    current = sample[pair] * num_frames + here[pair]
    found = covisibility_labels_torch(
        batch.depth_m.flatten(0, 1),
        current,
        sample[pair] * num_frames + there[pair],
        batch.intrinsics.repeat_interleave(num_frames, dim=0),
        poses,
        world_from_current=carried[pair, thing] @ poses[current],
    )
    mask = ids[pair] == moving.instance_ids[sample[pair], thing][:, None, None]
    where = mask.nonzero(as_tuple=True)
    labels[pair[where[0]], where[1], where[2]] = found[where]


@torch.no_grad()
def cell_geometry(batch: Batch, grid: MapGrid) -> CellGeometry:
    """Return what the warping losses need: depth read at the middle of each cell, and intrinsics in cells."""
    fit = grid.fit
    cell_px = (fit.crop_width_px / grid.columns, fit.crop_height_px / grid.rows)
    columns = (fit.left_px + (torch.arange(grid.columns) + 0.5) * cell_px[0]).long().to(batch.rgb.device)
    rows = (fit.top_px + (torch.arange(grid.rows) + 0.5) * cell_px[1]).long().to(batch.rgb.device)
    cells_from_pixels = batch.intrinsics.new_tensor(
        [
            [1.0 / cell_px[0], 0.0, -fit.left_px / cell_px[0]],
            [0.0, 1.0 / cell_px[1], -fit.top_px / cell_px[1]],
            [0.0, 0.0, 1.0],
        ]
    )
    return CellGeometry(batch.depth_m[:, :, rows[:, None], columns[None, :]], cells_from_pixels @ batch.intrinsics)


@torch.no_grad()
def target_truth(batch: Batch, grid: MapGrid) -> TargetTruth:
    """Return target maps and presence of each instruction over each keyframe."""
    num_samples, num_instructions, _ = batch.target_ids.shape
    num_keyframes = batch.keyframes.shape[1]
    rows = torch.arange(num_samples, device=batch.rgb.device)[:, None]
    views = batch.instance_ids[rows, batch.keyframes]
    shape = (num_samples, num_instructions, num_keyframes)
    ids = views[:, None].expand(*shape, *views.shape[-2:]).flatten(0, 2)
    targets = batch.target_ids[:, :, None].expand(*shape, -1).flatten(0, 2)
    if batch.places is not None:
        ids, targets = ids.clone(), targets.clone()
        _mark_places(ids.unflatten(0, shape), targets.unflatten(0, shape), batch, batch.places)
    maps, present = pool_targets_torch(ids, targets, grid.fit, grid.columns, grid.rows)
    return TargetTruth(maps.view(*shape, grid.rows, grid.columns), present.view(shape))


def _mark_places(
    ids: Int64[Tensor, "batch instructions keyframes height width"],
    targets: Int64[Tensor, "batch instructions keyframes targets"],
    batch: Batch,
    places: PlaceBatch,
) -> None:
    """Give the floor of each place an id of its own, and make it the target."""
    sample, slot = (places.radius_m > 0).nonzero(as_tuple=True)
    num_keyframes = batch.keyframes.shape[1]
    row = sample.repeat_interleave(num_keyframes)
    frame = batch.keyframes[sample].flatten()
    masks = place_masks_torch(
        batch.depth_m[row, frame],
        batch.intrinsics[row],
        batch.world_from_camera[row, frame],
        places.points_m[sample, slot].repeat_interleave(num_keyframes, dim=0),
        places.radius_m[sample, slot].repeat_interleave(num_keyframes),
    )
    ids[sample, slot] = torch.where(masks, _PLACE_ID, 0).unflatten(0, (len(sample), num_keyframes))
    targets[sample, slot, :, 0] = _PLACE_ID


@dataclass(frozen=True)
class ImaginedTruth:
    """Truth of every (instruction, imagined view) pair of a batch."""

    maps: Float32[Tensor, "batch instructions imagined rows columns"]
    present: Bool[Tensor, "batch instructions imagined"]
    counted: Bool[Tensor, "batch instructions imagined"]
    """Real views and instructions whose target a keyframe shows and is no place: of others nothing can be known."""


@torch.no_grad()
def imagined_truth(batch: Batch, grid: MapGrid, targets: TargetTruth) -> ImaginedTruth | None:
    """Return target maps and presence of each instruction over each imagined view; None without any view.

    Args:
        batch: with or without imagined views.
        grid: of the maps.
        targets: of the keyframes.
    """
    if batch.imagined is None:
        return None
    num_instructions, num_views = batch.target_ids.shape[1], batch.imagined.real.shape[1]
    shape = (len(batch.target_ids), num_instructions, num_views)
    views = batch.imagined.instance_ids
    ids = views[:, None].expand(*shape, *views.shape[-2:]).flatten(0, 2)
    wanted = batch.target_ids[:, :, None].expand(*shape, -1).flatten(0, 2)
    maps, present = pool_targets_torch(ids, wanted, grid.fit, grid.columns, grid.rows)
    seen = targets.present.any(-1) & batch.has_instruction
    if batch.places is not None:
        seen &= batch.places.radius_m == 0
    counted = seen[..., None] & batch.imagined.real[:, None]
    return ImaginedTruth(maps.view(*shape, grid.rows, grid.columns), present.view(shape), counted)
