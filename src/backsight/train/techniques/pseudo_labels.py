"""Self-training: what a teacher is sure of becomes the truth of samples that have none."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from backsight.losses.projection import balanced_bce, presence_bce
from backsight.losses.total import Term
from backsight.model.calibration import Calibration
from backsight.model.outputs import Footprints, Targets
from backsight.records.batch import Batch


class PseudoLabelConfig(BaseModel):
    """When a teacher is sure enough; how much it counts: `weights.terms`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = False
    teacher: Path | None = None
    """Model folder of an earlier run; none: the averaged weights of this run."""
    likely: float = Field(default=0.9, gt=0.5, le=1.0)
    """Calibrated probability from which a cell is positive."""
    unlikely: float = Field(default=0.1, ge=0.0, lt=0.5)
    """Probability up to which a cell is negative."""
    presence: float = Field(default=0.9, gt=0.5, le=1.0)
    """Probability of presence, or of absence, from which a map is used at all."""


@dataclass(frozen=True)
class PseudoLabels:
    """What is taken for true of maps of any family."""

    maps: Float[Tensor, "*maps height width"]
    """0 or 1."""
    valid: Bool[Tensor, "*maps height width"]
    """Cells that the teacher is sure of."""
    present: Bool[Tensor, "*maps"]
    counted: Bool[Tensor, "*maps"]
    """Maps whose presence the teacher is sure of."""


@torch.no_grad()
def pseudo_labels(
    probability: Float[Tensor, "*maps height width"], presence: Float[Tensor, "*maps"], config: PseudoLabelConfig
) -> PseudoLabels:
    """Return labels where a teacher is sure, and where it does not contradict itself.

    A map counts when its presence is sure; one that is present must have a sure positive cell, and in one that is
    absent sure positive cells are masked.

    Args:
        probability: of the teacher's maps.
        presence: its probability that the query lies in the view.
        config: limits.
    """
    positive, negative = probability >= config.likely, probability <= config.unlikely
    present, absent = presence >= config.presence, presence <= 1.0 - config.presence
    counted = absent | (present & positive.flatten(-2).any(-1))
    valid = (negative | (positive & present[..., None, None])) & counted[..., None, None]
    return PseudoLabels(positive.to(probability.dtype), valid, present, counted)


def pseudo_label_loss(
    logits: Float[Tensor, "*maps height width"], presence_logits: Float[Tensor, "*maps"], labels: PseudoLabels
) -> Float[Tensor, "*maps"]:
    """Return balanced BCE over the sure cells plus that of presence; masked cells have no effect.

    Args:
        logits: of the student's maps.
        presence_logits: of its presence.
        labels: of the teacher.
    """
    return balanced_bce(logits, labels.maps, labels.valid) + presence_bce(presence_logits, labels.present)


def pseudo_label_terms(
    batch: Batch,
    said: tuple[Footprints, Targets],
    shown: tuple[Footprints, Targets],
    calibration: Calibration,
    alone: Bool[Tensor, " batch"],
    config: PseudoLabelConfig,
) -> dict[str, Term]:
    """Return the terms of both families for samples without truth.

    Args:
        batch: that both have seen.
        said: by the student.
        shown: by the teacher.
        calibration: of the teacher, since balanced losses make probabilities too high.
        alone: samples that have no truth.
        config: limits.
    """
    footprints, targets = said
    teacher_footprints, teacher_targets = shown
    found = pseudo_labels(
        calibration.footprint.probability(teacher_footprints.logits.float()),
        calibration.footprint_presence.probability(teacher_footprints.presence_logits.float()),
        config,
    )
    loss = pseudo_label_loss(footprints.logits.float(), footprints.presence_logits.float(), found)
    terms = {"footprint_pseudo": Term(loss, found.counted & alone[batch.current[:, 0], None])}
    if batch.has_instruction.any():
        asked = pseudo_labels(
            calibration.target.probability(teacher_targets.logits.float()),
            calibration.target_presence.probability(teacher_targets.presence_logits.float()),
            config,
        )
        real = (batch.has_instruction & alone[:, None])[..., None]
        loss = pseudo_label_loss(targets.logits.float(), targets.presence_logits.float(), asked)
        terms["target_pseudo"] = Term(loss, asked.counted & real)
    return terms
