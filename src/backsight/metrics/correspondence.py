"""Correspondence accuracy: the most similar patch lies near the true match (PCK)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

NEAR_SHARE = 0.1
"""A match is right within this share of the longer image side."""
CYCLE_PATCHES = 1.0
"""Forward-backward consistent: back within this many patches, in x and in y."""


@dataclass(frozen=True)
class CorrespondenceCounts:
    """Of each pair of views; PCK = correct / matched, match precision = consistent_correct / consistent."""

    matched: Int64[np.ndarray, " pairs"]
    """Patches that have a true match."""
    correct: Int64[np.ndarray, " pairs"]
    consistent: Int64[np.ndarray, " pairs"]
    """Matched patches whose way there and back ends where it began."""
    consistent_correct: Int64[np.ndarray, " pairs"]


def correspondence_counts(
    similarity: Float[np.ndarray, "pairs cells other_cells"],
    true_position: Float[np.ndarray, "pairs cells 2"],
    matched: Bool[np.ndarray, "pairs cells"],
    rows: int,
    columns: int,
) -> CorrespondenceCounts:
    """Return how many patches find their true match.

    Args:
        similarity: Of each patch (rows, row-major) with each patch of the other view.
        true_position: x, y of each patch's middle in the other view, in patches; patch (0, 0) covers [0, 1) x [0, 1).
        matched: Whether the patch is co-visible.
        rows: Patches down.
        columns: Patches across.

    Raises:
        ValueError: The similarity is not that of two grids of this size.
    """
    if similarity.shape[1:] != (rows * columns, rows * columns):
        raise ValueError(f"similarity has {similarity.shape[1:]} patches, the grid is {rows} x {columns}")
    there = similarity.argmax(axis=2)
    back = np.take_along_axis(similarity.argmax(axis=1), there, axis=1)
    found = _middles(there, columns)
    # Inclusive up to rounding: a match exactly on the limit counts.
    near = np.linalg.norm(found - true_position, axis=-1) <= NEAR_SHARE * max(rows, columns) + 1e-6
    moved = np.abs(_middles(back, columns) - _middles(np.arange(rows * columns), columns)).max(axis=-1)
    consistent = matched & (moved <= CYCLE_PATCHES)
    return CorrespondenceCounts(
        matched=matched.sum(axis=1),
        correct=(matched & near).sum(axis=1),
        consistent=consistent.sum(axis=1),
        consistent_correct=(consistent & near).sum(axis=1),
    )


def _middles(cell: np.ndarray, columns: int) -> np.ndarray:
    return np.stack([cell % columns, cell // columns], axis=-1) + 0.5
