"""How the embedded renderer works; what it shows is up to the scene."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class RenderOptions(BaseModel):
    """Choices of the embedded renderer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    visibility: Literal["auto", "rays", "raster"] = "auto"
    """How it finds what each pixel sees: ray queries, or rasterising (CPU only). 'auto' rasterises on the CPU."""
    mip_maps: bool = True
    """Whether textures are smoothed to the size of a pixel."""
    shadows: bool = False
    """Whether lamps throw crisp shadows, by a ray from each pixel; else soft ones, from the light that was traced."""
    bvh: Literal["default", "sah", "median", "lbvh", "cubql"] = "default"
    """How Warp builds the tree that rays go through; 'default' is 'sah' on the CPU and 'lbvh' on CUDA."""
    bvh_leaf_faces: int | None = Field(default=None, ge=1, le=32)
    """Faces in a leaf of that tree; None leaves it to Warp."""
