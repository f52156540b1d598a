"""A house for the stand-in: two furnished rooms, a stairwell, a storey above, and a closet that nobody can enter."""

import json
import math
from pathlib import Path

WALL, FLOOR, WOOD, CLOTH, GREEN = (0.8, 0.78, 0.7), (0.6, 0.5, 0.4), (0.45, 0.3, 0.2), (0.3, 0.4, 0.6), (0.2, 0.5, 0.25)
LIVING, BEDROOM, STAIRWELL, OFFICE = 0, 1, 2, 3


def about_y(angle: float) -> tuple[float, float, float, float]:
    return (0.0, math.sin(angle / 2), 0.0, math.cos(angle / 2))


def about_z(angle: float) -> tuple[float, float, float, float]:
    return (0.0, 0.0, math.sin(angle / 2), math.cos(angle / 2))


def span(low, high, category, region, colour, **more):
    centre = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
    half = [(b - a) / 2 for a, b in zip(low, high, strict=True)]
    return {"centre": centre, "half": half, "category": category, "region": region, "colour": colour, **more}


def stage() -> list[dict]:
    boxes = [
        span((0, -0.1, 0), (4.05, 0, 5), "floor", LIVING, FLOOR),
        span((4.05, -0.1, 0), (8, 0, 5), "floor", BEDROOM, FLOOR),
        span((8, -0.1, 0), (14, 0, 5), "floor", STAIRWELL, FLOOR),
        span((0, 2.8, 0), (9, 3, 5), "floor", OFFICE, FLOOR),
        span((-0.1, 5.6, -0.1), (14.1, 5.7, 5.1), "ceiling", OFFICE, WALL),
        span((-0.1, -0.1, -0.1), (0, 5.7, 5.1), "wall", LIVING, WALL),
        span((14, -0.1, -0.1), (14.1, 5.7, 5.1), "wall", STAIRWELL, WALL),
        span((-0.1, -0.1, -0.1), (14.1, 5.7, 0), "wall", LIVING, WALL),
        span((-0.1, -0.1, 5), (14.1, 5.7, 5.1), "wall", LIVING, WALL),
        # The walls between the rooms have doorways from z = 2 to z = 3.
        span((4, 0, 0), (4.1, 2.8, 2), "wall", LIVING, WALL),
        span((4, 0, 3), (4.1, 2.8, 5), "wall", LIVING, WALL),
        span((7.9, 0, 0), (8, 2.8, 2), "wall", BEDROOM, WALL),
        span((7.9, 0, 3), (8, 2.8, 5), "wall", BEDROOM, WALL),
        # Two walls and a corner of the bedroom make a closet of 1.6 x 1.4 m.
        span((6.2, 0, 3.5), (6.3, 2.8, 5), "wall", BEDROOM, WALL),
        span((6.3, 0, 3.5), (7.9, 2.8, 3.6), "wall", BEDROOM, WALL),
        # A ramp for stairs: from x = 12.9 up to x = 9, y = 3.
        {
            "centre": [10.95, 1.45, 2.5],
            "half": [math.hypot(3.9, 3.0) / 2, 0.05, 0.4],
            "rotation_xyzw": about_z(-math.atan2(3.0, 3.9)),
            "category": "stairs",
            "region": STAIRWELL,
            "colour": WOOD,
        },
        span((1.2, 0, 0.1), (2.4, 0.75, 0.9), "coffee table", LIVING, WOOD, mpcat40="table"),
        span((1.5, 0.75, 0.3), (1.7, 1.05, 0.5), "vase", LIVING, CLOTH, mpcat40="objects"),
        span((0.1, 0, 3.9), (1.9, 0.8, 4.8), "couch", LIVING, CLOTH, mpcat40="sofa"),
        span((2.8, 0, 4.5), (3.8, 1.9, 4.9), "bookshelf", LIVING, WOOD, mpcat40="shelving"),
        span((0.1, 0, 1.6), (0.6, 1.1, 2.1), "potted plant", LIVING, GREEN, mpcat40="plant"),
        {
            "centre": [3.2, 0.5, 0.75],
            "half": [0.45, 0.5, 0.25],
            "rotation_xyzw": about_y(0.5),
            "category": "kitchen cabinet",
            "mpcat40": "cabinet",
            "region": LIVING,
            "colour": (0.7, 0.25, 0.2),
        },
        span((4.3, 0, 3.4), (5.9, 0.6, 4.9), "bed", BEDROOM, CLOTH),
        span((6.9, 0, 0.1), (7.8, 2.0, 0.7), "wardrobe", BEDROOM, WOOD, mpcat40="cabinet"),
        span((1, 3, 0.2), (2.6, 3.75, 1.0), "desk", OFFICE, WOOD, mpcat40="table"),
        span((5, 3, 4.0), (6.2, 4.8, 4.6), "bookcase", OFFICE, WOOD, mpcat40="shelving"),
        span((6.6, 3, 0.3), (7.2, 4.3, 0.9), "floor lamp", OFFICE, GREEN, mpcat40="lighting"),
        span((3.5, 0.9, 0.02), (3.7, 1.1, 0.04), "whatsit", LIVING, GREEN, mpcat40="misc"),
    ]
    return [{**box, "id": number} for number, box in enumerate(boxes, start=1)]


def house(style: str = "mp3d", **changes) -> dict:
    """Return the house as a data set of that style would have it; `changes` are laid over it."""
    room = {"name": "living room", "low": (0, 0, 0), "high": (4.05, 2.8, 5)}
    scene = {
        "style": style,
        "needs_dataset": style != "mp3d",
        "stage": stage(),
        "regions": [
            room,
            {"name": "bedroom", "low": (4.05, 0, 0), "high": (8, 2.8, 5), "negative": True},
            {"name": "stairs", "low": (8, 0, 0), "high": (14, 5.6, 5)},
            {"name": "office", "low": (0, 3, 0), "high": (9, 5.6, 5)},
        ],
        "rigid": [
            {
                "handle": "chair_01_:0000",
                "class_id": 4,
                "half": (0.25, 0.45, 0.3),
                "offset": (0.0, 0.45, 0.05),
                "translation": (5.3, 0.0, 0.8),
                "rotation_xyzw": about_y(0.4),
                "colour": (0.6, 0.2, 0.5),
            },
            {
                "handle": "box_07_:0000",
                "class_id": 4,
                "half": (0.2, 0.15, 0.2),
                "offset": (0.0, 0.0, 0.0),
                "translation": (6.5, 0.15, 2.9),
                "rotation_xyzw": about_y(0.0),
                "colour": (0.7, 0.5, 0.2),
            },
        ],
        "floors": [{"y": 0.0, "rect": (0, 0, 14, 5)}, {"y": 3.0, "rect": (0, 0, 9, 5)}],
        "ramps": [{"lower": 0, "from": (13.3, 0, 2.5), "to": (8.7, 3, 2.5), "half_width": 0.2}],
        "lights": [
            {"vector": (2, 2.6, 2.5, 1), "color": (0.5, 0.45, 0.4)},
            {"vector": (6, 2.6, 2.0, 1), "color": (0.4, 0.4, 0.45)},
            {"vector": (0.3, -0.8, -0.4, 0), "color": (0.2, 0.2, 0.2)},
        ],
    }
    return scene | changes


def write(folder: Path, name: str, scene: dict) -> str:
    """Write a scene to a file and return the id that loads it."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(scene))
    return str(path)
