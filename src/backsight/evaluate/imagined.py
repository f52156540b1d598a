"""A checkpoint's answers for imagined views, written as files."""

from pathlib import Path

import numpy as np
from rich.progress import track

from backsight.data.imagined_views import current_from_imagined
from backsight.evaluate.imagined_files import ImaginedPrediction, prediction_path, write_imagined
from backsight.evaluate.samples import EvaluationConfig, EvaluationSample, SequenceSource, samples_of
from backsight.model.backsight import Backsight
from backsight.model.prediction import Asked, default_device, predict_frames
from backsight.records.sequence import Sequence


def predict_imagined(checkpoint: Path, source: SequenceSource, out: Path, config: EvaluationConfig) -> Path | None:
    """Write what a checkpoint says of every imagined view and return the folder; None where the walks have none.

    Only RGB, the instructions and the relative poses asked for are read; cameras and depth are the model's own.

    Args:
        checkpoint: folder that `Backsight.save_pretrained` wrote.
        source: the walks.
        out: folder for the predictions.
        config: of the evaluation.
    """
    ids = [i for i in source.sequence_ids() if source.annotations(i).imagined]
    if not ids:
        return None
    model = Backsight.from_pretrained(checkpoint).to(default_device())
    for sequence_id in track(ids, description="imagined views", transient=True):
        sequence = source.read(sequence_id)
        for sample in samples_of(sequence.annotations, config.max_history):
            if sample.instructions and len(current_from_imagined(sequence, sample.current_frame)):
                path = prediction_path(out, sequence_id, sample.current_frame)
                write_imagined(path, imagined_sample(model, sequence, sample, config))
    return out


def imagined_sample(
    model: Backsight, sequence: Sequence, sample: EvaluationSample, config: EvaluationConfig
) -> ImaginedPrediction:
    """Return what the model says of one current view's imagined views, by the path that every prediction takes.

    Args:
        model: in evaluation mode.
        sequence: the walk; only its RGB is read, and the poses of the views relative to the current one.
        sample: with instructions.
        config: of the evaluation.
    """
    frames = np.append(sample.history_frames, sample.current_frame)
    asked = Asked(
        frame_index=frames,
        instructions=tuple(one.text for one in sample.instructions),
        keyframes=config.keyframes,
        num_keyframes=config.num_keyframes,
        footprints=False,
        answers=False,
        current_from_imagined=current_from_imagined(sequence, sample.current_frame).astype(np.float32),
    )
    found = predict_frames(model, sequence.rgb[frames], asked)
    if found.imagined is None or found.imagined_presence is None:
        raise ValueError("the model gave no maps for the imagined views")
    return ImaginedPrediction(
        keyframes=found.keyframes,
        target=found.imagined,
        presence=found.imagined_presence,
        current_target=found.target[:, -1],
    )
