"""Answers in words: what each must be, by what was seen."""

from backsight.quality.situation import Situation
from backsight.records.vocabulary import UNNAMED_ROOM_TYPE

VISIBLE_ANSWER = "visible now"
ABSENT_ANSWER = "not seen"

CHOICES: tuple[tuple[str, str], ...] = (
    ("left of", "right of"),
    ("in front of", "behind"),
    ("above", "below"),
    ("on", "under"),
    ("inside", "outside"),
    ("near", "far from"),
)
"""Relations of which one is right and the other wrong."""
_CHOICE_ANSWERS = {"left of": "left", "right of": "right", "in front of": "in front", "far from": "far"}


def choice_answer(relation: str) -> str:
    """Return the word that answers a question which of two relations holds.

    Args:
        relation: The one that does.
    """
    return _CHOICE_ANSWERS.get(relation, relation)


CHOICE_ANSWERS: frozenset[str] = frozenset(choice_answer(relation) for options in CHOICES for relation in options)
"""All these words."""


def whereabouts_answer(situation: Situation, instance_id: int) -> str | None:
    """Return 'visible now', or how long ago a thing was seen well and in which room; None where it never was.

    Args:
        situation: At a current frame.
        instance_id: Of the thing.
    """
    thing, last = situation.thing(instance_id), situation.last_shown_well(instance_id)
    if thing is None:
        return None
    if situation.is_visible[situation.column[instance_id]]:
        return VISIBLE_ANSWER
    if last is None:
        return None
    ago, room_type = situation.frame - last, situation.room_type_of(thing)
    place = f" {within_room(room_type)}" if room_type != UNNAMED_ROOM_TYPE else ""
    return f"seen {ago} {'frame' if ago == 1 else 'frames'} ago{place}"


def within_room(room_type: str) -> str:
    """Return 'in the kitchen', 'on the landing'.

    Args:
        room_type: A name of `vocabulary.ROOM_TYPES`.
    """
    return f"{'on' if room_type == 'landing' else 'in'} the {room_type}"
