"""A stored sequence, read without the package: msgpack to plain dictionaries, zips of PNGs to arrays."""

import zipfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import msgspec
import numpy as np

PARTS_OF_BUILDINGS = {"wall", "floor", "ceiling", "door", "window", "stairs", "building"}
MADE_OUT_SHARE = 0.0014
WELL_SHARE = 0.005
SMALL_M = 0.5


@dataclass(frozen=True)
class Thing:
    """One object, where it is at some moment."""

    number: int
    category: str
    colour: str | None
    room: int
    supported_by: int | None
    centre: np.ndarray
    size: np.ndarray
    yaw: float

    @property
    def bottom(self) -> float:
        """Height of its lower face."""
        return float(self.centre[1] - self.size[1] / 2)

    @property
    def top(self) -> float:
        """Height of its upper face."""
        return float(self.centre[1] + self.size[1] / 2)

    @cached_property
    def middle(self) -> np.ndarray:
        """Its centre seen from above: x and z."""
        return self.centre[[0, 2]]

    @cached_property
    def ring(self) -> np.ndarray:
        """Corners of its footprint (x, z), in order round it."""
        x_axis = np.array([np.cos(self.yaw), -np.sin(self.yaw)]) * self.size[0] / 2
        z_axis = np.array([np.sin(self.yaw), np.cos(self.yaw)]) * self.size[2] / 2
        return self.middle + np.array([-x_axis - z_axis, x_axis - z_axis, x_axis + z_axis, z_axis - x_axis])

    def local(self, points: np.ndarray) -> np.ndarray:
        """World points [..., 3] along the box's own axes, from its centre."""
        away = points - self.centre
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        return np.stack(
            [away[..., 0] * cos - away[..., 2] * sin, away[..., 1], away[..., 0] * sin + away[..., 2] * cos], axis=-1
        )

    def world(self, points: np.ndarray) -> np.ndarray:
        """Points [..., 3] along the box's own axes, in the world."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        return np.stack([x * cos + z * sin, y, z * cos - x * sin], axis=-1) + self.centre

    def outside_by(self, points: np.ndarray) -> np.ndarray:
        """How far world points lie outside the box."""
        beyond = np.maximum(np.abs(self.local(points)) - self.size / 2, 0.0)
        return np.sqrt((beyond**2).sum(axis=-1))


class Walk:
    """Everything stored of one sequence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = msgspec.msgpack.decode((folder / "annotations.msgpack").read_bytes())
        self.depth = pictures(folder / "depth.zip").astype(np.float64) / 1000.0
        self.ids = pictures(folder / "instances.zip").astype(np.int64)
        self.poses = np.array(self.notes["world_from_camera"], dtype=np.float64).reshape(-1, 4, 4)
        self.lens = np.array(self.notes["intrinsics"], dtype=np.float64)
        self.frames, self.height, self.width = self.ids.shape
        imagined = self.notes["imagined"]
        self.imagined_poses = np.array([v["world_from_camera"] for v in imagined], dtype=np.float64).reshape(-1, 4, 4)
        self.imagined_ids = self.imagined_depth = np.zeros((0, self.height, self.width))
        if imagined:
            self.imagined_ids = pictures(folder / "imagined_instances.zip").astype(np.int64)
            self.imagined_depth = pictures(folder / "imagined_depth.zip").astype(np.float64) / 1000.0
        self.rooms = {room["room_id"]: room for room in self.notes["rooms"]}
        self.motions = {motion["instance_id"]: motion for motion in self.notes["motions"]}

    @cached_property
    def first_things(self) -> dict[int, Thing]:
        """All objects by number, where they are in the first frame."""
        return {
            item["instance_id"]: Thing(
                item["instance_id"],
                item["category"],
                item["colour"],
                item["room_id"],
                item["supported_by"],
                np.array(item["box"]["centre_m"], dtype=np.float64),
                np.array(item["box"]["size_m"], dtype=np.float64),
                float(item["box"]["yaw_rad"]),
            )
            for item in self.notes["objects"]
        }

    def things(self, frame: int) -> dict[int, Thing]:
        """All objects by number, where they are in a frame."""
        found = dict(self.first_things)
        for number, motion in self.motions.items():
            centre = np.array(motion["centres_m"][frame], dtype=np.float64)
            found[number] = replace(found[number], centre=centre, yaw=float(motion["yaws_rad"][frame]))
        return found

    @cached_property
    def furniture(self) -> set[int]:
        """Numbers of all that is no part of the building."""
        return {n for n, thing in self.first_things.items() if thing.category not in PARTS_OF_BUILDINGS}

    @cached_property
    def pixels(self) -> np.ndarray:
        """How many pixels of each frame show each number: [frames, numbers]."""
        most = max([int(self.ids.max()), *self.first_things])
        return np.stack([np.bincount(picture.ravel(), minlength=most + 1) for picture in self.ids])

    @property
    def shares(self) -> np.ndarray:
        """Share of each frame that shows each number."""
        return self.pixels / (self.width * self.height)

    def seen(self, frame: int) -> dict[int, Thing]:
        """Furniture of which a pixel was seen up to a frame, where it is in it."""
        shown = self.pixels[: frame + 1].any(axis=0)
        return {n: thing for n, thing in self.things(frame).items() if shown[n] and n in self.furniture}

    def well(self, number: int) -> np.ndarray:
        """Which frames show a thing well."""
        small = self.first_things[number].size.max() <= SMALL_M
        return self.shares[:, number] >= (MADE_OUT_SHARE if small else WELL_SHARE)

    def made_out(self, number: int) -> np.ndarray:
        """In which frames a thing can be made out."""
        return self.shares[:, number] >= MADE_OUT_SHARE

    def room_type(self, number: int) -> str | None:
        """Type of the room that a thing is in."""
        room = self.rooms.get(self.first_things[number].room)
        return None if room is None else room["room_type"]

    def room_of(self, point: np.ndarray, margin: float = 0.0) -> list[dict]:
        """Rooms that a point of the world lies in."""
        x, y, z = point
        return [
            room
            for room in self.rooms.values()
            if room["bounds_m"][0] - margin <= x <= room["bounds_m"][2] + margin
            and room["bounds_m"][1] - margin <= z <= room["bounds_m"][3] + margin
            and room["floor_m"] - 0.4 <= y <= room["floor_m"] + room["height_m"]
        ]

    def rays(self) -> np.ndarray:
        """Directions through all pixels' centres, one metre deep: [height, width, 3], camera axes."""
        column, row = np.meshgrid(np.arange(self.width) + 0.5, np.arange(self.height) + 0.5)
        return np.stack(
            [
                (column - self.lens[0, 2]) / self.lens[0, 0],
                (row - self.lens[1, 2]) / self.lens[1, 1],
                np.ones_like(row),
            ],
            axis=-1,
        )

    @cached_property
    def standing(self) -> np.ndarray:
        """World points of all that was seen to stand still on floors: furniture, walls, jambs; one in each 4 cm."""
        passed = {"floor", "ceiling", "stairs", "rug"}
        still = [n for n, t in self.first_things.items() if t.category not in passed and n not in self.motions]
        found = [self.points(f)[np.isin(self.ids[f], still) & (self.depth[f] > 0.0)] for f in range(self.frames)]
        points = np.concatenate(found)
        _, first = np.unique(np.floor(points / 0.04).astype(np.int64), axis=0, return_index=True)
        return points[first]

    def points(self, frame: int) -> np.ndarray:
        """World points of all pixels of a frame: [height, width, 3]."""
        return to_world(self.poses[frame], self.rays() * self.depth[frame][..., None])


def pictures(path: Path) -> np.ndarray:
    """All PNGs of a zip, in the order of their names."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        images = [cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_UNCHANGED) for name in names]
    return np.stack(images)


def to_world(pose: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Camera points [..., 3] in the world."""
    return points @ pose[:3, :3].T + pose[:3, 3]


def to_camera(pose: np.ndarray, points: np.ndarray) -> np.ndarray:
    """World points [..., 3] along the camera's axes."""
    return (points - pose[:3, 3]) @ pose[:3, :3]
