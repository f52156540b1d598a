"""A small hand-made flat: two rooms joined by a doorway, a closed third room, a table, a rotated block."""

import numpy as np
import pytest

from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.sim.embedded.packed import Material, PackedScene, RoomLight

CEILING_M = 2.6


class SceneMaker:
    """Collects boxes and quads into a PackedScene."""

    def __init__(self):
        self.corners, self.uvs, self.normals = [], [], []
        self.material, self.instance, self.room = [], [], []
        self.objects = []

    def add_object(self, category, room_id, centre=(0.0, 0.0, 0.0), size=(1.0, 1.0, 1.0)):
        number = len(self.objects) + 1
        self.objects.append(SceneObject(number, category, room_id, OrientedBox(centre, size)))
        return number

    def quad(self, corners, normal, material, instance, room_id, repeats=(1.0, 1.0)):
        corners = np.array(corners, dtype=float)
        uv = np.array([(0, 0), (repeats[0], 0), repeats, (0, repeats[1])], dtype=float)
        for pick in ((0, 1, 2), (0, 2, 3)):
            self.corners.append(corners[list(pick)])
            self.uvs.append(uv[list(pick)])
            self.normals.append(np.tile(np.array(normal, dtype=float), (3, 1)))
            self.material.append(material)
            self.instance.append(instance)
            self.room.append(room_id)

    def box(self, low, high, material, instance, room_id, yaw_rad=0.0):
        low, high = np.array(low, dtype=float), np.array(high, dtype=float)
        centre = (low + high) / 2
        cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
        turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
        for axis in range(3):
            first, second = (axis + 1) % 3, (axis + 2) % 3
            for side, end in ((-1, low), (1, high)):
                corners = np.tile(end, (4, 1))
                corners[:, first] = [low[first], high[first], high[first], low[first]]
                corners[:, second] = [low[second], low[second], high[second], high[second]]
                if side < 0:
                    corners = corners[::-1]
                normal = np.zeros(3)
                normal[axis] = side
                self.quad((corners - centre) @ turn.T + centre, turn @ normal, material, instance, room_id)

    def scene(self, materials, textures, lights, rooms):
        corners = np.array(self.corners, dtype=np.float32)
        vertices, inverse = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
        return PackedScene(
            vertices_m=vertices,
            faces=inverse.reshape(-1, 3).astype(np.int32),
            face_uv=np.array(self.uvs, dtype=np.float32),
            face_normals=np.array(self.normals, dtype=np.float32),
            face_material=np.array(self.material, dtype=np.int32),
            face_instance=np.array(self.instance, dtype=np.int32),
            face_room=np.array(self.room, dtype=np.int32),
            materials=materials,
            textures=textures,
            lights=lights,
            objects=tuple(self.objects),
            rooms=rooms,
            ceiling_m=CEILING_M,
        )


def wall(maker, low_xz, high_xz, room_id, height=CEILING_M, bottom=0.0):
    number = maker.add_object("wall", room_id)
    maker.box((low_xz[0], bottom, low_xz[1]), (high_xz[0], height, high_xz[1]), 0, number, room_id)


def make_flat():
    """Rooms 1 (x 0..4, z 0..3) and 2 (x 4.1..7.1), door at z 1..1.9 between them; room 3 (x 0..2, z 3.1..5) closed."""
    maker = SceneMaker()
    rooms = (
        Room(1, "living room", (0.0, 0.0, 4.05, 3.05)),
        Room(2, "bedroom", (4.05, 0.0, 7.1, 3.05)),
        Room(3, "bathroom", (0.0, 3.05, 2.0, 5.0)),
    )
    for room in rooms:
        low_x, low_z, high_x, high_z = room.bounds_m
        floor = maker.add_object("floor", room.room_id)
        maker.quad(
            [(low_x, 0, high_z), (high_x, 0, high_z), (high_x, 0, low_z), (low_x, 0, low_z)],
            (0, 1, 0),
            1,
            floor,
            room.room_id,
            (high_x - low_x, high_z - low_z),
        )
        ceiling = maker.add_object("ceiling", room.room_id)
        maker.quad(
            [
                (low_x, CEILING_M, low_z),
                (high_x, CEILING_M, low_z),
                (high_x, CEILING_M, high_z),
                (low_x, CEILING_M, high_z),
            ],
            (0, -1, 0),
            0,
            ceiling,
            room.room_id,
        )
    wall(maker, (-0.1, -0.1), (0.0, 5.1), 1)
    wall(maker, (7.1, -0.1), (7.2, 3.1), 2)
    wall(maker, (0.0, -0.1), (7.1, 0.0), 1)
    wall(maker, (0.0, 3.0), (7.1, 3.1), 1)
    wall(maker, (4.0, 0.0), (4.1, 1.0), 1)
    wall(maker, (4.0, 1.9), (4.1, 3.0), 1)
    wall(maker, (4.0, 1.0), (4.1, 1.9), 1, bottom=2.05)
    wall(maker, (2.0, 3.1), (2.1, 5.1), 3)
    wall(maker, (0.0, 5.0), (2.0, 5.1), 3)
    table = maker.add_object("table", 1, (2.0, 0.4, 0.6), (1.2, 0.8, 0.8))
    maker.box((1.4, 0.74, 0.2), (2.6, 0.8, 1.0), 2, table, 1)
    for x in (1.45, 2.5):
        for z in (0.25, 0.9):
            maker.box((x, 0.0, z), (x + 0.05, 0.74, z + 0.05), 2, table, 1)
    block = maker.add_object("box", 2, (6.0, 0.4, 2.2), (0.7, 0.8, 0.7))
    maker.box((5.65, 0.0, 1.85), (6.35, 0.8, 2.55), 3, block, 2, yaw_rad=0.5)
    rng = np.random.default_rng(3)
    planks = np.clip(
        np.array([150, 108, 72])
        + 40 * np.repeat(rng.normal(size=(8, 1, 1)), 16, axis=0)
        + rng.normal(0, 8, (128, 256, 3)),
        0,
        255,
    ).astype(np.uint8)
    materials = (
        Material((0.86, 0.84, 0.78)),
        Material((1.0, 1.0, 1.0), texture=0, gloss=0.3),
        Material((0.5, 0.33, 0.2), gloss=0.5),
        Material((0.26, 0.4, 0.6)),
    )
    lights = (
        RoomLight(1, (2.0, 2.4, 1.5), (1.0, 0.92, 0.8)),
        RoomLight(2, (5.6, 2.4, 1.5), (0.95, 0.9, 0.85)),
        RoomLight(3, (1.0, 2.4, 4.0), (0.9, 0.9, 0.9)),
    )
    return maker.scene(materials, (planks,), lights, rooms)


@pytest.fixture(scope="session")
def flat():
    return make_flat()


@pytest.fixture
def maker():
    return SceneMaker()


@pytest.fixture(scope="session")
def maker_class():
    return SceneMaker
