"""What annotations may say of things, events, instructions and routes of a walk."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from backsight.records.errors import DataError
from backsight.records.instruction import Instruction, Step
from backsight.records.sequence import SequenceAnnotations
from backsight.records.vocabulary import CHALLENGES, EVENT_KINDS, TRACK_STATES

MAX_LENGTH_M = 100_000.0
"""Larger coordinates and sizes are no scene's."""
MAX_EXPOSURE_S = 60.0
MAX_PLACE_POINTS = 10_000
_MAX_ID = 65535


def check_walk_annotations(annotations: SequenceAnnotations, path: Path) -> None:
    """Check everything that refers to frames and things: numbers finite and in range, frames and things there.

    Args:
        annotations: With poses and ids that have been checked.
        path: Where they are stored, for messages.

    Raises:
        DataError: A field breaks a rule.
    """
    frames = len(annotations.world_from_camera)
    if not 0.0 <= annotations.exposure_s <= MAX_EXPOSURE_S:
        problem = f"is {annotations.exposure_s}, expected 0 to {MAX_EXPOSURE_S:g}"
        raise DataError(path, "exposure_s", problem)
    if annotations.attempt < 0:
        raise DataError(path, "attempt", f"is {annotations.attempt}, expected 0 or more")
    _check_names(annotations.challenges, CHALLENGES, path, "challenges")
    _check_things(annotations, path)
    _check_ids(annotations.focus_ids, path, "focus_ids")
    if annotations.coverage is not None:
        _check_ids(annotations.coverage.room_ids, path, "coverage.room_ids")
        if annotations.coverage.visible_cells < 0:
            raise DataError(path, "coverage.visible_cells", "is negative")
    _check_tracks(annotations, frames, path)
    _check_motions(annotations, frames, path)
    _check_events(annotations, frames, path)
    _check_covisibility(annotations, frames, path)
    for index, instruction in enumerate(annotations.instructions):
        _check_instruction(instruction, annotations, path, f"instructions[{index}]")
    for index, route in enumerate(annotations.routes):
        name = f"routes[{index}]"
        if not 0 <= route.first_frame <= route.last_frame < frames:
            raise DataError(path, name, f"goes from frame {route.first_frame} to {route.last_frame} of {frames}")
        _check_ids(route.landmark_ids, path, f"{name}.landmark_ids")
        _check_steps(route.steps, frames, path, name)


def _check_things(annotations: SequenceAnnotations, path: Path) -> None:
    for index, thing in enumerate(annotations.objects):
        _check_lengths((*thing.box.centre_m, *thing.box.size_m), path, f"objects[{index}].box")
        if min(thing.box.size_m) < 0.0 or not math.isfinite(thing.box.yaw_rad):
            raise DataError(path, f"objects[{index}].box", "has a negative size or no finite yaw")
        if thing.supported_by is not None:
            _check_ids((thing.supported_by,), path, f"objects[{index}].supported_by")
    for index, room in enumerate(annotations.rooms):
        _check_lengths((*room.bounds_m, room.floor_m, room.height_m), path, f"rooms[{index}]")


def _check_tracks(annotations: SequenceAnnotations, frames: int, path: Path) -> None:
    _check_once((track.instance_id for track in annotations.tracks), path, "tracks")
    for index, track in enumerate(annotations.tracks):
        expected = 0
        for segment in track.segments:
            if segment.first_frame != expected or not segment.first_frame <= segment.last_frame < frames:
                raise DataError(path, f"tracks[{index}].segments", "do not follow each other from frame to frame")
            _check_names((segment.state,), TRACK_STATES, path, f"tracks[{index}].segments")
            expected = segment.last_frame + 1
        if expected != frames:
            raise DataError(path, f"tracks[{index}].segments", f"end after {expected} of {frames} frames")


def _check_motions(annotations: SequenceAnnotations, frames: int, path: Path) -> None:
    _check_once((motion.instance_id for motion in annotations.motions), path, "motions")
    known = {thing.instance_id for thing in annotations.objects}
    for index, motion in enumerate(annotations.motions):
        name = f"motions[{index}]"
        if motion.instance_id not in known:
            raise DataError(path, name, f"is about {motion.instance_id}, which is none of the objects")
        if len(motion.centres_m) != frames or len(motion.yaws_rad) != frames:
            raise DataError(path, name, f"does not have one position for each of {frames} frames")
        for centre_m in motion.centres_m:
            _check_lengths(centre_m, path, name)
        if not all(map(math.isfinite, motion.yaws_rad)):
            raise DataError(path, f"{name}.yaws_rad", "holds a number that is not finite")


def _check_events(annotations: SequenceAnnotations, frames: int, path: Path) -> None:
    for index, event in enumerate(annotations.events):
        name = f"events[{index}]"
        _check_names((event.kind,), EVENT_KINDS, path, f"{name}.kind")
        if not 0 <= event.first_frame <= event.last_frame < frames:
            raise DataError(path, name, f"goes from frame {event.first_frame} to {event.last_frame} of {frames}")
        if event.instance_id is not None:
            _check_ids((event.instance_id,), path, f"{name}.instance_id")
        _check_ids(event.room_ids, path, f"{name}.room_ids")
        if not (0.0 <= event.intensity <= 1000.0 and -1.0 <= event.warmth <= 1.0):
            raise DataError(path, name, f"has intensity {event.intensity} and warmth {event.warmth}")


def _check_covisibility(annotations: SequenceAnnotations, frames: int, path: Path) -> None:
    rows = annotations.covisible_percent
    if rows and (len(rows) != frames or any(len(row) != frames for row in rows)):
        raise DataError(path, "covisible_percent", f"is not {frames} x {frames}")
    if any(not 0 <= share <= 100 for row in rows for share in row):
        raise DataError(path, "covisible_percent", "holds a number outside 0 to 100")


def _check_instruction(instruction: Instruction, annotations: SequenceAnnotations, path: Path, name: str) -> None:
    for field, ids in (
        ("anchor_ids", instruction.anchor_ids),
        ("target_instance_ids", instruction.target_instance_ids),
        ("distractor_ids", instruction.distractor_ids),
    ):
        _check_ids(ids, path, f"{name}.{field}")
    _check_steps(instruction.steps, len(annotations.world_from_camera), path, name)
    view = instruction.imagined_view
    if view is not None and not 0 <= view < len(annotations.imagined):
        raise DataError(path, f"{name}.imagined_view", f"is {view}, there are {len(annotations.imagined)} views")
    place = instruction.target_place
    if place is not None:
        if not 1 <= len(place.points_m) <= MAX_PLACE_POINTS:
            raise DataError(path, f"{name}.target_place", f"has {len(place.points_m)} points")
        for point_m in place.points_m:
            _check_lengths(point_m, path, f"{name}.target_place")
        if not 0.0 < place.radius_m <= MAX_LENGTH_M:
            raise DataError(path, f"{name}.target_place.radius_m", f"is {place.radius_m}")


def _check_steps(steps: Sequence[Step], frames: int, path: Path, name: str) -> None:
    for index, step in enumerate(steps):
        field = f"{name}.steps[{index}]"
        if step.frame is not None and not 0 <= step.frame < frames:
            raise DataError(path, f"{field}.frame", f"is {step.frame}, there are {frames} frames")
        if step.number is not None and not math.isfinite(step.number):
            raise DataError(path, f"{field}.number", "is not finite")
        _check_ids(step.other_ids if step.subject_id is None else (step.subject_id, *step.other_ids), path, field)


def _check_names(names: Iterable[str], known: Sequence[str], path: Path, field: str) -> None:
    for name in names:
        if name not in known:
            raise DataError(path, field, f"names {name!r}, known are {', '.join(known)}")


def _check_ids(ids: Sequence[int], path: Path, field: str) -> None:
    if any(not 1 <= number <= _MAX_ID for number in ids):
        raise DataError(path, field, f"ids must lie in 1 to {_MAX_ID}")


def _check_once(ids: Iterable[int], path: Path, field: str) -> None:
    listed = list(ids)
    _check_ids(listed, path, field)
    if len(set(listed)) != len(listed):
        raise DataError(path, field, "an id occurs twice")


def _check_lengths(lengths_m: Iterable[float], path: Path, field: str) -> None:
    # A comparison with NaN is false, so this finds it too.
    if not all(abs(length_m) <= MAX_LENGTH_M for length_m in lengths_m):
        raise DataError(path, field, f"holds a length that is not finite or over {MAX_LENGTH_M:g} m")
