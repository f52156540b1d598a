"""Platt scaling: two numbers per output turn logits into probabilities that can be believed."""

from typing import Annotated

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from backsight.model.config import Frozen

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Platt(Frozen):
    """probability = sigmoid(slope * logit + offset)."""

    slope: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 1.0
    offset: Finite = 0.0

    def probability(self, logits: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Return calibrated probabilities.

        Args:
            logits: of one kind of output.
        """
        return (logits.float() * self.slope + self.offset).sigmoid()


class Calibration(Frozen):
    """One scaling for each kind of output; fitted on validation places, identity before."""

    footprint: Platt = Platt()
    footprint_presence: Platt = Platt()
    target: Platt = Platt()
    target_presence: Platt = Platt()
    imagined: Platt = Platt()
    imagined_presence: Platt = Platt()
