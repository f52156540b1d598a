"""Annotation completeness and consistency: everything said about a walk, derived again from its images and boxes."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from backsight.quality.agreement import PairReadings
from backsight.quality.completeness import missing_parts
from backsight.quality.instructions import instruction_problems
from backsight.quality.judgement import Judgement, Problem, weakest_counts
from backsight.quality.limits import QualityLimits
from backsight.quality.overlap import overlap_problems
from backsight.quality.relations import relation_problems
from backsight.quality.routes import route_problems
from backsight.quality.samples import SampledViews
from backsight.quality.surfaces import cameras_inside, judge_ids, judge_surfaces
from backsight.quality.tracks import track_problems
from backsight.quality.visibility import visibility_problems
from backsight.records.quality import Finding
from backsight.records.sequence import Sequence, SequenceAnnotations
from backsight.records.vocabulary import CATEGORIES, COLOURS
from backsight.storage.layout import ANNOTATIONS_FILE, IMAGINED_INSTANCES_FILE, INSTANCES_FILE, path_in_dataset

MARGIN = 0.2
"""Statements of one sort that are false can't be made good by the others."""


def judge_annotations(
    sequence: Sequence, views: SampledViews, readings: PairReadings, limits: QualityLimits
) -> Judgement:
    """Return the mean of the parts, at most the lowest and `MARGIN`; every false statement is a hard failure.

    Each part is a share of things said that are true: fields that are there, frames whose visible objects are right,
    relations, instructions, tracks and overlaps that hold, surface within the boxes of its objects and with one id in
    all frames.

    Args:
        sequence: With finite images and rigid poses.
        views: Its samples.
        readings: Of its pairs of frames.
        limits: What is allowed.
    """
    annotations = sequence.annotations
    missing, wanted = missing_parts(annotations)
    parts = {"completeness": 1.0 - len(missing) / wanted if wanted else 1.0}
    problems = list(_table_problems(annotations))
    if problems:
        return Judgement(0.0, parts | {"objects": 0.0}, tuple(_placed(annotations, missing + problems)))
    findings: list[Finding] = _unknown_ids(sequence)
    if not findings:
        for name, judged in (
            ("boxes", judge_surfaces(sequence, views, limits)),
            ("instances", judge_ids(sequence, views, readings)),
        ):
            parts[name] = judged.score
            findings += judged.findings
    findings += cameras_inside(sequence)
    frames = sequence.num_frames
    for name, found, statements in (
        ("visible_objects", visibility_problems(sequence), frames),
        ("relations", relation_problems(annotations), len(annotations.relations)),
        ("instructions", instruction_problems(annotations), len(annotations.instructions)),
        ("routes", route_problems(annotations), len(annotations.routes)),
        ("tracks", track_problems(annotations), len(annotations.tracks)),
        ("overlap", overlap_problems(annotations, readings), len(readings.first)),
    ):
        false = list(found)
        parts[name] = max(0.0, 1.0 - len(false) / max(1, statements))
        problems += false
    findings += _placed(annotations, missing + problems)
    return Judgement(weakest_counts(parts, MARGIN), parts, tuple(findings))


def _placed(annotations: SequenceAnnotations, problems: list[Problem]) -> list[Finding]:
    path = path_in_dataset(annotations.sequence_id, ANNOTATIONS_FILE)
    return [Finding(path, field, problem, frame) for field, problem, frame in problems]


def _unknown_ids(sequence: Sequence) -> list[Finding]:
    name = sequence.annotations.sequence_id
    images = [(INSTANCES_FILE, sequence.instance_ids)]
    if sequence.imagined is not None:
        images.append((IMAGINED_INSTANCES_FILE, sequence.imagined.instance_ids))
    findings = []
    for file, ids in images:
        known: Bool[np.ndarray, " ids"] = np.zeros(int(ids.max(initial=0)) + 1, dtype=bool)
        known[0] = True
        for thing in sequence.annotations.objects:
            if thing.instance_id < len(known):
                known[thing.instance_id] = True
        if known.all() or known[ids].all():
            continue
        findings += [
            Finding(path_in_dataset(name, file), "instance_ids", f"id {number} is no object of the annotations")
            for number in np.unique(ids[~known[ids]]).tolist()
        ]
    return findings


def _table_problems(annotations: SequenceAnnotations) -> Iterator[Problem]:
    rooms = {room.room_id for room in annotations.rooms}
    ids = {item.instance_id for item in annotations.objects}
    if len(rooms) != len(annotations.rooms) or len(ids) != len(annotations.objects):
        yield "objects", "an object or room id occurs twice", None
    for index, item in enumerate(annotations.objects):
        field = f"objects[{index}]"
        if item.category not in CATEGORIES:
            yield f"{field}.category", f"{item.category!r} is not in the vocabulary", None
        if item.colour is not None and item.colour not in COLOURS:
            yield f"{field}.colour", f"{item.colour!r} is not in the vocabulary", None
        if item.room_id not in rooms:
            yield f"{field}.room_id", f"there is no room {item.room_id}", None
        if item.supported_by is not None and item.supported_by not in ids:
            yield f"{field}.supported_by", f"there is no object {item.supported_by}", None
        numbers = np.array([*item.box.centre_m, *item.box.size_m, item.box.yaw_rad])
        if not np.isfinite(numbers).all() or min(item.box.size_m) <= 0.0:
            yield f"{field}.box", "is empty or not finite", None
