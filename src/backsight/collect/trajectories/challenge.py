"""Walks of the challenges: what hides behind others, what is seen from far and near, much in different views."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from backsight.collect.tracks import hidden_rays
from backsight.collect.trajectories.gaze import angles_towards_rad
from backsight.collect.trajectories.random_exploration import plan_random_exploration
from backsight.collect.trajectories.small_views import small_views
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.collect.trajectories.standing import standing_places
from backsight.collect.trajectories.things import things_to_see
from backsight.collect.trajectories.tours import Stop, shortest_order, walk_tour
from backsight.collect.trajectories.viewpoint_diverse import views_of_room
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_walk
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_poses
from backsight.records.scene import Room, SceneObject
from backsight.sim.survey import shown_shares

HIDES, SCALES = "heavy_occlusion", "scale_variation"
THINGS_TRIED, TRIES_PER_THING = 30, 3
LEAST_SIDE_M = 0.2
FAR_PLACES, NEAR_PLACES = 18, 8
NEAR_REACH_M = 0.35
"""Near places lie at most so much farther from a thing than the nearest does."""
SEEN_SHARE = 0.004
"""A place shows a thing that covers this share of a tiny picture: four times what measures ask for."""
FAR_SHARE = 0.002
"""A far place shows it with three pixels."""
NEAREST_M, FARTHEST_M = 0.6, 5.5
"""Distances from which a thing counts as hidden."""
LEAST_RATIO, SPARE_RATIO = 4.0, 1.06
"""Farthest over nearest distance from which frames show the thing, and how much more is planned."""
HIDDEN_SHARE, HIDDEN_HOLD_SHARE = 0.22, 0.24
"""Share of the frames that must hide the thing, and share of the time that is spent where it is hidden."""
MOSTLY = 0.6
"""Share of the rays into a thing's box that others stop where they hide most of it."""
LONGEST_WAY_SHARE = 0.8
"""Of what could be walked in the time."""


@dataclass(frozen=True)
class _Ring:
    """A thing, and what places round it show of it when one looks at it."""

    thing: SceneObject
    places_m: Float64[np.ndarray, "places 3"]
    distance_m: Float64[np.ndarray, " places"]
    """From the camera to the middle of the thing."""
    shares: Float64[np.ndarray, " places"]
    hides: Bool[np.ndarray, " places"]
    """Where others hide most of it."""


def plan_challenge(request: WalkRequest) -> Walk:
    """Plan a walk that is hard in the ways asked for, as far as a way can be: occlusion and scale.

    Where neither is asked for, the walk goes through different views that show much, or just about.

    Args:
        request: What is wanted.

    Raises:
        TrajectoryError: Nothing in the scene is hidden, or seen from near and far.
    """
    rooms = request.simulator.rooms
    order = [rooms[index] for index in request.rng.permutation(len(rooms))]
    hard = bool({HIDES, SCALES} & set(request.challenges))
    plan = _hard_in if hard else views_of_room
    attempts: list[Callable[[], Walk]] = [(lambda room=room: plan(request, room)) for room in order]
    if not hard:
        attempts.append(lambda: plan_random_exploration(request))
    return first_walk(attempts, "no challenging walk")


def _hard_in(request: WalkRequest, room: Room) -> Walk:
    attempts = (
        (lambda ring=ring, stops=stops: _hard_walk(request, ring, stops))
        for ring in _rings(request, room)
        for stops in _hard_stops(request, ring)
    )
    return first_walk(attempts, f"room {room.room_id} hides nothing, or is too small")


def _rings(request: WalkRequest, room: Room) -> Iterator[_Ring]:
    """Yield things of a room with places round them, those that one can come near to first where scale matters."""
    things = things_to_see(request.simulator, room, LEAST_SIDE_M)
    if not things:
        return
    weights = np.array([min(sorted(thing.box.size_m)[1], 1.0) + 0.1 for thing in things])
    if SCALES in request.challenges:
        # Far and near differ most for things at the height of the eyes.
        above = [abs(thing.box.centre_m[1] - room.floor_m - request.camera.height_m) for thing in things]
        weights = 0.1 + np.exp(-np.array(above) / 0.4)
    number = min(THINGS_TRIED, len(things))
    for index in request.rng.choice(len(things), size=number, replace=False, p=weights / weights.sum()):
        try:
            yield _ring(request, room, things[index])
        except TrajectoryError:
            continue


def _ring(request: WalkRequest, room: Room, thing: SceneObject) -> _Ring:
    centre = np.array(thing.box.centre_m, dtype=np.float64)
    places = standing_places(request, room, FAR_PLACES, centre, FARTHEST_M)
    if SCALES in request.challenges:
        nearest = float(np.hypot(places[:, 0] - centre[0], places[:, 2] - centre[2]).min())
        near = standing_places(request, room, NEAR_PLACES, centre, nearest)
        places = np.concatenate([places, near])
    eyes = places + np.array([0.0, request.camera.height_m, 0.0])
    yaw, pitch = angles_towards_rad(eyes, centre)
    most = float(np.radians(request.limits.pitch_deg))
    poses = look_poses(eyes, yaw, np.clip(pitch, -most, most))
    return _Ring(thing, places, np.linalg.norm(eyes - centre, axis=1), *_shown_and_hidden(request, thing, poses))


def _shown_and_hidden(
    request: WalkRequest, thing: SceneObject, poses: Float64[np.ndarray, "views 4 4"]
) -> tuple[Float64[np.ndarray, " views"], Bool[np.ndarray, " views"]]:
    """Return the share of each view that shows a thing, and where others hide most of it."""
    seen = small_views(request, poses)
    height, width = seen.depth_m.shape[1:]
    intrinsics = intrinsics_from_hfov(width, height, request.camera.hfov_deg)
    rays, stopped = hidden_rays([thing], (), (seen.depth_m, seen.instance_ids), intrinsics, poses)
    hides = (rays > 0) & (stopped >= MOSTLY * rays)
    return shown_shares(seen.instance_ids, [thing])[:, 0], hides[:, 0]


def _hard_stops(request: WalkRequest, ring: _Ring) -> Iterator[list[Stop]]:
    """Yield stops that fulfil what is asked for, in the order of a short tour."""
    seconds = (request.num_frames - 1) / request.camera.frame_rate_hz
    hidden = ring.hides & (ring.distance_m >= NEAREST_M) & (ring.distance_m <= FARTHEST_M)
    near = np.flatnonzero(ring.shares >= SEEN_SHARE)
    if len(near) == 0 or (HIDES in request.challenges and not hidden.any()):
        return
    apart = np.linalg.norm(ring.places_m[:, None] - ring.places_m[None], axis=-1)
    closest = near[np.argsort(ring.distance_m[near], kind="stable")]
    for _ in range(TRIES_PER_THING):
        if SCALES in request.challenges:
            first = int(closest[min(int(request.rng.integers(2)), len(closest) - 1)])
            ratio = ring.distance_m / ring.distance_m[first]
            far = np.flatnonzero((ring.shares >= FAR_SHARE) & (ratio >= SPARE_RATIO * LEAST_RATIO))
            if len(far) == 0:
                continue
            taken = [first, int(far[np.argmin(apart[first, far])])]
        else:
            taken = [int(request.rng.choice(near))]
        behind: int | None = None
        if HIDES in request.challenges:
            places = np.flatnonzero(hidden & (apart[taken].min(axis=0) > 0.0))
            if len(places) == 0:
                continue
            behind = int(
                places[np.argmin(apart[taken][:, places].min(axis=0) + request.rng.uniform(0, 0.5, len(places)))]
            )
            taken.append(behind)
        taken = [taken[index] for index in shortest_order(apart[np.ix_(taken, taken)])]
        if float(apart[taken[:-1], taken[1:]].sum()) <= LONGEST_WAY_SHARE * request.limits.speed_mps * seconds:
            yield [_stop(ring, place, HIDDEN_HOLD_SHARE * seconds if place == behind else None) for place in taken]


def _stop(ring: _Ring, place: int, hold_s: float | None) -> Stop:
    target = np.array(ring.thing.box.centre_m, dtype=np.float64)[None]
    return Stop(ring.places_m[place], target) if hold_s is None else Stop(ring.places_m[place], target, hold_s)


def _hard_walk(request: WalkRequest, ring: _Ring, stops: list[Stop]) -> Walk:
    walk = Walk(walk_tour(request, stops, least_stops=len(stops)).motion, (ring.thing.instance_id,))
    poses = walk.world_from_camera
    shares, hides = _shown_and_hidden(request, ring.thing, poses)
    shown = shares >= FAR_SHARE
    if not shown.any():
        raise TrajectoryError("the thing is never seen on the way")
    distance = np.linalg.norm(poses[:, :3, 3] - np.array(ring.thing.box.centre_m), axis=1)[shown]
    if SCALES in request.challenges and distance.max() < LEAST_RATIO * distance.min():
        raise TrajectoryError("the thing is not seen from near and far")
    if HIDES in request.challenges and float(hides.mean()) < HIDDEN_SHARE:
        raise TrajectoryError("the thing is not hidden for long enough on the way")
    return walk
