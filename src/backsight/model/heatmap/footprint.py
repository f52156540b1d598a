"""Footprint decoder: where each history frame lies in the current view."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from backsight.model.config import ModelConfig
from backsight.model.fusion import zero_linear
from backsight.model.heatmap.correlation import LARGEST_SHARPNESS, STATISTICS, correlate, correlation_statistics
from backsight.model.outputs import Encoding, Footprints
from backsight.model.stem import ResidualBlock, convolution

POSE_NUMBERS = 5
"""Presence logit, bearing (3), log distance."""
REGION_ROWS, REGION_COLUMNS, REGION_CHANNELS = 3, 4, 16
"""Where in the view the matches lie and move to decides the bearing: the pose head sees these regions one by one."""


class FootprintDecoder(nn.Module):
    """Correlation statistics through a small convolutional head; weights shared over history frames."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        wide, narrow = config.heatmap.footprint, config.heatmap.footprint_map
        self.log_sharpness = nn.Parameter(torch.tensor(-math.log(config.heatmap.temperature)))
        self.statistics = nn.Conv2d(STATISTICS, wide, 3, padding=1)
        self.context = nn.Conv2d(config.fusion.context, wide, 1)
        self.norm = nn.BatchNorm2d(wide)
        self.blocks = nn.Sequential(ResidualBlock(wide), ResidualBlock(wide))
        self.to_map = nn.Conv2d(wide, narrow, 1)
        self.skip = nn.Conv2d(config.fusion.skip, narrow, 1)
        self.map_norm = nn.BatchNorm2d(narrow)
        self.map_block = convolution(narrow, narrow)
        self.logit = nn.Conv2d(narrow, 1, 1)
        self.regions = nn.Conv2d(wide, REGION_CHANNELS, 1)
        self.pooled = nn.Linear(2 * wide + REGION_ROWS * REGION_COLUMNS * REGION_CHANNELS, 2 * wide)
        self.cameras = zero_linear(4 * config.geometry.width, 2 * wide)
        self.pose = nn.Linear(2 * wide, POSE_NUMBERS)

    @property
    def sharpness(self) -> Float[Tensor, ""]:
        """Inverse of the learned temperature."""
        return self.log_sharpness.exp().clamp(max=LARGEST_SHARPNESS)

    def forward(
        self, encoding: Encoding, current: Int64[Tensor, "groups 2"], history: Int64[Tensor, "groups history"]
    ) -> Footprints:
        """Decode every pair of a group's current view and one of its history frames.

        Args:
            encoding: of the batch.
            current: batch index and frame position of each current view.
            history: frame positions in the same sample.
        """
        groups, count = history.shape
        batch, frame = current.unbind(1)
        others = (batch[:, None], history)
        rows, columns = encoding.match.shape[-2:]
        similarity = correlate(encoding.match[batch, frame], encoding.match[others])
        statistics = correlation_statistics(similarity.flatten(0, 1), self.sharpness, rows, columns)
        features = self.statistics(statistics).unflatten(0, (groups, count))
        features = features + self.context(encoding.context[batch, frame])[:, None]
        features = self.blocks(functional.relu(self.norm(_as_images(features))))
        logits = self._maps(features, encoding.skip[batch, frame], count)
        cameras = encoding.camera_tokens
        both = torch.cat([cameras[batch, frame][:, None].expand(-1, count, -1), cameras[others]], dim=-1)
        pose = self._pose(features, both.flatten(0, 1)).unflatten(0, (groups, count))
        return Footprints(
            logits=logits.unflatten(0, (groups, count)),
            presence_logits=pose[..., 0],
            bearing=functional.normalize(pose[..., 1:4], dim=-1),
            log_distance=pose[..., 4],
            similarity=similarity,
        )

    def _maps(self, features: Tensor, skip: Tensor, count: int) -> Float[Tensor, "pairs map_rows map_columns"]:
        detail = self.skip(skip)
        # Projected before it is enlarged: the two commute, and this order is a quarter of the work.
        coarse = functional.interpolate(
            self.to_map(features), size=detail.shape[-2:], mode="bilinear", align_corners=False
        )
        maps = _as_images(coarse.unflatten(0, (-1, count)) + detail[:, None])
        return self.logit(self.map_block(functional.relu(self.map_norm(maps))))[:, 0].float()

    def _pose(self, features: Tensor, cameras: Tensor) -> Float[Tensor, "pairs 5"]:
        regions = functional.adaptive_avg_pool2d(self.regions(features), (REGION_ROWS, REGION_COLUMNS)).flatten(1)
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3)), regions], dim=1)
        hidden = functional.relu(self.pooled(pooled) + self.cameras(cameras))
        return self.pose(hidden).float()


def _as_images(maps: Tensor) -> Float[Tensor, "pairs channels rows columns"]:
    return maps.flatten(0, 1).contiguous(memory_format=torch.channels_last)
