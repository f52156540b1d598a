"""Fusion: stem and transformers' tokens become one set of features.

Tokens enter through projections that start at zero, so that learning starts from the stem.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from backsight.model.config import FusionConfig, ModelConfig
from backsight.model.given import GivenGeometry
from backsight.model.stem import ResidualBlock, Stem, convolution

POSE_ENCODING = 9
"""Numbers of VGGT's pose encoding."""


@dataclass(frozen=True)
class Fused:
    """Features of single frames, as in `outputs.Encoding`."""

    match: Float[Tensor, "images channels rows columns"]
    context: Float[Tensor, "images context rows columns"]
    skip: Float[Tensor, "images skip map_rows map_columns"]
    trunk: Float[Tensor, "images channels rows columns"]
    tokens: Float[Tensor, "images tokens width"]


def zero_linear(channels_in: int, channels_out: int) -> nn.Linear:
    """Return a linear layer that answers zero until it has learned."""
    layer = nn.Linear(channels_in, channels_out)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class TokenFusion(nn.Module):
    """VGGT and DINOv3 patches: normalised, weighted, concatenated, MLP."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        geometry, appearance = 2 * config.geometry.width, config.appearance.width
        self.geometry_scale = config.geometry.weight**0.5
        self.appearance_scale = config.appearance.weight**0.5
        self.geometry_norm = nn.LayerNorm(geometry)
        self.appearance_norm = nn.LayerNorm(appearance)
        self.hidden = nn.Linear(geometry + appearance, 2 * config.fusion.tokens)
        self.out = nn.Linear(2 * config.fusion.tokens, config.fusion.tokens)

    def forward(
        self,
        geometry: Float[Tensor, "*batch geometry_width"],
        appearance: Float[Tensor, "*batch appearance_width"],
    ) -> Float[Tensor, "*batch width"]:
        """Return fused tokens."""
        weighted = [
            self.geometry_norm(geometry) * self.geometry_scale,
            self.appearance_norm(appearance) * self.appearance_scale,
        ]
        return self.out(functional.gelu(self.hidden(torch.cat(weighted, dim=-1))))


class GivenEmbedding(nn.Module):
    """What is added to VGGT's tokens where depth and poses are given; nothing until it has learned.

    Args:
        width: of VGGT's tokens.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depth = nn.Sequential(nn.Linear(2, width), nn.GELU(), zero_linear(width, width))
        self.pose = nn.Sequential(nn.Linear(POSE_ENCODING, width), nn.GELU(), zero_linear(width, width))

    def forward(
        self, given: GivenGeometry
    ) -> tuple[Float[Tensor, "batch frames patches width"], Float[Tensor, "batch frames width"]]:
        """Return what is added to the patch tokens and to the camera tokens."""
        depth = torch.stack([given.log_depth, given.depth_share], dim=-1)
        return self.depth(depth), self.pose(given.pose_encodings)


class Fusion(nn.Module):
    """The stem beside the fused tokens, and the trunk on the correlation grid."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        sizes: FusionConfig = config.fusion
        self.stem = Stem(sizes.skip)
        down = [convolution(sizes.skip, sizes.channels, stride=2)]
        if sizes.correlation_scale == 1:
            down.append(convolution(sizes.channels, sizes.channels, stride=2))
        self.down = nn.Sequential(*down)
        self.token_fusion = TokenFusion(config)
        self.grid_projection = zero_linear(sizes.tokens, sizes.channels)
        self.language_projection = zero_linear(sizes.tokens, config.language.width)
        self.blocks = nn.Sequential(*(ResidualBlock(sizes.channels) for _ in range(sizes.blocks)))
        self.match = nn.Conv2d(sizes.channels, sizes.channels, 1)
        self.context = convolution(sizes.channels, sizes.context, size=1)
        self.given = GivenEmbedding(config.geometry.width)

    def see(self, images: Float[Tensor, "images 3 height width"]) -> Float[Tensor, "images skip map_rows map_columns"]:
        """Run the stem: full detail of every frame on its own.

        Args:
            images: in [0, 1].
        """
        return self.stem((images - 0.5) * 4)

    def forward(
        self,
        skip: Float[Tensor, "images skip map_rows map_columns"],
        geometry: Float[Tensor, "images patches geometry_width"],
        appearance: Float[Tensor, "images patches appearance_width"],
        patch_rows: int,
    ) -> Fused:
        """Fuse every frame.

        Args:
            skip: of `see`.
            geometry: VGGT's patch tokens.
            appearance: DINOv3's patch tokens.
            patch_rows: rows of the patch grid.
        """
        grid = self.down(skip)
        tokens = self.token_fusion(geometry, appearance)
        projected = self.grid_projection(tokens).transpose(1, 2).unflatten(2, (patch_rows, -1))
        grid = grid + functional.interpolate(projected, size=grid.shape[-2:], mode="bilinear", align_corners=False)
        trunk = self.blocks(grid)
        match = functional.normalize(self.match(trunk).float(), dim=1)
        return Fused(match, self.context(trunk), skip, trunk, tokens)

    def language_addition(
        self, tokens: Float[Tensor, "batch views tokens width"], patch_rows: int
    ) -> Float[Tensor, "batch views image_tokens language_width"]:
        """Return what is added to the language model's image tokens: 2 x 2 patches pooled.

        Args:
            tokens: fused tokens on the patch grid.
            patch_rows: rows of the patch grid.
        """
        grid = tokens.unflatten(2, (patch_rows // 2, 2, -1, 2)).mean(dim=(3, 5))
        return self.language_projection(grid.flatten(2, 3))
