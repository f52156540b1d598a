"""Stairs between two storeys: straight or with a half landing, with rails, and the guard round their opening."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from backsight.sim.embedded.scenes.finishes import Finishes
from backsight.sim.embedded.scenes.floor_plan import Rect
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.piece import Piece

RAIL_M = 0.92
"""Height of a hand rail above the front edges of the treads, and of the guard above the upper floor."""
SLAB_M = 0.28
"""Thickness of the floor between two storeys."""
_TREAD_BOARD_M = 0.035
_NOSE_M = 0.02
_POST_M = 0.032
_BOTTOM_M = 0.24
"""Thickness of open stairs, below the front edge of a tread."""
_BEHIND_M = 0.004
"""How far stairs and slab edges run on behind the walls that they touch."""
_COVERED_TREADS = 2
"""Treads of a straight flight that lie under the ceiling before the opening."""


@dataclass(frozen=True)
class Frame:
    """Plan coordinates of a staircase: u along its first flight, v across it."""

    origin_m: tuple[float, float]
    """World (x, z)."""
    along: tuple[int, int]
    """World (x, z) of +u: a unit vector along an axis."""
    across: tuple[int, int]
    """World (x, z) of +v."""

    def point_m(self, u_m: float, v_m: float) -> tuple[float, float]:
        """Return the world (x, z) of a point."""
        return (
            self.origin_m[0] + u_m * self.along[0] + v_m * self.across[0],
            self.origin_m[1] + u_m * self.along[1] + v_m * self.across[1],
        )

    def rect(self, low_m: tuple[float, float], high_m: tuple[float, float]) -> Rect:
        """Return the world rectangle between two (u, v) corners."""
        (a, b), (c, d) = self.point_m(*low_m), self.point_m(*high_m)
        return (min(a, c), min(b, d), max(a, c), max(b, d))

    def yaw_rad(self, sign: int = 1) -> float:
        """Return the yaw that turns +Z to +u, or to -u where `sign` is -1."""
        return math.atan2(sign * self.along[0], sign * self.along[1])


@dataclass(frozen=True)
class Step:
    """One tread or the half landing, in plan coordinates."""

    low_m: tuple[float, float]
    high_m: tuple[float, float]
    top_m: float
    """Above the lower floor."""
    forward: int
    """1 where the walk up leads along +u, -1 along -u, 0 on the landing."""


@dataclass(frozen=True)
class Staircase:
    """Stairs from one floor to the next."""

    frame: Frame
    floor_m: float
    """Height of the lower floor, world frame."""
    rise_m: float
    """From the lower to the upper floor."""
    risers: int
    tread_m: float
    width_m: float
    foot_m: float
    """Where the first riser is, along u."""
    gap_m: float = 0.0
    """Between the two flights; 0 for a straight flight."""
    solid: bool = True
    """Whether it is filled down to the floor."""

    @property
    def has_landing(self) -> bool:
        """Whether it turns half-way."""
        return self.gap_m > 0.0

    @property
    def riser_m(self) -> float:
        """Height of one step."""
        return self.rise_m / self.risers

    @property
    def first_risers(self) -> int:
        """Risers of the first flight, up to the landing where there is one."""
        return (self.risers + 1) // 2 if self.has_landing else self.risers

    @property
    def turn_m(self) -> float:
        """Largest u of the first flight."""
        return self.foot_m + (self.first_risers - 1) * self.tread_m

    @property
    def top_m(self) -> float:
        """Where the last riser is, along u."""
        return self.turn_m - (self.risers - self.first_risers - 1) * self.tread_m if self.has_landing else self.turn_m

    @property
    def end_m(self) -> float:
        """Largest u that it takes up."""
        return self.turn_m + self.width_m if self.has_landing else self.turn_m

    @property
    def breadth_m(self) -> float:
        """Largest v that it takes up."""
        return 2 * self.width_m + self.gap_m if self.has_landing else self.width_m

    @property
    def footprint(self) -> Rect:
        """World rectangle of the lower floor that it stands on."""
        return self.frame.rect((self.foot_m, 0.0), (self.end_m, self.breadth_m))

    @property
    def opening(self) -> Rect:
        """World rectangle of the opening in the upper floor."""
        low = self.top_m if self.has_landing else self.foot_m + _COVERED_TREADS * self.tread_m
        return self.frame.rect((low, 0.0), (self.end_m, self.breadth_m))

    @property
    def before_foot_m(self) -> tuple[float, float]:
        """World (x, z) of a place on the lower floor before the first step."""
        return self.frame.point_m(self.foot_m - 0.6, max(self.width_m / 2, 0.55))

    @property
    def after_top_m(self) -> tuple[float, float]:
        """World (x, z) of a place on the upper floor after the last step."""
        v = max(self.width_m / 2, 0.55)
        return self.frame.point_m(
            self.top_m - 0.6 if self.has_landing else self.top_m + 0.6, self.breadth_m - v if self.has_landing else v
        )

    def steps(self) -> list[Step]:
        """Return treads and landing, from below."""
        steps = []
        for number in range(1, self.first_risers):
            u = self.foot_m + (number - 1) * self.tread_m
            steps.append(Step((u, 0.0), (u + self.tread_m, self.width_m), number * self.riser_m, 1))
        if self.has_landing:
            height = self.first_risers * self.riser_m
            steps.append(Step((self.turn_m, 0.0), (self.end_m, self.breadth_m), height, 0))
            low, high = self.width_m + self.gap_m, self.breadth_m
            for number in range(1, self.risers - self.first_risers):
                u = self.turn_m - number * self.tread_m
                top = height + number * self.riser_m
                steps.append(Step((u, low), (u + self.tread_m, high), top, -1))
        return steps


def add_staircase(builder: MeshBuilder, finishes: Finishes, stairs: Staircase, room_ids: tuple[int, int]) -> None:
    """Add the stairs with their rails, and the guard and the slab's edge round their opening.

    Args:
        builder: receives the pieces.
        finishes: materials of the building.
        stairs: where they are.
        room_ids: room that they start in, and room that they end in.
    """
    rng = finishes.rng
    board = finishes.timber
    body = finishes.white if rng.random() < 0.7 else board
    rail = (finishes.metal, finishes.timber, finishes.white)[int(rng.integers(3))]
    bars = bool(rng.random() < 0.7)
    flight = Piece("stairs")
    for step in stairs.steps():
        _add_step(flight, stairs, step, (board, body))
    if stairs.has_landing:
        _add_flight_rail(flight, stairs, (stairs.foot_m, stairs.turn_m), stairs.width_m - 0.03, 0, (rail, bars))
        back = stairs.breadth_m - stairs.width_m + 0.03
        _add_flight_rail(flight, stairs, (stairs.turn_m, stairs.top_m), back, stairs.first_risers, (rail, bars))
    else:
        _add_flight_rail(flight, stairs, (stairs.foot_m, stairs.top_m), stairs.width_m - 0.03, 0, (rail, bars))
    origin = (0.0, stairs.floor_m, 0.0)
    builder.add(flight, origin, 0.0, room_ids[0])
    guard = Piece("stairs")
    _add_slab_edge(guard, stairs, body)
    for start, end in _guard_lines(stairs):
        _add_guard(guard, stairs, (start, end), (rail, bars))
    builder.add(guard, origin, 0.0, room_ids[1])


def _add_step(piece: Piece, stairs: Staircase, step: Step, looks: tuple[int, int]) -> None:
    """Add a tread's board with a nose, and the body below it."""
    board, body = looks
    (u0, v0), (u1, v1) = step.low_m, step.high_m
    at_wall = (v0 < 1e-6, abs(v1 - stairs.breadth_m) < 1e-6 and stairs.has_landing)
    v0, v1 = v0 - _BEHIND_M * at_wall[0], v1 + _BEHIND_M * at_wall[1]
    if step.forward == 0:
        u1 += _BEHIND_M
    bottom = 0.0 if stairs.solid else max(0.0, step.top_m - stairs.riser_m - _BOTTOM_M)
    top = step.top_m - _TREAD_BOARD_M
    # A floor half-way up: nobody could stand inside of a solid landing.
    levels = (bottom, top / 2, top) if step.forward == 0 and stairs.solid else (bottom, top)
    for low, high in itertools.pairwise(levels):
        _plan_box(piece, stairs.frame, ((u0, v0), (u1, v1)), (low, high), body)
    nose = {1: (-_NOSE_M, 0.0), -1: (0.0, _NOSE_M), 0: (-_NOSE_M, 0.0)}[step.forward]
    low, high = (u0 + nose[0], v0), (u1 + nose[1], v1)
    _plan_box(piece, stairs.frame, (low, high), (step.top_m - _TREAD_BOARD_M, step.top_m), board)


def _plan_box(
    piece: Piece,
    frame: Frame,
    corners_m: tuple[tuple[float, float], tuple[float, float]],
    heights_m: tuple[float, float],
    material: int,
) -> None:
    """Add an upright box between two (u, v) corners and two heights."""
    x0, z0, x1, z1 = frame.rect(*corners_m)
    low, high = heights_m
    piece.box(((x0 + x1) / 2, low, (z0 + z1) / 2), (x1 - x0, high - low, z1 - z0), material)


def _add_flight_rail(
    piece: Piece,
    stairs: Staircase,
    span_m: tuple[float, float],
    v_m: float,
    first_riser: int,
    looks: tuple[int, bool],
) -> None:
    """Add a hand rail from one u to another, with a bar on every tread or with two lines under it."""
    rail, bars = looks
    start, end = span_m
    sign = 1 if end > start else -1
    count = round(abs(end - start) / stairs.tread_m)
    length = count * stairs.tread_m
    slope = math.atan2(stairs.riser_m, stairs.tread_m)
    base = (first_riser + 1) * stairs.riser_m
    heights = (RAIL_M,) if bars else (RAIL_M, RAIL_M * 0.66, RAIL_M * 0.33)
    x, z = stairs.frame.point_m(start + sign * length / 2, v_m)
    turn = (-slope, stairs.frame.yaw_rad(sign), 0.0)
    for number, height in enumerate(heights):
        thick = 0.05 if number == 0 else 0.022
        middle = base + height - thick / math.cos(slope) + length / 2 * math.tan(slope)
        piece.box((x, middle, z), (thick, thick, length / math.cos(slope)), rail, turn)
    for number in range(count):
        if not bars and number % 3:
            continue
        at = start + sign * (number + 0.5) * stairs.tread_m
        foot = base + number * stairs.riser_m
        top = foot + RAIL_M + stairs.riser_m / 2 - 0.02
        _post(piece, stairs.frame, (at, v_m), (foot, top), rail)
    for at, step in ((start + sign * 0.03, 0), (end - sign * 0.03, count - 1)):
        foot = base + step * stairs.riser_m
        top = foot + RAIL_M + (0.06 if step == 0 else stairs.riser_m + 0.06)
        _post(piece, stairs.frame, (at, v_m), (foot, top), rail, 0.06)


def _post(
    piece: Piece,
    frame: Frame,
    at_m: tuple[float, float],
    heights_m: tuple[float, float],
    material: int,
    thick_m: float = _POST_M,
) -> None:
    x, z = frame.point_m(*at_m)
    piece.box((x, heights_m[0], z), (thick_m, heights_m[1] - heights_m[0], thick_m), material)


def _guard_lines(stairs: Staircase) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Return the (u, v) lines on the upper floor where one could fall."""
    out = 0.05
    if stairs.has_landing:
        u, v = stairs.top_m - out, stairs.width_m + stairs.gap_m / 2
        return [((u, 0.0), (u, v))]
    u, v = stairs.foot_m + _COVERED_TREADS * stairs.tread_m - out, stairs.width_m + out
    return [((u, 0.0), (u, v)), ((u, v), (stairs.top_m, v))]


def _add_guard(
    piece: Piece,
    stairs: Staircase,
    line: tuple[tuple[float, float], tuple[float, float]],
    looks: tuple[int, bool],
) -> None:
    """Add a guard on the upper floor along a line."""
    rail, bars = looks
    (u0, v0), (u1, v1) = line
    floor = stairs.rise_m
    half = 0.025
    corners = ((u0 - half, v0 - half), (u1 + half, v1 + half))
    _plan_box(piece, stairs.frame, corners, (floor + RAIL_M - 0.05, floor + RAIL_M), rail)
    lines = (0.08,) if bars else (0.08, 0.3, 0.52, 0.7)
    for height in lines:
        thin = ((u0 - 0.011, v0 - 0.011), (u1 + 0.011, v1 + 0.011))
        _plan_box(piece, stairs.frame, thin, (floor + height, floor + height + 0.022), rail)
    length = math.hypot(u1 - u0, v1 - v0)
    count = max(2, math.ceil(length / (0.12 if bars else 0.9)) + 1)
    for share in np.linspace(0.0, 1.0, count).tolist():
        at = (u0 + share * (u1 - u0), v0 + share * (v1 - v0))
        thick = 0.05 if share in (0.0, 1.0) else _POST_M * 0.7
        _post(piece, stairs.frame, at, (floor, floor + RAIL_M - 0.02), rail, thick)


def _add_slab_edge(piece: Piece, stairs: Staircase, material: int) -> None:
    """Line the opening between ceiling and floor; the four faces stand a little outside of its edge."""
    x0, z0, x1, z1 = stairs.opening
    out, past, over = _BEHIND_M, 0.02, 0.002
    low, high = stairs.rise_m - SLAB_M - over, stairs.rise_m + over
    left, back, right, front = x0 - out, z0 - out, x1 + out, z1 + out
    corners = (
        ((left, front + past), (left, back - past)),
        ((right, back - past), (right, front + past)),
        ((left - past, back), (right + past, back)),
        ((right + past, front), (left - past, front)),
    )
    for (ax, az), (bx, bz) in corners:
        piece.quad(((ax, low, az), (bx, low, bz), (bx, high, bz), (ax, high, az)), material)
