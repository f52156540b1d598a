import msgspec
import numpy as np
import pytest

from backsight.collect.plan import CollectConfig, SequencePlan
from backsight.collect.sequence import TooFewTargetsError, collect_sequence
from backsight.quality.references import matching_objects
from backsight.records.errors import UsageError
from backsight.records.sequence import annotation_arrays

CONFIG = CollectConfig(size="64x48")


def walk_plan(pattern="circular", num_frames=17, seed=5, attempt=0):
    return SequencePlan("w-0", "place", "flat-0", "flat", "smooth", pattern, seed, num_frames, attempt)


@pytest.mark.parametrize("pattern", ["circular", "room_transition"])
def test_a_sequence_is_whole_and_consistent(pattern, paper_world):
    sequence = collect_sequence(walk_plan(pattern), paper_world, CONFIG)
    assert sequence.rgb.shape == (17, 48, 64, 3)
    assert len(sequence.annotations.visible_objects) == 17
    intrinsics, poses = annotation_arrays(sequence.annotations)
    np.testing.assert_array_equal(intrinsics, sequence.intrinsics)
    np.testing.assert_array_equal(poses, sequence.world_from_camera)
    assert sequence.annotations.frame_rate_hz == 2.0
    assert paper_world.loaded == ["flat-0"]
    for item in sequence.annotations.instructions:
        assert matching_objects(item, sequence.annotations) == item.target_instance_ids


def test_content_depends_on_plan_and_attempt_alone(paper_world):
    first = collect_sequence(walk_plan(), paper_world, CONFIG)
    collect_sequence(walk_plan(seed=7), paper_world, CONFIG)
    again = collect_sequence(walk_plan(), paper_world, CONFIG)
    assert msgspec.msgpack.encode(first.annotations) == msgspec.msgpack.encode(again.annotations)
    np.testing.assert_array_equal(first.rgb, again.rgb)
    for other in (walk_plan(seed=7), walk_plan(attempt=1)):
        poses = collect_sequence(other, paper_world, CONFIG).world_from_camera
        assert np.abs(poses - first.world_from_camera).max() > 0.01


def test_an_unknown_pattern_is_refused(paper_world):
    with pytest.raises(UsageError, match=r"unknown trajectory pattern 'zigzag'"):
        collect_sequence(walk_plan("zigzag"), paper_world, CONFIG)


def test_a_walk_that_shows_too_little_to_ask_about_is_refused(paper_world):
    with pytest.raises(TooFewTargetsError, match="w-0: 2 different targets, at least 4 wanted"):
        collect_sequence(walk_plan(seed=6), paper_world, CONFIG)
