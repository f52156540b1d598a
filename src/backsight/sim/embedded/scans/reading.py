"""Reading a scene file of any known format."""

import dataclasses
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.gltf import read_gltf
from backsight.sim.embedded.scans.limits import ScanLimits
from backsight.sim.embedded.scans.obj import read_obj
from backsight.sim.embedded.scans.parts import RawScan, ScanPart
from backsight.sim.embedded.scans.ply import read_ply

SUFFIXES = (".glb", ".gltf", ".obj", ".ply")
"""Of files that are scenes."""
LEAST_RELATIVE_AREA = 1e-14
"""Triangles smaller than this share of the squared extent have no direction and are dropped."""


def read_raw(path: Path, limits: ScanLimits) -> RawScan:
    """Return what a scene file holds, without its degenerate triangles.

    Args:
        path: GLB, glTF, OBJ or PLY.
        limits: Bounds.

    Raises:
        DataError: It cannot be read, or nothing is left.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        problem = f"{path.suffix or 'no suffix'} is no format of scenes"
        raise DataError(path, "suffix", problem, f"use {', '.join(SUFFIXES)}")
    if suffix == ".obj":
        raw = read_obj(path, limits)
    elif suffix == ".ply":
        raw = read_ply(path, limits)
    else:
        raw = read_gltf(path, limits)
    return _without_degenerate(raw)


def _without_degenerate(raw: RawScan) -> RawScan:
    filled = [part for part in raw.parts if len(part.faces)]
    if not filled:
        raise DataError(raw.path, "meshes", "no triangles: only points, lines or nothing", "export it as a mesh")
    low = np.min([part.vertices[part.faces].min(axis=(0, 1)) for part in filled], axis=0)
    high = np.max([part.vertices[part.faces].max(axis=(0, 1)) for part in filled], axis=0)
    extent = float((high - low).max())
    if extent == 0.0:
        problem = "every vertex lies at one point"
        raise DataError(raw.path, "meshes", problem, "was it decoded? export it again without compression")
    kept, dropped = [], 0
    for part in filled:
        corners = part.corners
        twice = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        good = twice > LEAST_RELATIVE_AREA * extent**2
        dropped += int((~good).sum())
        if good.any():
            kept.append(_selected(part, good))
    if not kept:
        raise DataError(raw.path, "meshes", f"all {dropped} triangles are degenerate", "repair the mesh")
    notes = (*raw.notes, f"{dropped} degenerate triangles dropped") if dropped else raw.notes
    return RawScan(raw.path, tuple(kept), raw.usual_up, raw.usually_metres, notes)


def _selected(part: ScanPart, good: Bool[np.ndarray, " faces"]) -> ScanPart:
    if good.all():
        return part
    return dataclasses.replace(
        part,
        faces=part.faces[good],
        face_uv=None if part.face_uv is None else part.face_uv[good],
        face_normals=None if part.face_normals is None else part.face_normals[good],
        face_colours=None if part.face_colours is None else part.face_colours[good],
    )
