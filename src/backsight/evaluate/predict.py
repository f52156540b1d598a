"""Predictions of a checkpoint for the walks of an evaluation, written to files."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from rich.progress import track

from backsight.evaluate.metric_names import MODEL, MODEL_GIVEN, SHUFFLED
from backsight.evaluate.prediction_files import PredictionWriter
from backsight.evaluate.samples import EvaluationConfig, EvaluationSample, Geometry, SequenceSource, Shuffle, samples_of
from backsight.evaluate.shuffle import InstructionKey, deranged_history, shuffled_texts, split_instructions
from backsight.model.backsight import Backsight
from backsight.model.given import GivenWalk
from backsight.model.prediction import Asked, predict_frames
from backsight.records.errors import DataError, UsageError
from backsight.records.prediction import Prediction, PredictionInfo
from backsight.records.sequence import Sequence


def predict_split(
    checkpoint: Path,
    source: SequenceSource,
    out: Path,
    config: EvaluationConfig,
    shuffle: Shuffle | None = None,
    geometry: Geometry = "estimated",
) -> Path:
    """Write the predictions of a checkpoint to `out/model` and return that folder.

    A shuffle has a folder of its own: with shuffled instructions only targets are predicted, with shuffled history only
    footprints. With given geometry it is `out/model_given`; otherwise only RGB and the instructions are read.

    Args:
        checkpoint: folder that `Backsight.save_pretrained` wrote.
        source: the walks to predict.
        out: folder that holds one folder for each predictor.
        config: of the evaluation; its grid must be the checkpoint's.
        shuffle: instructions gives every instruction the text of one that names another category, history gives
            every history frame the image of another one of the same walk.
        geometry: whether the model is given the walks' depth and poses; not together with a shuffle.

    Raises:
        UsageError: the checkpoint's maps are of another size than the configuration's.
    """
    model = Backsight.from_pretrained(checkpoint).eval()
    grid = model.config.map_columns, model.config.map_rows
    if grid != (config.map_width, config.map_height):
        wanted = f"{config.map_width} x {config.map_height}"
        raise UsageError(f"{checkpoint}: its maps are {grid[0]} x {grid[1]} cells, the evaluation asks for {wanted}")
    if shuffle is not None and geometry == "given":
        raise UsageError("shuffled predictions are made from images alone: geometry must be estimated")
    texts = shuffled_texts(split_instructions(source), config.seed) if shuffle == "instructions" else {}
    name = SHUFFLED[shuffle] if shuffle is not None else MODEL_GIVEN if geometry == "given" else MODEL
    identity = checkpoint_id(checkpoint)
    ids = source.sequence_ids()
    total = sum(len(samples_of(source.annotations(i), config.max_history)) for i in ids)
    walks = track(source.samples(config.max_history), description=name, total=total, transient=True)
    with PredictionWriter(out / name) as writer:
        for sequence, whole in walks:
            sample = replace(whole, instructions=()) if shuffle == "history" else whole
            order = deranged_history(sample, config.seed) if shuffle == "history" else None
            info = PredictionInfo(
                predictor=name,
                sequence_id=sample.sequence_id,
                place_id=sample.place_id,
                current_frame=sample.current_frame,
                geometry=geometry,
                instruction_ids=sample.instruction_ids,
                checkpoint=identity,
                attention_backend=model.config.attention,
            )
            writer.add(predict_sample(model, sequence, sample, config, info, texts, order))
    return out / name


def checkpoint_id(checkpoint: Path) -> str:
    """Return the first 16 hexadecimal digits of the sha256 of a checkpoint's weights.

    Raises:
        DataError: the folder holds no weights.
    """
    files = sorted(checkpoint.glob("*.safetensors"))
    if not files:
        raise DataError(checkpoint, "weights", "no .safetensors file", "give the folder that save_pretrained wrote")
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def predict_sample(
    model: Backsight,
    sequence: Sequence,
    sample: EvaluationSample,
    config: EvaluationConfig,
    info: PredictionInfo,
    texts: Mapping[InstructionKey, str],
    history_order: Int64[np.ndarray, " shuffled"] | None = None,
) -> Prediction:
    """Return the prediction of one sample, by the model's own path from frames to predictions.

    Args:
        model: in evaluation mode.
        sequence: the walk; only its RGB is read where `info` says that geometry is estimated.
        sample: current frame, history, instructions.
        config: of the evaluation.
        info: goes into the prediction.
        texts: exchanged texts; when there are any, footprints are left out.
        history_order: history position whose image each history position gets; when empty, footprints are left out.
    """
    frames = np.append(sample.history_frames, sample.current_frame)
    shuffled = history_order is not None and len(history_order) > 0
    shown = np.append(sample.history_frames[history_order], frames[-1]) if shuffled else frames
    asked = Asked(
        frame_index=frames,
        instructions=tuple(texts.get((sample.sequence_id, i.instruction_id), i.text) for i in sample.instructions),
        keyframes=config.keyframes,
        num_keyframes=config.num_keyframes,
        footprints=not texts and (history_order is None or shuffled),
    )
    given = None
    if info.geometry == "given":
        given = GivenWalk(sequence.depth_m[frames], sequence.world_from_camera[frames], sequence.intrinsics)
    return replace(predict_frames(model, sequence.rgb[shown], asked, given), info=info)
