"""Walks through furnished two-storey houses against a fine reference made from sampled triangles."""

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from backsight.records.vocabulary import FURNITURE_CATEGORIES
from backsight.sim.embedded.navigation import GridNavigation
from backsight.sim.embedded.scenes.house_plan import make_house_plan
from backsight.sim.embedded.scenes.procedural import build_scene
from backsight.sim.embedded.scenes.scene_id import SCENE_TYPES, SceneId

CELL_M = 0.025
SAMPLE_M = 0.012
RADIUS_M, HEIGHT_M, STEP_M = 0.2, 1.4, 0.2
MOVES = [
    (a, b) for a in range(-3, 4) for b in range(-3, 4) if np.gcd(a, b) == 1 and (a, b) > (0, 0)
]  # Half of 32 directions: lengths are at most 1.3 % too long before they are pulled straight.


def plan_of(seed):
    kind = SCENE_TYPES.index("two_storey_house")
    return make_house_plan(np.random.default_rng([seed, kind, 0]))


def surface_points(scene):
    """Points all over every triangle, and from which height above a floor each is in the way."""
    furniture = {thing.instance_id for thing in scene.objects if thing.category in FURNITURE_CATEGORIES}
    start = np.array([0.1 if i in furniture else STEP_M for i in scene.face_instance]) + 0.005
    points, least = [], []
    for (a, b, c), height in zip(scene.vertices_m[scene.faces].astype(np.float64), start, strict=True):
        counts = [int(np.ceil(np.linalg.norm(edge) / SAMPLE_M)) + 1 for edge in (b - a, c - a)]
        u, v = np.meshgrid(*(np.linspace(0, 1, count) for count in counts))
        kept = u + v <= 1 + max(1 / counts[0], 1 / counts[1]) / 2
        points.append(a + u[kept, None] * (b - a) + v[kept, None] * (c - a))
        least.append(np.full(kept.sum(), height))
    return np.concatenate(points), np.concatenate(least)


class FineHouse:
    """Nodes of both floors and of the stairs on a fine grid, with their heights along ramps through the treads."""

    def __init__(self, scene, plan):
        points, least = surface_points(scene)
        self.stairs = plan.stairs
        x0, z0, x1, z1 = plan.outer
        self.corner = np.array([x0, z0])
        self.columns, self.rows = np.ceil((np.array([x1, z1]) - self.corner) / CELL_M).astype(int)
        column, row = np.meshgrid(np.arange(self.columns), np.arange(self.rows))
        self.places = self.corner + (np.stack([column.ravel(), row.ravel()], axis=1) + 0.5) * CELL_M
        levels = np.zeros((2, len(self.places)))
        levels[1] = plan.stairs.rise_m
        levels[1, self._in(plan.stairs.opening)] = np.nan
        for step in plan.stairs.steps():
            levels[0, self._in(plan.stairs.frame.rect(step.low_m, step.high_m))] = step.top_m
        self.free = np.zeros(levels.shape, dtype=bool)
        for level in np.unique(levels[~np.isnan(levels)]):
            near = (points[:, 1] > level + least) & (points[:, 1] < level + HEIGHT_M)
            here = levels == level
            sheet, place = np.nonzero(here)
            low, high = self.places[place].min(axis=0) - 0.3, self.places[place].max(axis=0) + 0.3
            near &= ((points[:, [0, 2]] > low) & (points[:, [0, 2]] < high)).all(axis=1)
            fine = np.round(points[near][:, [0, 2]] / 0.004).astype(np.int64) + 50_000
            keys = np.unique(fine[:, 0] * 100_000 + fine[:, 1])
            flat = (np.stack([keys // 100_000, keys % 100_000], axis=1) - 50_000) * 0.004
            away, _ = KDTree(flat).query(self.places[place], distance_upper_bound=RADIUS_M)
            self.free[sheet, place] = away >= RADIUS_M
        self.levels = levels
        self.heights = np.where(self.free, self._ramp(levels), np.nan)

    def _in(self, rect):
        x, z = self.places.T
        return (x >= rect[0]) & (x < rect[2]) & (z >= rect[1]) & (z < rect[3])

    def _ramp(self, levels):
        stairs, frame = self.stairs, self.stairs.frame
        away = self.places - np.array(frame.origin_m)
        u, v = away @ np.array(frame.along), away @ np.array(frame.across)
        middle = stairs.first_risers * stairs.riser_m
        up = np.clip(((u - stairs.foot_m) / stairs.tread_m + 0.5) * stairs.riser_m, 0.0, middle)
        height = levels.copy()
        lane = (v > 0) & (v < stairs.width_m + stairs.gap_m / 2)
        if stairs.has_landing:
            back = np.clip(
                middle + ((stairs.turn_m - u) / stairs.tread_m + 0.5) * stairs.riser_m, middle, stairs.rise_m
            )
            up = np.where(lane, up, back)
            lane = (v > 0) & (v < stairs.breadth_m)
        steps = levels[0] > 0
        before = lane & (u > stairs.foot_m - stairs.tread_m / 2) & (v < stairs.width_m) & (u <= stairs.foot_m)
        height[0] = np.where(steps | before, up, levels[0])
        beyond = np.abs(u - stairs.top_m) < stairs.tread_m / 2
        height[1] = np.where(lane & beyond & ~np.isnan(levels[1]), up, levels[1])
        return height

    def node(self, point, sheet):
        column, row = np.floor((point[[0, 2]] - self.corner) / CELL_M).astype(int)
        return sheet * len(self.places) + row * self.columns + column

    def graph(self):
        cells = self.rows * self.columns
        index = np.arange(cells).reshape(self.rows, self.columns)
        one, two, cost = [], [], []
        for row, column in MOVES:
            here = index[
                max(-row, 0) : self.rows - max(row, 0), max(-column, 0) : self.columns - max(column, 0)
            ].ravel()
            there = here + row * self.columns + column
            for a in (0, 1):
                for b in (0, 1):
                    near = np.abs(self.levels[a, here] - self.levels[b, there]) <= STEP_M
                    linked = self.free[a, here] & self.free[b, there] & near
                    rise = self.heights[b, there[linked]] - self.heights[a, here[linked]]
                    one.append(a * cells + here[linked])
                    two.append(b * cells + there[linked])
                    cost.append(np.hypot(np.hypot(row, column) * CELL_M, rise))
        data = (np.concatenate(cost), (np.concatenate(one), np.concatenate(two)))
        return coo_array(data, shape=(2 * cells, 2 * cells)).tocsr()

    def pulled_length_m(self, chain):
        """Length of a path of nodes after straight lines on one floor, clear on the fine grid, have replaced bends."""
        cells = len(self.places)
        length, place = 0.0, 0
        while place < len(chain) - 1:
            best = place + 1
            for other in (*range(len(chain) - 1, place + 1, -7), place + 1):
                seen = self._straight_m(chain[place], chain[other])
                if seen is not None:
                    best = other
                    break
            straight = self._straight_m(chain[place], chain[best])
            a, b = chain[place], chain[best]
            if straight is None:
                rise = self.heights.ravel()[b] - self.heights.ravel()[a]
                straight = np.hypot(np.linalg.norm(self.places[b % cells] - self.places[a % cells]), rise)
            length += straight
            place = best
        return length

    def _straight_m(self, a, b):
        cells = len(self.places)
        sheet = a // cells
        if sheet != b // cells:
            return None
        start, end = self.places[a % cells], self.places[b % cells]
        count = int(np.ceil(np.linalg.norm(end - start) / CELL_M * 2)) + 1
        line = start + np.linspace(0, 1, count)[:, None] * (end - start)
        column, row = np.floor((line - self.corner) / CELL_M).astype(int).T
        cell = row * self.columns + column
        if not self.free[sheet, cell].all() or np.abs(np.diff(self.levels[sheet, cell])).max(initial=0) > STEP_M:
            return None
        height = self.heights[sheet, cell]
        # The ramp's height is looked up per cell; between the ends it is evened out.
        even = np.convolve(np.pad(height, 4, mode="edge"), np.ones(9) / 9, mode="valid")
        even[[0, -1]] = height[[0, -1]]
        return float(np.hypot(np.linalg.norm(end - start) / (count - 1), np.diff(even)).sum())


def walk_figures(seed):
    """Yield room types, route up, route down and reference length of walks from the hall to each room upstairs."""
    scene, plan = build_scene(SceneId("two_storey_house", seed)), plan_of(seed)
    navigation = GridNavigation(scene)
    fine = FineHouse(scene, plan)
    graph = fine.graph()
    rng = np.random.default_rng(seed)
    start = navigation.random_point(rng, plan.hall_id)
    while start[1] > 0.01 or not fine.free.ravel()[fine.node(start, 0)]:
        start = navigation.random_point(rng, plan.hall_id)
    distance, before = dijkstra(graph, directed=False, indices=fine.node(start, 0), return_predecessors=True)
    for room in scene.rooms:
        if room.floor_m == 0.0 or room.room_id == plan.landing_id:
            continue
        goal = navigation.random_point(rng, room.room_id)
        node = fine.node(goal, 1)
        if not np.isfinite(distance[node]):
            continue
        chain = [node]
        while chain[-1] != fine.node(start, 0):
            chain.append(before[chain[-1]])
        up, down = navigation.shortest_path(start, goal), navigation.shortest_path(goal, start)
        yield room.room_type, plan.stairs.has_landing, up, down, float(distance[node]), fine.pulled_length_m(chain)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_walks_from_the_hall_to_every_room_upstairs_and_back_have_the_fine_references_length(seed):
    count = 0
    for _, _, up, down, stepped_m, pulled_m in walk_figures(seed):
        assert up is not None
        assert down is not None
        reference_m = min(stepped_m, pulled_m)
        assert up.length_m == pytest.approx(reference_m, rel=0.02)
        assert down.length_m == pytest.approx(up.length_m, rel=0.005)
        count += 1
    assert count >= 1
