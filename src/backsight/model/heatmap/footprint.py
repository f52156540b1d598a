"""Footprint decoder: where each history frame lies in the current view."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from backsight.model.config import ModelConfig
from backsight.model.fusion import zero_linear
from backsight.model.heatmap.correlation import LARGEST_SHARPNESS, STATISTICS, correlate, correlation_statistics
from backsight.model.heatmap.odometry import (
    POSE_NUMBERS,
    Odometry,
    relative_poses,
    walk_odometry,
    weighed_position_m,
)
from backsight.model.outputs import Encoding, Footprints
from backsight.model.stem import ResidualBlock, convolution

LEAST_DISTANCE_M = 1e-3
"""Keeps the logarithm of a distance finite where two cameras coincide."""
REGION_ROWS, REGION_COLUMNS, REGION_CHANNELS = 3, 4, 16
"""Where in the view the matches lie and move to decides the bearing: the pose head sees these regions one by one."""


class FootprintDecoder(nn.Module):
    """Correlation statistics through a small convolutional head; weights shared over history frames."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        wide, narrow = config.heatmap.footprint, config.heatmap.footprint_map
        self.correlates = config.parts.correlation
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
        self.pose = nn.Linear(2 * wide, 1 + POSE_NUMBERS)

    @property
    def sharpness(self) -> Float[Tensor, ""]:
        """Inverse of the learned temperature."""
        return self.log_sharpness.exp().clamp(max=LARGEST_SHARPNESS)

    def forward(
        self,
        encoding: Encoding,
        current: Int64[Tensor, "groups 2"],
        history: Int64[Tensor, "groups history"],
        odometry: Odometry | None = None,
    ) -> Footprints:
        """Decode every pair of a group's current view and one of its history frames.

        Args:
            encoding: of the batch.
            current: batch index and frame position of each current view.
            history: frame positions in the same sample.
            odometry: of the same encoding, when it is known already.
        """
        groups, count = history.shape
        batch, frame = current.unbind(1)
        similarity = correlate(encoding.match[batch, frame], encoding.match[batch[:, None], history])
        parts = [self._statistics(encoding, similarity, current)]
        both = [torch.stack([batch[:, None].expand(-1, count), frame[:, None].expand(-1, count), history], dim=-1)]
        if odometry is None:
            # One pass for both: batch normalisation must see pairs and steps together.
            successive = _successive(encoding)
            batch_steps, later, earlier = successive.unbind(-1)
            steps = correlate(encoding.match[batch_steps, later], encoding.match[batch_steps, earlier][:, None])
            parts.append(self._statistics(encoding, steps, successive[:, :2]))
            both.append(successive[:, None])
        features = self._features(torch.cat(parts))
        presence, poses = self._pose(encoding, features, torch.cat([pairs.flatten(0, 1) for pairs in both]))
        if odometry is None:
            frames = encoding.match.shape[1]
            odometry = walk_odometry(relative_poses(poses[groups * count :].unflatten(0, (-1, frames - 1))))
        direct = relative_poses(poses[: groups * count].unflatten(0, (groups, count)))
        position_m = weighed_position_m(direct, odometry, current, history)
        logits = self._maps(features[: groups * count], encoding.skip[batch, frame], count)
        return Footprints(
            logits=logits.unflatten(0, (groups, count)),
            presence_logits=presence[: groups * count].unflatten(0, (groups, count)),
            bearing=functional.normalize(position_m, dim=-1),
            log_distance=position_m.square().sum(-1).clamp_min(LEAST_DISTANCE_M**2).log() / 2,
            similarity=similarity,
            direct=direct,
            odometry=odometry,
        )

    def odometry(self, encoding: Encoding) -> Odometry:
        """Return the way through the frames alone, for callers that decode their history in parts."""
        successive = _successive(encoding)
        batch, later, earlier = successive.unbind(-1)
        similarity = correlate(encoding.match[batch, later], encoding.match[batch, earlier][:, None])
        features = self._features(self._statistics(encoding, similarity, successive[:, :2]))
        _, poses = self._pose(encoding, features, successive)
        return walk_odometry(relative_poses(poses.unflatten(0, (-1, encoding.match.shape[1] - 1))))

    def _statistics(
        self, encoding: Encoding, similarity: Tensor, current: Tensor
    ) -> Float[Tensor, "pairs wide rows columns"]:
        rows, columns = encoding.match.shape[-2:]
        statistics = correlation_statistics(similarity.flatten(0, 1), self.sharpness, rows, columns)
        heard = statistics if self.correlates else torch.zeros_like(statistics)
        features = self.statistics(heard).unflatten(0, similarity.shape[:2])
        context = self.context(encoding.context[current[:, 0], current[:, 1]])
        return (features + context[:, None]).flatten(0, 1)

    def _features(self, pairs: Tensor) -> Float[Tensor, "pairs wide rows columns"]:
        return self.blocks(functional.relu(self.norm(pairs.contiguous(memory_format=torch.channels_last))))

    def _maps(self, features: Tensor, skip: Tensor, count: int) -> Float[Tensor, "pairs map_rows map_columns"]:
        detail = self.skip(skip)
        # Projected before it is enlarged: the two commute, and this order is a quarter of the work.
        coarse = functional.interpolate(
            self.to_map(features), size=detail.shape[-2:], mode="bilinear", align_corners=False
        )
        maps = (coarse.unflatten(0, (-1, count)) + detail[:, None]).flatten(0, 1)
        maps = maps.contiguous(memory_format=torch.channels_last)
        return self.logit(self.map_block(functional.relu(self.map_norm(maps))))[:, 0].float()

    def _pose(
        self, encoding: Encoding, features: Tensor, pairs: Int64[Tensor, "pairs 3"]
    ) -> tuple[Float[Tensor, " pairs"], Float[Tensor, "pairs 9"]]:
        batch, frame, other = pairs.unbind(-1)
        cameras = torch.cat([encoding.camera_tokens[batch, frame], encoding.camera_tokens[batch, other]], dim=-1)
        regions = functional.adaptive_avg_pool2d(self.regions(features), (REGION_ROWS, REGION_COLUMNS)).flatten(1)
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3)), regions], dim=1)
        found = self.pose(functional.relu(self.pooled(pooled) + self.cameras(cameras))).float()
        return found[:, 0], found[:, 1:]


def _successive(encoding: Encoding) -> Int64[Tensor, "steps 3"]:
    """Batch index, frame position and position of the frame before it, of every frame but the first."""
    batch, frames = encoding.match.shape[:2]
    device = encoding.match.device
    later = torch.arange(1, frames, device=device)
    return torch.stack(
        [
            torch.arange(batch, device=device).repeat_interleave(frames - 1),
            later.repeat(batch),
            (later - 1).repeat(batch),
        ],
        dim=-1,
    )
