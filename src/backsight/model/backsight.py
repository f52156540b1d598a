"""The model: frames in, frame-indexed heatmaps out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, Shaped, UInt8
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerBase, Qwen2_5_VLForConditionalGeneration

from backsight.data.keyframes import KeyframeChoice
from backsight.model.appearance import Appearance
from backsight.model.checkpoint import Checkpointed
from backsight.model.config import APPEARANCE_PATCH_PX, GEOMETRY_PATCH_PX, ModelConfig
from backsight.model.frames import VIDEO_FPS, load_frames
from backsight.model.fusion import Fusion
from backsight.model.geometry.vggt import VGGT
from backsight.model.given import GivenGeometry, given_walk
from backsight.model.heatmap.footprint import FootprintDecoder
from backsight.model.heatmap.imagined import ImaginedDecoder
from backsight.model.heatmap.odometry import Odometry
from backsight.model.heatmap.rays import estimated_geometry
from backsight.model.heatmap.target import TargetDecoder
from backsight.model.language import Language, SeenViews
from backsight.model.outputs import Encoding, Footprints, FrameFeatures, Targets
from backsight.model.question import Question
from backsight.model.tokenizer import decode_answers, token_ids
from backsight.records.errors import UsageError
from backsight.records.prediction import Prediction

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

    def encode(
        self, rgb: Shaped[Tensor, "batch frames 3 height width"], given: GivenGeometry | None = None
    ) -> Encoding:
        """Encode every frame once.

        Args:
            rgb: uint8, or floating point in [0, 1]; height and width multiples of 32.
            given: depth and cameras, where they are known.
        """
        return self.encode_seen(self.see(rgb), given)

    def see(self, rgb: Shaped[Tensor, "batch frames 3 height width"]) -> FrameFeatures:
        """Compute what depends on each frame alone; argument as in `encode`."""
        images = _as_unit(rgb)
        batch, frames = images.shape[:2]
        rows, columns = _patch_grid(images)
        flat = images.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        embedded = self.geometry.aggregator.embed(_resized(flat, rows, columns).unflatten(0, (batch, frames)))
        appearance = _heard(self.appearance(flat), self.config.parts.appearance)
        skip = self.fusion.see(flat)
        return FrameFeatures(skip.unflatten(0, (batch, frames)), embedded, appearance.unflatten(0, (batch, frames)))

    def encode_seen(self, seen: FrameFeatures, given: GivenGeometry | None = None) -> Encoding:
        """Let frames that were seen attend to each other, and fuse them.

        Args:
            seen: of `see`.
            given: depth and cameras, where they are known.
        """
        rows, batch_frames = seen.patch_rows, seen.skip.shape[:2]
        embedded, cameras = seen.embedded, None
        if given is not None:
            depth, cameras = self.fusion.given(given)
            embedded = embedded + depth.to(embedded.dtype)
        geometry = self.geometry.read(embedded, rows, cameras)
        used = self.config.parts.geometry
        patches, camera_tokens = _heard(geometry.patches, used), _heard(geometry.camera_tokens, used)
        fused = self.fusion(seen.skip.flatten(0, 1), patches.flatten(0, 1), seen.appearance.flatten(0, 1), rows)

        def grouped(values: Tensor) -> Tensor:
            return values.unflatten(0, batch_frames)

        return Encoding(
            match=grouped(fused.match),
            context=grouped(fused.context),
            skip=grouped(fused.skip),
            trunk=grouped(fused.trunk),
            fused_tokens=grouped(fused.tokens),
            geometry_features=_weighted(patches, self.config.geometry.weight, rows),
            appearance_features=_weighted(seen.appearance, self.config.appearance.weight, rows),
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

    def view_features(
        self, rgb: Shaped[Tensor, "batch views 3 height width"]
    ) -> Float[Tensor, "batch views image_tokens channels"]:
        """Run the language model's vision tower, which sees every view on its own.

        Args:
            rgb: of the views that it shall read.
        """
        images = _as_unit(rgb)
        rows, columns = _patch_grid(images)
        return self.language.image_features(_resized(images.flatten(0, 1), rows, columns).unflatten(0, rgb.shape[:2]))

    def targets(
        self,
        encoding: Encoding,
        rgb: Shaped[Tensor, "batch frames 3 height width"],
        question: Question,
        odometry: Odometry | None = None,
        views: Float[Tensor, "batch keyframes image_tokens channels"] | None = None,
    ) -> Targets:
        """Decode where each instruction's target lies in each keyframe, and in each imagined view asked for.

        Args:
            encoding: of `encode`.
            rgb: the same frames.
            question: what is asked.
            odometry: of `odometry`, where it is known already; only imagined views need it.
            views: `view_features` of the keyframes, where they are known already.
        """
        seen = self._seen_views(encoding, rgb, question, views)
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
        self,
        encoding: Encoding,
        rgb: Shaped[Tensor, "batch frames 3 height width"],
        question: Question,
        views: Float[Tensor, "batch keyframes image_tokens channels"] | None = None,
    ) -> tuple[tuple[str, ...], ...]:
        """Return each instruction's answer in words; arguments as in `targets`."""
        seen = self._seen_views(encoding, rgb, question, views)
        found = self.language.generate(seen, question.instruction_tokens, self.config.language.answer_tokens)
        return tuple(tuple(decode_answers(self.tokenizer, tokens)) for tokens in found)

    def _seen_views(self, encoding: Encoding, rgb: Tensor, question: Question, views: Tensor | None) -> SeenViews:
        keyframes = question.keyframes
        rows, _ = _patch_grid(rgb)
        index = (torch.arange(len(keyframes), device=keyframes.device)[:, None], keyframes)
        features = self.view_features(rgb[index]) if views is None else views
        features = features + self.fusion.language_addition(encoding.fused_tokens[index], rows)
        chosen = question.frame_index.gather(1, keyframes)
        return SeenViews(features, rows // 2, chosen[:, -1:] - chosen)

    def forward(
        self,
        rgb: Shaped[Tensor, "batch frames 3 height width"],
        question: Question,
        current: Int64[Tensor, "groups 2"],
        history: Int64[Tensor, "groups history"],
        given: GivenGeometry | None = None,
    ) -> tuple[Encoding, Footprints, Targets]:
        """Encode and decode both families; arguments as in `encode`, `footprints` and `targets`."""
        encoding = self.encode(rgb, given)
        footprints = self.footprints(encoding, current, history)
        return encoding, footprints, self.targets(encoding, rgb, question, footprints.odometry)

    def predict(  # noqa: PLR0913 - the one call: a keyword for each thing that a user may have
        self,
        frames: Sequence[UInt8[np.ndarray, "height width 3"]] | str | Path,
        instructions: str | Sequence[str] = (),
        keyframes: Sequence[int] | KeyframeChoice = "space_aware",
        depth_m: Shaped[np.ndarray, "frames height width"] | None = None,
        world_from_camera: Shaped[np.ndarray, "frames 4 4"] | None = None,
        intrinsics: Shaped[np.ndarray, "3 3"] | None = None,
        fps: float | None = VIDEO_FPS,
        current_from_imagined: Float32[np.ndarray, "imagined 4 4"] | None = None,
    ) -> Prediction:
        """Predict all heatmaps of the last frame, and answers in words: the one call a user needs.

        With depth, poses and intrinsics footprints, presences and bearings are computed from them; where depth is
        missing the model's own footprints stand.

        Args:
            frames: RGB images in time order, all of one size, or the path of a video or of a folder of images.
            instructions: what to look for; one or several.
            keyframes: which frames the language model reads: those that together see most of the space, by given or
                estimated depth (space_aware); spread over time (uniform); or positions, rising, the last one current.
            depth_m: planar depth of every frame in metres, as large as the frames, 0 = none.
            world_from_camera: pose of every frame, OpenCV camera axes, metres.
            intrinsics: in pixels of the frames.
            fps: frames that are taken from each second of a video; None takes all.
            current_from_imagined: poses, metres, of views without an image in which the targets are wanted too
                (`imagined_pose.turned_pose` makes them).

        Raises:
            UsageError: fewer than two frames, sizes that differ, keyframes that do not fit, or only a part of depth,
                poses and intrinsics.
        """
        # Imported here: prediction is written in terms of this class.
        from backsight.model.prediction import Asked, predict_frames

        images = load_frames(frames, fps)
        given = given_walk(images.shape[:3], depth_m, world_from_camera, intrinsics)
        texts = (instructions,) if isinstance(instructions, str) else tuple(instructions)
        asked = Asked(np.arange(len(images)), texts, keyframes, current_from_imagined=current_from_imagined)
        return predict_frames(self, images, asked, given)


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
