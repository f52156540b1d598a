"""Accumulates boxes, frustums and quads of many objects and packs them into one scene in a few array passes."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float64, Int64, UInt8

from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.sim.embedded.packed import DAYLIGHT, Material, PackedScene, RoomLight
from backsight.sim.embedded.scenes.piece import Corners, Piece, Vector

_BOX_CORNERS = np.array(
    [
        [(0.5, 0, 0.5), (0.5, 0, -0.5), (0.5, 1, -0.5), (0.5, 1, 0.5)],
        [(-0.5, 0, -0.5), (-0.5, 0, 0.5), (-0.5, 1, 0.5), (-0.5, 1, -0.5)],
        [(-0.5, 1, 0.5), (0.5, 1, 0.5), (0.5, 1, -0.5), (-0.5, 1, -0.5)],
        [(-0.5, 0, -0.5), (0.5, 0, -0.5), (0.5, 0, 0.5), (-0.5, 0, 0.5)],
        [(-0.5, 0, 0.5), (0.5, 0, 0.5), (0.5, 1, 0.5), (-0.5, 1, 0.5)],
        [(0.5, 0, -0.5), (-0.5, 0, -0.5), (-0.5, 1, -0.5), (0.5, 1, -0.5)],
    ],
    dtype=np.float64,
)
"""Faces +x, -x, +y, -y, +z, -z of the unit box that stands on the origin, counter-clockwise seen from outside."""

_BOX_UV_AXES = np.array([(2, 1), (2, 1), (0, 2), (0, 2), (0, 1), (0, 1)])
_QUAD_UV = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])

_THINNEST_BOX_M = 0.002


def _turn_matrices(turns_rad: Float64[np.ndarray, "parts 3"]) -> Float64[np.ndarray, "parts 3 3"]:
    sx, sy, sz = np.sin(turns_rad).T
    cx, cy, cz = np.cos(turns_rad).T
    rows = [
        [cy * cz + sy * sx * sz, -cy * sz + sy * sx * cz, sy * cx],
        [cx * sz, cx * cz, -sx],
        [-sy * cz + cy * sx * sz, sy * sz + cy * sx * cz, cy * cx],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


@dataclass(frozen=True)
class _Quads:
    """Quads of one kind of primitive, still in object frames."""

    corners: Float64[np.ndarray, "quads 4 3"]
    normals: Float64[np.ndarray, "quads 4 3"]
    uv: Float64[np.ndarray, "quads 4 2"]
    """Metres, or repeats of the texture where `fitted`."""
    material: Int64[np.ndarray, " quads"]
    instance: Int64[np.ndarray, " quads"]
    fitted: bool = False


def _flat_normals(corners: Float64[np.ndarray, "quads 4 3"]) -> Float64[np.ndarray, "quads 4 3"]:
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return np.repeat(normal[:, None], 4, axis=1)


def _box_quads(rows: Float64[np.ndarray, "parts 13"]) -> _Quads:
    base, size, turns, taper = rows[:, 0:3], rows[:, 3:6], rows[:, 6:9], rows[:, 9]
    corners = np.broadcast_to(_BOX_CORNERS, (len(rows), 6, 4, 3)).copy()
    shrink = 1.0 + (taper[:, None, None] - 1.0) * corners[..., 1]
    corners[..., 0] *= shrink
    corners[..., 2] *= shrink
    corners *= size[:, None, None]
    dimensions = size[:, _BOX_UV_AXES]
    uv = _QUAD_UV * dimensions[:, :, None] + base[:, _BOX_UV_AXES][:, :, None]
    corners = np.einsum("pij,pfcj->pfci", _turn_matrices(turns), corners) + base[:, None, None]
    shown = (rows[:, 11].astype(np.int64)[:, None] >> np.arange(6)) & 1 == 0
    kept = corners[shown]
    part = np.nonzero(shown)[0]
    return _Quads(
        kept, _flat_normals(kept), uv[shown], rows[part, 10].astype(np.int64), rows[part, 12].astype(np.int64)
    )


def _frustum_quads(rows: Float64[np.ndarray, "parts 14"], sides: int) -> _Quads:
    base, lower, upper, height = rows[:, 0:3], rows[:, 3], rows[:, 4], rows[:, 5]
    stretch = np.stack([rows[:, 6], np.ones(len(rows)), rows[:, 7]], axis=1)
    angles = np.arange(sides) * (2.0 * math.pi / sides) + math.pi / sides
    circle = np.stack([np.sin(angles), np.zeros(sides), np.cos(angles)], axis=1)
    up = np.array([0.0, 1.0, 0.0])
    bottom = circle * (lower[:, None] * stretch)[:, None]
    top = circle * (upper[:, None] * stretch)[:, None] + up * height[:, None, None]
    following = np.roll(np.arange(sides), -1)
    side = np.stack([bottom, bottom[:, following], top[:, following], top], axis=2)
    slope = circle * height[:, None, None] + up * (lower - upper)[:, None, None]
    slope /= np.linalg.norm(slope, axis=2, keepdims=True)
    side_normals = np.stack([slope, slope[:, following], slope[:, following], slope], axis=2)
    strip = np.array([(k, k + 1, sides - 2 - k, sides - 1 - k) for k in range((sides - 2) // 2)])
    caps = np.concatenate([top[:, strip], bottom[:, strip[:, ::-1]]], axis=1)
    cap_normal = np.repeat(np.stack([up, -up]), len(strip), axis=0)[None, :, None]
    corners = np.concatenate([side, caps], axis=1)
    normals = np.concatenate([side_normals, np.broadcast_to(cap_normal, caps.shape)], axis=1)
    arc = 2.0 * math.pi / sides * np.maximum(lower, upper)
    side_uv = (_QUAD_UV + np.stack([np.arange(sides), np.zeros(sides)], axis=1)[:, None])[None] * np.stack(
        [arc, height], axis=1
    )[:, None, None]
    uv = np.concatenate([np.broadcast_to(side_uv, (*side.shape[:3], 2)), caps[..., [0, 2]]], axis=1)
    turn = _turn_matrices(rows[:, 8:11])
    corners = np.einsum("pij,pfcj->pfci", turn, corners) + base[:, None, None]
    normals = np.einsum("pij,pfcj->pfci", turn, normals)
    shown = np.ones(corners.shape[:2], dtype=bool)
    caps_shown = rows[:, 12].astype(np.int64)
    shown[:, sides : sides + len(strip)] = ((upper > 1e-6) & (caps_shown & 2 > 0))[:, None]
    shown[:, sides + len(strip) :] = ((lower > 1e-6) & (caps_shown & 1 > 0))[:, None]
    part = np.nonzero(shown)[0]
    materials, instances = rows[part, 11].astype(np.int64), rows[part, 13].astype(np.int64)
    return _Quads(corners[shown], normals[shown], uv[shown], materials, instances)


@dataclass(frozen=True)
class Placed:
    """A piece and where it stands in the world."""

    piece: Piece
    position_m: Vector
    yaw_rad: float
    room_id: int
    supported_by: int | None


class MeshBuilder:
    """Collects materials, textures and placed pieces of one scene."""

    def __init__(self) -> None:
        self._materials: list[Material] = []
        self._metres_per_repeat: list[float] = []
        self._material_ids: dict[tuple[Material, float], int] = {}
        self._textures: list[UInt8[np.ndarray, "_ _ 3"]] = []
        self._means: list[tuple[float, ...]] = []
        self._placed: list[Placed] = []

    @property
    def materials(self) -> tuple[Material, ...]:
        """Materials so far."""
        return tuple(self._materials)

    @property
    def textures(self) -> tuple[UInt8[np.ndarray, "_ _ 3"], ...]:
        """Textures so far."""
        return tuple(self._textures)

    @property
    def placed(self) -> tuple[Placed, ...]:
        """Pieces so far, by rising instance id."""
        return tuple(self._placed)

    def texture(self, image: UInt8[np.ndarray, "_ _ 3"]) -> int:
        """Add a texture and return its index."""
        self._textures.append(image)
        self._means.append(cv2.mean(image)[:3])
        return len(self._textures) - 1

    def texture_mean(self, texture: int) -> Vector:
        """Return the mean sRGB of a texture, 0 to 1."""
        red, green, blue = self._means[texture]
        return (red / 255.0, green / 255.0, blue / 255.0)

    def metres_per_repeat(self, material: int) -> float:
        """Return the edge of one repeat of a material's texture."""
        return self._metres_per_repeat[material]

    def material(
        self,
        colour: Vector,
        texture: int = -1,
        gloss: float = 0.0,
        metres_per_repeat: float = 1.0,
        pane: bool = False,
        glow: float = 0.0,
    ) -> int:
        """Return the index of a material, added when it is new.

        Args:
            colour: sRGB in [0, 1], multiplied with the texture.
            texture: index given by `texture`; -1 = plain.
            gloss: strength of the lamp's highlight.
            metres_per_repeat: edge of one repeat of the texture on boxes and frustums.
            pane: a window, which lets in light from outside.
            glow: of a lamp's shade, by the light of its room's lamps.
        """
        key = (Material(colour, texture, gloss, pane, glow), metres_per_repeat)
        if key not in self._material_ids:
            self._material_ids[key] = len(self._materials)
            self._materials.append(key[0])
            self._metres_per_repeat.append(metres_per_repeat)
        return self._material_ids[key]

    def add(
        self,
        piece: Piece,
        position_m: Vector,
        yaw_rad: float,
        room_id: int,
        supported_by: int | None = None,
    ) -> int:
        """Place a piece in the world and return its instance id.

        Args:
            piece: the object; it must have parts.
            position_m: where its origin comes to lie, world frame.
            yaw_rad: right-handed turn about +Y.
            room_id: room whose lamp lights it.
            supported_by: instance id of what it stands on.

        Raises:
            ValueError: the piece has no parts.
        """
        if not (piece.boxes or piece.frustums or piece.quads):
            raise ValueError(f"{piece.category} has no parts: add at least one box, frustum or quad")
        self._placed.append(Placed(piece, position_m, yaw_rad, room_id, supported_by))
        return len(self._placed)

    def pack(
        self, lights: tuple[RoomLight, ...], rooms: tuple[Room, ...], ceiling_m: float, sky: Vector = DAYLIGHT
    ) -> PackedScene:
        """Return everything added so far as one packed scene, without materials and textures that nothing shows."""
        quads = self._collect()
        instance = np.concatenate([part.instance for part in quads])
        order = np.argsort(instance, kind="stable")
        instance = instance[order]
        local = np.concatenate([part.corners for part in quads])[order]
        material = np.concatenate([part.material for part in quads])[order]
        repeats = np.array(self._metres_per_repeat)
        uv = [p.uv if p.fitted else p.uv / repeats[p.material, None, None] for p in quads]
        yaw = np.array([placed.yaw_rad for placed in self._placed])
        position = np.array([placed.position_m for placed in self._placed])
        zero = np.zeros(len(yaw))
        world_from_local = _turn_matrices(np.stack([zero, yaw, zero], axis=1))[instance]
        corners = np.einsum("qij,qcj->qci", world_from_local, local) + position[instance][:, None]
        normals = np.concatenate([part.normals for part in quads])[order]
        normals = np.einsum("qij,qcj->qci", world_from_local, normals)
        triangles = np.array([(0, 1, 2), (0, 2, 3)])
        faces = (np.arange(len(corners)) * 4)[:, None, None] + triangles
        a, b, c = np.moveaxis(corners[:, triangles], 2, 0)
        solid = np.linalg.norm(np.cross(b - a, c - a), axis=2).reshape(-1) > 1e-9
        materials, textures, material = self._shown(material)
        rooms_of = np.array([placed.room_id for placed in self._placed], dtype=np.int32)
        return PackedScene(
            vertices_m=corners.reshape(-1, 3).astype(np.float32),
            faces=faces.reshape(-1, 3)[solid].astype(np.int32),
            face_uv=np.concatenate(uv)[order][:, triangles].reshape(-1, 3, 2)[solid].astype(np.float32),
            face_normals=normals[:, triangles].reshape(-1, 3, 3)[solid].astype(np.float32),
            face_material=np.repeat(material, 2)[solid].astype(np.int32),
            face_instance=np.repeat(instance + 1, 2)[solid].astype(np.int32),
            face_room=np.repeat(rooms_of[instance], 2)[solid],
            materials=materials,
            textures=textures,
            lights=lights,
            objects=self._objects(local, instance),
            rooms=rooms,
            ceiling_m=ceiling_m,
            sky=sky,
        )

    def _shown(
        self, material: Int64[np.ndarray, " quads"]
    ) -> tuple[tuple[Material, ...], tuple[UInt8[np.ndarray, "_ _ 3"], ...], Int64[np.ndarray, " quads"]]:
        """Return the materials and textures that quads have, and the quads' materials by their new numbers.

        Pieces that found no place have left others behind.
        """
        used, renumbered = np.unique(material, return_inverse=True)
        kept = [self._materials[number] for number in used.tolist()]
        textures = sorted({look.texture for look in kept} - {-1})
        place = {-1: -1} | {texture: number for number, texture in enumerate(textures)}
        materials = tuple(replace(look, texture=place[look.texture]) for look in kept)
        return materials, tuple(self._textures[texture] for texture in textures), renumbered.astype(np.int64)

    def _collect(self) -> list[_Quads]:
        boxes: list[tuple[float, ...]] = []
        frustums: dict[int, list[tuple[float, ...]]] = {}
        quads: list[tuple[Corners, tuple[tuple[float, float], ...] | None, int]] = []
        owners: list[int] = []
        for index, placed in enumerate(self._placed):
            boxes.extend((*row, index) for row in placed.piece.boxes)
            for sides, rows in placed.piece.frustums.items():
                frustums.setdefault(sides, []).extend((*row, index) for row in rows)
            quads.extend(placed.piece.quads)
            owners.extend([index] * len(placed.piece.quads))
        collected = [_box_quads(np.array(boxes))] if boxes else []
        collected += [_frustum_quads(np.array(rows), sides) for sides, rows in sorted(frustums.items())]
        if quads:
            corners = np.array([quad[0] for quad in quads], dtype=np.float64)
            uv = np.array([_QUAD_UV if quad[1] is None else quad[1] for quad in quads])
            material = np.array([quad[2] for quad in quads])
            collected.append(_Quads(corners, _flat_normals(corners), uv, material, np.array(owners), True))
        return collected

    def _objects(
        self, local: Float64[np.ndarray, "quads 4 3"], instance: Int64[np.ndarray, " quads"]
    ) -> tuple[SceneObject, ...]:
        starts = np.searchsorted(instance, np.arange(len(self._placed)))
        low = np.minimum.reduceat(local.min(axis=1), starts)
        high = np.maximum.reduceat(local.max(axis=1), starts)
        size, middle = np.maximum(high - low, _THINNEST_BOX_M), (low + high) / 2
        objects = []
        for index, placed in enumerate(self._placed):
            x, y, z = middle[index].tolist()
            cos, sin = math.cos(placed.yaw_rad), math.sin(placed.yaw_rad)
            px, py, pz = placed.position_m
            centre = (px + cos * x + sin * z, py + y, pz - sin * x + cos * z)
            box = OrientedBox(centre, tuple(size[index].tolist()), placed.yaw_rad)
            piece = placed.piece
            objects.append(
                SceneObject(index + 1, piece.category, placed.room_id, box, piece.colour, placed.supported_by)
            )
        return tuple(objects)
