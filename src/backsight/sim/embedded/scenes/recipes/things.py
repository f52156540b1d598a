"""Small things: drawn by the name of their category, put on, in, under and beside furniture."""

import math
from dataclasses import dataclass

from backsight.sim.embedded.scenes.furniture.catalogue import Place, kinds_of
from backsight.sim.embedded.scenes.piece import Piece, SurfaceKind
from backsight.sim.embedded.scenes.placer import Placer, Standing

_STRAIGHT = frozenset(
    ("laptop", "keyboard", "monitor", "printer", "book", "tray", "microwave", "toaster", "box", "television", "towel")
)
"""Things that people set down parallel to the edge."""


@dataclass(frozen=True)
class Rule:
    """What small things lie on, in or under which furniture."""

    where: SurfaceKind
    carriers: tuple[str, ...]
    things: tuple[str, ...]
    each: float
    """Mean number for each carrier at a clutter of one half."""


def draw(placer: Placer, category: str, place: Place, variant: int | None = None) -> Piece:
    """Return a new piece of a category that belongs in a place.

    Args:
        placer: of the room.
        category: of the vocabulary.
        place: 'floor', 'top' or 'wall'.
        variant: one of the kind's; None draws one.
    """
    kinds = kinds_of(category, place)
    return kinds[int(placer.rng.integers(len(kinds)))].draw(placer.finishes, variant)


def set_down(placer: Placer, category: str, carrier: Standing, where: SurfaceKind = "on") -> Standing | None:
    """Put a new thing of a category on, in or under a piece, where there is room."""
    piece = draw(placer, category, "top" if kinds_of(category, "top") else "floor")
    straight = category in _STRAIGHT or where == "in"
    turn = placer.rng.uniform(-0.3, 0.3) if straight else placer.rng.uniform(-math.pi, math.pi)
    return placer.put(piece, carrier, where, turn) or placer.put(piece, carrier, where, 0.0)


def strew(placer: Placer, rules: tuple[Rule, ...]) -> None:
    """Lay small things on, in and under what stands in the room, as many as the clutter asks for."""
    for rule in rules:
        carriers = [standing for standing in placer.standing if standing.piece.category in rule.carriers]
        mean = rule.each * 2.0 * placer.style.clutter
        for carrier in carriers:
            for _ in range(min(int(placer.rng.poisson(mean)), math.ceil(3 * rule.each) + 1)):
                known = [t for t in rule.things if kinds_of(t)]
                if known:
                    set_down(placer, known[int(placer.rng.integers(len(known)))], carrier, rule.where)


def beside(placer: Placer, category: str, neighbour: Standing | None) -> Standing | None:
    """Put a new thing on the floor beside a piece, or at a wall when there is no such piece or no room."""
    piece = draw(placer, category, "floor")
    placed = None if neighbour is None else placer.beside(piece, neighbour)
    return placed or placer.against_wall(piece)


def some(placer: Placer, mean: float) -> int:
    """Return a random number of things about `mean` at a clutter of one half, more or fewer at other levels."""
    return int(mean * 2.0 * placer.style.clutter * placer.rng.uniform(0.5, 1.5) + placer.rng.random())
