"""Pictures of a packed scene by ray queries: RGB, planar depth and instance ids in one launch for all poses."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Float32, Float64, Int32

from backsight.records.errors import EnvironmentProblem, UsageError
from backsight.sim.embedded import kernels
from backsight.sim.embedded.floor_light import FloorLight, bake_floor_light
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.texels import ENCODE_LIMIT, encoding_table, linear_from_srgb, pack_textures
from backsight.sim.simulator import Observation

_WARP_LOCK = threading.Lock()
"""Warp's mesh construction and module loading are not safe in several threads at once."""

EXPOSURE = 0.92
"""Factor on all light, so that a pale wall near its lamp is not yet white."""
AMBIENT_BASE = (0.10, 0.098, 0.095)
"""Linear RGB of light that is there without any lamp."""
AMBIENT_OF_LAMPS = 0.38
"""Share of the lamps' intensity that a room's surfaces send back from all sides."""


class Renderer:
    """Renders one scene on one device.

    Args:
        scene: what to render.
        device: 'cpu' or 'cuda'.
        threads: CPU threads a launch is split over; the result does not depend on it.
        rgb_samples_per_axis: rays per pixel and axis for the colour; depth and ids always come from the pixel centre.

    Raises:
        UsageError: a device, thread or sample count that cannot be.
        EnvironmentProblem: 'cuda' without such a device.
    """

    def __init__(
        self, scene: PackedScene, *, device: str = "cpu", threads: int = 1, rgb_samples_per_axis: int = 1
    ) -> None:
        if threads < 1 or rgb_samples_per_axis < 1:
            raise UsageError("renderer: threads and rgb_samples_per_axis must be at least 1")
        _check_faces(scene)
        self._threads = threads
        self._samples = rgb_samples_per_axis
        with _WARP_LOCK:
            self._device = _device(device)
            wp.load_module(kernels, device=self._device)
            self._mesh = wp.Mesh(
                points=wp.array(scene.vertices_m, dtype=wp.vec3, device=self._device),
                indices=wp.array(scene.faces.reshape(-1), dtype=wp.int32, device=self._device),
            )
        self._arrays = self._upload(scene, bake_floor_light(scene, self._mesh, self._device))

    def render(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Observation:
        """Return RGB, planar depth [m] and instance ids for a batch of poses.

        Args:
            world_from_camera: poses; the camera looks along its +z, +y points down.
            intrinsics: of the image to render, px; no skew.
            width: px.
            height: px.

        Raises:
            UsageError: an image without pixels, or intrinsics with skew.
        """
        poses = world_from_camera.shape[0]
        pixels = poses * width * height
        if pixels == 0:
            raise UsageError(f"render: {poses} poses of {width} x {height} pixels: nothing to render")
        if pixels >= 2**31:
            raise UsageError(f"render: {pixels} pixels in one call; render fewer poses at a time")
        views = self._views(world_from_camera, intrinsics, width, height)
        rgb = _output((pixels, 3), wp.uint8, self._device)
        depth_m = _output(pixels, wp.float32, self._device)
        instance_ids = _output(pixels, wp.int32, self._device)

        def launch(first: int, end: int) -> None:
            wp.launch(
                kernels.render_pixels,
                dim=end - first,
                inputs=[self._arrays, views, first],
                outputs=[rgb, depth_m, instance_ids],
                device=self._device,
            )

        self._split(launch, pixels)
        return Observation(
            rgb.numpy().reshape(poses, height, width, 3),
            depth_m.numpy().reshape(poses, height, width),
            instance_ids.numpy().reshape(poses, height, width),
        )

    def _split(self, launch: Any, pixels: int) -> None:
        """Launch in one piece, or in pieces over a few threads on the CPU."""
        if self._threads == 1 or not self._device.is_cpu:
            launch(0, pixels)
            return
        # Four pieces a thread: pieces cost unequal time.
        edges = np.unique(np.linspace(0, pixels, 4 * self._threads + 1).astype(int)).tolist()
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(launch, edges[:-1], edges[1:]))

    def _views(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Any:
        """Return poses and intrinsics as a structure for the device."""
        if intrinsics[0, 1] != 0.0 or intrinsics[1, 0] != 0.0 or min(intrinsics[0, 0], intrinsics[1, 1]) <= 0:
            raise UsageError(f"render: intrinsics need positive focal lengths and no skew, got {intrinsics.tolist()}")
        rotations = world_from_camera[:, :3, :3].astype(np.float32)
        origins = world_from_camera[:, :3, 3].astype(np.float32)
        views: Any = kernels.Views()
        views.rotations = wp.array(rotations, dtype=wp.mat33, device=self._device)
        views.origins = wp.array(origins, dtype=wp.vec3, device=self._device)
        views.width, views.height = width, height
        views.fx, views.fy = float(intrinsics[0, 0]), float(intrinsics[1, 1])
        views.cx, views.cy = float(intrinsics[0, 2]), float(intrinsics[1, 2])
        views.samples = self._samples
        return views

    def _upload(self, scene: PackedScene, floor: FloorLight) -> Any:
        """Return the scene as a structure of device arrays."""
        device = self._device
        buffer = pack_textures(scene.textures)
        corners = scene.vertices_m[scene.faces].astype(np.float64)
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        twice_area = np.linalg.norm(cross, axis=-1)
        face_normal = cross / np.maximum(twice_area, 1e-20)[:, None]
        colours = np.array([material.colour for material in scene.materials], dtype=np.float64).reshape(-1, 3)

        arrays: Any = kernels.SceneArrays()
        arrays.mesh = self._mesh.id
        arrays.corner_uv = wp.array(scene.face_uv.reshape(-1, 2), dtype=wp.vec2, device=device)
        arrays.corner_normal = wp.array(scene.face_normals.reshape(-1, 3), dtype=wp.vec3, device=device)
        arrays.face_normal = wp.array(face_normal.astype(np.float32), dtype=wp.vec3, device=device)
        arrays.face_material = wp.array(scene.face_material, dtype=wp.int32, device=device)
        arrays.face_instance = wp.array(scene.face_instance, dtype=wp.int32, device=device)
        arrays.face_texels_per_m = wp.array(
            _texels_per_m(scene, buffer.size_log2, twice_area), dtype=wp.float32, device=device
        )
        arrays.material_colour = wp.array(linear_from_srgb(colours).astype(np.float32), dtype=wp.vec3, device=device)
        arrays.material_texture = wp.array(
            np.array([material.texture for material in scene.materials], np.int32), device=device
        )
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
        _upload_rooms(arrays, scene, device)
        return arrays


def _output(shape: Any, dtype: Any, device: Any) -> Any:
    """Return an array for a kernel to fill; on the CPU numpy sees it without a copy."""
    return wp.empty(shape, dtype=dtype, device=device)


def _device(name: str) -> Any:
    """Return Warp's device of that name."""
    wp.init()
    if name not in ("cpu", "cuda"):
        raise UsageError(f"renderer: unknown device {name!r}; use 'cpu' or 'cuda'")
    if name == "cuda" and not wp.is_cuda_available():
        raise EnvironmentProblem("renderer: no CUDA device here; use device 'cpu' or check the driver")
    return wp.get_device(name)


def _check_faces(scene: PackedScene) -> None:
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


def _upload_rooms(arrays: Any, scene: PackedScene, device: Any) -> None:
    """Fill what the shading knows of rooms: extents, lamps, and the light that their surfaces send back."""
    slot_of_room = {room.room_id: slot for slot, room in enumerate(scene.rooms)}
    slots = np.zeros(max(slot_of_room) + 1, dtype=np.int32)
    slots[list(slot_of_room)] = list(slot_of_room.values())
    arrays.face_room = wp.array(slots[scene.face_room], dtype=wp.int32, device=device)
    bounds = np.array([room.bounds_m for room in scene.rooms])
    floors = np.array([room.floor_m for room in scene.rooms])
    low = np.stack([bounds[:, 0], floors, bounds[:, 1]], axis=1)
    high = np.stack([bounds[:, 2], floors + scene.ceiling_m, bounds[:, 3]], axis=1)
    lamps = sorted(scene.lights, key=lambda light: slot_of_room[light.room_id])
    lamp_slot = np.array([slot_of_room[lamp.room_id] for lamp in lamps], dtype=np.int32)
    positions = np.array([lamp.position_m for lamp in lamps], dtype=np.float32).reshape(-1, 3)
    colours = np.array([lamp.colour for lamp in lamps], dtype=np.float32).reshape(-1, 3)
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
