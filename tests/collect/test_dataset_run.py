import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backsight.collect.config import CollectConfig
from backsight.collect.dataset_run import collect_dataset
from backsight.quality.validate import validate_dataset
from backsight.records.errors import UsageError
from backsight.storage.layout import list_sequence_ids, sequence_folder
from backsight.storage.manifest import verify_manifest

CONTENT = ("rgb.mp4", "depth.zip", "instances.zip", "annotations.msgpack")


def config_for(out: Path, workers: int = 1, **changes) -> CollectConfig:
    small = {"size": "64x48", "min_frames": 9, "mean_frames": 11, "max_frames": 13, "sequences_per_place": 2}
    small |= {"scene_types": ("flat",), "kinds": ("forward", "backward")}
    return CollectConfig(**(small | {"out": out, "num_sequences": 4, "workers": workers} | changes))


def content_of(root: Path) -> dict[str, str]:
    return {
        f"{name}/{file}": hashlib.sha256((sequence_folder(root, name) / file).read_bytes()).hexdigest()
        for name in list_sequence_ids(root)
        for file in CONTENT
    }


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    root = tmp_path_factory.mktemp("collected") / "set"
    report = collect_dataset(config_for(root))
    assert report.complete, report
    return root


def test_a_collected_data_set_validates(collected):
    report = validate_dataset(collected)
    assert report.passed, (report.findings, report.sequences)
    assert len(list_sequence_ids(collected)) == 4


def test_killed_and_resumed_with_two_workers_it_ends_in_the_same_bytes(collected, tmp_path):
    root = tmp_path / "set"
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_dataset_run import config_for
from backsight.collect.dataset_run import collect_dataset
if __name__ == "__main__":
    collect_dataset(config_for(Path({str(root)!r}), workers=2))
"""
    (tmp_path / "main.py").write_text(script)
    with subprocess.Popen([sys.executable, str(tmp_path / "main.py")], stderr=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + 120
        while not list_sequence_ids(root) and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(run.pid, signal.SIGKILL)
    names = list_sequence_ids(root)
    assert names
    for name in names:
        assert verify_manifest(sequence_folder(root, name)) == []
    # Its workers end with it, a little later; the lock is free at once.
    time.sleep(1.0)
    damaged = sequence_folder(root, names[0]) / "depth.zip"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    report = collect_dataset(config_for(root, workers=2))
    assert report.complete
    assert report.replaced == (names[0],)
    assert content_of(root) == content_of(collected)
    assert not (root / ".incoming").exists()


def test_another_data_set_is_refused_and_nothing_is_written(collected):
    before = {path: path.stat().st_mtime_ns for path in collected.rglob("*")}
    with pytest.raises(UsageError, match="seed is 0, asked for 5"):
        collect_dataset(config_for(collected, seed=5))
    with pytest.raises(UsageError, match="size is 64x48, asked for 96x64"):
        collect_dataset(config_for(collected, size="96x64"))
    assert {path: path.stat().st_mtime_ns for path in collected.rglob("*")} == before


def test_a_folder_with_other_things_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match=r"not empty \(thesis\.txt\)"):
        collect_dataset(config_for(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_whole_data_set_is_left_as_it_is(collected):
    before = content_of(collected)
    report = collect_dataset(config_for(collected))
    assert (report.resumed, report.committed) == (4, 0)
    assert content_of(collected) == before
