"""Optimiser and learning-rate schedule."""

import math

import torch
from torch import nn

from backsight.train.config import OptimiserConfig


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Return one group per component and decay, named `<component>` or `<component>/no_decay`.

    A component is a direct child of the model. Biases, norms and other vectors are not decayed.
    """
    groups: dict[str, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            component = name.split(".", 1)[0]
            key = component if parameter.ndim > 1 else f"{component}/no_decay"
            groups.setdefault(key, []).append(parameter)
    return [
        {"name": key, "params": parameters, "weight_decay": 0.0 if key.endswith("/no_decay") else weight_decay}
        for key, parameters in groups.items()
    ]


def make_optimiser(model: nn.Module, config: OptimiserConfig) -> torch.optim.AdamW:
    """Return AdamW over the model's component groups."""
    return torch.optim.AdamW(parameter_groups(model, config.weight_decay), lr=config.learning_rate, betas=config.betas)


def learning_rate_factor(step: int, total_steps: int, warmup_steps: int) -> float:
    """Return the factor on the base rate at 0-based `step`: linear warm-up, then a cosine to zero."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress)))
