"""Navigation on flat floors with box-shaped obstacles and straight ramps: exact, by visibility between corners."""

import heapq
import math

import numpy as np

from habitat_sim.boxes import version

MESH_ABOVE_FLOOR = 0.05
_RAISED = np.array([0.0, MESH_ABOVE_FLOOR, 0.0])
_EPS = 1e-4


class NavMeshSettings:
    def __init__(self):
        self.set_defaults()

    def set_defaults(self):
        self.agent_radius, self.agent_height, self.agent_max_climb = 0.1, 1.5, 0.2
        if version() >= (0, 2, 5):
            self.include_static_objects = False

    def __eq__(self, other):
        return isinstance(other, NavMeshSettings) and all(
            abs(value - getattr(other, name)) < 1e-5 for name, value in vars(self).items()
        )

    __hash__ = None


class ShortestPath:
    def __init__(self):
        self.requested_start = self.requested_end = None
        self.points, self.geodesic_distance = [], 0.0


class MultiGoalShortestPath:
    def __init__(self):
        self.requested_start, self.requested_ends = None, []
        self.points, self.geodesic_distance, self.closest_end_point_index = [], 0.0, -1


class _Floor:
    """A rectangle less the agent's radius, less obstacles that are larger by it."""

    def __init__(self, facts, solids, settings):
        self.y = facts["y"] + MESH_ABOVE_FLOOR
        radius = settings.agent_radius
        low_x, low_z, high_x, high_z = facts["rect"]
        self.low = np.array([low_x + radius, low_z + radius])
        self.high = np.array([high_x - radius, high_z - radius])
        self.holes = np.zeros((0, 4))
        holes = []
        for solid in solids:
            corners = solid.corners()
            bottom, top = corners[:, 1].min(), corners[:, 1].max()
            if bottom < facts["y"] + settings.agent_height and top > facts["y"] + settings.agent_max_climb:
                (a, b), (c, d) = corners[:, [0, 2]].min(axis=0) - radius, corners[:, [0, 2]].max(axis=0) + radius
                holes.append((a, b, c, d))
        if holes:
            self.holes = np.array(holes)

    def free(self, points, eps=_EPS):
        points = np.asarray(points, dtype=float).reshape(-1, 2)
        inside = ((points >= self.low - eps) & (points <= self.high + eps)).all(axis=1)
        in_hole = (points[:, None] > self.holes[None, :, :2] + eps) & (points[:, None] < self.holes[None, :, 2:] - eps)
        return inside & ~in_hole.all(axis=2).any(axis=1)

    def cells(self):
        """Rectangles that together are the free floor."""
        lines = [
            np.unique(
                np.clip(
                    [self.low[k], self.high[k], *self.holes[:, k], *self.holes[:, k + 2]], self.low[k], self.high[k]
                )
            )
            for k in (0, 1)
        ]
        found = {}
        for i in range(len(lines[0]) - 1):
            for j in range(len(lines[1]) - 1):
                low, high = (lines[0][i], lines[1][j]), (lines[0][i + 1], lines[1][j + 1])
                if self.free([((low[0] + high[0]) / 2, (low[1] + high[1]) / 2)], 0.0)[0]:
                    found[i, j] = (*low, *high)
        return found

    def sees(self, start, ends):
        """For each end, whether a straight line from the start stays on the free floor."""
        start, ends = np.asarray(start, dtype=float), np.asarray(ends, dtype=float).reshape(-1, 2)
        if not len(self.holes):
            return np.ones(len(ends), dtype=bool)
        way = (ends - start)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            one = (self.holes[None, :, :2] + _EPS - start) / way
            other = (self.holes[None, :, 2:] - _EPS - start) / way
        still = np.abs(way) < 1e-12
        within = (start > self.holes[None, :, :2] + _EPS) & (start < self.holes[None, :, 2:] - _EPS)
        enter = np.where(still, np.where(within, -np.inf, np.inf), np.minimum(one, other)).max(axis=2)
        leave = np.where(still, np.where(within, np.inf, -np.inf), np.maximum(one, other)).min(axis=2)
        blocked = np.maximum(enter, 0.0) < np.minimum(leave, 1.0) - 1e-9
        return ~blocked.any(axis=1)

    def corners(self):
        points = np.concatenate([self.holes[:, [a, b]] for a in (0, 2) for b in (1, 3)]) if len(self.holes) else []
        points = np.array(points).reshape(-1, 2)
        return points[self.free(points)]


class PathFinder:
    def __init__(self):
        self.is_loaded = False
        self.num_islands = 0
        self.nav_mesh_settings = None

    def build(self, scene, solids, settings):
        self._floors = [_Floor(facts, solids, settings) for facts in scene["floors"]]
        self._ramps = [
            (
                ramp["lower"],
                np.array(ramp["from"]) + _RAISED,
                np.array(ramp["to"]) + _RAISED,
                ramp["half_width"],
            )
            for ramp in scene.get("ramps", ())
        ]
        self._cells = [(k, key, cell) for k, floor in enumerate(self._floors) for key, cell in floor.cells().items()]
        self.is_loaded = bool(self._cells)
        self.nav_mesh_settings = settings
        if self.is_loaded:
            rectangles = np.array([cell for _, _, cell in self._cells])
            heights = np.array([self._floors[k].y for k, _, _ in self._cells])
            self._extents = rectangles[:, :2], rectangles[:, 2:], heights
            self._find_islands()
            self._make_graph()
        return self.is_loaded

    def _find_islands(self):
        number = {(k, key): index for index, (k, key, _) in enumerate(self._cells)}
        parent = list(range(len(self._cells)))

        def root(index):
            while parent[index] != index:
                index = parent[index]
            return index

        for (k, (i, j)), index in number.items():
            for beside in ((k, (i + 1, j)), (k, (i, j + 1))):
                if beside in number:
                    parent[root(index)] = root(number[beside])
        self._ramp_cells = []
        for lower, start, end, _ in self._ramps:
            ends = [self._cell_at(lower, start), self._cell_at(lower + 1, end)]
            parent[root(ends[0])] = root(ends[1])
            self._ramp_cells.append(ends[0])
        roots = [root(index) for index in range(len(self._cells))]
        # In an order that says nothing of their sizes.
        order = {value: place for place, value in enumerate(sorted(set(roots), reverse=True))}
        self._island = [order[value] for value in roots]
        self.num_islands = len(order)

    def _cell_at(self, k, point):
        near = [
            (max(cell[0] - point[0], point[0] - cell[2], cell[1] - point[2], point[2] - cell[3]), index)
            for index, (floor, _, cell) in enumerate(self._cells)
            if floor == k
        ]
        return min(near)[1]

    def _quads(self):
        """Corners of every piece that can be walked on, round about, and its island."""
        for index, (k, _, (a, b, c, d)) in enumerate(self._cells):
            y = self._floors[k].y
            yield [(a, y, b), (a, y, d), (c, y, d), (c, y, b)], self._island[index]
        for (_, start, end, half), cell in zip(self._ramps, self._ramp_cells, strict=True):
            way = end - start
            side = half * np.array([-way[2], 0.0, way[0]]) / math.hypot(way[0], way[2])
            yield [start - side, start + side, end + side, end - side], self._island[cell]

    def build_navmesh_vertices(self, island_index=-1):
        quads = [quad for quad, island in self._quads() if island_index in (-1, island)]
        return [np.array(corner, dtype=np.float32) for quad in quads for corner in quad]

    def build_navmesh_vertex_indices(self, island_index=-1):
        count = sum(1 for _, island in self._quads() if island_index in (-1, island))
        return [4 * quad + corner for quad in range(count) for corner in (0, 1, 2, 0, 2, 3)]

    def get_bounds(self):
        corners = np.array(self.build_navmesh_vertices())
        return corners.min(axis=0), corners.max(axis=0)

    def seed(self, new_seed):
        self._random = np.random.default_rng(new_seed)

    def get_random_navigable_point(self, max_tries=10, island_index=-1):
        quads = [quad for quad, island in self._quads() if island_index in (-1, island)] if self.is_loaded else []
        if not quads:
            return np.full(3, np.nan, dtype=np.float32)
        a, b, c, d = (np.array(corner) for corner in quads[self._random.integers(len(quads))])
        u, v = self._random.random(2)
        return ((1 - u) * ((1 - v) * a + v * b) + u * ((1 - v) * d + v * c)).astype(np.float32)

    def _project(self, point):
        """Nearest place on the mesh inside a box of 4 x 8 x 4 m, and where it is: ('floor', k) or ('ramp', k)."""
        point = np.asarray(point, dtype=float)
        low, high, heights = self._extents
        places = np.stack(
            [np.clip(point[0], low[:, 0], high[:, 0]), heights, np.clip(point[2], low[:, 1], high[:, 1])], 1
        )
        inside = (np.abs(places - point) <= [2.0, 4.0, 2.0]).all(axis=1)
        distances = np.where(inside, np.linalg.norm(places - point, axis=1), np.inf)
        index = int(np.argmin(distances))
        found = [(distances[index], "floor", self._cells[index][0], index, places[index])]
        for k, (_, start, end, half) in enumerate(self._ramps):
            way = end - start
            flat = np.array([way[0], 0.0, way[2]])
            along = np.clip((point - start) @ flat / (flat @ flat), 0.0, 1.0)
            side = np.array([-flat[2], 0.0, flat[0]]) / np.linalg.norm(flat)
            place = start + along * way + np.clip((point - start) @ side, -half, half) * side
            if (np.abs(place - point) <= [2.0, 4.0, 2.0]).all():
                found.append((np.linalg.norm(place - point), "ramp", k, self._ramp_cells[k], place))
        nearest = min(found, key=lambda item: item[0])
        return nearest if np.isfinite(nearest[0]) else None

    def snap_point(self, point, island_index=-1):
        found = self._project(point) if self.is_loaded else None
        return np.full(3, np.nan, dtype=np.float32) if found is None else found[4].astype(np.float32)

    def is_navigable(self, pt, max_y_delta=0.5):
        place = self.snap_point(pt)
        if np.isnan(place).any() or abs(place[1] - pt[1]) > max_y_delta:
            return False
        return math.hypot(place[0] - pt[0], place[2] - pt[2]) <= 1e-2

    def get_island(self, point):
        found = self._project(point)
        return -1 if found is None else self._island[found[3]]

    def island_area(self, island_index=-1):
        quads = [np.array(quad) for quad, island in self._quads() if island_index in (-1, island)]
        return float(sum(np.linalg.norm(np.cross(quad[1] - quad[0], quad[3] - quad[0])) for quad in quads))

    def distance_to_closest_obstacle(self, pt, max_search_radius=2.0):
        found = self._project(pt)
        if found is None:
            return math.inf
        _, kind, k, _, place = found
        if kind == "ramp":
            _, start, end, half = self._ramps[k]
            way = np.array([end[0] - start[0], 0.0, end[2] - start[2]])
            side = np.array([-way[2], 0.0, way[0]]) / np.linalg.norm(way)
            return min(max_search_radius, half - abs(float((place - start) @ side)))
        floor, point = self._floors[k], place[[0, 2]]
        distances = [*(point - floor.low), *(floor.high - point)]
        outside = np.maximum(np.maximum(floor.holes[:, :2] - point, point - floor.holes[:, 2:]), 0.0)
        distances += np.linalg.norm(outside, axis=1).tolist()
        return float(min(max_search_radius, max(0.0, min(distances))))

    def get_topdown_view(self, meters_per_pixel, height, eps=0.5):
        low, high = self.get_bounds()
        columns, rows = (int((high[k] - low[k]) / meters_per_pixel) for k in (0, 2))
        view = np.zeros((rows, columns), dtype=bool)
        for row in range(rows):
            points = np.array(
                [(low[0] + w * meters_per_pixel, low[2] + row * meters_per_pixel) for w in range(columns)]
            )
            for floor in self._floors:
                if abs(floor.y - height) <= eps:
                    view[row] |= floor.free(points)
        return view

    def _make_graph(self):
        """Corners and ends of ramps, and who sees whom."""
        self._places, self._links = [], []
        ends = []
        for lower, start, end, _ in self._ramps:
            ends.append((self._add(lower, start[[0, 2]]), self._add(lower + 1, end[[0, 2]])))
        for k, floor in enumerate(self._floors):
            for corner in floor.corners():
                self._add(k, corner)
        for (low, high), (_, start, end, _) in zip(ends, self._ramps, strict=True):
            length = float(np.linalg.norm(end - start))
            self._links[low][high] = self._links[high][low] = length
        self._ramp_ends = ends

    def _add(self, k, point):
        number = len(self._places)
        self._links.append({})
        for other, distance in self._seen_from(k, point):
            self._links[number][other] = self._links[other][number] = distance
        self._places.append((k, np.array(point, dtype=float)))
        return number

    def _seen_from(self, k, point):
        others = [index for index, (floor, _) in enumerate(self._places) if floor == k]
        if not others:
            return []
        places = np.array([self._places[index][1] for index in others])
        seen = self._floors[k].sees(point, places)
        lengths = np.linalg.norm(places - point, axis=1)
        return [(index, float(length)) for index, length, free in zip(others, lengths, seen, strict=True) if free]

    def _attach(self, point):
        """Links of a point that is not in the graph."""
        _, kind, k, _, place = self._project(point)
        if kind == "ramp":
            _, start, end, _ = self._ramps[k]
            low, high = self._ramp_ends[k]
            return (
                place,
                kind,
                k,
                [(low, float(np.linalg.norm(place - start))), (high, float(np.linalg.norm(place - end)))],
            )
        return place, kind, k, self._seen_from(k, place[[0, 2]])

    def find_path(self, path):
        if isinstance(path, MultiGoalShortestPath):
            return self._find_nearest(path)
        path.points, path.geodesic_distance = [], math.inf
        if not self.is_loaded or any(self._project(p) is None for p in (path.requested_start, path.requested_end)):
            return False
        start, goal = self._attach(path.requested_start), self._attach(path.requested_end)
        best, way = math.inf, None
        if start[1:3] == goal[1:3]:
            straight = start[1] == "ramp" or self._floors[start[2]].sees(start[0][[0, 2]], goal[0][[0, 2]])[0]
            if straight:
                best, way = float(np.linalg.norm(goal[0] - start[0])), []
        lengths, before = self._search(start[3])
        for node, length in goal[3]:
            if lengths.get(node, math.inf) + length < best - 1e-9:
                best, way = lengths[node] + length, [node]
        if way is None:
            return False
        while way and before[way[0]] >= 0:
            way.insert(0, before[way[0]])
        middle = [self._places[node] for node in way]
        points = [start[0], *(np.array([p[0], self._floors[k].y, p[1]]) for k, p in middle), goal[0]]
        path.points = [point.astype(np.float32) for point in points]
        path.geodesic_distance = best
        return True

    def _search(self, links):
        lengths, before = {}, {}
        queue = [(length, node, -1) for node, length in links]
        heapq.heapify(queue)
        while queue:
            length, node, previous = heapq.heappop(queue)
            if node in lengths:
                continue
            lengths[node], before[node] = length, previous
            for other, step in self._links[node].items():
                if other not in lengths:
                    heapq.heappush(queue, (length + step, other, node))
        return lengths, before

    def _find_nearest(self, path):
        path.points, path.geodesic_distance, path.closest_end_point_index = [], math.inf, -1
        for index, end in enumerate(path.requested_ends):
            single = ShortestPath()
            single.requested_start, single.requested_end = path.requested_start, end
            if self.find_path(single) and single.geodesic_distance < path.geodesic_distance:
                path.points, path.geodesic_distance = single.points, single.geodesic_distance
                path.closest_end_point_index = index
        return path.closest_end_point_index >= 0
