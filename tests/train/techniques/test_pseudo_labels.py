from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError

from backsight.model.calibration import Calibration, Platt
from backsight.model.question import Question
from backsight.train.data import model_images
from backsight.train.techniques.average import AverageConfig, WeightAverage
from backsight.train.techniques.config import TechniquesConfig
from backsight.train.techniques.lessons import Teachers
from backsight.train.techniques.pseudo_labels import (
    PseudoLabelConfig,
    pseudo_label_loss,
    pseudo_label_terms,
    pseudo_labels,
)

CONFIG = PseudoLabelConfig(enabled=True, likely=0.9, unlikely=0.1, presence=0.8)


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_labels_by_hand():
    cells = torch.tensor([[0.95, 0.5, 0.05]]).expand(4, 1, 3)
    labels = pseudo_labels(cells, torch.tensor([0.85, 0.5, 0.15, 0.95]), CONFIG)
    assert labels.counted.tolist() == [True, False, True, True]
    assert labels.present.tolist() == [True, False, False, True]
    # Sure cells of a present map; none of an unsure one; of an absent one only those that agree with absence.
    assert labels.valid[:, 0].tolist() == [[True, False, True], [False] * 3, [False, False, True], [True, False, True]]
    assert labels.maps[0, 0].tolist() == [1.0, 0.0, 0.0]


def test_a_present_map_without_a_sure_cell_says_nothing():
    labels = pseudo_labels(torch.full((1, 2, 3), 0.05), torch.tensor([0.95]), CONFIG)
    assert not labels.counted.any()
    assert not labels.valid.any()


def test_masked_cells_and_maps_are_never_used():
    labels = pseudo_labels(drawn(0, 5, 7, 11), drawn(1, 5), CONFIG)
    assert labels.valid.any()
    assert not labels.valid.all()
    logits = (6 * drawn(2, 5, 7, 11) - 3).requires_grad_()
    loss = pseudo_label_loss(logits, drawn(3, 5), labels)
    (gradient,) = torch.autograd.grad(loss[labels.counted].sum(), logits)
    assert torch.equal(gradient != 0, labels.valid)
    other = torch.where(labels.valid, logits, 77.0)
    torch.testing.assert_close(pseudo_label_loss(other, drawn(3, 5), labels), loss)


def test_least_at_what_the_teacher_is_sure_of():
    labels = pseudo_labels(drawn(0, 5, 7, 11), drawn(1, 5), CONFIG)
    right, presence = torch.logit(labels.maps, eps=1e-6), torch.logit(labels.present.float(), eps=1e-6)
    assert pseudo_label_loss(right, presence, labels)[labels.counted].max() < 1e-4
    assert pseudo_label_loss(-right, presence, labels)[labels.counted].min() > 1
    assert pseudo_label_loss(right, -presence, labels)[labels.counted].min() > 1


@pytest.fixture(scope="module")
def said(model, batch, grid):
    question = Question(batch.keyframes, batch.frame_index, batch.instruction_tokens)
    with torch.no_grad():
        return model(model_images(batch, grid), question, batch.current, batch.history)[1:]


def test_only_samples_without_truth_are_taught(batch, said):
    sure = tuple(replace(one, presence_logits=torch.full_like(one.presence_logits, -9.0)) for one in said)
    alone = torch.tensor([False, True])
    terms = pseudo_label_terms(batch, said, sure, Calibration(), alone, CONFIG)
    assert torch.equal(terms["footprint_pseudo"].counted.any(1), alone[batch.current[:, 0]])
    assert torch.equal(terms["target_pseudo"].counted.flatten(1).any(1), alone)


def test_probabilities_are_calibrated_first(batch, said):
    everyone = torch.tensor([True, True])
    sure = tuple(replace(one, presence_logits=torch.full_like(one.presence_logits, -9.0)) for one in said)
    modest = Calibration(footprint_presence=Platt(slope=0.01), target_presence=Platt(slope=0.01))
    for term in pseudo_label_terms(batch, said, sure, modest, everyone, CONFIG).values():
        assert not term.counted.any()


def test_averaged_weights_are_the_teacher_where_none_is_named(make_model, batch, grid):
    model = make_model(0).train()
    average = WeightAverage(model, 0.5)
    techniques = TechniquesConfig(average=AverageConfig(enabled=True), pseudo_labels=CONFIG)
    teachers = Teachers(techniques, model, average)
    inputs = model_images(batch, grid), Question(batch.keyframes, batch.frame_index, batch.instruction_tokens)
    with torch.no_grad():
        expected = model.eval()(*inputs, batch.current, batch.history)[1]
        model.train()
        for parameter in model.parameters():
            parameter.mul_(0.5)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    lessons = teachers.show(*inputs, batch.current, batch.history, torch.tensor([False, True]))
    torch.testing.assert_close(lessons.pseudo_labels.footprints.logits, expected.logits)
    assert lessons.distillation is None
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    nobody = teachers.show(*inputs, batch.current, batch.history, torch.tensor([False, False]))
    assert nobody.pseudo_labels is None


def test_pseudo_labels_need_a_teacher():
    with pytest.raises(ValidationError, match="needs a teacher"):
        TechniquesConfig(pseudo_labels=CONFIG)
