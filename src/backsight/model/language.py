"""Qwen2.5-VL through transformers: reads keyframes and an instruction, answers with one query per view.

The sequence is: for each view its `<frame i>` token and its image tokens, the instruction, one
`<heat>` token per view.
"""

from typing import cast

import torch
from jaxtyping import Float, Int64
from torch import IntTensor, LongTensor, Tensor, nn
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutputWithPooling

from backsight.model.config import GEOMETRY_PATCH_PX, LanguageConfig
from backsight.model.tokenizer import TokenIds
from backsight.records.errors import UsageError

IMAGE_MEAN = (0.48145466, 0.4578275, 0.40821073)
IMAGE_DEVIATION = (0.26862954, 0.26130258, 0.27577711)
MERGE = 2
TEMPORAL_PATCH = 2


class Language(nn.Module):
    """The language model with its vision tower."""

    mean: Tensor
    deviation: Tensor
    frame_ids: Tensor

    def __init__(self, config: LanguageConfig, tokens: TokenIds, attention: str) -> None:
        super().__init__()
        if tokens.size > config.vocabulary:
            raise UsageError(f"language.vocabulary is {config.vocabulary}, but the tokenizer needs {tokens.size} rows")
        self.tokens = tokens
        self.model = Qwen2_5_VLForConditionalGeneration._from_config(
            published_config(config, tokens), attn_implementation=attention
        )
        self.register_buffer("mean", torch.tensor(IMAGE_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGE_DEVIATION).view(3, 1, 1), persistent=False)
        self.register_buffer("frame_ids", torch.tensor(tokens.frames), persistent=False)

    def image_features(
        self, images: Float[Tensor, "batch views 3 height width"]
    ) -> Float[Tensor, "batch views image_tokens channels"]:
        """Run the vision tower once for every view; instructions share the result.

        Args:
            images: in [0, 1]; height and width multiples of 28.
        """
        batch, views, _, height, width = images.shape
        rows, columns = height // GEOMETRY_PATCH_PX, width // GEOMETRY_PATCH_PX
        grid = torch.tensor([[1, rows, columns]] * (batch * views), device=images.device)
        patches = self._patches((images.flatten(0, 1) - self.mean) / self.deviation)
        seen = cast(BaseModelOutputWithPooling, self.model.model.visual(patches, grid_thw=grid))
        return cast(Tensor, seen.pooler_output).unflatten(0, (batch, views, -1))

    def queries(
        self,
        image_features: Float[Tensor, "batch views image_tokens channels"],
        image_rows: int,
        ages: Int64[Tensor, "batch views"],
        instruction_tokens: Int64[Tensor, "batch instructions tokens"],
    ) -> Float[Tensor, "batch instructions views channels"]:
        """Return the hidden state of each view's `<heat>` token.

        Args:
            image_features: of `image_features`, possibly with geometry added.
            image_rows: rows of the image-token grid.
            ages: how many frames before the current view each view was seen.
            instruction_tokens: ids, padded at the end.
        """
        batch, views, image_tokens, width = image_features.shape
        instructions, length = instruction_tokens.shape[1:]
        frames = self.frame_ids[ages.clamp(0, len(self.frame_ids) - 1)]
        prefix = self._prefix(image_features, frames)
        used = (instruction_tokens != self.tokens.padding).sum(-1, keepdim=True)
        suffix = self._suffix(frames, instruction_tokens, used)
        whole = torch.cat([prefix[:, None].expand(-1, instructions, -1, -1).to(suffix.dtype), suffix], dim=2).flatten(
            0, 1
        )
        positions = self._positions(views, image_rows, image_tokens // image_rows, length + views)
        # Padding sits behind the last <heat>, where causal attention never looks: no mask is needed.
        hidden = self.model.model.language_model(
            inputs_embeds=whole,
            position_ids=positions.expand(-1, batch * instructions, -1),
            use_cache=False,
        ).last_hidden_state
        at = prefix.shape[1] + used + torch.arange(views, device=used.device)
        index = at.flatten(0, 1)[:, :, None].expand(-1, -1, width)
        return hidden.gather(1, index).unflatten(0, (batch, instructions))

    def _prefix(self, image_features: Tensor, frames: Tensor) -> Float[Tensor, "batch prefix width"]:
        embed = self.model.get_input_embeddings()
        start_end = embed(frames.new_tensor([self.tokens.vision_start, self.tokens.vision_end]))
        start_end = start_end.expand(*frames.shape, 2, -1)
        parts = [embed(frames)[:, :, None], start_end[:, :, :1], image_features, start_end[:, :, 1:]]
        return torch.cat([part.to(start_end.dtype) for part in parts], dim=2).flatten(1, 2)

    def _suffix(
        self, frames: Tensor, instruction_tokens: Tensor, used: Tensor
    ) -> Float[Tensor, "batch instructions suffix width"]:
        """Instruction, then `<heat>` tokens, then padding; a view's `<heat>` also carries its frame token."""
        embed = self.model.get_input_embeddings()
        views, length = frames.shape[1], instruction_tokens.shape[2]
        place = torch.arange(length + views, device=frames.device).expand(*used.shape[:2], -1)
        words = instruction_tokens.gather(2, place.clamp(max=length - 1))
        is_heat = (place >= used) & (place < used + views)
        ids = torch.where(place < used, words, torch.where(is_heat, self.tokens.heat, self.tokens.padding))
        view = (place - used).clamp(0, views - 1)
        frame_of_place = frames[:, None].expand(-1, used.shape[1], -1).gather(2, view)
        return embed(ids) + embed(frame_of_place) * is_heat[..., None]

    def _positions(self, views: int, rows: int, columns: int, suffix: int) -> Int64[Tensor, "3 1 sequence"]:
        """Positions in time, row and column; the same for every sequence of one shape."""
        device, tokens = self.frame_ids.device, self.tokens
        one_view = [tokens.frames[0], tokens.vision_start, *[tokens.image] * (rows * columns), tokens.vision_end]
        ids = torch.tensor([one_view * views + [tokens.heat] * suffix], device=device)
        grid = torch.tensor([[1, MERGE * rows, MERGE * columns]] * views, device=device)
        # Without mm_token_type_ids transformers would silently fall back to one-dimensional positions.
        kinds = (ids == tokens.image).int()
        return self.model.model.get_rope_index(
            cast(LongTensor, ids), cast(IntTensor, kinds), image_grid_thw=cast(LongTensor, grid)
        )[0]

    def _patches(self, images: Float[Tensor, "images 3 height width"]) -> Float[Tensor, "patches numbers"]:
        """Cut images as Qwen's processor does: merged cells first, each still image doubled in time."""
        side = GEOMETRY_PATCH_PX
        cut = images.unflatten(3, (-1, MERGE, side)).unflatten(2, (-1, MERGE, side))
        # images, colour, cell row, patch row, y, cell column, patch column, x
        ordered = cut.permute(0, 2, 5, 3, 6, 1, 4, 7).unsqueeze(6)
        return ordered.expand(*[-1] * 6, TEMPORAL_PATCH, -1, -1).reshape(-1, 3 * TEMPORAL_PATCH * side**2)


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
