"""Plan of a two-storey house: a hall with stairs, a landing above it, and rooms at both on either storey."""

from dataclasses import dataclass, replace

import numpy as np

from backsight.sim.embedded.scenes.floor_plan import (
    DOOR_HEIGHT_M,
    DOOR_WIDTH_M,
    FRAME_M,
    WALL_M,
    FloorPlan,
    Opening,
    PlanRoom,
    Rect,
    add_door,
    add_windows,
    door_span_m,
    shared_walls,
    wall_length_m,
    wall_point_m,
)
from backsight.sim.embedded.scenes.stairs import SLAB_M, Frame, Staircase

HALL_TYPE, LANDING_TYPE = "hallway", "landing"
_LEAST_DEPTH_M = 2.45
"""Of a room along its column."""
_HIGHEST_RISER_M = 0.185


@dataclass(frozen=True)
class HousePlan(FloorPlan):
    """Rooms of both storeys, those of the lower one first, and the stairs between them."""

    stairs: Staircase
    hall_id: int
    landing_id: int


@dataclass(frozen=True)
class _Layout:
    """Walls that both storeys share: the hall with its columns of rooms, u running along all of them."""

    hall: Rect
    columns: tuple[Rect, ...]
    """Inner rectangles left and right of the hall."""
    outer: Rect
    stairs: Staircase


def make_house_plan(rng: np.random.Generator) -> HousePlan:
    """Return the plan of a house with 3 to 5 rooms on each storey, all reached through doors and over its stairs.

    Args:
        rng: source of every choice.
    """
    height_m = float(rng.uniform(2.5, 2.7))
    while True:
        layout = _layout(rng, height_m)
        lower = _storey(rng, layout, 1, (0.0, height_m))
        if lower is None:
            continue
        upper = _storey(rng, layout, len(lower[0]) + 1, (layout.stairs.rise_m, height_m))
        if upper is None:
            continue
        rooms = (*lower[0], *upper[0])
        hall, landing = lower[0][0], upper[0][0]
        hall.ceiling_hole = landing.floor_hole = layout.stairs.opening
        hall.reserved.append(layout.stairs.footprint)
        hall.way_points_m.append(layout.stairs.before_foot_m)
        landing.reserved.append(layout.stairs.opening)
        landing.way_points_m.append(layout.stairs.after_top_m)
        pairs = (*lower[1], *upper[1])
        return HousePlan(layout.outer, rooms, pairs, layout.stairs, hall.room_id, landing.room_id)


def _layout(rng: np.random.Generator, height_m: float) -> _Layout:
    """Return hall, stairs and columns of rooms, turned and mirrored at random."""
    rise_m = height_m + SLAB_M
    risers = int(np.ceil(rise_m / _HIGHEST_RISER_M))
    tread_m, width_m = float(rng.uniform(0.25, 0.28)), float(rng.uniform(1.0, 1.1))
    turns = bool(rng.random() < 0.5)
    if turns:
        gap_m = float(rng.uniform(0.08, 0.16))
        foot_m = float(rng.uniform(2.1, 2.8))
        stairs_run_m = (risers + 1) // 2 * tread_m - tread_m + width_m
        hall_m, depth_m = 2 * width_m + gap_m, foot_m + stairs_run_m
        both_sides = True
    else:
        gap_m, foot_m = 0.0, float(rng.uniform(1.25, 1.7))
        hall_m = width_m + float(rng.uniform(1.15, 1.45))
        depth_m = foot_m + (risers - 1) * tread_m + float(rng.uniform(1.25, 1.9))
        both_sides = bool(rng.random() < 0.5)
    widths = rng.uniform(3.3, 4.4, 2) if both_sides else rng.uniform(4.2, 5.6, 1)
    left = float(widths[0]) + WALL_M if both_sides else 0.0
    columns: list[Rect] = []
    if both_sides:
        columns.append((0.0, 0.0, float(widths[0]), depth_m))
    right = left + hall_m + WALL_M
    columns.append((right, 0.0, right + float(widths[-1]), depth_m))
    hall = (left, 0.0, left + hall_m, depth_m)
    # Stairs stand at the hall's right wall only where rooms lie on both sides: else all doors are in that wall.
    at_right = both_sides and bool(rng.random() < 0.5)
    total = columns[-1][2]
    move = _Symmetry(rng, (total / 2, depth_m / 2))
    origin = move.point(hall[2] if at_right else hall[0], 0.0)
    frame = Frame(origin, move.direction(0, 1), move.direction(-1 if at_right else 1, 0))
    solid = turns or bool(rng.random() < 0.5)
    stairs = Staircase(frame, 0.0, rise_m, risers, tread_m, width_m, foot_m, gap_m, solid)
    outer = (-WALL_M, -WALL_M, total + WALL_M, depth_m + WALL_M)
    return _Layout(move.rect(hall), tuple(move.rect(column) for column in columns), move.rect(outer), stairs)


class _Symmetry:
    """One of the eight turns and mirror images of a rectangle, about its middle; that becomes the origin."""

    def __init__(self, rng: np.random.Generator, middle_m: tuple[float, float]) -> None:
        self._middle = middle_m
        self._signs = (1 if rng.random() < 0.5 else -1, 1 if rng.random() < 0.5 else -1)
        self._swap = bool(rng.random() < 0.5)

    def direction(self, x: int, z: int) -> tuple[int, int]:
        """Return where an axis goes."""
        moved = (x * self._signs[0], z * self._signs[1])
        return (moved[1], moved[0]) if self._swap else moved

    def point(self, x: float, z: float) -> tuple[float, float]:
        """Return where a point goes."""
        moved = ((x - self._middle[0]) * self._signs[0], (z - self._middle[1]) * self._signs[1])
        return (moved[1], moved[0]) if self._swap else moved

    def rect(self, rect: Rect) -> Rect:
        """Return where a rectangle goes."""
        (a, b), (c, d) = self.point(rect[0], rect[1]), self.point(rect[2], rect[3])
        return (min(a, c), min(b, d), max(a, c), max(b, d))


def _storey(
    rng: np.random.Generator, layout: _Layout, first_id: int, heights_m: tuple[float, float]
) -> tuple[list[PlanRoom], list[tuple[int, int]]] | None:
    """Return the rooms of one storey, hall or landing first, and its doors; None where they do not hang together."""
    floor_m, height_m = heights_m
    rects = [layout.hall]
    for column in layout.columns:
        rects += _cut(rng, column, layout.stairs.frame, len(layout.columns))
    rooms = [PlanRoom(first_id + number, rect, floor_m=floor_m, height_m=height_m) for number, rect in enumerate(rects)]
    if not 3 <= len(rooms) <= 5:
        return None
    upstairs = floor_m > 0.0
    _name_rooms(rng, rooms, upstairs)
    blocked = layout.stairs.opening if upstairs else layout.stairs.footprint
    doors = _join(rng, rooms, blocked)
    if doors is None:
        return None
    if not upstairs:
        _add_front_door(rng, rooms[0], layout.stairs.frame)
    add_windows(rng, rooms, layout.outer)
    if not upstairs:
        _keep_windows_off(rooms[0], blocked)
    return rooms, doors


def _cut(rng: np.random.Generator, column: Rect, frame: Frame, columns: int) -> list[Rect]:
    """Cut a column of rooms across the hall's direction."""
    axis = 0 if frame.along[0] else 1
    low, high = column[axis], column[axis + 2]
    most = int((high - low + WALL_M) / (_LEAST_DEPTH_M + WALL_M))
    count = min(most, 1 + int(rng.random() < 0.75)) if columns == 2 else int(rng.integers(2, min(most, 4) + 1))
    spare = (high - low + WALL_M) - count * (_LEAST_DEPTH_M + WALL_M)
    shares = rng.dirichlet(np.full(count, 3.0)) * spare
    rects, start = [], low
    for share in shares.tolist():
        end = start + _LEAST_DEPTH_M + share
        rects.append((start, column[1], end, column[3]) if axis == 0 else (column[0], start, column[2], end))
        start = end + WALL_M
    return rects


def _name_rooms(rng: np.random.Generator, rooms: list[PlanRoom], upstairs: bool) -> None:
    rooms[0].room_type = LANDING_TYPE if upstairs else HALL_TYPE
    by_area = sorted(rooms[1:], key=lambda room: -room.area_m2)
    if upstairs:
        names = ["bedroom", "bathroom", "bedroom", "study"]
        names = names[: len(by_area)]
        if len(names) > 2:
            names = [*(name for name in names if name != "bathroom"), "bathroom"]
    else:
        others = ["dining room", "study", "bathroom"]
        rng.shuffle(others)
        names = (["living room", "kitchen", *others])[: len(by_area)]
        if "bathroom" in names:
            names = [*(name for name in names if name != "bathroom"), "bathroom"]
    for room, name in zip(by_area, names, strict=True):
        room.room_type = name


def _join(rng: np.random.Generator, rooms: list[PlanRoom], blocked: Rect) -> list[tuple[int, int]] | None:
    """Put doors from the hall to every room that has a place for one, and from the others to their neighbours."""
    walls = shared_walls(rooms)
    order = rng.permutation(len(walls))
    joined, doors = {0}, []
    for hall_only in (True, False):
        for index in order:
            a, b, side, start, end = walls[index]
            if (0 in (a, b)) != hall_only or len(joined & {a, b}) != 1:
                continue
            wall_of_hall = side if a == 0 else (side + 2) % 4
            parts = _free_parts(rooms[0], wall_of_hall, blocked, (start, end)) if hall_only else [(start, end)]
            if not parts:
                continue
            part = parts[int(rng.integers(len(parts)))]
            if not add_door(rng, (rooms[a], rooms[b]), side, part):
                continue
            joined |= {a, b}
            doors.append((rooms[a].room_id, rooms[b].room_id))
    _drop_leaves(rooms[0], blocked)
    return doors if len(joined) == len(rooms) else None


def _stands_at(hall: PlanRoom, side: int, stairs: Rect) -> bool:
    """Whether stairs, or their opening, touch a wall of the hall."""
    wall = (hall.rect[1], hall.rect[0], hall.rect[3], hall.rect[2])[side]
    return abs(wall - stairs[(1, 0, 3, 2)[side]]) < 0.1


def _free_parts(hall: PlanRoom, side: int, blocked: Rect, stretch: tuple[float, float]) -> list[tuple[float, float]]:
    """Return the parts of a stretch of a wall of the hall, in world coordinates along it, where no stairs stand."""
    if not _stands_at(hall, side, blocked):
        return [stretch]
    start, end = stretch
    axis = 0 if side % 2 == 0 else 1
    parts = [(start, min(end, blocked[axis] - 0.1)), (max(start, blocked[axis + 2] + 0.1), end)]
    return [part for part in parts if part[1] - part[0] > DOOR_WIDTH_M + 2 * FRAME_M + 0.1]


def _drop_leaves(hall: PlanRoom, blocked: Rect) -> None:
    """Leave out door leaves that would be folded back into the stairs."""
    for side in range(4):
        for number, door in enumerate(hall.doors[side]):
            low, high = _along_axis(hall.rect, side, door_span_m(door))
            axis = 0 if side % 2 == 0 else 1
            near = _stands_at(hall, side, blocked)
            if near and door.leaf_side and low < blocked[axis + 2] and high > blocked[axis]:
                hall.doors[side][number] = replace(door, leaf_side=0)


def _add_front_door(rng: np.random.Generator, hall: PlanRoom, frame: Frame) -> None:
    """Put a shut door in the outer wall that the stairs come up from."""
    side = ((0, 1), (1, 0), (0, -1), (-1, 0)).index(frame.along)
    reach = wall_length_m(hall.rect, side) / 2 - DOOR_WIDTH_M / 2 - FRAME_M - 0.1
    hall.doors[side].append(Opening(float(rng.uniform(-reach, reach)), DOOR_WIDTH_M, 0.0, DOOR_HEIGHT_M, closed=True))


def _keep_windows_off(hall: PlanRoom, stairs: Rect) -> None:
    """Take away windows that the stairs would cross."""
    for side in range(4):
        axis = 0 if side % 2 == 0 else 1
        near = _stands_at(hall, side, stairs)
        kept = []
        for window in hall.windows[side]:
            half = window.width_m / 2 + 0.1
            low, high = _along_axis(hall.rect, side, (window.centre_m - half, window.centre_m + half))
            if not (near and low < stairs[axis + 2] and high > stairs[axis]):
                kept.append(window)
        hall.windows[side] = kept


def _along_axis(rect: Rect, side: int, span_m: tuple[float, float]) -> tuple[float, float]:
    """Return a span along a wall's own x axis in world coordinates along the wall."""
    axis = 0 if side % 2 == 0 else 1
    ends = [wall_point_m(rect, side, along)[axis] for along in span_m]
    return min(ends), max(ends)
