"""How walls, floors and ceilings look: plain, papered, tiled, boarded."""

from dataclasses import dataclass

import numpy as np

from backsight.records.vocabulary import COLOURS
from backsight.sim.embedded.scenes import coverings, textures
from backsight.sim.embedded.scenes.coverings import Covering
from backsight.sim.embedded.scenes.finishes import Finishes
from backsight.sim.embedded.scenes.floor_plan import PlanRoom
from backsight.sim.embedded.scenes.scene_id import TextureChoice
from backsight.sim.embedded.scenes.textures import Colour

_WET = ("bathroom", "kitchen")
PUBLIC = ("open plan office", "meeting room", "classroom", "library", "shop", "warehouse", "gym")
"""Rooms of public buildings: mostly plain walls, hard floors, ceilings of tiles."""
_WOODS = ((0.55, 0.40, 0.27), (0.70, 0.56, 0.40), (0.42, 0.29, 0.20), (0.64, 0.58, 0.50), (0.78, 0.68, 0.54))
_TINTS = ("white", "beige", "yellow", "green", "teal", "blue", "pink", "grey", "orange", "purple")
_CARPETS = ("beige", "grey", "brown", "teal", "blue", "red", "green", "purple")
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
        self._choice: TextureChoice = choice
        self._rng = rng = finishes.rng
        self._ceiling = self._covered(Covering(textures.plaster(rng, (0.93, 0.92, 0.90)), 1.0))
        self._public_ceilings: dict[str, int] = {}
        if choice == "repetitive":
            ground = self._pale()
            self._shared_wall = self._covered(coverings.repetitive_wall(rng, ground, self._figure(ground, 0.6)))
            self._shared_floor = self._covered(coverings.repetitive_floor(rng, self._pale(), self._wood()))
        else:
            self._shared_wall = self._plain_wall()
            self._shared_floor = self._plain_floor() if choice == "plain" else self._floor("living room")

    def room(self, room: PlanRoom) -> RoomLook:
        """Choose the materials of one room."""
        rng = self._rng
        ceiling = self._ceiling_of(room.room_type)
        if self._choice == "plain":
            wall = self._shared_wall if rng.random() < 0.4 else self._plain_wall()
            floor = self._shared_floor if rng.random() < 0.5 else self._plain_floor()
            return RoomLook((wall, wall, wall, wall), floor, ceiling)
        if self._choice == "repetitive":
            wall = self._shared_wall
            return RoomLook((wall, wall, wall, wall), self._shared_floor, ceiling)
        if self._choice == "distinctive":
            first, second, third, fourth = (self._distinctive_wall() for _ in range(4))
            ground = self._pale()
            floor = self._covered(coverings.distinctive_floor(rng, ground, self._figure(ground, 0.8)))
            return RoomLook((first, second, third, fourth), floor, ceiling)
        return self._mixed(room, ceiling)

    def _mixed(self, room: PlanRoom, ceiling: int) -> RoomLook:
        rng, public = self._rng, room.room_type in PUBLIC
        kind = rng.random()
        plain = kind < (0.94 if public else 0.68)
        wall = self._shared_wall if kind < 0.2 else self._plain_wall() if plain else self._papered_wall()
        alike = room.room_type not in _WET and not public and rng.random() < 0.35
        floor = self._shared_floor if alike else self._floor(room.room_type)
        walls = [wall] * 4
        if plain and rng.random() < (0.12 if public else 0.35):
            walls[int(rng.integers(4))] = self._papered_wall()
        first, second, third, fourth = walls
        return RoomLook((first, second, third, fourth), floor, ceiling)

    def _covered(self, covering: Covering) -> int:
        builder = self._finishes.builder
        return builder.material(_WHITE, builder.texture(covering.image), covering.gloss, covering.metres_per_repeat)

    def _ceiling_of(self, room_type: str) -> int:
        if room_type not in PUBLIC or self._choice == "plain":
            return self._ceiling
        kind = "warehouse" if room_type == "warehouse" else "office"
        if kind not in self._public_ceilings:
            self._public_ceilings[kind] = self._covered(coverings.public_ceiling(self._rng, room_type))
        return self._public_ceilings[kind]

    def _pale(self) -> Colour:
        """Return a pale wall colour of a random tint."""
        rng = self._rng
        tint = np.array(COLOURS[_TINTS[int(rng.integers(len(_TINTS)))]]) / 255.0
        pale = np.clip(1.0 - (1.0 - tint) * rng.uniform(0.15, 0.45), 0.0, 0.96)
        return (float(pale[0]), float(pale[1]), float(pale[2]))

    def _wood(self) -> Colour:
        shade = self._rng.uniform(0.9, 1.15)
        red, green, blue = (float(value * shade) for value in _WOODS[int(self._rng.integers(len(_WOODS)))])
        return (red, green, blue)

    def _figure(self, ground: Colour, share: float) -> Colour:
        """Return a named colour mixed into a ground."""
        names = list(COLOURS)
        second = self._finishes.jitter(names[int(self._rng.integers(len(names)))])
        mixed = tuple((1.0 - share) * a + share * b for a, b in zip(ground, second, strict=True))
        return (mixed[0], mixed[1], mixed[2])

    def _plain_wall(self) -> int:
        ground = self._pale()
        if self._choice == "plain" or self._rng.random() < 0.5:
            return self._finishes.builder.material(ground)
        return self._covered(Covering(textures.plaster(self._rng, ground), 1.5))

    def _papered_wall(self) -> int:
        """Return wallpaper or bricks."""
        rng = self._rng
        ground = self._pale()
        figure = self._figure(ground, 0.55)
        kind = int(rng.integers(6))
        if kind == 5:
            return self._covered(Covering(textures.bricks(rng, figure), rng.uniform(0.8, 1.0)))
        makers = (textures.stripes, textures.motifs, textures.lattice, textures.clouds, textures.motifs)
        return self._covered(Covering(makers[kind](rng, ground, figure), rng.uniform(0.7, 1.6)))

    def _distinctive_wall(self) -> int:
        ground = self._pale()
        return self._covered(coverings.distinctive_wall(self._rng, ground, self._figure(ground, 0.85)))

    def _plain_floor(self) -> int:
        """Return one of a wood's, a stone's or a carpet's colours without any figure."""
        grounds = (self._wood(), self._pale(), (0.52, 0.52, 0.51))
        return self._finishes.builder.material(grounds[int(self._rng.integers(3))], -1, 0.1)

    def _floor(self, room_type: str) -> int:
        rng, wood, stone = self._rng, self._wood(), self._pale()
        carpet = self._finishes.jitter(_CARPETS[int(rng.integers(len(_CARPETS)))])
        if room_type in PUBLIC:
            return self._covered(coverings.public_floor(rng, room_type, carpet, wood))
        kind = int(rng.choice([3, 3, 4, 5] if room_type in _WET else [0, 0, 1, 6, 2, 2, 4, 5, 3]))
        if kind == 0:
            return self._covered(Covering(textures.planks(rng, wood), rng.uniform(1.4, 2.0), 0.2))
        if kind == 1:
            return self._covered(Covering(textures.parquet(rng, wood), rng.uniform(1.2, 1.8), 0.2))
        if kind == 2:
            return self._covered(Covering(textures.carpet(rng, carpet), 0.9))
        if kind == 3:
            dark = rng.uniform(0.45, 1.0)
            second = (stone[0] * dark, stone[1] * dark, stone[2] * dark)
            return self._covered(Covering(textures.tiles(rng, stone, second), 1.2, 0.2))
        if kind == 4:
            return self._covered(Covering(textures.terrazzo(rng, stone), rng.uniform(0.8, 1.2), 0.2))
        if kind == 5:
            return self._covered(Covering(textures.marble(rng, stone), rng.uniform(1.5, 2.5), 0.2))
        return self._covered(Covering(coverings.herringbone(rng, wood), rng.uniform(1.2, 1.8), 0.2))
