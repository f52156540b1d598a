"""Everything in which Habitat's conventions differ from ours, in one place.

Both worlds are right-handed, +Y up, in metres, so that points need no conversion. Cameras differ: Habitat's look along
-z with y up. Rotations cross the border as quaternions in the order x, y, z, w, and so say all their names.
"""

import math

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from backsight.geometry.poses import CV_FROM_GL
from backsight.records.errors import UsageError
from backsight.records.scene import OrientedBox

THINNEST_M = 0.001
"""Boxes get at least this extent along each axis: flat things have none."""
_SQUARE = 1e-6
"""Relative difference of focal lengths that still counts as square pixels."""
_CENTRED_PX = 1e-3


def habitat_poses(
    world_from_camera: Float64[np.ndarray, "poses 4 4"],
) -> tuple[Float64[np.ndarray, "poses 3"], Float64[np.ndarray, "poses 4"]]:
    """Return positions and x, y, z, w quaternions of Habitat's cameras that stand where ours do.

    Args:
        world_from_camera: Poses with OpenCV axes.
    """
    world_from_gl = world_from_camera @ CV_FROM_GL
    rotation_xyzw = Rotation.from_matrix(world_from_gl[:, :3, :3]).as_quat()
    return world_from_camera[:, :3, 3].copy(), np.asarray(rotation_xyzw, dtype=np.float64)


def world_from_camera(
    position_m: Float64[np.ndarray, "poses 3"], rotation_xyzw: Float64[np.ndarray, "poses 4"]
) -> Float64[np.ndarray, "poses 4 4"]:
    """Return the poses, OpenCV axes, of Habitat's cameras.

    Args:
        position_m: Camera centres in the world frame.
        rotation_xyzw: World from camera, OpenGL axes.
    """
    poses = np.tile(np.eye(4), (len(position_m), 1, 1))
    poses[:, :3, :3] = Rotation.from_quat(rotation_xyzw).as_matrix()
    poses[:, :3, 3] = position_m
    return poses @ CV_FROM_GL


def hfov_deg(intrinsics: Float64[np.ndarray, "3 3"], width: int, height: int) -> float:
    """Return the horizontal field of view that is all of Habitat's intrinsics: fx = fy = W / (2 tan(hfov / 2)).

    Args:
        intrinsics: px.
        width: px.
        height: px.

    Raises:
        UsageError: Pixels that are not square, or a principal point off the centre.
    """
    fx, fy = float(intrinsics[0, 0]), float(intrinsics[1, 1])
    off_centre_px = np.abs(intrinsics[:2, 2] - np.array([width / 2, height / 2])).max()
    skewed = intrinsics[0, 1] != 0.0 or intrinsics[1, 0] != 0.0
    if min(fx, fy) <= 0.0 or abs(fx - fy) > _SQUARE * fx or off_centre_px > _CENTRED_PX or skewed:
        raise UsageError(
            "habitat: its cameras have square pixels and the principal point in the centre "
            f"({width / 2:g}, {height / 2:g}); asked for {intrinsics.tolist()}"
        )
    return math.degrees(2.0 * math.atan(width / (2.0 * fx)))


def box_of_extents(centre_m: Float64[np.ndarray, "3"], size_m: Float64[np.ndarray, "3"]) -> OrientedBox:
    """Return an axis-aligned box; sizes may be negative, as old MP3D ones are, or zero."""
    x, y, z = np.maximum(np.abs(size_m), THINNEST_M).tolist()
    return OrientedBox((float(centre_m[0]), float(centre_m[1]), float(centre_m[2])), (x, y, z))


def upright_box(
    centre_m: Float64[np.ndarray, "3"],
    half_size_m: Float64[np.ndarray, "3"],
    rotation_xyzw: Float64[np.ndarray, "4"],
) -> OrientedBox:
    """Return the upright box around an oriented one: the same box where that stands upright already.

    Args:
        centre_m: World frame.
        half_size_m: Half extents along the box's own axes; the sign plays no part.
        rotation_xyzw: World from box.
    """
    world_from_box = Rotation.from_quat(rotation_xyzw).as_matrix()
    vertical = int(np.argmax(np.abs(world_from_box[1])))
    # The x axis where it lies flat, so that an object keeps its front; else whichever lies flattest.
    first = 0 if vertical != 0 else 2 if abs(world_from_box[1, 2]) <= abs(world_from_box[1, 1]) else 1
    x, _, z = world_from_box[:, first]
    yaw_rad = math.atan2(-z, x)
    if first != 0:
        # That axis becomes the upright box's z axis: (sin, cos) of the yaw.
        yaw_rad = math.atan2(x, z)
    cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
    world_from_upright = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    reach_m = np.abs(world_from_upright.T @ world_from_box) @ np.abs(half_size_m)
    box = box_of_extents(centre_m, 2.0 * reach_m)
    return OrientedBox(box.centre_m, box.size_m, yaw_rad)


def yaw_xyzw(yaw_rad: float) -> Float64[np.ndarray, "4"]:
    """Return the quaternion of a right-handed rotation about +Y."""
    return np.array([0.0, math.sin(yaw_rad / 2.0), 0.0, math.cos(yaw_rad / 2.0)])


def turned_xyzw(turn: Float64[np.ndarray, "4"], rotation_xyzw: Float64[np.ndarray, "4"]) -> Float64[np.ndarray, "4"]:
    """Return the rotation `rotation_xyzw` followed by `turn`, both x, y, z, w."""
    product = Rotation.from_quat(turn) * Rotation.from_quat(rotation_xyzw)
    return np.asarray(product.as_quat(), dtype=np.float64)


def rotated(rotation_xyzw: Float64[np.ndarray, "4"], vector: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    """Return a vector rotated by an x, y, z, w quaternion."""
    return np.asarray(Rotation.from_quat(rotation_xyzw).apply(vector), dtype=np.float64)


def map_corner_m(low_m: Float64[np.ndarray, "3"], cell_m: float) -> Float64[np.ndarray, "2"]:
    """Return world (x, z) of the corner of a top-down map whose cells are named by their centres.

    Habitat asks about the corner of each cell, from the least x and z on; that corner is the centre of ours.

    Args:
        low_m: Least corner of the navigation mesh's bounds, world frame.
        cell_m: Edge of a cell.
    """
    return np.array([low_m[0] - cell_m / 2, low_m[2] - cell_m / 2])
