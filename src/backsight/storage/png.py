"""16-bit grey PNGs: depth and instance ids.

Written here rather than by OpenCV, whose zlib takes twice the time for files of the same size at the same level; read
by OpenCV, as any user will.
"""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt16
from zlib_ng import zlib_ng

from backsight.records.errors import DataError

PNG_LEVEL = 6
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BITS, _GREY, _FILTER_UP = 16, 0, 2


def encode_png(image: UInt16[np.ndarray, "height width"]) -> bytes:
    """Return an image as PNG, the same bytes on every call.

    Rows are predicted from the row above: for depth as small as a filter chosen anew for every row, for ids as small as
    no filter.

    Args:
        image: Depth [mm] or instance ids, at least one pixel.
    """
    height, width = image.shape
    samples = image.astype(">u2").view(np.uint8)
    rows = np.empty((height, 1 + 2 * width), np.uint8)
    rows[:, 0] = _FILTER_UP
    rows[0, 1:] = samples[0]
    np.subtract(samples[1:], samples[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, _BITS, _GREY, 0, 0, 0)
    data = zlib_ng.compress(rows.tobytes(), PNG_LEVEL)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def decode_png(png: bytes, width: int, height: int, path: Path, name: str) -> UInt16[np.ndarray, "height width"]:
    """Return the image of a PNG.

    Args:
        png: Its bytes.
        width: Image width that it must have [px].
        height: Image height that it must have [px].
        path: File that it lies in, for messages.
        name: Its name there.

    Raises:
        DataError: It is damaged, or no 16-bit grey image of that size.
    """
    advice = "collect the sequence again or restore it from a copy"
    if len(png) < 33 or not png.startswith(_SIGNATURE + b"\x00\x00\x00\x0dIHDR"):
        raise DataError(path, name, "is no PNG image", advice)
    png_width, png_height, bits, colour_type = struct.unpack(">IIBB", png[16:26])
    # The header is judged before any pixel is allocated.
    if (png_width, png_height, bits, colour_type) != (width, height, _BITS, _GREY):
        problem = f"is {png_width}x{png_height} with {bits} bits, expected {width}x{height} with 16 bits, grey"
        raise DataError(path, name, problem, advice)
    try:
        image = cv2.imdecode(np.frombuffer(png, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise DataError(path, name, f"can't be decoded: {error}", advice) from error
    if image is None or image.dtype != np.uint16 or image.shape != (height, width):
        raise DataError(path, name, "can't be decoded", advice)
    return image
