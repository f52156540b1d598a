"""Pictures of one packed scene: RGB, planar depth and instance ids for a batch of poses."""

import math

import numpy as np
from jaxtyping import Float64

from backsight.records.scene import OrientedBox
from backsight.sim.embedded.batch_renderer import BatchRenderer
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.render_options import RenderOptions
from backsight.sim.simulator import Lighting, Observation, Shapes


class Renderer:
    """Renders one scene on one device.

    Args:
        scene: what to render.
        device: 'cpu' or 'cuda'.
        threads: CPU threads of a call; the result does not depend on it.
        rgb_samples_per_axis: samples per pixel and axis for the colour; depth and ids always come from the pixel
            centre.
        options: how it works.

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
        options: RenderOptions | None = None,
    ) -> None:
        self.batch = BatchRenderer(
            (scene,), device=device, threads=threads, rgb_samples_per_axis=rgb_samples_per_axis, options=options
        )

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
        scene_of_pose = np.zeros(len(world_from_camera), dtype=np.int32)
        return self.batch.render(world_from_camera, scene_of_pose, intrinsics, width, height)

    def render_shapes(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Shapes:
        """Return planar depth [m] and instance ids of a batch of poses, those of `render`, without colour.

        Args:
            world_from_camera: poses; the camera looks along its +z, +y points down.
            intrinsics: of the image to render, px; no skew.
            width: px.
            height: px.

        Raises:
            UsageError: an image without pixels, or intrinsics with skew.
        """
        scene_of_pose = np.zeros(len(world_from_camera), dtype=np.int32)
        return self.batch.render_shapes(world_from_camera, scene_of_pose, intrinsics, width, height)

    def move(self, instance_id: int, loaded: OrientedBox, moved: OrientedBox) -> None:
        """Put an object elsewhere; light and shadows that were worked out when the scene was loaded stay as they are.

        Args:
            instance_id: of the object.
            loaded: its box in the scene as it was loaded.
            moved: where that box is to be.

        Raises:
            UsageError: the scene has no faces of that id.
        """
        turn = moved.yaw_rad - loaded.yaw_rad
        cos, sin = math.cos(turn), math.sin(turn)
        rotation = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
        shift_m = np.array(moved.centre_m) - rotation @ np.array(loaded.centre_m)
        self.batch.scenes[0].move(instance_id, rotation, shift_m)

    def restore(self) -> None:
        """Put all that moved back, and light the lamps as they were."""
        self.batch.scenes[0].restore()
        self.batch.scenes[0].light(Lighting())

    def light(self, lighting: Lighting) -> None:
        """Change the lamps.

        Args:
            lighting: of all rooms.
        """
        self.batch.scenes[0].light(lighting)
