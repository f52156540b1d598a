"""A known room as a trimesh scene, in metres with +y up."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

WIDTH_M, DEPTH_M, HEIGHT_M = 4.3, 3.7, 2.6
COLOURS = {
    "Floor": (150, 120, 90),
    "Wall": (230, 228, 220),
    "Ceiling": (240, 240, 240),
    "Table_01": (120, 80, 50),
    "Chair.001": (60, 90, 150),
    "Chair.002": (60, 90, 150),
    "Cupboard": (220, 220, 215),
    "Lamp": (200, 60, 50),
    "Sofa_grey": (130, 130, 130),
    "Gizmo": (20, 20, 20),
}


def placed(x: float, y: float, z: float, yaw: float = 0.0) -> np.ndarray:
    matrix = trimesh.transformations.rotation_matrix(yaw, [0, 1, 0])
    matrix[:3, 3] = x, y, z
    return matrix


def box(name: str, size: tuple[float, float, float]) -> trimesh.Trimesh:
    mesh = trimesh.creation.box(extents=size)
    red, green, blue = COLOURS[name]
    material = trimesh.visual.material.PBRMaterial(baseColorFactor=[red, green, blue, 255], name=name)
    mesh.visual = trimesh.visual.TextureVisuals(material=material)
    return mesh


def room_pieces(ceiling: bool = True) -> list[tuple[str, str, tuple[float, float, float], np.ndarray]]:
    """Return node name, colour name, size and place of everything; chairs share one size."""
    half_x, half_z = WIDTH_M / 2, DEPTH_M / 2
    pieces = [
        ("Floor", "Floor", (WIDTH_M, 0.1, DEPTH_M), placed(0, -0.05, 0)),
        ("Wall.000", "Wall", (WIDTH_M, HEIGHT_M, 0.1), placed(0, HEIGHT_M / 2, -half_z - 0.05)),
        ("Wall.001", "Wall", (WIDTH_M, HEIGHT_M, 0.1), placed(0, HEIGHT_M / 2, half_z + 0.05)),
        ("Wall.002", "Wall", (0.1, HEIGHT_M, DEPTH_M), placed(-half_x - 0.05, HEIGHT_M / 2, 0)),
        ("Wall.003", "Wall", (0.1, HEIGHT_M, DEPTH_M), placed(half_x + 0.05, HEIGHT_M / 2, 0)),
        ("Table_01", "Table_01", (1.1, 0.73, 0.7), placed(0.6, 0.365, -0.4, math.radians(30))),
        ("Chair.001", "Chair.001", (0.41, 0.83, 0.43), placed(-0.5, 0.415, -1.2, 0.3)),
        ("Chair.002", "Chair.002", (0.41, 0.83, 0.43), placed(1.5, 0.415, 1.2)),
        ("Cupboard", "Cupboard", (0.9, 1.9, 0.4), placed(-1.6, 0.95, 1.6)),
        ("Lamp", "Lamp", (0.2, 0.3, 0.2), placed(0.6, 0.88, -0.4)),
        ("Sofa_grey", "Sofa_grey", (0.8, 0.7, 1.7), placed(-1.7, 0.35, -0.5)),
        ("Gizmo", "Gizmo", (0.3, 0.2, 0.3), placed(1.8, 0.1, -1.5)),
    ]
    if ceiling:
        pieces.append(("Ceiling", "Ceiling", (WIDTH_M, 0.1, DEPTH_M), placed(0, HEIGHT_M + 0.05, 0)))
    return pieces


@pytest.fixture
def make_room() -> Callable[..., trimesh.Scene]:
    """Make the room, with other axes or units by a transform, under other names, or without its ceiling."""

    def make(
        transform: np.ndarray | None = None, *, ceiling: bool = True, rename: dict[str, str] | None = None
    ) -> trimesh.Scene:
        scene = trimesh.Scene()
        outer = np.eye(4) if transform is None else transform
        for name, look, size, place in room_pieces(ceiling):
            called = (rename or {}).get(name, name)
            scene.add_geometry(box(look, size), node_name=called, geom_name=called, transform=outer @ place)
        return scene

    return make


@pytest.fixture
def write_scene(tmp_path) -> Callable[..., Path]:
    """Write a trimesh scene as a file of any format."""

    def write(scene: trimesh.Scene, name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = path.suffix[1:]
        if kind == "gltf":
            for file, data in trimesh.exchange.gltf.export_gltf(scene).items():
                target = path if file == "model.gltf" else path.parent / file
                target.write_bytes(data)
        elif kind == "obj":
            path.write_text(_obj_text(scene, path))
        elif kind == "ply":
            path.write_bytes(scene.to_geometry().export(file_type="ply"))
        else:
            path.write_bytes(trimesh.exchange.gltf.export_glb(scene))
        return path

    return write


def _obj_text(scene: trimesh.Scene, path: Path) -> str:
    """Return an OBJ with quads, one object for each node, and a material library beside it."""
    lines, library, first = ["mtllib room.mtl"], [], 1
    for node in scene.graph.nodes_geometry:
        matrix, name = scene.graph[node]
        mesh = scene.geometry[name]
        vertices = mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3]
        lines += [f"o {node}", f"usemtl {name}"]
        lines += [f"v {x:.9f} {y:.9f} {z:.9f}" for x, y, z in vertices]
        lines += ["f " + " ".join(str(index + first) for index in face) for face in mesh.faces]
        red, green, blue = mesh.visual.material.baseColorFactor[:3] / 255
        library += [f"newmtl {name}", f"Kd {red:.6f} {green:.6f} {blue:.6f}"]
        first += len(vertices)
    (path.parent / "room.mtl").write_text("\n".join(library))
    return "\n".join(lines) + "\n"
