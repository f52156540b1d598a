"""Which things people expect in which room: what can be asked for in vain without the word alone giving it away."""

from collections.abc import Iterable

from backsight.records.scene import SceneObject

CATEGORIES_OF_ROOM: dict[str, tuple[str, ...]] = {}
"""By room type."""


def plausible_categories(objects: Iterable[SceneObject], room_types: Iterable[str]) -> frozenset[str]:
    """Return the categories that are expected in these rooms, and those that the scene has anywhere.

    Args:
        objects: All objects of the scene, seen or not.
        room_types: Rooms that were seen.
    """
    expected = {name for room_type in room_types for name in CATEGORIES_OF_ROOM.get(room_type, ())}
    return frozenset(expected | {thing.category for thing in objects if not thing.is_structure})
