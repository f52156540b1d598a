import msgspec
import numpy as np
import pytest

from backsight.geometry.poses import look_pose
from backsight.records.scene import OrientedBox, SceneObject
from backsight.records.scene_statistics import SceneStatistics
from backsight.records.vocabulary import RELATIONS
from backsight.sim.scene_statistics import navigable_areas_m2, relation_counts, scene_statistics
from backsight.sim.survey import Survey

NOTHING = dict.fromkeys([*RELATIONS, "between", "among"], 0)


def one_view(things, yaw=0.0, shares=0.1):
    pose = look_pose(np.array([2.5, 1.4, 3.5]), yaw)
    return Survey(
        pose[None],
        np.ones(1, dtype=np.int64),
        tuple(things),
        np.full((1, len(things)), shares),
        np.zeros(1),
        np.ones(1),
    )


@pytest.fixture
def furniture(box_room_simulator):
    return [thing for thing in box_room_simulator.objects if not thing.is_structure]


def test_counts_of_the_box_room_are_those_found_by_hand(furniture):
    # Two chairs with the table between them, and a plant on the table.
    assert relation_counts(one_view(furniture)) == NOTHING | {
        "left of": 5,  # the left chair of three things, table and plant of the right chair
        "right of": 5,
        "next to": 4,  # each chair and the table, both ways
        "on": 1,
        "outside": 12,
        "near": 8,  # each chair and table or plant, both ways
        "between": 2,
    }


def test_what_no_view_shows_or_another_room_holds_has_no_relation_to_it(furniture):
    turned = relation_counts(one_view(furniture, yaw=np.pi))
    assert turned["left of"] == 0
    assert turned["next to"] == 4
    assert relation_counts(one_view(furniture, shares=0.001))["left of"] == 0
    elsewhere = [msgspec.structs.replace(thing, room_id=number) for number, thing in enumerate(furniture, start=1)]
    assert relation_counts(one_view(elsewhere)) == NOTHING


def test_a_pair_seen_from_two_views_counts_once(furniture):
    once = one_view(furniture)
    twice = Survey(
        np.concatenate([once.world_from_camera, look_pose(np.array([2.4, 1.4, 3.4]), 0.0)[None]]),
        np.ones(2, dtype=np.int64),
        once.things,
        np.repeat(once.shares, 2, axis=0),
        np.zeros(2),
        np.ones(2),
    )
    assert relation_counts(twice) == relation_counts(once)


def test_chairs_round_a_table_and_a_book_in_a_shelf():
    def thing(number, category, centre, size):
        return SceneObject(number, category, 1, OrientedBox(centre, size))

    things = [
        thing(1, "table", (2.5, 0.37, 1.0), (0.9, 0.74, 0.9)),
        *(
            thing(2 + i, "chair", (2.5 + x, 0.45, 1.0 + z), (0.4, 0.9, 0.4))
            for i, (x, z) in enumerate([(0.8, 0.1), (-0.8, 0.1), (0.0, -0.8)])
        ),
        thing(5, "bookshelf", (7.0, 0.9, 1.0), (0.8, 1.8, 0.3)),
        thing(6, "box", (7.1, 0.9, 1.0), (0.1, 0.2, 0.2)),
        thing(7, "basket", (2.5, 0.15, 1.0), (0.3, 0.3, 0.3)),
    ]
    counts = relation_counts(one_view(things))
    assert counts["among"] == 2  # table and basket among the chairs
    assert counts["inside"] == 1
    assert counts["under"] == 1
    assert counts["far from"] == 2 * 2 * 5
    assert counts["above"] == counts["below"] == 0


def test_statistics_of_a_scene(box_room_simulator, box_room_survey):
    found = box_room_survey
    statistics = scene_statistics("room-7", "room", box_room_simulator, found)
    assert statistics.categories == {"chair": 2, "plant": 1, "table": 1}
    assert list(statistics.categories) == ["chair", "plant", "table"]
    assert statistics.structure == {"floor": 1, "ceiling": 1, "wall": 4}
    assert statistics.room_types == {"living room": 1}
    assert (statistics.objects, statistics.rooms) == (4, 1)
    assert statistics.navigable_m2 == pytest.approx((4.2 * 3.2,))
    assert statistics.viewpoints == len(found.world_from_camera)
    assert statistics.triangles is None
    assert statistics.textures is None
    assert msgspec.json.decode(msgspec.json.encode(statistics), type=SceneStatistics) == statistics


def test_the_area_of_each_storey(box_room_simulator):
    lower = box_room_simulator.rooms[0]
    upper = msgspec.structs.replace(lower, room_id=2, floor_m=3.0, bounds_m=(0.0, 0.0, 2.0, 1.8))
    house = type(box_room_simulator)(box_room_simulator.objects, (lower, upper), box_room_simulator._cast)
    assert navigable_areas_m2(house.navigation) == pytest.approx((4.2 * 3.2, 1.2 * 1.0))


def test_more_views_never_lose_a_pair(box_room_survey):
    whole = box_room_survey
    part = Survey(
        whole.world_from_camera[::5],
        whole.room_ids[::5],
        whole.things,
        whole.shares[::5],
        whole.close[::5],
        whole.depth_m[::5],
    )
    fewer, more = relation_counts(part), relation_counts(whole)
    assert all(fewer[word] <= more[word] for word in more)
    assert fewer["left of"] > 0
