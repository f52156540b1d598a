"""Which frames of a walk make up one training sample."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64, Int64
from pydantic import BaseModel, ConfigDict, Field, model_validator

from backsight.data.keyframes import select_keyframes, uniform_keyframes
from backsight.geometry.cameras import pixel_centres
from backsight.geometry.poses import invert_pose
from backsight.records.sequence import Sequence

PROBE_COLUMNS, PROBE_ROWS = 16, 12
"""Grid of pixels that stands for a frame where a rough answer is enough."""


class FrameChoiceConfig(BaseModel):
    """How many frames a sample has and what they are for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_frames: int = Field(default=7, ge=2, le=256)
    """Frames of a sample, the current view included; each is encoded once."""
    num_keyframes: int = Field(default=5, ge=1, le=64)
    """Of these, how many the language model reads, the current view included."""
    keyframes: Literal["space_aware", "uniform"] = "space_aware"
    max_candidates: int = Field(default=128, ge=2, le=1024)
    """Uniform candidates among which space-aware keyframes are chosen."""
    partial_share: float = Field(default=0.5, ge=0.0, le=1.0)
    """Share of the history frames drawn with a coverage between `partial_low` and `partial_high`."""
    partial_low: float = Field(default=0.05, ge=0.0, le=1.0)
    partial_high: float = Field(default=0.95, ge=0.0, le=1.0)
    max_history: int | None = Field(default=None, ge=1)
    """Latest history frames that samples are drawn from; None: all of them."""

    @model_validator(mode="after")
    def _check(self) -> "FrameChoiceConfig":
        if self.max_history is not None and self.max_history < self.num_frames - 1:
            raise ValueError(f"max_history {self.max_history} leaves fewer than num_frames {self.num_frames} frames")
        return self


@dataclass(frozen=True)
class FrameChoice:
    """Frames of one sample."""

    frames: Int64[np.ndarray, " frames"]
    """Frame indices of the sequence, rising; the last is the current view."""
    keyframes: Int64[np.ndarray, " keyframes"]
    """Positions in `frames`, rising; the last is the current view."""


def probe_points(
    sequence: Sequence, frames: Int64[np.ndarray, " frames"]
) -> tuple[Float64[np.ndarray, "frames points 3"], Bool[np.ndarray, "frames points"]]:
    """Return world points of a coarse grid of pixels of each frame, and which of them have depth."""
    width, height = sequence.image_size
    rows = ((np.arange(PROBE_ROWS) + 0.5) * height / PROBE_ROWS).astype(np.int64)
    columns = ((np.arange(PROBE_COLUMNS) + 0.5) * width / PROBE_COLUMNS).astype(np.int64)
    depth_m = sequence.depth_m[frames][:, rows[:, None], columns].reshape(len(frames), -1).astype(np.float64)
    pixels = pixel_centres(width, height)[rows[:, None], columns].reshape(-1, 2)
    homogeneous = np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1)
    rays = homogeneous @ np.linalg.inv(sequence.intrinsics).T
    points = depth_m[..., None] * rays
    poses = sequence.world_from_camera[frames]
    return points @ poses[:, :3, :3].transpose(0, 2, 1) + poses[:, None, :3, 3], depth_m > 0


def rough_coverage(
    sequence: Sequence, current: int, history: Int64[np.ndarray, " history"]
) -> Float64[np.ndarray, " history"]:
    """Return about which share of the current view each history frame saw, from a coarse grid of its pixels.

    Good for choosing samples, not a ground truth: the tolerance is 5 % and nothing is interpolated.
    """
    points, valid = probe_points(sequence, np.array([current]))
    camera_from_world = invert_pose(sequence.world_from_camera[history])
    local = points[0] @ camera_from_world[:, :3, :3].transpose(0, 2, 1) + camera_from_world[:, None, :3, 3]
    depth_m = local[..., 2]
    in_front = depth_m > 0.05
    pixels = (local @ sequence.intrinsics.T)[..., :2] / np.where(in_front, depth_m, 1.0)[..., None]
    width, height = sequence.image_size
    inside = in_front & (pixels >= 0).all(-1) & (pixels < (width, height)).all(-1) & valid
    column, row = np.where(inside[..., None], pixels, 0).astype(np.int64).transpose(2, 0, 1)
    seen_m = sequence.depth_m[history[:, None], row, column]
    agrees = inside & (seen_m > 0) & (np.abs(seen_m - depth_m) <= 0.05 * depth_m)
    return agrees.sum(axis=1) / max(1, int(valid.sum()))


def choose_keyframes(sequence: Sequence, current: int, config: FrameChoiceConfig) -> Int64[np.ndarray, " keyframes"]:
    """Return keyframes of the walk up to `current`, by the sequence's own depth and poses."""
    first = _first_frame(current, config)
    candidates = first + uniform_keyframes(current + 1 - first, config.max_candidates)
    if config.keyframes == "uniform":
        return candidates[uniform_keyframes(len(candidates), config.num_keyframes)]
    points, valid = probe_points(sequence, candidates)
    chosen = select_keyframes(points.astype(np.float32), valid, config.num_keyframes, metric_scale=True)
    return candidates[chosen]


def choose_frames(sequence: Sequence, current: int, config: FrameChoiceConfig, rng: np.random.Generator) -> FrameChoice:
    """Draw the frames of one sample: the keyframes, then history with partial coverage, then any history.

    Raises:
        ValueError: fewer than `num_frames` frames lie up to and including `current`, or within `max_history`.
    """
    first = _first_frame(current, config)
    if current + 1 - first < config.num_frames:
        raise ValueError(f"frame {current} of {sequence.annotations.sequence_id} has too little history")
    keyframes = choose_keyframes(sequence, current, config)
    coverage = rough_coverage(sequence, current, np.arange(current))
    partial = (coverage >= config.partial_low) & (coverage <= config.partial_high)
    chosen = {int(frame) for frame in keyframes}
    wanted_partial = round(config.partial_share * (config.num_frames - 1))
    order = first + rng.permutation(current - first)
    for frame in order[partial[order]]:
        if partial[[f for f in chosen if f < current]].sum() >= wanted_partial or len(chosen) == config.num_frames:
            break
        chosen.add(int(frame))
    for frame in order:
        if len(chosen) == config.num_frames:
            break
        chosen.add(int(frame))
    frames = np.array(sorted(chosen), dtype=np.int64)
    return FrameChoice(frames, np.searchsorted(frames, keyframes).astype(np.int64))


def _first_frame(current: int, config: FrameChoiceConfig) -> int:
    return 0 if config.max_history is None else max(0, current - config.max_history)
