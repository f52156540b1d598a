import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from backsight.records.errors import DataError, UsageError
from backsight.records.quality import QualityReport
from backsight.storage.dataset import read_dataset_info, read_splits
from backsight.storage.layout import (
    ANNOTATIONS_FILE,
    CONTENT_FILES,
    MANIFEST_FILE,
    check_sequence_id,
    list_sequence_ids,
    sequence_folder,
)
from backsight.storage.manifest import file_entry, manifest_bytes, verify_manifest
from backsight.storage.read import read_annotations, read_metadata, read_sequence
from backsight.storage.write import write_sequence

ID = "walk-000001"
REPORT = QualityReport(ID, {"geometric_consistency": 1.0})


@pytest.fixture
def stored(tmp_path, make_sequence):
    sequence = make_sequence(ID)
    write_sequence(tmp_path, sequence, REPORT)
    return tmp_path, sequence


def reseal(folder: Path) -> None:
    """Write a manifest that agrees with the files as they are now: a forger's step."""
    entries = {name: file_entry((folder / name).read_bytes()) for name in CONTENT_FILES}
    (folder / MANIFEST_FILE).write_bytes(manifest_bytes(folder.name, entries))


def test_a_sequence_comes_back(stored):
    root, sequence = stored
    back = read_sequence(root, ID)
    assert back.rgb.shape == (7, 22, 34, 3)
    assert np.abs(back.depth_m - sequence.depth_m).max() <= 0.0006
    assert np.array_equal(back.instance_ids, sequence.instance_ids)
    assert np.array_equal(back.world_from_camera, sequence.world_from_camera)
    assert np.array_equal(back.intrinsics, sequence.intrinsics)
    assert back.annotations == sequence.annotations
    assert read_metadata(root, ID).quality == REPORT
    assert list_sequence_ids(root) == [ID]
    assert verify_manifest(sequence_folder(root, ID)) == []
    assert not list((root / ".incoming").iterdir())


def test_annotations_are_plain_msgpack(stored):
    root, sequence = stored
    data = (sequence_folder(root, ID) / ANNOTATIONS_FILE).read_bytes()
    assert msgspec.msgpack.decode(data)["place_id"] == sequence.annotations.place_id


def test_two_writes_of_a_sequence_are_equal_but_for_time_and_process(tmp_path, make_sequence):
    folders = [write_sequence(tmp_path / name, make_sequence(ID), REPORT) for name in ("one", "two")]
    for name in CONTENT_FILES[:4]:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


@pytest.mark.parametrize("name", [*CONTENT_FILES, MANIFEST_FILE])
def test_any_flipped_byte_is_found_and_named(stored, name):
    root, _ = stored
    path = sequence_folder(root, ID) / name
    whole = path.read_bytes()
    generator = random.Random(name)
    positions = {0, len(whole) - 1} | {generator.randrange(len(whole)) for _ in range(25)}
    for position in sorted(positions):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << generator.randrange(8)
        path.write_bytes(damaged)
        findings = verify_manifest(path.parent)
        assert [Path(finding.path).name for finding in findings] == [name], position
        with pytest.raises(DataError, match=name):
            read_sequence(root, ID)


@pytest.mark.parametrize("name", [*CONTENT_FILES, MANIFEST_FILE])
@pytest.mark.parametrize("verify", [True, False])
def test_a_missing_or_truncated_file_is_a_data_error_that_names_it(stored, name, verify):
    root, _ = stored
    path = sequence_folder(root, ID) / name
    whole = path.read_bytes()
    for damage in (lambda: path.write_bytes(whole[: len(whole) // 2]), path.unlink):
        damage()
        if name == MANIFEST_FILE and not verify:
            continue
        with pytest.raises(DataError, match=name):
            read_sequence(root, ID, verify=verify)


def test_extra_files_and_links_are_found(stored):
    root, _ = stored
    folder = sequence_folder(root, ID)
    (folder / "notes.txt").write_text("x")
    assert [finding.path.rsplit("/", 1)[1] for finding in verify_manifest(folder)] == ["notes.txt"]
    (folder / "notes.txt").unlink()
    moved = folder.parent / "elsewhere"
    (folder / "rgb.mp4").rename(moved)
    (folder / "rgb.mp4").symlink_to(moved)
    assert [finding.path.rsplit("/", 1)[1] for finding in verify_manifest(folder)] == ["rgb.mp4"]


def test_a_folder_under_another_name_is_found(stored):
    root, _ = stored
    other = sequence_folder(root, "walk-000002")
    other.parent.mkdir(exist_ok=True)
    sequence_folder(root, ID).rename(other)
    assert verify_manifest(other)[0].field == "sequence_id"
    with pytest.raises(DataError, match="sequence_id"):
        read_annotations(root, "walk-000002")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format_version": 3}, "format_version"),
        ({"sequence_id": "../up"}, "sequence_id"),
        ({"sequence_id": "walk-000009"}, "sequence_id"),
        ({"frame_rate_hz": float("nan")}, "frame_rate_hz"),
        ({"intrinsics": ((1.0, 0.0, 0.0),)}, "intrinsics"),
        ({"intrinsics": ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))}, "intrinsics"),
        ({"world_from_camera": ((1.0,) * 16,) * 7}, "world_from_camera"),
        ({"world_from_camera": ((1.0,) * 15,) * 7}, "world_from_camera"),
        ({"world_from_camera": ((float("inf"),) * 16,) * 7}, "world_from_camera"),
        ({"world_from_camera": ()}, "world_from_camera"),
        ({"visible_objects": ((),)}, "visible_objects"),
        ({"place_id": "flat-9"}, "place_id"),
    ],
)
def test_annotations_out_of_range_are_named_even_with_a_forged_manifest(stored, change, field):
    root, sequence = stored
    path = sequence_folder(root, ID) / ANNOTATIONS_FILE
    changed = msgspec.structs.replace(sequence.annotations, **change)
    path.write_bytes(msgspec.msgpack.encode(changed))
    reseal(path.parent)
    with pytest.raises(DataError, match=field):
        read_sequence(root, ID)


@pytest.mark.parametrize("data", [b"\xdf\xff\xff\xff\xff", b"\x91" * 100_000 + b"\xc0", b"", b"\xc1"])
def test_hostile_annotations_are_a_data_error(stored, data):
    root, _ = stored
    path = sequence_folder(root, ID) / ANNOTATIONS_FILE
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"annotations\.msgpack"):
        read_annotations(root, ID)


def test_parts_that_disagree_are_not_written(tmp_path, make_sequence):
    sequence = make_sequence(ID)
    poses = sequence.world_from_camera.copy()
    poses[3, 0, 3] += 1.0
    with pytest.raises(DataError, match="world_from_camera"):
        write_sequence(tmp_path, dataclasses.replace(sequence, world_from_camera=poses), REPORT)
    assert list_sequence_ids(tmp_path) == []


def test_a_sequence_is_never_overwritten(stored):
    root, sequence = stored
    with pytest.raises(UsageError, match="exists already"):
        write_sequence(root, sequence, REPORT)


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a b", "a\n", "ä", "x" * 129])
def test_ids_that_are_no_folder_names_are_refused(name):
    with pytest.raises(UsageError):
        check_sequence_id(name)


def test_root_files_come_back_and_every_flipped_byte_is_named(tmp_path, make_dataset):
    root = make_dataset(tmp_path)
    assert read_dataset_info(root).width == 34
    assert read_splits(root) == {"flat-0": "train", "flat-1": "val", "flat-2": "test"}
    for name, reader in (("dataset.json", read_dataset_info), ("splits.json", read_splits)):
        path = root / name
        whole = path.read_bytes()
        for position in range(len(whole)):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << (position % 8)
            path.write_bytes(damaged)
            with pytest.raises(DataError, match=name):
                reader(root)
        path.write_bytes(whole)


_WRITER = """
import sys
sys.path[:0] = [{tests!r}]
from pathlib import Path
from factories import make_sequence, good_report
from backsight.storage.write import write_sequence
sequences = [make_sequence(f"walk-{{i}}") for i in range(3)]
print("ready", flush=True)
for i in range(100000):
    import msgspec, dataclasses
    s = sequences[i % 3]
    name = f"walk-{{i}}"
    s = dataclasses.replace(s, annotations=msgspec.structs.replace(s.annotations, sequence_id=name))
    write_sequence(Path({root!r}), s, good_report(name))
"""


def test_killing_the_writer_at_any_moment_leaves_whole_sequences_only(tmp_path):
    generator = random.Random(5)
    total = 0
    for attempt in range(3):
        root = tmp_path / str(attempt)
        script = _WRITER.format(tests=str(Path(__file__).parent.parent), root=str(root))
        writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        with writer:
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(0.15 + 0.2 * generator.random())
            os.kill(writer.pid, signal.SIGKILL)
        names = list_sequence_ids(root)
        total += len(names)
        for name in names:
            read_sequence(root, name)
    assert total > 3
