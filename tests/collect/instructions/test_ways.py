"""Ways taken apart: turns, rooms, stairs and landmarks, each also judged by quality control's own rules."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.collect.instructions.naming import Name
from backsight.collect.instructions.ways import Way, merged
from backsight.quality.routes import way_claim_holds
from backsight.records.scene import Room
from paper_world import DOOR, ROOMS, THINGS, drawn_annotations

NAMES = [Name(index, thing.instance_id, thing.category, thing.colour) for index, thing in enumerate(THINGS) if index]


def way(*corners):
    return Way.of(np.array([(x, 0.0, z) for x, z in corners], dtype=np.float64))


def told(found):
    return [clause.text for clause in found]


@pytest.mark.parametrize(("end", "word"), [((3.0, -2.0), "turn left"), ((3.0, 2.0), "turn right")])
def test_a_corner_is_a_turn_to_its_side(end, word):
    # East, then north (-z) is left, south right.
    found = way((0.0, 0.0), (3.0, 0.0), end).turns()
    assert told(found) == [word]
    assert found[0].at_m == pytest.approx(3.0, abs=0.11)


def test_bends_are_no_turns_and_a_turn_near_an_end_is_none():
    bend = [(3 * np.sin(a), 3 - 3 * np.cos(a)) for a in np.linspace(0, np.pi / 2, 20)]
    assert told(way(*bend).turns()) == []
    assert told(way((0.0, 0.0), (3.0, 0.0), (3.0, 0.3)).turns()) == []


def test_doors_lead_into_rooms_and_openings_do_not():
    through = way((-2.0, 0.0), (2.0, 0.2))
    assert told(through.entries(ROOMS, [DOOR])) == ["go through the door into the study"]
    assert told(through.entries(ROOMS, [])) == ["go on into the study"]
    assert told(way((-2.0, 0.0), (-0.5, 0.0)).entries(ROOMS, [DOOR])) == []


def test_a_way_that_begins_in_a_doorway_does_not_lead_out_of_the_room_behind():
    border = next(room.bounds_m[2] for room in ROOMS if room.bounds_m[2] < 1.0)
    assert told(way((border - 0.001, 0.0), (border + 2.5, 0.2)).entries(ROOMS, [DOOR])) == []
    assert told(way((border - 0.3, 0.0), (border + 2.5, 0.2)).entries(ROOMS, [DOOR])) != []


def test_a_way_that_ends_in_a_doorway_does_not_lead_into_the_room_behind():
    border = next(room.bounds_m[0] for room in ROOMS if room.bounds_m[0] > 0.0)
    assert told(way((-2.0, 0.0), (border + 0.06, 0.0)).entries(ROOMS, [DOOR])) == []
    assert told(way((-2.0, 0.0), (border + 0.2, 0.0)).entries(ROOMS, [DOOR])) != []


@pytest.mark.parametrize(("upwards", "text"), [(1, "go up the stairs"), (-1, "go down the stairs")])
def test_stairs_are_told_by_the_rise_of_the_way(upwards, text):
    rooms = (Room(1, "hallway", (-5.0, -5.0, 5.0, 5.0)), Room(2, "landing", (-5.0, -5.0, 5.0, 5.0), 2.8 * upwards))
    points = np.array([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (4.0, 2.8 * upwards, 0.0), (4.5, 2.8 * upwards, 0.0)])
    assert told(Way.of(points).entries(rooms, [])) == [text]


def test_landmarks_are_passed_on_their_side_and_not_at_the_ends():
    # The table stands at (-2, 1.1): south of a way to the east, on its right.
    assert told(way((-4.5, 0.2), (-0.2, 0.2)).passed(NAMES, THINGS)) == ["go past the brown table on your right"]
    assert told(way((-0.2, 0.2), (-4.5, 0.2)).passed(NAMES, THINGS)) == ["go past the brown table on your left"]
    assert told(way((-2.2, 0.2), (-0.2, 0.2)).passed(NAMES, THINGS)) == []


def test_turns_far_from_what_was_told_before_are_told_with_their_distance():
    corners = way((-4.0, -2.0), (-4.0, 2.0), (-1.0, 2.0), (-1.0, -2.0))
    turns = ["after about 4 metres turn left", "after about 3 metres turn left"]
    assert told(merged(corners.turns(), [], [], 5)) == turns


def test_going_back_the_same_way_is_turning_around():
    assert told(way((0.0, 0.0), (3.0, 0.0), (0.0, 0.1)).turns()) == ["turn around"]


# Ways go through walls here, but never along inside of one.
corner = st.tuples(st.floats(0.5, 4.5), st.sampled_from((-1.0, 1.0)), st.floats(-2.5, 2.5)).map(
    lambda drawn: (drawn[0] * drawn[1], drawn[2])
)


@settings(max_examples=60, deadline=None)
@given(corners=st.lists(corner, min_size=2, max_size=5))
def test_whatever_is_told_of_a_way_is_true_by_the_rules_of_quality_control(corners):
    points = np.array([(x, 0.0, z) for x, z in corners])
    found = Way.of(points)
    if found.length_m < 1.0:
        return
    annotations = drawn_annotations()
    for clause in found.turns() + found.entries(ROOMS, [DOOR]) + found.passed(NAMES, THINGS):
        assert way_claim_holds(clause.step, points, annotations, 0), clause
