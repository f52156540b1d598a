"""Procedural pictures for walls and patterns for rugs."""

import numpy as np
from jaxtyping import Float32

from backsight.sim.embedded.scenes.textures import Colour, Texture, finish_image, rgb_array, smooth_noise

_SIZE_PX = 64


def _ground(colour: Colour) -> Float32[np.ndarray, "_ _ 3"]:
    return np.full((_SIZE_PX, _SIZE_PX, 3), colour, dtype=np.float32)


def _other_colours(rng: np.random.Generator, count: int) -> Float32[np.ndarray, "_ 3"]:
    return rng.uniform(0.12, 0.9, (count, 3)).astype(np.float32)


def picture(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return a painting whose ground is `colour`: landscape, blocks, discs, flower or strokes."""
    painters = (_landscape, _blocks, _discs, _flower, _strokes)
    return finish_image(painters[int(rng.integers(len(painters)))](rng, colour))


def _landscape(rng: np.random.Generator, colour: Colour) -> Float32[np.ndarray, "_ _ 3"]:
    image = _ground(colour)
    height = np.arange(_SIZE_PX)[:, None] / _SIZE_PX
    for level, tone in zip((0.42, 0.24), _other_colours(rng, 2) * 0.7, strict=True):
        ridge = level + 0.10 * smooth_noise(rng, _SIZE_PX, 4, 4)[0]
        image = np.where((height < ridge[None])[..., None], tone, image)
    y, x = np.mgrid[0:_SIZE_PX, 0:_SIZE_PX]
    centre = rng.uniform(14, 50)
    sun = np.hypot(x - centre, y - 48) < rng.uniform(4, 8)
    return np.where(sun[..., None], rgb_array((0.93, 0.83, 0.55)), image).astype(np.float32)


def _blocks(rng: np.random.Generator, colour: Colour) -> Float32[np.ndarray, "_ _ 3"]:
    image = _ground(colour)
    for tone in _other_colours(rng, 4):
        x, y = rng.integers(0, 44, 2)
        width, height = rng.integers(8, 26, 2)
        image[y : y + height, x : x + width] = tone
    for line in rng.integers(6, 58, 3):
        image[line : line + 2] = 0.08
        image[:, 63 - line : 65 - line] = 0.08
    return image


def _discs(rng: np.random.Generator, colour: Colour) -> Float32[np.ndarray, "_ _ 3"]:
    image = _ground(colour)
    y, x = np.mgrid[0:_SIZE_PX, 0:_SIZE_PX]
    for tone in _other_colours(rng, 4):
        centre = rng.uniform(8, 56, 2)
        distance = np.hypot(x - centre[0], y - centre[1])
        radius = rng.uniform(5, 13)
        ring = (distance < radius) & (distance > radius * float(rng.choice([0.0, 0.5])))
        image = np.where(ring[..., None], tone, image)
    return image.astype(np.float32)


def _flower(rng: np.random.Generator, colour: Colour) -> Float32[np.ndarray, "_ _ 3"]:
    image = _ground(colour)
    y, x = np.mgrid[0:_SIZE_PX, 0:_SIZE_PX] - np.array([38, 32])[:, None, None]
    petals, heart = _other_colours(rng, 2)
    stem = (np.abs(x - 0.004 * y * y) < 2) & (y < 0)
    image = np.where(stem[..., None], rgb_array((0.22, 0.38, 0.20)), image)
    angle = np.arctan2(y, x) * int(rng.integers(5, 9))
    radius = np.hypot(x, y)
    image = np.where((radius < 13 + 5 * np.cos(angle))[..., None], petals, image)
    return np.where((radius < 5)[..., None], heart, image).astype(np.float32)


def _strokes(rng: np.random.Generator, colour: Colour) -> Float32[np.ndarray, "_ _ 3"]:
    image = _ground(colour)
    for tone in _other_colours(rng, 3):
        field = smooth_noise(rng, _SIZE_PX, 4, 8)
        image = np.where((np.abs(field - rng.uniform(-0.3, 0.3)) < 0.12)[..., None], tone, image)
    return image.astype(np.float32)


def rug(rng: np.random.Generator, colour: Colour, second: Colour) -> Texture:
    """Return a rug whose ground is `colour`: bordered, with a medallion, striped, chequered or zigzag."""
    image = _ground(colour)
    y, x = (np.mgrid[0:_SIZE_PX, 0:_SIZE_PX] + 0.5) / (_SIZE_PX / 2) - 1.0
    border = np.maximum(np.abs(x), np.abs(y))
    width = rng.uniform(0.05, 0.12)
    edge = (border > 1.0 - width) | ((border > 0.74 - width) & (border < 0.74))
    kind = int(rng.integers(5))
    figures = (
        edge,
        edge | (np.abs(np.hypot(x, y) - 0.4) < 0.09) | (np.hypot(x, y) < 0.14),
        (np.floor((y + 1.0) * int(rng.integers(4, 7))) % 2 == 0) & (np.abs(y % 0.33) < 0.14),
        (np.floor((x + 1) * 3) + np.floor((y + 1) * 3)) % 3 == 0,
        np.abs((y * 2.5 + np.abs((x * 2.5) % 1.0 - 0.5)) % 1.0 - 0.5) < 0.13,
    )
    image = np.where(figures[kind][..., None], rgb_array(second), image)
    shade = 1.0 + 0.04 * rng.uniform(-1.0, 1.0, (_SIZE_PX, _SIZE_PX, 1)).astype(np.float32)
    return finish_image((image * shade).astype(np.float32))
