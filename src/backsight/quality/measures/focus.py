"""Measures of what a walk was planned around, and of what its frames share."""

from itertools import groupby

import numpy as np
from jaxtyping import Bool, Float64

from backsight.geometry.poses import heading_rad
from backsight.quality.measures.coverage_cells import cell_keys, seen_cells
from backsight.records.measures import FocusMeasures
from backsight.records.sequence import Sequence, SequenceAnnotations, annotation_arrays

SHOWN_SHARE = 0.001
"""A frame shows a thing that covers this share of it."""
RETURN_FRAMES = 2
"""A thing comes back after so many frames out of sight."""
HIDDEN_STATES = ("hidden", "partly hidden")


def measure_focus(sequence: Sequence) -> FocusMeasures:
    """Return the measures of a sequence's focus, overlap and coverage.

    Args:
        sequence: Annotations, and depth where coverage was planned.
    """
    annotations = sequence.annotations
    _, poses = annotation_arrays(annotations)
    shown = shown_frames(annotations)
    overlap_next, overlap_all = _overlaps(annotations)
    if annotations.focus_ids:
        distance_ratio, spread_deg = _round_the_first(annotations, poses, shown[:, 0])
    else:
        distance_ratio, spread_deg = 0.0, smallest_arc_deg(heading_rad(poses))
    return FocusMeasures(
        focus_count=float(shown.any(axis=0).sum()),
        focus_share=float(shown.mean(axis=0).min(initial=1.0)) if annotations.focus_ids else 0.0,
        focus_returns=float(sum(_returns(column) for column in shown.T)),
        focus_hidden_share=_hidden_share(annotations, len(poses)),
        focus_distance_ratio=distance_ratio,
        view_spread_deg=spread_deg,
        overlap_next=overlap_next,
        overlap_all=overlap_all,
        coverage_share=_coverage_share(sequence),
    )


def shown_frames(annotations: SequenceAnnotations) -> Bool[np.ndarray, "frames things"]:
    """Return which frame shows which of the things that a walk was planned around.

    Args:
        annotations: Of the walk.
    """
    column = {number: index for index, number in enumerate(annotations.focus_ids)}
    shown = np.zeros((len(annotations.world_from_camera), len(column)), dtype=bool)
    for frame, items in enumerate(annotations.visible_objects):
        for item in items:
            if item.instance_id in column and item.pixel_share >= SHOWN_SHARE:
                shown[frame, column[item.instance_id]] = True
    return shown


def smallest_arc_deg(directions_rad: Float64[np.ndarray, " directions"]) -> float:
    """Return the smallest arc that holds directions; 0 for none or one.

    Args:
        directions_rad: Seen from above, from any zero.
    """
    if len(directions_rad) < 2:
        return 0.0
    ordered = np.sort(np.mod(directions_rad, 2 * np.pi))
    widest = float(np.diff(ordered, append=ordered[0] + 2 * np.pi).max())
    return float(np.degrees(2 * np.pi - widest))


def _returns(shown: Bool[np.ndarray, " frames"]) -> int:
    runs = [(state, len(list(members))) for state, members in groupby(shown.tolist())]
    # Runs take turns; one out of sight that others surround ends with a return.
    return sum(not state and length >= RETURN_FRAMES for state, length in runs[1:-1])


def _hidden_share(annotations: SequenceAnnotations, num_frames: int) -> float:
    tracks = {track.instance_id: track for track in annotations.tracks}
    if not annotations.focus_ids or annotations.focus_ids[0] not in tracks:
        return 0.0
    segments = tracks[annotations.focus_ids[0]].segments
    hidden = sum(part.last_frame - part.first_frame + 1 for part in segments if part.state in HIDDEN_STATES)
    return hidden / num_frames


def _round_the_first(
    annotations: SequenceAnnotations, poses: Float64[np.ndarray, "frames 4 4"], shown: Bool[np.ndarray, " frames"]
) -> tuple[float, float]:
    """Return the ratio of distances from the first thing and the arc that it was seen from."""
    if not shown.any():
        return 0.0, 0.0
    number = annotations.focus_ids[0]
    resting = next(thing.box.centre_m for thing in annotations.objects if thing.instance_id == number)
    centres = np.tile(np.array(resting, dtype=np.float64), (len(poses), 1))
    for motion in annotations.motions:
        if motion.instance_id == number:
            centres = np.array(motion.centres_m, dtype=np.float64)
    offset = (poses[:, :3, 3] - centres)[shown]
    distance = np.linalg.norm(offset, axis=1)
    return float(distance.max() / distance.min()), smallest_arc_deg(np.arctan2(offset[:, 2], offset[:, 0]))


def _overlaps(annotations: SequenceAnnotations) -> tuple[float, float]:
    """Return the mean co-visible share of neighbours and of all pairs; 0 where none was worked out."""
    if len(annotations.covisible_percent) < 2:
        return 0.0, 0.0
    share = np.array(annotations.covisible_percent, dtype=np.float64) / 100.0
    neighbours = np.concatenate([np.diagonal(share, 1), np.diagonal(share, -1)])
    others = ~np.eye(len(share), dtype=bool)
    return float(neighbours.mean()), float(share[others].mean())


def _coverage_share(sequence: Sequence) -> float:
    coverage = sequence.annotations.coverage
    if coverage is None:
        return 1.0
    rooms = [room for room in sequence.annotations.rooms if room.room_id in coverage.room_ids]
    keys = cell_keys(sequence.depth_m, sequence.intrinsics, sequence.world_from_camera, rooms)
    return min(len(seen_cells(keys)) / max(coverage.visible_cells, 1), 1.0)
