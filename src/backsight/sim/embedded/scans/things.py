"""Which parts of a scene file make up one thing, and what it is called."""

from dataclasses import dataclass

from backsight.records.vocabulary import BUILDING_CATEGORY, UNNAMED_CATEGORY
from backsight.sim.embedded.scans.labels import category_of_name, stem_of_name
from backsight.sim.embedded.scans.parts import ScanPart
from backsight.sim.embedded.scans.sidecar import Sidecar

MAX_THINGS = 60_000
"""Instance maps are stored with 16 bits."""


@dataclass(frozen=True)
class Thing:
    """Parts that belong together."""

    category: str | None
    """None where no name says it."""
    name: str | None
    parts: tuple[int, ...]
    """Indices, rising."""


def group_parts(parts: tuple[ScanPart, ...], sidecar: Sidecar) -> list[Thing]:
    """Return the things of a scene in the order of the file.

    A part belongs to the nearest node, from its own up to the root, whose name says what it is; to a node farther up
    when that says the same. Nodes of one parent whose names differ behind '#' alone are pieces of one thing.

    Args:
        parts: Of the scene.
        sidecar: Its labels come before the meanings of names.
    """
    members: dict[tuple[int, str, int], list[int]] = {}
    meanings: dict[tuple[int, str, int], tuple[str | None, str]] = {}
    known: dict[str, str | None] = {}
    for index, part in enumerate(parts):
        for _, name in part.nodes:
            if name not in known:
                label = sidecar.category_of(name)
                known[name] = category_of_name(name) if label is None else label
        owner = _owner([known[name] for _, name in part.nodes])
        number, name = part.nodes[owner]
        parent = part.nodes[owner - 1][0] if owner else -1
        key = (parent, stem_of_name(name), -1) if "#" in name else (parent, "", number)
        members.setdefault(key, []).append(index)
        meanings.setdefault(key, (known[name], stem_of_name(name)))
    return [Thing(meanings[key][0], meanings[key][1] or None, tuple(indices)) for key, indices in members.items()]


def _owner(categories: list[str | None]) -> int:
    """Return which of the nodes from the root down a part belongs to."""
    last = len(categories) - 1
    # A house or a room holds things that are not parts of it.
    categories = [*(None if name == BUILDING_CATEGORY else name for name in categories[:last]), categories[last]]
    nearest = next((at for at in range(last, -1, -1) if categories[at] not in (None, UNNAMED_CATEGORY)), last)
    owner = nearest
    for at in range(nearest - 1, -1, -1):
        if categories[at] is not None and categories[at] != categories[nearest]:
            break
        if categories[at] == categories[nearest] and categories[at] is not None:
            owner = at
    return owner
