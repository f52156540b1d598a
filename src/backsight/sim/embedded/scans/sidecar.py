"""The file beside a scene file in which people say what cannot be read from it."""

import difflib
import fnmatch
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from backsight.records.errors import DataError
from backsight.records.vocabulary import CATEGORIES, ROOM_TYPES, UNNAMED_ROOM_TYPE

SIDECAR_SUFFIX = ".backsight.json"
MAX_SIDECAR_BYTES = 16 * 1024**2
UP_AXES = ("+x", "-x", "+y", "-y", "+z", "-z")
Lighting = Literal["lamps", "as it is"]


class SidecarRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One room."""

    bounds_m: tuple[float, float, float, float]
    """min x, min z, max x, max z on the floor, in the world frame: metres, +y up."""
    room_type: str = UNNAMED_ROOM_TYPE
    floor_m: float = 0.0
    """Height of its floor: that of the storey it belongs to."""
    height_m: float | None = None
    """From floor to ceiling; that of its storey where it is not given."""


class Sidecar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that `<scene file>.backsight.json` may say; everything is optional."""

    up: str | None = None
    """Axis of the file that points upwards: +x, -x, +y, -y, +z or -z."""
    metres_per_unit: float | None = None
    """1 for metres, 0.01 for centimetres, 0.0254 for inches."""
    lighting: Lighting | None = None
    """'as it is' for colours that carry the light of a photograph, 'lamps' for bare ones."""
    labels: dict[str, str] = {}
    """Node name, or pattern with * and ?, to category; the first that fits counts. 'object' takes a label away."""
    rooms: tuple[SidecarRoom, ...] = ()
    floors_m: tuple[float, ...] = ()
    """Heights of the storeys' floors, rising, in the world frame."""

    def category_of(self, name: str) -> str | None:
        """Return the category that the labels give to a node's name, or None."""
        for pattern, category in self.labels.items():
            if fnmatch.fnmatchcase(name, pattern):
                return category
        return None


def sidecar_path(scene: Path) -> Path:
    """Return where the side-car of a scene file lies, whether there is one or not."""
    return scene.with_name(scene.name + SIDECAR_SUFFIX)


def read_sidecar(scene: Path) -> Sidecar:
    """Return what the side-car of a scene file says; one without any word where there is none.

    Args:
        scene: The scene file.

    Raises:
        DataError: It is no JSON, or holds a key or value that means nothing; names the nearest one that does.
    """
    path = sidecar_path(scene)
    if not path.is_file():
        return Sidecar()
    if path.stat().st_size > MAX_SIDECAR_BYTES:
        raise DataError(path, "size", f"{path.stat().st_size} bytes, at most {MAX_SIDECAR_BYTES} are read")
    try:
        content = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(path, "json", str(error), "docs/scans.md shows an example") from error
    try:
        sidecar = msgspec.convert(content, Sidecar)
    except msgspec.ValidationError as error:
        raise DataError(path, *_explained(str(error), content)) from error
    _check(path, sidecar)
    return sidecar


def _explained(message: str, content: Any) -> tuple[str, str, str]:
    """Return field, problem and advice of an error of msgspec."""
    unknown = re.search(r"unknown field `(.+?)`", message)
    if unknown is None:
        at = re.search(r" - at `\$\.?(.*)`", message)
        return (at[1] if at and at[1] else "content"), message.split(" - at")[0], "docs/scans.md lists the keys"
    in_room = "rooms" in message
    names = [field.name for field in msgspec.structs.fields(SidecarRoom if in_room else Sidecar)]
    return unknown[1], "unknown key", _nearest(unknown[1], names)


def _check(path: Path, sidecar: Sidecar) -> None:
    if sidecar.up is not None and sidecar.up not in UP_AXES:
        raise DataError(path, "up", f"{sidecar.up!r} is no axis", f"use one of {', '.join(UP_AXES)}")
    scale = sidecar.metres_per_unit
    if scale is not None and not 1e-6 <= scale <= 1e6:
        raise DataError(path, "metres_per_unit", f"is {scale:g}", "1 for metres, 0.01 for centimetres")
    for pattern, category in sidecar.labels.items():
        if category not in CATEGORIES:
            raise DataError(path, f"labels.{pattern}", f"no category {category!r}", _nearest(category, CATEGORIES))
    for index, room in enumerate(sidecar.rooms):
        if room.room_type not in ROOM_TYPES:
            problem = f"no room type {room.room_type!r}"
            raise DataError(path, f"rooms[{index}].room_type", problem, _nearest(room.room_type, ROOM_TYPES))
        low_x, low_z, high_x, high_z = room.bounds_m
        if not (low_x < high_x and low_z < high_z):
            raise DataError(path, f"rooms[{index}].bounds_m", "is empty", "write min x, min z, max x, max z")
        if room.height_m is not None and room.height_m <= 0:
            raise DataError(path, f"rooms[{index}].height_m", f"is {room.height_m:g}", "give a positive height")
    if list(sidecar.floors_m) != sorted(set(sidecar.floors_m)):
        raise DataError(path, "floors_m", "does not rise", "list the lowest floor first")


def _nearest(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
