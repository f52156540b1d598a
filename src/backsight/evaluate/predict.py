"""Predictions of a checkpoint, from RGB alone, written to files."""

import hashlib
from collections.abc import Mapping
from collections.abc import Sequence as Sized
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64
from rich.progress import track
from torch import Tensor

from backsight.data.keyframes import select_keyframes, uniform_keyframes
from backsight.evaluate.metric_names import MODEL, SHUFFLED
from backsight.evaluate.prediction_files import PredictionWriter
from backsight.evaluate.samples import CELL_PX, EvaluationConfig, EvaluationSample, SequenceSource, Shuffle, samples_of
from backsight.evaluate.shuffle import InstructionKey, deranged_history, shuffled_texts, split_instructions
from backsight.model.backsight import Backsight
from backsight.model.frames import fit_frames
from backsight.model.geometry.pose_encoding import intrinsics_of, world_from_camera_of
from backsight.model.outputs import Encoding
from backsight.model.question import Question
from backsight.model.tokenizer import encode_texts
from backsight.records.errors import DataError, UsageError
from backsight.records.prediction import Prediction, PredictionInfo
from backsight.records.sequence import Sequence

MAX_CANDIDATES = 32
"""Uniform keyframe candidates when depth is estimated (task.md)."""
POINT_STRIDE_PX = 6
"""Every such pixel of the estimated depth is unprojected."""
CONFIDENT_SHARE = 0.8
"""The most confident share of the estimated depths counts for the choice of keyframes."""


def predict_split(
    checkpoint: Path,
    source: SequenceSource,
    out: Path,
    config: EvaluationConfig,
    shuffle: Shuffle | None = None,
) -> Path:
    """Write the predictions of a checkpoint to `out/model` (or that of a shuffle) and return that folder.

    Only RGB and the instructions are read. With shuffled instructions only targets are predicted, with shuffled
    history only footprints.

    Args:
        checkpoint: folder that `Backsight.save_pretrained` wrote.
        source: the walks to predict.
        out: folder that holds one folder for each predictor.
        config: of the evaluation; its grid must be the checkpoint's.
        shuffle: instructions gives every instruction the text of one that names another category, history gives
            every history frame the image of another one of the same walk.

    Raises:
        UsageError: the checkpoint's maps are of another size than the configuration's.
    """
    model = Backsight.from_pretrained(checkpoint).eval()
    grid = model.config.map_columns, model.config.map_rows
    if grid != (config.map_width, config.map_height):
        wanted = f"{config.map_width} x {config.map_height}"
        raise UsageError(f"{checkpoint}: its maps are {grid[0]} x {grid[1]} cells, the evaluation asks for {wanted}")
    texts = shuffled_texts(split_instructions(source), config.seed) if shuffle == "instructions" else {}
    name = MODEL if shuffle is None else SHUFFLED[shuffle]
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
                geometry="estimated",
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


@torch.inference_mode()
def predict_sample(
    model: Backsight,
    sequence: Sequence,
    sample: EvaluationSample,
    config: EvaluationConfig,
    info: PredictionInfo,
    texts: Mapping[InstructionKey, str],
    history_order: Int64[np.ndarray, " shuffled"] | None = None,
) -> Prediction:
    """Return the prediction of one sample; every frame is encoded once.

    Args:
        model: in evaluation mode.
        sequence: the walk; only its RGB is read.
        sample: current frame, history, instructions.
        config: of the evaluation.
        info: goes into the prediction.
        texts: exchanged texts; when there are any, footprints are left out.
        history_order: history position whose image each history position gets; when empty, footprints are left out.
    """
    frames = np.append(sample.history_frames, sample.current_frame)
    shuffled = history_order is not None and len(history_order) > 0
    shown = np.append(sample.history_frames[history_order], frames[-1]) if shuffled else frames
    images = fit_frames(sequence.rgb[shown], config.map_width * CELL_PX, config.map_height * CELL_PX)
    rgb = images[None].to(next(model.parameters()).device)
    encoding = model.encode(rgb)
    positions = (
        uniform_keyframes(len(frames), config.num_keyframes)
        if config.keyframes == "uniform"
        else estimated_keyframes(encoding, config.num_keyframes)
    )
    words = [texts.get((sample.sequence_id, i.instruction_id), i.text) for i in sample.instructions]
    target, target_presence, answers = _targets(model, encoding, rgb, positions, frames, words)
    left_out = bool(texts) or (history_order is not None and not shuffled)
    history = np.zeros(0, dtype=np.int64) if left_out else sample.history_frames
    footprint, footprint_presence, bearing, distance_m = _footprints(model, encoding, len(history))
    return Prediction(
        info=info,
        history_frames=history,
        footprint=footprint,
        footprint_presence=footprint_presence,
        bearing=bearing,
        distance_m=distance_m,
        keyframes=frames[positions],
        target=target,
        target_presence=target_presence,
        answers=answers,
    )


def estimated_keyframes(encoding: Encoding, num_keyframes: int) -> Int64[np.ndarray, " keyframes"]:
    """Return positions of keyframes by the model's own depth and cameras, the last frame among them.

    Args:
        encoding: of one sample.
        num_keyframes: how many at most.
    """
    num_frames = encoding.depth.shape[1]
    candidates = uniform_keyframes(num_frames, MAX_CANDIDATES)
    poses = encoding.pose_encodings[-1, 0, candidates].double()
    depth = encoding.depth[0, candidates].double()
    height, width = depth.shape[1:]
    half = POINT_STRIDE_PX // 2
    row, column = torch.meshgrid(
        torch.arange(half, height, POINT_STRIDE_PX, device=depth.device),
        torch.arange(half, width, POINT_STRIDE_PX, device=depth.device),
        indexing="ij",
    )
    pixels = torch.stack([column + 0.5, row + 0.5, torch.ones_like(row)], dim=-1).double().flatten(0, 1)
    rays = pixels @ torch.linalg.inv(intrinsics_of(poses, width, height)).transpose(1, 2)
    sampled = depth[:, row, column].flatten(1)
    world_from_camera = world_from_camera_of(poses)
    points = sampled[..., None] * rays @ world_from_camera[:, :3, :3].transpose(1, 2)
    points = points + world_from_camera[:, None, :3, 3]
    confidence = encoding.depth_confidence[0, candidates][:, row, column].flatten(1).double()
    valid = (sampled > 0) & (confidence >= torch.quantile(confidence, 1.0 - CONFIDENT_SHARE))
    chosen = select_keyframes(points.float().cpu().numpy(), valid.cpu().numpy(), num_keyframes, metric_scale=False)
    return candidates[chosen]


def _footprints(
    model: Backsight, encoding: Encoding, num_history: int
) -> tuple[
    Float32[np.ndarray, "history height width"],
    Float32[np.ndarray, " history"],
    Float32[np.ndarray, "history 3"],
    Float32[np.ndarray, " history"],
]:
    if not num_history:
        shape = (0, model.config.map_rows, model.config.map_columns)
        empty = np.zeros(0, dtype=np.float32)
        return np.zeros(shape, dtype=np.float32), empty, np.zeros((0, 3), dtype=np.float32), empty
    device = encoding.match.device
    found = model.footprints(
        encoding,
        torch.tensor([[0, num_history]], device=device),
        torch.arange(num_history, device=device)[None],
    )
    return (
        _array(model.calibration.footprint.probability(found.logits[0])),
        _array(model.calibration.footprint_presence.probability(found.presence_logits[0])),
        _array(found.bearing[0]),
        _array(found.log_distance[0].exp()),
    )


def _targets(
    model: Backsight,
    encoding: Encoding,
    rgb: Tensor,
    positions: Int64[np.ndarray, " keyframes"],
    frames: Int64[np.ndarray, " frames"],
    words: Sized[str],
) -> tuple[
    Float32[np.ndarray, "instructions keyframes height width"],
    Float32[np.ndarray, "instructions keyframes"],
    tuple[str, ...],
]:
    if not words:
        shape = (0, len(positions), model.config.map_rows, model.config.map_columns)
        return np.zeros(shape, dtype=np.float32), np.zeros(shape[:2], dtype=np.float32), ()
    question = Question(
        torch.from_numpy(positions)[None].to(rgb.device),
        torch.from_numpy(frames)[None].to(rgb.device),
        encode_texts(model.tokenizer, words)[None].to(rgb.device),
    )
    found = model.targets(encoding, rgb, question)
    return (
        _array(model.calibration.target.probability(found.logits[0])),
        _array(model.calibration.target_presence.probability(found.presence_logits[0])),
        model.answers(encoding, rgb, question)[0],
    )


def _array(values: Tensor) -> Float32[np.ndarray, "..."]:
    return values.float().cpu().numpy()
