"""Bytes of a scene file and of the files it names, never from outside its own folder."""

import base64
import binascii
from pathlib import Path
from urllib.parse import unquote, urlsplit

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.limits import ScanLimits


def read_scene_bytes(path: Path, limits: ScanLimits) -> bytes:
    """Return the bytes of a scene file.

    Args:
        path: The file.
        limits: Its largest size.

    Raises:
        DataError: It is missing, empty or too large.
    """
    if not path.is_file():
        raise DataError(path, "file", "is missing", "check the path")
    size = path.stat().st_size
    if size == 0:
        raise DataError(path, "file", "is empty", "copy or export it again")
    if size > limits.max_file_bytes:
        raise DataError(path, "size", f"{size} bytes, at most {limits.max_file_bytes} are read", "split or simplify it")
    return path.read_bytes()


class SideFiles:
    """Files that a scene file names.

    Args:
        scene: The scene file; only its folder and folders inside that are read.
        limits: Largest size of all of them together.
    """

    def __init__(self, scene: Path, limits: ScanLimits) -> None:
        self._scene = scene
        self._left_bytes = limits.max_file_bytes
        self._limit_bytes = limits.max_file_bytes
        self.names: list[str] = []
        """Files that were read, relative to the folder, in order."""

    def read(self, uri: str, field: str) -> bytes:
        """Return the bytes that a URI stands for.

        Args:
            uri: A relative path, or base64 data.
            field: Where the scene file says so.

        Raises:
            DataError: It leads out of the folder or to the network, is missing, too large, or no base64.
        """
        data = self._inline(uri, field) if uri[:5].lower() == "data:" else self._file(uri, field)
        self._left_bytes -= len(data)
        return data

    def _inline(self, uri: str, field: str) -> bytes:
        head, _, payload = uri.partition(",")
        if not head.lower().endswith(";base64"):
            raise DataError(self._scene, field, "holds data that is not base64", "export the file again")
        self._check_size(len(payload) * 3 // 4, field)
        try:
            return base64.b64decode(payload, validate=True)
        except binascii.Error as error:
            raise DataError(self._scene, field, f"holds broken base64: {error}", "export the file again") from error

    def _file(self, uri: str, field: str) -> bytes:
        if len(uri) > 4096 or "\0" in uri:
            raise DataError(self._scene, field, "names no possible file", "export the file again")
        # A drive letter is no scheme: 'C:\\x.png' must fail as an absolute path.
        if urlsplit(uri).scheme not in ("", *"abcdefghijklmnopqrstuvwxyz"):
            raise DataError(self._scene, field, f"{uri!r} is on a network", "put the file beside the scene")
        name = unquote(uri).replace("\\", "/").strip()
        folder = self._scene.parent.resolve()
        path = (folder / name).resolve()
        if name.startswith("/") or ":" in name.split("/")[0] or not path.is_relative_to(folder):
            advice = "only files in the folder of the scene are read; copy it there"
            raise DataError(self._scene, field, f"{uri!r} leads out of the folder", advice)
        if not path.is_file():
            raise DataError(self._scene, field, f"{uri!r} is missing", "put the file beside the scene")
        self._check_size(path.stat().st_size, field)
        self.names.append(path.relative_to(folder).as_posix())
        return path.read_bytes()

    def _check_size(self, size: int, field: str) -> None:
        if size > self._left_bytes:
            problem = f"side files hold more than {self._limit_bytes} bytes"
            raise DataError(self._scene, field, problem, "split or simplify the scene")
