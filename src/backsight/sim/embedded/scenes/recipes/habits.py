"""Which small things lie about in which type of room."""

from backsight.sim.embedded.scenes.recipes.things import Rule

_TABLEWARE = ("cup", "bowl", "plate", "bottle")
_SHELVED = ("vase", "box", "globe", "plant", "book", "book", "candle", "clock")
_OFFICE = ("cup", "book", "book", "laptop", "bottle", "tray")

_SHELF = Rule("in", ("bookshelf", "rack"), _SHELVED, 2.0)
_TOPS = Rule("on", ("bookshelf", "wardrobe"), ("box", "plant", "vase", "basket", "globe"), 0.3)
_IN_BASKET = Rule("in", ("basket", "box", "crate", "bin"), ("book", "cup", "towel", "bottle", "teddy bear"), 1.2)
_ON_SEATS = Rule("on", ("sofa", "armchair", "piano", "fireplace"), ("cushion", "book", "teddy bear"), 0.9)
_UNDER = Rule("under", ("table", "desk", "bench", "bed", "piano"), ("basket", "box", "backpack", "book"), 0.4)

HABITS: dict[str, tuple[Rule, ...]] = {
    "living room": (
        Rule("on", ("table",), ("cup", "book", "bowl", "candle", "tray", "plate", "bottle"), 1.6),
        Rule("on", ("cabinet",), ("book", "candle", "clock", "globe", "vase"), 0.8),
        _SHELF,
        _TOPS,
        _ON_SEATS,
        Rule("under", ("table", "bench"), ("basket", "box", "book"), 0.6),
        Rule("in", ("table",), ("book", "tray", "bowl"), 1.0),
        _IN_BASKET,
    ),
    "bedroom": (
        Rule("on", ("cabinet", "bench"), ("cup", "book", "clock", "candle", "bottle"), 1.2),
        Rule("on", ("bed",), ("cushion", "teddy bear", "book", "laptop"), 1.2),
        Rule("on", ("desk",), ("laptop", "book", "cup"), 1.2),
        Rule("on", ("chair", "armchair"), ("book", "cushion", "backpack"), 0.3),
        _SHELF,
        _TOPS,
        _UNDER,
        _IN_BASKET,
    ),
    "kitchen": (
        Rule("on", ("cabinet", "counter"), ("kettle", "toaster", "microwave", "pot", "tray", *_TABLEWARE), 1.0),
        Rule("on", ("table",), _TABLEWARE, 2.5),
        Rule("on", ("stove",), ("pot", "kettle"), 0.8),
        Rule("in", ("sink",), ("plate", "cup", "bowl", "pot"), 0.7),
        Rule("in", ("rack", "cabinet", "trolley"), ("pot", "bowl", "box", "bottle"), 1.0),
        Rule("under", ("table", "bench"), ("basket", "box", "crate", "bottle"), 0.6),
        Rule("in", ("crate", "basket", "box", "pot"), ("bottle", "cup", "bowl", "plate"), 1.5),
    ),
    "bathroom": (
        Rule("in", ("sink",), ("cup", "bottle"), 0.6),
        Rule(
            "on",
            ("sink", "cabinet", "washing machine", "radiator"),
            ("bottle", "cup", "candle", "towel", "basket"),
            0.9,
        ),
        Rule("on", ("stool", "chair", "bench", "table"), ("towel", "bottle"), 0.9),
        Rule("in", ("basket", "rack", "shower"), ("towel", "cup", "bottle", "book"), 1.5),
        Rule("in", ("bathtub",), ("bottle", "stool", "towel"), 0.3),
        Rule("under", ("sink", "bench", "table"), ("basket", "box", "bottle"), 0.9),
    ),
    "dining room": (
        Rule("on", ("table",), ("plate", "plate", "cup", "bowl", "bottle", "candle"), 6.0),
        Rule("on", ("cabinet",), ("tray", "candle", "vase", "bowl", "bottle", "clock"), 0.9),
        Rule("under", ("table", "bench", "piano"), ("basket", "box", "book"), 0.6),
        Rule("in", ("bowl", "tray"), ("cup",), 0.3),
        _SHELF,
        _TOPS,
        _IN_BASKET,
    ),
    "study": (
        Rule("on", ("desk",), _OFFICE, 1.2),
        Rule("on", ("cabinet",), ("printer", "globe", "book", "clock"), 0.8),
        _SHELF,
        _TOPS,
        _ON_SEATS,
        _UNDER,
        Rule("under", ("desk",), ("bin", "basket", "box"), 0.8),
        _IN_BASKET,
    ),
    "hallway": (
        Rule("on", ("cabinet", "bench"), ("basket", "bowl", "book", "vase", "bottle"), 0.9),
        Rule("in", ("bench", "cabinet", "bookshelf"), ("basket", "box", "book"), 1.0),
        Rule("under", ("bench", "table"), ("basket", "box", "backpack"), 0.9),
        _TOPS,
        _IN_BASKET,
    ),
    "landing": (
        Rule("on", ("cabinet", "bench"), ("vase", "book", "basket"), 1.0),
        Rule("under", ("bench", "table"), ("basket", "box", "book"), 0.8),
        _SHELF,
        _TOPS,
        _IN_BASKET,
    ),
    "open plan office": (
        Rule("on", ("desk",), _OFFICE, 0.9),
        Rule("on", ("table", "counter"), ("cup", "laptop", "book", "bottle", "bowl"), 1.5),
        Rule("on", ("cabinet",), ("printer", "plant", "box", "book", "tray"), 0.8),
        Rule("under", ("desk",), ("bin", "basket", "backpack", "box"), 0.6),
        _SHELF,
        _ON_SEATS,
        _IN_BASKET,
    ),
    "meeting room": (
        Rule("on", ("table",), ("cup", "bottle", "laptop", "book", "cup"), 5.0),
        Rule("on", ("cabinet",), ("tray", "kettle", "cup", "plant", "bowl"), 1.2),
        Rule("under", ("table",), ("backpack", "box", "bin", "bottle"), 1.0),
        _SHELF,
        _IN_BASKET,
    ),
    "classroom": (
        Rule("on", ("table",), ("book", "book", "bottle", "laptop", "cup"), 0.8),
        Rule("on", ("desk",), ("book", "globe", "cup", "laptop"), 2.0),
        Rule("under", ("table",), ("backpack", "book", "bottle"), 0.25),
        Rule("on", ("cabinet",), ("globe", "box", "plant", "tray"), 1.0),
        _SHELF,
        _TOPS,
        _IN_BASKET,
    ),
    "library": (
        Rule("on", ("table", "desk", "counter"), ("book", "book", "book", "laptop", "globe"), 2.0),
        Rule("in", ("bookshelf", "trolley"), ("book", "box", "book", "globe"), 0.8),
        Rule("on", ("trolley", "stool", "armchair"), ("book",), 0.7),
        Rule("under", ("table", "desk"), ("backpack", "basket"), 0.35),
        _IN_BASKET,
    ),
    "shop": (
        Rule("in", ("rack",), ("bottle", "box", "bowl", "pot", "cup", "teddy bear", "plate", "book"), 9.0),
        Rule("on", ("rack",), ("box", "bottle", "basket", "vase"), 1.6),
        Rule("in", ("crate", "basket", "shopping cart", "box"), ("bottle", "box", "bowl", "cup"), 1.6),
        Rule("on", ("table",), ("bowl", "vase", "candle", "book", "plate", "box"), 3.0),
        Rule("on", ("counter",), ("candle", "basket", "bottle", "bowl"), 0.8),
        Rule("under", ("table",), ("box", "basket", "crate"), 0.8),
    ),
    "warehouse": (
        Rule("in", ("rack",), ("box/floor", "box/floor", "crate", "box", "barrel"), 3.4),
        Rule("on", ("rack",), ("box/floor", "box/floor", "crate", "box"), 2.4),
        Rule("on", ("pallet",), ("box/floor", "crate", "box"), 1.8),
        Rule("on", ("trolley", "table"), ("box", "crate", "bottle"), 1.0),
        Rule("in", ("crate", "box"), ("bottle", "bottle", "cone"), 0.8),
        Rule("under", ("table", "bench"), ("crate", "box"), 0.6),
    ),
    "gym": (
        Rule("on", ("bench", "weight bench", "stool"), ("towel", "bottle", "backpack"), 0.8),
        Rule("in", ("rack", "locker"), ("dumbbell", "dumbbell", "towel", "bottle", "book"), 3.5),
        Rule("on", ("rack",), ("dumbbell",), 3.0),
        Rule("on", ("counter", "cabinet"), ("bottle", "towel", "basket"), 1.5),
        Rule("under", ("bench", "table"), ("basket", "backpack", "dumbbell", "bottle"), 0.9),
        Rule("in", ("basket",), ("towel", "bottle"), 1.5),
    ),
}
"""By room type."""
