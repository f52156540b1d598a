"""Pinhole intrinsics in pixels, for images whose pixel (0, 0) covers [0, 1) x [0, 1)."""

import math

import numpy as np
from jaxtyping import Float64


def intrinsics_from_hfov(width: int, height: int, hfov_deg: float) -> Float64[np.ndarray, "3 3"]:
    """Return the intrinsics of a symmetric camera with square pixels.

    Args:
        width: Image width in pixels.
        height: Image height in pixels.
        hfov_deg: Full horizontal field of view in degrees, between 0 and 180.

    Raises:
        ValueError: The field of view or a side is impossible.
    """
    if not 0.0 < hfov_deg < 180.0:
        raise ValueError(f"hfov_deg must lie between 0 and 180, got {hfov_deg}")
    if width <= 0 or height <= 0:
        raise ValueError(f"image sides must be positive, got {width} x {height}")
    focal_px = width / (2.0 * math.tan(math.radians(hfov_deg) / 2.0))
    return np.array([[focal_px, 0.0, width / 2.0], [0.0, focal_px, height / 2.0], [0.0, 0.0, 1.0]])


def scale_intrinsics(
    intrinsics: Float64[np.ndarray, "3 3"], scale_x: float, scale_y: float
) -> Float64[np.ndarray, "3 3"]:
    """Return the intrinsics of the image after resizing.

    With pixel centres at half-integers the principal point scales like every other pixel coordinate.

    Args:
        intrinsics: Camera matrix in pixels of the image before.
        scale_x: Width after, divided by width before.
        scale_y: Height after, divided by height before.
    """
    return np.diag([scale_x, scale_y, 1.0]) @ intrinsics


def crop_intrinsics(
    intrinsics: Float64[np.ndarray, "3 3"], left_px: float, top_px: float
) -> Float64[np.ndarray, "3 3"]:
    """Return the intrinsics of the image after cutting columns off the left and rows off the top.

    Args:
        intrinsics: Camera matrix in pixels of the image before.
        left_px: Pixels cut off at the left, may be fractional.
        top_px: Pixels cut off at the top, may be fractional.
    """
    cropped = intrinsics.copy()
    cropped[0, 2] -= left_px
    cropped[1, 2] -= top_px
    return cropped


def pixel_centres(width: int, height: int) -> Float64[np.ndarray, "height width 2"]:
    """Return (x, y) of every pixel's centre; the first is (0.5, 0.5).

    Args:
        width: Image width in pixels.
        height: Image height in pixels.
    """
    x_px, y_px = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x_px, y_px], axis=-1)
