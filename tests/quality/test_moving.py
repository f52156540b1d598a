"""A thing that moves between frames contradicts nothing, neither where it went nor where it was."""

import dataclasses

import msgspec
import numpy as np
import pytest

from backsight.quality.agreement import compare_frames, compared_pairs
from backsight.quality.check import check_sequence
from backsight.quality.moving import Places
from backsight.quality.samples import sample_views
from backsight.quality.surfaces import cameras_inside, points_outside_m
from backsight.records.sequence import ObjectMotion

TABLE, PLANT = 9, 10


@pytest.fixture(scope="module")
def moved(make_sequence, factories):
    """The plant leaves the table after frame 4 and stands nearer to the camera from then on."""
    still = make_sequence(frames=11, width=74, height=58)
    here = np.array(next(thing for thing in still.annotations.objects if thing.instance_id == PLANT).box.centre_m)
    centres = [tuple((here + (np.array([0.3, 0.0, 0.75]) if frame > 4 else 0.0)).tolist()) for frame in range(11)]
    images = []
    for frame, pose in enumerate(still.world_from_camera):
        objects = [
            msgspec.structs.replace(thing, box=msgspec.structs.replace(thing.box, centre_m=centres[frame]))
            if thing.instance_id == PLANT
            else thing
            for thing in still.annotations.objects
        ]
        images.append(factories.cast(pose, still.intrinsics, 74, 58, objects))
    depth_m, ids, rgb = (np.stack(arrays) for arrays in zip(*images, strict=True))
    motion = ObjectMotion(PLANT, tuple(centres), (0.0,) * 11)
    annotations = msgspec.structs.replace(still.annotations, motions=(motion,))
    return dataclasses.replace(still, rgb=rgb, depth_m=depth_m, instance_ids=ids, annotations=annotations)


def agreement(sequence):
    first, second = compared_pairs(sequence.num_frames)
    return compare_frames(sequence, sample_views(sequence), first, second, (0.01, 0.01))


def test_without_its_motion_the_thing_contradicts_in_both_directions(moved, make_sequence):
    unsaid = dataclasses.replace(moved, annotations=msgspec.structs.replace(moved.annotations, motions=()))
    readings = agreement(unsaid)
    across = (readings.first <= 4) != (readings.second <= 4)
    forth, back = across & (readings.first <= 4), across & (readings.first > 4)
    assert readings.contradicts[forth].any()
    assert readings.contradicts[back].any()
    told = agreement(moved)
    # Silhouettes at this size leave some contradictions, in a room where nothing moves as well.
    still = agreement(make_sequence(frames=11, width=74, height=58))
    assert told.contradicts.sum() < 1.3 * still.contradicts.sum() < 0.5 * readings.contradicts.sum()
    assert (told.agrees <= readings.agrees).all(), "saying that a thing moves only leaves samples out"


def test_pairs_on_one_side_of_the_move_are_compared_as_ever(moved):
    unsaid = dataclasses.replace(moved, annotations=msgspec.structs.replace(moved.annotations, motions=()))
    told, plain = agreement(moved), agreement(unsaid)
    same = (told.first <= 4) == (told.second <= 4)
    assert np.array_equal(told.agrees[same], plain.agrees[same])


def test_its_surface_lies_in_its_box_wherever_it_is(moved):
    views = sample_views(moved)
    outside_m = points_outside_m(moved.annotations, views.instance_ids, views.points_m)
    assert outside_m.max() < 1e-5
    unsaid = msgspec.structs.replace(moved.annotations, motions=())
    assert points_outside_m(unsaid, views.instance_ids, views.points_m)[5:].max() > 0.3


def test_places_know_what_moved_between_two_frames(moved):
    places = Places(moved.annotations)
    ids, one, other = np.array([PLANT, PLANT, TABLE, 0, 999]), np.array([0, 4, 4, 4, 4]), np.array([4, 5, 5, 5, 5])
    assert places.moved(ids, one, other).tolist() == [False, True, False, False, False]


def test_a_thing_that_comes_over_the_camera_has_the_camera_inside(moved):
    eye = moved.world_from_camera[7, :3, 3]
    motion = moved.annotations.motions[0]
    centres = tuple(tuple(eye.tolist()) if frame == 7 else centre for frame, centre in enumerate(motion.centres_m))
    onto = msgspec.structs.replace(motion, centres_m=centres)
    spoilt = dataclasses.replace(moved, annotations=msgspec.structs.replace(moved.annotations, motions=(onto,)))
    assert cameras_inside(moved) == []
    assert [finding.frame for finding in cameras_inside(spoilt)] == [7]


def test_a_relation_of_the_world_to_a_thing_that_moves_is_refused(moved):
    report = check_sequence(moved)
    said = [
        i for i, r in enumerate(moved.annotations.relations) if r.frame is None and PLANT in (r.subject_id, r.anchor_id)
    ]
    assert said
    told = {failure.field for failure in report.failures if "moves" in failure.problem}
    assert told == {f"relations[{index}]" for index in said}
