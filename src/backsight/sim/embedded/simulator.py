"""The embedded simulator: places made from an id, rendered and walked in without anything but pip packages."""

import math
from pathlib import Path

import msgspec
import numpy as np
from jaxtyping import Float64

from backsight.records.errors import DataError, UsageError
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.sim.embedded.lighting.burning import lamps_and_sky
from backsight.sim.embedded.navigation import GridNavigation
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.renderer import Renderer
from backsight.sim.embedded.scans.build import build_scan
from backsight.sim.embedded.scans.folder import scan_path
from backsight.sim.embedded.scans.reading import SUFFIXES
from backsight.sim.embedded.scenes.procedural import build_scene
from backsight.sim.embedded.scenes.scene_id import parse_scene_id
from backsight.sim.simulator import Lighting, Navigation, Observation, Shapes

EMBEDDED_VERSION = "3"
"""Raised whenever the same scene id gives other pictures, objects or walkable floor than before."""


class EmbeddedSimulator:
    """Procedural scenes behind the simulator protocol.

    Args:
        device: 'cpu' or 'cuda'.
        threads: CPU threads of a render call; pictures do not depend on it.
        rgb_samples_per_axis: rays per pixel and axis for the colour.
        agent_radius_m: of who walks.
        scene_dir: folder of scene files; their paths inside it are scene ids too.
    """

    def __init__(
        self,
        *,
        device: str = "cpu",
        threads: int = 1,
        rgb_samples_per_axis: int = 1,
        agent_radius_m: float = 0.2,
        scene_dir: Path | None = None,
    ) -> None:
        self.name = "embedded"
        self.version = EMBEDDED_VERSION
        self._device = device
        self._threads = threads
        self._samples = rgb_samples_per_axis
        self._agent_radius_m = agent_radius_m
        self._scene_dir = scene_dir
        self._scene_id: str | None = None
        self._scene: PackedScene | None = None
        self._notes: tuple[str, ...] = ()
        self._renderer: Renderer | None = None
        self._navigation: GridNavigation | None = None
        self._moved: dict[int, OrientedBox] = {}
        self._lighting = Lighting()

    def load_scene(self, scene_id: str) -> None:
        """Build a scene; renderer and navigation follow when they are first asked for.

        Args:
            scene_id: type and seed, options behind them (`scenes/scene_id.py`), or a file inside the scene folder, such
                as 'kitchen.glb'. Loading the scene that is loaded puts moved objects back and resets the lamps.

        Raises:
            UsageError: another id.
            DataError: the scene file cannot be used.
        """
        if scene_id != self._scene_id:
            self._scene, self._notes = self._built(scene_id)
            self._scene_id = scene_id
            self._renderer = None
            self._navigation = None
        elif self._renderer is not None and (self._moved or self._lighting != Lighting()):
            self._renderer.restore()
        self._moved = {}
        self._lighting = Lighting()

    def _built(self, scene_id: str) -> tuple[PackedScene, tuple[str, ...]]:
        if not _names_a_file(scene_id):
            return build_scene(parse_scene_id(scene_id)), ()
        if self._scene_dir is None:
            raise UsageError(
                f"embedded simulator: {scene_id!r} is a scene file; say where with scene_dir (--scene-dir)"
            )
        scan = build_scan(scan_path(self._scene_dir, scene_id))
        return scan.scene, scan.notes

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed or left out when the loaded scene was read from a file; empty for others."""
        return self._notes

    @property
    def scene(self) -> PackedScene:
        """Triangles of the loaded scene."""
        if self._scene is None:
            raise UsageError("embedded simulator: no scene loaded; call load_scene first")
        return self._scene

    @property
    def objects(self) -> tuple[SceneObject, ...]:
        """Objects of the loaded scene where they are now, structure included, by rising instance id."""
        now = (
            msgspec.structs.replace(thing, box=self._moved[thing.instance_id])
            if thing.instance_id in self._moved
            else thing
            for thing in self.scene.objects
        )
        return tuple(sorted(now, key=lambda thing: thing.instance_id))

    @property
    def rooms(self) -> tuple[Room, ...]:
        """Rooms of the loaded scene."""
        return self.scene.rooms

    @property
    def navigation(self) -> Navigation:
        """Navigation of the loaded scene."""
        if self._navigation is None:
            self._navigation = self._walkable()
        return self._navigation

    def _walkable(self) -> GridNavigation:
        try:
            return GridNavigation(self.scene, self._agent_radius_m)
        except UsageError as error:
            if self._scene_id is None or not _names_a_file(self._scene_id):
                raise
            # One scene file that cannot be walked in is no reason to stop work on the others.
            advice = "check up axis, scale and floors in its side-car file"
            raise DataError(self._scene_id, "floor", str(error), advice) from error

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
        return self._ready_renderer().render(world_from_camera, intrinsics, width, height)

    def render_shapes(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Shapes:
        """Return depth and instance ids as `render` does, without colour: in a sixth of the time.

        Args:
            world_from_camera: poses.
            intrinsics: of the image to render, px.
            width: px.
            height: px.
        """
        return self._ready_renderer().render_shapes(world_from_camera, intrinsics, width, height)

    def _ready_renderer(self) -> Renderer:
        if self._renderer is None:
            self._renderer = Renderer(
                self.scene,
                device=self._device,
                threads=self._threads,
                rgb_samples_per_axis=self._samples,
            )
            for instance_id, box in self._moved.items():
                self._renderer.move(instance_id, self._loaded(instance_id).box, box)
            if self._lighting != Lighting():
                self._renderer.light(self._lighting)
        return self._renderer

    def move_object(self, instance_id: int, centre_m: Float64[np.ndarray, "3"], yaw_rad: float) -> None:
        """Put an object where the centre and the yaw of its box are as given.

        It moves alone: what stands on it (`supported_by`) stays, and who moves a table with its cup moves both. Shadows
        and light that were worked out when the scene was loaded stay as well, and so does the navigation.

        Args:
            instance_id: of an object of the scene.
            centre_m: of its box, world frame.
            yaw_rad: of its box.

        Raises:
            UsageError: no such object, one that cannot move (a part of the building), or a place that is no number.
        """
        loaded = self._loaded(instance_id)
        if loaded.is_structure:
            raise UsageError(f"move_object: {instance_id} is a {loaded.category}, a part of the building")
        x, y, z = (float(value) for value in centre_m)
        if not all(math.isfinite(value) for value in (x, y, z, yaw_rad)):
            raise UsageError(f"move_object: {instance_id} cannot be moved to {(x, y, z)} with yaw {yaw_rad}")
        box = OrientedBox((x, y, z), loaded.box.size_m, float(yaw_rad))
        if self._renderer is not None:
            self._renderer.move(instance_id, loaded.box, box)
        self._moved[instance_id] = box

    def set_lighting(self, lighting: Lighting) -> None:
        """Change the lamps from the next picture on; loading a scene resets them.

        Args:
            lighting: of all rooms.

        Raises:
            UsageError: no positive intensity, a warmth outside -1 to 1, or a room that is not there.
        """
        lamps_and_sky(self.scene, lighting)
        if self._renderer is not None:
            self._renderer.light(lighting)
        self._lighting = lighting

    def _loaded(self, instance_id: int) -> SceneObject:
        """Return an object as the scene was loaded."""
        for thing in self.scene.objects:
            if thing.instance_id == instance_id:
                return thing
        raise UsageError(f"embedded simulator: no object {instance_id} in this scene")


def _names_a_file(scene_id: str) -> bool:
    return Path(scene_id).suffix.lower() in SUFFIXES
