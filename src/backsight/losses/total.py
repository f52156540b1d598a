"""The sum of all losses: named terms, their weights, what is logged, and what constant maps would get."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from backsight.losses.projection import balanced_cell_weights
from backsight.losses.weighting import Weighting
from backsight.records.errors import BacksightError

TERMS_OF_LOSS = {
    "geometric": (
        "consistency",
        "footprint_bce",
        "footprint_iou",
        "footprint_presence",
        "bearing",
        "log_distance",
        "relative_pose",
        "odometry",
        "camera",
        "depth",
        "footprint_distillation",
        "footprint_pseudo",
    ),
    "correspondence": ("transfer", "matching"),
    "coherence": ("total_variation", "compactness", "temporal_smoothness"),
    "reasoning": (
        "target_bce",
        "target_iou",
        "target_presence",
        "answer",
        "attention_alignment",
        "target_distillation",
        "target_pseudo",
        "imagined_bce",
        "imagined_iou",
        "imagined_presence",
    ),
    "discrimination": ("identification", "similarity_hinge"),
}
"""Which terms make up each of the five losses."""


class LossNotFiniteError(BacksightError):
    """A loss became NaN or infinite; the message names the terms."""


class TermWeights(BaseModel):
    """Weight of each term within its loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    consistency: float = Field(default=0.5, ge=0, le=100)
    footprint_bce: float = Field(default=1.0, ge=0, le=100)
    footprint_iou: float = Field(default=0.5, ge=0, le=100)
    footprint_presence: float = Field(default=0.2, ge=0, le=100)
    bearing: float = Field(default=0.5, ge=0, le=100)
    log_distance: float = Field(default=0.1, ge=0, le=100)
    relative_pose: float = Field(default=0.1, ge=0, le=100)
    odometry: float = Field(default=0.2, ge=0, le=100)
    camera: float = Field(default=0.2, ge=0, le=100)
    depth: float = Field(default=0.2, ge=0, le=100)
    transfer: float = Field(default=0.5, ge=0, le=100)
    matching: float = Field(default=0.25, ge=0, le=100)
    total_variation: float = Field(default=0.05, ge=0, le=100)
    compactness: float = Field(default=0.2, ge=0, le=100)
    temporal_smoothness: float = Field(default=0.05, ge=0, le=100)
    target_bce: float = Field(default=1.0, ge=0, le=100)
    target_iou: float = Field(default=0.5, ge=0, le=100)
    target_presence: float = Field(default=0.2, ge=0, le=100)
    answer: float = Field(default=0.2, ge=0, le=100)
    attention_alignment: float = Field(default=0.1, ge=0, le=100)
    footprint_distillation: float = Field(default=0.5, ge=0, le=100)
    target_distillation: float = Field(default=0.5, ge=0, le=100)
    footprint_pseudo: float = Field(default=0.5, ge=0, le=100)
    target_pseudo: float = Field(default=0.5, ge=0, le=100)
    imagined_bce: float = Field(default=0.5, ge=0, le=100)
    imagined_iou: float = Field(default=0.25, ge=0, le=100)
    imagined_presence: float = Field(default=0.1, ge=0, le=100)
    identification: float = Field(default=0.2, ge=0, le=100)
    similarity_hinge: float = Field(default=0.2, ge=0, le=100)


class LossWeights(BaseModel):
    """Weight of each of the five losses, and of the terms within them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    geometric: float = Field(default=1.0, ge=0, le=10)
    correspondence: float = Field(default=0.8, ge=0, le=10)
    coherence: float = Field(default=0.6, ge=0, le=10)
    reasoning: float = Field(default=0.7, ge=0, le=10)
    discrimination: float = Field(default=0.5, ge=0, le=10)
    terms: TermWeights = TermWeights()


@dataclass(frozen=True)
class Term:
    """One unreduced term: a value for each map, group or pair, and which of them count."""

    values: Float[Tensor, "*items"]
    counted: Bool[Tensor, "*items"]

    def mean(self) -> Float[Tensor, ""]:
        """Return the mean over what counts, 0 when nothing does; NaN anywhere stays NaN."""
        return (self.values * self.counted).sum() / self.counted.sum().clamp_min(1)


@dataclass(frozen=True)
class LossTerms:
    """All terms of one step by name; None where the batch or the phase has nothing for it."""

    consistency: Term | None = None
    footprint_bce: Term | None = None
    footprint_iou: Term | None = None
    footprint_presence: Term | None = None
    bearing: Term | None = None
    log_distance: Term | None = None
    relative_pose: Term | None = None
    odometry: Term | None = None
    camera: Term | None = None
    depth: Term | None = None
    transfer: Term | None = None
    matching: Term | None = None
    total_variation: Term | None = None
    compactness: Term | None = None
    temporal_smoothness: Term | None = None
    target_bce: Term | None = None
    target_iou: Term | None = None
    target_presence: Term | None = None
    answer: Term | None = None
    attention_alignment: Term | None = None
    footprint_distillation: Term | None = None
    target_distillation: Term | None = None
    footprint_pseudo: Term | None = None
    target_pseudo: Term | None = None
    imagined_bce: Term | None = None
    imagined_iou: Term | None = None
    imagined_presence: Term | None = None
    identification: Term | None = None
    similarity_hinge: Term | None = None

    def means(self) -> dict[str, Float[Tensor, ""]]:
        """Return the mean of every term that is there."""
        return {f.name: term.mean() for f in fields(self) if (term := getattr(self, f.name)) is not None}


def total_loss(
    terms: LossTerms, weights: LossWeights, weighting: Weighting | None = None
) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
    """Return the weighted sum and, without gradient, every term, each of the five losses and the total by name.

    A loss is the sum of its terms by their own weights, before its weight; a loss without any term is not logged. The
    weight that each loss had is logged as `weight/<loss>`.

    Args:
        terms: Unreduced terms.
        weights: Of the five losses and of the terms.
        weighting: Changes the weights of the losses from step to step; the base weights alone when not given.

    Raises:
        ValueError: There is no term at all.
        LossNotFiniteError: A term is NaN or infinite.
    """
    means = terms.means()
    if not means:
        raise ValueError("no loss term was given")
    _check_finite(means)
    logged = {name: value.detach() for name, value in means.items()}
    losses: dict[str, Tensor] = {}
    for loss, names in TERMS_OF_LOSS.items():
        parts = [getattr(weights.terms, name) * means[name] for name in names if name in means]
        if parts:
            losses[loss] = torch.stack(parts).sum()
            logged[loss] = losses[loss].detach()
    base = {loss: getattr(weights, loss) for loss in losses}
    if weighting is None:
        total = torch.stack([base[loss] * value for loss, value in losses.items()]).sum()
        chosen = {loss: value.new_tensor(base[loss]) for loss, value in losses.items()}
    else:
        total, chosen = weighting(losses, base)
    logged |= {f"weight/{loss}": value for loss, value in chosen.items()}
    logged["total"] = total.detach()
    return total, logged


def _check_finite(means: dict[str, Tensor]) -> None:
    finite = torch.isfinite(torch.stack([value.detach().float() for value in means.values()])).tolist()
    broken = [f"{name} = {value.item()}" for (name, value), ok in zip(means.items(), finite, strict=True) if not ok]
    if broken:
        raise LossNotFiniteError(
            f"loss not finite: {', '.join(broken)}; look at what this term reads in the batch, "
            "then lower the learning rate"
        )


@dataclass(frozen=True)
class MapTruth:
    """True maps of one family, all that constant maps are compared with."""

    truth: Float[Tensor, "*maps height width"]
    valid: Bool[Tensor, "*maps height width"]
    present: Bool[Tensor, "*maps"]
    counted: Bool[Tensor, "*maps"]
    """False for padding."""


@dataclass(frozen=True)
class ConstantMaps:
    """Maps that have one and the same value in all cells, and the best value for that."""

    logits: Float[Tensor, "*maps height width"]
    presence_logits: Float[Tensor, "*maps"]


@torch.no_grad()
def constant_maps(maps: MapTruth, balance: float = 1.0) -> ConstantMaps:
    """Return the constant with the least BCE for all maps of a family, and the constant presence with the least BCE.

    What the terms on maps are for these is what a prediction must beat. Terms that compare predictions only with each
    other may be 0 for them; that is why they are never read alone.

    Args:
        maps: Truth of one family.
        balance: That of the BCE term.
    """
    weights = balanced_cell_weights(maps.truth, maps.valid, balance) * maps.counted[..., None, None]
    probability = (weights * maps.truth).sum() / weights.sum().clamp_min(1e-6)
    share = (maps.present & maps.counted).sum() / maps.counted.sum().clamp_min(1)
    return ConstantMaps(
        logits=torch.logit(probability, eps=1e-6).expand_as(maps.truth),
        presence_logits=torch.logit(share, eps=1e-6).to(maps.truth.dtype).expand(maps.present.shape),
    )
