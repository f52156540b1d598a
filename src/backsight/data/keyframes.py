"""Which frames the language model reads: space-aware keyframes, with uniform ones as the baseline."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from backsight.geometry.poses import invert_pose

KeyframeChoice = Literal["space_aware", "uniform"]

MAX_GIVEN_CANDIDATES = 128
"""Uniform keyframe candidates where depth is given (task.md)."""
POINT_STRIDE_PX = 6
"""Every such pixel of a depth image is unprojected in both directions."""
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
    # Axis by axis: arrays whose last axis has three entries are slow to reduce.
    axes = [points[..., axis][valid].astype(np.float64) for axis in range(3)]
    low = [float(values.min()) for values in axes]
    extent = [float(values.max()) - start for values, start in zip(axes, low, strict=True)]
    edge = max(min(extent) / 20.0, 0.05 if metric_scale else max(extent) / 2**_BITS, 1e-9)
    packed_valid = np.zeros(len(axes[0]), dtype=np.int64)
    for values, start in zip(axes, low, strict=True):
        values -= start
        values /= edge
        index = values.astype(np.int64)
        if index.max() >= 2**_BITS:
            raise ValueError(f"points span {max(extent):.3g} with voxels of {edge:.3g}: over 2^{_BITS} voxels a side")
        packed_valid <<= _BITS
        packed_valid |= index
    packed = np.full(valid.shape, -1, dtype=np.int64)
    packed[valid] = packed_valid
    return packed


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
    frame, voxel, num_voxels = _seen_voxels(packed)
    chosen = [num_frames - 1]
    unseen = np.ones(num_voxels, dtype=bool)
    unseen[voxel[frame == num_frames - 1]] = False
    while len(chosen) < num_keyframes:
        # What a chosen frame has seen never counts again, so the list gets shorter with every choice.
        left = unseen[voxel]
        frame, voxel = frame[left], voxel[left]
        gain = np.bincount(frame, minlength=num_frames)
        best = int(gain.argmax())
        if gain[best] == 0:
            break
        chosen.append(best)
        unseen[voxel[frame == best]] = False
    for frame in _spread_order(num_frames):
        if len(chosen) == num_keyframes:
            break
        if frame not in chosen:
            chosen.append(int(frame))
    return np.array(sorted(chosen), dtype=np.int64)


def keyframes_from_depth(
    depth_m: Float32[np.ndarray, "frames height width"],
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
    intrinsics: Float64[np.ndarray, "3 3"],
    num_keyframes: int,
    max_candidates: int = MAX_GIVEN_CANDIDATES,
) -> Int64[np.ndarray, " keyframes"]:
    """Return the frames that together see most of the space by measured depth, the last one among them.

    Args:
        depth_m: planar depth, 0 = none.
        world_from_camera: poses.
        intrinsics: in pixels of the depth images.
        num_keyframes: how many at most.
        max_candidates: frames, spread over time, that are considered.
    """
    candidates = uniform_keyframes(len(depth_m), max_candidates)
    half = POINT_STRIDE_PX // 2
    sampled = depth_m[candidates, half::POINT_STRIDE_PX, half::POINT_STRIDE_PX]
    rows, columns = np.indices(sampled.shape[1:]) * POINT_STRIDE_PX + half + 0.5
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(-1, 3) @ np.linalg.inv(intrinsics).T
    # Relative to the last camera, so that single precision is enough wherever the world's origin is.
    poses = invert_pose(world_from_camera[-1]) @ world_from_camera[candidates]
    turned = rays.astype(np.float32) @ poses[:, :3, :3].astype(np.float32).transpose(0, 2, 1)
    depth = sampled.reshape(len(candidates), -1)
    points = depth[..., None] * turned + poses[:, None, :3, 3].astype(np.float32)
    return candidates[select_keyframes(points, depth > 0.0, num_keyframes, metric_scale=True)]


def _seen_voxels(
    packed: Int64[np.ndarray, "frames points"],
) -> tuple[Int64[np.ndarray, " pairs"], Int64[np.ndarray, " pairs"], int]:
    """Return which frame sees which voxel, every pair once, voxels numbered from 0; and how many voxels there are."""
    ordered = np.sort(packed, axis=1)
    first = np.ones(ordered.shape, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    frame, column = np.nonzero(first & (ordered >= 0))
    voxels, number = np.unique(ordered[frame, column], return_inverse=True)
    return frame, number, len(voxels)


def _spread_order(num_frames: int) -> Int64[np.ndarray, " frames"]:
    """Return all frames in an order whose every prefix is spread over time (bit reversal)."""
    bits = max(1, int(np.ceil(np.log2(num_frames))))
    codes = np.arange(2**bits)
    reverse = sum(((codes >> bit) & 1) << (bits - 1 - bit) for bit in range(bits))
    order = np.asarray(reverse)
    return order[order < num_frames].astype(np.int64)
