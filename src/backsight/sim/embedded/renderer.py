"""Pictures of a packed scene by ray queries: RGB, planar depth and instance ids in one launch for all poses."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Float64

from backsight.records.errors import EnvironmentProblem, UsageError
from backsight.sim.embedded import visibility_rays
from backsight.sim.embedded.lighting import tracing
from backsight.sim.embedded.lighting.bake import bake_light
from backsight.sim.embedded.lighting.burning import lamps_and_sky
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.scene_upload import check_faces, upload_lamps, upload_scene
from backsight.sim.simulator import Lighting, Observation

_WARP_LOCK = threading.Lock()
"""Warp's mesh construction and module loading are not safe in several threads at once."""


class Renderer:
    """Renders one scene on one device.

    Args:
        scene: what to render.
        device: 'cpu' or 'cuda'.
        threads: CPU threads a launch is split over; the result does not depend on it.
        rgb_samples_per_axis: rays per pixel and axis for the colour; depth and ids always come from the pixel centre.
        shadows: lamps throw crisp shadows, by a ray from each pixel; else soft ones, as coarse as the samples of light.

    Raises:
        UsageError: a device, thread or sample count that cannot be.
        EnvironmentProblem: 'cuda' without such a device.
    """

    def __init__(
        self,
        scene: PackedScene,
        *,
        device: str = "cpu",
        threads: int = 1,
        rgb_samples_per_axis: int = 1,
        shadows: bool = False,
    ) -> None:
        if threads < 1 or rgb_samples_per_axis < 1:
            raise UsageError("renderer: threads and rgb_samples_per_axis must be at least 1")
        check_faces(scene)
        self._threads = threads
        self._samples = rgb_samples_per_axis
        with _WARP_LOCK:
            self._device = _device(device)
            wp.load_module(tracing, device=self._device)
            wp.load_module(visibility_rays, device=self._device)
            self._mesh = wp.Mesh(
                points=wp.array(scene.vertices_m, dtype=wp.vec3, device=self._device),
                indices=wp.array(scene.faces.reshape(-1), dtype=wp.int32, device=self._device),
            )
        self._scene = scene
        self._light = bake_light(scene, self._mesh, self._device)
        self._arrays = upload_scene(scene, self._mesh, self._light.face_light, self._device)
        self._arrays.shadow_rays = int(shadows)
        self.set_lighting(Lighting())

    def set_lighting(self, lighting: Lighting) -> None:
        """Change how the lamps burn from the next picture on; no ray is traced for it.

        Args:
            lighting: relative to the scene as it was built, not to what was set before.

        Raises:
            UsageError: values out of range, or a room that is not there.
        """
        colours, sky = lamps_and_sky(self._scene, lighting)
        self._arrays.light = self._light.light(colours, sky, direct=self._arrays.shadow_rays == 0)
        self._arrays.sky = wp.vec3(*sky.tolist())
        upload_lamps(self._arrays, self._scene, colours, self._device)

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
                visibility_rays.render_pixels,
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
        views: Any = visibility_rays.Views()
        views.rotations = wp.array(rotations, dtype=wp.mat33, device=self._device)
        views.origins = wp.array(origins, dtype=wp.vec3, device=self._device)
        views.width, views.height = width, height
        views.fx, views.fy = float(intrinsics[0, 0]), float(intrinsics[1, 1])
        views.cx, views.cy = float(intrinsics[0, 2]), float(intrinsics[1, 2])
        views.samples = self._samples
        return views


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
