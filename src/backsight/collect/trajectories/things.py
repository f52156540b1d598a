"""Which things of a scene a walk can be about."""

from collections.abc import Sequence

import numpy as np

from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.records.scene import Room, SceneObject
from backsight.records.vocabulary import FURNITURE_CATEGORIES
from backsight.sim.simulator import Simulator

LEAST_SIDE_M, MOST_SIDE_M = 0.3, 3.0
"""Longest sides of things that are looked at."""
MOVABLE_SIDE_M = 1.2
"""Longest side of a thing that one person moves."""


def named_things(simulator: Simulator, room: Room) -> tuple[SceneObject, ...]:
    """Return the things of a room that have a name, by rising id.

    Args:
        simulator: With the scene loaded.
        room: Where they stand.
    """
    return tuple(
        thing for thing in simulator.objects if thing.category in FURNITURE_CATEGORIES and thing.room_id == room.room_id
    )


def things_to_see(simulator: Simulator, room: Room) -> tuple[SceneObject, ...]:
    """Return the things of a room that are large enough to be looked at from all sides, by rising id.

    In a scan without labels a thing has no name and need not know its room; it counts where its middle is.

    Args:
        simulator: With the scene loaded.
        room: Where they stand.
    """
    min_x, min_z, max_x, max_z = room.bounds_m
    return tuple(
        thing
        for thing in simulator.objects
        if not thing.is_structure
        and LEAST_SIDE_M <= max(thing.box.size_m) <= MOST_SIDE_M
        and min_x <= thing.box.centre_m[0] <= max_x
        and min_z <= thing.box.centre_m[2] <= max_z
        and room.floor_m - LEAST_SIDE_M <= thing.box.centre_m[1] <= room.floor_m + room.height_m
    )


def movable_things(things: Sequence[SceneObject], objects: Sequence[SceneObject]) -> tuple[SceneObject, ...]:
    """Return what a person could move: small or middle-sized, and nothing stands on it.

    Args:
        things: To choose from.
        objects: Everything in the scene.
    """
    carrying = {thing.supported_by for thing in objects}
    return tuple(
        thing for thing in things if max(thing.box.size_m) <= MOVABLE_SIDE_M and thing.instance_id not in carrying
    )


def rooms_by_things(simulator: Simulator, rng: np.random.Generator, least: int) -> list[Room]:
    """Return the rooms with enough named things in random order, fuller ones earlier on average.

    Args:
        simulator: With the scene loaded.
        rng: Source of randomness.
        least: Number of things that a room must have.

    Raises:
        TrajectoryError: No room has.
    """
    counts = {room.room_id: len(named_things(simulator, room)) for room in simulator.rooms}
    rooms = [room for room in simulator.rooms if counts[room.room_id] >= least]
    if not rooms:
        raise TrajectoryError(f"no room has {least} things with names for a walk to look at")
    weights = np.sqrt([float(counts[room.room_id]) for room in rooms])
    order = rng.choice(len(rooms), size=len(rooms), replace=False, p=weights / weights.sum())
    return [rooms[index] for index in order]
