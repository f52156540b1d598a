"""An instruction, its target and how it was made."""

import msgspec


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of floor: all of it that lies near a line."""

    points_m: tuple[tuple[float, float, float], ...]
    """World points on the floor, joined by straight lines; a single one is the middle of a disc."""
    radius_m: float
    """Seen from above, how near the line the floor belongs to the place."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of reasoning: a sentence, and what it claims in a form that can be checked."""

    text: str
    claim: str
    """A name of `quality.claims.CLAIMS`: which rule decides whether it is true."""
    subject_id: int | None = None
    """The thing that it is about."""
    other_ids: tuple[int, ...] = ()
    word: str | None = None
    """A relation, a room type, a direction: whatever the claim names in words."""
    frame: int | None = None
    number: float | None = None
    points_m: tuple[tuple[float, float, float], ...] = ()
    """World points that it is about: a way over the floor, the spot of a turn."""


class Instruction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence that names a target, or asks about one, as seen from one current frame."""

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
    category: str | None
    """Category that it names; None where it names none, as in 'what has moved?'."""
    colour: str | None
    """Colour that it names, if any."""
    relation: str | None
    """Relation of the target to anchors, a name of `vocabulary.RELATIONS` or of `group_relations.GROUP_RELATIONS`, if
    it names one."""
    anchor_ids: tuple[int, ...]
    """Instances that the relation refers to: one, two for 'between', all of the kind that stand round for 'among'."""
    room_type: str | None
    """Room that it names, if any."""
    target_instance_ids: tuple[int, ...]
    """Empty, and no place: nothing in memory fits and every target presence is false."""
    distractor_ids: tuple[int, ...]
    """Other instances of the target's category seen up to the current frame."""
    answer: str
    """The answer text."""
    steps: tuple[Step, ...] = ()
    """Reasoning steps, each true by the geometry."""
    target_place: Place | None = None
    """Where the answer is a place: the next stretch of a way, the spot where the camera stood."""
    imagined_view: int | None = None
    """Index of the imagined view that it asks about ('if I turned around, where would the sofa be?')."""


class RouteInstruction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A walk in words, in the manner of room-to-room instructions: 'go past the table, turn left at the door'."""

    text: str
    first_frame: int
    last_frame: int
    landmark_ids: tuple[int, ...]
    """Things that it names, in order."""
    steps: tuple[Step, ...]
    """What each of its clauses claims."""
