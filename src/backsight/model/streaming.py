"""Frames that arrive one by one: what depends on a frame alone is computed once and kept.

Kept for every frame: its features from the stem, DINOv3 and VGGT's patch embedding, the image itself, and what the
language model's vision tower says of it once it has been a keyframe. Computed again at every look: VGGT's attention
over all frames, whose result changes with every frame that is added, and what follows from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from backsight.data.keyframes import KeyframeChoice
from backsight.model.backsight import Backsight
from backsight.model.frames import fit_frames
from backsight.model.outputs import FrameFeatures
from backsight.model.prediction import Asked, EncodedWalk, inference, predict_encoded
from backsight.records.errors import UsageError
from backsight.records.prediction import Prediction


@dataclass
class _Kept:
    index: int
    rgb: UInt8[Tensor, "1 1 3 height width"]
    features: FrameFeatures
    view: Float[Tensor, "1 1 image_tokens channels"] | None = None
    """Of the language model's vision tower; None until the frame is a keyframe."""


class Stream:
    """A model that is shown a walk while it goes on.

    When there are more frames than `max_frames`, every second frame of the older half is let go, the first one never:
    the older a stretch is, the fewer frames stand for it.

    Args:
        model: its weights must not change while the stream lives.
        max_frames: frames that are kept, which bounds memory and the time of a look.

    Raises:
        UsageError: `max_frames` is too small to thin anything out.
    """

    def __init__(self, model: Backsight, max_frames: int = 128) -> None:
        if max_frames < 4:
            raise UsageError(f"max_frames {max_frames}: a stream keeps at least 4 frames")
        self.model, self.max_frames = model, max_frames
        self._kept: list[_Kept] = []
        self._added = 0
        self._shape: tuple[int, ...] | None = None

    @property
    def kept_frames(self) -> Int64[np.ndarray, " frames"]:
        """Indices of the frames that are kept, counted from the first one that was added."""
        return np.array([kept.index for kept in self._kept], dtype=np.int64)

    def add(self, frame: UInt8[np.ndarray, "height width 3"]) -> None:
        """Show the next frame.

        Args:
            frame: RGB, of the same size as those before it.

        Raises:
            UsageError: it is no uint8 image, or of another size.
        """
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape != (self._shape or (*frame.shape[:2], 3)):
            raise UsageError(f"frame must be a uint8 image of shape {self._shape}, found {frame.dtype} {frame.shape}")
        self._shape = frame.shape
        model = self.model
        with inference(model):
            fitted = fit_frames(frame[None], model.config.image_width, model.config.image_height)
            rgb = fitted[None].to(next(model.parameters()).device)
            self._kept.append(_Kept(self._added, rgb, model.see(rgb)))
        self._added += 1
        if len(self._kept) > self.max_frames:
            half = len(self._kept) // 2
            self._kept = self._kept[:half:2] + self._kept[half:]

    def look(
        self, instructions: str | Sequence[str] = (), keyframes: Sequence[int] | KeyframeChoice = "space_aware"
    ) -> Prediction:
        """Predict from the frames that are kept; the last one added is the current view.

        Args:
            instructions: what to look for; one or several.
            keyframes: as in `Backsight.predict`; positions count the frames that are kept.

        Returns:
            What `Backsight.predict` says of the same frames; its frame indices count from the first one that was added.

        Raises:
            UsageError: fewer than two frames were added, or keyframes do not fit.
        """
        if len(self._kept) < 2:
            raise UsageError(f"{len(self._kept)} frame added: there is no history to look back on")
        texts = (instructions,) if isinstance(instructions, str) else tuple(instructions)
        with inference(self.model):
            seen = FrameFeatures(
                skip=torch.cat([kept.features.skip for kept in self._kept], dim=1),
                embedded=torch.cat([kept.features.embedded for kept in self._kept], dim=1),
                appearance=torch.cat([kept.features.appearance for kept in self._kept], dim=1),
            )
            rgb = torch.cat([kept.rgb for kept in self._kept], dim=1)
            walk = EncodedWalk(self.model.encode_seen(seen), rgb, self._view_features)
            return predict_encoded(self.model, walk, Asked(self.kept_frames, texts, keyframes))

    def _view_features(
        self, keyframes: Int64[np.ndarray, " keyframes"]
    ) -> Float[Tensor, "1 keyframes image_tokens channels"]:
        views = []
        for position in keyframes:
            kept = self._kept[position]
            if kept.view is None:
                kept.view = self.model.view_features(kept.rgb)
            views.append(kept.view)
        return torch.cat(views, dim=1)
