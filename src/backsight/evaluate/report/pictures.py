"""Pictures of frames and maps, as data URIs."""

import base64

import cv2
import numpy as np
from jaxtyping import Float, UInt8

MAP_WEIGHT = 0.85
"""Share of the colour map in a blend at full probability."""
MAP_FLOOR = 0.35
"""Share of the colour map in a blend at probability zero, so that cold areas read as cold."""
SHADE = 0.6
"""How far the colour map takes on the image's brightness, so that the scene stays readable under a full map."""
WEBP_QUALITY = 82


def blend_map(
    image: UInt8[np.ndarray, "height width 3"], heatmap: Float[np.ndarray, "cells_height cells_width"]
) -> UInt8[np.ndarray, "height width 3"]:
    """Return the image in grey with the map over it in a perceptually uniform colour map (inferno).

    Args:
        image: what the map lies over.
        heatmap: probabilities in [0, 1].
    """
    height, width = image.shape[:2]
    values = cv2.resize(heatmap.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    values = np.clip(values, 0.0, 1.0)
    colours = cv2.applyColorMap((values * 255.0 + 0.5).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    weight = (MAP_FLOOR + (MAP_WEIGHT - MAP_FLOOR) * values)[..., None]
    shaded = colours * (1.0 - SHADE + SHADE * grey / 255.0)
    return np.clip(grey * (1.0 - weight) + shaded * weight, 0.0, 255.0).astype(np.uint8)


def data_uri(rgb: UInt8[np.ndarray, "height width 3"]) -> str:
    """Return the picture as a WebP data URI."""
    done, encoded = cv2.imencode(".webp", rgb[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])
    if not done:
        raise ValueError("OpenCV could not encode a WebP picture")
    return "data:image/webp;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def png_data_uri(png: bytes) -> str:
    """Return a PNG file's bytes as a data URI.

    Raises:
        ValueError: the bytes are no PNG.
    """
    if not png.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError("the picture is no PNG")
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
