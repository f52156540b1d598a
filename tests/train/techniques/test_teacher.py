from dataclasses import replace

import pytest
import torch

from backsight.model.backsight import Backsight
from backsight.model.presets import tiny
from backsight.model.question import Question
from backsight.model.tokenizer import build_tokenizer
from backsight.records.errors import DataError, UsageError
from backsight.train.data import model_images
from backsight.train.techniques.teacher import Shown, distillation_terms, load_teacher


def said(model, batch, grid):
    question = Question(batch.keyframes, batch.frame_index, batch.instruction_tokens)
    return model(model_images(batch, grid), question, batch.current, batch.history)[1:]


def test_distilled_to_itself_costs_nothing_and_to_another_something(model, make_model, batch, grid, tmp_path):
    model.save_pretrained(tmp_path / "own")
    own = said(model, batch, grid)
    shown = Shown(*said(load_teacher(tmp_path / "own", model), batch, grid))
    terms = distillation_terms(batch, *own, shown, 2.0)
    assert set(terms) == {"footprint_distillation", "target_distillation"}
    for term in terms.values():
        assert term.counted.any()
        torch.testing.assert_close(term.mean(), torch.zeros(()), atol=1e-5, rtol=0)
    other = Shown(*said(make_model(1), batch, grid))
    for term in distillation_terms(batch, *own, other, 2.0).values():
        assert term.mean() > 1e-3


def test_a_teacher_is_frozen_and_at_rest(model, tmp_path):
    model.save_pretrained(tmp_path)
    teacher = load_teacher(tmp_path, model)
    assert not teacher.training
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


def test_instructions_that_are_not_there_teach_nothing(model, make_model, batch, grid):
    half = replace(batch, has_instruction=batch.has_instruction & torch.tensor([True, False, True]))
    own, shown = said(model, batch, grid), Shown(*said(make_model(1), batch, grid))
    counted = distillation_terms(half, *own, shown, 2.0)["target_distillation"].counted
    assert counted[:, [0, 2]].all()
    assert not counted[:, 1].any()
    none = replace(batch, has_instruction=torch.zeros_like(batch.has_instruction))
    assert set(distillation_terms(none, *own, shown, 2.0)) == {"footprint_distillation"}


def test_a_teacher_that_does_not_fit_is_refused(model, tmp_path):
    with pytest.raises(DataError):
        load_teacher(tmp_path / "absent", model)
    other = Backsight(tiny(), build_tokenizer(["other words"], tiny().language.frame_tokens))
    other.save_pretrained(tmp_path / "words")
    with pytest.raises(UsageError, match="vocabulary"):
        load_teacher(tmp_path / "words", model)
    larger = tiny().model_copy(update={"patch_rows": 8})
    Backsight(larger, model.tokenizer).save_pretrained(tmp_path / "larger")
    with pytest.raises(UsageError, match=r"32 x 32 cells.*32 x 24"):
        load_teacher(tmp_path / "larger", model)
