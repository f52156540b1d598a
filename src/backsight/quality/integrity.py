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
    path_in_dataset,
)


def find_broken_parts(sequence: Sequence) -> list[Finding]:
    """Return everything that keeps the other checks from having a meaning.

    Args:
        sequence: To be judged.
    """
    name = sequence.annotations.sequence_id
    depth, annotated = path_in_dataset(name, DEPTH_FILE), path_in_dataset(name, ANNOTATIONS_FILE)
    findings = [
        Finding(depth, "depth", "holds a value that is not finite or negative", int(frame))
        for frame in np.flatnonzero((~np.isfinite(sequence.depth_m) | (sequence.depth_m < 0.0)).any(axis=(1, 2)))
    ]
    findings += [
        Finding(path_in_dataset(name, INSTANCES_FILE), "instance_ids", "holds a negative id", int(frame))
        for frame in np.flatnonzero((sequence.instance_ids < 0).any(axis=(1, 2)))
    ]
    findings += _imagined_findings(sequence)
    findings += _pose_findings(sequence, annotated)
    if not np.isfinite(sequence.intrinsics).all() or sequence.intrinsics[0, 0] <= 0 or sequence.intrinsics[1, 1] <= 0:
        findings.append(Finding(annotated, "intrinsics", "is no camera matrix"))
    frames = sequence.num_frames
    if len(sequence.annotations.visible_objects) not in (0, frames):
        problem = f"covers {len(sequence.annotations.visible_objects)} of {frames} frames"
        findings.append(Finding(annotated, "visible_objects", problem))
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
