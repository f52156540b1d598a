import numpy as np
import pytest

from backsight.geometry.poses import look_pose
from backsight.records.errors import UsageError
from backsight.sim.embedded import simulator as simulator_module
from backsight.sim.embedded.reference import trace_all
from backsight.sim.embedded.simulator import EmbeddedSimulator


@pytest.fixture
def built(monkeypatch, flat):
    """Replace the scene builder by the hand-made flat and record the ids asked for."""
    asked = []

    def build_scene(scene_id):
        asked.append(str(scene_id))
        return flat

    monkeypatch.setattr(simulator_module, "build_scene", build_scene)
    return asked


def test_a_scene_id_names_the_seed_and_is_built_once(built, flat):
    simulator = EmbeddedSimulator()
    simulator.load_scene("flat-17")
    simulator.load_scene("flat-17")
    assert built == ["flat-17"]
    assert [thing.instance_id for thing in simulator.objects] == list(range(1, len(flat.objects) + 1))
    assert simulator.rooms == flat.rooms
    assert (simulator.name, simulator.version) == ("embedded", simulator_module.EMBEDDED_VERSION)


@pytest.mark.parametrize("scene_id", ["flat-", "flat-007", "flat--1", "house-3", "flat-1 ", "flat-x", ""])
def test_unknown_scene_ids_are_refused(built, scene_id):
    with pytest.raises(UsageError, match="no scene"):
        EmbeddedSimulator().load_scene(scene_id)
    assert built == []


def test_a_refused_id_leaves_the_loaded_scene_in_place(built, flat):
    simulator = EmbeddedSimulator()
    simulator.load_scene("flat-1")
    with pytest.raises(UsageError):
        simulator.load_scene("flat-one")
    assert simulator.rooms == flat.rooms


def test_nothing_can_be_asked_before_a_scene_is_loaded():
    simulator = EmbeddedSimulator()
    for ask in ("objects", "rooms", "navigation"):
        with pytest.raises(UsageError, match="load_scene"):
            getattr(simulator, ask)


def test_it_renders_where_its_navigation_says_one_can_stand(built):
    simulator = EmbeddedSimulator()
    simulator.load_scene("flat-3")
    point = simulator.navigation.random_point(np.random.default_rng(1), room_id=2)
    pose = np.eye(4)
    pose[:3, :3] = np.diag([1.0, -1.0, -1.0])
    pose[:3, 3] = point + np.array([0.0, 1.25, 0.0])
    intrinsics = np.array([[40.0, 0.0, 23.5], [0.0, 40.0, 18.5], [0.0, 0.0, 1.0]])
    observation = simulator.render(pose[None], intrinsics, 47, 37)
    assert observation.rgb.shape == (1, 37, 47, 3)
    assert observation.depth_m.min() >= 0.19
    known = {thing.instance_id for thing in simulator.objects}
    assert set(np.unique(observation.instance_ids).tolist()) <= known


def test_another_scene_replaces_renderer_and_navigation(built):
    simulator = EmbeddedSimulator()
    simulator.load_scene("flat-1")
    first = simulator.navigation
    simulator.load_scene("flat-2")
    assert simulator.navigation is not first
    assert built == ["flat-1", "flat-2"]


def test_a_generated_flat_is_closed_and_agrees_with_the_brute_force_tracer():
    simulator = EmbeddedSimulator()
    simulator.load_scene("flat-7")
    rng = np.random.default_rng(9)
    intrinsics = np.array([[30.0, 0.0, 21.0], [0.0, 26.0, 14.0], [0.0, 0.0, 1.0]])
    places = [simulator.navigation.random_point(rng, room.room_id) for room in simulator.rooms]
    poses = np.stack([look_pose(place + np.array([0.0, 1.25, 0.0]), rng.uniform(-3, 3)) for place in places])
    observation = simulator.render(poses, intrinsics, 43, 29)
    assert (observation.depth_m > 0).all()
    truth = [trace_all(simulator.scene, pose, intrinsics, 43, 29) for pose in poses]
    assert np.median(np.abs(observation.depth_m - np.stack([depth_m for depth_m, _ in truth]))) < 1e-5
    assert (observation.instance_ids == np.stack([ids for _, ids in truth])).mean() > 0.999


def test_all_rooms_of_a_generated_flat_can_be_walked_to():
    simulator = EmbeddedSimulator()
    simulator.load_scene("flat-12")
    rng = np.random.default_rng(10)
    start = simulator.navigation.random_point(rng)
    for room in simulator.rooms:
        goal = simulator.navigation.random_point(rng, room.room_id)
        assert simulator.navigation.shortest_path(start, goal) is not None
