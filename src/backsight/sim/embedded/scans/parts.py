"""What is read from a scene file, before anything is guessed or labelled."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8


@dataclass(frozen=True, eq=False)
class Look:
    """How the faces of a part look; parts that share it share the object."""

    colour: tuple[float, float, float] = (0.8, 0.8, 0.8)
    """sRGB in [0, 1]; multiplies the texture."""
    texture: UInt8[np.ndarray, "_ _ 3"] | None = None
    """sRGB, top row first."""
    unlit: bool = False
    """The file says that its light is painted on."""


PLAIN = Look()
"""Of parts of which the file says nothing."""
WHITE = Look((1.0, 1.0, 1.0))
"""Of parts whose vertices have colours and nothing else."""


@dataclass(frozen=True, eq=False)
class ScanPart:
    """Triangles of one node with one look, in the axes and units of the file."""

    nodes: tuple[tuple[int, str], ...]
    """Number and name of the nodes from the root to the one that holds it; the name may be empty."""
    vertices: Float64[np.ndarray, "vertices 3"]
    faces: Int64[np.ndarray, "faces 3"]
    look: Look
    face_uv: Float32[np.ndarray, "faces 3 2"] | None = None
    """Texture coordinates with v pointing down the image."""
    face_normals: Float32[np.ndarray, "faces 3 3"] | None = None
    """Shading normals; None where the file has none."""
    face_colours: UInt8[np.ndarray, "faces 3 3"] | None = None
    """sRGB colours of the corners."""

    @property
    def corners(self) -> Float64[np.ndarray, "faces 3 3"]:
        """Positions of the corners of each face."""
        return self.vertices[self.faces]


@dataclass(frozen=True)
class RawScan:
    """All that a scene file holds."""

    path: Path
    parts: tuple[ScanPart, ...]
    usual_up: str
    """The axis that files of this format usually have upwards, such as '+y'."""
    usually_metres: bool
    """Whether the format says that a unit is a metre."""
    notes: tuple[str, ...] = field(default=())
    """What was left out or changed while reading."""

    @property
    def corners(self) -> Float64[np.ndarray, "faces 3 3"]:
        """Corners of all faces, part after part."""
        return np.concatenate([part.corners for part in self.parts])

    @property
    def part_of_face(self) -> Int64[np.ndarray, " faces"]:
        """Index of the part that each face belongs to."""
        return np.repeat(np.arange(len(self.parts)), [len(part.faces) for part in self.parts])
