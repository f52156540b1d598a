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
class Shapes:
    """Images of a batch of poses without their colour."""

    depth_m: Float32[np.ndarray, "poses height width"]
    """Planar depth; 0 where a ray leaves the scene."""
    instance_ids: Int32[np.ndarray, "poses height width"]


@dataclass(frozen=True)
class Lighting:
    """How the lamps of a scene burn."""

    intensity: float = 1.0
    """Factor on all lamps and on the light from outside; positive."""
    warmth: float = 0.0
    """-1 (bluish) to 1 (yellowish); 0 leaves the lamps' own colours."""
    dark_rooms: frozenset[int] = frozenset()
    """Rooms whose lamps are off."""


@dataclass(frozen=True)
class Route:
    """A walkable path, over stairs where it must."""

    points_m: Float64[np.ndarray, "points 3"]
    """World frame, on the floor, start and goal included."""
    length_m: float
    """Sum of the distances between successive points, in space."""


@runtime_checkable
class Navigation(Protocol):
    """Where an agent of the configured radius and height can stand and walk."""

    @property
    def floors_m(self) -> tuple[float, ...]:
        """Heights of the storeys' floors, rising."""
        ...

    def random_point(
        self, rng: np.random.Generator, room_id: int | None = None, floor: int | None = None
    ) -> Float64[np.ndarray, "3"]:
        """Return a navigable point on the floor, in one room or on one storey when that is given."""
        ...

    def snap(self, point_m: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
        """Return the navigable point nearest to `point_m`, on the storey below it."""
        ...

    def is_navigable(self, point_m: Float64[np.ndarray, "3"]) -> bool:
        """Whether an agent can stand there; the floor must lie within half a metre of the point's height."""
        ...

    def clearance_m(self, points_m: Float64[np.ndarray, "points 3"]) -> Float64[np.ndarray, " points"]:
        """Return the distance of each point to the nearest obstacle on the floor plane; 0 inside one."""
        ...

    def island(self, point_m: Float64[np.ndarray, "3"]) -> int:
        """Return the number of the connected part that a point lies in, from 0 (the largest); -1 off the floor."""
        ...

    def shortest_path(
        self, start_m: Float64[np.ndarray, "3"], goal_m: Float64[np.ndarray, "3"], *, roomy: bool = False
    ) -> Route | None:
        """Return the shortest walkable route, or None when there is none.

        Args:
            start_m: world frame.
            goal_m: world frame.
            roomy: prefer some distance from obstacles to the last centimetre of length.
        """
        ...

    def geodesic_distances_m(
        self, start_m: Float64[np.ndarray, "3"], goals_m: Float64[np.ndarray, "goals 3"]
    ) -> Float64[np.ndarray, " goals"]:
        """Return walking distances to many goals in one pass; infinite where there is no way."""
        ...

    def top_down_map(self, floor: int = 0) -> tuple[Bool[np.ndarray, "rows columns"], Float64[np.ndarray, "2"], float]:
        """Return a storey's free cells (rows along +z, columns along +x), world (x, z) of the corner, cell size [m]."""
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
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the loaded scene: what was guessed, what is missing."""
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

    def render_shapes(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Shapes:
        """Return depth and instance ids as `render` does; colour is what costs most, where it can be left out."""
        ...

    def move_object(self, instance_id: int, centre_m: Float64[np.ndarray, "3"], yaw_rad: float) -> None:
        """Put an object where the centre and the yaw of its box are as given; `objects` says so from then on.

        Navigation is not touched: who moves things keeps them off the paths. Loading the scene again puts all back.

        Raises:
            UsageError: no such object, or one that cannot move (a part of the building).
        """
        ...

    def set_lighting(self, lighting: Lighting) -> None:
        """Change the lamps from the next picture on; loading a scene resets them.

        Raises:
            UsageError: the simulator cannot change the lighting of this scene.
        """
        ...
