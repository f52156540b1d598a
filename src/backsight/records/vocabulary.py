"""The one table of category, colour, room and relation names."""

STRUCTURE_CATEGORIES: tuple[str, ...] = ("wall", "floor", "ceiling", "door", "window", "stairs")
"""Parts of the building; they have instance ids but are never an instruction's target."""

FURNITURE_CATEGORIES: tuple[str, ...] = (
    "chair",
    "table",
    "sofa",
    "armchair",
    "bed",
    "wardrobe",
    "cabinet",
    "bookshelf",
    "desk",
    "lamp",
    "plant",
    "television",
    "fridge",
    "stove",
    "sink",
    "toilet",
    "bathtub",
    "rug",
    "picture",
    "vase",
    "box",
    "bin",
    "monitor",
    "laptop",
    "keyboard",
    "printer",
    "whiteboard",
    "projector screen",
    "lectern",
    "globe",
    "clock",
    "backpack",
    "cup",
    "bowl",
    "plate",
    "bottle",
    "pot",
    "kettle",
    "tray",
    "candle",
    "microwave",
    "toaster",
    "dishwasher",
    "washing machine",
    "range hood",
    "radiator",
    "fan",
    "stool",
    "bench",
    "counter",
    "basket",
    "mirror",
    "towel",
    "shower",
    "cushion",
    "curtain",
    "coat rack",
    "fireplace",
    "teddy bear",
    "piano",
    "guitar",
    "book",
    "rack",
    "pallet",
    "crate",
    "barrel",
    "ladder",
    "trolley",
    "shopping cart",
    "cash register",
    "sign",
    "cone",
    "fire extinguisher",
    "treadmill",
    "exercise bike",
    "dumbbell",
    "exercise ball",
    "mat",
    "weight bench",
    "punching bag",
    "locker",
)
"""Things an instruction can name."""

CATEGORIES: tuple[str, ...] = STRUCTURE_CATEGORIES + FURNITURE_CATEGORIES

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (176, 58, 52),
    "orange": (201, 122, 58),
    "yellow": (206, 178, 84),
    "green": (92, 134, 84),
    "teal": (66, 130, 130),
    "blue": (68, 98, 156),
    "purple": (118, 84, 138),
    "pink": (198, 138, 150),
    "brown": (118, 82, 56),
    "beige": (196, 178, 148),
    "white": (226, 224, 218),
    "grey": (132, 132, 132),
    "black": (46, 46, 48),
}
"""Named colours as sRGB, 0 to 255: muted, as furniture is."""

ROOM_TYPES: tuple[str, ...] = (
    "living room",
    "bedroom",
    "kitchen",
    "bathroom",
    "dining room",
    "study",
    "hallway",
    "open plan office",
    "meeting room",
    "classroom",
    "library",
    "shop",
    "warehouse",
    "gym",
    "landing",
    "room",
)
"""'room' is one whose use is not known, as in a scan without labels."""

RELATIONS: tuple[str, ...] = ("left of", "right of", "next to", "on")
"""'left of' and 'right of' hold in the viewer's frame of the current view; the others in the world."""

REASONING_TYPES: tuple[str, ...] = ("category", "attribute", "left_right", "near_far", "above_below", "room", "absent")
"""What an instruction has to be solved by."""

PATTERNS: tuple[str, ...] = ("circular", "room_transition")
"""Trajectory patterns that the collector knows."""
