"""Where an agent can stand and walk: a grid made from the triangles of a scene."""

from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.ndimage import distance_transform_edt, label, map_coordinates
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from backsight.records.errors import UsageError
from backsight.sim.embedded.footprints import overlapped_cells
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.simulator import Route

OBSTACLE_FROM_M = 0.1
"""Faces below this height above the floor are stepped over."""
OBSTACLE_TO_M = 1.4
"""Height of the agent: faces above it are walked under."""
COMFORT_M = 0.5
"""Clearance above which a route gains nothing by keeping farther away."""
CROWDING_COST = 1.0
"""A metre of route without any clearance costs this much more than one in the open."""

_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))
_SAMPLES_PER_CELL = 2
_LONGEST_RUN = 8
"""Cells of a straight run between two points at which a route may be bent."""


class GridNavigation:
    """Navigation on one floor: free cells, eroded by the agent's radius, their largest connected part.

    Args:
        scene: faces between `OBSTACLE_FROM_M` and `OBSTACLE_TO_M` are obstacles; objects of category 'floor' say
            where one can walk at all.
        agent_radius_m: clearance an agent needs around its axis.
        cell_m: edge of a grid cell.

    Raises:
        UsageError: the scene has no floor, floors of several heights, or no place where the agent fits.
    """

    def __init__(self, scene: PackedScene, agent_radius_m: float = 0.2, cell_m: float = 0.05) -> None:
        self._cell_m = cell_m
        self._rooms = {room.room_id: room for room in scene.rooms}
        heights = {room.floor_m for room in scene.rooms}
        floors = [thing.instance_id for thing in scene.objects if thing.category == "floor"]
        floor_faces = np.isin(scene.face_instance, floors)
        if len(heights) != 1 or not floor_faces.any():
            raise UsageError(f"navigation: needs floor faces at one height, got heights {sorted(heights)}")
        self._floor_m = heights.pop()
        corners = scene.vertices_m[scene.faces].astype(np.float64)
        on_floor = corners[floor_faces][..., [0, 2]].reshape(-1, 2)
        # Half a cell off: builders like round numbers, and a wall on the line between two cells would block both.
        self._corner_m = on_floor.min(axis=0) - 1.5 * cell_m
        columns, rows = np.ceil((on_floor.max(axis=0) + cell_m - self._corner_m) / cell_m).astype(int).tolist()
        grid = (self._corner_m, cell_m, (rows, columns))
        low, high = self._floor_m + OBSTACLE_FROM_M, self._floor_m + OBSTACLE_TO_M
        obstacle = overlapped_cells(corners[~floor_faces], (low, high), *grid)
        floor = overlapped_cells(corners[floor_faces], (self._floor_m - 0.01, low), *grid)
        self._clearance_cells, self._navigable = _standing_room(floor & ~obstacle, agent_radius_m, cell_m)
        if not self._navigable.any():
            raise UsageError(f"navigation: no place where an agent of radius {agent_radius_m} m fits")
        self._cells = np.argwhere(self._navigable)
        self._cell_number = np.full(self._navigable.shape, -1, dtype=np.int64)
        self._cell_number[self._navigable] = np.arange(len(self._cells))
        self._tree = KDTree(self._centres(self._cells))
        self._graph = self._walk_graph()

    def random_point(self, rng: np.random.Generator, room_id: int | None = None) -> Float64[np.ndarray, "3"]:
        """Return a navigable point on the floor, uniform over the floor or over one room.

        Args:
            rng: source of randomness.
            room_id: room to stay in.

        Raises:
            UsageError: no such room, or the agent fits nowhere in it.
        """
        cells = self._cells
        if room_id is not None:
            if room_id not in self._rooms:
                raise UsageError(f"navigation: no room {room_id}; rooms are {sorted(self._rooms)}")
            low_x, low_z, high_x, high_z = self._rooms[room_id].bounds_m
            x, z = self._centres(cells).T
            cells = cells[(x >= low_x) & (x < high_x) & (z >= low_z) & (z < high_z)]
            if len(cells) == 0:
                raise UsageError(f"navigation: the agent fits nowhere in room {room_id}, or cannot walk there")
        row, column = cells[rng.integers(len(cells))]
        x, z = self._corner_m + (np.array([column, row]) + rng.random(2)) * self._cell_m
        return np.array([x, self._floor_m, z])

    def snap(self, point_m: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
        """Return `point_m` on the floor where it is navigable, else the nearest centre of a navigable cell."""
        if self.is_navigable(point_m):
            return np.array([point_m[0], self._floor_m, point_m[2]])
        _, nearest = self._tree.query(point_m[[0, 2]])
        x, z = self._centres(self._cells[[nearest]])[0]
        return np.array([x, self._floor_m, z])

    def is_navigable(self, point_m: Float64[np.ndarray, "3"]) -> bool:
        """Whether an agent can stand there; the height of the point plays no part."""
        return bool(self._are_navigable(point_m[None, [0, 2]])[0])

    def clearance_m(self, points_m: Float64[np.ndarray, "points 3"]) -> Float64[np.ndarray, " points"]:
        """Return the distance of each point to the nearest obstacle or floor edge [m], bilinear; 0 inside one."""
        return self._clearance(points_m[:, [0, 2]])

    def shortest_path(self, start_m: Float64[np.ndarray, "3"], goal_m: Float64[np.ndarray, "3"]) -> Route | None:
        """Return a short walkable route that keeps some distance from obstacles where it can.

        Args:
            start_m: world frame.
            goal_m: world frame.

        Returns:
            None where start or goal is not navigable. All navigable cells hang together, so else there is a route.
        """
        ends = np.stack([start_m[[0, 2]], goal_m[[0, 2]]])
        if not self._are_navigable(ends).all():
            return None
        start, goal = (self._cell_number[tuple(cell)] for cell in self._cell_of(ends))
        _, before = dijkstra(self._graph, directed=False, indices=start, return_predecessors=True)
        chain = [goal]
        while chain[-1] != start:
            chain.append(before[chain[-1]])
        inner = self._centres(_turning_cells(self._cells[chain[::-1]])[1:-1])
        points = self._pulled(np.concatenate([ends[:1], inner, ends[1:]]))
        length_m = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
        return Route(np.insert(points, 1, self._floor_m, axis=1), length_m)

    def top_down_map(self) -> tuple[Bool[np.ndarray, "rows columns"], Float64[np.ndarray, "2"], float]:
        """Return cells where an agent can stand, the world (x, z) of the map's corner, and cell size [m]."""
        return self._navigable.copy(), self._corner_m.copy(), self._cell_m

    def _centres(self, cells: Int64[np.ndarray, "cells 2"]) -> Float64[np.ndarray, "cells 2"]:
        """Return world (x, z) of cell centres given as (row, column)."""
        return self._corner_m + (cells[:, ::-1] + 0.5) * self._cell_m

    def _cell_of(self, points: Float64[np.ndarray, "points 2"]) -> Int64[np.ndarray, "points 2"]:
        """Return (row, column) of world (x, z)."""
        return np.floor((points - self._corner_m) / self._cell_m).astype(np.int64)[:, ::-1]

    def _are_navigable(self, points: Float64[np.ndarray, "points 2"]) -> Bool[np.ndarray, " points"]:
        """Return for world (x, z) whether their cells are navigable."""
        cells = self._cell_of(points)
        shape = np.array(self._navigable.shape)
        inside = ((cells >= 0) & (cells < shape)).all(axis=1)
        rows, columns = np.clip(cells, 0, shape - 1).T
        return inside & self._navigable[rows, columns]

    def _clearance(self, points: Float64[np.ndarray, "points 2"]) -> Float64[np.ndarray, " points"]:
        """Return clearance of world (x, z)."""
        rows_columns = ((points - self._corner_m) / self._cell_m - 0.5).T[::-1]
        return map_coordinates(self._clearance_cells, rows_columns, order=1, mode="constant", cval=0.0)

    def _walk_graph(self) -> csr_array:
        """Return costs between neighbouring navigable cells; a diagonal step needs both cells beside it free."""
        first, second, cost = [], [], []
        shape = np.array(self._navigable.shape)
        crowding = self._crowding(self._clearance_cells)
        for step in _STEPS:
            there = self._cells + step
            rows, columns = np.clip(there, 0, shape - 1).T
            own_rows, own_columns = self._cells.T
            open_step = ((there >= 0) & (there < shape)).all(axis=1) & self._navigable[rows, columns]
            open_step &= self._navigable[own_rows, columns] & self._navigable[rows, own_columns]
            length_m = float(np.hypot(*step)) * self._cell_m
            mean = (crowding[own_rows, own_columns] + crowding[rows, columns]) / 2
            first.append(np.flatnonzero(open_step))
            second.append(self._cell_number[rows, columns][open_step])
            cost.append(length_m * (1.0 + mean[open_step]))
        pairs = (np.concatenate(first), np.concatenate(second))
        return csr_array((np.concatenate(cost), pairs), shape=(len(self._cells), len(self._cells)))

    def _crowding(self, clearance_m: Float64[np.ndarray, "*any"]) -> Float64[np.ndarray, "*any"]:
        """Return the extra cost of a metre at this clearance."""
        return CROWDING_COST * np.maximum(1.0 - clearance_m / COMFORT_M, 0.0) ** 2

    def _line_cost(self, start: Float64[np.ndarray, "2"], end: Float64[np.ndarray, "2"]) -> float:
        """Return the cost of a straight walk, infinite where it leaves the navigable cells."""
        if not self._are_navigable(self._in_each_cell(start, end)).all():
            return float("inf")
        length_m = float(np.linalg.norm(end - start))
        samples = max(2, int(np.ceil(length_m / self._cell_m * _SAMPLES_PER_CELL)) + 1)
        points = start + (end - start) * np.linspace(0.0, 1.0, samples)[:, None]
        return length_m * float(1.0 + self._crowding(self._clearance(points)).mean())

    def _in_each_cell(
        self, start: Float64[np.ndarray, "2"], end: Float64[np.ndarray, "2"]
    ) -> Float64[np.ndarray, "cells 2"]:
        """Return one point in every cell that a straight line runs through, however short its way in it."""
        cuts = [np.array([0.0, 1.0])]
        first, last = (start - self._corner_m) / self._cell_m, (end - self._corner_m) / self._cell_m
        for low, high in ((first[0], last[0]), (first[1], last[1])):
            if low != high:
                lines = np.arange(np.ceil(min(low, high)), np.floor(max(low, high)) + 1)
                cuts.append((lines - low) / (high - low))
        share = np.sort(np.concatenate(cuts))
        return start + (end - start) * ((share[:-1] + share[1:]) / 2)[:, None]

    def _pulled(self, points: Float64[np.ndarray, "points 2"]) -> Float64[np.ndarray, "pulled 2"]:
        """Return a route with fewer corners: from each point, straight to the farthest one that costs no more."""
        steps = [self._line_cost(start, end) for start, end in pairwise(points)]
        so_far = np.concatenate([[0.0], np.cumsum(steps)])
        kept = [0]
        last = len(points) - 1
        while kept[-1] < last:
            anchor = kept[-1]
            following = anchor + 1
            for candidate in range(last, anchor + 1, -1):
                along_route = so_far[candidate] - so_far[anchor]
                if self._line_cost(points[anchor], points[candidate]) <= along_route * (1.0 + 1e-9):
                    following = candidate
                    break
            kept.append(following)
        return points[kept]


def _standing_room(
    free: Bool[np.ndarray, "rows columns"], agent_radius_m: float, cell_m: float
) -> tuple[Float64[np.ndarray, "rows columns"], Bool[np.ndarray, "rows columns"]]:
    """Return clearance of every cell centre [m] and the largest connected part where the agent fits.

    Free cells that do not hang together with that part (the inside of a wardrobe) count as obstacles.
    """
    connected_free, _ = _parts(free)
    # Half a cell less than between centres: an obstacle may reach up to the edge of its cell.
    clearance_m = np.maximum(_distance_cells(free) - 0.5, 0.0) * cell_m
    parts, count = _parts(free & (clearance_m >= agent_radius_m))
    if count == 0:
        return clearance_m, np.zeros_like(free)
    navigable = parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])
    reachable = connected_free == connected_free[navigable][0]
    return np.where(reachable, clearance_m, 0.0), navigable


def _distance_cells(free: Bool[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows columns"]:
    """Return the distance from each cell centre to the nearest centre that is not free, in cells; the border is not."""
    distance = np.empty(tuple(side + 2 for side in free.shape))
    distance_transform_edt(np.pad(free, 1), distances=distance)
    return distance[1:-1, 1:-1]


def _parts(free: Bool[np.ndarray, "rows columns"]) -> tuple[Int64[np.ndarray, "rows columns"], int]:
    """Return the number of the connected part each cell belongs to, from 1, and how many there are."""
    parts = np.zeros(free.shape, dtype=np.int64)
    label(free, output=parts)
    return parts, int(parts.max())


def _turning_cells(chain: Int64[np.ndarray, "cells 2"]) -> Int64[np.ndarray, "kept 2"]:
    """Return the cells of a grid path where it turns, some of long straight runs, and both ends."""
    steps = np.diff(chain, axis=0)
    kept = np.ones(len(chain), dtype=bool)
    kept[1:-1] = (steps[1:] != steps[:-1]).any(axis=1) | (np.arange(1, len(chain) - 1) % _LONGEST_RUN == 0)
    return chain[kept]
