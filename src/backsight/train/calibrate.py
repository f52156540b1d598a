"""Two-parameter calibration: probabilities that mean what they say, fitted on validation places."""

import numpy as np
from jaxtyping import Float64

from backsight.model.calibration import Platt

SMALLEST_SLOPE = 0.01
"""Calibration never turns the order of the predictions round."""
_STEPS = 100
_PULL = 1e-4


def fit_platt(logits: Float64[np.ndarray, " cells"], truth: Float64[np.ndarray, " cells"]) -> Platt:
    """Return scale and offset with which sigmoid(scale * logit + offset) has the least cross-entropy against `truth`.

    Newton's method on a convex function of two parameters, with a little pull towards the identity so that separable
    data have a finite answer.

    Args:
        logits: Of the uncalibrated probabilities.
        truth: Probabilities or shares in [0, 1].

    Raises:
        ValueError: there is nothing to fit, or a logit is not finite.

    Source: Platt, Probabilistic outputs for support vector machines, 1999.
    """
    if len(logits) == 0 or not np.isfinite(logits).all():
        raise ValueError("calibration needs finite logits of at least one cell")
    slope, offset = _newton(np.stack([logits, np.ones_like(logits)], axis=1), np.zeros_like(logits), truth, (1.0, 0.0))
    if slope < SMALLEST_SLOPE:
        # Logits that say nothing, or the contrary: their order is kept, and next to the mean they hardly matter.
        slope = SMALLEST_SLOPE
        (offset,) = _newton(np.ones((len(logits), 1)), slope * logits, truth, (0.0,))
    return Platt(slope=slope, offset=offset)


def _newton(
    design: Float64[np.ndarray, "cells parameters"],
    fixed: Float64[np.ndarray, " cells"],
    truth: Float64[np.ndarray, " cells"],
    start: tuple[float, ...],
) -> tuple[float, ...]:
    """Return the parameters with which sigmoid(fixed + design @ parameters) is nearest to the truth."""
    first = np.array(start)
    parameters = first.copy()
    for _ in range(_STEPS):
        probability = 1.0 / (1.0 + np.exp(-np.clip(fixed + design @ parameters, -60.0, 60.0)))
        gradient = design.T @ (probability - truth) / len(truth) + _PULL * (parameters - first)
        curvature = (design * (probability * (1.0 - probability))[:, None]).T @ design / len(truth)
        step = np.linalg.solve(curvature + _PULL * np.eye(len(first)), gradient)
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        parameters = parameters - step
        if np.abs(step).max() < 1e-10:
            break
    return tuple(float(value) for value in parameters)
