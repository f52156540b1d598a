"""Tracks, overlaps and completeness, each with faults put in."""

import dataclasses

import msgspec
import numpy as np
import pytest

from backsight.geometry.covisibility import Label, View, covisibility_labels
from backsight.quality.agreement import PairReadings, compare_frames, compared_pairs
from backsight.quality.check import check_sequence
from backsight.quality.completeness import missing_parts
from backsight.quality.overlap import overlap_problems
from backsight.quality.samples import sample_views
from backsight.quality.tracks import track_problems
from backsight.records.kinds import KINDS
from backsight.records.sequence import ObjectTrack, TrackSegment
from backsight.records.vocabulary import TRACK_STATES

VISIBLE, _, HIDDEN, OUT = TRACK_STATES


def tracks_of(annotations):
    """Tracks that say 'visible' and 'out of view' by what frames show."""
    shown = [{entry.instance_id for entry in visible} for visible in annotations.visible_objects]
    tracks = []
    for number in sorted(set().union(*shown)):
        segments = []
        for frame, ids in enumerate(shown):
            state = VISIBLE if number in ids else OUT
            if segments and segments[-1].state == state:
                segments[-1] = msgspec.structs.replace(segments[-1], last_frame=frame)
            else:
                segments.append(TrackSegment(frame, frame, state))
        tracks.append(ObjectTrack(number, tuple(segments)))
    return tuple(tracks)


@pytest.fixture(scope="module")
def tracked(make_sequence):
    annotations = make_sequence(frames=11, width=74, height=58).annotations
    return msgspec.structs.replace(annotations, tracks=tracks_of(annotations))


def with_track(annotations, index, *segments):
    tracks = list(annotations.tracks)
    tracks[index] = ObjectTrack(tracks[index].instance_id, tuple(TrackSegment(*segment) for segment in segments))
    return msgspec.structs.replace(annotations, tracks=tuple(tracks))


def test_true_tracks_are_right_and_absent_ones_no_matter(tracked):
    assert list(track_problems(tracked)) == []
    assert list(track_problems(msgspec.structs.replace(tracked, tracks=()))) == []


@pytest.mark.parametrize(
    ("segments", "words"),
    [
        (((0, 4, VISIBLE), (6, 10, VISIBLE)), "gaps"),
        (((0, 9, VISIBLE),), "gaps"),
        (((0, 4, VISIBLE), (3, 10, VISIBLE)), "gaps"),
        (((0, 10, "seen"),), "gaps"),
        (((0, 5, VISIBLE), (6, 6, OUT), (7, 10, VISIBLE)), "otherwise"),
        (((0, 5, VISIBLE), (6, 10, HIDDEN)), "otherwise"),
    ],
)
def test_tracks_with_gaps_or_against_the_pictures_are_found(tracked, segments, words):
    problems = list(track_problems(with_track(tracked, 0, *segments)))
    assert problems
    assert all(field == "tracks[0]" and words in problem for field, problem, _ in problems)


def test_a_track_too_few_is_found(tracked):
    fewer = msgspec.structs.replace(tracked, tracks=tracked.tracks[1:])
    assert [field for field, *_ in track_problems(fewer)] == ["tracks"]


def test_what_lies_behind_the_camera_is_not_hidden(tracked):
    """The camera turns round after frame 5; from then on the thing is 'hidden' only in words."""
    poses = np.array(tracked.world_from_camera).reshape(-1, 4, 4)
    poses[6:, :3, 0] *= -1.0
    poses[6:, :3, 2] *= -1.0
    seen = tuple(visible if frame < 6 else () for frame, visible in enumerate(tracked.visible_objects))
    turned = msgspec.structs.replace(
        tracked, world_from_camera=tuple(tuple(row) for row in poses.reshape(-1, 16).tolist()), visible_objects=seen
    )
    turned = msgspec.structs.replace(turned, tracks=tracks_of(turned))
    assert list(track_problems(turned)) == []
    problems = list(track_problems(with_track(turned, 0, (0, 5, VISIBLE), (6, 10, HIDDEN))))
    assert [frame for *_, frame in problems] == [6, 7, 8, 9, 10]


@pytest.fixture(scope="module")
def overlapping(make_sequence):
    """Overlaps by the definition itself, on all pixels."""
    sequence = make_sequence(frames=13, width=74, height=58)
    views = [
        View(depth, sequence.intrinsics, pose)
        for depth, pose in zip(sequence.depth_m, sequence.world_from_camera, strict=True)
    ]
    share = [[float((covisibility_labels(one, other) == Label.COVISIBLE).mean()) for other in views] for one in views]
    table = tuple(tuple(round(100 * value) for value in row) for row in share)
    annotations = msgspec.structs.replace(sequence.annotations, covisible_percent=table)
    return dataclasses.replace(sequence, annotations=annotations)


def overlap_fields(sequence, **changes):
    annotations = msgspec.structs.replace(sequence.annotations, **changes)
    first, second = compared_pairs(sequence.num_frames)
    readings = compare_frames(sequence, sample_views(sequence), first, second, (0.01, 0.01))
    return [field for field, *_ in overlap_problems(annotations, readings)]


def test_overlaps_by_the_definition_are_right(overlapping):
    assert overlap_fields(overlapping) == []
    assert overlap_fields(overlapping, covisible_percent=()) == []


@pytest.mark.parametrize("change", [-30, 30])
def test_an_overlap_that_can_not_be_is_found(overlapping, change):
    table = [list(row) for row in overlapping.annotations.covisible_percent]
    table[0][5] = int(np.clip(table[0][5] + change, 0, 100))
    moved = abs(table[0][5] - overlapping.annotations.covisible_percent[0][5])
    fields = overlap_fields(overlapping, covisible_percent=tuple(tuple(row) for row in table))
    assert fields == (["covisible_percent[0]"] if moved > 20 else fields)
    assert moved > 20 or change > 0


@pytest.mark.parametrize("spoil", ["row", "diagonal", "range"])
def test_a_table_that_is_none_is_found(overlapping, spoil):
    table = [list(row) for row in overlapping.annotations.covisible_percent]
    if spoil == "row":
        table[3].pop()
    elif spoil == "diagonal":
        table[3][3] = 99
    else:
        table[3][4] = 101
    fields = overlap_fields(overlapping, covisible_percent=tuple(tuple(row) for row in table))
    assert fields == ["covisible_percent"]


def test_every_field_of_a_collected_walk_is_asked_for_and_none_of_an_imported_one(tracked):
    assert missing_parts(tracked) == ([], 0)
    for kind in KINDS:
        for way in kind.ways:
            walk = msgspec.structs.replace(tracked, kind=kind.name, pattern=way.trajectory, variant=way.variant)
            missing = {field for field, *_ in missing_parts(walk)[0]}
            assert {"scene_id", "covisible_percent"} <= missing
            assert ("focus_ids" in missing) == (way.trajectory in ("object_focused", "relation_focused"))
            assert ("coverage" in missing) == (way.trajectory == "coverage")
            assert ("motions" in missing) == ("events" in missing) == (kind.change is not None)
            assert ("challenges" in missing) == (kind.group == "challenge")
            assert "tracks" not in missing


def test_what_is_missing_is_a_hard_failure(make_sequence):
    sequence = make_sequence(frames=11, width=74, height=58)
    annotations = msgspec.structs.replace(sequence.annotations, kind="smooth", scene_id="flat-1")
    report = check_sequence(dataclasses.replace(sequence, annotations=annotations))
    missing = [failure.field for failure in report.failures if failure.problem == "is missing"]
    assert missing == ["tracks", "covisible_percent"]
    assert report.parts["annotation_consistency"]["completeness"] == pytest.approx(1 - 2 / 15)


def test_one_thing_that_is_seen_past_does_not_make_a_pair_contradict():
    """Twenty samples: building (0), a curtain (7), a plant (8); pairs with contradictions on some of them."""
    thing_id = np.array([[0] * 6 + [7] * 9 + [8] * 5] * 5)
    contradicts = np.zeros(thing_id.shape, dtype=bool)
    contradicts[1, thing_id[1] == 7] = True
    contradicts[2, thing_id[2] == 0] = True
    contradicts[3] = (thing_id[3] == 7) | (thing_id[3] == 8)
    contradicts[4, ::2] = True
    nothing = np.zeros(thing_id.shape, dtype=bool)
    one, two = np.arange(5), np.arange(1, 6)
    readings = PairReadings(one, two, ~contradicts, contradicts, ~nothing, ~nothing, thing_id, thing_id)
    # The last pair contradicts on every second sample: 3 of 6, 5 of 9 (left out), 2 of 5.
    np.testing.assert_allclose(readings.agreement(), [1.0, 1.0, 14 / 20, 6 / 11, 6 / 11])
