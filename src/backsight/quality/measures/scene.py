"""What the pictures of a sequence show, and what happens in them."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.quality.measures.corners import CORNER_ROWS, wall_corner_rows, wall_ids_of
from backsight.records.kinds import kind_named
from backsight.records.measures import SceneMeasures
from backsight.records.sequence import ObjectMotion, Sequence

LARGE_SHARE = 0.005
"""Of the picture: openings and furniture that cover it count."""
VISIBLE_SHARE = 16.0 / (128 * 96)
"""Of the picture: what covers it can be made out."""
COUNTED_PX = 128
"""Ids are counted on every so many-th pixel that this width is kept."""
LIGHT_PX = 64
"""Brightness is measured on about so many columns."""
_OPENINGS = ("door", "window")
_LINEAR_OF_BYTE = np.where(
    np.arange(256) <= 10, np.arange(256) / 255.0 / 12.92, ((np.arange(256) / 255.0 + 0.055) / 1.055) ** 2.4
).astype(np.float32)
"""Of sRGB (IEC 61966-2-1)."""


def measure_scene(sequence: Sequence) -> SceneMeasures:
    """Return the measures of what is shown and what happens; `records.measures` says what each means.

    Args:
        sequence: With ids that its annotations know.
    """
    annotations = sequence.annotations
    ids, shares = _shares(sequence)
    category = {thing.instance_id: thing.category for thing in annotations.objects}
    structure = {thing.instance_id for thing in annotations.objects if thing.is_structure}
    is_opening = np.array([category.get(number) in _OPENINGS for number in ids.tolist()], dtype=bool)
    is_thing = np.array([number != 0 and number not in structure for number in ids.tolist()], dtype=bool)
    made_out = (shares >= VISIBLE_SHARE) & is_thing
    brightness = _brightness(sequence)
    kind = kind_named(annotations.kind)
    asked = None if kind is None else kind.reasoning_type
    moved = [_how_it_moves(motion, sequence) for motion in annotations.motions]
    return SceneMeasures(
        corner_share=_corner_share(sequence),
        opening_share=float(((shares >= LARGE_SHARE) & is_opening).any(axis=1).mean()),
        furniture_per_frame=float(((shares >= LARGE_SHARE) & is_thing).sum(axis=1).mean()),
        things_per_frame=float(made_out.sum(axis=1).mean()),
        tracked_things=float((made_out.mean(axis=0) >= 0.5).sum()),
        brightness_ratio=float(brightness.max() / max(float(brightness.min()), 1e-6)),
        light_changes=float(sum(event.kind == "light_changed" for event in annotations.events)),
        moved_in_view=float(sum(in_view for in_view, _ in moved)),
        moved_unseen=float(sum(unseen for _, unseen in moved)),
        kind_instructions=float(sum(item.reasoning_type == asked for item in annotations.instructions)),
    )


def _corner_share(sequence: Sequence) -> float:
    camera = sequence.intrinsics, sequence.world_from_camera
    walls = wall_ids_of(sequence.annotations.objects)
    return float((wall_corner_rows(sequence.depth_m, sequence.instance_ids, walls, *camera) >= CORNER_ROWS).mean())


def _shares(sequence: Sequence) -> tuple[Int64[np.ndarray, " ids"], Float64[np.ndarray, "frames ids"]]:
    """Return the ids that occur, and which share of each frame they cover."""
    stride = max(sequence.image_size[0] // COUNTED_PX, 1)
    some = sequence.instance_ids[:, stride // 2 :: stride, stride // 2 :: stride].reshape(sequence.num_frames, -1)
    size = int(some.max(initial=0)) + 1
    key = some + (np.arange(sequence.num_frames) * size)[:, None]
    counts = np.bincount(key.ravel(), minlength=sequence.num_frames * size).reshape(sequence.num_frames, size)
    ids = np.flatnonzero(counts.any(axis=0))
    return ids, counts[:, ids] / some.shape[1]


def _brightness(sequence: Sequence) -> Float64[np.ndarray, " frames"]:
    """Return the mean linear light of each frame."""
    stride = max(sequence.image_size[0] // LIGHT_PX, 1)
    some = sequence.rgb[:, stride // 2 :: stride, stride // 2 :: stride]
    return _LINEAR_OF_BYTE[some].mean(axis=(1, 2, 3), dtype=np.float64)


def _how_it_moves(motion: ObjectMotion, sequence: Sequence) -> tuple[bool, bool]:
    """Return whether a thing moves while frames show it, and whether it moves unseen and is seen before and after.

    In view: each frame from the last one before a move to the first one after it shows it. Unseen: none of them does.
    """
    places = list(zip(motion.centres_m, motion.yaws_rad, strict=True))
    steps = np.array([one != other for one, other in zip(places[1:], places[:-1], strict=True)], dtype=bool)
    if not steps.any():
        return False, False
    moving = np.concatenate([steps, [False]]) | np.concatenate([[False], steps])
    shares = (sequence.instance_ids == motion.instance_id).mean(axis=(1, 2))
    made_out: Bool[np.ndarray, " frames"] = shares >= VISIBLE_SHARE
    first, last = np.flatnonzero(moving)[[0, -1]]
    unseen = not (shares[moving] > 0.0).any() and made_out[:first].any() and made_out[last + 1 :].any()
    return bool(made_out[moving].all()), bool(unseen)
