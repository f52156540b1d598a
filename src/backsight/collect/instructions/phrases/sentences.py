"""All sentences by template, and how one is filled in."""

from collections.abc import Mapping

from backsight.collect.instructions.phrases.changes import CHANGE_SENTENCES
from backsight.collect.instructions.phrases.grammar import capitalised, with_article
from backsight.collect.instructions.phrases.own_walk import OWN_WALK_SENTENCES
from backsight.collect.instructions.phrases.routes import ROUTE_SENTENCES
from backsight.collect.instructions.phrases.spatial import SPATIAL_SENTENCES
from backsight.collect.instructions.phrases.viewpoint import VIEWPOINT_SENTENCES

SENTENCES: dict[str, tuple[str, ...]] = {
    **SPATIAL_SENTENCES,
    **VIEWPOINT_SENTENCES,
    **OWN_WALK_SENTENCES,
    **ROUTE_SENTENCES,
    **CHANGE_SENTENCES,
}
"""Sentences with slots, by template; those of one template mean the same."""


def asking_template(visible: bool) -> str:
    """Return the sentences that ask for a thing: those that recall it only where it is not in view.

    Args:
        visible: Whether the current frame shows it.
    """
    return "find" if visible else "recall"


def thing_slots(noun: str, place: str = "") -> dict[str, str]:
    """Return the slots `the` and `a` of a thing.

    Args:
        noun: Without an article.
        place: What follows it.
    """
    return {"the": f"the {noun}{place}", "a": f"{with_article(noun)}{place}"}


def sentence(frame: str, slots: Mapping[str, str]) -> str:
    """Return a sentence filled in, with a capital first letter.

    Args:
        frame: One of `SENTENCES`.
        slots: What is put into it.
    """
    return capitalised(frame.format_map(slots))
