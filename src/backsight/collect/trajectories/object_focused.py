"""Object-focused pattern: one thing from several angles and distances."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float64

from backsight.collect.moving_things import can_be_moved, is_light
from backsight.collect.trajectories.gaze import angles_towards_rad, wave_rad
from backsight.collect.trajectories.hiding import shown_and_hidden, stops_behind_things
from backsight.collect.trajectories.routes import Course, checked_clear, legs_through
from backsight.collect.trajectories.small_views import thing_shares
from backsight.collect.trajectories.smooth import (
    YAW_SHARE,
    TrajectoryError,
    dense_times_s,
    finished_motion,
)
from backsight.collect.trajectories.viewpoints import SEEN_SHARE, Viewpoints, things_to_focus_on, viewpoints_of
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_success
from backsight.records.errors import UsageError
from backsight.records.scene import SceneObject

ATTEMPTS = 24
TRIES_OF_A_PLACE = 3
MOST_STOPS = 8
LEAST_VIEWPOINTS = 5
STEPS_DEG = (20.0, 85.0)
"""From one viewpoint to the next, as the thing sees it."""
LEAST_SPREAD_DEG = 36.0
LEAST_RATIO = 2.0
"""Of the largest distance over the smallest, in walks for distances."""
TRACKED_SPEED_PER_M = 0.4
"""A thing that is passed at 1 m is passed at this speed at most, so that the gaze can follow."""
RESTS_S = (0.2, 1.0)
GLANCE_DEG = 5.0
SHARES = {"": 0.85, "distances": 0.7, "occlusion": 0.32, "reappearing": 0.28}
"""Frames that must show the thing when planning looks: somewhat more than is promised."""
HIDDEN_SHARE, IN_FULL_SHARE = 0.14, 0.2
"""Frames of walks behind others that must hide the thing, and that must show most of it."""
AWAY_MARGIN_DEG = 14.0
AWAY_FRAMES = 3
JUDGED = 2
"""Every so many-th frame is looked at."""
FIRST_LOOKS_S, LOOKS_S, AWAYS_S = (0.6, 1.2), (1.0, 3.0), (0.5, 2.0)


def plan_object_focused(request: WalkRequest) -> Walk:
    """Plan a walk that looks at one thing.

    Args:
        request: What is wanted; variants: 'distances' approaches and retreats, 'occlusion' passes behind something
            that hides the thing, 'reappearing' looks away and back.

    Raises:
        TrajectoryError: Nothing in the scene can be looked at like that.
        UsageError: No such variant.
    """
    plans: dict[str, Callable[[WalkRequest], Walk]] = {
        "": _several_angles,
        "distances": _several_distances,
        "occlusion": _behind_something,
        "reappearing": _away_and_back,
    }
    if request.variant not in plans:
        raise UsageError(f"object_focused has no variant {request.variant!r}")
    return first_success(lambda: plans[request.variant](request), ATTEMPTS, "way round a thing")


def _several_angles(request: WalkRequest) -> Walk:
    views = _drawn_viewpoints(request)
    walk = _watch(request, views.thing, _stops_round(request, views))
    _require_spread(walk, views.thing)
    _require_seen(request, walk)
    return walk


def _several_distances(request: WalkRequest) -> Walk:
    views = _drawn_viewpoints(request)
    walk = _watch(request, views.thing, _near_and_far_stops(request, views))
    seen = _require_seen(request, walk)
    distance = np.linalg.norm(walk.world_from_camera[::JUDGED, :3, 3] - np.array(views.thing.box.centre_m), axis=1)[
        seen
    ]
    if distance.max() < 0.95 * LEAST_RATIO * distance.min():
        raise TrajectoryError("the thing is not seen from near and far")
    return walk


def _behind_something(request: WalkRequest) -> Walk:
    choices = iter(stops_behind_things(request, TRIES_OF_A_PLACE))
    return first_success(lambda: _past_places(request, *next(choices)), TRIES_OF_A_PLACE, "way behind something")


def _past_places(request: WalkRequest, thing: SceneObject, stops_m: list[Float64[np.ndarray, "3"]]) -> Walk:
    walk = _watch(request, thing, stops_m)
    shares, hidden = shown_and_hidden(request, thing, walk.world_from_camera)
    seen = shares >= SEEN_SHARE / 2
    enough = seen.mean() >= SHARES["occlusion"] and hidden.mean() >= HIDDEN_SHARE
    if not enough or (seen & ~hidden).mean() < IN_FULL_SHARE:
        raise TrajectoryError("the thing is not hidden and seen in turn")
    return walk


def _away_and_back(request: WalkRequest) -> Walk:
    views = _drawn_viewpoints(request)
    widest = max(views.thing.box.size_m[0], views.thing.box.size_m[2]) / 2
    half_width_deg = math.degrees(math.atan2(widest, float(views.distance_m.min())))
    away_deg = request.camera.hfov_deg / 2 + half_width_deg + AWAY_MARGIN_DEG
    walk = _watch(request, views.thing, _stops_round(request, views), away_deg)
    seen = _require_seen(request, walk)
    shown = np.flatnonzero(seen)
    if JUDGED * np.diff(shown).max(initial=0) <= AWAY_FRAMES + 1:
        raise TrajectoryError("the thing is never out of sight for long enough")
    return walk


def _drawn_viewpoints(request: WalkRequest) -> Viewpoints:
    views = viewpoints_of(request, _drawn_thing(request))
    if len(views.points_m) < LEAST_VIEWPOINTS:
        raise TrajectoryError(f"there is hardly a place to see the {views.thing.category} from")
    return views


def _drawn_thing(request: WalkRequest) -> SceneObject:
    """Return a thing to look at; where it will move meanwhile, one that can, if any thing is light enough."""
    things, weights = things_to_focus_on(request)
    light = np.array([is_light(thing) for thing in things])
    moves = request.reasoning_type == "object_motion" and bool(light.any())
    if moves:
        weights = weights * light / float((weights * light).sum())
    thing = things[int(request.rng.choice(len(things), p=weights))]
    if moves and not can_be_moved(thing, request.simulator):
        raise TrajectoryError(f"the {thing.category} can't be moved")
    return thing


def _stops_round(request: WalkRequest, views: Viewpoints) -> list[Float64[np.ndarray, "3"]]:
    """Return viewpoints one after the other round the thing, turning back where there are no more."""
    rng = request.rng
    now = int(rng.integers(len(views.points_m)))
    side = float(rng.choice([-1.0, 1.0]))
    stops = [views.points_m[now]]
    low, high = np.radians(STEPS_DEG)
    while len(stops) < MOST_STOPS:
        step = np.remainder(side * (views.direction_rad - views.direction_rad[now]) + math.pi, math.tau) - math.pi
        near = np.linalg.norm(views.points_m - views.points_m[now], axis=1)
        next_ones = np.flatnonzero((step >= low) & (step <= high) & (near > 0.3))
        if len(next_ones) == 0:
            side, low = -side, low / 2
            if low < np.radians(STEPS_DEG[0]) / 8:
                break
            continue
        weight = 1.0 / near[next_ones] ** 2
        now = int(rng.choice(next_ones, p=weight / weight.sum()))
        stops.append(views.points_m[now])
    if len(stops) < 2:
        raise TrajectoryError(f"the {views.thing.category} is seen from one side only")
    return stops


def _near_and_far_stops(request: WalkRequest, views: Viewpoints) -> list[Float64[np.ndarray, "3"]]:
    """Return a near and a far viewpoint in turn, close enough to walk from one to the other."""
    rng = request.rng
    apart = np.linalg.norm(views.points_m[:, None] - views.points_m[None], axis=-1)
    reach_m = 0.6 * request.limits.speed_mps * (request.num_frames - 1) / request.camera.frame_rate_hz
    good = (views.distance_m[:, None] >= LEAST_RATIO * views.distance_m[None]) & (apart <= reach_m)
    pairs = np.argwhere(good)
    if len(pairs) == 0:
        raise TrajectoryError(f"the {views.thing.category} is not seen from near and far")
    far, near = pairs[int(rng.integers(len(pairs)))]
    stops = [views.points_m[far], views.points_m[near]]
    again = np.flatnonzero(good[:, near])
    stops.append(views.points_m[int(rng.choice(again))])
    back = np.flatnonzero(good[far])
    stops.append(views.points_m[int(rng.choice(back))])
    return stops if rng.uniform() < 0.5 else [stops[1], stops[0], stops[3], stops[2]]


def _watch(
    request: WalkRequest, thing: SceneObject, stops_m: list[Float64[np.ndarray, "3"]], away_deg: float = 0.0
) -> Walk:
    """Return a walk past stops that looks at a thing; with an angle given, away from it again and again."""
    rng, limits, camera = request.rng, request.limits, request.camera
    time_s = dense_times_s(request.num_frames, camera.frame_rate_hz)
    centre = np.array(thing.box.centre_m, dtype=np.float64)
    speed_mps = float(rng.uniform(0.6, 0.97)) * limits.speed_mps
    nearest_m = min(float(np.hypot(*(stop - centre)[[0, 2]])) for stop in stops_m)
    speed_mps = min(speed_mps, TRACKED_SPEED_PER_M * max(nearest_m, 0.4))
    legs = legs_through(request.simulator.navigation, stops_m, limits, max(speed_mps * float(time_s[-1]), 0.1))
    course = Course(legs, speed_mps, limits, float(rng.uniform(*RESTS_S)))
    walked = checked_clear(course.points_m(time_s), request.simulator.navigation, limits)[:, [0, 2, 1]]
    yaw, pitch = angles_towards_rad(walked + np.array([0.0, camera.height_m, 0.0]), centre)
    yaw = yaw + wave_rad(time_s, rng, GLANCE_DEG, (6.0, 11.0))
    pitch = pitch + wave_rad(time_s, rng, GLANCE_DEG / 2, (6.0, 11.0))
    if away_deg > 0.0:
        yaw = yaw + _glances_away_rad(time_s, rng, away_deg, 0.9 * YAW_SHARE * limits.turn_dps)
    return Walk(finished_motion(walked, yaw, pitch, limits, camera), (thing.instance_id,))


def _glances_away_rad(
    time_s: Float64[np.ndarray, " samples"], rng: np.random.Generator, away_deg: float, rate_dps: float
) -> Float64[np.ndarray, " samples"]:
    """Return how far beside the thing the gaze is, over time."""
    times, angles = [0.0, float(rng.uniform(*FIRST_LOOKS_S))], [0.0, 0.0]
    first = True
    while times[-1] < time_s[-1]:
        angle = away_deg * float(rng.uniform(1.0, 1.15)) * float(rng.choice([-1.0, 1.0]))
        turn_s = abs(angle) / rate_dps
        stay_s = AWAYS_S[0] if first else float(rng.uniform(*AWAYS_S))
        times += [times[-1] + turn_s, times[-1] + turn_s + stay_s, times[-1] + 2 * turn_s + stay_s]
        times.append(times[-1] + float(rng.uniform(*LOOKS_S)))
        angles += [angle, angle, 0.0, 0.0]
        first = False
    return np.radians(np.interp(time_s, times, angles))


def _require_spread(walk: Walk, thing: SceneObject) -> None:
    offset = walk.world_from_camera[:, :3, 3] - np.array(thing.box.centre_m)
    direction = np.unwrap(np.arctan2(offset[:, 2], offset[:, 0]))
    if np.degrees(np.ptp(direction)) < LEAST_SPREAD_DEG:
        raise TrajectoryError(f"the {thing.category} is seen from one side only")


def _require_seen(request: WalkRequest, walk: Walk) -> Bool[np.ndarray, " judged"]:
    """Return which of every other frame show the thing, after making sure that enough do."""
    thing = next(thing for thing in request.simulator.objects if thing.instance_id == walk.focus_ids[0])
    seen = thing_shares(request, walk.world_from_camera[::JUDGED], [thing])[:, 0] >= SEEN_SHARE / 2
    if seen.mean() < SHARES[request.variant]:
        raise TrajectoryError("the thing is out of sight too often")
    return seen
