"""Relative poses of views: read from one pair, composed over a walk, and the two weighed against each other.

A frame that shares nothing with the current view says nothing of where it was taken. The way there does: successive
frames overlap, so their relative poses can be read and composed.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from backsight.geometry.projection_torch import invert_pose_torch
from backsight.model.geometry.pose_encoding import rotation_from_quaternion_xyzw
from backsight.model.precision import full_precision

LEAST_SCALE_M, LARGEST_SCALE_M = 0.01, 20.0
LEAST_SCALE_RAD, LARGEST_SCALE_RAD = 0.003, 3.0
POSE_NUMBERS = 9
"""Position (3), quaternion (4), logarithms of two error scales."""
LEVER_SHARE = 1.0 / 3.0
"""Mean of (1 - s)^2 over s in [0, 1]: a turn misread anywhere on a way of length d displaces its end by d (1 - s)."""


@dataclass(frozen=True)
class RelativePoses:
    """Pose of one view in another and how far off it may be."""

    position_m: Float[Tensor, "*pairs 3"]
    """Of the other view's camera, in the camera frame of this view."""
    quaternion: Float[Tensor, "*pairs 4"]
    """Unit, x y z w, of this-from-other."""
    log_scale_m: Float[Tensor, "*pairs"]
    """Logarithm of the expected error of the position."""
    log_scale_rad: Float[Tensor, "*pairs"]
    """Logarithm of the expected error of the rotation."""

    def this_from_other(self) -> Float[Tensor, "*pairs 4 4"]:
        """Return the poses as matrices."""
        top = torch.cat([rotation_from_quaternion_xyzw(self.quaternion), self.position_m[..., None]], dim=-1)
        bottom = top.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(*top.shape[:-2], 1, 4)
        return torch.cat([top, bottom], dim=-2)


@dataclass(frozen=True)
class Odometry:
    """The way through a walk, from the relative poses of successive frames."""

    steps: RelativePoses
    """Of each frame (other) in the next one (this): "batch frames-1"."""
    first_from_camera: Float[Tensor, "batch frames 4 4"]
    """Metres; the world is the first frame's camera."""
    variance_m2: Float[Tensor, "batch frames"]
    """Of the position steps from the first frame on, summed."""
    variance_rad2: Float[Tensor, "batch frames"]
    """Of the rotation steps from the first frame on, summed."""


def relative_poses(numbers: Float[Tensor, "*pairs 9"]) -> RelativePoses:
    """Return what a head's raw numbers mean; zeros are the same camera, 1 m and 1 rad uncertain.

    Args:
        numbers: position, quaternion less the identity, logarithms of the scales.
    """
    values = numbers.float()
    identity = values.new_tensor([0.0, 0.0, 0.0, 1.0])
    return RelativePoses(
        position_m=values[..., :3],
        quaternion=torch.nn.functional.normalize(values[..., 3:7] + identity, dim=-1),
        log_scale_m=values[..., 7].clamp(math.log(LEAST_SCALE_M), math.log(LARGEST_SCALE_M)),
        log_scale_rad=values[..., 8].clamp(math.log(LEAST_SCALE_RAD), math.log(LARGEST_SCALE_RAD)),
    )


def compose(steps: Float[Tensor, "batch steps 4 4"]) -> Float[Tensor, "batch steps 4 4"]:
    """Return the products of the first one, two, three, ... matrices, each new one on the right.

    Neighbours are multiplied at distances 1, 2, 4, ...: as many rounds as the number of steps has bits.

    Args:
        steps: matrices in order.
    """
    product, distance = steps, 1
    while distance < steps.shape[1]:
        product = torch.cat([product[:, :distance], product[:, :-distance] @ product[:, distance:]], dim=1)
        distance *= 2
    return product


def walk_odometry(steps: RelativePoses) -> Odometry:
    """Compose the steps of walks.

    Args:
        steps: of each frame in the next one, "batch frames-1".
    """
    with full_precision(steps.position_m):
        later_from_earlier = steps.this_from_other()
        batch = later_from_earlier.shape[0]
        start = torch.eye(4, device=later_from_earlier.device).expand(batch, 1, 4, 4)
        way = torch.cat([start, compose(invert_pose_torch(later_from_earlier))], dim=1)
    zero = steps.log_scale_m.new_zeros(batch, 1)
    return Odometry(
        steps,
        way,
        torch.cat([zero, (2 * steps.log_scale_m).exp().cumsum(1)], dim=1),
        torch.cat([zero, (2 * steps.log_scale_rad).exp().cumsum(1)], dim=1),
    )


def weighed_position_m(
    direct: RelativePoses,
    odometry: Odometry,
    current: Int64[Tensor, "groups 2"],
    history: Int64[Tensor, "groups history"],
) -> Float[Tensor, "groups history 3"]:
    """Return the history cameras' positions in the current camera: direct and composed, by inverse variance.

    Args:
        direct: read from each pair alone, "groups history".
        odometry: of the samples.
        current: batch index and frame position of each current view.
        history: frame positions in the same sample.
    """
    batch, frame = current.unbind(1)
    others = (batch[:, None], history)
    with full_precision(direct.position_m):
        way = odometry.first_from_camera
        current_from_first = invert_pose_torch(way[batch, frame])
        composed_m = (current_from_first[:, None] @ way[others])[..., :3, 3]
    moved = (odometry.variance_m2[batch, frame][:, None] - odometry.variance_m2[others]).abs()
    turned = (odometry.variance_rad2[batch, frame][:, None] - odometry.variance_rad2[others]).abs()
    lever = LEVER_SHARE * turned * composed_m.detach().square().sum(-1)
    direct_weight = (-2 * direct.log_scale_m).exp()
    composed_weight = 1 / (moved + lever).clamp_min(LEAST_SCALE_M**2)
    share = (composed_weight / (direct_weight + composed_weight))[..., None]
    return share * composed_m + (1 - share) * direct.position_m
