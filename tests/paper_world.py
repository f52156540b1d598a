"""A kitchen and a study with a door between them, walked through and drawn ray by ray, for tests of instructions."""

from dataclasses import dataclass

import msgspec
import numpy as np

from backsight.collect.annotate import visible_objects
from backsight.collect.instructions.draft import InstructionContext
from backsight.geometry.poses import look_pose
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.records.sequence import ImaginedImages, ImaginedView, ObjectMotion, SequenceAnnotations, objects_at
from backsight.sim.simulator import Route

WIDTH, HEIGHT, FOCAL_PX = 61, 47, 37.0
EYE_M = 1.25
ROOMS = (Room(1, "kitchen", (-5.0, -3.0, -0.05, 3.0)), Room(2, "study", (0.05, -3.0, 5.0, 3.0)))
DOOR = SceneObject(1, "door", 1, OrientedBox((0.0, 1.0, 0.0), (0.1, 2.0, 1.0)))
THINGS = (
    DOOR,
    SceneObject(11, "sofa", 1, OrientedBox((-4.0, 0.4, -2.2), (1.8, 0.8, 0.8), 0.2), "red"),
    SceneObject(12, "table", 1, OrientedBox((-2.0, 0.4, 1.1), (0.9, 0.8, 0.7), -0.3), "brown"),
    SceneObject(13, "plant", 1, OrientedBox((-4.4, 0.5, 2.4), (0.5, 1.0, 0.5)), "green"),
    SceneObject(21, "desk", 2, OrientedBox((4.3, 0.4, 2.1), (0.8, 0.8, 1.4)), "white"),
    SceneObject(22, "chair", 2, OrientedBox((3.0, 0.45, 1.5), (0.5, 0.9, 0.5), 0.6), "blue"),
    SceneObject(23, "chair", 2, OrientedBox((2.2, 0.45, -2.0), (0.5, 0.9, 0.5), 1.0), "black"),
    SceneObject(24, "lamp", 2, OrientedBox((4.4, 0.8, -2.3), (0.4, 1.6, 0.4)), "yellow"),
)


@dataclass(frozen=True)
class Floor:
    """Straight ways inside a room, and through the middle of the door from one to the other."""

    rooms: tuple[Room, ...]
    door_m: tuple[float, float, float]
    floors_m: tuple[float, ...] = (0.0,)

    def random_point(self, rng, room_id=None, floor=None):
        raise NotImplementedError

    def snap(self, point_m):
        return np.array([point_m[0], self.rooms[0].floor_m, point_m[2]])

    def is_navigable(self, point_m):
        return True

    def clearance_m(self, points_m):
        return np.full(len(points_m), 1.0)

    def island(self, point_m):
        return 0

    def _room(self, point_m):
        for room in self.rooms:
            x0, z0, x1, z1 = room.bounds_m
            if x0 <= point_m[0] <= x1 and z0 <= point_m[2] <= z1:
                return room.room_id
        return 0

    def shortest_path(self, start_m, goal_m, *, roomy=False):
        same = self._room(start_m) == self._room(goal_m)
        points = np.stack([start_m, goal_m] if same else [start_m, np.array(self.door_m), goal_m])
        return Route(points, float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum()))

    def geodesic_distances_m(self, start_m, goals_m):
        raise NotImplementedError

    def top_down_map(self, floor=0):
        raise NotImplementedError


@dataclass(frozen=True)
class World:
    """All that a walk is made from, so that it can be turned, shifted and mirrored as one."""

    poses: tuple[tuple[float, float, float, float, float], ...]
    """x, eye height, z, yaw, pitch."""
    views: tuple[tuple[int, float, float, float], ...] = ()
    """Frame, turn to the left [degrees], step ahead, step to the left [m]."""
    things: tuple[SceneObject, ...] = THINGS
    rooms: tuple[Room, ...] = ROOMS
    motions: tuple[ObjectMotion, ...] = ()

    def moved(self, quarters: int, shift_m: tuple[float, float, float]) -> "World":
        """Turn the world about +Y by quarter turns, then shift it."""
        turn = quarters * np.pi / 2
        c, s = round(np.cos(turn)), round(np.sin(turn))

        def point(p):
            return (c * p[0] + s * p[2] + shift_m[0], p[1] + shift_m[1], c * p[2] - s * p[0] + shift_m[2])

        return self._mapped(point, lambda yaw: yaw + turn, 1)

    def mirrored(self) -> "World":
        """Swap left and right."""
        return self._mapped(lambda p: (-p[0], p[1], p[2]), lambda yaw: -yaw, -1)

    def _mapped(self, point, yaw, side) -> "World":
        def box(b):
            return OrientedBox(point(b.centre_m), b.size_m, yaw(b.yaw_rad))

        def bounds(room):
            a, b = (
                point((room.bounds_m[0], room.floor_m, room.bounds_m[1])),
                point((room.bounds_m[2], 0.0, room.bounds_m[3])),
            )
            return Room(
                room.room_id, room.room_type, (min(a[0], b[0]), min(a[2], b[2]), max(a[0], b[0]), max(a[2], b[2])), a[1]
            )

        return World(
            poses=tuple((*point(p[:3]), yaw(p[3]), p[4]) for p in self.poses),
            views=tuple((f, side * turn, ahead, side * left) for f, turn, ahead, left in self.views),
            things=tuple(msgspec.structs.replace(t, box=box(t.box)) for t in self.things),
            rooms=tuple(bounds(r) for r in self.rooms),
            motions=tuple(
                ObjectMotion(m.instance_id, tuple(point(p) for p in m.centres_m), tuple(yaw(y) for y in m.yaws_rad))
                for m in self.motions
            ),
        )

    def context(self, favoured: str | None = None) -> InstructionContext:
        """Draw the walk and the imagined views."""
        poses = np.stack([look_pose(np.array(p[:3]), p[3], p[4]) for p in self.poses])
        draft = self._annotations(poses, ())
        drawn = [draw(pose, objects_at(draft, frame), self.rooms[0].floor_m) for frame, pose in enumerate(poses)]
        ids, depth = np.stack([d[0] for d in drawn]), np.stack([d[1] for d in drawn])
        views, pictures = [], []
        for frame, turn_deg, ahead_m, left_m in self.views:
            x, y, z, yaw, pitch = self.poses[frame]
            at = (x - np.sin(yaw) * ahead_m - np.cos(yaw) * left_m, y, z - np.cos(yaw) * ahead_m + np.sin(yaw) * left_m)
            pose = look_pose(np.array(at), yaw + np.radians(turn_deg), pitch)
            views.append(ImaginedView(frame, tuple(pose.ravel().tolist())))
            pictures.append(draw(pose, objects_at(draft, frame), self.rooms[0].floor_m))
        annotations = msgspec.structs.replace(
            draft, visible_objects=visible_objects(ids, self.things), imagined=tuple(views)
        )
        imagined = (
            ImaginedImages(np.stack([p[1] for p in pictures]), np.stack([p[0] for p in pictures])) if views else None
        )
        door = next(t for t in self.things if t.category == "door").box.centre_m
        floor = Floor(self.rooms, (door[0], self.rooms[0].floor_m, door[2]), (self.rooms[0].floor_m,))
        return InstructionContext(annotations, floor, imagined, favoured, depth)

    def _annotations(self, poses, visible) -> SequenceAnnotations:
        return SequenceAnnotations(
            2, "walk", "p", "flat", "smooth", "circular", 1, "paper", "1", 2.0,
            intrinsics=((FOCAL_PX, 0.0, WIDTH / 2), (0.0, FOCAL_PX, HEIGHT / 2), (0.0, 0.0, 1.0)),
            world_from_camera=tuple(tuple(pose) for pose in poses.reshape(-1, 16).tolist()),
            objects=self.things, rooms=self.rooms, visible_objects=visible, motions=self.motions,
        )  # fmt: skip


def draw(pose, things, floor_m):
    """Return ids and depth of what each ray meets first: boxes and the floor; doors are open."""
    v, u = np.meshgrid(np.arange(HEIGHT) + 0.5, np.arange(WIDTH) + 0.5, indexing="ij")
    rays = np.stack([(u - WIDTH / 2) / FOCAL_PX, (v - HEIGHT / 2) / FOCAL_PX, np.ones_like(u)], -1) @ pose[:3, :3].T
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.where(rays[..., 1] < 0, (floor_m - pose[1, 3]) / rays[..., 1], np.inf)
        ids = np.zeros((HEIGHT, WIDTH), dtype=np.int32)
        for thing in things:
            if thing.category == "door":
                continue
            c, s = np.cos(-thing.box.yaw_rad), np.sin(-thing.box.yaw_rad)
            box_from_world = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
            start = box_from_world @ (pose[:3, 3] - np.array(thing.box.centre_m))
            along = rays @ box_from_world.T
            half = np.array(thing.box.size_m) / 2
            ends = np.stack([(-half - start) / along, (half - start) / along])
            near, far = ends.min(axis=0).max(axis=-1), ends.max(axis=0).min(axis=-1)
            hit = (near < far) & (near > 0.05) & (near < depth)
            depth, ids = np.where(hit, near, depth), np.where(hit, thing.instance_id, ids)
    return ids, np.where(np.isfinite(depth), depth, 0.0).astype(np.float32)


def through_the_door(views=(), motions=(), things=THINGS) -> World:
    """From the kitchen's far end, looking round there, through the door, round to the right in the study."""
    poses = []
    for number in range(6):
        poses.append((-4.0, EYE_M, 0.3, 2.6 - 0.6 * number, -0.12))
    for number in range(9):
        poses.append((-4.0 + 0.75 * number, EYE_M, 0.3 - 0.3 * min(number / 5, 1), -np.pi / 2, -0.15))
    for number in range(8):
        poses.append((2.0 + 0.1 * number, EYE_M, 0.0 + 0.05 * number, -np.pi / 2 + 0.55 - 0.22 * number, -0.12))
    return World(tuple(tuple(float(v) for v in p) for p in poses), tuple(views), things, motions=tuple(motions))


def swapped(text: str) -> str:
    """Return the text with left and right exchanged, and both senses of turning."""
    words = {"left": "right", "right": "left", "clockwise": "counter-clockwise", "counter-clockwise": "clockwise"}
    out, word = [], ""
    for letter in text + "\0":
        if letter.isalpha() or (letter == "-" and word):
            word += letter
        else:
            out.append(words.get(word, word) + letter)
            word = ""
    return "".join(out)[:-1]
