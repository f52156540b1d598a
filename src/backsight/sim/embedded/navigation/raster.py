"""Triangles on a grid seen from above: which cells each touches, between which heights, and where in the cell."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.sim.embedded.footprints import blocks_of_faces, candidate_cells

_EDGES = ((0, 1), (1, 2), (2, 0))
_TOUCH_M = 1e-7
_SAME_M = 1e-6
_FLAT_M = 0.05
"""A triangle that rises less than this counts as having its whole range of heights in every cell."""
_SMALL_CELLS = 2.0
"""So does one that is not wider than this."""


@dataclass(frozen=True)
class Grid:
    """Square cells on the floor plane; rows along +z, columns along +x."""

    corner_m: Float64[np.ndarray, "2"]
    """World (x, z)."""
    cell_m: float
    rows: int
    columns: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.rows, self.columns)

    def centres_m(self, cells: Int64[np.ndarray, " cells"]) -> Float64[np.ndarray, "cells 2"]:
        """Return world (x, z) of cells given by their flat index."""
        rows, columns = np.divmod(cells, self.columns)
        return self.corner_m + (np.stack([columns, rows], axis=1) + 0.5) * self.cell_m

    def cells_of(self, points_xz_m: Float64[np.ndarray, "points 2"]) -> Int64[np.ndarray, " points"]:
        """Return flat cell indices of world (x, z); -1 outside."""
        columns, rows = np.floor((points_xz_m - self.corner_m) / self.cell_m).astype(np.int64).T
        inside = (columns >= 0) & (rows >= 0) & (columns < self.columns) & (rows < self.rows)
        return np.where(inside, rows * self.columns + columns, -1)


@dataclass(frozen=True)
class Touches:
    """Pairs of a face and a cell that it touches, seen from above."""

    face: Int64[np.ndarray, " pairs"]
    cell: Int64[np.ndarray, " pairs"]
    """Flat index."""
    low_m: Float64[np.ndarray, " pairs"]
    high_m: Float64[np.ndarray, " pairs"]
    """Heights of the part of the face within the cell."""


def touched_cells(corners_m: Float64[np.ndarray, "faces 3 3"], grid: Grid) -> Touches:
    """Return the cells that faces touch, seen from above, and between which heights.

    Cells are exact by separating axes. Heights are exact for flat faces, for the two halves of an upright rectangle
    taken together, and by clipping for others that are wider than two cells. Narrower ones count with their whole
    range of heights in every cell: never too little.

    Args:
        corners_m: triangles in the world frame.
        grid: cells.
    """
    low, high = bounds_m(corners_m)
    boxy, second_half = rectangle_halves(corners_m)
    wide = (high - low)[:, [0, 2]].max(axis=1) > _SMALL_CELLS * grid.cell_m
    varied = wide & (high[:, 1] - low[:, 1] > _FLAT_M)
    first = np.floor((low[:, [0, 2]] - _TOUCH_M - grid.corner_m) / grid.cell_m).astype(np.int64)
    last = np.floor((high[:, [0, 2]] + _TOUCH_M - grid.corner_m) / grid.cell_m).astype(np.int64)
    limit = np.array([grid.columns, grid.rows]) - 1
    inside = (last >= 0).all(axis=1) & (first <= limit).all(axis=1) & ~second_half
    first, last = np.clip(first, 0, limit), np.clip(last, 0, limit)
    counts = np.where(inside, np.prod(last - first + 1, axis=1), 0)
    parts = []
    for faces in blocks_of_faces(np.where(boxy, counts, 0)):
        face, columns, rows = candidate_cells(faces, first, last)
        parts.append((face, rows * grid.columns + columns, low[face, 1], high[face, 1]))
    for faces in blocks_of_faces(np.where(boxy, 0, counts)):
        face, columns, rows = candidate_cells(faces, first, last)
        touching = _overlaps(corners_m, faces, face, (columns, rows), grid)
        face, cell = face[touching], (rows * grid.columns + columns)[touching]
        bottom, top = low[face, 1].copy(), high[face, 1].copy()
        tall = np.flatnonzero(varied[face])
        points, present = clipped_points(corners_m[face[tall]], grid.centres_m(cell[tall]), grid.cell_m)
        some = present.any(axis=1)
        heights = points[..., 1]
        bottom[tall[some]] = np.where(present, heights, np.inf).min(axis=1)[some]
        top[tall[some]] = np.where(present, heights, -np.inf).max(axis=1)[some]
        parts.append((face, cell, bottom, top))
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return Touches(nothing, nothing, np.zeros(0), np.zeros(0))
    face, cell, bottom, top = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Touches(face, cell, bottom, top)


def cells_under_centres(
    corners_m: Float64[np.ndarray, "faces 3 3"], grid: Grid
) -> tuple[Int64[np.ndarray, " hits"], Float64[np.ndarray, " hits"]]:
    """Return flat cell indices whose centres lie under or on faces that are not upright, and the faces' heights there.

    Args:
        corners_m: triangles in the world frame.
        grid: cells.
    """
    lowest, highest = bounds_m(corners_m)
    first = np.ceil((lowest[:, [0, 2]] - _TOUCH_M - grid.corner_m) / grid.cell_m - 0.5).astype(np.int64)
    last = np.floor((highest[:, [0, 2]] + _TOUCH_M - grid.corner_m) / grid.cell_m - 0.5).astype(np.int64)
    first, last = np.maximum(first, 0), np.minimum(last, np.array([grid.columns, grid.rows]) - 1)
    counts = np.where((last >= first).all(axis=1), np.prod(np.maximum(last - first + 1, 0), axis=1), 0)
    flat = corners_m[..., [0, 2]]
    one, two = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    twice_area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    boxy, second_half = rectangle_halves(corners_m)
    level = boxy & (highest[:, 1] - lowest[:, 1] < _SAME_M)
    counts[(np.abs(twice_area) < 1e-12) | (second_half & np.roll(level, 1))] = 0
    cells, heights = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    for faces in blocks_of_faces(np.where(level, counts, 0)):
        face, columns, rows = candidate_cells(faces, first, last)
        cells.append(rows * grid.columns + columns)
        heights.append(corners_m[face, 0, 1])
    for faces in blocks_of_faces(np.where(level, 0, counts)):
        face, columns, rows = candidate_cells(faces, first, last)
        area = twice_area[face]
        x = grid.corner_m[0] + (columns + 0.5) * grid.cell_m - flat[face, 0, 0]
        z = grid.corner_m[1] + (rows + 0.5) * grid.cell_m - flat[face, 0, 1]
        second = (x * two[face, 1] - z * two[face, 0]) / area
        third = (z * one[face, 0] - x * one[face, 1]) / area
        # A centre on the line between two faces belongs to both: no seam is lost to rounding.
        slack = _TOUCH_M * np.abs(one[face]).max(axis=1) / np.abs(area) + 1e-9
        hit = (second >= -slack) & (third >= -slack) & (second + third <= 1.0 + slack)
        face, second, third = face[hit], second[hit], third[hit]
        height = corners_m[face, :, 1]
        cells.append((rows * grid.columns + columns)[hit])
        heights.append(height[:, 0] + (height[:, 1] - height[:, 0]) * second + (height[:, 2] - height[:, 0]) * third)
    return np.concatenate(cells), np.concatenate(heights)


def bounds_m(
    corners_m: Float64[np.ndarray, "faces 3 3"],
) -> tuple[Float64[np.ndarray, "faces 3"], Float64[np.ndarray, "faces 3"]]:
    """Return the lowest and the highest x, y and z of triangles."""
    one, two, three = corners_m[:, 0], corners_m[:, 1], corners_m[:, 2]
    return np.minimum(np.minimum(one, two), three), np.maximum(np.maximum(one, two), three)


def boxed(corners_m: Float64[np.ndarray, "faces 3 3"]) -> Bool[np.ndarray, " faces"]:
    """Return which triangles have two edges along axes: halves of rectangles."""
    along = np.zeros(len(corners_m), dtype=np.int64)
    for start, end in _EDGES:
        step = np.abs(corners_m[:, end] - corners_m[:, start]) > _SAME_M
        along += step[:, 0].astype(np.int64) + step[:, 1] + step[:, 2] == 1
    return along == 2


def clipped_points(
    corners_m: Float64[np.ndarray, "pairs 3 3"], centres_m: Float64[np.ndarray, "pairs 2"], cell_m: float
) -> tuple[Float64[np.ndarray, "pairs 10 3"], Bool[np.ndarray, "pairs 10"]]:
    """Return the corners of triangles cut to a cell each, and which of the ten slots are used.

    Args:
        corners_m: one triangle per pair.
        centres_m: world (x, z) of one cell per pair.
        cell_m: edge of the cells.
    """
    half = cell_m / 2 + _TOUCH_M
    local = corners_m.copy()
    local[..., [0, 2]] -= centres_m[:, None]
    points = np.zeros((len(corners_m), 10, 3))
    present = np.zeros((len(corners_m), 10), dtype=bool)
    for number, (start, end) in enumerate(_EDGES):
        origin, step = local[:, start], local[:, end] - local[:, start]
        enter, leave = np.zeros(len(local)), np.ones(len(local))
        for axis in (0, 2):
            runs = np.abs(step[:, axis]) > 1e-12
            along = np.where(runs, step[:, axis], 1.0)
            one, two = (-half - origin[:, axis]) / along, (half - origin[:, axis]) / along
            beside = np.abs(origin[:, axis]) > half
            enter = np.maximum(enter, np.where(runs, np.minimum(one, two), np.where(beside, 2.0, 0.0)))
            leave = np.minimum(leave, np.where(runs, np.maximum(one, two), 1.0))
        crosses = enter <= leave
        for slot, share in ((2 * number, enter), (2 * number + 1, leave)):
            points[:, slot] = origin + np.where(crosses, share, 0.0)[:, None] * step
            present[:, slot] = crosses
    one, two = local[:, 1] - local[:, 0], local[:, 2] - local[:, 0]
    area = one[:, 0] * two[:, 2] - one[:, 2] * two[:, 0]
    spans = np.abs(area) > 1e-12
    area = np.where(spans, area, 1.0)
    for slot, (sign_x, sign_z) in enumerate(((-1, -1), (-1, 1), (1, -1), (1, 1)), start=6):
        x, z = sign_x * half - local[:, 0, 0], sign_z * half - local[:, 0, 2]
        second, third = (x * two[:, 2] - z * two[:, 0]) / area, (z * one[:, 0] - x * one[:, 2]) / area
        points[:, slot, 0], points[:, slot, 2] = sign_x * half, sign_z * half
        points[:, slot, 1] = local[:, 0, 1] + second * one[:, 1] + third * two[:, 1]
        present[:, slot] = spans & (second >= 0.0) & (third >= 0.0) & (second + third <= 1.0)
    points[..., [0, 2]] += centres_m[:, None]
    return points, present


def rectangle_halves(
    corners_m: Float64[np.ndarray, "faces 3 3"],
) -> tuple[Bool[np.ndarray, " faces"], Bool[np.ndarray, " faces"]]:
    """Return which faces are halves of rectangles along the axes, followed by their other half, and those others."""
    first = np.zeros(len(corners_m), dtype=bool)
    second = np.zeros(len(corners_m), dtype=bool)
    straight = boxed(corners_m)
    some = np.flatnonzero(straight[1:] & straight[:-1])
    low_m, high_m = bounds_m(corners_m[some])
    next_low_m, next_high_m = bounds_m(corners_m[some + 1])
    same = ((np.abs(low_m - next_low_m) < _SAME_M) & (np.abs(high_m - next_high_m) < _SAME_M)).all(axis=1)
    # Both halves must have their right angle at opposite corners, or they are one triangle twice.
    middles = (corners_m[some].sum(axis=1) + corners_m[some + 1].sum(axis=1)) / 3
    pairs = some[same & (np.abs(middles - low_m - high_m) < _SAME_M).all(axis=1)]
    # In a run of faces with one and the same extent each belongs to one pair only.
    starts = np.diff(pairs, prepend=-2) != 1
    run = np.maximum.accumulate(np.where(starts, np.arange(len(pairs)), 0))
    pairs = pairs[(np.arange(len(pairs)) - run) % 2 == 0]
    first[pairs] = True
    second[pairs + 1] = True
    return first, second


def _overlaps(
    corners_m: Float64[np.ndarray, "faces 3 3"],
    faces: Int64[np.ndarray, " some"],
    face: Int64[np.ndarray, " candidates"],
    place: tuple[Int64[np.ndarray, " candidates"], Int64[np.ndarray, " candidates"]],
    grid: Grid,
) -> Bool[np.ndarray, " candidates"]:
    """Whether faces touch candidate cells (columns, rows) inside their bounding rectangles, by the edges' axes."""
    flat = corners_m[faces][..., [0, 2]]
    slot = np.zeros(len(corners_m), dtype=np.int64)
    slot[faces] = np.arange(len(faces))
    slot = slot[face]
    x = grid.corner_m[0] + (place[0] + 0.5) * grid.cell_m
    z = grid.corner_m[1] + (place[1] + 0.5) * grid.cell_m
    touching = np.ones(len(face), dtype=bool)
    for start, end in _EDGES:
        across = (flat[:, end] - flat[:, start])[:, ::-1] * np.array([-1.0, 1.0])
        along = np.einsum("fpx,fx->fp", flat, across)
        margin = np.abs(across).sum(axis=1) * grid.cell_m / 2 + _TOUCH_M
        low, high = along.min(axis=1) - margin, along.max(axis=1) + margin
        position = x * across[slot, 0] + z * across[slot, 1]
        touching &= (position >= low[slot]) & (position <= high[slot])
    return touching
