"""Pictures of poses in several scenes at once; they can stay on the device that made them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Float64, Int

from backsight.records.errors import UsageError
from backsight.sim.embedded import visibility_rays
from backsight.sim.embedded.device_scene import DeviceScene, load_kernels, rasterises
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.raster_workers import RasterWorkers
from backsight.sim.embedded.ray_workers import RayWorkers
from backsight.sim.embedded.render_options import RenderOptions
from backsight.sim.embedded.warp_device import warp_device
from backsight.sim.simulator import Observation, Shapes


@dataclass(frozen=True)
class DeviceFrames:
    """Images of a batch of poses, as Warp arrays on the renderer's device."""

    rgb: Any
    """uint8, (poses, height, width, 3); None where depth and ids are all that is wanted."""
    depth_m: Any
    """float32, (poses, height, width); planar, 0 where a ray leaves the scene."""
    instance_ids: Any
    """int32, (poses, height, width)."""

    def observation(self) -> Observation:
        """Return the images as numpy arrays; on the CPU without a copy, from CUDA when they are done."""
        return Observation(self.rgb.numpy(), self.depth_m.numpy(), self.instance_ids.numpy())

    def shapes(self) -> Shapes:
        """Return depth and ids as `observation` does."""
        return Shapes(self.depth_m.numpy(), self.instance_ids.numpy())


class BatchRenderer:
    """Renders poses in one or several scenes on one device, in one launch on CUDA.

    Args:
        scenes: what to render.
        device: 'cpu' or 'cuda'.
        threads: CPU threads of a call; the result does not depend on it.
        rgb_samples_per_axis: samples per pixel and axis for the colour; depth and ids always come from the pixel
            centre.
        options: how it works.

    Raises:
        UsageError: no scene; a device, thread or sample count that cannot be.
        EnvironmentProblem: 'cuda' without such a device.
    """

    def __init__(
        self,
        scenes: Sequence[PackedScene],
        *,
        device: str = "cpu",
        threads: int = 1,
        rgb_samples_per_axis: int = 1,
        options: RenderOptions | None = None,
    ) -> None:
        if threads < 1 or rgb_samples_per_axis < 1:
            raise UsageError("renderer: threads and rgb_samples_per_axis must be at least 1")
        if len(scenes) == 0:
            raise UsageError("renderer: no scene")
        self._options = options or RenderOptions()
        self._device = warp_device(device)
        self._samples = rgb_samples_per_axis
        load_kernels(self._options, rgb_samples_per_axis, self._device)
        self.scenes = tuple(DeviceScene(scene, self._device, self._options) for scene in scenes)
        raster = rasterises(self._options, self._device)
        self._workers = RasterWorkers(threads) if raster else RayWorkers(threads, self._device)

    @property
    def visibility(self) -> str:
        """How pixels find what they see: 'rays' or 'raster'."""
        return "raster" if isinstance(self._workers, RasterWorkers) else "rays"

    def render(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        scene_of_pose: Int[np.ndarray, " poses"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Observation:
        """Return RGB, planar depth [m] and instance ids for a batch of poses.

        Args:
            world_from_camera: poses; the camera looks along its +z, +y points down.
            scene_of_pose: index of the scene that each pose is in.
            intrinsics: of the image to render, px; no skew.
            width: px.
            height: px.

        Raises:
            UsageError: an image without pixels, intrinsics with skew, or a scene that is not there.
        """
        frames = self.frames(len(world_from_camera), width, height)
        self.draw(frames, world_from_camera, scene_of_pose, intrinsics)
        return frames.observation()

    def render_shapes(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        scene_of_pose: Int[np.ndarray, " poses"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Shapes:
        """Return depth and instance ids as `render` does, without the colour, which costs most.

        Args:
            world_from_camera: poses; the camera looks along its +z, +y points down.
            scene_of_pose: index of the scene that each pose is in.
            intrinsics: of the image to render, px; no skew.
            width: px.
            height: px.

        Raises:
            UsageError: an image without pixels, intrinsics with skew, or a scene that is not there.
        """
        frames = self.frames(len(world_from_camera), width, height, coloured=False)
        self.draw(frames, world_from_camera, scene_of_pose, intrinsics)
        return frames.shapes()

    def frames(self, poses: int, width: int, height: int, *, coloured: bool = True) -> DeviceFrames:
        """Return memory on the device for `draw` to fill, as often as one likes.

        Args:
            poses: how many.
            width: px.
            height: px.
            coloured: with memory for colour.

        Raises:
            UsageError: an image without pixels, or too many of them.
        """
        pixels = poses * width * height
        if pixels <= 0:
            raise UsageError(f"render: {poses} poses of {width} x {height} pixels: nothing to render")
        if pixels >= 2**31 // 3:
            raise UsageError(f"render: {pixels} pixels in one call; render fewer poses at a time")
        shape = (poses, height, width)
        byte: Any = wp.uint8
        real: Any = wp.float32
        whole: Any = wp.int32
        return DeviceFrames(
            wp.empty((*shape, 3), dtype=byte, device=self._device) if coloured else None,
            wp.empty(shape, dtype=real, device=self._device),
            wp.empty(shape, dtype=whole, device=self._device),
        )

    def draw(
        self,
        frames: DeviceFrames,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        scene_of_pose: Int[np.ndarray, " poses"],
        intrinsics: Float64[np.ndarray, "3 3"],
    ) -> None:
        """Fill frames; on CUDA this returns before they are done.

        Args:
            frames: of `frames`, for as many poses.
            world_from_camera: poses.
            scene_of_pose: index of the scene that each pose is in.
            intrinsics: px; no skew.

        Raises:
            UsageError: intrinsics with skew, or a scene that is not there.
        """
        poses, height, width = frames.depth_m.shape
        if scene_of_pose.min() < 0 or scene_of_pose.max() >= len(self.scenes):
            raise UsageError(f"render: scenes are 0 to {len(self.scenes) - 1}, asked for {scene_of_pose.tolist()}")
        views = self._views(world_from_camera, scene_of_pose, intrinsics, width, height)
        pixels = poses * height * width
        byte: Any = wp.uint8
        if frames.rgb is None:
            views.coloured, views.samples = 0, 1
            rgb = wp.empty((1, 3), dtype=byte, device=self._device)
        else:
            rgb = frames.rgb.reshape((pixels, 3))
        outputs = (rgb, frames.depth_m.flatten(), frames.instance_ids.flatten())
        if isinstance(self._workers, RasterWorkers):
            self._workers.draw(self.scenes, scene_of_pose, views, outputs)
        else:
            self._workers.draw(self.scenes, views, poses, outputs)

    def _views(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        scene_of_pose: Int[np.ndarray, " poses"],
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
        views.scenes = wp.array(scene_of_pose.astype(np.int32), dtype=wp.int32, device=self._device)
        views.width, views.height = width, height
        views.fx, views.fy = float(intrinsics[0, 0]), float(intrinsics[1, 1])
        views.cx, views.cy = float(intrinsics[0, 2]), float(intrinsics[1, 2])
        views.samples = self._samples
        views.coloured = 1
        views.pixel_width = 0.0
        if self._options.mip_maps:
            views.pixel_width = 1.0 / (float(np.sqrt(intrinsics[0, 0] * intrinsics[1, 1])) * self._samples)
        return views
