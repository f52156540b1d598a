"""A checkpoint's answers for imagined views, written as files."""

from pathlib import Path

import numpy as np
import torch
from rich.progress import track

from backsight.data.imagined_views import current_from_imagined
from backsight.evaluate.imagined_files import ImaginedPrediction, prediction_path, write_imagined
from backsight.evaluate.samples import CELL_PX, EvaluationConfig, EvaluationSample, SequenceSource, samples_of
from backsight.model.backsight import Backsight
from backsight.model.frames import fit_frames
from backsight.model.prediction import estimated_keyframes
from backsight.model.question import Question
from backsight.model.tokenizer import encode_texts
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
    model = Backsight.from_pretrained(checkpoint).eval()
    for sequence_id in track(ids, description="imagined views", transient=True):
        sequence = source.read(sequence_id)
        for sample in samples_of(sequence.annotations, config.max_history):
            if sample.instructions and len(current_from_imagined(sequence, sample.current_frame)):
                path = prediction_path(out, sequence_id, sample.current_frame)
                write_imagined(path, imagined_sample(model, sequence, sample, config))
    return out


@torch.inference_mode()
def imagined_sample(
    model: Backsight, sequence: Sequence, sample: EvaluationSample, config: EvaluationConfig
) -> ImaginedPrediction:
    """Return what the model says of one current view's imagined views.

    Args:
        model: in evaluation mode.
        sequence: the walk; only its RGB is read, and the poses of the views relative to the current one.
        sample: with instructions.
        config: of the evaluation.
    """
    frames = np.append(sample.history_frames, sample.current_frame)
    images = fit_frames(sequence.rgb[frames], config.map_width * CELL_PX, config.map_height * CELL_PX)
    rgb = images[None].to(next(model.parameters()).device)
    encoding = model.encode(rgb)
    positions = estimated_keyframes(encoding, config.num_keyframes)
    poses = current_from_imagined(sequence, sample.current_frame).astype(np.float32)
    question = Question(
        torch.from_numpy(positions)[None].to(rgb.device),
        torch.from_numpy(frames)[None].to(rgb.device),
        encode_texts(model.tokenizer, [one.text for one in sample.instructions])[None].to(rgb.device),
        current_from_imagined=torch.from_numpy(poses)[None].to(rgb.device),
    )
    found = model.targets(encoding, rgb, question)
    if found.imagined_logits is None or found.imagined_presence_logits is None:
        raise ValueError("the model gave no maps for the imagined views")
    scaling = model.calibration
    return ImaginedPrediction(
        keyframes=frames[positions],
        target=_array(scaling.imagined.probability(found.imagined_logits[0])),
        presence=_array(scaling.imagined_presence.probability(found.imagined_presence_logits[0])),
        current_target=_array(scaling.target.probability(found.logits[0, :, -1])),
    )


def _array(values: torch.Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
