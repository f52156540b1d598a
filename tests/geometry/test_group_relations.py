import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from backsight.geometry.group_relations import among_matrix, between_triples
from backsight.geometry.upright_boxes import footprint_corners, surface_gaps_m


@dataclass(frozen=True)
class Box:
    centre_m: tuple[float, float, float]
    size_m: tuple[float, float, float]
    yaw_rad: float = 0.0


LEFT, RIGHT = Box((-1.5, 0.5, 0.0), (0.4, 1.0, 0.8)), Box((1.5, 0.5, 0.0), (0.4, 1.0, 1.6))


def is_between(subject: Box, first: Box = LEFT, second: Box = RIGHT) -> bool:
    return [2, 0, 1] in between_triples([first, second, subject]).tolist()


@pytest.mark.parametrize(
    ("centre", "expected"),
    [
        ((0.0, 0.2, 0.0), True),
        ((-1.25, 0.2, 0.0), True),
        ((-1.35, 0.2, 0.0), False),
        ((0.0, 0.2, 0.59), True),  # the corridor widens from 0.4 to 0.8 to either side: 0.6 half way
        ((0.0, 0.2, 0.61), False),
        ((0.0, 0.2, -0.61), False),
        ((2.0, 0.2, 0.0), False),
        ((0.0, 1.59, 0.0), True),
        ((0.0, 1.61, 0.0), False),
    ],
)
def test_between_is_in_the_corridor(centre, expected):
    assert is_between(Box(centre, (0.2, 0.2, 0.2))) is expected


def test_what_is_longer_than_the_corridor_is_not_between():
    assert is_between(Box((0.0, 0.01, 0.0), (2.59, 0.02, 0.5)))
    assert not is_between(Box((0.0, 0.01, 0.0), (2.61, 0.02, 0.5)))
    assert is_between(Box((0.0, 0.01, 0.0), (0.5, 0.02, 4.0)))


@pytest.mark.parametrize(("gap_m", "expected"), [(0.19, False), (0.21, True), (3.99, True), (4.01, False)])
def test_the_corridor_is_neither_too_short_nor_too_long(gap_m, expected):
    second = Box((-1.3 + gap_m + 0.2, 0.5, 0.0), (0.4, 1.0, 0.4))
    assert is_between(Box((-1.3 + gap_m / 2, 0.1, 0.0), (0.1, 0.2, 0.1)), second=second) is expected


def random_boxes(seed: int, number: int) -> list[Box]:
    rng = np.random.default_rng(seed)
    centre = rng.uniform((-3.0, 0.2, -3.0), (3.0, 0.7, 3.0), size=(number, 3))
    size = rng.uniform(0.1, 0.9, size=(number, 3))
    return [Box(tuple(c), tuple(s), y) for c, s, y in zip(centre, size, rng.uniform(-7, 7, number), strict=True)]


def triples_by_turning(boxes: list[Box]) -> set[tuple[int, int, int]]:
    """Lay the world so that the anchors' line is the x axis, then compare plain numbers."""
    found = set()
    for first, second, subject in itertools.permutations(range(len(boxes)), 3):
        line = np.subtract(boxes[second].centre_m, boxes[first].centre_m)
        turn = np.exp(-1j * np.arctan2(line[2], line[0]))
        origin = complex(boxes[first].centre_m[0], boxes[first].centre_m[2])
        corners = footprint_corners([boxes[first], boxes[second], boxes[subject]]) @ np.array([1, 1j])
        a, b, s = turn * (corners - origin)
        start, end = a.real.max(), b.real.min()
        if first > second or not 0.2 <= end - start <= 4.0 or np.ptp(s.real) > end - start:
            continue
        at = s.mean().real
        low = np.interp(at, [start, end], [a.imag.min(), b.imag.min()])
        high = np.interp(at, [start, end], [a.imag.max(), b.imag.max()])
        if start <= at <= end and low <= s.mean().imag <= high:
            found.add((subject, first, second))
    return found


def test_between_agrees_with_a_loop_over_triples():
    number = 0
    for seed in range(3):
        boxes = random_boxes(seed, 13)
        found = between_triples(boxes).tolist()
        assert found == sorted(found)
        assert {tuple(triple) for triple in found} == triples_by_turning(boxes)
        number += len(found)
    assert number > 20


def moved(box: Box, angle: float, shift: tuple[float, float, float]) -> Box:
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return replace(box, centre_m=tuple(turn @ box.centre_m + shift), yaw_rad=box.yaw_rad + angle)


def test_moving_the_world_changes_no_group():
    boxes, kinds = random_boxes(5, 29), np.arange(29) % 5
    turned = [moved(box, 1.1, (7.0, 0.3, -5.0)) for box in boxes]
    np.testing.assert_array_equal(between_triples(turned), between_triples(boxes))
    np.testing.assert_array_equal(among_matrix(turned, kinds), among_matrix(boxes, kinds))


def test_the_order_of_things_does_not_matter():
    boxes = random_boxes(7, 11)
    order = np.random.default_rng(0).permutation(11)
    shuffled = between_triples([boxes[i] for i in order])
    named = {(int(order[s]), *sorted((int(order[a]), int(order[b])))) for s, a, b in shuffled}
    assert named == {tuple(triple) for triple in between_triples(boxes).tolist()}


def chairs_round(degrees, distance_m=1.2):
    return [
        Box((distance_m * np.cos(angle), 0.45, distance_m * np.sin(angle)), (0.4, 0.9, 0.4), angle)
        for angle in np.radians(degrees)
    ]


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        ([0, 120, 240], True),
        ([10, 130, 189], False),
        ([10, 130, 191], True),
        ([10, 100, 185], False),  # all on one side
        ([0, 180], False),
        ([-20, 20, 40, 60], False),
        ([-20, 100, 170], True),
        ([-20, 100, 159], False),
    ],
)
def test_among_is_surrounded_by_three(degrees, expected):
    table = Box((0.0, 0.37, 0.0), (0.8, 0.74, 0.8))
    things = [table, *chairs_round(degrees)]
    kinds = np.array([1] + [0] * len(degrees))
    assert among_matrix(things, kinds)[0].tolist() == [expected, False]


def test_among_counts_near_ones_only_and_not_the_thing_itself():
    table = Box((0.0, 0.37, 0.0), (0.8, 0.74, 0.8))
    three = chairs_round([0, 120, 240])
    far = chairs_round([0, 120, 240], distance_m=2.75)
    assert among_matrix([table, *three], np.array([1, 0, 0, 0]))[0, 0]
    assert not among_matrix([table, *far], np.array([1, 0, 0, 0]))[0, 0]
    assert not among_matrix([table, *three[:2]], np.array([0, 0, 0]))[0, 0]
    assert among_matrix([], np.zeros(0, dtype=np.int64)).shape == (0, 0)


def test_among_agrees_with_convex_hulls():
    boxes, kinds = random_boxes(3, 37), np.arange(37) % 3
    found, gaps = among_matrix(boxes, kinds), surface_gaps_m(boxes)
    centres = np.array([box.centre_m for box in boxes])[:, [0, 2]]
    for subject, kind in itertools.product(range(37), range(3)):
        around = [i for i in range(37) if i != subject and kinds[i] == kind and gaps[subject, i] <= 2.0]
        inside = False
        if len(around) >= 3:
            hull = ConvexHull(centres[around])
            inside = bool((hull.equations @ np.append(centres[subject], 1.0) < 0).all())
        assert found[subject, kind] == inside
    assert 0 < found.sum() < found.size
