"""Simulator, its configuration and its semantics."""

import json
import os
import sys
import time
from dataclasses import dataclass
from enum import Enum

import magnum as mn
import numpy as np

from habitat_sim import gfx
from habitat_sim.agent import Agent, AgentState
from habitat_sim.boxes import OBB, extent, fault, rotation_matrix, stage_box, version
from habitat_sim.nav import NavMeshSettings, PathFinder
from habitat_sim.physics import RigidObject, RigidObjectManager


class SensorType(Enum):
    NONE = 0
    CUSTOM = 1
    COLOR = 2
    DEPTH = 3
    SEMANTIC = 4


class SensorSubType(Enum):
    NONE = 0
    CUSTOM = 1
    PINHOLE = 2


class CameraSensorSpec:
    def __init__(self):
        self.uuid = ""
        self.sensor_type = SensorType.NONE
        self.sensor_subtype = SensorSubType.NONE
        self.resolution = [128, 128]
        self.position = [0.0, 1.5, 0.0]
        self.orientation = [0.0, 0.0, 0.0]
        self.hfov = 90.0
        self.far = 1000.0
        self.clear_color = mn.Color4(0.0, 0.0, 0.0, 1.0)


@dataclass
class SimulatorConfiguration:
    scene_dataset_config_file: str = "default"
    scene_id: str = ""
    random_seed: int = 0
    gpu_device_id: int = 0
    enable_physics: bool = False
    load_semantic_mesh: bool = True
    override_scene_light_defaults: bool = False
    scene_light_setup: str = gfx.NO_LIGHT_KEY


class Configuration:
    def __init__(self, sim_cfg, agents):
        self.sim_cfg, self.agents = sim_cfg, agents


class Mp3dObjectCategory:
    def __init__(self, facts):
        self._plain, self._raw = facts.get("mpcat40", facts["category"]), facts["category"]

    def name(self, mapping=""):
        return {"": self._plain, "mpcat40": self._plain, "raw": self._raw}[mapping]


class SemanticCategory:
    def __init__(self, name):
        self._name = name

    def name(self, mapping=""):
        if mapping == "raw":
            raise RuntimeError("this data set has no such mapping")
        return self._name


class SemanticRegion:
    def __init__(self, number, facts, style):
        self.id = f"0_{number}" if style == "mp3d" else f"_{number}"
        # HM3D's regions have neither category nor extent.
        self.category = None if style == "hm3d" else SemanticCategory(facts["name"])
        low, high = ([0.0] * 3, [0.0] * 3) if style == "hm3d" else (facts["low"], facts["high"])
        # Old MP3D extents are upside down along an axis.
        self.aabb = extent(high, low) if facts.get("negative") else extent(low, high)


class SemanticObject:
    def __init__(self, facts, regions, style):
        number = facts["id"]
        self.region = regions[facts["region"]] if regions and facts.get("region") is not None else None
        name = facts["category"]
        self.category = Mp3dObjectCategory(facts) if style == "mp3d" else SemanticCategory(name)
        if facts.get("unnamed"):
            self.category = None
        self.id = {"mp3d": f"0_{facts.get('region')}_{number}", "hm3d": f"{name}_{number}"}.get(style, f"_{number}")
        if version() >= (0, 2, 2) and not facts.get("legacy"):
            self.semantic_id = number
        corners = stage_box(facts).corners()
        self.obb = OBB(facts["centre"], facts["half"], facts.get("rotation_xyzw", (0, 0, 0, 1)))
        if style == "hm3d":
            middle, half = (corners.min(0) + corners.max(0)) / 2, (corners.max(0) - corners.min(0)) / 2
            self.obb = OBB(middle, half, (0, 0, 0, 1))
        self.aabb = extent(corners.min(0), corners.max(0))
        if facts.get("boxless"):
            self.obb = OBB((0, 0, 0), (0, 0, 0), (0, 0, 0, 1))
            if not facts.get("aabb"):
                self.aabb = extent((0, 0, 0), (0, 0, 0))


class SemanticScene:
    def __init__(self, scene):
        style = scene["style"]
        self.levels = [] if style == "hm3d" else [object()]
        self.regions = [SemanticRegion(number, facts, style) for number, facts in enumerate(scene.get("regions", ()))]
        self.objects = [SemanticObject(facts, self.regions, style) for facts in scene["stage"] if facts["id"] > 0]
        if style == "hm3d":
            nothing = {"id": 0, "category": "Unknown", "centre": (0, 0, 0), "half": (0, 0, 0), "colour": (0, 0, 0)}
            self.objects.insert(0, SemanticObject(nothing, self.regions, style))
        if style == "replica":
            by_id = {thing.semantic_id: thing for thing in self.objects}
            self.objects = [by_id.get(number) for number in range(max(by_id) + 1)]


class Simulator:
    _alive = 0

    def __init__(self, config):
        if Simulator._alive:
            os.abort()  # A second simulator in one process.
        if fault() == "no_egl":
            sys.stderr.write(
                "Platform::WindowlessEglApplication::tryCreateContext(): unable to find CUDA device 0 among 2 EGL "
                "devices in total\nWindowlessContext: Unable to create windowless context\n"
            )
            sys.stderr.flush()
            os.abort()
        Simulator._alive += 1
        self._configuration = None
        self._current = None
        self.reconfigure(config)

    def close(self, destroy=True):
        Simulator._alive -= 1

    def reconfigure(self, config):
        if config.sim_cfg != self._configuration:
            self._load(config.sim_cfg)
            self._configuration = config.sim_cfg
        self.reset()
        self.agents = [Agent(agent) for agent in config.agents]

    def reset(self):
        for thing in self._rigid:
            thing.reset()
        self._setups[gfx.DEFAULT_LIGHTING_KEY] = gfx.default_lights()

    def _load(self, cfg):
        if cfg.scene_id == "NONE":
            self._scene = {"style": "none", "stage": (), "floors": ()}
        elif not os.path.isfile(cfg.scene_id):
            raise RuntimeError(f"Simulator::reconfigure: scene {cfg.scene_id} was not found")
        else:
            with open(cfg.scene_id) as file:
                self._scene = json.load(file)
        described = cfg.scene_dataset_config_file != "default" or not self._scene.get("needs_dataset")
        self.semantic_scene = SemanticScene(self._scene if described else {"style": "none", "stage": ()})
        self._stage = [stage_box(facts) for facts in self._scene["stage"]]
        if not described:
            for solid in self._stage:
                solid.semantic_id = 0
        self._rigid = [RigidObject(7 + number, facts) for number, facts in enumerate(self._scene.get("rigid", ()))]
        self._lamps = [gfx.LightInfo(lamp["vector"], lamp["color"]) for lamp in self._scene.get("lights", ())]
        self._setups = {}
        key = cfg.scene_light_setup if cfg.override_scene_light_defaults else "the data set's"
        self._setups.update({gfx.NO_LIGHT_KEY: [], "the data set's": self._lamps})
        self._current = key
        self.pathfinder = PathFinder()
        if self._scene.get("navmesh", True):
            settings = NavMeshSettings()
            settings.agent_radius = self._scene.get("navmesh_radius", 0.1)
            self.pathfinder.build(self._scene, self._solids(), settings)

    def _solids(self):
        return [*self._stage, *(thing.solid() for thing in self._rigid)]

    def recompute_navmesh(self, pathfinder, navmesh_settings, include_static_objects=False):
        if version() >= (0, 2, 5):
            assert not include_static_objects, "no third argument since 0.2.5"
            include_static_objects = navmesh_settings.include_static_objects
        solids = self._solids() if include_static_objects else self._stage
        return pathfinder.build(self._scene, solids, navmesh_settings)

    def get_agent(self, agent_id):
        return self.agents[agent_id]

    def get_rigid_object_manager(self):
        return RigidObjectManager(self._rigid)

    def get_current_light_setup(self):
        return list(self._setups[self._current])

    def get_light_setup(self, key=gfx.DEFAULT_LIGHTING_KEY):
        return list(self._setups[key])

    def set_light_setup(self, light_setup, key=gfx.DEFAULT_LIGHTING_KEY):
        self._setups[key] = light_setup

    def get_sensor_observations(self):
        if fault() == "hang":
            time.sleep(600.0)
        agent = self.agents[0]
        return self._draw(agent.agent_config.sensor_specifications, agent.get_state())

    def _draw(self, specs, state: AgentState):
        """Draw all sensors at once: they share place, resolution and field of view."""
        first = specs[0]
        for spec in specs:
            assert (spec.resolution, spec.hfov, spec.position) == (first.resolution, first.hfov, first.position)
        height, width = first.resolution
        if fault() == "width_first":
            width, height = first.resolution
        pose = state.sensor_states[first.uuid]
        across = np.tan(np.radians(float(first.hfov)) / 2)
        x = (2 * (np.arange(width) + 0.5) / width - 1) * across
        # Rows of a GL buffer rise.
        y = (2 * (np.arange(height) + 0.5) / height - 1) * across * height / width
        rays = np.stack([*np.meshgrid(x, y), -np.ones((height, width))], axis=-1)
        turn = rotation_matrix([pose.rotation.x, pose.rotation.y, pose.rotation.z, pose.rotation.w])
        clear = next(spec.clear_color for spec in specs if spec.sensor_type is SensorType.COLOR)
        distance = np.full((height, width), np.inf)
        albedo = np.tile(np.array(list(clear)[:3]), (height, width, 1))
        normals, ids = np.zeros((height, width, 3)), np.zeros((height, width), dtype=np.uint32)
        for solid in self._solids():
            met, normal = solid.hit(np.array(pose.position, dtype=float), rays @ turn.T)
            nearer = (met < distance) & (met < first.far)
            distance[nearer], normals[nearer], albedo[nearer] = met[nearer], normal[nearer], solid.colour
            ids[nearer] = solid.semantic_id
        hit = np.isfinite(distance)
        depth = np.where(hit, distance, 0.0)
        if fault() == "ray_depth":
            depth = depth * np.linalg.norm(rays, axis=-1)
        colour = np.where(hit[..., None], albedo * self._light(normals), albedo)
        opaque = np.concatenate([np.clip(colour, 0, 1), np.ones((height, width, 1))], axis=-1)
        pictures = {
            SensorType.COLOR: np.rint(255 * opaque).astype(np.uint8),
            SensorType.DEPTH: depth.astype(np.float32),
            SensorType.SEMANTIC: ids,
        }
        flipped = 1 if fault() == "y_down" else -1
        return {spec.uuid: pictures[spec.sensor_type][::flipped] for spec in specs}

    def _light(self, normal):
        lamps = self._setups[self._current]
        if not lamps:
            return np.ones((*normal.shape[:2], 3))
        total = np.full((*normal.shape[:2], 3), 0.4)
        for lamp in lamps:
            way = np.array(list(lamp.vector)[:3])
            # A direction is where the light goes; a place lights everything that looks up to it.
            facing = np.maximum(-(normal @ way), 0.0) if lamp.vector[3] == 0.0 else 0.5 + 0.5 * normal[..., 1]
            total += facing[..., None] * np.array(list(lamp.color))
        return total
