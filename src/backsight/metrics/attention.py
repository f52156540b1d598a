"""Attention alignment: whether a `<heat>` token attends to where the target is in its own view."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from backsight.metrics.spatial import sim


@dataclass(frozen=True)
class AttentionAlignment:
    """One value for each instruction and view; those of views without the target mean nothing."""

    value: Float64[np.ndarray, "instructions views"]
    control: Float64[np.ndarray, "instructions views"]
    """Of the other views' `<heat>` tokens, looking at the same view; NaN where there is no other view."""


def attention_alignment(
    attention: Float[np.ndarray, "instructions views views tokens"],
    truth: Float[np.ndarray, "instructions views height width"],
    rows: int,
) -> AttentionAlignment:
    """Return SIM between attention over a view's image tokens and the truth pooled to them, both normalised to sum 1.

    The control says how much of that is where tokens look anyway: it is the mean over the other views' tokens, which
    ask for the same thing in another place. Attention that follows the target exceeds it.

    Args:
        attention: From each view's `<heat>` token (second axis) to the image tokens of each view (third axis).
        truth: Target map of each view; its sides are whole multiples of the token grid's.
        rows: Of the image-token grid.
    """
    instructions, views, _, tokens = attention.shape
    columns = tokens // rows
    height, width = truth.shape[2:]
    cells = truth.reshape(instructions, views, rows, height // rows, columns, width // columns)
    pooled = cells.astype(np.float64).mean(axis=(3, 5)).reshape(-1, rows, columns)
    everywhere = np.ones(pooled.shape, dtype=bool)
    values = np.stack(
        [
            sim(attention[:, heat].reshape(-1, rows, columns), pooled, everywhere).reshape(instructions, views)
            for heat in range(views)
        ],
        axis=1,
    )
    own = np.diagonal(values, axis1=1, axis2=2)
    others = values.sum(axis=1) - own
    control = others / (views - 1) if views > 1 else np.full(own.shape, np.nan)
    return AttentionAlignment(np.ascontiguousarray(own), control)
