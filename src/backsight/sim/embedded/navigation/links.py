"""Steps between nodes of the ground, in 8 or in 32 directions, as sparse graphs of what they cost."""

import itertools
import math

import numpy as np
from jaxtyping import Float64, Int64
from scipy.sparse import csr_array

from backsight.sim.embedded.navigation.ground import TOLERANCE_M, Ground

COMFORT_M = 0.5
"""Clearance above which a route gains nothing by keeping farther away."""
CROWDING_COST = 1.0
"""A metre of route without any clearance costs this much more than one in the open."""

EIGHT = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Steps (rows, columns) to half of the nearest neighbours; paths over them are up to 8.2 % too long."""
THIRTY_TWO = (
    *EIGHT,
    *((2, 1), (1, 2), (2, -1), (1, -2)),
    *((3, 1), (1, 3), (3, -1), (1, -3)),
    *((3, 2), (2, 3), (3, -2), (2, -3)),
)
"""Half of 32 directions; paths over them are up to 1.3 % too long."""
_REACH = 4
SAMPLES_PER_CELL = 4
"""Along a line, whose clearance is looked at between the middles of cells."""
LINE_SLACK_M = 0.0005
"""Clearance may fall this far below the radius at a sample of a line, and a little farther between two."""


def crowding(clearance_m: Float64[np.ndarray, "*any"]) -> Float64[np.ndarray, "*any"]:
    """Return the extra cost of a metre at this clearance, for somebody who likes some distance from obstacles."""
    return CROWDING_COST * np.maximum(1.0 - clearance_m / COMFORT_M, 0.0) ** 2


def step_graph(ground: Ground, steps: tuple[tuple[int, int], ...], *, roomy: bool) -> csr_array:
    """Return the symmetric graph of steps between nodes.

    A step needs the agent's radius of clearance all along.

    Args:
        ground: nodes.
        steps: half of the directions.
        roomy: cost rises near obstacles; else it is the length in space [m].
    """
    first, second, cost = [], [], []
    for sheet in range(len(ground.views)):
        one, two, price = _steps_of(ground, sheet, steps, roomy)
        first.append(one)
        second.append(two)
        cost.append(price)
    one, two, price = (np.concatenate(part) for part in (first, second, cost))
    pairs = (np.concatenate([one, two]), np.concatenate([two, one]))
    return csr_array((np.concatenate([price, price]), pairs), shape=(len(ground.cell), len(ground.cell)))


def _steps_of(
    ground: Ground, sheet: int, steps: tuple[tuple[int, int], ...], roomy: bool
) -> tuple[Int64[np.ndarray, " steps"], Int64[np.ndarray, " steps"], Float64[np.ndarray, " steps"]]:
    """Return start, end and cost of the steps from the nodes of one sheet, in its own view."""
    view, columns = ground.views[sheet], ground.grid.columns
    number = np.where(view.clearance_m >= ground.body.radius_m - TOLERANCE_M, ground.number[sheet], -1)
    pad = _REACH * (columns + 1)
    numbers, walk = np.pad(number.ravel(), pad, constant_values=-1), np.pad(ground.walk_m[sheet].ravel(), pad)
    clearance, least_m = np.pad(view.clearance_m.ravel(), pad), ground.body.radius_m - LINE_SLACK_M
    extra = np.pad(crowding(view.clearance_m).ravel(), pad)
    stands = numbers >= 0
    # Four neighbouring cells' middles, by the one of lowest row and column.
    square = stands.copy()
    square[: -columns - 1] &= stands[1:-columns] & stands[columns:-1] & stands[columns + 1 :]
    mine = np.flatnonzero((view.source == sheet) & (number >= 0)) + pad
    first, second, cost = [], [], []
    for row, column in steps:
        here = mine[stands[mine + row * columns + column]]
        valid = np.ones(len(here), dtype=bool)
        for low_row, low_column in _squares(row, column):
            valid &= square[here + low_row * columns + low_column]
        doubtful = np.flatnonzero(~valid)
        valid[doubtful] = _clear(clearance, here[doubtful], (row, column), columns) >= least_m
        here = here[valid]
        there = here + row * columns + column
        length = math.hypot(row, column) * ground.grid.cell_m
        price = np.hypot(length, walk[there] - walk[here])
        if roomy:
            price *= 1.0 + (extra[here] + extra[there]) / 2
        first.append(numbers[here])
        second.append(numbers[there])
        cost.append(price)
    return np.concatenate(first), np.concatenate(second), np.concatenate(cost)


def _clear(
    clearance_m: Float64[np.ndarray, " cells"], start: Int64[np.ndarray, " steps"], step: tuple[int, int], columns: int
) -> Float64[np.ndarray, " steps"]:
    """Return the least clearance, bilinear between the middles of cells, on steps from some cells."""
    least = np.full(len(start), np.inf)
    count = math.ceil(math.hypot(*step) * SAMPLES_PER_CELL)
    for number in range(1, count):
        row, column = (part * number / count for part in step)
        low_row, low_column = math.floor(row), math.floor(column)
        z, x = row - low_row, column - low_column
        cell = start + low_row * columns + low_column
        upper = clearance_m[cell] * (1.0 - x) + clearance_m[cell + 1] * x
        lower = clearance_m[cell + columns] * (1.0 - x) + clearance_m[cell + columns + 1] * x
        np.minimum(least, upper * (1.0 - z) + lower * z, out=least)
    return least


def _squares(row: int, column: int) -> list[tuple[int, int]]:
    """Return the squares of four cell middles that a straight step runs through."""
    if 0 in (row, column):
        return []
    cuts = {number / abs(size) for size in (row, column) for number in range(abs(size) + 1)}
    ordered = sorted(cuts)
    middles = [(low + high) / 2 for low, high in itertools.pairwise(ordered)]
    return sorted({(math.floor(middle * row), math.floor(middle * column)) for middle in middles})
