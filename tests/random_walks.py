"""Walks through things that are scattered at random: beside, on, under and inside each other."""

import numpy as np

from backsight.collect.annotate import visible_objects
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.records.sequence import ObjectMotion, SequenceAnnotations
from backsight.records.vocabulary import COLOURS, FURNITURE_CATEGORIES

ROOMS = (Room(1, "kitchen", (0.0, 0.0, 6.0, 6.0)), Room(2, "study", (6.0, 0.0, 12.0, 6.0)))
SMALL = ("cup", "bowl", "book", "bottle")


def random_walk(seed: int, moving: bool = False) -> SequenceAnnotations:
    """Things scattered over two rooms, seen in random frames; a camera that turns on the spot."""
    rng = np.random.default_rng(seed)
    things: list[SceneObject] = []
    for number in range(2, 17):
        things += _with_small_things(number, rng)
    frames = int(rng.choice([17, 31, 43]))
    ids = np.zeros((frames, 12, 16), dtype=np.int32)
    for image in ids:
        for patch in range(12):
            if rng.random() < 0.5:
                image[patch, :6] = rng.choice(things).instance_id
            if rng.random() < 0.5:
                image[patch, int(rng.integers(8, 14))] = rng.choice(things).instance_id
    poses = np.tile(np.diag([1.0, -1.0, -1.0, 1.0]), (frames, 1, 1))
    poses[:, :3, 3] = (5.0, 1.25, 6.0)
    return SequenceAnnotations(
        2, f"s{seed}", "p", "flat", "smooth", "circular", seed, "paper", "1", 2.0,
        intrinsics=((8.0, 0.0, 8.0), (0.0, 8.0, 6.0), (0.0, 0.0, 1.0)),
        world_from_camera=tuple(tuple(pose) for pose in poses.reshape(-1, 16).tolist()),
        objects=tuple(things), rooms=ROOMS, visible_objects=visible_objects(ids, things),
        motions=_motions(things, frames, rng) if moving else (),
    )  # fmt: skip


def _with_small_things(number: int, rng: np.random.Generator) -> list[SceneObject]:
    room = int(rng.integers(1, 3))
    size = rng.uniform(0.3, 1.0, 3)
    x, z = rng.uniform(0.5, 5.5, 2)
    box = OrientedBox((float(x) + 6 * (room - 1), float(size[1] / 2), float(z)), tuple(size.tolist()))
    category = str(rng.choice([*FURNITURE_CATEGORIES[:9], "box", "basket"]))
    colour = None if rng.random() < 0.15 else str(rng.choice(list(COLOURS)[:6]))
    found = [SceneObject(number, category, room, box, colour)]
    places = (("on", float(size[1]) + 0.1), ("inside", 0.15), ("under", 0.1), ("above", float(size[1]) + 0.4))
    for index, (_, height_m) in enumerate(places):
        if rng.random() < 0.2:
            small = OrientedBox((box.centre_m[0], height_m, box.centre_m[2]), (0.15, 0.2, 0.15))
            tint = str(rng.choice(list(COLOURS)[:6]))
            found.append(SceneObject(number + 30 * (index + 1), str(rng.choice(SMALL)), room, small, tint))
    return found


def _motions(things: list[SceneObject], frames: int, rng: np.random.Generator) -> tuple[ObjectMotion, ...]:
    """Three things that slide 2 m at half time."""
    found = []
    for thing in rng.choice(things, size=3, replace=False):
        x, y, z = thing.box.centre_m
        centres = tuple((x + 2.0 * (frame >= frames // 2), y, z) for frame in range(frames))
        found.append(ObjectMotion(thing.instance_id, centres, (thing.box.yaw_rad,) * frames))
    return tuple(sorted(found, key=lambda motion: motion.instance_id))


class OpenFloor:
    """Navigation that nobody asks."""

    floors_m = (0.0,)

    def clearance_m(self, points_m):
        return np.ones(len(points_m))

    def random_point(self, rng, room_id=None, floor=None):
        raise NotImplementedError

    def snap(self, point_m):
        raise NotImplementedError

    def is_navigable(self, point_m):
        raise NotImplementedError

    def island(self, point_m):
        raise NotImplementedError

    def shortest_path(self, start_m, goal_m, *, roomy=False):
        raise NotImplementedError

    def geodesic_distances_m(self, start_m, goals_m):
        raise NotImplementedError

    def top_down_map(self, floor=0):
        raise NotImplementedError
