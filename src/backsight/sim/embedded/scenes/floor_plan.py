"""Plan of a flat: rectangular rooms cut from one rectangle, joined by doors, with windows outside."""

import math
from dataclasses import dataclass, field

import numpy as np

Rect = tuple[float, float, float, float]
"""min x, min z, max x, max z in metres."""

WALL_M = 0.1
DOOR_WIDTH_M = 0.9
DOOR_HEIGHT_M = 2.05
LEAF_M = 0.86
"""Width of an open door's leaf, folded back against the wall beside the opening."""
FRAME_M = 0.06
_MIN_ROOM_M = 2.35


@dataclass(frozen=True)
class Opening:
    """A door or a window in one wall of a room, along the wall's own x axis from its middle."""

    centre_m: float
    width_m: float
    sill_m: float
    top_m: float
    leaf_side: int = 0
    """-1 or +1: the side of the opening that the leaf is folded to; 0 = no leaf in this room."""
    closed: bool = False
    """A shut door: its leaf stands before a wall without a hole."""


@dataclass
class PlanRoom:
    """One room of the plan.

    Its four sides are 0: min z, 1: min x, 2: max z, 3: max x; side k's inward normal is +Z turned by k * 90 degrees
    about +Y, and a wall's own x axis is +X turned likewise.
    """

    room_id: int
    rect: Rect
    room_type: str = ""
    doors: list[list[Opening]] = field(default_factory=lambda: [[], [], [], []])
    windows: list[list[Opening]] = field(default_factory=lambda: [[], [], [], []])
    floor_m: float = 0.0
    """Height of its floor, world frame."""
    height_m: float = 2.6
    """From its floor to its ceiling."""
    reserved: list[Rect] = field(default_factory=list)
    """Floor that furniture keeps off, such as the foot of stairs."""
    floor_hole: Rect | None = None
    """Opening in its floor, for stairs that come up."""
    ceiling_hole: Rect | None = None
    """Opening in its ceiling, for stairs that go up."""
    way_points_m: list[tuple[float, float]] = field(default_factory=list)
    """World (x, z) that must stay reachable besides the doors, such as the foot of stairs."""

    @property
    def area_m2(self) -> float:
        """Floor area."""
        return (self.rect[2] - self.rect[0]) * (self.rect[3] - self.rect[1])

    @property
    def aspect(self) -> float:
        """Longer side over shorter side."""
        sides = (self.rect[2] - self.rect[0], self.rect[3] - self.rect[1])
        return max(sides) / min(sides)


@dataclass(frozen=True)
class FloorPlan:
    """Rooms of a flat in the rectangle `outer`, outer walls included."""

    outer: Rect
    rooms: tuple[PlanRoom, ...]
    doors: tuple[tuple[int, int], ...]
    """Pairs of room ids that a door joins."""


def wall_length_m(rect: Rect, side: int) -> float:
    """Return the length of one side of a room."""
    return rect[2] - rect[0] if side % 2 == 0 else rect[3] - rect[1]


def wall_point_m(rect: Rect, side: int, along_m: float, out_m: float = 0.0) -> tuple[float, float]:
    """Return the world (x, z) of a point `along_m` from a wall's middle and `out_m` into the room."""
    middle_x, middle_z = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
    if side == 0:
        return middle_x + along_m, rect[1] + out_m
    if side == 1:
        return rect[0] + out_m, middle_z - along_m
    if side == 2:
        return middle_x - along_m, rect[3] - out_m
    return rect[2] - out_m, middle_z + along_m


def along_wall_m(rect: Rect, side: int, coordinate_m: float) -> float:
    """Return a world coordinate along a wall as an offset from the wall's middle, along its own x axis."""
    middle = (rect[0] + rect[2]) / 2 if side % 2 == 0 else (rect[1] + rect[3]) / 2
    return coordinate_m - middle if side in (0, 3) else middle - coordinate_m


def make_plan(rng: np.random.Generator) -> FloorPlan:
    """Return a plan of 3 to 6 rooms, every one reachable through doors."""
    while True:
        width, depth = rng.uniform(7.0, 12.0, 2).tolist()
        count = int(np.clip(round(width * depth / rng.uniform(15.0, 27.0)), 3, 6))
        leaves = _split(rng, (-width / 2, -depth / 2, width / 2, depth / 2), count)
        if leaves is None:
            continue
        half = WALL_M / 2
        rooms = [
            PlanRoom(number + 1, (x0 + half, z0 + half, x1 - half, z1 - half))
            for number, (x0, z0, x1, z1) in enumerate(leaves)
        ]
        _name_rooms(rng, rooms)
        doors = join_rooms(rng, rooms)
        if doors is None:
            continue
        outer = (-width / 2 - half, -depth / 2 - half, width / 2 + half, depth / 2 + half)
        add_windows(rng, rooms, outer)
        height = float(rng.uniform(2.5, 2.8))
        for room in rooms:
            room.height_m = height
        return FloorPlan(outer, tuple(rooms), tuple(doors))


def _split(rng: np.random.Generator, rect: Rect, count: int) -> list[Rect] | None:
    leaves = [rect]
    while len(leaves) < count:
        leaves.sort(key=lambda r: (r[2] - r[0]) * (r[3] - r[1]))
        x0, z0, x1, z1 = leaves.pop()
        wide, deep = x1 - x0, z1 - z0
        share = rng.uniform(0.34, 0.66)
        if max(wide, deep) * min(share, 1.0 - share) < _MIN_ROOM_M + WALL_M:
            share = 0.5
        if max(wide, deep) * min(share, 1.0 - share) < _MIN_ROOM_M:
            return None
        if wide > deep:
            cut = x0 + wide * share
            leaves += [(x0, z0, cut, z1), (cut, z0, x1, z1)]
        else:
            cut = z0 + deep * share
            leaves += [(x0, z0, x1, cut), (x0, cut, x1, z1)]
    return sorted(leaves)


def _name_rooms(rng: np.random.Generator, rooms: list[PlanRoom]) -> None:
    by_area = sorted(rooms, key=lambda room: room.area_m2)
    by_area[-1].room_type = "living room" if rng.random() < 0.85 else "dining room"
    small = by_area[0]
    small.room_type = "hallway" if small.aspect > 1.9 and rng.random() < 0.6 else "bathroom"
    if len(rooms) == 3 and rng.random() < 0.35:
        small.room_type = str(rng.choice(["kitchen", "study", "hallway"]))
    rest = by_area[1:-1]
    wanted = ["bedroom", "kitchen"]
    others = ["dining room", "study", "bedroom", "hallway", "bathroom", "dining room", "study"]
    rng.shuffle(others)
    names = (wanted + others)[: len(rest)]
    rng.shuffle(names)
    for room, name in zip(rest, names, strict=True):
        room.room_type = "study" if name in ("hallway", "bathroom") and room.area_m2 > 13.0 else name


def shared_walls(rooms: list[PlanRoom]) -> list[tuple[int, int, int, float, float]]:
    """Return (index a, index b, side of a, start, end): stretches of wall that two rooms share."""
    shared = []
    for a, first in enumerate(rooms):
        for b, second in enumerate(rooms):
            one, two = first.rect, second.rect
            for side, axis in ((3, 0), (2, 1)):
                if abs(one[axis + 2] + WALL_M - two[axis]) > 1e-6:
                    continue
                start, end = max(one[1 - axis], two[1 - axis]), min(one[3 - axis], two[3 - axis])
                if end - start > DOOR_WIDTH_M + 2 * FRAME_M + 0.1:
                    shared.append((a, b, side, start, end))
    return shared


def join_rooms(rng: np.random.Generator, rooms: list[PlanRoom]) -> list[tuple[int, int]] | None:
    """Put doors on a spanning tree of the rooms and on a third of the other shared walls.

    Returns:
        Pairs of room ids that a door joins; None when some room cannot be reached.
    """
    shared = shared_walls(rooms)
    private = [("bathroom" in (rooms[a].room_type, rooms[b].room_type)) for a, b, *_ in shared]
    order = np.argsort(rng.random(len(shared)) + np.array(private, dtype=float), kind="stable")
    group = list(range(len(rooms)))
    doors = []
    for index in order:
        a, b, side, start, end = shared[index]
        tree = group[a] != group[b]
        if not tree and (private[index] or rng.random() > 0.35):
            continue
        if not add_door(rng, (rooms[a], rooms[b]), side, (start, end)):
            continue
        group = [group[a] if label == group[b] else label for label in group]
        doors.append((rooms[a].room_id, rooms[b].room_id))
    return doors if len(set(group)) == 1 else None


def add_door(
    rng: np.random.Generator, pair: tuple[PlanRoom, PlanRoom], side: int, stretch: tuple[float, float]
) -> bool:
    """Put a door somewhere in a stretch of wall that two rooms share.

    Args:
        rng: source of every choice.
        pair: the rooms; both get their half of the door.
        side: of the first room.
        stretch: start and end in world coordinates along the wall.

    Returns:
        Whether there was a place.
    """
    margin = DOOR_WIDTH_M / 2 + FRAME_M + 0.04
    sides = (side, (side + 2) % 4)
    low, high = stretch[0] + margin, stretch[1] - margin
    for _ in range(8):
        near_end = rng.random() < 0.6
        at = rng.uniform(low, high)
        if near_end:
            at = float(
                np.clip(low + rng.uniform(0, 0.25) if rng.random() < 0.5 else high - rng.uniform(0, 0.25), low, high)
            )
        along = [along_wall_m(room.rect, s, at) for room, s in zip(pair, sides, strict=True)]
        if any(_clash(room, s, x, margin) for room, s, x in zip(pair, sides, along, strict=True)):
            continue
        leaf_room, leaf_side = _leaf_place(rng, pair, sides, along)
        for number, (room, s, x) in enumerate(zip(pair, sides, along, strict=True)):
            fold = leaf_side if number == leaf_room else 0
            room.doors[s].append(Opening(x, DOOR_WIDTH_M, 0.0, DOOR_HEIGHT_M, fold))
        return True
    return False


def _clash(room: PlanRoom, side: int, along_m: float, half_m: float) -> bool:
    for other in room.doors[side]:
        low, high = door_span_m(other)
        if along_m + half_m + 0.1 > low and along_m - half_m - 0.1 < high:
            return True
    return False


def door_span_m(door: Opening) -> tuple[float, float]:
    """Return the stretch of wall that a door takes up, with its frame and its folded leaf."""
    half = door.width_m / 2 + FRAME_M
    low, high = door.centre_m - half, door.centre_m + half
    if door.leaf_side < 0:
        low -= LEAF_M + 0.02
    elif door.leaf_side > 0:
        high += LEAF_M + 0.02
    return low, high


def _leaf_place(
    rng: np.random.Generator, pair: tuple[PlanRoom, PlanRoom], sides: tuple[int, int], along_m: list[float]
) -> tuple[int, int]:
    """Choose the room and the side where the leaf fits against the wall; (-1, 0) for an open passage."""
    places = []
    for number, (room, side, x) in enumerate(zip(pair, sides, along_m, strict=True)):
        half = wall_length_m(room.rect, side) / 2
        for fold in (-1, 1):
            reach = x + fold * (DOOR_WIDTH_M / 2 + FRAME_M + LEAF_M + 0.05)
            middle = x + fold * (DOOR_WIDTH_M + LEAF_M + FRAME_M) / 2
            if abs(reach) < half and not _clash(room, side, middle, LEAF_M / 2):
                places.append((number, fold))
    return places[int(rng.integers(len(places)))] if places else (-1, 0)


def add_windows(rng: np.random.Generator, rooms: list[PlanRoom], outer: Rect) -> None:
    """Put one or two windows on walls of each room that lie at the edge of the plan and have no door."""
    outer_sides = (outer[1], outer[0], outer[3], outer[2])
    for room in rooms:
        edges = (room.rect[1], room.rect[0], room.rect[3], room.rect[2])
        free = [k for k in range(4) if abs(edges[k] - outer_sides[k]) < WALL_M + 1e-6 and not room.doors[k]]
        rng.shuffle(free)
        count = 1 if room.room_type in ("bathroom", "hallway") else int(rng.integers(1, 3))
        for side in free[:count]:
            length = wall_length_m(room.rect, side)
            small = room.room_type == "bathroom"
            width = min(rng.uniform(0.6, 0.9) if small else rng.uniform(1.0, 1.9), length - 0.5)
            sill = 1.35 if small else float(rng.choice([0.9, 1.0]))
            top = sill + (0.7 if small else rng.uniform(1.0, 1.25))
            reach = (length - width) / 2 - 0.2
            room.windows[side].append(Opening(rng.uniform(-reach, reach) * 0.6, width, sill, min(top, 2.2)))


def yaw_of_side_rad(side: int) -> float:
    """Return the yaw that turns +Z to the inward normal of a side."""
    return side * math.pi / 2
