"""How sharp pictures are where one thing ends and another begins."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float32, Float64, Int32

from backsight.records.sequence import Sequence

REACH_PX = 3
"""An edge is compared with the step over so many pixels on either side."""
LEAST_STEP = 24.0
"""Step of luma (0 to 255) that is an edge to be judged."""
LEAST_EDGES = 16
"""Frames with fewer edges are not judged."""
LEAST_BORDERS = 3
"""So are frames whose edges lie along fewer borders of one thing with another: that one may be between shaded walls."""
QUANTILE = 0.75
"""Textures and shadows soften some edges of a sharp picture; blur softens all."""
SMEAR = 1.5
"""Pixels of smear for each pixel that the picture moves between frames on average: turns are uneven."""
USUAL_EXPOSURE_S = 1.0 / 60.0 + 1e-6
"""Longer exposures are for walks that promise motion blur."""
DISTANCES_M = (1.0, 2.0, 5.0)
"""Distances at which the blur of a moving camera is reckoned; the largest counts: who walks round a thing keeps it
still, and smears what is before and behind it."""


def edge_sharpness(
    luma: Float32[np.ndarray, "frames rows columns"], instance_ids: Int32[np.ndarray, "frames rows columns"]
) -> Float64[np.ndarray, " frames"]:
    """Return how much of the step between two things happens from one pixel to the next; NaN with too few edges.

    An edge lies where the id changes between two pixels of a row and stays the same for three pixels on either side.
    There the largest step of luma between two neighbours of the six is divided by the range of the six: a thing may
    have a rim of its own colour, or be as bright as what is behind it. In a sharp picture that is 1, behind a Gaussian
    blur of 0.7 px 0.55, of 1 px 0.4, of 2 px 0.25. The frame's value is the third quartile.

    Args:
        luma: 0 to 255.
        instance_ids: Of the same pixels. Where they are all alike (no ids) every steep place counts as an edge.
    """
    reach = REACH_PX
    if luma.shape[2] <= 2 * reach:
        return np.full(len(luma), np.nan)
    width = luma.shape[2]
    inner = slice(reach - 1, width - reach)
    changes = instance_ids[:, :, 1:] != instance_ids[:, :, :-1]
    known = bool(changes.any())
    if not known:
        changes = np.abs(np.diff(luma, axis=2)) > 0.5 * LEAST_STEP
        instance_ids = np.zeros_like(instance_ids)
    frame, row, column = np.nonzero(changes[:, :, inner])
    column = column + reach - 1
    left, right = instance_ids[frame, row, column], instance_ids[frame, row, column + 1]
    clear = np.ones(len(frame), dtype=bool)
    for step in range(1, reach):
        clear &= instance_ids[frame, row, column - step] == left
        clear &= instance_ids[frame, row, column + 1 + step] == right
    frame, row, column = frame[clear], row[clear], column[clear]
    across = luma[frame[:, None], row[:, None], column[:, None] + np.arange(1 - reach, reach + 1)]
    wide = across.max(axis=1, initial=-np.inf) - across.min(axis=1, initial=np.inf)
    narrow = np.abs(np.diff(across, axis=1)).max(axis=1, initial=0.0)
    steep = wide > LEAST_STEP
    pair = left * (int(instance_ids.max(initial=0)) + 1) + right
    frame, pair, ratio = frame[steep], pair[clear][steep], narrow[steep] / wide[steep]
    ends = np.searchsorted(frame, np.arange(len(luma) + 1))
    sharpness = np.full(len(luma), np.nan)
    for number, (start, end) in enumerate(pairwise(ends.tolist())):
        borders = len(np.unique(pair[start:end])) if known else LEAST_BORDERS
        if end - start >= LEAST_EDGES and borders >= LEAST_BORDERS:
            sharpness[number] = np.quantile(ratio[start:end], QUANTILE)
    return sharpness


def image_motion_px(sequence: Sequence) -> Float64[np.ndarray, " frames"]:
    """Return by how many columns the picture's centre moves at most while the shutter is open, of `DISTANCES_M`.

    Args:
        sequence: With rigid poses.
    """
    poses, seconds = sequence.world_from_camera, sequence.annotations.exposure_s
    if seconds <= 0.0 or len(poses) < 2:
        return np.zeros(len(poses))
    ahead = poses[:, None, :3, 2] * np.array(DISTANCES_M)[:, None] + poses[:, None, :3, 3]
    step_px = []
    for this, other in ((slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1))):
        offset = ahead[this] - poses[other, None, :3, 3]
        right, forward = (np.einsum("fdc,fc->fd", offset, poses[other, :3, axis]) for axis in (0, 2))
        step_px.append(np.abs(right / np.maximum(forward, 0.1)).max(axis=1))
    # The faster of the steps before and after: frames are far apart beside an exposure.
    to_next, to_last = np.append(step_px[0], 0.0), np.insert(step_px[1], 0, 0.0)
    per_step = sequence.intrinsics[0, 0] * np.maximum(to_next, to_last)
    return per_step * sequence.annotations.frame_rate_hz * seconds


def expected_sharpness(sequence: Sequence) -> Float64[np.ndarray, " frames"]:
    """Return the edge sharpness that each frame may be asked for: 1, or what its promised motion blur leaves.

    An edge smeared over b pixels has 1 / b of its step between two of them. Only walks that promise motion blur may
    have longer exposures than the usual 1/60 s.

    Args:
        sequence: With rigid poses, exposure and challenges.
    """
    annotations = sequence.annotations
    if "motion_blur" not in annotations.challenges and annotations.exposure_s > USUAL_EXPOSURE_S:
        return np.ones(sequence.num_frames)
    return 1.0 / (1.0 + SMEAR * image_motion_px(sequence))
