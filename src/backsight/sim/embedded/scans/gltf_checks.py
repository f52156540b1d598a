"""Whether a glTF file can be what it says, judged before anything is unpacked."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.gltf_tree import Accessor, GltfTree, Primitive
from backsight.sim.embedded.scans.limits import ScanLimits

DRACO = "KHR_draco_mesh_compression"
TRIANGLES, STRIP, FAN = 4, 5, 6
_COMPONENT_BYTES = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
_COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_HARMLESS_PREFIXES = ("KHR_materials_", "KHR_lights_", "KHR_xmp", "EXT_mesh_features", "EXT_structural_metadata")
_UNDERSTOOD = frozenset({DRACO, "KHR_mesh_quantization", "KHR_texture_transform", "EXT_texture_webp"})
_AGAIN = "export the file again"


def check_tree(path: Path, tree: GltfTree, limits: ScanLimits) -> None:
    """Refuse a glTF file that lies, is too large, or needs what is not understood.

    Args:
        path: Named in errors.
        tree: Its JSON part.
        limits: Bounds.

    Raises:
        DataError: Names the field of the JSON part.
    """
    if tree.asset.version.split(".")[0] != "2":
        raise DataError(path, "asset.version", f"is {tree.asset.version}, version 2 is read", "export it as glTF 2.0")
    _check_extensions(path, tree)
    for index, view in enumerate(tree.bufferViews):
        _check_index(path, f"bufferViews[{index}].buffer", view.buffer, tree.buffers)
        size = tree.buffers[view.buffer].byteLength
        if view.byteOffset < 0 or view.byteLength < 0 or view.byteOffset + view.byteLength > size:
            problem = f"{view.byteLength} bytes from {view.byteOffset} on are asked of a buffer of {size}"
            raise DataError(path, f"bufferViews[{index}]", problem, "the file is damaged; " + _AGAIN)
    for index, accessor in enumerate(tree.accessors):
        _check_accessor(path, f"accessors[{index}]", accessor, tree, limits)
    for index, mesh in enumerate(tree.meshes):
        for number, primitive in enumerate(mesh.primitives):
            _check_primitive(path, f"meshes[{index}].primitives[{number}]", primitive, tree)
    _check_images(path, tree)
    _check_nodes(path, tree, limits)


def _check_extensions(path: Path, tree: GltfTree) -> None:
    needed = [name for name in tree.extensionsRequired if name not in _UNDERSTOOD]
    strange = [name for name in needed if not name.startswith(_HARMLESS_PREFIXES)]
    if strange:
        advice = "export it without them, for example with Blender or gltf-transform"
        raise DataError(path, "extensionsRequired", f"{', '.join(strange)} not understood", advice)
    packed = any(DRACO in primitive.extensions for mesh in tree.meshes for primitive in mesh.primitives)
    if packed and importlib.util.find_spec("DracoPy") is None:
        advice = "pip install 'backsight[draco]', or export it without compression"
        raise DataError(path, DRACO, "the meshes are compressed and no decoder is installed", advice)


def _check_accessor(path: Path, field: str, accessor: Accessor, tree: GltfTree, limits: ScanLimits) -> None:
    component = _COMPONENT_BYTES.get(accessor.componentType)
    width = _COMPONENTS.get(accessor.type)
    if component is None or width is None:
        raise DataError(path, field, f"has no known type ({accessor.componentType}, {accessor.type})", _AGAIN)
    if not 1 <= accessor.count <= 3 * limits.max_faces:
        problem = f"holds {accessor.count} items, 1 to {3 * limits.max_faces} are read"
        raise DataError(path, f"{field}.count", problem, "simplify the mesh, or export the file again")
    if accessor.sparse is not None:
        raise DataError(path, f"{field}.sparse", "sparse arrays are not read", "export the mesh without shape keys")
    if accessor.bufferView is None:
        return
    _check_index(path, f"{field}.bufferView", accessor.bufferView, tree.bufferViews)
    view = tree.bufferViews[accessor.bufferView]
    item = component * width
    stride = item if view.byteStride is None else view.byteStride
    needed = accessor.byteOffset + (accessor.count - 1) * stride + item
    if stride < item or accessor.byteOffset < 0 or needed > view.byteLength:
        problem = f"{accessor.count} items need {needed} bytes, its view has {view.byteLength}"
        raise DataError(path, field, problem, "the file is damaged; " + _AGAIN)


def _check_primitive(path: Path, field: str, primitive: Primitive, tree: GltfTree) -> None:
    if primitive.mode == FAN:
        raise DataError(path, f"{field}.mode", "triangle fans are not read", "triangulate the mesh")
    if primitive.mode not in (TRIANGLES, STRIP):
        return
    if "POSITION" not in primitive.attributes:
        raise DataError(path, f"{field}.attributes", "has no POSITION", _AGAIN)
    used = {f"attributes.{name}": number for name, number in primitive.attributes.items()}
    if primitive.indices is not None:
        used["indices"] = primitive.indices
    for name, number in used.items():
        _check_index(path, f"{field}.{name}", number, tree.accessors)
        if tree.accessors[number].bufferView is None and DRACO not in primitive.extensions:
            raise DataError(path, f"{field}.{name}", f"accessor {number} has no data", _AGAIN)
    corners = tree.accessors[primitive.attributes["POSITION"] if primitive.indices is None else primitive.indices]
    if primitive.mode == TRIANGLES and corners.count % 3:
        raise DataError(path, field, f"has {corners.count} corners, no multiple of three", "triangulate the mesh")
    if primitive.material is not None:
        _check_index(path, f"{field}.material", primitive.material, tree.materials)
    vertices = tree.accessors[primitive.attributes["POSITION"]].count
    for name, number in primitive.attributes.items():
        if tree.accessors[number].count != vertices:
            problem = f"has {tree.accessors[number].count} items for {vertices} vertices"
            raise DataError(path, f"{field}.attributes.{name}", problem, _AGAIN)


def _check_images(path: Path, tree: GltfTree) -> None:
    for index, material in enumerate(tree.materials):
        use = material.pbrMetallicRoughness.baseColorTexture
        if use is not None:
            _check_index(path, f"materials[{index}].baseColorTexture", use.index, tree.textures)
    for index, texture in enumerate(tree.textures):
        if texture.source is not None:
            _check_index(path, f"textures[{index}].source", texture.source, tree.images)
    for index, image in enumerate(tree.images):
        if image.bufferView is not None:
            _check_index(path, f"images[{index}].bufferView", image.bufferView, tree.bufferViews)


def _check_nodes(path: Path, tree: GltfTree, limits: ScanLimits) -> None:
    """Refuse cycles, several parents, too many or too deep nodes, and more triangles than are read."""
    if len(tree.nodes) > limits.max_nodes:
        problem = f"{len(tree.nodes)} nodes, at most {limits.max_nodes} are read"
        raise DataError(path, "nodes", problem, "join small meshes")
    _check_hierarchy(path, tree, limits)
    for index, scene in enumerate(tree.scenes):
        for root in scene.nodes:
            _check_index(path, f"scenes[{index}].nodes", root, tree.nodes)
    if tree.scenes:
        _check_index(path, "scene", tree.scene, tree.scenes)
    _check_amount(path, tree, limits)


def _check_hierarchy(path: Path, tree: GltfTree, limits: ScanLimits) -> None:
    parents = np.full(len(tree.nodes), -1)
    for index, node in enumerate(tree.nodes):
        if node.mesh is not None:
            _check_index(path, f"nodes[{index}].mesh", node.mesh, tree.meshes)
        for child in node.children:
            _check_index(path, f"nodes[{index}].children", child, tree.nodes)
            if parents[child] != -1 or child == index:
                raise DataError(path, f"nodes[{child}]", "has two parents or is its own", "the nodes must form a tree")
            parents[child] = index
        for name, count in (("matrix", 16), ("translation", 3), ("rotation", 4), ("scale", 3)):
            values = getattr(node, name)
            if values is not None and (len(values) != count or not np.isfinite(values).all()):
                raise DataError(path, f"nodes[{index}].{name}", f"is not {count} finite numbers", _AGAIN)
    depth = np.zeros(len(tree.nodes), dtype=np.int64)
    at = np.arange(len(tree.nodes))
    while (at >= 0).any():
        depth[at >= 0] += 1
        if depth.max() > limits.max_node_depth:
            problem = f"nodes nest in a circle or deeper than {limits.max_node_depth}"
            raise DataError(path, "nodes", problem, "flatten the hierarchy")
        at = np.where(at >= 0, parents[np.maximum(at, 0)], -1)


def _check_amount(path: Path, tree: GltfTree, limits: ScanLimits) -> None:
    faces, vertices = [0] * len(tree.meshes), [0] * len(tree.meshes)
    for index, mesh in enumerate(tree.meshes):
        for primitive in mesh.primitives:
            if primitive.mode in (TRIANGLES, STRIP):
                count = tree.accessors[primitive.attributes["POSITION"]].count
                corners = count if primitive.indices is None else tree.accessors[primitive.indices].count
                vertices[index] += count
                faces[index] += corners // 3 if primitive.mode == TRIANGLES else corners
    used = [node.mesh for node in tree.nodes if node.mesh is not None]
    for name, counts, most in (("triangles", faces, limits.max_faces), ("vertices", vertices, limits.max_vertices)):
        total = sum(counts[number] for number in used)
        if total > most:
            raise DataError(path, "meshes", f"{total} {name}, at most {most} are read", "simplify the scene")
    if sum(faces[number] for number in used) == 0:
        raise DataError(path, "meshes", "no triangles: only points, lines or nothing", "export it as a mesh")


def _check_index(path: Path, field: str, index: int, table: Sequence[object]) -> None:
    if not 0 <= index < len(table):
        raise DataError(path, field, f"is {index}, there are {len(table)}", "the file is damaged; " + _AGAIN)
