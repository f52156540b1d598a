"""Published Qwen2.5-VL weights: loaded, checked against the configuration, and given the tokens that Backsight adds."""

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import nn
from transformers import (
    AutoTokenizer,
    PreTrainedTokenizerBase,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
)

from backsight.model.config import GEOMETRY_PATCH_PX, LanguageConfig
from backsight.model.tokenizer import TokenIds, add_own_tokens, own_tokens, token_ids
from backsight.records.errors import UsageError

MERGE = 2
TEMPORAL_PATCH = 2
TEXT_FIELDS = {
    "hidden_size": "width",
    "intermediate_size": "mlp_width",
    "num_hidden_layers": "depth",
    "num_attention_heads": "heads",
    "num_key_value_heads": "key_value_heads",
    "rms_norm_eps": "norm_epsilon",
    "hidden_act": None,
    "use_sliding_window": None,
}
"""What decides the text layers' function, and what it is called in `LanguageConfig`."""
VISION_FIELDS = {
    "depth": "vision_depth",
    "hidden_size": "vision_width",
    "intermediate_size": "vision_mlp_width",
    "num_heads": "vision_heads",
    "window_size": "vision_window_px",
    "out_hidden_size": "width",
    "fullatt_block_indexes": "vision_full_attention",
    "patch_size": None,
    "spatial_merge_size": None,
    "temporal_patch_size": None,
    "in_channels": None,
    "hidden_act": None,
}


def load_published(
    config: LanguageConfig, attention: str
) -> tuple[Qwen2_5_VLForConditionalGeneration, PreTrainedTokenizerBase]:
    """Load `config.checkpoint` with its tokenizer, in single precision and ready for our tokens.

    The embedding table is brought to `config.vocabulary` rows before anything is computed with it: a graph made before
    a resize cannot be run backwards after it. Rows of the tokens that are added start from small random values.

    Args:
        config: names the checkpoint and its sizes.
        attention: sdpa or eager.

    Raises:
        UsageError: it cannot be found or read, is of another size, or its tokenizer lacks a token.
    """
    if config.checkpoint is None:
        raise UsageError("language.checkpoint: names no published weights")
    try:
        tokenizer = cast(PreTrainedTokenizerBase, AutoTokenizer.from_pretrained(config.checkpoint))
        model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
            config.checkpoint, dtype=torch.float32, attn_implementation=attention
        )
    except (OSError, ValueError) as error:
        raise UsageError(
            f"language.checkpoint: {config.checkpoint!r} cannot be loaded: {error}; give a hub id that this machine "
            "can reach, or a folder that holds config.json, the weights and the tokenizer"
        ) from error
    known = set(tokenizer.get_vocab())
    add_own_tokens(tokenizer, config.frame_tokens)
    tokens = token_ids(tokenizer, config.frame_tokens)
    check_sizes(config, tokens, model.config)
    if model.get_input_embeddings().num_embeddings != config.vocabulary:
        model.resize_token_embeddings(config.vocabulary, mean_resizing=False)
    ours = [tokenizer.get_vocab()[name] for name in own_tokens(config.frame_tokens) if name not in known]
    table = cast(nn.Embedding, model.get_input_embeddings()).weight
    with torch.no_grad():
        table[ours] = torch.randn(len(ours), table.shape[1]) * model.config.get_text_config().initializer_range
    return model, tokenizer


def check_sizes(config: LanguageConfig, tokens: TokenIds, found: Qwen2_5_VLConfig) -> None:
    """Compare a published configuration with ours in everything that decides the model's function.

    Args:
        config: ours.
        tokens: special ids of the published tokenizer.
        found: the published one.

    Raises:
        UsageError: something differs; names each field with both values.
    """
    differences = list(_differences(published_config(config, tokens), found))
    rows = found.get_text_config().vocab_size
    if rows > config.vocabulary or tokens.size > config.vocabulary:
        needed = max(rows, tokens.size)
        differences.append(f"vocabulary is {config.vocabulary}, the checkpoint and our tokens need {needed}")
    if differences:
        raise UsageError(f"language.checkpoint {config.checkpoint!r} does not fit language: " + "; ".join(differences))


def _differences(ours: Qwen2_5_VLConfig, found: Qwen2_5_VLConfig) -> Iterator[str]:
    pairs: list[tuple[str, Any, Any]] = []
    for part, fields in (("text_config", TEXT_FIELDS), ("vision_config", VISION_FIELDS)):
        one, other = getattr(ours, part), getattr(found, part)
        pairs += [
            (name or f"{part}.{field}", getattr(one, field), getattr(other, field)) for field, name in fields.items()
        ]
    one, other = (cast(dict[str, Any], c.get_text_config().rope_parameters) for c in (ours, found))
    pairs += [("rotary_sections", one["mrope_section"], other.get("mrope_section"))]
    pairs += [(f"rope_parameters.{key}", one[key], other.get(key)) for key in ("rope_type", "rope_theta")]
    for name in ("image_token_id", "vision_start_token_id", "vision_end_token_id", "tie_word_embeddings"):
        pairs.append((name, getattr(ours, name), getattr(found, name)))
    for name, wanted, there in pairs:
        plain = list(there) if isinstance(there, tuple) else there
        if (list(wanted) if isinstance(wanted, tuple) else wanted) != plain:
            yield f"{name} is {wanted}, the checkpoint has {there}"


def published_config(config: LanguageConfig, tokens: TokenIds) -> Qwen2_5_VLConfig:
    """Return the configuration in the form of transformers.

    Args:
        config: sizes.
        tokens: special ids of the tokenizer.
    """
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": config.vocabulary,
            "hidden_size": config.width,
            "intermediate_size": config.mlp_width,
            "num_hidden_layers": config.depth,
            "num_attention_heads": config.heads,
            "num_key_value_heads": config.key_value_heads,
            "max_position_embeddings": 32768,
            "rms_norm_eps": config.norm_epsilon,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e6,
                "mrope_section": list(config.rotary_sections),
            },
            "bos_token_id": tokens.end,
            "eos_token_id": tokens.end,
            "pad_token_id": tokens.padding,
        },
        vision_config={
            "depth": config.vision_depth,
            "hidden_size": config.vision_width,
            "intermediate_size": config.vision_mlp_width,
            "num_heads": config.vision_heads,
            "patch_size": GEOMETRY_PATCH_PX,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": TEMPORAL_PATCH,
            "window_size": config.vision_window_px,
            "out_hidden_size": config.width,
            "fullatt_block_indexes": list(config.vision_full_attention),
        },
        image_token_id=tokens.image,
        video_token_id=tokens.video,
        vision_start_token_id=tokens.vision_start,
        vision_end_token_id=tokens.vision_end,
        tie_word_embeddings=True,
    )
