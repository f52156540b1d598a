"""Reading Wavefront OBJ files."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import trimesh

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.geometries import VertexExtras, load_with_trimesh, make_part
from backsight.sim.embedded.scans.images import TextureReader
from backsight.sim.embedded.scans.limits import ScanLimits
from backsight.sim.embedded.scans.parts import PLAIN, Look, RawScan, ScanPart
from backsight.sim.embedded.scans.side_files import SideFiles, read_scene_bytes

_MATERIALS = "materials.mtl"


def read_obj(path: Path, limits: ScanLimits) -> RawScan:
    """Return the triangles of an OBJ file; things are its objects (`o`), else its groups (`g`).

    Args:
        path: The file.
        limits: Bounds.

    Raises:
        DataError: It is damaged or too large, or a file that it names is missing; names the line.
    """
    data = read_scene_bytes(path, limits)
    if b"\0" in data[:4096]:
        raise DataError(path, "content", "is no text, so no OBJ", "check the suffix")
    text = data.decode("utf-8", errors="replace").replace("\\\r\n", " ").replace("\\\n", " ")
    lines = text.splitlines()
    _check_counts(path, lines, limits)
    side_files = SideFiles(path, limits)
    looks, notes, library = _materials(path, lines, side_files, limits)
    names, kept = _rewritten(path, lines, bool(library))
    loaded = load_with_trimesh(path, "\n".join(kept).encode(), "obj", {_MATERIALS: library.encode()})
    usual = tuple(_parts(path, loaded, names, looks, any(line.startswith("vn ") for line in lines)))
    return RawScan(path, usual, "+y", False, tuple(notes))


def _check_counts(path: Path, lines: list[str], limits: ScanLimits) -> None:
    vertices = sum(line.startswith("v ") for line in lines)
    faces = sum(max(len(line.split()) - 3, 1) for line in lines if line.startswith("f "))
    if vertices > limits.max_vertices or faces > limits.max_faces:
        problem = f"{vertices} vertices and {faces} triangles; {limits.max_vertices} and {limits.max_faces} are read"
        raise DataError(path, "content", problem, "simplify the scene")
    if faces == 0 or vertices == 0:
        raise DataError(path, "f", "no triangles: only points, lines or nothing", "export it as a mesh")


def _materials(
    path: Path, lines: list[str], side_files: SideFiles, limits: ScanLimits
) -> tuple[dict[str, Look], list[str], str]:
    """Return the looks by name, what was changed, and a library of the names alone for trimesh."""
    looks: dict[str, Look] = {}
    textures = TextureReader(path, limits)
    transparent = False
    for line in lines:
        if line.startswith("mtllib "):
            text = side_files.read(line[7:].strip(), "mtllib").decode("utf-8", errors="replace")
            looks |= _library(path, text, side_files, textures)
            transparent |= re.search(r"^\s*d\s+0?\.[0-9]", text, re.MULTILINE) is not None
    library = "\n".join(f"newmtl {name}\nKd 1 1 1" for name in looks)
    notes = ["transparency is not shown: glass and cut-out leaves are solid"] if transparent else []
    return looks, [*textures.notes, *notes], library


def _library(path: Path, text: str, side_files: SideFiles, textures: TextureReader) -> dict[str, Look]:
    looks: dict[str, Look] = {}
    name, colour, texture = "", PLAIN.colour, None
    for line in [*text.splitlines(), "newmtl "]:
        key, _, rest = line.strip().partition(" ")
        if key == "newmtl" or line == "newmtl ":
            if name:
                # A picture is shown as it is: many programs write Kd 0 beside it.
                looks[name] = Look(colour if texture is None else (1.0, 1.0, 1.0), texture)
            name, colour, texture = " ".join(rest.split()), PLAIN.colour, None
        elif key.lower() == "kd":
            values = _floats(rest)
            if len(values) != 3 or not np.isfinite(values).all():
                raise DataError(path, f"mtllib {name} Kd", f"{rest!r} is not three numbers", "export it again")
            red, green, blue = np.clip(values, 0.0, 1.0).tolist()
            colour = (red, green, blue)
        elif key.lower() == "map_kd":
            # Options such as '-s 1 1 1' stand before the name.
            file = re.sub(r"^(-\w+(\s+[-\d.eE]+|\s+on|\s+off)*\s+)+", "", rest.strip())
            field = f"map_Kd {file} of {name}"
            texture = textures.read(file, field, partial(side_files.read, file, field))
    return looks


def _floats(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split()]
    except ValueError:
        return []


def _rewritten(path: Path, lines: list[str], has_library: bool) -> tuple[list[str], list[str]]:
    """Return the names of the things, and the lines with things numbered and indices checked and made absolute."""
    has_objects = any(line.startswith("o ") for line in lines)
    starts = "o " if has_objects else "g "
    names: list[str] = []
    kept: list[str] = [f"mtllib {_MATERIALS}"] if has_library else []
    seen = [0, 0, 0]
    totals = [sum(line.startswith(key) for line in lines) for key in ("v ", "vt ", "vn ")]
    # Colours behind the positions count where every vertex has them.
    columns = 6 if all(len(line.split()) >= 7 for line in lines if line.startswith("v ")) else 3
    for number, line in enumerate(lines, 1):
        key = line[:2]
        if key == "f ":
            kept.append(_absolute_face(path, number, line, seen, totals))
        elif key in ("v ", "vt", "vn"):
            place = ("v ", "vt", "vn").index(key)
            seen[place] += 1
            kept.append(_numbers(path, number, line, (columns, 2, 3)[place]))
        elif key == starts:
            names.append(line[2:].strip())
            kept.append(f"o thing{len(names) - 1}_")
        elif line.startswith("usemtl "):
            kept.append(line)
    return names, kept


def _numbers(path: Path, number: int, line: str, count: int) -> str:
    """Return a line with its first numbers alone; a fourth coordinate means nothing here."""
    key, *words = line.split()
    if len(_floats(" ".join(words[:count]))) != count:
        raise DataError(path, f"line {number}", f"{line[:80]!r} is not {count} numbers", "export it again")
    return " ".join([key, *words[:count]])


def _absolute_face(path: Path, number: int, line: str, seen: list[int], totals: list[int]) -> str:
    corners = line.split()[1:]
    if len(corners) < 3:
        raise DataError(path, f"line {number}", f"a face of {len(corners)} corners", "repair the mesh")
    words = []
    for corner in corners:
        indices = []
        for place, word in enumerate(corner.split("/")[:3]):
            if not word:
                indices.append("")
                continue
            index = int(word) if word.lstrip("-").isdigit() else 0
            absolute = index if index >= 0 else seen[place] + 1 + index
            if not 1 <= absolute <= totals[place]:
                kind = ("vertex", "texture coordinate", "normal")[place]
                problem = f"{kind} {word} of {totals[place]} does not exist"
                raise DataError(path, f"line {number}", problem, "the file is damaged; export it again")
            indices.append(str(absolute))
        words.append("/".join(indices))
    return "f " + " ".join(words)


def _parts(
    path: Path, loaded: trimesh.Scene, names: list[str], looks: dict[str, Look], has_normals: bool
) -> Iterator[ScanPart]:
    found = []
    for geometry, mesh in loaded.geometry.items():
        match = re.match(r"thing(\d+)_", geometry)
        found.append((int(match[1]) if match else -1, geometry, mesh))
    for number, _, mesh in sorted(found, key=lambda item: item[:2]):
        material = getattr(getattr(mesh.visual, "material", None), "name", None)
        uv = getattr(mesh.visual, "uv", None)
        if uv is not None:
            uv = np.stack([uv[:, 0], 1.0 - uv[:, 1]], axis=1)
        colours = mesh.visual.vertex_colors[:, :3] / 255.0 if mesh.visual.kind == "vertex" else None
        yield make_part(
            path,
            ((number + 1, names[number] if number >= 0 else ""),),
            (mesh.vertices, mesh.faces),
            np.eye(4),
            looks.get(str(material), PLAIN),
            VertexExtras(uv=uv, normals=mesh.vertex_normals if has_normals else None, colours=colours),
        )
