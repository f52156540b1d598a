"""Imagined views: where an instruction's target would appear in a view that has no image."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from backsight.model.config import ModelConfig
from backsight.model.fusion import zero_linear
from backsight.model.heatmap.rays import (
    EVIDENCE,
    HYPOTHESES,
    Lookup,
    ViewGeometry,
    cell_rays,
    look_up,
    pluecker_rays,
    sample_keyframes,
)
from backsight.model.outputs import Encoding, Targets
from backsight.model.stem import ResidualBlock, convolution

FREQUENCIES = (1.0, 2.0, 4.0)
"""Of the sines and cosines of Pluecker coordinates, in half turns."""
HEADS = 4
LARGEST_LOGIT = 12.0
UNSEEN_LOGIT = -4.0
"""First value of what a cell says that no keyframe saw."""
GATHERED = 3
"""Channels of what keyframes' target maps say along a ray."""


class RayAttention(nn.Module):
    """Rays of the imagined view attend to all keyframes' tokens, which carry their own rays.

    Args:
        config: of the model.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.heatmap.target
        self.fused = config.attention == "sdpa"
        numbers = 6 * (1 + 2 * len(FREQUENCIES))
        self.asking = nn.Linear(numbers, width)
        self.seeing = nn.Linear(numbers, width)
        self.tokens = nn.Sequential(nn.LayerNorm(config.fusion.tokens), nn.Linear(config.fusion.tokens, width))
        self.layers = nn.ModuleList(_CrossLayer(width, self.fused) for _ in range(2))

    def forward(
        self, tokens: Float[Tensor, "batch keyframes tokens width"], geometry: ViewGeometry, rows: int, columns: int
    ) -> Float[Tensor, "batch imagined channels rows columns"]:
        """Return features of the imagined views on the patch grid.

        Args:
            tokens: fused tokens of the keyframes, row by row.
            geometry: of the views.
            rows: of the patch grid.
            columns: of the patch grid.
        """
        rays, unit_m = cell_rays(geometry.half_field, rows, columns), geometry.median_depth_m
        asked = self.asking(_waves(pluecker_rays(geometry.current_from_imagined, rays, unit_m)))
        own = self.seeing(_waves(pluecker_rays(geometry.current_from_keyframe, rays, unit_m)))
        seen = (self.tokens(tokens) + own).flatten(1, 2)
        features = asked.flatten(1, 2)
        for layer in self.layers:
            features = layer(features, seen)
        return features.unflatten(1, (asked.shape[1], rows, columns)).movedim(-1, 2)


class _CrossLayer(nn.Module):
    """Attention to what was seen, then an MLP, each beside a shortcut."""

    def __init__(self, width: int, fused: bool) -> None:
        super().__init__()
        self.fused = fused
        self.norm, self.seen_norm, self.mlp_norm = (nn.LayerNorm(width) for _ in range(3))
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(
        self, asked: Float[Tensor, "batch asked width"], seen: Float[Tensor, "batch seen width"]
    ) -> Float[Tensor, "batch asked width"]:
        query = _heads(self.query(self.norm(asked)))
        key, value = (_heads(part) for part in self.key_value(self.seen_norm(seen)).chunk(2, dim=-1))
        if self.fused:
            found = functional.scaled_dot_product_attention(query, key, value)
        else:
            found = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(-1) @ value
        asked = asked + self.out(found.transpose(1, 2).flatten(2))
        return asked + self.mlp(self.mlp_norm(asked))


class ImaginedDecoder(nn.Module):
    """What keyframes show along each ray of the imagined view, weighed by how well they can be trusted there.

    A turned head sees a homography of what was seen; every keyframe can be looked up at the directions of the view's
    rays, at several depths because keyframes stand elsewhere. A small network weighs the places by geometric evidence.
    Their target logits and features are gathered with these weights; attention over all tokens adds what geometry
    alone can't say. At first the logits are what the gathering alone gives.

    Source: looking rays up in posed views and weighing them: Wang et al., IBRNet, arXiv 2102.13090; Pluecker rays in
    attention: Sitzmann et al., Light Field Networks, arXiv 2106.02634.

    Args:
        config: of the model.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.heatmap.target
        self.width = width
        self.attention = RayAttention(config)
        self.trust = nn.Sequential(nn.Linear(EVIDENCE, 32), nn.GELU(), nn.Linear(32, 2))
        self.unseen = nn.Parameter(torch.zeros(2))
        self.unseen_logit = nn.Parameter(torch.tensor(UNSEEN_LOGIT))
        self.presence_share = nn.Parameter(torch.tensor(0.5))
        self.gain = nn.Parameter(torch.ones(GATHERED - 1))
        self.gathered = nn.Conv2d(config.fusion.channels, width, 1)
        self.attended = nn.Conv2d(width, width, 1)
        self.norm = nn.BatchNorm2d(width)
        self.features = ResidualBlock(width)
        self.query = nn.Sequential(
            nn.LayerNorm(config.language.width), nn.Linear(config.language.width, 2 * width), nn.GELU()
        )
        self.key = zero_linear(2 * width, width)
        self.modulation = nn.Linear(2 * width, 2 * width)
        self.gated = convolution(width + GATHERED, width // 2)
        self.logit = nn.Conv2d(width // 2, 1, 1)
        nn.init.zeros_(self.logit.weight)
        self.presence = nn.Sequential(nn.Linear(2 * width + 4, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(
        self,
        encoding: Encoding,
        keyframes: Int64[Tensor, "batch keyframes"],
        queries: Float[Tensor, "batch instructions imagined width"],
        seen: Targets,
        geometry: ViewGeometry,
    ) -> tuple[
        Float[Tensor, "batch instructions imagined map_rows map_columns"],
        Float[Tensor, "batch instructions imagined"],
    ]:
        """Return logits of the maps and of presence, for every instruction and imagined view.

        Args:
            encoding: of the batch.
            keyframes: positions on the frames axis.
            queries: hidden states of the imagined views' `<heat>` tokens.
            seen: the keyframes' target maps; no gradient goes back to them.
            geometry: of the views.
        """
        size = seen.logits.shape[-2:]
        said = self._gathered_logits(seen, geometry)
        features = self._features(encoding, keyframes, geometry, size)
        hidden = self.query(queries)
        similar = torch.einsum("bnic,bichw->bnihw", self.key(hidden), features) / self.width**0.5
        factor, shift = self.modulation(hidden)[..., None, None].chunk(2, dim=3)
        modulated = functional.relu(features[:, None] * (1 + factor) + shift)
        joined = torch.cat([modulated, said.to(modulated.dtype) / 4], dim=3).flatten(0, 2)
        gated = self.logit(self.gated(joined.contiguous(memory_format=torch.channels_last)))
        gated = gated[:, 0].unflatten(0, hidden.shape[:3]).float()
        evidence = (said[:, :, :, : GATHERED - 1] * self.gain[:, None, None]).mean(3)
        logits = evidence + similar.float() + gated
        pooled = torch.stack([*_peaks(logits), *_peaks(said[:, :, :, 0])], dim=-1)
        presence = self.presence(torch.cat([hidden.float(), pooled], dim=-1))
        return logits, presence[..., 0].float()

    def _gathered_logits(
        self, seen: Targets, geometry: ViewGeometry
    ) -> Float[Tensor, "batch instructions imagined gathered map_rows map_columns"]:
        """Return the logarithm of the mean odds along each ray, the mean logit, and how much of it is seen at all."""
        rows, columns = seen.logits.shape[-2:]
        found = look_up(geometry, rows, columns)
        with torch.autocast(found.position.device.type, enabled=False):
            presence = functional.logsigmoid(seen.presence_logits.detach().float())
            logits = seen.logits.detach().float().clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
            sampled = sample_keyframes(logits.transpose(1, 2), found)
            told = sampled + (self.presence_share * presence).transpose(1, 2)[..., None, None, None]
            log_trust, log_unseen = self._log_trust(found, head=0)
            odds = told + log_trust[:, :, None]
            odds = odds.permute(0, 2, 3, 1, 4, 5).flatten(3, 4)
            unseen = (log_unseen + self.unseen_logit)[:, None].expand(-1, odds.shape[1], -1, -1)
            log_odds = torch.cat([odds, unseen[:, :, :, None]], dim=3).logsumexp(3)
            mean = (told * log_trust.exp()[:, :, None]).sum(dim=(1, 4)) + (log_unseen.exp() * self.unseen_logit)[
                :, None
            ]
            share = (1 - log_unseen.exp())[:, None].expand_as(mean)
            return torch.stack([log_odds, mean, share], dim=3).unflatten(-1, (rows, columns))

    def _log_trust(
        self, found: Lookup, head: int
    ) -> tuple[Float[Tensor, "batch keyframes imagined hypotheses cells"], Float[Tensor, "batch imagined cells"]]:
        """Return logarithms of the weights of all places along each ray, and of what no keyframe saw; they sum to 1."""
        score = self.trust(found.evidence)[..., head].float()
        score = score.masked_fill(~found.in_view, -math.inf)
        unseen = self.unseen[head].expand_as(score[:, 0, :, 0])
        total = torch.cat([score.transpose(1, 2).flatten(2, 3), unseen[:, :, None]], dim=2).logsumexp(2)
        return (score - total[:, None, :, None]).clamp_min(-1e4), unseen - total

    def _features(
        self, encoding: Encoding, keyframes: Tensor, geometry: ViewGeometry, size: torch.Size
    ) -> Float[Tensor, "batch imagined channels map_rows map_columns"]:
        index = (torch.arange(len(keyframes), device=keyframes.device)[:, None], keyframes)
        trunk = encoding.trunk[index]
        rows, columns = trunk.shape[-2:]
        found = look_up(geometry, rows, columns)
        with torch.autocast(trunk.device.type, enabled=False):
            weights = self._log_trust(found, head=1)[0].exp()
            # One hypothesis at a time: features at all places together would be most of the memory of a step.
            gathered = torch.stack(
                [
                    torch.einsum("bkcif,bkif->bicf", _features_at(trunk, found, n), weights[:, :, :, n])
                    for n in range(len(HYPOTHESES))
                ]
            ).sum(0)
        attended = self.attention(encoding.fused_tokens[index], geometry, *encoding.geometry_features.shape[-2:])
        enlarged = functional.interpolate(
            self.attended(attended.flatten(0, 1)), size=(rows, columns), mode="bilinear", align_corners=False
        )
        coarse = self.gathered(gathered.flatten(0, 1).unflatten(-1, (rows, columns))) + enlarged
        features = self.features(functional.relu(self.norm(coarse.contiguous(memory_format=torch.channels_last))))
        fine = functional.interpolate(features, size=tuple(size), mode="bilinear", align_corners=False)
        return fine.unflatten(0, gathered.shape[:2])


def _features_at(
    trunk: Tensor, found: Lookup, hypothesis: int
) -> Float[Tensor, "batch keyframes channels imagined cells"]:
    chosen = slice(hypothesis, hypothesis + 1)
    part = Lookup(found.position[:, :, :, chosen], found.in_view[:, :, :, chosen], found.evidence[:, :, :, chosen])
    return sample_keyframes(trunk, part)[:, :, :, :, 0]


def _peaks(logits: Float[Tensor, "*maps rows columns"]) -> tuple[Float[Tensor, "*maps"], Float[Tensor, "*maps"]]:
    cells = logits.flatten(-2)
    return cells.amax(-1), cells.logsumexp(-1) - math.log(cells.shape[-1])


def _heads(values: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch heads tokens channels"]:
    return values.unflatten(-1, (HEADS, -1)).transpose(1, 2)


def _waves(rays: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch numbers"]:
    angles = [math.pi * frequency * rays for frequency in FREQUENCIES]
    return torch.cat([rays, *(wave for angle in angles for wave in (angle.sin(), angle.cos()))], dim=-1)
