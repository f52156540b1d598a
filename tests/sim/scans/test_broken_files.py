"""Files that cannot be used: each ends in its own message, never in a crash, a hang or an empty scene."""

import base64
import importlib.util
import json
import re
import struct
import time

import numpy as np
import pytest
import trimesh

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.build import build_scan
from backsight.sim.embedded.scans.limits import ScanLimits

TRIANGLE = np.array([[0, 0, 0], [3, 0, 0], [0, 0, 2]], dtype=np.float32)


def glb(tree: dict, blob: bytes = b"") -> bytes:
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    if blob:
        chunks += struct.pack("<II", len(blob), 0x004E4942) + blob
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def tree_of(points: np.ndarray = TRIANGLE, **changes) -> tuple[dict, bytes]:
    """Return a minimal glTF tree with one mesh of triangles, and its bytes."""
    blob = points.astype(np.float32).tobytes()
    tree = {
        "asset": {"version": "2.0"},
        "buffers": [{"byteLength": len(blob)}],
        "bufferViews": [{"buffer": 0, "byteLength": len(blob)}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": len(points), "type": "VEC3"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "nodes": [{"mesh": 0, "name": "thing"}],
        "scenes": [{"nodes": [0]}],
    } | changes
    return tree, blob


def changed(**changes) -> bytes:
    return glb(*tree_of(**changes))


def without_decoder(monkeypatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "DracoPy" else find(name))


def draco_box(tmp_path) -> bytes:
    pytest.importorskip("DracoPy", reason="needed to make the compressed file")
    return trimesh.exchange.gltf.export_glb(trimesh.Scene(trimesh.creation.box()), extension_draco=True)


def cube(size: float) -> np.ndarray:
    return trimesh.creation.box(extents=(size, size, size)).triangles.reshape(-1, 3)


def deep_nodes(count: int) -> dict:
    nodes = [{"children": [index + 1]} for index in range(count)] + [{"mesh": 0}]
    return {"nodes": nodes, "scenes": [{"nodes": [0]}]}


BROKEN = {
    "empty.glb": (b"", "file: is empty"),
    "text.glb": (b"<html>404 not found, sorry for that</html>", "is no GLB: it begins with b'<htm'"),
    "short.glb": (changed()[:-10], "length: is cut short"),
    "stub.glb": (b"glTF\2\0\0\0", "header: is cut short"),
    "old.glb": (b"glTF" + struct.pack("<IIII", 1, 20, 0, 0), "GLB version 1"),
    "chunks.glb": (
        b"glTF" + struct.pack("<IIII", 2, 20 + 4, 4_000_000_000, 0x4E4F534A) + b"{}  ",
        "chunk 0 claims 4000000000 bytes",
    ),
    "no_json.glb": (b"glTF" + struct.pack("<IIII", 2, 24, 4, 7) + b"abcd", "the first one is not JSON"),
    "bad_json.glb": (
        b"glTF" + struct.pack("<IIII", 2, 28, 8, 0x4E4F534A) + b'{"asset"',
        "json: is not that of a glTF file",
    ),
    "deep_json.gltf": (b'{"a":' * 100_000, "json: is not that of a glTF file"),
    "wrong_type.glb": (changed(nodes="none"), r"json: .*array.*nodes"),
    "version.glb": (changed(asset={"version": "1.0"}), "asset.version: is 1.0"),
    "buffer.glb": (changed(buffers=[{"byteLength": 4_000}]), r"buffers\[0\]: claims 4000 bytes, 36 are there"),
    "view.glb": (changed(bufferViews=[{"buffer": 0, "byteOffset": 30, "byteLength": 36}]), r"bufferViews\[0\]"),
    "negative.glb": (changed(bufferViews=[{"buffer": 0, "byteOffset": -4, "byteLength": 36}]), r"bufferViews\[0\]"),
    "count.glb": (
        changed(accessors=[{"bufferView": 0, "componentType": 5126, "count": 33, "type": "VEC3"}]),
        r"accessors\[0\]: 33 items need 396 bytes, its view has 36",
    ),
    "huge.glb": (
        changed(accessors=[{"componentType": 5126, "count": 10**12, "type": "VEC3"}]),
        r"accessors\[0\].count: holds 1000000000000 items",
    ),
    "no_data.glb": (
        changed(accessors=[{"componentType": 5126, "count": 3, "type": "VEC3"}]),
        "accessor 0 has no data",
    ),
    "sparse.glb": (
        changed(accessors=[{"componentType": 5126, "count": 3, "type": "VEC3", "sparse": {"count": 1}}]),
        "sparse arrays are not read",
    ),
    "no_position.glb": (changed(meshes=[{"primitives": [{"attributes": {}}]}]), "has no POSITION"),
    "no_mesh.glb": (changed(nodes=[{"mesh": 5}]), r"nodes\[0\].mesh: is 5, there are 1"),
    "points.glb": (
        changed(meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "mode": 0}]}]),
        "no triangles: only points",
    ),
    "fan.glb": (changed(meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "mode": 6}]}]), "triangle fans"),
    "two_corners.glb": (changed(points=TRIANGLE[:2]), "2 corners, no multiple of three"),
    "cycle.glb": (
        changed(nodes=[{"children": [1]}, {"children": [2]}, {"children": [1], "mesh": 0}]),
        "two parents or is its own",
    ),
    "ring.glb": (changed(nodes=[{"mesh": 0}, {"children": [2]}, {"children": [1]}]), "nest in a circle"),
    "deep.glb": (changed(**deep_nodes(5_000)), "nest in a circle or deeper than 200"),
    "matrix.glb": (changed(nodes=[{"mesh": 0, "matrix": [1.0] * 15}]), "is not 16 finite numbers"),
    "extension.glb": (
        changed(extensionsRequired=["EXT_meshopt_compression"]),
        "EXT_meshopt_compression not understood",
    ),
    "missing_bin.gltf": (
        json.dumps(tree_of(buffers=[{"byteLength": 36, "uri": "gone.bin"}])[0]).encode(),
        r"buffers\[0\].uri: 'gone.bin' is missing",
    ),
    "escape.gltf": (
        json.dumps(tree_of(buffers=[{"byteLength": 36, "uri": "../secret.bin"}])[0]).encode(),
        "'../secret.bin' leads out of the folder",
    ),
    "escape_encoded.gltf": (
        json.dumps(tree_of(buffers=[{"byteLength": 36, "uri": "%2e%2e/secret.bin"}])[0]).encode(),
        "leads out of the folder",
    ),
    "absolute.gltf": (
        json.dumps(tree_of(buffers=[{"byteLength": 36, "uri": "/etc/passwd"}])[0]).encode(),
        "'/etc/passwd' leads out of the folder",
    ),
    "windows.gltf": (
        json.dumps(tree_of(buffers=[{"byteLength": 36, "uri": "C:\\x.bin"}])[0]).encode(),
        "leads out of the folder",
    ),
    "network.gltf": (
        json.dumps(tree_of(buffers=[{"byteLength": 36, "uri": "https://example.org/x.bin"}])[0]).encode(),
        "is on a network",
    ),
    "base64.gltf": (
        json.dumps(
            tree_of(buffers=[{"byteLength": 36, "uri": "data:application/octet-stream;base64,@@@"}])[0]
        ).encode(),
        "broken base64",
    ),
    "texture.glb": (
        changed(
            materials=[{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
            textures=[{"source": 0}],
            images=[{"uri": "wood.png"}],
        ),
        r"images\[0\].uri: 'wood.png' is missing",
    ),
    "picture.glb": (
        changed(
            materials=[{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
            textures=[{"source": 0}],
            images=[{"uri": "data:image/png;base64," + base64.b64encode(b"no picture").decode()}],
        ),
        r"images\[0\]: is no picture that can be read",
    ),
    "ktx.glb": (
        changed(
            materials=[{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
            textures=[{"extensions": {"KHR_texture_basisu": {"source": 0}}}],
        ),
        "no picture that can be read .KHR_texture_basisu.",
    ),
    "nan.glb": (changed(points=np.array([[0, 0, 0], [3, np.nan, 0], [0, 0, 2]])), "1 of 3 vertices are not finite"),
    "one_point.glb": (changed(points=np.ones((3, 3))), "every vertex lies at one point"),
    "line.glb": (changed(points=np.outer(np.arange(3), np.ones(3))), "all 1 triangles are degenerate"),
    "wide.glb": (changed(points=cube(5_000.0) * [1, 1e-4, 1]), "no usual unit fits: .* the scene is 5000 units long"),
    "tiny.glb": (changed(points=cube(0.002)), "no usual unit fits"),
    "suffix.fbx": (b"Kaydara FBX Binary", "suffix: .fbx is no format of scenes"),
    "indices.obj": (b"v 0 0 0\nv 3 0 0\nv 0 0 2\nf 1 2 9\n", "line 4: vertex 9 of 3 does not exist"),
    "zero.obj": (b"v 0 0 0\nv 3 0 0\nv 0 0 2\nf 1 2 0\n", "line 4: vertex 0 of 3 does not exist"),
    "relative.obj": (b"v 0 0 0\nv 3 0 0\nv 0 0 2\nf 1 2 -7\n", "line 4: vertex -7 of 3 does not exist"),
    "word.obj": (b"v 0 0 0\nv 3 0 0\nv 0 0 2\nf 1 2 three\n", "line 4: vertex three of 3"),
    "uv.obj": (b"v 0 0 0\nv 3 0 0\nv 0 0 2\nvt 0 0\nf 1/1 2/1 3/4\n", "texture coordinate 4 of 1"),
    "edge.obj": (b"v 0 0 0\nv 3 0 0\nf 1 2\n", "a face of 2 corners"),
    "binary.obj": (bytes(64), "is no text, so no OBJ"),
    "points.obj": (b"v 0 0 0\nv 3 0 0\nv 0 0 2\n", "no triangles"),
    "library.obj": (b"mtllib gone.mtl\nv 0 0 0\nv 3 0 0\nv 0 0 2\nf 1 2 3\n", "mtllib: 'gone.mtl' is missing"),
    "library_escape.obj": (b"mtllib ../../x.mtl\nv 0 0 0\nv 3 0 0\nv 0 0 2\nf 1 2 3\n", "leads out of the folder"),
    "no.ply": (b"solid thing\n", "is no PLY"),
    "open.ply": (b"ply\nformat ascii 1.0\nelement vertex 3\n", "header: does not end"),
    "lying.ply": (
        b"ply\nformat binary_little_endian 1.0\nelement vertex 25000000\nproperty float x\nproperty float y\n"
        b"property float z\nelement face 9\nproperty list uchar int vertex_indices\nend_header\n" + bytes(100),
        "25000000 vertices and 9 faces need 300000117 bytes, 100 are there",
    ),
    "lying_text.ply": (
        b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
        b"element face 5\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n3 0 0\n0 0 2\n3 0 1 2\n",
        "need 8 lines, 4 are there",
    ),
    "index.ply": (
        b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
        b"element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n3 0 0\n0 0 2\n3 0 1 8\n",
        "face indices 0 to 8 for 3 vertices|is damaged",
    ),
    "cloud.ply": (
        b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\n"
        b"end_header\n0 0 0\n",
        "no triangles: only points",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_says_what_is_wrong_and_what_to_do(name, tmp_path):
    content, message = BROKEN[name]
    path = tmp_path / name
    path.write_bytes(content)
    began_s = time.monotonic()
    with pytest.raises(DataError, match=message) as raised:
        build_scan(path)
    assert time.monotonic() - began_s < 5.0
    assert str(path) in str(raised.value)
    assert re.search(r"\(.+\)$", str(raised.value), re.DOTALL), f"no advice in {raised.value}"
    assert raised.value.exit_status == 3


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.glb: file: is missing"):
        build_scan(tmp_path / "gone.glb")


def test_compressed_meshes_without_a_decoder_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "draco.glb"
    path.write_bytes(draco_box(tmp_path))
    without_decoder(monkeypatch)
    with pytest.raises(DataError, match=r"pip install 'backsight\[draco\]'"):
        build_scan(path)


def test_a_broken_compressed_mesh_is_no_empty_scene(tmp_path):
    data = bytearray(draco_box(tmp_path))
    at = data.index(b"DRACO") + 12
    data[at : at + 40] = bytes(40)
    path = tmp_path / "draco.glb"
    path.write_bytes(bytes(data))
    with pytest.raises(DataError):
        build_scan(path)


def test_one_broken_compressed_mesh_among_good_ones_is_not_left_out(tmp_path):
    pytest.importorskip("DracoPy", reason="needed to make the compressed file")
    scene = trimesh.Scene([trimesh.creation.box(extents=(4, 0.1, 3)), trimesh.creation.icosphere(radius=0.4)])
    data = bytearray(trimesh.exchange.gltf.export_glb(scene, extension_draco=True))
    at = data.rindex(b"DRACO") + 12
    data[at : at + 40] = bytes(40)
    path = tmp_path / "draco.glb"
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match="its compressed mesh cannot be decoded"):
        build_scan(path)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "secret.bin").write_bytes(TRIANGLE.tobytes())
    folder = tmp_path / "scenes"
    folder.mkdir()
    (folder / "inside.bin").symlink_to(tmp_path / "secret.bin")
    tree, _ = tree_of(buffers=[{"byteLength": 36, "uri": "inside.bin"}])
    (folder / "scene.gltf").write_text(json.dumps(tree))
    with pytest.raises(DataError, match="leads out of the folder"):
        build_scan(folder / "scene.gltf")


def test_given_units_that_make_no_place_for_people_are_refused(make_room, write_scene):
    path = write_scene(make_room(), "room.glb")
    for scale, size in ((0.0005, "0.00225 m"), (1000.0, "4500 m")):
        path.with_name("room.glb.backsight.json").write_text(json.dumps({"metres_per_unit": scale}))
        with pytest.raises(DataError, match=size):
            build_scan(path)


def test_random_damage_gives_a_scene_or_a_message(make_room, write_scene):
    """Bytes are flipped, cut and repeated all over the files; nothing but DataError may come out."""
    rng = np.random.default_rng(11)
    limits = ScanLimits(max_file_bytes=10_000_000, max_faces=100_000, max_vertices=300_000)
    outcomes = {"scene": 0, "message": 0}
    for name in ("room.glb", "room.gltf", "room.obj", "room.ply"):
        path = write_scene(make_room(), name)
        sound = path.read_bytes()
        for _ in range(25):
            data = bytearray(sound)
            kind = rng.integers(3)
            if kind == 0:
                for at in rng.integers(0, len(data), size=rng.integers(1, 20)):
                    data[at] = rng.integers(256)
            elif kind == 1:
                del data[int(rng.integers(len(data))) :]
            else:
                at = int(rng.integers(len(data)))
                data[at:at] = data[at : at + int(rng.integers(1, 200))]
            path.write_bytes(bytes(data))
            try:
                build_scan(path, limits)
                outcomes["scene"] += 1
            except DataError:
                outcomes["message"] += 1
    assert outcomes["message"] > 40
