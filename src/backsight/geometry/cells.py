"""From stored pixels to heatmap cells: scale, centre crop, pooling."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int, Int64, Shaped, UInt8

from backsight.geometry.cameras import crop_intrinsics, scale_intrinsics
from backsight.geometry.covisibility import Label

PRESENT_FOOTPRINT_SHARE = 0.01
"""A footprint is present when at least this share of the cropped view is co-visible."""
PRESENT_TARGET_PIXELS = 16
PRESENT_TARGET_SHARE = 0.0005
"""A target is present in a view when so many stored pixels of the crop, and this share of them, show it."""


@dataclass(frozen=True)
class ImageFit:
    """How an image becomes one of another size: cut around its centre as little as needed, then scaled."""

    source_width: int
    source_height: int
    target_width: int
    target_height: int

    def __post_init__(self) -> None:
        if min(self.source_width, self.source_height, self.target_width, self.target_height) <= 0:
            raise ValueError(f"image sides must be positive: {self}")

    @cached_property
    def scale(self) -> float:
        """Target pixels per source pixel."""
        return max(self.target_width / self.source_width, self.target_height / self.source_height)

    @cached_property
    def _width_decides(self) -> bool:
        return self.target_width * self.source_height >= self.target_height * self.source_width

    @cached_property
    def crop_width_px(self) -> float:
        """Width of the crop in source pixels, may be fractional."""
        if self._width_decides:
            return float(self.source_width)
        return self.target_width * self.source_height / self.target_height

    @cached_property
    def crop_height_px(self) -> float:
        """Height of the crop in source pixels, may be fractional."""
        if self._width_decides:
            return self.target_height * self.source_width / self.target_width
        return float(self.source_height)

    @cached_property
    def left_px(self) -> float:
        """Source pixels cut off at the left, and as many at the right."""
        return (self.source_width - self.crop_width_px) / 2.0

    @cached_property
    def top_px(self) -> float:
        """Source pixels cut off at the top, and as many at the bottom."""
        return (self.source_height - self.crop_height_px) / 2.0

    def fit_intrinsics(self, intrinsics: Float64[np.ndarray, "3 3"]) -> Float64[np.ndarray, "3 3"]:
        """Return the camera matrix of the target image.

        Args:
            intrinsics: Camera matrix in pixels of the source image.
        """
        return scale_intrinsics(crop_intrinsics(intrinsics, self.left_px, self.top_px), self.scale, self.scale)

    def cell_bounds(
        self, cells_w: int, cells_h: int
    ) -> tuple[Float64[np.ndarray, " columns"], Float64[np.ndarray, " rows"]]:
        """Return the borders of the cells in source pixels, one more than there are cells, x then y.

        Args:
            cells_w: Cells across the target image.
            cells_h: Cells down the target image.
        """
        columns = self.left_px + np.arange(cells_w + 1) * (self.crop_width_px / cells_w)
        rows = self.top_px + np.arange(cells_h + 1) * (self.crop_height_px / cells_h)
        return columns, rows

    def pixel_cells(
        self, cells_w: int, cells_h: int
    ) -> tuple[Int64[np.ndarray, " width"], Int64[np.ndarray, " height"]]:
        """Return the cell column of each source column and the cell row of each source row, -1 = cut off.

        A pixel belongs to the cell that holds its centre; a centre on a border belongs to the cell right of
        or below it.

        Args:
            cells_w: Cells across the target image.
            cells_h: Cells down the target image.
        """
        return _pixel_cells(self, cells_w, cells_h)


@lru_cache(maxsize=64)
def _pixel_cells(fit: ImageFit, cells_w: int, cells_h: int) -> tuple[np.ndarray, np.ndarray]:
    columns, rows = fit.cell_bounds(cells_w, cells_h)
    found = []
    for bounds, source, cells in ((columns, fit.source_width, cells_w), (rows, fit.source_height, cells_h)):
        cell = np.searchsorted(bounds, np.arange(source) + 0.5, side="right") - 1
        cell = np.where(cell < cells, cell, -1).astype(np.int64)
        cell.setflags(write=False)
        found.append(cell)
    return found[0], found[1]


def pool_sums(
    values: Shaped[np.ndarray, "height width"], fit: ImageFit, cells_w: int, cells_h: int
) -> Float64[np.ndarray, "cells_h cells_w"]:
    """Return the sum over the pixels of each cell.

    Args:
        values: One number or truth value a stored pixel.
        fit: From the stored image to the image that the cells divide.
        cells_w: Cells across.
        cells_h: Cells down.

    Raises:
        ValueError: The image has another size than `fit` says.
    """
    if values.shape != (fit.source_height, fit.source_width):
        raise ValueError(f"image is {values.shape[1]} x {values.shape[0]}, the fit is for {fit}")
    column, row = fit.pixel_cells(cells_w, cells_h)
    inside = (row >= 0)[:, None] & (column >= 0)[None, :]
    cell = row[:, None] * cells_w + column[None, :]
    sums = np.bincount(cell[inside], weights=values[inside].astype(np.float64), minlength=cells_w * cells_h)
    return sums.astype(np.float64).reshape(cells_h, cells_w)


def cell_share(
    labels: UInt8[np.ndarray, "height width"], fit: ImageFit, cells_w: int, cells_h: int
) -> tuple[Float32[np.ndarray, "cells_h cells_w"], Bool[np.ndarray, "cells_h cells_w"], float]:
    """Return a footprint map, which of its cells are valid, and the presence share.

    A cell's value is the co-visible share of its valid pixels.

    A cell is valid when at least half of its pixels are not INVALID. The presence share is that of the
    co-visible pixels among all pixels of the crop: an invalid pixel shows nothing known, so it counts
    against presence.

    Args:
        labels: A `Label` for each stored pixel.
        fit: From the stored image to the image that the cells divide.
        cells_w: Cells across.
        cells_h: Cells down.
    """
    pixels = pool_sums(np.ones_like(labels), fit, cells_w, cells_h)
    known = pool_sums(labels != Label.INVALID, fit, cells_w, cells_h)
    covisible = pool_sums(labels == Label.COVISIBLE, fit, cells_w, cells_h)
    share = (covisible / np.maximum(known, 1.0)).astype(np.float32)
    valid = (pixels > 0) & (2 * known >= pixels)
    return share, valid, float(covisible.sum() / max(pixels.sum(), 1.0))


def cell_share_of_mask(
    mask: Bool[np.ndarray, "height width"], fit: ImageFit, cells_w: int, cells_h: int
) -> Float32[np.ndarray, "cells_h cells_w"]:
    """Return the share of each cell's pixels that the mask holds.

    Args:
        mask: True where a stored pixel shows it.
        fit: From the stored image to the image that the cells divide.
        cells_w: Cells across.
        cells_h: Cells down.
    """
    pixels = pool_sums(np.ones_like(mask), fit, cells_w, cells_h)
    return (pool_sums(mask, fit, cells_w, cells_h) / np.maximum(pixels, 1.0)).astype(np.float32)


def present_target_pixels(crop_pixels: int) -> float:
    """Return how many stored pixels must show a target for it to be present in a view.

    Args:
        crop_pixels: Number of stored pixels inside the crop.
    """
    return max(float(PRESENT_TARGET_PIXELS), PRESENT_TARGET_SHARE * crop_pixels)


def target_cells(
    instance_ids: Int[np.ndarray, "height width"],
    target_ids: tuple[int, ...],
    fit: ImageFit,
    cells_w: int,
    cells_h: int,
) -> tuple[Float32[np.ndarray, "cells_h cells_w"], bool]:
    """Return a target map and whether the target is present in the view.

    For each instance the share of each cell's pixels divided by its largest share, then the maximum over
    instances. Present: inside the crop the targets together cover enough pixels (`present_target_pixels`).
    An absent target has an empty map.

    Args:
        instance_ids: Instance of each stored pixel, 0 = nothing.
        target_ids: Instances of the target, all positive; none for an instruction without answer.
        fit: From the stored image to the image that the cells divide.
        cells_w: Cells across.
        cells_h: Cells down.

    Raises:
        ValueError: A target id is not positive.
    """
    if any(target <= 0 for target in target_ids):
        raise ValueError(f"target ids must be positive, got {target_ids}")
    crop_pixels = int(pool_sums(np.ones_like(instance_ids), fit, cells_w, cells_h).sum())
    targets = np.isin(instance_ids, np.array(target_ids, dtype=instance_ids.dtype))
    seen = float(pool_sums(targets, fit, cells_w, cells_h).sum())
    heatmap = np.zeros((cells_h, cells_w), dtype=np.float32)
    if seen < present_target_pixels(crop_pixels):
        return heatmap, False
    for target in set(target_ids):
        share = cell_share_of_mask(instance_ids == target, fit, cells_w, cells_h)
        heatmap = np.maximum(heatmap, share / max(float(share.max()), np.finfo(np.float32).tiny))
    return heatmap, True
