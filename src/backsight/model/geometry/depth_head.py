"""Depth head of VGGT: a dense prediction transformer head over four layers.

Source: Ranftl et al., Vision Transformers for Dense Prediction, arXiv 2103.13413.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from backsight.model.config import GEOMETRY_PATCH_PX, GeometryConfig
from backsight.model.geometry.aggregator import Tokens

POSITION_SHARE = 0.1
POSITION_BASE = 100.0
HEAD_CHANNELS = 32

Maps = Float[Tensor, "images channels rows columns"]


def plane_embedding(rows: int, columns: int, aspect: float, channels: int, like: Tensor) -> Tensor:
    """Return sines and cosines of each cell's position on the image plane.

    Args:
        rows: of the grid.
        columns: of the grid.
        aspect: width / height of the image.
        channels: a multiple of 4.
        like: gives device and precision.
    """
    diagonal = (aspect**2 + 1) ** 0.5
    reach_x, reach_y = aspect / diagonal * (columns - 1) / columns, 1 / diagonal * (rows - 1) / rows
    x = torch.linspace(-reach_x, reach_x, columns, device=like.device)
    y = torch.linspace(-reach_y, reach_y, rows, device=like.device)
    quarter = channels // 4
    frequencies = POSITION_BASE ** -(torch.arange(quarter, device=like.device).float() / quarter)
    angles_x = (x[:, None] * frequencies).T[:, None, :].expand(-1, rows, -1)
    angles_y = (y[:, None] * frequencies).T[:, :, None].expand(-1, -1, columns)
    waves = [angles_x.sin(), angles_x.cos(), angles_y.sin(), angles_y.cos()]
    return torch.cat(waves).to(like.dtype) * POSITION_SHARE


class ResidualUnit(nn.Module):
    """Two convolutions; as in the published weights the shortcut starts after the first ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, maps: Maps) -> Maps:
        """Refine the maps."""
        positive = functional.relu(maps)
        return self.conv2(functional.relu(self.conv1(positive))) + positive


class Refine(nn.Module):
    """Adds one scale and enlarges the result."""

    def __init__(self, channels: int, with_scale: bool) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(channels, channels, 1)
        if with_scale:
            self.resConfUnit1 = ResidualUnit(channels)
        self.resConfUnit2 = ResidualUnit(channels)

    def forward(self, maps: Maps, scale: Maps | None, size: tuple[int, int]) -> Tensor:
        """Return the maps at `size`.

        Args:
            maps: the coarser result so far.
            scale: features of this scale, or nothing at the coarsest.
            size: rows and columns of the result.
        """
        if scale is not None:
            maps = maps + self.resConfUnit1(scale)
        maps = self.resConfUnit2(maps)
        maps = functional.interpolate(maps, size=size, mode="bilinear", align_corners=True)
        return self.out_conv(maps)


class Scratch(nn.Module):
    """The fusion part of the head; its name is the published one."""

    def __init__(self, channels: tuple[int, int, int, int], features: int) -> None:
        super().__init__()
        self.layer1_rn = nn.Conv2d(channels[0], features, 3, padding=1, bias=False)
        self.layer2_rn = nn.Conv2d(channels[1], features, 3, padding=1, bias=False)
        self.layer3_rn = nn.Conv2d(channels[2], features, 3, padding=1, bias=False)
        self.layer4_rn = nn.Conv2d(channels[3], features, 3, padding=1, bias=False)
        self.refinenet1 = Refine(features, True)
        self.refinenet2 = Refine(features, True)
        self.refinenet3 = Refine(features, True)
        self.refinenet4 = Refine(features, False)
        self.output_conv1 = nn.Conv2d(features, features // 2, 3, padding=1)
        self.output_conv2 = nn.Sequential(
            nn.Conv2d(features // 2, HEAD_CHANNELS, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(HEAD_CHANNELS, 2, 1),
        )

    def fuse(self, scales: list[Tensor]) -> Tensor:
        """Combine the four scales, finest first, at twice the finest."""
        first, second, third = self.layer1_rn(scales[0]), self.layer2_rn(scales[1]), self.layer3_rn(scales[2])
        maps = self.refinenet4(self.layer4_rn(scales[3]), None, third.shape[-2:])
        maps = self.refinenet3(maps, third, second.shape[-2:])
        maps = self.refinenet2(maps, second, first.shape[-2:])
        rows, columns = first.shape[-2:]
        maps = self.refinenet1(maps, first, (2 * rows, 2 * columns))
        return self.output_conv1(maps)


class DepthHead(nn.Module):
    """Depth and its confidence for every frame."""

    def __init__(self, config: GeometryConfig) -> None:
        super().__init__()
        width, channels = 2 * config.width, config.depth_channels
        self.layers, self.down_ratio = config.depth_layers, config.depth_down_ratio
        self.norm = nn.LayerNorm(width)
        self.projects = nn.ModuleList(nn.Conv2d(width, out, 1) for out in channels)
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(channels[0], channels[0], 4, stride=4),
                nn.ConvTranspose2d(channels[1], channels[1], 2, stride=2),
                nn.Identity(),
                nn.Conv2d(channels[3], channels[3], 3, stride=2, padding=1),
            ]
        )
        self.scratch = Scratch(channels, config.depth_features)

    def forward(self, tokens: Tokens) -> tuple[Tensor, Tensor]:
        """Return planar depth and confidence, both "batch frames depth_rows depth_columns"."""
        batch, frames = tokens.layers[self.layers[0]].shape[:2]
        rows, columns = tokens.rows, tokens.columns
        aspect = columns / rows
        scales = []
        for layer, project, resize in zip(self.layers, self.projects, self.resize_layers, strict=True):
            patches = self.norm(tokens.layers[layer][:, :, tokens.first_patch :].flatten(0, 1).float())
            maps = project(patches.transpose(1, 2).reshape(batch * frames, -1, rows, columns))
            maps = maps + plane_embedding(rows, columns, aspect, maps.shape[1], maps)
            scales.append(resize(maps))
        maps = self.scratch.fuse(scales)
        height = int(rows * GEOMETRY_PATCH_PX / self.down_ratio)
        width = int(columns * GEOMETRY_PATCH_PX / self.down_ratio)
        maps = functional.interpolate(maps, size=(height, width), mode="bilinear", align_corners=True)
        maps = maps + plane_embedding(height, width, aspect, maps.shape[1], maps)
        found = self.scratch.output_conv2(maps).float().view(batch, frames, 2, height, width)
        return found[:, :, 0].exp(), 1 + found[:, :, 1].exp()
