"""Routes among random boxes against an exact visibility graph."""

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from backsight.sim.embedded.navigation import GridNavigation

EXTENT = (5.3, 4.1)
RADIUS_M = 0.2


def random_boxes(rng, count):
    """Boxes as (low, high, yaw), at heights that are in the way."""
    boxes = []
    for _ in range(count):
        middle, half = rng.uniform((0.4, 0.4), np.array(EXTENT) - 0.4), rng.uniform(0.08, 0.6, 2)
        low, high = middle - half, middle + half
        bottom = rng.choice([0.0, 0.3, 1.0])
        yaw = float(rng.choice([0.0, rng.uniform(-1.5, 1.5)]))
        boxes.append(((low[0], bottom, low[1]), (high[0], bottom + 0.5, high[1]), yaw))
    return boxes


def outline(box):
    """Corners seen from above, counter-clockwise in (x, z)."""
    low, high, yaw = box
    middle, half = (
        np.array([low[0] + high[0], low[2] + high[2]]) / 2,
        np.array([high[0] - low[0], high[2] - low[2]]) / 2,
    )
    corners = half * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    turn = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
    return corners @ turn.T + middle


@settings(max_examples=8, deadline=None, derandomize=True, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 6))
def test_lengths_are_those_of_the_visibility_graph(bare, exact, maker_class, seed, count):
    rng = np.random.default_rng(seed)
    boxes = random_boxes(rng, count)
    navigation = GridNavigation(bare.hall(maker_class(), EXTENT, boxes), RADIUS_M)
    start = navigation.random_point(rng)
    goals = np.stack([navigation.random_point(rng) for _ in range(4)])
    # Gaps as wide as the agent to a centimetre are open to one and closed to the other; such ways do not count.
    true_m, wider_m = (
        exact.shortest_lengths_m(
            start[[0, 2]],
            goals[:, [0, 2]],
            [exact.grown_box(outline(box), radius) for box in boxes],
            np.array([radius, radius, EXTENT[0] - radius, EXTENT[1] - radius]),
        )
        for radius in (RADIUS_M, RADIUS_M + 0.02)
    )
    distances_m = navigation.geodesic_distances_m(start, goals)
    for goal, expected_m, wide_m, distance_m in zip(goals, true_m, wider_m, distances_m, strict=True):
        if not wide_m < expected_m * 1.04 + 0.02:
            continue
        route = navigation.shortest_path(start, goal)
        assert route is not None
        assert expected_m * 0.998 <= route.length_m <= expected_m * 1.01
        assert route.length_m * (1.0 - 1e-6) <= distance_m <= expected_m * 1.02
        back = navigation.shortest_path(goal, start)
        assert back is not None
        assert abs(back.length_m - route.length_m) < 0.005 * route.length_m
