"""Convolutions with batch normalisation, and the stem that keeps full detail."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from backsight.model.config import MAP_CELL_PX

Maps = Float[Tensor, "images channels rows columns"]


def convolution(channels_in: int, channels_out: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """Return convolution, batch normalisation, ReLU.

    Args:
        channels_in: of the input.
        channels_out: of the output.
        size: side of the kernel; the grid keeps its size but for the stride.
        stride: of the convolution.
    """
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """Two convolutions with a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, maps: Maps) -> Maps:
        """Refine the maps."""
        return functional.relu(maps + self.norm(self.second(self.first(maps))))


class Stem(nn.Module):
    """Light encoder with one feature per map cell, from 4 x 4 pixels and their surroundings.

    Args:
        channels: of the result.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(3 * MAP_CELL_PX**2, channels)
        self.second = convolution(channels, channels)

    def forward(self, images: Float[Tensor, "images 3 height width"]) -> Maps:
        """Encode images.

        Args:
            images: centred about zero; height and width multiples of 4.
        """
        return self.second(self.first(functional.pixel_unshuffle(images, MAP_CELL_PX)))
