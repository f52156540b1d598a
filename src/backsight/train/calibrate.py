"""Two-parameter calibration: probabilities that mean what they say, fitted on validation places."""

import numpy as np
from jaxtyping import Float64
from scipy.optimize import minimize
from scipy.special import expit

from backsight.model.calibration import Platt

SMALLEST_SLOPE = 0.01
"""Calibration never turns the order of the predictions round."""
LARGEST = 100.0
"""Bound on slope and offset, so that separable data have an answer."""


def fit_platt(logits: Float64[np.ndarray, " cells"], truth: Float64[np.ndarray, " cells"]) -> Platt:
    """Return slope and offset with which sigmoid(slope * logit + offset) has the least cross-entropy against `truth`.

    Args:
        logits: Of the uncalibrated probabilities.
        truth: Probabilities or shares in [0, 1].

    Raises:
        ValueError: there is nothing to fit, or a logit is not finite.

    Source: Platt, Probabilistic outputs for support vector machines, 1999.
    """
    if len(logits) == 0 or not np.isfinite(logits).all():
        raise ValueError("calibration needs finite logits of at least one cell")

    def cross_entropy(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        scores = parameters[0] * logits + parameters[1]
        residual = expit(scores) - truth
        value = np.logaddexp(0.0, scores) - truth * scores
        return float(value.mean()), np.array([(residual * logits).mean(), residual.mean()])

    bounds = [(SMALLEST_SLOPE, LARGEST), (-LARGEST, LARGEST)]
    found = minimize(cross_entropy, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    return Platt(slope=float(found.x[0]), offset=float(found.x[1]))
