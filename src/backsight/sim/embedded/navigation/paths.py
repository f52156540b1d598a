"""Routes over the ground: a search over steps between cells, pulled straight and then tightened between them."""

import numpy as np
from jaxtyping import Float64, Int64
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from backsight.sim.embedded.navigation.ground import Ground
from backsight.sim.embedded.navigation.lines import Lines, Spots, in_view, joined
from backsight.sim.embedded.navigation.links import EIGHT, THIRTY_TWO, step_graph
from backsight.sim.simulator import Route

_WINDOW_CELLS = 6
"""A search begins and ends at the nodes in sight this far round its ends."""
_LONGEST_RUN = 8
"""Steps of a straight run between two nodes at which a route may be bent."""
_SHARES = np.array([1.0, 0.8, 0.6, 0.4, 0.25, 0.12, 0.05])
"""How far a corner is tried to be moved towards the line between its neighbours."""
_ROUNDS = 5
_BESIDE_M = 0.12
"""New corners are put this far from the old ones, so that a bend becomes round."""
_HEIGHT_STEP_M = 0.05
_HEIGHT_SLACK_M = 0.002


class RouteFinder:
    """Finds routes and distances over a ground; graphs are made when they are first needed."""

    def __init__(self, ground: Ground, lines: Lines) -> None:
        self._ground = ground
        self._lines = lines
        self._graphs: dict[bool, csr_array] = {}

    def route(self, start: Spots, goal: Spots, *, roomy: bool) -> Route | None:
        """Return a route from one spot to another, or None where there is none.

        Args:
            start: one spot.
            goal: one spot.
            roomy: keep some distance from obstacles; else it is as short as can be.
        """
        if not roomy and np.isfinite(self._lines.costs(start, goal, loose=True)[0]):
            return self._in_space(joined(start, goal))
        graph = self._graph(roomy)
        from_start, to_goal = self._window(start, roomy), self._window(goal, roomy)
        if len(from_start[0]) == 0 or len(to_goal[0]) == 0:
            return None
        source = len(self._ground.cell)
        apart = float(np.linalg.norm(start.points_m - goal.points_m))
        for limit in (2.0 * apart + 2.0, np.inf):
            distance, before = dijkstra(
                _with_source(graph, from_start), indices=source, return_predecessors=True, limit=limit
            )
            total = distance[to_goal[0]] + to_goal[1]
            if np.isfinite(total).any():
                break
        else:
            return None
        chain = [int(to_goal[0][np.argmin(total)])]
        while chain[-1] != source:
            chain.append(int(before[chain[-1]]))
        way = joined(start, self._nodes(self._thinned(np.array(chain[-2::-1]), roomy)), goal)
        way = self._pulled(way, roomy)
        if not roomy:
            way = self._pulled(self._tightened(way), roomy)
        return self._in_space(way)

    def distances_m(self, start: Spots, goals: Spots) -> Float64[np.ndarray, " goals"]:
        """Return walking distances from one spot to many, infinite where there is no way.

        Args:
            start: one spot.
            goals: any number.
        """
        count = len(goals)
        found = self._lines.costs(start.pick(np.zeros(count, dtype=np.int64)), goals, loose=True)
        hidden = np.flatnonzero(np.isinf(found))
        from_start = self._window(start, False)
        if len(hidden) == 0 or len(from_start[0]) == 0:
            return found
        graph = self._graph(False)
        distance = dijkstra(_with_source(graph, from_start), indices=len(self._ground.cell))
        for goal in hidden.tolist():
            nodes, away = self._window(goals.pick(np.array([goal])), False)
            if len(nodes):
                found[goal] = float((distance[nodes] + away).min())
        return found

    def _graph(self, roomy: bool) -> csr_array:
        if roomy not in self._graphs:
            self._graphs[roomy] = step_graph(self._ground, EIGHT if roomy else THIRTY_TWO, roomy=roomy)
        return self._graphs[roomy]

    def _nodes(self, nodes: Int64[np.ndarray, " nodes"]) -> Spots:
        ground = self._ground
        return Spots(ground.grid.centres_m(ground.cell[nodes]), ground.sheet[nodes])

    def _window(self, spot: Spots, roomy: bool) -> tuple[Int64[np.ndarray, " nodes"], Float64[np.ndarray, " nodes"]]:
        """Return nodes in sight round a spot, and what it costs to walk there straight."""
        grid = self._ground.grid
        cell = int(grid.cells_of(spot.points_m)[0])
        row, column = divmod(cell, grid.columns)
        rows = np.arange(max(row - _WINDOW_CELLS, 0), min(row + _WINDOW_CELLS + 1, grid.rows))
        columns = np.arange(max(column - _WINDOW_CELLS, 0), min(column + _WINDOW_CELLS + 1, grid.columns))
        seen = self._ground.number[int(spot.sheet[0])][np.ix_(rows, columns)].ravel()
        nodes = seen[seen >= 0]
        if len(nodes) == 0:
            return nodes, np.zeros(0)
        ends = self._nodes(nodes)
        away = self._lines.costs(spot.pick(np.zeros(len(nodes), dtype=np.int64)), ends, roomy=roomy, loose=True)
        near = np.isfinite(away)
        return nodes[near], away[near]

    def _thinned(self, chain: Int64[np.ndarray, " nodes"], roomy: bool) -> Int64[np.ndarray, " kept"]:
        """Return the nodes of a path where it turns, some of its straight runs, and all of runs that no view covers."""
        turning = _turning(chain, self._ground)
        ends = self._nodes(chain[turning])
        steps = self._lines.costs(ends.pick(np.arange(len(ends) - 1)), ends.pick(np.arange(1, len(ends))), roomy=roomy)
        kept = np.zeros(len(chain), dtype=bool)
        kept[turning] = True
        for gap in np.flatnonzero(np.isinf(steps)).tolist():
            kept[turning[gap] : turning[gap + 1]] = True
        return chain[kept]

    def _pulled(self, way: Spots, roomy: bool) -> Spots:
        """Return a way with fewer corners: from each, straight to the farthest one that costs no more."""
        last = len(way) - 1
        steps = self._lines.costs(way.pick(np.arange(last)), way.pick(np.arange(1, last + 1)), roomy=roomy)
        # One step between cells at the edge of two views may be in sight from neither.
        plain = np.linalg.norm(np.diff(way.points_m, axis=0), axis=1)
        so_far = np.concatenate([[0.0], np.cumsum(np.where(np.isinf(steps), 2.0 * plain, steps))])
        kept = [0]
        while kept[-1] < last:
            anchor = kept[-1]
            later = np.arange(anchor + 1, last + 1)
            direct = self._lines.costs(way.pick(np.full(len(later), anchor)), way.pick(later), roomy=roomy)
            along = (so_far[later] - so_far[anchor]) * (1.0 + 1e-9)
            shorter = np.flatnonzero(np.isfinite(direct) & (direct <= along))
            kept.append(int(later[shorter[-1]]) if len(shorter) else anchor + 1)
        return way.pick(np.array(kept))

    def _tightened(self, way: Spots) -> Spots:
        """Return a way whose corners have been moved to where it is shortest, between the cells' middles too."""
        for number in range(_ROUNDS):
            before = way
            if number < 2:
                way = _with_corners_beside(way, self._ground)
            for parity in (1, 2):
                corners = np.arange(parity, len(way) - 1, 2)
                if len(corners):
                    way = self._moved(way, corners)
            if number > 0 and np.array_equal(way.points_m, before.points_m):
                break
        return way

    def _moved(self, way: Spots, corners: Int64[np.ndarray, " corners"]) -> Spots:
        """Return a way with some corners (no two in a row) moved as far towards their neighbours' line as is clear."""
        points = way.points_m
        before, after, here = points[corners - 1], points[corners + 1], points[corners]
        along = after - before
        square = np.maximum((along**2).sum(axis=1), 1e-12)
        share = np.clip(((here - before) * along).sum(axis=1) / square, 0.05, 0.95)
        foot = before + share[:, None] * along
        tried = here[:, None] + _SHARES[:, None] * (foot - here)[:, None]
        count = len(_SHARES)
        which = np.repeat(corners, count)
        moved = in_view(self._ground, way.sheet[which], tried.reshape(-1, 2))
        # All lines are looked along in one pass.
        cost = self._lines.costs(
            joined(way.pick(which - 1), moved, way.pick(corners - 1), way.pick(corners)),
            joined(moved, way.pick(which + 1), way.pick(corners), way.pick(corners + 1)),
        )
        pairs = len(which)
        new = (cost[:pairs] + cost[pairs : 2 * pairs]).reshape(-1, count)
        old = cost[2 * pairs : -len(corners)] + cost[-len(corners) :]
        best = new.argmin(axis=1)
        better = new[np.arange(len(corners)), best] < old - 1e-9
        points, sheet = points.copy(), way.sheet.copy()
        chosen = np.arange(len(corners)) * count + best
        points[corners[better]] = moved.points_m[chosen[better]]
        sheet[corners[better]] = moved.sheet[chosen[better]]
        return Spots(points, sheet)

    def _in_space(self, way: Spots) -> Route:
        """Return a way with its heights, and with points wherever the floor's slope changes."""
        ground = self._ground
        parts = []
        for number in range(len(way) - 1):
            start, end = way.pick(np.array([number])), way.pick(np.array([number + 1]))
            sheet = self._lines.view_of(start, end)
            length = float(np.linalg.norm(end.points_m - start.points_m))
            share = np.linspace(0.0, 1.0, int(np.ceil(length / _HEIGHT_STEP_M)) + 1)[:, None]
            points = start.points_m + share * (end.points_m - start.points_m)
            height = self._lines.walk_height_m(sheet, points)
            straight = height[0] + share[:, 0] * (height[-1] - height[0])
            if np.abs(height - straight).max() <= _HEIGHT_SLACK_M:
                points, height = points[[0, -1]], height[[0, -1]]
            parts.append(np.insert(points, 1, height, axis=1)[: -1 if number < len(way) - 2 else None])
        points = np.concatenate(parts)
        for end in (0, -1):
            cell = ground.grid.cells_of(points[[end]][:, [0, 2]])
            points[end, 1] = ground.views[int(way.sheet[end])].height_m.ravel()[cell[0]]
        length_m = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
        return Route(points, length_m)


def _with_source(
    graph: csr_array, from_source: tuple[Int64[np.ndarray, " nodes"], Float64[np.ndarray, " nodes"]]
) -> csr_array:
    """Return a graph with one more node, last, from which some others can be reached."""
    nodes, cost = from_source
    order = np.argsort(nodes)
    data = np.concatenate([graph.data, np.maximum(cost[order], 1e-12)])
    indices = np.concatenate([graph.indices, nodes[order].astype(graph.indices.dtype)])
    ends = np.append(graph.indptr, graph.indptr[-1] + len(nodes)).astype(graph.indptr.dtype)
    count = len(graph.indptr)
    return csr_array((data, indices, ends), shape=(count, count))


def _turning(chain: Int64[np.ndarray, " nodes"], ground: Ground) -> Int64[np.ndarray, " kept"]:
    """Return where a path of nodes turns, some places of long straight runs, and both ends."""
    rows, columns = np.divmod(ground.cell[chain], ground.grid.columns)
    steps = np.stack([np.diff(rows), np.diff(columns)], axis=1)
    kept = np.ones(len(chain), dtype=bool)
    turns = (steps[1:] != steps[:-1]).any(axis=1)
    kept[1:-1] = turns | (np.arange(1, len(chain) - 1) % _LONGEST_RUN == 0)
    return np.flatnonzero(kept)


def _with_corners_beside(way: Spots, ground: Ground) -> Spots:
    """Return a way with further corners a little before and after each of its corners."""
    points, sheet = [way.points_m[:1]], [way.sheet[:1]]
    for number in range(len(way) - 1):
        start, end = way.points_m[number], way.points_m[number + 1]
        length = float(np.linalg.norm(end - start))
        away = min(_BESIDE_M, length / 3)
        shares = []
        if number > 0 and away > 0.02:
            shares.append((away / length, way.sheet[number]))
        if number < len(way) - 2 and away > 0.02:
            shares.append((1.0 - away / length, way.sheet[number + 1]))
        for share, seen_from in shares:
            spot = in_view(ground, np.array([seen_from]), (start + share * (end - start))[None])
            points.append(spot.points_m)
            sheet.append(spot.sheet)
        points.append(way.points_m[[number + 1]])
        sheet.append(way.sheet[[number + 1]])
    return Spots(np.concatenate(points), np.concatenate(sheet))
