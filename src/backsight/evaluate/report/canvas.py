"""A raster page to put images and words on."""

import math

import cv2
import numpy as np
from jaxtyping import Float, UInt8

Colour = tuple[int, int, int]

PAGE: Colour = (246, 247, 249)
INK: Colour = (27, 31, 36)
SOFT: Colour = (103, 112, 123)
LINE: Colour = (214, 219, 226)
ACCENT: Colour = (59, 91, 219)
AHEAD: Colour = (206, 216, 246)

_FONT = cv2.FontFace("sans")
_REGULAR, _BOLD = 400, 700
_SHIFT = 4
"""Fractional bits of the coordinates that OpenCV draws with."""


class Canvas:
    """A page of a fixed width that grows downwards as it is written on.

    Args:
        width_px: of the page.
    """

    def __init__(self, width_px: int) -> None:
        self.width_px = width_px
        self._pixels = np.full((0, width_px, 3), PAGE, dtype=np.uint8)

    @property
    def image(self) -> UInt8[np.ndarray, "height width 3"]:
        """The page so far."""
        return self._pixels

    def reach(self, bottom_px: int) -> None:
        """Make the page at least so high."""
        missing = bottom_px - len(self._pixels)
        if missing > 0:
            self._pixels = np.vstack([self._pixels, np.full((missing, self.width_px, 3), PAGE, dtype=np.uint8)])

    def paste(self, picture: UInt8[np.ndarray, "height width 3"], left_px: int, top_px: int) -> None:
        """Put a picture on the page.

        Args:
            picture: RGB.
            left_px: of its left side.
            top_px: of its upper side.
        """
        height, width = picture.shape[:2]
        self.reach(top_px + height)
        self._pixels[top_px : top_px + height, left_px : left_px + width] = picture

    def write(
        self,
        text: str,
        left_px: int,
        base_px: int,
        size_px: int = 15,
        colour: Colour = INK,
        bold: bool = False,
        width_px: int | None = None,
    ) -> None:
        """Write one line.

        Args:
            text: what to write.
            left_px: where it begins.
            base_px: where its letters stand.
            size_px: of the letters.
            colour: RGB.
            bold: whether the letters are heavy.
            width_px: room for the line; text that needs more is cut and ends in dots.
        """
        self.reach(base_px + size_px // 2)
        room = self.width_px - left_px if width_px is None else width_px
        shown = text
        while len(shown) > 1 and text_width_px(shown, size_px, bold) > room:
            shown = shown.rstrip("…")[:-1].rstrip() + "…"
        draw_text(self._pixels, shown, (left_px, base_px), size_px, colour, bold)

    def frame(self, left_px: int, top_px: int, width_px: int, height_px: int, colour: Colour, thick_px: int) -> None:
        """Draw a border around what was pasted there."""
        corners = (left_px, top_px), (left_px + width_px - 1, top_px + height_px - 1)
        cv2.rectangle(self._pixels, *corners, colour, thick_px)

    def compass(self, bearing: Float[np.ndarray, "3"], centre_px: tuple[int, int], radius_px: int) -> None:
        """Draw a direction as seen from above, straight ahead at the top.

        Args:
            bearing: unit vector in the camera frame (x right, y down, z forward).
            centre_px: of the dial.
            radius_px: of the dial.
        """
        self.reach(centre_px[1] + radius_px + 2)
        heading_rad = math.atan2(float(bearing[0]), float(bearing[2]))
        # A camera above or below has a short arrow: its length is the horizontal share.
        length_px = radius_px * max(0.35, 0.86 * math.hypot(float(bearing[0]), float(bearing[2])))
        self._polygon(
            [(0.0, 0.0), *[(0.96 * radius_px, angle) for angle in np.radians(np.arange(-34, 35, 4))]], centre_px, AHEAD
        )
        scaled = tuple(value << _SHIFT for value in centre_px)
        cv2.circle(self._pixels, scaled, radius_px << _SHIFT, LINE, 1, cv2.LINE_AA, _SHIFT)
        tip, neck = (length_px, heading_rad), length_px - 0.36 * radius_px
        half, stem = 0.24 * radius_px, 0.075 * radius_px
        arrow = [
            tip,
            _beside(neck, half, heading_rad),
            _beside(neck, stem, heading_rad),
            _beside(0.0, stem, heading_rad),
            _beside(0.0, -stem, heading_rad),
            _beside(neck, -stem, heading_rad),
            _beside(neck, -half, heading_rad),
        ]
        self._polygon(arrow, centre_px, ACCENT)

    def _polygon(self, polar: list[tuple[float, float]], centre_px: tuple[int, int], colour: Colour) -> None:
        """Fill a polygon given by radius and heading of its corners around a centre."""
        corners = [
            (centre_px[0] + radius * math.sin(heading), centre_px[1] - radius * math.cos(heading))
            for radius, heading in polar
        ]
        points = np.round(np.array(corners) * 2**_SHIFT).astype(np.int32)
        cv2.fillPoly(self._pixels, [points], colour, cv2.LINE_AA, _SHIFT)


def text_width_px(text: str, size_px: int, bold: bool = False) -> int:
    """Return how wide a line is."""
    return int(cv2.getTextSize((1, 1), text, (0, 0), _FONT, size_px, _BOLD if bold else _REGULAR)[2])


def draw_text(
    picture: UInt8[np.ndarray, "height width 3"],
    text: str,
    left_base_px: tuple[int, int],
    size_px: int,
    colour: Colour = INK,
    bold: bool = False,
) -> None:
    """Write one line on a picture.

    Args:
        picture: RGB; changed in place.
        text: what to write.
        left_base_px: where it begins, and where its letters stand.
        size_px: of the letters.
        colour: RGB.
        bold: whether the letters are heavy.
    """
    cv2.putText(picture, text, left_base_px, colour, _FONT, size_px, _BOLD if bold else _REGULAR)


def _beside(along: float, aside: float, heading_rad: float) -> tuple[float, float]:
    """Return radius and heading of a point so far along a heading and so far to its right."""
    return math.hypot(along, aside), heading_rad + math.atan2(aside, along)
