"""Parts of one object in its own frame: boxes, frustums and quads, kept as rows of numbers until packing."""

import itertools
import math
from dataclasses import dataclass, field, replace
from typing import Literal

Vector = tuple[float, float, float]
Corners = tuple[Vector, Vector, Vector, Vector]

UPRIGHT: Vector = (0.0, 0.0, 0.0)
"""No turn: tilt about x, yaw about y and roll about z are all zero."""

HIDE_SIDES = 1 << 0 | 1 << 1
HIDE_TOP = 1 << 2
HIDE_BOTTOM = 1 << 3
HIDE_FRONT = 1 << 4
HIDE_BACK = 1 << 5
HIDE_ENDS = HIDE_TOP | HIDE_BOTTOM
"""Bits of box faces that nobody can see: +-x, +y, -y, +z, -z and both +-y."""


@dataclass(frozen=True)
class Round:
    """Cross-section of a frustum: an even number of sides, stretched, and which ends can be seen."""

    sides: int = 8
    stretch_x: float = 1.0
    stretch_z: float = 1.0
    bottom: bool = True
    top: bool = True


ROUND_6, ROUND_8, ROUND_10, ROUND_12 = (Round(sides) for sides in (6, 8, 10, 12))
POLE = Round(6, bottom=False, top=False)
LIDDED = Round(8, bottom=False)


SurfaceKind = Literal["on", "in", "under"]


@dataclass(frozen=True)
class Surface:
    """A level rectangle of a piece where other things can stand, free of the piece's own parts above it."""

    kind: SurfaceKind
    """'on' a top or seat, 'in' a niche or vessel, 'under' a top (the floor below it)."""
    centre_m: Vector
    """Middle of the rectangle, object frame; things that stand there have their origins at this height."""
    size_m: tuple[float, float]
    """Extents along the piece's x and z."""
    height_m: float = math.inf
    """Free height above it; infinite where the piece has nothing above."""


@dataclass
class Piece:
    """Parts of one object in its own frame: origin on the floor below its middle, +Y up, front along +Z."""

    category: str
    colour: str | None = None
    boxes: list[tuple[float, ...]] = field(default_factory=list)
    frustums: dict[int, list[tuple[float, ...]]] = field(default_factory=dict)
    quads: list[tuple[Corners, tuple[tuple[float, float], ...] | None, int]] = field(default_factory=list)
    low: list[float] = field(default_factory=lambda: [math.inf] * 3)
    high: list[float] = field(default_factory=lambda: [-math.inf] * 3)
    surfaces: list[Surface] = field(default_factory=list)
    """Where other things can stand on, in or under it."""

    def box(
        self,
        base_m: Vector,
        size_m: Vector,
        material: int,
        turn_rad: Vector = UPRIGHT,
        taper: float = 1.0,
        hidden: int = 0,
    ) -> None:
        """Add a box that stands on `base_m`.

        Args:
            base_m: middle of its lower face, object frame.
            size_m: extents along x, y, z.
            material: index given by `MeshBuilder.material`.
            turn_rad: tilt about x, yaw about y, roll about z, about the base point.
            taper: size of the upper face relative to the lower one.
            hidden: bits of faces to leave out.
        """
        if base_m[1] < 1e-4 and turn_rad == UPRIGHT:
            hidden |= HIDE_BOTTOM
        self.boxes.append((*base_m, *size_m, *turn_rad, taper, material, hidden))
        widest = max(taper, 1.0)
        self._grow(base_m, (size_m[0] * widest, size_m[1], size_m[2] * widest), turn_rad)

    def frustum(
        self,
        base_m: Vector,
        radii_m: tuple[float, float],
        height_m: float,
        material: int,
        turn_rad: Vector = UPRIGHT,
        shape: Round = ROUND_8,
    ) -> None:
        """Add an upright prism, cylinder or cone stump.

        Args:
            base_m: middle of its lower cap, object frame.
            radii_m: radius at the lower and at the upper end.
            height_m: length along its axis.
            material: index given by `MeshBuilder.material`.
            turn_rad: tilt about x, yaw about y, roll about z, about the base point.
            shape: stretch, sides and caps.
        """
        caps = int(shape.bottom and base_m[1] > 1e-4) + 2 * int(shape.top)
        row = (*base_m, *radii_m, height_m, shape.stretch_x, shape.stretch_z, *turn_rad, material, caps)
        self.frustums.setdefault(shape.sides, []).append(row)
        width = 2.0 * max(radii_m)
        self._grow(base_m, (width * shape.stretch_x, height_m, width * shape.stretch_z), turn_rad)

    def lathe(
        self,
        base_m: Vector,
        profile_m: list[tuple[float, float]],
        material: int,
        shape: Round = ROUND_8,
    ) -> None:
        """Add a turned body from (radius, height) stations, lowest first; joints have no caps."""
        last = len(profile_m) - 2
        for number, ((radius, y), (next_radius, next_y)) in enumerate(itertools.pairwise(profile_m)):
            at = (base_m[0], base_m[1] + y, base_m[2])
            part = replace(shape, bottom=shape.bottom and number == 0, top=shape.top and number == last)
            self.frustum(at, (radius, next_radius), next_y - y, material, shape=part)

    def quad(self, corners_m: Corners, material: int, uv: tuple[tuple[float, float], ...] | None = None) -> None:
        """Add a quad, counter-clockwise seen from its front; without `uv` the texture fits it once."""
        self.quads.append((corners_m, uv, material))
        for corner in corners_m:
            for axis in range(3):
                self.low[axis] = min(self.low[axis], corner[axis])
                self.high[axis] = max(self.high[axis], corner[axis])

    def panel(self, centre_m: Vector, width_m: float, height_m: float, material: int) -> None:
        """Add an upright quad that faces +Z and shows its texture once."""
        x, y, z = centre_m
        left, right, bottom, top = x - width_m / 2, x + width_m / 2, y - height_m / 2, y + height_m / 2
        self.quad(((left, bottom, z), (right, bottom, z), (right, top, z), (left, top, z)), material)

    def offer(
        self, kind: SurfaceKind, centre_m: Vector, size_m: tuple[float, float], height_m: float = math.inf
    ) -> None:
        """Say that things can stand on a rectangle of this piece: see `Surface`."""
        self.surfaces.append(Surface(kind, centre_m, size_m, height_m))

    def offers(self, kind: SurfaceKind) -> list[Surface]:
        """Return the surfaces of one kind."""
        return [surface for surface in self.surfaces if surface.kind == kind]

    @property
    def height_m(self) -> float:
        """Top of the piece above its own origin."""
        return self.high[1]

    def _grow(self, base_m: Vector, size_m: Vector, turn_rad: Vector) -> None:
        half_x, height, half_z = size_m[0] / 2, size_m[1], size_m[2] / 2
        if turn_rad == UPRIGHT:
            bounds = ((-half_x, half_x), (0.0, height), (-half_z, half_z))
        else:
            rotation = _turn_rows(turn_rad)
            bounds = tuple(_axis_bounds(row, half_x, height, half_z) for row in rotation)
        for axis, (lowest, highest) in enumerate(bounds):
            self.low[axis] = min(self.low[axis], base_m[axis] + lowest)
            self.high[axis] = max(self.high[axis], base_m[axis] + highest)


def _axis_bounds(row: Vector, half_x: float, height: float, half_z: float) -> tuple[float, float]:
    side = abs(row[0]) * half_x + abs(row[2]) * half_z
    return min(0.0, row[1] * height) - side, max(0.0, row[1] * height) + side


def _turn_rows(turn_rad: Vector) -> tuple[Vector, Vector, Vector]:
    """Return the rows of yaw(y) @ tilt(x) @ roll(z)."""
    (sx, sy, sz), (cx, cy, cz) = [tuple(f(a) for a in turn_rad) for f in (math.sin, math.cos)]
    return (
        (cy * cz + sy * sx * sz, -cy * sz + sy * sx * cz, sy * cx),
        (cx * sz, cx * cz, -sx),
        (-sy * cz + cy * sx * sz, sy * sz + cy * sx * cz, cy * cx),
    )
