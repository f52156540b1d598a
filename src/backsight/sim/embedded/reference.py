"""A slow renderer that tries every triangle for every pixel in float64: what the fast one is measured against."""

import numpy as np
from jaxtyping import Float64, Int32

from backsight.sim.embedded.packed import PackedScene

_PAIRS_PER_BLOCK = 2_000_000


def trace_all(
    scene: PackedScene,
    world_from_camera: Float64[np.ndarray, "4 4"],
    intrinsics: Float64[np.ndarray, "3 3"],
    width: int,
    height: int,
) -> tuple[Float64[np.ndarray, "height width"], Int32[np.ndarray, "height width"]]:
    """Return planar depth [m] and instance ids of one view; 0 where a ray meets nothing.

    Args:
        scene: every face is tried.
        world_from_camera: pose of the camera.
        intrinsics: px.
        width: px.
        height: px.

    Source: Möller and Trumbore, Fast, minimum storage ray-triangle intersection, 1997.
    """
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    pixels = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(-1, 3)
    in_camera = pixels @ np.linalg.inv(intrinsics).T
    unit = in_camera / np.linalg.norm(in_camera, axis=1, keepdims=True)
    directions = unit @ world_from_camera[:3, :3].T
    corners = scene.vertices_m[scene.faces].astype(np.float64)
    depth_m = np.zeros(len(pixels))
    faces = np.full(len(pixels), -1)
    rays_per_block = max(1, _PAIRS_PER_BLOCK // len(corners))
    for start in range(0, len(pixels), rays_per_block):
        some = slice(start, start + rays_per_block)
        distance, face = _nearest(corners, world_from_camera[:3, 3], directions[some])
        hit = np.isfinite(distance)
        depth_m[some] = np.where(hit, distance, 0.0) * unit[some, 2]
        faces[some] = np.where(hit, face, -1)
    instance_ids = np.where(faces >= 0, scene.face_instance[faces], 0).astype(np.int32)
    return depth_m.reshape(height, width), instance_ids.reshape(height, width)


def _nearest(
    corners: Float64[np.ndarray, "faces 3 3"],
    origin: Float64[np.ndarray, "3"],
    directions: Float64[np.ndarray, "rays 3"],
) -> tuple[Float64[np.ndarray, " rays"], np.ndarray]:
    """Return distance and face of the nearest hit of each ray; infinite where there is none."""
    first = corners[:, 1] - corners[:, 0]
    second = corners[:, 2] - corners[:, 0]
    from_corner = origin - corners[:, 0]
    # Scalar triple products, arranged so that everything that depends on the ray is one matrix product.
    determinant = -directions @ np.cross(first, second).T
    with np.errstate(divide="ignore", invalid="ignore"):
        u = -directions @ np.cross(from_corner, second).T / determinant
        v = directions @ np.cross(from_corner, first).T / determinant
        distance = (np.cross(from_corner, first) * second).sum(axis=1) / determinant
        tolerance = 1e-12
        inside = (u >= -tolerance) & (v >= -tolerance) & (u + v <= 1.0 + tolerance) & (distance > 0.0)
    distance = np.where(inside & (determinant != 0.0), distance, np.inf)
    face = distance.argmin(axis=1)
    return distance[np.arange(len(distance)), face], face
