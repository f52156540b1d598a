"""The border to trimesh: bytes in, checked arrays out."""

import io
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Float, Float64, Integer
from trimesh.resolvers import Resolver

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.parts import PLAIN, WHITE, Look, ScanPart

FARTHEST = 1e12
"""Largest coordinate and scale that is believed, in units of the file."""
_BROKEN = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    OverflowError,
    UnicodeDecodeError,
    struct.error,
    DeprecationWarning,
)
"""What trimesh and numpy raise on files that are not what they say."""


@dataclass(frozen=True)
class VertexExtras:
    """What vertices carry besides their position."""

    uv: Float[np.ndarray, "vertices 2"] | None = None
    """v points down the image."""
    normals: Float[np.ndarray, "vertices 3"] | None = None
    colours: Float[np.ndarray, "vertices 3"] | None = None
    """sRGB in [0, 1]."""


class _Memory(Resolver):
    """Side files that have been read already; trimesh itself never opens a file."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def get(self, key: str) -> bytes:
        return self._files[key]

    def write(self, name: str, data: bytes) -> None:
        raise NotImplementedError("scene files are only read")

    def namespaced(self, namespace: str) -> "_Memory":
        return self

    def keys(self) -> list[str]:
        return list(self._files)


def load_with_trimesh(path: Path, data: bytes, file_type: str, files: Mapping[str, bytes]) -> trimesh.Scene:
    """Return what trimesh makes of a file.

    Args:
        path: Named in errors.
        data: Content of the file.
        file_type: 'gltf', 'obj' or 'ply'.
        files: Side files by the names that the content uses.

    Raises:
        DataError: trimesh cannot read it.
    """
    stream, resolver = io.BytesIO(data), _Memory(files)
    try:
        with warnings.catch_warnings():
            # numpy stops at words that are no numbers and only warns.
            # Numbers that cannot be are found afterwards.
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.filterwarnings("error", message="string or file could not be read to its end")
            if file_type == "obj":
                return trimesh.load_scene(stream, file_type="obj", resolver=resolver, process=False, split_objects=True)
            return trimesh.load_scene(stream, file_type=file_type, resolver=resolver, process=False)
    except _BROKEN as error:
        problem = f"is damaged: {type(error).__name__}: {error}"
        raise DataError(path, "content", problem, "export it again") from error


def make_part(
    path: Path,
    nodes: tuple[tuple[int, str], ...],
    mesh: tuple[Float64[np.ndarray, "vertices 3"], Integer[np.ndarray, "faces 3"]],
    transform: Float64[np.ndarray, "4 4"],
    look: Look,
    extras: VertexExtras,
) -> ScanPart:
    """Return a mesh as a part, with what its vertices carry spread to the corners of the faces.

    Args:
        path: Named in errors.
        nodes: Number and name of the nodes from the root on.
        mesh: Vertices and faces in the mesh's own axes.
        transform: To the axes of the file.
        look: Of all faces.
        extras: Of the vertices.

    Raises:
        DataError: An index or a number that cannot be.
    """
    vertices, faces = np.asarray(mesh[0], dtype=np.float64), np.asarray(mesh[1], dtype=np.int64)
    number, name = nodes[-1]
    label = name or f"node {number}"
    if faces.size and not 0 <= faces.min() <= faces.max() < len(vertices):
        problem = f"face indices {faces.min()} to {faces.max()} for {len(vertices)} vertices"
        raise DataError(path, label, problem, "the file is damaged; export it again")
    possible = (np.abs(vertices) <= FARTHEST).all(axis=1)
    if not possible.all():
        problem = f"{int((~possible).sum())} of {len(vertices)} vertices are not finite numbers, or beyond {FARTHEST:g}"
        raise DataError(path, label, problem, "repair the mesh and export it again")
    if not (np.abs(transform) <= FARTHEST).all():
        raise DataError(path, label, f"is placed beyond {FARTHEST:g}", "repair the scene and export it again")
    vertices = vertices @ transform[:3, :3].T + transform[:3, 3]
    if np.linalg.det(transform[:3, :3]) < 0.0:
        # A mirror turns the faces inside out.
        faces = faces[:, ::-1]
    uv, normals, colours = extras.uv, extras.normals, extras.colours
    if look is PLAIN and colours is not None:
        look = WHITE
    if normals is not None:
        inverse = np.linalg.pinv(transform[:3, :3])
        normals = np.asarray(normals, dtype=np.float64) @ inverse
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        usable = bool(np.isfinite(length).all() and (length > 1e-12).all())
        normals = normals / length if usable else None
    if uv is not None and not np.isfinite(uv).all():
        raise DataError(path, label, "texture coordinates are not finite numbers", "repair the mesh")
    return ScanPart(
        nodes=nodes,
        vertices=vertices,
        faces=faces,
        look=look,
        face_uv=None if uv is None else np.asarray(uv, dtype=np.float32)[faces],
        face_normals=None if normals is None else normals.astype(np.float32)[faces],
        face_colours=None
        if colours is None
        else np.round(255.0 * np.clip(np.nan_to_num(np.asarray(colours)), 0.0, 1.0)).astype(np.uint8)[faces],
    )
