"""Answers in words against the true ones, and the answer that training says most often."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backsight.evaluate.metric_names import reasoning_suffix
from backsight.evaluate.samples import EvaluationSample, SequenceSource
from backsight.evaluate.tally import Tally
from backsight.metrics.answers import normalised_answer, pointed_right
from backsight.records.prediction import Prediction, Truth

TRAINING_SPLIT = "train"


@dataclass(frozen=True)
class CommonestAnswers:
    """What someone would say who has only read the training answers; normalised."""

    overall: str
    by_type: Mapping[str, str]
    """By reasoning type; a type that training lacks has the overall one."""

    def of(self, reasoning_type: str) -> str:
        """Return the answer for one reasoning type."""
        return self.by_type.get(reasoning_type, self.overall)


def commonest_answers(source: SequenceSource) -> CommonestAnswers:
    """Count the answers of the data set's training split; of the walks themselves where they belong to no data set.

    Args:
        source: the walks that are evaluated.
    """
    training = source if source.root is None else SequenceSource(source.root, TRAINING_SPLIT)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sequence_id in training.sequence_ids():
        for one in training.annotations(sequence_id).instructions:
            counts[one.reasoning_type][normalised_answer(one.answer)] += 1
    overall = sum(counts.values(), Counter())
    return CommonestAnswers(_commonest(overall), {kind: _commonest(found) for kind, found in counts.items()})


def _commonest(found: Counter[str]) -> str:
    # Of equally frequent ones the first in the alphabet: the order of walks must not matter.
    return min(found, key=lambda text: (-found[text], text), default="")


def add_answers(
    tally: Tally, sample: EvaluationSample, prediction: Prediction, truth: Truth, commonest: CommonestAnswers
) -> None:
    """Add exact match, its chance, pointing hit and both right, over all instructions and by reasoning type.

    Instructions without a true answer in words are left out.

    Args:
        tally: of the predictor.
        sample: with the instructions.
        prediction: with answers; without any, nothing is added.
        truth: of the same keyframes.
        commonest: of training.
    """
    if not prediction.answers:
        return
    true = [normalised_answer(one.answer) for one in sample.instructions]
    kinds = np.array([one.reasoning_type for one in sample.instructions], dtype=np.str_)
    asked = np.array([text != "" for text in true], dtype=bool)

    def equal(told: list[str]) -> np.ndarray:
        return np.array([a == b for a, b in zip(told, true, strict=True)], dtype=np.float64)

    right = equal([normalised_answer(text) for text in prediction.answers])
    hit = pointed_right(prediction.target, prediction.target_presence, truth.target, truth.target_presence)
    by_type = equal([commonest.of(one.reasoning_type) for one in sample.instructions])
    for suffix, rows, chance in [
        ("", asked, equal([commonest.overall] * len(true))),
        *((reasoning_suffix(kind), asked & (kinds == kind), by_type) for kind in sorted(set(kinds.tolist()))),
    ]:
        if rows.any():
            tally.add_means(f"reasoning_accuracy{suffix}", sample, right[rows])
            tally.add_means(f"reasoning_accuracy_chance{suffix}", sample, chance[rows])
            tally.add_means(f"reasoning_hit{suffix}", sample, hit[rows])
            tally.add_means(f"reasoning_both{suffix}", sample, right[rows] * hit[rows])
