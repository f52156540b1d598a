"""Which thing moves in a walk, when and where to."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from jaxtyping import Float64

from backsight.collect.render_walk import EventScript, shapes_at_frames
from backsight.collect.tracks import hidden_rays
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.collect.trajectories.walk import Walk
from backsight.geometry.upright_boxes import bottoms_m, footprint_corners, footprint_gaps_m, footprint_inside, tops_m
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.records.sequence import ObjectMotion, SceneEvent
from backsight.records.vocabulary import FURNITURE_CATEGORIES
from backsight.sim.simulator import Shapes, Simulator

GLANCE_PX = 64
"""Width of the small pictures that events are planned with."""
LEAST_SHARE = 0.003
"""A thing is looked at when it covers this share of a picture."""
LAST_SHARE = 0.6
"""Things have moved, and were seen where they are then, before this share of the walk is over."""
CAMERA_GAP_M = 0.5
"""Between the camera, seen from above, and a thing that moves, anywhere on the ways of both."""
LONGEST_SIDE_M = 1.6
"""Larger things stay where they are."""
GAP_M = 0.03
"""Kept to other things and to walls; a thing that stood nearer may come no nearer."""
SPEED_MPS, TURN_RPS = 0.5, float(np.radians(60.0))
"""Fastest a thing slides and turns."""
SLIDE_M = (0.3, 1.5)
TURN_RAD = (float(np.radians(45.0)), float(np.radians(150.0)))
LEAST_MOVE_M = 0.5
"""A thing that is moved unseen is at least so far from where it was."""
TURNED_ONLY = 0.25
"""Share of the seen motions that are a turn on the spot."""
_SETTLED_M = 0.03
_CLEAR_M = 0.02
_WAYS_TRIED, _PLACES_TRIED, _THINGS_TRIED = 32, 48, 24
_STAYS = frozenset(
    {"sink", "toilet", "bathtub", "stove", "fridge", "shower", "counter", "fireplace", "radiator", "range hood"}
    | {"dishwasher", "washing machine", "curtain", "picture", "mirror", "whiteboard", "projector screen", "clock"}
    | {"sign", "towel", "fire extinguisher", "locker", "rack", "rug", "mat", "bed", "wardrobe", "bookshelf", "piano"}
    | {"ladder"}
)
"""Built in, hung up, flat or heavy."""
_ROUND = frozenset(
    {"vase", "bowl", "plate", "bottle", "cup", "pot", "kettle", "bin", "candle", "plant", "lamp", "barrel", "cone"}
    | {"exercise ball", "globe", "basket", "stool", "fan"}
)
"""They look the same when they are turned."""


@dataclass(frozen=True)
class Glance:
    """A walk in small pictures, with the scene as it was loaded."""

    intrinsics: Float64[np.ndarray, "3 3"]
    """Of the small pictures, px."""
    width: int
    """px."""
    height: int
    """px."""
    seen: Shapes

    @property
    def camera(self) -> tuple[Float64[np.ndarray, "3 3"], int, int]:
        """Intrinsics, width and height."""
        return self.intrinsics, self.width, self.height


@dataclass(frozen=True)
class Movable:
    """A thing that could be moved."""

    thing: SceneObject
    room: Room
    support: SceneObject | None
    """What it slides on where that is not the floor."""
    obstacles: tuple[OrientedBox, ...]
    """What it could meet."""
    gaps_m: Float64[np.ndarray, " obstacles"]
    """How far away these are where it was loaded, seen from above; 0 for what it is tucked in under, infinite for what
    is nowhere near."""


def move_in_view(walk: Walk, simulator: Simulator, glance: Glance, rng: np.random.Generator) -> EventScript:
    """Return a script in which one thing slides or turns while frames show it.

    Args:
        walk: The camera's way; things that it was planned around are tried first.
        simulator: With the scene loaded.
        glance: The walk without events.
        rng: Source of every choice.

    Raises:
        TrajectoryError: Nothing that the walk looks at long enough has room to move.
    """
    num_frames = len(glance.seen.depth_m)
    last = int(np.ceil(LAST_SHARE * num_frames)) - 1
    for movable in _candidates(walk, simulator, glance, rng):
        shown = _share(glance.seen, movable.thing.instance_id) >= LEAST_SHARE
        for centre_m, yaw_rad in _ways(movable, 1.0 / _frame_step_s(walk), rng):
            steps = len(yaw_rad) - 1
            starts = [f for f in range(2, last - steps) if shown[f - 1 : f + steps + 1].all()]
            if not starts or not _is_free(movable, centre_m, yaw_rad, walk, simulator):
                continue
            motion = _motion(movable.thing, starts[rng.integers(len(starts))], (centre_m, yaw_rad), num_frames)
            event = _event(motion)
            script = EventScript(motions=(motion,), events=(event,))
            frames = np.arange(event.first_frame, event.last_frame + 1)
            seen = shapes_at_frames(simulator, walk.world_from_camera[frames], frames, script, glance.camera)
            if (_share(seen, motion.instance_id) >= LEAST_SHARE).all():
                return script
    raise TrajectoryError("no thing that the walk looks at has room to move in view; try another walk")


def move_unseen(walk: Walk, simulator: Simulator, glance: Glance, rng: np.random.Generator) -> EventScript:
    """Return a script in which a thing that was seen is elsewhere when it is seen again.

    Args:
        walk: The camera's way.
        simulator: With the scene loaded.
        glance: The walk without events.
        rng: Source of every choice.

    Raises:
        TrajectoryError: No thing goes out of view and could be seen again elsewhere in its room.
    """
    poses = walk.world_from_camera
    last = int(np.ceil(LAST_SHARE * len(poses))) - 1
    images = glance.seen.depth_m, glance.seen.instance_ids
    for movable in _candidates(walk, simulator, glance, rng):
        number = movable.thing.instance_id
        places = list(_places(movable, walk, simulator, rng))
        if not places:
            continue
        # Ids that no picture holds: what hides the places also hides what will stand there.
        things = [msgspec.structs.replace(movable.thing, instance_id=-1 - i, box=box) for i, box in enumerate(places)]
        rays, stopped = hidden_rays([movable.thing, *things], (), images, glance.intrinsics, poses)
        away, open_rays = rays == stopped, rays - stopped
        shown = np.flatnonzero(_share(glance.seen, number) >= LEAST_SHARE)
        for place, box in enumerate(places, start=1):
            gone = away[:, 0] & away[:, place]
            before = np.flatnonzero(gone[:-1] & gone[1:])
            again = np.flatnonzero(2 * open_rays[:, place] > rays[:, place])
            chances = [f for f in before if (shown < f).any() and ((again > f + 1) & (again <= last)).any()]
            if not chances:
                continue
            frame = int(chances[rng.integers(len(chances))])
            ends = (
                np.array([movable.thing.box.centre_m, box.centre_m]),
                np.array([movable.thing.box.yaw_rad, box.yaw_rad]),
            )
            motion = _motion(movable.thing, frame, ends, len(poses))
            script = EventScript(motions=(motion,), events=(_event(motion),))
            frames = np.arange(frame, last + 1)
            shares = _share(shapes_at_frames(simulator, poses[frames], frames, script, glance.camera), number)
            if shares[:2].max() == 0.0 and shares[2:].max() >= LEAST_SHARE:
                return script
    raise TrajectoryError("no thing goes out of view and could be seen again elsewhere; try another walk")


def _frame_step_s(walk: Walk) -> float:
    frames = len(walk.world_from_camera)
    return float(walk.motion.time_s[-1] - walk.motion.time_s[0]) / max(frames - 1, 1)


def _share(seen: Shapes, instance_id: int) -> Float64[np.ndarray, " frames"]:
    return (seen.instance_ids == instance_id).mean(axis=(1, 2))


def _candidates(walk: Walk, simulator: Simulator, glance: Glance, rng: np.random.Generator) -> Iterator[Movable]:
    """Yield things that could move: those the walk was planned around first, then others that it looks at."""
    objects = simulator.objects
    looked_at = {t.instance_id: _share(glance.seen, t.instance_id).max() >= LEAST_SHARE for t in objects}
    supports = {thing.supported_by for thing in objects}
    found = [
        thing
        for thing in objects
        if looked_at[thing.instance_id] and is_light(thing) and thing.instance_id not in supports
    ]
    focus = [thing for number in walk.focus_ids for thing in found if thing.instance_id == number]
    others = [thing for thing in found if thing.instance_id not in walk.focus_ids]
    ordered = focus + [others[i] for i in rng.permutation(len(others))]
    tried = 0
    for thing in ordered:
        movable = movable_of(thing, simulator)
        if movable is not None and tried < _THINGS_TRIED:
            tried += 1
            yield movable


def is_light(thing: SceneObject) -> bool:
    """Whether a thing has a name, is small enough and neither built in nor hung up.

    Args:
        thing: Of the scene.
    """
    named = thing.category in FURNITURE_CATEGORIES and thing.category not in _STAYS
    return named and max(thing.box.size_m) <= LONGEST_SIDE_M


def can_be_moved(thing: SceneObject, simulator: Simulator) -> bool:
    """Whether a thing is light, carries nothing, and is not hemmed in.

    Args:
        thing: Of the scene.
        simulator: With the scene loaded.
    """
    carries = any(other.supported_by == thing.instance_id for other in simulator.objects)
    return is_light(thing) and not carries and movable_of(thing, simulator) is not None


def movable_of(thing: SceneObject, simulator: Simulator) -> Movable | None:
    """Return how a thing could be moved; None for what hangs, lies in others or is hemmed in.

    Args:
        thing: Of the scene; light.
        simulator: With the scene loaded.
    """
    room = next((room for room in simulator.rooms if room.room_id == thing.room_id), None)
    support = next((t for t in simulator.objects if t.instance_id == thing.supported_by), None)
    if room is None or (support is None and thing.supported_by is not None):
        return None
    bottom_m, top_m = float(bottoms_m([thing.box])[0]), float(tops_m([thing.box])[0])
    if support is None:
        if abs(bottom_m - room.floor_m) > _SETTLED_M:
            return None
    elif (
        support.is_structure
        or abs(bottom_m - float(tops_m([support.box])[0])) > _SETTLED_M
        or not footprint_inside([thing.box, support.box])[0, 1]
    ):
        return None
    others = [
        t.box
        for t in simulator.objects
        if t not in (thing, support)
        and t.category not in ("wall", "floor", "ceiling", "window", "building")
        and t.box.centre_m[1] - t.box.size_m[1] / 2 < top_m - _CLEAR_M
        and t.box.centre_m[1] + t.box.size_m[1] / 2 > bottom_m + _SETTLED_M
    ]
    gaps_m = np.full(len(others), np.inf)
    near = [i for i, box in enumerate(others) if _apart_m(thing.box, box) < GAP_M]
    gaps_m[near] = footprint_gaps_m([thing.box, *(others[i] for i in near)])[0, 1:]
    return Movable(thing, room, support, tuple(others), gaps_m)


def _apart_m(one: OrientedBox, other: OrientedBox) -> float:
    """Return how far apart the circles round two footprints are; the footprints are at least so far apart."""
    (x, _, z), (other_x, _, other_z) = one.centre_m, other.centre_m
    reach_m = (math.hypot(box.size_m[0], box.size_m[2]) / 2.0 for box in (one, other))
    return math.hypot(x - other_x, z - other_z) - sum(reach_m)


def _ways(
    movable: Movable, frame_rate_hz: float, rng: np.random.Generator
) -> Iterator[tuple[Float64[np.ndarray, "frames 3"], Float64[np.ndarray, " frames"]]]:
    """Yield centres and yaws of one frame after the other, from where the thing stands to where it ends."""
    start, yaw_rad = np.array(movable.thing.box.centre_m), movable.thing.box.yaw_rad
    tucked = bool((movable.gaps_m <= 0.0).any())
    for _ in range(_WAYS_TRIED):
        # Short ways come more often: long ones seldom have room.
        heading, length_m = rng.uniform(0.0, 2.0 * np.pi), SLIDE_M[0] + (SLIDE_M[1] - SLIDE_M[0]) * rng.random() ** 2
        turn_rad = rng.uniform(*TURN_RAD) * rng.choice([-1.0, 1.0])
        if tucked:
            # Straight out, as one pulls a chair.
            heading, turn_rad = -yaw_rad + rng.integers(4) * np.pi / 2.0, 0.0
        elif movable.thing.category not in _ROUND and rng.random() < TURNED_ONLY:
            length_m = 0.0
        elif rng.random() < 0.5:
            turn_rad = 0.0
        # The smooth step is one and a half times as fast in its middle as on average.
        seconds = 1.5 * max(length_m / SPEED_MPS, abs(turn_rad) / TURN_RPS)
        steps = max(int(np.ceil(seconds * frame_rate_hz)), 3)
        share = np.linspace(0.0, 1.0, steps + 1)
        share = share**2 * (3.0 - 2.0 * share)
        shift = length_m * np.array([np.cos(heading), 0.0, np.sin(heading)])
        yield start + share[:, None] * shift, yaw_rad + share * turn_rad


def _places(movable: Movable, walk: Walk, simulator: Simulator, rng: np.random.Generator) -> Iterator[OrientedBox]:
    """Yield free places in the room, or on what the thing stands on, away from where it stands."""
    box = movable.thing.box
    bounds = np.array(movable.room.bounds_m)
    if movable.support is not None:
        corners = footprint_corners([movable.support.box])[0]
        bounds = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    for _ in range(_PLACES_TRIED):
        x, z = rng.uniform(bounds[:2], bounds[2:])
        yaw_rad = box.yaw_rad + rng.uniform(-np.pi, np.pi)
        centre = np.array([[x, box.centre_m[1], z]])
        far = np.linalg.norm(centre[0] - box.centre_m) >= LEAST_MOVE_M
        if far and _is_free(movable, centre, np.array([yaw_rad]), walk, simulator):
            yield OrientedBox((float(x), box.centre_m[1], float(z)), box.size_m, float(yaw_rad))


def _is_free(
    movable: Movable,
    centre_m: Float64[np.ndarray, "places 3"],
    yaw_rad: Float64[np.ndarray, " places"],
    walk: Walk,
    simulator: Simulator,
) -> bool:
    """Whether a thing meets nothing in any of the places: no thing, no wall, not the camera."""
    size_m = movable.thing.box.size_m
    boxes = [
        OrientedBox((float(x), float(y), float(z)), size_m, float(yaw))
        for (x, y, z), yaw in zip(centre_m, yaw_rad, strict=True)
    ]
    corners = footprint_corners(boxes).reshape(-1, 2)
    own = footprint_corners([movable.thing.box])[0]
    low = np.minimum(np.array(movable.room.bounds_m[:2]) + GAP_M, own.min(axis=0) - 1e-9)
    high = np.maximum(np.array(movable.room.bounds_m[2:]) - GAP_M, own.max(axis=0) + 1e-9)
    if (corners < low).any() or (corners > high).any():
        return False
    if not _keeps_off_camera(boxes, walk):
        return False
    count = len(boxes)
    if movable.support is not None:
        if not footprint_inside([*boxes, movable.support.box])[:count, count].all():
            return False
    elif not _on_free_floor(movable, corners, simulator):
        return False
    return _meets_nothing(movable, boxes)


def _meets_nothing(movable: Movable, boxes: Sequence[OrientedBox]) -> bool:
    """Whether a thing keeps its distance to others in all places, one after the other."""
    if not movable.obstacles:
        return True
    count = len(boxes)
    middles_m = np.array([box.centre_m for box in movable.obstacles])[:, [0, 2]]
    places_m = np.array([box.centre_m for box in boxes])[:, [0, 2]]
    distances_m = np.linalg.norm(places_m[:, None] - middles_m, axis=-1)
    tucked = movable.gaps_m <= 0.0
    # Out from under what it was tucked in under, never through.
    if (np.diff(distances_m[:, tucked], axis=0) < -1e-9).any():
        return False
    reach_m = [float(np.hypot(box.size_m[0], box.size_m[2])) / 2.0 for box in (movable.thing.box, *movable.obstacles)]
    near = np.flatnonzero(distances_m.min(axis=0) < reach_m[0] + np.array(reach_m[1:]) + GAP_M)
    gaps_m = footprint_gaps_m([*boxes, *(movable.obstacles[i] for i in near)])[:count, count:]
    least_m = np.minimum(GAP_M, movable.gaps_m[near]) - 1e-9
    return bool((gaps_m >= least_m).all() and (gaps_m[-1, tucked[near]] >= GAP_M).all())


def _keeps_off_camera(boxes: Sequence[OrientedBox], walk: Walk) -> bool:
    position = walk.motion.position_m
    for box in boxes:
        offset = position[:, [0, 2]] - np.array(box.centre_m)[[0, 2]]
        cos, sin = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
        local = np.stack([cos * offset[:, 0] - sin * offset[:, 1], sin * offset[:, 0] + cos * offset[:, 1]], axis=-1)
        outside = np.maximum(np.abs(local) - np.array(box.size_m)[[0, 2]] / 2.0, 0.0)
        if np.linalg.norm(outside, axis=-1).min() < CAMERA_GAP_M:
            return False
    return True


def _on_free_floor(movable: Movable, corners_m: Float64[np.ndarray, "corners 2"], simulator: Simulator) -> bool:
    """Whether the corners of all places stand on floor that is free but for the thing itself."""
    rectangles = corners_m.reshape(-1, 4, 2)
    points = np.concatenate([rectangles, (rectangles + np.roll(rectangles, 1, axis=1)) / 2.0], axis=1).reshape(-1, 2)
    own = movable.thing.box
    offset = points - np.array(own.centre_m)[[0, 2]]
    cos, sin = np.cos(own.yaw_rad), np.sin(own.yaw_rad)
    local = np.stack([cos * offset[:, 0] - sin * offset[:, 1], sin * offset[:, 0] + cos * offset[:, 1]], axis=-1)
    elsewhere = np.asarray((np.abs(local) > np.array(own.size_m)[[0, 2]] / 2.0 + 0.1).any(axis=-1))
    floor = np.stack([points[:, 0], np.full(len(points), movable.room.floor_m), points[:, 1]], axis=-1)[elsewhere]
    return len(floor) == 0 or bool(simulator.navigation.clearance_m(floor).min() > _CLEAR_M)


def _motion(
    thing: SceneObject,
    first: int,
    way: tuple[Float64[np.ndarray, "steps 3"], Float64[np.ndarray, " steps"]],
    num_frames: int,
) -> ObjectMotion:
    """Return a motion that starts after frame `first` and takes one place of the way a frame."""
    index = np.clip(np.arange(num_frames) - first, 0, len(way[1]) - 1)
    centres = [(float(x), float(y), float(z)) for x, y, z in way[0][index]]
    yaws = way[1][index].tolist()
    for frame in range(first + 1):
        centres[frame], yaws[frame] = thing.box.centre_m, thing.box.yaw_rad
    return ObjectMotion(thing.instance_id, tuple(centres), tuple(yaws))


def _event(motion: ObjectMotion) -> SceneEvent:
    places = list(zip(motion.centres_m, motion.yaws_rad, strict=True))
    changes = [frame for frame in range(1, len(places)) if places[frame] != places[frame - 1]]
    return SceneEvent("object_moved", changes[0] - 1, changes[-1], instance_id=motion.instance_id)
