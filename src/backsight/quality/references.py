"""What an instruction refers to: the one rule that makes instructions and checks them."""

from collections.abc import Sequence

import numpy as np

from backsight.records.instruction import Instruction
from backsight.records.scene import SceneObject
from backsight.records.scene_relations import scene_relation_holds
from backsight.records.sequence import SequenceAnnotations


def objects_seen(annotations: SequenceAnnotations, last_frame: int) -> tuple[SceneObject, ...]:
    """Return the furniture of which the frames up to `last_frame` show at least one pixel, by rising id.

    Args:
        annotations: Of the walk.
        last_frame: Last frame looked at, inclusive.
    """
    seen = {item.instance_id for shown in annotations.visible_objects[: last_frame + 1] for item in shown}
    found = (thing for thing in annotations.objects if thing.instance_id in seen and not thing.is_structure)
    return tuple(sorted(found, key=lambda thing: thing.instance_id))


def matching_objects(instruction: Instruction, annotations: SequenceAnnotations) -> tuple[int, ...]:
    """Return the instances seen up to the current frame that fit everything the instruction names, by rising id.

    An instruction is unambiguous when this is exactly its target, and has no answer when this is empty.
    Its relation must hold to one of its anchors, by the rules of `records.scene_relations`, left and right as seen by
    the camera of its current frame.

    Args:
        instruction: What is named.
        annotations: Of the walk; its instructions are not looked at.
    """
    room_types = {room.room_id: room.room_type for room in annotations.rooms}
    fitting = [
        thing
        for thing in objects_seen(annotations, instruction.current_frame)
        if thing.category == instruction.category
        and instruction.colour in (None, thing.colour)
        and instruction.room_type in (None, room_types.get(thing.room_id))
    ]
    if instruction.relation is not None:
        fitting = _related(fitting, instruction.relation, instruction, annotations)
    return tuple(thing.instance_id for thing in fitting)


def _related(
    things: Sequence[SceneObject], relation: str, instruction: Instruction, annotations: SequenceAnnotations
) -> list[SceneObject]:
    anchors = [thing for thing in annotations.objects if thing.instance_id in instruction.anchor_ids]
    pose = annotations.world_from_camera[instruction.current_frame]
    world_from_viewer = np.array(pose, dtype=np.float64).reshape(4, 4)
    return [
        thing
        for thing in things
        if any(scene_relation_holds(relation, thing, anchor, world_from_viewer) for anchor in anchors)
    ]
