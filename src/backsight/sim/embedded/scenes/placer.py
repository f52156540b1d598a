"""Puts pieces into a room: on the floor, against walls, on, in and under one another, round tables."""

import math
from dataclasses import dataclass

import numpy as np

from backsight.sim.embedded.scenes.finishes import Finishes
from backsight.sim.embedded.scenes.floor_plan import (
    Opening,
    PlanRoom,
    Rect,
    wall_length_m,
    wall_point_m,
    yaw_of_side_rad,
)
from backsight.sim.embedded.scenes.furniture import decor, seating
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.piece import Piece, SurfaceKind
from backsight.sim.embedded.scenes.room_space import Pose, RoomSpace, footprint, overlap, window_span
from backsight.sim.embedded.scenes.scene_id import TextureChoice
from backsight.sim.embedded.scenes.solids import Solids, solid_of
from backsight.sim.embedded.scenes.spots import find_spots

_RUG_GAP_M = 0.12
"""Rugs end before door frames and folded leaves."""
_OVERHANG_M = 0.015
"""By how much a thing may be larger than the top that it is put on."""
_SILL_M = 0.085
"""What hangs before a window starts this far from the wall."""
_HEADROOM_M = 0.03
"""What stands on something ends this far below the ceiling."""


@dataclass(frozen=True)
class Style:
    """What the options of a scene id ask of its furniture."""

    clutter: float = 0.5
    textures: TextureChoice = "mixed"


@dataclass(frozen=True)
class Standing:
    """A piece that has been placed."""

    instance_id: int
    piece: Piece
    pose: Pose
    base_m: float = 0.0
    """Height of its origin above the room's floor."""
    carriers: tuple[int, ...] = ()
    """Instance ids of what it stands on or in, nearest first."""


class Placer:
    """Furnishes one room."""

    def __init__(self, builder: MeshBuilder, finishes: Finishes, room: PlanRoom, style: Style | None = None) -> None:
        self.builder = builder
        self.finishes = finishes
        self.rng: np.random.Generator = finishes.rng
        self.room = room
        self.style = Style() if style is None else style
        self.space = RoomSpace(room, finishes.rng)
        self.standing: list[Standing] = []
        """All that has been placed in the room and offers places, in order."""
        self._rugs: list[Rect] = []
        self._solids = Solids()

    def stand(self, piece: Piece, pose: Pose, over: tuple[int, ...] = ()) -> Standing | None:
        """Put a piece on the floor when it fits there.

        Args:
            piece: what to place.
            pose: where.
            over: instance ids of what it may reach in under.
        """
        rect = footprint(piece, pose)
        if piece.height_m > self.room.height_m - _HEADROOM_M or not self.space.fits(rect):
            return None
        if self._solids.hits(solid_of(piece, pose, 0.0), over):
            return None
        self.space.take(rect)
        self.space.cover_walls(rect, piece.height_m)
        return self._add(piece, pose, 0.0)

    def against_wall(self, piece: Piece, sides: list[int] | None = None, tries: int = 14) -> Standing | None:
        """Put a piece with its back to some wall, facing the room."""
        pose = self.space.find_wall(piece, sides, tries=tries)
        return None if pose is None else self.stand(piece, pose)

    def somewhere(self, piece: Piece, tries: int = 10) -> Standing | None:
        """Put a piece somewhere on the free floor, at any angle."""
        x0, z0, x1, z1 = self.room.rect
        for _ in range(tries):
            x, z = self.rng.uniform(x0 + 0.3, x1 - 0.3), self.rng.uniform(z0 + 0.3, z1 - 0.3)
            standing = self.stand(piece, Pose(x, z, self.rng.uniform(-math.pi, math.pi)))
            if standing is not None:
                return standing
        return None

    def beside(self, piece: Piece, neighbour: Standing, gap_m: float = 0.05) -> Standing | None:
        """Put a piece on the floor next to another one, on a side of it that is free."""
        own, other = piece, neighbour.piece
        hands = [1.0, -1.0] if self.rng.random() < 0.5 else [-1.0, 1.0]
        for hand in hands:
            right = other.high[0] + gap_m - own.low[0] if hand > 0 else other.low[0] - gap_m - own.high[0]
            for forward in (other.low[2] - own.low[2], other.high[2] - own.high[2], 0.0):
                standing = self.stand(piece, neighbour.pose.offset(right, forward))
                if standing is not None:
                    return standing
        return None

    def on_top(self, piece: Piece, below: Standing, right_m: float = 0.0, forward_m: float = 0.0) -> Standing | None:
        """Put a piece at one place of another one's top, turned like it.

        Args:
            piece: what to place.
            below: its largest top counts; a piece that would hang over the top's edge is moved inwards, one that is
                too large for it is not placed.
            right_m: from the middle of `below`, along its own +X.
            forward_m: likewise along its +Z.
        """
        tops = below.piece.offers("on")
        if not tops:
            return None
        top = max(tops, key=lambda surface: surface.size_m[0] * surface.size_m[1])
        at = [0.0, 0.0]
        for slot, (axis, wish) in enumerate(((0, right_m), (2, forward_m))):
            low = top.centre_m[axis] - top.size_m[slot] / 2 - piece.low[axis]
            high = top.centre_m[axis] + top.size_m[slot] / 2 - piece.high[axis]
            if low > high + _OVERHANG_M:
                return None
            at[slot] = min(max(wish, low), high) if low <= high else (low + high) / 2
        return self._load(piece, below.pose.offset(at[0], at[1]), below.base_m + top.centre_m[1], below)

    def put(
        self, piece: Piece, carrier: Standing, kind: SurfaceKind, turn_rad: float = 0.0, tries: int = 6
    ) -> Standing | None:
        """Put a piece somewhere on, in or under another one, where it touches nothing.

        Args:
            piece: what to place.
            carrier: offers the places.
            kind: which of them.
            turn_rad: yaw relative to the carrier.
            tries: random places to try.
        """
        for x, y, z in find_spots(self.rng, piece, carrier.piece, kind, turn_rad, tries):
            pose = carrier.pose.offset(x, z, turn_rad)
            if kind != "under":
                standing = self._load(piece, pose, carrier.base_m + y, carrier)
            elif self.space.free_below(footprint(piece, pose), footprint(carrier.piece, carrier.pose)):
                standing = self._load(piece, pose, carrier.base_m + y, carrier, borne=False)
            else:
                standing = None
            if standing is not None:
                return standing
        return None

    def lay_rug(self, piece: Piece, pose: Pose) -> bool:
        """Lay a rug under furniture when it stays inside the room and clear of other rugs."""
        rect, room = footprint(piece, pose), self.room.rect
        inside = min(rect[0] - room[0], rect[1] - room[1], room[2] - rect[2], room[3] - rect[3]) > _RUG_GAP_M
        apart = not any(overlap(rect, other) for other in (*self._rugs, *self.room.reserved))
        if not inside or not apart or self.style.textures == "plain":
            return False
        self._rugs.append(rect)
        self._place(piece, pose, 0.0, None)
        return True

    def chairs_round(self, table: Standing, places: list[Pose], variant: int) -> int:
        """Put chairs at the places of a table that are free; returns how many."""
        paints = [self.finishes.paint("chair"), self.finishes.paint("chair")]
        mixed = self.rng.random() < 0.45
        count = 0
        for number, place in enumerate(places):
            paint = paints[number % 2] if mixed else paints[0]
            chair = seating.chair(self.finishes, paint, variant)
            count += self.tuck(chair, place, table) is not None
        return count

    def tuck(self, piece: Piece, place: Pose, table: Standing) -> Standing | None:
        """Stand a chair at a place where it reaches in under a table."""
        turned = place.offset(0.0, 0.0, self.rng.uniform(-0.06, 0.06))
        own = footprint(table.piece, table.pose)
        self.space.taken.remove(own)
        placed = self.stand(piece, turned, (table.instance_id,))
        self.space.taken.append(own)
        return placed

    def hang(self, piece: Piece, bottom_m: float, sides: list[int] | None = None) -> bool:
        """Hang a flat piece on a stretch of wall that nothing covers."""
        sides = [0, 1, 2, 3] if sides is None else sides
        for _ in range(10):
            side = sides[int(self.rng.integers(len(sides)))]
            reach = wall_length_m(self.room.rect, side) / 2 - piece.high[0] - 0.05
            if reach <= 0.0:
                continue
            along = self.rng.uniform(-reach, reach)
            if self.hang_at(piece, side, along, bottom_m):
                return True
        return False

    def hang_at(
        self, piece: Piece, side: int, along_m: float, bottom_m: float, supported_by: int | None = None
    ) -> bool:
        """Hang a flat piece at one place when nothing covers the wall there.

        Args:
            piece: its back is at its lowest z.
            side: wall.
            along_m: its middle along the wall's own x axis.
            bottom_m: height of its lower edge above the floor.
            supported_by: instance id of what carries it, when that is not the wall.
        """
        span = (along_m + piece.low[0] - 0.03, along_m + piece.high[0] + 0.03)
        half = wall_length_m(self.room.rect, side) / 2
        heights = (bottom_m - 0.05, bottom_m + piece.height_m)
        outside = span[0] < -half or span[1] > half or heights[1] > self.room.height_m - _HEADROOM_M
        if outside or not self.space.wall_free(side, span, heights):
            return False
        x, z = wall_point_m(self.room.rect, side, along_m, 0.003 - piece.low[2])
        pose = Pose(x, z, yaw_of_side_rad(side), side)
        if self._solids.hits(solid_of(piece, pose, bottom_m), ()):
            return False
        self.space.wall_spans[side].append((*span, *heights))
        self._place(piece, pose, bottom_m, supported_by)
        return True

    def hang_before(self, piece: Piece, side: int, window: Opening) -> bool:
        """Hang curtains before a window, clear of its sill board, when nothing else is there."""
        bottom = min(max(window.top_m + 0.08 - piece.height_m, 0.01), self.room.height_m - piece.height_m - _HEADROOM_M)
        if bottom < 0.0:
            return False
        span = (window.centre_m + piece.low[0], window.centre_m + piece.high[0])
        half = wall_length_m(self.room.rect, side) / 2
        heights = (bottom, bottom + piece.height_m)
        x, z = wall_point_m(self.room.rect, side, window.centre_m, _SILL_M - piece.low[2])
        pose = Pose(x, z, yaw_of_side_rad(side), side)
        free = self.space.wall_free(side, span, heights, window_span(window))
        if span[0] < -half or span[1] > half or not free or self._solids.hits(solid_of(piece, pose, bottom), ()):
            return False
        self.space.wall_spans[side].append((*span, *heights))
        self._place(piece, pose, bottom, None)
        return True

    def table_lamp(self, below: Standing, right_m: float = 0.0, forward_m: float = 0.0) -> None:
        """Put a small lamp on a piece."""
        height, variant = self.rng.uniform(0.38, 0.5), int(self.rng.integers(3))
        lamp = decor.lamp(self.finishes, self.finishes.paint("lamp"), height, variant)
        self.on_top(lamp, below, right_m, forward_m)

    def ornament(self, below: Standing, right_m: float = 0.0, forward_m: float = 0.0) -> None:
        """Put a vase, a small box or a small plant on a piece."""
        kind = self.rng.random()
        if kind < 0.5:
            piece = decor.vase(self.finishes, self.finishes.paint("vase"), int(self.rng.integers(4)))
        elif kind < 0.8:
            size = (self.rng.uniform(0.2, 0.3), self.rng.uniform(0.1, 0.2), self.rng.uniform(0.16, 0.24))
            piece = decor.box(self.finishes, self.finishes.paint("box"), size, int(self.rng.integers(2)))
        else:
            height, variant = self.rng.uniform(0.3, 0.42), int(self.rng.integers(3))
            piece = decor.plant(self.finishes, self.finishes.paint("plant"), height, variant)
        self.on_top(piece, below, right_m, forward_m)

    def along_wall(self, side: int, pose: Pose) -> float:
        """Return where a pose lies along a wall, from the wall's middle."""
        x0, z0, x1, z1 = self.room.rect
        offsets = (pose.x_m - (x0 + x1) / 2, (z0 + z1) / 2 - pose.z_m)
        return (offsets[0], offsets[1], -offsets[0], -offsets[1])[side]

    def _load(self, piece: Piece, pose: Pose, base_m: float, carrier: Standing, borne: bool = True) -> Standing | None:
        """Place a piece on, in or under a carrier unless it touches something else, or the ceiling."""
        solid = solid_of(piece, pose, base_m)
        known = (carrier.instance_id, *carrier.carriers)
        if solid.high_m[1] > self.room.height_m - _HEADROOM_M or self._solids.hits(solid, known):
            return None
        if borne:
            self.space.cover_walls(footprint(piece, pose), base_m + piece.height_m)
        return self._add(piece, pose, base_m, known if borne else ())

    def _add(self, piece: Piece, pose: Pose, base_m: float, carriers: tuple[int, ...] = ()) -> Standing:
        number = self._place(piece, pose, base_m, carriers[0] if carriers else None)
        standing = Standing(number, piece, pose, base_m, carriers)
        self.standing.append(standing)
        return standing

    def _place(self, piece: Piece, pose: Pose, base_m: float, supported_by: int | None) -> int:
        position = (pose.x_m, self.room.floor_m + base_m, pose.z_m)
        number = self.builder.add(piece, position, pose.yaw_rad, self.room.room_id, supported_by)
        if piece.category != "rug":
            self._solids.add(number, solid_of(piece, pose, base_m))
        return number


def places_round(table: Standing, long_sides: int, ends: int) -> list[Pose]:
    """Return chair poses round a table: `long_sides` on each long side and 0, 1 or 2 at its ends."""
    half_x, half_z = table.piece.high[0], table.piece.high[2]
    places = []
    for number in range(long_sides):
        x = ((number + 0.5) / long_sides - 0.5) * 2 * half_x
        places.append(table.pose.offset(x, half_z + 0.12, math.pi))
        places.append(table.pose.offset(x, -half_z - 0.12, 0.0))
    for end in (1, -1)[:ends]:
        places.append(table.pose.offset(end * (half_x + 0.12), 0.0, -end * math.pi / 2))
    return places
