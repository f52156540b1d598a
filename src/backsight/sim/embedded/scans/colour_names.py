"""Names of colours that people would give to a thing."""

import numpy as np
from jaxtyping import Float64

from backsight.records.vocabulary import COLOURS
from backsight.sim.srgb import linear_from_srgb

LEAST_SHARE = 0.7
"""Of a thing's surface that one name has to fit."""
FARTHEST = 30.0
"""CIE76 distance at which a name still fits."""

_XYZ_FROM_RGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_NAMES = tuple(COLOURS)


def name_colour(colours: Float64[np.ndarray, "faces 3"], areas: Float64[np.ndarray, " faces"]) -> str | None:
    """Return the one name that describes a thing, or None.

    Args:
        colours: sRGB of its faces, 0 to 255.
        areas: Of its faces.
    """
    known = _lab(np.array(list(COLOURS.values()), dtype=np.float64))
    away = np.linalg.norm(_lab(colours)[:, None] - known[None], axis=2)
    nearest = np.where(away.min(axis=1) <= FARTHEST, away.argmin(axis=1), len(_NAMES))
    share = np.bincount(nearest, weights=areas, minlength=len(_NAMES) + 1) / areas.sum()
    best = int(np.argmax(share[:-1]))
    return _NAMES[best] if share[best] >= LEAST_SHARE else None


def _lab(srgb: Float64[np.ndarray, "colours 3"]) -> Float64[np.ndarray, "colours 3"]:
    """Return CIE L*a*b* under D65 of sRGB colours, 0 to 255.

    Source: IEC 61966-2-1 and CIE 15.
    """
    white = _XYZ_FROM_RGB.sum(axis=1)
    ratio = linear_from_srgb(np.clip(srgb / 255.0, 0.0, 1.0)) @ _XYZ_FROM_RGB.T / white
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
