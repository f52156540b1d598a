import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from backsight.model.backsight import Backsight
from backsight.model.calibration import Calibration, Platt
from backsight.model.checkpoint import load_weights
from backsight.records.errors import DataError, UsageError


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint") / "model"
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    for path in saved.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(saved)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    return tmp_path


def test_a_saved_model_comes_back_bit_for_bit(model, saved, inputs):
    loaded = Backsight.from_pretrained(saved)
    assert not loaded.training
    state = loaded.state_dict()
    assert state.keys() == model.state_dict().keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in model.state_dict().items())
    with torch.no_grad():
        _, footprints, targets = model(*inputs.all())
        _, footprints_again, targets_again = loaded(*inputs.all())
    assert torch.equal(footprints.logits, footprints_again.logits)
    assert torch.equal(targets.logits, targets_again.logits)


def test_the_output_layer_stays_tied_to_the_embedding(saved):
    language = Backsight.from_pretrained(saved).language.model
    assert language.lm_head.weight is language.get_input_embeddings().weight


def test_nothing_but_json_and_safetensors_is_written(saved):
    assert {path.suffix for path in saved.rglob("*") if path.is_file()} == {".json", ".safetensors"}


def test_calibration_travels_with_the_weights(own_model, tmp_path):
    own_model.calibration = Calibration(target=Platt(slope=0.5, offset=-1.25))
    own_model.save_pretrained(tmp_path)
    assert Backsight.from_pretrained(tmp_path).calibration == own_model.calibration


def test_platt_scaling_is_a_logistic_of_a_line():
    probability = Platt(slope=2.0, offset=-1.0).probability(torch.tensor([0.5, 1.0]))
    torch.testing.assert_close(probability, torch.tensor([0.5, 0.7310586]))


def test_another_preset_is_refused(saved):
    with pytest.raises(UsageError, match="preset: is 'tiny', asked for 'small'"):
        Backsight.from_pretrained(saved, preset="small")


@pytest.mark.parametrize("name", ["config.json", "calibration.json", "tokenizer/tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        Backsight.from_pretrained(copy)


def test_another_format_is_refused(copy):
    content = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(content | {"format": 99}))
    with pytest.raises(DataError, match=r"config\.json: format: is 99"):
        Backsight.from_pretrained(copy)


def test_an_unknown_key_is_named(copy):
    content = json.loads((copy / "config.json").read_text())
    content["model"]["fusion"]["wings"] = 2
    (copy / "config.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"config\.json: fusion\.wings"):
        Backsight.from_pretrained(copy)


def test_a_size_that_differs_from_the_weights_is_named(copy):
    content = json.loads((copy / "config.json").read_text())
    content["model"]["heatmap"]["target"] = 44
    (copy / "config.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"model\.safetensors: heatmap\.target\.\S+: is float32"):
        Backsight.from_pretrained(copy)


def test_damaged_weights_are_refused(copy):
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match="not a whole safetensors file"):
        Backsight.from_pretrained(copy)


@pytest.mark.parametrize(("change", "message"), [("drop", "missing"), ("add", "not part of this model")])
def test_a_tensor_too_few_or_too_many_is_named(copy, own_model, change, message):
    path = copy / "model.safetensors"
    weights = load_file(path)
    if change == "drop":
        del weights["fusion.match.weight"]
    else:
        weights["fusion.match.extra"] = torch.zeros(1)
    save_file(weights, path)
    with pytest.raises(DataError, match=rf"fusion\.match\.\w+: {message}"):
        load_weights(own_model, path)
