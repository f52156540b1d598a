"""What a simulator says of a scene: its rooms and its objects."""

import math

import msgspec
import numpy as np
from jaxtyping import Float64

from backsight.records.vocabulary import STRUCTURE_CATEGORIES


class OrientedBox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A box that stands upright: rotated about the world's +Y axis only."""

    centre_m: tuple[float, float, float]
    """Centre in the world frame."""
    size_m: tuple[float, float, float]
    """Full extents along the box's own x, y and z axes."""
    yaw_rad: float = 0.0
    """Right-handed rotation about +Y that carries world axes to box axes."""

    def corners_m(self) -> Float64[np.ndarray, "8 3"]:
        """Return the eight corners in the world frame."""
        signs = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
        local = signs * np.array(self.size_m)
        cos, sin = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        world_from_box = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
        return local @ world_from_box.T + np.array(self.centre_m)


class SceneObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One instance: furniture or a part of the building."""

    instance_id: int
    """Positive; 0 means nothing or unknown and is never an object."""
    category: str
    room_id: int
    box: OrientedBox
    colour: str | None = None
    """A name of `vocabulary.COLOURS`; None where no single colour describes it."""
    supported_by: int | None = None
    """Instance id of what it stands on or in when that is not a floor."""
    name: str | None = None
    """What the scene's maker called it, where a file says so."""

    @property
    def is_structure(self) -> bool:
        """Whether it is a part of the building."""
        return self.category in STRUCTURE_CATEGORIES


class Room(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One room: an upright box of space."""

    room_id: int
    """Positive."""
    room_type: str
    bounds_m: tuple[float, float, float, float]
    """min x, min z, max x, max z of its floor in the world frame."""
    floor_m: float = 0.0
    """Height of its floor."""
    height_m: float = 2.6
    """From its floor to its ceiling."""
