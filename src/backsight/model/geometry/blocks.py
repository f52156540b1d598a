"""Transformer block with layer scale, and the rotary embedding of a grid's two axes."""

from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

ROTARY_BASE = 100.0


class Rotary:
    """Cosines and sines that turn the two halves of a head by a token's row and column."""

    def __init__(self, positions: Int[Tensor, "tokens 2"], head_width: int) -> None:
        half = head_width // 2
        exponents = torch.arange(0, half, 2, device=positions.device, dtype=torch.float32) / half
        frequencies = ROTARY_BASE**-exponents
        angles = positions[:, :, None].float() * frequencies
        angles = torch.cat([angles, angles], dim=-1)
        self.cosines = angles.cos().flatten(1)
        self.sines = angles.sin().flatten(1)

    def turn(self, heads: Float[Tensor, "batch heads tokens width"]) -> Float[Tensor, "batch heads tokens width"]:
        """Return the heads turned by their positions, in their own precision."""
        row_a, row_b, column_a, column_b = heads.chunk(4, dim=-1)
        swapped = torch.cat([-row_b, row_a, -column_b, column_a], dim=-1)
        return heads * self.cosines.to(heads.dtype) + swapped * self.sines.to(heads.dtype)


class Attention(nn.Module):
    """Self-attention, optionally with normalised queries and keys."""

    def __init__(self, width: int, heads: int, normalise: bool, fused: bool) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused
        self.qkv = nn.Linear(width, 3 * width)
        self.q_norm = nn.LayerNorm(width // heads) if normalise else nn.Identity()
        self.k_norm = nn.LayerNorm(width // heads) if normalise else nn.Identity()
        self.proj = nn.Linear(width, width)

    def forward(
        self, tokens: Float[Tensor, "batch tokens width"], rotary: Rotary | None
    ) -> Float[Tensor, "batch tokens width"]:
        """Mix the tokens."""
        batch, count, width = tokens.shape
        split = self.qkv(tokens).view(batch, count, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        query, key = self.q_norm(query), self.k_norm(key)
        if rotary is not None:
            query, key = rotary.turn(query), rotary.turn(key)
        query, key = query.to(value.dtype), key.to(value.dtype)
        if self.fused:
            mixed = functional.scaled_dot_product_attention(query, key, value)
        else:
            scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
            mixed = scores.softmax(dim=-1, dtype=value.dtype) @ value
        return self.proj(mixed.transpose(1, 2).reshape(batch, count, width))


class LayerScale(nn.Module):
    """A learned factor for each channel."""

    def __init__(self, width: int, first: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), first))

    def forward(self, tokens: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
        """Scale the channels."""
        return tokens * self.gamma


class Mlp(nn.Module):
    """Two linear layers with GELU."""

    def __init__(self, width: int, hidden: int, out: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, out)

    def forward(self, tokens: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch out"]:
        """Apply both layers."""
        return self.fc2(functional.gelu(self.fc1(tokens)))


class Block(nn.Module):
    """Attention and MLP, each normalised before and scaled after.

    Args:
        width: channels of a token.
        heads: attention heads.
        fused: whether torch's fused attention is used.
        normalise: whether queries and keys are normalised.
        scale: first value of the layer scales.
        epsilon: of the two normalisations.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        fused: bool,
        normalise: bool = False,
        scale: float = 0.01,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=epsilon)
        self.attn = Attention(width, heads, normalise, fused)
        self.ls1 = LayerScale(width, scale)
        self.norm2 = nn.LayerNorm(width, eps=epsilon)
        self.mlp = Mlp(width, 4 * width, width)
        self.ls2 = LayerScale(width, scale)

    def forward(
        self, tokens: Float[Tensor, "batch tokens width"], rotary: Rotary | None = None
    ) -> Float[Tensor, "batch tokens width"]:
        """Transform the tokens."""
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens), rotary))
        return tokens + self.ls2(self.mlp(self.norm2(tokens)))


def run_block(
    block: nn.Module, tokens: Float[Tensor, "batch tokens width"], rotary: Rotary | None, recompute: bool
) -> Float[Tensor, "batch tokens width"]:
    """Run a block, and keep or recompute its activations.

    Args:
        block: a `Block`.
        tokens: its input.
        rotary: of the tokens' positions.
        recompute: whether the backward pass runs the block again instead of keeping its activations; while
            training only.
    """
    if recompute and block.training and torch.is_grad_enabled():
        return cast(Tensor, checkpoint(block, tokens, rotary, use_reentrant=False))
    return block(tokens, rotary)
