"""Camera head of VGGT: refines every frame's pose encoding."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from backsight.model.config import GeometryConfig
from backsight.model.geometry.blocks import Block, Mlp, run_block

POSE_NUMBERS = 9


class CameraHead(nn.Module):
    """From camera tokens to pose encodings, by iterative refinement."""

    def __init__(self, config: GeometryConfig, fused: bool) -> None:
        super().__init__()
        self.recompute = False
        width = 2 * config.width
        self.iterations = config.camera_iterations
        self.trunk = nn.Sequential(*(Block(width, config.camera_heads, fused) for _ in range(config.camera_depth)))
        self.token_norm = nn.LayerNorm(width)
        self.trunk_norm = nn.LayerNorm(width)
        self.empty_pose_tokens = nn.Parameter(torch.zeros(1, 1, POSE_NUMBERS))
        self.embed_pose = nn.Linear(POSE_NUMBERS, width)
        self.poseLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 3 * width))
        self.adaln_norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.pose_branch = Mlp(width, width // 2, POSE_NUMBERS)

    def forward(self, camera_tokens: Float[Tensor, "batch frames width"]) -> Float[Tensor, "iterations batch frames 9"]:
        """Return the encoding after each iteration; fields of view are not negative."""
        batch, frames, _ = camera_tokens.shape
        tokens = self.token_norm(camera_tokens)
        plain = self.adaln_norm(tokens)
        before = self.empty_pose_tokens.expand(batch, frames, -1)
        encoding = torch.zeros_like(before, dtype=torch.float32)
        found = []
        for _ in range(self.iterations):
            shift, scale, gate = self.poseLN_modulation(self.embed_pose(before)).chunk(3, dim=-1)
            modulated = tokens + gate * (plain * (1 + scale) + shift)
            for block in self.trunk:
                modulated = run_block(block, modulated, None, self.recompute)
            encoding = encoding.detach() + self.pose_branch(self.trunk_norm(modulated)).float()
            before = encoding.detach()
            found.append(torch.cat([encoding[..., :7], functional.relu(encoding[..., 7:])], dim=-1))
        return torch.stack(found)
