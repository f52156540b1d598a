"""`backsight doctor` reports and ends with 4 when something needed is missing."""

import collections
import shutil

import pytest

from backsight.cli import machine
from backsight.cli.main import main
from backsight.sim.backends.habitat import probe


def test_the_machine_of_the_tests_has_what_is_needed(capsys, tmp_path):
    assert main(["doctor", "--data", str(tmp_path / "new" / "data")]) == 0
    report = capsys.readouterr().out
    for name in (
        "Python",
        "packages",
        "codecs",
        "coding",
        "renderer",
        "training",
        "disk",
        "disk speed",
        "cores",
        "open files",
        "memory",
        "shared memory",
    ):
        assert name in report
    assert "libx264" in report
    assert "everything needed is there" in report
    assert "Habitat" not in report


def test_a_missing_encoder_is_status_4(capsys, monkeypatch):
    monkeypatch.setattr(machine.av, "codecs_available", {"png", "ffv1"})
    assert main(["doctor"]) == 4
    report = capsys.readouterr().out
    assert "no libx264" in report
    assert "pip install av" in report


def test_a_missing_package_is_status_4(capsys, monkeypatch):
    monkeypatch.setattr(machine, "CORE_PACKAGES", (*machine.CORE_PACKAGES, "no-such-package"))
    assert main(["doctor"]) == 4
    assert "not there: no-such-package" in capsys.readouterr().out


def test_little_room_is_a_note(capsys, monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(64_000_000, 0, 2_000_000_000))
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    assert "--shm-size" in report
    assert "2 GB free" in report


def test_another_python_is_status_4(capsys, monkeypatch):
    monkeypatch.setattr(machine, "PYTHONS", ((3, 98), (3, 99)))
    assert main(["doctor"]) == 4
    assert "use Python 3.98 to 3.99" in capsys.readouterr().out


def test_a_habitat_that_works(capsys, habitat_python, house, tmp_path, monkeypatch):
    monkeypatch.setattr(probe, "WIDTH_PX", 47)
    monkeypatch.setattr(probe, "HEIGHT_PX", 31)
    scene = house.write(tmp_path, "house", house.house())
    assert main(["doctor", "--habitat-python", str(habitat_python), "--scene", scene]) == 0
    report = capsys.readouterr().out
    assert "habitat_sim 0.3.3" in report
    assert "axes and depth" in report


def test_a_habitat_that_does_not(capsys, habitat_python, house, tmp_path, monkeypatch):
    monkeypatch.setenv("HABITAT_STAND_IN_FAULT", "no_egl")
    assert main(["doctor", "--habitat-python", str(habitat_python)]) == 4
    report = capsys.readouterr().out
    assert "unable to find CUDA device 0" in report
    assert "--habitat-gpu -1" in report
    assert "needed and missing: 1" in report


@pytest.mark.parametrize("option", ["--scene", "--scene-dataset"])
def test_a_scene_needs_a_habitat(option, capsys):
    assert main(["doctor", option, "x.glb"]) == 2
    assert "--habitat-python" in capsys.readouterr().err


def test_an_encoder_that_changes_frames_is_status_4(capsys, monkeypatch):
    encode = machine.encode_png_zip
    monkeypatch.setattr(machine, "encode_png_zip", lambda images: encode(images // 256 * 256))
    assert main(["doctor"]) == 4
    assert "two frames came back changed" in capsys.readouterr().out


def test_an_encoder_that_fails_is_status_4(capsys, monkeypatch):
    monkeypatch.setattr(machine, "encode_rgb", lambda rgb, rate: b"no video")
    assert main(["doctor"]) == 4
    assert "two frames did not come back" in capsys.readouterr().out


def test_a_slow_disk_and_few_open_files_are_notes(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "SLOW_SYNC_MS", 0.0)
    monkeypatch.setattr(machine, "FEW_OPEN_FILES", 10**9)
    assert main(["doctor", "--out", str(tmp_path)]) == 0
    report = capsys.readouterr().out
    assert "collect to a local disk" in report
    assert "ulimit -n" in report
    assert list(tmp_path.iterdir()) == []
