"""Spatial coverage: how much of the place a walk shows, relative to what it intends."""

import math

import numpy as np
from jaxtyping import Int64

from backsight.quality.intents import FULL_WALK_S, Intent, intent_of
from backsight.quality.judgement import Judgement, weighted_mean
from backsight.quality.samples import SampledViews
from backsight.records.kinds import kind_named
from backsight.records.sequence import COVERAGE_CELL_M, Sequence, SequenceAnnotations

PART_WEIGHTS: dict[str, float] = {"covered_volume": 0.4, "viewpoint_diversity": 0.3, "key_regions": 0.3}
LEAST_SURFACE_M2 = 8.0
"""Any walk sees so much surface; one wall does not have it."""
SEEN_SHARE = 1e-3
"""Share of the picture from which on a thing counts as seen."""
MOST_THINGS, THINGS_SHARE = 5, 0.15
"""Walks without things to look at are asked for this share of the furniture of the rooms they are in, and for no more
than so many pieces."""
MOST_ROOMS = 2
_OFFSET = 1 << 20


def judge_coverage(sequence: Sequence, views: SampledViews) -> Judgement | None:
    """Return spatial coverage; None for walks of no known kind, which intend nothing that could be judged.

    Args:
        sequence: With finite depth and rigid poses.
        views: Its samples.
    """
    annotations = sequence.annotations
    intent = intent_of(annotations)
    if intent is None or kind_named(annotations.kind) is None:
        return None
    seconds = (sequence.num_frames - 1) / annotations.frame_rate_hz
    share = min(1.0, seconds / FULL_WALK_S)
    if share == 0.0:
        return None
    parts = {
        "covered_volume": covered_volume(views, intent, share),
        "viewpoint_diversity": viewpoint_diversity(sequence, intent, share),
        "key_regions": key_regions(annotations),
    }
    return Judgement(weighted_mean(parts, PART_WEIGHTS), parts)


def seen_cells(views: SampledViews) -> Int64[np.ndarray, "frames samples"]:
    """Return the number of the cube of `COVERAGE_CELL_M` that each sampled point lies in, -1 where there is none.

    Args:
        views: Samples of a walk.
    """
    cell = np.floor(views.points_m / COVERAGE_CELL_M).astype(np.int64) + _OFFSET
    return np.where(views.measured, (cell[..., 0] << 42) + (cell[..., 1] << 21) + cell[..., 2], -1)


def covered_volume(views: SampledViews, intent: Intent, share: float) -> float:
    """Return how far the surface that all frames show goes beyond that of one frame, relative to the intent.

    (growth - 1) / (intended growth - 1), at most 1, where growth is the number of cubes of 0.25 m with seen surface
    over their mean number in one frame: a camera that stands still has 1. At most the seen surface over
    `LEAST_SURFACE_M2`: a camera that stares at one wall shows little even when it moves.

    Args:
        views: Samples of the walk.
        intent: What the walk intends.
        share: Of a full walk, by its duration.
    """
    cells = seen_cells(views)
    one_frame = np.array([len(np.unique(cell[cell >= 0])) for cell in cells], dtype=np.float64)
    all_frames = len(np.unique(cells[cells >= 0]))
    growth = all_frames / max(1.0, float(one_frame.mean()))
    grown = (growth - 1.0) / (share * (intent.growth - 1.0))
    surface_m2 = all_frames * COVERAGE_CELL_M**2
    return float(np.clip(min(grown, surface_m2 / (share * LEAST_SURFACE_M2)), 0.0, 1.0))


def viewpoint_diversity(sequence: Sequence, intent: Intent, share: float) -> float:
    """Return the mean, over what the intent asks for, of distance and angle between the views farthest apart.

    Args:
        sequence: With rigid poses.
        intent: What the walk intends.
        share: Of a full walk, by its duration.
    """
    place_m, ahead = sequence.world_from_camera[:, :3, 3], sequence.world_from_camera[:, :3, 2]
    reached = []
    if intent.moved_m:
        moved_m = float(np.linalg.norm(place_m[:, None] - place_m[None], axis=-1).max())
        reached.append(min(1.0, moved_m / (share * intent.moved_m)))
    if intent.turned_deg:
        turned_deg = math.degrees(math.acos(float(np.clip((ahead @ ahead.T).min(), -1.0, 1.0))))
        reached.append(min(1.0, turned_deg / (share * intent.turned_deg)))
    return sum(reached) / len(reached)


def key_regions(annotations: SequenceAnnotations) -> float:
    """Return which share of what matters a walk has visited.

    Walks planned around things: of these, the ones that some frame shows. Walks from room to room: rooms that the
    camera was in, of two where the place has two. All others: pieces of furniture seen, of 15 % of those in the rooms
    that the camera was in, of five at most; 1 where there is no furniture.

    Args:
        annotations: With visible objects.
    """
    seen = {
        entry.instance_id
        for visible in annotations.visible_objects
        for entry in visible
        if entry.pixel_share >= SEEN_SHARE
    }
    if annotations.focus_ids:
        return len(seen.intersection(annotations.focus_ids)) / len(set(annotations.focus_ids))
    visited = rooms_visited(annotations)
    if annotations.pattern == "room_transition" and len(annotations.rooms) > 1:
        return min(1.0, len(visited) / MOST_ROOMS)
    things = [thing for thing in annotations.objects if not thing.is_structure and thing.room_id in visited]
    wanted = min(MOST_THINGS, math.ceil(THINGS_SHARE * len(things)))
    return min(1.0, len(seen) / wanted) if wanted else 1.0


def rooms_visited(annotations: SequenceAnnotations) -> set[int]:
    """Return the rooms that the camera was in.

    Args:
        annotations: With poses and rooms.
    """
    places_m = np.array(annotations.world_from_camera, dtype=np.float64)[:, [3, 7, 11]]
    visited = set()
    for room in annotations.rooms:
        low_x, low_z, high_x, high_z = room.bounds_m
        inside = (places_m[:, 0] >= low_x) & (places_m[:, 0] <= high_x)
        inside &= (places_m[:, 2] >= low_z) & (places_m[:, 2] <= high_z)
        inside &= (places_m[:, 1] >= room.floor_m) & (places_m[:, 1] <= room.floor_m + room.height_m)
        if inside.any():
            visited.add(room.room_id)
    return visited
