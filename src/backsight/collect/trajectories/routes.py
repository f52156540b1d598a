"""Routes over the floor of a scene: their ends, their stretches, and walks along several of them with rests between."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from backsight.collect.trajectories.smooth import (
    YAW_SHARE,
    FloorPath,
    MotionLimits,
    SpeedProfile,
    TrajectoryError,
    clear_walk_test,
    smooth_path,
)
from backsight.records.errors import UsageError
from backsight.sim.simulator import Navigation

ROOMY_CHOICES = 3
END_CHOICES = 8
"""Pairs of ends tried for a route of a wanted length before any way is searched."""
WALKED_THROUGH_RAD = math.radians(75.0)
"""At stops where the way turns by more than this, a walk comes to rest."""
TURN_SLACK_S = 0.6
"""Beyond the time of a turn at the fastest rate: for speeding up and slowing down."""


def roomy_point(
    navigation: Navigation, rng: np.random.Generator, room_id: int | None = None, floor: int | None = None
) -> Float64[np.ndarray, "3"]:
    """Return the one with most room round it of a few random points: walks seldom begin at a wall.

    Args:
        navigation: Of the loaded scene.
        rng: Source of the points.
        room_id: Of the room that it must lie in.
        floor: Of the storey that it must lie on.

    Raises:
        TrajectoryError: Nobody can stand there.
    """
    try:
        points = np.stack([navigation.random_point(rng, room_id, floor) for _ in range(ROOMY_CHOICES)])
    except UsageError as error:
        # In a scan a room may be nothing but furniture; other rooms of it may do.
        raise TrajectoryError(str(error)) from error
    return points[int(np.argmax(navigation.clearance_m(points)))]


def ends_apart(
    navigation: Navigation, rng: np.random.Generator, wanted_m: float, room_id: int | None = None
) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """Return two roomy points whose distance comes nearest to the wanted one, or exceeds it.

    Args:
        navigation: Of the loaded scene.
        rng: Source of the points.
        wanted_m: Distance in a straight line.
        room_id: Of the room that both must lie in.

    Raises:
        TrajectoryError: Nobody can stand there.
    """
    pairs = [(roomy_point(navigation, rng, room_id), roomy_point(navigation, rng, room_id)) for _ in range(END_CHOICES)]
    return max(pairs, key=lambda pair: min(float(np.linalg.norm(pair[1] - pair[0])), wanted_m))


def route_between(
    navigation: Navigation, start_m: Float64[np.ndarray, "3"], goal_m: Float64[np.ndarray, "3"]
) -> Float64[np.ndarray, "points 3"]:
    """Return the corners of a roomy route as (x, z, height).

    Args:
        navigation: Of the loaded scene.
        start_m: World frame.
        goal_m: World frame.

    Raises:
        TrajectoryError: There is no way.
    """
    route = navigation.shortest_path(start_m, goal_m, roomy=True)
    if route is None:
        raise TrajectoryError("no way leads from one chosen point to the other")
    return route.points_m[:, [0, 2, 1]]


def distances_along_m(points_m: Float64[np.ndarray, "points axes"]) -> Float64[np.ndarray, " points"]:
    """Return how far along a way each of its corners lies.

    Args:
        points_m: Corners.
    """
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points_m, axis=0), axis=1))])


def points_at_m(
    points_m: Float64[np.ndarray, "points axes"], stops_m: Float64[np.ndarray, " stops"]
) -> Float64[np.ndarray, "stops axes"]:
    """Return the points of a way at given distances along it.

    Args:
        points_m: Corners.
        stops_m: Distances from the first corner.
    """
    distance = distances_along_m(points_m)
    return np.stack([np.interp(stops_m, distance, points_m[:, axis]) for axis in range(points_m.shape[1])], axis=-1)


def stretch_of(
    points_m: Float64[np.ndarray, "points axes"], begin_m: float, end_m: float
) -> Float64[np.ndarray, "kept axes"]:
    """Return a part of a way with the corners inside it.

    Args:
        points_m: Corners.
        begin_m: Distance along the way; before its start is its start.
        end_m: Distance along the way; beyond its end is its end.
    """
    distance = distances_along_m(points_m)
    begin_m, end_m = max(begin_m, 0.0), min(end_m, float(distance[-1]))
    inner = (distance > begin_m + 1e-6) & (distance < end_m - 1e-6)
    return points_at_m(points_m, np.concatenate([[begin_m], distance[inner], [end_m]]))


def back_and_forth_m(
    profile: SpeedProfile, length_m: float, rest_s: float, time_s: Float64[np.ndarray, " samples"]
) -> Float64[np.ndarray, " samples"]:
    """Return how far along a path somebody is who walks it to and fro.

    Args:
        profile: Of the path.
        length_m: Of the path.
        rest_s: At either end.
        time_s: Since the first start.
    """
    leg_s = profile.duration_s + rest_s
    within = time_s % (2 * leg_s)
    return np.where(within < leg_s, profile.distance_m(within), length_m - profile.distance_m(within - leg_s))


def checked_clear(
    walked_m: Float64[np.ndarray, "samples 3"], navigation: Navigation, limits: MotionLimits
) -> Float64[np.ndarray, "samples 3"]:
    """Return the points of a walk, (x, z, height), after making sure that all of them keep the agent's clearance.

    Args:
        walked_m: Every dense sample of the walk.
        navigation: Of the loaded scene.
        limits: Of the motion.

    Raises:
        TrajectoryError: Some point comes too close to an obstacle.
    """
    if not clear_walk_test(navigation, limits.clearance_m)(walked_m).all():
        raise TrajectoryError("the way is not clear between its points")
    return walked_m


class Course:
    """Paths walked one after the other, each from rest to rest.

    Args:
        legs: At least one; each begins where the last one ends.
        speed_mps: Wanted.
        limits: Of the motion.
        rest_s: Least rest between legs.
        turning: Whether rests last until somebody who looks along the way has turned to the next leg.
    """

    def __init__(
        self, legs: Sequence[FloorPath], speed_mps: float, limits: MotionLimits, rest_s: float, *, turning: bool = False
    ) -> None:
        self._legs = tuple(legs)
        self._profiles = [SpeedProfile(leg, speed_mps, limits) for leg in legs]
        self._starts_s, self._switches_s = [0.0], []
        for number in range(len(legs) - 1):
            rest = rest_s
            if turning:
                turn_rad = _turn_between_rad(legs[number], legs[number + 1])
                rest = max(rest, turn_rad / (YAW_SHARE * math.radians(limits.turn_dps)) + TURN_SLACK_S)
            end_s = self._starts_s[-1] + self._profiles[number].duration_s
            self._switches_s.append(end_s + rest / 2)
            self._starts_s.append(end_s + rest)
        self.duration_s = self._starts_s[-1] + self._profiles[-1].duration_s

    def points_m(self, time_s: Float64[np.ndarray, " samples"]) -> Float64[np.ndarray, "samples axes"]:
        """Return where the walk is; before its start the start, after its end the end."""
        return self._by_leg(time_s, lambda leg, distance_m: leg.points_m(distance_m))

    def heading_rad(
        self, time_s: Float64[np.ndarray, " samples"], ahead_m: float = 0.0
    ) -> Float64[np.ndarray, " samples"]:
        """Return the unwrapped yaw of the way a little ahead; in the middle of a rest it jumps to the next leg.

        Args:
            time_s: Rising.
            ahead_m: How far the gaze leads the walk.
        """

        def heading(leg: FloorPath, distance_m: Float64[np.ndarray, " samples"]) -> Float64[np.ndarray, " samples"]:
            return leg.heading_rad(np.minimum(distance_m + ahead_m, leg.length_m))

        return np.unwrap(self._by_leg(time_s, heading))

    def _by_leg(
        self,
        time_s: Float64[np.ndarray, " samples"],
        value: Callable[[FloorPath, Float64[np.ndarray, " samples"]], Float64[np.ndarray, "samples ..."]],
    ) -> Float64[np.ndarray, "samples ..."]:
        number = np.searchsorted(self._switches_s, time_s, side="right")
        parts = []
        # Times rise, so the legs' parts follow each other.
        for index, (leg, profile) in enumerate(zip(self._legs, self._profiles, strict=True)):
            there = number == index
            parts.append(value(leg, profile.distance_m(time_s[there] - self._starts_s[index])))
        return np.concatenate(parts)


def _turn_between_rad(before: FloorPath, after: FloorPath) -> float:
    last, first = before.heading_rad(np.array([before.length_m])), after.heading_rad(np.array([0.0]))
    return abs(math.remainder(float(first[0] - last[0]), math.tau))


def legs_through(
    navigation: Navigation, stops_m: Sequence[Float64[np.ndarray, "3"]], limits: MotionLimits, longest_m: float
) -> list[FloorPath]:
    """Return smooth paths from stop to stop, joined where the way does not turn sharply.

    Args:
        navigation: Of the loaded scene.
        stops_m: World points on the floor, at least two.
        limits: Of the motion.
        longest_m: Stops beyond this length of way are left out.

    Raises:
        TrajectoryError: Two stops are not joined, or some way can't be walked smoothly.
    """
    clear = clear_walk_test(navigation, limits.clearance_m)
    ways: list[Float64[np.ndarray, "points 3"]] = []
    length_m = 0.0
    for start, goal in pairwise(stops_m):
        route = route_between(navigation, start, goal)
        length_m += float(distances_along_m(route)[-1])
        if ways and _is_walked_through(ways[-1], route):
            ways[-1] = np.concatenate([ways[-1], route[1:]])
        else:
            ways.append(route)
        if length_m >= longest_m:
            break
    return [smooth_path(way, clear) for way in ways]


def _is_walked_through(way: Float64[np.ndarray, "points 3"], route: Float64[np.ndarray, "corners 3"]) -> bool:
    into, out_of = way[-1, :2] - way[-2, :2], route[1, :2] - route[0, :2]
    turn = math.atan2(out_of[1], out_of[0]) - math.atan2(into[1], into[0])
    return abs(math.remainder(turn, math.tau)) <= WALKED_THROUGH_RAD
