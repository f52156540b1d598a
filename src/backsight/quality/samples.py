"""A grid of pixels of every frame, carried into the world: what most checks look at instead of all pixels."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.records.sequence import Sequence

SAMPLES_PER_FRAME = 768


@dataclass(frozen=True)
class SampledViews:
    """The same pixels of every frame."""

    rows: Int64[np.ndarray, " samples"]
    columns: Int64[np.ndarray, " samples"]
    depth_m: Float64[np.ndarray, "frames samples"]
    """0 where nothing was measured."""
    instance_ids: Int64[np.ndarray, "frames samples"]
    points_m: Float64[np.ndarray, "frames samples 3"]
    """World frame; the camera's place where nothing was measured."""

    @property
    def measured(self) -> Bool[np.ndarray, "frames samples"]:
        """Where there is depth."""
        return self.depth_m > 0.0


def sample_views(sequence: Sequence, samples_per_frame: int = SAMPLES_PER_FRAME) -> SampledViews:
    """Return a regular grid of pixels, the same in all frames; all pixels of images that have no more.

    Args:
        sequence: With finite depth and rigid poses.
        samples_per_frame: About so many.
    """
    width, height = sequence.image_size
    stride = max(1, round(math.sqrt(width * height / samples_per_frame)))
    rows, columns = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(stride // 2, height, stride), np.arange(stride // 2, width, stride), indexing="ij"
        )
    )
    depth_m = sequence.depth_m[:, rows, columns].astype(np.float64)
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], axis=-1)
    rays = pixels @ np.linalg.inv(sequence.intrinsics).T
    poses = sequence.world_from_camera
    points_m = (rays * depth_m[..., None]) @ poses[:, :3, :3].swapaxes(1, 2) + poses[:, None, :3, 3]
    return SampledViews(
        rows.astype(np.int64),
        columns.astype(np.int64),
        depth_m,
        sequence.instance_ids[:, rows, columns].astype(np.int64),
        points_m,
    )
