"""The border between VGGT's pose encoding and our conventions.

Inside VGGT: camera-from-world, quaternion xyzw, fields of view. Outside: `world_from_camera`.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def pose_encoding_from_cameras(
    world_from_camera: Float[Tensor, "batch frames 4 4"],
    intrinsics: Float[Tensor, "batch 3 3"],
    width_px: int,
    height_px: int,
) -> Float[Tensor, "batch frames 9"]:
    """Encode cameras as VGGT does, with the first frame as the world.

    Args:
        world_from_camera: poses in any world.
        intrinsics: of the image of `width_px` x `height_px`.
        width_px: of the image.
        height_px: of the image.
    """
    camera_from_world = torch.linalg.inv(world_from_camera)
    camera_from_first = camera_from_world @ world_from_camera[:, :1]
    quaternion = quaternion_xyzw_from_rotation(camera_from_first[..., :3, :3])
    vertical = 2 * torch.atan(height_px / 2 / intrinsics[:, 1, 1])
    horizontal = 2 * torch.atan(width_px / 2 / intrinsics[:, 0, 0])
    fields = torch.stack([vertical, horizontal], dim=-1)[:, None].expand(-1, world_from_camera.shape[1], -1)
    return torch.cat([camera_from_first[..., :3, 3], quaternion, fields], dim=-1)


def world_from_camera_of(encoding: Float[Tensor, "*batch 9"]) -> Float[Tensor, "*batch 4 4"]:
    """Decode poses; the world is the camera of the first frame.

    Args:
        encoding: VGGT's pose encoding.
    """
    rotation = rotation_from_quaternion_xyzw(encoding[..., 3:7]).transpose(-1, -2)
    position = -(rotation @ encoding[..., :3, None])
    top = torch.cat([rotation, position], dim=-1)
    bottom = encoding.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(*encoding.shape[:-1], 1, 4)
    return torch.cat([top, bottom], dim=-2)


def intrinsics_of(encoding: Float[Tensor, "*batch 9"], width_px: int, height_px: int) -> Tensor:
    """Decode the intrinsics of an image with its principal point at the centre.

    Args:
        encoding: VGGT's pose encoding.
        width_px: of the image.
        height_px: of the image.
    """
    intrinsics = encoding.new_zeros(*encoding.shape[:-1], 3, 3)
    intrinsics[..., 0, 0] = width_px / 2 / torch.tan(encoding[..., 8] / 2)
    intrinsics[..., 1, 1] = height_px / 2 / torch.tan(encoding[..., 7] / 2)
    intrinsics[..., 0, 2] = width_px / 2
    intrinsics[..., 1, 2] = height_px / 2
    intrinsics[..., 2, 2] = 1
    return intrinsics


def rotation_from_quaternion_xyzw(quaternion: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 3 3"]:
    """Return the rotation of a quaternion of any length but zero.

    Args:
        quaternion: x, y, z, w.
    """
    x, y, z, w = torch.nn.functional.normalize(quaternion, dim=-1).unbind(-1)
    entries = [
        1 - 2 * (y * y + z * z),
        2 * (x * y - z * w),
        2 * (x * z + y * w),
        2 * (x * y + z * w),
        1 - 2 * (x * x + z * z),
        2 * (y * z - x * w),
        2 * (x * z - y * w),
        2 * (y * z + x * w),
        1 - 2 * (x * x + y * y),
    ]
    return torch.stack(entries, dim=-1).unflatten(-1, (3, 3))


def quaternion_xyzw_from_rotation(rotation: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 4"]:
    """Return the unit quaternion with w >= 0.

    Args:
        rotation: orthonormal, determinant 1.
    """
    xx, yy, zz = rotation[..., 0, 0], rotation[..., 1, 1], rotation[..., 2, 2]
    # Four times the outer product of the quaternion with itself: its longest row is well conditioned.
    wx = rotation[..., 2, 1] - rotation[..., 1, 2]
    wy = rotation[..., 0, 2] - rotation[..., 2, 0]
    wz = rotation[..., 1, 0] - rotation[..., 0, 1]
    xy = rotation[..., 0, 1] + rotation[..., 1, 0]
    xz = rotation[..., 0, 2] + rotation[..., 2, 0]
    yz = rotation[..., 1, 2] + rotation[..., 2, 1]
    rows = torch.stack(
        [
            torch.stack([1 + xx - yy - zz, xy, xz, wx], dim=-1),
            torch.stack([xy, 1 - xx + yy - zz, yz, wy], dim=-1),
            torch.stack([xz, yz, 1 - xx - yy + zz, wz], dim=-1),
            torch.stack([wx, wy, wz, 1 + xx + yy + zz], dim=-1),
        ],
        dim=-2,
    )
    longest = rows.diagonal(dim1=-2, dim2=-1).argmax(dim=-1)
    row = torch.take_along_dim(rows, longest[..., None, None].expand(*longest.shape, 1, 4), dim=-2).squeeze(-2)
    unit = torch.nn.functional.normalize(row, dim=-1)
    return torch.where(unit[..., 3:] < 0, -unit, unit)
