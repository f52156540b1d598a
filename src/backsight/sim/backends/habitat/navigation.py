"""Habitat's path finder behind the protocol's navigation."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from backsight.records.errors import UsageError
from backsight.records.scene import Room
from backsight.sim.backends.habitat.config import HabitatConfig
from backsight.sim.backends.habitat.conversions import map_corner_m
from backsight.sim.backends.habitat.navmesh import Navmesh
from backsight.sim.backends.habitat.process import HabitatProcess
from backsight.sim.simulator import Route

MAX_HEIGHT_DIFFERENCE_M = 0.5
"""A point farther above or below the floor does not stand on it."""
CELL_M = 0.05
"""Edge of a cell of top-down maps."""
_TRIES = 100


class HabitatNavigation:
    """Navigation on Habitat's mesh, which is smaller than the floor by the agent's radius.

    Points are drawn here, from the mesh's triangles: Habitat's own sampling goes by the C library's random numbers.

    Args:
        process: With the scene loaded.
        config: Of the agent.
        mesh: The scene's.
        rooms: The scene's.
    """

    def __init__(self, process: HabitatProcess, config: HabitatConfig, mesh: Navmesh, rooms: Sequence[Room]) -> None:
        self._process = process
        self._radius_m = config.agent_radius_m
        self._mesh = mesh
        self._rooms = {room.room_id: room for room in rooms}

    @property
    def floors_m(self) -> tuple[float, ...]:
        """Heights of the storeys' floors, rising; Habitat's mesh may lie up to a voxel (0.2 m) above the surface."""
        return tuple(storey.floor_m for storey in self._mesh.storeys)

    def random_point(
        self, rng: np.random.Generator, room_id: int | None = None, floor: int | None = None
    ) -> Float64[np.ndarray, "3"]:
        """Return a navigable point of the largest island that the room or the storey has some of.

        Args:
            rng: Source of randomness.
            room_id: Room to stay in.
            floor: Storey to stay on.

        Raises:
            UsageError: No such room or storey, or the agent fits nowhere in it.
        """
        bounds_m, heights_m, where = None, None, "the scene"
        if room_id is not None:
            if room_id not in self._rooms:
                raise UsageError(f"habitat: no room {room_id}; rooms are {sorted(self._rooms)}")
            room, where = self._rooms[room_id], f"room {room_id}"
            bounds_m = room.bounds_m
            heights_m = (room.floor_m - MAX_HEIGHT_DIFFERENCE_M, room.floor_m + MAX_HEIGHT_DIFFERENCE_M)
        if floor is not None:
            where = f"{where}, storey {floor}"
            low_m, high_m = self._heights_of(floor)
            heights_m = (low_m, high_m) if heights_m is None else (max(low_m, heights_m[0]), min(high_m, heights_m[1]))
        for _ in range(_TRIES):
            drawn_m = self._mesh.draw(rng, bounds_m, heights_m)
            if drawn_m is None:
                break
            snapped_m, standing, _, _ = self._stand(drawn_m[None])
            # The mesh is made of 32-bit numbers: a point on its rim may lie just beyond it.
            if standing[0] and np.isfinite(snapped_m[0]).all():
                return snapped_m[0]
        raise UsageError(f"habitat: an agent of radius {self._radius_m} m can stand nowhere in {where}")

    def snap(self, point_m: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
        """Return the navigable point nearest to `point_m`, on the storey below it.

        Args:
            point_m: World frame.

        Raises:
            UsageError: Nothing is navigable.
        """
        if not self._mesh.storeys:
            raise UsageError("habitat: the scene has no floor that an agent can stand on")
        floor_m = self._mesh.storeys[self._mesh.storey_below(float(point_m[1]))].floor_m
        lowered_m = np.array([point_m[0], floor_m, point_m[2]])
        snapped_m, standing, _, _ = self._stand(np.stack([point_m, lowered_m]))
        if standing[0]:
            return snapped_m[0]
        if np.isfinite(snapped_m[1]).all():
            return snapped_m[1]
        # Habitat looks 2 m around and 4 m up and down, and answers with NaN where it finds nothing there.
        nearest_m = self._mesh.nearest_m(lowered_m)
        assert nearest_m is not None, "a mesh with storeys has triangles"
        snapped_m, _, _, _ = self._stand(nearest_m[None])
        return snapped_m[0]

    def is_navigable(self, point_m: Float64[np.ndarray, "3"]) -> bool:
        """Whether an agent can stand there, within half a metre of the point's height."""
        return bool(self._stand(point_m[None])[1][0])

    def clearance_m(self, points_m: Float64[np.ndarray, "points 3"]) -> Float64[np.ndarray, " points"]:
        """Return the distance of each point to the nearest obstacle; 0 inside one.

        Habitat knows the rim of its mesh, one agent's radius away from obstacles. Off the mesh, what is left of the
        radius.

        Args:
            points_m: World frame, on the floor.
        """
        snapped_m, standing, _, edges_m = self._stand(points_m)
        off_m = np.linalg.norm((snapped_m - points_m)[:, [0, 2]], axis=1)
        off_m = np.where(np.isfinite(off_m), off_m, np.inf)
        return np.where(standing, self._radius_m + edges_m, np.maximum(self._radius_m - off_m, 0.0))

    def island(self, point_m: Float64[np.ndarray, "3"]) -> int:
        """Return the number of the connected part that a point lies in, from 0 (the largest); -1 off the floor."""
        return self._mesh.island(int(self._stand(point_m[None])[2][0]))

    def shortest_path(
        self, start_m: Float64[np.ndarray, "3"], goal_m: Float64[np.ndarray, "3"], *, roomy: bool = False
    ) -> Route | None:
        """Return the shortest walkable route, or None when there is none.

        Args:
            start_m: World frame.
            goal_m: World frame.
            roomy: Take the route of a wider agent where there is one, and ways to and from it.
        """
        if not self._stand(np.stack([start_m, goal_m]))[1].all():
            return None
        points_m = self._path(start_m, goal_m, roomy=False)
        if points_m is None:
            return None
        if roomy:
            wide_m = self._path(start_m, goal_m, roomy=True)
            joined_m = None if wide_m is None else self._joined(start_m, wide_m, goal_m)
            points_m = points_m if joined_m is None else joined_m
        return _route(points_m)

    def geodesic_distances_m(
        self, start_m: Float64[np.ndarray, "3"], goals_m: Float64[np.ndarray, "goals 3"]
    ) -> Float64[np.ndarray, " goals"]:
        """Return walking distances to many goals in one pass; infinite where there is no way.

        Args:
            start_m: World frame.
            goals_m: World frame.
        """
        standing = self._stand(np.concatenate([start_m[None], goals_m]))[1]
        _, (lengths_m, _) = self._process.ask("paths", {"roomy": False}, [start_m, goals_m])
        return np.where(standing[0] & standing[1:], lengths_m, np.inf)

    def top_down_map(self, floor: int = 0) -> tuple[Bool[np.ndarray, "rows columns"], Float64[np.ndarray, "2"], float]:
        """Return a storey's free cells (rows along +z, columns along +x), world (x, z) of the corner, cell size [m].

        Args:
            floor: Number of the storey.
        """
        self._heights_of(floor)
        request = {"cell_m": CELL_M, "height_m": self.floors_m[floor]}
        header, (free,) = self._process.ask("top_down", request)
        return free.copy(), map_corner_m(np.array(header["low"]), CELL_M), CELL_M

    def _heights_of(self, floor: int) -> tuple[float, float]:
        """Return between which heights a storey lies."""
        floors_m = self.floors_m
        if not 0 <= floor < len(floors_m):
            raise UsageError(f"habitat: no storey {floor}; the scene has {len(floors_m)}, counted from 0")
        return floors_m[floor] - MAX_HEIGHT_DIFFERENCE_M, floors_m[floor] + MAX_HEIGHT_DIFFERENCE_M

    def _stand(self, points_m: Float64[np.ndarray, "points 3"]) -> list[np.ndarray]:
        """Return snapped points, whether they are navigable, Habitat's islands, distances to the mesh's rim."""
        return self._process.ask("stand", {"max_y_delta_m": MAX_HEIGHT_DIFFERENCE_M}, [points_m])[1]

    def _path(
        self, start_m: Float64[np.ndarray, "3"], goal_m: Float64[np.ndarray, "3"], *, roomy: bool
    ) -> Float64[np.ndarray, "points 3"] | None:
        _, (lengths_m, points_m) = self._process.ask("paths", {"roomy": roomy}, [start_m, goal_m[None]])
        return points_m if np.isfinite(lengths_m[0]) and len(points_m) else None

    def _joined(
        self,
        start_m: Float64[np.ndarray, "3"],
        wide_m: Float64[np.ndarray, "points 3"],
        goal_m: Float64[np.ndarray, "3"],
    ) -> Float64[np.ndarray, "joined 3"] | None:
        """Return the way from the start to a wide path, along it, and on to the goal, None where a part is missing."""
        to_m, from_m = self._path(start_m, wide_m[0], roomy=False), self._path(wide_m[-1], goal_m, roomy=False)
        if to_m is None or from_m is None:
            return None
        return np.concatenate([to_m, wide_m[1:-1], from_m])


def _route(points_m: Float64[np.ndarray, "points 3"]) -> Route:
    """Return a route without points that follow themselves; one that goes nowhere has two."""
    steps_m = np.linalg.norm(np.diff(points_m, axis=0), axis=1)
    kept = np.concatenate([[True], steps_m > 1e-6])
    points_m = points_m[kept] if kept.sum() > 1 else points_m[[0, -1]]
    return Route(points_m, float(np.linalg.norm(np.diff(points_m, axis=0), axis=1).sum()))
