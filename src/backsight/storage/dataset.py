"""The two files at a data set's root: what it is and how it is split."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from backsight.records.errors import DataError
from backsight.records.sequence import FORMAT_VERSION
from backsight.storage.layout import DATASET_FILE, MAX_SIDE_PX, SPLITS_FILE
from backsight.storage.sealed_json import read_sealed, write_sealed

SplitName = Literal["train", "val", "test"]
SPLIT_NAMES: tuple[SplitName, ...] = ("train", "val", "test")


class DatasetInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a data set came about; stored as dataset.json."""

    source: str
    """'collected', or the name of the importer."""
    seed: int
    num_sequences: int
    """Sequences that the plan asks for."""
    width: int
    """Of the stored images [px]."""
    height: int
    hfov_deg: float | None
    """None where cameras differ."""
    frame_rate_hz: float
    simulator: str
    simulator_version: str
    backsight_version: str
    plan: dict[str, Any] = {}
    """Everything in the configuration that the content depends on."""
    format_version: int = FORMAT_VERSION


def write_dataset_info(root: Path, info: DatasetInfo) -> None:
    """Write dataset.json in one step.

    Args:
        root: Folder of the data set; made when it does not exist.
        info: Its content.
    """
    root.mkdir(parents=True, exist_ok=True)
    write_sealed(root / DATASET_FILE, msgspec.to_builtins(info))


def read_dataset_info(root: Path) -> DatasetInfo:
    """Return dataset.json.

    Args:
        root: Folder of the data set.

    Raises:
        DataError: The folder is no data set, or the file was changed or has another format version.
    """
    path = root / DATASET_FILE
    content = read_sealed(path, "is this the folder of a data set?")
    _check_version(path, content)
    try:
        info = msgspec.convert(content, DatasetInfo)
    except msgspec.ValidationError as error:
        raise DataError(path, "content", str(error)) from error
    for field, side in (("width", info.width), ("height", info.height)):
        if not 2 <= side <= MAX_SIDE_PX:
            raise DataError(path, field, f"is {side}, expected 2 to {MAX_SIDE_PX}")
    return info


def write_splits(root: Path, splits: dict[str, SplitName]) -> None:
    """Write splits.json in one step.

    Args:
        root: Folder of the data set; made when it does not exist.
        splits: Place id to its split.
    """
    root.mkdir(parents=True, exist_ok=True)
    write_sealed(root / SPLITS_FILE, {"format_version": FORMAT_VERSION, "places": splits})


def read_splits(root: Path) -> dict[str, SplitName]:
    """Return place id to split.

    Args:
        root: Folder of the data set.

    Raises:
        DataError: The file is missing, was changed or has another format version.
    """
    path = root / SPLITS_FILE
    content = read_sealed(path, "collect or import the data set again; the split is made with it")
    _check_version(path, content)
    try:
        return msgspec.convert(content.get("places"), dict[str, SplitName])
    except msgspec.ValidationError as error:
        raise DataError(path, "places", str(error)) from error


def _check_version(path: Path, content: dict[str, Any]) -> None:
    version = content.get("format_version")
    if version != FORMAT_VERSION:
        raise DataError(path, "format_version", f"is {version}, this program reads {FORMAT_VERSION}")
