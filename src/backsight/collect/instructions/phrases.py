"""English for instructions, answers and reasoning steps."""

from collections.abc import Sequence

DEFINITE_FRAMES = (
    "Where is {the}?",
    "Where was {the}?",
    "Where did you see {the}?",
    "Find {the}.",
    "Go to {the}.",
    "Walk to {the}.",
    "Show me {the}.",
    "Look for {the}.",
    "Point at {the}.",
    "Take me back to {the}.",
    "Go back to {the}.",
    "Please find {the}.",
    "Can you show me {the}?",
    "I am looking for {the}.",
)
INDEFINITE_FRAMES = (
    "Have you seen {a}?",
    "Is there {a}?",
    "Did we pass {a}?",
    "Do you remember {a}?",
)
"""Used with and without an answer in memory, like the definite ones, so that the wording gives nothing away."""
SENTENCE_FRAMES = DEFINITE_FRAMES + INDEFINITE_FRAMES

RELATION_WORDING = {
    "left of": ("left of", "to the left of"),
    "right of": ("right of", "to the right of"),
    "next to": ("next to", "beside"),
    "on": ("on", "on top of"),
}

VISIBLE_ANSWER = "visible now"
ABSENT_ANSWER = "not seen"


def with_article(noun_phrase: str) -> str:
    """Return the noun phrase with 'a' or 'an'.

    Args:
        noun_phrase: Begins with a word of the vocabulary: its first letter decides.
    """
    return ("an " if noun_phrase[0] in "aeiou" else "a ") + noun_phrase


def plural(noun: str) -> str:
    """Return the plural of a category name.

    Args:
        noun: Category name in the singular.
    """
    if noun.endswith("f"):
        return noun[:-1] + "ves"
    return noun + ("es" if noun.endswith(("x", "s", "ch", "sh")) else "s")


def noun_phrase(category: str, colour: str | None) -> str:
    """Return colour and category without an article.

    Args:
        category: Category name.
        colour: Colour name, where one is named.
    """
    return category if colour is None else f"{colour} {category}"


def place_phrase(relation_words: str | None, anchor: str | None, room_type: str | None) -> str:
    """Return what follows the noun phrase: ' left of the table', ' in the kitchen' or nothing.

    Args:
        relation_words: Wording of the relation, where one is named.
        anchor: Noun phrase of the anchor, without an article.
        room_type: Room, where one is named.
    """
    relation = f" {relation_words} the {anchor}" if relation_words is not None else ""
    return relation + (f" in the {room_type}" if room_type is not None else "")


def sentence(frame: str, noun: str, place: str) -> str:
    """Return a sentence frame filled in.

    Args:
        frame: One of `SENTENCE_FRAMES`.
        noun: Noun phrase without an article.
        place: From `place_phrase`.
    """
    return frame.format(the=f"the {noun}{place}", a=f"{with_article(noun)}{place}")


def seen_answer(frames_ago: int, room_type: str) -> str:
    """Return the answer for a target that was seen before and is not visible now.

    Args:
        frames_ago: How many frames before the current one it was last seen well; at least 1.
        room_type: Room it is in.
    """
    return f"seen {frames_ago} {'frame' if frames_ago == 1 else 'frames'} ago in the {room_type}"


def reasoning_steps(
    noun: str, room_type: str, last_frame: int, frames_seen: int, distractors: Sequence[str]
) -> tuple[str, ...]:
    """Return true sentences that lead to a target.

    Args:
        noun: Noun phrase of the target, without an article.
        room_type: Room it is in.
        last_frame: Frame in which it was last seen well.
        frames_seen: Number of frames that show it well.
        distractors: Categories of the other things of its kind.
    """
    times = "1 frame" if frames_seen == 1 else f"{frames_seen} frames"
    steps = [f"The {noun} is in the {room_type}.", f"It is seen in {times}, last in frame {last_frame}."]
    if len(distractors) == 1:
        steps.append(f"1 other {distractors[0]} was seen.")
    elif distractors:
        steps.append(f"{len(distractors)} other {plural(distractors[0])} were seen.")
    return tuple(steps)
