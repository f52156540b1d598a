"""Collecting from Habitat: what may be asked for, which walks that makes, and a small data set from the stand-in."""

from collections import Counter

import pytest
from pydantic import ValidationError

from backsight.collect.config import CollectConfig, habitat_places
from backsight.collect.dataset_run import collect_dataset
from backsight.collect.plan import make_plan
from backsight.collect.simulators import configured_simulator
from backsight.quality.validate import validate_dataset
from backsight.sim.backends.habitat.client import HabitatSimulator
from backsight.sim.embedded.simulator import EmbeddedSimulator
from backsight.storage.dataset import read_dataset_info, read_splits

HM3D = ("/data/val/00800-TEEsavR23oF/TEEsavR23oF.basis.glb", "/data/val/00801-HaxA7YrQdEC/HaxA7YrQdEC.basis.glb")


def config(**options) -> CollectConfig:
    return CollectConfig(**{"simulator": "habitat", "habitat_python": "python", "scenes": HM3D} | options)


def test_places_are_named_by_their_files():
    assert habitat_places(HM3D) == ["TEEsavR23oF", "HaxA7YrQdEC"]
    assert habitat_places(["apt_0", "Baked_sc1_staging_00", "a b.json"])[:2] == ["apt_0", "Baked_sc1_staging_00"]
    with pytest.raises(ValueError, match="there twice"):
        habitat_places(["a/x.glb", "b/x.glb"])


def test_scenes_share_the_walks():
    plans = make_plan(config(num_sequences=11, sequences_per_place=3))
    assert len({plan.sequence_id for plan in plans}) == 11
    assert {(plan.place_id, plan.scene_id) for plan in plans} == set(zip(habitat_places(HM3D), HM3D, strict=True))
    assert sorted(Counter(plan.place_id for plan in plans).values()) == [5, 6]
    assert {plan.scene_type for plan in plans} == {"habitat"}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"habitat_python": None}, "needs habitat_python"),
        ({"scenes": ()}, "needs habitat_python"),
        ({"scenes": (HM3D[0], HM3D[0])}, "there twice"),
        ({"scene_dir": "scans"}, "embedded"),
        ({"rgb_samples_per_axis": 2}, "embedded"),
        ({"simulator": "embedded"}, "need simulator habitat"),
        ({"simulator": "embedded", "scenes": ()}, "need simulator habitat"),
        ({"habitat_gpu": -2}, "habitat_gpu"),
    ],
)
def test_what_does_not_go_together(options, problem):
    with pytest.raises(ValidationError, match=problem):
        config(**options)


def test_where_files_lie_is_no_content():
    moved = config(scenes=tuple(scene.replace("/data", "/mnt") for scene in HM3D), habitat_gpu=-1)
    assert moved.content() == config().content()
    assert config(scenes=HM3D[:1]).content() != config().content()
    assert config(habitat_lighting="default").content() != config().content()
    assert "habitat_python" not in config().content()
    assert not {"simulator", "scenes", "habitat_lighting"} & CollectConfig().content().keys()


def test_the_simulator_is_the_one_asked_for(habitat_python):
    assert isinstance(configured_simulator(CollectConfig()), EmbeddedSimulator)
    simulator = configured_simulator(config(habitat_python=habitat_python))
    assert isinstance(simulator, HabitatSimulator)
    simulator.close()


def test_a_data_set_from_habitat_validates_and_resumes(habitat_python, house, tmp_path):
    scene = house.write(tmp_path, "villa", house.house())
    wanted = config(
        habitat_python=habitat_python, scenes=(scene,), out=tmp_path / "data", num_sequences=2, size="64x48",
        min_frames=12, mean_frames=13, max_frames=14, imagined_views=2, kinds=("forward",),
        max_retries=9,
    )  # fmt: skip
    report = collect_dataset(wanted)
    assert report.complete, report
    info = read_dataset_info(wanted.out)
    assert (info.simulator, info.simulator_version) == ("habitat", "0.3.3")
    assert info.plan["scenes"] == ["villa"]
    assert read_splits(wanted.out) == {"villa": "train"}
    checked = validate_dataset(wanted.out, 1)
    assert checked.passed, checked.findings
    again = collect_dataset(wanted)
    assert (again.resumed, again.committed) == (2, 0)
