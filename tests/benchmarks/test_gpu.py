"""The GPU script at tiny size on the CPU, where there is neither renderer nor codec nor anything for a terminal."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"
ABSENT = ("warp", "cv2", "av", "accelerate", "peft", "rich", "tyro")
WITHOUT = (
    "import runpy, sys\n"
    f"sys.modules.update(dict.fromkeys({ABSENT!r}))\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


def test_it_measures_everything_at_tiny_size(tmp_path):
    size = ("--batch-size", "1", "--frames", "7", "--seconds", "0.01")
    done = call("--device", "cpu", "--preset", "tiny", *size, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "gpu.json").read_text())
    assert told["precision"] == "fp32"
    assert told["attention"] == "tiny eager"
    assert all(told[name] for name in ("device", "torch", "transformers", "python"))
    value = {one["what"].strip(): one["value"] for one in told["figures"]}
    stages = ("truth", "forward", "losses", "backward", "optimiser", "encode", "select", "footprints", "targets")
    assert all(value[name] > 0 for name in (*stages, "answer", "training step", "looking back"))
    looked = sum(value[stage] for stage in ("encode", "select", "footprints", "targets", "answer"))
    assert value["looking back"] == pytest.approx(looked)
    assert value["operations forward and backward"] == pytest.approx(3 * value["operations forward"])
    rate = next(one["value"] for one in told["figures"] if one["unit"] == "TFLOP/s")
    share = 100 * value["operations forward and backward"] / (value["training step"] / 1e3) / rate
    assert value["share of the matrix product's rate"] == pytest.approx(share)
    assert 0 < share < 100
    assert len(told["kernels"]) == 15
    assert [row["ms"] for row in told["kernels"]] == sorted((row["ms"] for row in told["kernels"]), reverse=True)
    text = (tmp_path / "gpu.md").read_text()
    assert all(f"`{row['name'][:90]}`" in text for row in told["kernels"])


def test_what_is_missing_is_said_before_anything_is_measured(tmp_path):
    done = call("--device", "cpu", "--preset", "full", "--out", str(tmp_path))
    assert done.returncode == 4
    assert "peft" in done.stderr
    assert not list(tmp_path.iterdir())
