"""Sentences about things and how they lie to each other."""

from backsight.quality.answers import within_room

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
"""Ways to ask for a thing."""

CHOICE_FRAMES = (
    "Is {the} {first} or {second} {anchor}?",
    "Tell me whether {the} is {first} or {second} {anchor}.",
    "Tell me if {the} is {first} or {second} {anchor}.",
    "Do you know if {the} is {first} or {second} {anchor}?",
    "Do you remember whether {the} is {first} or {second} {anchor}?",
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
    "Of those in view, find {the}.",
    "Of those in view, show me {the}.",
    "Of those in view, go to {the}.",
    "Of those that you see now, find {the}.",
    "Of those that you see now, point at {the}.",
)
"""Ways to ask for one of a row of equal things."""

SPATIAL_SENTENCES: dict[str, tuple[str, ...]] = {"find": SENTENCE_FRAMES, "choice": CHOICE_FRAMES, "row": ROW_FRAMES}


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
