import msgspec
import numpy as np
import pytest

from backsight.collect.config import CollectConfig
from backsight.collect.instructions.config import InstructConfig, current_frames
from backsight.collect.plan import SequencePlan
from backsight.collect.sequence import TooFewTargetsError, collect_sequence
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.quality.instructions import instruction_problems
from backsight.quality.measures.scene import measure_scene
from backsight.records.errors import UsageError
from backsight.records.sequence import annotation_arrays, imagined_poses, moving_ids_between
from backsight.sim.embedded.simulator import EmbeddedSimulator
from backsight.sim.simulator import Lighting

CONFIG = CollectConfig(size="64x48")


def walk_plan(pattern="circular", num_frames=17, seed=5, attempt=0, kind="smooth"):
    return SequencePlan("w-0", "place", "flat-0", "flat", kind, pattern, seed, num_frames, attempt)


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
    assert not list(instruction_problems(sequence.annotations))


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
    asked = current_frames(17, InstructConfig())
    assert {instruction.current_frame for instruction in sequence.annotations.instructions} <= set(asked)
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
    wordless = [msgspec.structs.replace(s.annotations, imagined=(), instructions=()) for s in (with_views, without)]
    assert wordless[0] == wordless[1]
    np.testing.assert_array_equal(without.rgb, with_views.rgb)


def test_an_unknown_pattern_is_refused(paper_world):
    with pytest.raises(UsageError, match=r"no trajectory 'zigzag'"):
        collect_sequence(walk_plan("zigzag"), paper_world, CONFIG)


def test_a_walk_that_shows_too_little_to_ask_about_is_refused(paper_world, monkeypatch):
    made = collect_sequence(walk_plan(), paper_world, CONFIG).annotations.instructions
    one = next(
        s for s in made if len(s.target_instance_ids) == 1 and s.imagined_view is None and s.target_place is None
    )
    monkeypatch.setattr("backsight.collect.sequence.make_instructions", lambda *arguments: (one,) * 9)
    with pytest.raises(TooFewTargetsError, match="w-0: 1 different targets, at least 4 wanted"):
        collect_sequence(walk_plan(kind="left and right"), paper_world, CONFIG)
    assert len(collect_sequence(walk_plan(), paper_world, CONFIG).annotations.instructions) == 9
    monkeypatch.setattr("backsight.collect.sequence.make_instructions", lambda *arguments: ())
    with pytest.raises(TooFewTargetsError, match="w-0: 0 different targets, at least 1 wanted"):
        collect_sequence(walk_plan(), paper_world, CONFIG)


def test_tracks_and_overlap_cover_the_walk(paper_world):
    annotations = collect_sequence(walk_plan(), paper_world, CONFIG).annotations
    seen = {item.instance_id for shown in annotations.visible_objects for item in shown}
    assert [track.instance_id for track in annotations.tracks] == sorted(seen)
    assert all(track.segments[-1].last_frame == 16 for track in annotations.tracks)
    percent = np.array(annotations.covisible_percent)
    assert percent.shape == (17, 17)
    assert (np.diagonal(percent) == 100).all()
    assert annotations.scene_id == "flat-0"
    assert (annotations.motions, annotations.events, annotations.exposure_s) == ((), (), 0.0)


@pytest.fixture(scope="module")
def classroom():
    return loaded("classroom-3")


def loaded(scene_id):
    simulator = EmbeddedSimulator()
    simulator.load_scene(scene_id)
    return simulator


def eventful_plan(kind, seed, *challenges):
    return SequencePlan("w-0", "place", "classroom-3", "classroom", kind, "circular", seed, 24, 0, "", challenges)


def collected(plan, simulator):
    """The sequence of the first seed from the plan's that its place can host."""
    for attempt in range(12):
        try:
            return collect_sequence(msgspec.structs.replace(plan, attempt=attempt), simulator, CONFIG)
        except (TrajectoryError, TooFewTargetsError):
            continue
    raise AssertionError("no attempt could be collected")


def fingerprint(sequence):
    images = (sequence.rgb, sequence.depth_m, sequence.instance_ids, sequence.imagined.depth_m)
    return [msgspec.msgpack.encode(sequence.annotations), *(array.tobytes() for array in images)]


def test_content_does_not_depend_on_what_the_scene_went_through_before(classroom):
    plain, moving = eventful_plan("smooth", 3), eventful_plan("object motion", 3)
    first = fingerprint(collected(plain, classroom))
    moved = fingerprint(collected(moving, classroom))
    collected(eventful_plan("changing light", 5, "changing_light"), classroom)
    thing = next(thing for thing in classroom.objects if not thing.is_structure)
    classroom.move_object(thing.instance_id, np.array(thing.box.centre_m) + 0.3, 0.4)
    classroom.set_lighting(Lighting(0.4))
    assert fingerprint(collected(plain, classroom)) == first
    assert fingerprint(collected(moving, classroom)) == moved
    assert fingerprint(collected(moving, loaded("bathroom-1"))) == moved


def test_a_thing_that_moves_is_annotated_where_it_is(classroom):
    sequence = collected(eventful_plan("object motion", 3), classroom)
    annotations = sequence.annotations
    (motion,) = annotations.motions
    first = next(thing for thing in annotations.objects if thing.instance_id == motion.instance_id)
    assert (first.box.centre_m, first.box.yaw_rad) == (motion.centres_m[0], motion.yaws_rad[0])
    assert measure_scene(sequence).moved_in_view == 1.0
    for relation in annotations.relations:
        assert relation.frame is not None or motion.instance_id not in (relation.subject_id, relation.anchor_id)
    assert moving_ids_between(annotations, 0, 23).tolist() == [motion.instance_id]
    assert moving_ids_between(annotations, 22, 23).tolist() == []
    # Imagined views show the scene of their current frame, in which the thing has moved already.
    current = {view.current_frame for view in annotations.imagined}
    assert min(current) >= annotations.events[0].last_frame
    classroom.load_scene("classroom-3")
    classroom.move_object(motion.instance_id, np.array(motion.centres_m[-1]), motion.yaws_rad[-1])
    seen = classroom.render(imagined_poses(annotations), sequence.intrinsics, 64, 48)
    np.testing.assert_array_equal(seen.instance_ids, sequence.imagined.instance_ids)


def test_light_that_changes_is_annotated_and_measured(classroom):
    sequence = collected(eventful_plan("changing light", 5, "changing_light"), classroom)
    measures = measure_scene(sequence)
    assert measures.light_changes == len(sequence.annotations.events) >= 1
    assert measures.brightness_ratio >= 1.3
    assert sequence.annotations.challenges == ("changing_light",)
