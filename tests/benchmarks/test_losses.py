"""The benchmark of truth and losses runs at a small size, and refuses to time what is not equal."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SMALL = "--preset tiny --batch 1 --history 3 --currents 2 --keyframes 3 --instructions 2 --threads 1 --repeats 1"


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / "losses.py"), *SMALL.split(), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=environment)


def test_it_prints_both_tables_and_writes_its_rows(tmp_path: Path) -> None:
    done = call("--frames", "2", "--loop-items", "1", "--json", str(tmp_path / "rows.json"))
    assert done.returncode == 0, done.stderr
    for what in ("equal within", "one pair at a time", "matched cell (InfoNCE)", "Cost against the number of frames"):
        assert what in done.stdout
    rows = json.loads((tmp_path / "rows.json").read_text())
    seconds = {row["predictor"]: row["value"] for row in rows if row["metric"] == "losses_step_cpu_s"}
    assert set(seconds) == {"all at once", "one pair at a time", "single numbers, multiplied out"}
    assert min(seconds.values()) > 0


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import losses

    return losses


def test_a_wrong_term_is_refused(benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from losses_room import Sizes

    from backsight.losses.consistency import consistency_loss
    from backsight.model.presets import tiny

    sizes = Sizes(tiny(), batch=1, frames=4, currents=2, keyframes=3, instructions=2)
    assert benchmark.check_equal(sizes, torch.device("cpu")) <= benchmark.TOLERANCE

    def wrong(*arguments, above_truth):
        return consistency_loss(*arguments, above_truth=False)

    monkeypatch.setattr("losses_one_by_one.consistency_loss", wrong)
    with pytest.raises(SystemExit, match="differs from all at once"):
        benchmark.check_equal(sizes, torch.device("cpu"))
