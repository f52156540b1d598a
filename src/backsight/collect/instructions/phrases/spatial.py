"""Sentences about things and how they lie to each other."""

from backsight.quality.answers import within_room
from backsight.records.vocabulary import RELATION_WORDING

SENTENCE_FRAMES = (
    "Where is {the}?",
    "Tell me where I can find {the}.",
    "Do you know where I can find {the}?",
    "Find {the}.",
    "Go to {the}.",
    "Walk to {the}.",
    "Show me {the}.",
    "Look for {the}.",
    "Point at {the}.",
    "Take me to {the}.",
    "Please find {the}.",
    "Can you show me {the}?",
    "I am looking for {the}.",
    "Have you seen {a}?",
    "Is there {a}?",
    "Did you notice {a}?",
)
"""Ways to ask for a thing, seen or not, so that the wording gives nothing away."""
RECALL_FRAMES = (
    "Where was {the}?",
    "Where did you see {the}?",
    "Take me back to {the}.",
    "Go back to {the}.",
    "Did we pass {a}?",
    "Do you remember {a}?",
)
"""More ways, for what is not in view: nobody goes back to what is right there, or asks where it was."""

CHOICE_FRAMES = (
    "Is {the} {first} or {second} {anchor}?",
    "Tell me whether {the} is {first} or {second} {anchor}.",
    "Tell me if {the} is {first} or {second} {anchor}.",
    "Do you know if {the} is {first} or {second} {anchor}?",
    "Please tell me whether {the} is {first} or {second} {anchor}.",
    "Can you tell whether {the} is {first} or {second} {anchor}?",
    "Can you say if {the} is {first} or {second} {anchor}?",
    "Would you say that {the} is {first} or {second} {anchor}?",
    "Where is {the}: {first} or {second} {anchor}?",
    "Please say whether {the} is {first} or {second} {anchor}.",
    "I want to know if {the} is {first} or {second} {anchor}.",
    "Look at {the}: is it {first} or {second} {anchor}?",
    "Think of {the}: is it {first} or {second} {anchor}?",
    "Which is true of {the}: is it {first} or {second} {anchor}?",
)
"""Ways to ask which of two relations holds."""

ROW_FRAMES = (
    "Where is {the} in this view?",
    "Find {the} in this view.",
    "Point at {the} in this view.",
    "Go to {the} in this view.",
    "Walk to {the} in this view.",
    "Show me {the} in this view.",
    "In this view, find {the}.",
    "In this view, where is {the}?",
    "In this view, point at {the}.",
    "In this view, show me {the}.",
    "As seen from here, find {the}.",
    "As seen from here, where is {the}?",
    "In this view, which is {the}?",
    "Looking from here, point at {the}.",
)
"""Ways to ask for one of a row of equal things."""

SPATIAL_SENTENCES: dict[str, tuple[str, ...]] = {
    "find": SENTENCE_FRAMES,
    "recall": SENTENCE_FRAMES + RECALL_FRAMES,
    "choice": CHOICE_FRAMES,
    "row": ROW_FRAMES,
}
_FLAT = ("rug", "mat")
_ON_WALLS = (
    *("picture", "mirror", "clock", "curtain", "range hood", "whiteboard", "projector screen", "sign", "radiator"),
    *("shower", "fireplace"),
)
_UNFIT: dict[str, tuple[str, ...]] = {
    "on top of": _FLAT,
    "on the near side of": _ON_WALLS,
    "on the far side of": _ON_WALLS,
}
"""Wordings that nobody uses with some anchors: what hangs on a wall has no far side, what is flat has no top."""


def relation_wordings(relation: str, anchor: str) -> tuple[str, ...]:
    """Return the ways to say a relation to an anchor.

    Args:
        relation: A key of `RELATION_WORDING`.
        anchor: Its noun phrase without an article; what follows 'that is' tells it from others.
    """
    noun = anchor.partition(" that is ")[0]
    return tuple(one for one in RELATION_WORDING[relation] if not noun.endswith(_UNFIT.get(one, ())))


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
    return relation + (f" {within_room(room_type)}" if room_type is not None else "")
