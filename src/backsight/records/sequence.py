"""One walk: frames, poses and annotations."""

from dataclasses import dataclass

import msgspec
import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64, UInt8

from backsight.records.instruction import Instruction, RouteInstruction
from backsight.records.scene import OrientedBox, Room, SceneObject

FORMAT_VERSION = 2


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
    """Frame index of the viewer for viewer relations; None for world relations, which things that move have none of."""


class ImaginedView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A view that was never walked to: asked for by its pose alone, rendered for the truth."""

    current_frame: int
    """Index of the frame whose instructions it belongs to; its pose is asked for relative to that frame."""
    world_from_camera: tuple[float, ...]
    """16 numbers row by row."""


class TrackSegment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Frames in a row that show a thing in the same way."""

    first_frame: int
    last_frame: int
    """Inclusive."""
    state: str
    """A name of `vocabulary.TRACK_STATES`."""


class ObjectTrack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of one thing over the walk."""

    instance_id: int
    segments: tuple[TrackSegment, ...]
    """Without gaps, from the first frame to the last."""


class ObjectMotion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a thing that moves is in every frame."""

    instance_id: int
    centres_m: tuple[tuple[float, float, float], ...]
    """Centre of its box, world frame, one for each frame."""
    yaws_rad: tuple[float, ...]
    """Of its box, one for each frame."""


class SceneEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that happens between two frames."""

    kind: str
    """A name of `vocabulary.EVENT_KINDS`."""
    first_frame: int
    """The last frame before it began."""
    last_frame: int
    """The first frame after it ended."""
    instance_id: int | None = None
    """The thing that moved."""
    room_ids: tuple[int, ...] = ()
    """Rooms whose lamps went out."""
    intensity: float = 1.0
    """Factor on all lights after the event."""
    warmth: float = 0.0
    """Warmth of the lamps after the event, -1 to 1."""


class Coverage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a walk that covers rooms set out to see."""

    room_ids: tuple[int, ...]
    visible_cells: int
    """Cells of `COVERAGE_CELL_M` on the surfaces of these rooms that can be seen from where an agent can stand."""


COVERAGE_CELL_M = 0.25
"""Edge of the cubes that covered surface is counted in."""


class SequenceAnnotations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about a walk that is not an image; stored as annotations.msgpack."""

    format_version: int
    sequence_id: str
    place_id: str
    """What splits keep apart: rescans and re-furnished versions share it."""
    scene_type: str
    kind: str
    pattern: str
    """How it was walked: a name of `vocabulary.TRAJECTORIES`, or the importer's word."""
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
    scene_id: str = ""
    """What the simulator loaded."""
    variant: str = ""
    """Variant of the pattern."""
    attempt: int = 0
    """How often quality control rejected the sequence before."""
    challenges: tuple[str, ...] = ()
    """Names of `vocabulary.CHALLENGES`."""
    exposure_s: float = 0.0
    """How long the shutter was open; 0 where pictures are instants."""
    focus_ids: tuple[int, ...] = ()
    """Things that the walk was planned around, the most important first."""
    coverage: Coverage | None = None
    tracks: tuple[ObjectTrack, ...] = ()
    """Of every piece of furniture that some frame shows, by id."""
    motions: tuple[ObjectMotion, ...] = ()
    """Of the things that move, by id; the boxes of `objects` are those of the first frame."""
    events: tuple[SceneEvent, ...] = ()
    covisible_percent: tuple[tuple[int, ...], ...] = ()
    """Entry [i][j]: share of frame i's measured surface that frame j shows too, in whole per cent."""
    routes: tuple[RouteInstruction, ...] = ()


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


def objects_at(annotations: SequenceAnnotations, frame: int) -> tuple[SceneObject, ...]:
    """Return the objects with their boxes where they are in one frame.

    Args:
        annotations: Of a walk.
        frame: Index of the frame.
    """
    if not annotations.motions:
        return annotations.objects
    moved = {motion.instance_id: (motion.centres_m[frame], motion.yaws_rad[frame]) for motion in annotations.motions}
    found = []
    for thing in annotations.objects:
        if thing.instance_id in moved:
            centre_m, yaw_rad = moved[thing.instance_id]
            thing = msgspec.structs.replace(thing, box=OrientedBox(centre_m, thing.box.size_m, yaw_rad))
        found.append(thing)
    return tuple(found)


def moving_poses(
    annotations: SequenceAnnotations,
) -> tuple[Int64[np.ndarray, " moving"], Float64[np.ndarray, "moving frames 4 4"]]:
    """Return the ids of the things that move, and world_from_thing in every frame.

    Args:
        annotations: Of a walk.
    """
    ids = np.array([motion.instance_id for motion in annotations.motions], dtype=np.int64)
    poses = np.tile(np.eye(4), (len(ids), len(annotations.world_from_camera), 1, 1))
    for row, motion in enumerate(annotations.motions):
        cosine, sine = np.cos(motion.yaws_rad), np.sin(motion.yaws_rad)
        poses[row, :, 0, 0], poses[row, :, 0, 2] = cosine, sine
        poses[row, :, 2, 0], poses[row, :, 2, 2] = -sine, cosine
        poses[row, :, :3, 3] = motion.centres_m
    return ids, poses


def moving_ids_between(annotations: SequenceAnnotations, frame: int, other: int) -> Int32[np.ndarray, " ids"]:
    """Return the ids of the things that stand elsewhere, or turned, in the other frame, rising.

    Args:
        annotations: Of a walk.
        frame: Index of a frame.
        other: Index of another one, before or after.
    """
    elsewhere = [
        motion.instance_id
        for motion in annotations.motions
        if (motion.centres_m[frame], motion.yaws_rad[frame]) != (motion.centres_m[other], motion.yaws_rad[other])
    ]
    return np.array(sorted(elsewhere), dtype=np.int32)


def imagined_poses(annotations: SequenceAnnotations) -> Float64[np.ndarray, "imagined 4 4"]:
    """Return world_from_camera of the imagined views."""
    poses = [view.world_from_camera for view in annotations.imagined]
    return np.array(poses, dtype=np.float64).reshape(-1, 4, 4)
