"""All that the rest of the code sees of a simulator."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, UInt8

from backsight.records.scene import Room, SceneObject


@dataclass(frozen=True)
class Observation:
    """Images of a batch of poses."""

    rgb: UInt8[np.ndarray, "poses height width 3"]
    depth_m: Float32[np.ndarray, "poses height width"]
    """Planar depth; 0 where a ray leaves the scene."""
    instance_ids: Int32[np.ndarray, "poses height width"]


@dataclass(frozen=True)
class Route:
    """A walkable path on a floor."""

    points_m: Float64[np.ndarray, "points 3"]
    """World frame, on the floor, start and goal included."""
    length_m: float


@runtime_checkable
class Navigation(Protocol):
    """Where an agent of the configured radius can stand and walk."""

    def random_point(self, rng: np.random.Generator, room_id: int | None = None) -> Float64[np.ndarray, "3"]:
        """Return a navigable point on the floor, in one room when `room_id` is given."""
        ...

    def snap(self, point_m: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
        """Return the navigable point nearest to `point_m` on the floor plane."""
        ...

    def is_navigable(self, point_m: Float64[np.ndarray, "3"]) -> bool:
        """Whether an agent can stand there."""
        ...

    def clearance_m(self, points_m: Float64[np.ndarray, "points 3"]) -> Float64[np.ndarray, " points"]:
        """Return the distance of each point to the nearest obstacle on the floor plane; 0 inside one."""
        ...

    def shortest_path(self, start_m: Float64[np.ndarray, "3"], goal_m: Float64[np.ndarray, "3"]) -> Route | None:
        """Return the shortest walkable route, or None when there is none."""
        ...

    def top_down_map(self) -> tuple[Bool[np.ndarray, "rows columns"], Float64[np.ndarray, "2"], float]:
        """Return free cells (rows along +z, columns along +x), world (x, z) of the corner, and cell size [m]."""
        ...


@runtime_checkable
class Simulator(Protocol):
    """A world that can be loaded, walked in and looked at."""

    name: str
    version: str

    def load_scene(self, scene_id: str) -> None:
        """Load a scene; its content depends on the id and the simulator's version alone."""
        ...

    @property
    def objects(self) -> tuple[SceneObject, ...]:
        """Objects of the loaded scene, structure included, by rising instance id."""
        ...

    @property
    def rooms(self) -> tuple[Room, ...]:
        """Rooms of the loaded scene."""
        ...

    @property
    def navigation(self) -> Navigation:
        """Navigation of the loaded scene."""
        ...

    def render(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Observation:
        """Return RGB, depth and instance ids for a batch of poses in one call."""
        ...
