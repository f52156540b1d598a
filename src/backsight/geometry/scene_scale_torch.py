"""How large a scene is, for quantities that should not depend on metres."""

import torch
from jaxtyping import Float
from torch import Tensor


def scene_scale(
    depth_m: Float[Tensor, "batch frames height width"],
    intrinsics: Float[Tensor, "batch 3 3"],
    world_from_camera: Float[Tensor, "batch frames 4 4"],
    stride: int = 4,
) -> Float[Tensor, " batch"]:
    """Return the mean distance of a scene's measured points from the first camera, metres; 1 where nothing is measured.

    Args:
        depth_m: Planar depth, 0 = none.
        intrinsics: Camera matrices in pixels of these depth images.
        world_from_camera: Poses of the frames.
        stride: Every how many pixels a point is taken, across and down.

    Source: VGGT (arXiv 2503.11651), section 3.4, ground-truth coordinate normalisation.
    """
    height, width = depth_m.shape[-2:]
    depth = depth_m[..., stride // 2 :: stride, stride // 2 :: stride]
    y = torch.arange(stride // 2, height, stride, device=depth.device, dtype=depth.dtype) + 0.5
    x = torch.arange(stride // 2, width, stride, device=depth.device, dtype=depth.dtype) + 0.5
    pixels = torch.stack([*torch.meshgrid(x, y, indexing="xy"), torch.ones(len(y), len(x)).to(depth)], dim=-1)
    rays = torch.einsum("bij,hwj->bhwi", torch.linalg.inv(intrinsics), pixels)
    points = rays[:, None] * depth[..., None]
    first_from_camera = torch.linalg.inv(world_from_camera[:, :1]) @ world_from_camera
    rotation, translation = first_from_camera[..., :3, :3], first_from_camera[..., :3, 3]
    in_first = torch.einsum("bfij,bfhwj->bfhwi", rotation, points) + translation[:, :, None, None]
    measured = depth > 0
    total = (in_first.norm(dim=-1) * measured).sum(dim=(1, 2, 3))
    count = measured.sum(dim=(1, 2, 3))
    return torch.where(count > 0, total / count.clamp_min(1), torch.ones_like(total))
