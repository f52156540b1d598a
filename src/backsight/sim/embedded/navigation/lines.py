"""Straight walks over the ground: whether they keep clear of everything, and how long they are in space."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.ndimage import distance_transform_edt

from backsight.sim.embedded.navigation.ground import Ground
from backsight.sim.embedded.navigation.links import LINE_SLACK_M, SAMPLES_PER_CELL, crowding

SLACK_M = 0.002
"""Clearance may fall this far below the radius between two samples of a line."""


@dataclass(frozen=True)
class Spots:
    """Places on the ground, each on the sheet whose floor it stands on."""

    points_m: Float64[np.ndarray, "spots 2"]
    """World (x, z)."""
    sheet: Int64[np.ndarray, " spots"]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.sheet)

    def pick(self, which: Int64[np.ndarray, " some"]) -> "Spots":
        """Return some of them."""
        return Spots(self.points_m[which], self.sheet[which])


def joined(*parts: Spots) -> Spots:
    """Return spots one after another."""
    return Spots(np.concatenate([part.points_m for part in parts]), np.concatenate([part.sheet for part in parts]))


class Lines:
    """Looks along straight lines on the views of a ground."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._walk = [_filled(walk) for walk in ground.walk_m]
        self._level = [np.ptp(walk) == 0.0 for walk in self._walk]

    def sample(
        self, values: Float64[np.ndarray, "rows columns"], points_m: Float64[np.ndarray, "points 2"]
    ) -> Float64[np.ndarray, " points"]:
        """Return an array over the grid between the middles of its cells, bilinear; beyond the grid its edge."""
        grid = self.ground.grid
        place = (points_m - grid.corner_m) / grid.cell_m - 0.5
        x = np.clip(place[:, 0], 0.0, grid.columns - 1.000001)
        z = np.clip(place[:, 1], 0.0, grid.rows - 1.000001)
        column, row = x.astype(np.int64), z.astype(np.int64)
        x -= column
        z -= row
        flat = values.ravel()
        cell = row * grid.columns + column
        upper = flat[cell] * (1.0 - x) + flat[cell + 1] * x
        cell += grid.columns
        return upper * (1.0 - z) + (flat[cell] * (1.0 - x) + flat[cell + 1] * x) * z

    def walk_height_m(self, sheet: int, points_m: Float64[np.ndarray, "points 2"]) -> Float64[np.ndarray, " points"]:
        """Return the height of somebody who walks over points of one view, stairs taken as ramps."""
        return self.sample(self._walk[sheet], points_m)

    def costs(
        self, start: Spots, end: Spots, *, roomy: bool = False, loose: bool = False
    ) -> Float64[np.ndarray, " lines"]:
        """Return the length in space of each straight walk, or its cost; infinite where something is in the way.

        Args:
            start: where each line begins.
            end: where it ends.
            roomy: add the cost of being near obstacles.
            loose: begin or end where an agent can only just stand.
        """
        cost = np.full(len(start), np.inf)
        for sheet in np.unique(start.sheet).tolist():
            some = np.flatnonzero(start.sheet == sheet)
            cost[some] = self._in_view(sheet, start.pick(some), end.pick(some), (roomy, loose))
        again = np.flatnonzero(np.isinf(cost) & (start.sheet != end.sheet))
        for sheet in np.unique(end.sheet[again]).tolist():
            some = again[end.sheet[again] == sheet]
            cost[some] = self._in_view(sheet, end.pick(some), start.pick(some), (roomy, loose))
        return cost

    def view_of(self, start: Spots, end: Spots) -> int:
        """Return the sheet in whose view a single line is clear, or else the one that sees both ends."""
        sheets = (int(start.sheet[0]), int(end.sheet[0]))
        if sheets[0] == sheets[1] or np.isfinite(self._in_view(sheets[0], start, end, (False, True))[0]):
            return sheets[0]
        if np.isfinite(self._in_view(sheets[1], end, start, (False, True))[0]):
            return sheets[1]
        cell = self.ground.grid.cells_of(end.points_m)[0]
        return sheets[0] if self.ground.views[sheets[0]].source.ravel()[cell] == sheets[1] else sheets[1]

    def _in_view(
        self, sheet: int, start: Spots, end: Spots, options: tuple[bool, bool]
    ) -> Float64[np.ndarray, " lines"]:
        """Return costs of lines from spots of one sheet, as seen from that sheet; options are `roomy` and `loose`."""
        roomy, loose = options
        ground, view = self.ground, self.ground.views[sheet]
        step = end.points_m - start.points_m
        length = np.hypot(step[:, 0], step[:, 1])
        count = np.ceil(length / ground.grid.cell_m * SAMPLES_PER_CELL).astype(np.int64) + 2
        first = np.cumsum(count) - count
        line = np.repeat(np.arange(len(start)), count)
        share = (np.arange(len(line)) - first[line]) / (count - 1)[line]
        points = start.points_m[line] + share[:, None] * step[line]
        clearance = self.sample(view.clearance_m, points)
        slack = SLACK_M if loose else LINE_SLACK_M
        clear = np.minimum.reduceat(clearance, first) >= ground.body.radius_m - slack
        if len(ground.views) > 1:
            cells = ground.grid.cells_of(end.points_m)
            clear &= (cells >= 0) & (view.source.ravel()[np.maximum(cells, 0)] == end.sheet)
        walk = self._walk[sheet]
        if roomy or not self._level[sheet]:
            height = self.sample(walk, points)
            pieces = np.hypot(np.diff(height, append=0.0), (length / (count - 1))[line])
            if roomy:
                price = crowding(clearance)
                pieces *= 1.0 + (price + np.append(price[1:], 0.0)) / 2
            pieces[first + count - 1] = 0.0
            length = np.add.reduceat(pieces, first)
        return np.where(clear, length, np.inf)


def in_view(ground: Ground, sheet: Int64[np.ndarray, " spots"], points_m: Float64[np.ndarray, "spots 2"]) -> Spots:
    """Return points seen in the views of some sheets as spots of the sheets whose floor they are on."""
    cells = ground.grid.cells_of(points_m)
    source = np.stack([view.source.ravel() for view in ground.views])[sheet, np.maximum(cells, 0)]
    return Spots(points_m, np.where((cells >= 0) & (source >= 0), source, sheet))


def _filled(values: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows columns"]:
    """Return an array with the nearest number in place of every NaN."""
    missing = np.isnan(values)
    if missing.all():
        return np.zeros_like(values)
    known = values[~missing]
    if np.ptp(known) == 0.0:
        return np.full_like(values, known[0])
    nearest = distance_transform_edt(missing, return_distances=False, return_indices=True)
    return values[tuple(np.asarray(nearest))]
