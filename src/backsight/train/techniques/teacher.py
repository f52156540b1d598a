"""A frozen model that shows a training one what to say."""

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field

from backsight.losses.distillation import distillation_loss
from backsight.losses.total import Term
from backsight.model.backsight import Backsight
from backsight.model.outputs import Footprints, Targets
from backsight.records.batch import Batch
from backsight.records.errors import UsageError


class DistillationConfig(BaseModel):
    """Whose maps and presence are learned from; how much: `weights.terms`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    teacher: Path | None = None
    """Model folder of an earlier run; none: no distillation."""
    temperature: float = Field(default=2.0, gt=0, le=100)


@dataclass(frozen=True)
class Shown:
    """What a teacher says of a batch, without gradient."""

    footprints: Footprints
    targets: Targets


def load_teacher(folder: Path, student: Backsight) -> Backsight:
    """Return a frozen model in evaluation mode on the student's device.

    Args:
        folder: that `save_pretrained` wrote.
        student: that learns from it.

    Raises:
        DataError: the folder holds no whole model.
        UsageError: the teacher reads other words or makes maps of another size.
    """
    teacher = Backsight.from_pretrained(folder)
    own, other = student.config, teacher.config
    if (own.map_columns, own.map_rows) != (other.map_columns, other.map_rows):
        raise UsageError(
            f"teacher {folder} makes maps of {other.map_columns} x {other.map_rows} cells, "
            f"preset {own.preset} of {own.map_columns} x {own.map_rows}"
        )
    if student.tokenizer.get_vocab() != teacher.tokenizer.get_vocab():
        raise UsageError(f"teacher {folder} has another vocabulary; train both on the same data set's words")
    device = next(student.parameters()).device
    return teacher.requires_grad_(False).eval().to(device)


def distillation_terms(
    batch: Batch, footprints: Footprints, targets: Targets, shown: Shown, temperature: float
) -> dict[str, Term]:
    """Return the divergence of maps and presence from the teacher's; every sample counts, truth or not.

    Args:
        batch: that both have seen.
        footprints: of the student.
        targets: of the student.
        shown: of the teacher.
        temperature: softens both.
    """

    def term(own: Footprints | Targets, other: Footprints | Targets, counted: torch.Tensor) -> Term:
        logits = own.logits.float(), own.presence_logits.float()
        return Term(
            distillation_loss(*logits, other.logits.float(), other.presence_logits.float(), temperature), counted
        )

    everywhere = torch.ones_like(footprints.presence_logits, dtype=torch.bool)
    terms = {"footprint_distillation": term(footprints, shown.footprints, everywhere)}
    if batch.has_instruction.any():
        real = batch.has_instruction[..., None].expand_as(targets.presence_logits)
        terms["target_distillation"] = term(targets, shown.targets, real)
    return terms
