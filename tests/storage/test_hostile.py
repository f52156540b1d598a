"""Damaged and hostile files: a message that names the file, never a crash, a hang or a read outside of the folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backsight.storage.orders import FinishedOrder, Order, finish_order, place_order
from backsight.storage.sealed_json import write_sealed

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
QUICK, ALL, BATCH = 300, 5000, 500


@pytest.fixture(scope="module")
def good(make_dataset, tmp_path_factory):
    """A small data set with everything that has a reader."""
    root = make_dataset(tmp_path_factory.mktemp("good") / "set", places=2, frames=3, imagined=2)
    write_sealed(root / "report.json", {"planned": 2, "rejections": {"walk-1-0": ["too dark"]}})
    path = place_order(root, Order("b", "smooth", 2, challenges=("clutter",)))
    finish_order(root, path, FinishedOrder("b", "done", sequence_ids=("order-b-00000",), order=Order("b", "smooth", 1)))
    place_order(root, Order("a", "smooth", 2, num_frames=7))
    return root


def read_damaged(good: Path, scratch: Path, first: int, count: int) -> None:
    command = [sys.executable, str(HERE / "hostile.py"), str(good), str(scratch), str(first), str(count)]
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=800, check=False)
    last = done.stderr.strip().splitlines()[-3:]
    assert done.returncode == 0, f"ended with {done.returncode} after {last}"
    assert done.stdout == "", done.stdout[:5000]
    refused = next(int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("refused"))
    assert refused > count


def test_no_damaged_file_is_more_than_a_message(good, tmp_path):
    read_damaged(good, tmp_path, 0, QUICK)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(0, ALL, BATCH))
def test_five_thousand_damaged_files(good, tmp_path, first):
    read_damaged(good, tmp_path, first, BATCH)
