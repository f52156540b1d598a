"""Rays of views without an image: their Pluecker coordinates, and where keyframes saw what lies along them."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from backsight.geometry.projection_torch import invert_pose_torch
from backsight.model.heatmap.correlation import cell_positions
from backsight.model.heatmap.odometry import Odometry
from backsight.model.outputs import Encoding

LEAST_FIELD_RAD, LARGEST_FIELD_RAD = math.radians(30.0), math.radians(130.0)
LEAST_DEPTH_M, LARGEST_DEPTH_M = 0.5, 10.0
"""Of the median of a scene; an estimate outside says that scale is not known yet."""
SMALLEST_WAY = 1e-3
NEAREST = 0.05
"""What a ray meets must lie this far in front of a keyframe, per unit of its depth in the imagined view."""
HYPOTHESES = (0.0, 0.35, 0.7, 1.2, 2.0)
"""Inverse depths at which a ray is looked up, in units of the inverse median depth; 0 is infinitely far: the
homography of a pure turn."""
EVIDENCE = 11
LARGEST_LOG_RATIO = 2.0


@dataclass(frozen=True)
class ViewGeometry:
    """Cameras and depth that imagined views are decoded with; estimated or given, never with a gradient."""

    current_from_imagined: Float[Tensor, "batch imagined 4 4"]
    """Metres."""
    current_from_keyframe: Float[Tensor, "batch keyframes 4 4"]
    """Metres."""
    half_field: Float[Tensor, "batch 2"]
    """Tangents of half the horizontal and vertical field of view; the same for all views."""
    median_depth_m: Float[Tensor, " batch"]
    """Of the keyframes' depth."""
    depth_m: Float[Tensor, "batch keyframes depth_rows depth_columns"]
    """Planar depth of each keyframe."""
    variance: Float[Tensor, "batch keyframes 2"]
    """Of the way from the current view to each keyframe: m2 and rad2; 0 where poses are given."""

    def pose_numbers(self) -> Float[Tensor, "batch imagined 9"]:
        """Return what the language model reads of an imagined view."""
        moved = self.current_from_imagined[..., :3, 3] / self.median_depth_m[:, None, None]
        columns = self.current_from_imagined[..., :3, :2].transpose(-1, -2).flatten(-2)
        return torch.cat([moved, columns], dim=-1)

    def keyframe_from_imagined(self) -> Float[Tensor, "batch keyframes imagined 4 4"]:
        """Return each imagined view's pose in each keyframe."""
        keyframe_from_current = invert_pose_torch(self.current_from_keyframe)
        with torch.autocast(keyframe_from_current.device.type, enabled=False):
            return keyframe_from_current[:, :, None] @ self.current_from_imagined[:, None]


@torch.no_grad()
def estimated_geometry(
    encoding: Encoding,
    odometry: Odometry,
    keyframes: Int64[Tensor, "batch keyframes"],
    current_from_imagined: Float[Tensor, "batch imagined 4 4"],
) -> ViewGeometry:
    """Return the geometry as the model itself sees it.

    Poses are the odometry's. Depth and fields of view are VGGT's; its units become metres by the ratio of the two
    ways through the frames.

    Args:
        encoding: Of the batch.
        odometry: Of the same frames.
        keyframes: Positions on the frames axis; the last one is the current view.
        current_from_imagined: Metres.
    """
    with torch.autocast(keyframes.device.type, enabled=False):
        index = (torch.arange(len(keyframes), device=keyframes.device)[:, None], keyframes)
        first_from_keyframe = odometry.first_from_camera.float()[index]
        current_from_first = invert_pose_torch(first_from_keyframe[:, -1:])
        cameras = encoding.pose_encodings[-1].float()
        way_m = odometry.first_from_camera[..., :3, 3].float().norm(dim=-1).mean(1)
        unit_m = way_m / cameras[..., :3].norm(dim=-1).mean(1).clamp_min(SMALLEST_WAY)
        depth = encoding.depth.float()[index]
        median = depth.flatten(1).median(dim=1).values.clamp_min(SMALLEST_WAY)
        median_m = (median * unit_m).clamp(LEAST_DEPTH_M, LARGEST_DEPTH_M)
        vertical, horizontal = cameras[..., 7:].mean(1).clamp(LEAST_FIELD_RAD, LARGEST_FIELD_RAD).unbind(-1)
        ways = torch.stack([odometry.variance_m2, odometry.variance_rad2], dim=-1).float()[index]
        return ViewGeometry(
            current_from_imagined=current_from_imagined.float(),
            current_from_keyframe=current_from_first @ first_from_keyframe,
            half_field=torch.stack([(horizontal / 2).tan(), (vertical / 2).tan()], dim=-1),
            median_depth_m=median_m,
            depth_m=depth * (median_m / median)[:, None, None, None],
            variance=(ways - ways[:, -1:]).abs(),
        )


def cell_rays(half_field: Float[Tensor, "batch 2"], rows: int, columns: int) -> Float[Tensor, "batch cells 3"]:
    """Return the point that each cell sees at depth 1, in its camera's frame; row-major.

    Args:
        half_field: Tangents of half the fields of view.
        rows: Of the grid.
        columns: Of the grid.
    """
    across = cell_positions(rows, columns, half_field) * half_field[:, None]
    return torch.cat([across, torch.ones_like(across[..., :1])], dim=-1)


def pluecker_rays(
    current_from_camera: Float[Tensor, "batch views 4 4"],
    rays: Float[Tensor, "batch cells 3"],
    unit_m: Float[Tensor, " batch"],
) -> Float[Tensor, "batch views cells 6"]:
    """Return each ray as direction and moment: unit direction d and o x d, in the current camera's frame.

    Args:
        current_from_camera: Metres.
        rays: Of `cell_rays`.
        unit_m: What moments are measured in.
    """
    with torch.autocast(rays.device.type, enabled=False):
        turned = torch.einsum("bvij,bcj->bvci", current_from_camera[..., :3, :3], rays)
    direction = functional.normalize(turned, dim=-1)
    origin = current_from_camera[..., None, :3, 3] / unit_m[:, None, None, None]
    return torch.cat([direction, torch.linalg.cross(origin.expand_as(direction), direction)], dim=-1)


@dataclass(frozen=True)
class Lookup:
    """Where keyframes saw what lies along the rays of imagined views, at each hypothesis of depth."""

    position: Float[Tensor, "batch keyframes imagined hypotheses cells 2"]
    """x and y in [-1, 1] inside the keyframe."""
    in_view: Bool[Tensor, "batch keyframes imagined hypotheses cells"]
    evidence: Float[Tensor, "batch keyframes imagined hypotheses cells evidence"]
    """What tells good places from bad ones; see `look_up`."""


@torch.no_grad()
def look_up(geometry: ViewGeometry, rows: int, columns: int) -> Lookup:
    """Follow the rays of imagined views into every keyframe.

    Evidence: distance from the keyframe's middle, the hypothesis, parallax and baseline in units of the median depth,
    how far the keyframe's own depth there is from the hypothesis (logarithm of the ratio: signed, absolute, a bump at
    0), whether the hypothesis is 'infinitely far', cosine of the two optical axes, uncertainty of the pose (two).

    Args:
        geometry: Of the views.
        rows: Of the imagined views' grid.
        columns: Of the imagined views' grid.
    """
    keyframe_from_imagined = geometry.keyframe_from_imagined()
    rotation, moved_m = keyframe_from_imagined[..., :3, :3], keyframe_from_imagined[..., :3, 3]
    rays = cell_rays(geometry.half_field, rows, columns)
    with torch.autocast(rays.device.type, enabled=False):
        far = torch.einsum("bkixy,bcy->bkicx", rotation, rays)[:, :, :, None]
    inverse = torch.tensor(HYPOTHESES, device=far.device)
    moved = moved_m / geometry.median_depth_m[:, None, None, None]
    # Points per unit of their depth in the imagined view: infinitely far ones are directions.
    points = far + (inverse[:, None] * moved[..., None, :])[..., None, :]
    ahead = points[..., 2]
    position = points[..., :2] / ahead.clamp_min(NEAREST)[..., None] / geometry.half_field[:, None, None, None, None]
    in_view = (ahead > NEAREST) & (position.abs() < 1).all(-1)
    depth_m = _sampled(geometry.depth_m[:, :, None], position)[:, :, 0]
    scale = inverse[:, None] / geometry.median_depth_m[:, None, None, None, None]
    ratio = depth_m.clamp_min(NEAREST) * scale / ahead.clamp_min(NEAREST)
    log_ratio = ratio.clamp_min(math.exp(-LARGEST_LOG_RATIO)).log().clamp_max(LARGEST_LOG_RATIO)
    shape = ahead.shape
    baseline = moved.norm(dim=-1)[..., None, None].expand(shape)
    variance = geometry.variance[:, :, None, None, None].expand(*shape, 2)
    evidence = [
        position.abs().amax(-1).clamp_max(2.0),
        inverse[:, None].expand(shape),
        baseline * inverse[:, None],
        baseline,
        log_ratio,
        log_ratio.abs(),
        (-(log_ratio / 0.2).square()).exp(),
        (inverse == 0)[:, None].expand(shape).float(),
        rotation[..., 2, 2][..., None, None].expand(shape),
        (variance[..., 0] + 1e-4).log() / 4,
        (variance[..., 1] + 1e-4).log() / 4,
    ]
    return Lookup(position, in_view, torch.stack(evidence, dim=-1))


def sample_keyframes(
    maps: Float[Tensor, "batch keyframes channels rows columns"], found: Lookup
) -> Float[Tensor, "batch keyframes channels imagined hypotheses cells"]:
    """Return what the keyframes' maps hold at the places of a look-up; the border's value outside.

    Args:
        maps: Of the keyframes.
        found: Of the same keyframes.
    """
    return _sampled(maps.float(), found.position)


def _sampled(maps: Tensor, position: Tensor) -> Tensor:
    grid = position.flatten(0, 1).flatten(1, 2)
    sampled = functional.grid_sample(maps.flatten(0, 1), grid, padding_mode="border", align_corners=False)
    return sampled.unflatten(2, position.shape[2:4]).unflatten(0, position.shape[:2])
