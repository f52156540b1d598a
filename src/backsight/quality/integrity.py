"""Whether a sequence can be judged at all: finite numbers, matching lengths, rigid poses."""

import numpy as np

from backsight.geometry.poses import check_rigid
from backsight.records.quality import Finding
from backsight.records.sequence import Sequence, annotation_arrays, imagined_poses
from backsight.storage.layout import (
    ANNOTATIONS_FILE,
    DEPTH_FILE,
    IMAGINED_DEPTH_FILE,
    IMAGINED_INSTANCES_FILE,
    INSTANCES_FILE,
    RGB_FILE,
    path_in_dataset,
)


def find_broken_parts(sequence: Sequence) -> list[Finding]:
    """Return everything that keeps the other checks from having a meaning.

    Args:
        sequence: To be judged.
    """
    name = sequence.annotations.sequence_id
    depth, annotated = path_in_dataset(name, DEPTH_FILE), path_in_dataset(name, ANNOTATIONS_FILE)
    missing = _missing_frames(sequence)
    if missing:
        return missing
    # A NaN anywhere makes both of them NaN.
    low, high = sequence.depth_m.min(axis=(1, 2)), sequence.depth_m.max(axis=(1, 2))
    findings = [
        Finding(depth, "depth", "holds a value that is not finite or negative", int(frame))
        for frame in np.flatnonzero(~np.isfinite(low) | ~np.isfinite(high) | (low < 0.0))
    ]
    findings += [
        Finding(path_in_dataset(name, INSTANCES_FILE), "instance_ids", "holds a negative id", int(frame))
        for frame in np.flatnonzero(sequence.instance_ids.min(axis=(1, 2)) < 0)
    ]
    findings += _imagined_findings(sequence)
    findings += _pose_findings(sequence, annotated)
    if not np.isfinite(sequence.intrinsics).all() or sequence.intrinsics[0, 0] <= 0 or sequence.intrinsics[1, 1] <= 0:
        findings.append(Finding(annotated, "intrinsics", "is no camera matrix"))
    findings += _length_findings(sequence, annotated)
    return findings


def _missing_frames(sequence: Sequence) -> list[Finding]:
    """Return files that hold fewer frames, or other pictures, than the video."""
    name, shape = sequence.annotations.sequence_id, sequence.rgb.shape[:3]
    if not shape[0]:
        return [Finding(path_in_dataset(name, RGB_FILE), "frames", "there is none")]
    return [
        Finding(
            path_in_dataset(name, file),
            "frames",
            f"a frame is missing: holds frames x height x width {images.shape}, the video {shape}",
        )
        for file, images in ((DEPTH_FILE, sequence.depth_m), (INSTANCES_FILE, sequence.instance_ids))
        if images.shape != shape
    ]


def _length_findings(sequence: Sequence, path: str) -> list[Finding]:
    annotations, frames = sequence.annotations, sequence.num_frames
    findings = []
    for field, length in (
        ("visible_objects", len(annotations.visible_objects)),
        ("covisible_percent", len(annotations.covisible_percent)),
    ):
        if length not in (0, frames):
            findings.append(Finding(path, field, f"covers {length} of {frames} frames"))
    for index, motion in enumerate(annotations.motions):
        if {len(motion.centres_m), len(motion.yaws_rad)} != {frames}:
            findings.append(Finding(path, f"motions[{index}]", f"does not hold one place for each of {frames} frames"))
        elif not (np.isfinite(motion.centres_m).all() and np.isfinite(motion.yaws_rad).all()):
            findings.append(Finding(path, f"motions[{index}]", "holds a number that is not finite"))
    for index, event in enumerate(annotations.events):
        if not 0 <= event.first_frame < event.last_frame < frames:
            problem = f"happens from frame {event.first_frame} to {event.last_frame} of {frames}"
            findings.append(Finding(path, f"events[{index}]", problem))
    return findings


def _imagined_findings(sequence: Sequence) -> list[Finding]:
    annotations, truth = sequence.annotations, sequence.imagined
    name, views = annotations.sequence_id, annotations.imagined
    path = path_in_dataset(name, ANNOTATIONS_FILE)
    if {len(view.world_from_camera) for view in views} - {16}:
        return [Finding(path, "imagined", "does not hold one 4x4 pose for each view")]
    try:
        check_rigid(imagined_poses(annotations), 1e-6)
    except ValueError as error:
        return [Finding(path, "imagined", str(error))]
    shape = (len(views), *sequence.depth_m.shape[1:])
    if truth is None:
        return [Finding(path, "imagined", "names views without images")] if views else []
    if not views or truth.depth_m.shape != shape or truth.instance_ids.shape != shape:
        return [Finding(path, "imagined", f"names {len(views)} views, there are images of {len(truth.depth_m)}")]
    broken = (~np.isfinite(truth.depth_m) | (truth.depth_m < 0.0)).any(axis=(1, 2))
    depth, instances = path_in_dataset(name, IMAGINED_DEPTH_FILE), path_in_dataset(name, IMAGINED_INSTANCES_FILE)
    return [
        *(
            Finding(depth, "depth", "holds a value that is not finite or negative", int(view))
            for view in np.flatnonzero(broken)
        ),
        *(
            Finding(instances, "instance_ids", "holds a negative id", int(view))
            for view in np.flatnonzero((truth.instance_ids < 0).any(axis=(1, 2)))
        ),
    ]


def _pose_findings(sequence: Sequence, path: str) -> list[Finding]:
    try:
        check_rigid(sequence.world_from_camera, 1e-6)
    except ValueError as error:
        return [Finding(path, "world_from_camera", str(error))]
    lengths = {len(numbers) for numbers in sequence.annotations.world_from_camera}
    if lengths != {16} or len(sequence.annotations.world_from_camera) != sequence.num_frames:
        return [
            Finding(path, "world_from_camera", f"does not hold one 4x4 pose for each of {sequence.num_frames} frames")
        ]
    intrinsics, poses = annotation_arrays(sequence.annotations)
    if not (np.array_equal(poses, sequence.world_from_camera) and np.array_equal(intrinsics, sequence.intrinsics)):
        return [Finding(path, "world_from_camera", "annotations and sequence hold different cameras")]
    return []
