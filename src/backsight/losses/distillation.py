"""Maps and presence held near those of a teacher, softened by a temperature."""

import torch
from jaxtyping import Float
from torch import Tensor

from backsight.losses.projection import balanced_bce, bernoulli_divergence


def distillation_loss(
    logits: Float[Tensor, "*maps height width"],
    presence_logits: Float[Tensor, "*maps"],
    teacher_logits: Float[Tensor, "*maps height width"],
    teacher_presence_logits: Float[Tensor, "*maps"],
    temperature: float = 2.0,
) -> Float[Tensor, "*maps"]:
    """Return each map's divergence from the teacher's plus that of its presence; zero for the teacher itself.

    Bernoulli KL of teacher and student, both logits divided by the temperature, times its square so that gradients keep
    their size. Cells are balanced by the teacher's map, as by a truth. No gradient flows into the teacher.

    Optimised alone it ends at the teacher's logits.

    Args:
        logits: Of the student's maps.
        presence_logits: Of the student's presence.
        teacher_logits: Of the teacher's maps.
        teacher_presence_logits: Of the teacher's presence.
        temperature: Larger ones tell more of the order among unlikely cells.

    Source: Hinton et al. (arXiv 1503.02531).
    """
    soft = (teacher_logits.detach() / temperature).sigmoid()
    soft_presence = (teacher_presence_logits.detach() / temperature).sigmoid()
    everywhere = torch.ones_like(soft, dtype=torch.bool)
    maps = balanced_bce(logits / temperature, soft, everywhere)
    return temperature**2 * (maps + bernoulli_divergence(presence_logits / temperature, soft_presence))
