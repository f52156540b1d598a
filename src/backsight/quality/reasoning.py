"""What an instruction is solved by, as far as its relation says."""

REASONING_OF_RELATION: dict[str, str] = {
    "left of": "left_right",
    "right of": "left_right",
    "in front of": "front_behind",
    "behind": "front_behind",
    "next to": "near_far",
    "near": "near_far",
    "far from": "near_far",
    "on": "above_below",
    "above": "above_below",
    "below": "above_below",
    "under": "above_below",
    "inside": "inside_outside",
    "outside": "inside_outside",
    "between": "between_among",
    "among": "between_among",
}
"""Reasoning type of each relation."""
CHOICES: tuple[tuple[str, str], ...] = (
    ("left of", "right of"),
    ("in front of", "behind"),
    ("above", "below"),
    ("on", "under"),
    ("inside", "outside"),
    ("near", "far from"),
)
"""Relations of which one is right and the other wrong."""
_ANSWERS = {"left of": "left", "right of": "right", "in front of": "in front", "far from": "far"}


def choice_answer(relation: str) -> str:
    """Return the word that answers a question which of two relations holds.

    Args:
        relation: The one that does.
    """
    return _ANSWERS.get(relation, relation)


CHOICE_ANSWERS: frozenset[str] = frozenset(choice_answer(relation) for options in CHOICES for relation in options)
"""All these words."""
