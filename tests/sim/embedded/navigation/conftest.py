"""Bare scenes for navigation, and exact shortest ways by a visibility graph, independent of any grid."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra

from backsight.records.scene import Room
from backsight.sim.embedded.packed import Material, RoomLight

CORNER_POINTS = 6
"""Points on the quarter circle round a corner; the way round it is at most 0.6 % too long."""


def grown_box(corners, radius_m):
    """Corners (counter-clockwise) of a convex polygon, grown by a radius: its corners become circumscribed arcs."""
    points = []
    count = len(corners)
    for index, corner in enumerate(corners):
        before, after = corner - corners[index - 1], corners[(index + 1) % count] - corner
        start = np.arctan2(before[1], before[0]) - np.pi / 2
        turn = (np.arctan2(after[1], after[0]) - np.pi / 2 - start) % (2 * np.pi)
        half = turn / CORNER_POINTS / 2
        angles = start + half * (2 * np.arange(CORNER_POINTS) + 1)
        points += [corner + radius_m / np.cos(half) * np.array([np.cos(a), np.sin(a)]) for a in angles]
    return np.array(points)


def inside(points, polygon, margin=-1e-7):
    """Whether points lie inside a convex counter-clockwise polygon by more than a margin."""
    edges = np.roll(polygon, -1, axis=0) - polygon
    normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1) / np.linalg.norm(edges, axis=1, keepdims=True)
    return ((points[:, None] - polygon) * normals).sum(axis=2).max(axis=1) < margin


def crosses(start, end, polygon):
    """Whether segments run through the inside of a convex counter-clockwise polygon."""
    edges = np.roll(polygon, -1, axis=0) - polygon
    normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1) / np.linalg.norm(edges, axis=1, keepdims=True)
    beyond = ((start[:, None] - polygon) * normals).sum(axis=2) + 1e-7
    step = (end - start) @ normals.T
    with np.errstate(divide="ignore", invalid="ignore"):
        share = -beyond / step
    enter = np.where(step < -1e-12, share, 0.0).max(axis=1)
    leave = np.where(step > 1e-12, share, 1.0).min(axis=1)
    outside = ((np.abs(step) <= 1e-12) & (beyond >= 0.0)).any(axis=1)
    return ~outside & (np.minimum(leave, 1.0) - np.maximum(enter, 0.0) > 1e-9)


def shortest_lengths_m(start, goals, polygons, bounds):
    """Lengths of the shortest ways to goals that keep out of convex polygons and within (x0, z0, x1, z1)."""
    corners = np.concatenate(polygons) if polygons else np.zeros((0, 2))
    within = ((corners >= bounds[:2]) & (corners <= bounds[2:])).all(axis=1)
    for polygon in polygons:
        within &= ~inside(corners, polygon)
    nodes = np.concatenate([start[None], goals, corners[within]])
    one, two = np.array(list(itertools.combinations(range(len(nodes)), 2))).T
    free = np.ones(len(one), dtype=bool)
    for polygon in polygons:
        some = np.flatnonzero(free)
        free[some] = ~crosses(nodes[one[some]], nodes[two[some]], polygon)
    graph = np.zeros((len(nodes), len(nodes)))
    graph[one[free], two[free]] = np.linalg.norm(nodes[one[free]] - nodes[two[free]], axis=1)
    return dijkstra(graph, directed=False, indices=0)[1 : 1 + len(goals)]


def at(x, z, y=0.0):
    return np.array([x, y, z], dtype=float)


def slab(maker, category, rect, y, room_id=1, up=True):
    x0, z0, x1, z1 = rect
    corners = [(x0, y, z1), (x1, y, z1), (x1, y, z0), (x0, y, z0)]
    number = maker.add_object(category, room_id)
    maker.quad(corners if up else corners[::-1], (0, 1 if up else -1, 0), 0, number, room_id)


def block(maker, low, high, category="wall", room_id=1, yaw_rad=0.0):
    maker.box(low, high, 0, maker.add_object(category, room_id), room_id, yaw_rad)


def finished(maker, rooms):
    light = RoomLight(1, (1.0, 2.4, 1.0), (1.0, 1.0, 1.0))
    return maker.scene((Material((0.5, 0.5, 0.5)),), (), (light,), rooms)


def hall(maker, extent=(6.0, 4.0), pieces=(), category="box"):
    """One room with walls, and boxes given as (low, high, yaw)."""
    x, z = extent
    slab(maker, "floor", (0, 0, x, z), 0.0)
    sides = (((-0.1, -0.1), (0, z + 0.1)), ((x, -0.1), (x + 0.1, z + 0.1)), ((0, -0.1), (x, 0)), ((0, z), (x, z + 0.1)))
    for low, high in sides:
        block(maker, (low[0], 0.0, low[1]), (high[0], 2.6, high[1]))
    for low, high, yaw_rad in pieces:
        block(maker, low, high, category, yaw_rad=yaw_rad)
    return finished(maker, (Room(1, "hallway", (0.0, 0.0, x, z)),))


RISER_M, TREAD_M, RISERS = 0.175, 0.27, 16
RISE_M = RISER_M * RISERS
FOOT_M = 2.0
TOP_M = FOOT_M + (RISERS - 1) * TREAD_M
UPPER_END_M = TOP_M + 3.5
STAIRS_Z = (1.0, 2.1)
GAP_Z = (0.0, 0.8)
"""Doorway in the wall across the upper floor."""


def stair_tower(maker, riser_m=RISER_M, category="stairs", upper_room="bedroom"):
    """Stairs along +x between two walls, from one floor to another; both floors are 3 m deep.

    Below: x from -3 to the foot; above: from the top on, with a wall across that leaves a doorway.
    """
    rise = riser_m * RISERS
    low, high = (-3.0, 0.0, FOOT_M, 3.0), (TOP_M, 0.0, UPPER_END_M, 3.0)
    slab(maker, "floor", low, 0.0)
    slab(maker, "floor", high, rise, 2)
    for number in range(1, RISERS):
        start = FOOT_M + (number - 1) * TREAD_M
        block(maker, (start, 0.0, STAIRS_Z[0]), (start + TREAD_M, number * riser_m, STAIRS_Z[1]), category)
    for z0, z1 in ((STAIRS_Z[0] - 0.1, STAIRS_Z[0]), (STAIRS_Z[1], STAIRS_Z[1] + 0.1)):
        block(maker, (FOOT_M, 0.0, z0), (TOP_M, rise + 2.6, z1))
    for x in (-3.1, UPPER_END_M):
        block(maker, (x, 0.0, -0.1), (x + 0.1, rise + 2.6, 3.1))
    for z in (-0.1, 3.0):
        block(maker, (-3.1, 0.0, z), (UPPER_END_M + 0.1, rise + 2.6, z + 0.1))
    for x0, x1, bottom in ((FOOT_M, FOOT_M + 0.1, 0.0), (TOP_M - 0.1, TOP_M, rise)):
        for z0, z1 in ((0.0, STAIRS_Z[0] - 0.1), (STAIRS_Z[1] + 0.1, 3.0)):
            block(maker, (x0, bottom, z0), (x1, bottom + 2.6, z1))
    wall_x = TOP_M + 1.8
    block(maker, (wall_x, rise, GAP_Z[1]), (wall_x + 0.1, rise + 2.6, 3.0))
    rooms = (Room(1, "hallway", low, 0.0, 2.6), Room(2, upper_room, high, rise, 2.6))
    return finished(maker, rooms)


@pytest.fixture(scope="session")
def bare():
    """Builders of bare scenes, and the measures of the stairs between two floors."""
    return SimpleNamespace(
        at=at, slab=slab, block=block, finished=finished, hall=hall, stair_tower=stair_tower, riser_m=RISER_M,
        tread_m=TREAD_M, risers=RISERS, rise_m=RISE_M, foot_m=FOOT_M, top_m=TOP_M, upper_end_m=UPPER_END_M,
        stairs_z=STAIRS_Z, gap_z=GAP_Z,
    )  # fmt: skip


@pytest.fixture(scope="session")
def exact():
    """Exact shortest ways among grown boxes."""
    return SimpleNamespace(grown_box=grown_box, shortest_lengths_m=shortest_lengths_m)
