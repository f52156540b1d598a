"""Relative poses of two views, each with the error it owns up to: a Laplace likelihood of position and rotation."""

import torch
from jaxtyping import Float
from torch import Tensor

from backsight.model.geometry.pose_encoding import quaternion_xyzw_from_rotation

SMALLEST_ERROR = 1e-3
"""Under the square root of the position error, metres: keeps the slope bounded at the truth."""


def relative_pose_loss(
    position_m: Float[Tensor, "*pairs 3"],
    quaternion: Float[Tensor, "*pairs 4"],
    log_scale_m: Float[Tensor, "*pairs"],
    log_scale_rad: Float[Tensor, "*pairs"],
    truth: Float[Tensor, "*pairs 4 4"],
    damping: float = 0.5,
) -> Float[Tensor, "*pairs"]:
    """Return the error over its scale plus the scale's logarithm, of position and rotation, each times scale^damping.

    At any error the best scale is the error itself, and what remains is its logarithm: the loss has no zero, it falls
    as long as poses become better and may be negative. The factor scale^damping carries no gradient; it keeps pairs
    that are already good from taking over the step.

    Args:
        position_m: Predicted position of the other camera in this camera's frame.
        quaternion: Predicted unit rotation of this-from-other, x y z w.
        log_scale_m: Logarithm of the predicted position error.
        log_scale_rad: Logarithm of the predicted rotation error.
        truth: this-from-other.
        damping: 0 is the plain likelihood; at 1 every pair pulls on its pose as an absolute error would.

    Source: Seitzer et al., On the Pitfalls of Heteroscedastic Uncertainty Estimation, arXiv 2203.09168, equation 5.
    """
    error_m = ((position_m - truth[..., :3, 3]).square().sum(-1) + SMALLEST_ERROR**2).sqrt()
    wanted = quaternion_xyzw_from_rotation(truth[..., :3, :3])
    opposite = (quaternion * wanted).sum(dim=-1, keepdim=True) < 0
    # The chord between unit quaternions is half the angle, up to third order.
    chord = quaternion - torch.where(opposite, -wanted, wanted)
    error_rad = 2 * (chord.square().sum(-1) + SMALLEST_ERROR**2 / 4).sqrt()
    parts = [
        (log_scale.detach() * damping).exp() * (error * (-log_scale).exp() + log_scale)
        for error, log_scale in ((error_m, log_scale_m), (error_rad, log_scale_rad))
    ]
    return torch.stack(parts).sum(0)
