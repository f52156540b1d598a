from pathlib import Path

import pytest
import torch
from torch import nn

from backsight.records.errors import DataError
from backsight.train.techniques.average import WeightAverage, decay_at


def model_of(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 2))
    model[2].bias.requires_grad_(False)
    return model


def step(model: nn.Module) -> None:
    model(torch.randn(7, 3)).square().mean().backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= 0.1 * parameter.grad
                parameter.grad = None


def test_the_past_fades_slower_once_there_is_one():
    assert decay_at(0, 0.999) == pytest.approx(0.1)
    assert decay_at(90, 0.999) == pytest.approx(0.91)
    assert decay_at(10**6, 0.999) == 0.999


def test_the_average_is_the_recurrence_by_hand():
    model = model_of()
    average = WeightAverage(model, 0.3)
    expected = {name: p.detach().clone() for name, p in model.named_parameters()}
    for number in range(5):
        step(model)
        average.update(model, number)
        keep = min(0.3, (1 + number) / (10 + number))
        for name, parameter in model.named_parameters():
            expected[name] = keep * expected[name] + (1 - keep) * parameter.detach()
    with average.inside(model):
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(parameter.detach(), expected[name])


def test_own_weights_come_back_even_after_an_error_and_statistics_are_those_of_the_model():
    model = model_of()
    average = WeightAverage(model, 0.9)
    step(model)
    average.update(model, 50)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with average.inside(model):
        inside = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(RuntimeError, match="shape"), average.inside(model):
        model(torch.randn(7, 2))
    after = model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    changed = {name for name in before if not torch.equal(before[name], inside[name])}
    assert changed == {"0.weight", "0.bias", "1.weight", "1.bias", "2.weight"}


def test_training_goes_on_from_own_weights_with_the_same_optimiser():
    def run(judged: bool) -> list[torch.Tensor]:
        torch.manual_seed(3)
        model = model_of()
        optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.01)
        average = WeightAverage(model, 0.9)
        inputs = torch.randn(4, 7, 3)
        for number, one in enumerate(inputs):
            model(one).square().mean().backward()
            optimiser.step()
            optimiser.zero_grad()
            average.update(model, number)
            if judged:
                with average.inside(model):
                    pass
        return [p.detach() for p in model.parameters()]

    assert all(torch.equal(a, b) for a, b in zip(run(True), run(False), strict=True))


def test_a_resumed_average_goes_on_exactly():
    model, other = model_of(0), model_of(1)
    average = WeightAverage(model, 0.9)
    step(model)
    average.update(model, 7)
    resumed = WeightAverage(other, 0.9)
    resumed.restore(average.tensors(), Path("average.safetensors"))
    for name, value in average.tensors().items():
        assert torch.equal(value, resumed.tensors()[name])


def test_averages_of_another_model_are_refused_by_name():
    average = WeightAverage(model_of(), 0.9)
    tensors = average.tensors()
    with pytest.raises(DataError, match=r"x\.safetensors.*1\.weight"):
        average.restore({name: v for name, v in tensors.items() if name != "1.weight"}, Path("x.safetensors"))
    with pytest.raises(DataError, match=r"0\.bias"):
        average.restore(tensors | {"0.bias": torch.zeros(3)}, Path("x.safetensors"))
