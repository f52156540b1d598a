"""Answers in words: exact match, and whether the instruction was pointed at rightly."""

import re

import numpy as np
from jaxtyping import Bool, Float, Float64

from backsight.metrics.spatial import THRESHOLD

_WORD = re.compile(r"[^\W_]+")


def normalised_answer(text: str) -> str:
    """Return the words of an answer in lower case with single blanks: case and punctuation do not count."""
    return " ".join(_WORD.findall(text.lower()))


def pointed_right(
    target: Float[np.ndarray, "instructions views height width"],
    presence: Float[np.ndarray, "instructions views"],
    truth: Float[np.ndarray, "instructions views height width"],
    present: Bool[np.ndarray, "instructions views"],
) -> Float64[np.ndarray, " instructions"]:
    """Return whether each instruction as a whole was pointed at rightly, over all its views.

    With a target in some view: whether the cell with the largest probability times presence, of all views, lies on it;
    of several largest ones, the share that does. With none: whether every presence says so.

    Args:
        target: Predicted maps.
        presence: Predicted presence.
        truth: True maps in [0, 1]; 0 where a view does not show the target.
        present: Whether each view shows the target.
    """
    score = (target.astype(np.float64) * presence[..., None, None]).reshape(len(target), -1)
    on_target = (truth * present[..., None, None]).reshape(score.shape) >= THRESHOLD
    largest = score == score.max(axis=1, keepdims=True)
    hit = (largest & on_target).sum(axis=1) / largest.sum(axis=1)
    silent = (presence < THRESHOLD).all(axis=1)
    return np.where(present.any(axis=1), hit, silent.astype(np.float64))
