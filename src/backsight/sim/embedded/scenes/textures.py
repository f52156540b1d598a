"""Procedural textures: sRGB images that repeat, made from a generator's draws alone."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

Texture = UInt8[np.ndarray, "_ _ 3"]
Colour = tuple[float, float, float]
"""sRGB in [0, 1]."""


def rgb_array(colour: Colour) -> Float32[np.ndarray, "3"]:
    """Return a colour as an array."""
    return np.array(colour, dtype=np.float32)


def finish_image(image: Float32[np.ndarray, "_ _ 3"]) -> Texture:
    """Return an image in [0, 1] as 8-bit sRGB."""
    return (np.clip(image, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def smooth_noise(rng: np.random.Generator, size_px: int, cells_x: int, cells_y: int) -> Float32[np.ndarray, "_ _"]:
    """Return noise about 0 in [-1, 1] that repeats, smooth over size_px / cells pixels."""
    grid = rng.uniform(-1.0, 1.0, (cells_y, cells_x)).astype(np.float32)
    padded = np.pad(grid, 2, mode="wrap")
    step_x, step_y = size_px // cells_x, size_px // cells_y
    large = cv2.resize(padded, ((cells_x + 4) * step_x, (cells_y + 4) * step_y), interpolation=cv2.INTER_CUBIC)
    return large[2 * step_y : 2 * step_y + size_px, 2 * step_x : 2 * step_x + size_px]


def _grain(rng: np.random.Generator, size_px: int) -> Float32[np.ndarray, "_ _"]:
    """Return fine pixel noise in [-1, 1]."""
    return rng.random((size_px, size_px), dtype=np.float32) * 2.0 - 1.0


def _tint(shade: Float32[np.ndarray, "_ _"], colour: Colour) -> Float32[np.ndarray, "_ _ 3"]:
    return shade[..., None] * np.array(colour, dtype=np.float32)


def wood_grain(rng: np.random.Generator) -> Texture:
    """Return near-white streaks along u, to be multiplied with a colour."""
    streaks = smooth_noise(rng, 128, 2, 64) * 0.6 + smooth_noise(rng, 128, 4, 16) * 0.4
    strength = rng.uniform(0.06, 0.14)
    return finish_image(_tint(0.90 + strength * streaks, (1.0, 0.985, 0.96)))


def fabric(rng: np.random.Generator) -> Texture:
    """Return a near-white weave, to be multiplied with a colour."""
    size, period = 64, int(rng.choice([4, 8]))
    y, x = np.mgrid[0:size, 0:size]
    weave = ((x // (period // 2) + y // (period // 2)) % 2).astype(np.float32)
    if rng.random() < 0.4:
        weave = ((x + y) % period < period // 2).astype(np.float32)
    return finish_image(_tint(0.88 + 0.08 * weave + 0.04 * _grain(rng, size), (1.0, 1.0, 1.0)))


def planks(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return wooden floor boards of staggered ends and shades."""
    size, rows = 256, int(rng.choice([8, 16]))
    height = size // rows
    shade = np.empty((size, size), dtype=np.float32)
    contrast = rng.uniform(0.05, 0.16)
    streaks = smooth_noise(rng, size, 4, 128)
    for row in range(rows):
        ends = np.sort(rng.choice(np.arange(0, size, 16), 2, replace=False))
        tones = rng.uniform(-1.0, 1.0, 2)
        line = np.full(size, tones[0], dtype=np.float32)
        line[ends[0] : ends[1]] = tones[1]
        line = 0.95 + contrast * line
        block = np.repeat(line[None], height, axis=0)
        block[:, ends] = 0.55
        block[-1] = 0.55
        shade[row * height : (row + 1) * height] = block
    return finish_image(_tint(shade + 0.05 * streaks, colour))


def parquet(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return squares of short boards, turned by a quarter from square to square."""
    size, squares = 128, 4
    edge = size // squares
    boards = int(rng.choice([4, 8]))
    tones = rng.uniform(-0.12, 0.12, (squares, squares, boards)).astype(np.float32)
    y, x = np.mgrid[0:size, 0:size]
    row, column = y // edge, x // edge
    turned = (row + column) % 2 == 0
    inside = np.where(turned, x % edge, y % edge)
    board = inside * boards // edge
    shade = 0.95 + tones[row, column, board]
    gap = (inside % (edge // boards) == 0) | (x % edge == 0) | (y % edge == 0)
    return finish_image(_tint(np.where(gap, 0.65, shade) + 0.04 * smooth_noise(rng, size, 64, 64), colour))


def tiles(rng: np.random.Generator, colour: Colour, second: Colour) -> Texture:
    """Return square tiles with joints; the tiles alternate between two colours."""
    size, count = 128, int(rng.choice([2, 4]))
    edge = size // count
    y, x = np.mgrid[0:size, 0:size]
    odd = ((x // edge + y // edge) % 2 == 1)[..., None]
    shade = 1.0 + rng.uniform(-0.06, 0.06, (count, count)).astype(np.float32)[y // edge, x // edge]
    image = np.where(odd, rgb_array(second), rgb_array(colour)) * shade[..., None]
    joint = (x % edge < 2) | (y % edge < 2)
    image = np.where(joint[..., None], np.float32(rng.uniform(0.45, 0.8)), image)
    return finish_image((image + 0.02 * smooth_noise(rng, size, 16, 16)[..., None]).astype(np.float32))


def bricks(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return courses of bricks or wall tiles in running bond."""
    size, courses = 128, 8
    height, width = size // courses, size // 4
    y, x = np.mgrid[0:size, 0:size]
    course = y // height
    shifted = (x + (course % 2) * (width // 2)) % size
    tone = rng.uniform(-0.14, 0.14, (courses, 4)).astype(np.float32)[course, shifted // width]
    joint = (shifted % width < 2) | (y % height < 2)
    image = _tint((0.95 + tone).astype(np.float32), colour)
    image = np.where(joint[..., None], np.float32(0.72), image) + 0.03 * _grain(rng, size)[..., None]
    return finish_image(image.astype(np.float32))


def terrazzo(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return a plain ground with chips of stone in several shades."""
    size = 128
    image = np.full((size, size, 3), colour, dtype=np.float32)
    for cells in (16, 32):
        field = smooth_noise(rng, size, cells, cells)
        shade = rng.uniform(-0.4, 0.2) + rng.uniform(-0.07, 0.07, 3)
        chip = np.float32(np.clip(np.array(colour) + shade, 0.05, 1.0))
        image = np.where((field > 0.55)[..., None], chip, image)
        image = np.where((field < -0.6)[..., None], np.float32(rng.uniform(0.3, 0.95)), image)
    return finish_image(image)


def carpet(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return a pile with fine noise and soft clouds."""
    size = 128
    shade = 0.93 + 0.10 * _grain(rng, size) + 0.07 * smooth_noise(rng, size, 8, 8)
    return finish_image(_tint(shade.astype(np.float32), colour))


def marble(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return stone with thin veins where smooth noise crosses zero."""
    size = 128
    field = smooth_noise(rng, size, 4, 4) + 0.5 * smooth_noise(rng, size, 8, 8)
    field += 0.25 * smooth_noise(rng, size, 16, 16)
    veins = np.exp(-((field / rng.uniform(0.04, 0.10)) ** 2))
    shade = 0.97 - rng.uniform(0.15, 0.40) * veins + 0.04 * smooth_noise(rng, size, 8, 8)
    return finish_image(_tint(shade.astype(np.float32), colour))


def plaster(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return a wall painted over uneven plaster."""
    shade = 0.98 + 0.007 * smooth_noise(rng, 64, 8, 8) + 0.01 * _grain(rng, 64)
    return finish_image(_tint(shade.astype(np.float32), colour))


def stripes(rng: np.random.Generator, colour: Colour, second: Colour) -> Texture:
    """Return wallpaper of upright stripes of random widths."""
    size = 128
    widths = rng.integers(2, 9, 8)
    edges = np.concatenate([[0], np.cumsum(widths)]) * size / widths.sum()
    band = np.searchsorted(edges, np.arange(size) + 0.5) - 1
    mix = np.where(band % 2 == 0, rng.uniform(0.0, 0.3), rng.uniform(0.6, 1.0)).astype(np.float32)
    line = rgb_array(colour) * (1.0 - mix[:, None]) + rgb_array(second) * mix[:, None]
    return finish_image((line[None] + 0.01 * _grain(rng, size)[..., None]).astype(np.float32))


def motifs(rng: np.random.Generator, colour: Colour, second: Colour) -> Texture:
    """Return wallpaper with staggered dots, diamonds, rings or petals."""
    size, count = 128, int(rng.choice([2, 4]))
    edge = size // count
    y, x = (np.mgrid[0:size, 0:size] + 0.5).astype(np.float32)
    row = y // edge
    u = ((x + (row % 2) * edge / 2) % edge) / edge * 2.0 - 1.0
    v = (y % edge) / edge * 2.0 - 1.0
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    kind = int(rng.integers(4))
    reach = rng.uniform(0.35, 0.65)
    shapes = (
        radius < reach * 0.8,
        np.abs(u) + np.abs(v) < reach,
        np.abs(radius - reach) < 0.12,
        radius < reach * (0.6 + 0.4 * np.cos(angle * int(rng.integers(3, 7)))),
    )
    mix = (shapes[kind] * rng.uniform(0.5, 1.0)).astype(np.float32)[..., None]
    return finish_image(rgb_array(colour) * (1.0 - mix) + rgb_array(second) * mix)


def lattice(rng: np.random.Generator, colour: Colour, second: Colour) -> Texture:
    """Return wallpaper of crossing diagonal or upright lines."""
    size, period = 128, int(rng.choice([16, 32, 64]))
    y, x = np.mgrid[0:size, 0:size]
    u, v = (x + y, x - y) if rng.random() < 0.6 else (x, y)
    width = int(rng.integers(2, max(3, period // 5)))
    mix = ((u % period < width) * 0.5 + (v % period < width) * 0.5).astype(np.float32)
    mix = mix[..., None] * np.float32(rng.uniform(0.5, 1.0))
    return finish_image(rgb_array(colour) * (1.0 - mix) + rgb_array(second) * mix)


def clouds(rng: np.random.Generator, colour: Colour, second: Colour) -> Texture:
    """Return wallpaper of large leaf-like patches in two tones."""
    size, cells = 128, int(rng.choice([8, 16]))
    field = smooth_noise(rng, size, cells, cells) + 0.4 * smooth_noise(rng, size, 2 * cells, 2 * cells)
    mix = np.clip(field * 6.0 - rng.uniform(0.0, 2.0), 0.0, 1.0)[..., None] * np.float32(rng.uniform(0.5, 1))
    return finish_image((rgb_array(colour) * (1.0 - mix) + rgb_array(second) * mix).astype(np.float32))


def window_view(rng: np.random.Generator) -> Texture:
    """Return a bright sky over hazy trees or roofs; row 0 is the bottom."""
    size = 64
    height = np.linspace(0.0, 1.0, size, dtype=np.float32)[:, None]
    low, high = rgb_array((0.93, 0.95, 0.96)), rgb_array((0.72, 0.85, 0.98))
    image = np.broadcast_to((low + (high - low) * height)[:, None], (size, size, 3)).copy()
    skyline = 0.22 + 0.14 * smooth_noise(rng, size, int(rng.choice([4, 16])), 4)[0]
    haze = rgb_array((0.62, 0.74, 0.58) if rng.random() < 0.6 else (0.74, 0.70, 0.68))
    return finish_image(np.where((height < skyline[None])[..., None], haze, image).astype(np.float32))


def books(rng: np.random.Generator, palette: list[Colour]) -> Texture:
    """Return a shelf of book spines of many widths, heights and colours; row 0 is the bottom."""
    size = 128
    image = np.full((size, size, 3), 0.10, dtype=np.float32)
    x = 0
    while x < size:
        width = int(rng.integers(5, 13))
        top = int(size * rng.uniform(0.84, 1.0))
        tone = rgb_array(palette[int(rng.integers(len(palette)))]) * np.float32(rng.uniform(0.7, 1.15))
        image[:top, x : x + width] = tone
        band = int(top * rng.uniform(0.15, 0.8))
        image[band : band + int(rng.integers(3, 10)), x : x + width] = tone * 0.6 + 0.3
        image[:top, x : x + 1] *= 0.5
        x += width
    return finish_image(image)
