"""What each way of walking intends to cover: spatial coverage is judged relative to it."""

from dataclasses import dataclass

from backsight.records.sequence import SequenceAnnotations
from backsight.records.vocabulary import TRAJECTORIES


@dataclass(frozen=True)
class Intent:
    """What a walk of `FULL_WALK_S` or longer has full marks for; a shorter one is asked for its share."""

    growth: float
    """How many times the surface that one frame shows on average all frames show together."""
    moved_m: float = 0.0
    """Between the two places farthest apart; 0: not asked for."""
    turned_deg: float = 0.0
    """Between the two viewing directions farthest apart; 0: not asked for."""


FULL_WALK_S = 7.5
"""Sixteen frames at two a second: the shortest that is planned by default."""

INTENTS: dict[tuple[str, str], Intent] = {
    ("circular", ""): Intent(2.0, moved_m=0.6, turned_deg=45.0),
    ("forward_backward", ""): Intent(1.3, moved_m=0.8),
    ("forward_backward", "rotation"): Intent(2.0, turned_deg=100.0),
    ("random_exploration", ""): Intent(2.0, moved_m=0.8, turned_deg=60.0),
    ("systematic_sweep", ""): Intent(2.0, moved_m=0.5, turned_deg=45.0),
    ("object_focused", ""): Intent(1.4, moved_m=0.6),
    ("object_focused", "reappearing"): Intent(1.6, turned_deg=45.0),
    ("room_transition", ""): Intent(2.0, moved_m=1.2),
    ("coverage", ""): Intent(2.5, moved_m=0.5, turned_deg=90.0),
    ("relation_focused", ""): Intent(1.6, moved_m=0.4),
    ("viewpoint_diverse", ""): Intent(2.0, moved_m=0.6, turned_deg=60.0),
    ("temporally_coherent", ""): Intent(1.6, moved_m=0.8),
    ("temporally_coherent", "return"): Intent(1.8, turned_deg=60.0),
    ("challenge", ""): Intent(1.4, moved_m=0.5),
}
"""By trajectory and variant; a variant that is not named intends what the usual form does."""


def intent_of(annotations: SequenceAnnotations) -> Intent | None:
    """Return what a walk intends to cover; None for walks that were not planned here.

    Args:
        annotations: Of a walk.
    """
    if annotations.pattern not in TRAJECTORIES:
        return None
    usual = INTENTS[annotations.pattern, ""]
    return INTENTS.get((annotations.pattern, annotations.variant), usual)
