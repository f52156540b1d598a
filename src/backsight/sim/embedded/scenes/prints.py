"""Printed, drawn and glowing surfaces: screens, keys, dials, boards, labels, maps and posters; row 0 is the bottom."""

import cv2
import numpy as np
from jaxtyping import UInt8

from backsight.sim.embedded.scenes.textures import Colour, Texture, finish_image, rgb_array

_Shade = tuple[int, int, int]

_INKS: tuple[_Shade, ...] = ((38, 58, 128), (150, 40, 40), (36, 110, 60), (40, 40, 44))


def _sheet(height_px: int, width_px: int, colour: _Shade) -> UInt8[np.ndarray, "_ _ 3"]:
    return np.full((height_px, width_px, 3), colour, dtype=np.uint8)


def _shade(rng: np.random.Generator, low: int = 40, high: int = 230) -> _Shade:
    red, green, blue = (int(value) for value in rng.integers(low, high, 3))
    return (red, green, blue)


def _upright(image: UInt8[np.ndarray, "_ _ 3"]) -> Texture:
    """Turn an image that was drawn from its top into one whose row 0 is the bottom."""
    return np.ascontiguousarray(image[::-1])


def _lines(
    rng: np.random.Generator, image: UInt8[np.ndarray, "_ _ 3"], box_px: tuple[int, int, int, int], ink: _Shade
) -> None:
    """Fill a box (left, top, right, bottom) with lines of words, as strokes."""
    left, top, right, bottom = box_px
    for y in range(top, bottom - 1, 5):
        x = left
        end = right if rng.random() < 0.7 else int(rng.integers(left + 4, right + 1))
        while x < end:
            word = int(rng.integers(3, 10))
            image[y : y + 2, x : min(x + word, end)] = ink
            x += word + 3


def screen(rng: np.random.Generator) -> Texture:
    """Return what a monitor shows: windows with text, source text on black, or a chart."""
    image = _sheet(64, 128, _shade(rng, 30, 150))
    kind = int(rng.integers(3))
    if kind == 0:
        for _ in range(2):
            x, y = int(rng.integers(2, 50)), int(rng.integers(2, 20))
            image[y : y + 40, x : x + 66] = (236, 236, 238)
            image[y : y + 5, x : x + 66] = _shade(rng, 60, 200)
            _lines(rng, image, (x + 4, y + 9, x + 60, y + 37), (90, 92, 100))
    elif kind == 1:
        image[:] = (28, 30, 36)
        for y in range(4, 58, 5):
            indent = 6 + 6 * int(rng.integers(4))
            _lines(rng, image, (indent, y, indent + int(rng.integers(20, 80)), y + 3), _shade(rng, 110, 240))
    else:
        image[:] = (240, 240, 240)
        colour = _shade(rng)
        for bar in range(8):
            high = int(rng.integers(6, 48))
            image[58 - high : 58, 10 + bar * 14 : 20 + bar * 14] = colour
    image[60:] = (24, 26, 30)
    return _upright(image)


def keys(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return rows of keys, darker or lighter than the case whose colour is given."""
    base = rgb_array(colour)
    key = base * 0.72 if base.mean() > 0.4 else np.clip(base * 1.3 + 0.09, 0.0, 1.0)
    image = np.broadcast_to(base, (64, 128, 3)).copy()
    for row in range(5):
        shift = int(rng.integers(0, 5))
        for x in range(3 + shift, 120, 9):
            image[4 + row * 12 : 13 + row * 12, x : x + 7] = key
    image[4:13, 36:84] = key
    return finish_image(image.astype(np.float32))


def scribbles(rng: np.random.Generator) -> Texture:
    """Return a whiteboard with a few words, boxes and arrows in coloured ink."""
    image = _sheet(64, 128, (240, 240, 238))
    for _ in range(int(rng.integers(3, 6))):
        ink = _INKS[int(rng.integers(len(_INKS)))]
        x, y = int(rng.integers(4, 90)), int(rng.integers(4, 44))
        kind = int(rng.integers(4))
        if kind == 0:
            cv2.rectangle(image, (x, y), (x + int(rng.integers(14, 34)), y + int(rng.integers(8, 18))), ink, 1)
        elif kind == 1:
            cv2.arrowedLine(image, (x, y), (x + 28, y + int(rng.integers(-3, 16))), ink, 1, tipLength=0.3)
        elif kind == 2:
            points = np.stack([x + np.arange(0, 30, 3), y + rng.integers(0, 16, 10)], axis=1).astype(np.int32)
            cv2.polylines(image, [points], False, ink, 1)
        else:
            _lines(rng, image, (x, y, x + 34, y + 16), ink)
    return _upright(image)


def dial(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return the face of a clock with hour marks and hands at some time."""
    red, green, blue = (round(255 * value) for value in colour)
    image = _sheet(64, 64, (red, green, blue))
    ink = (30, 30, 34) if red + green + blue > 330 else (236, 236, 232)
    for hour in range(12):
        angle = hour * np.pi / 6
        outer, inner = 29, 22 if hour % 3 == 0 else 25
        ends = [(round(32 + r * np.sin(angle)), round(32 - r * np.cos(angle))) for r in (inner, outer)]
        cv2.line(image, ends[0], ends[1], ink, 2 if hour % 3 == 0 else 1)
    minutes = int(rng.integers(720))
    for angle, reach, wide in ((minutes * np.pi / 360, 13, 3), (minutes % 60 * np.pi / 30, 21, 2)):
        cv2.line(image, (32, 32), (round(32 + reach * np.sin(angle)), round(32 - reach * np.cos(angle))), ink, wide)
    return _upright(image)


def label(rng: np.random.Generator) -> Texture:
    """Return a shipping or product label: a title bar, lines of print and a bar code."""
    image = _sheet(64, 64, (236, 234, 226))
    image[4:16, 4:60] = _shade(rng, 30, 170)
    _lines(rng, image, (5, 22, 58, 40), (60, 60, 64))
    x = 6
    while x < 58:
        wide = int(rng.integers(1, 4))
        image[44:58, x : min(x + wide, 58)] = (24, 24, 26)
        x += wide + int(rng.integers(1, 4))
    return _upright(image)


def notice(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return a sign: an arrow, an exclamation mark, a percent mark or a bar on a coloured ground with a border."""
    red, green, blue = (round(255 * value) for value in colour)
    image = _sheet(64, 64, (red, green, blue))
    ink = (28, 28, 30) if red + green + blue > 400 else (240, 238, 232)
    cv2.rectangle(image, (3, 3), (60, 60), ink, 2)
    kind = int(rng.integers(4))
    if kind == 0:
        cv2.arrowedLine(image, (14, 32), (50, 32), ink, 6, tipLength=0.4)
    elif kind == 1:
        cv2.line(image, (32, 13), (32, 36), ink, 7)
        cv2.circle(image, (32, 49), 4, ink, -1)
    elif kind == 2:
        cv2.line(image, (18, 48), (46, 16), ink, 5)
        for centre in ((20, 20), (44, 44)):
            cv2.circle(image, centre, 6, ink, 4)
    else:
        image[16:26, 12:52] = ink
        _lines(rng, image, (12, 34, 52, 52), ink)
    return _upright(image)


_LAND: tuple[tuple[tuple[int, int], ...], ...] = (
    ((-165, 68), (-95, 72), (-60, 52), (-80, 26), (-97, 18), (-83, 9), (-105, 20), (-124, 40), (-140, 60)),
    ((-80, 9), (-60, 8), (-35, -7), (-48, -28), (-68, -54), (-75, -40), (-71, -18), (-81, -4)),
    ((-17, 15), (-6, 35), (11, 37), (33, 30), (51, 11), (40, -15), (32, -28), (19, -34), (12, -16), (9, 4)),
    (
        (-9, 37),
        (-2, 48),
        (8, 58),
        (25, 71),
        (70, 73),
        (110, 76),
        (178, 68),
        (160, 58),
        (140, 54),
        (122, 38),
        (120, 23),
        (108, 11),
        (100, 4),
        (97, 17),
        (80, 8),
        (68, 24),
        (57, 25),
        (44, 13),
        (35, 31),
        (27, 38),
    ),
    ((113, -23), (131, -12), (143, -11), (153, -27), (146, -39), (130, -32), (116, -35)),
    ((-52, 61), (-22, 71), (-25, 82), (-60, 82), (-68, 77)),
    ((-180, -76), (-60, -74), (60, -68), (180, -76), (180, -90), (-180, -90)),
    ((131, 34), (141, 37), (144, 44), (136, 36)),
    ((96, 4), (120, -9), (140, -8), (118, 2)),
    ((44, -24), (50, -15), (48, -25)),
)
"""Coarse outlines of the continents as longitude and latitude in degrees."""


def world_map(rng: np.random.Generator) -> Texture:
    """Return the world in an equal grid of longitude and latitude: sea, land in a few shades, graticule."""
    sea = (int(rng.integers(70, 110)), int(rng.integers(120, 150)), int(rng.integers(165, 195)))
    image = _sheet(64, 128, sea)
    for outline in _LAND:
        points = np.array([((lon + 180) * 128 / 360, (90 - lat) * 64 / 180) for lon, lat in outline])
        tone = (int(rng.integers(110, 200)), int(rng.integers(120, 175)), int(rng.integers(70, 110)))
        cv2.fillPoly(image, [np.round(points).astype(np.int32)], tone)
    return _upright(image)


def poster(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return a printed poster on a ground of the given colour: a title, one bold figure, lines of print."""
    red, green, blue = (round(255 * value) for value in colour)
    image = _sheet(128, 64, (red, green, blue))
    ink = (28, 28, 32) if red + green + blue > 380 else (240, 236, 226)
    second = _shade(rng)
    for word in range(int(rng.integers(1, 3))):
        image[8 + word * 12 : 17 + word * 12, 6 : int(rng.integers(30, 58))] = ink
    centre = (int(rng.integers(22, 42)), int(rng.integers(54, 72)))
    kind = int(rng.integers(4))
    if kind == 0:
        cv2.circle(image, centre, int(rng.integers(12, 20)), second, -1)
    elif kind == 1:
        points = np.array([(centre[0], 36), (56, 92), (8, 92)], dtype=np.int32)
        cv2.fillPoly(image, [points], second)
    elif kind == 2:
        for ring in (20, 14, 8):
            cv2.circle(image, centre, ring, second if ring != 14 else ink, -1)
    else:
        for step in range(5):
            image[86 - 9 * step : 92, 8 + 10 * step : 16 + 10 * step] = second
    _lines(rng, image, (6, 104, 58, 122), ink)
    return _upright(image)


def perforation(rng: np.random.Generator, colour: Colour, period_px: int = 8) -> Texture:
    """Return a plate with a grid of dark holes, as of ceiling tiles, grilles and wire baskets."""
    y, x = np.mgrid[0:64, 0:64]
    half = period_px / 2
    hole = np.hypot(x % period_px - half + 0.5, y % period_px - half + 0.5) < period_px * 0.28
    grain = rng.uniform(-0.02, 0.02, (64, 64, 1)).astype(np.float32)
    image = np.where(hole[..., None], rgb_array(colour) * np.float32(0.55), rgb_array(colour)) + grain
    return finish_image(image.astype(np.float32))


def sheen(rng: np.random.Generator) -> Texture:
    """Return what a mirror shows here: a pale gradient with two slanting streaks of light."""
    y, x = (np.mgrid[0:64, 0:64] + 0.5).astype(np.float32) / 64.0
    shade = 0.62 + 0.2 * y
    start = float(rng.uniform(0.2, 0.9))
    for offset, width in ((0.0, 0.16), (0.28, 0.05)):
        shade = shade + 0.16 * (np.abs(x * 0.6 + y - start - offset) < width)
    return finish_image((shade[..., None] * np.array([0.92, 0.98, 1.0])).astype(np.float32))


def page(rng: np.random.Generator) -> Texture:
    """Return a printed page: a heading, lines of print and perhaps a small picture."""
    image = _sheet(64, 64, (238, 234, 222))
    image[5:9, 12:52] = (70, 68, 66)
    _lines(rng, image, (6, 14, 58, 60), (110, 106, 100))
    if rng.random() < 0.5:
        image[34:54, 10:34] = _shade(rng, 80, 200)
    return _upright(image)


def goods(rng: np.random.Generator) -> Texture:
    """Return a row of packages in groups of a kind: boxes, tins and bags with a band and a mark."""
    image = _sheet(64, 128, (58, 56, 54))
    x = 0
    while x < 128:
        width, top = int(rng.integers(9, 18)), int(rng.integers(0, 18))
        body, band, mark = _shade(rng), _shade(rng, 120, 245), _shade(rng, 20, 120)
        low = int(rng.integers(26, 42))
        for _ in range(int(rng.integers(2, 5))):
            right = min(x + width, 128)
            image[top:, x:right] = body
            image[low : low + 12, x:right] = band
            image[low + 4 : low + 8, x + 2 : max(right - 3, x + 2)] = mark
            image[top:, right - 1 : right] = tuple(value // 2 for value in body)
            x += width
    return _upright(image)
