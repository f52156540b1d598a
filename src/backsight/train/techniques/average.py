"""Average of the weights over the steps of a run, exponentially fading."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from backsight.records.errors import DataError


class AverageConfig(BaseModel):
    """Whether the weights are averaged, and how fast the past fades."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = False
    decay: float = Field(default=0.999, ge=0.0, lt=1.0)
    """Share of the past that a step keeps; less in the first steps, which have little past."""


def decay_at(step: int, decay: float) -> float:
    """Return the share of the past that is kept when `step` steps are done: (1 + step) / (10 + step), up to `decay`."""
    return min(decay, (1 + step) / (10 + step))


class WeightAverage:
    """Averages of the parameters that are trained; buffers (statistics of batch norms) stay those of the model.

    Args:
        model: whose weights are averaged, beginning with what they are now.
        decay: share of the past that a step keeps.

    Source: Polyak averaging in the form of Tarvainen and Valpola (arXiv 1703.01780).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._averages = {name: value.detach().clone() for name, value in _trained(model).items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after `step` steps."""
        fresh = 1.0 - decay_at(step, self.decay)
        for name, value in _trained(model).items():
            self._averages[name].lerp_(value.detach(), fresh)

    @contextmanager
    def inside(self, model: nn.Module) -> Iterator[None]:
        """Put the averages into the model, and the model's own weights back at the end; do not train in between."""
        self._exchange(model)
        try:
            yield
        finally:
            self._exchange(model)

    def _exchange(self, model: nn.Module) -> None:
        for name, parameter in _trained(model).items():
            parameter.data, self._averages[name] = self._averages[name], parameter.data

    def tensors(self) -> dict[str, Tensor]:
        """Return the averages by the names of their parameters, for a checkpoint."""
        return {name: value.contiguous() for name, value in self._averages.items()}

    def restore(self, tensors: dict[str, Tensor], path: Path) -> None:
        """Go on from averages of a checkpoint.

        Args:
            tensors: what `tensors` returned.
            path: where they come from, for messages.

        Raises:
            DataError: names or shapes are not those of this model's trained parameters.
        """
        for name in sorted(tensors.keys() ^ self._averages.keys()):
            raise DataError(path, name, "averages and trained parameters differ", "resume with the same configuration")
        for name, value in tensors.items():
            if value.shape != self._averages[name].shape:
                raise DataError(path, name, f"is {tuple(value.shape)}, not {tuple(self._averages[name].shape)}")
            self._averages[name].copy_(value)


def _trained(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
