"""Named colours and surface finishes of one flat: what furniture is painted with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from backsight.records.vocabulary import COLOURS
from backsight.sim.embedded.scenes import textures
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.textures import Colour

Finish = Literal["plain", "wood", "fabric", "cloth", "gloss"]
"""'cloth' is the weave of 'fabric', three times as fine: for small soft things."""

SHADE_GLOW = 0.4
"""`Material.glow` of lampshades in a named colour, which has to stay that colour."""

_UPHOLSTERY = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "brown", "beige", "grey", "black")
_JOINERY = ("brown", "brown", "beige", "white", "grey", "black", "teal", "green", "blue", "red", "orange", "yellow")
_CERAMICS = ("white", "white", "white", "beige", "pink", "teal", "grey", "blue", "green")
_ORNAMENTS = tuple(COLOURS)
_BRIGHT = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "black", "grey")
_SOFT = (*_UPHOLSTERY, "white")

CATEGORY_COLOURS: dict[str, tuple[str, ...]] = {
    "chair": _JOINERY,
    "table": _JOINERY,
    "sofa": _UPHOLSTERY,
    "armchair": _UPHOLSTERY,
    "bed": (*_UPHOLSTERY, "white"),
    "wardrobe": _JOINERY,
    "cabinet": _JOINERY,
    "bookshelf": _JOINERY,
    "desk": _JOINERY,
    "lamp": ("white", "beige", "yellow", "orange", "red", "teal", "pink", "grey", "green", "blue"),
    "plant": ("green", "green", "green", "green", "teal", "purple", "red", "yellow"),
    "television": ("black",),
    "fridge": ("white", "grey", "red", "teal", "black", "beige", "blue"),
    "stove": ("white", "grey", "black", "beige", "red", "green"),
    "sink": _CERAMICS,
    "toilet": _CERAMICS,
    "bathtub": _CERAMICS,
    "rug": _UPHOLSTERY,
    "picture": _ORNAMENTS,
    "vase": _ORNAMENTS,
    "box": ("brown", "beige", "red", "blue", "green", "yellow", "purple", "grey", "white", "teal", "orange"),
    "bin": ("grey", "black", "white", "red", "blue", "green", "teal", "yellow", "pink"),
    "monitor": ("black",),
    "laptop": ("grey", "black", "white", "pink", "blue"),
    "keyboard": ("black", "white", "grey"),
    "printer": ("white", "grey", "black", "beige"),
    "whiteboard": ("white",),
    "projector screen": ("white",),
    "lectern": _JOINERY,
    "globe": ("blue", "teal", "beige", "brown"),
    "clock": ("white", "beige", "black", "red", "blue", "yellow"),
    "backpack": _BRIGHT,
    "cup": _ORNAMENTS,
    "bowl": _ORNAMENTS,
    "plate": ("white", "white", "blue", "beige", "green", "red", "yellow", "teal"),
    "bottle": ("green", "brown", "blue", "red", "yellow", "white", "teal", "orange"),
    "pot": ("grey", "black", "red", "blue", "green", "white", "orange"),
    "kettle": ("grey", "black", "white", "red", "teal", "yellow"),
    "tray": _JOINERY,
    "candle": ("white", "beige", "red", "orange", "purple", "green", "pink"),
    "microwave": ("white", "grey", "black", "red"),
    "toaster": ("grey", "white", "black", "red", "teal", "yellow"),
    "dishwasher": ("white", "grey", "black"),
    "washing machine": ("white", "grey", "beige"),
    "range hood": ("grey", "white", "black"),
    "radiator": ("white", "white", "grey", "beige", "black"),
    "fan": ("white", "grey", "black", "teal", "red"),
    "stool": _JOINERY,
    "bench": _JOINERY,
    "counter": _JOINERY,
    "basket": ("brown", "beige", "white", "grey", "red", "green", "blue", "orange"),
    "mirror": ("brown", "black", "white", "yellow", "grey"),
    "towel": _SOFT,
    "shower": ("white", "beige", "grey", "blue", "teal"),
    "cushion": _SOFT,
    "curtain": _SOFT,
    "coat rack": ("brown", "black", "white", "grey", "red"),
    "fireplace": ("white", "grey", "brown", "red", "black", "beige"),
    "teddy bear": ("brown", "brown", "beige", "white", "pink", "grey", "blue"),
    "piano": ("black", "black", "brown", "white", "red"),
    "guitar": ("brown", "orange", "red", "black", "blue", "beige"),
    "book": _ORNAMENTS,
    "rack": ("grey", "blue", "orange", "white", "black", "green", "red", "yellow"),
    "pallet": ("brown", "beige", "blue", "grey"),
    "crate": ("brown", "beige", "blue", "green", "red", "yellow", "grey", "black"),
    "barrel": ("blue", "blue", "red", "green", "brown", "yellow", "grey", "black", "white"),
    "ladder": ("grey", "yellow", "orange", "brown", "red", "blue"),
    "trolley": ("grey", "blue", "red", "orange", "green", "white", "black"),
    "shopping cart": ("grey", "red", "blue", "green", "yellow"),
    "cash register": ("grey", "black", "white", "beige"),
    "sign": ("yellow", "red", "blue", "green", "white", "orange"),
    "cone": ("orange", "orange", "red", "yellow"),
    "fire extinguisher": ("red",),
    "treadmill": ("black", "grey", "red", "white"),
    "exercise bike": ("black", "red", "white", "blue", "yellow", "grey"),
    "dumbbell": ("black", "grey", "blue", "red", "pink", "purple", "green", "yellow"),
    "exercise ball": _BRIGHT,
    "mat": _BRIGHT,
    "weight bench": ("black", "red", "blue", "grey", "brown"),
    "punching bag": ("black", "red", "brown", "blue"),
    "locker": ("grey", "blue", "green", "red", "yellow", "beige", "orange", "teal"),
}
"""What things are commonly painted; a repeated name is more likely."""

_NAMES = tuple(COLOURS)
_VALUES = np.array(list(COLOURS.values())) / 255.0
_ACCENT_SHARE = 0.62


def nearest_colour_name(colour: Colour) -> str:
    """Return the named colour nearest to an sRGB colour in [0, 1]."""
    return _NAMES[int(np.argmin(((_VALUES - np.array(colour)) ** 2).sum(axis=1)))]


@dataclass(frozen=True)
class Paint:
    """A named colour as it came out for one object."""

    name: str
    colour: Colour


class Finishes:
    """Paints and materials of one flat; `enter_room` changes the colours that repeat."""

    def __init__(self, builder: MeshBuilder, rng: np.random.Generator) -> None:
        self.builder = builder
        self.rng = rng
        self._wood = [builder.texture(textures.wood_grain(rng)) for _ in range(2)]
        self._fabric = [builder.texture(textures.fabric(rng)) for _ in range(2)]
        self._books: int | None = None
        self._prints: dict[str, list[int]] = {}
        self._accents: tuple[str, ...] = _NAMES
        self.timber = self._timber()
        self.metal = builder.material(_grey(rng.uniform(0.45, 0.7)), gloss=0.6)
        self.dark = builder.material(_grey(rng.uniform(0.10, 0.2)), gloss=0.15)
        self.white = builder.material((0.9, 0.89, 0.86), gloss=0.1)
        self.brass = builder.material((0.68, 0.56, 0.32), gloss=0.5)
        self.glass = builder.material((0.72, 0.80, 0.84), gloss=0.9)

    def enter_room(self) -> None:
        """Choose the few colours that repeat among the things of the next room."""
        self._accents = tuple(self.rng.choice(_NAMES, 4, replace=False).tolist())

    def paint(self, category: str) -> Paint:
        """Choose a named colour that suits a category, often one that the room already has."""
        options = CATEGORY_COLOURS[category]
        shared = [name for name in self._accents if name in options]
        if shared and self.rng.random() < _ACCENT_SHARE:
            options = shared
        name = options[int(self.rng.integers(len(options)))]
        return Paint(name, self.jitter(name))

    def jitter(self, name: str) -> Colour:
        """Return a named colour with its lightness and hue moved a little, still nearest to its own name."""
        value = np.array(COLOURS[name]) / 255.0
        moved = value * self.rng.uniform(0.88, 1.10) + self.rng.normal(0.0, 0.014, 3)
        colour = _triple(np.clip(moved, 0.02, 0.97))
        return colour if nearest_colour_name(colour) == name else _triple(value)

    def material(self, paint: Paint, surface: Finish = "plain") -> int:
        """Return the material of a paint; a texture's own mean is divided out so that the colour keeps its name."""
        if surface == "wood":
            return self._textured(paint.colour, self._wood[int(self.rng.integers(2))], 0.9, 0.12)
        if surface == "fabric":
            return self._textured(paint.colour, self._fabric[int(self.rng.integers(2))], 0.35, 0.0)
        if surface == "cloth":
            return self._textured(paint.colour, self._fabric[int(self.rng.integers(2))], 0.12, 0.0)
        return self.builder.material(paint.colour, gloss=0.45 if surface == "gloss" else 0.05)

    def shade(self, paint: Paint, factor: float) -> int:
        """Return a plain material, darker (factor < 1) or lighter than a paint."""
        return self.builder.material(_triple(np.clip(np.array(paint.colour) * factor, 0.02, 0.98)), gloss=0.05)

    def books(self) -> int:
        """Return a material of book spines that fits one shelf."""
        if self._books is None or self.rng.random() < 0.3:
            palette = [_triple(value) for value in _VALUES]
            self._books = self.builder.texture(textures.books(self.rng, palette))
        return self.builder.material((1.0, 1.0, 1.0), self._books)

    def image(self, texture: textures.Texture, gloss: float = 0.0) -> int:
        """Return a material that shows a texture as it is."""
        return self.builder.material((1.0, 1.0, 1.0), self.builder.texture(texture), gloss)

    def window(self, view: textures.Texture) -> int:
        """Return a material of window panes: what is outside, as bright as it is there."""
        return self.builder.material((1.0, 1.0, 1.0), self.builder.texture(view), pane=True)

    def lampshade(self, paint: Paint) -> int:
        """Return a material that lets through the light of the lamp inside."""
        return self.builder.material(paint.colour, gloss=0.0, glow=SHADE_GLOW)

    def printed(
        self, name: str, draw: Callable[[np.random.Generator], textures.Texture], most: int = 3, gloss: float = 0.0
    ) -> int:
        """Return a material with a drawn picture, one of at most `most` of that name, so that textures stay few.

        Args:
            name: what is drawn.
            draw: draws a new one.
            most: how many different ones a scene holds.
            gloss: of the material.
        """
        pool = self._prints.setdefault(name, [])
        number = int(self.rng.integers(most))
        while len(pool) <= number:
            pool.append(self.image(draw(self.rng), gloss))
        return pool[number]

    def _timber(self) -> int:
        colour = np.array(COLOURS["brown"]) / 255.0 * self.rng.uniform(0.8, 1.5)
        return self._textured(_triple(np.clip(colour, 0, 0.9)), self._wood[0], 0.9, 0.1)

    def _textured(self, colour: Colour, texture: int, metres: float, gloss: float) -> int:
        neutral = np.clip(np.array(colour) / self.builder.texture_mean(texture), 0.0, 1.0)
        return self.builder.material(_triple(neutral), texture, gloss, metres)


def _grey(value: float) -> Colour:
    return (value, value, value * 1.01)


def _triple(values: np.ndarray) -> Colour:
    red, green, blue = (float(value) for value in values)
    return (red, green, blue)
