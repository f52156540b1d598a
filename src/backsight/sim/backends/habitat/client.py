"""Habitat behind the simulator protocol: scenes, pictures, things and lamps, through the worker."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from backsight.records.errors import EnvironmentProblem, UsageError
from backsight.records.scene import Room, SceneObject
from backsight.sim.backends.habitat import advice
from backsight.sim.backends.habitat.config import HabitatConfig
from backsight.sim.backends.habitat.conversions import habitat_poses, hfov_deg, world_from_camera
from backsight.sim.backends.habitat.lamps import lamp_colours
from backsight.sim.backends.habitat.navigation import HabitatNavigation
from backsight.sim.backends.habitat.navmesh import Navmesh
from backsight.sim.backends.habitat.process import HabitatProcess, RefusedError
from backsight.sim.backends.habitat.tables import RigidObject, SceneTables, scene_tables
from backsight.sim.simulator import Lighting, Navigation, Observation, Shapes

EMPTY_SCENE = "NONE"
"""Habitat's name for a world without a stage: enough to make a context."""
MANY_HOLES = 0.05
"""Share of pixels without a surface that is worth a word."""
MANY_UNKNOWN = 0.2
"""Share of pixels with ids of no object that is worth a word."""
_POSE_TOLERANCE = 1e-3
_FILE_SUFFIXES = (".glb", ".gltf", ".ply", ".obj", ".json")

_LOG = logging.getLogger(__name__)


@dataclass
class _Loaded:
    """The loaded scene."""

    scene_id: str
    facts: dict[str, Any]
    tables: SceneTables
    navigation: HabitatNavigation
    objects: dict[int, SceneObject]
    rigid: dict[int, RigidObject]
    checked: bool = False
    """Whether its first pictures have been looked at for what is wrong with them."""


class HabitatSimulator:
    """Habitat in a process of its own; one at a time for each of these.

    Args:
        config: Which Habitat.

    Raises:
        EnvironmentProblem: It can't be started.
    """

    def __init__(self, config: HabitatConfig) -> None:
        self.name = "habitat"
        self._config = config
        self._process = HabitatProcess(config)
        self.version = str(self._process.facts["habitat_version"])
        self._scenes_of_process = 0
        self._loaded: _Loaded | None = None
        self.notes: tuple[str, ...] = ()
        """What a user should know of the loaded scene; each is logged once as well."""

    @property
    def facts(self) -> dict[str, Any]:
        """Versions of the worker's Python, numpy and habitat_sim, and how that was built."""
        return dict(self._process.facts)

    def close(self) -> None:
        """End the process."""
        self._process.close()
        self._loaded = None

    def load_scene(self, scene_id: str) -> None:
        """Load a scene, or put the loaded one back as it was.

        Args:
            scene_id: A scene file, or the name that the scene data set has for a scene.

        Raises:
            UsageError: No such file, or Habitat refuses it.
            EnvironmentProblem: Habitat dies of it; says how.
        """
        if scene_id.endswith(_FILE_SUFFIXES) and not Path(scene_id).is_file():
            raise UsageError(f"habitat: no scene {scene_id!r}: there is no such file")
        dataset = self._config.scene_dataset
        if dataset != "default" and not Path(dataset).is_file():
            raise UsageError(f"habitat: --scene-dataset {dataset}: there is no such file")
        self._freshen()
        self._loaded = None
        self._scenes_of_process += 1
        try:
            facts, _ = self._process.ask("load", self._load_request(scene_id))
            _, (corners_m, islands) = self._process.ask("navmesh")
        except RefusedError as error:
            raise UsageError(f"habitat: can't load {scene_id!r}: {error}") from None
        mesh = Navmesh(corners_m, islands)
        tables = scene_tables(facts, mesh.storeys)
        navigation = HabitatNavigation(self._process, self._config, mesh, tables.rooms)
        objects = {thing.instance_id: thing for thing in tables.objects}
        self._loaded = _Loaded(scene_id, facts, tables, navigation, objects, dict(tables.rigid))
        self.notes = ()
        if not facts["lamps"] and scene_id != EMPTY_SCENE:
            self._note(advice.UNLIT)
        if tables.unnamed > len(objects) / 2:
            self._note(advice.FOREIGN_NAMES.format(unnamed=tables.unnamed, objects=tables.labelled))
        if tables.boxless:
            self._note(advice.BOXLESS.format(boxless=tables.boxless, objects=tables.labelled))

    @property
    def objects(self) -> tuple[SceneObject, ...]:
        """Objects of the loaded scene, structure included, by rising instance id."""
        objects = self._scene().objects
        return tuple(objects[number] for number in sorted(objects))

    @property
    def rooms(self) -> tuple[Room, ...]:
        """Rooms of the loaded scene: the data set's regions, else one room per storey."""
        return self._scene().tables.rooms

    @property
    def navigation(self) -> Navigation:
        """Navigation of the loaded scene."""
        return self._scene().navigation

    def render(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Observation:
        """Return RGB, planar depth [m] and instance ids for a batch of poses.

        Args:
            world_from_camera: Poses with OpenCV axes.
            intrinsics: px; square pixels, centred.
            width: px.
            height: px.

        Raises:
            UsageError: Intrinsics that Habitat's cameras can't have, or nothing to render.
        """
        scene = self._scene()
        count = len(world_from_camera)
        if min(count, width, height) <= 0:
            raise UsageError(f"habitat: {count} poses of {width} x {height} pixels: nothing to render")
        camera = {"width": width, "height": height, "hfov_deg": hfov_deg(intrinsics, width, height)}
        rgb = np.empty((count, height, width, 3), dtype=np.uint8)
        depth_m = np.empty((count, height, width), dtype=np.float32)
        semantic = np.empty((count, height, width), dtype=np.int32)
        answers = self._process.ask_many("render", count, camera, habitat_poses(world_from_camera))
        taken = 0
        try:
            for header, pictures in answers:
                _check_pose(header, world_from_camera[taken])
                _check_shapes(pictures, height, width)
                rgb[taken], depth_m[taken], semantic[taken] = pictures
                taken += 1
        except RefusedError as error:
            raise EnvironmentProblem(f"habitat: can't render {scene.scene_id!r}: {error}") from None
        finally:
            if taken < count:
                # Pictures that nobody has taken would be the answers to the next request.
                self._process.close()
        instance_ids = np.where(np.isin(semantic, list(scene.objects)), semantic, 0).astype(np.int32)
        self._look_at(scene, depth_m, semantic, instance_ids)
        return Observation(rgb, depth_m, instance_ids)

    def render_shapes(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Shapes:
        """Return depth and instance ids of `render`; Habitat draws the colour all the same.

        Args:
            world_from_camera: Poses with OpenCV axes.
            intrinsics: px; square pixels, centred.
            width: px.
            height: px.

        Raises:
            UsageError: Intrinsics that Habitat's cameras can't have, or nothing to render.
        """
        seen = self.render(world_from_camera, intrinsics, width, height)
        return Shapes(seen.depth_m, seen.instance_ids)

    def move_object(self, instance_id: int, centre_m: Float64[np.ndarray, "3"], yaw_rad: float) -> None:
        """Put a rigid object elsewhere; what is a part of a scan can't move.

        Args:
            instance_id: Of the object.
            centre_m: Centre of its box, world frame.
            yaw_rad: Of its box.

        Raises:
            UsageError: No such object, or it is a part of the stage.
        """
        scene = self._scene()
        if instance_id not in scene.objects:
            raise UsageError(f"habitat: the scene has no object {instance_id}")
        thing = scene.objects[instance_id]
        if instance_id not in scene.rigid:
            raise UsageError(f"habitat: object {instance_id} ({thing.category}) is a part of the scan and can't move")
        moved = scene.rigid[instance_id].moved(centre_m, yaw_rad)
        place = {"position": moved.position_m.tolist(), "rotation_xyzw": moved.rotation_xyzw.tolist()}
        self._process.ask("move", {"object_id": moved.object_id, **place})
        scene.rigid[instance_id] = moved
        scene.objects[instance_id] = SceneObject(
            instance_id, thing.category, thing.room_id, moved.box(), thing.colour, name=thing.name
        )

    def set_lighting(self, lighting: Lighting) -> None:
        """Change the lamps from the next picture on; loading a scene resets them.

        Args:
            lighting: Factors on the scene's own lamps.

        Raises:
            UsageError: The scene is unlit, as scans are, or the lamps of a dark room are not in that room.
        """
        scene = self._scene()
        self._process.ask("light", {}, [lamp_colours(scene.facts["lamps"], self.rooms, lighting)])

    def _scene(self) -> _Loaded:
        if self._loaded is None:
            raise UsageError("habitat: no scene loaded; call load_scene first")
        return self._loaded

    def _load_request(self, scene_id: str) -> dict[str, Any]:
        config = self._config
        return {
            "scene_id": scene_id,
            "scene_dataset": config.scene_dataset,
            "gpu_device_id": config.gpu_device_id,
            "lighting": config.lighting,
            "clear_colour": config.clear_colour,
            "agent_radius_m": config.agent_radius_m,
            "agent_height_m": config.agent_height_m,
            "max_climb_m": config.max_climb_m,
        }

    def _freshen(self) -> None:
        """Have a fresh process where the old one has had its scenes, has died, or has failed to load one."""
        failed = self._scenes_of_process > 0 and self._loaded is None
        if failed or not self._process.alive or self._scenes_of_process >= self._config.scenes_per_worker:
            self._process.close()
            self._process = HabitatProcess(self._config)
            self._scenes_of_process = 0

    def _look_at(self, scene: _Loaded, depth_m: np.ndarray, semantic: np.ndarray, instance_ids: np.ndarray) -> None:
        """Say once per scene what its pictures lack."""
        if scene.checked:
            return
        scene.checked = True
        different = len(np.unique(semantic))
        if scene.tables.labelled <= 1 or different <= 1:
            self._note(advice.NO_SEMANTICS.format(objects=scene.tables.labelled, ids=different))
        holes = float((depth_m == 0.0).mean())
        if holes > MANY_HOLES:
            self._note(advice.HOLES.format(share=holes))
        unknown = float(((semantic > 0) & (instance_ids == 0)).mean())
        if unknown > MANY_UNKNOWN:
            self._note(advice.LABELS_MISSING.format(unknown=unknown))

    def _note(self, text: str) -> None:
        self.notes = (*self.notes, text)
        _LOG.warning("habitat: %s: %s", self._scene().scene_id, text)


def _check_pose(header: dict[str, Any], asked: Float64[np.ndarray, "4 4"]) -> None:
    """Refuse pictures from elsewhere: Habitat says itself where each was taken, by another way than it was told."""
    there = world_from_camera(np.array([header["position"]]), np.array([header["rotation_xyzw"]]))[0]
    if np.abs(there - asked).max() > _POSE_TOLERANCE * max(1.0, float(np.abs(asked).max())):
        raise EnvironmentProblem(
            f"habitat: asked for the pose\n{np.round(asked, 4)}\nit took the picture at\n{np.round(there, 4)}\n"
            "this version of habitat_sim reads poses otherwise than the documented ones do"
        )


def _check_shapes(pictures: list[np.ndarray], height: int, width: int) -> None:
    shapes = [picture.shape[:2] for picture in pictures]
    if any(shape != (height, width) for shape in shapes):
        raise EnvironmentProblem(f"habitat: asked for {height} rows of {width} pixels, got pictures of {shapes}")
