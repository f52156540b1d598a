"""Walks of the challenges: what hides behind others, what is seen from far and near, much in different views."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.collect.trajectories.gaze import angles_towards_rad
from backsight.collect.trajectories.hiding import shown_and_hidden
from backsight.collect.trajectories.random_exploration import plan_random_exploration
from backsight.collect.trajectories.small_views import things_per_frame
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.collect.trajectories.standing import standing_places
from backsight.collect.trajectories.things import things_to_see
from backsight.collect.trajectories.tours import Stop, shortest_order, walk_tour
from backsight.collect.trajectories.viewpoint_diverse import VIEWS_OF_ROOM, views_of_room
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_walk
from backsight.geometry.poses import look_poses
from backsight.quality.measures.scene import VISIBLE_SHARE
from backsight.records.scene import Room, SceneObject

HIDES, SCALES, CLUTTERED = "heavy_occlusion", "scale_variation", "clutter"
THINGS_TRIED, TRIES_PER_THING = 30, 4
NEAREST_TRIED, MOST_DETOUR_M = 2, 0.5
"""So many places near a thing are tried, and by so much a longer tour may be taken for a shorter one: tours differ."""
LEAST_SIDE_M = 0.2
FAR_PLACES, NEAR_PLACES = 32, 8
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
LONGEST_WAY_SHARE = 0.8
"""Of what could be walked in the time."""
BEST_VIEWS = (VIEWS_OF_ROOM // 2, VIEWS_OF_ROOM // 6)
"""From so many views, those that show most things, the stops of a walk through clutter are taken; fewer where more show
too little."""
THINGS_PER_FRAME = 6.2
"""Things in the mean frame of a walk through clutter when planning looks; 6 are promised."""
COUNTED_SIZE_PX = 64, 48
"""Of the pictures in which they are counted: the least that counts is four pixels."""


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
    """Plan a walk that is hard in the ways asked for, as far as a way can be: occlusion, scale, clutter.

    Where neither occlusion nor scale is asked for, the walk goes through different views that show much, or just about.

    Args:
        request: What is wanted.

    Raises:
        TrajectoryError: Nothing in the scene is hidden, or seen from near and far, or too little is in view.
    """
    rooms = request.simulator.rooms
    order = [rooms[index] for index in request.rng.permutation(len(rooms))]
    hard = bool({HIDES, SCALES} & set(request.challenges))
    plan = _hard_in if hard else _views_in
    attempts: list[Callable[[], Walk]] = [(lambda room=room: plan(request, room)) for room in order]
    if not hard:
        attempts.append(lambda: _with_clutter(request, plan_random_exploration(request)))
    return first_walk(attempts, "no challenging walk")


def _views_in(request: WalkRequest, room: Room) -> Walk:
    if CLUTTERED not in request.challenges:
        return views_of_room(request, room)
    attempts = (
        (lambda best=best: _with_clutter(request, views_of_room(request, room, best_views=best))) for best in BEST_VIEWS
    )
    return first_walk(attempts, f"room {room.room_id}")


def _with_clutter(request: WalkRequest, walk: Walk) -> Walk:
    """Return the walk, where it shows as much as its challenges ask for."""
    if CLUTTERED in request.challenges:
        per_frame = things_per_frame(request, walk.world_from_camera, VISIBLE_SHARE, COUNTED_SIZE_PX)
        if per_frame < THINGS_PER_FRAME:
            raise TrajectoryError(f"frames show {per_frame:.1f} things, {THINGS_PER_FRAME:g} are wanted")
    return walk


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
    return _Ring(thing, places, np.linalg.norm(eyes - centre, axis=1), *shown_and_hidden(request, thing, poses))


def _hard_stops(request: WalkRequest, ring: _Ring) -> Iterator[list[Stop]]:
    """Yield stops that fulfil what is asked for, short tours first, in the order of the tour."""
    seconds = (request.num_frames - 1) / request.camera.frame_rate_hz
    hidden = np.flatnonzero(ring.hides & (ring.distance_m >= NEAREST_M) & (ring.distance_m <= FARTHEST_M))
    near = np.flatnonzero(ring.shares >= SEEN_SHARE)
    hides, scales = HIDES in request.challenges, SCALES in request.challenges
    if len(near) == 0 or (hides and len(hidden) == 0):
        return
    apart = np.linalg.norm(ring.places_m[:, None] - ring.places_m[None], axis=-1)
    tours: list[tuple[float, int, int, int]] = []
    for first in _first_places(request, ring, near):
        far = np.flatnonzero(
            (ring.shares >= FAR_SHARE) & (ring.distance_m >= SPARE_RATIO * LEAST_RATIO * ring.distance_m[first])
        )
        middle, last = np.meshgrid(far if scales else [first], hidden if hides else [first])
        sides_m = np.stack([apart[first, middle], apart[middle, last], apart[last, first]])
        # A way through three places leaves out the longest of the three sides.
        length_m = sides_m.sum(axis=0) - sides_m.max(axis=0) + request.rng.uniform(0.0, MOST_DETOUR_M, middle.shape)
        new = (sides_m[1:] > 0.0).all(axis=0) if hides else np.ones_like(middle, dtype=bool)
        tours += zip(length_m[new], [first] * int(new.sum()), middle[new], last[new], strict=True)
    walking_s = seconds * (1.0 - HIDDEN_HOLD_SHARE) if hides else seconds
    for length_m, first, middle, last in sorted(tours)[:TRIES_PER_THING]:
        if length_m <= LONGEST_WAY_SHARE * request.limits.speed_mps * walking_s:
            taken = list(dict.fromkeys((int(first), int(middle), int(last))))
            order = shortest_order(apart[np.ix_(taken, taken)])
            hold_s = HIDDEN_HOLD_SHARE * seconds
            yield [_stop(ring, taken[index], hold_s if hides and taken[index] == last else None) for index in order]


def _first_places(request: WalkRequest, ring: _Ring, near: Int64[np.ndarray, " places"]) -> list[int]:
    """Return places that show the thing: the nearest where scale matters, any where not."""
    if SCALES in request.challenges:
        return near[np.argsort(ring.distance_m[near], kind="stable")[:NEAREST_TRIED]].tolist()
    return request.rng.choice(near, size=min(NEAREST_TRIED, len(near)), replace=False).tolist()


def _stop(ring: _Ring, place: int, hold_s: float | None) -> Stop:
    target = np.array(ring.thing.box.centre_m, dtype=np.float64)[None]
    return Stop(ring.places_m[place], target) if hold_s is None else Stop(ring.places_m[place], target, hold_s)


def _hard_walk(request: WalkRequest, ring: _Ring, stops: list[Stop]) -> Walk:
    walk = Walk(walk_tour(request, stops, least_stops=len(stops)).motion, (ring.thing.instance_id,))
    poses = walk.world_from_camera
    shares, hides = shown_and_hidden(request, ring.thing, poses)
    shown = shares >= FAR_SHARE
    if not shown.any():
        raise TrajectoryError("the thing is never seen on the way")
    distance = np.linalg.norm(poses[:, :3, 3] - np.array(ring.thing.box.centre_m), axis=1)[shown]
    if SCALES in request.challenges and distance.max() < LEAST_RATIO * distance.min():
        raise TrajectoryError("the thing is not seen from near and far")
    if HIDES in request.challenges and float(hides.mean()) < HIDDEN_SHARE:
        raise TrajectoryError("the thing is not hidden for long enough on the way")
    return _with_clutter(request, walk)
