import numpy as np
import pytest
import torch
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from backsight.model.language import IMAGE_DEVIATION, IMAGE_MEAN, Language
from backsight.model.presets import tiny
from backsight.model.tokenizer import build_tokenizer, encode_texts, token_ids
from backsight.records.errors import UsageError


def test_patches_are_cut_as_the_published_processor_cuts_them(model):
    image = np.random.default_rng(0).integers(0, 256, (84, 112, 3), dtype=np.uint8)
    processor = Qwen2VLImageProcessorPil(do_resize=False, image_mean=IMAGE_MEAN, image_std=IMAGE_DEVIATION)
    expected = processor(images=[image], return_tensors="pt")
    language = model.language
    ours = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    patches = language._patches((ours - language.mean) / language.deviation)
    assert expected["image_grid_thw"].tolist() == [[1, 6, 8]]
    torch.testing.assert_close(patches, expected["pixel_values"], rtol=1e-4, atol=1e-4)


def test_image_tokens_have_three_dimensional_positions(model):
    positions = model.language._positions(2, 3, 4, 5)
    assert positions.shape == (3, 1, 2 * (3 + 12) + 5)
    time, row, column = positions[:, 0, 2:14]
    assert (time == 2).all()
    assert (row - 2).tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert (column - 2).tolist() == [0, 1, 2, 3] * 3
    # The next token continues after the larger side of the grid.
    assert positions[:, 0, 14].tolist() == [6, 6, 6]


def test_flat_positions_would_change_the_answer(model, inputs, monkeypatch):
    features = torch.randn(1, 3, 12, 96, generator=torch.Generator().manual_seed(5))
    ages, tokens = torch.tensor([[12, 6, 0]]), inputs.instruction_tokens[:1]
    with torch.no_grad():
        right = model.language.queries(features, 3, ages, tokens)
        flat = torch.arange(3 * 15 + tokens.shape[2] + 3).expand(3, 1, -1)
        monkeypatch.setattr(Language, "_positions", lambda *_: flat)
        wrong = model.language.queries(features, 3, ages, tokens)
    assert (right - wrong).abs().max() > 1e-4


def test_padding_an_instruction_changes_nothing(model):
    tokenizer = model.tokenizer
    features = torch.randn(1, 3, 12, 96, generator=torch.Generator().manual_seed(5))
    ages = torch.tensor([[12, 6, 0]])
    alone = encode_texts(tokenizer, ["find the sofa"])[None]
    beside = encode_texts(tokenizer, ["find the sofa", "go to the blue vase on the desk"])[None]
    assert beside.shape[2] > alone.shape[2]
    with torch.no_grad():
        one = model.language.queries(features, 3, ages, alone)
        two = model.language.queries(features, 3, ages, beside)
    torch.testing.assert_close(one[:, 0], two[:, 0], rtol=1e-4, atol=1e-5)
    assert (two[:, 0] - two[:, 1]).abs().max() > 1e-3


def test_each_view_gets_a_query_of_its_own_that_knows_its_age(model, inputs):
    features = torch.randn(1, 1, 12, 96).expand(1, 3, -1, -1)
    tokens = inputs.instruction_tokens[:1]
    with torch.no_grad():
        near = model.language.queries(features, 3, torch.tensor([[2, 1, 0]]), tokens)
        far = model.language.queries(features, 3, torch.tensor([[9, 1, 0]]), tokens)
        oldest = [model.language.queries(features, 3, torch.tensor([[age, 1, 0]]), tokens) for age in (63, 900)]
    assert (near[:, :, 0] - near[:, :, 1]).abs().max() > 1e-4
    assert (near[:, :, 0] - far[:, :, 0]).abs().max() > 1e-4
    assert torch.equal(*oldest)


def test_words_and_images_both_reach_the_query(model, inputs):
    features = torch.randn(1, 3, 12, 96)
    ages = torch.tensor([[12, 6, 0]])
    with torch.no_grad():
        base = model.language.queries(features, 3, ages, inputs.instruction_tokens[:1])
        other = model.language.queries(features.flip(1), 3, ages, inputs.instruction_tokens[:1])
    assert (base[:, 0] - base[:, 1]).abs().max() > 1e-3
    assert (base - other).abs().max() > 1e-4


def test_an_empty_instruction_has_a_query(model):
    tokens = encode_texts(model.tokenizer, [""])[None]
    with torch.no_grad():
        found = model.language.queries(torch.randn(1, 3, 12, 96), 3, torch.tensor([[2, 1, 0]]), tokens)
    assert found.isfinite().all()


def test_the_tokenizer_knows_its_words_and_special_tokens():
    tokenizer = build_tokenizer(["Find the RED chair, please."], 3)
    ids = tokenizer.encode("find the red   Chair, zebra", add_special_tokens=False)
    assert tokenizer.convert_ids_to_tokens(ids) == ["find", "the", "red", "chair", ",", "<unknown>"]
    special = token_ids(tokenizer, 3)
    assert len({special.padding, special.end, special.heat, special.image, *special.frames}) == 7
    assert tokenizer.encode("<heat><frame 2>", add_special_tokens=False) == [special.heat, special.frames[2]]


def test_the_order_of_texts_does_not_change_the_vocabulary():
    texts = ["a sofa", "the bed", "a chair"]
    assert build_tokenizer(texts, 2).get_vocab() == build_tokenizer(texts[::-1], 2).get_vocab()


def test_a_tokenizer_without_frame_tokens_is_refused():
    with pytest.raises(UsageError, match="<frame 2>"):
        token_ids(build_tokenizer([], 2), 3)


def test_a_tokenizer_larger_than_the_embedding_table_is_refused():
    config = tiny().language.model_copy(update={"vocabulary": 40})
    tokenizer = build_tokenizer([], config.frame_tokens)
    with pytest.raises(UsageError, match=r"language\.vocabulary is 40"):
        Language(config, token_ids(tokenizer, config.frame_tokens), "eager")


def test_a_tokenizer_with_more_words_than_rows_is_refused():
    config = tiny().language.model_copy(update={"vocabulary": 80})
    tokenizer = build_tokenizer([f"word{number}" for number in range(50)], config.frame_tokens)
    with pytest.raises(UsageError, match=r"language\.vocabulary is 80"):
        Language(config, token_ids(tokenizer, config.frame_tokens), "eager")
