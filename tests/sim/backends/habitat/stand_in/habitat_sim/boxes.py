"""Boxes: what scenes are made of, how rays meet them, and the two forms in which versions tell of extents."""

import os
from dataclasses import dataclass

import magnum as mn
import numpy as np


def fault():
    return os.environ.get("HABITAT_STAND_IN_FAULT", "")


def version():
    return tuple(int(part) for part in os.environ.get("HABITAT_STAND_IN_VERSION", "0.3.3").split("."))


def rotation_matrix(xyzw):
    """By the formula for unit quaternions, written out."""
    x, y, z, w = (float(value) for value in xyzw)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


class BBox:
    """Up to 0.3.2: properties, and no ends."""

    def __init__(self, low, high):
        self.center = np.array([(a + b) / 2 for a, b in zip(low, high, strict=True)])
        self.sizes = np.array([b - a for a, b in zip(low, high, strict=True)])


def extent(low, high):
    return BBox(low, high) if version() <= (0, 3, 2) else mn.Range3D(low, high)


class OBB:
    def __init__(self, center, half_extents, xyzw):
        self.center = mn.Vector3(*center)
        self.half_extents = mn.Vector3(*half_extents)
        self.sizes = mn.Vector3(*(2 * value for value in half_extents))
        self.rotation = mn.Vector4(*xyzw)


@dataclass
class SolidBox:
    centre: np.ndarray
    half: np.ndarray
    turn: np.ndarray
    colour: np.ndarray
    semantic_id: int

    def corners(self):
        signs = np.array([(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
        return self.centre + (signs * self.half) @ self.turn.T

    def hit(self, origin, rays):
        """Return along each ray, in its lengths, where it meets the surface (inf: nowhere), and the normal there."""
        shape = rays.shape[:-1]
        rays = rays.reshape(-1, 3)
        start = self.turn.T @ (origin - self.centre)
        ways = rays @ self.turn
        with np.errstate(divide="ignore", invalid="ignore"):
            one, other = (-self.half - start) / ways, (self.half - start) / ways
        near, far = np.minimum(one, other), np.maximum(one, other)
        near, far = np.where(np.isnan(near), -np.inf, near), np.where(np.isnan(far), np.inf, far)
        enter, leave = near.max(axis=-1), far.min(axis=-1)
        axis = near.argmax(axis=-1)
        met = (enter <= leave) & (enter > 0)
        sign = -np.sign(ways[np.arange(len(ways)), axis])
        normal = sign[:, None] * self.turn.T[axis]
        return np.where(met, enter, np.inf).reshape(shape), normal.reshape(*shape, 3)


def stage_box(facts):
    turn = rotation_matrix(facts.get("rotation_xyzw", (0, 0, 0, 1)))
    return SolidBox(
        np.array(facts["centre"], dtype=float),
        np.array(facts["half"], dtype=float),
        turn,
        np.array(facts["colour"], dtype=float),
        int(facts["id"]),
    )
