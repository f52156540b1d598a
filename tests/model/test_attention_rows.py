import pytest
import torch

from backsight.model.attention_rows import watched_projections
from backsight.model.config import LanguageConfig
from backsight.model.language import SeenViews
from backsight.model.presets import full, tiny
from backsight.model.tokenizer import encode_texts


@pytest.fixture
def seen():
    features = torch.randn(2, 3, 12, 96, generator=torch.Generator().manual_seed(5))
    return SeenViews(features, 3, torch.tensor([[12, 6, 0]] * 2))


@pytest.mark.parametrize("kernel", ["eager", "sdpa"])
@pytest.mark.parametrize("layers", [(2,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("texts", [["find the sofa"], ["find the sofa", "go to the blue vase on the desk"]])
def test_rows_are_those_of_eager_attention(own_model, seen, kernel, layers, texts):
    language = own_model.eval().language
    for layer in language.model.model.language_model.layers:
        # Attention that picks tokens out: even rows would agree whatever was computed.
        torch.nn.init.normal_(layer.self_attn.q_proj.weight, std=0.3)
        torch.nn.init.normal_(layer.self_attn.k_proj.weight, std=0.3)
    language.aligned_layers = layers
    tokens = encode_texts(own_model.tokenizer, texts)[None].expand(2, -1, -1)
    language.model.set_attn_implementation(kernel)
    with torch.no_grad():
        found = language.read(seen, tokens, with_attention=True).attention
    matrices = eager_matrices(language, seen, tokens)
    assert len(matrices) == 3
    mean = torch.stack([matrices[layer] for layer in layers]).mean(dim=(0, 2))
    suffix = tokens.shape[2] + 3
    for row in range(len(texts)):
        for heat in range(3):
            place = 3 * 15 + row * suffix + tokens.shape[2] + heat
            for view in range(3):
                expected = mean[:, place, view * 15 + 2 : view * 15 + 14]
                torch.testing.assert_close(found[:, row, heat, view], expected, rtol=0, atol=1e-5)
    assert found.std() > 1e-2


def eager_matrices(language, seen, tokens):
    """Attention of every layer as transformers returns it."""
    language.model.set_attn_implementation("eager")
    kept = []
    forward = language.model.model.language_model.forward

    def outer(*arguments, **named):
        found = forward(*arguments, **named, output_attentions=True)
        kept.extend(found.attentions)
        return found

    language.model.model.language_model.forward = outer
    try:
        with torch.no_grad():
            language.read(seen, tokens)
    finally:
        del language.model.model.language_model.forward
    return kept


def test_nothing_stays_hooked(own_model, seen):
    language = own_model.eval().language
    layers = language.model.model.language_model.layers
    with pytest.raises(RuntimeError, match="stop"), watched_projections(layers, (0, 2)):
        raise RuntimeError("stop")
    with torch.no_grad():
        language.read(seen, encode_texts(own_model.tokenizer, ["sofa"])[None].expand(2, -1, -1), with_attention=True)
    assert not any(module._forward_hooks for module in layers.modules())


def test_the_last_third_of_the_layers_is_aligned_by_default():
    assert tiny().language.aligned_layers == (2,)
    assert full().language.aligned_layers == tuple(range(24, 36))
    chosen = tiny().language.model_copy(update={"attention_layers": (0, 1)})
    assert chosen.aligned_layers == (0, 1)


@pytest.mark.parametrize("layers", [(), (3,), (-1, 0)])
def test_layers_that_do_not_exist_are_refused(layers):
    with pytest.raises(ValueError, match="attention_layers"):
        LanguageConfig.model_validate(tiny().language.model_dump() | {"attention_layers": layers})
