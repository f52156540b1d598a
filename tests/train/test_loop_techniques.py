import logging
import shutil

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from backsight.data.batches import BatchConfig
from backsight.data.curriculum import CurriculumConfig
from backsight.losses.weighting import WeightingConfig
from backsight.monitor.run_folder import read_metrics
from backsight.train.config import TrainConfig
from backsight.train.loop import train
from backsight.train.techniques.adversarial import AdversarialConfig
from backsight.train.techniques.average import AverageConfig
from backsight.train.techniques.config import TechniquesConfig
from backsight.train.techniques.multi_scale import MultiScaleConfig
from backsight.train.techniques.pseudo_labels import PseudoLabelConfig
from backsight.train.techniques.teacher import DistillationConfig

TECHNIQUES = TechniquesConfig(average=AverageConfig(enabled=True), multi_scale=MultiScaleConfig(enabled=True))


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("techniques") / "set", places=3, frames=5, width=128, height=96)


def config(data, run, **changes):
    batch = BatchConfig(num_frames=3, num_keyframes=2, batch_size=1, currents_per_sample=2, instructions_per_sample=3)
    every = {"log_every": 1, "validate_every": 3, "checkpoint_every": 2, "validation_samples": 1, "threads": 1}
    return TrainConfig(data=data, run=run, steps=4, batch=batch, calibration_samples=1, **every).model_copy(
        update=changes
    )


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """Averaged weights, three scales, learned uncertainties."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    return train(config(data, run, techniques=TECHNIQUES, weighting=WeightingConfig(kind="uncertainty")))


def weights(folder):
    return load_file(folder / "model.safetensors")


def test_what_is_saved_at_the_end_is_the_average_of_the_weights(finished):
    last = finished.run / "checkpoints" / "step-000004"
    saved, own, averages = weights(finished.model), weights(last / "model"), load_file(last / "average.safetensors")
    for name, average in averages.items():
        assert torch.equal(saved[name], average), name
    assert any(not torch.equal(saved[name], own[name]) for name in averages)
    statistics = [name for name in saved if "running_" in name]
    assert statistics
    assert all(torch.equal(saved[name], own[name]) for name in statistics)


def test_a_run_that_was_stopped_ends_as_one_that_was_not(data, finished, tmp_path):
    stopped = tmp_path / "stopped"
    shutil.copytree(finished.run / "checkpoints" / "step-000002", stopped / "checkpoints" / "step-000002")
    resumed = train(config(data, stopped, techniques=TECHNIQUES, weighting=WeightingConfig(kind="uncertainty")))
    for name, tensor in weights(finished.model).items():
        assert torch.equal(tensor, weights(resumed.model)[name]), name
    curves = [
        {r.step: r.values["weight/geometric"] for r in read_metrics(run) if "weight/geometric" in r.values}
        for run in (finished.run, stopped)
    ]
    assert curves[1] == {step: curves[0][step] for step in (3, 4)}
    assert len(set(curves[0].values())) == 4


def test_a_checkpoint_without_averages_says_so(data, finished, tmp_path, caplog):
    plain = train(config(data, tmp_path / "plain", steps=2))
    assert not list(plain.run.rglob("average.safetensors"))
    with caplog.at_level(logging.WARNING):
        train(config(data, plain.run, steps=3, techniques=TECHNIQUES))
    assert "holds no averaged weights" in caplog.text


def test_weights_of_the_losses_are_logged_and_follow_their_kind(data, tmp_path):
    train(config(data, tmp_path / "dwa", weighting=WeightingConfig(kind="dwa")))
    found = [r.values["weight/geometric"] for r in read_metrics(tmp_path / "dwa") if "weight/geometric" in r.values]
    # One walk is one epoch: two epochs of means come before the first change.
    assert found[:2] == [1.0, 1.0]
    assert found[3] != 1.0


def test_a_student_learns_from_an_earlier_run(data, finished, tmp_path):
    techniques = TechniquesConfig(distillation=DistillationConfig(teacher=finished.model))
    train(config(data, tmp_path / "student", steps=1, techniques=techniques))
    (first,) = [r.values for r in read_metrics(tmp_path / "student") if "loss/total" in r.values]
    assert first["loss/footprint_distillation"] > 0
    assert first["loss/target_distillation"] > 0


def test_a_run_without_truth_logs_only_terms_that_need_none(data, tmp_path):
    train(config(data, tmp_path / "self", steps=1, supervision="self"))
    (first,) = [r.values for r in read_metrics(tmp_path / "self") if "loss/total" in r.values]
    terms = {name for name in first if name.startswith(("loss/", "constant/"))}
    of_self = {"loss/consistency", "loss/transfer", "loss/total_variation", "loss/temporal_smoothness"}
    assert terms == of_self | {"loss/geometric", "loss/correspondence", "loss/coherence", "loss/total"}


def test_a_run_teaches_itself_what_its_average_is_sure_of(data, tmp_path):
    unsure = PseudoLabelConfig(enabled=True, likely=0.501, unlikely=0.499, presence=0.501)
    techniques = TechniquesConfig(
        average=AverageConfig(enabled=True), pseudo_labels=unsure, curriculum=CurriculumConfig(enabled=True)
    )
    train(config(data, tmp_path / "own", steps=1, supervision="self", techniques=techniques))
    (first,) = [r.values for r in read_metrics(tmp_path / "own") if "loss/total" in r.values]
    assert {"loss/footprint_pseudo", "loss/target_pseudo"} <= set(first)
    # Nothing to teach where all samples have truth.
    train(config(data, tmp_path / "known", steps=1, techniques=techniques))
    assert not [name for r in read_metrics(tmp_path / "known") for name in r.values if "pseudo" in name]


def test_worst_cases_are_what_is_trained_on(data, tmp_path):
    worst = TechniquesConfig(adversarial=AdversarialConfig(enabled=True, share=1.0, candidates=6, rotation_rad=0.2))
    runs = [
        train(config(data, tmp_path / name, steps=1, techniques=techniques))
        for name, techniques in (("plain", TechniquesConfig()), ("one", worst), ("again", worst))
    ]
    plain, one, again = (
        [r.values["loss/footprint_bce"] for r in read_metrics(run.run) if "loss/total" in r.values] for run in runs
    )
    assert one == again != plain


def test_worst_cases_need_truth():
    with pytest.raises(ValidationError, match="supervision self"):
        TrainConfig(supervision="self", techniques=TechniquesConfig(adversarial=AdversarialConfig(enabled=True)))
