"""What a sentence names, read from its words alone."""

import re
from dataclasses import dataclass
from itertools import pairwise

from backsight.records.vocabulary import COLOURS, FURNITURE_CATEGORIES, ROOM_TYPES

WORDINGS = {
    "left of": ("left of", "to the left of"),
    "right of": ("right of", "to the right of"),
    "in front of": ("in front of", "on the near side of"),
    "behind": ("behind", "on the far side of"),
    "next to": ("next to", "beside"),
    "on": ("on", "on top of"),
    "above": ("above", "over"),
    "below": ("below", "beneath"),
    "under": ("under", "underneath"),
    "inside": ("inside", "inside of"),
    "outside": ("outside", "outside of"),
    "near": ("near", "close to"),
    "far from": ("far from", "far away from"),
    "between": ("between", "in between"),
    "among": ("among", "in the midst of"),
}
OPPOSITES = (
    ("left of", "right of"),
    ("in front of", "behind"),
    ("above", "below"),
    ("on", "under"),
    ("inside", "outside"),
    ("near", "far from"),
)
SHORT = {"left of": "left", "right of": "right", "in front of": "in front", "far from": "far"}
"""How one of two is said first: 'left or right of'."""
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def plural(noun: str) -> str:
    """More than one of it."""
    if noun.endswith("f"):
        return noun[:-1] + "ves"
    return noun + ("es" if re.search(r"(x|s|ch|sh)$", noun) else "s")


_SINGULAR = {plural(noun): noun for noun in FURNITURE_CATEGORIES}
_NOUNS = sorted([*FURNITURE_CATEGORIES, *_SINGULAR], key=len, reverse=True)
_NOUN = re.compile(rf"(?:\b(?P<colour>{'|'.join(COLOURS)}) )?\b(?P<noun>{'|'.join(map(re.escape, _NOUNS))})\b")
_ALL_WORDINGS = sorted(((words, name) for name, said in WORDINGS.items() for words in said), key=lambda p: -len(p[0]))
_ROOM = re.compile(rf"\b(?:in|on) the (?P<room>{'|'.join(sorted(ROOM_TYPES, key=len, reverse=True))})\b")
_ORDER = re.compile(rf"\b(?:(?P<most>left|right)most|(?P<place>{'|'.join(ORDINALS)})) ")
_SIDE = re.compile(r"\bfrom the (left|right)\b")


@dataclass(frozen=True)
class Noun:
    """A thing, or things, as a sentence names them."""

    category: str
    colour: str | None
    many: bool
    one_of_many: bool
    """Said with 'a': any of the kind."""
    start: int
    end: int


@dataclass(frozen=True)
class Reading:
    """What a sentence names."""

    nouns: tuple[Noun, ...]
    relations: tuple[tuple[str, ...], ...]
    """Between each noun and the next, the relations said there."""
    room: str | None
    order: tuple[int, str] | None


def read(text: str) -> Reading:
    """Return what a sentence names, in the order of its words."""
    low = text.lower()
    nouns = tuple(
        Noun(
            _SINGULAR.get(m["noun"], m["noun"]),
            m["colour"],
            m["noun"] in _SINGULAR,
            re.search(r"\ban? $", low[: m.start()]) is not None,
            m.start(),
            m.end(),
        )
        for m in _NOUN.finditer(low)
    )
    relations = tuple(relations_in(low[a.end : b.start]) for a, b in pairwise(nouns))
    room = _ROOM.search(low)
    order = _ORDER.search(low)
    side = _SIDE.search(low)
    place = None
    if order is not None and order["most"]:
        place = (1, order["most"])
    elif order is not None and side is not None:
        place = (ORDINALS.index(order["place"]) + 1, side[1])
    return Reading(nouns, relations, None if room is None else room["room"], place)


def relations_in(words: str) -> tuple[str, ...]:
    """Return the relations that some words say, longest first, each part of the words used once."""
    found = []
    left = words
    for one, other in OPPOSITES:
        for first, second in ((one, other), (other, one)):
            short = SHORT.get(first, first)
            for said in WORDINGS[second]:
                if re.search(rf"\b{short}(?: of| from)? or (?:is it |to the )?{re.escape(said)}\b", left):
                    return (first, second)
    for said, name in _ALL_WORDINGS:
        pattern = rf"\b{re.escape(said)}\b"
        if re.search(pattern, left):
            found.append(name)
            left = re.sub(pattern, " ", left)
    return tuple(dict.fromkeys(found))
