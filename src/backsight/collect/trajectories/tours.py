"""From stops, and what is looked at from each, to a motion: walk, stand and look, walk on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from backsight.collect.trajectories.gaze import angles_towards_rad
from backsight.collect.trajectories.smooth import (
    PITCH_SHARE,
    YAW_SHARE,
    CameraMount,
    Clear,
    FloorPath,
    Motion,
    MotionLimits,
    SpeedProfile,
    TrajectoryError,
    clear_walk_test,
    dense_times_s,
    finished_motion,
    smooth_path,
)
from backsight.collect.trajectories.walk import WalkRequest
from backsight.sim.simulator import Navigation

LEAST_HOLD_S = 0.5
"""Rest of the gaze on everything that is looked at."""
LEAST_LEG_M = 0.25
"""Stops nearer to each other than this are one place."""
SLOWEST_SHARE = 0.3
"""Of the speed limit: no walk is slowed down further to fill its time."""
_TURN_SHARE = 0.93
"""Turns are planned at this share of the rate that gaze may turn at: limits on acceleration need the rest."""
PAUSE_SHARE = 0.3
"""Of the time to spare; the rest goes into slower walking."""
SWAY_S, RESTLESS_S = (7.0, 12.0), (2.5, 4.0)
"""Shortest and longest period of the gaze's sway: usually, and where motion is to blur the pictures."""
RESTLESS_DEG = 6.0
"""How far the gaze sways there, at least."""
_SPEED_STEPS = 8


@dataclass(frozen=True)
class Stop:
    """A place to stand, and what is looked at from it."""

    place_m: Float64[np.ndarray, "3"]
    """On the floor."""
    targets_m: Float64[np.ndarray, "looks 3"]
    """World points looked at in turn; the gaze rests on the first on arrival."""
    hold_s: float = LEAST_HOLD_S
    """Shortest time for each look."""
    patience: float = 1.0
    """Share of the time to spare that each look gets, relative to others."""


@dataclass(frozen=True)
class _Look:
    """A target and when the gaze rests on it."""

    target_m: Float64[np.ndarray, "3"]
    from_s: float
    until_s: float


@dataclass(frozen=True)
class _Leg:
    path: FloorPath
    profile: SpeedProfile
    leaves_s: float


@dataclass(frozen=True)
class Tour:
    """A motion through stops."""

    motion: Motion
    num_stops: int
    """How many of the stops there was time for."""


def walk_tour(
    request: WalkRequest,
    stops: Sequence[Stop],
    *,
    least_stops: int = 2,
    wobble_deg: float = 4.0,
    pause_share: float = PAUSE_SHARE,
) -> Tour:
    """Walk from stop to stop along roomy ways, resting at each, as far as the time goes.

    Time to spare goes into slower walking and longer looks.

    Args:
        request: What is wanted.
        stops: In order.
        least_stops: So many must be reached.
        wobble_deg: How far the gaze sways, so that no two frames are the same.
        pause_share: Of the time to spare, what goes into longer looks.

    Raises:
        TrajectoryError: The time is too short, a way is not clear, or a limit would be broken.
    """
    time_s = dense_times_s(request.num_frames, request.camera.frame_rate_hz)
    paths = _paths(request, stops)
    planner = _Planner(stops, paths, request.limits, request.camera)
    duration_s = float(time_s[-1])
    fastest = float(request.rng.uniform(0.85, 0.97)) * request.limits.speed_mps
    count = len(stops)
    while planner.needed_s(fastest, count) > duration_s:
        count -= 1
        if count < max(least_stops, 1):
            raise TrajectoryError("the walk is too long for its time; choose stops nearer to each other")
    speed_mps = planner.slowest(fastest, count, duration_s, pause_share)
    spare_s = duration_s - planner.needed_s(speed_mps, count)
    patience = np.concatenate([np.full(len(stop.targets_m), stop.patience) for stop in stops[:count]])
    weights = request.rng.uniform(0.5, 1.5, len(patience)) * patience
    schedule, legs = planner.schedule(speed_mps, count, spare_s * weights / max(float(weights.sum()), 1e-9))
    walked = _walked_m(stops[0].place_m, legs, time_s)
    if not clear_walk_test(request.simulator.navigation, request.limits.clearance_m)(walked[:, [0, 2, 1]]).all():
        raise TrajectoryError("the way is not clear between its points")
    yaw, pitch = _gaze(schedule, walked + np.array([0.0, request.camera.height_m, 0.0]), time_s)
    restless = "motion_blur" in request.challenges
    sway_deg = max(wobble_deg, RESTLESS_DEG) if restless else wobble_deg
    wobble = np.radians(sway_deg) * _sway(request.rng, time_s, RESTLESS_S if restless else SWAY_S)
    motion = finished_motion(walked, yaw + wobble[0], pitch + wobble[1] / 2, request.limits, request.camera)
    return Tour(motion, count)


def shortest_order(distances_m: Float64[np.ndarray, "places places"]) -> list[int]:
    """Return the order in which places are visited on a short open tour: nearest neighbours, then 2-opt.

    Args:
        distances_m: Walking distances; infinite where there is no way.
    """
    number = len(distances_m)
    best: tuple[float, list[int]] = (np.inf, list(range(number)))
    for start in range(number):
        order = [start]
        while len(order) < number:
            left = [place for place in range(number) if place not in order]
            order.append(min(left, key=lambda place: float(distances_m[order[-1], place])))
        order = _two_opt(order, distances_m)
        length = float(distances_m[order[:-1], order[1:]].sum())
        if length < best[0]:
            best = (length, order)
    return best[1]


def _two_opt(order: list[int], distances_m: Float64[np.ndarray, "places places"]) -> list[int]:
    """Reverse stretches of an open tour as long as that makes it shorter."""
    better = True
    while better:
        better = False
        for first in range(len(order) - 1):
            for last in range(first + 1, len(order)):
                turned = order[:first] + order[first : last + 1][::-1] + order[last + 1 :]
                gain = distances_m[order[:-1], order[1:]].sum() - distances_m[turned[:-1], turned[1:]].sum()
                if gain > 1e-9:
                    order, better = turned, True
    return order


def _paths(request: WalkRequest, stops: Sequence[Stop]) -> list[FloorPath | None]:
    """Return the way to every stop but the first; None where it is the place before."""
    navigation = request.simulator.navigation
    clear = clear_walk_test(navigation, request.limits.clearance_m)
    here = stops[0].place_m
    paths: list[FloorPath | None] = []
    for stop in stops[1:]:
        if float(np.linalg.norm(stop.place_m - here)) < LEAST_LEG_M:
            paths.append(None)
            continue
        paths.append(roomy_path(navigation, here, stop.place_m, clear))
        here = stop.place_m
    return paths


def roomy_path(
    navigation: Navigation, start_m: Float64[np.ndarray, "3"], goal_m: Float64[np.ndarray, "3"], clear: Clear
) -> FloorPath:
    """Return a rounded way with room to both sides.

    Args:
        navigation: Of the loaded scene.
        start_m: On the floor.
        goal_m: On the floor.
        clear: Tells which points (x, z, height) keep the clearance.

    Raises:
        TrajectoryError: There is none.
    """
    route = navigation.shortest_path(start_m, goal_m, roomy=True)
    if route is None:
        raise TrajectoryError("no way leads from one stop to the next")
    return smooth_path(route.points_m[:, [0, 2, 1]], clear)


class _Planner:
    """When to walk and when to look, at a given speed."""

    def __init__(
        self, stops: Sequence[Stop], paths: Sequence[FloorPath | None], limits: MotionLimits, camera: CameraMount
    ) -> None:
        self._stops, self._paths, self._limits = stops, paths, limits
        self._eye_m = np.array([0.0, camera.height_m, 0.0])
        turn = _TURN_SHARE * np.radians(limits.turn_dps)
        self._rates = np.array([YAW_SHARE * turn, PITCH_SHARE * turn])
        self._profiles: dict[tuple[float, int], SpeedProfile] = {}

    def needed_s(self, speed_mps: float, count: int) -> float:
        """Return the time that the first stops need at least."""
        looks = sum(len(stop.targets_m) for stop in self._stops[:count])
        schedule, _ = self.schedule(speed_mps, count, np.zeros(looks))
        return schedule[-1].until_s

    def slowest(self, fastest: float, count: int, duration_s: float, pause_share: float) -> float:
        """Return a speed that leaves a part of the spare time for pauses."""
        if pause_share >= 1.0:
            return fastest
        spare = duration_s - self.needed_s(fastest, count)
        low, high = min(SLOWEST_SHARE * self._limits.speed_mps, fastest), fastest
        for _ in range(_SPEED_STEPS):
            middle = (low + high) / 2
            fits = self.needed_s(middle, count) <= duration_s - pause_share * spare
            low, high = (low, middle) if fits else (middle, high)
        return high

    def schedule(
        self, speed_mps: float, count: int, extra_s: Float64[np.ndarray, " looks"]
    ) -> tuple[list[_Look], list[_Leg]]:
        """Return when what is looked at, and when each way is walked."""
        looks: list[_Look] = []
        legs: list[_Leg] = []
        now = 0.0
        for index, stop in enumerate(self._stops[:count]):
            place_m = stop.place_m + self._eye_m
            for number, target_m in enumerate(stop.targets_m):
                turn_s = self._turn_s(looks[-1].target_m, target_m, place_m) if looks else 0.0
                path = self._paths[index - 1] if index and number == 0 else None
                if path is not None:
                    profile = self._profile(speed_mps, index - 1, path)
                    legs.append(_Leg(path, profile, now))
                    turn_s = max(turn_s, profile.duration_s)
                now += turn_s
                hold_s = stop.hold_s + float(extra_s[len(looks)])
                looks.append(_Look(target_m, now, now + hold_s))
                now += hold_s
        return looks, legs

    def _profile(self, speed_mps: float, leg: int, path: FloorPath) -> SpeedProfile:
        key = (speed_mps, leg)
        if key not in self._profiles:
            self._profiles[key] = SpeedProfile(path, speed_mps, self._limits)
        return self._profiles[key]

    def _turn_s(
        self,
        before_m: Float64[np.ndarray, "3"],
        after_m: Float64[np.ndarray, "3"],
        eye_m: Float64[np.ndarray, "3"],
    ) -> float:
        angles = np.stack(angles_towards_rad(np.stack([eye_m, eye_m]), np.stack([before_m, after_m])), axis=-1)
        return float((np.abs(angles[1] - angles[0]) / self._rates).max())


def _walked_m(
    start_m: Float64[np.ndarray, "3"], legs: Sequence[_Leg], time_s: Float64[np.ndarray, " samples"]
) -> Float64[np.ndarray, "samples 3"]:
    walked = np.tile(start_m, (len(time_s), 1))
    for leg in legs:
        since = time_s >= leg.leaves_s
        points = leg.path.points_m(leg.profile.distance_m(time_s[since] - leg.leaves_s))
        walked[since] = points[:, [0, 2, 1]]
    return walked


def _gaze(
    looks: Sequence[_Look], eyes_m: Float64[np.ndarray, "samples 3"], time_s: Float64[np.ndarray, " samples"]
) -> tuple[Float64[np.ndarray, " samples"], Float64[np.ndarray, " samples"]]:
    """Return wanted yaw and pitch: at each target in its time, over from one to the next between."""
    wanted: Float64[np.ndarray, "samples 2"] | None = None
    end_s = 0.0
    for look in looks:
        angles = np.stack(angles_towards_rad(eyes_m, look.target_m), axis=-1)
        if wanted is None:
            wanted, end_s = angles, look.until_s
            continue
        middle = min(int(np.searchsorted(time_s, (end_s + look.from_s) / 2)), len(time_s) - 1)
        angles[:, 0] -= 2 * np.pi * np.round((angles[middle, 0] - wanted[middle, 0]) / (2 * np.pi))
        weight = np.clip((time_s - end_s) / max(look.from_s - end_s, 1e-6), 0.0, 1.0)[:, None]
        wanted, end_s = (1.0 - weight) * wanted + weight * angles, look.until_s
    assert wanted is not None, "a tour has a stop, a stop a target"
    return wanted[:, 0], wanted[:, 1]


def _sway(
    rng: np.random.Generator, time_s: Float64[np.ndarray, " samples"], periods_s: tuple[float, float]
) -> Float64[np.ndarray, "2 samples"]:
    period_s, phase = rng.uniform(*periods_s, (2, 1)), rng.uniform(0.0, 2 * np.pi, (2, 1))
    return np.sin(2 * np.pi * time_s / period_s + phase)
