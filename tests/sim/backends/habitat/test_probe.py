"""What the probe says of a Habitat that works, and of those that do not."""

import pytest

from backsight.sim.backends.habitat import probe as probe_module
from backsight.sim.backends.habitat.advice import advice_for
from backsight.sim.backends.habitat.config import HabitatConfig
from backsight.sim.backends.habitat.probe import probe


@pytest.fixture
def run(habitat_python, monkeypatch):
    monkeypatch.setattr(probe_module, "WIDTH_PX", 47)
    monkeypatch.setattr(probe_module, "HEIGHT_PX", 31)
    return lambda scene_id=None, **options: list(probe(HabitatConfig(python=habitat_python, **options), scene_id))


def test_an_empty_world_is_enough_for_a_context(run):
    assert [(step.name, step.passed) for step in run()] == [("start", True), ("load", True)]


def test_a_scene_is_walked_and_looked_at(run, house, tmp_path):
    steps = {step.name: step for step in run(house.write(tmp_path, "house", house.house()))}
    assert list(steps) == ["start", "load", "objects", "navigation", "axes and depth", "pictures"]
    assert all(step.passed for step in steps.values())
    assert "habitat_sim 0.3.3" in steps["start"].detail
    assert "0.05 m, 3.05 m" in steps["navigation"].detail
    assert "100% labelled, 0.0% holes" in steps["pictures"].detail


@pytest.mark.parametrize("fault", ["no_egl", "width_first", "wxyz"])
def test_what_does_not_work_ends_it(run, house, tmp_path, monkeypatch, fault):
    monkeypatch.setenv("HABITAT_STAND_IN_FAULT", fault)
    steps = run(house.write(tmp_path, "house", house.house()))
    assert [step.passed for step in steps] == [True] * (len(steps) - 1) + [False]
    assert len(steps) > 1


def test_notes_and_shortcomings_are_steps(run, house, tmp_path):
    steps = {step.name: step for step in run(house.write(tmp_path, "bare", house.house("hm3d", rigid=[], lights=[])))}
    assert not steps["objects"].passed
    assert steps["note"].passed
    floorless = run(house.write(tmp_path, "floorless", house.house(floors=[], ramps=[], navmesh=False)))
    assert (floorless[-1].name, floorless[-1].passed) == ("navigation", False)


def test_a_release_that_is_newer_is_named(run, monkeypatch):
    monkeypatch.setenv("HABITAT_STAND_IN_VERSION", "0.9.1")
    assert "up to 0.3.4" in run()[0].detail


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("ModuleNotFoundError: No module named 'magnum'", "docs/habitat.md"),
        ("tryCreateContext(): unable to find EGL device for CUDA device 0", "__EGL_VENDOR_LIBRARY_FILENAMES"),
        ("WindowlessContext: Unable to create windowless context", "headless"),
        ("ImportError: libEGL.so.1: cannot open shared object file", "libegl1"),
        ("numpy.core.multiarray failed to import", "numpy below 2"),
        ("Importing Basis files as ASTC", "Basis"),
        ("something else", "--habitat-debug"),
    ],
)
def test_last_words_have_advice(words, part):
    assert part in advice_for(words)
