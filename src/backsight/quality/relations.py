"""Spatial relations, derived again from the boxes."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.quality.judgement import Problem
from backsight.records.scene import SceneObject
from backsight.records.scene_relations import scene_relation_matrix
from backsight.records.sequence import SequenceAnnotations, SpatialRelation, objects_at
from backsight.records.vocabulary import RELATIONS


def relation_problems(annotations: SequenceAnnotations) -> Iterator[Problem]:
    """Yield relations that the boxes do not bear out, where things are in the frame of the viewer.

    Args:
        annotations: With a sound table of objects.
    """
    by_id = {item.instance_id: item for item in annotations.objects}
    moving = {motion.instance_id for motion in annotations.motions}
    groups: dict[tuple[str, int | None], list[tuple[int, SpatialRelation]]] = defaultdict(list)
    for index, stated in enumerate(annotations.relations):
        field = f"relations[{index}]"
        needs_viewer = stated.relation in VIEWER_RELATIONS
        if stated.relation not in RELATIONS:
            yield f"{field}.relation", f"{stated.relation!r} is not in the vocabulary", stated.frame
        elif stated.subject_id not in by_id or stated.anchor_id not in by_id:
            yield field, f"there is no object {stated.subject_id} or {stated.anchor_id}", stated.frame
        elif needs_viewer != (stated.frame is not None):
            yield (
                f"{field}.frame",
                f"{stated.relation!r} {'needs a' if needs_viewer else 'has no'} viewer",
                stated.frame,
            )
        elif stated.frame is not None and not 0 <= stated.frame < len(annotations.world_from_camera):
            yield f"{field}.frame", "is no frame of the walk", stated.frame
        elif moving and stated.frame is None and {stated.subject_id, stated.anchor_id} & moving:
            yield field, "says of a thing that moves what holds in the world at all times", None
        else:
            groups[stated.relation, stated.frame].append((index, stated))
    for (relation, frame), members in groups.items():
        here = by_id if frame is None or not moving else {t.instance_id: t for t in objects_at(annotations, frame)}
        yield from _false_relations(annotations, here, relation, frame, members)


def _false_relations(
    annotations: SequenceAnnotations,
    by_id: dict[int, SceneObject],
    relation: str,
    frame: int | None,
    members: list[tuple[int, SpatialRelation]],
) -> Iterator[Problem]:
    involved = sorted({number for _, stated in members for number in (stated.subject_id, stated.anchor_id)})
    place = {number: index for index, number in enumerate(involved)}
    viewer = None if frame is None else np.array(annotations.world_from_camera[frame], dtype=np.float64).reshape(4, 4)
    holds = scene_relation_matrix(relation, [by_id[number] for number in involved], viewer)
    for index, stated in members:
        if not holds[place[stated.subject_id], place[stated.anchor_id]]:
            problem = f"object {stated.subject_id} is not {relation} object {stated.anchor_id}"
            yield f"relations[{index}]", problem, frame
