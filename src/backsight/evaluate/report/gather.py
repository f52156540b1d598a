"""From prediction files to the walks of a report."""

from pathlib import Path

import numpy as np

from backsight.evaluate.prediction_files import read_index, read_prediction
from backsight.evaluate.report.content import Walk, choose_walks
from backsight.evaluate.samples import EvaluationConfig, SequenceSource, samples_of
from backsight.evaluate.score import SampleKey, frame_aucs
from backsight.evaluate.truth import truth_of
from backsight.records.errors import DataError


def gather_walks(
    folder: Path,
    source: SequenceSource,
    config: EvaluationConfig,
    sample_aucs: dict[SampleKey, float],
    num_random: int = 2,
) -> tuple[Walk, ...]:
    """Return the median, the best, the worst and some random samples with predictions and truths.

    Args:
        folder: predictions of the model.
        source: the walks they belong to.
        config: of the evaluation.
        sample_aucs: the model's, of `score_all`.
        num_random: random samples beside the three.

    Raises:
        DataError: the folder lacks a chosen sample.
    """
    entries = {(e.info.sequence_id, e.info.current_frame): e for e in read_index(folder)}
    walks = []
    for key, reason in choose_walks(sample_aucs, num_random, config.seed):
        if key not in entries:
            raise DataError(folder, key[0], f"frame {key[1]} is not predicted")
        prediction = read_prediction(folder, entries[key])
        sequence = source.read(key[0])
        (sample,) = [s for s in samples_of(sequence.annotations, config.max_history) if s.key == key]
        fit = config.fit_of(sequence)
        frames = sample.current_frame, sample.history_frames, prediction.keyframes
        truth = truth_of(sequence, *frames, sample.instructions, fit)
        aucs = frame_aucs(prediction, truth)
        mean = float(np.mean([auc for auc in aucs if auc is not None]))
        walks.append(Walk(reason, sequence, fit, prediction, truth, sample.instructions, mean, aucs))
    return tuple(walks)
