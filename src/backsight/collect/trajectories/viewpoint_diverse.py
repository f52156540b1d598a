"""Viewpoint-diverse: a short tour of views that differ as much as can be in place and direction."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float64

from backsight.collect.trajectories.small_views import (
    ROUND_PITCH_RAD,
    SHOWN_SHARE,
    look_round,
    small_views,
    thing_shares,
)
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.collect.trajectories.standing import standing_places
from backsight.collect.trajectories.things import things_to_see
from backsight.collect.trajectories.tours import Stop, shortest_order, walk_tour
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_walk
from backsight.geometry.poses import look_poses
from backsight.quality.measures.focus import smallest_arc_deg
from backsight.records.scene import Room, SceneObject
from backsight.sim.survey import shown_shares

PLACES = 24
THINGS_TRIED = 6
NEAREST_M, FARTHEST_M = 0.6, 3.5
"""Distances of viewpoints from a thing, seen from above."""
WELL_SHOWN_SHARE = 0.006
LEAST_ARC_DEG = 68.0
"""Smallest arc of directions from which the frames show the thing, seen from above."""
SECONDS_PER_STOP = 4.5
MOST_STOPS = 5
METRES_PER_RADIAN = 1.0
"""Turning this much counts as much as going a metre."""
LONGEST_TOUR_SHARE = 0.75
"""Of the way that could be walked in the time: tours go round things, not straight."""
VIEWS_OF_ROOM = 120
FAR_M = 4.0
"""Distance of the points that views of a room look at."""
CLOSE_M, MOST_CLOSE = 0.8, 0.35
"""Views that are filled by what is nearer than this are not chosen."""


def plan_viewpoint_diverse(request: WalkRequest) -> Walk:
    """Plan a walk round a thing, or through a room that has none, by views that are far from each other.

    Args:
        request: What is wanted.

    Raises:
        TrajectoryError: No thing can be seen from different sides, and no room holds different views.
    """
    rooms = request.simulator.rooms
    order = [rooms[index] for index in request.rng.permutation(len(rooms))]
    attempts = (
        attempt
        for views in (_round_things, views_of_room)
        for room in order
        for attempt in ((lambda room=room, views=views: views(request, room)),)
    )
    return first_walk(attempts, "no views that differ")


def _round_things(request: WalkRequest, room: Room) -> Walk:
    things = things_to_see(request.simulator, room)
    if not things:
        raise TrajectoryError(f"room {room.room_id} has nothing to look at")
    weights = np.array([min(sorted(thing.box.size_m)[1], 1.0) + 0.05 for thing in things])
    chosen = request.rng.choice(
        len(things), size=min(THINGS_TRIED, len(things)), replace=False, p=weights / weights.sum()
    )
    centre = np.array(things[chosen[0]].box.centre_m, dtype=np.float64)
    places = standing_places(request, room, PLACES, centre, FARTHEST_M)
    seen = look_round(request, places, [things[index] for index in chosen])
    offsets = seen.offsets_m()
    distance = np.hypot(offsets[..., 0], offsets[..., 2])
    good = (seen.best_shares >= WELL_SHOWN_SHARE) & (distance >= NEAREST_M) & (distance <= FARTHEST_M)
    attempts = (
        (lambda thing=thing, stops=stops: _round_walk(request, thing, stops))
        for index, thing in enumerate(seen.things)
        for stops in _tours_round(request, places[good[:, index]], thing)
    )
    return first_walk(attempts, f"room {room.room_id}")


def _tours_round(
    request: WalkRequest, places_m: Float64[np.ndarray, "places 3"], thing: SceneObject
) -> Iterator[list[Stop]]:
    """Yield stops round a thing, many first; each more central for the time there is than the one before."""
    centre = np.array(thing.box.centre_m, dtype=np.float64)
    offset = places_m - centre
    direction = np.arctan2(offset[:, 2], offset[:, 0])
    if smallest_arc_deg(direction) < LEAST_ARC_DEG:
        return
    turns = np.abs(np.angle(np.exp(1j * (direction[:, None] - direction[None]))))
    metric = np.linalg.norm(places_m[:, None] - places_m[None], axis=-1) + METRES_PER_RADIAN * turns
    for number in range(most_stops(request), 1, -1):
        taken = farthest_within(request, places_m, metric, number)
        if len(taken) >= 2 and smallest_arc_deg(direction[taken]) >= LEAST_ARC_DEG:
            yield [Stop(places_m[index], centre[None]) for index in taken]


def _round_walk(request: WalkRequest, thing: SceneObject, stops: Sequence[Stop]) -> Walk:
    walk = Walk(walk_tour(request, stops).motion, (thing.instance_id,))
    poses = walk.world_from_camera
    shown = thing_shares(request, poses, [thing])[:, 0] >= SHOWN_SHARE
    offset = (poses[:, :3, 3] - np.array(thing.box.centre_m))[shown]
    if smallest_arc_deg(np.arctan2(offset[:, 2], offset[:, 0])) < LEAST_ARC_DEG:
        raise TrajectoryError("the thing is not seen from sides that differ enough")
    return walk


def views_of_room(request: WalkRequest, room: Room, best_views: int = VIEWS_OF_ROOM // 2) -> Walk:
    """Return a tour of different views of a room that show many things.

    Args:
        request: What is wanted.
        room: Where to look round.
        best_views: From so many, those that show most things, the stops are taken.

    Raises:
        TrajectoryError: There are no different views, or no way between them.
    """
    centre = standing_places(request, room, 1)[0]
    places = standing_places(request, room, PLACES, centre, FARTHEST_M)
    spots = request.rng.integers(len(places), size=VIEWS_OF_ROOM)
    yaw = request.rng.uniform(-np.pi, np.pi, VIEWS_OF_ROOM)
    eyes = places[spots] + np.array([0.0, request.camera.height_m, 0.0])
    poses = look_poses(eyes, yaw, np.full(VIEWS_OF_ROOM, ROUND_PITCH_RAD))
    seen = small_views(request, poses)
    things = [thing for thing in request.simulator.objects if not thing.is_structure]
    count = (shown_shares(seen.instance_ids, things) >= SHOWN_SHARE).sum(axis=1)
    open_enough = ((seen.depth_m > 0.0) & (seen.depth_m < CLOSE_M)).mean(axis=(1, 2)) <= MOST_CLOSE
    best = np.argsort(-(count * open_enough), kind="stable")[:best_views]
    best = best[_usable(open_enough[best])]
    turns = np.abs(np.angle(np.exp(1j * (yaw[best][:, None] - yaw[best][None]))))
    apart = np.linalg.norm(eyes[best][:, None] - eyes[best][None], axis=-1)
    metric = apart + METRES_PER_RADIAN * turns

    def tour(number: int) -> Walk:
        taken = farthest_within(request, places[spots[best]], metric, number)
        stops = [
            Stop(places[spots[best[index]]], (poses[best[index], :3, 3] + FAR_M * poses[best[index], :3, 2])[None])
            for index in taken
        ]
        walk = Walk(walk_tour(request, stops).motion)
        if smallest_arc_deg(walk.motion.yaw_rad) < LEAST_ARC_DEG:
            raise TrajectoryError("the views do not differ enough")
        return walk

    attempts = ((lambda number=number: tour(number)) for number in range(most_stops(request), 1, -1))
    return first_walk(attempts, f"room {room.room_id}")


def _usable(open_enough: Bool[np.ndarray, " views"]) -> Bool[np.ndarray, " views"]:
    """Return which views may be chosen: all, where nearly all are of walls close by."""
    return open_enough if int(open_enough.sum()) >= 2 * MOST_STOPS else np.ones_like(open_enough)


def most_stops(request: WalkRequest) -> int:
    """Return how many stops the time may be enough for.

    Args:
        request: Says how long the walk is.
    """
    seconds = (request.num_frames - 1) / request.camera.frame_rate_hz
    return int(np.clip(seconds / SECONDS_PER_STOP, 2, MOST_STOPS))


def farthest_within(
    request: WalkRequest,
    places_m: Float64[np.ndarray, "places 3"],
    metric: Float64[np.ndarray, "places places"],
    number: int,
) -> list[int]:
    """Choose views far from each other by a metric whose tour can be walked in the time, in the order of the tour.

    Args:
        request: Says how long the walk is; the first view is drawn.
        places_m: Where the views are taken.
        metric: Distance of each two views.
        number: Of views; fewer where no more can be reached.
    """
    seconds = (request.num_frames - 1) / request.camera.frame_rate_hz
    longest_m = LONGEST_TOUR_SHARE * request.limits.speed_mps * seconds
    apart = np.linalg.norm(places_m[:, None] - places_m[None], axis=-1)
    order = [int(request.rng.integers(len(places_m)))]
    while len(order) < number:
        nearest = metric[:, order].min(axis=1)
        best: list[int] | None = None
        for candidate in np.argsort(-nearest, kind="stable"):
            taken = [*order, int(candidate)]
            tour = [taken[index] for index in shortest_order(apart[np.ix_(taken, taken)])]
            if nearest[candidate] > 0.0 and float(apart[tour[:-1], tour[1:]].sum()) <= longest_m:
                best = tour
                break
        if best is None:
            break
        order = best
    return order
