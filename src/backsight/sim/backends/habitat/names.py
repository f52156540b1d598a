"""From the free names of scene data sets to the one table of categories and room types."""

import re
from collections.abc import Iterable

from backsight.records.vocabulary import CATEGORIES, ROOM_TYPES

UNKNOWN_ROOM = "room"

_SYNONYMS: dict[str, tuple[str, ...]] = {
    "wall": ("wall", "column", "pillar", "beam", "wall panel", "wainscoting"),
    "floor": ("floor", "ground"),
    "ceiling": ("ceiling", "roof"),
    "door": ("door", "doorway", "door frame", "doorframe"),
    "window": ("window", "window frame", "skylight"),
    "stairs": ("stairs", "stair", "staircase", "step", "steps"),
    "sofa": ("couch", "loveseat", "settee", "sofa chair", "sectional"),
    "armchair": ("arm chair", "recliner", "lounge chair"),
    "chair": ("seat", "dining chair", "office chair", "rocking chair"),
    "stool": ("bar stool", "barstool", "ottoman", "footstool", "footrest", "pouf"),
    "bed": ("bunk bed", "crib", "cot"),
    "wardrobe": ("closet", "armoire"),
    "cabinet": ("cupboard", "chest of drawers", "dresser", "nightstand", "drawer", "sideboard", "cabinetry", "vanity"),
    "bookshelf": ("bookcase", "shelf", "shelving", "shelves", "book shelf", "bookshelves"),
    "desk": ("writing desk", "computer desk"),
    "table": ("coffee table", "side table", "end table", "dining table", "tabletop"),
    "lamp": ("light", "lighting", "chandelier", "light fixture", "sconce", "floor lamp", "table lamp"),
    "plant": ("flower", "flowers", "tree", "potted plant", "houseplant", "indoor plant"),
    "television": ("tv", "tv monitor", "tv screen"),
    "monitor": ("computer monitor", "screen", "display"),
    "fridge": ("refrigerator", "freezer"),
    "stove": ("oven", "cooktop", "range", "cooker"),
    "sink": ("washbasin", "basin", "wash basin"),
    "toilet": ("wc", "toilet seat", "bidet", "urinal"),
    "bathtub": ("bath", "tub", "bath tub"),
    "shower": ("shower cabin", "shower stall"),
    "rug": ("carpet", "bath mat", "doormat"),
    "picture": ("painting", "poster", "photo", "photo frame", "picture frame", "wall art"),
    "cushion": ("pillow",),
    "curtain": ("drapes", "blinds", "blind", "shade"),
    "counter": ("countertop", "kitchen counter", "counter top", "worktop", "kitchen island"),
    "bin": ("trash can", "trashcan", "garbage bin", "waste bin", "wastebasket", "rubbish bin"),
    "box": ("carton", "storage box"),
    "book": ("books", "magazine"),
    "cup": ("mug", "glass"),
    "washing machine": ("washer", "washing machine and dryer"),
    "whiteboard": ("board panel", "blackboard"),
    "towel": ("bath towel", "hand towel"),
    "fan": ("ceiling fan",),
    "clock": ("wall clock", "alarm clock"),
    "exercise bike": ("bicycle trainer",),
    "range hood": ("extractor hood", "stove hood"),
}
"""Category to other names for it; a name of several words may also end in one of these."""

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

_CATEGORY_OF = {name: name for name in CATEGORIES} | {
    other: name for name, others in _SYNONYMS.items() if name in CATEGORIES for other in others
}
_ROOM_OF = {other: name for name, others in _ROOMS.items() if name in ROOM_TYPES for other in others}


def category_of(names: Iterable[str]) -> str | None:
    """Return our category for the names that a data set has for a thing, None where there is none.

    The whole name counts first, then what it ends in: 'kitchen cabinet' is a cabinet. Words in parentheses and numbers
    are passed over.

    Args:
        names: The first that stands for a category decides.
    """
    for name in names:
        words = re.findall(r"[a-z]+", re.sub(r"\(.*?\)", " ", name.lower()))
        for start in range(len(words)):
            ending = " ".join(words[start:])
            for form in (ending, ending.removesuffix("s")):
                if form in _CATEGORY_OF:
                    return _CATEGORY_OF[form]
    return None


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
