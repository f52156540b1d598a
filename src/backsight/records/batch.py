"""One training batch as torch tensors. Not imported by `backsight.records`, so that records need no torch."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor


@dataclass(frozen=True)
class ImaginedBatch:
    """Views without an image, asked for relative to each sample's current view."""

    current_from_imagined: Float32[Tensor, "batch imagined 4 4"]
    """Metres; the identity where there is none."""
    instance_ids: Int64[Tensor, "batch imagined height width"]
    """For the truth alone; 0 where there is none."""
    real: Bool[Tensor, "batch imagined"]
    """False for padding."""

    def to(self, device: torch.device | str) -> "ImaginedBatch":
        """Return the views with every tensor on `device`."""
        return ImaginedBatch(**{f.name: getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)})


@dataclass(frozen=True)
class MovingBatch:
    """Things that move during the walks of a batch."""

    instance_ids: Int64[Tensor, "batch moving"]
    """0 = padding."""
    world_from_thing: Float32[Tensor, "batch frames moving 4 4"]
    """In the frames' own world; the identity for padding."""

    def to(self, device: torch.device | str) -> "MovingBatch":
        """Return the things with every tensor on `device`."""
        return MovingBatch(**{f.name: getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)})


@dataclass(frozen=True)
class PlaceBatch:
    """Targets that are pieces of floor."""

    points_m: Float32[Tensor, "batch instructions points 3"]
    """In the frames' own world; a shorter line ends in copies of its last point."""
    radius_m: Float32[Tensor, "batch instructions"]
    """0 = the target is no place."""

    def to(self, device: torch.device | str) -> "PlaceBatch":
        """Return the places with every tensor on `device`."""
        return PlaceBatch(**{f.name: getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)})


@dataclass(frozen=True)
class Batch:
    """Groups of frames from several sequences, all of one image size."""

    rgb: UInt8[Tensor, "batch frames 3 height width"]
    """In time order; the last frame is the current view of the instructions."""
    depth_m: Float32[Tensor, "batch frames height width"]
    instance_ids: Int64[Tensor, "batch frames height width"]
    intrinsics: Float32[Tensor, "batch 3 3"]
    world_from_camera: Float32[Tensor, "batch frames 4 4"]
    frame_index: Int64[Tensor, "batch frames"]
    """Index of each frame in its sequence."""
    keyframes: Int64[Tensor, "batch keyframes"]
    """Positions on the frames axis, rising; the last one is the current view."""
    current: Int64[Tensor, "groups 2"]
    """Footprint supervision: (batch, frame position) of each current view."""
    history: Int64[Tensor, "groups history"]
    """Frame positions in the same sample, compared with the current view of the group."""
    instruction_tokens: Int64[Tensor, "batch instructions tokens"]
    """Token ids, padded with the tokenizer's padding id at the end."""
    answer_tokens: Int64[Tensor, "batch instructions answer_tokens"]
    """Of the answer in words and its end token, padded likewise; all padding = no answer in words."""
    target_ids: Int64[Tensor, "batch instructions targets"]
    """Instance ids of each instruction's targets, padded with -1; all -1 and no place = no answer in memory."""
    has_instruction: Bool[Tensor, "batch instructions"]
    has_truth: Bool[Tensor, " batch"]
    """False for a sample without depth: its poses and instance ids mean nothing either."""
    imagined: ImaginedBatch | None = None
    """None where no walk of the batch has any, or none is asked for."""
    moving: MovingBatch | None = None
    """None where nothing moves."""
    places: PlaceBatch | None = None
    """None where no instruction's target is a place."""

    def to(self, device: torch.device | str) -> "Batch":
        """Return the batch with every tensor on `device`."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        tensors = {name: part.to(device, non_blocking=True) for name, part in parts.items() if isinstance(part, Tensor)}
        return Batch(
            **tensors,
            imagined=None if self.imagined is None else self.imagined.to(device),
            moving=None if self.moving is None else self.moving.to(device),
            places=None if self.places is None else self.places.to(device),
        )
