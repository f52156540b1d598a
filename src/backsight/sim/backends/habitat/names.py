"""From the free names of scene data sets to the one table of categories and room types."""

import re
from collections.abc import Iterable

from backsight.records.vocabulary import CATEGORIES, ROOM_TYPES, UNNAMED_CATEGORY
from backsight.sim.embedded.scans.labels import category_of_name

UNKNOWN_ROOM = "room"

_NAMES_OF_DATA_SETS: dict[str, tuple[str, ...]] = {
    "wall": ("column", "pillar", "beam", "wall beam", "wall panel", "wainscoting"),
    "chair": ("seat", "sofa chair"),
    "sofa": ("sectional",),
    "stool": ("ottoman", "pouf", "footrest"),
    "bed": ("crib", "cot"),
    "cabinet": ("cabinetry", "vanity", "drawer", "chest"),
    "bookshelf": ("shelving", "shelf", "shelves", "bookshelves", "wall shelf"),
    "lamp": ("lighting", "light", "light fixture", "ceiling light", "wall light", "spotlight", "standing lamp"),
    "plant": ("flower", "flowers", "tree", "bush", "plant pot"),
    "television": ("tv monitor", "tv screen", "flatscreen television"),
    "monitor": ("screen",),
    "stove": ("oven", "oven and stove", "stove oven"),
    "counter": ("kitchen island", "kitchen countertop", "bathroom countertop"),
    "curtain": ("blinds", "blind", "window curtain", "window blinds", "window shade", "shower curtain", "drapery"),
    "picture": ("photo", "photograph", "canvas"),
    "whiteboard": ("board panel",),
    "bin": ("trash", "recycling bin"),
    "rug": ("bath mat",),
    "book": ("books", "magazine"),
    "box": ("box",),
    "mat": ("mat", "floor mat", "yoga mat"),
    "cone": ("cone",),
    "exercise bike": ("bicycle trainer",),
}
"""Category to what MP3D's 40 categories and the labels of HM3D and Replica call it, beside what people say."""
_PREFIX = "frl_apartment_"
"""Of the handles of ReplicaCAD's objects."""

_ROOMS: dict[str, tuple[str, ...]] = {
    "living room": ("living room", "familyroom", "family room", "lounge", "tv"),
    "bathroom": ("bathroom", "toilet", "spa"),
    "study": ("office", "study"),
    "hallway": ("hallway", "entryway", "corridor", "foyer"),
    "dining room": ("dining room", "dining booth"),
    "library": ("library",),
    "meeting room": ("meetingroom", "meeting room", "conferenceroom"),
    "classroom": ("classroom",),
    "gym": ("workout", "gym"),
}

_TELLING: tuple[tuple[str, frozenset[str]], ...] = (
    ("bathroom", frozenset({"toilet", "bathtub", "shower"})),
    ("bedroom", frozenset({"bed"})),
    ("kitchen", frozenset({"stove", "fridge", "dishwasher", "range hood"})),
    ("living room", frozenset({"sofa"})),
)
"""Room types and the things that tell of them, in the order in which they are looked for."""

_CATEGORY_OF = {other: name for name, others in _NAMES_OF_DATA_SETS.items() if name in CATEGORIES for other in others}
_ROOM_OF = {other: name for name, others in _ROOMS.items() if name in ROOM_TYPES for other in others}


def category_of(names: Iterable[str]) -> str:
    """Return our category for the names that a data set has for a thing, `UNNAMED_CATEGORY` where there is none.

    A name counts as a whole: 'toilet paper' is no toilet.

    Args:
        names: The first that stands for a category decides.
    """
    for name in names:
        plain = name.lower().removeprefix(_PREFIX)
        found = category_of_name(plain) or _CATEGORY_OF.get(" ".join(re.findall(r"[a-z]+", plain)))
        # What a data set calls 'object' is what it has no name for either.
        if found is not None and found != UNNAMED_CATEGORY:
            return found
    return UNNAMED_CATEGORY


def room_type_of(name: str, contents: Iterable[str]) -> str:
    """Return our type for a room: by its name, else by what stands in it, else `UNKNOWN_ROOM`.

    Args:
        name: As the data set has it, such as 'entryway/foyer/lobby'; "" where it has none.
        contents: Categories of what stands in it.
    """
    for part in (part.strip() for part in name.lower().split("/")):
        if part in ROOM_TYPES:
            return part
        if part in _ROOM_OF:
            return _ROOM_OF[part]
    if name:
        return UNKNOWN_ROOM
    there = set(contents)
    return next((room for room, things in _TELLING if things & there), UNKNOWN_ROOM)
