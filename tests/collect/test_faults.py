"""The table of docs/collecting_at_scale.md: what befalls a worker, and what becomes of sequence, worker and run."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

BAD = "smooth-00003"
"""The sequence that something befalls; five others are planned beside it."""
FIRST = "smooth-00000"


def report_of(root: Path):
    from backsight.storage.sealed_json import read_sealed

    return read_sealed(root / "report.json")


def present(root: Path) -> list[str]:
    from backsight.storage.layout import list_sequence_ids

    return list_sequence_ids(root)


@pytest.mark.parametrize(
    ("act", "says", "limits"),
    [
        ("raise", "ValueError: the walk fell over", {}),
        ("die", "killed by SIGKILL", {}),
        ("stop", "hung: nothing came within 1 s", {"sequence_timeout_s": 1.0}),
        ("swell", "GiB of memory", {"max_worker_memory_gb": 0.6}),
    ],
)
def test_a_lost_worker_costs_its_sequence_at_most(faults, runs, act, says, limits):
    fault_runs, fake_collect = faults
    config = fault_runs.config_for(runs.folder / act, **limits)
    # Once: the worker is replaced, the sequence is tried again, the run succeeds.
    status, output = runs.run(config, acts={BAD: f"{runs.folder / act}-once:{act}"})
    assert (status, output) == (0, "lost a worker []\n")
    assert len(present(config.out)) == 6
    report = report_of(config.out)
    assert (report["committed"], report["retried"], report["poisoned"]) == (6, 1, [])

    # Always: three workers are lost, then the sequence is given up; the others are there, the run fails.
    config = fault_runs.config_for(runs.folder / f"{act}-always", **limits)
    status, output = runs.run(config, acts={BAD: act})
    assert status == 1
    assert BAD not in present(config.out)
    assert len(present(config.out)) == 5
    report = report_of(config.out)
    ((name, error),) = report["poisoned"]
    assert name == BAD
    assert says in error
    assert (report["committed"], report["retried"]) == (5, 2)
    assert fake_collect.wrong_in(config.out) == []


def test_what_was_given_up_is_left_alone_until_asked_for(faults, runs):
    fault_runs, _ = faults
    config = fault_runs.config_for(runs.folder / "poison")
    assert runs.run(config, acts={BAD: "raise"})[0] == 1
    status, output = runs.run(config)
    report = report_of(config.out)
    assert (status, output) == (1, "")
    assert (report["resumed"], report["committed"], report["retried"], report["poisoned"]) == (5, 0, 0, [])
    assert report["skipped"][BAD].startswith("poisoned: ")
    assert "ValueError" in report["skipped"][BAD]
    assert runs.run(config, retry=True)[0] == 0
    assert report_of(config.out)["skipped"] == {}
    assert runs.run(config)[0] == 0


@pytest.mark.parametrize("write", [1, 4, 9, 20])
def test_a_full_disk_ends_the_run_with_whole_sequences_only(faults, runs, write):
    fault_runs, fake_collect = faults
    config = fault_runs.config_for(runs.folder / f"full-{write}")
    status, output = runs.run(config, process="worker", full_at=write)
    assert status == 4
    assert f"{config.out}: No space left on device; make room" in output
    assert fake_collect.wrong_in(config.out) == []
    assert not list((config.out).glob(".incoming/*"))
    assert "No space left" in report_of(config.out)["stopped"]
    assert runs.run(config)[0] == 0
    assert len(present(config.out)) == 6


@pytest.mark.parametrize("write", [1, 2, 3])
def test_a_disk_too_full_for_the_supervisor_ends_the_run_too(faults, runs, write):
    fault_runs, fake_collect = faults
    config = fault_runs.config_for(runs.folder / f"full-supervisor-{write}")
    status, output = runs.run(config, process="supervisor", full_at=write)
    assert status == 4
    assert "No space left on device" in output
    assert fake_collect.wrong_in(config.out) == []
    assert runs.run(config)[0] == 0


def test_without_room_for_the_plan_nothing_is_begun(monkeypatch, tmp_path, faults):
    import collections
    import shutil

    from backsight.collect.dataset_run import collect_dataset
    from backsight.records.errors import EnvironmentProblem

    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(EnvironmentProblem, match=r"6 sequences will take 0\.00 GB or more, 0\.00 GB are free"):
        collect_dataset(faults[0].config_for(tmp_path / "set"), make_simulator=faults[1].make_simulator)
    assert present(tmp_path / "set") == []


def test_a_scene_file_that_vanishes_costs_its_own_sequences(faults, runs, tmp_path):
    fault_runs, fake_collect = faults
    scenes = runs.folder / "scenes"
    scenes.mkdir()
    for name in ("a.ply", "b.ply", "c.ply"):
        (scenes / name).write_text("ply")
    config = fault_runs.config_for(runs.folder / "scans", scene_dir=scenes, workers=1)
    runs.start(config, seconds=0.3)
    while not present(config.out):
        time.sleep(0.01)
    (scenes / "c.ply").unlink()
    status, output = runs.finish()
    assert (status, output) == (1, "")
    report = report_of(config.out)
    assert [name for name in report["given_up"]] == [name for name in report["rejections"]]
    assert len(report["given_up"]) == 2
    for reasons in report["rejections"].values():
        assert reasons == [f"{scenes / 'c.ply'}: scene file: does not exist (put it back, or check --scene-dir)"]
    assert len(present(config.out)) == 4
    assert fake_collect.wrong_in(config.out) == []
    # It was no fault of the sequences: they are tried again once the file is back.
    (scenes / "c.ply").write_text("ply")
    assert runs.run(config)[0] == 0
    assert len(present(config.out)) == 6


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_keeps_what_is_finished_and_ends_with_130(faults, runs, number):
    fault_runs, fake_collect = faults
    config = fault_runs.config_for(runs.folder / f"stopped-{number}")
    pid = runs.start(config, seconds=0.3)
    while not present(config.out):
        time.sleep(0.01)
    children = psutil.Process(pid).children()
    os.kill(pid, number)
    status, _ = runs.finish()
    assert status == 130
    assert 1 <= len(present(config.out)) < 6
    assert not (config.out / ".incoming").exists()
    assert report_of(config.out)["interrupted"]
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    assert fake_collect.wrong_in(config.out) == []


def test_a_stopped_worker_does_not_outlive_its_supervisor(faults, runs):
    fault_runs, _ = faults
    config = fault_runs.config_for(runs.folder / "orphan", workers=1)
    pid = runs.start(config, acts={FIRST: "stop"})
    deadline = time.monotonic() + 20
    children = []
    while time.monotonic() < deadline and not any(c.status() == psutil.STATUS_STOPPED for c in children):
        children = psutil.Process(pid).children()
        time.sleep(0.02)
    assert children
    os.kill(pid, signal.SIGKILL)
    runs.finish()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
