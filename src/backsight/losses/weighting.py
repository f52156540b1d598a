"""How the five losses of a step become one number: fixed weights, or weights that follow the losses."""

from collections.abc import Callable, Sequence
from typing import Literal, NotRequired, TypedDict

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torchjd.scalarization import DWA, UW

LEAST_LOSS = 1e-2
"""Floor under a loss where its relative change is taken; likelihood terms may fall below zero."""


class WeightingConfig(BaseModel):
    """Choice of weights beside the base weights, which multiply in every kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["fixed", "trend", "uncertainty", "dwa", "random"] = "fixed"
    trend_epochs: int = Field(default=10, ge=1)
    """Epochs between two decisions of `trend`, and over which a fall is measured."""
    trend_slow: float = Field(default=0.05, ge=0, le=1)
    """A loss that fell by a smaller share gains weight."""
    trend_fast: float = Field(default=0.20, ge=0, le=1)
    """A loss that fell by a larger share gives up weight."""
    trend_step: float = Field(default=0.01, gt=0, lt=1)
    trend_bounds: tuple[float, float] = (0.1, 2.0)
    """Of the factor on the base weight."""
    dwa_temperature: float = Field(default=2.0, gt=0)
    """Larger ones bring the weights nearer to each other."""
    uncertainty_bound: float = Field(default=3.0, gt=0, le=20)
    """Largest absolute value of a learned log variance."""
    uncertainty_rate_factor: float = Field(default=1.0, gt=0, le=1000)
    """Factor on the run's learning rate for log variances."""


class WeightingState(TypedDict):
    """Where a weighting stands, as JSON."""

    draws: int
    """Steps weighed so far."""
    sums: dict[str, float]
    """Of each loss over this epoch, on this rank."""
    counts: dict[str, int]
    epochs: list[dict[str, float]]
    """Mean losses of the finished epochs that are still needed, oldest first."""
    factors: dict[str, float]
    log_variances: NotRequired[dict[str, float]]


class Weighting(nn.Module):
    """Weighs the losses of each step, and remembers what its kind needs.

    `fixed` uses the base weights alone. `random` multiplies them by positive random factors with mean 1, new ones every
    step: the control that any adaptive kind has to beat. `trend` and `dwa` change their factors between epochs.
    `uncertainty` learns a log variance s for each loss L: base (exp(-s) L + s), bounded, because a likelihood term
    below zero would drive s to minus infinity; it begins at the base weights.

    A loss that a step has nothing for neither moves its factor nor counts in its epoch's mean.

    Args:
        config: The choice.
        names: Of all losses.
        seed: Of the random factors.

    Source: uncertainty: Kendall et al. (arXiv 1705.07115), torchjd's UW; dwa: Liu et al. (arXiv 1803.10704), torchjd's
    DWA; random: Lin et al. (arXiv 2111.10603).
    """

    def __init__(self, config: WeightingConfig, names: Sequence[str], seed: int) -> None:
        super().__init__()
        self.config, self.names, self.seed = config, tuple(names), seed
        learned = self.names if config.kind == "uncertainty" else ()
        self.uncertainties = nn.ModuleDict({name: UW(1) for name in learned})
        self.factors = dict.fromkeys(self.names, 1.0)
        self._draws = 0
        self._sums: dict[str, Tensor] = {}
        self._counts = dict.fromkeys(self.names, 0)
        self._epochs: list[dict[str, float]] = []

    def forward(
        self, losses: dict[str, Float[Tensor, ""]], base: dict[str, float]
    ) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
        """Return the weighted sum and, without gradient, the weight of each loss.

        Args:
            losses: Those of this step, at least one.
            base: Base weight of every loss.
        """
        if self.config.kind == "random":
            self.factors = self._random_factors()
        self._draws += 1
        for name, value in losses.items():
            self._sums[name] = self._sums[name] + value.detach() if name in self._sums else value.detach()
            self._counts[name] += 1
        some = next(iter(losses.values()))
        if self.config.kind == "uncertainty":
            return self._uncertain_total(losses, base)
        weights = {name: some.new_tensor(base[name] * self.factors[name]) for name in losses}
        return torch.stack([weights[name] * value for name, value in losses.items()]).sum(), weights

    def end_epoch(self, sum_over_ranks: Callable[[Tensor], Tensor] = lambda values: values) -> None:
        """Close an epoch: its mean losses decide the next factors.

        Args:
            sum_over_ranks: Adds up a tensor over all ranks, so that every rank gets the same factors.
        """
        own = [[float(self._sums.get(name, 0.0)), self._counts[name]] for name in self.names]
        sums, counts = sum_over_ranks(torch.tensor(own, dtype=torch.float64)).unbind(-1)
        seen = zip(self.names, sums.tolist(), counts.tolist(), strict=True)
        self._epochs.append({name: total / count for name, total, count in seen if count})
        self._sums, self._counts = {}, dict.fromkeys(self.names, 0)
        if self.config.kind == "trend":
            self._follow_trend()
        elif self.config.kind == "dwa":
            self._epochs = self._epochs[-2:]
            self.factors = dict.fromkeys(self.names, 1.0) | dwa_factors(self._epochs, self.config.dwa_temperature)
        else:
            self._epochs = []

    def _follow_trend(self) -> None:
        config = self.config
        if len(self._epochs) <= config.trend_epochs:
            return
        before, now = self._epochs[0], self._epochs[-1]
        # The epoch that decided is what the next decision compares with.
        self._epochs = self._epochs[-1:]
        for name in before.keys() & now.keys():
            self.factors[name] = trend_factor(self.factors[name], before[name], now[name], config)

    def _random_factors(self) -> dict[str, float]:
        normal = np.random.default_rng([self.seed, self._draws]).standard_normal(len(self.names))
        share = np.exp(normal) / np.exp(normal).sum()
        return dict(zip(self.names, (len(self.names) * share).tolist(), strict=True))

    def _uncertain_total(
        self, losses: dict[str, Tensor], base: dict[str, float]
    ) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
        parts, weights = [], {}
        for name, value in losses.items():
            uncertainty, bound = self.uncertainties[name], self.config.uncertainty_bound
            log_variance = uncertainty.get_parameter("log_var")
            with torch.no_grad():
                log_variance.clamp_(-bound, bound)
            # torchjd's form is half of this; twice it begins at the base weight.
            parts.append(2.0 * base[name] * uncertainty(value.float()[None]))
            weights[name] = base[name] * torch.exp(-log_variance.detach()[0])
        return torch.stack(parts).sum(), weights

    def progress(self) -> WeightingState:
        """Return all that `restore` needs."""
        state = WeightingState(
            draws=self._draws,
            sums={name: value.item() for name, value in self._sums.items()},
            counts=dict(self._counts),
            epochs=list(self._epochs),
            factors=dict(self.factors),
        )
        if self.uncertainties:
            state["log_variances"] = {
                name: part.get_parameter("log_var").item() for name, part in self.uncertainties.items()
            }
        return state

    def restore(self, state: WeightingState) -> None:
        """Go on from where `progress` was asked."""
        self._draws, self._counts = state["draws"], dict(state["counts"])
        self._epochs, self.factors = list(state["epochs"]), dict(state["factors"])
        some = next(self.parameters(), torch.zeros(()))
        self._sums = {name: torch.tensor(value, device=some.device) for name, value in state["sums"].items()}
        for name, value in state.get("log_variances", {}).items():
            with torch.no_grad():
                self.uncertainties[name].get_parameter("log_var").fill_(value)


def trend_factor(factor: float, before: float, now: float, config: WeightingConfig) -> float:
    """Return the next factor of a loss: more where it hardly falls, less where it falls fast.

    Args:
        factor: Present one.
        before: Mean loss of an earlier epoch.
        now: Mean loss `trend_epochs` later.
        config: Limits and step.
    """
    fell = (before - now) / max(abs(before), LEAST_LOSS)
    if fell < config.trend_slow:
        factor *= 1 + config.trend_step
    elif fell > config.trend_fast:
        factor *= 1 - config.trend_step
    return min(max(factor, config.trend_bounds[0]), config.trend_bounds[1])


def dwa_factors(epochs: Sequence[dict[str, float]], temperature: float) -> dict[str, float]:
    """Return torchjd's dynamic weight average of the losses that both of two epochs have; nothing before that.

    Args:
        epochs: Mean losses of at most two epochs, oldest first.
        temperature: Larger ones bring the factors nearer to each other.
    """
    if len(epochs) < 2:
        return {}
    older, newer = epochs
    names = [name for name in older if name in newer]
    if not names:
        return {}
    scalarizer = DWA(temperature)
    for epoch in (older, newer):
        scalarizer(torch.tensor([max(epoch[name], LEAST_LOSS) for name in names], dtype=torch.float64))
        scalarizer.step()
    # Its weights are the slopes of what it returns.
    values = torch.ones(len(names), dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(scalarizer(values), values)
    return dict(zip(names, slopes.tolist(), strict=True))
