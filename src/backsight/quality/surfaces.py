"""Whether surfaces lie in their objects' boxes, ids stay with their surfaces, and the camera keeps out of things."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.quality.agreement import PairReadings
from backsight.quality.judgement import Judgement
from backsight.quality.limits import QualityLimits
from backsight.quality.moving import Places
from backsight.quality.samples import SampledViews
from backsight.records.quality import Finding
from backsight.records.sequence import Sequence, SequenceAnnotations
from backsight.storage.layout import ANNOTATIONS_FILE, INSTANCES_FILE, path_in_dataset

LEAST_SAMPLES = 6
"""So few samples of a thing decide nothing."""
INSIDE_M = 0.03
"""A camera that lies deeper within the box of a piece of furniture is inside it."""


def points_outside_m(
    annotations: SequenceAnnotations,
    instance_ids: Int64[np.ndarray, "frames samples"],
    points_m: Float64[np.ndarray, "frames samples 3"],
) -> Float64[np.ndarray, "frames samples"]:
    """Return how far points lie outside the boxes of the objects they belong to, where these are in the frame.

    Args:
        annotations: With the boxes; things that move have one place a frame.
        instance_ids: Object of each point; 0 and unknown ids give 0.
        points_m: World frame.
    """
    most = max(thing.instance_id for thing in annotations.objects)
    boxes = np.zeros((most + 2, 7))
    boxes[:, 3:6] = np.inf
    for thing in annotations.objects:
        boxes[thing.instance_id] = (*thing.box.centre_m, *thing.box.size_m, thing.box.yaw_rad)
    number = np.minimum(instance_ids, most + 1)
    box = boxes[number]
    places = Places(annotations)
    for row, motion in enumerate(annotations.motions):
        frame, sample = np.nonzero(instance_ids == motion.instance_id)
        placed = places.placed(row)[frame]
        box[frame, sample, :3], box[frame, sample, 6] = placed[:, :3], placed[:, 3]
    offset = points_m - box[..., :3]
    cos, sin = np.cos(box[..., 6]), np.sin(box[..., 6])
    local = np.stack(
        [cos * offset[..., 0] - sin * offset[..., 2], offset[..., 1], sin * offset[..., 0] + cos * offset[..., 2]],
        axis=-1,
    )
    return np.linalg.norm(np.maximum(np.abs(local) - 0.5 * box[..., 3:6], 0.0), axis=-1)


def judge_surfaces(sequence: Sequence, views: SampledViews, limits: QualityLimits) -> Judgement:
    """Return which share of the surface lies in the boxes of its objects; 1 where there are no objects.

    Args:
        sequence: With a sound table of objects.
        views: Its samples.
        limits: How far a surface may lie outside.
    """
    annotations = sequence.annotations
    if not annotations.objects:
        return Judgement(1.0, {})
    outside_m = points_outside_m(annotations, views.instance_ids, views.points_m)
    known = views.measured & (views.instance_ids > 0)
    wrong = known & (outside_m > np.maximum(limits.box_m, limits.box_share * views.depth_m))
    share = wrong.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    path = path_in_dataset(annotations.sequence_id, ANNOTATIONS_FILE)
    findings = [
        Finding(
            path,
            "objects.box",
            f"{share[frame]:.0%} of the surface lies outside the boxes of its objects, by "
            f"{np.median(outside_m[frame][wrong[frame]]):.2f} m: depth, pose, intrinsics or ids are wrong",
            int(frame),
        )
        for frame in np.flatnonzero(share > limits.most_outside_boxes)
    ]
    findings += _things_outside(sequence, views, wrong)
    return Judgement(float(1.0 - wrong.sum() / max(1, known.sum())), {}, tuple(findings))


def _things_outside(
    sequence: Sequence, views: SampledViews, wrong: Bool[np.ndarray, "frames samples"]
) -> list[Finding]:
    """Return things that are mostly outside their box, all frames together or in a single one."""
    most = int(views.instance_ids.max(initial=0)) + 1
    frames = np.arange(len(wrong))[:, None]
    cell = (frames * most + views.instance_ids).ravel()
    all_of = np.bincount(cell[views.measured.ravel()], minlength=len(wrong) * most).reshape(-1, most)
    bad_of = np.bincount(cell[wrong.ravel()], minlength=len(wrong) * most).reshape(-1, most)
    path = path_in_dataset(sequence.annotations.sequence_id, INSTANCES_FILE)
    mostly = (bad_of.sum(axis=0) > 0.5 * all_of.sum(axis=0)) & (all_of.sum(axis=0) >= LEAST_SAMPLES)
    findings = [
        Finding(path, "instance_ids", f"what is marked as object {number} lies outside its box")
        for number in np.flatnonzero(mostly)
    ]
    once = (bad_of > 0.5 * all_of) & (all_of >= LEAST_SAMPLES) & ~mostly
    return findings + [
        Finding(path, "instance_ids", f"what is marked as object {number} lies outside its box", int(frame))
        for frame, number in np.argwhere(once)
    ]


def judge_ids(sequence: Sequence, views: SampledViews, readings: PairReadings) -> Judgement:
    """Return which share of the surface that two frames agree on has the same id in both.

    Args:
        sequence: Frames.
        views: Its samples.
        readings: Of its pairs of frames.
    """
    ids = views.instance_ids[readings.first]
    compared = readings.agrees & (readings.seen_id > 0) & (ids > 0)
    other = compared & (readings.seen_id != ids)
    most = int(views.instance_ids.max(initial=0)) + 1
    # Over all frames that a frame is compared with: a sliver seen through a gap may have another id in one of them.
    cell = readings.first[:, None] * most + ids
    size = sequence.num_frames * most
    all_of = np.bincount(cell[compared], minlength=size).reshape(-1, most)
    other_of = np.bincount(cell[other], minlength=size).reshape(-1, most)
    path = path_in_dataset(sequence.annotations.sequence_id, INSTANCES_FILE)
    findings = [
        Finding(path, "instance_ids", f"object {number} has another id in other frames", int(frame))
        for frame, number in np.argwhere((other_of > 0.5 * all_of) & (all_of >= LEAST_SAMPLES))
    ]
    return Judgement(float(1.0 - other.sum() / max(1, compared.sum())), {}, tuple(findings))


def cameras_inside(sequence: Sequence) -> list[Finding]:
    """Return frames that are taken from within a piece of furniture.

    Args:
        sequence: With a sound table of objects.
    """
    annotations = sequence.annotations
    furniture = [thing for thing in annotations.objects if not thing.is_structure]
    if not furniture:
        return []
    frames = sequence.num_frames
    placed = np.array([(*thing.box.centre_m, thing.box.yaw_rad) for thing in furniture])
    placed = np.broadcast_to(placed[:, None], (len(furniture), frames, 4)).copy()
    places = Places(annotations)
    rows = places.row_of(np.array([thing.instance_id for thing in furniture]))
    for thing in np.flatnonzero(rows >= 0):
        placed[thing] = places.placed(int(rows[thing]))
    offset = sequence.world_from_camera[:, :3, 3] - placed[..., :3]
    cos, sin = np.cos(placed[..., 3]), np.sin(placed[..., 3])
    local = np.stack(
        [cos * offset[..., 0] - sin * offset[..., 2], offset[..., 1], sin * offset[..., 0] + cos * offset[..., 2]],
        axis=-1,
    )
    half_m = 0.5 * np.array([thing.box.size_m for thing in furniture])[:, None]
    inside_m = (half_m - np.abs(local)).min(axis=-1)
    path = path_in_dataset(annotations.sequence_id, ANNOTATIONS_FILE)
    findings = []
    for number, frame in np.argwhere(inside_m > INSIDE_M):
        thing = furniture[number]
        problem = f"the camera is inside object {thing.instance_id} ({thing.category})"
        findings.append(Finding(path, "world_from_camera", problem, int(frame)))
    return findings
