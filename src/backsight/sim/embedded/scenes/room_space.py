"""Where furniture may stand in one room: no overlaps, free doors, walkable ways between them."""

import math
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool
from scipy import ndimage

from backsight.sim.embedded.scenes.floor_plan import (
    FRAME_M,
    Opening,
    PlanRoom,
    Rect,
    door_span_m,
    wall_length_m,
    wall_point_m,
    yaw_of_side_rad,
)
from backsight.sim.embedded.scenes.piece import Piece

_CELL_M = 0.1
_GAP_M = 0.009
"""Furniture stays this far from every wall, so before the skirting board."""
_WAY_HALF_M = 0.36
"""Half the width of the ways that stay free."""
_DOOR_DEPTH_M = 0.85
_APPROACH_M = 0.55
"""Half the edge of the square that stays free round a way point."""
_FREE_SHARE = 0.16
"""Share of the floor that the middle of a way must still be able to reach."""


@dataclass(frozen=True)
class Pose:
    """Where a piece stands on the floor."""

    x_m: float
    z_m: float
    yaw_rad: float
    side: int = -1
    """Wall that it stands against; -1 = none."""

    def offset(self, right_m: float, forward_m: float, turn_rad: float = 0.0) -> "Pose":
        """Return the pose some way along this one's own +X and +Z, turned by `turn_rad`."""
        cos, sin = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        x = self.x_m + cos * right_m + sin * forward_m
        z = self.z_m - sin * right_m + cos * forward_m
        return Pose(x, z, self.yaw_rad + turn_rad, self.side)


def footprint(piece: Piece, pose: Pose, margin_m: float = 0.0) -> Rect:
    """Return the axis-aligned rectangle round a piece on the floor."""
    half_x, half_z = (piece.high[0] - piece.low[0]) / 2, (piece.high[2] - piece.low[2]) / 2
    middle = pose.offset((piece.high[0] + piece.low[0]) / 2, (piece.high[2] + piece.low[2]) / 2)
    cos, sin = abs(math.cos(pose.yaw_rad)), abs(math.sin(pose.yaw_rad))
    reach_x, reach_z = cos * half_x + sin * half_z + margin_m, sin * half_x + cos * half_z + margin_m
    return (middle.x_m - reach_x, middle.z_m - reach_z, middle.x_m + reach_x, middle.z_m + reach_z)


def window_span(window: Opening) -> tuple[float, float, float, float]:
    """Return start, end, bottom and top of the stretch of wall that a window with its sill board covers."""
    half = window.width_m / 2 + 0.06
    return (window.centre_m - half, window.centre_m + half, window.sill_m - 0.04, window.top_m)


def overlap(a: Rect, b: Rect) -> bool:
    """Whether two rectangles share some area."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@dataclass
class RoomSpace:
    """Free floor and free wall of one room."""

    room: PlanRoom
    rng: np.random.Generator
    taken: list[Rect] = field(default_factory=list)
    wall_spans: list[list[tuple[float, float, float, float]]] = field(default_factory=lambda: [[], [], [], []])
    """Per side: start, end, bottom and top of what covers the wall."""

    def __post_init__(self) -> None:
        rect = self.room.rect
        self._shape = (int((rect[3] - rect[1]) / _CELL_M), int((rect[2] - rect[0]) / _CELL_M))
        self._blocked = np.zeros(self._shape, dtype=bool)
        edge = math.ceil(_WAY_HALF_M / _CELL_M)
        self._blocked[:edge] = self._blocked[-edge:] = True
        self._blocked[:, :edge] = self._blocked[:, -edge:] = True
        self._doorways: list[Rect] = []
        self._door_cells: list[tuple[int, int]] = []
        for side in range(4):
            for door in self.room.doors[side]:
                self._keep_door(side, door.centre_m, door.width_m, door_span_m(door))
            for window in self.room.windows[side]:
                self.wall_spans[side].append(window_span(window))
        for rect_kept in self.room.reserved:
            self.take(rect_kept)
            self.cover_walls(rect_kept, self.room.height_m)
        for x, z in self.room.way_points_m:
            self._door_cells.append(self._cell(x, z))
            self._doorways.append((x - _APPROACH_M, z - _APPROACH_M, x + _APPROACH_M, z + _APPROACH_M))

    def _keep_door(self, side: int, centre_m: float, width_m: float, span_m: tuple[float, float]) -> None:
        rect, half = self.room.rect, width_m / 2 + FRAME_M
        self._doorways.append(_rect_of(rect, side, (centre_m - half, centre_m + half), _DOOR_DEPTH_M))
        self._doorways.append(_rect_of(rect, side, span_m, 0.14))
        self.wall_spans[side].append((*span_m, 0.0, 2.2))
        x, z = wall_point_m(rect, side, centre_m, _WAY_HALF_M + 2 * _CELL_M)
        row, column = self._cell(x, z)
        self._door_cells.append((row, column))
        door_way = _rect_of(rect, side, (centre_m - 0.1, centre_m + 0.1), _WAY_HALF_M + 3 * _CELL_M)
        self._blocked[self._cells(door_way)] = False

    def _cell(self, x_m: float, z_m: float) -> tuple[int, int]:
        rows, columns = self._shape
        row, column = int((z_m - self.room.rect[1]) / _CELL_M), int((x_m - self.room.rect[0]) / _CELL_M)
        return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)

    def _cells(self, rect: Rect) -> tuple[slice, slice]:
        top, left = self._cell(rect[0], rect[1])
        bottom, right = self._cell(rect[2], rect[3])
        return slice(top, bottom + 1), slice(left, right + 1)

    def fits(self, rect: Rect) -> bool:
        """Whether a footprint lies in the room, touches nothing and leaves the ways between doors open."""
        room = self.room.rect
        inside = rect[0] > room[0] + _GAP_M and rect[1] > room[1] + _GAP_M
        if not inside or rect[2] > room[2] - _GAP_M or rect[3] > room[3] - _GAP_M:
            return False
        if any(overlap(rect, other) for other in self.taken):
            return False
        return not any(overlap(rect, way) for way in self._doorways) and self._ways_stay_open(rect)

    def free_below(self, rect: Rect, own: Rect) -> bool:
        """Whether nothing but the piece whose footprint is `own` stands on a stretch of floor, such as a chair."""
        return not any(overlap(rect, other) for other in self.taken if other != own)

    def _ways_stay_open(self, rect: Rect) -> bool:
        blocked = self._with(rect)
        labels = np.empty(blocked.shape, dtype=np.int32)
        ndimage.label(~blocked, output=labels)
        rows, columns = zip(*self._door_cells, strict=True)
        reached = labels[list(rows), list(columns)]
        if reached[0] == 0 or (reached != reached[0]).any():
            return False
        return int((labels == reached[0]).sum()) >= _FREE_SHARE * blocked.size

    def _with(self, rect: Rect) -> Bool[np.ndarray, "_ _"]:
        blocked = self._blocked.copy()
        grown = (rect[0] - _WAY_HALF_M, rect[1] - _WAY_HALF_M, rect[2] + _WAY_HALF_M, rect[3] + _WAY_HALF_M)
        blocked[self._cells(grown)] = True
        return blocked

    def take(self, rect: Rect) -> None:
        """Mark a footprint as occupied."""
        self.taken.append(rect)
        self._blocked = self._with(rect)

    def find_wall(
        self, piece: Piece, sides: list[int] | None = None, gap_m: float = 0.015, tries: int = 14
    ) -> Pose | None:
        """Return a pose with the piece's back to a wall, or None where it does not fit.

        Args:
            piece: what to place.
            sides: walls to try, all four when None.
            gap_m: distance between the wall and the piece's back.
            tries: random places to try.
        """
        sides = [0, 1, 2, 3] if sides is None else sides
        for attempt in range(tries):
            side = sides[int(self.rng.integers(len(sides)))]
            half = wall_length_m(self.room.rect, side) / 2
            reach_low, reach_high = -half - piece.low[0] + 0.02, half - piece.high[0] - 0.02
            if reach_high <= reach_low:
                continue
            along = self.rng.uniform(reach_low, reach_high)
            if attempt % 3 == 0:
                along = reach_low if self.rng.random() < 0.5 else reach_high
            if not self.wall_free(side, (along + piece.low[0], along + piece.high[0]), (0.0, piece.height_m)):
                continue
            x, z = wall_point_m(self.room.rect, side, along, gap_m - piece.low[2])
            pose = Pose(x, z, yaw_of_side_rad(side), side)
            if self.fits(footprint(piece, pose)):
                return pose
        return None

    def wall_free(
        self,
        side: int,
        span_m: tuple[float, float],
        heights_m: tuple[float, float],
        but: tuple[float, float, float, float] | None = None,
    ) -> bool:
        """Whether nothing but the span `but` covers a stretch of wall between two heights."""
        return not any(
            span_m[0] < end and start < span_m[1] and heights_m[0] < top and bottom < heights_m[1]
            for start, end, bottom, top in self.wall_spans[side]
            if (start, end, bottom, top) != but
        )

    def cover_walls(self, rect: Rect, height_m: float) -> None:
        """Note which stretches of wall a footprint close to them covers."""
        room = self.room.rect
        near = (rect[1] - room[1], rect[0] - room[0], room[3] - rect[3], room[2] - rect[2])
        middle_x, middle_z = (room[0] + room[2]) / 2, (room[1] + room[3]) / 2
        spans = (
            (rect[0] - middle_x, rect[2] - middle_x),
            (middle_z - rect[3], middle_z - rect[1]),
            (middle_x - rect[2], middle_x - rect[0]),
            (rect[1] - middle_z, rect[3] - middle_z),
        )
        for side in range(4):
            if near[side] < 0.3:
                self.wall_spans[side].append((*spans[side], 0.0, height_m))


def _rect_of(room: Rect, side: int, span_m: tuple[float, float], depth_m: float) -> Rect:
    """Return the rectangle before a stretch of wall."""
    x0, z0 = wall_point_m(room, side, span_m[0])
    x1, z1 = wall_point_m(room, side, span_m[1], depth_m)
    return (min(x0, x1), min(z0, z1), max(x0, x1), max(z0, z1))
