import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from backsight.data.batches import BatchConfig
from backsight.losses.total import LossWeights, TermWeights
from backsight.model.adaptation import AdaptationConfig, ComponentAdaptation, LoraConfig
from backsight.model.backsight import Backsight
from backsight.monitor.run_folder import read_metrics
from backsight.records.errors import DataError
from backsight.train.config import TrainConfig
from backsight.train.data import gives_geometry
from backsight.train.loop import mixed_precision, train


@pytest.fixture(scope="module")
def data(make_dataset, tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("loop") / "set", places=3, frames=7, width=128, height=96)


def config(data, run, **changes):
    small = BatchConfig(num_frames=5, num_keyframes=3, batch_size=2, currents_per_sample=2, instructions_per_sample=3)
    every = {"log_every": 1, "validate_every": 2, "checkpoint_every": 2, "validation_samples": 1, "threads": 1}
    return TrainConfig(data=data, run=run, steps=4, batch=small, calibration_samples=1, **every).model_copy(
        update=changes
    )


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "whole"
    return train(config(data, run))


def weights(report):
    return load_file(report.model / "model.safetensors")


def test_a_run_leaves_a_model_a_curve_and_checkpoints(finished):
    records = read_metrics(finished.run)
    losses = [r.values["loss/total"] for r in records if "loss/total" in r.values]
    assert len(losses) == 4
    assert all(0 < loss < 100 for loss in losses)
    names = {name for record in records for name in record.values}
    assert {"loss/geometric", "loss/correspondence", "loss/coherence", "loss/reasoning", "loss/discrimination"} <= names
    constants = {
        "constant/footprint_bce",
        "constant/identification",
        "constant/temporal_smoothness",
        "constant/target_bce",
    }
    assert constants <= names
    assert {"validation/footprint_auc", "validation/target_auc"} <= names
    assert {"loss/answer", "loss/attention_alignment", "validation/reasoning_accuracy"} <= names
    assert {"validation/attention_alignment", "validation/attention_alignment_control"} <= names
    assert sorted(p.name for p in (finished.run / "checkpoints").iterdir()) == ["step-000002", "step-000004"]
    assert Backsight.from_pretrained(finished.model).calibration.footprint.slope > 0


def test_the_same_seed_gives_the_same_weights_bit_for_bit(data, finished, tmp_path):
    again = train(config(data, tmp_path / "again"))
    for name, tensor in weights(finished).items():
        assert torch.equal(tensor, weights(again)[name]), name


def test_a_run_that_was_stopped_ends_as_one_that_was_not(data, finished, tmp_path):
    stopped = tmp_path / "stopped"
    shutil.copytree(finished.run / "checkpoints" / "step-000002", stopped / "checkpoints" / "step-000002")
    resumed = train(config(data, stopped))
    assert [r.step for r in read_metrics(stopped) if "loss/total" in r.values] == [3, 4]
    for name, tensor in weights(finished).items():
        assert torch.equal(tensor, weights(resumed)[name]), name


def test_the_run_says_what_attention_it_was_made_with(finished):
    described = json.loads((finished.run / "run.json").read_text())["configuration"]
    model = Backsight.from_pretrained(finished.model)
    assert described["model"]["attention"] == model.config.attention
    for part in (model.appearance.model, model.language.model):
        assert part.config._attn_implementation == described["model"]["attention"]


def test_an_adapted_run_that_was_stopped_ends_as_one_that_was_not(data, tmp_path):
    frozen = ComponentAdaptation(train="frozen", half_precision=True)
    lora = ComponentAdaptation(train="lora", lora=LoraConfig(rank=2, dropout=0.0), recompute=True)
    adaptation = AdaptationConfig(geometry=frozen, appearance=frozen, language=lora)
    whole = train(config(data, tmp_path / "whole", adaptation=adaptation))
    stopped = tmp_path / "stopped"
    shutil.copytree(whole.run / "checkpoints" / "step-000002", stopped / "checkpoints" / "step-000002")
    resumed = weights(train(config(data, stopped, adaptation=adaptation)))
    start = load_file(stopped / "checkpoints" / "step-000002" / "model" / "model.safetensors")
    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, resumed[name]), name
    changed = {name for name in start if not torch.equal(start[name], resumed[name])}
    assert {name.split(".", 1)[0] for name in changed} == {"language", "fusion", "heatmap"}
    beside = ("lora_", "embed_tokens", "language.words.", "language.pose.")
    assert all(any(part in name for part in beside) for name in changed if name.startswith("language."))


def test_another_seed_gives_other_weights(data, finished, tmp_path):
    other = weights(train(config(data, tmp_path / "other", seed=1)))
    assert any(not torch.equal(tensor, other[name]) for name, tensor in weights(finished).items())


def test_images_smaller_than_the_preset_are_refused(make_dataset, tmp_path):
    data = make_dataset(tmp_path / "small", places=3, frames=7, width=64, height=48)
    with pytest.raises(DataError, match=r"64 x 48 is smaller than preset tiny needs.*128x96"):
        train(config(data, tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_walks_shorter_than_a_sample_are_refused(data, tmp_path):
    with pytest.raises(DataError, match="no walk has 11 frames"):
        train(config(data, tmp_path / "run", batch=BatchConfig(num_frames=11)))


def test_precision_is_what_was_asked_for():
    assert mixed_precision("fp32") == "no"
    assert mixed_precision("bf16") == "bf16"
    assert mixed_precision("auto") in ("no", "bf16")


def test_terms_of_no_weight_are_not_computed(data, tmp_path):
    weights = LossWeights(terms=TermWeights(answer=0.0, attention_alignment=0.0))
    train(config(data, tmp_path, steps=1, weights=weights))
    names = {name for record in read_metrics(tmp_path) for name in record.values}
    assert "loss/target_bce" in names
    assert not {"loss/answer", "loss/attention_alignment"} & names


def test_validation_may_read_the_training_split_where_over_fitting_is_the_aim(make_dataset, tmp_path):
    data = make_dataset(tmp_path / "set", places=1, frames=7, width=128, height=96)
    with pytest.raises(DataError, match="val: has no sequence"):
        train(config(data, tmp_path / "run", steps=1))
    trained = train(config(data, tmp_path / "run", steps=1, validation_split="train"))
    names = {name for record in read_metrics(trained.run) for name in record.values}
    assert "validation/footprint_auc" in names


def test_depth_and_poses_are_given_in_all_no_or_half_of_the_steps():
    told = [gives_geometry("mixed", 3, step) for step in range(400)]
    assert 160 < sum(told) < 240
    assert told == [gives_geometry("mixed", 3, step) for step in range(400)]
    assert told != [gives_geometry("mixed", 4, step) for step in range(400)]
    assert all(gives_geometry("given", 0, step) for step in range(9))
    assert not any(gives_geometry("estimated", 0, step) for step in range(9))


def test_what_is_given_is_learned_from_only_where_it_is_given(data, finished, tmp_path):
    quiet = {"steps": 2, "validate_every": 9, "checkpoint_every": 9}
    given = weights(train(config(data, tmp_path / "given", geometry="given", **quiet)))
    plain = weights(finished)
    for layer in ("fusion.given.depth.2.weight", "fusion.given.pose.2.weight"):
        assert given[layer].any(), layer
        assert not plain[layer].any(), layer
