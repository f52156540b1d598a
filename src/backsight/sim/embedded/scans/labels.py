"""Categories from the names that people give to the nodes of a scene file."""

import re

from backsight.records.vocabulary import CATEGORIES

_SYNONYMS: dict[str, tuple[str, ...]] = {
    "wall": ("wall panel", "partition", "partition wall"),
    "floor": ("flooring", "ground", "ground floor", "parquet"),
    "ceiling": ("roof",),
    "door": ("doorway", "door frame", "sliding door"),
    "window": ("window frame", "window pane"),
    "stairs": ("stair", "staircase", "stairway", "steps"),
    "building": ("room", "house", "apartment", "flat", "interior", "shell", "architecture"),
    "chair": ("dining chair", "office chair", "desk chair", "swivel chair", "folding chair"),
    "table": ("dining table", "coffee table", "side table", "end table", "kitchen table", "bedside table"),
    "sofa": ("couch", "settee", "loveseat"),
    "armchair": ("arm chair", "easy chair", "lounge chair", "recliner"),
    "bed": ("single bed", "double bed", "bunk bed"),
    "wardrobe": ("closet", "armoire"),
    "cabinet": (
        "cab", "cupboard", "kitchen cabinet", "wall cabinet", "base cabinet", "dresser", "sideboard", "nightstand",
        "night stand", "chest of drawers", "filing cabinet", "tv stand", "medicine cabinet", "vanity cabinet",
    ),
    "bookshelf": ("bookcase", "book shelf", "book case"),
    "desk": ("writing desk", "office desk", "computer desk"),
    "lamp": (
        "floor lamp", "table lamp", "desk lamp", "ceiling lamp", "pendant lamp", "wall lamp", "chandelier", "sconce",
    ),
    "plant": ("potted plant", "house plant", "houseplant", "indoor plant", "flower pot plant"),
    "television": ("tv", "tv set", "television set", "flat screen tv"),
    "fridge": ("refrigerator", "freezer", "fridge freezer"),
    "stove": ("cooktop", "cook top", "stovetop", "stove top", "hob", "cooker"),
    "sink": ("washbasin", "wash basin", "basin", "kitchen sink", "bathroom sink"),
    "toilet": ("wc", "toilet bowl", "toilet seat"),
    "bathtub": ("bath tub", "tub"),
    "rug": ("carpet", "doormat", "door mat"),
    "picture": ("painting", "poster", "picture frame", "photo frame", "wall art"),
    "vase": ("flower vase",),
    "box": ("cardboard box", "storage box", "carton"),
    "bin": ("trash can", "trashcan", "trash bin", "garbage can", "garbage bin", "waste bin", "wastebasket", "dustbin"),
    "monitor": ("computer monitor", "computer screen", "pc monitor"),
    "laptop": ("notebook computer", "laptop computer"),
    "keyboard": ("computer keyboard",),
    "printer": (),
    "whiteboard": ("white board", "blackboard", "chalkboard"),
    "clock": ("wall clock", "alarm clock"),
    "backpack": ("rucksack",),
    "cup": ("mug", "coffee cup", "coffee mug", "teacup", "tea cup"),
    "bowl": ("fruit bowl",),
    "plate": ("dinner plate",),
    "bottle": ("wine bottle", "water bottle"),
    "pot": ("cooking pot", "saucepan"),
    "kettle": ("electric kettle", "teapot"),
    "tray": (),
    "candle": (),
    "microwave": ("microwave oven",),
    "toaster": (),
    "dishwasher": ("dish washer",),
    "washing machine": ("washer", "washingmachine"),
    "range hood": ("hood", "cooker hood", "extractor hood", "kitchen hood"),
    "radiator": ("heater",),
    "fan": ("ceiling fan", "table fan"),
    "stool": ("bar stool", "barstool", "foot stool", "footstool"),
    "bench": (),
    "counter": ("countertop", "counter top", "kitchen counter", "worktop", "work top"),
    "basket": ("laundry basket",),
    "mirror": ("wall mirror", "bathroom mirror"),
    "towel": ("hand towel", "bath towel"),
    "shower": ("shower cabin", "shower stall"),
    "cushion": ("pillow", "throw pillow"),
    "curtain": ("drape",),
    "coat rack": ("coat stand", "coatrack"),
    "fireplace": ("fire place",),
    "teddy bear": ("teddy",),
    "piano": ("grand piano",),
    "guitar": (),
    "book": (),
    "ladder": ("step ladder", "stepladder"),
    "shopping cart": ("shopping trolley",),
    "fire extinguisher": (),
    "treadmill": (),
    "dumbbell": (),
    "locker": (),
}  # fmt: skip
"""Other names of the same things. A name that could be two things is not here."""

_IGNORED = frozenset(
    """a an the main root group grp geo geom geometry mesh model node prim primitive instance inst copy obj static
    scan lod
    left right front rear center centre middle corner outer inner exterior backing north south east west
    small large big little tall long round square old new modern vintage
    wooden wood oak pine metal steel plastic leather fabric glass
    red orange yellow green teal blue purple pink brown beige white grey gray black
    room living dining bed bath kitchen office bedroom bathroom livingroom hallway hall corridor""".split()  # noqa: SIM905
)
"""Words that say nothing about what a thing is."""


_DEFAULT_NAMES = frozenset({"box", "cone", "mat"})
"""Names that programs give to anything: shapes and materials."""


def _phrases() -> dict[str, str]:
    known = {name: name for name in CATEGORIES if name not in _DEFAULT_NAMES}
    for category, others in _SYNONYMS.items():
        if category in CATEGORIES:
            known |= dict.fromkeys(others, category)
    return known


_CATEGORY_OF_PHRASE = _phrases()


def category_of_name(name: str) -> str | None:
    """Return the category that a node's name stands for, or None where it is not clear.

    The whole name must be the name of one thing: numbers, and words for sides, sizes, colours, materials and rooms, are
    left aside; 'sink cabinet' or 'door handle' is neither a sink nor a door.

    Args:
        name: such as 'Chair_012.001', 'wall_left_room_main#5' or 'DiningTable'.
    """
    words = _words(name)
    for kept in (words, [word for word in words if word not in _IGNORED]):
        phrase = " ".join(kept)
        for candidate in (phrase, _singular(phrase)):
            if candidate in _CATEGORY_OF_PHRASE:
                return _CATEGORY_OF_PHRASE[candidate]
    return None


def stem_of_name(name: str) -> str:
    """Return a name without the number behind '#': pieces of one thing share it."""
    return name.partition("#")[0]


def _words(name: str) -> list[str]:
    stem = stem_of_name(name)
    # Kitchens made with MuJoCo tools write thing_side_group_part.
    grouped = re.match(r"(.+?)_[a-z]+_group(_|$)", stem)
    stem = grouped[1] if grouped else stem
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem)
    return [word.lower() for word in re.findall(r"[A-Za-z]+", spaced)]


def _singular(phrase: str) -> str:
    if phrase.endswith("shelves"):
        return phrase[:-3] + "f"
    if phrase.endswith(("xes", "ses", "ches", "shes")):
        return phrase[:-2]
    return phrase[:-1] if phrase.endswith("s") and not phrase.endswith("ss") else phrase
