"""Maps that look at nothing: uniform, and a Gaussian around the image centre."""

import numpy as np
from jaxtyping import Float64

from backsight.evaluate.baselines.question import (
    Answer,
    FootprintAnswer,
    Question,
    TargetAnswer,
    answer_prediction,
)
from backsight.records.prediction import Prediction

CENTRE_SPREAD = 0.25
"""Standard deviation of the centre Gaussian along each axis, as a share of that side of the map."""


def constant_answer(question: Question, predictor: str, heatmap: Float64[np.ndarray, "height width"]) -> Prediction:
    """Return `heatmap` for every history frame, instruction and keyframe, with presence one half."""
    history, instructions, keyframes = (
        question.num_history,
        question.num_instructions,
        len(question.keyframes),
    )
    footprint = np.broadcast_to(heatmap, (history, *heatmap.shape))
    target = np.broadcast_to(heatmap, (instructions, keyframes, *heatmap.shape))
    return answer_prediction(
        question,
        Answer(
            predictor,
            FootprintAnswer(footprint, np.full(history, 0.5)),
            TargetAnswer(target, np.full((instructions, keyframes), 0.5)),
        ),
    )


def uniform_prediction(question: Question) -> Prediction:
    """Return one half everywhere."""
    return constant_answer(question, "uniform", np.full(question.map_shape, 0.5))


def centre_gaussian_prediction(question: Question) -> Prediction:
    """Return a Gaussian around the centre of the image."""
    height, width = question.map_shape
    y = (np.arange(height) + 0.5) / height - 0.5
    x = (np.arange(width) + 0.5) / width - 0.5
    squared = (y[:, None] ** 2 + x[None, :] ** 2) / CENTRE_SPREAD**2
    return constant_answer(question, "centre", np.exp(-0.5 * squared))
