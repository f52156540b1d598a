"""Plans of scenes that are one room, at times with a second one beside it."""

from dataclasses import dataclass

import numpy as np

from backsight.sim.embedded.scenes.floor_plan import (
    DOOR_HEIGHT_M,
    DOOR_WIDTH_M,
    FRAME_M,
    WALL_M,
    Opening,
    PlanRoom,
    Rect,
    add_windows,
    join_rooms,
    wall_length_m,
)

Span = tuple[float, float]


@dataclass(frozen=True)
class RoomShape:
    """Ranges that the room of a scene type is drawn from."""

    room_type: str
    long_m: Span
    short_m: Span
    height_m: Span = (2.5, 2.8)
    beside: tuple[str, ...] = ()
    """What an adjoining room may be; drawn with equal chances, nothing among them when ''."""
    wide_door: bool = False
    """The way in has two leaves."""
    window_band_m: Span | None = None
    """Sill and top of a row of windows along one or two walls; None: one or two windows as in a home."""


SHAPES: dict[str, RoomShape] = {
    "living_room": RoomShape("living room", (4.8, 7.2), (4.0, 5.6), beside=("", "hallway", "dining room")),
    "bedroom": RoomShape("bedroom", (3.7, 5.2), (3.2, 4.4), beside=("", "bathroom", "hallway")),
    "kitchen": RoomShape("kitchen", (3.6, 5.4), (3.0, 4.2), beside=("", "dining room", "hallway")),
    "bathroom": RoomShape("bathroom", (2.8, 3.8), (2.4, 3.1), beside=("", "hallway")),
    "dining_room": RoomShape("dining room", (4.2, 6.2), (3.6, 4.8), beside=("", "kitchen", "hallway")),
    "study": RoomShape("study", (3.4, 4.8), (2.9, 3.9), beside=("", "hallway")),
    "hallway": RoomShape("hallway", (5.0, 9.0), (1.8, 2.5), beside=("", "study", "bathroom")),
    "open_plan_office": RoomShape(
        "open plan office", (10.5, 15.0), (7.5, 11.0), (2.7, 3.2), ("", "meeting room", "kitchen"), True, (0.85, 2.2)
    ),
    "meeting_room": RoomShape("meeting room", (5.2, 8.0), (4.0, 5.6), (2.6, 3.0), ("", "hallway"), False, (0.8, 2.2)),
    "classroom": RoomShape("classroom", (7.6, 10.0), (6.2, 8.0), (2.8, 3.3), ("", "hallway"), False, (0.95, 2.3)),
    "library": RoomShape("library", (10.0, 15.0), (7.5, 11.0), (2.9, 3.6), ("", "study"), True, (1.0, 2.5)),
    "shop": RoomShape("shop", (7.0, 11.5), (5.2, 8.5), (2.8, 3.4), ("", "warehouse"), True, (0.45, 2.3)),
    "warehouse": RoomShape("warehouse", (15.0, 24.0), (10.5, 16.0), (4.6, 6.2), ("", "study"), True, (3.0, 3.9)),
    "gym": RoomShape("gym", (9.0, 14.0), (6.8, 10.0), (2.9, 3.8), ("", "bathroom"), True, (0.9, 2.4)),
}
"""Of every scene type that is one room."""

_BESIDE_DEPTH_M: dict[str, Span] = {
    "hallway": (1.8, 2.2),
    "dining room": (3.2, 4.0),
    "bathroom": (2.4, 2.9),
    "kitchen": (2.8, 3.4),
    "study": (2.8, 3.4),
    "meeting room": (3.6, 4.4),
    "warehouse": (3.4, 4.4),
}
_BESIDE_LENGTH_M: dict[str, Span] = {
    "hallway": (4.0, 9.0),
    "dining room": (3.4, 4.6),
    "bathroom": (2.6, 3.3),
    "kitchen": (3.4, 4.6),
    "study": (3.2, 4.4),
    "meeting room": (4.6, 6.4),
    "warehouse": (4.0, 6.5),
}


def plan_room(rng: np.random.Generator, shape: RoomShape) -> tuple[PlanRoom, ...]:
    """Return the room of a shape and perhaps one beside it, joined by a door; a shut door leads outside.

    Args:
        rng: source of randomness.
        shape: ranges to draw from.
    """
    while True:
        long_m, short_m = rng.uniform(*shape.long_m), rng.uniform(*shape.short_m)
        wide, deep = (long_m, short_m) if rng.random() < 0.5 else (short_m, long_m)
        height = float(rng.uniform(*shape.height_m))
        main = PlanRoom(1, (-wide / 2, -deep / 2, wide / 2, deep / 2), shape.room_type, height_m=height)
        rooms = [main]
        beside = shape.beside[int(rng.integers(len(shape.beside)))] if shape.beside else ""
        if beside:
            rect = _beside(rng, main.rect, beside)
            rooms.append(PlanRoom(2, rect, beside, height_m=min(height, float(rng.uniform(2.5, 3.0)))))
            if join_rooms(rng, rooms) is None:
                continue
        rects = np.array([room.rect for room in rooms])
        outer = (*(rects[:, :2].min(axis=0) - WALL_M), *(rects[:, 2:].max(axis=0) + WALL_M))
        if _add_way_in(rng, rooms, shape.wide_door):
            banded = shape.window_band_m is not None
            if shape.window_band_m is not None:
                _add_window_band(rng, main, shape.window_band_m)
            plain = rooms[1:] if banded else rooms
            add_windows(rng, plain, (float(outer[0]), float(outer[1]), float(outer[2]), float(outer[3])))
            return tuple(rooms)


def _add_window_band(rng: np.random.Generator, room: PlanRoom, heights_m: Span) -> None:
    """Put rows of equal windows into one or two walls that have no door."""
    free = [side for side in range(4) if not room.doors[side]]
    rng.shuffle(free)
    width, gap = float(rng.uniform(1.3, 2.2)), float(rng.uniform(0.5, 1.4))
    for side in free[: int(rng.integers(1, 3))]:
        length = wall_length_m(room.rect, side)
        count = max(1, int((length - 0.6 + gap) / (width + gap)))
        step = (length - 0.6 + gap) / count
        for number in range(count):
            at = (number - (count - 1) / 2) * step
            room.windows[side].append(Opening(at, min(width, length - 0.5), *heights_m))


def _beside(rng: np.random.Generator, main: Rect, room_type: str) -> Rect:
    """Return the rectangle of an adjoining room, a wall away from some side of the main one."""
    side = int(rng.integers(4))
    depth = float(rng.uniform(*_BESIDE_DEPTH_M[room_type]))
    along = wall_length_m(main, side)
    length = float(np.clip(rng.uniform(*_BESIDE_LENGTH_M[room_type]), 2.4, None))
    axis = 0 if side % 2 == 0 else 1
    slack = along - length
    start = main[axis] + slack * float(rng.choice([0.0, 1.0, 0.5]))
    if side == 0:
        return (start, main[1] - WALL_M - depth, start + length, main[1] - WALL_M)
    if side == 2:
        return (start, main[3] + WALL_M, start + length, main[3] + WALL_M + depth)
    if side == 1:
        return (main[0] - WALL_M - depth, start, main[0] - WALL_M, start + length)
    return (main[2] + WALL_M, start, main[2] + WALL_M + depth, start + length)


def _add_way_in(rng: np.random.Generator, rooms: list[PlanRoom], wide: bool) -> bool:
    """Put a shut door in a wall without other doors: of a hallway when there is one, else of the main room."""
    halls = [room for room in rooms[1:] if room.room_type == "hallway"]
    room = halls[0] if halls else rooms[0]
    width = 1.7 if wide else DOOR_WIDTH_M
    sides = [side for side in range(4) if not room.doors[side]]
    if room.room_type == "hallway":
        sides.sort(key=lambda side: wall_length_m(room.rect, side))
        sides = sides[:2]
    for _ in range(6):
        side = sides[int(rng.integers(len(sides)))]
        reach = wall_length_m(room.rect, side) / 2 - width / 2 - FRAME_M - 0.15
        if reach > 0.0:
            at = float(rng.uniform(-reach, reach))
            room.doors[side].append(Opening(at, width, 0.0, DOOR_HEIGHT_M, closed=True))
            return True
    return False
