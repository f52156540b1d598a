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

_LIVED_IN = 0.25
"""Clutter from which on every room has something on, in and under its furniture."""
_THINGS_TRIED = 3
_HOLDER_TRIES = 60
_HOLDERS: dict[SurfaceKind, tuple[tuple[str, int], ...]] = {
    "in": (("basket", 3), ("basket", 2)),
    "under": (("bench", 1), ("table", 3), ("table", 3), ("table", 3)),
}
"""Category and variant of what can hold things in or under it, to be tried in this order."""
_HUNG_AT_M = {"clock": 1.85, "mirror": 1.0, "towel": 0.85, "coat rack": 1.5, "sign": 1.6, "whiteboard": 0.85}
"""Height of the lower edge of what hangs on walls."""


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
    """Put a new thing of a category on, in or under a piece, where there is room.

    Args:
        placer: of the room.
        category: of the vocabulary; 'category/floor' takes one of the size that stands on floors.
        carrier: holds it.
        where: on, in or under it.
    """
    category, _, large = category.partition("/")
    piece = draw(placer, category, "floor" if large or not kinds_of(category, "top") else "top")
    straight = category in _STRAIGHT or where == "in"
    turn = placer.rng.uniform(-0.3, 0.3) if straight else placer.rng.uniform(-math.pi, math.pi)
    return placer.put(piece, carrier, where, turn) or placer.put(piece, carrier, where, 0.0)


def strew(placer: Placer, rules: tuple[Rule, ...]) -> None:
    """Lay small things on, in and under what stands in the room, as many as the clutter asks for.

    Unless the room is to be nearly bare, one thing at least comes on, in and under others where anything can hold it.
    """
    placed: dict[SurfaceKind, int] = {"on": 0, "in": 0, "under": 0}
    for rule in rules:
        mean = rule.each * 2.0 * placer.style.clutter
        for carrier in _carriers(placer, rule):
            for _ in range(min(int(placer.rng.poisson(mean)), math.ceil(3 * rule.each) + 1)):
                placed[rule.where] += _set_down_any(placer, rule, carrier)
    for where in placed:
        if placer.style.clutter >= _LIVED_IN and not placed[where]:
            _set_down_one(placer, [rule for rule in rules if rule.where == where])


def provide_holders(placer: Placer, rules: tuple[Rule, ...]) -> None:
    """Add a basket, and a bench or a small table, where nothing in the room could hold things in or under it."""
    if placer.style.clutter < _LIVED_IN:
        return
    for where, holders in _HOLDERS.items():
        wanted = [rule for rule in rules if rule.where == where]
        if not wanted or any(_carriers(placer, rule) for rule in wanted):
            continue
        for category, variant in holders:
            piece = draw(placer, category, "floor", variant)
            if piece.offers(where) and placer.against_wall(piece, tries=_HOLDER_TRIES) is not None:
                break


def _carriers(placer: Placer, rule: Rule) -> list[Standing]:
    return [
        standing
        for standing in placer.standing
        if standing.piece.category in rule.carriers and standing.piece.offers(rule.where)
    ]


def _set_down_any(placer: Placer, rule: Rule, carrier: Standing) -> bool:
    """Try a few of a rule's things until one finds room."""
    order = placer.rng.permutation(len(rule.things)).tolist()[:_THINGS_TRIED]
    return any(set_down(placer, rule.things[number], carrier, rule.where) is not None for number in order)


def _set_down_one(placer: Placer, rules: list[Rule]) -> None:
    for rule in rules:
        for carrier in _carriers(placer, rule):
            if _set_down_any(placer, rule, carrier):
                return


def beside(placer: Placer, category: str, neighbour: Standing | None) -> Standing | None:
    """Put a new thing on the floor beside a piece, or at a wall when there is no such piece or no room."""
    piece = draw(placer, category, "floor")
    placed = None if neighbour is None else placer.beside(piece, neighbour)
    return placed or placer.against_wall(piece)


def extras(placer: Placer, chances: dict[str, float]) -> None:
    """Put further furniture at walls or on them.

    Args:
        placer: of the room.
        chances: probability of each, by category; 'category/wall' hangs it.
    """
    for name, chance in chances.items():
        category, _, hung = name.partition("/")
        if placer.rng.random() >= chance:
            continue
        if hung:
            placer.hang(draw(placer, category, "wall"), _HUNG_AT_M[category] + placer.rng.uniform(-0.05, 0.1))
        else:
            placer.against_wall(draw(placer, category, "floor"))


def some(placer: Placer, mean: float) -> int:
    """Return a random number of things about `mean` at a clutter of one half, more or fewer at other levels."""
    return int(mean * 2.0 * placer.style.clutter * placer.rng.uniform(0.5, 1.5) + placer.rng.random())
