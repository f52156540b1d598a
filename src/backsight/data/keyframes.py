"""Which frames the language model reads: space-aware keyframes, with uniform ones as the baseline."""

import numpy as np
from jaxtyping import Bool, Float32, Int64

_BITS = 21
"""Bits per axis of a packed voxel index; three axes fill 63 bits of an int64."""


def uniform_keyframes(num_frames: int, num_keyframes: int) -> Int64[np.ndarray, " keyframes"]:
    """Return frames spread evenly over time, the first and the last among them.

    Raises:
        ValueError: a count is not positive.
    """
    if num_frames < 1 or num_keyframes < 1:
        raise ValueError(f"need at least one frame and one keyframe, got {num_frames} and {num_keyframes}")
    if num_keyframes >= num_frames:
        return np.arange(num_frames, dtype=np.int64)
    if num_keyframes == 1:
        return np.array([num_frames - 1], dtype=np.int64)
    return np.round(np.linspace(0, num_frames - 1, num_keyframes)).astype(np.int64)


def pack_voxels(
    points: Float32[np.ndarray, "frames points 3"],
    valid: Bool[np.ndarray, "frames points"],
    metric_scale: bool,
) -> Int64[np.ndarray, "frames points"]:
    """Return the voxel of each point as one integer, -1 where invalid.

    The voxel's edge is a twentieth of the shortest side of the valid points' bounding box, and never under 5 cm
    when the points are metric.

    Source: Video-3D LLM, arXiv 2412.00493, section 3.3; Spatial-MLLM, arXiv 2505.23747.
    """
    if not valid.any():
        return np.full(valid.shape, -1, dtype=np.int64)
    low = points[valid].min(axis=0).astype(np.float64)
    extent = points[valid].max(axis=0) - low
    edge = max(float(extent.min()) / 20.0, 0.05 if metric_scale else float(extent.max()) / 2**_BITS, 1e-9)
    index = np.floor((points - low) / edge)
    index = np.where(valid[..., None], index, 0).astype(np.int64)
    if index.max() >= 2**_BITS:
        raise ValueError(f"points span {extent.max():.3g} with voxels of {edge:.3g}: more than 2^{_BITS} voxels a side")
    packed = (index[..., 0] << (2 * _BITS)) | (index[..., 1] << _BITS) | index[..., 2]
    return np.where(valid, packed, -1)


def select_keyframes(
    points: Float32[np.ndarray, "frames points 3"],
    valid: Bool[np.ndarray, "frames points"],
    num_keyframes: int,
    metric_scale: bool,
) -> Int64[np.ndarray, " keyframes"]:
    """Return frames that together see most of the space, by greedy maximum coverage from the last frame.

    When no frame adds a voxel before `num_keyframes` are chosen, the rest is filled uniformly in time.

    Args:
        points: what each candidate frame sees, in one common frame; metres or any one scale.
        valid: which of the points count.
        num_keyframes: how many to choose; all frames when there are fewer.
        metric_scale: whether the points are in metres.

    Returns:
        Rising frame positions; the last frame is always among them.
    """
    num_frames = points.shape[0]
    if num_keyframes >= num_frames:
        return np.arange(num_frames, dtype=np.int64)
    packed = pack_voxels(points, valid, metric_scale)
    voxels, inverse = np.unique(packed, return_inverse=True)
    sees = np.zeros((num_frames, len(voxels)), dtype=bool)
    sees[np.arange(num_frames)[:, None], inverse.reshape(packed.shape)] = True
    sees[:, voxels == -1] = False
    chosen = [num_frames - 1]
    unseen = ~sees[num_frames - 1]
    while len(chosen) < num_keyframes:
        gain = (sees & unseen).sum(axis=1)
        best = int(gain.argmax())
        if gain[best] == 0:
            break
        chosen.append(best)
        unseen &= ~sees[best]
    for frame in _spread_order(num_frames):
        if len(chosen) == num_keyframes:
            break
        if frame not in chosen:
            chosen.append(int(frame))
    return np.array(sorted(chosen), dtype=np.int64)


def _spread_order(num_frames: int) -> Int64[np.ndarray, " frames"]:
    """Return all frames in an order whose every prefix is spread over time (bit reversal)."""
    bits = max(1, int(np.ceil(np.log2(num_frames))))
    codes = np.arange(2**bits)
    reverse = sum(((codes >> bit) & 1) << (bits - 1 - bit) for bit in range(bits))
    order = np.asarray(reverse)
    return order[order < num_frames].astype(np.int64)
