"""Coverage-optimised: see nearly all of a room, floor to ceiling, from a tour of the places that show most."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.collect.trajectories.small_views import small_views, view_intrinsics
from backsight.collect.trajectories.smooth import PITCH_SHARE, SAMPLES_PER_FRAME, YAW_SHARE, TrajectoryError
from backsight.collect.trajectories.standing import standing_places
from backsight.collect.trajectories.tours import Stop, shortest_order, walk_tour
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_walk
from backsight.geometry.poses import look_poses
from backsight.quality.measures.coverage_cells import OUTSIDE, cell_keys, seen_cells
from backsight.records.scene import Room
from backsight.records.sequence import Coverage

WANTED_SHARE = 0.85
"""Of the cells that can be seen from anywhere."""
PLACES = 24
"""Places that say what can be seen; some of them are stopped at."""
YAWS = 8
PITCHES_DEG = (-22.0, 0.0, 22.0)
LEAST_PITCH_RANGE_DEG = 31.0
"""Between the lowest and the highest look of a walk."""
SURVEY_PX, CHECK_PX = (24, 18), (48, 36)
LOOK_S = 0.05
"""Rest on each look: what is passed on the way from one to the next is seen as well."""
PLANNED_SHARE = WANTED_SHARE + 0.01
"""Pictures of another size and shape see a little less or more than the tiny ones."""
ROOMS_TRIED = 3
LEAST_AREA_M2, AREA_PER_SECOND_M2 = 3.0, 0.6
"""Rooms that are tried first: no closets, and no larger than the time allows."""
FAR_M = 5.0
"""Distance of the points that are looked at."""
TURN_SHARE, WALK_SHARE, START_S, ANY_LOOK_S = 0.93, 0.85, 1.2, 0.3
"""How fast one turns and walks while looks are chosen, what a start and a stop cost, and what any look costs."""


TIME_SHARES = (0.95, 0.8, 0.65)
"""Of the time, what looks are chosen for; less where ways turn out longer than they seemed."""


@dataclass(frozen=True)
class _Survey:
    """What views of a room from many places show."""

    room: Room
    places_m: Float64[np.ndarray, "places 3"]
    place: Int64[np.ndarray, " views"]
    """Where each view is taken."""
    angles_rad: Float64[np.ndarray, "views 2"]
    """Yaw and pitch of each view."""
    shows: Bool[np.ndarray, "views cells"]
    """Only cells that some view shows."""


def plan_coverage(request: WalkRequest) -> Walk:
    """Plan a walk that sees `WANTED_SHARE` of what can be seen of a room, pitching from floor to ceiling.

    Tiny pictures from many places say which cells of surface can be seen at all and from where. Looks are chosen
    greedily, each the one that adds most new cells for the time that it takes to turn or walk to it, as long as the
    time lasts; their places are joined by a short tour over walking distances. Tiny pictures of the finished walk
    count what it sees.

    Args:
        request: What is wanted.

    Raises:
        TrajectoryError: The time is not enough for any room tried.
    """
    rooms = _rooms_by_size(request)
    return first_walk(((lambda room=room: _cover(request, room)) for room in rooms), "no room can be covered")


def _rooms_by_size(request: WalkRequest) -> list[Room]:
    """Return rooms in the order in which they are tried: such as the length is enough for, smaller ones behind."""
    seconds = (request.num_frames - 1) / request.camera.frame_rate_hz
    rooms = sorted(request.simulator.rooms, key=_area_m2)
    rooms = [room for room in rooms if _area_m2(room) >= LEAST_AREA_M2] or rooms
    fitting = [room for room in rooms if _area_m2(room) <= AREA_PER_SECOND_M2 * seconds]
    chosen = [fitting[index] for index in request.rng.permutation(len(fitting))[:1]]
    return [*chosen, *[room for room in rooms if room not in chosen]][:ROOMS_TRIED]


def _area_m2(room: Room) -> float:
    min_x, min_z, max_x, max_z = room.bounds_m
    return (max_x - min_x) * (max_z - min_z)


def _cover(request: WalkRequest, room: Room) -> Walk:
    survey = _survey_of(request, room)
    attempts = ((lambda share=share: _covering_walk(request, survey, share)) for share in TIME_SHARES)
    return first_walk(attempts, f"room {room.room_id}")


def _survey_of(request: WalkRequest, room: Room) -> _Survey:
    places = standing_places(request, room, PLACES)
    pitches = np.clip(
        np.radians(PITCHES_DEG), -np.radians(request.limits.pitch_deg), np.radians(request.limits.pitch_deg)
    )
    yaws = np.arange(YAWS) * (2 * np.pi / YAWS) + request.rng.uniform(0.0, 2 * np.pi / YAWS)
    place = np.repeat(np.arange(len(places)), YAWS * len(pitches))
    yaw = np.tile(np.repeat(yaws, len(pitches)), len(places))
    pitch = np.tile(pitches, YAWS * len(places))
    poses = look_poses(places[place] + np.array([0.0, request.camera.height_m, 0.0]), yaw, pitch)
    keys = _keys(request, poses, room, SURVEY_PX)
    cells = seen_cells(keys)
    shows = np.zeros((len(keys), len(cells) + 1), dtype=bool)
    # Points outside of the room fall into a last column that is cut off.
    column = np.where(keys == OUTSIDE, len(cells), np.searchsorted(cells, keys))
    shows[np.arange(len(keys))[:, None], column] = True
    return _Survey(room, places, place, np.stack([yaw, pitch], axis=-1), shows[:, :-1])


def _keys(
    request: WalkRequest, poses: Float64[np.ndarray, "views 4 4"], room: Room, size_px: tuple[int, int]
) -> Int64[np.ndarray, "views points"]:
    seen = small_views(request, poses, *size_px)
    return cell_keys(seen.depth_m, view_intrinsics(request, *size_px), poses, [room])


def _covering_walk(request: WalkRequest, survey: _Survey, time_share: float) -> Walk:
    seconds = time_share * (request.num_frames - 1) / request.camera.frame_rate_hz
    looks = _chosen_looks(request, survey, seconds)
    by_place: dict[int, list[int]] = {}
    for look in looks:
        by_place.setdefault(int(survey.place[look]), []).append(look)
    spots = list(by_place)
    places = survey.places_m[spots]
    navigation = request.simulator.navigation
    distances = np.stack([navigation.geodesic_distances_m(place, places) for place in places])
    stops = [_stop(request, survey, by_place[spots[index]]) for index in shortest_order(distances)]
    tour = walk_tour(request, stops, least_stops=len(stops), wobble_deg=1.0, pause_share=0.5)
    coverage = Coverage((survey.room.room_id,), survey.shows.shape[1])
    walk = Walk(tour.motion, coverage=coverage)
    if np.degrees(np.ptp(walk.motion.pitch_rad[::SAMPLES_PER_FRAME])) < LEAST_PITCH_RANGE_DEG:
        raise TrajectoryError("the looks chosen do not go from floor to ceiling")
    seen = seen_cells(_keys(request, walk.world_from_camera, survey.room, CHECK_PX))
    share = len(seen) / max(coverage.visible_cells, 1)
    if share < PLANNED_SHARE:
        raise TrajectoryError(f"{share:.0%} of its cells would be seen; choose more frames")
    return walk


def _stop(request: WalkRequest, survey: _Survey, looks: list[int]) -> Stop:
    place = survey.places_m[survey.place[looks[0]]]
    eye = place + np.array([0.0, request.camera.height_m, 0.0])
    angles = survey.angles_rad[looks]
    poses = look_poses(np.tile(eye, (len(looks), 1)), angles[:, 0], angles[:, 1])
    return Stop(place, poses[:, :3, 3] + FAR_M * poses[:, :3, 2], LOOK_S)


def _chosen_looks(request: WalkRequest, survey: _Survey, seconds: float) -> list[int]:
    """Choose looks that add most cells for their time until the time is over: first one up, then one down."""
    turn = TURN_SHARE * np.radians(request.limits.turn_dps)
    rates = np.array([YAW_SHARE * turn, PITCH_SHARE * turn])
    shows = survey.shows.astype(np.float32)
    open_cells = np.ones(shows.shape[1], dtype=np.float32)
    pitch = survey.angles_rad[:, 1]
    up, down = pitch == pitch.max(), pitch == pitch.min()
    taken = [int(np.argmax(np.where(up, shows @ open_cells, -1.0)))]
    open_cells *= ~survey.shows[taken[0]]
    now_s = LOOK_S
    while True:
        here = taken[-1]
        difference = np.abs(survey.angles_rad - survey.angles_rad[here])
        difference[:, 0] = np.abs(np.angle(np.exp(1j * difference[:, 0])))
        cost_s = (difference / rates).max(axis=1)
        way_m = np.linalg.norm(survey.places_m[survey.place] - survey.places_m[survey.place[here]], axis=1)
        walk_s = way_m / (WALK_SHARE * request.limits.speed_mps) + START_S * (way_m > 0.0)
        cost_s = np.maximum(cost_s, walk_s) + LOOK_S
        gain = (shows @ open_cells) / (cost_s + ANY_LOOK_S)
        gain[now_s + cost_s > seconds] = 0.0
        if len(taken) == 1:
            gain[~down] = 0.0
        best = int(np.argmax(gain))
        if gain[best] <= 0.0:
            return taken
        taken.append(best)
        now_s += float(cost_s[best])
        open_cells *= ~survey.shows[best]
