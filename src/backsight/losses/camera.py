"""Camera head: Huber loss on the pose encoding of every refinement iteration.

An encoding holds, in VGGT's order, the translation (3), the quaternion (x, y, z, w) and the vertical and horizontal
field of view (radians) of camera-from-first-camera.
"""

import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional

from backsight.model.geometry.pose_encoding import pose_encoding_from_cameras


def pose_encoding_from_poses(
    world_from_camera: Float32[Tensor, "batch frames 4 4"],
    intrinsics: Float32[Tensor, "batch 3 3"],
    size: tuple[int, int],
    scale_m: Float32[Tensor, " batch"],
) -> Float32[Tensor, "batch frames 9"]:
    """Return the true pose encodings relative to the first frame.

    Args:
        world_from_camera: Poses of the frames; the first one becomes the origin.
        intrinsics: Camera matrices in pixels of an image of `size`.
        size: Height and width of that image.
        scale_m: Metres that make one unit of translation, see `scene_scale_torch.scene_scale`.
    """
    height, width = size
    metric = pose_encoding_from_cameras(world_from_camera, intrinsics, width_px=width, height_px=height)
    return torch.cat([metric[..., :3] / scale_m[:, None, None], metric[..., 3:]], dim=-1)


def camera_loss(
    predicted: Float[Tensor, "iterations batch frames 9"],
    truth: Float[Tensor, "batch frames 9"],
    gamma: float = 0.6,
    field_of_view_weight: float = 0.5,
    huber_delta: float = 0.1,
) -> Float[Tensor, "batch frames"]:
    """Return each frame's Huber loss on its pose encoding, later refinement iterations counting more.

    A quaternion and its negative are one rotation: the truth takes the sign nearer to the prediction. Iteration i of
    n weighs gamma ** (n - 1 - i), divided by the sum of these weights.

    Args:
        predicted: Encodings of every refinement iteration, the last one is the head's answer.
        truth: True encodings.
        gamma: Decay from an iteration to the one before it.
        field_of_view_weight: Share of the fields of view beside translation and rotation.
        huber_delta: Error above which the loss grows linearly.

    Source: VGGT (arXiv 2503.11651), equation 2 ff.
    """
    iterations = predicted.shape[0]
    quaternion = truth[None, ..., 3:7]
    opposite = (predicted[..., 3:7] * quaternion).sum(dim=-1, keepdim=True) < 0
    target = truth.expand_as(predicted)
    target = torch.cat([target[..., :3], torch.where(opposite, -quaternion, quaternion), target[..., 7:]], dim=-1)
    # Divided by delta, so that far from the truth the slope is 1 whatever delta is.
    error = functional.huber_loss(predicted, target, reduction="none", delta=huber_delta) / huber_delta
    per_part = (
        error[..., :3].mean(dim=-1) + error[..., 3:7].mean(dim=-1) + field_of_view_weight * error[..., 7:].mean(dim=-1)
    )
    decay = gamma ** torch.arange(iterations - 1, -1, -1, device=predicted.device, dtype=predicted.dtype)
    return torch.einsum("i,ibf->bf", decay / decay.sum(), per_part)
