"""What a walk has shown up to one of its frames: what every statement of that frame is checked against."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64

from backsight.records.scene import SceneObject
from backsight.records.sequence import SequenceAnnotations, objects_at
from backsight.records.vocabulary import UNNAMED_ROOM_TYPE

VISIBLE_SHARE = 0.0014
"""What covers this share of a frame can be made out in it: 16 pixels of 128 x 96."""
SMALL_M = 0.5
"""Things of which no side is longer are small."""
WELL_SHARE = 0.005
"""A frame shows a thing well when it covers this share of the image; a small one from `VISIBLE_SHARE` on, since a cup
never covers more, while so little of a sofa is a corner of it."""


@dataclass(frozen=True)
class Situation:
    """A walk as it is known at one frame."""

    annotations: SequenceAnnotations
    frame: int
    things: tuple[SceneObject, ...]
    """Furniture of which the frames so far show at least one pixel, by rising id; its boxes are those of this frame."""
    world_from_viewer: Float64[np.ndarray, "4 4"]

    @classmethod
    def of(cls, annotations: SequenceAnnotations, frame: int) -> "Situation":
        """Return the situation at a frame.

        Args:
            annotations: Of the walk; its instructions are not looked at.
            frame: Index of the frame, inclusive.
        """
        pose = np.array(annotations.world_from_camera[frame], dtype=np.float64).reshape(4, 4)
        return cls(annotations, frame, objects_seen(annotations, frame), pose)

    @cached_property
    def column(self) -> dict[int, int]:
        """Index of each thing by its id."""
        return {thing.instance_id: index for index, thing in enumerate(self.things)}

    @cached_property
    def room_types(self) -> dict[int, str]:
        """Type of each room by its id."""
        return {room.room_id: room.room_type for room in self.annotations.rooms}

    @cached_property
    def shares(self) -> Float64[np.ndarray, "frames things"]:
        """Share of each frame so far that shows each thing."""
        shares = np.zeros((self.frame + 1, len(self.things)))
        for frame, shown in enumerate(self.annotations.visible_objects[: self.frame + 1]):
            for item in shown:
                index = self.column.get(item.instance_id)
                if index is not None:
                    shares[frame, index] = item.pixel_share
        return shares

    @cached_property
    def shown_well(self) -> Bool[np.ndarray, "frames things"]:
        """Whether each frame so far shows each thing well."""
        longest_m = np.array([max(thing.box.size_m) for thing in self.things], dtype=np.float64)
        return self.shares >= np.where(longest_m <= SMALL_M, VISIBLE_SHARE, WELL_SHARE)

    @cached_property
    def is_visible(self) -> Bool[np.ndarray, " things"]:
        """Whether this frame shows each thing so that it can be made out."""
        return self.shares[-1] >= VISIBLE_SHARE

    def thing(self, instance_id: int | None) -> SceneObject | None:
        """Return the thing with that id; None where it was not seen.

        Args:
            instance_id: Any number.
        """
        index = self.column.get(instance_id) if instance_id is not None else None
        return None if index is None else self.things[index]

    def room_type_of(self, thing: SceneObject) -> str:
        """Return the type of the room that a thing is in.

        Args:
            thing: Of the scene.
        """
        return self.room_types.get(thing.room_id, UNNAMED_ROOM_TYPE)

    def last_shown_well(self, instance_id: int) -> int | None:
        """Return the last frame so far that shows a thing well; None where none does.

        Args:
            instance_id: Any number.
        """
        index = self.column.get(instance_id)
        well = np.flatnonzero(self.shown_well[:, index]) if index is not None else ()
        return int(well[-1]) if len(well) else None


def objects_seen(annotations: SequenceAnnotations, last_frame: int) -> tuple[SceneObject, ...]:
    """Return the furniture of which the frames up to `last_frame` show at least one pixel, by rising id.

    Boxes lie where they are in `last_frame`.

    Args:
        annotations: Of the walk.
        last_frame: Last frame looked at, inclusive.
    """
    seen = {item.instance_id for shown in annotations.visible_objects[: last_frame + 1] for item in shown}
    found = (
        thing for thing in objects_at(annotations, last_frame) if thing.instance_id in seen and not thing.is_structure
    )
    return tuple(sorted(found, key=lambda thing: thing.instance_id))
