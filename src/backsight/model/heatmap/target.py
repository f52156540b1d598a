"""Target decoder: where an instruction's target lies in each keyframe."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from backsight.model.config import ModelConfig
from backsight.model.outputs import Encoding, Targets
from backsight.model.stem import ResidualBlock, convolution


class TargetDecoder(nn.Module):
    """Views' features are made once; each `<heat>` query is compared with them and modulates them on two grids.

    Modulating the correlation grid before a residual block lets a query look at a thing's surroundings; modulating
    the map grid keeps the outline.

    Source: Perez et al., FiLM: Visual Reasoning with a General Conditioning Layer, arXiv 1709.07871.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.heatmap.target
        self.width = width
        self.modulates = config.parts.modulation
        self.coarse = nn.Sequential(convolution(config.fusion.channels, width), ResidualBlock(width))
        self.skip = nn.Conv2d(config.fusion.skip, width, 1)
        self.norm = nn.BatchNorm2d(width)
        self.features = ResidualBlock(width)
        self.query = nn.Sequential(
            nn.LayerNorm(config.language.width), nn.Linear(config.language.width, 2 * width), nn.GELU()
        )
        self.key = nn.Linear(2 * width, width)
        self.coarse_modulation = nn.Linear(2 * width, 2 * width)
        self.coarse_block = ResidualBlock(width)
        self.modulation = nn.Linear(2 * width, 2 * width)
        self.gated = convolution(width, width // 2)
        self.logit = nn.Conv2d(width // 2, 1, 1)
        self.presence = nn.Sequential(nn.Linear(2 * width + 2, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(
        self,
        encoding: Encoding,
        keyframes: Int64[Tensor, "batch keyframes"],
        queries: Float[Tensor, "batch instructions keyframes width"],
    ) -> Targets:
        """Decode every instruction in every keyframe.

        Args:
            encoding: of the batch.
            keyframes: positions on the frames axis.
            queries: hidden states of the `<heat>` tokens.
        """
        batch, instructions, views, _ = queries.shape
        coarse, features = self._features(encoding, keyframes)
        hidden = self.query(queries)
        similar = torch.einsum("biqc,bqchw->biqhw", self.key(hidden), features) / self.width**0.5
        logits = similar.float()
        if self.modulates:
            gated = self._gated(coarse, features, hidden)
            logits = logits + gated.float().unflatten(0, (batch, instructions, views))
        cells = logits.flatten(3)
        evidence = torch.stack([cells.amax(-1), cells.logsumexp(-1) - math.log(cells.shape[-1])], dim=-1)
        presence = self.presence(torch.cat([hidden.float(), evidence], dim=-1))
        return Targets(logits=logits, presence_logits=presence[..., 0].float())

    def _gated(
        self,
        coarse: Float[Tensor, "batch 1 keyframes channels rows columns"],
        features: Float[Tensor, "batch keyframes channels map_rows map_columns"],
        hidden: Float[Tensor, "batch instructions keyframes width"],
    ) -> Float[Tensor, "maps map_rows map_columns"]:
        asked = self.coarse_block(_modulated(coarse, self.coarse_modulation(hidden)))
        asked = functional.interpolate(asked, size=features.shape[-2:], mode="bilinear", align_corners=False)
        fine = features[:, None] + asked.unflatten(0, hidden.shape[:3])
        return self.logit(self.gated(_modulated(fine, self.modulation(hidden))))[:, 0]

    def _features(
        self, encoding: Encoding, keyframes: Tensor
    ) -> tuple[
        Float[Tensor, "batch 1 keyframes channels rows columns"],
        Float[Tensor, "batch keyframes channels map_rows map_columns"],
    ]:
        index = (torch.arange(len(keyframes), device=keyframes.device)[:, None], keyframes)
        detail = self.skip(encoding.skip[index].flatten(0, 1))
        coarse = self.coarse(encoding.trunk[index].flatten(0, 1))
        enlarged = functional.interpolate(coarse, size=detail.shape[-2:], mode="bilinear", align_corners=False)
        features = self.features(functional.relu(self.norm(enlarged + detail)))
        return coarse.unflatten(0, keyframes.shape)[:, None], features.unflatten(0, keyframes.shape)


def _modulated(
    features: Float[Tensor, "batch shared_or_instructions views channels rows columns"],
    factor_and_shift: Float[Tensor, "batch instructions views channels_twice"],
) -> Float[Tensor, "maps channels rows columns"]:
    factor, shift = factor_and_shift[..., None, None].chunk(2, dim=3)
    modulated = functional.relu(features * (1 + factor) + shift).flatten(0, 2)
    return modulated.contiguous(memory_format=torch.channels_last)
