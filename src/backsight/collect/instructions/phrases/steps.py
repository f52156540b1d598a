"""Reasoning steps in words, each with the claim that its sentence makes (`quality.claims`)."""

from backsight.collect.instructions.phrases.grammar import capitalised, counted
from backsight.quality.answers import within_room
from backsight.records.instruction import Step


def in_room(noun: str, subject_id: int, room_type: str) -> Step:
    """Say which room a thing is in."""
    return Step(f"The {noun} is {within_room(room_type)}.", "in_room", subject_id, word=room_type)


def colour_of(noun: str, subject_id: int, colour: str) -> Step:
    """Say which colour a thing has."""
    return Step(f"The {noun} is {colour}.", "colour_of", subject_id, word=colour)


def seen_in_frames(subject_id: int, frames: int) -> Step:
    """Say how many frames show a thing well."""
    times = "1 frame shows" if frames == 1 else f"{frames} frames show"
    return Step(f"{times} it well.", "seen_in_frames", subject_id, number=float(frames))


def last_seen(words: str, subject_id: int, frame: int) -> Step:
    """Say which frame was the last that shows a thing well.

    Args:
        words: 'it', or the thing with its article.
        subject_id: Its id.
        frame: The last frame.
    """
    return Step(f"Frame {frame} is the last that shows {words} well.", "last_seen", subject_id, frame=frame)


def visible_now(noun: str, subject_id: int, visible: bool) -> Step:
    """Say whether the current frame shows a thing."""
    text = f"The {noun} is {'' if visible else 'not '}visible now."
    return Step(text, "visible_now", subject_id, word=None if visible else "not")


def count_of_category_seen(category: str, number: int) -> Step:
    """Say how many things of a category were seen."""
    text = capitalised(f"{counted(number, category)} {'was' if number == 1 else 'were'} seen.")
    return Step(text, "count_of_category_seen", word=category, number=float(number))


def relation(noun: str, subject_id: int, word: str, anchor: str, anchor_ids: tuple[int, ...]) -> Step:
    """Say how a thing lies to others.

    Args:
        noun: The thing, without an article.
        subject_id: Its id.
        word: Name of the relation.
        anchor: The others, with their articles.
        anchor_ids: Their ids.
    """
    return Step(f"The {noun} is {word} {anchor}.", "relation", subject_id, anchor_ids, word=word)


def only_one_related(noun: str, ids: tuple[int, int], word: str, anchor: str, names_colour: bool) -> Step:
    """Say that one thing alone of its kind lies so to another.

    Args:
        noun: The thing, without an article.
        ids: Its id and that of the other.
        word: Name of the relation.
        anchor: The other, without an article.
        names_colour: Whether the noun names the colour.
    """
    text = f"Only one {noun} is {word} the {anchor}."
    return Step(text, "only_one_related", ids[0], (ids[1],), word=word, number=1.0 if names_colour else None)


def order(noun: str, subject_id: int, place: tuple[int, str], words: str) -> Step:
    """Say which place a thing has in the row of its kind.

    Args:
        noun: The thing, without an article.
        subject_id: Its id.
        place: Its number, and the side from which it is counted.
        words: The place in words: 'second from the left'.
    """
    number, side = place
    return Step(f"The {noun} is the {words} in view.", "order", subject_id, word=side, number=float(number))


def none_fits(noun: str, place: str) -> Step:
    """Say that nothing seen fits.

    Args:
        noun: Without an article.
        place: What follows it.
    """
    return Step(f"No {noun}{place} was seen.", "none_fits")
