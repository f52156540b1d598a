"""Depth and poses that a user has: what the model is told of them, and footprints computed from them."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64
from torch import Tensor
from torch.nn import functional

from backsight.data.truth import MapGrid
from backsight.geometry.cells import PRESENT_FOOTPRINT_SHARE, ImageFit
from backsight.geometry.cells_torch import pool_labels_torch
from backsight.geometry.covisibility_torch import covisibility_labels_torch
from backsight.geometry.poses import bearing_and_distance, check_rigid
from backsight.geometry.scene_scale_torch import scene_scale
from backsight.model.config import APPEARANCE_PATCH_PX
from backsight.model.geometry.pose_encoding import pose_encoding_from_cameras
from backsight.records.errors import UsageError

PAIRS_AT_ONCE = 16
"""Pairs of frames that are labelled together, so that memory does not grow with the walk."""


@dataclass(frozen=True)
class GivenGeometry:
    """Known depth and cameras as VGGT's tokens are told of them; the same wherever the world's origin is."""

    log_depth: Float32[Tensor, "batch frames patches"]
    """Mean logarithm of the depths that each patch shows, in units of the scene's scale; 0 where none is known."""
    depth_share: Float32[Tensor, "batch frames patches"]
    """Share of each patch's pixels whose depth is known."""
    pose_encodings: Float32[Tensor, "batch frames 9"]
    """VGGT's encoding relative to the first frame, translations in units of the scene's scale."""


@dataclass(frozen=True)
class GivenWalk:
    """Depth and cameras of a walk."""

    depth_m: Float32[np.ndarray, "frames height width"]
    """Planar, registered to the colour images, 0 = none."""
    world_from_camera: Float64[np.ndarray, "frames 4 4"]
    intrinsics: Float64[np.ndarray, "3 3"]
    """In pixels of the depth images."""


@dataclass(frozen=True)
class ComputedFootprints:
    """Footprints of every frame but the last, over the last one, from geometry alone."""

    maps: Float32[np.ndarray, "history rows columns"]
    known: Bool[np.ndarray, "history rows columns"]
    """Whether depth says anything of the cell."""
    present: Bool[np.ndarray, " history"]
    bearing: Float32[np.ndarray, "history 3"]
    distance_m: Float32[np.ndarray, " history"]


def given_walk(
    shape: tuple[int, int, int],
    depth_m: np.ndarray | None,
    world_from_camera: np.ndarray | None,
    intrinsics: np.ndarray | None,
) -> GivenWalk | None:
    """Return what is given, checked; None when nothing is.

    Args:
        shape: number, height and width of the colour images.
        depth_m: planar depth in metres, as large as the colour images, 0 = none.
        world_from_camera: a pose for every frame, OpenCV camera axes, metres.
        intrinsics: 3 x 3, in pixels of the colour images.

    Raises:
        UsageError: only some of the three are given, or one does not fit the frames.
    """
    parts = {"depth_m": depth_m, "world_from_camera": world_from_camera, "intrinsics": intrinsics}
    missing = [name for name, part in parts.items() if part is None]
    if depth_m is None or world_from_camera is None or intrinsics is None:
        if len(missing) == len(parts):
            return None
        raise UsageError(f"{', '.join(missing)} missing: depth, poses and intrinsics are given together or not at all")
    for name, found, wanted in (
        ("depth_m", depth_m.shape, shape),
        ("world_from_camera", world_from_camera.shape, (shape[0], 4, 4)),
        ("intrinsics", intrinsics.shape, (3, 3)),
    ):
        if found != wanted:
            raise UsageError(f"{name} has shape {found}, the frames ask for {wanted}")
    if not np.isfinite(depth_m).all() or (depth_m < 0).any():
        raise UsageError("depth_m holds a number that is negative or not finite; write 0 where nothing was measured")
    poses = world_from_camera.astype(np.float64)
    try:
        check_rigid(poses)
    except ValueError as error:
        raise UsageError(f"world_from_camera: {error}") from error
    return GivenWalk(depth_m.astype(np.float32), poses, intrinsics.astype(np.float64))


@torch.no_grad()
def given_geometry(
    depth_m: Float32[Tensor, "batch frames height width"],
    world_from_camera: Float[Tensor, "batch frames 4 4"],
    intrinsics: Float[Tensor, "batch 3 3"],
    fit: ImageFit,
) -> GivenGeometry:
    """Return what the model is told of depth and cameras.

    Args:
        depth_m: planar, 0 = none.
        world_from_camera: poses in any world; the first frame becomes the origin.
        intrinsics: in pixels of the depth images.
        fit: from the depth images to the model's.
    """
    rows, columns = fit.target_height // APPEARANCE_PATCH_PX, fit.target_width // APPEARANCE_PATCH_PX
    # In double precision: far from the world's origin single precision would move the cameras.
    poses, cameras = world_from_camera.double(), intrinsics.double()
    scale_m = scene_scale(depth_m.double(), cameras, poses).float()
    encodings = pose_encoding_from_cameras(poses, cameras * fit.scale, fit.target_width, fit.target_height).float()
    left, top = round(fit.left_px), round(fit.top_px)
    cut = depth_m[..., top : top + round(fit.crop_height_px), left : left + round(fit.crop_width_px)]
    known = (cut > 0).float()
    logarithm = torch.where(cut > 0, cut / scale_m[:, None, None, None], 1.0).log()
    share = functional.adaptive_avg_pool2d(known, (rows, columns))
    total = functional.adaptive_avg_pool2d(logarithm, (rows, columns))
    return GivenGeometry(
        log_depth=(total / share.clamp_min(torch.finfo(share.dtype).eps)).flatten(2),
        depth_share=share.flatten(2),
        pose_encodings=torch.cat([encodings[..., :3] / scale_m[:, None, None], encodings[..., 3:]], dim=-1),
    )


def walk_geometry(walk: GivenWalk, fit: ImageFit, device: torch.device) -> GivenGeometry:
    """Return what the model is told of a walk, as a batch of one.

    Args:
        walk: depth and cameras.
        fit: from its images to the model's.
        device: of the model.
    """
    parts = (walk.depth_m, walk.world_from_camera, walk.intrinsics)
    depth_m, poses, intrinsics = (torch.from_numpy(part)[None].to(device) for part in parts)
    return given_geometry(depth_m, poses, intrinsics, fit)


@torch.no_grad()
def computed_footprints(walk: GivenWalk, grid: MapGrid, device: torch.device) -> ComputedFootprints:
    """Return the footprints that depth and poses themselves say, by the rules of the ground truth.

    Args:
        walk: depth and cameras.
        grid: cells of the maps over the walk's images.
        device: where they are computed.
    """
    frames = len(walk.depth_m)
    depth_m = torch.from_numpy(walk.depth_m).to(device)
    poses = torch.from_numpy(walk.world_from_camera).to(device)
    cameras = torch.from_numpy(walk.intrinsics).to(device)
    maps, known, shares = [], [], []
    for history in torch.arange(frames - 1, device=device).split(PAIRS_AT_ONCE):
        chosen = torch.cat([history, history.new_tensor([frames - 1])])
        other = torch.arange(len(history), device=device)
        labels = covisibility_labels_torch(
            depth_m[chosen],
            torch.full_like(other, len(history)),
            other,
            cameras.expand(len(chosen), 3, 3),
            poses[chosen],
        )
        found = pool_labels_torch(labels, grid.fit, grid.columns, grid.rows)
        for values, part in zip((maps, known, shares), found, strict=True):
            values.append(part.cpu().numpy())
    bearing, distance_m = bearing_and_distance(walk.world_from_camera[-1], walk.world_from_camera[:-1])
    return ComputedFootprints(
        maps=np.concatenate(maps),
        known=np.concatenate(known),
        present=np.concatenate(shares) >= PRESENT_FOOTPRINT_SHARE,
        bearing=bearing.astype(np.float32),
        distance_m=distance_m.astype(np.float32),
    )
