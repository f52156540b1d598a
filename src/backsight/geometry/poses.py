"""Rigid poses as 4x4 matrices. Names read target_from_source, so `world_from_b @ b_from_a` cancels."""

import math

import numpy as np
from jaxtyping import Float64

CV_FROM_GL: Float64[np.ndarray, "4 4"] = np.diag([1.0, -1.0, -1.0, 1.0])
"""From OpenGL camera axes (x right, y up, -z forward) to OpenCV axes (x right, y down, z forward)."""

SAME_PLACE_M = 1e-6
"""Cameras closer together than this have no bearing to each other."""


def invert_pose(target_from_source: Float64[np.ndarray, "*batch 4 4"]) -> Float64[np.ndarray, "*batch 4 4"]:
    """Return source_from_target of rigid poses.

    Args:
        target_from_source: Rigid transforms; the source's origin in the target frame is the last column.
    """
    source_from_target = np.zeros_like(target_from_source)
    rotation = np.swapaxes(target_from_source[..., :3, :3], -1, -2)
    source_from_target[..., :3, :3] = rotation
    source_from_target[..., :3, 3] = -(rotation @ target_from_source[..., :3, 3:])[..., 0]
    source_from_target[..., 3, 3] = 1.0
    return source_from_target


def look_pose(
    position_m: Float64[np.ndarray, "3"], yaw_rad: float, pitch_rad: float = 0.0
) -> Float64[np.ndarray, "4 4"]:
    """Return world_from_camera of a level camera (no roll, OpenCV axes) at a place.

    Args:
        position_m: Camera centre in the world frame.
        yaw_rad: 0 looks along -Z; grows turning left (counter-clockwise seen from above).
        pitch_rad: Positive looks up.
    """
    cos_yaw, sin_yaw = math.cos(yaw_rad), math.sin(yaw_rad)
    cos_pitch, sin_pitch = math.cos(pitch_rad), math.sin(pitch_rad)
    turn = np.array([[cos_yaw, 0.0, sin_yaw], [0.0, 1.0, 0.0], [-sin_yaw, 0.0, cos_yaw]])
    tilt = np.array([[1.0, 0.0, 0.0], [0.0, cos_pitch, -sin_pitch], [0.0, sin_pitch, cos_pitch]])
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = turn @ tilt @ CV_FROM_GL[:3, :3]
    world_from_camera[:3, 3] = position_m
    return world_from_camera


def look_poses(
    position_m: Float64[np.ndarray, "views 3"],
    yaw_rad: Float64[np.ndarray, " views"],
    pitch_rad: Float64[np.ndarray, " views"],
) -> Float64[np.ndarray, "views 4 4"]:
    """Return `look_pose` of many views at once.

    Args:
        position_m: Camera centres in the world frame.
        yaw_rad: As `look_pose` takes it.
        pitch_rad: As `look_pose` takes it.
    """
    cos_yaw, sin_yaw = np.cos(yaw_rad), np.sin(yaw_rad)
    cos_pitch, sin_pitch = np.cos(pitch_rad), np.sin(pitch_rad)
    world_from_camera = np.tile(np.eye(4), (len(position_m), 1, 1))
    world_from_camera[:, :3, 0] = np.stack([cos_yaw, np.zeros_like(cos_yaw), -sin_yaw], axis=-1)
    world_from_camera[:, :3, 2] = np.stack([-sin_yaw * cos_pitch, sin_pitch, -cos_yaw * cos_pitch], axis=-1)
    world_from_camera[:, :3, 1] = np.cross(world_from_camera[:, :3, 2], world_from_camera[:, :3, 0])
    world_from_camera[:, :3, 3] = position_m
    return world_from_camera


def rotation_angle_rad(a_from_b: Float64[np.ndarray, "*batch 3 3"]) -> Float64[np.ndarray, "*batch"]:
    """Return the angle of rotation matrices, in [0, pi].

    Uses sine and cosine together: the arc cosine of the trace alone loses half of the digits near 0 and pi.

    Args:
        a_from_b: Rotation matrices.
    """
    skew = a_from_b - np.swapaxes(a_from_b, -1, -2)
    twice_sine = np.sqrt(skew[..., 2, 1] ** 2 + skew[..., 0, 2] ** 2 + skew[..., 1, 0] ** 2)
    twice_cosine = np.trace(a_from_b, axis1=-2, axis2=-1) - 1.0
    return np.asarray(np.arctan2(twice_sine, twice_cosine))


def heading_rad(world_from_camera: Float64[np.ndarray, "*batch 4 4"]) -> Float64[np.ndarray, "*batch"]:
    """Return the yaw of cameras as `look_pose` takes it, in (-pi, pi].

    Arbitrary for a camera that looks straight up or down.

    Args:
        world_from_camera: Poses with OpenCV camera axes.
    """
    return np.asarray(np.arctan2(-world_from_camera[..., 0, 2], -world_from_camera[..., 2, 2]))


def bearing_and_distance(
    world_from_current: Float64[np.ndarray, "4 4"], world_from_others: Float64[np.ndarray, "others 4 4"]
) -> tuple[Float64[np.ndarray, "others 3"], Float64[np.ndarray, " others"]]:
    """Return unit directions (current camera frame) and distances (metres) to the centres of other cameras.

    A camera at the same place (within `SAME_PLACE_M`) has no bearing: it gets (0, 0, 1) and its distance.

    Args:
        world_from_current: Pose of the camera that looks.
        world_from_others: Poses of the cameras that are looked for.
    """
    offset_m = world_from_others[:, :3, 3] - world_from_current[:3, 3]
    offset_m = offset_m @ world_from_current[:3, :3]
    distance_m = np.linalg.norm(offset_m, axis=-1)
    apart = distance_m > SAME_PLACE_M
    direction = offset_m / np.where(apart, distance_m, 1.0)[:, None]
    return np.where(apart[:, None], direction, np.array([0.0, 0.0, 1.0])), distance_m


def check_rigid(poses: Float64[np.ndarray, "*batch 4 4"], tolerance: float = 1e-3) -> None:
    """Refuse matrices that are not rigid transforms.

    Args:
        poses: Matrices to check.
        tolerance: Largest deviation allowed in any entry of R^T R - I and of the last row.

    Raises:
        ValueError: Names the first matrix (counted over the flattened batch) and what is wrong with it.
    """
    flat = poses.reshape(-1, 4, 4)
    rotation = flat[:, :3, :3]
    finite = np.asarray(np.isfinite(flat).all(axis=(1, 2)))
    rotation = np.where(finite[:, None, None], rotation, np.eye(3))
    gram_error = np.abs(np.swapaxes(rotation, 1, 2) @ rotation - np.eye(3)).max(axis=(1, 2))
    last_row_error = np.abs(flat[:, 3] - np.array([0.0, 0.0, 0.0, 1.0])).max(axis=1)
    checks = (
        (~finite, "holds a number that is not finite"),
        (finite & (last_row_error > tolerance), "has a last row other than 0 0 0 1"),
        (gram_error > tolerance, "has a rotation part that is not orthonormal"),
        (np.linalg.det(rotation) < 0.0, "mirrors: its rotation part has determinant -1"),
    )
    for wrong, problem in checks:
        if wrong.any():
            raise ValueError(f"pose {int(np.argmax(wrong))} {problem}")
