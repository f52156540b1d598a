"""Coverings of floors, walls and ceilings: those of halls and offices, very repetitive ones and unmistakable ones."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from backsight.sim.embedded.scenes import textures
from backsight.sim.embedded.scenes.textures import Colour, Texture, finish_image, rgb_array, smooth_noise


@dataclass(frozen=True)
class Covering:
    """A texture with its scale and shine."""

    image: Texture
    metres_per_repeat: float
    gloss: float = 0.0


def _shaded(shade: Float32[np.ndarray, "_ _"], colour: Colour) -> Texture:
    return finish_image((shade[..., None] * rgb_array(colour)).astype(np.float32))


def _grain(rng: np.random.Generator, size_px: int) -> Float32[np.ndarray, "_ _"]:
    return rng.random((size_px, size_px), dtype=np.float32) * 2.0 - 1.0


def concrete(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return a cast floor with stains, fine pores and one joint each way."""
    size = 256
    stains = smooth_noise(rng, size, 4, 4) * 0.6 + smooth_noise(rng, size, 16, 16) * 0.4
    shade = 0.93 + 0.07 * stains + 0.025 * _grain(rng, size)
    shade[:2] = 0.62
    shade[:, :2] = 0.62
    crack = np.cumsum(rng.integers(-1, 2, size)) + int(rng.integers(size))
    shade[np.arange(size), crack % size] *= 0.82
    return _shaded(shade.astype(np.float32), colour)


def vinyl(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return a sheet floor with small flecks, lighter and darker."""
    size = 128
    fleck = smooth_noise(rng, size, 64, 64)
    shade = 0.95 + 0.09 * (fleck > 0.6) - 0.12 * (fleck < -0.6) + 0.03 * smooth_noise(rng, size, 4, 4)
    return _shaded(shade.astype(np.float32), colour)


def rubber(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return interlocking dark mats of a gym with flecks of a colour; their joints are wavy."""
    size = 128
    image = np.full((size, size, 3), 0.17, dtype=np.float32) + 0.03 * _grain(rng, size)[..., None]
    image = np.where((smooth_noise(rng, size, 64, 64) > 0.72)[..., None], rgb_array(colour), image)
    along = np.arange(size)
    wave = np.where(along // 8 % 2 == 0, 0, 4)
    for shift in (0, 1):
        image[along, (wave + shift) % size] = 0.07
        image[(wave + shift) % size, along] = 0.07
    return finish_image(image)


def court(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return the floor of a sports hall: pale boards with bands, arcs and circles of several colours."""
    size = 256
    rows = smooth_noise(rng, size, 8, 64)
    image = (0.92 + 0.06 * rows)[..., None] * rgb_array((0.80, 0.64, 0.44))
    image[:: size // 32] *= 0.86
    lines = np.ascontiguousarray((np.clip(image, 0, 1) * 255).astype(np.uint8))
    for number in range(4):
        tone = rgb_array(colour) if number == 0 else rng.uniform(0.1, 0.95, 3)
        red, green, blue = (int(255 * value) for value in tone)
        x, y = (int(value) for value in rng.integers(20, 236, 2))
        kind = number % 3
        if kind == 0:
            cv2.line(lines, (x, 0), (x, size - 1), (red, green, blue), 4)
            cv2.line(lines, (0, y), (size - 1, y), (red, green, blue), 4)
        elif kind == 1:
            cv2.circle(lines, (128, y), int(rng.integers(24, 60)), (red, green, blue), 4)
        else:
            cv2.rectangle(lines, (x // 2, y // 2), (x // 2 + 90, y // 2 + 60), (red, green, blue), 4)
    return lines


def carpet_tiles(rng: np.random.Generator, colour: Colour, second: Colour) -> Texture:
    """Return squares of ribbed carpet, turned by a quarter from square to square; some have the second colour."""
    size, edge = 128, 32
    y, x = np.mgrid[0:size, 0:size]
    row, column = y // edge, x // edge
    ribs = np.where((row + column) % 2 == 0, x, y) % 4 < 2
    shade = 0.93 + 0.06 * ribs + 0.06 * _grain(rng, size)
    shade = np.where((x % edge == 0) | (y % edge == 0), shade * 0.9, shade)
    picked = rng.random((4, 4)) < rng.choice([0.0, 0.25, 0.5])
    ground = np.where(picked[row, column][..., None], rgb_array(second), rgb_array(colour))
    return finish_image((shade[..., None] * ground).astype(np.float32))


def herringbone(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return boards four times as long as wide, laid at right angles to one another."""
    size, width, long = 128, int(rng.choice([8, 16])), 4
    cells = size // width
    y, x = np.mgrid[0:size, 0:size]
    i, j = x // width, y // width
    k = (i - j) % (2 * long)
    level = k < long
    tones = rng.uniform(-0.13, 0.13, (2, cells, cells)).astype(np.float32)
    start_i, start_j = (i - k) % cells, (j - (2 * long - 1 - k)) % cells
    tone = np.where(level, tones[0, j % cells, start_i], tones[1, start_j, i % cells])
    ends = np.where(level, (k == 0) & (x % width == 0), (k == 2 * long - 1) & (y % width == 0))
    gap = ends | np.where(level, y % width == 0, x % width == 0)
    return _shaded(np.where(gap, 0.62, 0.95 + tone).astype(np.float32), colour)


def corrugated(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return upright corrugations of sheet metal with rows of screws."""
    size, waves = 128, int(rng.choice([8, 16]))
    y, x = np.mgrid[0:size, 0:size]
    phase = x * waves / size * 2 * np.pi
    shade = 0.84 + 0.16 * np.cos(phase) + 0.02 * smooth_noise(rng, size, 4, 16)
    pitch = size // waves
    screw = (np.abs(x % (2 * pitch) - 1) < 2) & (np.abs(y % 64 - 8) < 2)
    return _shaded(np.where(screw, 0.45, shade).astype(np.float32), colour)


def ceiling_tiles(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return square tiles with small holes in a grid of rails."""
    size, edge = 128, 64
    y, x = np.mgrid[0:size, 0:size]
    hole = (x % 8 < 2) & (y % 8 < 2)
    rail = (x % edge < 3) | (y % edge < 3)
    tone = rng.uniform(-0.02, 0.02, (2, 2)).astype(np.float32)[y // edge, x // edge]
    shade = np.where(rail, 0.99, np.where(hole, 0.7, 0.94 + tone))
    return _shaded(shade.astype(np.float32), colour)


def slats(rng: np.random.Generator, colour: Colour) -> Texture:
    """Return narrow upright slats of wood with dark gaps."""
    size, count = 128, int(rng.choice([8, 16]))
    edge = size // count
    x = np.arange(size)
    tone = rng.uniform(-0.08, 0.08, count).astype(np.float32)[x // edge]
    line = np.where(x % edge < max(2, edge // 4), 0.3, 0.94 + tone)
    shade = line[None] + 0.04 * smooth_noise(rng, size, 64, 4)
    return _shaded(shade.astype(np.float32), colour)


def mosaic(rng: np.random.Generator, colour: Colour, second: Colour) -> Texture:
    """Return small square stones in patches of four tones that never come twice alike."""
    size, edge = 256, 8
    cells = size // edge
    tones = np.stack([rgb_array(colour), rgb_array(second), *rng.uniform(0.15, 0.9, (2, 3))]).astype(np.float32)
    field = smooth_noise(rng, cells, 4, 4) + 0.35 * smooth_noise(rng, cells, 16, 16)
    chosen = np.digitize(field, [-0.35, 0.05, 0.45])
    jitter = rng.uniform(0.86, 1.1, (cells, cells, 1)).astype(np.float32)
    image = np.repeat(np.repeat(tones[chosen] * jitter, edge, axis=0), edge, axis=1)
    y, x = np.mgrid[0:size, 0:size]
    joint = (x % edge == 0) | (y % edge == 0)
    return finish_image(np.where(joint[..., None], np.float32(0.78), image).astype(np.float32))


def patchwork(rng: np.random.Generator, colour: Colour, second: Colour) -> Texture:
    """Return sixteen squares, each with a figure, colours and turn of its own."""
    size, edge = 256, 64
    image = np.zeros((size, size, 3), dtype=np.float32)
    y, x = (np.mgrid[0:edge, 0:edge] + 0.5) / (edge / 2) - 1.0
    figures = (
        np.hypot(x, y) < 0.6,
        np.abs(x) + np.abs(y) < 0.8,
        np.abs(np.hypot(x + 1, y + 1) - 1.0) < 0.3,
        x > y,
        np.floor((x + 1) * 2.5) % 2 == 0,
        (np.abs(x) < 0.25) | (np.abs(y) < 0.25),
    )
    for row in range(4):
        for column in range(4):
            ground = rgb_array(colour) * np.float32(rng.uniform(0.75, 1.1))
            tone = rgb_array(second) if rng.random() < 0.5 else rng.uniform(0.1, 0.95, 3).astype(np.float32)
            figure = np.rot90(figures[int(rng.integers(len(figures)))], int(rng.integers(4)))
            patch = np.where(figure[..., None], tone, ground)
            patch[:2] = patch[:, :2] = 0.25
            image[row * edge : (row + 1) * edge, column * edge : (column + 1) * edge] = patch
    return finish_image(image)


def mural(rng: np.random.Generator, colour: Colour, second: Colour) -> Texture:
    """Return a painted wall: hills, discs, leaves and slanting beams in many colours; row 0 is the bottom."""
    size = 256
    image = np.broadcast_to(rgb_array(colour), (size, size, 3)).copy()
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    for level in (0.62, 0.42, 0.22):
        tone = rgb_array(second) if level == 0.42 else rng.uniform(0.15, 0.9, 3).astype(np.float32)
        ridge = size * (level + 0.12 * smooth_noise(rng, size, 4, 4)[0])
        image = np.where((y < ridge[None])[..., None], tone, image)
    for _ in range(7):
        tone = rng.uniform(0.1, 0.95, 3).astype(np.float32)
        at_x, at_y = rng.uniform(20, size - 20, 2)
        reach, turn = rng.uniform(10, 30), rng.uniform(0, np.pi)
        u = (x - at_x) * np.cos(turn) + (y - at_y) * np.sin(turn)
        v = (y - at_y) * np.cos(turn) - (x - at_x) * np.sin(turn)
        kind = int(rng.integers(4))
        shape = (
            np.hypot(u, v) < reach,
            (np.abs(u) < reach * 1.6) & (np.abs(v) < 0.4 * reach * (1.0 - (u / (1.6 * reach)) ** 2)),
            np.abs(np.hypot(u, v) - reach) < reach * 0.25,
            (np.abs(v) < 4) & (np.abs(u) < 3 * reach),
        )[kind]
        image = np.where(shape[..., None], tone, image)
    return finish_image(image.astype(np.float32))


def repetitive_wall(rng: np.random.Generator, ground: Colour, figure: Colour) -> Covering:
    """Return a wall whose pattern comes again every few decimetres: the same from everywhere.

    Args:
        rng: draws which.
        ground: main colour.
        figure: colour of stripes, lines and second tiles.
    """
    kind = int(rng.integers(6))
    if kind == 0:
        return Covering(textures.tiles(rng, ground, figure), 0.6, 0.2)
    if kind == 1:
        return Covering(textures.bricks(rng, figure), 0.9)
    if kind == 2:
        return Covering(corrugated(rng, ground), 1.2, 0.25)
    if kind == 3:
        return Covering(slats(rng, figure), 0.8, 0.05)
    maker = textures.stripes if kind == 4 else textures.lattice
    return Covering(maker(rng, ground, figure), 0.5)


def repetitive_floor(rng: np.random.Generator, stone: Colour, wood: Colour) -> Covering:
    """Return tiles, herringbone, parquet or carpet tiles that look the same everywhere.

    Args:
        rng: draws which.
        stone: colour of tiles and carpets.
        wood: colour of boards.
    """
    red, green, blue = (0.6 * value for value in stone)
    kind = int(rng.integers(4))
    if kind == 0:
        return Covering(textures.tiles(rng, stone, (red, green, blue)), 1.2, 0.2)
    if kind == 1:
        return Covering(herringbone(rng, wood), 1.2, 0.15)
    if kind == 2:
        return Covering(textures.parquet(rng, wood), 1.2, 0.15)
    return Covering(carpet_tiles(rng, (red, green, blue), (red, green, blue)), 2.0)


def distinctive_wall(rng: np.random.Generator, ground: Colour, figure: Colour) -> Covering:
    """Return a wall that is unlike itself over metres: a mural, a mosaic, a patchwork or large leaves.

    Args:
        rng: draws which.
        ground: main colour.
        figure: second colour.
    """
    maker = (mural, mural, mosaic, patchwork, textures.clouds)[int(rng.integers(5))]
    return Covering(maker(rng, ground, figure), rng.uniform(2.6, 4.0))


def distinctive_floor(rng: np.random.Generator, ground: Colour, figure: Colour) -> Covering:
    """Return a floor that is unlike itself over metres: a mosaic, a patchwork, or a sports hall's lines.

    Args:
        rng: draws which.
        ground: main colour.
        figure: second colour.
    """
    kind = int(rng.integers(3))
    if kind == 2:
        return Covering(court(rng, figure), rng.uniform(5.0, 7.0), 0.2)
    return Covering((mosaic, patchwork)[kind](rng, ground, figure), rng.uniform(2.5, 3.5), 0.15)


def public_floor(rng: np.random.Generator, room_type: str, colour: Colour, wood: Colour) -> Covering:
    """Return a floor as public buildings have it.

    Args:
        rng: draws which.
        room_type: 'warehouse' gets concrete, 'gym' rubber, sheet or a court, others carpet, sheet, boards or stone.
        colour: of carpets, sheets and flecks.
        wood: of boards.
    """
    grey = float(rng.uniform(0.44, 0.6))
    stone = (grey, grey, grey * 0.98)
    if room_type == "warehouse":
        return Covering(concrete(rng, stone), rng.uniform(3.0, 4.0), 0.15)
    if room_type == "gym":
        kind = int(rng.integers(3))
        if kind == 0:
            return Covering(rubber(rng, colour), 1.0)
        return Covering(vinyl(rng, colour), 1.0, 0.2) if kind == 1 else Covering(court(rng, colour), 6.0, 0.2)
    kinds = {"shop": (1, 3, 4), "library": (0, 2, 2), "classroom": (1, 1, 2)}.get(room_type, (0, 0, 1))
    kind = int(rng.choice(kinds))
    if kind == 0:
        red, green, blue = (0.75 * value for value in colour)
        return Covering(carpet_tiles(rng, (red, green, blue), stone), 2.0)
    if kind == 1:
        return Covering(vinyl(rng, colour), 1.0, 0.2)
    if kind == 2:
        return Covering(herringbone(rng, wood), rng.uniform(1.2, 1.8), 0.2)
    if kind == 3:
        return Covering(textures.tiles(rng, stone, stone), 1.2, 0.25)
    return Covering(textures.terrazzo(rng, stone), 1.0, 0.25)


def public_ceiling(rng: np.random.Generator, room_type: str) -> Covering:
    """Return a ceiling as public buildings have it: sheet metal in a warehouse, tiles in a grid elsewhere.

    Args:
        rng: draws colours.
        room_type: of the room below.
    """
    if room_type == "warehouse":
        light = float(rng.uniform(0.6, 0.8))
        return Covering(corrugated(rng, (light, light, light)), 1.6, 0.2)
    return Covering(ceiling_tiles(rng, (0.94, 0.94, 0.92)), 1.2)
