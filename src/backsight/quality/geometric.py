"""Geometric consistency: poses that go on, depth that is plausible, and both telling of one world."""

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from backsight.geometry.covisibility import Label, View, covisibility_labels
from backsight.geometry.poses import invert_pose
from backsight.geometry.projection import look_up_nearest, project, transform_points, unproject
from backsight.quality.limits import QualityLimits
from backsight.quality.motion import find_jumps, measure_motion, moved_between_frames
from backsight.records.quality import Finding
from backsight.records.sequence import Sequence
from backsight.storage.layout import ANNOTATIONS_FILE, DEPTH_FILE, path_in_dataset

CONTINUITY_WEIGHT, DEPTH_WEIGHT, AGREEMENT_WEIGHT = 0.3, 0.4, 0.3
FLAT_SPREAD_M = 1e-3
"""A frame whose depth varies less is no view of a room."""
CONTRADICTION_WEIGHT = 10.0
"""A tenth of the shared surface in contradiction leaves no marks: true walks show well under a hundredth."""
LAGS = (1, 5)
"""Frames apart: neighbours show a single bad frame, frames farther apart a drift."""
LEAST_PAIRS = 4
PIXELS_COMPARED = 400_000
"""Pairs of frames are compared until about so many pixels are."""
LEAST_SHARED = 0.1
"""Pairs that share less of the picture say nothing about agreement."""


def score_geometry(sequence: Sequence, limits: QualityLimits) -> tuple[float, list[Finding]]:
    """Return geometric consistency and hard failures.

    Args:
        sequence: With finite depth and rigid poses.
        limits: What is allowed.
    """
    motion = measure_motion(sequence.world_from_camera, sequence.annotations.frame_rate_hz)
    jumps = find_jumps(motion, limits)
    continuity = 1.0 - float(jumps.mean()) if jumps.size else 1.0
    depth, findings = _score_depth(sequence, limits)
    agreement, contradictions = _score_agreement(sequence, limits)
    score = CONTINUITY_WEIGHT * continuity + DEPTH_WEIGHT * depth + AGREEMENT_WEIGHT * agreement
    return score, findings + contradictions


def _score_depth(sequence: Sequence, limits: QualityLimits) -> tuple[float, list[Finding]]:
    path = path_in_dataset(sequence.annotations.sequence_id, DEPTH_FILE)
    depth_m = sequence.depth_m
    valid = depth_m > 0.0
    valid_share = valid.mean(axis=(1, 2))
    counts = np.maximum(valid.sum(axis=(1, 2)), 1)
    near = (valid & (depth_m < limits.nearest_m)).sum(axis=(1, 2)) / counts
    far = (valid & (depth_m > limits.farthest_m)).sum(axis=(1, 2)) / counts
    farthest = depth_m.max(axis=(1, 2))
    flat = farthest - np.where(valid, depth_m, np.inf).min(axis=(1, 2)) < FLAT_SPREAD_M
    frozen = np.concatenate([[False], _frozen_steps(sequence)])
    findings = [Finding(path, "depth", "shows nothing", int(frame)) for frame in np.flatnonzero(farthest == 0.0)]
    findings += [
        Finding(path, "depth", f"is below {limits.nearest_m} m nearly everywhere: camera inside an object", int(frame))
        for frame in np.flatnonzero(near > 0.5)
    ]
    findings += [
        Finding(path, "depth", "is the frame before although the camera moved", int(frame))
        for frame in np.flatnonzero(frozen)
    ]
    filled = np.clip(0.5 * valid_share / limits.least_valid_share, 0.0, 1.0) if limits.least_valid_share else 1.0
    return float(np.mean(filled * (1.0 - near) * (1.0 - far) * ~flat * ~frozen)), findings


def _frozen_steps(sequence: Sequence) -> Bool[np.ndarray, " steps"]:
    same = (sequence.depth_m[1:] == sequence.depth_m[:-1]).all(axis=(1, 2))
    return same & moved_between_frames(sequence.world_from_camera)


def _score_agreement(sequence: Sequence, limits: QualityLimits) -> tuple[float, list[Finding]]:
    pairs = _compared_pairs(sequence)
    shares = pair_agreement(sequence, pairs)
    path = path_in_dataset(sequence.annotations.sequence_id, ANNOTATIONS_FILE)
    findings = [
        Finding(
            path, "world_from_camera", f"depth agrees with frame {one} in only {share:.0%} of the surface", int(other)
        )
        for (one, other), share in zip(pairs, shares, strict=True)
        if share < limits.least_agreement
    ]
    known = shares[np.isfinite(shares)]
    contradiction = 1.0 - float(known.mean()) if known.size else 0.0
    return max(0.0, 1.0 - CONTRADICTION_WEIGHT * contradiction), findings


def _compared_pairs(sequence: Sequence) -> Int64[np.ndarray, "pairs 2"]:
    """Return neighbours and frames a few steps apart: all of them for small images, a few for large ones."""
    width, height = sequence.image_size
    most = max(LEAST_PAIRS, PIXELS_COMPARED // (2 * width * height))
    pairs = []
    for lag in LAGS:
        steps = sequence.num_frames - lag
        if steps > 0:
            first = np.unique(np.linspace(0, steps - 1, min(steps, most // len(LAGS))).round().astype(np.int64))
            pairs.append(np.stack([first, first + lag], axis=-1))
    return np.concatenate(pairs) if pairs else np.zeros((0, 2), dtype=np.int64)


def pair_agreement(sequence: Sequence, pairs: Int64[np.ndarray, "pairs 2"]) -> Float64[np.ndarray, " pairs"]:
    """Return for each pair of frames the share of commonly seen surface on which their depths agree.

    What contradicts is a frame that sees past the surface of the other: nothing explains it but a wrong depth or pose,
    while a surface that is hidden may just be hidden. Both directions are looked at, so an error shows in one of them.
    NaN where two frames share too little.

    Args:
        sequence: Frames.
        pairs: Indices of two frames each.
    """
    return np.array([_agreement(sequence, int(one), int(other)) for one, other in pairs], dtype=np.float64)


def _agreement(sequence: Sequence, one: int, other: int) -> float:
    views = [View(sequence.depth_m[i], sequence.intrinsics, sequence.world_from_camera[i]) for i in (one, other)]
    agreeing, contradicting, total = 0, 0, 0
    for current, seen_by in (views, views[::-1]):
        labels = covisibility_labels(current, seen_by)
        agreeing += int((labels == Label.COVISIBLE).sum())
        both_measured = (current.depth_m > 0.0) & (_reading_of(current, seen_by) > 0.0)
        contradicting += int((both_measured & (labels == Label.INVALID)).sum())
        total += labels.size
    compared = agreeing + contradicting
    return agreeing / compared if compared >= LEAST_SHARED * total else float("nan")


def _reading_of(current: View, seen_by: View) -> Float[np.ndarray, "height width"]:
    """Return what the other view measured where each pixel's point falls; 0 where it has no reading."""
    other_from_current = invert_pose(seen_by.world_from_camera) @ current.world_from_camera
    points_m = transform_points(other_from_current, unproject(current.depth_m, current.intrinsics))
    readings, _ = look_up_nearest(seen_by.depth_m, project(points_m, seen_by.intrinsics)[0])
    return readings
