"""Random places for a small thing on the surfaces that a piece offers."""

import math
from collections.abc import Iterator

import numpy as np

from backsight.sim.embedded.scenes.piece import Piece, SurfaceKind, Vector

_EDGE_M = 0.006
"""Things stay this far from the edge of a surface and from what is above it."""
_INSIDE_SHARE = 0.6
"""Least share of its height by which a thing in a vessel is below the vessel's rim."""


def find_spots(
    rng: np.random.Generator, piece: Piece, carrier: Piece, kind: SurfaceKind, turn_rad: float, tries: int
) -> Iterator[Vector]:
    """Yield places in the carrier's frame where the origin of a thing may come to lie.

    Args:
        rng: source of randomness.
        piece: the thing.
        carrier: offers the surfaces.
        kind: of the surfaces.
        turn_rad: yaw of the thing relative to the carrier.
        tries: how many places to yield at most.
    """
    cos, sin = math.cos(turn_rad), math.sin(turn_rad)
    reach_x, reach_z = _extents(piece, cos, sin)
    roomy = [
        surface
        for surface in carrier.offers(kind)
        if surface.size_m[0] - 2 * _EDGE_M >= reach_x[1] - reach_x[0]
        and surface.size_m[1] - 2 * _EDGE_M >= reach_z[1] - reach_z[0]
        and surface.height_m - _EDGE_M >= piece.height_m
        and (kind != "in" or surface.centre_m[1] + _INSIDE_SHARE * piece.height_m <= carrier.height_m)
    ]
    if not roomy:
        return
    areas = np.array([surface.size_m[0] * surface.size_m[1] for surface in roomy])
    for _ in range(tries):
        surface = roomy[int(rng.choice(len(roomy), p=areas / areas.sum()))]
        x, y, z = surface.centre_m
        half_x, half_z = surface.size_m[0] / 2 - _EDGE_M, surface.size_m[1] / 2 - _EDGE_M
        yield (
            float(rng.uniform(x - half_x - reach_x[0], x + half_x - reach_x[1])),
            y,
            float(rng.uniform(z - half_z - reach_z[0], z + half_z - reach_z[1])),
        )


def _extents(piece: Piece, cos: float, sin: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the x and the z range of a turned thing's box about its origin."""
    corners = [(x, z) for x in (piece.low[0], piece.high[0]) for z in (piece.low[2], piece.high[2])]
    xs = [cos * x + sin * z for x, z in corners]
    zs = [cos * z - sin * x for x, z in corners]
    return (min(xs), max(xs)), (min(zs), max(zs))
