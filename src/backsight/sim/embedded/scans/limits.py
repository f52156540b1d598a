"""How large a scene file may be; everything is checked before memory is taken for it."""

from pydantic import BaseModel, ConfigDict, Field


class ScanLimits(BaseModel):
    """Bounds on what is read from a scene file and the files it names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_file_bytes: int = Field(default=4 * 1024**3, ge=1)
    """Largest file that is opened; side files (.bin, .mtl, textures) count together."""
    max_header_bytes: int = Field(default=256 * 1024**2, ge=1)
    """Largest JSON part of a glTF file, or header of a PLY file."""
    max_vertices: int = Field(default=30_000_000, ge=3)
    """Vertices of the whole scene, every instance counted."""
    max_faces: int = Field(default=20_000_000, ge=1)
    """Triangles of the whole scene, every instance counted."""
    max_nodes: int = Field(default=200_000, ge=1)
    """Nodes of a glTF file."""
    max_node_depth: int = Field(default=200, ge=1)
    """Nodes from the root of a glTF file to its deepest one."""
    max_image_side_px: int = Field(default=16384, ge=1)
    """Largest side of a texture as stored."""
    max_texture_side_px: int = Field(default=4096, ge=1, le=16384)
    """Textures are scaled down to this; a power of two."""
    max_texture_px: int = Field(default=512 * 1024**2, ge=1)
    """Pixels of all textures together, after scaling."""
    least_extent_m: float = Field(default=0.5, gt=0)
    """A scene smaller than this cannot be walked in."""
    largest_extent_m: float = Field(default=1000.0, gt=0)
    """A scene larger than this is taken for one in wrong units."""
