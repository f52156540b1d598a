"""What an instruction refers to: the one rule that makes instructions and checks them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from backsight.geometry.group_relations import GROUP_RELATIONS, among_matrix, between_triples
from backsight.quality.situation import Situation, objects_seen
from backsight.records.instruction import Instruction
from backsight.records.scene import SceneObject
from backsight.records.scene_relations import scene_relation_matrix
from backsight.records.sequence import SequenceAnnotations

__all__ = ["in_order", "matching_in", "matching_objects", "objects_seen", "relation_to_all"]


def matching_objects(instruction: Instruction, annotations: SequenceAnnotations) -> tuple[int, ...]:
    """Return the instances seen up to the current frame that fit everything the instruction names, by rising id.

    An instruction that names a thing is unambiguous when this is exactly its target, and has no answer when this is
    empty. Its relation must hold to one of its anchors, for 'between' to both, for 'among' to all together, by the
    rules of `records.scene_relations` and `geometry.group_relations`; left and right as seen by the camera of its
    current frame; things that move are where they are in it. An order ('the second chair from the left') is what its
    step of that claim says.

    Args:
        instruction: What is named.
        annotations: Of the walk; its instructions are not looked at.
    """
    return matching_in(instruction, Situation.of(annotations, instruction.current_frame))


def matching_in(instruction: Instruction, situation: Situation) -> tuple[int, ...]:
    """Return what `matching_objects` does, where the situation at the current frame is known.

    Args:
        instruction: What is named.
        situation: At its current frame.
    """
    fitting = [
        thing
        for thing in situation.things
        if thing.category == instruction.category
        and instruction.colour in (None, thing.colour)
        and instruction.room_type in (None, situation.room_types.get(thing.room_id))
    ]
    for step in instruction.steps:
        if step.claim == "order" and step.word is not None and step.number is not None:
            row = in_order(instruction.category or "", step.word, situation)
            counted = row[int(step.number) - 1 : int(step.number)] if step.number >= 1 else ()
            fitting = [thing for thing in fitting if thing.instance_id in counted]
    if instruction.relation is not None and fitting:
        anchors = [thing for thing in situation.things if thing.instance_id in instruction.anchor_ids]
        holds = _relation_to_any(instruction.relation, fitting, anchors, situation)
        fitting = [fitting[index] for index in np.flatnonzero(holds)]
    return tuple(thing.instance_id for thing in fitting)


def _relation_to_any(
    relation: str, things: Sequence[SceneObject], anchors: Sequence[SceneObject], situation: Situation
) -> Bool[np.ndarray, " things"]:
    if relation in GROUP_RELATIONS:
        return relation_to_all(relation, things, anchors, situation)
    return _pairs(relation, things, anchors, situation).any(axis=1)


def relation_to_all(
    relation: str, things: Sequence[SceneObject], anchors: Sequence[SceneObject], situation: Situation
) -> Bool[np.ndarray, " things"]:
    """Return which things are in a relation to every anchor; between both of two; among all of them.

    Args:
        relation: A name of `vocabulary.RELATIONS` or `group_relations.GROUP_RELATIONS`.
        things: Subjects.
        anchors: What they are related to.
        situation: Whose viewer it is.
    """
    if relation == "between":
        if len(anchors) != 2:
            return np.zeros(len(things), dtype=bool)
        return np.array([_is_between(thing, anchors) for thing in things], dtype=bool)
    if relation == "among":
        return np.array([_is_among(thing, anchors) for thing in things], dtype=bool)
    return _pairs(relation, things, anchors, situation).all(axis=1)


def _pairs(
    relation: str, things: Sequence[SceneObject], anchors: Sequence[SceneObject], situation: Situation
) -> Bool[np.ndarray, "things anchors"]:
    """Return which thing is in the relation to which anchor; nothing is to itself."""
    everything = {thing.instance_id: thing for thing in (*things, *anchors)}
    row = {number: index for index, number in enumerate(everything)}
    holds = scene_relation_matrix(relation, tuple(everything.values()), situation.world_from_viewer)
    subjects = [row[thing.instance_id] for thing in things]
    return holds[np.ix_(subjects, [row[anchor.instance_id] for anchor in anchors])]


def _is_between(thing: SceneObject, anchors: Sequence[SceneObject]) -> bool:
    triples = between_triples([thing.box, *(anchor.box for anchor in anchors)])
    is_other = all(anchor.instance_id != thing.instance_id for anchor in anchors)
    return is_other and [0, 1, 2] in triples.tolist()


def _is_among(thing: SceneObject, anchors: Sequence[SceneObject]) -> bool:
    """Whether the anchors are of one category and the thing stands among them, itself not counted."""
    others = [anchor for anchor in anchors if anchor.instance_id != thing.instance_id]
    if not others or len({anchor.category for anchor in others}) != 1:
        return False
    kinds = np.array([0, *(1 for _ in others)], dtype=np.int64)
    return bool(among_matrix([thing.box, *(anchor.box for anchor in others)], kinds)[0, 1])


def in_order(category: str, side: str, situation: Situation) -> tuple[int, ...]:
    """Return the things of a category that the current frame shows so that they can be made out, from one side on.

    What counts is the middle of the image box.

    Args:
        category: Their category.
        side: 'left' or 'right': where counting begins.
        situation: At the current frame.
    """
    shown = {item.instance_id: item.box_px for item in situation.annotations.visible_objects[situation.frame]}
    row = [
        (shown[thing.instance_id][0] + shown[thing.instance_id][2], thing.instance_id)
        for thing, visible in zip(situation.things, situation.is_visible, strict=True)
        if visible and thing.category == category
    ]
    return tuple(number for _, number in sorted(row, reverse=side == "right"))
