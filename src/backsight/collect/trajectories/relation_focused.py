"""Relation-focused: from viewpoint to viewpoint of pairs of things, looking at both."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.collect.put_away import COULD_BE_IN, PUT_AWAY
from backsight.collect.trajectories.gaze import angles_towards_rad
from backsight.collect.trajectories.small_views import SHOWN_SHARE, LookRound, look_round, thing_shares
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.collect.trajectories.standing import standing_places
from backsight.collect.trajectories.things import named_things, rooms_by_things
from backsight.collect.trajectories.tours import Stop, shortest_order, walk_tour
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_walk
from backsight.geometry.group_relations import among_matrix, between_triples
from backsight.geometry.poses import look_pose
from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.records.errors import UsageError
from backsight.records.scene import Room, SceneObject
from backsight.records.scene_relations import scene_relation_matrix
from backsight.records.vocabulary import CONTAINER_CATEGORIES

RELATIONS_OF_REASONING: dict[str, tuple[str, ...]] = {
    "front_behind": ("in front of", "behind"),
    "left_right": ("left of", "right of"),
    "above_below": ("on", "above", "below", "under"),
    "inside_outside": ("inside",),
    "near_far": ("next to", "near", "far from"),
}
"""Relations of two things that instructions of a reasoning type name; between and among have rules of their own."""
LOOSEST = 3
"""Of the ways to choose pairs for inside and outside, the one for rooms that have no better ones."""
PLACES = 20
"""Places in a room that viewpoints are chosen from."""
ROOMS_TRIED = 4
AREAS_OF_ROOM, AREAS_TRIED = 3, 8
"""Parts of each room that are looked at, and of all rooms together."""
TRIES_PER_AREA = 3
IN_LINE_RAD = float(np.radians(12.0))
WELL_SHOWN_SHARE = 0.03
"""A thing that covers this share of a picture is seen as well as needed."""
WIDEST, WIDEST_GROUP = 0.66, 0.73
"""Largest angle between things that all fit into the picture, in fields of view."""
NEAREST_M, BEST_M, FARTHEST_M = 0.6, 1.8, 6.0
"""Distances from a pair: closer ones cut things off, farther ones show them small."""
SECONDS_PER_STOP = 4.5
MOST_STOPS = 5
APART_M = 0.6
"""Viewpoints of one walk are at least this far from each other."""
LEAST_SHOWN = 0.5
"""Share of the frames that show a pair in the relation that was asked for."""
SEVERAL = "several"
FEWEST_THINGS = 3
SEVERAL_SHOWN = 0.5
"""Share of the frames that must show each of several things in the tiny pictures."""
MOST_CHECKED, MOST_CHOICES = 160, 40
"""Viewpoints whose relation is worked out, and those that are kept."""
THINGS_OF_A_PICTURE, MOST_GROUPS, GROUPS_TRIED, GROUP_PLACES = 6, 60, 8, 4
NEARBY_M = 1.5
"""Viewpoints so far away count a third as much."""


@dataclass(frozen=True)
class _Viewpoint:
    """A place from which things can be seen together."""

    place: int
    members: tuple[int, ...]
    score: float


def plan_relation_focused(request: WalkRequest) -> Walk:
    """Plan a walk that looks at pairs of things in a relation; in the variant 'several', at three things or more.

    Viewpoints are scored by tiny pictures: how well the things are seen, the angle between them and the distance.
    Where a reasoning type is asked for, the relation holds from the viewpoint.

    Args:
        request: What is wanted.

    Raises:
        TrajectoryError: No room shows things in such a relation.
        UsageError: Unknown variant.
    """
    if request.variant not in ("", SEVERAL):
        raise UsageError(f"relation_focused: no variant {request.variant!r}")
    if request.variant == SEVERAL:
        rooms = rooms_by_things(request.simulator, request.rng, FEWEST_THINGS)[:ROOMS_TRIED]
        return first_walk(((lambda room=room: _several_in(request, room)) for room in rooms), "no group of things")
    areas = _areas(request)
    return first_walk(((lambda area=area: _pairs_in(request, area)) for area in areas), "no pair of things")


@dataclass(frozen=True)
class _Area:
    """A part of a room round a pair of things."""

    room: Room
    things: tuple[SceneObject, ...]
    pairs: Int64[np.ndarray, "pairs 2"]
    centre_m: Float64[np.ndarray, "3"]


def _areas(request: WalkRequest) -> Iterator[_Area]:
    """Yield parts of rooms where pairs stand that may be looked at; large rooms and many pairs give several."""
    for loosely in range(LOOSEST + 1):
        found: list[_Area] = []
        for room in rooms_by_things(request.simulator, request.rng, 2):
            things = named_things(request.simulator, room)
            pairs = related_pairs(things, request.reasoning_type, loosely)
            centres = np.array([thing.box.centre_m for thing in things])[pairs].mean(axis=1)
            chosen = request.rng.permutation(len(pairs))[:AREAS_OF_ROOM]
            found += [_Area(room, things, pairs, centre) for centre in centres[chosen]]
        # The first areas of all rooms come before the second ones.
        order = np.argsort([index % AREAS_OF_ROOM for index in range(len(found))], kind="stable")
        yield from (found[index] for index in order[:AREAS_TRIED])


def _pairs_in(request: WalkRequest, area: _Area) -> Walk:
    places = standing_places(request, area.room, PLACES, area.centre_m)
    seen = look_round(request, places, area.things)
    words = _viewer_words(request.reasoning_type)
    ranked = _viewpoints(seen, area.pairs, WIDEST * np.radians(request.camera.hfov_deg), request.reasoning_type)
    holding = (viewpoint for viewpoint in ranked[:MOST_CHECKED] if _holds(seen, viewpoint, words))
    choices = list(islice(holding, MOST_CHOICES))
    if not choices:
        raise TrajectoryError(f"no place in room {area.room.room_id} shows two things in the wanted relation")
    pairs = sorted({viewpoint.members for viewpoint in choices})

    def kept(walk: Walk) -> bool:
        shown = thing_shares(request, walk.world_from_camera, seen.things) >= SHOWN_SHARE
        return _share_of_frames(walk, shown, pairs, seen.things, words) >= LEAST_SHOWN

    attempts = ((lambda: _walk_between(request, seen, choices, kept)) for _ in range(TRIES_PER_AREA))
    return first_walk(attempts, f"pairs in room {area.room.room_id}")


def _several_in(request: WalkRequest, room: Room) -> Walk:
    places = standing_places(request, room, PLACES)
    seen = look_round(request, places, named_things(request.simulator, room))
    by_group: dict[tuple[int, ...], list[_Viewpoint]] = {}
    for viewpoint in _viewpoints(seen, _groups(seen), WIDEST_GROUP * np.radians(request.camera.hfov_deg)):
        by_group.setdefault(viewpoint.members, []).append(viewpoint)
    ranked = sorted(by_group, key=lambda members: -sum(found.score for found in by_group[members][:GROUP_PLACES]))

    def kept(walk: Walk) -> bool:
        focus = [thing for thing in seen.things if thing.instance_id in walk.focus_ids]
        shares = thing_shares(request, walk.world_from_camera, focus)
        return bool((shares >= SHOWN_SHARE).mean(axis=0).min() >= SEVERAL_SHOWN)

    attempts = (
        (lambda members=members: _walk_between(request, seen, by_group[members], kept))
        for members in ranked[:GROUPS_TRIED]
    )
    return first_walk(attempts, f"groups in room {room.room_id}")


def _viewer_words(reasoning_type: str | None) -> tuple[str, ...]:
    """Return the viewer's relations of a type; one of two opposites, since pairs are tried in both orders."""
    words = RELATIONS_OF_REASONING.get(reasoning_type or "", ())
    return tuple(word for word in words if word in VIEWER_RELATIONS)[:1]


def related_pairs(
    things: Sequence[SceneObject], reasoning_type: str | None, loosely: int = 0
) -> Int64[np.ndarray, "pairs 2"]:
    """Return the pairs that may be looked at: those in a relation of the world, where one is asked for.

    Args:
        things: Of one room.
        reasoning_type: A name of `vocabulary.REASONING_TYPES`, or None.
        loosely: For inside and outside, which pairs: 0 is what people put away and what it is inside of; 1 what is kept
            in such a thing and stands near it; 2 all that is inside another; 3 all that stands near what could hold it.
    """
    count = len(things)
    holds = np.ones((count, count), dtype=bool)
    if reasoning_type == "inside_outside":
        holds = _held(things, loosely)
    elif loosely > 1:
        # A second chance is enough where all rounds have the same pairs.
        holds = np.zeros((count, count), dtype=bool)
    elif reasoning_type == "between_among":
        holds = _grouped(things)
    else:
        words = RELATIONS_OF_REASONING.get(reasoning_type or "", ())
        in_world = [word for word in words if word not in VIEWER_RELATIONS]
        if in_world:
            holds = np.any([scene_relation_matrix(word, things) for word in in_world], axis=0)
    first, second = np.nonzero(np.triu(holds | holds.T, 1))
    return np.stack([first, second], axis=-1)


def _held(things: Sequence[SceneObject], loosely: int) -> Bool[np.ndarray, "things things"]:
    """Whether one is inside the other or, outside, could be."""
    if loosely in (0, 2):
        put_away = np.array([loosely > 0 or thing.category in PUT_AWAY for thing in things], dtype=bool)
        return scene_relation_matrix("inside", things) & put_away[:, None]
    takes: dict[str, tuple[str, ...]] = COULD_BE_IN
    if loosely == LOOSEST:
        takes = dict.fromkeys(CONTAINER_CATEGORIES, tuple(thing.category for thing in things))
    kept = [[thing.category in takes.get(other.category, ()) for other in things] for thing in things]
    near = scene_relation_matrix("outside", things) & scene_relation_matrix("near", things)
    return near & np.array(kept, dtype=bool).reshape(near.shape)


def _grouped(things: Sequence[SceneObject]) -> Bool[np.ndarray, "things things"]:
    """Whether one is between others that the second belongs to, or among them."""
    boxes = [thing.box for thing in things]
    holds = np.zeros((len(things), len(things)), dtype=bool)
    for subject, first, second in between_triples(boxes):
        holds[subject, first] = holds[subject, second] = True
    names = sorted({thing.category for thing in things})
    kinds = np.array([names.index(thing.category) for thing in things], dtype=np.int64)
    return holds | among_matrix(boxes, kinds)[:, kinds]


def _groups(seen: LookRound) -> Int64[np.ndarray, "groups members"]:
    """Return sets of three things that single pictures show, those that many pictures show first."""
    worth = np.sqrt(np.minimum(seen.shares / WELL_SHOWN_SHARE, 1.0)) * (seen.shares >= SHOWN_SHARE)
    total: dict[tuple[int, ...], float] = {}
    for picture in worth.reshape(-1, worth.shape[2]):
        shown = np.argsort(-picture, kind="stable")[:THINGS_OF_A_PICTURE]
        shown = np.sort(shown[picture[shown] > 0.0]).tolist()
        for members in combinations(shown, FEWEST_THINGS):
            total[members] = total.get(members, 0.0) + float(picture[list(members)].min())
    ranked = sorted(total, key=lambda members: (-total[members], members))[:MOST_GROUPS]
    return np.array(ranked, dtype=np.int64).reshape(-1, FEWEST_THINGS)


def _viewpoints(
    seen: LookRound, groups: Int64[np.ndarray, "groups members"], widest_rad: float, reasoning_type: str | None = None
) -> list[_Viewpoint]:
    """Return places for groups of things that can be seen from them together, the best first."""
    shares, yaw, offset = seen.best_shares, seen.yaws_rad(), seen.offsets_m()
    distance_m = np.hypot(offset[..., 0], offset[..., 2])[:, groups]
    worth = (np.sqrt(np.minimum(shares / WELL_SHOWN_SHARE, 1.0)) * (shares >= SHOWN_SHARE))[:, groups].min(axis=-1)
    # Angles from the first member: a group that fits into the picture lies within half a turn of any of its members.
    turned = np.angle(np.exp(1j * (yaw[:, groups] - yaw[:, groups[:, :1]])))
    angle = turned.max(axis=-1) - turned.min(axis=-1)
    near_enough = np.exp(-(np.log(np.maximum(distance_m.mean(axis=-1), 1e-3) / BEST_M) ** 2))
    score = worth * near_enough * _worth_of_angle(angle, widest_rad, reasoning_type)
    fits = (angle <= widest_rad) & (distance_m.min(axis=-1) >= NEAREST_M) & (distance_m.max(axis=-1) <= FARTHEST_M)
    place, group = np.nonzero(np.where(fits, score, 0.0))
    order = np.argsort(-score[place, group], kind="stable")
    found = zip(place[order].tolist(), groups[group[order]].tolist(), score[place, group][order].tolist(), strict=True)
    return [_Viewpoint(spot, tuple(members), value) for spot, members, value in found]


def _worth_of_angle(
    angle_rad: Float64[np.ndarray, "places groups"], widest_rad: float, reasoning_type: str | None
) -> Float64[np.ndarray, "places groups"]:
    """Return how well an angle between things suits: small for one before the other, not too small for side by side."""
    if reasoning_type == "front_behind":
        return np.exp(-((angle_rad / IN_LINE_RAD) ** 2))
    beside = np.minimum(angle_rad / IN_LINE_RAD, 1.0) if reasoning_type == "left_right" else 1.0
    return beside * (1.0 - 0.5 * angle_rad / widest_rad)


def _holds(seen: LookRound, viewpoint: _Viewpoint, words: Sequence[str]) -> bool:
    """Whether a pair is in one of the viewer's relations for who looks at its middle; true where none is asked."""
    if not words:
        return True
    eye = seen.places_m[viewpoint.place] + np.array([0.0, seen.eye_m, 0.0])
    yaw, _ = angles_towards_rad(eye[None], _middle_m(seen, viewpoint)[None])
    pair = [seen.things[member] for member in viewpoint.members]
    return any(bool(scene_relation_matrix(word, pair, look_pose(eye, float(yaw[0]))).any()) for word in words)


def _middle_m(seen: LookRound, viewpoint: _Viewpoint) -> Float64[np.ndarray, "3"]:
    """Return the point in the middle of the directions of a viewpoint's things."""
    eye = seen.places_m[viewpoint.place] + np.array([0.0, seen.eye_m, 0.0])
    offsets = seen.offsets_m()[viewpoint.place, list(viewpoint.members)]
    lengths = np.linalg.norm(offsets, axis=1)
    direction = (offsets / lengths[:, None]).sum(axis=0)
    return eye + direction / np.linalg.norm(direction) * float(lengths.mean())


def _walk_between(
    request: WalkRequest, seen: LookRound, choices: Sequence[_Viewpoint], kept: Callable[[Walk], bool]
) -> Walk:
    """Walk through a few of the viewpoints, and see whether the walk shows what it should."""
    chosen = _chosen(request, seen, choices)
    places = seen.places_m[[viewpoint.place for viewpoint in chosen]]
    order = shortest_order(np.linalg.norm(places[:, None] - places[None], axis=-1))
    stops = [Stop(places[index], _middle_m(seen, chosen[index])[None]) for index in order]
    tour = walk_tour(request, stops)
    reached = [chosen[index] for index in order[: tour.num_stops]]
    numbers = dict.fromkeys(member for viewpoint in reached for member in viewpoint.members)
    walk = Walk(tour.motion, tuple(seen.things[member].instance_id for member in numbers))
    if not kept(walk):
        raise TrajectoryError("the things are not seen for long enough on the way")
    return walk


def _chosen(request: WalkRequest, seen: LookRound, choices: Sequence[_Viewpoint]) -> list[_Viewpoint]:
    """Draw one good viewpoint, and add others near it that show other things."""
    seconds = (request.num_frames - 1) / request.camera.frame_rate_hz
    number = int(np.clip(seconds / SECONDS_PER_STOP, 2, MOST_STOPS))
    scores = np.array([viewpoint.score for viewpoint in choices])
    places = seen.places_m[[viewpoint.place for viewpoint in choices]]
    taken = [int(request.rng.choice(len(choices), p=scores / scores.sum()))]
    while len(taken) < number:
        apart = np.linalg.norm(places[:, None] - places[taken][None], axis=-1).min(axis=1)
        known = {member for index in taken for member in choices[index].members}
        fresh = [0.3 + len(set(viewpoint.members) - known) / len(viewpoint.members) for viewpoint in choices]
        gain = scores * np.array(fresh) * np.exp(-apart / NEARBY_M) * (apart >= APART_M)
        if gain.max() <= 0.0:
            break
        taken.append(int(np.argmax(gain)))
    if len(taken) < 2:
        raise TrajectoryError("there is only one place to look from")
    return [choices[index] for index in taken]


def _share_of_frames(
    walk: Walk,
    shown: Bool[np.ndarray, "frames things"],
    pairs: Sequence[tuple[int, ...]],
    things: Sequence[SceneObject],
    words: Sequence[str],
) -> float:
    """Return the share of the frames that show both things of a pair, in one of the viewer's relations if any."""
    members = sorted({member for pair in pairs for member in pair})
    wanted = np.zeros((len(things), len(things)), dtype=bool)
    wanted[tuple(np.array(pairs).T)] = True
    good = 0
    for pose, visible in zip(walk.world_from_camera, shown, strict=True):
        numbers = [member for member in members if visible[member]]
        holds = wanted[np.ix_(numbers, numbers)]
        if words and holds.any():
            present = [things[number] for number in numbers]
            in_view = np.any([scene_relation_matrix(word, present, pose) for word in words], axis=0)
            holds = holds & (in_view | in_view.T)
        good += bool(holds.any())
    return good / len(shown)
