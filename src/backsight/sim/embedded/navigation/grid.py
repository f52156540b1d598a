"""Navigation over a grid of layers made from the triangles of a scene: any number of floors, stairs between them."""

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.spatial import KDTree

from backsight.records.errors import UsageError
from backsight.sim.embedded.navigation.ground import find_ground
from backsight.sim.embedded.navigation.layers import Body
from backsight.sim.embedded.navigation.lines import SLACK_M, Lines, Spots
from backsight.sim.embedded.navigation.paths import RouteFinder
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.simulator import Route

AGENT_HEIGHT_M = 1.4
STEP_M = 0.2
_SAME_FLOOR_M = 0.5
"""A point this far above or below a floor is still taken to be on it."""
_ABOVE_M = 0.25
"""A floor this much above a point counts as below it: points on stairs lie between two treads."""
_ROOM_FLOOR_M = 0.3
_TRIES = 8


class GridNavigation:
    """Navigation on every floor of a scene: free cells, eroded by the agent's radius, in connected islands.

    Floors are found from the triangles: faces that look up, unless they belong to furniture or to other parts of the
    building. Stairs are walked on where no step is too high, and what hangs higher than the agent is walked under.

    Args:
        scene: triangles; the objects' categories tell furniture from the building, where they are known.
        agent_radius_m: clearance an agent needs around its axis.
        cell_m: edge of a grid cell.
        agent_height_m: what hangs lower is in the way.
        step_m: highest step that is climbed; furniture is never stepped on.

    Raises:
        UsageError: the scene has no floor, or no place where the agent fits.
    """

    def __init__(
        self,
        scene: PackedScene,
        agent_radius_m: float = 0.2,
        cell_m: float = 0.05,
        *,
        agent_height_m: float = AGENT_HEIGHT_M,
        step_m: float = STEP_M,
    ) -> None:
        body = Body(agent_radius_m, agent_height_m, step_m)
        self._ground = find_ground(scene, body, cell_m)
        self._rooms = {room.room_id: room for room in scene.rooms}
        self._lines = Lines(self._ground)
        self._finder = RouteFinder(self._ground, self._lines)
        self._storey = np.array([view.storey for view in self._ground.views], dtype=np.int64)
        self._choices: dict[tuple[int | None, int | None], Int64[np.ndarray, " nodes"]] = {}
        self._trees: dict[int, tuple[Int64[np.ndarray, " nodes"], KDTree]] = {}

    @property
    def floors_m(self) -> tuple[float, ...]:
        """Heights of the storeys' floors, rising."""
        return self._ground.floors_m

    def random_point(
        self, rng: np.random.Generator, room_id: int | None = None, floor: int | None = None
    ) -> Float64[np.ndarray, "3"]:
        """Return a navigable point, uniform over the floor of the largest island that has any place there.

        Args:
            rng: source of randomness.
            room_id: room to stay in.
            floor: storey to stay on.

        Raises:
            UsageError: no such room or storey, or the agent fits nowhere in it.
        """
        ground = self._ground
        nodes = self._nodes_of(room_id, floor)
        node = int(nodes[rng.integers(len(nodes))])
        sheet = ground.sheet[[node]]
        middle = ground.grid.centres_m(ground.cell[[node]])
        # Not every point of a cell keeps the clearance that its middle has.
        shifts = np.concatenate([rng.random((_TRIES, 2)) - 0.5, np.zeros((1, 2))]) * ground.grid.cell_m
        points = middle + shifts
        fits = self._clear(np.repeat(sheet, len(points)), points)
        x, z = points[int(np.argmax(fits))]
        return np.array([x, ground.height_m[node], z])

    def snap(self, point_m: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
        """Return `point_m` on the floor below it where that is navigable, else the nearest cell's middle of its storey.

        Args:
            point_m: world frame, up to the storey's ceiling above its floor.
        """
        sheet = int(self._sheets_below(point_m[None])[0])
        if sheet >= 0 and self._clear(np.array([sheet]), point_m[None, [0, 2]])[0]:
            return self._on_floor(sheet, point_m[[0, 2]])
        storey = int(self._storeys_below(point_m[None, 1])[0])
        if storey not in self._trees:
            nodes = np.flatnonzero(self._storey[self._ground.sheet] == storey)
            self._trees[storey] = (nodes, KDTree(self._ground.grid.centres_m(self._ground.cell[nodes])))
        nodes, tree = self._trees[storey]
        _, nearest = tree.query(point_m[[0, 2]])
        node = int(nodes[nearest])
        x, z = self._ground.grid.centres_m(self._ground.cell[[node]])[0]
        return np.array([x, self._ground.height_m[node], z])

    def is_navigable(self, point_m: Float64[np.ndarray, "3"]) -> bool:
        """Whether an agent can stand there; the floor must lie within half a metre of the point's height."""
        return int(self._sheet_at(point_m)) >= 0

    def clearance_m(self, points_m: Float64[np.ndarray, "points 3"]) -> Float64[np.ndarray, " points"]:
        """Return the distance of each point to the nearest obstacle or floor edge [m], bilinear; 0 inside one.

        A point belongs to the highest storey whose floor is not above it, and stands on the floor below it that is not
        deeper than half a metre under that storey's: over an opening in a floor the clearance is 0.

        Args:
            points_m: world frame, up to the storey's ceiling above its floor.
        """
        sheets = self._sheets_below(points_m)
        storeys = self._storeys_below(points_m[:, 1])
        main = np.array([int(np.argmax(self._storey == storey)) for storey in range(len(self.floors_m))])
        cells = np.maximum(self._ground.grid.cells_of(points_m[:, [0, 2]]), 0)
        clearance = np.zeros(len(points_m))
        for sheet, view in enumerate(self._ground.views):
            # Beside the floor's edge the distance falls to 0 within a cell; where another floor lies deeper it is 0.
            beside = (sheets < 0) & (main[storeys] == sheet) & (view.source.ravel()[cells] < 0)
            some = (sheets == sheet) | beside
            clearance[some] = self._lines.sample(view.clearance_m, points_m[some][:, [0, 2]])
        return clearance

    def island(self, point_m: Float64[np.ndarray, "3"]) -> int:
        """Return the number of the connected part that a point lies in, from 0 (the largest); -1 off the floor."""
        sheet = self._sheet_at(point_m)
        if sheet < 0:
            return -1
        # The point's own cell may hold no node though it is clear; then one of those round it does.
        nodes = self._nodes_round(sheet, point_m[[0, 2]])
        return int(self._ground.island[nodes[0]]) if len(nodes) else -1

    def shortest_path(
        self, start_m: Float64[np.ndarray, "3"], goal_m: Float64[np.ndarray, "3"], *, roomy: bool = False
    ) -> Route | None:
        """Return the shortest walkable route at any angle, over stairs where it must.

        Args:
            start_m: world frame.
            goal_m: world frame.
            roomy: prefer some distance from obstacles to the last centimetre of length.

        Returns:
            None where start or goal is not navigable, or where no way leads from one to the other.
        """
        ends = [self._spot(point) for point in (start_m, goal_m)]
        start, goal = ends
        if start is None or goal is None:
            return None
        return self._finder.route(start, goal, roomy=roomy)

    def geodesic_distances_m(
        self, start_m: Float64[np.ndarray, "3"], goals_m: Float64[np.ndarray, "goals 3"]
    ) -> Float64[np.ndarray, " goals"]:
        """Return walking distances to many goals in one pass; infinite where there is no way.

        They are lengths over steps in 32 directions: at most 2 % above those of `shortest_path`.

        Args:
            start_m: world frame.
            goals_m: world frame.
        """
        distances = np.full(len(goals_m), np.inf)
        start = self._spot(start_m)
        spots = [self._spot(goal) for goal in goals_m]
        some = [number for number, spot in enumerate(spots) if spot is not None]
        if start is None or not some:
            return distances
        sheets = np.array([int(self._sheet_at(goals_m[number])) for number in some], dtype=np.int64)
        distances[some] = self._finder.distances_m(start, Spots(goals_m[some][:, [0, 2]], sheets))
        return distances

    def top_down_map(self, floor: int = 0) -> tuple[Bool[np.ndarray, "rows columns"], Float64[np.ndarray, "2"], float]:
        """Return cells of a storey where an agent can stand, world (x, z) of the map's corner, and cell size [m].

        Args:
            floor: storey, from 0.

        Raises:
            UsageError: no such storey.
        """
        self._check_floor(floor)
        ground = self._ground
        free = np.zeros(ground.grid.rows * ground.grid.columns, dtype=bool)
        free[ground.cell[self._storey[ground.sheet] == floor]] = True
        return free.reshape(ground.grid.shape), ground.grid.corner_m.copy(), ground.grid.cell_m

    def _check_floor(self, floor: int) -> None:
        if not 0 <= floor < len(self.floors_m):
            raise UsageError(f"navigation: no storey {floor}; storeys are 0 to {len(self.floors_m) - 1}")

    def _nodes_of(self, room_id: int | None, floor: int | None) -> Int64[np.ndarray, " nodes"]:
        """Return the nodes in a room and on a storey, of the largest island that has any there."""
        if (room_id, floor) in self._choices:
            return self._choices[room_id, floor]
        ground = self._ground
        allowed = np.ones(len(ground.cell), dtype=bool)
        if floor is not None:
            self._check_floor(floor)
            allowed &= self._storey[ground.sheet] == floor
        if room_id is not None:
            allowed &= self._in_room(room_id)
        if not allowed.any():
            named = (("room", room_id), ("storey", floor))
            where = " and ".join(f"{name} {value}" for name, value in named if value is not None)
            raise UsageError(f"navigation: the agent fits nowhere in {where}")
        nodes = np.flatnonzero(allowed & (ground.island == ground.island[allowed].min()))
        self._choices[room_id, floor] = nodes
        return nodes

    def _in_room(self, room_id: int) -> Bool[np.ndarray, " nodes"]:
        if room_id not in self._rooms:
            raise UsageError(f"navigation: no room {room_id}; rooms are {sorted(self._rooms)}")
        room = self._rooms[room_id]
        low_x, low_z, high_x, high_z = room.bounds_m
        x, z = self._ground.centres_m.T
        level = np.abs(self._ground.height_m - room.floor_m) <= _ROOM_FLOOR_M
        return level & (x >= low_x) & (x < high_x) & (z >= low_z) & (z < high_z)

    def _storeys_below(self, heights_m: Float64[np.ndarray, " points"]) -> Int64[np.ndarray, " points"]:
        """Return the storey that each height belongs to: the highest whose floor is not above it."""
        return np.maximum(np.searchsorted(np.array(self.floors_m), heights_m + _ABOVE_M, side="right") - 1, 0)

    def _sheets_below(self, points_m: Float64[np.ndarray, "points 3"]) -> Int64[np.ndarray, " points"]:
        """Return the sheet whose floor each point stands above, on its storey; -1 where there is none."""
        cells = self._ground.grid.cells_of(points_m[:, [0, 2]])
        lowest = np.array(self.floors_m)[self._storeys_below(points_m[:, 1])] - _SAME_FLOOR_M
        found = np.full(len(points_m), -1, dtype=np.int64)
        best = np.full(len(points_m), -np.inf)
        for sheet, view in enumerate(self._ground.views):
            if self._storey[sheet] < 0:
                continue
            height = np.where(cells >= 0, view.height_m.ravel()[np.maximum(cells, 0)], np.nan)
            own = view.source.ravel()[np.maximum(cells, 0)] == sheet
            better = own & (height > best) & (height <= points_m[:, 1] + _ABOVE_M) & (height >= lowest)
            found[better], best[better] = sheet, height[better]
        return found

    def _sheet_at(self, point_m: Float64[np.ndarray, "3"]) -> int:
        """Return the sheet on whose floor an agent can stand at a point; -1 where it cannot."""
        cell = int(self._ground.grid.cells_of(point_m[None, [0, 2]])[0])
        if cell < 0:
            return -1
        for sheet, view in enumerate(self._ground.views):
            near = abs(view.height_m.ravel()[cell] - point_m[1]) <= _SAME_FLOOR_M
            if near and view.source.ravel()[cell] == sheet and self._clear(np.array([sheet]), point_m[None, [0, 2]])[0]:
                return sheet
        return -1

    def _spot(self, point_m: Float64[np.ndarray, "3"]) -> Spots | None:
        sheet = self._sheet_at(point_m)
        return None if sheet < 0 else Spots(point_m[None, [0, 2]], np.array([sheet], dtype=np.int64))

    def _on_floor(self, sheet: int, point_xz_m: Float64[np.ndarray, "2"]) -> Float64[np.ndarray, "3"]:
        cell = int(self._ground.grid.cells_of(point_xz_m[None])[0])
        return np.array([point_xz_m[0], self._ground.views[sheet].height_m.ravel()[cell], point_xz_m[1]])

    def _clear(
        self, sheets: Int64[np.ndarray, " points"], points_m: Float64[np.ndarray, "points 2"]
    ) -> Bool[np.ndarray, " points"]:
        """Whether points on the floors of some sheets keep the agent's radius from everything."""
        found = np.zeros(len(sheets), dtype=bool)
        for sheet in np.unique(sheets).tolist():
            some = sheets == sheet
            clearance = self._lines.sample(self._ground.views[sheet].clearance_m, points_m[some])
            found[some] = clearance >= self._ground.body.radius_m - SLACK_M
        return found

    def _nodes_round(self, sheet: int, point_xz_m: Float64[np.ndarray, "2"]) -> Int64[np.ndarray, " nodes"]:
        """Return the nodes of the four cells whose middles lie round a point."""
        grid = self._ground.grid
        around = point_xz_m + (np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)]) * 0.5) * grid.cell_m
        cells = grid.cells_of(around)
        nodes = self._ground.number[sheet].ravel()[cells[cells >= 0]]
        return nodes[nodes >= 0]
