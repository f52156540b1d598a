"""A small random checkpoint of the published class, with a tokenizer of its own, on disk as the hub lays it out."""

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2_5_VLForConditionalGeneration

from backsight.model.backsight import Backsight
from backsight.model.language import SeenViews
from backsight.model.presets import full, tiny
from backsight.model.published import load_published, published_config
from backsight.model.start import new_model
from backsight.model.tokenizer import decode_answers, encode_texts, own_tokens, token_ids
from backsight.records.errors import UsageError

MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
MARKS += ["<|image_pad|>", "<|video_pad|>"]
WORDS = ["find", "the", "red", "chair", "it", "is", "in", "view", "sofa"]
ROWS = 53


def published_tokenizer(folder):
    vocabulary = {token: number for number, token in enumerate([*WORDS, "<unknown>", *MARKS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unknown>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unknown>",
        pad_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        extra_special_tokens=MARKS[1:],
    )
    made.save_pretrained(folder)
    return made


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    tokenizer = published_tokenizer(folder)
    language = tiny().language.model_copy(update={"vocabulary": ROWS})
    ids = {name: tokenizer.get_vocab()[name] for name in MARKS}
    config = published_config(language, _ids(ids))
    torch.manual_seed(3)
    model = Qwen2_5_VLForConditionalGeneration._from_config(config)
    model.save_pretrained(folder)
    return folder


def _ids(ids):
    from backsight.model.tokenizer import TokenIds

    return TokenIds(
        size=ROWS,
        padding=ids["<|endoftext|>"],
        end=ids["<|im_end|>"],
        heat=0,
        pose=0,
        vision_start=ids["<|vision_start|>"],
        vision_end=ids["<|vision_end|>"],
        image=ids["<|image_pad|>"],
        video=ids["<|video_pad|>"],
        frames=(0,),
    )


@pytest.fixture(scope="module")
def config(checkpoint):
    language = tiny().language.model_copy(update={"checkpoint": str(checkpoint), "vocabulary": 97})
    return tiny().model_copy(update={"language": language})


@pytest.fixture
def model(config):
    torch.manual_seed(7)
    return new_model(config, [])


def question(model):
    generator = torch.Generator().manual_seed(5)
    seen = SeenViews(torch.randn(1, 3, 12, 96, generator=generator), 3, torch.tensor([[7, 2, 0]]))
    return seen, encode_texts(model.tokenizer, ["find the red chair", "sofa"])[None]


def test_published_weights_and_words_are_taken_over_and_tied(model, checkpoint):
    original = Qwen2_5_VLForConditionalGeneration.from_pretrained(checkpoint)
    ours = model.language.model
    table = ours.get_input_embeddings().weight
    assert table.shape == (97, 96)
    assert ours.lm_head.weight is table
    named = dict(ours.named_parameters())
    known = len(WORDS) + 1 + len(MARKS)
    for name, parameter in original.named_parameters():
        # Spare rows of the table, as the hub's has them, are where added tokens go.
        rows = known if "embed_tokens" in name else len(parameter)
        assert torch.equal(named[name][:rows], parameter[:rows]), name
    tokens = model.language.tokens
    assert tokens.end == model.tokenizer.get_vocab()["<|im_end|>"]
    assert tokens.padding == model.tokenizer.get_vocab()["<|endoftext|>"]
    # Tokens that are added are kept in one piece and start small, each on its own.
    encoded = model.tokenizer.encode("find<heat><pose><frame 5>", add_special_tokens=False)
    assert encoded[1:] == [tokens.heat, tokens.pose, tokens.frames[5]]
    added = table[[model.tokenizer.get_vocab()[name] for name in own_tokens(64)]]
    assert 0.01 < added.std() < 0.03
    assert len(added.unique(dim=0)) == 66


def test_forward_backward_generate_save_and_reload_agree(model, tmp_path):
    seen, tokens = question(model)
    end = model.language.tokens.end
    answers = torch.tensor([[[4, 5, 6, 7, end], [8, end, *[model.language.tokens.padding] * 3]]])
    found = model.language.read(seen, tokens, answers, with_attention=True)
    (found.queries.square().mean() - found.answers.log_probability.sum() + found.attention.sum()).backward()
    gradient = model.language.model.get_input_embeddings().weight.grad
    assert gradient[model.language.tokens.heat].abs().max() > 0
    assert gradient.shape == (97, 96)
    model.save_pretrained(tmp_path)
    again = Backsight.from_pretrained(tmp_path)
    assert again.config == model.config
    assert again.language.tokens == model.language.tokens
    model.eval()
    with torch.no_grad():
        one = model.language.read(seen, tokens, answers, with_attention=True)
        other = again.language.read(seen, encode_texts(again.tokenizer, ["find the red chair", "sofa"])[None], answers)
    assert torch.equal(one.queries, other.queries)
    assert torch.equal(one.answers.log_probability, other.answers.log_probability)
    generated = model.language.generate(seen, tokens, 5)
    assert torch.equal(generated, again.language.generate(seen, tokens, 5))
    assert decode_answers(again.tokenizer, generated[0]) == decode_answers(model.tokenizer, generated[0])


def test_a_saved_model_needs_its_published_weights_no_more(model, tmp_path):
    away = model.config.language.model_copy(update={"checkpoint": "nobody/such-a-model"})
    model.config = model.config.model_copy(update={"language": away})
    model.save_pretrained(tmp_path)
    seen, tokens = question(model)
    with torch.no_grad():
        one = model.eval().language.read(seen, tokens).queries
        other = Backsight.from_pretrained(tmp_path).language.read(seen, tokens).queries
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"mlp_width": 200}, "mlp_width is 200, the checkpoint has 256"),
        ({"depth": 4}, "depth is 4, the checkpoint has 3"),
        ({"vision_full_attention": (0,)}, r"vision_full_attention is \[0\], the checkpoint has \[1\]"),
        ({"rotary_sections": (2, 5, 5)}, r"rotary_sections is \[2, 5, 5\], the checkpoint has \[4, 4, 4\]"),
        ({"norm_epsilon": 1e-5}, "norm_epsilon is 1e-05, the checkpoint has 1e-06"),
        ({"vocabulary": 60}, "vocabulary is 60, the checkpoint and our tokens need 83"),
    ],
)
def test_sizes_that_differ_are_named_with_both_values(config, change, told):
    with pytest.raises(UsageError, match=told):
        load_published(config.language.model_copy(update=change), "eager")


def test_a_checkpoint_that_is_not_there_is_said_so(config, tmp_path):
    missing = config.language.model_copy(update={"checkpoint": str(tmp_path / "nothing")})
    with pytest.raises(UsageError, match=r"language\.checkpoint.*nothing.*cannot be loaded"):
        load_published(missing, "eager")


def test_a_tokenizer_that_pads_with_its_end_is_refused(checkpoint):
    tokenizer = PreTrainedTokenizerFast.from_pretrained(checkpoint)
    tokenizer.add_special_tokens({"extra_special_tokens": own_tokens(2)}, replace_extra_special_tokens=False)
    tokenizer.pad_token = "<|im_end|>"
    with pytest.raises(UsageError, match="pad token"):
        token_ids(tokenizer, 2)


def test_the_full_preset_names_its_language_model():
    assert full().language.checkpoint == "Qwen/Qwen2.5-VL-3B-Instruct"
    assert tiny().language.checkpoint is None
