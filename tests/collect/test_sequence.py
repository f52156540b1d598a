import msgspec
import numpy as np
import pytest

from backsight.collect.config import CollectConfig
from backsight.collect.plan import SequencePlan
from backsight.collect.sequence import TooFewTargetsError, collect_sequence
from backsight.quality.references import matching_objects
from backsight.records.errors import UsageError
from backsight.records.sequence import annotation_arrays, imagined_poses

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


def test_imagined_views_are_the_scene_as_their_poses_see_it(paper_world):
    sequence = collect_sequence(walk_plan(), paper_world, CONFIG)
    views = sequence.annotations.imagined
    asked = {instruction.current_frame for instruction in sequence.annotations.instructions}
    assert [view.current_frame for view in views] == [frame for frame in sorted(asked) for _ in range(4)]
    seen = paper_world.render(imagined_poses(sequence.annotations), sequence.intrinsics, 64, 48)
    np.testing.assert_array_equal(sequence.imagined.instance_ids, seen.instance_ids)
    np.testing.assert_array_equal(sequence.imagined.depth_m, seen.depth_m)
    again = collect_sequence(walk_plan(), paper_world, CONFIG)
    np.testing.assert_array_equal(again.imagined.instance_ids, sequence.imagined.instance_ids)


def test_a_walk_collected_without_imagined_views_is_the_same_but_for_them(paper_world):
    with_views = collect_sequence(walk_plan(), paper_world, CONFIG)
    without = collect_sequence(walk_plan(), paper_world, CONFIG.model_copy(update={"imagined_views": 0}))
    assert without.imagined is None
    assert without.annotations == msgspec.structs.replace(with_views.annotations, imagined=())
    np.testing.assert_array_equal(without.rgb, with_views.rgb)


def test_an_unknown_pattern_is_refused(paper_world):
    with pytest.raises(UsageError, match=r"no trajectory 'zigzag'"):
        collect_sequence(walk_plan("zigzag"), paper_world, CONFIG)


def test_a_walk_that_shows_too_little_to_ask_about_is_refused(paper_world):
    with pytest.raises(TooFewTargetsError, match="w-0: 2 different targets, at least 4 wanted"):
        collect_sequence(walk_plan(seed=6), paper_world, CONFIG)
