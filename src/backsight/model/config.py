"""Configuration of the model: every size is a named field."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]

GEOMETRY_PATCH_PX = 14
"""Patch size of VGGT and of Qwen2.5-VL; a fact of the published weights."""
APPEARANCE_PATCH_PX = 16
"""Patch size of DINOv3, and what the model's image is measured in."""
MAP_CELL_PX = 4
"""Side of a heatmap cell in pixels of the appearance image."""
IMAGE_TOKEN_CELLS = 2 * APPEARANCE_PATCH_PX // MAP_CELL_PX
"""Side in heatmap cells of what one image token of the language model shows: 2 x 2 patches."""


class Frozen(BaseModel):
    """Immutable, and refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class GeometryConfig(Frozen):
    """Sizes of VGGT."""

    width: Count
    heads: Count
    depth: Count
    """Pairs of frame and global attention blocks."""
    patch_depth: Annotated[int, Field(ge=0)]
    """Blocks of the patch embedding (a DINOv2 with registers); 0 = a plain convolution."""
    patch_heads: Count
    positions: Count
    """Side of the square grid of learned position embeddings, in patches."""
    registers: Count = 4
    camera_depth: Count
    """Blocks of the camera head's trunk."""
    camera_heads: Count
    camera_iterations: Count = 4
    depth_features: Count
    """Channels of the depth head's fusion blocks."""
    depth_channels: tuple[int, int, int, int]
    """Channels of the depth head's four scales."""
    depth_layers: tuple[int, int, int, int]
    """Layers that feed the four scales, from 0."""
    depth_down_ratio: Annotated[float, Field(ge=1.0)] = 1.0
    """Pixels of the geometry image per depth reading."""
    tapped_layer: Annotated[int, Field(ge=0)]
    """Layer whose tokens enter the fusion, from 0: middle layers carry correspondence."""
    weight: Share = 0.6
    """Share of VGGT in the combined similarity."""
    checkpoint: str | None = None
    """Hub id, folder or file of published weights that training begins with."""

    @model_validator(mode="after")
    def _check(self) -> "GeometryConfig":
        if self.width % self.heads or self.width // self.heads % 4:
            raise ValueError("width / heads must be a multiple of 4 (rotary embedding of two axes)")
        if self.tapped_layer >= self.depth or max(self.depth_layers) >= self.depth:
            raise ValueError("tapped_layer and depth_layers must be smaller than depth")
        return self


class AppearanceConfig(Frozen):
    """Sizes of DINOv3 or of DINOv2 with registers."""

    family: Literal["dinov3", "dinov2_with_registers"] = "dinov3"
    """DINOv2 with registers has patches of 14 pixels and sees a smaller image, so that the patch grid is the same."""
    width: Count
    heads: Count
    depth: Count
    mlp_width: Count
    registers: Count = 4
    positions: Count = 37
    """Side of the square grid of learned position embeddings, in patches; DINOv2's alone, DINOv3 has none."""
    weight: Share = 0.4
    """Share of the appearance features in the combined similarity."""
    checkpoint: str | None = None
    """Hub id or folder of published weights that training begins with."""

    @property
    def patch_px(self) -> int:
        """Patch size; a fact of the published weights."""
        return APPEARANCE_PATCH_PX if self.family == "dinov3" else GEOMETRY_PATCH_PX

    @model_validator(mode="after")
    def _check(self) -> "AppearanceConfig":
        if self.width % self.heads:
            raise ValueError("width must be a multiple of heads")
        if self.family == "dinov2_with_registers" and self.mlp_width % self.width:
            raise ValueError("mlp_width must be a multiple of width for dinov2_with_registers")
        return self


class LanguageConfig(Frozen):
    """Sizes of Qwen2.5-VL."""

    checkpoint: str | None = None
    """Hub id or folder of published weights that training starts from; their sizes must be those below."""
    vocabulary: Annotated[int, Field(ge=32)]
    """Rows of the embedding table; the tokenizer may use fewer."""
    width: Count
    mlp_width: Count
    depth: Count
    heads: Count
    key_value_heads: Count
    rotary_sections: tuple[int, int, int]
    """Rotary frequencies for time, row and column; they sum to half of a head's width."""
    vision_width: Count
    vision_mlp_width: Count
    vision_depth: Count
    vision_heads: Count
    vision_window_px: Count = 112
    vision_full_attention: tuple[int, ...]
    """Blocks of the vision tower that attend over the whole image, from 0."""
    frame_tokens: Annotated[int, Field(ge=2)] = 64
    """Number of frame-index tokens; the last one stands for every older frame."""
    norm_epsilon: Annotated[float, Field(gt=0.0, le=1e-3)] = 1e-6
    """Of the text layers' norms."""
    attention_layers: tuple[int, ...] | None = None
    """Text layers, from 0, whose attention from `<heat>` tokens to image tokens is aligned with the truth; None: the
    last third."""
    answer_tokens: Annotated[int, Field(ge=1, le=4096)] = 32
    """Tokens after which an answer in words is broken off."""

    @property
    def aligned_layers(self) -> tuple[int, ...]:
        """Text layers whose attention is aligned."""
        if self.attention_layers is not None:
            return self.attention_layers
        return tuple(range(self.depth - max(1, self.depth // 3), self.depth))

    @model_validator(mode="after")
    def _check(self) -> "LanguageConfig":
        if self.width % self.heads or 2 * sum(self.rotary_sections) != self.width // self.heads:
            raise ValueError("rotary_sections must sum to half of width / heads")
        if self.attention_layers is not None and not (
            self.attention_layers and all(0 <= layer < self.depth for layer in self.attention_layers)
        ):
            raise ValueError("attention_layers must name at least one layer, each from 0 to depth - 1")
        return self


class FusionConfig(Frozen):
    """Sizes of the stem and of the fused features."""

    skip: Count
    """Channels of the stem at stride 4."""
    channels: Count
    """Channels of the fused features on the correlation grid."""
    blocks: Count
    """Residual blocks on the correlation grid."""
    tokens: Count
    """Width of the fused tokens on the patch grid."""
    context: Count
    """Channels of the current view's context."""
    correlation_scale: Literal[1, 2] = 2
    """Cells of the correlation grid per patch and axis."""


class HeatmapConfig(Frozen):
    """Sizes of the two decoders."""

    footprint: Count
    """Channels of the footprint decoder on the correlation grid."""
    footprint_map: Count
    """Channels of the footprint decoder on the map grid."""
    target: Count
    """Channels of the target decoder."""
    temperature: Annotated[float, Field(gt=0.0, le=1.0)] = 0.07
    """First value of the correlation's learned temperature."""


class PartsConfig(Frozen):
    """Which parts of the model are heard; what is left out says zero, so that its worth can be measured."""

    geometry: bool = True
    """VGGT's tokens in the fused features; its own camera and depth heads stay."""
    appearance: bool = True
    """DINOv3's tokens in the fused features."""
    language: bool = True
    """The language model's `<heat>` tokens in the queries; without them the words alone make a query."""
    words: bool = True
    """The words' shortcut to the queries past the language model."""
    correlation: bool = True
    """The footprint decoder's correlation statistics."""
    modulation: bool = True
    """The target decoder's modulated grids; without them a target map is a plain inner product."""

    @model_validator(mode="after")
    def _check(self) -> "PartsConfig":
        if not (self.language or self.words):
            raise ValueError("language and words cannot both be left out: nothing would carry the instruction")
        return self


class ModelConfig(Frozen):
    """Everything that decides the shapes of a `Backsight`."""

    preset: str
    patch_rows: Annotated[int, Field(ge=2, multiple_of=2)]
    """Rows of the patch grid; even, because the language model merges 2 x 2 patches."""
    patch_columns: Annotated[int, Field(ge=2, multiple_of=2)]
    attention: Literal["sdpa", "eager"]
    """Attention in every transformer. eager trains faster on CPUs: the backward pass of the fused kernel in
    bfloat16 takes five to ten times as long there (torch 2.13, measured)."""
    keyframes: Annotated[int, Field(ge=1)]
    """Views that the language model reads unless told otherwise."""
    geometry: GeometryConfig
    appearance: AppearanceConfig
    language: LanguageConfig
    fusion: FusionConfig
    heatmap: HeatmapConfig
    parts: PartsConfig = PartsConfig()

    @property
    def image_height(self) -> int:
        """Height in pixels of the image that `encode` takes."""
        return self.patch_rows * APPEARANCE_PATCH_PX

    @property
    def image_width(self) -> int:
        """Width in pixels of the image that `encode` takes."""
        return self.patch_columns * APPEARANCE_PATCH_PX

    @property
    def map_rows(self) -> int:
        """Rows of a heatmap."""
        return self.image_height // MAP_CELL_PX

    @property
    def map_columns(self) -> int:
        """Columns of a heatmap."""
        return self.image_width // MAP_CELL_PX
