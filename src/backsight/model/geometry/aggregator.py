"""Alternating attention within each frame and over all frames."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backsight.model.config import GEOMETRY_PATCH_PX, GeometryConfig
from backsight.model.geometry.blocks import Block, Rotary, run_block
from backsight.model.geometry.patch_embed import PatchProjection, PatchTransformer

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Tokens:
    """Tokens of the layers that are kept, frame and global attention side by side.

    Args:
        layers: by number of the pair of blocks, from 0.
        first_patch: position of the first patch token; before it the camera and register tokens.
        rows: of the patch grid.
        columns: of the patch grid.
    """

    layers: dict[int, Float[Tensor, "batch frames tokens twice_width"]]
    first_patch: int
    rows: int
    columns: int


class Aggregator(nn.Module):
    """VGGT's trunk.

    Args:
        config: sizes.
        fused: whether torch's fused attention is used.

    Source: Wang et al., VGGT, arXiv 2503.11651.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: GeometryConfig, fused: bool) -> None:
        super().__init__()
        width = config.width
        self.kept_layers = frozenset({config.tapped_layer, config.depth - 1, *config.depth_layers})
        self.recompute = False
        if config.patch_depth:
            self.patch_embed: nn.Module = PatchTransformer(config, fused)
        else:
            self.patch_embed = PatchProjection(width)
        self.head_width = width // config.heads
        self.frame_blocks = nn.ModuleList(Block(width, config.heads, fused, True) for _ in range(config.depth))
        self.global_blocks = nn.ModuleList(Block(width, config.heads, fused, True) for _ in range(config.depth))
        # Index 0 belongs to the first frame, whose camera is the world; index 1 to all others.
        self.camera_token = nn.Parameter(torch.empty(1, 2, 1, width).normal_(std=1e-6))
        self.register_token = nn.Parameter(torch.empty(1, 2, config.registers, width).normal_(std=1e-6))
        self.register_buffer("mean", torch.tensor(IMAGE_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGE_DEVIATION).view(3, 1, 1), persistent=False)

    def forward(self, images: Float[Tensor, "batch frames 3 height width"]) -> Tokens:
        """Return the tokens of `kept_layers`.

        Args:
            images: in [0, 1]; height and width multiples of 14.
        """
        return self.attend(self.embed(images), images.shape[-2] // GEOMETRY_PATCH_PX)

    def embed(
        self, images: Float[Tensor, "batch frames 3 height width"]
    ) -> Float[Tensor, "batch frames patches channels"]:
        """Embed the patches of every frame on its own: all that is known before frames attend to each other.

        Args:
            images: in [0, 1]; height and width multiples of 14.
        """
        normalised = ((images - self.mean) / self.deviation).flatten(0, 1)
        return self.patch_embed(normalised).unflatten(0, images.shape[:2])

    def attend(
        self,
        embedded: Float[Tensor, "batch frames patches channels"],
        rows: int,
        cameras: Float[Tensor, "batch frames channels"] | None = None,
    ) -> Tokens:
        """Return the tokens of `kept_layers`; those of the others are let go as soon as the next one has read them.

        Args:
            embedded: patches of `embed`.
            rows: of the patch grid.
            cameras: added to the camera tokens, where cameras are known beforehand.
        """
        batch, frames, patches, _ = embedded.shape
        columns = patches // rows
        special = torch.cat([self.camera_token, self.register_token], dim=2)
        which = (torch.arange(frames, device=embedded.device) > 0).long()
        special = special[0, which].expand(batch, -1, -1, -1)
        if cameras is not None:
            camera = special[:, :, :1] + cameras[:, :, None].to(special.dtype)
            special = torch.cat([camera, special[:, :, 1:]], dim=2)
        first_patch = special.shape[2]
        tokens = torch.cat([special.flatten(0, 1), embedded.flatten(0, 1).to(special.dtype)], dim=1)
        count = tokens.shape[1]
        positions = self._positions(first_patch, rows, columns)
        in_frame = Rotary(positions, self.head_width)
        over_frames = Rotary(positions.repeat(frames, 1), self.head_width)
        layers: dict[int, Tensor] = {}
        for layer, (frame_block, global_block) in enumerate(zip(self.frame_blocks, self.global_blocks, strict=True)):
            tokens = run_block(frame_block, tokens, in_frame, self.recompute)
            within = tokens.view(batch, frames, count, -1)
            tokens = run_block(global_block, tokens.view(batch, frames * count, -1), over_frames, self.recompute)
            if layer in self.kept_layers:
                layers[layer] = torch.cat([within, tokens.view(batch, frames, count, -1)], dim=-1)
            tokens = tokens.view(batch * frames, count, -1)
        return Tokens(layers, first_patch, rows, columns)

    def _positions(self, special: int, rows: int, columns: int) -> Tensor:
        """Row and column of each patch from 1; camera and registers sit at (0, 0)."""
        device = self.camera_token.device
        patches = torch.cartesian_prod(
            torch.arange(1, rows + 1, device=device), torch.arange(1, columns + 1, device=device)
        )
        return torch.cat([patches.new_zeros(special, 2), patches])
