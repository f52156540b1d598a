"""A stored image, cropped and scaled to what the maps cover."""

import cv2
import numpy as np
from jaxtyping import UInt8

from backsight.geometry.cells import ImageFit


def fitted_image(
    rgb: UInt8[np.ndarray, "height width 3"], fit: ImageFit, width_px: int
) -> UInt8[np.ndarray, "shown_height shown_width 3"]:
    """Return the part of a stored image that the maps cover, smoothly scaled.

    Args:
        rgb: stored image.
        fit: its crop to the maps' field of view.
        width_px: width of the result; the height follows from the map's shape.
    """
    scale = width_px / fit.crop_width_px
    height_px = round(fit.crop_height_px * scale)
    if (width_px, height_px) == (rgb.shape[1], rgb.shape[0]):
        return rgb
    # Our pixel centres lie at half integers, those of OpenCV at integers.
    shown_from_stored = np.array(
        [
            [scale, 0.0, (0.5 - fit.left_px) * scale - 0.5],
            [0.0, scale, (0.5 - fit.top_px) * scale - 0.5],
        ]
    )
    if scale < 1.0:
        rgb = cv2.GaussianBlur(rgb, (0, 0), 0.4 / scale).astype(np.uint8)
    flags = cv2.INTER_CUBIC if scale > 1.0 else cv2.INTER_LINEAR
    size = (width_px, height_px)
    shown = cv2.warpAffine(rgb, shown_from_stored, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return shown.astype(np.uint8)
