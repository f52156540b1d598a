"""Torch twin of `cells`: pooling of labels and instance maps, for many maps at once."""

import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor

from backsight.geometry.cells import ImageFit, present_target_pixels
from backsight.geometry.covisibility import Label


def _equal_cell_px(fit: ImageFit, cells_w: int, cells_h: int) -> tuple[int, int] | None:
    """Return the cells' width and height when they tile the whole stored image in whole pixels."""
    whole = fit.crop_width_px == fit.source_width and fit.crop_height_px == fit.source_height
    if not whole or fit.source_width % cells_w or fit.source_height % cells_h:
        return None
    return fit.source_width // cells_w, fit.source_height // cells_h


def pool_sums_torch(
    mask: Bool[Tensor, "*maps height width"], fit: ImageFit, cells_w: int, cells_h: int
) -> Float32[Tensor, "*maps cells_h cells_w"]:
    """Return how many of each cell's pixels a mask holds; a pixel belongs to the cell that holds its centre.

    Args:
        mask: True where a stored pixel counts.
        fit: From the stored image to the image that the cells divide.
        cells_w: Cells across.
        cells_h: Cells down.

    Raises:
        ValueError: The masks have another size than `fit` says.
    """
    *maps, height, width = mask.shape
    if (height, width) != (fit.source_height, fit.source_width):
        raise ValueError(f"masks are {width} x {height}, the fit is for {fit}")
    values = mask.float()
    cell_px = _equal_cell_px(fit, cells_w, cells_h)
    if cell_px is not None:
        cell_w, cell_h = cell_px
        rows = values.view(*maps, cells_h, cell_h, width).sum(-2)
        return rows.view(*maps, cells_h, cells_w, cell_w).sum(-1)
    column, row = fit.pixel_cells(cells_w, cells_h)
    column_of, row_of = (torch.from_numpy(cells.copy()).to(mask.device) for cells in (column, row))
    # One cell more at the end of each axis collects the pixels outside the crop.
    rows = values.new_zeros(*maps, cells_h + 1, width)
    rows.index_add_(-2, row_of.where(row_of >= 0, cells_h), values)
    sums = values.new_zeros(*maps, cells_h, cells_w + 1)
    sums.index_add_(-1, column_of.where(column_of >= 0, cells_w), rows[..., :cells_h, :])
    return sums[..., :cells_w].contiguous()


def _cell_pixels(fit: ImageFit, cells_w: int, cells_h: int, device: torch.device) -> Float32[Tensor, "ch cw"]:
    everything = torch.ones(fit.source_height, fit.source_width, dtype=torch.bool, device=device)
    return pool_sums_torch(everything, fit, cells_w, cells_h)


@torch.no_grad()
def pool_labels_torch(
    labels: UInt8[Tensor, "pairs height width"], fit: ImageFit, cells_w: int, cells_h: int
) -> tuple[Float32[Tensor, "pairs cells_h cells_w"], Bool[Tensor, "pairs cells_h cells_w"], Float32[Tensor, " pairs"]]:
    """Return footprint maps, which cells are valid, and presence shares, as `cells.cell_share` does.

    Args:
        labels: A `Label` for each stored pixel.
        fit: From the stored image to the image that the cells divide.
        cells_w: Cells across.
        cells_h: Cells down.
    """
    pixels = _cell_pixels(fit, cells_w, cells_h, labels.device)
    known = pool_sums_torch(labels != int(Label.INVALID), fit, cells_w, cells_h)
    covisible = pool_sums_torch(labels == int(Label.COVISIBLE), fit, cells_w, cells_h)
    valid = (pixels > 0) & (2 * known >= pixels)
    return covisible / known.clamp_min(1.0), valid, covisible.sum((-2, -1)) / pixels.sum().clamp_min(1.0)


@torch.no_grad()
def pool_targets_torch(
    instance_ids: Int64[Tensor, "views height width"],
    target_ids: Int64[Tensor, "views targets"],
    fit: ImageFit,
    cells_w: int,
    cells_h: int,
) -> tuple[Float32[Tensor, "views cells_h cells_w"], Bool[Tensor, " views"]]:
    """Return target maps and whether each target is present; the rule is that of `cells.target_cells`.

    Args:
        instance_ids: Instance of each stored pixel, 0 = nothing.
        target_ids: Different instances of each view's target, padded with -1.
        fit: From the stored image to the image that the cells divide.
        cells_w: Cells across.
        cells_h: Cells down.
    """
    pixels = _cell_pixels(fit, cells_w, cells_h, instance_ids.device)
    masks = (instance_ids[:, None] == target_ids[:, :, None, None]) & (target_ids > 0)[:, :, None, None]
    sums = pool_sums_torch(masks, fit, cells_w, cells_h)
    least = present_target_pixels(round(float(pixels.sum())))
    present = sums.sum((1, 2, 3)) >= least
    share = sums / pixels.clamp_min(1.0)
    share /= share.amax((-2, -1), keepdim=True).clamp_min(torch.finfo(share.dtype).tiny)
    return share.amax(1) * present[:, None, None], present
