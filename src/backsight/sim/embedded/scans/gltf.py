"""Reading GLB and glTF files."""

import json
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import trimesh
from jaxtyping import Float64

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.geometries import VertexExtras, load_with_trimesh, make_part
from backsight.sim.embedded.scans.gltf_checks import DRACO, STRIP, TRIANGLES, check_tree
from backsight.sim.embedded.scans.gltf_tree import GltfTree, Material, Mesh, Primitive, TextureTransform, TextureUse
from backsight.sim.embedded.scans.images import TextureReader
from backsight.sim.embedded.scans.limits import ScanLimits
from backsight.sim.embedded.scans.parts import PLAIN, Look, RawScan, ScanPart
from backsight.sim.embedded.scans.side_files import SideFiles, read_scene_bytes
from backsight.sim.srgb import srgb_from_linear

_JSON_CHUNK, _BINARY_CHUNK = 0x4E4F534A, 0x004E4942
_INTEGER_LIMITS = {5120: 127.0, 5121: 255.0, 5122: 32767.0, 5123: 65535.0}
_COPY = "copy or export it again"


def read_gltf(path: Path, limits: ScanLimits) -> RawScan:
    """Return the triangles of a GLB or glTF file.

    Args:
        path: The file.
        limits: Bounds.

    Raises:
        DataError: It is damaged, too large, or needs what is not understood; names the field.
    """
    data = read_scene_bytes(path, limits)
    text, binary = _unwrap_glb(path, data) if path.suffix.lower() == ".glb" else (data, None)
    header, tree = _parse(path, text, limits)
    side_files = SideFiles(path, limits)
    buffers = _read_buffers(path, tree, binary, side_files)
    check_tree(path, tree, limits)
    looks, notes = _looks(path, tree, buffers, side_files, limits)
    resources = {f"buffer{index}.bin": data for index, data in enumerate(buffers)}
    loaded = load_with_trimesh(path, json.dumps(_simplified(header, tree)).encode(), "gltf", resources)
    return RawScan(path, tuple(_parts(path, tree, loaded, looks)), "+y", True, tuple(notes))


def _unwrap_glb(path: Path, data: bytes) -> tuple[bytes, bytes | None]:
    """Return the JSON chunk and the binary one."""
    if len(data) < 20 or data[:4] != b"glTF":
        problem = f"is no GLB: it begins with {data[:4]!r}" if data[:4] != b"glTF" else "is cut short"
        raise DataError(path, "header", problem, _COPY)
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise DataError(path, "header", f"GLB version {version}, version 2 is read", "export it as glTF 2.0")
    if length > len(data):
        raise DataError(path, "length", f"is cut short: {len(data)} of {length} bytes are there", _COPY)
    chunks: list[tuple[int, bytes]] = []
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        if at + 8 + size > length:
            problem = f"chunk {len(chunks)} claims {size} bytes, {length - at - 8} are left"
            raise DataError(path, "chunks", problem, _COPY)
        chunks.append((kind, data[at + 8 : at + 8 + size]))
        at += 8 + size
    if not chunks or chunks[0][0] != _JSON_CHUNK:
        raise DataError(path, "chunks", "the first one is not JSON", _COPY)
    return chunks[0][1], next((content for kind, content in chunks[1:] if kind == _BINARY_CHUNK), None)


def _parse(path: Path, text: bytes, limits: ScanLimits) -> tuple[dict[str, Any], GltfTree]:
    if len(text) > limits.max_header_bytes:
        problem = f"{len(text)} bytes, at most {limits.max_header_bytes} are read"
        raise DataError(path, "json", problem, "keep meshes and pictures out of the JSON part: export as GLB")
    try:
        header = msgspec.json.decode(text.rstrip(b"\0 \r\n\t"), type=dict[str, Any])
        return header, msgspec.convert(header, GltfTree)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(path, "json", f"is not that of a glTF file: {error}", _COPY) from error


def _read_buffers(path: Path, tree: GltfTree, binary: bytes | None, side_files: SideFiles) -> list[bytes]:
    buffers = []
    for index, buffer in enumerate(tree.buffers):
        field = f"buffers[{index}]"
        if buffer.uri is not None:
            data = side_files.read(buffer.uri, f"{field}.uri")
        elif index == 0 and binary is not None:
            data = binary
        else:
            raise DataError(path, field, "has no bytes: neither a URI nor a binary chunk", _COPY)
        if buffer.byteLength > len(data):
            raise DataError(path, field, f"claims {buffer.byteLength} bytes, {len(data)} are there", _COPY)
        buffers.append(data)
    return buffers


def _looks(
    path: Path, tree: GltfTree, buffers: list[bytes], side_files: SideFiles, limits: ScanLimits
) -> tuple[list[Look], list[str]]:
    """Return the look of every material, and what of them is not shown."""
    # trimesh writes sRGB values where the format wants linear ones.
    linear = "trimesh" not in tree.asset.generator
    textures = TextureReader(path, limits)
    looks, notes = [], set()
    for index, material in enumerate(tree.materials):
        factor, use = _base_colour(path, index, material)
        if material.alphaMode != "OPAQUE":
            notes.add("transparency is not shown: glass and cut-out leaves are solid")
        texture = None
        if use is not None:
            source = _image_of(path, tree, use)
            load = partial(_image_bytes, path, tree, source, buffers, side_files)
            texture = textures.read(str(source), f"images[{source}]", load)
        colour = np.clip(np.array((factor or [1.0, 1.0, 1.0])[:3], dtype=np.float64), 0.0, 1.0)
        red, green, blue = (srgb_from_linear(colour) if linear else colour).tolist()
        looks.append(Look((red, green, blue), texture, "KHR_materials_unlit" in material.extensions))
    return looks, [*textures.notes, *sorted(notes)]


def _base_colour(path: Path, index: int, material: Material) -> tuple[list[float] | None, TextureUse | None]:
    glossy = material.extensions.get("KHR_materials_pbrSpecularGlossiness")
    try:
        if glossy is not None:
            use = glossy.get("diffuseTexture")
            factor = msgspec.convert(glossy.get("diffuseFactor"), list[float] | None)
            return factor, None if use is None else msgspec.convert(use, TextureUse)
    except (msgspec.ValidationError, AttributeError) as error:
        raise DataError(path, f"materials[{index}].extensions", str(error), "export the file again") from error
    return material.pbrMetallicRoughness.baseColorFactor, material.pbrMetallicRoughness.baseColorTexture


def _image_of(path: Path, tree: GltfTree, use: TextureUse) -> int:
    if not 0 <= use.index < len(tree.textures):
        raise DataError(path, "materials", f"texture {use.index} does not exist", "export the file again")
    texture = tree.textures[use.index]
    webp = texture.extensions.get("EXT_texture_webp")
    source = webp.get("source") if isinstance(webp, dict) else texture.source
    if not isinstance(source, int) or not 0 <= source < len(tree.images):
        names = ", ".join(texture.extensions) or "no source"
        problem = f"has no picture that can be read ({names})"
        raise DataError(path, f"textures[{use.index}]", problem, "export textures as PNG, JPEG or WebP")
    return source


def _image_bytes(path: Path, tree: GltfTree, index: int, buffers: list[bytes], side_files: SideFiles) -> bytes:
    image = tree.images[index]
    if image.uri is not None:
        return side_files.read(image.uri, f"images[{index}].uri")
    if image.bufferView is None:
        raise DataError(path, f"images[{index}]", "has neither a URI nor a view", "export the file again")
    view = tree.bufferViews[image.bufferView]
    return buffers[view.buffer][view.byteOffset : view.byteOffset + view.byteLength]


def _simplified(header: dict[str, Any], tree: GltfTree) -> dict[str, Any]:
    """Return the JSON part with names that can be found again, triangles only, without pictures and cameras."""
    kept = ("asset", "scene", "scenes", "accessors", "bufferViews")
    small = {key: header[key] for key in kept if key in header}
    small["buffers"] = [
        {"uri": f"buffer{index}.bin", "byteLength": buffer.byteLength} for index, buffer in enumerate(tree.buffers)
    ]
    small["meshes"] = [
        {
            "name": f"mesh{index}",
            "primitives": [_simplified_primitive(tree, primitive) for primitive in _triangles(mesh)],
        }
        for index, mesh in enumerate(tree.meshes)
    ]
    placed = ("children", "matrix", "translation", "rotation", "scale", "mesh")
    small["nodes"] = [
        {key: node[key] for key in placed if key in node} | {"name": f"node{index}"}
        for index, node in enumerate(header.get("nodes", []))
    ]
    if not tree.scenes:
        children = {child for node in tree.nodes for child in node.children}
        small["scene"] = 0
        small["scenes"] = [{"nodes": [index for index in range(len(tree.nodes)) if index not in children]}]
    return small


def _triangles(mesh: Mesh) -> list[Primitive]:
    return [primitive for primitive in mesh.primitives if primitive.mode in (TRIANGLES, STRIP)]


def _simplified_primitive(tree: GltfTree, primitive: Primitive) -> dict[str, Any]:
    """Return positions and indices, and the rest under names that trimesh hands on unchanged."""
    renamed = {name: own for own, name in _names(tree, primitive).items() if name in primitive.attributes}
    small: dict[str, Any] = {
        "mode": primitive.mode,
        "attributes": {own: primitive.attributes[name] for name, own in renamed.items()},
    }
    if primitive.indices is not None:
        small["indices"] = primitive.indices
    packed = primitive.extensions.get(DRACO)
    if packed is not None:
        stored = {own: packed["attributes"][name] for name, own in renamed.items() if name in packed["attributes"]}
        small["extensions"] = {DRACO: {"bufferView": packed["bufferView"], "attributes": stored}}
    return small


def _names(tree: GltfTree, primitive: Primitive) -> dict[str, str]:
    """Return the attributes that are read, by the names that `mesh_part` knows."""
    use = None if primitive.material is None else _base_colour(Path(), 0, tree.materials[primitive.material])[1]
    texture_set = 0 if use is None else use.texCoord
    return {"POSITION": "POSITION", "_NORMAL": "NORMAL", "_COLOUR": "COLOR_0", "_UV": f"TEXCOORD_{texture_set}"}


def _parts(path: Path, tree: GltfTree, loaded: trimesh.Scene, looks: list[Look]) -> Iterator[ScanPart]:
    """Yield the parts of every node, in the order of the file."""
    parents = {child: index for index, node in enumerate(tree.nodes) for child in node.children}
    found = []
    for frame in map(str, loaded.graph.nodes_geometry):
        transform, geometry = loaded.graph[frame]
        # trimesh numbers the primitives of a mesh: mesh3, mesh3_1, mesh3_2, ...
        mesh, _, place = str(geometry).removeprefix("mesh").partition("_")
        node = int(frame.removeprefix("node").partition("_")[0])
        found.append((node, int(mesh), int(place or 0), geometry, np.asarray(transform, dtype=np.float64)))
    for node, mesh, place, geometry, transform in sorted(found, key=lambda item: item[:3]):
        primitive = _triangles(tree.meshes[mesh])[place]
        line = [node]
        while line[-1] in parents:
            line.append(parents[line[-1]])
        nodes = tuple((index, tree.nodes[index].name) for index in reversed(line))
        yield _part(path, tree, primitive, (loaded.geometry[geometry], transform), nodes, looks)


def _part(
    path: Path,
    tree: GltfTree,
    primitive: Primitive,
    placed: tuple[trimesh.Trimesh, Float64[np.ndarray, "4 4"]],
    nodes: tuple[tuple[int, str], ...],
    looks: list[Look],
) -> ScanPart:
    mesh, transform = placed
    scale = {own: _scale(tree, primitive, name) for own, name in _names(tree, primitive).items()}
    stored = {own: np.asarray(values, dtype=np.float64) * scale[own] for own, values in mesh.vertex_attributes.items()}
    if DRACO in primitive.extensions and not mesh.vertices.any():
        name = nodes[-1][1] or f"node {nodes[-1][0]}"
        raise DataError(path, name, "its compressed mesh cannot be decoded", "export it again without compression")
    look = PLAIN if primitive.material is None else looks[primitive.material]
    uv, colours = stored.get("_UV"), stored.get("_COLOUR")
    if uv is not None and primitive.material is not None:
        _, use = _base_colour(path, primitive.material, tree.materials[primitive.material])
        uv = uv if use is None else _moved_uv(path, uv, use)
    if colours is not None:
        shown = np.clip(colours[:, :3], 0.0, 1.0)
        colours = shown if "trimesh" in tree.asset.generator else srgb_from_linear(shown)
    return make_part(
        path,
        nodes,
        (mesh.vertices * scale["POSITION"], mesh.faces),
        transform,
        look,
        VertexExtras(uv=uv, normals=stored.get("_NORMAL"), colours=colours),
    )


def _scale(tree: GltfTree, primitive: Primitive, name: str) -> float:
    """Return what stored integers have to be multiplied with; colours are always fractions."""
    if name not in primitive.attributes:
        return 1.0
    accessor = tree.accessors[primitive.attributes[name]]
    fraction = accessor.normalized or name == "COLOR_0"
    return 1.0 / _INTEGER_LIMITS.get(accessor.componentType, 1.0) if fraction else 1.0


def _moved_uv(path: Path, uv: Float64[np.ndarray, "vertices 2"], use: TextureUse) -> Float64[np.ndarray, "vertices 2"]:
    """Return texture coordinates as KHR_texture_transform moves them."""
    change = use.extensions.get("KHR_texture_transform")
    if change is None:
        return uv
    try:
        change = msgspec.convert(change, TextureTransform)
    except msgspec.ValidationError as error:
        raise DataError(path, "KHR_texture_transform", str(error), "export the file again") from error
    cosine, sine = np.cos(change.rotation), np.sin(change.rotation)
    rotation = np.array([[cosine, sine], [-sine, cosine]])
    return (uv * np.array(change.scale)) @ rotation.T + np.array(change.offset)
