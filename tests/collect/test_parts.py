"""Parts of a plan: into one folder at the same time, into folders of their own, with other numbers of workers."""

import fcntl
import importlib
import shutil

import pytest

from backsight.collect.dataset_run import collect_dataset
from backsight.collect.locks import lock_dataset
from backsight.quality.validate import validate_dataset
from backsight.records.errors import UsageError
from backsight.storage.layout import SEQUENCES_FOLDER
from backsight.storage.sealed_json import read_sealed


@pytest.fixture(scope="module")
def whole(fault_runs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    with fault_runs.Runs(folder) as runs:
        assert runs.run(fault_runs.config_for(folder / "set", workers=1))[0] == 0
    return folder / "set"


def test_three_parts_write_into_one_folder_at_the_same_time(fault_runs, whole, tmp_path):
    out = tmp_path / "set"
    servers = []
    for number in (1, 2, 3):
        folder = tmp_path / str(number)
        folder.mkdir()
        servers.append(fault_runs.Runs(folder))
    for number, (server, workers) in enumerate(zip(servers, (1, 2, 3), strict=True), start=1):
        server.start(fault_runs.config_for(out, workers=workers, shard=f"{number}/3"), seconds=0.2)
    assert [server.finish() for server in servers] == [(0, "")] * 3
    for server in servers:
        server.__exit__()
    assert fault_runs.content_of(out) == fault_runs.content_of(whole)
    for name in ("dataset.json", "splits.json"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    reports = [read_sealed(out / f"report-{number}-of-3.json") for number in (1, 2, 3)]
    assert [report["committed"] for report in reports] == [2, 2, 2]
    assert validate_dataset(out).passed
    assert validate_dataset(out).notes == ()


def test_parts_in_folders_of_their_own_are_joined_by_copying(fault_runs, whole, tmp_path):
    with fault_runs.Runs(tmp_path) as runs:
        for number in (1, 2):
            config = fault_runs.config_for(tmp_path / str(number), shard=f"{number}/2")
            assert runs.run(config)[0] == 0
    one, two = tmp_path / "1", tmp_path / "2"
    assert (one / "dataset.json").read_bytes() == (two / "dataset.json").read_bytes()
    assert (one / "splits.json").read_bytes() == (two / "splits.json").read_bytes()
    shutil.copytree(two / SEQUENCES_FOLDER, one / SEQUENCES_FOLDER, dirs_exist_ok=True)
    assert fault_runs.content_of(one) == fault_runs.content_of(whole)
    assert validate_dataset(one).passed


def test_who_may_write_at_the_same_time(tmp_path):
    def refused(part):
        with pytest.raises(UsageError, match=r"being collected here|is writing here"), lock_dataset(tmp_path, part):
            pass

    with lock_dataset(tmp_path, None):
        for part in (None, "1-of-2", "orders"):
            refused(part)
    with lock_dataset(tmp_path, "1-of-2"), lock_dataset(tmp_path, "2-of-2"), lock_dataset(tmp_path, "orders"):
        for part in (None, "1-of-2", "2-of-2", "1-of-3", "orders"):
            refused(part)
    with lock_dataset(tmp_path, "1-of-3"):
        pass
    with lock_dataset(tmp_path, None), (tmp_path / ".lock").open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_a_part_leaves_what_others_are_writing(fault_runs, tmp_path):
    config = fault_runs.config_for(tmp_path / "set", shard="1/2")
    with fault_runs.Runs(tmp_path) as runs:
        assert runs.run(config)[0] == 0
        others = config.out / ".incoming" / "somebody-else-7"
        others.mkdir(parents=True)
        mine = config.out / ".incoming" / f"{next((config.out / SEQUENCES_FOLDER).glob('*/*')).name}-7"
        mine.mkdir()
        assert runs.run(config)[0] == 0
    assert others.exists()
    assert not mine.exists()


def test_an_empty_part_is_complete(fault_runs, tmp_path):
    config = fault_runs.config_for(tmp_path / "set", shard="5/5")
    module = importlib.import_module("fake_collect")
    report = collect_dataset(config, make_simulator=module.make_simulator)
    assert (report.planned, report.complete) == (0, True)
