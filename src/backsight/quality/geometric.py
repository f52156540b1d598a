"""Geometric consistency: poses that go on, depth that is plausible, and both telling of one world."""

import numpy as np
from jaxtyping import Bool, Float64

from backsight.quality.agreement import PairReadings
from backsight.quality.judgement import Judgement, weighted_mean
from backsight.quality.limits import QualityLimits
from backsight.quality.motion import find_jumps, measure_motion, moved_between_frames
from backsight.records.quality import Finding
from backsight.records.sequence import Sequence
from backsight.storage.layout import ANNOTATIONS_FILE, DEPTH_FILE, path_in_dataset

PART_WEIGHTS: dict[str, float] = {"pose_continuity": 0.3, "depth_quality": 0.4, "reprojection": 0.3}
FLAT_SPREAD_M = 1e-3
"""A frame whose depth varies less is no view of a room."""
CONTRADICTION_WEIGHT = 10.0
"""A tenth of the shared surface in contradiction leaves no marks: true walks show well under a hundredth."""
MOST_HOLES = 0.002
"""Share of pixels that show a thing and yet have no depth, above which a frame has holes."""


def judge_geometry(sequence: Sequence, readings: PairReadings, limits: QualityLimits) -> Judgement:
    """Return geometric consistency: continuity of poses, quality of depth, agreement of reprojected depth.

    Args:
        sequence: With finite depth and rigid poses.
        readings: What pairs of its frames show of each other.
        limits: What is allowed.
    """
    depth, depth_findings = depth_quality(sequence, limits)
    agreement, contradictions = reprojection(sequence, readings, limits)
    parts = {
        "pose_continuity": pose_continuity(sequence, limits),
        "depth_quality": depth,
        "reprojection": agreement,
    }
    return Judgement(weighted_mean(parts, PART_WEIGHTS), parts, (*depth_findings, *contradictions))


def pose_continuity(sequence: Sequence, limits: QualityLimits) -> float:
    """Return the share of steps between frames that are no jump.

    Args:
        sequence: With rigid poses.
        limits: What a jump is.
    """
    jumps = find_jumps(measure_motion(sequence.world_from_camera, sequence.annotations.frame_rate_hz), limits)
    return 1.0 - float(jumps.mean()) if jumps.size else 1.0


def depth_quality(sequence: Sequence, limits: QualityLimits) -> tuple[float, list[Finding]]:
    """Return the mean over frames of valid share x share in range, 0 for frames that are flat or frozen; and findings.

    Args:
        sequence: With finite depth.
        limits: Range and valid share.
    """
    path = path_in_dataset(sequence.annotations.sequence_id, DEPTH_FILE)
    depth_m = sequence.depth_m
    pixels = depth_m[0].size
    farthest = depth_m.max(axis=(1, 2))
    nearest = depth_m.min(axis=(1, 2))
    frames = np.arange(len(depth_m))
    # Few frames hold a pixel without depth, one too near or one too far: only those are counted.
    empty = _counted(nearest <= 0.0, lambda frame: depth_m[frame] <= 0.0, frames)
    valid = np.maximum(pixels - empty, 1)
    below = _counted(nearest < limits.nearest_m, lambda frame: depth_m[frame] < limits.nearest_m, frames)
    near = (below - empty) / valid
    far = _counted(farthest > limits.farthest_m, lambda frame: depth_m[frame] > limits.farthest_m, frames) / valid
    flat = (farthest - nearest < FLAT_SPREAD_M) & (empty == 0)
    frozen = np.concatenate([[False], _frozen_steps(sequence)])
    findings = [Finding(path, "depth", "shows nothing", int(frame)) for frame in np.flatnonzero(farthest == 0.0)]
    findings += [
        Finding(path, "depth", f"is below {limits.nearest_m} m nearly everywhere: camera inside an object", int(frame))
        for frame in np.flatnonzero(near > 0.5)
    ]
    findings += [
        Finding(path, "depth", f"{far[frame]:.0%} is farther than {limits.farthest_m} m", int(frame))
        for frame in np.flatnonzero(far > 0.5)
    ]
    findings += [Finding(path, "depth", "is flat", int(frame)) for frame in np.flatnonzero(flat & (farthest > 0.0))]
    findings += [
        Finding(path, "depth", "is the frame before although the camera moved", int(frame))
        for frame in np.flatnonzero(frozen)
    ]
    findings += _holes(sequence, empty)
    valid_share = 1.0 - empty / pixels
    filled = np.clip(0.5 * valid_share / limits.least_valid_share, 0.0, 1.0) if limits.least_valid_share else 1.0
    return float(np.mean(filled * (1.0 - near) * (1.0 - far) * ~flat * ~frozen)), findings


def _counted(asked: Bool[np.ndarray, " frames"], mask_of, frames: np.ndarray) -> Float64[np.ndarray, " frames"]:
    counts = np.zeros(len(frames))
    for frame in frames[asked]:
        counts[frame] = np.count_nonzero(mask_of(frame))
    return counts


def _holes(sequence: Sequence, empty: Float64[np.ndarray, " frames"]) -> list[Finding]:
    """Return frames in which pixels that show a thing have no depth: a ray that hit something has both."""
    path = path_in_dataset(sequence.annotations.sequence_id, DEPTH_FILE)
    findings = []
    for frame in np.flatnonzero(empty):
        shown = (sequence.depth_m[frame] <= 0.0) & (sequence.instance_ids[frame] > 0)
        share = float(shown.mean())
        if share > MOST_HOLES:
            problem = f"has holes: {share:.1%} of the picture shows things without depth"
            findings.append(Finding(path, "depth", problem, int(frame)))
    return findings


def _frozen_steps(sequence: Sequence) -> Bool[np.ndarray, " steps"]:
    moved = moved_between_frames(sequence.world_from_camera)
    depth_m = sequence.depth_m
    same = [bool(moved[step]) and np.array_equal(depth_m[step], depth_m[step + 1]) for step in range(len(moved))]
    return np.array(same, dtype=bool)


def reprojection(sequence: Sequence, readings: PairReadings, limits: QualityLimits) -> tuple[float, list[Finding]]:
    """Return agreement of reprojected depth, and pairs of frames that contradict each other.

    Args:
        sequence: Frames.
        readings: What pairs of frames show of each other.
        limits: Below which agreement a pair contradicts.
    """
    shares = readings.agreement()
    path = path_in_dataset(sequence.annotations.sequence_id, ANNOTATIONS_FILE)
    findings = [
        Finding(
            path,
            "world_from_camera",
            f"depth agrees with frame {readings.second[pair]} in only {shares[pair]:.0%} of the surface",
            int(readings.first[pair]),
        )
        for pair in np.flatnonzero(shares < limits.least_agreement)
    ]
    known = shares[np.isfinite(shares)]
    contradiction = 1.0 - float(known.mean()) if known.size else 0.0
    return max(0.0, 1.0 - CONTRADICTION_WEIGHT * contradiction), findings
