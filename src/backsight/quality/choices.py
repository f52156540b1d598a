"""Questions with two relations to choose from."""

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
