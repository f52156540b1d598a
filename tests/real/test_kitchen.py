"""A kitchen from a file; the folder is not part of the repository."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest

from backsight.collect.config import CollectConfig
from backsight.collect.dataset_run import collect_dataset
from backsight.quality.validate import validate_dataset
from backsight.sim.embedded.simulator import EmbeddedSimulator

pytestmark = pytest.mark.real
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder() -> Path:
    data = Path(os.environ.get("BACKSIGHT_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (data / "kitchen" / "kitchen.glb").is_file():
        pytest.skip(f"{data}/kitchen/kitchen.glb is absent; set BACKSIGHT_REAL_DATA to the folder that holds kitchen/")
    return data / "kitchen"


@pytest.fixture(scope="module")
def kitchen(folder) -> EmbeddedSimulator:
    simulator = EmbeddedSimulator(scene_dir=folder)
    simulator.load_scene("kitchen.glb")
    return simulator


def test_up_is_found_although_the_format_says_otherwise(kitchen):
    said = " ".join(kitchen.notes)
    assert "up axis +z guessed" in said
    (room,) = kitchen.rooms
    assert room.floor_m == pytest.approx(0.0, abs=1e-3)
    assert room.height_m == pytest.approx(3.0, abs=0.01)
    low, high = kitchen.scene.vertices_m.min(axis=0), kitchen.scene.vertices_m.max(axis=0)
    np.testing.assert_allclose(high - low, [6.88, 3.24, 5.28], atol=0.01)


def test_names_become_categories(kitchen):
    categories = [thing.category for thing in kitchen.objects]
    for one_of_a_kind in ("fridge", "microwave", "dishwasher", "toaster", "sink", "stove", "range hood", "plant"):
        assert categories.count(one_of_a_kind) == 1, one_of_a_kind
    assert categories.count("stool") == 3
    fridge = next(thing for thing in kitchen.objects if thing.category == "fridge")
    assert fridge.name == "fridge_right_group_main"
    assert fridge.box.size_m == pytest.approx((0.84, 1.75, 0.9), abs=0.05)


def test_one_can_walk_round_the_island(kitchen):
    navigation = kitchen.navigation
    island = next(thing for thing in kitchen.objects if thing.name == "island_island_group_main").box
    assert not navigation.is_navigable(np.array([island.centre_m[0], 0.0, island.centre_m[2]]))
    around = [(0.9, 1.0), (5.5, 1.0), (4.9, 4.6), (1.3, 4.6), (0.9, 1.0)]
    for start, goal in itertools.pairwise(around):
        route = navigation.shortest_path(np.array([start[0], 0, start[1]]), np.array([goal[0], 0, goal[1]]))
        assert route is not None


def test_walks_in_it_are_accepted(folder, tmp_path):
    config = CollectConfig(
        out=tmp_path / "set",
        scene_dir=folder,
        num_sequences=2,
        size="96x72",
        min_frames=9,
        mean_frames=12,
        max_frames=16,
    )
    report = collect_dataset(config)
    assert report.complete, (report.given_up, report.rejections, report.poisoned)
    assert report.scene_notes["kitchen.glb"]
    assert validate_dataset(tmp_path / "set").passed
