"""Upright boxes of placed pieces, to see whether a further one would reach into them."""

import math
from dataclasses import dataclass

import numpy as np

from backsight.sim.embedded.scenes.piece import Piece, Vector
from backsight.sim.embedded.scenes.room_space import Pose

_TOUCH_M = 0.004
"""Boxes that share less than this along some axis only touch."""


@dataclass(frozen=True)
class Solid:
    """The upright box round a placed piece."""

    low_m: Vector
    """Least x and z in the room's axes, and bottom above its floor: of the axis-aligned box round it."""
    high_m: Vector
    centre_m: tuple[float, float]
    """x and z of the middle of its own box."""
    half_m: tuple[float, float]
    """Half extents along its own x and z."""
    yaw_rad: float


def solid_of(piece: Piece, pose: Pose, base_m: float) -> Solid:
    """Return the box of a piece at a pose, `base_m` above the floor of its room."""
    half_x, half_z = (piece.high[0] - piece.low[0]) / 2, (piece.high[2] - piece.low[2]) / 2
    middle = pose.offset((piece.high[0] + piece.low[0]) / 2, (piece.high[2] + piece.low[2]) / 2)
    cos, sin = abs(math.cos(pose.yaw_rad)), abs(math.sin(pose.yaw_rad))
    reach_x, reach_z = cos * half_x + sin * half_z, sin * half_x + cos * half_z
    low = (middle.x_m - reach_x, base_m + piece.low[1], middle.z_m - reach_z)
    high = (middle.x_m + reach_x, base_m + piece.high[1], middle.z_m + reach_z)
    return Solid(low, high, (middle.x_m, middle.z_m), (half_x, half_z), pose.yaw_rad)


class Solids:
    """The boxes of one room."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._solids: list[Solid] = []
        self._bounds = np.empty((64, 6))

    def add(self, number: int, solid: Solid) -> None:
        """Note a box under an instance id."""
        count = len(self._solids)
        if count == len(self._bounds):
            self._bounds = np.concatenate([self._bounds, np.empty_like(self._bounds)])
        self._bounds[count] = (*solid.low_m, *solid.high_m)
        self._numbers.append(number)
        self._solids.append(solid)

    def hits(self, solid: Solid, ignored: tuple[int, ...]) -> bool:
        """Whether a box reaches into a noted one that is not among the ignored instances."""
        bounds = self._bounds[: len(self._solids)]
        low, high = np.array(solid.low_m) + _TOUCH_M, np.array(solid.high_m) - _TOUCH_M
        near = ((bounds[:, :3] < high) & (low < bounds[:, 3:])).all(axis=1)
        return any(
            self._numbers[index] not in ignored and _overlap_on_floor(solid, self._solids[index])
            for index in np.flatnonzero(near).tolist()
        )


def _overlap_on_floor(a: Solid, b: Solid) -> bool:
    """Separating axes of two turned rectangles."""
    dx, dz = b.centre_m[0] - a.centre_m[0], b.centre_m[1] - a.centre_m[1]
    for yaw in (a.yaw_rad, b.yaw_rad):
        for turn in (yaw, yaw + math.pi / 2):
            axis = (math.cos(turn), -math.sin(turn))
            reach = _reach(a, turn) + _reach(b, turn)
            if abs(dx * axis[0] + dz * axis[1]) > reach - _TOUCH_M:
                return False
    return True


def _reach(solid: Solid, turn_rad: float) -> float:
    """Half extent of a turned rectangle along the axis that +X becomes when turned by `turn_rad`."""
    away = turn_rad - solid.yaw_rad
    return solid.half_m[0] * abs(math.cos(away)) + solid.half_m[1] * abs(math.sin(away))
