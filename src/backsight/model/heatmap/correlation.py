"""Explicit correlation of two views and what it says about each cell of the current one."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from backsight.model.precision import full_precision

STATISTICS = 11
LARGEST_SHARPNESS = 40.0
"""Keeps exp(sharpness * (cosine - 1)) above the smallest float32, so that no maximum need be subtracted."""
SCALE = 0.25
"""Keeps log-sums and maxima of sharp correlations near the size of the other channels."""


def cell_positions(rows: int, columns: int, like: Tensor) -> Float[Tensor, "cells 2"]:
    """Return x and y of every cell centre in [-1, 1], row-major.

    Args:
        rows: of the grid.
        columns: of the grid.
        like: gives the device.
    """
    y = (torch.arange(rows, device=like.device) + 0.5) / rows * 2 - 1
    x = (torch.arange(columns, device=like.device) + 0.5) / columns * 2 - 1
    return torch.stack([x.expand(rows, -1), y[:, None].expand(-1, columns)], dim=-1).flatten(0, 1)


def correlate(
    current: Float[Tensor, "groups channels rows columns"],
    history: Float[Tensor, "groups history channels rows columns"],
) -> Float[Tensor, "groups history cells cells"]:
    """Return the cosine of every current cell (rows) with every history cell (columns).

    Args:
        current: unit-length features of the current views.
        history: unit-length features of the history frames.
    """
    count = history.shape[1]
    left = current.flatten(2).transpose(1, 2)
    right = history.flatten(3).transpose(1, 2).flatten(2)
    similarity = torch.bmm(left, right).unflatten(2, (count, -1))
    return similarity.transpose(1, 2)


class _Softened(torch.autograd.Function):
    """exp(sharpness * (similarity - 1)) reduced over history cells, without keeping intermediate copies.

    The plain expression writes the whole correlation volume a dozen times in each direction; on CPUs
    that was a third of a training step.
    """

    @staticmethod
    def forward(
        ctx: Any, similarity: Tensor, sharpness: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        weights = similarity.to(torch.float32, copy=True).sub_(1).mul_(sharpness).exp_()
        peak, where = similarity.max(dim=2)
        sums = torch.bmm(weights, values.expand(len(weights), -1, -1))
        ctx.save_for_backward(similarity, sharpness, values, weights, where)
        ctx.mark_non_differentiable(where)
        return sums, weights.sum(dim=1), peak.float(), where

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        similarity, sharpness, values, weights, where = ctx.saved_tensors
        of_sums, of_columns, of_peak, _ = grads
        of_logits = torch.baddbmm(of_columns[:, None, :], of_sums, values.T.expand(len(weights), -1, -1)).mul_(weights)
        of_sharpness = (of_logits * similarity).sum() - of_logits.sum()
        of_similarity = of_logits.mul_(sharpness)
        of_similarity.scatter_add_(2, where[..., None], of_peak[..., None])
        return of_similarity.to(similarity.dtype), of_sharpness, None


def correlation_statistics(
    similarity: Float[Tensor, "pairs cells cells"],
    sharpness: Float[Tensor, ""],
    rows: int,
    columns: int,
) -> Float[Tensor, "pairs statistics rows columns"]:
    """Return what each current cell finds in the other view.

    Channels: maximum, log-sum-exp, soft-argmax x and y, its offset from the cell in x and y,
    spread, mutual score at the maximum, probability of the maximum, and the cell's own x and y.

    Args:
        similarity: of `correlate`.
        sharpness: inverse of the temperature, at most `LARGEST_SHARPNESS`.
        rows: of the grid.
        columns: of the grid.
    """
    with full_precision(similarity):
        here = cell_positions(rows, columns, similarity)
        values = torch.cat([torch.ones_like(here[:, :1]), here, here.square().sum(1, keepdim=True)], dim=1)
        sums, column_sum, peak, where = _Softened.apply(similarity, sharpness, values)
        row_sum = sums[..., 0]
        found = sums[..., 1:3] / row_sum[..., None]
        spread = (sums[..., 3] / row_sum - found.square().sum(dim=-1)).clamp(min=0)
        # In logarithms: the sums themselves may be as small as float32 allows, their products smaller.
        log_sum, log_peak = row_sum.log(), sharpness * (peak - 1)
        share = log_peak - log_sum
        mutual = (share + log_peak - column_sum.log().gather(1, where)).exp()
        single = torch.stack(
            [
                peak * sharpness * SCALE,
                (log_sum + sharpness) * SCALE,
                found[..., 0],
                found[..., 1],
                found[..., 0] - here[:, 0],
                found[..., 1] - here[:, 1],
                spread,
                mutual,
                share.exp(),
                here[:, 0].expand_as(row_sum),
                here[:, 1].expand_as(row_sum),
            ],
            dim=1,
        )
    return single.unflatten(2, (rows, columns))
