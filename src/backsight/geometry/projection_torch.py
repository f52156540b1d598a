"""Torch twin of `projection`, for batches of frames and pairs."""

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from backsight.geometry.projection import SAME_SURFACE_RATIO

NEAREST_RELATIVE_DEPTH = 1e-6
"""Points nearer to the camera plane than this share of their first depth are treated as if this near."""


def invert_pose_torch(target_from_source: Float[Tensor, "*batch 4 4"]) -> Float[Tensor, "*batch 4 4"]:
    """Return source_from_target of rigid poses.

    Args:
        target_from_source: Rigid transforms; the source's origin in the target frame is the last column.
    """
    rotation = target_from_source[..., :3, :3].transpose(-1, -2)
    source_from_target = torch.zeros_like(target_from_source)
    source_from_target[..., :3, :3] = rotation
    # No matrix product: autocast would round it to half precision.
    source_from_target[..., :3, 3] = -(rotation * target_from_source[..., None, :3, 3]).sum(-1)
    source_from_target[..., 3, 3] = 1.0
    return source_from_target


def pixel_transfer(
    intrinsics_from: Float64[Tensor, "pairs 3 3"],
    intrinsics_to: Float64[Tensor, "pairs 3 3"],
    to_from_from: Float64[Tensor, "pairs 4 4"],
) -> tuple[Float64[Tensor, "pairs 3 3"], Float64[Tensor, "pairs 3"]]:
    """Return A and b such that a pixel (x, y) of depth z lands on homogeneous pixel A @ (x, y, 1) + b / z.

    In float64: these few numbers are where single precision, TF32 and autocast would show.

    Args:
        intrinsics_from: Camera matrices of the images that the pixels are in.
        intrinsics_to: Camera matrices of the images that they land in.
        to_from_from: Rigid transforms between the two camera frames.
    """
    rays = torch.linalg.inv_ex(intrinsics_from).inverse
    rotation = intrinsics_to @ to_from_from[:, :3, :3] @ rays
    translation = (intrinsics_to @ to_from_from[:, :3, 3:])[..., 0]
    return rotation, translation


def transfer_pixels(
    inverse_depth: Float[Tensor, "pairs height width"],
    rotation: Float64[Tensor, "pairs 3 3"],
    translation: Float64[Tensor, "pairs 3"],
) -> tuple[
    Float[Tensor, "pairs height width"],
    Float[Tensor, "pairs height width"],
    Float[Tensor, "pairs height width"],
]:
    """Return x, y and relative depth (new z over old z) of every pixel's centre in the other image.

    Where the relative depth is not positive the point is behind the camera: x and y are finite and mean
    nothing.

    Args:
        inverse_depth: 1 / planar depth; 0 = infinitely far.
        rotation: First result of `pixel_transfer`.
        translation: Second result of `pixel_transfer`.
    """
    _, height, width = inverse_depth.shape
    kind = {"dtype": inverse_depth.dtype, "device": inverse_depth.device}
    x_px = torch.arange(width, **kind) + 0.5
    y_px = torch.arange(height, **kind) + 0.5
    rotation, translation = rotation.to(**kind), translation.to(**kind)
    along_row = rotation[:, :, 0, None, None] * x_px
    along_column = (rotation[:, :, 1, None] * y_px + rotation[:, :, 2, None])[..., None]
    x, y, relative_depth = (
        torch.addcmul(along_row[:, i] + along_column[:, i], inverse_depth, translation[:, i, None, None])
        for i in range(3)
    )
    reciprocal = relative_depth.clamp_min(NEAREST_RELATIVE_DEPTH).reciprocal_()
    return x.mul_(reciprocal), y.mul_(reciprocal), relative_depth


def pad_edges(image: Float[Tensor, "frames height width"]) -> Float[Tensor, "frames height+2 width+2"]:
    """Return images with their outermost pixels repeated once on every side.

    Args:
        image: One number a pixel.
    """
    return torch.nn.functional.pad(image[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]


def neighbours_apart(
    depth_m: Float[Tensor, "frames height width"],
) -> Bool[Tensor, "frames height-1 width-1"]:
    """Return whether each pixel, the one right of it and the two below do not belong together.

    They do when all have a reading and the largest is at most `SAME_SURFACE_RATIO` times the smallest.

    Args:
        depth_m: Planar depth, 0 = none.
    """
    left, right = depth_m[:, :, :-1], depth_m[:, :, 1:]
    smallest, largest = torch.minimum(left, right), torch.maximum(left, right)
    smallest = torch.minimum(smallest[:, :-1], smallest[:, 1:])
    largest = torch.maximum(largest[:, :-1], largest[:, 1:])
    return (smallest <= 0) | (largest > SAME_SURFACE_RATIO * smallest)


def warp_maps_torch(
    maps_i: Float[Tensor, "pairs height width"],
    depth_j: Float[Tensor, "pairs height width"],
    intrinsics_cells: Float[Tensor, "pairs 3 3"],
    i_from_j: Float[Tensor, "pairs 4 4"],
) -> tuple[Float[Tensor, "pairs height width"], Bool[Tensor, "pairs height width"]]:
    """Return maps of view i as view j would show them (inverse warp), and where they can be told.

    Occlusion is not tested: combine with pooled labels where it matters. Gradients flow into the maps, not
    into depth.

    Args:
        maps_i: One value a cell of view i.
        depth_j: Planar depth of the cells of view j in metres, 0 = none.
        intrinsics_cells: Camera matrices in cells.
        i_from_j: Rigid transforms.
    """
    _, height, width = maps_i.shape
    with torch.no_grad():
        intrinsics = intrinsics_cells.double()
        rotation, translation = pixel_transfer(intrinsics, intrinsics, i_from_j.double())
        known = depth_j > 0
        inverse_depth = depth_j.float().reciprocal().masked_fill_(~known, 0.0)
        x, y, relative_depth = transfer_pixels(inverse_depth, rotation, translation)
        inside = known & (relative_depth > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        grid = torch.stack([x * (2.0 / width) - 1.0, y * (2.0 / height) - 1.0], dim=-1)
    warped = torch.nn.functional.grid_sample(
        maps_i[:, None], grid.to(maps_i.dtype), padding_mode="border", align_corners=False
    )[:, 0]
    return warped * inside, inside
