"""What frames show of the furniture, derived again from the instance maps."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int32

from backsight.quality.judgement import Problem
from backsight.records.sequence import Sequence, VisibleObject


def furniture_in_view(
    instance_ids: Int32[np.ndarray, "frames height width"], furniture: set[int]
) -> list[tuple[VisibleObject, ...]]:
    """Return per frame what the instance maps show of the furniture, by falling share of pixels.

    Runs of one id along a row are counted, which are far fewer than pixels.

    Args:
        instance_ids: Of all frames.
        furniture: Ids that count.
    """
    frames, height, width = instance_ids.shape
    size = int(instance_ids.max(initial=0)) + 1
    counts = np.zeros(size, dtype=bool)
    counts[[number for number in furniture if number < size]] = True
    flat = instance_ids.reshape(-1)
    ends = np.empty(flat.shape, dtype=bool)
    np.not_equal(flat[1:], flat[:-1], out=ends[:-1])
    ends[width - 1 :: width] = True
    stop = np.flatnonzero(ends) + 1
    start = np.concatenate([[0], stop[:-1]])
    number = flat.take(start)
    kept = np.flatnonzero(counts[number])
    start, stop, number = start[kept], stop[kept], number[kept].astype(np.int64)
    line = start // width
    key = line // height * size + number
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    if not len(first):
        return [()] * frames
    left, right, row = start[order] - line[order] * width, stop[order] - line[order] * width, line[order] % height
    pixels = np.add.reduceat(right - left, first).tolist()
    bounds = (
        np.minimum.reduceat(left, first).tolist(),
        np.minimum.reduceat(row, first).tolist(),
        np.maximum.reduceat(right, first).tolist(),
        (np.maximum.reduceat(row, first) + 1).tolist(),
    )
    shown: list[list[VisibleObject]] = [[] for _ in range(frames)]
    for cell, count, *box in zip(key[first].tolist(), pixels, *bounds, strict=True):
        frame, thing = divmod(cell, size)
        shown[frame].append(VisibleObject(thing, count / (height * width), (box[0], box[1], box[2], box[3])))
    return [tuple(sorted(seen, key=lambda entry: (-entry.pixel_share, entry.instance_id))) for seen in shown]


def visibility_problems(sequence: Sequence) -> Iterator[Problem]:
    """Yield everything that frames show otherwise than stated.

    Args:
        sequence: With a sound table of objects.
    """
    annotations = sequence.annotations
    furniture = {item.instance_id for item in annotations.objects if not item.is_structure}
    if not annotations.visible_objects:
        if furniture:
            yield "visible_objects", "is empty although there are objects", None
        return
    shown = furniture_in_view(sequence.instance_ids, furniture)
    for frame, stated in enumerate(annotations.visible_objects):
        if stated == shown[frame]:
            continue
        derived = {entry.instance_id: entry for entry in shown[frame]}
        if len({entry.instance_id for entry in stated}) != len(stated):
            yield "visible_objects", "names an object twice", frame
        for number in sorted(set(derived) ^ {entry.instance_id for entry in stated}):
            verb = "shows" if number in derived else "does not show"
            yield "visible_objects", f"the instance map {verb} object {number}", frame
        for entry in stated:
            truth = derived.get(entry.instance_id)
            if truth is None:
                continue
            if truth.box_px != entry.box_px:
                problem = f"object {entry.instance_id} fills {truth.box_px}, stated {entry.box_px}"
                yield "visible_objects.box_px", problem, frame
            if abs(truth.pixel_share - entry.pixel_share) > 1e-9:
                problem = f"object {entry.instance_id} has {truth.pixel_share:.6f}, stated {entry.pixel_share:.6f}"
                yield "visible_objects.pixel_share", problem, frame
        shares = [entry.pixel_share for entry in stated]
        if shares != sorted(shares, reverse=True):
            yield "visible_objects", "is not ordered by falling share", frame
