"""The JSON part of a glTF file, typed; only what is needed to check it."""

from typing import Any

import msgspec


class Asset(msgspec.Struct):
    """Who wrote the file."""

    version: str = "2.0"
    generator: str = ""


class Buffer(msgspec.Struct):
    """A block of bytes."""

    byteLength: int  # noqa: N815 - names of the format
    uri: str | None = None


class BufferView(msgspec.Struct):
    """A stretch of a buffer."""

    buffer: int
    byteLength: int  # noqa: N815
    byteOffset: int = 0  # noqa: N815
    byteStride: int | None = None  # noqa: N815
    extensions: dict[str, Any] = {}


class Accessor(msgspec.Struct):
    """An array of numbers in a view."""

    componentType: int  # noqa: N815
    count: int
    type: str
    bufferView: int | None = None  # noqa: N815
    byteOffset: int = 0  # noqa: N815
    normalized: bool = False
    sparse: dict[str, Any] | None = None


class Primitive(msgspec.Struct):
    """Triangles with one material."""

    attributes: dict[str, int]
    indices: int | None = None
    material: int | None = None
    mode: int = 4
    extensions: dict[str, Any] = {}


class Mesh(msgspec.Struct):
    """A shape that nodes place."""

    primitives: list[Primitive]


class Node(msgspec.Struct):
    """A place in the scene."""

    name: str = ""
    mesh: int | None = None
    children: list[int] = []
    matrix: list[float] | None = None
    translation: list[float] | None = None
    rotation: list[float] | None = None
    scale: list[float] | None = None
    extensions: dict[str, Any] = {}


class Image(msgspec.Struct):
    """A picture, by its URI or in a view."""

    uri: str | None = None
    bufferView: int | None = None  # noqa: N815
    mimeType: str = ""  # noqa: N815


class Texture(msgspec.Struct):
    """How a material finds its picture."""

    source: int | None = None
    extensions: dict[str, Any] = {}


class TextureUse(msgspec.Struct):
    """A texture in a material."""

    index: int
    texCoord: int = 0  # noqa: N815
    extensions: dict[str, Any] = {}


class TextureTransform(msgspec.Struct):
    """KHR_texture_transform: how texture coordinates are moved."""

    offset: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)


class MetallicRoughness(msgspec.Struct):
    """The part of a material that matters here."""

    baseColorFactor: list[float] | None = None  # noqa: N815
    baseColorTexture: TextureUse | None = None  # noqa: N815


class Material(msgspec.Struct):
    """How faces look."""

    pbrMetallicRoughness: MetallicRoughness = msgspec.field(default_factory=MetallicRoughness)  # noqa: N815
    alphaMode: str = "OPAQUE"  # noqa: N815
    extensions: dict[str, Any] = {}


class Scene(msgspec.Struct):
    """The roots of a scene."""

    nodes: list[int] = []


class GltfTree(msgspec.Struct):
    """The whole of it."""

    asset: Asset = msgspec.field(default_factory=Asset)
    scene: int = 0
    scenes: list[Scene] = []
    nodes: list[Node] = []
    meshes: list[Mesh] = []
    accessors: list[Accessor] = []
    bufferViews: list[BufferView] = []  # noqa: N815
    buffers: list[Buffer] = []
    materials: list[Material] = []
    textures: list[Texture] = []
    images: list[Image] = []
    extensionsRequired: list[str] = []  # noqa: N815
    extensionsUsed: list[str] = []  # noqa: N815
