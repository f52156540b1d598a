"""How walls and floors look: plain, papered, tiled, boarded."""

from dataclasses import dataclass

import numpy as np

from backsight.records.vocabulary import COLOURS
from backsight.sim.embedded.scenes import textures
from backsight.sim.embedded.scenes.finishes import Finishes
from backsight.sim.embedded.scenes.floor_plan import PlanRoom
from backsight.sim.embedded.scenes.scene_id import TextureChoice
from backsight.sim.embedded.scenes.textures import Colour

_WET = ("bathroom", "kitchen")
_SOBER = ("open plan office", "meeting room", "classroom", "library", "shop", "warehouse", "gym")
"""Rooms of public buildings: mostly plain walls and hard floors."""
_WOODS = ((0.55, 0.40, 0.27), (0.70, 0.56, 0.40), (0.42, 0.29, 0.20), (0.64, 0.58, 0.50), (0.78, 0.68, 0.54))
_TINTS = ("white", "beige", "yellow", "green", "teal", "blue", "pink", "grey", "orange", "purple")
_WHITE = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class RoomLook:
    """Materials of one room's surfaces."""

    walls: tuple[int, int, int, int]
    """Per side."""
    floor: int
    ceiling: int


class Looks:
    """Chooses the surfaces of a scene's rooms, some of them alike.

    Args:
        finishes: materials and random draws of the scene.
        choice: which textures.
    """

    def __init__(self, finishes: Finishes, choice: TextureChoice) -> None:
        self._finishes = finishes
        self._choice = choice
        rng, builder = finishes.rng, finishes.builder
        self._ceiling = builder.material((0.93, 0.92, 0.90), builder.texture(textures.plaster(rng, _WHITE)))
        if choice == "repetitive":
            self._shared_wall, self._shared_floor = self._repeated_wall(), self._repeated_floor()
        else:
            self._shared_wall = self._plain_wall()
            self._shared_floor = self._plain_floor() if choice == "plain" else self._floor("living room")

    def room(self, room: PlanRoom) -> RoomLook:
        """Choose the materials of one room."""
        rng = self._finishes.rng
        if self._choice == "plain":
            wall = self._shared_wall if rng.random() < 0.4 else self._plain_wall()
            floor = self._shared_floor if rng.random() < 0.5 else self._plain_floor()
            return RoomLook((wall, wall, wall, wall), floor, self._ceiling)
        if self._choice == "repetitive":
            wall = self._shared_wall
            return RoomLook((wall, wall, wall, wall), self._shared_floor, self._ceiling)
        if self._choice == "distinctive":
            first, second, third, fourth = (self._papered_wall(1.6) for _ in range(4))
            return RoomLook((first, second, third, fourth), self._floor(room.room_type), self._ceiling)
        return self._mixed(room)

    def _mixed(self, room: PlanRoom) -> RoomLook:
        rng = self._finishes.rng
        kind = rng.random()
        plain = kind < (0.9 if room.room_type in _SOBER else 0.42)
        wall = self._shared_wall if kind < 0.2 else self._plain_wall() if plain else self._papered_wall()
        alike = room.room_type not in _WET and room.room_type not in _SOBER and rng.random() < 0.35
        floor = self._shared_floor if alike else self._floor(room.room_type)
        walls = [wall] * 4
        if plain and rng.random() < (0.12 if room.room_type in _SOBER else 0.35):
            walls[int(rng.integers(4))] = self._papered_wall()
        first, second, third, fourth = walls
        return RoomLook((first, second, third, fourth), floor, self._ceiling)

    def _textured(self, image: textures.Texture, gloss: float, metres: float) -> int:
        builder = self._finishes.builder
        return builder.material(_WHITE, builder.texture(image), gloss, metres)

    def _pale(self) -> Colour:
        """Return a pale wall colour of a random tint."""
        rng = self._finishes.rng
        tint = np.array(COLOURS[_TINTS[int(rng.integers(len(_TINTS)))]]) / 255.0
        pale = np.clip(1.0 - (1.0 - tint) * rng.uniform(0.15, 0.45), 0.0, 0.96)
        return (float(pale[0]), float(pale[1]), float(pale[2]))

    def _figure(self, ground: Colour, share: float) -> Colour:
        names = list(COLOURS)
        second = self._finishes.jitter(names[int(self._finishes.rng.integers(len(names)))])
        mixed = tuple((1.0 - share) * a + share * b for a, b in zip(ground, second, strict=True))
        return (mixed[0], mixed[1], mixed[2])

    def _plain_wall(self) -> int:
        rng, builder = self._finishes.rng, self._finishes.builder
        ground = self._pale()
        if self._choice == "plain" or rng.random() < 0.5:
            return builder.material(ground)
        return self._textured(textures.plaster(rng, ground), 0.0, 1.5)

    def _papered_wall(self, enlarged: float = 1.0) -> int:
        """Return wallpaper or bricks; `enlarged` makes figures larger and their colours stronger."""
        rng = self._finishes.rng
        ground = self._pale()
        figure = self._figure(ground, 0.55 if enlarged == 1.0 else 0.85)
        kind = int(rng.integers(6))
        if kind == 5:
            return self._textured(textures.bricks(rng, figure), 0.0, rng.uniform(0.8, 1.0))
        makers = (textures.stripes, textures.motifs, textures.lattice, textures.clouds, textures.motifs)
        return self._textured(makers[kind](rng, ground, figure), 0.0, rng.uniform(0.7, 1.6) * enlarged)

    def _repeated_wall(self) -> int:
        """Return small tiles, bricks, stripes or a lattice, to be used on every wall."""
        rng = self._finishes.rng
        ground = self._pale()
        figure = self._figure(ground, 0.6)
        kind = int(rng.integers(4))
        if kind == 0:
            return self._textured(textures.tiles(rng, ground, figure), 0.2, 0.6)
        if kind == 1:
            return self._textured(textures.bricks(rng, figure), 0.0, 0.9)
        maker = textures.stripes if kind == 2 else textures.lattice
        return self._textured(maker(rng, ground, figure), 0.0, 0.5)

    def _repeated_floor(self) -> int:
        rng = self._finishes.rng
        stone = self._pale()
        if rng.random() < 0.5:
            return self._textured(textures.tiles(rng, stone, self._figure(stone, 0.7)), 0.2, 1.2)
        return self._textured(textures.parquet(rng, _WOODS[int(rng.integers(len(_WOODS)))]), 0.15, 1.2)

    def _plain_floor(self) -> int:
        """Return one of a wood's, a stone's or a carpet's colours without any figure."""
        rng, builder = self._finishes.rng, self._finishes.builder
        grounds = (_WOODS[int(rng.integers(len(_WOODS)))], self._pale(), (0.52, 0.52, 0.51))
        return builder.material(grounds[int(rng.integers(3))], -1, 0.1)

    def _floor(self, room_type: str) -> int:
        rng, finishes = self._finishes.rng, self._finishes
        red, green, blue = (float(v) for v in np.array(_WOODS[int(rng.integers(5))]) * rng.uniform(0.9, 1.15))
        wood, stone = (red, green, blue), self._pale()
        kinds = [0, 0, 1, 2, 2, 4, 5, 3]
        if room_type in _WET:
            kinds = [3, 3, 4, 5]
        elif room_type in _SOBER:
            kinds = [6] if room_type == "warehouse" else [0, 1, 2, 2, 4, 6, 3]
        kind = int(rng.choice(kinds))
        if kind == 0:
            return self._textured(textures.planks(rng, wood), 0.2, rng.uniform(1.4, 2.0))
        if kind == 1:
            return self._textured(textures.parquet(rng, wood), 0.2, rng.uniform(1.2, 1.8))
        if kind == 2:
            names = ("beige", "grey", "brown", "teal", "blue", "red", "green", "purple")
            return self._textured(textures.carpet(rng, finishes.jitter(names[int(rng.integers(8))])), 0.0, 0.9)
        if kind == 3:
            dark = rng.uniform(0.45, 1.0)
            return self._textured(
                textures.tiles(rng, stone, (stone[0] * dark, stone[1] * dark, stone[2] * dark)), 0.2, 1.2
            )
        if kind == 4:
            return self._textured(textures.terrazzo(rng, stone), 0.2, rng.uniform(0.8, 1.2))
        if kind == 5:
            return self._textured(textures.marble(rng, stone), 0.2, rng.uniform(1.5, 2.5))
        grey = rng.uniform(0.42, 0.62)
        return self._textured(textures.plaster(rng, (grey, grey, grey * 0.98)), 0.1, 2.5)
