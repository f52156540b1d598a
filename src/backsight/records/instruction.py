"""An instruction, its target and how it was made."""

import msgspec


class Instruction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence that names a target as seen from one current frame."""

    instruction_id: str
    text: str
    reasoning_type: str
    """A name of `vocabulary.REASONING_TYPES`."""
    complexity: str
    """simple, medium or complex."""
    frame_of_reference: str
    """viewer (of the current frame) or world."""
    current_frame: int
    """Index of the frame in which its words are true; the history ends there."""
    category: str
    """Category that it names."""
    colour: str | None
    """Colour that it names, if any."""
    relation: str | None
    """Relation of the target to an anchor, a name of `vocabulary.RELATIONS`, if it names one."""
    anchor_ids: tuple[int, ...]
    """Instances that the relation refers to."""
    room_type: str | None
    """Room that it names, if any."""
    target_instance_ids: tuple[int, ...]
    """Empty: nothing in memory fits and every target presence is false."""
    distractor_ids: tuple[int, ...]
    """Other instances of the same category seen up to the current frame."""
    answer: str
    """The answer text: where the target is, or that nothing of the kind was seen."""
    steps: tuple[str, ...] = ()
    """Reasoning steps as short sentences, each true by the geometry."""
