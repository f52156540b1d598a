import pytest
import torch
from torch import nn

from backsight.train.optimiser import learning_rate_factor, parameter_groups


def test_the_rate_warms_up_linearly_and_falls_to_zero_on_a_cosine():
    factors = [learning_rate_factor(step, step / 110, total_steps=110, warmup_steps=10) for step in range(111)]
    assert factors[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert factors[9] == factors[10] == pytest.approx(1.0)
    assert factors[60] == pytest.approx(0.5)
    assert factors[110] == pytest.approx(0.0)


def test_no_warm_up_starts_at_the_full_rate():
    assert learning_rate_factor(0, 0.0, total_steps=7, warmup_steps=0) == pytest.approx(1.0)


def test_the_rate_follows_time_where_time_is_further_than_steps():
    assert learning_rate_factor(20, 0.55, total_steps=100, warmup_steps=10) == pytest.approx(0.5)
    assert learning_rate_factor(20, 1.2, total_steps=100, warmup_steps=10) == pytest.approx(0.0)


def test_groups_are_named_by_component_and_vectors_are_not_decayed():
    model = nn.ModuleDict({"fusion": nn.Linear(3, 5), "heatmap": nn.BatchNorm2d(7)})
    model["fusion"].weight.requires_grad_(True)
    groups = {g["name"]: g for g in parameter_groups(model, weight_decay=0.05)}
    assert set(groups) == {"fusion", "fusion/no_decay", "heatmap/no_decay"}
    assert {group["rate_factor"] for group in groups.values()} == {1.0}
    assert groups["fusion"]["weight_decay"] == 0.05
    assert groups["fusion/no_decay"]["weight_decay"] == 0.0
    assert sum(p.numel() for g in groups.values() for p in g["params"]) == sum(p.numel() for p in model.parameters())


def test_frozen_parameters_are_in_no_group():
    model = nn.ModuleDict({"geometry": nn.Linear(2, 3), "fusion": nn.Linear(3, 2)})
    for parameter in model["geometry"].parameters():
        parameter.requires_grad_(False)
    names = {str(g["name"]) for g in parameter_groups(model, 0.1)}
    assert names == {"fusion", "fusion/no_decay"}
    assert torch.is_tensor(next(model.parameters()))
