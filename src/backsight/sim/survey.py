"""A look round a scene from places to stand: what can be seen from where, and which views show most."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.errors import UsageError
from backsight.records.scene import Room, SceneObject
from backsight.sim.simulator import Navigation, Simulator

EYE_M = 1.4
"""Height of the eyes above the floor."""
GAZE_RAD = -0.14
"""Pitch of the views: 8 degrees down, as one looks at furniture and not at the ceiling."""
HFOV_DEG = 79.0
LOOK_WIDTH_PX, LOOK_HEIGHT_PX = 64, 48
"""Size of the images that views are judged by."""
YAWS = 8
"""Directions looked at from each place."""
SHOWN_SHARE = 0.003
"""A view shows a thing that covers this share of its image: 9 pixels."""

_POINTS_PER_M2, _FEWEST_POINTS, _MOST_POINTS = 0.6, 6, 30
_DRAWS_PER_POINT = 4
_WELL_SHOWN_SHARE = 0.06
_CLOSE_M, _CLOSE_LIMIT = 0.9, 0.35
_DEEP_QUANTILE = 0.9
_REPEAT_WEIGHT = 0.4
_AGAIN, _STOREY_M = 0.6, 1.0
_SAME_SPOT_M = 0.6
_SAME_PLACE_M, _SAME_TURN_RAD = 1.2, math.radians(50.0)
_BATCH = 256


@dataclass(frozen=True)
class Survey:
    """Many views of one scene from standing height, with what they show."""

    world_from_camera: Float64[np.ndarray, "views 4 4"]
    room_ids: Int64[np.ndarray, " views"]
    """Room that each view is taken in."""
    things: tuple[SceneObject, ...]
    """Everything but the building, by rising id."""
    shares: Float64[np.ndarray, "views things"]
    """Share of each view's image that shows each thing."""
    close: Float64[np.ndarray, " views"]
    """Share of each view's image that is nearer than 0.9 m or shows no surface."""
    depth_m: Float64[np.ndarray, " views"]
    """Mean depth of each view."""

    @property
    def shown(self) -> Bool[np.ndarray, "views things"]:
        """Which view shows which thing: at least 0.3 % of its image."""
        return self.shares >= SHOWN_SHARE


def survey_scene(simulator: Simulator) -> Survey:
    """Look round from standing places in every room of the loaded scene that can be entered; the same every time.

    Args:
        simulator: With a scene loaded.

    Raises:
        UsageError: No room can be entered.
    """
    by_room = [(room.room_id, _places(simulator.navigation, room)) for room in simulator.rooms]
    places = [place for _, found in by_room for place in found]
    if not places:
        raise UsageError("survey: there is no room that an agent can stand in")
    eyes = np.stack(places) + np.array([0.0, EYE_M, 0.0])
    poses = np.stack([look_pose(eye, 2.0 * math.pi * turn / YAWS, GAZE_RAD) for eye in eyes for turn in range(YAWS)])
    room_ids = np.repeat([room_id for room_id, found in by_room for _ in found], YAWS).astype(np.int64)
    things = tuple(thing for thing in simulator.objects if not thing.is_structure)
    shares = np.zeros((len(poses), len(things)))
    close, depth_m = np.zeros(len(poses)), np.zeros(len(poses))
    intrinsics = intrinsics_from_hfov(LOOK_WIDTH_PX, LOOK_HEIGHT_PX, HFOV_DEG)
    for start in range(0, len(poses), _BATCH):
        seen = simulator.render_shapes(poses[start : start + _BATCH], intrinsics, LOOK_WIDTH_PX, LOOK_HEIGHT_PX)
        count = len(seen.depth_m)
        shares[start : start + count] = shown_shares(seen.instance_ids, things)
        close[start : start + count] = (seen.depth_m < _CLOSE_M).mean(axis=(1, 2))
        depth_m[start : start + count] = seen.depth_m.mean(axis=(1, 2))
    return Survey(poses, room_ids, things, shares, close, depth_m)


def shown_shares(
    instance_ids: Int32[np.ndarray, "views height width"], things: Sequence[SceneObject]
) -> Float64[np.ndarray, "views things"]:
    """Return the share of each view's image that shows each thing.

    Args:
        instance_ids: Instance map of every view; 0 = nothing.
        things: Which things are counted.
    """
    count, height, width = instance_ids.shape
    numbers = np.array([thing.instance_id for thing in things], dtype=np.int64)
    size = max(int(instance_ids.max(initial=0)), int(numbers.max(initial=0))) + 1
    key = np.arange(count)[:, None, None] * size + instance_ids
    pixels = np.bincount(key.ravel(), minlength=count * size).reshape(count, size)
    return pixels[:, numbers] / (width * height)


def choose_views(survey: Survey, number: int, main_rooms: Collection[int] = ()) -> tuple[int, ...]:
    """Return indices of views that together show much, the best first.

    Each next view is the one that shows most things well that no earlier one shows as well; views with much of the
    image close by, or that end at a near wall, count less, as do views from a room or a storey that already has one,
    and one that repeats an earlier view's place and direction is not taken.

    Args:
        survey: Views to choose from.
        number: How many are wanted; fewer are returned where there are fewer.
        main_rooms: Ids of the rooms that the scene is about; views from other rooms count half.
    """
    worth = np.sqrt(np.minimum(survey.shares / _WELL_SHOWN_SHARE, 1.0)) * survey.shown
    openness = np.clip(1.0 - survey.close / _CLOSE_LIMIT, 0.02, 1.0)
    openness = openness * np.clip(survey.depth_m / np.quantile(survey.depth_m, _DEEP_QUANTILE), 0.02, 1.0)
    if main_rooms:
        openness = np.where(np.isin(survey.room_ids, list(main_rooms)), openness, openness / 2)
    best = np.zeros(worth.shape[1])
    free = np.ones(len(worth), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(number, len(worth)):
        if not free.any():
            free = np.isin(np.arange(len(worth)), chosen, invert=True)
        gain = np.maximum(worth - best, 0.0).sum(axis=1) + _REPEAT_WEIGHT * worth.sum(axis=1)
        # The small constant lets the most open view win where nothing is shown at all.
        view = int(np.argmax(np.where(free, (gain + 1e-3) * openness, -1.0)))
        chosen.append(view)
        best = np.maximum(best, worth[view])
        free &= ~_repeats(survey.world_from_camera, view)
        if survey.room_ids[view] not in main_rooms:
            openness = np.where(survey.room_ids == survey.room_ids[view], _AGAIN * openness, openness)
        level = np.abs(survey.world_from_camera[:, 1, 3] - survey.world_from_camera[view, 1, 3]) < _STOREY_M
        openness = np.where(level, _AGAIN * openness, openness)
    return tuple(chosen)


def _repeats(world_from_camera: Float64[np.ndarray, "views 4 4"], view: int) -> Bool[np.ndarray, " views"]:
    """Whether a view is from the spot of the given one, or from nearly the same place in nearly the same direction."""
    distance = np.linalg.norm(world_from_camera[:, :3, 3] - world_from_camera[view, :3, 3], axis=1)
    cosine = world_from_camera[:, :3, 2] @ world_from_camera[view, :3, 2]
    return (distance < _SAME_SPOT_M) | ((distance < _SAME_PLACE_M) & (cosine > math.cos(_SAME_TURN_RAD)))


def _places(navigation: Navigation, room: Room) -> list[Float64[np.ndarray, "3"]]:
    """Return places in a room that are far from each other and from obstacles."""
    min_x, min_z, max_x, max_z = room.bounds_m
    area = (max_x - min_x) * (max_z - min_z)
    wanted = int(np.clip(math.ceil(_POINTS_PER_M2 * area), _FEWEST_POINTS, _MOST_POINTS))
    rng = np.random.default_rng(room.room_id)
    try:
        drawn = np.stack([navigation.random_point(rng, room.room_id) for _ in range(_DRAWS_PER_POINT * wanted)])
    except UsageError:
        return []  # A room that cannot be entered, such as a shaft, has no places.
    clearance = navigation.clearance_m(drawn)
    taken = [int(np.argmax(clearance))]
    while len(taken) < wanted:
        apart = np.linalg.norm(drawn[:, None] - drawn[taken], axis=-1).min(axis=1)
        taken.append(int(np.argmax(apart * np.minimum(clearance, 0.6))))
    return [drawn[index] for index in taken]
