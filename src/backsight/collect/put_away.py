"""What people put away, and where: of other things nobody asks whether they are inside or outside of something."""

_IN_BASKETS = ("book", "cup", "towel", "bottle", "teddy bear", "cushion", "backpack")
_IN_SINKS = ("plate", "cup", "bowl", "pot", "bottle")
_IN_SHELVES = ("vase", "box", "globe", "plant", "book", "candle", "clock", "pot", "bowl", "bottle", "towel")
KEPT_IN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("basket", "box", "crate", "bin", "trolley", "shopping cart"), _IN_BASKETS),
    **dict.fromkeys(("bookshelf", "rack"), _IN_SHELVES),
    "sink": _IN_SINKS,
    "bathtub": ("bottle", "towel"),
    "bowl": ("cup", "candle"),
}
"""Open containers, and what people look for in them."""
_IN_CABINETS = ("cup", "bowl", "plate", "bottle", "pot", "book", "box", "towel", "vase", "basket", "tray", "candle")
COULD_BE_IN: dict[str, tuple[str, ...]] = {
    **KEPT_IN,
    "cabinet": _IN_CABINETS,
    "wardrobe": ("box", "towel", "backpack", "cushion", "basket", "teddy bear", "book"),
    "locker": ("backpack", "towel", "bottle", "book", "box"),
    "fridge": ("bottle", "bowl", "plate", "pot", "box"),
    **dict.fromkeys(("microwave", "dishwasher"), ("bowl", "plate", "cup", "pot")),
    "washing machine": ("towel",),
    "shower": ("towel", "bottle", "cup"),
}
"""All containers, and what could be in them: of other things nobody asks whether they are inside or outside."""
PUT_AWAY = frozenset(
    (
        *("cup", "bowl", "plate", "bottle", "pot", "kettle", "tray", "candle", "book", "towel", "teddy bear"),
        *("box", "basket", "vase", "globe", "plant", "clock", "cushion", "backpack", "dumbbell", "toaster"),
        *("laptop", "keyboard"),
    )
)
"""What people keep in containers; of other things nobody asks whether they are inside one."""
