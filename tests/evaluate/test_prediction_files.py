from dataclasses import replace

import numpy as np
import pytest

from backsight.evaluate.baselines.constant_maps import uniform_prediction
from backsight.evaluate.baselines.oracle import oracle_prediction
from backsight.evaluate.prediction_files import (
    INDEX_NAME,
    PredictionWriter,
    read_index,
    read_predictions,
    write_predictions,
)
from backsight.records.errors import DataError

ARRAYS = ["history_frames", "footprint", "footprint_presence", "bearing", "distance_m", "keyframes"]
ARRAYS += ["target", "target_presence"]


def test_what_is_written_is_read_back(all_questions, tmp_path):
    written = [oracle_prediction(question) for question in all_questions]
    write_predictions(tmp_path / "oracle", written)
    read = list(read_predictions(tmp_path / "oracle"))
    assert [p.info for p in read] == [p.info for p in written]
    for one, other in zip(written, read, strict=True):
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_an_interrupted_run_leaves_no_index(all_questions, tmp_path):
    def interrupted():
        with PredictionWriter(tmp_path) as writer:
            writer.add(uniform_prediction(all_questions[0]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises(DataError, match=INDEX_NAME):
        read_index(tmp_path)


@pytest.mark.parametrize(
    ("field", "damage"),
    [
        ("footprint", lambda a: np.full_like(a, 1.5)),
        ("footprint_presence", lambda a: np.full_like(a, np.nan)),
        ("target_presence", lambda a: a - 1.0),
        ("bearing", lambda a: a * 2.0),
        ("distance_m", lambda a: a - 100.0),
        ("history_frames", lambda a: a[::-1]),
        ("keyframes", lambda a: a - 1),
    ],
)
def test_a_wrong_array_is_refused_by_name(all_questions, tmp_path, field, damage):
    prediction = oracle_prediction(all_questions[0])
    with pytest.raises(DataError) as caught:
        write_predictions(tmp_path, [replace(prediction, **{field: damage(getattr(prediction, field))})])
    assert caught.value.field == field
    assert "walk-0" in str(caught.value)


def test_a_damaged_file_is_named(all_questions, tmp_path):
    write_predictions(tmp_path, [uniform_prediction(all_questions[0])])
    (path,) = tmp_path.glob("*.npz")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=path.name):
        list(read_predictions(tmp_path))
    path.unlink()
    with pytest.raises(DataError, match="is missing"):
        list(read_predictions(tmp_path))


@pytest.mark.parametrize(
    ("field", "change", "problem"),
    [
        ("bearing", None, "is missing"),
        ("footprint_presence", lambda a: a[:-1], "has shape"),
        ("target", lambda a: a[..., :-1], "has shape"),
        ("footprint", lambda a: a.astype(np.float64), "is float64"),
        ("keyframes", lambda a: a[None], "with 2 axes"),
    ],
)
def test_a_file_of_another_system_is_checked_array_by_array(all_questions, tmp_path, field, change, problem):
    write_predictions(tmp_path, [uniform_prediction(all_questions[0])])
    (path,) = tmp_path.glob("*.npz")
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    values = arrays.pop(field)
    np.savez_compressed(path, **arrays, **({} if change is None else {field: change(values)}))
    with pytest.raises(DataError, match=f"{path.name}: {field}: .*{problem}"):
        list(read_predictions(tmp_path))
