"""Temporally coherent: slow, steady motion whose frames share much; or away from a thing and back to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from jaxtyping import Bool, Float64

from backsight.collect.moving_things import movable_of
from backsight.collect.trajectories.small_views import (
    ROUND_PITCH_RAD,
    SHOWN_SHARE,
    look_round,
    small_views,
    thing_shares,
)
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.collect.trajectories.standing import standing_places
from backsight.collect.trajectories.things import movable_things, rooms_by_things
from backsight.collect.trajectories.tours import Stop, walk_tour
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_walk
from backsight.geometry.poses import look_poses
from backsight.records.errors import UsageError
from backsight.records.scene import Room, SceneObject

RETURN = "return"
LEAST_PATH_M, MOST_PATH_M = 1.1, 3.5
MEAN_SPEED_MPS = 0.25
"""Longer ways than this allows are not chosen."""
PLACES = 16
TRIES = 12
GAZES_RAD = tuple(float(np.radians(angle)) for angle in (0.0, 40.0, -40.0, 180.0))
"""Directions of the gaze at the start, relative to the way; all the walk looks at one far point."""
FAR_M = 6.0
"""Distance of that point: the gaze hardly turns."""
COHERENT_WOBBLE_DEG = 1.5
CLOSE_M = 0.8
"""A view of a wall so near says little."""

THINGS_TRIED = 8
NEAREST_M, FARTHEST_M = 0.9, 3.5
"""Distances that a thing is looked at from before and after."""
WELL_SEEN_SHARE = 0.008
STEP_M = (0.3, 1.4)
"""Between the places that a thing is looked at from."""
OFF_CENTRE = 0.55
"""Of half the field of view: at first the thing is seen off the middle, on the side that it leaves the picture on."""
AWAY_RAD = tuple(float(np.radians(angle)) for angle in (55.0, 65.0, 75.0, 85.0, 100.0))
"""How far the thing lies beyond the picture's edge at most, tried from the least: more keeps it away for longer."""
FIRST_HOLD_SHARE, LEAST_FIRST_S = 0.1, 1.2
LEAST_BEFORE = 2
"""So many frames show the thing before."""
AWAY_FRAMES = 6
"""So many frames in a row don't show the thing."""
BACK_SHARE = 0.58
"""The thing is seen again before this share of the walk is over."""
SEEN_AFTER = 0.7
"""Share of the frames after that which show it."""


def plan_temporally_coherent(request: WalkRequest) -> Walk:
    """Plan a slow, steady walk; in the variant 'return' one that turns away from a thing and comes back to it.

    Args:
        request: What is wanted.

    Raises:
        TrajectoryError: There is no floor for it, or nothing to return to.
        UsageError: Unknown variant.
    """
    if request.variant == RETURN:
        return _plan_return(request)
    if request.variant:
        raise UsageError(f"temporally_coherent: no variant {request.variant!r}")
    rooms = [request.simulator.rooms[index] for index in request.rng.permutation(len(request.simulator.rooms))]
    return first_walk(((lambda room=room: _coherent_in(request, room)) for room in rooms), "no steady walk")


def _coherent_in(request: WalkRequest, room: Room) -> Walk:
    # Round a random place: in a large hall, places far from each other are too far for a slow walk.
    try:
        centre = request.simulator.navigation.random_point(request.rng, room.room_id)
    except UsageError as error:
        raise TrajectoryError(str(error)) from error
    places = standing_places(request, room, PLACES, centre, MOST_PATH_M / 2)
    stops = sorted(_coherent_stops(request, places), key=lambda found: -found[0])
    return first_walk(
        (
            (lambda way=way: Walk(walk_tour(request, way, wobble_deg=COHERENT_WOBBLE_DEG, pause_share=0.1).motion))
            for _, way in stops
        ),
        f"room {room.room_id}",
    )


def _coherent_stops(
    request: WalkRequest, places_m: Float64[np.ndarray, "places 3"]
) -> Iterator[tuple[float, list[Stop]]]:
    """Yield ways and what is looked at on them, each with how open its view is."""
    seconds = (request.num_frames - 1) / request.camera.frame_rate_hz
    longest_m = float(np.clip(MEAN_SPEED_MPS * seconds, LEAST_PATH_M + 0.3, MOST_PATH_M))
    apart = np.linalg.norm(places_m[:, None] - places_m[None], axis=-1)
    first, second = np.nonzero((apart >= 0.4) & (apart <= longest_m))
    if len(first) == 0:
        raise TrajectoryError("there is no way of a fitting length")
    # The longest ways first, so that one way there is enough wherever there is room for it.
    chosen = request.rng.permutation(len(first))[: 4 * TRIES]
    chosen = chosen[np.argsort(-np.minimum(apart[first[chosen], second[chosen]], LEAST_PATH_M), kind="stable")][:TRIES]
    eye_m = np.array([0.0, request.camera.height_m, 0.0])
    starts, goals = places_m[first[chosen]], places_m[second[chosen]]
    way = goals - starts
    yaw = np.arctan2(-way[:, 0], -way[:, 2]) + request.rng.choice(GAZES_RAD, size=len(way))
    pitch = np.full(len(way), ROUND_PITCH_RAD)
    poses = look_poses(np.concatenate([starts, goals]) + eye_m, np.tile(yaw, 2), np.tile(pitch, 2))
    near = (small_views(request, poses).depth_m < CLOSE_M).mean(axis=(1, 2)).reshape(2, -1).max(axis=0)
    for index in range(len(way)):
        target = poses[index, :3, 3] + FAR_M * poses[index, :3, 2]
        legs = int(np.ceil(LEAST_PATH_M / np.linalg.norm(way[index])))
        stops = [Stop((starts, goals)[leg % 2][index], target[None]) for leg in range(legs + 1)]
        yield -float(near[index]), stops


@dataclass(frozen=True)
class _Return:
    """Places to look at a thing from, before and after, and which way the gaze turns between."""

    thing: SceneObject
    places_m: Float64[np.ndarray, "places 3"]
    side: float
    away_rad: float


def _plan_return(request: WalkRequest) -> Walk:
    rooms = rooms_by_things(request.simulator, request.rng, 1)
    attempts = (
        (lambda found=found: _return_walk(request, found)) for room in rooms for found in _returns(request, room)
    )
    return first_walk(attempts, "there is nothing to turn away from and come back to")


def _returns(request: WalkRequest, room: Room) -> Iterator[_Return]:
    """Yield things of a room with two or three places that they are seen well from."""
    light = movable_things(request.simulator, room)
    drawn = (light[index] for index in request.rng.permutation(len(light)))
    movable = list(islice((t for t in drawn if movable_of(t, request.simulator) is not None), THINGS_TRIED))
    if not movable:
        return
    centre = np.array(movable[0].box.centre_m, dtype=np.float64)
    try:
        places = standing_places(request, room, PLACES, centre)
    except TrajectoryError:
        return
    seen = look_round(request, places, movable)
    offsets = seen.offsets_m()
    distance = np.hypot(offsets[..., 0], offsets[..., 2])
    good = (seen.best_shares >= WELL_SEEN_SHARE) & (distance >= NEAREST_M) & (distance <= FARTHEST_M)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    near = (apart >= STEP_M[0]) & (apart <= STEP_M[1])
    for index, thing in enumerate(movable):
        ways = np.argwhere(good[:, index, None] & good[None, :, index] & near)
        if len(ways) == 0:
            continue
        first, second = ways[request.rng.integers(len(ways))]
        third = np.flatnonzero(good[:, index] & near[second])
        route = places[[first, second, int(request.rng.choice(third))]]
        side = float(request.rng.choice([-1.0, 1.0]))
        for away_rad in AWAY_RAD:
            yield _Return(thing, route, side, away_rad)


def _return_walk(request: WalkRequest, found: _Return) -> Walk:
    seconds = (request.num_frames - 1) / request.camera.frame_rate_hz
    eye_m = np.array([0.0, request.camera.height_m, 0.0])
    centre = np.array(found.thing.box.centre_m, dtype=np.float64)
    half_rad = float(np.radians(request.camera.hfov_deg)) / 2
    first, second, third = found.places_m
    offset = centre - first - eye_m
    looks = np.stack(
        [_turned(offset, found.side * angle) for angle in (OFF_CENTRE * half_rad, half_rad + found.away_rad)]
    )
    hold_s = max(FIRST_HOLD_SHARE * seconds, LEAST_FIRST_S)
    stops = [
        Stop(first, (first + eye_m + looks[0])[None], hold_s, patience=0.0),
        # The gaze turns on the spot: the second look is from the same place.
        Stop(first, (first + eye_m + looks[1])[None], 0.1, patience=0.0),
        Stop(second, centre[None], 0.1),
        Stop(third, centre[None]),
    ]
    tour = walk_tour(request, stops, least_stops=3, wobble_deg=2.0, pause_share=1.0)
    walk = Walk(tour.motion, (found.thing.instance_id,))
    shares = thing_shares(request, walk.world_from_camera, [found.thing])[:, 0]
    if not returns_in_time(shares):
        raise TrajectoryError("the thing is not away for long enough, or seen again too late")
    return walk


def returns_in_time(shares: Float64[np.ndarray, " frames"]) -> bool:
    """Return whether a thing is seen, then away for a while, then seen again early enough and for long enough.

    Args:
        shares: Share of each frame's picture that shows it.
    """
    shown = np.flatnonzero(shares >= SHOWN_SHARE)
    for before, (last, again) in enumerate(pairwise(shown.tolist()), start=1):
        # A sliver at the picture's edge may be left for a frame or two.
        if longest_run(shares[last + 1 : again] == 0.0) >= AWAY_FRAMES:
            in_time = before >= LEAST_BEFORE and again <= int(BACK_SHARE * len(shares))
            return in_time and bool((shares[again:] >= SHOWN_SHARE).mean() >= SEEN_AFTER)
    return False


def longest_run(holds: Bool[np.ndarray, " frames"]) -> int:
    """Return the length of the longest run of frames in which something holds."""
    ends = np.flatnonzero(~np.concatenate([[False], holds, [False]]))
    return int(np.diff(ends).max()) - 1


def _turned(offset_m: Float64[np.ndarray, "3"], angle_rad: float) -> Float64[np.ndarray, "3"]:
    """Return a direction turned about the vertical."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([cos * offset_m[0] + sin * offset_m[2], offset_m[1], cos * offset_m[2] - sin * offset_m[0]])
