"""Bringing a packed scene to the device that renders it."""

from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Float32, Float64, Int32

from backsight.sim.embedded.lighting.burning import lamps_by_room
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.scene_arrays import Face, SceneArrays
from backsight.sim.embedded.texels import ENCODE_LIMIT, encoding_table, light_of_shown, pack_textures
from backsight.sim.srgb import linear_from_srgb

EXPOSURE = 0.52
"""Factor on all light, so that a pale wall near its lamp is not yet white."""

FAINTEST_GLOSS = 0.08
"""Less gloss changes no picture by more than a step or two, and is left out."""


def upload_scene(scene: PackedScene, mesh: Any, face_light: Any, device: Any) -> Any:
    """Return the scene as a structure of device arrays.

    Args:
        scene: checked by `check_faces`.
        mesh: its triangles as a Warp mesh.
        face_light: which samples of light each face has, on the device.
        device: Warp device.
    """
    buffer = pack_textures(scene.textures)
    colours = np.array([material.colour for material in scene.materials], dtype=np.float64).reshape(-1, 3)

    arrays: Any = SceneArrays()
    arrays.mesh = mesh.id
    arrays.faces = wp.array(_face_records(scene, buffer.size_log2), dtype=Face, device=device)
    arrays.material_colour = wp.array(linear_from_srgb(colours).astype(np.float32), dtype=wp.vec3, device=device)
    arrays.material_texture = wp.array(
        np.array([material.texture for material in scene.materials], np.int32), device=device
    )
    arrays.material_unlit = wp.array(
        np.array([material.unlit for material in scene.materials], np.float32), device=device
    )
    arrays.light_of_shown = wp.array(light_of_shown() / EXPOSURE, dtype=wp.float32, device=device)
    arrays.material_gloss = wp.array(
        np.array([m.gloss if m.gloss >= FAINTEST_GLOSS else 0.0 for m in scene.materials], np.float32), device=device
    )
    arrays.texels = wp.array(buffer.texels, dtype=wp.uint32, device=device)
    arrays.level_offset = wp.array(buffer.level_offset, dtype=wp.int32, device=device)
    arrays.size_log2 = wp.array(buffer.size_log2, dtype=wp.int32, device=device)
    arrays.encode = wp.array(encoding_table(), dtype=wp.uint8, device=device)
    arrays.encode_scale = EXPOSURE / ENCODE_LIMIT
    arrays.face_light = face_light
    arrays.material_glow = wp.array(
        np.array([-1.0 if material.pane else material.glow for material in scene.materials], np.float32), device=device
    )
    return arrays


def check_faces(scene: PackedScene) -> None:
    """Refuse indices that would make the kernels read outside their arrays."""
    rooms = {room.room_id for room in scene.rooms}
    textures = [material.texture for material in scene.materials]
    problems = (
        (scene.faces, 0, len(scene.vertices_m), "faces"),
        (scene.face_material, 0, len(scene.materials), "face_material"),
        (np.array(textures, dtype=np.int32), -1, len(scene.textures), "materials.texture"),
        (scene.face_instance, 1, 2**31, "face_instance"),
    )
    if len(scene.faces) == 0:
        raise ValueError("scene: no faces")
    for values, low, high, field in problems:
        if values.size and (values.min() < low or values.max() >= high):
            raise ValueError(f"scene: {field} holds {values.min()} to {values.max()}, allowed {low} to {high - 1}")
    strangers = set(np.unique(scene.face_room).tolist()) - rooms
    if strangers:
        raise ValueError(f"scene: face_room holds {sorted(strangers)}, rooms are {sorted(rooms)}")


def _face_records(scene: PackedScene, size_log2: Int32[np.ndarray, "textures 2"]) -> Any:
    """Return what the shading knows of each face, as records laid out like `Face`."""
    corners = scene.vertices_m[scene.faces].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    twice_area = np.linalg.norm(cross, axis=-1)
    slots = np.zeros(max(room.room_id for room in scene.rooms) + 1, dtype=np.int32)
    slots[[room.room_id for room in scene.rooms]] = np.arange(len(scene.rooms))
    record: Any = Face
    records: Any = np.zeros(len(scene.faces), dtype=record.numpy_dtype())
    for corner in range(3):
        records[f"uv{corner}"] = scene.face_uv[:, corner]
        records[f"normal{corner}"] = scene.face_normals[:, corner]
    records["flat_normal"] = cross / np.maximum(twice_area, 1e-20)[:, None]
    records["material"] = scene.face_material
    records["instance"] = scene.face_instance
    records["room"] = slots[scene.face_room]
    records["texels_per_m"] = _texels_per_m(scene, size_log2, twice_area)
    return records


def _texels_per_m(
    scene: PackedScene, size_log2: Int32[np.ndarray, "textures 2"], twice_area: Float64[np.ndarray, " faces"]
) -> Float32[np.ndarray, " faces"]:
    """Return the texture resolution on each face, as the root of texel area over world area."""
    uv = scene.face_uv.astype(np.float64)
    first, second = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    twice_uv_area = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    texture = np.array([material.texture for material in scene.materials], np.int32)[scene.face_material]
    texels = np.exp2(size_log2.sum(axis=1))[np.maximum(texture, 0)]
    return np.sqrt(twice_uv_area * texels / np.maximum(twice_area, 1e-20)).astype(np.float32)


def upload_lamps(arrays: Any, scene: PackedScene, colours: Float64[np.ndarray, "lamps 3"], device: Any) -> None:
    """Fill which lamps each room has and how they burn.

    Args:
        arrays: receives them.
        scene: says where the lamps are.
        colours: linear, in the order of the scene's lamps.
        device: Warp device.
    """
    order, lamp_slot = lamps_by_room(scene)
    positions = np.array([lamp.position_m for lamp in scene.lights], dtype=np.float32).reshape(-1, 3)
    first = np.searchsorted(lamp_slot, np.arange(len(scene.rooms) + 1)).astype(np.int32)
    arrays.room_first_lamp = wp.array(first, dtype=wp.int32, device=device)
    arrays.lamp_position = wp.array(positions[order], dtype=wp.vec3, device=device)
    arrays.lamp_colour = wp.array(colours[order].astype(np.float32), dtype=wp.vec3, device=device)
