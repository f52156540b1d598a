"""Textures of scene files: decoded, turned to powers of two, bounded."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.limits import ScanLimits


class TextureReader:
    """Decodes the textures of one scene file, each once, and counts their pixels.

    Args:
        path: Named in errors.
        limits: Bounds on the sides of each and on the pixels of all.
    """

    def __init__(self, path: Path, limits: ScanLimits) -> None:
        self._path = path
        self._limits = limits
        self._known: dict[str, UInt8[np.ndarray, "_ _ 3"]] = {}
        self._pixels = 0
        self.notes: list[str] = []
        """What was changed, in the order of reading."""

    def read(self, name: str, field: str, load: Callable[[], bytes]) -> UInt8[np.ndarray, "_ _ 3"]:
        """Return a picture as sRGB with sides that are powers of two.

        Args:
            name: Of the picture; the same name is decoded once.
            field: Where the scene file names it.
            load: Returns its bytes.

        Raises:
            DataError: It cannot be decoded, or it or all of them together are too large.
        """
        if name not in self._known:
            texture, note = decode_texture(self._path, field, load(), self._limits)
            self._pixels += texture.shape[0] * texture.shape[1]
            if self._pixels > self._limits.max_texture_px:
                problem = f"textures hold more than {self._limits.max_texture_px} pixels together"
                raise DataError(self._path, field, problem, "scale the textures down")
            self._known[name] = texture
            self.notes += [note] if note else []
        return self._known[name]


def decode_texture(path: Path, field: str, data: bytes, limits: ScanLimits) -> tuple[UInt8[np.ndarray, "_ _ 3"], str]:
    """Return a picture as sRGB with sides that are powers of two, and what was changed, or ''.

    Args:
        path: Named in errors.
        field: Where the scene file names it.
        data: Encoded picture.
        limits: Bounds on its sides.

    Raises:
        DataError: It cannot be decoded or is too large.
    """
    try:
        with warnings.catch_warnings():
            # The size is checked here, by the limit of the scene.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data))
            width, height = picture.size
            if max(width, height) > limits.max_image_side_px:
                problem = f"{width} x {height} pixels, sides up to {limits.max_image_side_px} are read"
                raise DataError(path, field, problem, "scale the texture down")
            if picture.mode in ("I;16", "I;16B", "I", "F"):
                raise DataError(
                    path, field, f"is a {picture.mode} picture, no colours", "save it with 8 bits a channel"
                )
            picture = picture.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        problem = f"is no picture that can be read: {error}"
        raise DataError(path, field, problem, "save it as PNG, JPEG or WebP") from error
    sides = [min(_nearest_power(side), limits.max_texture_side_px) for side in (width, height)]
    if sides == [width, height]:
        return np.asarray(picture, dtype=np.uint8), ""
    resized = picture.resize((sides[0], sides[1]), Image.Resampling.LANCZOS)
    return np.asarray(resized, dtype=np.uint8), f"{field}: texture {width} x {height} scaled to {sides[0]} x {sides[1]}"


def _nearest_power(side: int) -> int:
    """Return the power of two nearest to a side, by ratio."""
    return 1 << max(0, round(float(np.log2(side))))
