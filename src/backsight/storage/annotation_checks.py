"""What annotations may hold: sizes, ranges and references, judged without the images."""

from pathlib import Path

import numpy as np

from backsight.geometry.poses import check_rigid
from backsight.records.errors import DataError
from backsight.records.sequence import FORMAT_VERSION, SequenceAnnotations, imagined_poses
from backsight.storage.layout import MAX_FRAMES, MAX_SIDE_PX, SEQUENCE_ID_PATTERN
from backsight.storage.walk_checks import MAX_LENGTH_M, check_walk_annotations

RIGID_TOLERANCE = 1e-6
"""Largest deviation of a stored pose from a rigid one, in any entry of R^T R - I."""


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
    check_walk_annotations(annotations, path)


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
        if not all(abs(number) <= MAX_LENGTH_M for number in numbers):
            raise DataError(path, f"world_from_camera[{frame}]", "holds a number that is not finite or far too large")
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
        if not all(abs(number) <= MAX_LENGTH_M for number in view.world_from_camera):
            problem = "holds a number that is not finite or far too large"
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
