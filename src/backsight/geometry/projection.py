"""From pixels to points and back, and reading an image at fractional pixels."""

import numpy as np
from jaxtyping import Bool, Float, Float64, Shaped

from backsight.geometry.cameras import pixel_centres

SAME_SURFACE_RATIO = 1.35
"""Neighbouring depth readings belong together when the largest is at most this many times the smallest."""


def unproject(
    depth_m: Float[np.ndarray, "height width"], intrinsics: Float64[np.ndarray, "3 3"]
) -> Float64[np.ndarray, "height width 3"]:
    """Return the point that each pixel's centre shows, in the camera frame.

    Args:
        depth_m: Planar depth; a pixel without reading (0) becomes the origin.
        intrinsics: Camera matrix in pixels of the depth image.
    """
    height, width = depth_m.shape
    pixels = pixel_centres(width, height)
    rays = np.concatenate([pixels, np.ones((height, width, 1))], axis=-1) @ np.linalg.inv(intrinsics).T
    return rays * depth_m[..., None].astype(np.float64)


def transform_points(
    b_from_a: Float64[np.ndarray, "4 4"], points_m: Float64[np.ndarray, "*points 3"]
) -> Float64[np.ndarray, "*points 3"]:
    """Return points of frame a in frame b.

    Args:
        b_from_a: Rigid transform.
        points_m: Points in frame a.
    """
    return points_m @ b_from_a[:3, :3].T + b_from_a[:3, 3]


def project(
    points_m: Float64[np.ndarray, "*points 3"], intrinsics: Float64[np.ndarray, "3 3"]
) -> tuple[Float64[np.ndarray, "*points 2"], Float64[np.ndarray, "*points"]]:
    """Return pixel coordinates (x, y) and planar depth of points.

    A point at z <= 0 is not in front of the camera: its pixel means nothing (NaN) and callers test z.

    Args:
        points_m: Points in the camera frame.
        intrinsics: Camera matrix in pixels.
    """
    z_m = points_m[..., 2]
    in_front = z_m > 0.0
    homogeneous = points_m @ intrinsics.T
    pixels = homogeneous[..., :2] / np.where(in_front, z_m, np.nan)[..., None]
    return pixels, z_m


def look_up_nearest(
    image: Shaped[np.ndarray, "height width"], pixels: Float64[np.ndarray, "*points 2"]
) -> tuple[Shaped[np.ndarray, "*points"], Bool[np.ndarray, "*points"]]:
    """Return the value of the pixel that holds each position, and whether the position is inside the image.

    Args:
        image: Anything with one value a pixel.
        pixels: Positions (x, y); outside positions and NaN read 0.
    """
    height, width = image.shape
    with np.errstate(invalid="ignore"):
        inside = (pixels[..., 0] >= 0) & (pixels[..., 0] < width) & (pixels[..., 1] >= 0) & (pixels[..., 1] < height)
    safe = np.where(inside[..., None], pixels, 0.0).astype(np.int64)
    values = image[safe[..., 1], safe[..., 0]]
    return np.where(inside, values, np.zeros((), image.dtype)), inside


def look_up_inverse_bilinear(
    depth_m: Float[np.ndarray, "height width"], pixels: Float64[np.ndarray, "*points 2"]
) -> tuple[Float64[np.ndarray, "*points"], Bool[np.ndarray, "*points"]]:
    """Return depth interpolated bilinearly in 1/z (exact on planes), and whether positions are inside.

    Depth is 0 where the four neighbouring readings do not belong together: one is missing, or the largest
    is more than `SAME_SURFACE_RATIO` times the smallest. Within half a pixel of the border the outer
    readings are repeated.

    Args:
        depth_m: Planar depth, 0 = none.
        pixels: Positions (x, y); outside positions and NaN read 0.
    """
    height, width = depth_m.shape
    _, inside = look_up_nearest(depth_m, pixels)
    corner = np.where(inside[..., None], pixels, 0.5) - 0.5
    first = np.floor(corner).astype(np.int64)
    weight_x, weight_y = np.moveaxis(corner - first, -1, 0)
    left, right = (np.clip(first[..., 0] + i, 0, width - 1) for i in (0, 1))
    top, bottom = (np.clip(first[..., 1] + i, 0, height - 1) for i in (0, 1))
    readings = np.stack([depth_m[top, left], depth_m[top, right], depth_m[bottom, left], depth_m[bottom, right]])
    readings = readings.astype(np.float64)
    smallest = readings.min(axis=0)
    together = inside & (smallest > 0.0) & (readings.max(axis=0) <= SAME_SURFACE_RATIO * smallest)
    inverse = 1.0 / np.where(together, readings, 1.0)
    upper = inverse[0] + weight_x * (inverse[1] - inverse[0])
    lower = inverse[2] + weight_x * (inverse[3] - inverse[2])
    return np.where(together, 1.0 / (upper + weight_y * (lower - upper)), 0.0), inside
