"""Bringing a packed scene to the device that renders it."""

from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Float32, Float64, Int32

from backsight.sim.embedded.floor_light import FloorLight
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.scene_arrays import Face, SceneArrays
from backsight.sim.embedded.texels import ENCODE_LIMIT, encoding_table, light_of_shown, linear_from_srgb, pack_textures
from backsight.sim.simulator import Lighting

EXPOSURE = 0.92
"""Factor on all light, so that a pale wall near its lamp is not yet white."""
AMBIENT_BASE = (0.10, 0.098, 0.095)
"""Linear RGB of light that is there without any lamp."""
AMBIENT_OF_LAMPS = 0.38
"""Share of the lamps' intensity that a room's surfaces send back from all sides."""


def upload_scene(scene: PackedScene, mesh: Any, floor: FloorLight, device: Any) -> Any:
    """Return the scene as a structure of device arrays.

    Args:
        scene: checked by `check_faces`.
        mesh: its triangles as a Warp mesh.
        floor: light on its floor.
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
        np.array([material.gloss for material in scene.materials], np.float32), device=device
    )
    arrays.texels = wp.array(buffer.texels, dtype=wp.uint32, device=device)
    arrays.level_offset = wp.array(buffer.level_offset, dtype=wp.int32, device=device)
    arrays.size_log2 = wp.array(buffer.size_log2, dtype=wp.int32, device=device)
    arrays.encode = wp.array(encoding_table(), dtype=wp.uint8, device=device)
    arrays.encode_scale = EXPOSURE / ENCODE_LIMIT
    arrays.floor_light = wp.array(floor.openness_and_lamp, dtype=wp.vec2, device=device)
    arrays.floor_corner = wp.vec2(*floor.corner_m)
    arrays.floor_cell = floor.cell_m
    arrays.floor_height = floor.floor_m
    light_rooms(arrays, scene, Lighting(), device)
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


def light_rooms(arrays: Any, scene: PackedScene, lighting: Lighting, device: Any) -> None:
    """Fill what the shading knows of rooms: extents, lamps, and the light that their surfaces send back.

    Args:
        arrays: the scene's structure.
        scene: its rooms and lamps.
        lighting: how the lamps burn.
        device: Warp device.
    """
    slot_of_room = {room.room_id: slot for slot, room in enumerate(scene.rooms)}
    bounds = np.array([room.bounds_m for room in scene.rooms])
    floors = np.array([room.floor_m for room in scene.rooms])
    low = np.stack([bounds[:, 0], floors, bounds[:, 1]], axis=1)
    high = np.stack([bounds[:, 2], floors + scene.ceiling_m, bounds[:, 3]], axis=1)
    lamps = sorted(scene.lights, key=lambda light: slot_of_room[light.room_id])
    lamp_slot = np.array([slot_of_room[lamp.room_id] for lamp in lamps], dtype=np.int32)
    positions = np.array([lamp.position_m for lamp in lamps], dtype=np.float32).reshape(-1, 3)
    colours = np.array([lamp.colour for lamp in lamps], dtype=np.float32).reshape(-1, 3)
    burning = np.array([lamp.room_id not in lighting.dark_rooms for lamp in lamps], dtype=np.float32)
    warm = np.array([1.0 + 0.25 * lighting.warmth, 1.0, 1.0 - 0.35 * lighting.warmth], dtype=np.float32)
    colours = colours * warm * (lighting.intensity * burning[:, None]).astype(np.float32)
    total = np.zeros((len(scene.rooms), 3))
    np.add.at(total, lamp_slot, colours)
    ambient = np.array(AMBIENT_BASE) + AMBIENT_OF_LAMPS * total
    arrays.room_low = wp.array(low.astype(np.float32), dtype=wp.vec3, device=device)
    arrays.room_high = wp.array(high.astype(np.float32), dtype=wp.vec3, device=device)
    arrays.room_ambient = wp.array(ambient.astype(np.float32), dtype=wp.vec3, device=device)
    first = np.searchsorted(lamp_slot, np.arange(len(scene.rooms) + 1)).astype(np.int32)
    arrays.room_first_lamp = wp.array(first, dtype=wp.int32, device=device)
    arrays.lamp_position = wp.array(positions, dtype=wp.vec3, device=device)
    arrays.lamp_colour = wp.array(colours, dtype=wp.vec3, device=device)
