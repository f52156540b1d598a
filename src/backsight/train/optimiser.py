"""Optimiser and learning-rate schedule."""

import math

import torch
from torch import nn

from backsight.losses.weighting import Weighting
from backsight.model.adaptation import Adaptable, AdaptationConfig
from backsight.train.config import OptimiserConfig


def parameter_groups(
    model: nn.Module, weight_decay: float, adaptation: AdaptationConfig | None = None
) -> list[dict[str, object]]:
    """Return one group per component and decay, named `<component>` or `<component>/no_decay`.

    A component is a direct child of the model. Biases, norms and other vectors are not decayed. `rate_factor` of a
    group is the factor on the learning rate that `adaptation` gives its component.
    """
    parts = (adaptation or AdaptationConfig()).components()
    groups: dict[str, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            component = name.split(".", 1)[0]
            key = component if parameter.ndim > 1 else f"{component}/no_decay"
            groups.setdefault(key, []).append(parameter)
    return [
        {
            "name": key,
            "params": parameters,
            "weight_decay": 0.0 if key.endswith("/no_decay") else weight_decay,
            "rate_factor": parts[key.split("/", 1)[0]].learning_rate_factor,
        }
        for key, parameters in groups.items()
    ]


def make_optimiser(model: Adaptable, config: OptimiserConfig, weighting: Weighting | None = None) -> torch.optim.AdamW:
    """Return AdamW over the model's component groups and what the weighting of the losses learns."""
    groups = parameter_groups(model, config.weight_decay, model.adaptation)
    if weighting is not None and weighting.config.kind == "uncertainty":
        factor = weighting.config.uncertainty_rate_factor
        learned = list(weighting.parameters())
        groups.append({"name": "weighting/no_decay", "params": learned, "weight_decay": 0.0, "rate_factor": factor})
    optimiser = torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas)
    set_learning_rate(optimiser, config.learning_rate)
    return optimiser


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of every group: `rate` times the factor of its component."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["rate_factor"]


def learning_rate_factor(step: int, progress: float, total_steps: int, warmup_steps: int) -> float:
    """Return the factor on the base rate: linear warm-up, then a cosine to zero.

    Args:
        step: from 0.
        progress: share of the run that is behind, of its steps or of its time.
        total_steps: of the run.
        warmup_steps: of them.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    warm = warmup_steps / total_steps
    behind = (progress - warm) / max(1 / total_steps, 1 - warm)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, max(0.0, behind))))
