"""The one table of category, colour, room and relation names."""

BUILDING_CATEGORY = "building"
"""Walls, floors and all that hangs together with them, where a scan does not tell them apart."""

STRUCTURE_CATEGORIES: tuple[str, ...] = ("wall", "floor", "ceiling", "door", "window", "stairs", BUILDING_CATEGORY)
"""Parts of the building; they have instance ids but are never an instruction's target."""

UNNAMED_CATEGORY = "object"
"""A thing of which no category is known; no instruction names it."""

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

CATEGORIES: tuple[str, ...] = (*STRUCTURE_CATEGORIES, *FURNITURE_CATEGORIES, UNNAMED_CATEGORY)

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

UNNAMED_ROOM_TYPE = "room"

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
    UNNAMED_ROOM_TYPE,
)
"""'room' is one whose use is not known, as in a scan without labels."""

RELATIONS: tuple[str, ...] = (
    "left of",
    "right of",
    "in front of",
    "behind",
    "next to",
    "on",
    "above",
    "below",
    "under",
    "inside",
    "outside",
    "near",
    "far from",
)
"""Relations of two things. The first four hold in the viewer's frame of the current view, the others in the world."""

STORED_RELATIONS: tuple[str, ...] = RELATIONS[:10]
"""Relations that collection writes down; the others, and those to several things, are true of so many pairs or so
loosely tied to what a walk is about that they are derived when they are asked for."""

RELATION_WORDING: dict[str, tuple[str, ...]] = {
    "left of": ("left of", "to the left of"),
    "right of": ("right of", "to the right of"),
    "in front of": ("in front of", "on the near side of"),
    "behind": ("behind", "on the far side of"),
    "next to": ("next to", "beside"),
    "on": ("on", "on top of"),
    "above": ("above", "higher up than"),
    "below": ("below", "lower down than"),
    "under": ("under", "underneath"),
    "inside": ("inside", "inside of"),
    "outside": ("outside", "outside of"),
    "near": ("near", "close to"),
    "far from": ("far from", "far away from"),
    "between": ("between", "in between"),
    "among": ("among", "in the midst of"),
}
"""Ways to say each relation, also those to several things."""

CONTAINER_CATEGORIES: tuple[str, ...] = (
    "wardrobe",
    "cabinet",
    "bookshelf",
    "fridge",
    "sink",
    "bathtub",
    "vase",
    "box",
    "bin",
    "bowl",
    "pot",
    "basket",
    "crate",
    "barrel",
    "rack",
    "counter",
    "trolley",
    "shopping cart",
    "locker",
    "lectern",
    "microwave",
    "dishwasher",
    "washing machine",
    "shower",
    "fireplace",
)
"""Things that others can be inside of: a cushion within the box of a sofa lies on it."""

REASONING_TYPES: tuple[str, ...] = (
    "category",
    "attribute",
    "room",
    "absent",
    "front_behind",
    "left_right",
    "above_below",
    "inside_outside",
    "near_far",
    "between_among",
    "what_if",
    "where_from_here",
    "route",
    "object_motion",
    "own_trajectory",
    "scene_change",
)
"""What an instruction has to be solved by."""

COMPLEXITIES: tuple[str, ...] = ("simple", "medium", "complex")

PATTERNS: tuple[str, ...] = (
    "circular",
    "forward_backward",
    "random_exploration",
    "systematic_sweep",
    "object_focused",
    "room_transition",
)
STRATEGIES: tuple[str, ...] = ("coverage", "relation_focused", "viewpoint_diverse", "temporally_coherent", "challenge")
TRAJECTORIES: tuple[str, ...] = (*PATTERNS, *STRATEGIES)
"""Ways to walk that the collector knows."""

CHALLENGES: tuple[str, ...] = ("heavy_occlusion", "changing_light", "clutter", "scale_variation", "motion_blur")

EVENT_KINDS: tuple[str, ...] = ("object_moved", "light_changed")

TRACK_STATES: tuple[str, ...] = ("visible", "partly hidden", "hidden", "out of view")
"""What a frame shows of a thing: most of what the picture's edge leaves of it; less than half of that; nothing although
it lies in the field of view; nothing, since it doesn't."""
