"""A scene as a value: every part, material, texture, lamp and room as text that rebuilds the scene exactly.

Pieces are written down as the boxes, frustums and quads they are made of, not as calls of the makers that drew them:
a description stays what it is when the makers change, and can be edited (a pose, a colour, a piece left out).
"""

import cv2
import msgspec
import numpy as np
from jaxtyping import UInt8

from backsight.records.errors import DataError
from backsight.records.scene import Room
from backsight.sim.embedded.packed import Material, PackedScene, RoomLight
from backsight.sim.embedded.scenes.floor_plan import Opening, PlanRoom
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.piece import Corners, Piece, Vector

DESCRIPTION_VERSION = 1


class MaterialDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a surface looks."""

    material: Material
    metres_per_repeat: float


class QuadDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One quad of a piece, in the piece's own frame."""

    corners_m: Corners
    uv: tuple[tuple[float, float], ...] | None
    material: int


class PieceDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One object: what it is, where it stands and the parts it is made of. Its id is its place in the list, from 1."""

    category: str
    colour: str | None
    position_m: Vector
    """Of its origin, world frame."""
    yaw_rad: float
    room_id: int
    supported_by: int | None
    boxes: tuple[tuple[float, ...], ...]
    """Rows of `Piece.boxes`: base, size, turn, taper, material, hidden faces."""
    frustums: dict[int, tuple[tuple[float, ...], ...]]
    """Rows of `Piece.frustums` by number of sides: base, radii, height, stretch, turn, material, caps."""
    quads: tuple[QuadDescription, ...]


class RoomDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A room with the openings in its four walls (sides as in `PlanRoom`)."""

    room: Room
    doors: tuple[tuple[Opening, ...], ...]
    windows: tuple[tuple[Opening, ...], ...]


class SceneDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a scene is made of."""

    version: int
    scene_id: str
    """Which recipe and seed it came from; not read when it is rebuilt."""
    ceiling_m: float
    rooms: tuple[RoomDescription, ...]
    lamps: tuple[RoomLight, ...]
    sky: Vector
    """`PackedScene.sky`."""
    materials: tuple[MaterialDescription, ...]
    textures: tuple[bytes, ...]
    """PNG files (base64 in JSON)."""
    pieces: tuple[PieceDescription, ...]

    def to_json(self) -> bytes:
        """Return the description as JSON text."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(text: bytes) -> "SceneDescription":
        """Read a description.

        Raises:
            DataError: not a description of this version.
        """
        try:
            description = msgspec.json.decode(text, type=SceneDescription)
        except msgspec.MsgspecError as error:
            raise DataError("scene description", "JSON", str(error)) from error
        if description.version != DESCRIPTION_VERSION:
            problem = f"is {description.version}, this code reads {DESCRIPTION_VERSION}"
            raise DataError("scene description", "version", problem, "describe the scene again")
        return description


def describe_built(
    builder: MeshBuilder,
    scene_id: str,
    rooms: tuple[PlanRoom, ...],
    lamps: tuple[RoomLight, ...],
    ceiling_m: float,
    sky: Vector,
) -> SceneDescription:
    """Return the description of what a builder has collected.

    Args:
        builder: with all pieces placed.
        scene_id: noted in the description.
        rooms: of the plan.
        lamps: of the rooms.
        ceiling_m: `PackedScene.ceiling_m`.
        sky: `PackedScene.sky`.
    """
    return SceneDescription(
        version=DESCRIPTION_VERSION,
        scene_id=scene_id,
        ceiling_m=float(ceiling_m),
        rooms=tuple(
            RoomDescription(
                room_record(room), tuple(tuple(side) for side in room.doors), tuple(tuple(s) for s in room.windows)
            )
            for room in rooms
        ),
        lamps=lamps,
        sky=_vector(sky),
        materials=tuple(
            MaterialDescription(_plain_material(material), float(builder.metres_per_repeat(number)))
            for number, material in enumerate(builder.materials)
        ),
        textures=tuple(_png(image) for image in builder.textures),
        pieces=tuple(
            PieceDescription(
                category=placed.piece.category,
                colour=placed.piece.colour,
                position_m=_vector(placed.position_m),
                yaw_rad=float(placed.yaw_rad),
                room_id=placed.room_id,
                supported_by=placed.supported_by,
                boxes=tuple(tuple(map(float, row)) for row in placed.piece.boxes),
                frustums={
                    sides: tuple(tuple(map(float, row)) for row in rows)
                    for sides, rows in sorted(placed.piece.frustums.items())
                },
                quads=tuple(_quad(*quad) for quad in placed.piece.quads),
            )
            for placed in builder.placed
        ),
    )


def build_described(description: SceneDescription) -> PackedScene:
    """Return the scene of a description: the same arrays, to the byte, as of the scene that was described.

    Raises:
        DataError: a texture that is no image, a piece without parts, or a number that names nothing.
    """
    _check_numbers(description)
    builder = MeshBuilder()
    for number, png in enumerate(description.textures):
        builder.texture(_image(png, number))
    for entry in description.materials:
        look = entry.material
        builder.material(look.colour, look.texture, look.gloss, entry.metres_per_repeat, look.pane, look.glow)
    for entry in description.pieces:
        piece = Piece(entry.category, entry.colour)
        piece.boxes = list(entry.boxes)
        piece.frustums = {sides: list(rows) for sides, rows in entry.frustums.items()}
        piece.quads = [(quad.corners_m, quad.uv, quad.material) for quad in entry.quads]
        builder.add(piece, entry.position_m, entry.yaw_rad, entry.room_id, entry.supported_by)
    rooms = tuple(entry.room for entry in description.rooms)
    return builder.pack(description.lamps, rooms, description.ceiling_m, description.sky)


_MATERIAL_OF_BOX, _MATERIAL_OF_FRUSTUM = 10, 11
"""Where the rows of `Piece.boxes` and `Piece.frustums` hold their material."""
_BOX_NUMBERS, _FRUSTUM_NUMBERS = 12, 13


def _check_numbers(description: SceneDescription) -> None:
    """Refuse what names a texture, a material, a room or a piece that is not there, and parts of the wrong length."""
    where = "scene description"
    rooms = {entry.room.room_id for entry in description.rooms}
    for number, entry in enumerate(description.materials):
        if not -1 <= entry.material.texture < len(description.textures):
            raise DataError(where, f"materials[{number}].texture", f"no texture {entry.material.texture}")
    for number, lamp in enumerate(description.lamps):
        if lamp.room_id not in rooms:
            raise DataError(where, f"lamps[{number}].room_id", f"no room {lamp.room_id}")
    for number, piece in enumerate(description.pieces):
        field = f"pieces[{number}]"
        frustums = [row for rows in piece.frustums.values() for row in rows]
        if not (piece.boxes or frustums or piece.quads):
            raise DataError(where, field, f"the {piece.category} has no parts")
        if any(len(row) != _BOX_NUMBERS for row in piece.boxes) or any(len(r) != _FRUSTUM_NUMBERS for r in frustums):
            raise DataError(where, field, f"rows of boxes hold {_BOX_NUMBERS} numbers, of frustums {_FRUSTUM_NUMBERS}")
        used = [row[_MATERIAL_OF_BOX] for row in piece.boxes] + [row[_MATERIAL_OF_FRUSTUM] for row in frustums]
        used += [quad.material for quad in piece.quads]
        if not all(0 <= material < len(description.materials) for material in used):
            raise DataError(where, field, f"materials are numbered 0 to {len(description.materials) - 1}")
        if piece.room_id not in rooms:
            raise DataError(where, f"{field}.room_id", f"no room {piece.room_id}")
        if piece.supported_by is not None and not 1 <= piece.supported_by <= len(description.pieces):
            raise DataError(where, f"{field}.supported_by", f"no piece {piece.supported_by}")


def room_record(room: PlanRoom) -> Room:
    """Return what the simulator says of a room of the plan."""
    x0, z0, x1, z1 = (float(value) for value in room.rect)
    return Room(room.room_id, room.room_type, (x0, z0, x1, z1), float(room.floor_m), float(room.height_m))


def _vector(values: Vector) -> Vector:
    x, y, z = values
    return (float(x), float(y), float(z))


def _plain_material(material: Material) -> Material:
    return Material(
        _vector(material.colour), int(material.texture), float(material.gloss), material.pane, float(material.glow)
    )


def _quad(corners_m: Corners, uv: tuple[tuple[float, float], ...] | None, material: int) -> QuadDescription:
    a, b, c, d = (_vector(corner) for corner in corners_m)
    plain_uv = None if uv is None else tuple((float(u), float(v)) for u, v in uv)
    return QuadDescription((a, b, c, d), plain_uv, int(material))


def _png(image: UInt8[np.ndarray, "_ _ 3"]) -> bytes:
    done, data = cv2.imencode(".png", image[..., ::-1])
    if not done:
        raise ValueError("scene description: a texture could not be written as PNG")
    return data.tobytes()


def _image(png: bytes, number: int) -> UInt8[np.ndarray, "_ _ 3"]:
    data = np.frombuffer(png, dtype=np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise DataError("scene description", f"textures[{number}]", "not a PNG image")
    return np.ascontiguousarray(image[..., ::-1])
