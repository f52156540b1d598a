"""The model: frames in, frame-indexed heatmaps out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped, UInt8
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerBase, Qwen2_5_VLForConditionalGeneration

from backsight.data.keyframes import uniform_keyframes
from backsight.model.appearance import Appearance
from backsight.model.checkpoint import Checkpointed
from backsight.model.config import APPEARANCE_PATCH_PX, GEOMETRY_PATCH_PX, ModelConfig
from backsight.model.frames import fit_frames, load_frames
from backsight.model.fusion import Fusion
from backsight.model.geometry.vggt import VGGT
from backsight.model.heatmap.footprint import FootprintDecoder
from backsight.model.heatmap.imagined import ImaginedDecoder
from backsight.model.heatmap.odometry import Odometry
from backsight.model.heatmap.rays import estimated_geometry
from backsight.model.heatmap.target import TargetDecoder
from backsight.model.language import Language, SeenViews
from backsight.model.outputs import Encoding, Footprints, Targets
from backsight.model.question import Question
from backsight.model.tokenizer import decode_answers, encode_texts, token_ids
from backsight.records.errors import UsageError
from backsight.records.prediction import Prediction, PredictionInfo

HISTORY_CHUNK = 16
"""History frames that `predict` decodes at a time, so that memory does not grow with the walk."""
COMPONENTS = ("geometry", "appearance", "language", "fusion", "heatmap")
"""Names of the five parts; the optimiser's parameter groups."""


class Backsight(Checkpointed):
    """Looks back: for every past frame and every instruction, where it lies in which view.

    Args:
        config: of a preset.
        tokenizer: of `build_tokenizer`, or the published one; saved with the weights.
        language_model: published weights (`start.new_model` loads them); made from the configuration when not given.
    """

    def __init__(
        self,
        config: ModelConfig,
        tokenizer: PreTrainedTokenizerBase,
        language_model: Qwen2_5_VLForConditionalGeneration | None = None,
    ) -> None:
        super().__init__(config, tokenizer)
        self.geometry = VGGT(config.geometry, config.attention == "sdpa")
        self.appearance = Appearance(config.appearance, config.attention)
        tokens = token_ids(tokenizer, config.language.frame_tokens)
        self.language = Language(config.language, tokens, config.attention, language_model, config.parts)
        self.fusion = Fusion(config)
        decoders = {"footprint": FootprintDecoder(config), "target": TargetDecoder(config)}
        self.heatmap = nn.ModuleDict({**decoders, "imagined": ImaginedDecoder(config)})
        for part in (self.fusion, self.heatmap):
            part.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def encode(self, rgb: Shaped[Tensor, "batch frames 3 height width"]) -> Encoding:
        """Encode every frame once.

        Args:
            rgb: uint8, or floating point in [0, 1]; height and width multiples of 32.
        """
        images = _as_unit(rgb)
        batch, frames = images.shape[:2]
        rows, columns = _patch_grid(images)
        flat = images.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        geometry = self.geometry(_resized(flat, rows, columns).unflatten(0, (batch, frames)))
        parts = self.config.parts
        patches, camera_tokens = (
            _heard(geometry.patches, parts.geometry),
            _heard(geometry.camera_tokens, parts.geometry),
        )
        appearance = _heard(self.appearance(flat), parts.appearance)
        fused = self.fusion(flat, patches.flatten(0, 1), appearance, rows)

        def grouped(values: Tensor) -> Tensor:
            return values.unflatten(0, (batch, frames))

        return Encoding(
            match=grouped(fused.match),
            context=grouped(fused.context),
            skip=grouped(fused.skip),
            trunk=grouped(fused.trunk),
            fused_tokens=grouped(fused.tokens),
            geometry_features=_weighted(patches, self.config.geometry.weight, rows),
            appearance_features=_weighted(grouped(appearance), self.config.appearance.weight, rows),
            camera_tokens=camera_tokens,
            pose_encodings=geometry.pose_encodings,
            depth=geometry.depth,
            depth_confidence=geometry.depth_confidence,
        )

    def footprints(
        self,
        encoding: Encoding,
        current: Int64[Tensor, "groups 2"],
        history: Int64[Tensor, "groups history"],
        odometry: Odometry | None = None,
    ) -> Footprints:
        """Decode where history frames lie in current views; no language model is needed.

        Args:
            encoding: of `encode`.
            current: batch index and frame position of each current view.
            history: frame positions in the same sample.
            odometry: of `odometry`, for callers that decode a long history in parts.
        """
        return self.heatmap["footprint"](encoding, current, history, odometry)

    def odometry(self, encoding: Encoding) -> Odometry:
        """Return the estimated way through the frames, step by step, in metres."""
        return cast(FootprintDecoder, self.heatmap["footprint"]).odometry(encoding)

    def targets(
        self,
        encoding: Encoding,
        rgb: Shaped[Tensor, "batch frames 3 height width"],
        question: Question,
        odometry: Odometry | None = None,
    ) -> Targets:
        """Decode where each instruction's target lies in each keyframe, and in each imagined view asked for.

        Args:
            encoding: of `encode`.
            rgb: the same frames.
            question: what is asked.
            odometry: of `odometry`, where it is known already; only imagined views need it.
        """
        seen = self._seen_views(encoding, rgb, question)
        words, keyframes = question.instruction_tokens, question.keyframes
        geometry = numbers = None
        if question.current_from_imagined is not None:
            odometry = odometry or self.odometry(encoding)
            geometry = estimated_geometry(encoding, odometry, keyframes, question.current_from_imagined)
            numbers = geometry.pose_numbers()
        reading = self.language.read(seen, words, question.answer_tokens, numbers, question.with_attention)
        queries = reading.queries
        decoded = self.heatmap["target"](encoding, keyframes, queries[:, :, : keyframes.shape[1]])
        if geometry is not None:
            asked = queries[:, :, keyframes.shape[1] :]
            maps, presence = self.heatmap["imagined"](encoding, keyframes, asked, decoded, geometry)
            decoded = replace(decoded, imagined_logits=maps, imagined_presence_logits=presence)
        return replace(decoded, answers=reading.answers, attention=reading.attention)

    def answers(
        self, encoding: Encoding, rgb: Shaped[Tensor, "batch frames 3 height width"], question: Question
    ) -> tuple[tuple[str, ...], ...]:
        """Return each instruction's answer in words; arguments as in `targets`."""
        seen = self._seen_views(encoding, rgb, question)
        found = self.language.generate(seen, question.instruction_tokens, self.config.language.answer_tokens)
        return tuple(tuple(decode_answers(self.tokenizer, tokens)) for tokens in found)

    def _seen_views(self, encoding: Encoding, rgb: Tensor, question: Question) -> SeenViews:
        keyframes = question.keyframes
        images = _as_unit(rgb)
        rows, columns = _patch_grid(images)
        index = (torch.arange(len(keyframes), device=keyframes.device)[:, None], keyframes)
        resized = _resized(images[index].flatten(0, 1), rows, columns).unflatten(0, keyframes.shape)
        features = self.language.image_features(resized)
        features = features + self.fusion.language_addition(encoding.fused_tokens[index], rows)
        chosen = question.frame_index.gather(1, keyframes)
        return SeenViews(features, rows // 2, chosen[:, -1:] - chosen)

    def forward(
        self,
        rgb: Shaped[Tensor, "batch frames 3 height width"],
        question: Question,
        current: Int64[Tensor, "groups 2"],
        history: Int64[Tensor, "groups history"],
    ) -> tuple[Encoding, Footprints, Targets]:
        """Encode and decode both families; arguments as in `encode`, `footprints` and `targets`."""
        encoding = self.encode(rgb)
        footprints = self.footprints(encoding, current, history)
        return encoding, footprints, self.targets(encoding, rgb, question, footprints.odometry)

    def predict(
        self,
        frames: Sequence[UInt8[np.ndarray, "height width 3"]] | str | Path,
        instructions: Sequence[str] = (),
        keyframes: Sequence[int] | None = None,
    ) -> Prediction:
        """Predict all heatmaps of the last frame, and answers in words: the one call a user needs.

        Args:
            frames: RGB images in time order, all of one size, or the path of a video.
            instructions: what to look for.
            keyframes: frames that the language model reads, rising, the last one current; uniform in
                time when not given.

        Raises:
            UsageError: fewer than two frames, sizes that differ, or keyframes that do not fit.
        """
        images = load_frames(frames)
        chosen = self._keyframes(len(images), keyframes)
        training = self.training
        self.eval()
        try:
            with torch.inference_mode():
                return self._predicted(images, list(instructions), chosen)
        finally:
            self.train(training)

    def _keyframes(self, frames: int, keyframes: Sequence[int] | None) -> Int64[np.ndarray, " keyframes"]:
        if frames < 2:
            raise UsageError(f"{frames} frame given: there is no history to look back on")
        if keyframes is None:
            return uniform_keyframes(frames, self.config.keyframes)
        chosen = np.asarray(keyframes, dtype=np.int64)
        rising = len(chosen) > 0 and bool((np.diff(chosen) > 0).all())
        if not rising or chosen[0] < 0 or chosen[-1] != frames - 1:
            raise UsageError(
                f"keyframes {list(keyframes)} must rise, lie in 0 to {frames - 1} and end with the current frame"
            )
        return chosen

    def _predicted(
        self,
        images: UInt8[np.ndarray, "frames height width 3"],
        instructions: list[str],
        keyframes: Int64[np.ndarray, " keyframes"],
    ) -> Prediction:
        device = next(self.parameters()).device
        rgb = fit_frames(images, self.config.image_width, self.config.image_height)[None].to(device)
        encoding = self.encode(rgb)
        last = len(images) - 1
        current = torch.tensor([[0, last]], device=device)
        parts = torch.arange(last, device=device).split(HISTORY_CHUNK)
        odometry = self.odometry(encoding)
        found = [self.footprints(encoding, current, part[None], odometry) for part in parts]
        use = self.calibration
        maps, presence, answers = self._predicted_targets(encoding, rgb, instructions, keyframes)
        return Prediction(
            info=PredictionInfo("backsight", "", "", last, "estimated", attention_backend=self.config.attention),
            history_frames=np.arange(last),
            footprint=_joined([use.footprint.probability(part.logits[0]) for part in found]),
            footprint_presence=_joined([use.footprint_presence.probability(part.presence_logits[0]) for part in found]),
            bearing=_joined([part.bearing[0] for part in found]),
            distance_m=_joined([part.log_distance[0].exp() for part in found]),
            keyframes=keyframes,
            target=maps,
            target_presence=presence,
            answers=answers,
        )

    def _predicted_targets(
        self, encoding: Encoding, rgb: Tensor, instructions: list[str], keyframes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        if not instructions:
            shape = (0, len(keyframes), *encoding.skip.shape[-2:])
            return np.zeros(shape, np.float32), np.zeros(shape[:2], np.float32), ()
        question = Question(
            torch.from_numpy(keyframes)[None].to(rgb.device),
            torch.arange(rgb.shape[1], device=rgb.device)[None],
            encode_texts(self.tokenizer, instructions)[None].to(rgb.device),
        )
        found = self.targets(encoding, rgb, question)
        maps = self.calibration.target.probability(found.logits[0])
        presence = self.calibration.target_presence.probability(found.presence_logits[0])
        return _joined([maps]), _joined([presence]), self.answers(encoding, rgb, question)[0]


def _joined(parts: list[Tensor]) -> np.ndarray:
    return torch.cat(parts).float().cpu().numpy()


def _heard(values: Tensor, used: bool) -> Tensor:
    """Return the values of a part that is used, zeros of one that is left out."""
    return values if used else torch.zeros_like(values)


def _as_unit(rgb: Tensor) -> Float[Tensor, "batch frames 3 height width"]:
    if rgb.dtype == torch.uint8:
        return rgb.float() / 255
    return rgb


def _patch_grid(images: Tensor) -> tuple[int, int]:
    height, width = images.shape[-2:]
    step = 2 * APPEARANCE_PATCH_PX
    if height % step or width % step:
        raise UsageError(f"an image of {width} x {height} px cannot be encoded: sides must be multiples of {step}")
    return height // APPEARANCE_PATCH_PX, width // APPEARANCE_PATCH_PX


def _resized(images: Tensor, rows: int, columns: int) -> Float[Tensor, "images 3 height width"]:
    size = (rows * GEOMETRY_PATCH_PX, columns * GEOMETRY_PATCH_PX)
    smaller = functional.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)
    return smaller.clamp(0, 1)


def _weighted(patches: Tensor, weight: float, rows: int) -> Float[Tensor, "batch frames channels rows columns"]:
    unit = functional.normalize(patches.float(), dim=-1) * weight**0.5
    return unit.transpose(2, 3).unflatten(3, (rows, -1))
