"""JSON files that carry their own hash: one flipped byte anywhere in the file is found."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from backsight.records.errors import DataError, EnvironmentProblem
from backsight.storage.layout import MAX_JSON_BYTES

SEAL_FIELD = "sha256"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@contextmanager
def writing_to(root: Path) -> Iterator[None]:
    """Turn an error of the system that says there is no room left into one that says what to do.

    Args:
        root: Folder that is written to.

    Raises:
        EnvironmentProblem: The disk is full, the quota is used up, or the file system is read-only.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            advice = "make room or choose another folder with --out, then run the same command again"
            raise EnvironmentProblem(f"{root}: {os.strerror(error.errno)}; {advice}") from error
        raise


def sealed_bytes(content: dict[str, Any]) -> bytes:
    """Return the file's bytes: indented JSON with sorted keys and the hash of its canonical form.

    Args:
        content: Everything but the hash.
    """
    canonical = msgspec.json.encode(content, order="sorted")
    sealed = content | {SEAL_FIELD: hashlib.sha256(canonical).hexdigest()}
    return msgspec.json.format(msgspec.json.encode(sealed, order="sorted"), indent=2) + b"\n"


def write_durably(path: Path, data: bytes) -> None:
    """Write a file and wait until the disk has it.

    Args:
        path: Replaced when it exists.
        data: Its bytes.
    """
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the folder's list of names.

    Args:
        folder: An existing folder.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_sealed(path: Path, content: dict[str, Any]) -> None:
    """Write a sealed file in one step: readers see the old file or the new one.

    Args:
        path: Replaced when it exists.
        content: Everything but the hash.

    Raises:
        EnvironmentProblem: There is no room; the old file stays.
    """
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    with writing_to(path.parent):
        try:
            write_durably(temporary, sealed_bytes(content))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)


def read_bounded(path: Path, limit_bytes: int, advice: str = "") -> bytes:
    """Return a file's bytes, refusing anything larger than it can be.

    Args:
        path: The file.
        limit_bytes: Largest size that is read.
        advice: What to do when it is missing.

    Raises:
        DataError: It is missing, not a plain file or too large.
    """
    if path.is_symlink() or not path.is_file():
        raise DataError(path, "file", "is missing", advice)
    with path.open("rb") as file:
        # One byte more than allowed: the size that the file system tells may change meanwhile.
        size_bytes = os.fstat(file.fileno()).st_size
        data = b"" if size_bytes > limit_bytes else file.read(limit_bytes + 1)
    if max(size_bytes, len(data)) > limit_bytes:
        raise DataError(path, "size", f"{size_bytes} bytes, at most {limit_bytes} are read")
    return data


def read_sealed(path: Path, advice: str = "", limit_bytes: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """Return the content of a sealed file without its hash.

    Args:
        path: The file.
        advice: What to do when it is missing.
        limit_bytes: Largest size that is read.

    Raises:
        DataError: It is missing, no JSON object, or its bytes are not those that were written.
    """
    data = read_bounded(path, limit_bytes, advice)
    try:
        content = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(path, "json", str(error), "restore it from a copy") from error
    if SEAL_FIELD not in content:
        raise DataError(path, SEAL_FIELD, "is missing", "restore it from a copy")
    content.pop(SEAL_FIELD)
    try:
        # Comparing bytes, not values, also finds changes that JSON does not mind, such as white space.
        whole = sealed_bytes(content) == data
    except (OverflowError, UnicodeEncodeError, RecursionError):
        # It holds what this program can't have written.
        whole = False
    if not whole:
        raise DataError(path, SEAL_FIELD, "the content was changed after it was written", "restore it from a copy")
    return content
