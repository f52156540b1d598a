import json
import struct

import numpy as np
import pytest
import trimesh
from PIL import Image

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.limits import ScanLimits
from backsight.sim.embedded.scans.reading import read_raw

LIMITS = ScanLimits()


def sorted_rows(corners: np.ndarray) -> np.ndarray:
    rows = np.round(corners.reshape(len(corners), -1), 4)
    return rows[np.lexsort(rows.T)]


def middles(raw) -> np.ndarray:
    found = np.round(raw.corners.mean(axis=1), 4)
    return found[np.lexsort(found.T)]


def rewrite_glb(path, change, binary=None):
    """Apply a change to the JSON part of a GLB, and to its binary part."""
    data = path.read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    tree = json.loads(data[20 : 20 + size])
    blob = bytearray(data[20 + size + 8 :])
    change(tree, blob)
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    blob += b"\0" * (-len(blob) % 4)
    total = 12 + 8 + len(text) + 8 + len(blob)
    path.write_bytes(
        b"glTF"
        + struct.pack("<IIII", 2, total, len(text), 0x4E4F534A)
        + text
        + struct.pack("<II", len(blob), 0x004E4942)
        + bytes(blob)
    )
    return path


@pytest.mark.parametrize("name", ["room.glb", "room.gltf", "room.obj", "room.ply"])
def test_every_format_holds_the_same_triangles(name, make_room, write_scene):
    expected = make_room().to_geometry().triangles
    raw = read_raw(write_scene(make_room(), name), LIMITS)
    np.testing.assert_allclose(sorted_rows(raw.corners), sorted_rows(expected), atol=2e-4)
    assert sum(len(part.faces) for part in raw.parts) == 13 * 12


@pytest.mark.parametrize("name", ["room.glb", "room.gltf", "room.obj"])
def test_names_and_plain_colours_come_with_them(name, make_room, write_scene):
    raw = read_raw(write_scene(make_room(), name), LIMITS)
    colours = {part.nodes[-1][1]: np.round(np.array(part.look.colour) * 255) for part in raw.parts}
    assert len(colours) == 13
    np.testing.assert_allclose(colours["Chair.002"], (60, 90, 150), atol=1)
    np.testing.assert_allclose(colours["Wall.003"], (230, 228, 220), atol=1)


def test_colours_of_other_programs_are_linear_as_the_format_says(make_room, write_scene):
    def made_by_another(tree, blob):
        tree["asset"]["generator"] = "another program"
        tree["materials"] = [
            {"pbrMetallicRoughness": {"baseColorFactor": [0.2140411, 0.2140411, 0.2140411, 1]}}
            for _ in tree["materials"]
        ]

    raw = read_raw(rewrite_glb(write_scene(make_room(), "room.glb"), made_by_another), LIMITS)
    np.testing.assert_allclose(raw.parts[0].look.colour, 0.5, atol=1e-4)


def test_nested_and_repeated_nodes_are_placed(tmp_path):
    mesh = trimesh.creation.box(extents=(0.3, 0.5, 0.7))
    scene = trimesh.Scene()
    outer = trimesh.transformations.rotation_matrix(0.7, [0, 0, 1], [1, 2, 3])
    inner = np.diag([2.0, 3.0, -1.0, 1.0])
    inner[:3, 3] = 5, 7, 11
    scene.add_geometry(mesh, node_name="first", geom_name="shape", transform=outer)
    scene.graph.update(frame_to="second", frame_from="first", geometry="shape", matrix=inner)
    scene.graph.update(frame_to="third", frame_from="second", geometry="shape", matrix=inner)
    path = tmp_path / "nested.glb"
    path.write_bytes(trimesh.exchange.gltf.export_glb(scene))
    raw = read_raw(path, LIMITS)
    assert [[name for _, name in part.nodes][-3:] for part in raw.parts][-1] == ["first", "second", "third"]
    for part, matrix in zip(raw.parts, (outer, outer @ inner, outer @ inner @ inner), strict=True):
        expected = mesh.triangles @ matrix[:3, :3].T + matrix[:3, 3]
        np.testing.assert_allclose(np.sort(part.corners, axis=1), np.sort(expected, axis=1), atol=1e-5)
        # Faces of a mirrored box still look outwards.
        normal = np.cross(part.corners[:, 1] - part.corners[:, 0], part.corners[:, 2] - part.corners[:, 0])
        outwards = part.corners.mean(axis=1) - part.corners.mean(axis=(0, 1))
        assert (np.einsum("fc,fc->f", normal, outwards) > 0).all()


def test_quads_are_split_and_relative_indices_understood(tmp_path):
    path = tmp_path / "quads.obj"
    path.write_text(
        "v 0 0 0\nv 3 0 0\nv 3 0 2\nv 0 0 2\no Floor\nf -4 -3 -2 -1\n"
        "v 0 0 0\nv 3 0 0\nv 3 5 0\nv 0 5 0\nv 1 6 0\no Wall\nf -5 -4 -3 -1 -2\n"
    )
    raw = read_raw(path, LIMITS)
    areas = {
        part.nodes[-1][1]: np.linalg.norm(
            np.cross(part.corners[:, 1] - part.corners[:, 0], part.corners[:, 2] - part.corners[:, 0]), axis=1
        ).sum()
        / 2
        for part in raw.parts
    }
    assert areas == pytest.approx({"Floor": 6.0, "Wall": 16.5})


def test_degenerate_triangles_are_dropped_and_counted(tmp_path):
    path = tmp_path / "thin.obj"
    path.write_text("v 0 0 0\nv 3 0 0\nv 3 0 2\nv 6 0 0\nf 1 2 3\nf 1 2 4\nf 2 2 3\nf 1 1 1\n")
    raw = read_raw(path, LIMITS)
    assert sum(len(part.faces) for part in raw.parts) == 1
    assert raw.notes == ("3 degenerate triangles dropped",)


def textured_floor(picture: Image.Image) -> trimesh.Trimesh:
    vertices = np.array([[0, 0, 0], [3, 0, 0], [3, 0, 2], [0, 0, 2]], dtype=float)
    uv = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=picture)
    visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
    return trimesh.Trimesh(vertices, [[0, 2, 1], [0, 3, 2]], visual=visual, process=False)


def four_colours(width: int = 64, height: int = 32) -> Image.Image:
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[: height // 2, : width // 2] = 200, 10, 10
    picture[: height // 2, width // 2 :] = 10, 200, 10
    picture[height // 2 :, : width // 2] = 10, 10, 200
    picture[height // 2 :, width // 2 :] = 200, 200, 10
    return Image.fromarray(picture)


def colour_at(part, point) -> list[int]:
    """Return the texel that a part shows at a point of its plane y = 0."""
    for corners, uv in zip(part.corners, part.face_uv, strict=True):
        system = np.vstack([corners[:, [0, 2]].T, np.ones(3)])
        weights = np.linalg.solve(system, [*point, 1.0])
        if (weights >= -1e-9).all():
            u, v = weights @ uv
            height, width = part.look.texture.shape[:2]
            return part.look.texture[int(v * height), int(u * width)].tolist()
    raise AssertionError(f"no face at {point}")


@pytest.mark.parametrize("name", ["floor.glb", "floor.gltf", "floor.obj"])
def test_textures_lie_the_right_way_round(name, tmp_path):
    mesh = textured_floor(four_colours())
    path = tmp_path / name
    if name.endswith("obj"):
        text, files = trimesh.exchange.obj.export_obj(mesh, return_texture=True)
        path.write_text(text)
        for file, data in files.items():
            (tmp_path / file).write_bytes(data)
    elif name.endswith("gltf"):
        for file, data in trimesh.exchange.gltf.export_gltf(trimesh.Scene(mesh)).items():
            (path if file == "model.gltf" else tmp_path / file).write_bytes(data)
    else:
        path.write_bytes(trimesh.exchange.gltf.export_glb(trimesh.Scene(mesh)))
    (part,) = read_raw(path, LIMITS).parts
    # v = 1 at z = 0 is the top of the picture: red at the origin.
    assert np.abs(np.array(colour_at(part, (0.3, 0.3))) - (200, 10, 10)).max() <= 2
    assert np.abs(np.array(colour_at(part, (2.7, 0.3))) - (10, 200, 10)).max() <= 2
    assert np.abs(np.array(colour_at(part, (0.3, 1.7))) - (10, 10, 200)).max() <= 2


def test_textures_become_powers_of_two_with_a_note(tmp_path):
    path = tmp_path / "odd.glb"
    path.write_bytes(trimesh.exchange.gltf.export_glb(trimesh.Scene(textured_floor(four_colours(93, 41)))))
    raw = read_raw(path, LIMITS)
    assert raw.parts[0].look.texture.shape == (32, 128, 3)
    assert any("93 x 41 scaled to 128 x 32" in note for note in raw.notes)
    small = read_raw(path, ScanLimits(max_texture_side_px=16))
    assert small.parts[0].look.texture.shape == (16, 16, 3)


def test_textures_together_are_bounded(tmp_path):
    path = tmp_path / "two.glb"
    scene = trimesh.Scene([textured_floor(four_colours()), textured_floor(four_colours(32, 32))])
    path.write_bytes(trimesh.exchange.gltf.export_glb(scene))
    assert len(read_raw(path, ScanLimits(max_texture_px=64 * 32 + 32 * 32)).parts) == 2
    with pytest.raises(DataError, match="textures hold more than 3000 pixels"):
        read_raw(path, ScanLimits(max_texture_px=3000))


def test_moved_texture_coordinates_are_followed(tmp_path):
    path = tmp_path / "moved.glb"
    path.write_bytes(trimesh.exchange.gltf.export_glb(trimesh.Scene(textured_floor(four_colours()))))

    def shift(tree, blob):
        use = tree["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
        use["extensions"] = {"KHR_texture_transform": {"offset": [0.5, 0.0], "scale": [0.5, 1.0]}}
        tree["extensionsRequired"] = ["KHR_texture_transform"]

    (part,) = read_raw(rewrite_glb(path, shift), LIMITS).parts
    assert np.abs(np.array(colour_at(part, (0.3, 0.3))) - (10, 200, 10)).max() <= 2


def test_colours_of_vertices_come_to_the_corners(tmp_path):
    mesh = trimesh.Trimesh([[0, 0, 0], [3, 0, 0], [0, 0, 2]], [[0, 1, 2]], process=False)
    mesh.visual.vertex_colors = [[250, 10, 10, 255], [10, 250, 10, 255], [10, 10, 250, 255]]
    for name in ("three.glb", "three.ply"):
        path = tmp_path / name
        mesh.export(path)
        (part,) = read_raw(path, LIMITS).parts
        for corner, colour in zip(part.corners[0], part.face_colours[0], strict=True):
            expected = [10, 10, 10]
            expected[0 if corner[0] == corner[2] else 1 if corner[0] else 2] = 250
            assert colour.tolist() == expected


def test_integer_positions_are_fractions_where_the_file_says_so(tmp_path):
    path = tmp_path / "packed.glb"
    path.write_bytes(trimesh.exchange.gltf.export_glb(trimesh.Scene(trimesh.creation.box(extents=(1, 1, 1)))))

    def pack(tree, blob):
        position = tree["meshes"][0]["primitives"][0]["attributes"]["POSITION"]
        accessor = tree["accessors"][position]
        view = tree["bufferViews"][accessor["bufferView"]]
        start = view.get("byteOffset", 0)
        values = np.frombuffer(bytes(blob[start : start + view["byteLength"]]), dtype=np.float32)
        small = np.zeros((len(values) // 3, 4), dtype=np.int16)
        small[:, :3] = np.round(values.reshape(-1, 3) * 2 * 32767 * 0.25)
        tree["bufferViews"].append({"buffer": 0, "byteOffset": len(blob), "byteLength": small.nbytes, "byteStride": 8})
        blob += small.tobytes()
        accessor |= {"componentType": 5122, "normalized": True, "bufferView": len(tree["bufferViews"]) - 1}
        accessor.pop("byteOffset", None)
        tree["buffers"][0]["byteLength"] = len(blob)
        tree["extensionsRequired"] = ["KHR_mesh_quantization"]

    raw = read_raw(rewrite_glb(path, pack), LIMITS)
    low, high = raw.corners.min(axis=(0, 1)), raw.corners.max(axis=(0, 1))
    np.testing.assert_allclose(high - low, 0.5, atol=1e-3)


def test_draco_is_decoded(tmp_path):
    pytest.importorskip("DracoPy", reason="decoder of Draco not installed: pip install 'backsight[draco]'")
    scene = trimesh.Scene(trimesh.creation.icosphere(subdivisions=2, radius=1.7))
    plain, packed = tmp_path / "plain.glb", tmp_path / "packed.glb"
    plain.write_bytes(trimesh.exchange.gltf.export_glb(scene))
    packed.write_bytes(trimesh.exchange.gltf.export_glb(scene, extension_draco=True))
    assert b"KHR_draco_mesh_compression" in packed.read_bytes()
    np.testing.assert_allclose(middles(read_raw(packed, LIMITS)), middles(read_raw(plain, LIMITS)), atol=2e-3)


def test_what_is_too_large_is_refused_before_it_is_unpacked(make_room, write_scene):
    for name in ("room.glb", "room.obj", "room.ply"):
        path = write_scene(make_room(), name)
        with pytest.raises(DataError, match="are read"):
            read_raw(path, ScanLimits(max_faces=100))
        with pytest.raises(DataError, match="are read"):
            read_raw(path, ScanLimits(max_file_bytes=100))
