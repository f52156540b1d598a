"""Colours of a scan as materials and textures of the renderer; vertex colours become a texture of their own."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64, UInt8

from backsight.sim.embedded.packed import Material
from backsight.sim.embedded.scans.parts import Look, ScanPart
from backsight.sim.srgb import linear_from_srgb, srgb_from_linear

MAX_ATLAS_SIDE_PX = 4096
UNIFORM_SPREAD = 4
"""Colours of a part that differ by no more than this, of 255, are one colour."""
PAINTED_SHARE = 0.6
"""Share of the surface whose colours look like photographs from which on the scene is shown as it is."""


@dataclass
class Palette:
    """Materials and textures of a scene while it is put together."""

    unlit: bool
    materials: list[Material] = field(default_factory=list)
    textures: list[UInt8[np.ndarray, "_ _ 3"]] = field(default_factory=list)
    _known: dict[Material, int] = field(default_factory=dict)
    _texture_of: dict[int, int] = field(default_factory=dict)

    def material(self, look: Look) -> int:
        """Return the index of a look's material.

        Args:
            look: Colour and texture.
        """
        texture = -1
        if look.texture is not None:
            if id(look.texture) not in self._texture_of:
                self._texture_of[id(look.texture)] = self._add(look.texture)
            texture = self._texture_of[id(look.texture)]
        return self._index(Material(look.colour, texture, unlit=self.unlit))

    def atlas(
        self, colours: UInt8[np.ndarray, "faces 3 3"], middles: Float64[np.ndarray, "faces 3"]
    ) -> tuple[Int32[np.ndarray, " faces"], Float32[np.ndarray, "faces 3 2"]]:
        """Return material and texture coordinates that show colours of corners, blended between them.

        Each face has a block of 2 x 2 texels. Neighbours in space are neighbours in the texture, so that coarser mip
        levels hold colours of the surroundings.

        Args:
            colours: sRGB of the corners.
            middles: Where the faces are.
        """
        order = np.argsort(_morton(middles), kind="stable")
        material = np.zeros(len(colours), dtype=np.int32)
        uv = np.zeros((len(colours), 3, 2), dtype=np.float32)
        capacity = (MAX_ATLAS_SIDE_PX // 2) ** 2
        for first in range(0, len(order), capacity):
            block = order[first : first + capacity]
            picture, uv[block] = _blocks(colours[block])
            material[block] = self._index(Material((1.0, 1.0, 1.0), self._add(picture), unlit=self.unlit))
        return material, uv

    def _index(self, material: Material) -> int:
        if material not in self._known:
            self._known[material] = len(self.materials)
            self.materials.append(material)
        return self._known[material]

    def _add(self, texture: UInt8[np.ndarray, "_ _ 3"]) -> int:
        self.textures.append(texture)
        return len(self.textures) - 1


def is_painted(part: ScanPart) -> bool:
    """Whether a part's colours look like those of a photograph, which has light and shadow in it already.

    So do colours of vertices that vary, and textures that are not repeated. Tiles and plain colours do not.

    Args:
        part: Of a scan.
    """
    if part.look.unlit:
        return True
    if part.look.texture is not None and part.face_uv is not None:
        return bool(part.face_uv.min() >= -0.01 and part.face_uv.max() <= 1.01)
    return varies(part)


def varies(part: ScanPart) -> bool:
    """Whether a part has colours of vertices that are not all the same.

    Args:
        part: Of a scan.
    """
    if part.face_colours is None:
        return False
    flat = part.face_colours.reshape(-1, 3)
    return int((flat.max(axis=0).astype(int) - flat.min(axis=0)).max()) > UNIFORM_SPREAD


def shown_colours(part: ScanPart) -> Float64[np.ndarray, "faces 3"]:
    """Return the mean sRGB colour of each face, 0 to 255, for naming it.

    Args:
        part: Of a scan.
    """
    own = np.array(part.look.colour)
    if part.look.texture is not None and part.face_uv is not None:
        height, width = part.look.texture.shape[:2]
        points = np.concatenate([part.face_uv, part.face_uv.mean(axis=1, keepdims=True)], axis=1)
        column = np.floor(points[..., 0] * width).astype(np.int64) % width
        row = np.floor(points[..., 1] * height).astype(np.int64) % height
        return own * part.look.texture[row, column].mean(axis=1)
    if part.face_colours is not None:
        return own * part.face_colours.mean(axis=1)
    return np.tile(255.0 * own, (len(part.faces), 1))


def _blocks(
    colours: UInt8[np.ndarray, "faces 3 3"],
) -> tuple[UInt8[np.ndarray, "_ _ 3"], Float32[np.ndarray, "faces 3 2"]]:
    """Return a texture with a block of texels for each face, along a Z-order curve, and the corners' coordinates."""
    power = 0
    while 4**power < len(colours):
        power += 1
    columns, rows = _unwoven(np.arange(len(colours)))
    # Where the curve ends in the first half of its square, the other half is left out.
    tall = 1 << max(power - 1, 0) if 2 * len(colours) <= 4**power else 1 << power
    width, height = 2 << power, 2 * tall
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    linear = linear_from_srgb(colours / 255.0)
    fourth = srgb_from_linear(np.clip(linear[:, 1] + linear[:, 2] - linear[:, 0], 0.0, 1.0))
    picture[2 * rows, 2 * columns] = colours[:, 0]
    picture[2 * rows, 2 * columns + 1] = colours[:, 1]
    picture[2 * rows + 1, 2 * columns] = colours[:, 2]
    picture[2 * rows + 1, 2 * columns + 1] = np.round(255.0 * fourth).astype(np.uint8)
    left, top = 2.0 * columns + 0.5, 2.0 * rows + 0.5
    uv = np.stack([np.stack([left, left + 1, left], axis=1), np.stack([top, top, top + 1], axis=1)], axis=-1)
    return picture, (uv / np.array([width, height])).astype(np.float32)


def _unwoven(
    numbers: Int64[np.ndarray, " faces"],
) -> tuple[Int64[np.ndarray, " faces"], Int64[np.ndarray, " faces"]]:
    """Return even and odd bits of numbers: column and row on a Z-order curve."""
    even, odd = np.zeros_like(numbers), np.zeros_like(numbers)
    for bit in range(24):
        even |= ((numbers >> (2 * bit)) & 1) << bit
        odd |= ((numbers >> (2 * bit + 1)) & 1) << bit
    return even, odd


def _morton(points: Float64[np.ndarray, "points 3"]) -> Int64[np.ndarray, " points"]:
    """Return positions along a Z-order curve through space."""
    low = points.min(axis=0)
    cells = ((points - low) / max(float((points - low).max()), 1e-12) * 1023.0).astype(np.int64)
    code = np.zeros(len(points), dtype=np.int64)
    for bit in range(10):
        for axis in range(3):
            code |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return code
