"""DINOv3 and DINOv2 with registers: published checkpoints of the real classes, made tiny and saved to disk."""

import json

import pytest
import torch
from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel, DINOv3ViTConfig, DINOv3ViTModel

from backsight.model.appearance import IMAGE_DEVIATION, IMAGE_MEAN, Appearance, load_published_appearance
from backsight.model.backsight import Backsight
from backsight.model.config import AppearanceConfig
from backsight.model.encoders import load_published_encoders
from backsight.model.presets import full, tiny
from backsight.model.tokenizer import build_tokenizer
from backsight.records.errors import DataError, EnvironmentProblem

FAMILIES = ("dinov3", "dinov2_with_registers")
SIZES = {"width": 64, "heads": 4, "depth": 3, "mlp_width": 256, "registers": 3, "positions": 5}


def config(family: str, **changes) -> AppearanceConfig:
    return AppearanceConfig(**{"family": family, **SIZES, **changes})


def published(family: str):
    """The real class with random weights, configured as it is published: with augmentation and a backbone's fields."""
    torch.manual_seed(3)
    shared = {
        "hidden_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_register_tokens": 3,
        "out_indices": [3],
        "initializer_range": 0.1,
    }
    if family == "dinov3":
        model = DINOv3ViTModel(DINOv3ViTConfig(**shared, intermediate_size=256, pos_embed_rescale=2.0))
    else:
        model = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**shared, mlp_ratio=4, patch_size=14, image_size=70))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model.eval()


@pytest.fixture(params=FAMILIES)
def family(request) -> str:
    return request.param


@pytest.fixture
def folder(family, tmp_path):
    published(family).save_pretrained(tmp_path / "published")
    return tmp_path / "published"


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_published_checkpoint_gives_its_own_features(family, folder, attention):
    torch.manual_seed(9)
    ours = Appearance(config(family), attention)
    load_published_appearance(ours, folder)
    assert ours.model.config._attn_implementation == attention
    assert type(ours.model) is type(published(family))
    images = torch.rand(2, 3, 96, 112)
    # Independently: normalised by hand, at the size of which this family makes 6 x 7 patches.
    mean, deviation = (torch.tensor(v)[:, None, None] for v in (IMAGE_MEAN, IMAGE_DEVIATION))
    sized = images
    if family == "dinov2_with_registers":
        sized = torch.nn.functional.interpolate(images, (84, 98), mode="bilinear", antialias=True).clamp(0, 1)
    with torch.no_grad():
        expected = published(family)(pixel_values=(sized - mean) / deviation).last_hidden_state[:, 4:]
        found = ours.eval()(images)
    assert found.shape == (2, 42, 64)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    # Published DINOv3 rescales positions at random while it trains; here two passes must agree.
    assert torch.equal(ours.train()(images), ours.train()(images))


def test_both_families_have_one_patch_grid(inputs):
    for family in FAMILIES:
        model = make_model(family)
        with torch.no_grad():
            encoding = model.encode(inputs.rgb)
        assert encoding.appearance_features.shape == (3, 5, 64, 6, 8)


def make_model(family: str, **changes) -> Backsight:
    torch.manual_seed(0)
    sizes = tiny().model_copy(update={"appearance": config(family, **changes)})
    return Backsight(sizes, build_tokenizer(["find the red chair"], sizes.language.frame_tokens)).eval()


def test_loaded_weights_learn_and_survive_saving(family, folder, inputs, tmp_path):
    model = make_model(family, checkpoint=str(folder))
    load_published_encoders(model.config, model.geometry, model.appearance)
    weights = published(family).state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.appearance.model.state_dict().items())
    model.train()
    encoding, _, _ = model(*inputs.all())
    (encoding.appearance_features * torch.randn(encoding.appearance_features.shape)).sum().backward()
    still = {
        n for n, p in model.appearance.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())
    }
    assert {name for name in still if not name.endswith("k_proj.bias")} == set()
    model.eval().save_pretrained(tmp_path / "saved")
    for path in folder.iterdir():  # what was saved stands alone
        path.unlink()
    loaded = Backsight.from_pretrained(tmp_path / "saved")
    assert loaded.config == model.config
    with torch.no_grad():
        one, two = (m(*inputs.all()) for m in (model, loaded))
    assert torch.equal(one[0].appearance_features, two[0].appearance_features)
    assert torch.equal(one[1].logits, two[1].logits)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 2}, "num_hidden_layers: is 3, the configuration of appearance makes it 2"),
        ({"heads": 2}, "num_attention_heads: is 4, .* makes it 2"),
        ({"width": 32, "mlp_width": 128}, "hidden_size: is 64, .* makes it 32"),
        ({"registers": 4}, "num_register_tokens: is 3, .* makes it 4"),
    ],
)
def test_sizes_that_differ_from_the_checkpoint_are_named(family, folder, changes, message):
    with pytest.raises(DataError, match=message):
        load_published_appearance(Appearance(config(family, **changes), "eager"), folder)


def test_positions_are_a_size_of_dinov2_alone(folder, family):
    other = Appearance(config(family, positions=7), "eager")
    if family == "dinov3":
        load_published_appearance(other, folder)
    else:
        with pytest.raises(DataError, match=r"image_size: is 70, .* makes it 98"):
            load_published_appearance(other, folder)


def test_the_other_family_is_refused(family, folder):
    other = FAMILIES[1 - FAMILIES.index(family)]
    with pytest.raises(DataError, match=r"model_type: is '\w+', the configuration asks for .*appearance\.family"):
        load_published_appearance(Appearance(config(other), "eager"), folder)


def test_damaged_weights_are_refused(family, folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match="weights: not a whole safetensors file"):
        load_published_appearance(Appearance(config(family), "eager"), folder)


def test_a_tensor_too_few_is_named_and_nothing_is_loaded(family, folder):
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    weights = load_file(path)
    name = sorted(weights)[-1]
    save_file({key: tensor for key, tensor in weights.items() if key != name}, path, metadata={"format": "pt"})
    ours = Appearance(config(family), "eager")
    before = {key: tensor.clone() for key, tensor in ours.state_dict().items()}
    with pytest.raises(DataError, match=r": missing"):
        load_published_appearance(ours, folder)
    assert all(torch.equal(tensor, before[key]) for key, tensor in ours.state_dict().items())


@pytest.mark.parametrize("gone", ["config.json", "model.safetensors"])
def test_a_folder_without_its_files_is_refused(family, folder, gone):
    (folder / gone).unlink()
    with pytest.raises(DataError, match="give a folder that save_pretrained wrote"):
        load_published_appearance(Appearance(config(family), "eager"), folder)


def test_another_activation_is_another_model(family, folder):
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(content | {"hidden_act": "relu"}))
    with pytest.raises(DataError, match=r"hidden_act: is 'relu', .* makes it 'gelu'"):
        load_published_appearance(Appearance(config(family), "eager"), folder)


def test_neither_a_folder_nor_a_hub_id(tmp_path):
    with pytest.raises(DataError, match="no such folder, and no hub id"):
        load_published_appearance(Appearance(config("dinov3"), "eager"), tmp_path / "none")


def test_a_hub_that_cannot_be_reached_says_what_to_do(family, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="facebook/dino: the published weights can't be had"):
        load_published_appearance(Appearance(config(family), "eager"), "facebook/dino")


def test_full_names_its_checkpoints_and_the_others_train_from_scratch():
    assert full().geometry.checkpoint == "facebook/VGGT-1B"
    assert full().appearance.checkpoint == "facebook/dinov3-vitl16-pretrain-lvd1689m"
    assert tiny().geometry.checkpoint is None
    assert tiny().appearance.checkpoint is None


@pytest.mark.parametrize(("family", "numbers"), [("dinov3", 303_129_600), ("dinov2_with_registers", 304_372_736)])
def test_full_has_the_published_numbers_of_either_family(family, numbers):
    sizes = full().appearance.model_copy(update={"family": family})
    with torch.device("meta"):
        ours = Appearance(sizes, "sdpa")
    assert sum(parameter.numel() for parameter in ours.parameters()) == numbers
