"""Qwen2.5-VL through transformers: reads keyframes and an instruction, answers with one query per view and in words.

The sequence is: for each view its `<frame i>` token and its image tokens, the instruction, one `<heat>` token per view,
the answer. `sequence.PackedLayout` says how the instructions of a sample share the views.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float, Int64
from torch import IntTensor, LongTensor, Tensor, nn
from torch.nn import functional
from transformers import DynamicCache, Qwen2_5_VLForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutputWithPast, BaseModelOutputWithPooling

from backsight.model.attention_rows import Projections, attention_rows, watched_projections
from backsight.model.config import GEOMETRY_PATCH_PX, LanguageConfig, PartsConfig
from backsight.model.fusion import zero_linear
from backsight.model.outputs import AnswerLikelihood
from backsight.model.published import MERGE, TEMPORAL_PATCH, published_config
from backsight.model.sequence import FIRST_IMAGE_TOKEN, PackedLayout
from backsight.model.tokenizer import TokenIds
from backsight.records.errors import UsageError

IMAGE_MEAN = (0.48145466, 0.4578275, 0.40821073)
IMAGE_DEVIATION = (0.26862954, 0.26130258, 0.27577711)
POSE_NUMBERS = 9
"""Of an imagined view: translation (3) and the first two columns of its rotation (6)."""


@dataclass(frozen=True)
class SeenViews:
    """What the language model sees of the keyframes."""

    features: Float[Tensor, "batch views image_tokens channels"]
    """Of `Language.image_features`, possibly with geometry added."""
    rows: int
    """Of the image-token grid."""
    ages: Int64[Tensor, "batch views"]
    """How many frames before the current view each view was seen."""


@dataclass(frozen=True)
class Reading:
    """What one pass over views and instructions gives."""

    queries: Float[Tensor, "batch instructions queries channels"]
    """Hidden states of the `<heat>` tokens: of the views, then of the imagined views."""
    answers: AnswerLikelihood | None = None
    attention: Float[Tensor, "batch instructions views views image_tokens"] | None = None
    """From each view's `<heat>` token to the image tokens of each view; all a token attends to sums to 1."""


class Language(nn.Module):
    """The language model with its vision tower.

    Args:
        config: sizes.
        tokens: special ids of the tokenizer.
        attention: sdpa or eager.
        model: published weights of these sizes; made from the configuration when not given.
        parts: which parts are heard.
    """

    mean: Tensor
    deviation: Tensor
    frame_ids: Tensor

    def __init__(
        self,
        config: LanguageConfig,
        tokens: TokenIds,
        attention: str,
        model: Qwen2_5_VLForConditionalGeneration | None = None,
        parts: PartsConfig | None = None,
    ) -> None:
        super().__init__()
        self.parts = parts or PartsConfig()
        if tokens.size > config.vocabulary:
            raise UsageError(f"language.vocabulary is {config.vocabulary}, but the tokenizer needs {tokens.size} rows")
        self.tokens = tokens
        self.aligned_layers = config.aligned_layers
        if model is None:
            made = published_config(config, tokens)
            model = Qwen2_5_VLForConditionalGeneration._from_config(made, attn_implementation=attention)
        self.model = model
        self.pose = nn.Linear(POSE_NUMBERS, config.width, bias=False)
        self.words = nn.Sequential(
            nn.LayerNorm(config.width),
            nn.Linear(config.width, 2 * config.width),
            nn.GELU(),
            zero_linear(2 * config.width, config.width),
        )
        # As small as a token's embedding, to which it is added.
        nn.init.normal_(self.pose.weight, std=self.model.config.get_text_config().initializer_range)
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
        imagined: Float[Tensor, "batch imagined 9"] | None = None,
    ) -> Float[Tensor, "batch instructions queries channels"]:
        """Return the hidden state of each view's `<heat>` token, then of each imagined view's.

        Args:
            image_features: of `image_features`, possibly with geometry added.
            image_rows: rows of the image-token grid.
            ages: how many frames before the current view each view was seen.
            instruction_tokens: ids, padded at the end.
            imagined: views without an image, relative to the current one: translation in units of the median scene
                depth (3), first two columns of the rotation current_from_imagined (6). None sees another.
        """
        return self.read(SeenViews(image_features, image_rows, ages), instruction_tokens, imagined=imagined).queries

    def read(
        self,
        seen: SeenViews,
        instruction_tokens: Int64[Tensor, "batch instructions tokens"],
        answer_tokens: Int64[Tensor, "batch instructions answer_tokens"] | None = None,
        imagined: Float[Tensor, "batch imagined 9"] | None = None,
        with_attention: bool = False,
    ) -> Reading:
        """Read views and instructions once; everything asked for comes from that one pass.

        Args:
            seen: the views.
            instruction_tokens: ids, padded at the end.
            answer_tokens: true answers with their end token, padded at the end; how likely they are is then returned.
            imagined: as in `queries`.
            with_attention: whether to return what the `<heat>` tokens attend to.
        """
        views, image_tokens = seen.features.shape[1:3]
        layout = PackedLayout(
            views=views,
            image_tokens=image_tokens,
            instructions=instruction_tokens.shape[1],
            words=instruction_tokens.shape[2],
            imagined=0 if imagined is None else imagined.shape[1],
            answer=0 if answer_tokens is None else answer_tokens.shape[2] - 1,
        )
        frames = self._frames(seen.ages)
        suffix = self._suffix(frames, instruction_tokens, imagined, answer_tokens)
        whole = torch.cat([self._prefix(seen.features, frames), suffix.flatten(1, 2)], dim=1)
        used = (instruction_tokens != self.tokens.padding).sum(-1)
        positions = self._packed_positions(layout, seen.rows, used)
        mask = layout.mask(used) if layout.needs_mask(used) else None
        layers = self.aligned_layers if with_attention else ()
        watched = watched_projections(self.model.model.language_model.layers, layers)
        with watched if layers else nullcontext(Projections()) as projections:
            hidden = self._hidden(whole, positions, None if mask is None else self._kernel_mask(mask, whole.dtype))
        heat = layout.places(layout.query_slots(hidden.device))
        return Reading(
            queries=self._queries(hidden[:, heat].float(), instruction_tokens),
            answers=None if answer_tokens is None else self._likelihood(hidden, layout, answer_tokens),
            attention=self._heat_rows(projections, layout, positions, mask) if layers else None,
        )

    @torch.no_grad()
    def generate(
        self, seen: SeenViews, instruction_tokens: Int64[Tensor, "batch instructions tokens"], max_new_tokens: int
    ) -> Int64[Tensor, "batch instructions new_tokens"]:
        """Return the most likely answer, word by word, its end token included and padding behind it.

        The views are read once and their keys and values kept for all instructions.

        Args:
            seen: the views.
            instruction_tokens: ids, padded at the end.
            max_new_tokens: an answer without an end is broken off here.
        """
        batch, instructions, words = instruction_tokens.shape
        views, image_tokens = seen.features.shape[1:3]
        layout = PackedLayout(views, image_tokens, instructions, words, answer=max_new_tokens)
        frames = self._frames(seen.ages)
        used = (instruction_tokens != self.tokens.padding).sum(-1)
        base = self._positions(views, seen.rows, image_tokens // seen.rows, layout.text_positions)
        offsets = layout.offsets(used).flatten(0, 1)
        behind = base[:, 0, layout.prefix :][:, offsets]
        cache = DynamicCache(config=self.model.config)
        self._hidden(self._prefix(seen.features, frames), base[..., : layout.prefix].expand(-1, batch, -1), None, cache)
        cache.batch_repeat_interleave(instructions)
        prompt = words + views
        suffix = self._suffix(frames, instruction_tokens, None, None).flatten(0, 1)
        real = (torch.arange(words, device=used.device) < used[..., None]).flatten(0, 1)
        visible = functional.pad(functional.pad(real, (layout.prefix, 0), value=True), (0, views), value=True)
        hidden = self._hidden(suffix, behind[..., :prompt], visible.long(), cache)
        found: list[Tensor] = []
        ended = torch.zeros(batch * instructions, dtype=torch.bool, device=used.device)
        for step in range(max_new_tokens):
            token = self._logits(hidden[:, -1])[:, : self.tokens.size].argmax(-1)
            found.append(token.masked_fill(ended, self.tokens.padding))
            ended = ended | (token == self.tokens.end)
            if step + 1 == max_new_tokens or bool(ended.all()):
                break
            visible = functional.pad(visible, (0, 1), value=True)
            embedded = self.model.get_input_embeddings()(found[-1])[:, None]
            hidden = self._hidden(embedded, behind[..., prompt + step, None], visible.long(), cache)
        return torch.stack(found, dim=-1).unflatten(0, (batch, instructions))

    def _queries(
        self,
        heat: Float[Tensor, "batch instructions queries channels"],
        instruction_tokens: Int64[Tensor, "batch instructions tokens"],
    ) -> Float[Tensor, "batch instructions queries channels"]:
        """Add up what the parts that are heard say."""
        if not self.parts.words:
            return heat
        words = self._words(instruction_tokens)[:, :, None].float()
        return heat + words if self.parts.language else words.expand_as(heat)

    def _words(
        self, instruction_tokens: Int64[Tensor, "batch instructions tokens"]
    ) -> Float[Tensor, "batch instructions channels"]:
        """Return what the mean of an instruction's embeddings adds to its queries; nothing at first.

        A language model that starts from scratch needs long to find the words among the image tokens. Whatever it
        finds comes on top of them.
        """
        # The table may be stored in half precision; this network never is.
        embedded = self.model.get_input_embeddings()(instruction_tokens).float()
        real = (instruction_tokens != self.tokens.padding)[..., None]
        return self.words((embedded * real).sum(2) / real.sum(2).clamp(min=1))

    def _hidden(
        self, embedded: Tensor, positions: Tensor, mask: Tensor | None, cache: DynamicCache | None = None
    ) -> Float[Tensor, "batch length channels"]:
        found = self.model.model.language_model(
            inputs_embeds=embedded,
            position_ids=cast(LongTensor, positions),
            attention_mask=mask,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        return cast(Tensor, cast(BaseModelOutputWithPast, found).last_hidden_state)

    def _logits(self, hidden: Float[Tensor, "*batch channels"]) -> Float[Tensor, "*batch vocabulary"]:
        return self.model.lm_head(hidden).float()

    def _kernel_mask(self, mask: Bool[Tensor, "batch length length"], dtype: torch.dtype) -> Tensor:
        """Return the mask as the attention kernel takes it: what is added to scores (eager), or which scores count."""
        if self.model.config._attn_implementation == "eager":
            return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, torch.finfo(dtype).min)[
                :, None
            ]
        return mask[:, None]

    def _likelihood(
        self, hidden: Tensor, layout: PackedLayout, answer_tokens: Int64[Tensor, "batch instructions answer_tokens"]
    ) -> AnswerLikelihood:
        """Score true answers; only real tokens meet the vocabulary, which is what costs memory."""
        counted = answer_tokens != self.tokens.padding
        before = hidden[:, layout.places(layout.answer_slots(hidden.device))]
        logits, truth = self._logits(before[counted]), answer_tokens[counted]
        found = -functional.cross_entropy(logits, truth, reduction="none")
        log_probability = torch.zeros(counted.shape, device=found.device).masked_scatter(counted, found)
        likeliest = torch.zeros_like(counted)
        likeliest[counted] = logits[:, : self.tokens.size].argmax(-1) == truth
        return AnswerLikelihood(log_probability, likeliest, counted)

    def _heat_rows(
        self, projections: Projections, layout: PackedLayout, positions: Tensor, mask: Tensor | None
    ) -> Float[Tensor, "batch instructions views views image_tokens"]:
        """Return what the views' `<heat>` tokens attend to, mean over the aligned layers."""
        device = positions.device
        rows = layout.places(layout.query_slots(device)[: layout.views]).flatten()
        causal = torch.arange(layout.length, device=device) <= rows[:, None]
        first = projections.keys[self.aligned_layers[0]]
        visible = causal.expand(len(first), -1, -1) if mask is None else mask[:, rows]
        rotary = self.model.model.language_model.rotary_emb(first.float(), positions)
        found = [
            attention_rows(projections.queries[k], projections.keys[k], rotary, rows, visible)
            for k in self.aligned_layers
        ]
        to_views = torch.stack(found).mean(0)[..., : layout.prefix]
        by_view = to_views.unflatten(2, (layout.views, -1)).unflatten(1, (layout.instructions, -1))
        return by_view[..., FIRST_IMAGE_TOKEN : FIRST_IMAGE_TOKEN + layout.image_tokens]

    def _frames(self, ages: Int64[Tensor, "batch views"]) -> Int64[Tensor, "batch views"]:
        return self.frame_ids[ages.clamp(0, len(self.frame_ids) - 1)]

    def _prefix(self, image_features: Tensor, frames: Tensor) -> Float[Tensor, "batch prefix width"]:
        embed = self.model.get_input_embeddings()
        start_end = embed(frames.new_tensor([self.tokens.vision_start, self.tokens.vision_end]))
        start_end = start_end.expand(*frames.shape, 2, -1)
        parts = [embed(frames)[:, :, None], start_end[:, :, :1], image_features, start_end[:, :, 1:]]
        return torch.cat([part.to(start_end.dtype) for part in parts], dim=2).flatten(1, 2)

    def _suffix(
        self, frames: Tensor, instruction_tokens: Tensor, imagined: Tensor | None, answer_tokens: Tensor | None
    ) -> Float[Tensor, "batch instructions suffix width"]:
        """Embed what stands behind the views.

        A view's `<heat>` carries its frame token too, that of an imagined view its pose.
        """
        embed = self.model.get_input_embeddings()
        instructions = instruction_tokens.shape[1]
        heat = embed(frames.new_tensor(self.tokens.heat))
        shared = [heat + embed(frames)]
        if imagined is not None:
            pose = embed(frames.new_tensor(self.tokens.pose)) + self.pose(imagined).to(heat.dtype)
            shared.append(torch.stack([pose, heat + pose], dim=2).flatten(1, 2))
        parts = [embed(instruction_tokens), *(part[:, None].expand(-1, instructions, -1, -1) for part in shared)]
        if answer_tokens is not None:
            parts.append(embed(answer_tokens[..., :-1]))
        return torch.cat(parts, dim=2)

    def _packed_positions(
        self, layout: PackedLayout, rows: int, used: Int64[Tensor, "batch instructions"]
    ) -> Int64[Tensor, "3 batch length"]:
        base = self._positions(layout.views, rows, layout.image_tokens // rows, layout.text_positions)
        behind = base[:, 0, layout.prefix :][:, layout.offsets(used).flatten(1)]
        return torch.cat([base[..., : layout.prefix].expand(-1, len(used), -1), behind], dim=-1)

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
