"""Frozen components, adapters, activation checkpointing, half precision: what changes and what may not."""

import json

import pytest
import torch
from pydantic import ValidationError

from backsight.model.adaptation import (
    ENCODERS,
    AdaptationConfig,
    ComponentAdaptation,
    LoraConfig,
    adapt,
    published_adaptation,
)
from backsight.model.backsight import COMPONENTS, Backsight
from backsight.records.errors import UsageError
from backsight.train.config import OptimiserConfig
from backsight.train.optimiser import make_optimiser, set_learning_rate

FROZEN = ComponentAdaptation(train="frozen")
LORA = ComponentAdaptation(train="lora", lora=LoraConfig(rank=3, alpha=7, dropout=0.0))


def every(part: ComponentAdaptation) -> AdaptationConfig:
    return AdaptationConfig(geometry=part, appearance=part, language=part)


def loss_of(model, inputs):
    encoding, footprints, targets = model(*inputs.all())
    parts = (footprints.logits, targets.logits, encoding.pose_encodings, encoding.depth, encoding.appearance_features)
    return sum((part.float() * torch.linspace(-1, 1, part.numel()).view(part.shape)).mean() for part in parts)


def step(model, inputs, rate=1e-2):
    """Take two optimiser steps (adapters begin at zero) and return the parameters before them."""
    before = {name: tensor.detach().clone() for name, tensor in model.named_parameters()}
    model.train()
    optimiser = make_optimiser(model, OptimiserConfig(learning_rate=rate))
    for _ in range(2):
        optimiser.zero_grad()
        loss_of(model, inputs).backward()
        optimiser.step()
    return before


def test_every_component_can_be_adapted():
    assert tuple(AdaptationConfig().components()) == COMPONENTS


def test_frozen_encoders_build_no_graph_stay_in_evaluation_and_do_not_change(own_model, inputs):
    adapt(own_model, every(FROZEN))
    own_model.train()
    for name in COMPONENTS:
        assert all(module.training is (name not in ENCODERS) for module in getattr(own_model, name).modules())
    images = torch.rand(2, 3, 96, 128)
    seen = own_model.geometry(torch.rand(1, 2, 3, 84, 112))
    assert not any(tensor.requires_grad for tensor in vars(seen).values())
    assert not own_model.appearance(images).requires_grad
    assert not own_model.language.image_features(torch.rand(1, 2, 3, 84, 112)).requires_grad
    before = step(own_model, inputs)
    for name, parameter in own_model.named_parameters():
        if name.split(".", 1)[0] in ENCODERS:
            assert parameter.grad is None, name
            assert torch.equal(parameter, before[name]), name
    # What stands before the frozen language model still learns through it.
    weight = "fusion.language_projection.weight"
    assert not torch.equal(own_model.get_parameter(weight), before[weight])
    assert not own_model.eval().fusion.training


def test_adapters_learn_and_what_they_adapt_does_not(own_model, inputs):
    plain = loss_of(own_model.eval(), inputs)
    adapt(own_model, every(LORA))
    assert torch.equal(loss_of(own_model.eval(), inputs), plain)  # adapters begin at zero
    before = step(own_model, inputs)
    for component in ENCODERS:
        changed = {
            name
            for name, parameter in getattr(own_model, component).named_parameters()
            if not torch.equal(parameter, before[f"{component}.{name}"])
        }
        adapters = {name for name, _ in getattr(own_model, component).named_parameters() if "lora_" in name}
        assert adapters
        table = {name for name in changed if name.endswith("embed_tokens.weight")}
        assert len(table) == (component == "language")
        words = {name for name in changed if name.startswith("words.")}
        assert bool(words) == (component == "language")
        assert changed - table - words == adapters
        # Poses are learnt from imagined views, of which there are none here.
        beside = {n for n, _ in getattr(own_model, component).named_parameters() if n.startswith(("words.", "pose."))}
        base = [p for n, p in getattr(own_model, component).named_parameters() if n not in adapters | table | beside]
        assert all(parameter.grad is None for parameter in base)
    shapes = {tuple(p.shape) for n, p in own_model.geometry.named_parameters() if "lora_A" in n}
    assert {shape[0] for shape in shapes} == {3}


@pytest.mark.parametrize("name", ["fusion", "heatmap"])
def test_decoders_take_adapters_too(own_model, inputs, name):
    adapt(own_model, AdaptationConfig(**{name: LORA}))
    before = step(own_model, inputs)
    changed = {n for n, p in getattr(own_model, name).named_parameters() if not torch.equal(p, before[f"{name}.{n}"])}
    assert changed
    assert all("lora_" in n for n in changed)


@pytest.mark.parametrize("part", [LORA, ComponentAdaptation(train="frozen", half_precision=True)], ids=["lora", "half"])
def test_an_adapted_model_comes_back_bit_for_bit(own_model, inputs, tmp_path, part):
    adapt(own_model, every(part))
    step(own_model, inputs)
    own_model.eval().save_pretrained(tmp_path)
    loaded = Backsight.from_pretrained(tmp_path)
    assert loaded.adaptation == own_model.adaptation
    with torch.no_grad():
        one, two = own_model(*inputs.all()), loaded(*inputs.all())
    assert torch.equal(one[1].logits, two[1].logits)
    assert torch.equal(one[2].logits, two[2].logits)
    assert torch.equal(one[0].depth, two[0].depth)
    assert torch.equal(one[0].appearance_features, two[0].appearance_features)
    trained = [{n for n, p in model.named_parameters() if p.requires_grad} for model in (own_model, loaded)]
    assert trained[0] == trained[1]


def test_a_checkpoint_that_names_no_adaptation_is_a_plain_one(own_model, tmp_path):
    own_model.save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    del content["adaptation"]
    path.write_text(json.dumps(content))
    assert Backsight.from_pretrained(tmp_path).adaptation == AdaptationConfig()


def test_recomputed_activations_give_the_same_gradients(own_model, inputs):
    own_model.train()
    loss_of(own_model, inputs).backward()
    expected = {n: p.grad.clone() for n, p in own_model.named_parameters() if p.grad is not None}
    own_model.zero_grad()
    runs = {"geometry": 0, "appearance": 0, "language": 0}
    blocks = {
        "geometry": own_model.geometry.aggregator.frame_blocks[0].attn,
        "appearance": own_model.appearance.model.model.layer[0].attention,
        "language": own_model.language.model.model.language_model.layers[0].self_attn,
    }
    for name, block in blocks.items():
        block.register_forward_hook(lambda *_, name=name: runs.__setitem__(name, runs[name] + 1))
    adapt(own_model, every(ComponentAdaptation(recompute=True)))
    loss_of(own_model, inputs).backward()
    assert runs == {"geometry": 2, "appearance": 2, "language": 2}
    found = {n: p.grad for n, p in own_model.named_parameters() if p.grad is not None}
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6, msg=lambda text, n=name: f"{n}: {text}")
    with torch.no_grad():
        loss_of(own_model, inputs)
    assert set(runs.values()) == {3}  # nothing is run twice without a backward pass


def test_recomputing_asks_no_gradient_of_a_frozen_vision_tower(own_model):
    adapt(own_model, AdaptationConfig(language=LORA.model_copy(update={"recompute": True})))
    own_model.train()
    assert not own_model.language.image_features(torch.rand(1, 2, 3, 84, 112)).requires_grad


def test_adapters_learn_under_recomputed_activations(own_model, inputs):
    adapt(own_model, every(LORA.model_copy(update={"recompute": True})))
    before = step(own_model, inputs)
    still = {n for n, p in own_model.named_parameters() if "lora_" in n and torch.equal(p, before[n])}
    assert not still


def test_half_precision_stores_weights_in_two_bytes_and_stays_close(own_model, inputs):
    with torch.no_grad():
        plain = own_model.eval().encode(inputs.rgb)
        frequencies = own_model.language.model.model.language_model.rotary_emb.inv_freq.clone()
    adapt(own_model, every(ComponentAdaptation(train="frozen", half_precision=True)))
    with torch.no_grad():
        half, _, targets = own_model(*inputs.all())
    for name, inside in ENCODERS.items():
        part = getattr(own_model, name).get_submodule(inside)
        assert {parameter.dtype for parameter in part.parameters()} == {torch.bfloat16}
    assert next(own_model.geometry.camera_head.parameters()).dtype == torch.float32
    assert torch.equal(own_model.language.model.model.language_model.rotary_emb.inv_freq, frequencies)
    assert half.geometry_features.dtype == half.depth.dtype == targets.logits.dtype == torch.float32
    torch.testing.assert_close(half.geometry_features, plain.geometry_features, rtol=0, atol=0.05)
    torch.testing.assert_close(half.appearance_features, plain.appearance_features, rtol=0, atol=0.05)


def test_rates_follow_the_component(own_model):
    adaptation = AdaptationConfig(
        geometry=FROZEN, language=LORA, appearance=ComponentAdaptation(rate_factor=0.25), fusion=ComponentAdaptation()
    )
    adapt(own_model, adaptation)
    optimiser = make_optimiser(own_model, OptimiserConfig(learning_rate=2e-3))
    expected = {"appearance": 0.25, "language": 0.1, "fusion": 1.0, "heatmap": 1.0}
    for rate in (2e-3, 5e-4):
        found = {group["name"]: group["lr"] for group in optimiser.param_groups}
        assert {name.split("/")[0] for name in found} == expected.keys()
        for name, value in found.items():
            assert value == pytest.approx(rate * expected[name.split("/")[0]])
        set_learning_rate(optimiser, 5e-4)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"geometry": {"half_precision": True}}, "needs train: frozen"),
        ({"geometry": {"train": "lora", "half_precision": True}}, "needs train: frozen"),
        ({"language": {"train": "frozen", "recompute": True}}, "needs train: full or lora"),
        ({"fusion": {"recompute": True}}, "fusion: recompute and half_precision are for"),
        ({"heatmap": {"train": "frozen", "half_precision": True}}, "heatmap: recompute and half_precision are for"),
        ({"language": {"lora": {"rank": 0}}}, "greater than or equal to 1"),
        ({"wings": {}}, "Extra inputs"),
    ],
)
def test_what_makes_no_sense_is_refused(part, message):
    with pytest.raises(ValidationError, match=message):
        AdaptationConfig.model_validate(part)


def test_targets_without_a_layer_are_named(own_model):
    wrong = ComponentAdaptation(train="lora", lora=LoraConfig(targets=("attn.qkv", "attn.wings")))
    with pytest.raises(UsageError, match=r"geometry: LoRA: no layer's name ends with 'attn\.wings'"):
        adapt(own_model, AdaptationConfig(geometry=wrong))


def test_a_model_is_adapted_once(own_model):
    adapt(own_model, AdaptationConfig(fusion=FROZEN))
    with pytest.raises(UsageError, match="already"):
        adapt(own_model, AdaptationConfig(geometry=FROZEN))


def test_the_published_weights_are_frozen_and_the_language_model_carries_adapters():
    parts = published_adaptation().components()
    assert {name: part.train for name, part in parts.items()} == {
        "geometry": "frozen",
        "appearance": "frozen",
        "language": "lora",
        "fusion": "full",
        "heatmap": "full",
    }
    assert parts["language"].learning_rate_factor == 0.1
