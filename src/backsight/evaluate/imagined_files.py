"""What is said about imagined views, as files: one folder, one npz for each current view that has any."""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from backsight.records.errors import DataError

IMAGINED_FOLDER = "imagined"
"""Beside the predictions of an evaluation."""


@dataclass(frozen=True)
class ImaginedPrediction:
    """Of one current view: probabilities for every instruction and imagined view, in the order of the annotations."""

    keyframes: Int64[np.ndarray, " keyframes"]
    """Frame indices that the predictor looked at, rising; the last one is the current frame."""
    target: Float32[np.ndarray, "instructions imagined height width"]
    presence: Float32[np.ndarray, "instructions imagined"]
    current_target: Float32[np.ndarray, "instructions height width"]
    """What the same pass says of the current view: turned by the pose alone it is what must be beaten."""


_AXES = {"keyframes": 1, "target": 4, "presence": 2, "current_target": 3}


def prediction_path(folder: Path, sequence_id: str, current_frame: int) -> Path:
    """Return the file of one current view.

    Args:
        folder: of the predictions.
        sequence_id: of the walk.
        current_frame: index of the frame.
    """
    return folder / f"{sequence_id}_{current_frame:05d}.npz"


def write_imagined(path: Path, prediction: ImaginedPrediction) -> None:
    """Write one prediction; a kill leaves it whole or absent.

    Args:
        path: of `prediction_path`.
        prediction: to be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    incoming = path.with_suffix(".part")
    with incoming.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **{name: getattr(prediction, name) for name in _AXES})
    os.replace(incoming, path)


def read_imagined(path: Path) -> ImaginedPrediction:
    """Return one prediction, checked.

    Args:
        path: of `prediction_path`.

    Raises:
        DataError: the file is missing or damaged, or holds something else.
    """
    if not path.is_file():
        raise DataError(path, "file", "is missing", "run evaluate again")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise DataError(path, "file", f"is damaged: {error}", "run evaluate again") from error
    for name, axes in _AXES.items():
        if name not in arrays or arrays[name].ndim != axes or not np.isfinite(arrays[name]).all():
            raise DataError(path, name, f"is missing, not finite, or has other than {axes} axes")
    return ImaginedPrediction(**{name: arrays[name] for name in _AXES})
