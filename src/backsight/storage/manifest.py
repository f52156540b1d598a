"""The list of a sequence's files with their sizes and hashes."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from backsight.records.errors import DataError
from backsight.records.quality import Finding
from backsight.records.sequence import FORMAT_VERSION
from backsight.storage.layout import (
    CONTENT_FILES,
    IMAGINED_FILES,
    MANIFEST_FILE,
    MAX_IMAGE_FILE_BYTES,
    MAX_SMALL_JSON_BYTES,
    path_in_dataset,
)
from backsight.storage.sealed_json import read_sealed, sealed_bytes

_CHUNK_BYTES = 1024 * 1024


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file as it was written."""

    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All files of a sequence."""

    format_version: int
    sequence_id: str
    files: dict[str, FileEntry]


def file_entry(data: bytes) -> FileEntry:
    """Return what a manifest says of a file.

    Args:
        data: The file's bytes.
    """
    return FileEntry(len(data), hashlib.sha256(data).hexdigest())


def manifest_bytes(sequence_id: str, files: dict[str, FileEntry]) -> bytes:
    """Return the bytes of manifest.json, which carries its own hash.

    Args:
        sequence_id: The sequence.
        files: Entry of every file but the manifest.
    """
    return sealed_bytes(msgspec.to_builtins(Manifest(FORMAT_VERSION, sequence_id, files)))


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a committed sequence.

    Args:
        folder: Folder of the sequence; its name is the sequence id.

    Raises:
        DataError: It is missing, changed, of another format version or of another sequence.
    """
    path = folder / MANIFEST_FILE
    content: dict[str, Any] = read_sealed(path, "collect the sequence again", MAX_SMALL_JSON_BYTES)
    version = content.get("format_version")
    if version != FORMAT_VERSION:
        raise DataError(path, "format_version", f"is {version}, this program reads {FORMAT_VERSION}")
    try:
        manifest = msgspec.convert(content, Manifest)
    except msgspec.ValidationError as error:
        raise DataError(path, "manifest", str(error)) from error
    if manifest.sequence_id != folder.name:
        raise DataError(path, "sequence_id", f"is {manifest.sequence_id!r}, the folder is {folder.name!r}")
    if set(manifest.files) - set(IMAGINED_FILES) != set(CONTENT_FILES) or len(
        set(manifest.files) & set(IMAGINED_FILES)
    ) not in (0, len(IMAGINED_FILES)):
        raise DataError(path, "files", f"lists {sorted(manifest.files)}, expected {sorted(CONTENT_FILES)}")
    return manifest


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _file_finding(path: Path, name: str, entry: FileEntry) -> Finding | None:
    file = path / name
    reported = path_in_dataset(path.name, name)
    if file.is_symlink() or not file.is_file():
        return Finding(reported, "file", "is missing")
    size_bytes = file.stat().st_size
    if size_bytes != entry.size_bytes or size_bytes > MAX_IMAGE_FILE_BYTES:
        return Finding(reported, "size", f"{size_bytes} bytes, the manifest says {entry.size_bytes}")
    if _hash_file(file) != entry.sha256:
        return Finding(reported, "sha256", "the content was changed after it was written")
    return None


def verify_manifest(folder: Path) -> list[Finding]:
    """Return everything in which a sequence's folder differs from its manifest; empty when whole.

    Args:
        folder: Folder of a committed sequence.
    """
    try:
        manifest = read_manifest(folder)
    except DataError as error:
        missing = [name for name in CONTENT_FILES if not (folder / name).is_file()]
        return [
            Finding(path_in_dataset(folder.name, MANIFEST_FILE), error.field, error.problem),
            *(Finding(path_in_dataset(folder.name, name), "file", "is missing") for name in missing),
        ]
    findings = [
        finding
        for name, entry in sorted(manifest.files.items())
        if (finding := _file_finding(folder, name, entry)) is not None
    ]
    unexpected = sorted({file.name for file in folder.iterdir()} - set(manifest.files) - {MANIFEST_FILE})
    findings += [
        Finding(path_in_dataset(folder.name, name), "file", "is not listed in manifest.json") for name in unexpected
    ]
    return findings
