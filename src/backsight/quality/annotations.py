"""Annotation consistency: everything said about a walk, derived again from its images and boxes."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from jaxtyping import Int32
from scipy.ndimage import find_objects

from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.quality.instructions import instruction_problems
from backsight.quality.routes import route_problems
from backsight.records.quality import Finding
from backsight.records.scene import SceneObject
from backsight.records.scene_relations import scene_relation_matrix
from backsight.records.sequence import Sequence, SequenceAnnotations, SpatialRelation, VisibleObject
from backsight.records.vocabulary import CATEGORIES, COLOURS, RELATIONS
from backsight.storage.layout import ANNOTATIONS_FILE, IMAGINED_INSTANCES_FILE, INSTANCES_FILE, path_in_dataset

Problem = tuple[str, str, int | None]
"""Field, what is wrong, frame."""


def score_annotations(sequence: Sequence) -> tuple[float, list[Finding]]:
    """Return the share of checked statements that are true, and every false one as a hard failure.

    Args:
        sequence: With finite images and rigid poses.
    """
    annotations = sequence.annotations
    path = path_in_dataset(annotations.sequence_id, ANNOTATIONS_FILE)
    problems = list(_table_problems(annotations))
    if not problems:
        problems += _visibility_problems(sequence)
        problems += _relation_problems(annotations)
        problems += instruction_problems(annotations)
        problems += route_problems(annotations)
    findings = [Finding(path, field, problem, frame) for field, problem, frame in problems]
    findings += _unknown_ids(sequence)
    statements = 1 + sequence.num_frames + len(annotations.relations) + len(annotations.instructions)
    return max(0.0, 1.0 - len(findings) / statements), findings


def _unknown_ids(sequence: Sequence) -> list[Finding]:
    name = sequence.annotations.sequence_id
    known = np.array([0, *(item.instance_id for item in sequence.annotations.objects)])
    images = [(INSTANCES_FILE, sequence.instance_ids)]
    if sequence.imagined is not None:
        images.append((IMAGINED_INSTANCES_FILE, sequence.imagined.instance_ids))
    return [
        Finding(path_in_dataset(name, file), "instance_ids", f"id {number} is no object of the annotations")
        for file, ids in images
        for number in np.setdiff1d(np.unique(ids), known).tolist()
    ]


def _table_problems(annotations: SequenceAnnotations) -> Iterator[Problem]:
    rooms = {room.room_id for room in annotations.rooms}
    ids = {item.instance_id for item in annotations.objects}
    if len(rooms) != len(annotations.rooms) or len(ids) != len(annotations.objects):
        yield "objects", "an object or room id occurs twice", None
    for index, item in enumerate(annotations.objects):
        field = f"objects[{index}]"
        if item.category not in CATEGORIES:
            yield f"{field}.category", f"{item.category!r} is not in the vocabulary", None
        if item.colour is not None and item.colour not in COLOURS:
            yield f"{field}.colour", f"{item.colour!r} is not in the vocabulary", None
        if item.room_id not in rooms:
            yield f"{field}.room_id", f"there is no room {item.room_id}", None
        if item.supported_by is not None and item.supported_by not in ids:
            yield f"{field}.supported_by", f"there is no object {item.supported_by}", None
        numbers = np.array([*item.box.centre_m, *item.box.size_m, item.box.yaw_rad])
        if not np.isfinite(numbers).all() or min(item.box.size_m) <= 0.0:
            yield f"{field}.box", "is empty or not finite", None


def furniture_in_view(
    instance_ids: Int32[np.ndarray, "height width"], furniture: set[int]
) -> tuple[VisibleObject, ...]:
    """Return what an instance map shows of the furniture, by falling share of pixels.

    Args:
        instance_ids: One frame.
        furniture: Ids that count.
    """
    pixels = np.bincount(instance_ids.ravel())
    boxes = find_objects(instance_ids)
    seen = []
    for number in sorted(furniture & set(np.flatnonzero(pixels).tolist())):
        rows, columns = boxes[number - 1]
        box = (columns.start, rows.start, columns.stop, rows.stop)
        seen.append(VisibleObject(number, int(pixels[number]) / instance_ids.size, box))
    return tuple(sorted(seen, key=lambda entry: (-entry.pixel_share, entry.instance_id)))


def _visibility_problems(sequence: Sequence) -> Iterator[Problem]:
    annotations = sequence.annotations
    furniture = {item.instance_id for item in annotations.objects if not item.is_structure}
    if not annotations.visible_objects:
        if furniture:
            yield "visible_objects", "is empty although there are objects", None
        return
    for frame, stated in enumerate(annotations.visible_objects):
        derived = {entry.instance_id: entry for entry in furniture_in_view(sequence.instance_ids[frame], furniture)}
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


def _relation_problems(annotations: SequenceAnnotations) -> Iterator[Problem]:
    by_id = {item.instance_id: item for item in annotations.objects}
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
        else:
            groups[stated.relation, stated.frame].append((index, stated))
    for (relation, frame), members in groups.items():
        yield from _false_relations(annotations, by_id, relation, frame, members)


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
