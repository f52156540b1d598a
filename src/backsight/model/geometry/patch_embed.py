"""Patch embedding of VGGT: a DINOv2 with registers, or its convolution alone."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from backsight.model.config import GEOMETRY_PATCH_PX, GeometryConfig
from backsight.model.geometry.blocks import Block, run_block


class PatchProjection(nn.Module):
    """One linear map for every patch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, GEOMETRY_PATCH_PX, GEOMETRY_PATCH_PX)

    def forward(self, images: Float[Tensor, "images 3 height width"]) -> Float[Tensor, "images patches channels"]:
        """Return the patches in row-major order."""
        return self.proj(images.to(self.proj.weight.dtype)).flatten(2).transpose(1, 2)


class PatchTransformer(nn.Module):
    """DINOv2 with registers; its patch tokens are VGGT's input.

    Args:
        config: sizes.
        fused: whether torch's fused attention is used.
    """

    def __init__(self, config: GeometryConfig, fused: bool) -> None:
        super().__init__()
        self.recompute = False
        width, positions, registers = config.width, config.positions, config.registers
        self.positions = positions
        self.patch_embed = PatchProjection(width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + positions**2, width))
        self.register_tokens = nn.Parameter(torch.zeros(1, registers, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width), requires_grad=False)
        self.blocks = nn.ModuleList(
            Block(width, config.patch_heads, fused, scale=1.0, epsilon=1e-6) for _ in range(config.patch_depth)
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.normal_(self.cls_token, std=1e-6)
        nn.init.normal_(self.register_tokens, std=1e-6)

    def forward(self, images: Float[Tensor, "images 3 height width"]) -> Float[Tensor, "images patches channels"]:
        """Return normalised patch tokens in row-major order."""
        count, _, height, width = images.shape
        rows, columns = height // GEOMETRY_PATCH_PX, width // GEOMETRY_PATCH_PX
        patches = self.patch_embed(images) + self._patch_positions(rows, columns)
        first = (self.cls_token + self.pos_embed[:, :1]).expand(count, -1, -1)
        registers = self.register_tokens.expand(count, -1, -1)
        tokens = torch.cat([first, registers, patches], dim=1)
        for block in self.blocks:
            tokens = run_block(block, tokens, None, self.recompute)
        return self.norm(tokens[:, 1 + registers.shape[1] :])

    def _patch_positions(self, rows: int, columns: int) -> Float[Tensor, "1 patches width"]:
        side = self.positions
        embedded = self.pos_embed[:, 1:]
        if rows == columns == side:
            return embedded
        square = embedded.float().reshape(1, side, side, -1).permute(0, 3, 1, 2)
        fitted = functional.interpolate(square, size=(rows, columns), mode="bicubic", antialias=True)
        return fitted.flatten(2).transpose(1, 2).to(embedded.dtype)
