"""Reading PLY files."""

import re
from functools import partial
from pathlib import Path

import numpy as np

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.geometries import VertexExtras, load_with_trimesh, make_part
from backsight.sim.embedded.scans.images import TextureReader
from backsight.sim.embedded.scans.limits import ScanLimits
from backsight.sim.embedded.scans.parts import PLAIN, Look, RawScan
from backsight.sim.embedded.scans.side_files import SideFiles, read_scene_bytes

_BYTES = {
    **dict.fromkeys(("char", "uchar", "int8", "uint8"), 1),
    **dict.fromkeys(("short", "ushort", "int16", "uint16"), 2),
    **dict.fromkeys(("int", "uint", "int32", "uint32", "float", "float32"), 4),
    **dict.fromkeys(("double", "float64"), 8),
}
_HEADER_END = b"end_header"
_COPY = "copy or export it again"


def read_ply(path: Path, limits: ScanLimits) -> RawScan:
    """Return the triangles of a PLY file; it is one mesh without names.

    Args:
        path: The file.
        limits: Bounds.

    Raises:
        DataError: It is damaged, too large or holds points only.
    """
    data = read_scene_bytes(path, limits)
    header, body = _split(path, data, limits)
    counts = _check(path, header, body, limits)
    picture = re.search(r"texturefile\s+(.+)", header, re.IGNORECASE)
    look, notes = PLAIN, []
    if picture is not None:
        textures, name = TextureReader(path, limits), picture[1].strip()
        texture = textures.read(name, "TextureFile", partial(SideFiles(path, limits).read, name, "TextureFile"))
        look, notes = Look((1.0, 1.0, 1.0), texture), textures.notes
    # trimesh looks for the picture itself; it has been read above.
    plain = re.sub(r"(?im)^comment.*\n", "", header).encode() + body
    loaded = load_with_trimesh(path, plain, "ply", {})
    meshes = [mesh for mesh in loaded.geometry.values() if hasattr(mesh, "faces")]
    faces = sum(len(mesh.faces) for mesh in meshes)
    if len(meshes) != 1 or faces < counts["face"]:
        problem = f"{faces} triangles come out of {counts['face']} faces"
        raise DataError(path, "face", problem, "triangulate the mesh and export it again")
    mesh = meshes[0]
    uv = getattr(mesh.visual, "uv", None)
    if uv is not None:
        uv = np.stack([uv[:, 0], 1.0 - uv[:, 1]], axis=1)
    colours = mesh.visual.vertex_colors[:, :3] / 255.0 if mesh.visual.kind in ("vertex", "face") else None
    normals = mesh.vertex_normals if re.search(r"property\s+\w+\s+nx\b", header) else None
    extras = VertexExtras(uv=uv, normals=normals, colours=colours)
    part = make_part(path, ((0, ""),), (mesh.vertices, mesh.faces), np.eye(4), look, extras)
    return RawScan(path, (part,), "+z", False, tuple(notes))


def _split(path: Path, data: bytes, limits: ScanLimits) -> tuple[str, bytes]:
    if not data.startswith(b"ply"):
        raise DataError(path, "header", f"is no PLY: it begins with {data[:4]!r}", _COPY)
    end = data.find(_HEADER_END, 0, limits.max_header_bytes)
    stop = data.find(b"\n", end) if end >= 0 else -1
    if stop < 0:
        raise DataError(path, "header", "does not end", _COPY)
    try:
        return data[: stop + 1].decode("utf-8").replace("\r\n", "\n"), data[stop + 1 :]
    except UnicodeDecodeError as error:
        raise DataError(path, "header", f"is no text: {error}", _COPY) from error


def _check(path: Path, header: str, body: bytes, limits: ScanLimits) -> dict[str, int]:
    """Return the number of each element; refuse counts that the file is too short for."""
    counts: dict[str, int] = {}
    least_bytes: dict[str, int] = {}
    element = ""
    for line in header.splitlines():
        words = line.split()
        if words[:1] == ["element"] and len(words) == 3 and words[2].isdigit():
            element = words[1]
            counts[element], least_bytes[element] = int(words[2]), 0
        elif words[:1] == ["property"]:
            is_list = len(words) == 5 and words[1] == "list"
            kinds = words[2:4] if is_list else words[1:2]
            if not element or not kinds or any(kind not in _BYTES for kind in kinds):
                raise DataError(path, "header", f"{line!r} is no property", _COPY)
            # A face has three indices at least.
            least_bytes[element] += _BYTES[kinds[0]] + (3 * _BYTES[kinds[1]] if is_list and element == "face" else 0)
        elif words[:1] == ["element"]:
            raise DataError(path, "header", f"{line!r} is no element", _COPY)
    vertices, faces = counts.get("vertex", 0), counts.get("face", 0)
    if faces == 0 or vertices == 0:
        raise DataError(path, "face", "no triangles: only points, or a splat", "export it as a mesh")
    if vertices > limits.max_vertices or faces > limits.max_faces:
        problem = f"{vertices} vertices and {faces} faces; {limits.max_vertices} and {limits.max_faces} are read"
        raise DataError(path, "header", problem, "simplify the scene")
    if re.search(r"^format\s+ascii", header, re.MULTILINE):
        there, needed = body.count(b"\n") + (not body.endswith(b"\n")), sum(counts.values())
        unit = "lines"
    else:
        there, needed = len(body), sum(counts[name] * least_bytes[name] for name in counts)
        unit = "bytes"
    if there < needed:
        problem = f"{vertices} vertices and {faces} faces need {needed} {unit}, {there} are there"
        raise DataError(path, "header", problem, _COPY)
    return counts
