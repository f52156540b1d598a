"""The embedded simulator: places made from an id, rendered and walked in without anything but pip packages."""

import numpy as np
from jaxtyping import Float64

from backsight.records.errors import UsageError
from backsight.records.scene import Room, SceneObject
from backsight.sim.embedded.lighting.burning import lamps_and_sky
from backsight.sim.embedded.navigation import GridNavigation
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.renderer import Renderer
from backsight.sim.embedded.scenes.procedural import build_scene
from backsight.sim.embedded.scenes.scene_id import parse_scene_id
from backsight.sim.simulator import Lighting, Navigation, Observation

EMBEDDED_VERSION = "1"
"""Raised whenever the same scene id gives other pictures, objects or walkable floor than before."""


class EmbeddedSimulator:
    """Procedural scenes behind the simulator protocol.

    Args:
        device: 'cpu' or 'cuda'.
        threads: CPU threads of a render call; pictures do not depend on it.
        rgb_samples_per_axis: rays per pixel and axis for the colour.
        agent_radius_m: of who walks.
    """

    def __init__(
        self,
        *,
        device: str = "cpu",
        threads: int = 1,
        rgb_samples_per_axis: int = 1,
        agent_radius_m: float = 0.2,
    ) -> None:
        self.name = "embedded"
        self.version = EMBEDDED_VERSION
        self._device = device
        self._threads = threads
        self._samples = rgb_samples_per_axis
        self._agent_radius_m = agent_radius_m
        self._scene_id: str | None = None
        self._scene: PackedScene | None = None
        self._renderer: Renderer | None = None
        self._navigation: GridNavigation | None = None
        self._lighting = Lighting()

    def load_scene(self, scene_id: str) -> None:
        """Build a scene; renderer and navigation follow when they are first asked for.

        Args:
            scene_id: type and seed, options behind them (`scenes/scene_id.py`). Loading the scene that is loaded puts
                its lighting back.

        Raises:
            UsageError: another id.
        """
        wanted = parse_scene_id(scene_id)
        if scene_id == self._scene_id:
            if self._lighting != Lighting():
                self.set_lighting(Lighting())
            return
        self._lighting = Lighting()
        self._scene = build_scene(wanted)
        self._scene_id = scene_id
        self._renderer = None
        self._navigation = None

    @property
    def scene(self) -> PackedScene:
        """Triangles of the loaded scene."""
        if self._scene is None:
            raise UsageError("embedded simulator: no scene loaded; call load_scene first")
        return self._scene

    @property
    def objects(self) -> tuple[SceneObject, ...]:
        """Objects of the loaded scene, structure included, by rising instance id."""
        return tuple(sorted(self.scene.objects, key=lambda thing: thing.instance_id))

    @property
    def rooms(self) -> tuple[Room, ...]:
        """Rooms of the loaded scene."""
        return self.scene.rooms

    @property
    def navigation(self) -> Navigation:
        """Navigation of the loaded scene."""
        if self._navigation is None:
            self._navigation = GridNavigation(self.scene, self._agent_radius_m)
        return self._navigation

    def render(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Observation:
        """Return RGB, depth and instance ids for a batch of poses in one call.

        Args:
            world_from_camera: poses.
            intrinsics: of the image to render, px.
            width: px.
            height: px.
        """
        if self._renderer is None:
            self._renderer = Renderer(
                self.scene,
                device=self._device,
                threads=self._threads,
                rgb_samples_per_axis=self._samples,
            )
            if self._lighting != Lighting():
                self._renderer.light(self._lighting)
        return self._renderer.render(world_from_camera, intrinsics, width, height)

    def set_lighting(self, lighting: Lighting) -> None:
        """Change the lamps from the next picture on; loading a scene resets them.

        Args:
            lighting: relative to the scene as it was loaded.

        Raises:
            UsageError: values out of range, a room that is not there, or no scene loaded.
        """
        lamps_and_sky(self.scene, lighting)
        self._lighting = lighting
        if self._renderer is not None:
            self._renderer.light(lighting)
