"""Sequences that were given up: one small file each, so that a resumed run leaves them alone."""

from pathlib import Path
from typing import Literal

import msgspec

from backsight import __version__
from backsight.records.errors import DataError
from backsight.storage.layout import FAILED_FOLDER, SEQUENCE_ID_PATTERN, check_sequence_id
from backsight.storage.sealed_json import read_sealed, write_sealed


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a sequence was given up."""

    sequence_id: str
    outcome: Literal["poisoned", "given up"]
    """Its workers were lost, or every attempt was rejected."""
    reason: str
    """The last error or rejection."""
    backsight_version: str = __version__
    """Another version of the program tries again."""


def record_failure(root: Path, failure: Failure) -> None:
    """Write down that a sequence was given up, in one step.

    Args:
        root: Folder of the data set.
        failure: Of one sequence.
    """
    folder = root / FAILED_FOLDER
    folder.mkdir(exist_ok=True)
    write_sealed(folder / f"{check_sequence_id(failure.sequence_id)}.json", msgspec.to_builtins(failure))


def read_failures(root: Path) -> dict[str, Failure]:
    """Return the sequences that this version of the program has given up, by id.

    A file that a crash has left unreadable counts as none: its sequence is tried again.

    Args:
        root: Folder of the data set.
    """
    found = {}
    for path in sorted((root / FAILED_FOLDER).glob("*.json")):
        if SEQUENCE_ID_PATTERN.fullmatch(path.stem) is None:
            continue
        try:
            failure = msgspec.convert(read_sealed(path), Failure)
        except (DataError, msgspec.ValidationError):
            continue
        if failure.sequence_id == path.stem and failure.backsight_version == __version__:
            found[path.stem] = failure
    return found


def forget_failures(root: Path, sequence_ids: set[str]) -> None:
    """Let sequences be tried again.

    Args:
        root: Folder of the data set.
        sequence_ids: Allowed ids, whether they were given up or not.
    """
    folder = root / FAILED_FOLDER
    for sequence_id in sorted(sequence_ids) if folder.is_dir() else ():
        (folder / f"{sequence_id}.json").unlink(missing_ok=True)
