"""A small world without a renderer: two furnished rooms joined by a door."""

import importlib
import sys
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from backsight.collect.config import CollectConfig
from backsight.collect.plan import SequencePlan, make_plan
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.sim.simulator import Observation, Route, Shapes

WALLS = [  # min x, min z, max x, max z
    (-0.1, -0.1, 0.0, 5.1),
    (10.1, -0.1, 10.2, 5.1),
    (-0.1, -0.1, 10.2, 0.0),
    (-0.1, 5.0, 10.2, 5.1),
    (5.0, 0.0, 5.1, 2.0),
    (5.0, 3.0, 5.1, 5.0),
]
DOOR = np.array([5.05, 0.0, 2.5])
FURNITURE = [  # category, colour, room, centre x, z, width, height, depth, bottom
    ("table", "brown", 1, 2.5, 2.5, 1.0, 0.75, 0.8, 0.0),
    ("vase", "blue", 1, 2.5, 2.5, 0.2, 0.3, 0.2, 0.75),
    ("chair", "red", 1, 1.3, 0.5, 0.5, 0.9, 0.5, 0.0),
    ("chair", "blue", 1, 3.6, 0.5, 0.5, 0.9, 0.5, 0.0),
    ("chair", "red", 1, 0.4, 4.4, 0.5, 0.9, 0.5, 0.0),
    ("bookshelf", None, 1, 2.5, 4.75, 1.2, 1.8, 0.35, 0.0),
    ("sofa", "green", 2, 7.5, 4.5, 1.8, 0.8, 0.8, 0.0),
    ("chair", "white", 2, 9.5, 0.6, 0.5, 0.9, 0.5, 0.0),
    ("lamp", "yellow", 2, 9.7, 4.6, 0.3, 1.5, 0.3, 0.0),
    ("cabinet", "white", 2, 7.0, 0.3, 1.0, 0.8, 0.4, 0.0),
    ("box", "orange", 2, 7.1, 0.3, 0.3, 0.2, 0.3, 0.8),
]


def furnished_objects() -> tuple[SceneObject, ...]:
    objects = [SceneObject(1, "floor", 1, OrientedBox((2.5, -0.05, 2.5), (5.0, 0.1, 5.0)))]
    for number, (category, colour, room, x, z, width, height, depth, bottom) in enumerate(FURNITURE):
        box = OrientedBox((x, bottom + height / 2, z), (width, height, depth), 0.0)
        objects.append(SceneObject(number + 2, category, room, box, colour))
    return tuple(objects)


@dataclass
class FlatFloor:
    """Navigation among axis-aligned blocks."""

    blocks: np.ndarray
    agent_radius_m: float = 0.2

    def clearance_m(self, points_m):
        point = points_m[:, None, [0, 2]]
        outside = np.maximum(self.blocks[None, :, :2] - point, point - self.blocks[None, :, 2:])
        return np.linalg.norm(np.maximum(outside, 0.0), axis=-1).min(axis=1)

    def is_navigable(self, point_m):
        return bool(self.clearance_m(point_m[None])[0] >= self.agent_radius_m)

    def random_point(self, rng, room_id=None, floor=None):
        low = 0.0 if room_id in (None, 1) else 5.1
        high = 10.1 if room_id in (None, 2) else 5.0
        while True:
            point = np.array([rng.uniform(low, high), 0.0, rng.uniform(0.0, 5.0)])
            if self.is_navigable(point):
                return point

    def snap(self, point_m):
        return point_m * np.array([1.0, 0.0, 1.0])

    def shortest_path(self, start_m, goal_m, *, roomy=False):
        points = np.stack([start_m, DOOR - np.array([0.6, 0.0, 0.0]), DOOR + np.array([0.6, 0.0, 0.0]), goal_m])
        if start_m[0] > goal_m[0]:
            points[[1, 2]] = points[[2, 1]]
        if (start_m[0] < DOOR[0]) == (goal_m[0] < DOOR[0]):
            points = points[[0, 3]]
        for start, end in pairwise(points):
            line = start + np.linspace(0, 1, 200)[:, None] * (end - start)
            if self.clearance_m(line).min() < self.agent_radius_m:
                return None
        return Route(points, float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum()))

    @property
    def floors_m(self):
        return (0.0,)

    def island(self, point_m):
        return 0 if self.is_navigable(point_m) else -1

    def geodesic_distances_m(self, start_m, goals_m):
        raise NotImplementedError

    def top_down_map(self, floor=0):
        raise NotImplementedError


@dataclass
class PaperWorld:
    """A simulator whose images are flat: each object paints the image box of its corners, far ones first."""

    name: str = "paper"
    version: str = "1"
    objects: tuple[SceneObject, ...] = field(default_factory=furnished_objects)
    rooms: tuple[Room, ...] = (
        Room(1, "living room", (0.0, 0.0, 5.0, 5.0)),
        Room(2, "kitchen", (5.1, 0.0, 10.1, 5.0)),
    )
    loaded: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def load_scene(self, scene_id):
        self.loaded.append(scene_id)

    @property
    def navigation(self):
        standing = [thing.box for thing in self.objects if not thing.is_structure]
        blocks = [
            (b.centre_m[0] - b.size_m[0] / 2, b.centre_m[2] - b.size_m[2] / 2, b.centre_m[0] + b.size_m[0] / 2,
             b.centre_m[2] + b.size_m[2] / 2)
            for b in standing
        ]  # fmt: skip
        return FlatFloor(np.array(WALLS + blocks))

    def render(self, world_from_camera, intrinsics, width, height):
        count = len(world_from_camera)
        ids = np.ones((count, height, width), dtype=np.int32)
        depth = np.full((count, height, width), 5.0, dtype=np.float32)
        for image, depth_m, pose in zip(ids, depth, world_from_camera, strict=True):
            camera_from_world = np.linalg.inv(pose)
            painted = []
            for thing in self.objects:
                corners = thing.box.corners_m() @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
                same_room = (pose[0, 3] < 5.05) == (thing.room_id == 1)
                if not thing.is_structure and corners[:, 2].min() > 0.1 and same_room:
                    pixels = (corners @ intrinsics.T)[:, :2] / corners[:, 2:]
                    low = np.clip(np.floor(pixels.min(axis=0)), 0, [width, height]).astype(int)
                    high = np.clip(np.ceil(pixels.max(axis=0)), 0, [width, height]).astype(int)
                    painted.append((corners[:, 2].mean(), thing.instance_id, low, high))
            for distance, instance_id, low, high in sorted(painted, key=lambda item: -item[0]):
                image[low[1] : high[1], low[0] : high[0]] = instance_id
                depth_m[low[1] : high[1], low[0] : high[0]] = distance
        rgb = np.stack([(ids * factor % 256).astype(np.uint8) for factor in (37, 59, 83)], axis=-1)
        return Observation(rgb, depth, ids)

    def render_shapes(self, world_from_camera, intrinsics, width, height):
        seen = self.render(world_from_camera, intrinsics, width, height)
        return Shapes(seen.depth_m, seen.instance_ids)

    def move_object(self, instance_id, centre_m, yaw_rad):
        raise NotImplementedError

    def set_lighting(self, lighting):
        raise NotImplementedError


@pytest.fixture
def paper_world() -> PaperWorld:
    return PaperWorld()


@pytest.fixture(scope="session")
def full_plan() -> list[SequencePlan]:
    """The plan of 25,000 sequences."""
    return make_plan(CollectConfig(num_sequences=25_000))


@pytest.fixture(scope="session")
def thousand() -> list[SequencePlan]:
    """A plan of 1,000 sequences."""
    return make_plan(CollectConfig(num_sequences=1_000))


@pytest.fixture(params=["full_plan", "thousand"])
def whole_plan(request) -> list[SequencePlan]:
    """Either of them."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def faults():
    """`fault_runs` and `fake_collect`, imported by their plain names as in the processes of the fake collection."""
    here = str(Path(__file__).parent)
    sys.path.insert(0, here)
    try:
        yield importlib.import_module("fault_runs"), importlib.import_module("fake_collect")
    finally:
        sys.path.remove(here)


@pytest.fixture(scope="module")
def fault_runs(faults):
    return faults[0]


@pytest.fixture(scope="module")
def runs(fault_runs, tmp_path_factory):
    """A process that forks one fake collection after the other."""
    with fault_runs.Runs(tmp_path_factory.mktemp("runs")) as server:
        yield server
