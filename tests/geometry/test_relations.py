from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.geometry.relations import footprint_corners, footprint_gaps_m, relation_holds, relation_matrix


@dataclass(frozen=True)
class Box:
    centre_m: tuple[float, float, float]
    size_m: tuple[float, float, float]
    yaw_rad: float = 0.0


def viewer(x=0.0, z=0.0, yaw=0.0, pitch=0.0):
    """Camera pose at 1.25 m, looking along -Z at yaw 0, turning left with growing yaw."""
    ahead = np.array([-np.sin(yaw) * np.cos(pitch), np.sin(pitch), -np.cos(yaw) * np.cos(pitch)])
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = right, np.cross(ahead, right), ahead, (x, 1.25, z)
    return pose


CHAIR = Box((-1.0, 0.45, -3.0), (0.5, 0.9, 0.5))
TABLE = Box((1.0, 0.375, -3.5), (1.0, 0.75, 0.8))


def test_left_and_right_are_those_of_the_viewer():
    assert relation_holds("left of", CHAIR, TABLE, viewer())
    assert relation_holds("right of", TABLE, CHAIR, viewer())
    assert not relation_holds("right of", CHAIR, TABLE, viewer())
    assert not relation_holds("left of", TABLE, CHAIR, viewer())


def test_from_the_other_side_left_becomes_right():
    opposite = viewer(z=-7.0, yaw=np.pi)
    assert relation_holds("right of", CHAIR, TABLE, opposite)
    assert not relation_holds("left of", CHAIR, TABLE, opposite)


def test_looking_down_changes_nothing():
    assert relation_holds("left of", CHAIR, TABLE, viewer(pitch=-0.5))


def test_things_behind_or_across_the_viewer_have_no_left_and_right():
    for pose in (viewer(yaw=np.pi), viewer(z=-3.0)):
        for relation in ("left of", "right of"):
            assert not relation_holds(relation, CHAIR, TABLE, pose)


def test_a_thing_in_front_of_another_is_neither_left_nor_right():
    behind = Box((0.1, 0.45, -4.0), (1.5, 0.9, 0.5))
    front = Box((0.0, 0.45, -2.0), (0.3, 0.9, 0.3))
    for relation in ("left of", "right of"):
        assert not relation_holds(relation, front, behind, viewer())


def test_eye_and_floor_plan_must_agree():
    far = Box((1.4, 0.5, -6.0), (0.2, 1.0, 0.2))
    near = Box((1.0, 0.5, -1.5), (0.2, 1.0, 0.2))
    assert not relation_holds("left of", far, near, viewer())  # left for the eye, right on the floor
    assert not relation_holds("right of", far, near, viewer())


@pytest.mark.parametrize(("gap_m", "expected"), [(0.0, True), (0.59, True), (0.61, False)])
def test_next_to_ends_at_six_tenths_of_a_metre(gap_m, expected):
    first = Box((0.0, 0.4, 0.0), (0.6, 0.8, 0.4))
    second = Box((0.3 + gap_m + 0.5, 0.3, 0.1), (1.0, 0.6, 0.5))
    assert relation_holds("next to", first, second) is expected
    assert relation_holds("next to", second, first) is expected


def test_what_stands_on_a_thing_is_on_it_and_not_next_to_it():
    vase = Box((1.2, 0.9, -3.4), (0.2, 0.3, 0.2))
    assert relation_holds("on", vase, TABLE)
    assert not relation_holds("on", TABLE, vase)
    assert not relation_holds("next to", vase, TABLE)


@pytest.mark.parametrize(
    ("centre", "expected"),
    [((1.2, 0.929, -3.4), True), ((1.2, 0.935, -3.4), False), ((1.6, 0.9, -3.4), False), ((1.2, 0.6, -3.4), False)],
)
def test_on_needs_contact_and_a_centre_over_the_anchor(centre, expected):
    assert relation_holds("on", Box(centre, (0.2, 0.3, 0.2)), TABLE) is expected


def test_a_turned_anchor_carries_what_lies_over_its_turned_footprint():
    board = Box((0.0, 0.5, 0.0), (2.0, 1.0, 0.2), np.pi / 4)  # its long axis runs along (x, z) = (1, -1)
    on_it = Box((0.5, 1.1, -0.5), (0.1, 0.2, 0.1))
    beside = Box((0.5, 1.1, 0.5), (0.1, 0.2, 0.1))
    assert relation_holds("on", on_it, board)
    assert not relation_holds("on", beside, board)


def test_a_gap_between_a_corner_and_an_edge_is_measured_there():
    square = Box((0.0, 0.5, 0.0), (1.0, 1.0, 1.0))
    diamond = Box((2.0, 0.5, 0.0), (1.0, 1.0, 1.0), np.pi / 4)
    gap = footprint_gaps_m([square, diamond])[0, 1]
    np.testing.assert_allclose(gap, 2.0 - 0.5 - np.sqrt(0.5))
    crossing = Box((0.0, 0.5, 0.0), (4.0, 1.0, 0.1), 0.7)  # no corner inside the other
    assert footprint_gaps_m([square, crossing])[0, 1] == 0.0


def test_unknown_relations_and_missing_viewers_are_refused():
    with pytest.raises(ValueError, match="unknown relation 'under'"):
        relation_holds("under", CHAIR, TABLE, viewer())
    with pytest.raises(ValueError, match="needs world_from_viewer"):
        relation_holds("left of", CHAIR, TABLE)


def test_nothing_gives_an_empty_matrix():
    assert relation_matrix("on", []).shape == (0, 0)


place = st.floats(-3.0, 3.0)
size = st.floats(0.05, 2.0)
boxes = st.lists(
    st.builds(Box, st.tuples(place, place, place), st.tuples(size, size, size), st.floats(-7.0, 7.0)),
    min_size=2,
    max_size=5,
)


def moved(box, angle, offset):
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return Box(tuple(turn @ box.centre_m + offset), box.size_m, box.yaw_rad + angle), turn


@settings(max_examples=50, deadline=None)
@given(boxes, st.floats(-3.0, 3.0), st.tuples(place, place), st.floats(-3.0, 3.0))
def test_left_is_antisymmetric_next_is_symmetric_and_mirrors_swap_sides(things, yaw, position, angle):
    pose = viewer(*position, yaw)
    left = relation_matrix("left of", things, pose)
    assert not (left & left.T).any()
    near = relation_matrix("next to", things)
    np.testing.assert_array_equal(near, near.T)
    np.testing.assert_array_equal(relation_matrix("right of", things, pose), left.T)
    mirrored = [Box((-b.centre_m[0], *b.centre_m[1:]), b.size_m, -b.yaw_rad) for b in things]
    ahead_mirrored = viewer(-position[0], position[1], -yaw)
    np.testing.assert_array_equal(relation_matrix("left of", mirrored, ahead_mirrored), left.T)


@settings(max_examples=50, deadline=None)
@given(boxes, st.floats(-3.0, 3.0), st.tuples(place, place))
def test_gaps_do_not_change_when_the_world_is_moved(things, angle, offset):
    shift = np.array([offset[0], 0.3, offset[1]])
    turned = [moved(box, angle, shift)[0] for box in things]
    np.testing.assert_allclose(footprint_gaps_m(turned), footprint_gaps_m(things), atol=1e-6)
    expected = footprint_corners(things) @ moved(things[0], angle, shift)[1][[0, 2]][:, [0, 2]].T + shift[[0, 2]]
    np.testing.assert_allclose(footprint_corners(turned), expected, atol=1e-9)
