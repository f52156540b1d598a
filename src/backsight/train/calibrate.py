"""Two-parameter calibration: probabilities that mean what they say, fitted on validation places."""

import numpy as np
from jaxtyping import Float64

from backsight.model.calibration import Platt

_STEPS = 100


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
    pull = 1e-4
    design = np.stack([logits, np.ones_like(logits)], axis=1)
    parameters = np.array([1.0, 0.0])
    identity = parameters.copy()
    for _ in range(_STEPS):
        probability = 1.0 / (1.0 + np.exp(-np.clip(design @ parameters, -60.0, 60.0)))
        gradient = design.T @ (probability - truth) / len(truth) + pull * (parameters - identity)
        curvature = (design * (probability * (1.0 - probability))[:, None]).T @ design / len(truth)
        step = np.linalg.solve(curvature + pull * np.eye(2), gradient)
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        parameters = parameters - step
        if np.abs(step).max() < 1e-10:
            break
    return Platt(slope=float(parameters[0]), offset=float(parameters[1]))
