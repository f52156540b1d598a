"""Annotations and metadata of a sequence to bytes and back, checked on both ways."""

from pathlib import Path

import msgspec
import numpy as np

from backsight.geometry.poses import check_rigid
from backsight.records.errors import DataError
from backsight.records.quality import QualityReport
from backsight.records.sequence import FORMAT_VERSION, SequenceAnnotations, imagined_poses
from backsight.storage.layout import MAX_FRAMES, MAX_SIDE_PX, SEQUENCE_ID_PATTERN

RIGID_TOLERANCE = 1e-6
"""Largest deviation of a stored pose from a rigid one, in any entry of R^T R - I."""


class SequenceMetadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader wants to know before it opens the images; stored as metadata.json."""

    format_version: int
    sequence_id: str
    place_id: str
    scene_type: str
    kind: str
    pattern: str
    num_frames: int
    width: int
    height: int
    written_utc: str
    """ISO 8601; with the process id the only content that differs between two equal runs."""
    process_id: int
    files: tuple[str, ...]
    quality: QualityReport


def encode_annotations(annotations: SequenceAnnotations) -> bytes:
    """Return annotations.msgpack: plain msgpack, fields in the order of the record.

    Args:
        annotations: Checked by the reader's own rules before it is written.
    """
    return msgspec.msgpack.encode(annotations, order="deterministic", enc_hook=_plain_number)


def _plain_number(value: object) -> int | float | bool:
    """Return a numpy scalar as the number that it is; anything else has no place in annotations."""
    if isinstance(value, np.integer | np.floating | np.bool_):
        return value.item()
    raise TypeError(f"annotations hold a {type(value).__name__}")


def decode_annotations(data: bytes, path: Path) -> SequenceAnnotations:
    """Return annotations after checking version, shapes and ranges.

    Args:
        data: Bytes of annotations.msgpack.
        path: Where they come from, for messages.

    Raises:
        DataError: They are damaged or break a rule; the field is named.
    """
    try:
        annotations = msgspec.msgpack.decode(data, type=SequenceAnnotations)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(path, "annotations", str(error), "collect the sequence again") from error
    check_annotations(annotations, path)
    return annotations


def check_annotations(annotations: SequenceAnnotations, path: Path) -> None:
    """Check version, shapes and ranges: all that can be judged without the images.

    Args:
        annotations: To be checked.
        path: Where they are stored, for messages.

    Raises:
        DataError: A field breaks a rule.
    """
    if annotations.format_version != FORMAT_VERSION:
        problem = f"is {annotations.format_version}, this program reads {FORMAT_VERSION}"
        raise DataError(path, "format_version", problem)
    if SEQUENCE_ID_PATTERN.fullmatch(annotations.sequence_id) is None:
        raise DataError(path, "sequence_id", f"{annotations.sequence_id!r} is not allowed")
    if not annotations.place_id:
        raise DataError(path, "place_id", "is empty")
    if not 0.0 < annotations.frame_rate_hz <= 1000.0:
        raise DataError(path, "frame_rate_hz", f"is {annotations.frame_rate_hz}, expected above 0 to 1000")
    _check_intrinsics(annotations, path)
    _check_poses(annotations, path)
    _check_frames(annotations, path)
    _check_imagined(annotations, path)
    _check_ids(annotations, path)


def _check_intrinsics(annotations: SequenceAnnotations, path: Path) -> None:
    rows = annotations.intrinsics
    if len(rows) != 3 or any(len(row) != 3 for row in rows):
        raise DataError(path, "intrinsics", "is not 3x3")
    intrinsics = np.array(rows, dtype=np.float64)
    wrong = not np.isfinite(intrinsics).all() or intrinsics[0, 0] <= 0.0 or intrinsics[1, 1] <= 0.0
    if wrong or tuple(rows[2]) != (0.0, 0.0, 1.0) or rows[1][0] != 0.0:
        raise DataError(path, "intrinsics", f"{rows} is no camera matrix: [[fx, s, cx], [0, fy, cy], [0, 0, 1]]")


def _check_poses(annotations: SequenceAnnotations, path: Path) -> None:
    frames = len(annotations.world_from_camera)
    if not 1 <= frames <= MAX_FRAMES:
        raise DataError(path, "world_from_camera", f"holds {frames} poses, expected 1 to {MAX_FRAMES}")
    for frame, numbers in enumerate(annotations.world_from_camera):
        if len(numbers) != 16:
            raise DataError(path, f"world_from_camera[{frame}]", f"holds {len(numbers)} numbers, expected 16")
    try:
        check_rigid(np.array(annotations.world_from_camera, dtype=np.float64).reshape(-1, 4, 4), RIGID_TOLERANCE)
    except ValueError as error:
        raise DataError(path, "world_from_camera", str(error)) from error


def _check_frames(annotations: SequenceAnnotations, path: Path) -> None:
    frames = len(annotations.world_from_camera)
    if len(annotations.visible_objects) not in (0, frames):
        problem = f"covers {len(annotations.visible_objects)} frames, expected {frames}"
        raise DataError(path, "visible_objects", problem)
    for frame, visible in enumerate(annotations.visible_objects):
        for index, seen in enumerate(visible):
            left, top, right, bottom = seen.box_px
            in_order = 0 <= left < right <= MAX_SIDE_PX and 0 <= top < bottom <= MAX_SIDE_PX
            if not (in_order and 0.0 < seen.pixel_share <= 1.0):
                raise DataError(path, f"visible_objects[{frame}][{index}]", "has an empty box or no pixels")
    for index, relation in enumerate(annotations.relations):
        if relation.frame is not None and not 0 <= relation.frame < frames:
            raise DataError(path, f"relations[{index}].frame", f"is {relation.frame}, there are {frames} frames")
    for index, instruction in enumerate(annotations.instructions):
        if not 0 <= instruction.current_frame < frames:
            problem = f"is {instruction.current_frame}, there are {frames} frames"
            raise DataError(path, f"instructions[{index}].current_frame", problem)


def _check_imagined(annotations: SequenceAnnotations, path: Path) -> None:
    frames, views = len(annotations.world_from_camera), annotations.imagined
    if len(views) > MAX_FRAMES:
        raise DataError(path, "imagined", f"holds {len(views)} views, expected at most {MAX_FRAMES}")
    for index, view in enumerate(views):
        if not 0 <= view.current_frame < frames:
            problem = f"is {view.current_frame}, there are {frames} frames"
            raise DataError(path, f"imagined[{index}].current_frame", problem)
        if len(view.world_from_camera) != 16:
            problem = f"holds {len(view.world_from_camera)} numbers, expected 16"
            raise DataError(path, f"imagined[{index}].world_from_camera", problem)
    try:
        check_rigid(imagined_poses(annotations), RIGID_TOLERANCE)
    except ValueError as error:
        raise DataError(path, "imagined", str(error)) from error


def _check_ids(annotations: SequenceAnnotations, path: Path) -> None:
    for name, ids in (
        ("objects", [item.instance_id for item in annotations.objects]),
        ("rooms", [room.room_id for room in annotations.rooms]),
    ):
        if any(not 1 <= number <= 65535 for number in ids):
            raise DataError(path, name, "ids must lie in 1 to 65535")
        if len(set(ids)) != len(ids):
            raise DataError(path, name, "an id occurs twice")
    names = [instruction.instruction_id for instruction in annotations.instructions]
    if len(set(names)) != len(names):
        raise DataError(path, "instructions", "an instruction_id occurs twice")


def decode_metadata(data: bytes, path: Path) -> SequenceMetadata:
    """Return metadata after checking version and sizes.

    Args:
        data: Bytes of metadata.json.
        path: Where they come from, for messages.

    Raises:
        DataError: They are damaged or break a rule; the field is named.
    """
    try:
        metadata = msgspec.json.decode(data, type=SequenceMetadata)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(path, "metadata", str(error), "collect the sequence again") from error
    if metadata.format_version != FORMAT_VERSION:
        problem = f"is {metadata.format_version}, this program reads {FORMAT_VERSION}"
        raise DataError(path, "format_version", problem)
    if not 1 <= metadata.num_frames <= MAX_FRAMES:
        raise DataError(path, "num_frames", f"is {metadata.num_frames}, expected 1 to {MAX_FRAMES}")
    for field, side in (("width", metadata.width), ("height", metadata.height)):
        if not 2 <= side <= MAX_SIDE_PX or side % 2:
            raise DataError(path, field, f"is {side}, expected an even number of 2 to {MAX_SIDE_PX}")
    return metadata
