"""Costs counted on shapes against formulas written by hand and against the model with its weights."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from backsight.model.adaptation import AdaptationConfig, ComponentAdaptation, LoraConfig, adapt, published_adaptation
from backsight.model.backsight import COMPONENTS, Backsight
from backsight.model.config import ModelConfig
from backsight.model.costs import (
    PARTS,
    SampleSize,
    default_adaptation,
    default_sample,
    forward_flops,
    kept_activations,
    model_costs,
)
from backsight.model.presets import full, small, tiny
from backsight.model.question import Question
from backsight.model.shapes import ShapesOnly, model_of_shapes
from backsight.model.tokenizer import build_tokenizer
from backsight.records.errors import UsageError

SAMPLE = SampleSize(keyframes=3, history=4, instructions=2, words=7)


def question(sample: SampleSize) -> tuple:
    frames = sample.frames
    words = torch.full((1, sample.instructions, sample.words), 1)
    asked = Question(torch.arange(frames - sample.keyframes, frames)[None], torch.arange(frames)[None], words)
    return asked, torch.tensor([[0, frames - 1]]), torch.arange(frames - 1)[None]


def real_model() -> Backsight:
    torch.manual_seed(0)
    return Backsight(tiny(), build_tokenizer([], tiny().language.frame_tokens))


def linear(tokens: int, wide: int, out: int) -> int:
    return 2 * tokens * wide * out


def attention(queries: int, keys: int, width: int) -> int:
    """Scores, and their product with the values, over all heads."""
    return 2 * 2 * queries * keys * width


def vggt_block(count: int, width: int) -> int:
    """One sequence: four projections, attention, an MLP four times as wide."""
    return 4 * linear(count, width, width) + attention(count, count, width) + 2 * linear(count, width, 4 * width)


def vggt_aggregator(config: ModelConfig, frames: int) -> int:
    sizes, patches = config.geometry, config.patch_rows * config.patch_columns
    width, special = sizes.width, 1 + sizes.registers
    embedding = linear(patches, 3 * 14**2, width) + sizes.patch_depth * vggt_block(patches + special, width)
    within = frames * vggt_block(patches + special, width)
    over = vggt_block(frames * (patches + special), width)
    return frames * embedding + sizes.depth * (within + over)


def dino(config: ModelConfig, frames: int) -> int:
    sizes, patches = config.appearance, config.patch_rows * config.patch_columns
    width, tokens = sizes.width, patches + 1 + sizes.registers
    block = (
        4 * linear(tokens, width, width)
        + attention(tokens, tokens, width)
        + linear(tokens, width, sizes.mlp_width)
        + linear(tokens, sizes.mlp_width, width)
    )
    return frames * (linear(patches, 3 * 16**2, width) + sizes.depth * block)


def text_layers(config: ModelConfig, sample: SampleSize) -> int:
    sizes, image_tokens = config.language, config.patch_rows * config.patch_columns // 4
    prefix = sample.keyframes * (image_tokens + 3)
    length = prefix + sample.instructions * (sample.words + sample.keyframes)
    width, head = sizes.width, sizes.width // sizes.heads
    layer = (
        2 * linear(length, width, width)
        + 2 * linear(length, width, sizes.key_value_heads * head)
        + attention(length, length, width)
        + 3 * linear(length, width, sizes.mlp_width)
    )
    return sizes.depth * layer


@pytest.mark.parametrize("backend", ["eager", "sdpa"])
@pytest.mark.parametrize("config", [tiny(), small()], ids=["tiny", "small"])
def test_transformers_cost_what_formulas_say(config, backend):
    found = forward_flops(config.model_copy(update={"attention": backend}), SAMPLE)
    assert found["geometry.aggregator"] == vggt_aggregator(config, 5)
    assert found["appearance"] == dino(config, 5)
    assert found["language.model.model.language_model"] == text_layers(config, SAMPLE)
    width = config.language.width
    assert found["language"] == SAMPLE.instructions * 2 * linear(1, width, 2 * width)
    assert found["fusion.language_projection"] == linear(
        3 * config.patch_rows * config.patch_columns // 4, config.fusion.tokens, width
    )


def test_the_full_preset_is_counted_without_its_weights():
    sample = SampleSize(keyframes=1, history=1, words=3)
    found = forward_flops(full(), sample)
    assert found["geometry.aggregator"] == vggt_aggregator(full(), 2)
    assert found["appearance"] == dino(full(), 2)
    assert found["language.model.model.language_model"] == text_layers(full(), sample)
    # A plain pass looks embeddings up, is given no geometry and imagines nothing.
    idle = {"language.model.model.language_model.embed_tokens", "fusion.given", "heatmap.imagined"}
    assert {part for part, count in found.items() if count == 0} == idle


def test_shapes_cost_what_the_model_with_weights_does():
    model = real_model().eval().requires_grad_(False)
    rgb = torch.zeros(1, SAMPLE.frames, 3, 96, 128, dtype=torch.uint8)
    counter = FlopCounterMode(display=False)
    with counter:
        model(rgb, *question(SAMPLE))
    found = forward_flops(tiny(), SAMPLE)
    assert sum(found.values()) == counter.get_total_flops()
    for path in ("geometry.camera_head", "heatmap.footprint", "heatmap.target"):
        assert found[path] == sum(counter.get_flop_counts()[f"Backsight.{path}"].values())


@pytest.mark.parametrize(
    "adaptation",
    [
        AdaptationConfig(),
        AdaptationConfig(geometry=ComponentAdaptation(train="frozen"), appearance=ComponentAdaptation(recompute=True)),
    ],
    ids=["full", "frozen and recompute"],
)
def test_kept_activations_are_those_of_the_model_with_weights(adaptation):
    """Saved tensors of a real graph, each storage once, without weights; recomputed blocks keep their inputs."""
    shapes = model_of_shapes(tiny())
    adapt(shapes, adaptation)
    kept = kept_activations(shapes.train(), SAMPLE)
    model = real_model()
    adapt(model, adaptation)
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    saved: dict[int, torch.Tensor] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    rgb = torch.zeros(1, SAMPLE.frames, 3, 96, 128, dtype=torch.uint8)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        outputs = model.train()(rgb, *question(SAMPLE))
    real = sum(t.untyped_storage().nbytes() for pointer, t in saved.items() if pointer not in weights)
    del outputs
    assert real <= sum(kept.values()) <= 1.15 * real


def test_components_and_parts_sum_to_the_total():
    costs = model_costs(tiny(), SAMPLE)
    model = real_model()
    assert [component.whole.name for component in costs.components] == list(COMPONENTS)
    assert costs.total.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert costs.total.trained_parameters == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert costs.total.forward_flops == sum(forward_flops(tiny(), SAMPLE).values())
    for component in costs.components:
        own = sum(p.numel() for p in model.get_submodule(component.whole.name).parameters())
        assert component.whole.parameters == own == sum(part.parameters for part in component.parts)
    for field in ("forward_flops", "activation_bytes", "optimiser_bytes", "training_weights_bytes"):
        wholes = [component.whole for component in costs.components]
        assert getattr(costs.total, field) == sum(getattr(whole, field) for whole in wholes)
        for component in costs.components:
            assert getattr(component.whole, field) == sum(getattr(part, field) for part in component.parts)


def test_memory_follows_the_adaptation():
    adaptation = published_adaptation().model_copy(
        update={"language": ComponentAdaptation(train="lora", lora=LoraConfig(rank=3, beside=()))}
    )
    costs = {component.whole.name: component.whole for component in model_costs(tiny(), SAMPLE, adaptation).components}
    frozen = costs["appearance"]
    assert frozen.trained_parameters == frozen.optimiser_bytes == 0
    assert frozen.training_weights_bytes == frozen.weights_bf16_bytes
    sizes = tiny().language
    narrow = sizes.width // sizes.heads * sizes.key_value_heads
    # Into and out of rank 3: queries and outputs are as wide as the layer, keys and values narrower.
    expected = sizes.depth * 3 * (2 * (sizes.width + sizes.width) + 2 * (sizes.width + narrow))
    language = costs["language"]
    assert language.trained_parameters == language.adapter_parameters == expected
    assert language.optimiser_bytes == 12 * expected
    assert language.training_weights_bytes == 4 * (language.parameters + expected)
    assert costs["fusion"].optimiser_bytes == 12 * costs["fusion"].parameters


def kept_by(config: ModelConfig, adaptation: AdaptationConfig) -> dict[str, int]:
    model = model_of_shapes(config)
    adapt(model, adaptation)
    return kept_activations(model.train(), SAMPLE)


def test_recomputing_keeps_less():
    layers = "language.model.model.language_model"
    whole = kept_by(tiny(), AdaptationConfig())[layers]
    again = kept_by(tiny(), AdaptationConfig(language=ComponentAdaptation(recompute=True)))[layers]
    assert 0 < again < whole / 2


def test_fused_attention_keeps_no_scores():
    config = tiny()
    found = [
        kept_by(config.model_copy(update={"attention": backend}), AdaptationConfig())["geometry.aggregator"]
        for backend in ("eager", "sdpa")
    ]
    tokens = config.patch_rows * config.patch_columns + 5
    scores = 4 * config.geometry.depth * config.geometry.heads * (5 * tokens) ** 2
    assert found[0] - found[1] > scores


def test_published_sizes_of_the_full_preset():
    counts: dict[str, int] = {}
    for name, parameter in model_of_shapes(full()).named_parameters():
        assert parameter.is_meta
        for prefix in ("geometry", "appearance", "language", "language.model", "fusion", "heatmap", ""):
            if name.startswith(prefix):
                counts[prefix] = counts.get(prefix, 0) + parameter.numel()
    assert counts["geometry"] == 909_112_320 + 216_174_610 + 32_654_562
    assert counts["appearance"] == 303_129_600
    assert counts["language.model"] == 3_754_622_976
    assert counts[""] == sum(counts[name] for name in COMPONENTS) == pytest.approx(5.254e9, rel=1e-3)


def test_presets_have_their_own_samples_and_adaptations():
    frames = [(s.keyframes, s.history) for s in map(default_sample, (tiny(), small(), full()))]
    assert frames == [(5, 6), (8, 12), (16, 16)]
    assert default_adaptation(small()) == AdaptationConfig()
    assert default_adaptation(full()) == published_adaptation()
    with pytest.raises(UsageError, match="huge"):
        default_sample(tiny().model_copy(update={"preset": "huge"}))


@pytest.mark.parametrize(
    "sample", [SampleSize(3, 1), SampleSize(0, 2), SampleSize(1, 0), SampleSize(1, 1, 0), SampleSize(1, 1, currents=3)]
)
def test_samples_that_cannot_be_are_refused(sample):
    with pytest.raises(UsageError, match="keyframes"):
        model_costs(tiny(), sample)


def test_parts_name_modules_that_there_are():
    model = model_of_shapes(tiny())
    for component, parts in PARTS.items():
        for path in parts:
            assert path.startswith(component)
            model.get_submodule(path)


def test_a_module_of_no_part_is_not_counted_elsewhere(monkeypatch):
    monkeypatch.delitem(PARTS["heatmap"], "heatmap.target")
    with pytest.raises(ValueError, match=r"heatmap\.target"):
        model_costs(tiny(), SAMPLE)


def test_whole_numbers_keep_their_values_among_shapes():
    weight = torch.empty(5, 3, device="meta")
    with ShapesOnly():
        rows = torch.tensor([4, 0], device=weight.device)
        steps = torch.arange(3, device="meta") + rows[:1]
        halves = torch.arange(0, 2, 0.5, device="meta")
        chosen = weight[rows]
        added = chosen * torch.ones(3)
    assert rows.tolist() == [4, 0]
    assert steps.tolist() == [4, 5, 6]
    assert halves.is_meta
    assert chosen.is_meta
    assert chosen.shape == added.shape == (2, 3)
