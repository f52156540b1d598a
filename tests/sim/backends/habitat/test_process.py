"""The worker's process: how it starts, dies, hangs, ends and is replaced."""

import os
import signal
import time

import numpy as np
import psutil
import pytest

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.records.errors import EnvironmentProblem, UsageError
from backsight.sim.backends.habitat.client import HabitatSimulator
from backsight.sim.backends.habitat.config import HabitatConfig
from backsight.sim.backends.habitat.process import HabitatProcess

CAMERA = (intrinsics_from_hfov(17, 13, 80.0), 17, 13)


@pytest.fixture
def scene_id(house, tmp_path):
    return house.write(tmp_path, "house", house.house())


def child(simulator):
    return psutil.Process(simulator._process._process.pid)


def test_a_python_that_is_none(tmp_path):
    with pytest.raises(EnvironmentProblem, match="no Python that can be run"):
        HabitatSimulator(HabitatConfig(python=tmp_path / "python"))


def test_a_python_without_habitat(habitat_python, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(EnvironmentProblem, match=r"(?s)No module named 'habitat_sim'.*not installed for this Python"):
        HabitatSimulator(HabitatConfig(python=habitat_python))


def test_a_context_that_can_not_be_made_tells_what_to_do(make_habitat, scene_id, monkeypatch):
    monkeypatch.setenv("HABITAT_STAND_IN_FAULT", "no_egl")
    simulator = make_habitat()
    with pytest.raises(EnvironmentProblem, match=r"(?s)SIGABRT.*unable to find CUDA device 0.*--habitat-gpu -1"):
        simulator.load_scene(scene_id)


def test_a_worker_that_hangs_is_ended(make_habitat, scene_id, monkeypatch):
    monkeypatch.setenv("HABITAT_STAND_IN_FAULT", "hang")
    simulator = make_habitat(answer_timeout_s=1.0)
    simulator.load_scene(scene_id)
    process = child(simulator)
    began = time.monotonic()
    with pytest.raises(EnvironmentProblem, match=r"has not answered for 1 s \(render\)"):
        simulator.render(np.eye(4)[None], *CAMERA)
    assert time.monotonic() - began < 10.0
    assert not process.is_running()


def test_a_killed_worker_is_noticed_and_replaced(make_habitat, scene_id):
    simulator = make_habitat()
    simulator.load_scene(scene_id)
    objects = simulator.objects
    os.kill(child(simulator).pid, signal.SIGKILL)
    with pytest.raises(EnvironmentProblem, match="killed by SIGKILL"):
        simulator.render(np.eye(4)[None], *CAMERA)
    with pytest.raises(EnvironmentProblem, match="has ended"):
        simulator.render(np.eye(4)[None], *CAMERA)
    simulator.load_scene(scene_id)
    assert simulator.objects == objects
    assert simulator.render(np.eye(4)[None], *CAMERA).rgb.shape == (1, 13, 17, 3)


def test_a_worker_has_so_many_scenes_and_goes(make_habitat, scene_id):
    simulator = make_habitat(scenes_per_worker=2)
    pids = []
    for _ in range(5):
        simulator.load_scene(scene_id)
        pids.append(child(simulator).pid)
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]
    assert not psutil.pid_exists(pids[0])


def test_a_scene_that_is_refused_leaves_no_half_loaded_one(make_habitat, scene_id, tmp_path):
    simulator = make_habitat()
    with pytest.raises(UsageError, match=r"there is no such file"):
        simulator.load_scene(str(tmp_path / "nowhere.glb"))
    with pytest.raises(UsageError, match=r"apt_99.*was not found"):
        simulator.load_scene("apt_99")
    with pytest.raises(UsageError, match="no scene loaded"):
        _ = simulator.objects
    simulator.load_scene(scene_id)
    assert simulator.objects


def test_a_missing_data_set_configuration(make_habitat, scene_id, tmp_path):
    simulator = make_habitat(scene_dataset=str(tmp_path / "none.scene_dataset_config.json"))
    with pytest.raises(UsageError, match="--scene-dataset"):
        simulator.load_scene(scene_id)


def test_the_process_ends_with_its_owner(habitat_python):
    process = HabitatProcess(HabitatConfig(python=habitat_python))
    pid, stderr = process._process.pid, process._stderr
    assert "hello on standard output" in stderr.read_text(), "what Habitat prints must not end up in the messages"
    del process
    assert not psutil.pid_exists(pid)
    assert not stderr.exists()


def test_habitat_is_quiet_unless_asked(habitat_python, monkeypatch):
    monkeypatch.delenv("MAGNUM_LOG", raising=False)
    for debug, expected in ((False, "quiet"), (True, "verbose")):
        process = HabitatProcess(HabitatConfig(python=habitat_python, debug=debug))
        environment = psutil.Process(process._process.pid).environ()
        assert environment["MAGNUM_LOG"] == expected
        process.close()
