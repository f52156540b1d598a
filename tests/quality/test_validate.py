import dataclasses
import random
import shutil

import msgspec
import pytest
from rich.console import Console

from backsight.quality.table import render_table
from backsight.quality.validate import validate_dataset
from backsight.records.errors import DataError
from backsight.records.quality import QualityReport
from backsight.storage.dataset import read_splits, write_splits
from backsight.storage.layout import list_sequence_ids, sequence_folder
from backsight.storage.read import read_sequence
from backsight.storage.write import write_sequence


@pytest.fixture(scope="module")
def whole(tmp_path_factory, make_dataset):
    return make_dataset(tmp_path_factory.mktemp("set"), places=3)


@pytest.fixture
def copied(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "set")
    return tmp_path / "set"


def problem_paths(report):
    return {finding.path for finding in report.findings}


def test_a_whole_data_set_passes(whole):
    report = validate_dataset(whole)
    assert report.passed, (report.findings, report.sequences)
    assert report.notes == ()
    assert report.places == {"train": 1, "val": 1, "test": 1}
    assert [sequence.sequence_id for sequence in report.sequences] == list_sequence_ids(whole)
    assert validate_dataset(whole, workers=2) == report


def test_a_flipped_byte_in_any_file_is_found_and_the_file_named(whole):
    generator = random.Random(11)
    files = sorted(path for path in whole.rglob("*") if path.is_file())
    assert len(files) == 2 + 3 * 6
    for path in files:
        content = path.read_bytes()
        for position in {generator.randrange(len(content))}:
            damaged = bytearray(content)
            damaged[position] ^= 1 << generator.randrange(8)
            path.write_bytes(damaged)
            report = validate_dataset(whole)
            assert not report.passed
            assert problem_paths(report) == {path.relative_to(whole).as_posix()}, position
        path.write_bytes(content)
    assert validate_dataset(whole).passed


def test_a_missing_file_is_named(copied):
    for path in sorted(path for path in (copied / "sequences").rglob("*") if path.is_file()):
        path.unlink()
        assert path.relative_to(copied).as_posix() in problem_paths(validate_dataset(copied))


def test_a_folder_that_is_no_data_set_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match=r"dataset\.json"):
        validate_dataset(tmp_path)


def test_splits_that_are_missing_or_do_not_cover_the_places_are_found(copied):
    splits = read_splits(copied)
    write_splits(copied, {place: split for place, split in splits.items() if place != "flat-1"})
    report = validate_dataset(copied)
    assert any("flat-1" in finding.problem for finding in report.findings)
    write_splits(copied, dict.fromkeys(splits, "train"))
    assert any("test, val" in finding.problem for finding in validate_dataset(copied).findings)
    (copied / "splits.json").unlink()
    assert "splits.json" in problem_paths(validate_dataset(copied))


def test_foreign_files_are_found_and_leftovers_are_only_noted(copied):
    (copied / ".incoming" / "walk-9-77").mkdir(parents=True)
    report = validate_dataset(copied)
    assert report.passed
    assert [note.path for note in report.notes] == [".incoming"]
    (copied / "sequences" / "zz").mkdir()
    (copied / "sequences" / "zz" / "walk-0-0").mkdir()
    (copied / "notes.txt").write_text("x")
    assert problem_paths(validate_dataset(copied)) == {"notes.txt", "sequences/zz/walk-0-0"}


def test_a_missing_sequence_is_noted_and_an_empty_data_set_fails(copied):
    for name in list_sequence_ids(copied):
        shutil.rmtree(sequence_folder(copied, name))
        report = validate_dataset(copied)
        assert any("sequences are there" in note.problem for note in report.notes)
    assert not report.passed


def test_stored_scores_are_not_trusted(copied):
    sequence = read_sequence(copied, "walk-0-0")
    stated = sequence.annotations.relations
    false = msgspec.structs.replace(stated[0], subject_id=8)
    annotations = msgspec.structs.replace(sequence.annotations, relations=(false, *stated[1:]))
    shutil.rmtree(sequence_folder(copied, "walk-0-0"))
    perfect = QualityReport("walk-0-0", {"geometric_consistency": 1.0})
    write_sequence(copied, dataclasses.replace(sequence, annotations=annotations), perfect)
    report = validate_dataset(copied)
    assert report.findings == ()
    assert not report.passed
    assert [item.sequence_id for item in report.sequences if not item.accepted] == ["walk-0-0"]


def test_the_table_names_verdict_and_problems(copied):
    (copied / "notes.txt").write_text("x")
    console = Console(width=200, force_terminal=False)
    with console.capture() as captured:
        console.print(render_table(validate_dataset(copied)))
    # The title wraps at the table's width.
    assert "falls short, 3 of 3 sequences accepted" in " ".join(captured.get().split())
    assert "notes.txt" in captured.get()
