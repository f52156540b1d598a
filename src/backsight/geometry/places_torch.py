"""Torch twin of `places`, for many views at once."""

import torch
from jaxtyping import Bool, Float32
from torch import Tensor

from backsight.geometry.places import PLACE_HEIGHT_M


@torch.no_grad()
def place_masks_torch(
    depth_m: Float32[Tensor, "views height width"],
    intrinsics: Float32[Tensor, "views 3 3"],
    world_from_camera: Float32[Tensor, "views 4 4"],
    points_m: Float32[Tensor, "views points 3"],
    radius_m: Float32[Tensor, " views"],
) -> Bool[Tensor, "views height width"]:
    """Return which pixels show a place; the rule is that of `places.place_mask`.

    Args:
        depth_m: Planar depth, 0 = none.
        intrinsics: Pixels.
        world_from_camera: Camera poses.
        points_m: Each view's line on the floor; a shorter one ends in copies of its last point.
        radius_m: Of each view's place.
    """
    _, height, width = depth_m.shape
    x_px = torch.arange(width, device=depth_m.device) + 0.5
    y_px = torch.arange(height, device=depth_m.device) + 0.5
    pixels = torch.stack(torch.meshgrid(x_px, y_px, indexing="xy"), -1)
    rays = torch.cat([pixels, torch.ones_like(pixels[..., :1])], -1)
    world_from_pixel = world_from_camera[:, :3, :3] @ torch.linalg.inv(intrinsics)
    seen_m = torch.einsum("vij,hwj->vhwi", world_from_pixel, rays) * depth_m[..., None]
    seen_m += world_from_camera[:, None, None, :3, 3]
    ends = torch.cat([points_m[:, 1:], points_m[:, -1:]], 1)
    best = torch.full_like(depth_m, torch.inf)
    height_m = torch.full_like(depth_m, torch.inf)
    for start, end in zip(points_m.unbind(1), ends.unbind(1), strict=True):
        line = (end - start)[:, None, None, [0, 2]]
        offset = seen_m[..., [0, 2]] - start[:, None, None, [0, 2]]
        along = ((offset * line).sum(-1) / (line**2).sum(-1).clamp_min(1e-12)).clamp(0.0, 1.0)
        distance_m = (offset - along[..., None] * line).norm(dim=-1)
        nearer = distance_m < best
        best = torch.where(nearer, distance_m, best)
        rise = start[:, 1, None, None] + along * (end - start)[:, 1, None, None]
        height_m = torch.where(nearer, rise, height_m)
    level = (seen_m[..., 1] - height_m).abs() <= PLACE_HEIGHT_M
    return (depth_m > 0) & (best <= radius_m[:, None, None]) & level
