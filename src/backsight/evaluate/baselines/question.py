"""What every baseline is asked, and how an answer is put together."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64

from backsight.evaluate.samples import EvaluationConfig, EvaluationSample
from backsight.geometry.cells import ImageFit
from backsight.records.prediction import Prediction, PredictionInfo
from backsight.records.sequence import Sequence


@dataclass(frozen=True)
class Question:
    """One current view with its history, instructions and keyframes."""

    sequence: Sequence
    sample: EvaluationSample
    keyframes: Int64[np.ndarray, " keyframes"]
    """Frame indices, those of the model's prediction, so that all predictors are judged on the same views."""
    config: EvaluationConfig

    @property
    def fit(self) -> ImageFit:
        """Crop from stored images to the maps' field of view."""
        return self.config.fit_of(self.sequence)

    @property
    def map_shape(self) -> tuple[int, int]:
        """Height and width of a map in cells."""
        return self.config.map_height, self.config.map_width

    @property
    def num_history(self) -> int:
        """Number of history frames."""
        return len(self.sample.history_frames)

    @property
    def num_instructions(self) -> int:
        """Number of instructions."""
        return len(self.sample.instructions)


@dataclass(frozen=True)
class FootprintAnswer:
    """What a predictor says of every history frame."""

    footprint: Float[np.ndarray, "history height width"]
    presence: Float[np.ndarray, " history"]
    bearing: Float[np.ndarray, "history 3"] | None = None
    distance_m: Float[np.ndarray, " history"] | None = None


@dataclass(frozen=True)
class TargetAnswer:
    """What a predictor says of every instruction and keyframe."""

    target: Float[np.ndarray, "instructions keyframes height width"]
    presence: Float[np.ndarray, "instructions keyframes"]


@dataclass(frozen=True)
class Answer:
    """A predictor's answer; None where it says nothing."""

    predictor: str
    footprints: FootprintAnswer | None = None
    targets: TargetAnswer | None = None
    geometry: str = "estimated"


def presence_probability(share: Float[np.ndarray, "*maps"]) -> Float32[np.ndarray, "*maps"]:
    """Return a presence probability from the share of the view that is taken: one half at 1 %, rising."""
    return (share / (share + 0.01)).astype(np.float32)


def answer_prediction(question: Question, answer: Answer) -> Prediction:
    """Return the answer as a prediction; what is not answered is left empty."""
    sample, (height, width) = question.sample, question.map_shape
    footprints, targets = answer.footprints, answer.targets
    if footprints is None:
        footprints = FootprintAnswer(np.zeros((0, height, width)), np.zeros(0))
    if targets is None:
        targets = TargetAnswer(
            np.zeros((0, len(question.keyframes), height, width)), np.zeros((0, len(question.keyframes)))
        )
    history = sample.history_frames[: len(footprints.footprint)]
    bearing = np.zeros((len(history), 3)) if footprints.bearing is None else footprints.bearing
    distance_m = np.zeros(len(history)) if footprints.distance_m is None else footprints.distance_m
    return Prediction(
        info=PredictionInfo(
            predictor=answer.predictor,
            sequence_id=sample.sequence_id,
            place_id=sample.place_id,
            current_frame=sample.current_frame,
            geometry=answer.geometry,
            instruction_ids=sample.instruction_ids[: len(targets.target)],
        ),
        history_frames=history,
        footprint=footprints.footprint.astype(np.float32),
        footprint_presence=footprints.presence.astype(np.float32),
        bearing=bearing.astype(np.float32),
        distance_m=distance_m.astype(np.float32),
        keyframes=question.keyframes,
        target=targets.target.astype(np.float32),
        target_presence=targets.presence.astype(np.float32),
    )
