"""Scenes as different data sets and versions have them, through the worker and the stand-in."""

import logging
import math

import numpy as np
import pytest

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.errors import UsageError
from backsight.records.vocabulary import UNNAMED_CATEGORY
from backsight.sim.simulator import Lighting

CAMERA = (intrinsics_from_hfov(37, 29, 80.0), 37, 29)
LIVING_ROOM = look_pose(np.array([3.4, 1.3, 2.5]), 0.6)[None]


@pytest.fixture
def dataset(tmp_path) -> str:
    path = tmp_path / "some.scene_dataset_config.json"
    path.write_text("{}")
    return str(path)


def by_id(simulator):
    return {thing.instance_id: thing for thing in simulator.objects}


@pytest.fixture
def reference(make_habitat, house, tmp_path):
    simulator = make_habitat()
    simulator.load_scene(house.write(tmp_path, "reference", house.house()))
    return simulator


@pytest.mark.parametrize("version", ["0.2.3", "0.2.5", "0.3.2", "0.3.3"])
def test_versions_agree(version, reference, make_habitat, house, tmp_path, monkeypatch):
    monkeypatch.setenv("HABITAT_STAND_IN_VERSION", version)
    simulator = make_habitat()
    assert simulator.version == version
    simulator.load_scene(house.write(tmp_path, "house", house.house()))
    assert simulator.objects == reference.objects
    assert simulator.rooms == reference.rooms
    assert simulator.navigation.floors_m == reference.navigation.floors_m
    # Rigid objects stand in the way of routes in every version.
    chair = next(thing for thing in simulator.objects if thing.category == "chair")
    assert not simulator.navigation.is_navigable(np.array([chair.box.centre_m[0], 0.05, chair.box.centre_m[2]]))


def test_a_release_without_islands_is_refused(make_habitat, monkeypatch):
    monkeypatch.setenv("HABITAT_STAND_IN_VERSION", "0.2.1")
    with pytest.raises(Exception, match=r"0\.2\.1.*0\.2\.3"):
        make_habitat()


def test_hm3d_has_rooms_by_their_contents(reference, make_habitat, house, tmp_path, dataset):
    simulator = make_habitat(scene_dataset=dataset)
    simulator.load_scene(house.write(tmp_path, "hm3d", house.house("hm3d")))
    assert {room.room_id: room.room_type for room in simulator.rooms} == {
        1: "living room", 2: "bedroom", 3: "room", 4: "room"
    }  # fmt: skip
    assert [room.floor_m for room in simulator.rooms] == pytest.approx([0.05, 0.05, 0.05, 3.05])
    things, usual = by_id(simulator), by_id(reference)
    assert things.keys() == usual.keys()
    assert all(things[number].room_id == usual[number].room_id for number in usual if number < 29)
    # Boxes of HM3D are axis-aligned: the turned cabinet gets the box around it.
    cabinet = things[22].box
    assert cabinet.yaw_rad == 0.0
    assert cabinet.size_m[0] == pytest.approx(0.9 * math.cos(0.5) + 0.5 * math.sin(0.5), abs=1e-6)


def test_replica_has_holes_in_its_list_and_one_room_per_storey(reference, make_habitat, house, tmp_path, dataset):
    scene = house.house("replica", regions=[])
    scene["stage"] = [thing for thing in scene["stage"] if thing["id"] not in (18, 21)]
    simulator = make_habitat(scene_dataset=dataset)
    simulator.load_scene(house.write(tmp_path, "replica", scene))
    things, usual = by_id(simulator), by_id(reference)
    assert set(usual) - set(things) == {18, 21}
    assert all(things[number].box == usual[number].box for number in things)
    assert [(room.room_id, room.room_type) for room in simulator.rooms] == [(1, "room"), (2, "room")]
    assert [room.floor_m for room in simulator.rooms] == pytest.approx([0.05, 3.05])
    assert simulator.rooms[0].height_m == pytest.approx(3.0)
    assert things[25].room_id == 2, "the desk upstairs"
    assert things[17].room_id == 1, "the table downstairs"


def test_things_without_names_or_boxes(make_habitat, house, tmp_path, caplog):
    scene = house.house()
    stage = {thing["id"]: thing for thing in scene["stage"]}
    stage[20]["unnamed"] = True
    stage[23]["boxless"] = True
    stage[24] |= {"boxless": True, "aabb": True}
    stage[25]["legacy"] = True
    simulator = make_habitat()
    with caplog.at_level(logging.WARNING):
        simulator.load_scene(house.write(tmp_path, "poor", scene))
    things = by_id(simulator)
    assert (things[20].category, things[20].name) == (UNNAMED_CATEGORY, None)
    assert 23 not in things, "nothing says where the bed is"
    assert things[24].box.size_m == pytest.approx((0.9, 2.0, 0.6)), "the axis-aligned box serves"
    assert things[25].category == "desk", "its id is the last part of its name"
    assert any("have no box" in note for note in simulator.notes)
    assert "have no box" in caplog.text
    bed = simulator.render(look_pose(np.array([5.1, 1.5, 2.6]), math.pi, -0.5)[None], *CAMERA)
    assert 23 not in bed.instance_ids
    assert (bed.instance_ids == 0).any()


def test_semantics_without_their_configuration_are_noticed(make_habitat, house, tmp_path, caplog):
    simulator = make_habitat()
    simulator.load_scene(house.write(tmp_path, "bare", house.house("hm3d", rigid=[])))
    assert simulator.objects == ()
    assert len(simulator.rooms) == 2, "the storeys"
    with caplog.at_level(logging.WARNING):
        seen = simulator.render(LIVING_ROOM, *CAMERA)
    assert (seen.instance_ids == 0).all()
    assert "--scene-dataset" in caplog.text
    caplog.clear()
    simulator.render(LIVING_ROOM, *CAMERA)
    assert not caplog.text, "once is enough"


def test_holes_have_the_chosen_colour_no_depth_and_a_note(make_habitat, house, tmp_path):
    scene = house.house()
    scene["stage"] = [thing for thing in scene["stage"] if thing["id"] not in (6, 8)]
    simulator = make_habitat(clear_colour=(0.2, 0.6, 1.0))
    simulator.load_scene(house.write(tmp_path, "holes", scene))
    seen = simulator.render(look_pose(np.array([3.4, 1.3, 2.5]), 1.2)[None], *CAMERA)
    holes = seen.depth_m[0] == 0.0
    assert 0.05 < holes.mean() < 0.9
    assert (seen.rgb[0][holes] == (51, 153, 255)).all()
    assert (seen.instance_ids[0][holes] == 0).all()
    assert any("show no surface" in note for note in simulator.notes)


def test_an_unlit_scene_says_so_and_can_be_lit(make_habitat, house, tmp_path):
    scene_id = house.write(tmp_path, "unlit", house.house(lights=[]))
    simulator = make_habitat()
    simulator.load_scene(scene_id)
    assert any("unlit" in note for note in simulator.notes)
    with pytest.raises(UsageError, match=r"unlit.*--habitat-lighting default"):
        simulator.set_lighting(Lighting(intensity=0.5))
    flat = simulator.render(LIVING_ROOM, *CAMERA).rgb
    lit = make_habitat(lighting="default")
    lit.load_scene(scene_id)
    assert not lit.notes
    bright = lit.render(LIVING_ROOM, *CAMERA).rgb
    assert not np.array_equal(bright, flat)
    lit.set_lighting(Lighting(intensity=0.25))
    assert lit.render(LIVING_ROOM, *CAMERA).rgb.mean() < 0.9 * bright.mean()
    with pytest.raises(UsageError, match="no lamp of its own"):
        lit.set_lighting(Lighting(dark_rooms=frozenset({1})))


def test_a_closed_part_is_an_island_of_its_own(reference):
    navigation = reference.navigation
    closet = navigation.snap(np.array([7.1, 0.1, 4.3]))
    assert 6.3 < closet[0] < 7.9
    assert closet[2] > 3.6
    assert navigation.island(closet) == 1
    hall = navigation.random_point(np.random.default_rng(0), room_id=1)
    assert navigation.island(hall) == 0
    assert navigation.shortest_path(hall, closet) is None
    assert np.isinf(navigation.geodesic_distances_m(hall, closet[None])[0])
    points = [navigation.random_point(np.random.default_rng(k), room_id=2) for k in range(30)]
    assert {navigation.island(point) for point in points} == {0}, "points of a room are of its largest part"


def test_distances_are_those_of_the_plan(reference):
    """From the living room through the doorway and round the closet's corner, by hand."""
    navigation = reference.navigation
    start, goal = np.array([2.0, 0.05, 2.5]), np.array([7.0, 0.05, 2.5])
    assert navigation.geodesic_distances_m(start, goal[None])[0] == pytest.approx(5.0, abs=0.15)
    # The doorway is free from z = 2.2 to 2.8 for an agent of 0.2 m.
    start, goal = np.array([3.6, 0.05, 3.6]), np.array([4.5, 0.05, 2.9])
    expected = math.hypot(0.2, 0.8) + 0.5 + math.hypot(0.2, 0.1)
    assert navigation.geodesic_distances_m(start, goal[None])[0] == pytest.approx(expected, abs=0.05)
    route = navigation.shortest_path(start, goal)
    assert route is not None
    assert route.length_m == pytest.approx(expected, abs=0.05)
    assert navigation.clearance_m(np.array([[4.05, 0.05, 2.5]]))[0] == pytest.approx(0.5, abs=0.01)
    assert navigation.clearance_m(np.array([[4.05, 0.05, 2.05]]))[0] == pytest.approx(0.05, abs=0.01)
    assert navigation.clearance_m(np.array([[1.8, 0.05, 0.5]]))[0] == 0.0


def test_a_roomy_route_keeps_away_from_walls(reference):
    navigation = reference.navigation
    start, goal = np.array([3.6, 0.05, 3.6]), np.array([5.2, 0.05, 2.3])
    tight, roomy = (navigation.shortest_path(start, goal, roomy=wanted) for wanted in (False, True))
    assert tight is not None
    assert roomy is not None
    nearest = [navigation.clearance_m(route.points_m).min() for route in (tight, roomy)]
    assert nearest[1] > nearest[0] + 0.1
    assert tight.length_m < roomy.length_m < 1.3 * tight.length_m


def test_a_mesh_made_for_another_agent_is_made_anew(make_habitat, house, tmp_path):
    scene_id = house.write(tmp_path, "house", house.house(navmesh_radius=0.02))
    beside_the_wall = np.array([3.9, 0.05, 1.2])
    for radius_m, free in ((0.05, True), (0.2, False)):
        simulator = make_habitat(agent_radius_m=radius_m)
        simulator.load_scene(scene_id)
        assert simulator.navigation.is_navigable(beside_the_wall) is free


def test_a_scene_without_a_floor_says_so(make_habitat, house, tmp_path):
    simulator = make_habitat()
    simulator.load_scene(house.write(tmp_path, "floorless", house.house(floors=[], ramps=[], navmesh=False)))
    assert simulator.navigation.floors_m == ()
    with pytest.raises(UsageError, match="can stand nowhere"):
        simulator.navigation.random_point(np.random.default_rng(0))
    with pytest.raises(UsageError, match="no floor"):
        simulator.navigation.snap(np.zeros(3))
    with pytest.raises(UsageError, match="no storey 0"):
        simulator.navigation.top_down_map(0)


def test_ids_that_can_not_be_stored_are_refused(make_habitat, house, tmp_path):
    scene = house.house()
    scene["stage"][-1]["id"] = 70_000
    simulator = make_habitat()
    with pytest.raises(UsageError, match="70002"):
        simulator.load_scene(house.write(tmp_path, "large", scene))
    simulator.load_scene(house.write(tmp_path, "house", house.house()))
    assert simulator.objects


def test_lamps_of_the_data_set_survive_being_dimmed(reference):
    usual = reference.render(LIVING_ROOM, *CAMERA)
    reference.set_lighting(Lighting(warmth=0.0))
    again = reference.render(LIVING_ROOM, *CAMERA)
    assert np.abs(again.rgb.astype(int) - usual.rgb).max() <= 1
    larger = (intrinsics_from_hfov(74, 58, 80.0), 74, 58)
    reference.set_lighting(Lighting(intensity=0.5))
    dim = reference.render(LIVING_ROOM, *CAMERA).rgb
    reference.render(LIVING_ROOM, *larger)
    assert np.array_equal(reference.render(LIVING_ROOM, *CAMERA).rgb, dim), "another size has put the lamps back"
