"""One scene as packed arrays: what scene builders make and what the renderer and the navigation grid read."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from backsight.records.scene import Room, SceneObject

DAYLIGHT = (8.2, 8.6, 9.2)
"""Linear colour of the light from outside on a bright day."""


@dataclass(frozen=True)
class Material:
    """How a face looks: sRGB colour, multiplied with a texture when there is one."""

    colour: tuple[float, float, float]
    """sRGB in [0, 1]."""
    texture: int = -1
    """Index into `PackedScene.textures`; -1 = plain."""
    gloss: float = 0.0
    """Strength of a broad highlight of the room's lamp, 0 (matt) to 1."""
    pane: bool = False
    """A window: shows its texture by the light from outside, and lets that light in on its front."""
    glow: float = 0.0
    """Of a lamp's shade: how bright the first lamp of its room makes it."""
    unlit: bool = False
    """Shown with exactly its colour, whatever the lamps do: photographs have their light painted on."""


@dataclass(frozen=True)
class RoomLight:
    """A lamp; its light goes wherever it is not stopped, through doors too."""

    room_id: int
    position_m: tuple[float, float, float]
    colour: tuple[float, float, float]
    """Linear RGB intensity; 1 at the design distance of 2 m."""


@dataclass(frozen=True)
class PackedScene:
    """Triangles of a whole scene in the world frame (right-handed, +Y up, metres)."""

    vertices_m: Float32[np.ndarray, "vertices 3"]
    faces: Int32[np.ndarray, "faces 3"]
    """Vertex indices; counter-clockwise seen from outside. Faces are visible from both sides."""
    face_uv: Float32[np.ndarray, "faces 3 2"]
    """Texture coordinates of the three corners; one unit is one repeat of the texture."""
    face_normals: Float32[np.ndarray, "faces 3 3"]
    """Unit shading normals of the three corners."""
    face_material: Int32[np.ndarray, " faces"]
    face_instance: Int32[np.ndarray, " faces"]
    """Instance id, positive."""
    face_room: Int32[np.ndarray, " faces"]
    """Room whose lamp lights the face."""
    materials: tuple[Material, ...]
    textures: tuple[UInt8[np.ndarray, "_ _ 3"], ...]
    """sRGB; width and height are powers of two; they repeat."""
    lights: tuple[RoomLight, ...]
    objects: tuple[SceneObject, ...]
    rooms: tuple[Room, ...]
    ceiling_m: float
    """Height of the ceiling above the floor."""
    sky: tuple[float, float, float] = DAYLIGHT
    """Linear colour of the light that comes from outside; lamps have about 1."""
