from types import SimpleNamespace

import pytest

from backsight.records.errors import DataError, UsageError
from backsight.sim.embedded import simulator as embedded
from backsight.sim.embedded.scenes.procedural import build_scene
from backsight.sim.embedded.scenes.scene_id import parse_scene_id


def _no_place(scene, agent_radius_m):
    raise UsageError("navigation: no place where an agent fits")


@pytest.mark.parametrize("notes", [(), ("+z is up",)])
def test_a_file_that_cannot_be_walked_in_is_that_files_problem_whatever_was_guessed(monkeypatch, tmp_path, notes):
    scene = build_scene(parse_scene_id("bathroom-0"))
    monkeypatch.setattr(embedded, "scan_path", lambda folder, scene_id: folder / scene_id)
    monkeypatch.setattr(embedded, "build_scan", lambda path: SimpleNamespace(scene=scene, notes=notes))
    monkeypatch.setattr(embedded, "GridNavigation", _no_place)
    simulator = embedded.EmbeddedSimulator(scene_dir=tmp_path)
    simulator.load_scene("hall.glb")
    with pytest.raises(DataError, match=r"hall\.glb"):
        simulator.navigation  # noqa: B018


def test_a_made_scene_that_cannot_be_walked_in_is_no_files_problem(monkeypatch):
    monkeypatch.setattr(embedded, "GridNavigation", _no_place)
    simulator = embedded.EmbeddedSimulator()
    simulator.load_scene("bathroom-0")
    with pytest.raises(UsageError, match="no place"):
        simulator.navigation  # noqa: B018
