import json
import math

import numpy as np
import pytest
import trimesh

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.errors import DataError
from backsight.records.vocabulary import CATEGORIES
from backsight.sim.embedded.navigation import GridNavigation
from backsight.sim.embedded.renderer import Renderer
from backsight.sim.embedded.scans.build import build_scan
from backsight.sim.embedded.scans.orientation import rotation_to_world

INTRINSICS = intrinsics_from_hfov(67, 53, 80.0)


def to_file_axes(up: str, unit: float) -> np.ndarray:
    """Return the transform of a scene in metres with +y up to a file with another up axis and unit."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_to_world(up).T / unit
    return matrix


def side_car(path, **content):
    path.with_name(path.name + ".backsight.json").write_text(json.dumps(content))


def test_a_room_is_found_with_its_things(make_room, write_scene):
    scan = build_scan(write_scene(make_room(), "room.glb"))
    scene = scan.scene
    (room,) = scene.rooms
    assert room.bounds_m == pytest.approx((-2.15, -1.85, 2.15, 1.85), abs=0.11)
    assert (room.floor_m, room.height_m) == pytest.approx((0.0, 2.6), abs=1e-3)
    things = {thing.name: thing for thing in scene.objects}
    assert {name: thing.category for name, thing in things.items()} == {
        "Floor": "floor",
        "Ceiling": "ceiling",
        "Wall.000": "wall",
        "Wall.001": "wall",
        "Wall.002": "wall",
        "Wall.003": "wall",
        "Table_01": "table",
        "Chair.001": "chair",
        "Chair.002": "chair",
        "Cupboard": "cabinet",
        "Lamp": "lamp",
        "Sofa_grey": "sofa",
        "Gizmo": "object",
    }
    assert set(thing.category for thing in scene.objects) <= set(CATEGORIES)
    table = things["Table_01"].box
    assert table.centre_m == pytest.approx((0.6, 0.365, -0.4), abs=1e-4)
    assert table.size_m == pytest.approx((1.1, 0.73, 0.7), abs=1e-3)
    assert table.yaw_rad == pytest.approx(math.radians(30), abs=1e-3)
    assert things["Lamp"].supported_by == things["Table_01"].instance_id
    assert things["Chair.001"].supported_by is None
    assert (things["Sofa_grey"].colour, things["Lamp"].colour, things["Table_01"].colour) == ("grey", "red", "brown")
    assert any("1 things have no known category" in note and "Gizmo" in note for note in scan.notes)
    assert scene.lights[0].position_m == pytest.approx((0.0, 2.35, 0.0), abs=0.02)


@pytest.mark.parametrize("up", ["+y", "+z", "-y", "+x"])
@pytest.mark.parametrize(
    ("unit", "name"), [(1.0, "room.glb"), (0.01, "room.obj"), (0.0254, "room.ply"), (0.001, "m.glb")]
)
def test_turned_and_scaled_files_give_the_same_room(up, unit, name, make_room, write_scene):
    path = write_scene(make_room(to_file_axes(up, unit), ceiling=False), name)
    scan = build_scan(path)
    expected = np.sort(make_room(ceiling=False).to_geometry().triangles.reshape(-1, 3), axis=0)
    corners = scan.scene.vertices_m[scan.scene.faces].reshape(-1, 3)
    # A turn about the vertical is left open by the up axis alone; the heights are not.
    np.testing.assert_allclose(np.sort(corners[:, 1]), expected[:, 1], atol=2e-3)
    extent = corners.max(axis=0) - corners.min(axis=0)
    assert sorted(extent) == pytest.approx(sorted((4.5, 3.9, 2.7)), abs=0.01)
    said = " ".join(scan.notes)
    assert f"up axis {up} guessed" in said
    assert {1.0: "metres", 0.01: "centimetres", 0.0254: "inches", 0.001: "millimetres"}[unit] in said


def test_what_is_given_is_not_guessed(make_room, write_scene):
    path = write_scene(make_room(to_file_axes("+z", 0.01)), "room.glb")
    side_car(path, up="+z", metres_per_unit=0.01, labels={"Gizmo": "bin", "Chair.*": "stool"})
    scan = build_scan(path)
    assert not any("guessed" in note for note in scan.notes)
    categories = [thing.category for thing in scan.scene.objects]
    assert (categories.count("stool"), categories.count("bin"), categories.count("object")) == (2, 1, 0)
    side_car(path, up="+z", metres_per_unit=0.02)
    assert build_scan(path).scene.rooms[0].height_m == pytest.approx(5.2, abs=1e-3)


def test_without_labels_the_scene_is_one_building_with_a_floor(make_room, write_scene):
    scan = build_scan(write_scene(make_room(), "room.ply"))
    assert sorted(thing.category for thing in scan.scene.objects) == ["building", "floor"]
    assert any("no labels" in note for note in scan.notes)
    navigation = GridNavigation(scan.scene)
    free, _, cell = navigation.top_down_map()
    # 4.3 x 3.7 m less walls, table, cupboard, sofa, chairs and the agent's radius.
    assert 3.0 < free.sum() * cell**2 < 9.0
    assert not navigation.is_navigable(np.array([0.6, 0.0, -0.4]))
    assert navigation.is_navigable(np.array([0.0, 0.0, 0.9]))


def test_an_unlabelled_shell_is_the_building_and_not_a_thing(make_room, write_scene):
    walls = {"Floor": "Mesh_7", "Wall.000": "Mesh_8", "Wall.001": "Mesh_9", "Ceiling": "Mesh_10"}
    scan = build_scan(write_scene(make_room(rename=walls), "room.glb"))
    by_name = {thing.name: thing.category for thing in scan.scene.objects}
    assert by_name["Mesh_10"] == "building"
    assert [thing.category for thing in scan.scene.objects].count("floor") == 1


def test_pieces_and_children_are_one_thing(tmp_path):
    scene = trimesh.Scene()
    ground = trimesh.creation.box(extents=(5, 0.1, 4))
    scene.add_geometry(ground, node_name="floor", transform=trimesh.transformations.translation_matrix([0, -0.05, 0]))
    for x, name in ((-2.45, "wall_1"), (2.45, "wall_2")):
        place = trimesh.transformations.translation_matrix([x, 1.3, 0])
        scene.add_geometry(trimesh.creation.box(extents=(0.1, 2.6, 4)), node_name=name, transform=place)
    scene.graph.update(frame_to="Chair", matrix=trimesh.transformations.translation_matrix([1, 0, 1]))
    for number, size in enumerate(((0.4, 0.05, 0.4), (0.05, 0.45, 0.05))):
        scene.add_geometry(
            trimesh.creation.box(extents=size),
            node_name=f"part{number}",
            parent_node_name="Chair",
            transform=trimesh.transformations.translation_matrix([0, 0.45 - 0.225 * number, 0]),
        )
    for number in (3, 4):
        place = trimesh.transformations.translation_matrix([-1, 0.2 * number, 1])
        scene.add_geometry(
            trimesh.creation.box(extents=(0.4, 0.2, 0.4)), node_name=f"cab_left_group_main#{number}", transform=place
        )
    path = tmp_path / "pieces.glb"
    path.write_bytes(trimesh.exchange.gltf.export_glb(scene))
    objects = build_scan(path).scene.objects
    assert sorted(thing.category for thing in objects) == ["cabinet", "chair", "floor", "wall", "wall"]


def two_storeys() -> trimesh.Scene:
    scene = trimesh.Scene()
    slabs = ((-0.1, 5.0), (2.7, 5.0), (5.5, 5.0))
    for number, (height, width) in enumerate(slabs):
        place = trimesh.transformations.translation_matrix([0, height, 0])
        scene.add_geometry(trimesh.creation.box(extents=(width, 0.2, 4)), node_name=f"slab{number}", transform=place)
    for number, (x, z, wide, deep) in enumerate(
        ((0, 2.05, 5, 0.1), (0, -2.05, 5, 0.1), (2.55, 0, 0.1, 4), (-2.55, 0, 0.1, 4))
    ):
        place = trimesh.transformations.translation_matrix([x, 2.7, z])
        scene.add_geometry(trimesh.creation.box(extents=(wide, 5.4, deep)), node_name=f"wall{number}", transform=place)
    for height, name in ((0.35, "sofa"), (2.8 + 0.35, "table")):
        place = trimesh.transformations.translation_matrix([1, height, 1])
        scene.add_geometry(trimesh.creation.box(extents=(1.3, 0.7, 0.6)), node_name=name, transform=place)
    return scene


def test_storeys_are_found_and_things_belong_to_them(tmp_path):
    path = tmp_path / "house.glb"
    path.write_bytes(trimesh.exchange.gltf.export_glb(two_storeys()))
    scene = build_scan(path).scene
    assert [room.floor_m for room in scene.rooms] == pytest.approx([0.0, 2.8], abs=1e-3)
    assert [room.height_m for room in scene.rooms] == pytest.approx([2.6, 2.6], abs=1e-3)
    rooms = {thing.category: thing.room_id for thing in scene.objects}
    assert (rooms["sofa"], rooms["table"]) == (1, 2)
    assert sorted(thing.room_id for thing in scene.objects if thing.category == "floor") == [1, 2]
    assert {light.room_id for light in scene.lights} == {1, 2}


def test_rooms_come_from_the_side_car(tmp_path):
    path = tmp_path / "house.glb"
    path.write_bytes(trimesh.exchange.gltf.export_glb(two_storeys()))
    rooms = [
        {"bounds_m": [-2.5, -2, 0, 2], "room_type": "kitchen"},
        {"bounds_m": [0, -2, 2.5, 2], "room_type": "living room"},
        {"bounds_m": [-2.5, -2, 2.5, 2], "floor_m": 2.8, "height_m": 2.3, "room_type": "bedroom"},
    ]
    side_car(path, rooms=rooms)
    scene = build_scan(path).scene
    assert [(room.room_type, round(room.height_m, 2)) for room in scene.rooms] == [
        ("kitchen", 2.6),
        ("living room", 2.6),
        ("bedroom", 2.3),
    ]
    placed = {thing.category: thing.room_id for thing in scene.objects if not thing.is_structure}
    assert placed == {"sofa": 2, "table": 3}
    middles = scene.vertices_m[scene.faces].mean(axis=1)
    left = (middles[:, 1] < 2.5) & (middles[:, 0] < -2.4)
    assert set(scene.face_room[left]) == {1}
    side_car(path, rooms=[{"bounds_m": [0, 0, 1, 1], "floor_m": 9.0}])
    with pytest.raises(DataError, match=r"floors are at -?0\.00, 2\.80 m"):
        build_scan(path)


def test_a_scene_without_a_floor_is_refused(tmp_path):
    path = tmp_path / "wall.glb"
    wall = trimesh.Scene(trimesh.creation.box(extents=(4.0, 2.5, 0.1)))
    path.write_bytes(trimesh.exchange.gltf.export_glb(wall))
    side_car(path, up="+y", metres_per_unit=1.0)
    with pytest.raises(DataError, match="no floor"):
        build_scan(path)


def test_hidden_pieces_far_above_are_left_out(make_room, write_scene):
    scene = make_room(ceiling=False)
    high = trimesh.transformations.translation_matrix([0, 9.0, 0])
    scene.add_geometry(trimesh.creation.box(extents=(0.5, 0.5, 0.5)), node_name="Table_01#4", transform=high)
    scan = build_scan(write_scene(scene, "room.glb"))
    assert any("1 meshes more than 1 m above" in note for note in scan.notes)
    assert scan.scene.vertices_m[:, 1].max() == pytest.approx(2.6, abs=1e-3)


def test_far_from_the_origin_it_is_moved_there(make_room, write_scene):
    away = trimesh.transformations.translation_matrix([431_000.0, 120.0, -5_000_000.0])
    path = write_scene(make_room(away), "room.obj")
    scan = build_scan(path)
    assert np.abs(scan.scene.vertices_m).max() < 3.0
    assert any("to the origin" in note for note in scan.notes)


def painted_room(tmp_path, colours: np.ndarray):
    """Write a finely divided box seen from inside, whose vertices have colours."""
    mesh = trimesh.creation.box(extents=(4.0, 2.5, 3.0)).subdivide().subdivide()
    mesh.apply_translation([0, 1.25, 0])
    mesh.visual.vertex_colors = colours[np.arange(len(mesh.vertices)) % len(colours)]
    path = tmp_path / "scan.ply"
    mesh.export(path)
    return path, mesh


def view(scan, yaw_rad: float):
    pose = look_pose(np.array([0.2, 1.2, 0.1]), yaw_rad, 0.1)
    return Renderer(scan.scene).render(pose[None], INTRINSICS, 67, 53)


def test_colours_of_a_scan_are_shown_as_they_are(tmp_path):
    path, _ = painted_room(tmp_path, np.array([[203, 91, 47, 255], [203, 91, 48, 255], [197, 91, 47, 255]]))
    side_car(path, up="+y", metres_per_unit=1.0)
    scan = build_scan(path)
    assert any("as it is" in note for note in scan.notes)
    seen = view(scan, 0.4)
    assert (np.abs(seen.rgb.astype(int) - (201, 91, 47)) <= (6, 2, 3)).all()
    assert (seen.depth_m > 0).all()
    side_car(path, up="+y", metres_per_unit=1.0, lighting="lamps")
    assert view(build_scan(path), 0.4).rgb.astype(int).std() > 5


def test_bright_and_dark_colours_are_shown_as_they_are_too(tmp_path):
    for level in (3, 60, 128, 240, 255):
        path, _ = painted_room(tmp_path, np.array([[level, level, level, 255]]))
        side_car(path, up="+y", metres_per_unit=1.0, lighting="as it is")
        assert np.abs(view(build_scan(path), 1.0).rgb.astype(int) - level).max() <= 1


def test_colours_between_vertices_are_blended(tmp_path):
    rng = np.random.default_rng(3)
    path, mesh = painted_room(tmp_path, np.c_[rng.integers(0, 256, (97, 3)), np.full(97, 255)].astype(np.uint8))
    side_car(path, up="+y", metres_per_unit=1.0)
    scene = build_scan(path).scene
    texture = scene.textures[0].astype(float)
    height, width = texture.shape[:2]
    places = scene.face_uv * [width, height]
    corners = texture[np.floor(places[..., 1]).astype(int), np.floor(places[..., 0]).astype(int)]
    # Each corner lies on the middle of a texel of its own colour.
    np.testing.assert_allclose(places % 1, 0.5, atol=1e-3)
    expected = mesh.visual.vertex_colors[:, :3]
    tree = {tuple(np.round(vertex, 3)): colour for vertex, colour in zip(mesh.vertices, expected, strict=True)}
    for face, colours in zip(scene.vertices_m[scene.faces], corners, strict=True):
        for vertex, colour in zip(face, colours, strict=True):
            assert tree[tuple(np.round(vertex.astype(float), 3) + 0.0)].tolist() == colour.tolist()


def test_the_same_file_gives_the_same_scene(make_room, write_scene):
    path = write_scene(make_room(), "room.glb")
    one, other = build_scan(path).scene, build_scan(path).scene
    assert one.objects == other.objects
    for field in ("vertices_m", "faces", "face_uv", "face_instance", "face_room", "face_material"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
