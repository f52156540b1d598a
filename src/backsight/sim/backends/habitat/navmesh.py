"""The triangles that can be walked on: storeys, islands by size, points drawn from them."""

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from backsight.sim.backends.habitat.tables import Storey

STOREYS_APART_M = 1.8
"""Floors closer together than this are one storey: a step, a podium, the top of a table."""
LEAST_STOREY = 0.1
"""Share of the largest storey's area that makes a storey of its own."""
_LEVEL_M = 0.2
"""Triangles within this of a storey's height belong to it without doubt."""
_FLAT = 0.9
"""Cosine of the steepest slope that counts as floor and not as stairs."""
_ROOM_FOR_FURNITURE_M = 0.5
"""A room that is made from a storey reaches so far beyond where one can walk."""
_DRAWS = 256
_ROUNDS = 40


class Navmesh:
    """A navigation mesh.

    Args:
        corners_m: World frame.
        islands: Habitat's number of each triangle's island.
    """

    def __init__(
        self, corners_m: Float64[np.ndarray, "triangles 3 3"], islands: Int32[np.ndarray, " triangles"]
    ) -> None:
        cross = np.cross(corners_m[:, 1] - corners_m[:, 0], corners_m[:, 2] - corners_m[:, 0])
        area_m2 = np.linalg.norm(cross, axis=1) / 2
        kept = area_m2 > 1e-9
        self._corners_m, self._area_m2 = corners_m[kept], area_m2[kept]
        self._flat = np.abs(cross[kept, 1]) / 2 >= _FLAT * self._area_m2
        self._height_m = self._corners_m[:, :, 1].mean(axis=1)
        count = int(islands.max(initial=-1)) + 1
        by_area = np.argsort(-np.bincount(islands[kept], self._area_m2, minlength=count), kind="stable")
        self._rank = np.empty(count, dtype=np.int64)
        self._rank[by_area] = np.arange(count)
        self._island = self._rank[islands[kept]]
        self.storeys = self._find_storeys()
        """By rising height."""

    def island(self, habitat_island: int) -> int:
        """Return the rank by area, from 0, of Habitat's island; -1 for none."""
        return -1 if habitat_island < 0 else int(self._rank[habitat_island])

    def storey_below(self, height_m: float) -> int:
        """Return the number of the storey whose floor is at or below a height, the lowest one under all."""
        floors_m = np.array([storey.floor_m for storey in self.storeys])
        return max(0, int(np.searchsorted(floors_m, height_m + _LEVEL_M, side="right")) - 1)

    def nearest_m(self, point_m: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"] | None:
        """Return the point of the mesh that is nearest to a point, None without a mesh."""
        if not len(self._corners_m):
            return None
        points_m = _nearest_on_triangles(point_m, self._corners_m)
        return points_m[int(np.argmin(np.linalg.norm(points_m - point_m, axis=1)))]

    def draw(
        self,
        rng: np.random.Generator,
        bounds_m: tuple[float, float, float, float] | None,
        heights_m: tuple[float, float] | None,
    ) -> Float64[np.ndarray, "3"] | None:
        """Return a point, uniform over the largest island that the bounds hold some of; None where there is nothing.

        Args:
            rng: Source of randomness; nothing else decides.
            bounds_m: min x, min z, max x, max z.
            heights_m: Lowest and highest.
        """
        low_m, high_m = np.full(3, -np.inf), np.full(3, np.inf)
        if bounds_m is not None:
            low_m[[0, 2]], high_m[[0, 2]] = bounds_m[:2], bounds_m[2:]
        if heights_m is not None:
            low_m[1], high_m[1] = heights_m
        touching = (self._corners_m.max(axis=1) >= low_m).all(axis=1) & (self._corners_m.min(axis=1) <= high_m).all(
            axis=1
        )
        for island in np.unique(self._island[touching]).tolist():
            chosen = np.flatnonzero(touching & (self._island == island))
            for _ in range(_ROUNDS):
                points_m = self._draw_from(rng, chosen)
                inside = ((points_m >= low_m) & (points_m <= high_m)).all(axis=1)
                if inside.any():
                    return points_m[int(np.argmax(inside))]
        return None

    def _draw_from(
        self, rng: np.random.Generator, chosen: Int64[np.ndarray, " chosen"]
    ) -> Float64[np.ndarray, "draws 3"]:
        share = self._area_m2[chosen] / self._area_m2[chosen].sum()
        corners_m = self._corners_m[rng.choice(chosen, size=_DRAWS, p=share)]
        first, second = rng.random((2, _DRAWS, 1))
        folded = first + second > 1.0
        first, second = np.where(folded, 1.0 - first, first), np.where(folded, 1.0 - second, second)
        edges_m = corners_m[:, 1:] - corners_m[:, :1]
        return corners_m[:, 0] + first * edges_m[:, 0] + second * edges_m[:, 1]

    def _find_storeys(self) -> tuple[Storey, ...]:
        """Return the heights with most flat area, each at some distance from larger ones."""
        left = self._flat.copy()
        found: list[Storey] = []
        largest_m2 = 0.0
        while left.any():
            height_m, area_m2 = self._fullest_height(left)
            if area_m2 < LEAST_STOREY * largest_m2:
                break
            largest_m2 = max(largest_m2, area_m2)
            members = left & (np.abs(self._height_m - height_m) <= _LEVEL_M)
            corners_m = self._corners_m[members].reshape(-1, 3)
            (low_x, low_z), (high_x, high_z) = (
                corners_m[:, [0, 2]].min(axis=0) - _ROOM_FOR_FURNITURE_M,
                corners_m[:, [0, 2]].max(axis=0) + _ROOM_FOR_FURNITURE_M,
            )
            found.append(Storey(height_m, (float(low_x), float(low_z), float(high_x), float(high_z))))
            left &= np.abs(self._height_m - height_m) > STOREYS_APART_M
        return tuple(sorted(found, key=lambda storey: storey.floor_m))

    def _fullest_height(self, left: Bool[np.ndarray, " triangles"]) -> tuple[float, float]:
        """Return the median height of the level with most area, and that area."""
        order = np.flatnonzero(left)[np.argsort(self._height_m[left], kind="stable")]
        heights_m, areas_m2 = self._height_m[order], self._area_m2[order]
        below_m2 = np.concatenate([[0.0], np.cumsum(areas_m2)])
        end = np.searchsorted(heights_m, heights_m + _LEVEL_M, side="right")
        level_m2 = below_m2[end] - below_m2[:-1]
        start = int(np.argmax(level_m2))
        middle_m2 = below_m2[start] + level_m2[start] / 2
        median = int(np.searchsorted(below_m2, middle_m2, side="left")) - 1
        return float(heights_m[max(median, start)]), float(level_m2[start])


def _nearest_on_triangles(
    point_m: Float64[np.ndarray, "3"], corners_m: Float64[np.ndarray, "triangles 3 3"]
) -> Float64[np.ndarray, "triangles 3"]:
    """Return the nearest point of each triangle: its foot where that lies inside, else on the nearest edge."""
    origin, first, second = corners_m[:, 0], corners_m[:, 1] - corners_m[:, 0], corners_m[:, 2] - corners_m[:, 0]
    gram = np.stack([(first * first).sum(1), (first * second).sum(1), (second * second).sum(1)])
    right = np.stack([((point_m - origin) * first).sum(1), ((point_m - origin) * second).sum(1)])
    determinant = np.maximum(gram[0] * gram[2] - gram[1] ** 2, 1e-30)
    along_first = (gram[2] * right[0] - gram[1] * right[1]) / determinant
    along_second = (gram[0] * right[1] - gram[1] * right[0]) / determinant
    inside = (along_first >= 0) & (along_second >= 0) & (along_first + along_second <= 1)
    best = origin + along_first[:, None] * first + along_second[:, None] * second
    distance_m = np.where(inside, np.linalg.norm(best - point_m, axis=1), np.inf)
    for number in range(3):
        start, along = corners_m[:, number], corners_m[:, (number + 1) % 3] - corners_m[:, number]
        share = ((point_m - start) * along).sum(1) / np.maximum((along * along).sum(1), 1e-30)
        on_edge = start + np.clip(share, 0.0, 1.0)[:, None] * along
        nearer = np.linalg.norm(on_edge - point_m, axis=1) < distance_m
        best = np.where(nearer[:, None], on_edge, best)
        distance_m = np.where(nearer, np.linalg.norm(on_edge - point_m, axis=1), distance_m)
    return best
