"""One walk: frames, poses and annotations."""

from dataclasses import dataclass

import msgspec
import numpy as np
from jaxtyping import Float32, Float64, Int32, UInt8

from backsight.records.instruction import Instruction
from backsight.records.scene import Room, SceneObject

FORMAT_VERSION = 1


class VisibleObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one frame shows of one object."""

    instance_id: int
    pixel_share: float
    """Share of the image's pixels that show it, in (0, 1]."""
    box_px: tuple[int, int, int, int]
    """Image box: left, top, right, bottom; right and bottom are exclusive."""


class SpatialRelation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`subject` `relation` `anchor`, true by the rules of `records.scene_relations`."""

    subject_id: int
    relation: str
    anchor_id: int
    frame: int | None
    """Frame index of the viewer for viewer relations, None for world relations."""


class ImaginedView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A view that was never walked to: asked for by its pose alone, rendered for the truth."""

    current_frame: int
    """Index of the frame whose instructions it belongs to; its pose is asked for relative to that frame."""
    world_from_camera: tuple[float, ...]
    """16 numbers row by row."""


class SequenceAnnotations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about a walk that is not an image; stored as annotations.msgpack."""

    format_version: int
    sequence_id: str
    place_id: str
    """What splits keep apart: rescans and re-furnished versions share it."""
    scene_type: str
    kind: str
    pattern: str
    seed: int
    simulator: str
    simulator_version: str
    frame_rate_hz: float
    intrinsics: tuple[tuple[float, float, float], ...]
    """3x3 in pixels of the stored images."""
    world_from_camera: tuple[tuple[float, ...], ...]
    """Per frame, 16 numbers row by row."""
    objects: tuple[SceneObject, ...] = ()
    rooms: tuple[Room, ...] = ()
    visible_objects: tuple[tuple[VisibleObject, ...], ...] = ()
    """Per frame, furniture only, by falling pixel share."""
    relations: tuple[SpatialRelation, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    imagined: tuple[ImaginedView, ...] = ()
    """Absent from walks that were collected without."""


@dataclass(frozen=True)
class ImaginedImages:
    """Truth of the imagined views, in the order of the annotations. Never part of a history, never shown to a model."""

    depth_m: Float32[np.ndarray, "imagined height width"]
    """Planar depth; 0 = nothing measured."""
    instance_ids: Int32[np.ndarray, "imagined height width"]


@dataclass(frozen=True)
class Sequence:
    """A walk in memory. Arrays are never changed after construction."""

    rgb: UInt8[np.ndarray, "frames height width 3"]
    """sRGB."""
    depth_m: Float32[np.ndarray, "frames height width"]
    """Planar depth; 0 = nothing measured."""
    instance_ids: Int32[np.ndarray, "frames height width"]
    """0 = nothing or unknown."""
    intrinsics: Float64[np.ndarray, "3 3"]
    world_from_camera: Float64[np.ndarray, "frames 4 4"]
    annotations: SequenceAnnotations
    imagined: ImaginedImages | None = None
    """None where the annotations name no imagined view; intrinsics are those of the frames."""

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return self.rgb.shape[0]

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.rgb.shape[2], self.rgb.shape[1]


def annotation_arrays(
    annotations: SequenceAnnotations,
) -> tuple[Float64[np.ndarray, "3 3"], Float64[np.ndarray, "frames 4 4"]]:
    """Return intrinsics and poses of the annotations as arrays."""
    intrinsics = np.array(annotations.intrinsics, dtype=np.float64)
    poses = np.array(annotations.world_from_camera, dtype=np.float64).reshape(-1, 4, 4)
    return intrinsics, poses


def imagined_poses(annotations: SequenceAnnotations) -> Float64[np.ndarray, "imagined 4 4"]:
    """Return world_from_camera of the imagined views."""
    poses = [view.world_from_camera for view in annotations.imagined]
    return np.array(poses, dtype=np.float64).reshape(-1, 4, 4)
