"""sRGB values and linear light."""

import numpy as np
from jaxtyping import Float


def linear_from_srgb(srgb: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """Return linear light of sRGB values.

    Args:
        srgb: values in [0, 1].

    Source: IEC 61966-2-1.
    """
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(linear: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """Return sRGB values of linear light.

    Args:
        linear: values in [0, 1].

    Source: IEC 61966-2-1.
    """
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.0) ** (1 / 2.4) - 0.055)
