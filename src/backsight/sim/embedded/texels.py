"""Textures as one buffer of texels with mip levels, and the conversions between sRGB and linear light."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int32, UInt8, UInt32

from backsight.sim.srgb import linear_from_srgb, srgb_from_linear

MAX_LEVELS = 16
"""Mip levels kept per texture: enough for 32768 texels a side."""
ENCODE_STEPS = 4096
"""Entries of the table that turns linear light into sRGB bytes."""
ENCODE_LIMIT = 4.0
"""Linear light at the last entry of that table; brighter is white."""
FILM_SPEED, FILM_CONTRAST = 1.5, 1.12
"""Of the curve from light to the picture: like film, it never quite reaches white."""

_QUANTA = 1023.0


@dataclass(frozen=True)
class TexelBuffer:
    """All textures of a scene, level after level, ten bits a channel, stored as square roots of linear light."""

    texels: UInt32[np.ndarray, " texels"]
    level_offset: Int32[np.ndarray, "textures levels"]
    """First texel of each level."""
    size_log2: Int32[np.ndarray, "textures 2"]
    """Binary logarithm of width and height at level 0."""


def encoding_table() -> UInt8[np.ndarray, " steps"]:
    """Return sRGB bytes, with highlights pressed together, of linear light at equal steps of its square root."""
    linear = ENCODE_LIMIT * np.linspace(0.0, 1.0, ENCODE_STEPS) ** 2
    return np.round(255.0 * srgb_from_linear(_pressed(linear))).astype(np.uint8)


def light_of_shown() -> Float64[np.ndarray, " steps"]:
    """Return, at equal steps of the square root of a linear colour, the light that `encoding_table` shows as it."""
    light = ENCODE_LIMIT * np.linspace(0.0, 1.0, 4 * ENCODE_STEPS) ** 2
    wanted = np.linspace(0.0, 1.0, 1024) ** 2
    return np.interp(wanted, _pressed(light), light)


def _pressed(linear: Float64[np.ndarray, " steps"]) -> Float64[np.ndarray, " steps"]:
    """Return the linear light that a picture shows of light."""
    return (1.0 - np.exp(-FILM_SPEED * linear)) ** FILM_CONTRAST


def pack_textures(textures: tuple[UInt8[np.ndarray, "_ _ 3"], ...]) -> TexelBuffer:
    """Return one buffer with every mip level of every texture.

    Args:
        textures: sRGB images whose sides are powers of two.

    Raises:
        ValueError: a side is not a power of two.
    """
    offsets = np.zeros((max(len(textures), 1), MAX_LEVELS), dtype=np.int32)
    sizes = np.zeros((max(len(textures), 1), 2), dtype=np.int32)
    blocks: list[UInt32[np.ndarray, " texels"]] = [np.zeros(1, dtype=np.uint32)]
    used = 1
    for index, texture in enumerate(textures):
        height, width = texture.shape[:2]
        if width & (width - 1) or height & (height - 1) or max(width, height) >= 1 << MAX_LEVELS:
            raise ValueError(f"texture {index} is {width} x {height}: sides must be powers of two below 65536")
        sizes[index] = width.bit_length() - 1, height.bit_length() - 1
        level = linear_from_srgb(texture.astype(np.float32) / 255.0).astype(np.float32)
        for number in range(MAX_LEVELS):
            offsets[index, number] = used
            if number > 0 and level.shape[:2] != (1, 1):
                level = _halved(level)
            elif number > 0:
                offsets[index, number] = offsets[index, number - 1]
                continue
            blocks.append(_packed(level))
            used += blocks[-1].size
    return TexelBuffer(np.concatenate(blocks), offsets, sizes)


def _halved(level: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "_ _ 3"]:
    """Return the next mip level: means of 2 x 2 texels, of 2 x 1 where one side is down to one texel."""
    height, width = level.shape[:2]
    rows, columns = max(height // 2, 1), max(width // 2, 1)
    blocks = level.reshape(rows, height // rows, columns, width // columns, 3)
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def _packed(level: Float32[np.ndarray, "height width 3"]) -> UInt32[np.ndarray, " texels"]:
    """Return texels as words of three times ten bits."""
    roots = np.round(np.sqrt(np.clip(level, 0.0, 1.0)) * _QUANTA).astype(np.uint32).reshape(-1, 3)
    return roots[:, 0] | (roots[:, 1] << np.uint32(10)) | (roots[:, 2] << np.uint32(20))
