"""Stated tracks, held against what frames show."""

from collections.abc import Iterator

import numpy as np

from backsight.geometry.poses import invert_pose
from backsight.quality.judgement import Problem
from backsight.records.sequence import ObjectTrack, SequenceAnnotations, objects_at
from backsight.records.vocabulary import TRACK_STATES

_SHOWN = TRACK_STATES[:2]
_HIDDEN = TRACK_STATES[2]


def track_problems(annotations: SequenceAnnotations) -> Iterator[Problem]:
    """Yield what is wrong with tracks: things left out, gaps, states that contradict what frames show.

    A thing is visible or partly hidden exactly in the frames whose visible objects name it, and hidden only where a
    part of its box lies before the camera.

    Args:
        annotations: With a sound table of objects; nothing is yielded for walks without tracks.
    """
    if not annotations.tracks:
        return
    furniture = {thing.instance_id for thing in annotations.objects if not thing.is_structure}
    shown = [{entry.instance_id for entry in visible} for visible in annotations.visible_objects]
    seen = set().union(*shown) & furniture
    numbers = [track.instance_id for track in annotations.tracks]
    if sorted(seen) != numbers:
        missing, extra = sorted(seen - set(numbers)), sorted(set(numbers) - seen)
        yield "tracks", f"are not those of the things seen by id: missing {missing}, beside them {extra}", None
        return
    behind = _frames_behind(annotations)
    for index, track in enumerate(annotations.tracks):
        field = f"tracks[{index}]"
        states = _states(track, len(shown))
        if states is None:
            yield (
                field,
                f"of object {track.instance_id} does not go from the first frame to the last without gaps",
                None,
            )
            continue
        for frame, state in enumerate(states):
            if (state in _SHOWN) != (track.instance_id in shown[frame]):
                yield field, f"object {track.instance_id} is {state}, the frame shows otherwise", frame
            elif state == _HIDDEN and frame in behind.get(track.instance_id, ()):
                yield field, f"object {track.instance_id} is hidden, it lies behind the camera", frame


def _states(track: ObjectTrack, frames: int) -> list[str] | None:
    states: list[str] = []
    for segment in track.segments:
        if segment.first_frame != len(states) or segment.last_frame < segment.first_frame:
            return None
        if segment.state not in TRACK_STATES:
            return None
        states += [segment.state] * (segment.last_frame - segment.first_frame + 1)
    return states if len(states) == frames else None


def _frames_behind(annotations: SequenceAnnotations) -> dict[int, set[int]]:
    """Return for each thing that some track calls hidden the frames in which all of its box lies behind the camera."""
    hidden = {
        track.instance_id for track in annotations.tracks if any(part.state == _HIDDEN for part in track.segments)
    }
    poses = np.array(annotations.world_from_camera, dtype=np.float64).reshape(-1, 4, 4)
    camera_from_world = invert_pose(poses)
    moving = {motion.instance_id for motion in annotations.motions}
    found: dict[int, set[int]] = {}
    for thing in annotations.objects:
        if thing.instance_id in hidden and thing.instance_id not in moving:
            z_m = thing.box.corners_m() @ camera_from_world[:, 2, :3].T + camera_from_world[:, 2, 3]
            found[thing.instance_id] = set(np.flatnonzero(z_m.max(axis=0) <= 0.0).tolist())
    for frame in range(len(poses)) if moving & hidden else ():
        for thing in objects_at(annotations, frame):
            if thing.instance_id in moving & hidden:
                z_m = thing.box.corners_m() @ camera_from_world[frame, 2, :3] + camera_from_world[frame, 2, 3]
                if z_m.max() <= 0.0:
                    found.setdefault(thing.instance_id, set()).add(frame)
    return found
