"""Relations between the things of a scene: the rules of `geometry.relations`, and what only the scene knows."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from backsight.geometry.box_measures import BoxMeasures
from backsight.geometry.relations import measured_relation_matrix
from backsight.records.scene import SceneObject
from backsight.records.vocabulary import CONTAINER_CATEGORIES


def scene_relation_matrix(
    relation: str, things: Sequence[SceneObject], world_from_viewer: Float64[np.ndarray, "4 4"] | None = None
) -> Bool[np.ndarray, "subjects anchors"]:
    """Return for every ordered pair of things whether the relation is true; nothing relates to itself.

    The boxes decide by the rules of `geometry.relations.relation_matrix`, with two additions, since the box of a sofa
    ends at its back and not at its seat:
    inside: the anchor's category is one of `CONTAINER_CATEGORIES`.
    on: also what the scene says is supported by an anchor and is not inside it, where its centre lies in the anchor's
    footprint and its bottom within the anchor's height.

    Args:
        relation: A name of `vocabulary.RELATIONS`.
        things: Subjects (rows) and anchors (columns).
        world_from_viewer: Camera pose of the viewer; needed by viewer relations, not used by the others.

    Raises:
        ValueError: The relation is unknown or its viewer is missing.
    """
    return _matrix(relation, things, BoxMeasures([thing.box for thing in things]), world_from_viewer)


def scene_relation_matrices(
    relations: Sequence[str],
    things: Sequence[SceneObject],
    world_from_viewer: Float64[np.ndarray, "4 4"] | None = None,
) -> dict[str, Bool[np.ndarray, "subjects anchors"]]:
    """Return `scene_relation_matrix` of several relations, in less time than one by one.

    Args:
        relations: Names of `vocabulary.RELATIONS`.
        things: Subjects (rows) and anchors (columns).
        world_from_viewer: Camera pose of the viewer; needed by viewer relations, not used by the others.

    Raises:
        ValueError: A relation is unknown or its viewer is missing.
    """
    measures = BoxMeasures([thing.box for thing in things])
    return {relation: _matrix(relation, things, measures, world_from_viewer) for relation in relations}


def _matrix(
    relation: str,
    things: Sequence[SceneObject],
    measures: BoxMeasures,
    world_from_viewer: Float64[np.ndarray, "4 4"] | None,
) -> Bool[np.ndarray, "subjects anchors"]:
    holds = measured_relation_matrix(relation, measures, world_from_viewer)
    if not things or relation not in ("inside", "on"):
        return holds
    contains = np.array([thing.category in CONTAINER_CATEGORIES for thing in things], dtype=bool)
    if relation == "inside":
        return holds & contains[None, :]
    inside = measured_relation_matrix("inside", measures) & contains[None, :]
    number = np.array([thing.instance_id for thing in things], dtype=np.int64)
    support = np.array([thing.supported_by or 0 for thing in things], dtype=np.int64)
    bottom, top = measures.bottoms_m, measures.tops_m
    carried = (support[:, None] == number[None, :]) & (measures.centre_to_footprint_m <= 0.0) & ~inside
    carried &= (bottom[:, None] >= bottom[None, :]) & (bottom[:, None] <= top[None, :])
    return holds | (carried & ~np.eye(len(things), dtype=bool))


def scene_relation_holds(
    relation: str,
    subject: SceneObject,
    anchor: SceneObject,
    world_from_viewer: Float64[np.ndarray, "4 4"] | None = None,
) -> bool:
    """Return whether `subject` `relation` `anchor` is true; the rules are those of `scene_relation_matrix`.

    Args:
        relation: A name of `vocabulary.RELATIONS`.
        subject: The thing that the sentence is about.
        anchor: The thing that it is related to.
        world_from_viewer: Camera pose of the viewer; needed by viewer relations, not used by the others.

    Raises:
        ValueError: The relation is unknown or its viewer is missing.
    """
    return bool(scene_relation_matrix(relation, [subject, anchor], world_from_viewer)[0, 1])
