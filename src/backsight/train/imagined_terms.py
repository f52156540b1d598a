"""The target terms over imagined views."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from backsight.data.truth import ImaginedTruth
from backsight.losses.reasoning import target_losses
from backsight.losses.total import MapTruth, Term, constant_maps
from backsight.model.outputs import Targets


def imagined_terms(truth: ImaginedTruth | None, targets: Targets) -> dict[str, Term]:
    """Return the terms of what the model says of imagined views; nothing where there are none.

    Args:
        truth: Of the batch.
        targets: Of the same batch.
    """
    if truth is None or targets.imagined_logits is None or targets.imagined_presence_logits is None:
        return {}
    return _terms(truth, targets.imagined_logits.float(), targets.imagined_presence_logits.float())


def constant_imagined_terms(truth: ImaginedTruth | None) -> dict[str, Term]:
    """Return the same terms for one best constant in all cells of all maps."""
    if truth is None:
        return {}
    valid = torch.ones_like(truth.maps, dtype=torch.bool)
    constant = constant_maps(MapTruth(truth.maps, valid, truth.present, truth.counted))
    return _terms(truth, constant.logits, constant.presence_logits)


def imagined_arrays(truth: ImaginedTruth | None, targets: Targets) -> dict[str, np.ndarray]:
    """Return logits and truths of all pairs that count, for validation; empty where there are none.

    Args:
        truth: Of the batch.
        targets: Of the same batch.
    """
    if truth is None or targets.imagined_logits is None or targets.imagined_presence_logits is None:
        maps = np.zeros((0, *targets.logits.shape[-2:]), dtype=np.float32)
        none = np.zeros(0, dtype=np.float32)
        return {
            "imagined": maps,
            "imagined_truth": maps,
            "imagined_presence": none,
            "imagined_present": none.astype(bool),
        }
    counted = truth.counted
    return {
        "imagined": targets.imagined_logits[counted].float().cpu().numpy(),
        "imagined_truth": truth.maps[counted].cpu().numpy(),
        "imagined_presence": targets.imagined_presence_logits[counted].float().cpu().numpy(),
        "imagined_present": truth.present[counted].cpu().numpy(),
    }


def _terms(
    truth: ImaginedTruth,
    logits: Float[Tensor, "batch instructions imagined rows columns"],
    presence_logits: Float[Tensor, "batch instructions imagined"],
) -> dict[str, Term]:
    valid = torch.ones_like(truth.maps, dtype=torch.bool)
    loss = target_losses(logits, presence_logits, truth.maps, valid, truth.present)
    return {
        "imagined_bce": Term(loss.bce, truth.counted),
        "imagined_iou": Term(loss.iou, truth.counted & truth.present),
        "imagined_presence": Term(loss.presence, truth.counted),
    }
