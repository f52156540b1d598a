"""A scene file as a packed scene."""

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64

from backsight.records.errors import DataError
from backsight.records.scene import Room, SceneObject
from backsight.records.vocabulary import BUILDING_CATEGORY, STRUCTURE_CATEGORIES, UNNAMED_CATEGORY
from backsight.sim.embedded.packed import PackedScene, RoomLight
from backsight.sim.embedded.scans.boxes import find_supports, upright_box
from backsight.sim.embedded.scans.colour_names import name_colour
from backsight.sim.embedded.scans.levels import Faces
from backsight.sim.embedded.scans.limits import ScanLimits
from backsight.sim.embedded.scans.orientation import find_orientation, rotation_to_world
from backsight.sim.embedded.scans.paint import PAINTED_SHARE, Palette, is_painted, shown_colours, varies
from backsight.sim.embedded.scans.parts import RawScan
from backsight.sim.embedded.scans.reading import read_raw
from backsight.sim.embedded.scans.sidecar import SIDECAR_SUFFIX, Sidecar, read_sidecar
from backsight.sim.embedded.scans.storeys import Storey, find_storeys, make_rooms, room_indices
from backsight.sim.embedded.scans.things import MAX_THINGS, Thing, group_parts

FAR_FROM_ORIGIN_M = 500.0
"""Coordinates beyond this lose millimetres in single precision; such scenes are moved to the origin."""
FLOOR_BAND_M = 0.12
"""Level faces of the building this near to a storey's height are its floor."""
STRAY_M = 1.0
_MOST_STRAY = 0.05
_FLOOR_NORMAL = 0.8
_SHELL_SHARE = 0.6
"""A thing without a label that spans this share of the scene both ways is the building."""
_LAMP_BELOW_CEILING_M = 0.25
_AREA_OF_LAMP_M2 = 30.0
_MOST_LAMPS = 9

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scan:
    """A scene from a file, and what had to be guessed for it."""

    scene: PackedScene
    notes: tuple[str, ...]
    """What was guessed, left out or changed."""


def build_scan(path: Path, limits: ScanLimits | None = None) -> Scan:
    """Return the scene that a file and its side-car describe.

    Args:
        path: GLB, glTF, OBJ or PLY.
        limits: Bounds on what is read; None for the usual ones.

    Raises:
        DataError: The file or its side-car cannot be used; says what is wrong and what to do.
    """
    limits = ScanLimits() if limits is None else limits
    sidecar = read_sidecar(path)
    raw = read_raw(path, limits)
    things = group_parts(raw.parts, sidecar)
    faces, rotation, notes = _in_world(raw, sidecar, things, limits)
    storeys, storey_notes = find_storeys(path, faces, sidecar)
    kept, stray_notes = _without_strays(raw, faces, storeys)
    if stray_notes:
        faces = faces.selected(kept[raw.part_of_face])
        raw = dataclasses.replace(raw, parts=tuple(part for part, keep in zip(raw.parts, kept, strict=True) if keep))
        things = group_parts(raw.parts, sidecar)
    part_of_face = raw.part_of_face
    rooms, room_notes = make_rooms(path, faces, storeys, sidecar)
    things, label_notes = _labelled(path, things, faces, part_of_face)
    objects, instance, room_of_face = _objects(path, raw, things, faces, part_of_face, rooms)
    unlit, light_note = _shown_as_it_is(raw, faces, part_of_face, sidecar)
    palette = Palette(unlit)
    material, uv = _paint(raw, faces, palette)
    scene = PackedScene(
        vertices_m=faces.corners.reshape(-1, 3).astype(np.float32),
        faces=np.arange(3 * len(faces.area), dtype=np.int32).reshape(-1, 3),
        face_uv=uv,
        face_normals=_shading_normals(raw, faces, rotation),
        face_material=material,
        face_instance=instance,
        face_room=np.array([room.room_id for room in rooms], dtype=np.int32)[room_of_face],
        materials=tuple(palette.materials),
        textures=tuple(palette.textures),
        lights=tuple(light for room in rooms for light in _lamps(room)),
        objects=objects,
        rooms=rooms,
        ceiling_m=max(room.height_m for room in rooms),
    )
    notes = (*raw.notes, *notes, *storey_notes, *stray_notes, *room_notes, *label_notes, light_note)
    for note in notes:
        _log.info("%s: %s", path.name, note)
    return Scan(scene, notes)


def _in_world(
    raw: RawScan, sidecar: Sidecar, things: list[Thing], limits: ScanLimits
) -> tuple[Faces, Float64[np.ndarray, "3 3"], tuple[str, ...]]:
    """Return the faces in the world frame, the rotation that took them there, and what was guessed."""
    in_file = Faces.of(raw.corners)
    labelled = [index for thing in things if thing.category == "floor" for index in thing.parts]
    orientation = find_orientation(
        raw.path,
        in_file,
        np.isin(raw.part_of_face, labelled),
        (sidecar.up, sidecar.metres_per_unit),
        (raw.usual_up, raw.usually_metres),
        limits,
    )
    rotation = rotation_to_world(orientation.up)
    scale = orientation.metres_per_unit
    corners = in_file.corners @ rotation.T * scale
    notes = orientation.reasons
    flat = corners.reshape(-1, 3)
    middle = (flat.min(axis=0) + flat.max(axis=0)) / 2
    if np.abs(middle).max() > FAR_FROM_ORIGIN_M:
        corners = corners - middle
        notes = (*notes, f"moved by {np.round(-middle, 3).tolist()} m to the origin")
    return Faces(corners, in_file.area * scale**2, in_file.normal @ rotation.T), rotation, notes


def _without_strays(raw: RawScan, faces: Faces, storeys: list[Storey]) -> tuple[Bool[np.ndarray, " parts"], list[str]]:
    """Return which parts belong to the building: modelling programs park what they hide far above or below it."""
    low, high = storeys[0].floor_m - STRAY_M, storeys[-1].floor_m + storeys[-1].height_m + STRAY_M
    heights = faces.corners[..., 1]
    away = (heights.min(axis=1) > high) | (heights.max(axis=1) < low)
    count = len(raw.parts)
    kept = np.bincount(raw.part_of_face, weights=~away, minlength=count) > 0
    lost = ~kept[raw.part_of_face]
    if not lost.any() or faces.area[lost].sum() > _MOST_STRAY * faces.area.sum():
        return np.ones(count, dtype=bool), []
    note = f"{int((~kept).sum())} meshes more than {STRAY_M:g} m above or below all storeys left out"
    return kept, [note]


def _labelled(
    path: Path, things: list[Thing], faces: Faces, part_of_face: Int64[np.ndarray, " faces"]
) -> tuple[list[Thing], list[str]]:
    """Return things that all have a category, and what was decided."""
    if all(thing.category in (None, BUILDING_CATEGORY) for thing in things):
        note = (
            "no labels: the whole scene is one building, and no instruction can name anything in it; "
            f"give labels in {path.name}{SIDECAR_SUFFIX}"
        )
        parts = tuple(index for thing in things for index in thing.parts)
        return [Thing(BUILDING_CATEGORY, None, parts)], [note]
    plan = faces.corners.reshape(-1, 3)[:, [0, 2]]
    extent = np.maximum(plan.max(axis=0) - plan.min(axis=0), 1e-9)
    labelled, unnamed, shells = [], [], []
    for thing in things:
        if thing.category is None:
            own = faces.corners[np.isin(part_of_face, thing.parts)].reshape(-1, 3)[:, [0, 2]]
            is_shell = bool(((own.max(axis=0) - own.min(axis=0)) >= _SHELL_SHARE * extent).all())
            (shells if is_shell else unnamed).append(thing.name or "without a name")
            thing = Thing(BUILDING_CATEGORY if is_shell else UNNAMED_CATEGORY, thing.name, thing.parts)
        labelled.append(thing)
    notes = []
    if unnamed:
        notes.append(f"{len(unnamed)} things have no known category and are never named: {_listed(unnamed)}")
    if shells:
        notes.append(f"taken for parts of the building because they span it: {_listed(shells)}")
    return labelled, notes


def _listed(names: list[str]) -> str:
    different = list(dict.fromkeys(names))
    return ", ".join(different[:8]) + (f" and {len(different) - 8} more" if len(different) > 8 else "")


def _objects(
    path: Path,
    raw: RawScan,
    things: list[Thing],
    faces: Faces,
    part_of_face: Int64[np.ndarray, " faces"],
    rooms: tuple[Room, ...],
) -> tuple[tuple[SceneObject, ...], Int32[np.ndarray, " faces"], Int64[np.ndarray, " faces"]]:
    """Return the objects, and the instance id and room index of every face."""
    room_of_face = room_indices(faces.corners.mean(axis=1), rooms)
    thing_of_part = np.zeros(len(raw.parts), dtype=np.int64)
    for number, thing in enumerate(things):
        thing_of_part[list(thing.parts)] = number
    thing_of_face = thing_of_part[part_of_face]
    order = np.argsort(thing_of_face, kind="stable")
    bounds = np.searchsorted(thing_of_face[order], np.arange(len(things) + 1))
    pieces: list[tuple[str, str | None, Int64[np.ndarray, " some"]]] = []
    for number, thing in enumerate(things):
        own = order[bounds[number] : bounds[number + 1]]
        category = thing.category or UNNAMED_CATEGORY
        if category not in STRUCTURE_CATEGORIES:
            flat = faces.corners[own].reshape(-1, 3)
            room_of_face[own] = room_indices((flat.min(axis=0) + flat.max(axis=0))[None] / 2, rooms)[0]
            pieces.append((category, thing.name, own))
            continue
        kinds = _floor_or_not(faces, own, room_of_face, rooms) if category == BUILDING_CATEGORY else None
        for room in np.unique(room_of_face[own]).tolist():
            here = own[room_of_face[own] == room]
            if kinds is None:
                pieces.append((category, thing.name, here))
                continue
            is_floor = kinds[room_of_face[own] == room]
            pieces += [("floor", None, here[is_floor])] if is_floor.any() else []
            pieces += [(category, thing.name, here[~is_floor])] if not is_floor.all() else []
    if len(pieces) > MAX_THINGS:
        problem = f"{len(pieces)} things, at most {MAX_THINGS} can be told apart"
        raise DataError(path, "nodes", problem, "join meshes that belong together")
    return _described(raw, faces, pieces, room_of_face, rooms, part_of_face)


def _floor_or_not(
    faces: Faces,
    own: Int64[np.ndarray, " some"],
    room_of_face: Int64[np.ndarray, " faces"],
    rooms: tuple[Room, ...],
) -> Bool[np.ndarray, " some"]:
    floors = np.array([room.floor_m for room in rooms])[room_of_face[own]]
    near = np.abs(faces.corners[own, :, 1] - floors[:, None]).max(axis=1) <= FLOOR_BAND_M
    return near & (np.abs(faces.normal[own, 1]) >= _FLOOR_NORMAL)


def _described(
    raw: RawScan,
    faces: Faces,
    pieces: list[tuple[str, str | None, Int64[np.ndarray, " _"]]],
    room_of_face: Int64[np.ndarray, " faces"],
    rooms: tuple[Room, ...],
    part_of_face: Int64[np.ndarray, " faces"],
) -> tuple[tuple[SceneObject, ...], Int32[np.ndarray, " faces"], Int64[np.ndarray, " faces"]]:
    pieces = sorted(pieces, key=lambda piece: piece[0] not in STRUCTURE_CATEGORIES)
    boxes = [upright_box(faces.corners[own].reshape(-1, 3)) for _, _, own in pieces]
    first_thing = sum(category in STRUCTURE_CATEGORIES for category, _, _ in pieces)
    supports = find_supports(boxes[first_thing:])
    colours = np.concatenate([shown_colours(part) for part in raw.parts])
    instance = np.zeros(len(part_of_face), dtype=np.int32)
    objects = []
    for index, ((category, name, own), box) in enumerate(zip(pieces, boxes, strict=True)):
        instance[own] = index + 1
        is_thing = index >= first_thing
        support = supports[index - first_thing] if is_thing else None
        objects.append(
            SceneObject(
                instance_id=index + 1,
                category=category,
                room_id=rooms[int(room_of_face[own[0]])].room_id,
                box=box,
                colour=name_colour(colours[own], faces.area[own]) if is_thing else None,
                supported_by=None if support is None else support + first_thing + 1,
                name=name,
            )
        )
    return tuple(objects), instance, room_of_face


def _shown_as_it_is(
    raw: RawScan, faces: Faces, part_of_face: Int64[np.ndarray, " faces"], sidecar: Sidecar
) -> tuple[bool, str]:
    """Return whether colours are shown without lamps, and why."""
    if sidecar.lighting is not None:
        return sidecar.lighting == "as it is", f"lighting: {sidecar.lighting}, as the side-car says"
    painted = np.array([is_painted(part) for part in raw.parts])[part_of_face]
    share = float(faces.area[painted].sum() / faces.area.sum())
    if share >= PAINTED_SHARE:
        return True, f"lighting: as it is, since {share:.0%} of the surface has colours like a photograph"
    return False, f"lighting: lamps, since only {share:.0%} of the surface has colours like a photograph"


def _paint(
    raw: RawScan, faces: Faces, palette: Palette
) -> tuple[Int32[np.ndarray, " faces"], Float32[np.ndarray, "faces 3 2"]]:
    """Return material and texture coordinates of every face."""
    material = np.zeros(len(faces.area), dtype=np.int32)
    uv = np.zeros((len(faces.area), 3, 2), dtype=np.float32)
    coloured: list[Int64[np.ndarray, " some"]] = []
    colours = []
    first = 0
    for part in raw.parts:
        own = np.arange(first, first + len(part.faces))
        first += len(part.faces)
        textured = part.look.texture is not None and part.face_uv is not None
        if not textured and varies(part):
            coloured.append(own)
            assert part.face_colours is not None
            colours.append(np.round(part.face_colours * np.array(part.look.colour)).astype(np.uint8))
            continue
        look = part.look
        if not textured:
            shade = np.array(look.colour)
            if part.face_colours is not None:
                shade = shade * part.face_colours.reshape(-1, 3).mean(axis=0) / 255.0
            red, green, blue = shade.tolist()
            look = type(look)((red, green, blue))
        elif part.face_uv is not None:
            uv[own] = part.face_uv
        material[own] = palette.material(look)
    if coloured:
        chosen = np.concatenate(coloured)
        material[chosen], uv[chosen] = palette.atlas(np.concatenate(colours), faces.corners[chosen].mean(axis=1))
    return material, uv


def _shading_normals(
    raw: RawScan, faces: Faces, rotation: Float64[np.ndarray, "3 3"]
) -> Float32[np.ndarray, "faces 3 3"]:
    """Return the file's normals in the world frame; flat ones where it has none."""
    normals = np.repeat(faces.normal[:, None], 3, axis=1)
    first = 0
    for part in raw.parts:
        if part.face_normals is not None:
            normals[first : first + len(part.faces)] = part.face_normals @ rotation.T
        first += len(part.faces)
    return normals.astype(np.float32)


def _lamps(room: Room) -> list[RoomLight]:
    """Return lamps under the ceiling, or where it would be: more of them in larger rooms."""
    low_x, low_z, high_x, high_z = room.bounds_m
    width, depth = high_x - low_x, high_z - low_z
    wanted = min(max(width * depth / _AREA_OF_LAMP_M2, 1.0), float(_MOST_LAMPS))
    columns = max(1, round(np.sqrt(wanted * width / depth)))
    rows = max(1, round(wanted / columns))
    power = float(1.0 / np.sqrt(columns * rows))
    height = room.floor_m + max(room.height_m - _LAMP_BELOW_CEILING_M, 0.9 * room.height_m)
    return [
        RoomLight(
            room.room_id,
            (low_x + (column + 0.5) * width / columns, height, low_z + (row + 0.5) * depth / rows),
            (power, power, power),
        )
        for row in range(rows)
        for column in range(columns)
    ]
