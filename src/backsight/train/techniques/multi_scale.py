"""Training on images of several sizes: the grid changes from step to step, the weights do not."""

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from backsight.data.truth import MapGrid
from backsight.geometry.cells import ImageFit
from backsight.model.config import APPEARANCE_PATCH_PX, MAP_CELL_PX

SIDE_STEP_PX = 2 * APPEARANCE_PATCH_PX
"""Sides of an image that can be encoded are multiples of this."""


class MultiScaleConfig(BaseModel):
    """Whether steps see images of several sizes, and which."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = False
    scales: tuple[Annotated[float, Field(gt=0.0, le=8.0)], ...] = Field(default=(0.5, 1.0, 1.5), min_length=1)
    """Factors on the sides of the preset's image; each step draws one of them."""


def step_scale(config: MultiScaleConfig, seed: int, step: int) -> float:
    """Return the scale of a step, the same on every rank and after every resume.

    Args:
        config: the scales.
        seed: of the run.
        step: steps done before.
    """
    if not config.enabled:
        return 1.0
    return config.scales[int(np.random.default_rng([seed, step]).integers(len(config.scales)))]


def scaled_grid(grid: MapGrid, scale: float) -> MapGrid:
    """Return the grid of the model's image at another scale, its sides rounded to what can be encoded.

    Rounding changes the aspect ratio a little; the centre crop follows it, and the truth that is computed on the grid.

    Args:
        grid: of the preset's image.
        scale: factor on its sides.

    Raises:
        ValueError: the scale is not positive.
    """
    if scale <= 0:
        raise ValueError(f"scale {scale} must be positive")
    if scale == 1.0:
        return grid
    fit = grid.fit
    width, height = (_side_px(side, scale) for side in (fit.target_width, fit.target_height))
    resized = ImageFit(fit.source_width, fit.source_height, width, height)
    return MapGrid(resized, width // MAP_CELL_PX, height // MAP_CELL_PX)


def _side_px(side: int, scale: float) -> int:
    return max(1, int(side * scale / SIDE_STEP_PX + 0.5)) * SIDE_STEP_PX
