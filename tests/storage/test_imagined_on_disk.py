"""Imagined views of a walk: written, read back, refused when they are damaged or do not fit."""

import dataclasses
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from backsight.records.errors import DataError
from backsight.records.quality import QualityReport
from backsight.records.sequence import ImaginedView, imagined_poses
from backsight.storage.layout import (
    ANNOTATIONS_FILE,
    CONTENT_FILES,
    IMAGINED_FILES,
    MANIFEST_FILE,
    sequence_folder,
)
from backsight.storage.manifest import file_entry, manifest_bytes, verify_manifest
from backsight.storage.read import read_metadata, read_sequence
from backsight.storage.write import write_sequence

ID = "walk-000001"
REPORT = QualityReport(ID, {"geometric_consistency": 1.0})


@pytest.fixture
def stored(tmp_path, make_sequence):
    sequence = make_sequence(ID, imagined=3)
    write_sequence(tmp_path, sequence, REPORT)
    return tmp_path, sequence


def reseal(folder: Path, names) -> None:
    entries = {name: file_entry((folder / name).read_bytes()) for name in names}
    (folder / MANIFEST_FILE).write_bytes(manifest_bytes(folder.name, entries))


def test_imagined_views_come_back(stored):
    root, sequence = stored
    back = read_sequence(root, ID)
    assert back.annotations == sequence.annotations
    assert back.imagined.instance_ids.shape == (3, 22, 34)
    assert np.array_equal(back.imagined.instance_ids, sequence.imagined.instance_ids)
    assert np.abs(back.imagined.depth_m - sequence.imagined.depth_m).max() <= 0.0006
    assert imagined_poses(back.annotations).shape == (3, 4, 4)
    assert read_metadata(root, ID).files == (*CONTENT_FILES, *IMAGINED_FILES)


def test_a_walk_without_them_is_stored_as_before(tmp_path, make_sequence):
    folder = write_sequence(tmp_path, make_sequence(ID), REPORT)
    assert {file.name for file in folder.iterdir()} == {*CONTENT_FILES, MANIFEST_FILE}
    back = read_sequence(tmp_path, ID)
    assert back.imagined is None
    assert back.annotations.imagined == ()
    # Annotations written before there were imagined views lack the field.
    path = folder / ANNOTATIONS_FILE
    content = msgspec.msgpack.decode(path.read_bytes())
    del content["imagined"]
    path.write_bytes(msgspec.msgpack.encode(content))
    reseal(folder, CONTENT_FILES)
    assert read_sequence(tmp_path, ID).annotations == back.annotations


@pytest.mark.parametrize("name", IMAGINED_FILES)
def test_damage_and_loss_are_found_and_named(stored, name):
    root, _ = stored
    path = sequence_folder(root, ID) / name
    whole = path.read_bytes()
    path.write_bytes(whole[:50] + bytes([whole[50] ^ 4]) + whole[51:])
    assert [Path(finding.path).name for finding in verify_manifest(path.parent)] == [name]
    path.unlink()
    with pytest.raises(DataError, match=name):
        read_sequence(root, ID, verify=False)
    reseal(path.parent, {*CONTENT_FILES, *IMAGINED_FILES} - {name})
    with pytest.raises(DataError, match=MANIFEST_FILE):
        read_sequence(root, ID)


def test_images_without_views_and_views_without_images_are_refused(tmp_path, make_sequence):
    sequence = make_sequence(ID, imagined=3)
    for wrong in (
        dataclasses.replace(sequence, imagined=None),
        dataclasses.replace(sequence, annotations=msgspec.structs.replace(sequence.annotations, imagined=())),
        dataclasses.replace(
            sequence,
            annotations=msgspec.structs.replace(sequence.annotations, imagined=sequence.annotations.imagined[:2]),
        ),
    ):
        with pytest.raises(DataError, match="imagined"):
            write_sequence(tmp_path, wrong, REPORT)
    folder = write_sequence(tmp_path, sequence, REPORT)
    shutil.copy(folder / ANNOTATIONS_FILE, tmp_path / "kept")
    changed = msgspec.structs.replace(sequence.annotations, imagined=())
    (folder / ANNOTATIONS_FILE).write_bytes(msgspec.msgpack.encode(changed))
    reseal(folder, (*CONTENT_FILES, *IMAGINED_FILES))
    with pytest.raises(DataError, match="imagined"):
        read_sequence(tmp_path, ID)


@pytest.mark.parametrize(
    ("view", "field"),
    [
        (ImaginedView(7, tuple(np.eye(4).ravel())), "current_frame"),
        (ImaginedView(-1, tuple(np.eye(4).ravel())), "current_frame"),
        (ImaginedView(6, (1.0,) * 15), "world_from_camera"),
        (ImaginedView(6, tuple(np.diag([1.0, -1.0, 1.0, 1.0]).ravel())), "imagined"),
        (ImaginedView(6, tuple((2 * np.eye(4)).ravel())), "imagined"),
        (ImaginedView(6, (float("nan"),) * 16), "imagined"),
    ],
)
def test_poses_out_of_range_are_named(tmp_path, make_sequence, view, field):
    sequence = make_sequence(ID, imagined=1)
    wrong = msgspec.structs.replace(sequence.annotations, imagined=(view,))
    with pytest.raises(DataError, match=field):
        write_sequence(tmp_path, dataclasses.replace(sequence, annotations=wrong), REPORT)
