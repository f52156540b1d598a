"""Validation while training: a few figures on places not trained on, and the calibration from them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64
from torch import Tensor

from backsight.data.sampler import EpochSampler
from backsight.data.truth import MapGrid
from backsight.metrics.attention import attention_alignment
from backsight.metrics.presence import auroc
from backsight.metrics.spatial import auc, eligible, pointing_hit
from backsight.model.backsight import Backsight
from backsight.model.calibration import Calibration, Platt
from backsight.model.config import IMAGE_TOKEN_CELLS
from backsight.model.outputs import Footprints, Targets
from backsight.model.question import Question
from backsight.records.batch import Batch
from backsight.records.errors import DataError
from backsight.train.calibrate import fit_platt
from backsight.train.data import BatchSource, model_images
from backsight.train.imagined_terms import imagined_arrays
from backsight.train.step import BatchTruth, batch_truth

Autocast = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class ValidationOutputs:
    """Logits and truths of both families, flattened over batches."""

    footprint: Float32[np.ndarray, "maps rows columns"]
    footprint_truth: Float32[np.ndarray, "maps rows columns"]
    footprint_valid: Bool[np.ndarray, "maps rows columns"]
    footprint_presence: Float32[np.ndarray, " maps"]
    footprint_present: Bool[np.ndarray, " maps"]
    target: Float32[np.ndarray, "targets rows columns"]
    target_truth: Float32[np.ndarray, "targets rows columns"]
    target_presence: Float32[np.ndarray, " targets"]
    target_present: Bool[np.ndarray, " targets"]
    imagined: Float32[np.ndarray, "views rows columns"]
    """Of imagined views, those alone whose target a keyframe shows; none where the walks have none."""
    imagined_truth: Float32[np.ndarray, "views rows columns"]
    imagined_presence: Float32[np.ndarray, " views"]
    imagined_present: Bool[np.ndarray, " views"]
    answer_right: Bool[np.ndarray, " answers"]
    """Whether the true answer is what would be generated."""
    alignment: Float64[np.ndarray, " present"]
    """SIM of each present target's map and its `<heat>` token's attention."""
    alignment_control: Float64[np.ndarray, " present"]
    """The same with the other views' `<heat>` tokens; NaN where there is no other view."""


@torch.no_grad()
def validation_outputs(
    model: Backsight, source: BatchSource, grid: MapGrid, samples: int, autocast: Autocast
) -> ValidationOutputs:
    """Run the model over the same `samples` current views every time it is called.

    Args:
        model: to judge.
        source: of validation places.
        grid: of the maps.
        samples: number of current views.
        autocast: precision of the model alone; the truth is computed in full precision.
    """
    model.eval()
    parts: list[dict[str, np.ndarray]] = []
    for batch in _batches(source, samples, next(model.parameters()).device):
        if not batch.has_truth.all():
            raise DataError(
                source.data.cache.root, "depth", "a validation walk has none", "validate on walks with truth"
            )
        with autocast():
            asked = None if batch.imagined is None else batch.imagined.current_from_imagined
            question = Question(
                batch.keyframes, batch.frame_index, batch.instruction_tokens, batch.answer_tokens, True, asked
            )
            outputs = model(model_images(batch, grid), question, batch.current, batch.history)
        parts.append(_flatten(batch, batch_truth(batch, grid), *outputs[1:]))
    model.train()
    return ValidationOutputs(**{key: np.concatenate([part[key] for part in parts]) for key in parts[0]})


def _batches(source: BatchSource, samples: int, device: torch.device) -> Iterator[Batch]:
    sampler = EpochSampler(len(source.items), seed=0)
    draws = sampler.next_batch(min(samples, len(source.items)))
    size = source.config.batch_size
    for start in range(0, len(draws), size):
        yield source.batch(draws[start : start + size]).to(device)


def _flatten(batch: Batch, truth: BatchTruth, footprints: Footprints, targets: Targets) -> dict[str, np.ndarray]:
    real = batch.has_instruction[..., None].expand_as(truth.target.present)

    def array(values: Tensor) -> np.ndarray:
        return values.float().cpu().numpy() if values.is_floating_point() else values.cpu().numpy()

    return {
        "footprint": array(footprints.logits.flatten(0, 1)),
        "footprint_truth": array(truth.footprint.maps.flatten(0, 1)),
        "footprint_valid": array(truth.footprint.valid.flatten(0, 1)),
        "footprint_presence": array(footprints.presence_logits.flatten()),
        "footprint_present": array(truth.footprint.present.flatten()),
        "target": array(targets.logits[real]),
        "target_truth": array(truth.target.maps[real]),
        "target_presence": array(targets.presence_logits[real]),
        "target_present": array(truth.target.present[real]),
        **imagined_arrays(truth.imagined, targets),
        **_language_figures(batch, truth, targets),
    }


def _language_figures(batch: Batch, truth: BatchTruth, targets: Targets) -> dict[str, np.ndarray]:
    if targets.answers is None or targets.attention is None:
        raise ValueError("validation needs the answers' likelihood and the attention")
    asked = targets.answers.counted.any(-1)
    right = (targets.answers.likeliest | ~targets.answers.counted).all(-1)
    aligned = attention_alignment(
        targets.attention.float().flatten(0, 1).cpu().numpy(),
        truth.target.maps.flatten(0, 1).cpu().numpy(),
        truth.grid.rows // IMAGE_TOKEN_CELLS,
    )
    present = truth.target.present.flatten(0, 1).cpu().numpy()
    return {
        "answer_right": right[asked].cpu().numpy(),
        "alignment": aligned.value[present],
        "alignment_control": aligned.control[present],
    }


def validation_metrics(outputs: ValidationOutputs) -> dict[str, float]:
    """Return the points of the learning curve, means over maps; what nothing is eligible for is left out."""
    values: dict[str, float] = {}
    if 0 < outputs.footprint_present.sum() < len(outputs.footprint_present):
        presence = auroc(outputs.footprint_presence, outputs.footprint_present)
        values["footprint_presence_auroc"] = float(presence[0])
    if 0 < outputs.imagined_present.sum() < len(outputs.imagined_present):
        presence = auroc(outputs.imagined_presence, outputs.imagined_present)
        values["imagined_presence_auroc"] = float(presence[0])
    target_valid = np.ones(outputs.target.shape, dtype=bool)
    families = {
        "footprint": (outputs.footprint, outputs.footprint_truth, outputs.footprint_valid),
        "target": (outputs.target, outputs.target_truth, target_valid),
        "imagined": (outputs.imagined, outputs.imagined_truth, np.ones(outputs.imagined.shape, dtype=bool)),
    }
    for family, (predicted, truth, valid) in families.items():
        judged = eligible(truth, valid)
        if judged.any():
            chosen = predicted[judged], truth[judged], valid[judged]
            values[f"{family}_auc"] = float(auc(*chosen).mean())
            values[f"{family}_hit"] = float(pointing_hit(*chosen).mean())
    if len(outputs.answer_right):
        values["reasoning_accuracy"] = float(outputs.answer_right.mean())
    if len(outputs.alignment):
        values["attention_alignment"] = float(outputs.alignment.mean())
        compared = outputs.alignment_control[~np.isnan(outputs.alignment_control)]
        if len(compared):
            values["attention_alignment_control"] = float(compared.mean())
    return values


def fit_calibration(outputs: ValidationOutputs) -> Calibration:
    """Return the scaling of each kind of output that fits the validation truths best."""

    def fit(logits: np.ndarray, truth: np.ndarray) -> Platt:
        return fit_platt(logits.astype(np.float64), truth.astype(np.float64))

    valid = outputs.footprint_valid
    fitted = {
        "footprint": fit(outputs.footprint[valid], outputs.footprint_truth[valid]),
        "footprint_presence": fit(outputs.footprint_presence, outputs.footprint_present),
    }
    if len(outputs.target):
        fitted["target"] = fit(outputs.target.ravel(), outputs.target_truth.ravel())
        fitted["target_presence"] = fit(outputs.target_presence, outputs.target_present)
    if len(outputs.imagined):
        fitted["imagined"] = fit(outputs.imagined.ravel(), outputs.imagined_truth.ravel())
        fitted["imagined_presence"] = fit(outputs.imagined_presence, outputs.imagined_present)
    return Calibration(**fitted)
