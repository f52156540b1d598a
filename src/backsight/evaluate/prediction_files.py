"""Predictions as files: what `predict` writes and `score` reads, open to any other system.

A folder holds the predictions of ONE predictor:

    index.json                      {"format_version": 1, "entries": [one for each file: file, info, answers]}
    <sequence id>_<frame>.npz       one current view each (numpy's compressed npz)

`info` is a `records.prediction.PredictionInfo`: predictor, sequence_id, place_id, current_frame, geometry
('estimated': from RGB alone, or 'given': depth and poses were fed), instruction_ids, checkpoint, attention_backend.
`answers` holds what is said in words, one text for each of the instruction_ids; it may be left out.
Arrays of each npz (all little-endian; H frames of history, K keyframes, I instructions, maps of h x w cells):

    history_frames      int64   (H,)          all frame indices that the evaluation asks for, rising
    footprint           float32 (H, h, w)     probability that the surface in the cell was also seen in history frame k
    footprint_presence  float32 (H,)          probability that history frame k shares anything with the current view
    bearing             float32 (H, 3)        unit vector to history frame k's camera: x right, y down, z forward
    distance_m          float32 (H,)          its distance in metres
    keyframes           int64   (K,)          frame indices, rising; the last one is current_frame
    target              float32 (I, K, h, w)  probability that the cell of keyframe v shows the instructed target
    target_presence     float32 (I, K)        probability that keyframe v shows the target at all

A predictor leaves out what it does not predict: no footprints = H is 0; no target maps = I is 0 and instruction_ids
is empty; no bearing = every vector is (0, 0, 0) and every distance 0. Rows of what it leaves out are then absent
from the tables.
"""

import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from backsight.records.errors import DataError
from backsight.records.prediction import Prediction, PredictionInfo

PREDICTION_FORMAT_VERSION = 1
INDEX_NAME = "index.json"

_ARRAYS: dict[str, tuple[type[np.generic], int]] = {
    "history_frames": (np.int64, 1),
    "footprint": (np.float32, 3),
    "footprint_presence": (np.float32, 1),
    "bearing": (np.float32, 2),
    "distance_m": (np.float32, 1),
    "keyframes": (np.int64, 1),
    "target": (np.float32, 4),
    "target_presence": (np.float32, 2),
}
_PROBABILITIES = ("footprint", "footprint_presence", "target", "target_presence")


class IndexEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a prediction folder."""

    file: str
    info: PredictionInfo
    answers: tuple[str, ...] = ()


class PredictionIndex(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Table of contents of a prediction folder."""

    format_version: int
    entries: tuple[IndexEntry, ...]


class PredictionWriter:
    """Writes the predictions of one predictor to a folder; the index comes last, on closing.

    Earlier predictions in the folder are replaced. Leaving the `with` block by an error writes no index, so that half
    a set of predictions is never mistaken for a whole one.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / INDEX_NAME).unlink(missing_ok=True)
        for stale in folder.glob("*.npz"):
            stale.unlink()
        self.folder = folder
        self._entries: list[IndexEntry] = []

    def add(self, prediction: Prediction) -> None:
        """Check and write one prediction.

        Raises:
            DataError: the prediction has a wrong shape, range or number.
        """
        path = self.folder / f"{prediction.info.sequence_id}_{prediction.info.current_frame:05d}.npz"
        check_prediction(prediction, path)
        np.savez_compressed(path, allow_pickle=False, **{name: getattr(prediction, name) for name in _ARRAYS})
        self._entries.append(IndexEntry(path.name, prediction.info, prediction.answers))

    def close(self) -> None:
        """Write the index."""
        index = PredictionIndex(PREDICTION_FORMAT_VERSION, tuple(self._entries))
        incoming = self.folder / f".{INDEX_NAME}"
        incoming.write_bytes(msgspec.json.format(msgspec.json.encode(index), indent=1) + b"\n")
        os.replace(incoming, self.folder / INDEX_NAME)

    def __enter__(self) -> "PredictionWriter":
        return self

    def __exit__(self, error_type: type[BaseException] | None, error: object, trace: object) -> None:
        if error_type is None:
            self.close()


def write_predictions(folder: Path, predictions: Iterable[Prediction]) -> None:
    """Write the predictions of one predictor to `folder`, consuming them one at a time.

    Raises:
        DataError: a prediction has a wrong shape, range or number.
    """
    with PredictionWriter(folder) as writer:
        for prediction in predictions:
            writer.add(prediction)


def read_index(folder: Path) -> list[IndexEntry]:
    """Return what a prediction folder holds.

    Raises:
        DataError: the index is missing or damaged, of another version, or mixes predictors.
    """
    path = folder / INDEX_NAME
    if not path.is_file():
        raise DataError(path, "file", "is missing", "run predict again, or give the folder that holds index.json")
    try:
        index = msgspec.json.decode(path.read_bytes(), type=PredictionIndex)
    except msgspec.DecodeError as error:
        raise DataError(path, "entries", f"cannot be read: {error}") from error
    if index.format_version != PREDICTION_FORMAT_VERSION:
        raise DataError(path, "format_version", f"is {index.format_version}, not {PREDICTION_FORMAT_VERSION}")
    if len({entry.info.predictor for entry in index.entries}) > 1:
        raise DataError(path, "predictor", "a folder holds the predictions of one predictor", "use one folder each")
    keys = [(entry.info.sequence_id, entry.info.current_frame) for entry in index.entries]
    if len(set(keys)) != len(keys):
        raise DataError(path, "entries", "the same current view appears twice")
    return list(index.entries)


def read_prediction(folder: Path, entry: IndexEntry) -> Prediction:
    """Return one prediction, checked.

    Raises:
        DataError: the file is missing or damaged, or an array has a wrong shape, range or number.
    """
    path = folder / entry.file
    if Path(entry.file).name != entry.file:
        raise DataError(folder / INDEX_NAME, "file", f"'{entry.file}' is not a plain file name")
    if not path.is_file():
        raise DataError(path, "file", "is missing", "run predict again")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in _ARRAYS if name in archive.files}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise DataError(path, "file", f"is damaged: {error}", "run predict again") from error
    for name, (kind, num_axes) in _ARRAYS.items():
        if name not in arrays:
            raise DataError(path, name, "is missing")
        if arrays[name].dtype != kind or arrays[name].ndim != num_axes:
            found = f"{arrays[name].dtype} with {arrays[name].ndim} axes"
            raise DataError(path, name, f"is {found}, not {np.dtype(kind)} with {num_axes}")
    _check_shapes(arrays, entry.info, path)
    prediction = Prediction(info=entry.info, answers=entry.answers, **arrays)
    check_prediction(prediction, path)
    return prediction


def read_predictions(folder: Path) -> Iterator[Prediction]:
    """Yield every prediction of a folder, in the order of its index."""
    for entry in read_index(folder):
        yield read_prediction(folder, entry)


def check_prediction(prediction: Prediction, path: Path) -> None:
    """Check shapes, ranges and finiteness.

    Args:
        prediction: to check.
        path: named in the message.

    Raises:
        DataError: names the file and the array that is wrong.
    """
    arrays = {name: getattr(prediction, name) for name in _ARRAYS}
    _check_shapes(arrays, prediction.info, path)
    asked, told = len(prediction.info.instruction_ids), len(prediction.answers)
    if told not in (0, asked):
        raise DataError(path, "answers", f"holds {told} texts for {asked} instructions", "one for each, or none")
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise DataError(path, name, "holds a number that is not finite")
    for name in _PROBABILITIES:
        if ((arrays[name] < 0.0) | (arrays[name] > 1.0)).any():
            raise DataError(path, name, "holds a value outside [0, 1]", "write probabilities, not logits")
    lengths = np.linalg.norm(arrays["bearing"], axis=-1)
    if not (np.allclose(lengths, 1.0, atol=1e-3) or (lengths == 0.0).all()):
        raise DataError(path, "bearing", "is not of unit length", "all zeros when there is no bearing")
    if (arrays["distance_m"] < 0.0).any():
        raise DataError(path, "distance_m", "is negative")
    current = prediction.info.current_frame
    for name, last in (("history_frames", current - 1), ("keyframes", current)):
        frames = arrays[name]
        if len(frames) and (frames[0] < 0 or frames[-1] > last or (np.diff(frames) <= 0).any()):
            raise DataError(path, name, f"does not rise within 0 to {last}")
    if not len(arrays["keyframes"]) or arrays["keyframes"][-1] != current:
        raise DataError(path, "keyframes", f"does not end with the current frame {current}")


def _check_shapes(arrays: dict[str, np.ndarray], info: PredictionInfo, path: Path) -> None:
    history, keyframes = len(arrays["history_frames"]), len(arrays["keyframes"])
    instructions, cells = len(info.instruction_ids), arrays["footprint"].shape[1:]
    expected = {
        "footprint": (history, *cells),
        "footprint_presence": (history,),
        "bearing": (history, 3),
        "distance_m": (history,),
        "target": (instructions, keyframes, *cells),
        "target_presence": (instructions, keyframes),
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise DataError(path, name, f"has shape {arrays[name].shape}, not {shape}")
