import os

import pytest
import warp as wp

from backsight.records.errors import UsageError
from backsight.sim.embedded import warp_device


def test_only_the_remark_on_a_missing_driver_is_kept_back(monkeypatch, capfd):
    def speaks():
        os.write(2, b"first\nWarp CUDA warning: Could not find or load the NVIDIA CUDA driver. No GPU.\nlast\n")

    monkeypatch.setattr(wp, "init", speaks)
    warp_device.init_warp()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "first\nlast\nafter\n"


def test_what_was_said_before_a_failure_is_passed_on(monkeypatch, capfd):
    def fails():
        os.write(2, b"why\n")
        raise RuntimeError("no")

    monkeypatch.setattr(wp, "init", fails)
    with pytest.raises(RuntimeError, match="no"):
        warp_device.init_warp()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "why\nafter\n"


def test_another_device_is_refused():
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        warp_device.warp_device("tpu")
