"""Visual quality: exposure, contrast, sharpness, frames that stand still."""

import numpy as np
from jaxtyping import Float32, UInt8

from backsight.quality.motion import moved_between_frames
from backsight.records.sequence import Sequence

_LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
DARKEST_MEAN, BRIGHTEST_MEAN = 20.0, 235.0
LEAST_CONTRAST = 8.0
"""Standard deviation of luma (0 to 255) at which a frame has full marks."""
LEAST_EDGE = 8.0
"""Step of luma between neighbouring pixels that the sharpest half per cent of a sharp frame reaches."""
EDGE_QUANTILE = 0.995
FROZEN_DIFFERENCE = 0.05
"""Mean difference of luma under which two frames are one picture."""


def luma_of(rgb: UInt8[np.ndarray, "frames height width 3"]) -> Float32[np.ndarray, "frames height width"]:
    """Return brightness of sRGB images, 0 to 255.

    Args:
        rgb: Images.
    """
    return rgb.astype(np.float32) @ _LUMA


def score_pictures(sequence: Sequence) -> float:
    """Return visual quality: mean of exposure, contrast, sharpness and share of frames that move with the camera.

    Args:
        sequence: With rigid poses.
    """
    luma = luma_of(sequence.rgb)
    mean = luma.mean(axis=(1, 2))
    clipped = ((luma < 4.0) | (luma > 251.0)).mean(axis=(1, 2))
    exposed = ((mean >= DARKEST_MEAN) & (mean <= BRIGHTEST_MEAN)) * (1.0 - clipped)
    contrast = np.clip(luma.std(axis=(1, 2)) / LEAST_CONTRAST, 0.0, 1.0)
    steps = np.abs(np.diff(luma, axis=2)).reshape(len(luma), -1)
    sharp = np.clip(np.quantile(steps, EDGE_QUANTILE, axis=1) / LEAST_EDGE, 0.0, 1.0)
    still = np.abs(np.diff(luma, axis=0)).mean(axis=(1, 2)) < FROZEN_DIFFERENCE
    frozen = still & moved_between_frames(sequence.world_from_camera)
    moving = 1.0 - float(frozen.mean()) if frozen.size else 1.0
    # A picture that is black, blank or stands still can't be made good by its other virtues.
    parts = np.array([exposed.mean(), contrast.mean(), sharp.mean(), moving])
    return float(min(parts.mean(), parts.min() + 0.4))
