"""Torch twin of `covisibility`, for many pairs of frames at once; fast enough for every training step."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Int, Int64, UInt8
from torch import Tensor

from backsight.geometry.covisibility import (
    ABSOLUTE_TOLERANCE_M,
    RELATIVE_TOLERANCE,
    SLOPE_TOLERANCE_PX,
    Label,
)
from backsight.geometry.projection import SAME_SURFACE_RATIO
from backsight.geometry.projection_torch import (
    invert_pose_torch,
    neighbours_apart,
    pad_edges,
    pixel_transfer,
    transfer_pixels,
)

CHUNK_PIXELS = 2**20
"""Pixels of current views labelled at a time: what is in between stays in the processor's cache."""


def depth_slope_torch(depth_m: Float[Tensor, "frames height width"]) -> Float[Tensor, "frames height width"]:
    """Return how steeply depth changes around each pixel, as `covisibility.depth_slope` does.

    Args:
        depth_m: Planar depth, 0 = none.
    """
    slope = torch.zeros_like(depth_m)
    for axis in (1, 2):
        length = depth_m.shape[axis] - 1
        before, after = depth_m.narrow(axis, 0, length), depth_m.narrow(axis, 1, length)
        nearer, farther = torch.minimum(before, after), torch.maximum(before, after)
        apart = (nearer <= 0) | (farther > SAME_SURFACE_RATIO * nearer)
        step = (farther - nearer).masked_fill_(apart, torch.inf)
        edge = torch.full_like(depth_m.narrow(axis, 0, 1), torch.inf)
        smaller = torch.minimum(torch.cat([edge, step], axis), torch.cat([step, edge], axis))
        slope = torch.maximum(slope, smaller.masked_fill_(smaller == torch.inf, 0.0))
    return slope


@dataclass(frozen=True)
class _Tables:
    """What is looked up in a frame, flat, with one pixel repeated around every image."""

    depth_m: Float32[Tensor, " entries"]
    tolerance_m: Float32[Tensor, " entries"]
    """Slope part of the tolerance."""
    inverse_depth: Float32[Tensor, " entries"]
    """1 / depth; 0 = none."""
    apart: Float32[Tensor, " entries"]
    """NaN where the pixel, the one right of it and the two below do not belong together, else 0."""
    height: int
    """Of the images, px."""
    width: int

    def entries(
        self,
        first: Int[Tensor, " points"],
        row: Float32[Tensor, " points"],
        column: Float32[Tensor, " points"],
    ) -> Int[Tensor, " points"]:
        """Return which entries are at rows and columns, not negative, of the images that begin at the first ones."""
        return row.to(first.dtype).mul_(self.width + 2).add_(column.to(first.dtype)).add_(first)

    def first_entries(self, frame: Int64[Tensor, " pairs"]) -> Int[Tensor, " pairs"]:
        """Return where the images of frames begin, in half the bytes wherever the tables are small enough."""
        kind = torch.int32 if self.depth_m.numel() < 2**31 else torch.int64
        return (frame * ((self.height + 2) * (self.width + 2))).to(kind)


def _tables(
    depth_m: Float32[Tensor, "frames height width"], inverse_depth: Float32[Tensor, "frames height width"]
) -> _Tables:
    padded_m = pad_edges(depth_m)
    apart = torch.zeros_like(padded_m)
    apart[:, :-1, :-1].masked_fill_(neighbours_apart(padded_m), torch.nan)
    return _Tables(
        padded_m.flatten(),
        pad_edges(depth_slope_torch(depth_m) * SLOPE_TOLERANCE_PX).flatten(),
        pad_edges(inverse_depth).flatten(),
        apart.flatten(),
        *depth_m.shape[1:],
    )


def _interpolate(
    tables: _Tables,
    x_px: Float32[Tensor, " points"],
    y_px: Float32[Tensor, " points"],
    first: Int[Tensor, " points"],
) -> Float32[Tensor, " points"]:
    """Return inverse-depth bilinear readings, NaN where the neighbours do not belong together."""
    x_px, y_px = x_px + 0.5, y_px + 0.5
    column, row = x_px.floor(), y_px.floor()
    entry = tables.entries(first, row, column)
    weight_x, weight_y = x_px.sub_(column), y_px.sub_(row)
    inverse, below = tables.inverse_depth, tables.width + 2
    upper = inverse.index_select(0, entry).lerp_(inverse.index_select(0, entry + 1), weight_x)
    lower = inverse.index_select(0, entry + below).lerp_(inverse.index_select(0, entry + (below + 1)), weight_x)
    return upper.lerp_(lower, weight_y).add_(tables.apart.index_select(0, entry)).reciprocal_()


def _labels_inside(
    tables: _Tables,
    x_px: Float32[Tensor, " points"],
    y_px: Float32[Tensor, " points"],
    z_m: Float32[Tensor, " points"],
    first: Int[Tensor, " points"],
    least_tolerance_m: float,
) -> UInt8[Tensor, " points"]:
    """Return the labels of points that lie inside the images which begin at the entries `first`."""
    between_m = _interpolate(tables, x_px, y_px, first)
    # One row and one column are repeated before the first ones.
    entry = tables.entries(first, y_px, x_px).add_(tables.width + 3)
    nearest_m = tables.depth_m.index_select(0, entry)
    tolerance_m = (z_m * RELATIVE_TOLERANCE).clamp_(min=least_tolerance_m)
    tolerance_m.add_(tables.tolerance_m.index_select(0, entry))
    behind_m = z_m - nearest_m
    occluded = behind_m > tolerance_m
    agrees = behind_m.abs_() <= tolerance_m
    agrees |= between_m.sub_(z_m).abs_() <= tolerance_m
    known = nearest_m > 0
    labels = (known & agrees).to(torch.uint8) * int(Label.COVISIBLE)
    return labels.add_((known & ~agrees & occluded).to(torch.uint8) * int(Label.OCCLUDED))


@torch.no_grad()
def covisibility_labels_torch(
    depth_m: Float32[Tensor, "frames height width"],
    current: Int64[Tensor, " pairs"],
    other: Int64[Tensor, " pairs"],
    intrinsics: Float[Tensor, "frames 3 3"],
    world_from_camera: Float[Tensor, "frames 4 4"],
    relative_tolerance_only: bool = False,
    world_from_current: Float[Tensor, "pairs 4 4"] | None = None,
) -> UInt8[Tensor, "pairs height width"]:
    """Return a `Label` for each pixel of each pair's current view; the rule is that of `covisibility_labels`.

    Args:
        depth_m: Planar depth of all frames that the pairs are drawn from, 0 = none.
        current: Index of each pair's frame that is labelled.
        other: Index of each pair's frame that is asked.
        intrinsics: Camera matrices in pixels of the depth images.
        world_from_camera: Poses.
        relative_tolerance_only: Leave out the 3 cm, for depth and poses of unknown scale.
        world_from_current: Poses of the pairs' current views where they are not those of the frames: a camera that is
            carried along with a thing that moves.
    """
    _, height, width = depth_m.shape
    known = depth_m > 0
    inverse_depth = depth_m.reciprocal().masked_fill_(~known, 0.0)
    tables = _tables(depth_m, inverse_depth)
    first_entries = tables.first_entries(other)
    poses, cameras = world_from_camera.double(), intrinsics.double()
    here_from = poses[current] if world_from_current is None else world_from_current.double()
    other_from_current = invert_pose_torch(poses)[other] @ here_from
    rotation, translation = pixel_transfer(cameras[current], cameras[other], other_from_current)

    labels = torch.empty(len(current), height, width, dtype=torch.uint8, device=depth_m.device)
    least_tolerance_m = 0.0 if relative_tolerance_only else ABSOLUTE_TOLERANCE_M
    pairs = max(CHUNK_PIXELS // (height * width), 1)
    for start in range(0, len(current), pairs):
        some = slice(start, start + pairs)
        here = current[some]
        x_px, y_px, z_m = transfer_pixels(inverse_depth.index_select(0, here), rotation[some], translation[some])
        inside = (z_m > 0) & (x_px >= 0) & (x_px < width) & (y_px >= 0) & (y_px < height)
        z_m.mul_(depth_m.index_select(0, here))
        known_here = known.index_select(0, here)
        # Most pixels of most pairs end here: only those inside are looked up.
        chunk = (known_here & ~inside).to(torch.uint8) * int(Label.OUT_OF_VIEW)
        point = (known_here & inside).flatten().nonzero()[:, 0]
        x_px, y_px, z_m = (values.flatten().index_select(0, point) for values in (x_px, y_px, z_m))
        first = first_entries[some].index_select(0, point // (height * width))
        found = _labels_inside(tables, x_px, y_px, z_m, first, least_tolerance_m)
        labels[some] = chunk.flatten().index_copy_(0, point, found).view_as(chunk)
    return labels
