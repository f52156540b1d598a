"""Colours of lamps under a lighting."""

import numpy as np
import pytest

from backsight.records.errors import UsageError
from backsight.records.scene import Room
from backsight.sim.backends.habitat.lamps import lamp_colours
from backsight.sim.simulator import Lighting

ROOMS = (Room(1, "kitchen", (0, 0, 4, 5)), Room(2, "study", (4, 0, 8, 5), 3.0))


def lamp(vector, in_world=True):
    return {"vector": vector, "colour": (0.4, 0.5, 0.6), "in_world": in_world}


LAMPS = [
    lamp((1, 2.4, 1, 1)),
    lamp((5, 2.4, 1, 1)),  # below room 2
    lamp((5, 5.0, 1, 1)),
    lamp((1, 2.4, 1, 0)),  # a direction
    lamp((1, 2.4, 1, 1), in_world=False),  # in the camera's frame
]


def test_intensity_and_warmth_are_factors():
    assert np.allclose(lamp_colours(LAMPS, ROOMS, Lighting()), [(0.4, 0.5, 0.6)] * 5)
    assert np.allclose(lamp_colours(LAMPS, ROOMS, Lighting(intensity=2.0))[0], (0.8, 1.0, 1.2))
    warm = lamp_colours(LAMPS, ROOMS, Lighting(warmth=1.0))[0]
    assert np.allclose(warm, (0.52, 0.5, 0.42))


def test_dark_rooms_lose_the_lamps_that_hang_in_them():
    for room_id, off in ((1, {0}), (2, {2})):
        colours = lamp_colours(LAMPS, ROOMS, Lighting(dark_rooms=frozenset({room_id})))
        assert {number for number in range(5) if not colours[number].any()} == off


@pytest.mark.parametrize(
    ("lamps", "lighting", "problem"),
    [
        ([], Lighting(), "unlit"),
        (LAMPS, Lighting(intensity=0.0), "positive"),
        (LAMPS, Lighting(intensity=float("nan")), "positive"),
        (LAMPS, Lighting(warmth=1.5), "between -1 and 1"),
        (LAMPS, Lighting(dark_rooms=frozenset({7})), "no room 7"),
        (LAMPS[1:2], Lighting(dark_rooms=frozenset({2})), "no lamp of its own"),
    ],
)
def test_what_can_not_be(lamps, lighting, problem):
    with pytest.raises(UsageError, match=problem):
        lamp_colours(lamps, ROOMS, lighting)
