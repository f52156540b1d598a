"""What a predictor says about one current view; what `score` reads."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64


@dataclass(frozen=True)
class PredictionInfo:
    """Where a prediction comes from; stored beside the arrays."""

    predictor: str
    sequence_id: str
    place_id: str
    current_frame: int
    geometry: str
    """estimated (RGB only) or given (depth and poses fed)."""
    instruction_ids: tuple[str, ...] = ()
    checkpoint: str = ""
    attention_backend: str = ""


@dataclass(frozen=True)
class Prediction:
    """Heatmaps of one current view. Probabilities in [0, 1], calibrated where the predictor is."""

    info: PredictionInfo
    history_frames: Int64[np.ndarray, " history"]
    """Frame indices, all before the current frame, rising."""
    footprint: Float32[np.ndarray, "history height width"]
    """Over the current view, one map for every history frame."""
    footprint_presence: Float32[np.ndarray, " history"]
    bearing: Float32[np.ndarray, "history 3"]
    """Unit vector to each history frame's camera, in the camera frame of the current view."""
    distance_m: Float32[np.ndarray, " history"]
    keyframes: Int64[np.ndarray, " keyframes"]
    """Frame indices, rising; the last one is the current frame."""
    target: Float32[np.ndarray, "instructions keyframes height width"]
    """Over each keyframe, one map for every instruction."""
    target_presence: Float32[np.ndarray, "instructions keyframes"]
    answers: tuple[str, ...] = ()
    """In words, one for every instruction; empty when the predictor says nothing."""
    imagined: Float32[np.ndarray, "instructions imagined height width"] | None = None
    """Over views without an image, where any were asked for: where each instruction's target would appear."""
    imagined_presence: Float32[np.ndarray, "instructions imagined"] | None = None


@dataclass(frozen=True)
class Truth:
    """Ground truth for the maps of one `Prediction`, on the same grid."""

    footprint: Float32[np.ndarray, "history height width"]
    footprint_valid: Bool[np.ndarray, "history height width"]
    footprint_presence: Bool[np.ndarray, " history"]
    bearing: Float32[np.ndarray, "history 3"]
    distance_m: Float32[np.ndarray, " history"]
    target: Float32[np.ndarray, "instructions keyframes height width"]
    target_valid: Bool[np.ndarray, "instructions keyframes height width"]
    target_presence: Bool[np.ndarray, "instructions keyframes"]
