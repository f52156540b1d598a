"""What each frame shows and which spatial relations are true."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int32

from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.records.scene import SceneObject
from backsight.records.scene_relations import scene_relation_matrix
from backsight.records.sequence import (
    SequenceAnnotations,
    SpatialRelation,
    VisibleObject,
    annotation_arrays,
    objects_at,
)
from backsight.records.vocabulary import STORED_RELATIONS


def visible_objects(
    instance_ids: Int32[np.ndarray, "frames height width"], objects: Sequence[SceneObject]
) -> tuple[tuple[VisibleObject, ...], ...]:
    """Return per frame the furniture that at least one pixel shows, by falling pixel share.

    Args:
        instance_ids: Instance map of every frame; 0 = nothing.
        objects: All objects of the scene.

    Raises:
        ValueError: The map holds an id that the scene does not have.
    """
    frames, height, width = instance_ids.shape
    table_size = max((thing.instance_id for thing in objects), default=0) + 1
    if int(instance_ids.max(initial=0)) >= table_size or int(instance_ids.min(initial=0)) < 0:
        raise ValueError("the instance map holds ids that no object of the scene has")
    is_furniture = np.zeros(table_size, dtype=bool)
    is_furniture[[thing.instance_id for thing in objects if not thing.is_structure]] = True
    # Runs of one id along a row are some thirty times fewer than pixels.
    begins = np.ones((frames, height, width), dtype=bool)
    np.not_equal(instance_ids[:, :, 1:], instance_ids[:, :, :-1], out=begins[:, :, 1:])
    begin = np.flatnonzero(begins)
    length = np.diff(begin, append=instance_ids.size)
    number = instance_ids.reshape(-1)[begin]
    kept = is_furniture[number]
    line, left = np.divmod(begin[kept], width)
    frame, row = np.divmod(line, height)
    length = length[kept]
    key = frame * table_size + number[kept]
    order = np.argsort(key, kind="stable")
    shown, first = np.unique(key[order], return_index=True)
    if not len(shown):
        return ((),) * frames
    pixels = np.add.reduceat(length[order], first)
    edges = (left, row), (left + length, row + 1)
    low = [np.minimum.reduceat(values[order], first) for values in edges[0]]
    high = [np.maximum.reduceat(values[order], first) for values in edges[1]]
    boxes = np.stack([*low, *high], axis=-1)
    found: list[list[VisibleObject]] = [[] for _ in range(frames)]
    for index in np.lexsort((shown, -pixels)).tolist():
        left_px, top_px, right_px, bottom_px = boxes[index].tolist()
        in_frame, instance_id = divmod(int(shown[index]), table_size)
        share = float(pixels[index]) / (height * width)
        found[in_frame].append(VisibleObject(instance_id, share, (left_px, top_px, right_px, bottom_px)))
    return tuple(tuple(frame_objects) for frame_objects in found)


def true_relations(annotations: SequenceAnnotations, viewer_frames: Sequence[int]) -> tuple[SpatialRelation, ...]:
    """Return the relations of `STORED_RELATIONS` that hold between things of one room.

    World relations: between any two pieces of furniture seen in the walk that never move. Viewer relations: for each
    viewer frame, from what was seen up to it to what it shows, all things where they are in that frame.

    Args:
        annotations: Of the walk, with what its frames show and what moves in it.
        viewer_frames: Frames whose viewer relations are wanted.
    """
    visible = annotations.visible_objects
    _, world_from_camera = annotation_arrays(annotations)
    moving = {motion.instance_id for motion in annotations.motions}
    seen = things_seen(annotations.objects, visible, len(visible) - 1)
    seen = [thing for thing in seen if thing.instance_id not in moving]
    same_room = _same_room(seen)
    found: list[SpatialRelation] = []
    for relation in STORED_RELATIONS:
        if relation not in VIEWER_RELATIONS:
            holds = scene_relation_matrix(relation, seen) & same_room
            found += _listed(relation, holds, seen, None)
    for frame in viewer_frames:
        before = things_seen(objects_at(annotations, frame), visible, frame)
        shown = {item.instance_id for item in visible[frame]}
        is_shown = np.array([thing.instance_id in shown for thing in before], dtype=bool)
        for relation in STORED_RELATIONS:
            if relation in VIEWER_RELATIONS:
                holds = scene_relation_matrix(relation, before, world_from_camera[frame])
                found += _listed(relation, holds & _same_room(before) & is_shown[None, :], before, frame)
    return tuple(found)


def things_seen(
    objects: Sequence[SceneObject], visible: Sequence[Sequence[VisibleObject]], last_frame: int
) -> list[SceneObject]:
    """Return the furniture that at least one pixel of the frames up to `last_frame` shows, by rising id.

    Args:
        objects: All objects of the scene.
        visible: Per frame, what it shows.
        last_frame: Last frame looked at, inclusive.
    """
    seen = {item.instance_id for shown in visible[: last_frame + 1] for item in shown}
    return sorted((t for t in objects if t.instance_id in seen), key=lambda thing: thing.instance_id)


def _same_room(things: Sequence[SceneObject]) -> Bool[np.ndarray, "things things"]:
    rooms = np.array([thing.room_id for thing in things], dtype=np.int64)
    return rooms[:, None] == rooms[None, :]


def _listed(
    relation: str,
    holds: Bool[np.ndarray, "things things"],
    things: Sequence[SceneObject],
    frame: int | None,
) -> list[SpatialRelation]:
    return [
        SpatialRelation(things[subject].instance_id, relation, things[anchor].instance_id, frame)
        for subject, anchor in np.argwhere(holds)
    ]
