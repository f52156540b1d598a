"""A folder of scene files as a set of scenes."""

import hashlib
import re
import struct
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from backsight.records.errors import DataError, UsageError
from backsight.sim.embedded.scans.reading import SUFFIXES
from backsight.sim.embedded.scans.sidecar import sidecar_path

SCENE_FILE_FIELD = "scene file"
"""Field of the error that says that a scene file is not there."""
MAX_SCENES = 100_000
_PIECE_BYTES = 1 << 20
_ALLOWED = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_LONGEST_ID = 96


def list_scans(folder: Path) -> list[str]:
    """Return the ids of all scene files in a folder and the folders in it, sorted: paths with '/' and suffix.

    Hidden files and folders are left out.

    Args:
        folder: Of the scene set.

    Raises:
        UsageError: There is no such folder, no scene in it, or far too many.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of scenes; check --scene-dir")
    found = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in name.parts) and path.is_file():
            found.append(name.as_posix())
            if len(found) > MAX_SCENES:
                raise UsageError(f"{folder}: more than {MAX_SCENES} scenes; choose a smaller folder")
    if not found:
        raise UsageError(f"{folder}: holds no scene; scenes are files with {', '.join(SUFFIXES)}")
    return sorted(found)


def scan_path(folder: Path, scene_id: str) -> Path:
    """Return the file of a scene.

    Args:
        folder: Of the scene set.
        scene_id: As `list_scans` returns them.

    Raises:
        UsageError: The id leads out of the folder.
        DataError: There is no such file, or no longer.
    """
    name = PurePosixPath(scene_id)
    if name.is_absolute() or ".." in name.parts or "\\" in scene_id or name.suffix.lower() not in SUFFIXES:
        raise UsageError(f"scene {scene_id!r}: ids are paths inside the scene folder, such as 'kitchen.glb'")
    path = folder / name
    if not path.is_file():
        raise DataError(path, SCENE_FILE_FIELD, "does not exist", "put it back, or check --scene-dir")
    return path


def place_of_scan(scene_id: str) -> str:
    """Return the name of a scene's place: its id where that is an allowed name, else a legible one that is as unique.

    Args:
        scene_id: As `list_scans` returns them.
    """
    if _ALLOWED.fullmatch(scene_id) and len(scene_id) <= _LONGEST_ID:
        return scene_id
    legible = re.sub(r"[^A-Za-z0-9_.-]+", "_", scene_id).lstrip(".")[-(_LONGEST_ID - 14) :].lstrip(".")
    return f"{legible or 'scan'}-{hashlib.sha256(scene_id.encode()).hexdigest()[:12]}"


def scan_hash(path: Path) -> str:
    """Return the sha256 of a scene file, its side-car and the files that it names.

    Args:
        path: The scene file; parts that are missing count as empty, loading the scene tells of them.
    """
    digest = hashlib.sha256()
    for file in (path, sidecar_path(path), *_named_files(path)):
        digest.update(f"{file.name}\0".encode(errors="surrogateescape"))
        if file.is_file():
            with file.open("rb") as stream:
                while piece := stream.read(_PIECE_BYTES):
                    digest.update(piece)
        digest.update(b"\0")
    return digest.hexdigest()


def _named_files(path: Path) -> list[Path]:
    """Return the files inside the folder that a scene file names."""
    folder = path.parent.resolve()
    names = list(_gltf_names(path) if path.suffix.lower() in (".glb", ".gltf") else _text_names(path))
    files = [(folder / name) for name in names]
    materials = [file for file in files if file.suffix.lower() == ".mtl" and file.is_file()]
    files += [folder / name for file in materials for name in _text_names(file)]
    return sorted({file for file in files if file.resolve().is_relative_to(folder)})


def _gltf_names(path: Path) -> Iterator[str]:
    with path.open("rb") as stream:
        if path.suffix.lower() == ".glb":
            head = stream.read(20)
            text = stream.read(struct.unpack_from("<I", head, 12)[0]) if len(head) == 20 else b""
        else:
            text = stream.read()
    try:
        tree: Any = msgspec.json.decode(text.rstrip(b"\0 "))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    for kind in ("buffers", "images"):
        entries = tree.get(kind, []) if isinstance(tree, dict) else []
        for entry in entries if isinstance(entries, list) else []:
            uri = entry.get("uri") if isinstance(entry, dict) else None
            if isinstance(uri, str) and not uri.startswith("data:") and "\0" not in uri:
                yield uri


def _text_names(path: Path) -> Iterator[str]:
    """Yield what lines of OBJ, MTL and PLY files name."""
    pattern = re.compile(
        rb"^\s*(?:mtllib|map_Kd|comment\s+TextureFile)\s+(?:-\S+\s+[\d.eE+-]+\s+)*(.+?)\s*$", re.I | re.M
    )
    for match in pattern.finditer(path.read_bytes()):
        name = match[1].decode("utf-8", errors="replace")
        if "\0" not in name and len(name) < 4096:
            yield name
