import dataclasses

import msgspec
import numpy as np
import pytest

from backsight.geometry.poses import look_pose
from backsight.quality.check import IMPORTED_LIMITS, METRICS, check_sequence, rejection_reason
from backsight.quality.motion import measure_motion
from backsight.quality.visibility import furniture_in_view


@pytest.fixture(scope="module")
def good(make_sequence):
    return make_sequence(frames=11, width=74, height=58)


def with_annotations(sequence, **changes):
    return dataclasses.replace(sequence, annotations=msgspec.structs.replace(sequence.annotations, **changes))


def with_poses(sequence, poses):
    rows = tuple(tuple(float(value) for value in pose.ravel()) for pose in poses)
    return dataclasses.replace(with_annotations(sequence, world_from_camera=rows), world_from_camera=poses)


def with_instruction(sequence, index, **changes):
    instructions = list(sequence.annotations.instructions)
    instructions[index] = msgspec.structs.replace(instructions[index], **changes)
    return with_annotations(sequence, instructions=tuple(instructions))


def with_relation(sequence, index, **changes):
    relations = list(sequence.annotations.relations)
    relations[index] = msgspec.structs.replace(relations[index], **changes)
    return with_annotations(sequence, relations=tuple(relations))


@pytest.mark.parametrize(("frames", "width", "height"), [(7, 34, 22), (2, 34, 22), (1, 74, 58), (11, 74, 58)])
def test_a_true_sequence_is_accepted_whatever_its_size(make_sequence, frames, width, height):
    report = check_sequence(make_sequence(frames=frames, width=width, height=height))
    assert report.failures == ()
    assert report.accepted, report.scores
    assert set(report.scores) == set(METRICS) - {"spatial_coverage"}, "its kind is none of the plan's"
    assert rejection_reason(report) == ""


def spoiled_depth(sequence, frame, value):
    depth = sequence.depth_m.copy()
    depth[frame] = value
    return dataclasses.replace(sequence, depth_m=depth)


@pytest.mark.parametrize(
    ("value", "words"),
    [(np.nan, "not finite"), (-1.0, "negative"), (0.0, "shows nothing"), (0.03, "camera inside an object")],
)
def test_depth_that_can_not_be_is_a_hard_failure_of_its_frame(good, value, words):
    report = check_sequence(spoiled_depth(good, 3, np.float32(value)))
    assert not report.accepted
    assert any(words in failure.problem and failure.frame == 3 for failure in report.failures), report.failures


def test_a_frozen_frame_is_a_hard_failure(good):
    report = check_sequence(spoiled_depth(good, 5, good.depth_m[4]))
    assert any(failure.frame == 5 and "frame before" in failure.problem for failure in report.failures)


def test_depth_at_a_wrong_scale_contradicts_the_poses(good):
    report = check_sequence(dataclasses.replace(good, depth_m=good.depth_m * np.float32(1.5)))
    assert report.scores["geometric_consistency"] < check_sequence(good).scores["geometric_consistency"] - 0.05


def test_inverted_poses_are_noticed(make_sequence):
    sequence = make_sequence(frames=11, width=74, height=58)
    report = check_sequence(with_poses(sequence, np.linalg.inv(sequence.world_from_camera)))
    assert not report.accepted


def test_a_teleport_is_a_hard_failure_with_its_frame(good):
    poses = good.world_from_camera.copy()
    poses[6:, 0, 3] += 1.5
    report = check_sequence(with_poses(good, poses))
    assert any("jumps" in failure.problem and failure.frame == 6 for failure in report.failures)


@pytest.mark.parametrize("name", ["speed", "turn", "acceleration", "turn_acceleration"])
def test_motion_over_a_limit_costs_marks(good, name):
    poses = good.world_from_camera.copy()
    time_s = np.arange(11) / 2.0
    zero, one = np.zeros(11), np.ones(11)
    along, yaw = {
        "speed": (0.9 * time_s, zero),
        "turn": (zero, np.radians(55.0) * time_s),
        "acceleration": (0.12 * np.where(np.arange(11) % 2, one, -one), zero),
        "turn_acceleration": (zero, np.radians(8.0) * np.where(np.arange(11) % 2, one, -one)),
    }[name]
    poses = np.stack([look_pose(np.array([x, 1.25, 0.0]), float(a)) for x, a in zip(along, yaw, strict=True)])
    assert check_sequence(with_poses(good, poses)).scores["temporal_smoothness"] < 0.7
    assert check_sequence(with_poses(good, poses), IMPORTED_LIMITS).scores["temporal_smoothness"] == 1.0


def test_measured_motion_of_a_circle_is_that_of_its_formula():
    radius, rate, turn = 2.0, 5.0, 0.2
    angle = turn * np.arange(23) / rate
    poses = np.stack([look_pose(np.array([radius * np.sin(a), 1.0, radius * np.cos(a)]), float(a)) for a in angle])
    motion = measure_motion(poses, rate)
    assert np.allclose(motion.turn_radps, turn)
    assert np.allclose(motion.speed_mps, radius * turn, rtol=1e-3)
    assert (motion.speed_mps <= radius * turn).all()
    assert np.allclose(motion.acceleration_mps2, radius * turn**2, rtol=1e-2)
    assert np.allclose(motion.turn_acceleration_radps2, 0.0, atol=1e-9)


@pytest.mark.parametrize("level", [0, 255, 128])
def test_blank_pictures_are_rejected(good, level):
    report = check_sequence(dataclasses.replace(good, rgb=np.full_like(good.rgb, level)))
    assert report.scores["visual_quality"] < 0.7
    assert not report.accepted


def test_a_video_that_stands_still_while_the_camera_moves_costs_marks(good):
    still = np.broadcast_to(good.rgb[:1], good.rgb.shape).copy()
    assert check_sequence(dataclasses.replace(good, rgb=still)).scores["visual_quality"] < 0.7


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject_id": 8}, "relations[0]"),
        ({"relation": "beneath"}, "relations[0].relation"),
        *(({"relation": word}, "relations[0]") for word in ("above", "below", "under", "inside", "near", "far from")),
        ({"relation": "behind"}, "relations[0].frame"),
        ({"anchor_id": 99}, "relations[0]"),
        ({"frame": 2}, "relations[0].frame"),
    ],
)
def test_a_false_relation_is_a_hard_failure(good, change, field):
    assert good.annotations.relations[0].relation == "on"
    report = check_sequence(with_relation(good, 0, **change))
    assert [failure.field for failure in report.failures] == [field]
    assert not report.accepted


def test_left_and_right_depend_on_the_viewer(good):
    index = next(i for i, stated in enumerate(good.annotations.relations) if stated.relation == "left of")
    report = check_sequence(with_relation(good, index, relation="right of"))
    assert [failure.field for failure in report.failures] == [f"relations[{index}]"]


@pytest.mark.parametrize(
    ("index", "change", "field"),
    [
        (1, {"colour": None, "text": "Find the chair."}, "target_instance_ids"),
        (1, {"target_instance_ids": (8,)}, "target_instance_ids"),
        (1, {"target_instance_ids": (7, 8)}, "target_instance_ids"),
        (1, {"target_instance_ids": ()}, "target_instance_ids"),
        (1, {"distractor_ids": ()}, "distractor_ids"),
        (1, {"text": "Find the blue chair."}, "text"),
        (1, {"text": "  "}, "text"),
        (2, {"category": "table", "text": "Find the table."}, "target_instance_ids"),
        (2, {"reasoning_type": "category"}, "reasoning_type"),
        (0, {"reasoning_type": "guess"}, "reasoning_type"),
        (0, {"category": "wall", "text": "Find the wall."}, "category"),
        (0, {"relation": "next to"}, "anchor_ids"),
        (0, {"current_frame": 99}, "current_frame"),
    ],
)
def test_an_instruction_that_is_not_true_or_not_clear_is_a_hard_failure(good, index, change, field):
    report = check_sequence(with_instruction(good, index, **change))
    assert f"instructions[{index}].{field}" in [failure.field for failure in report.failures], report.failures
    assert not report.accepted


def test_two_things_that_fit_are_ambiguous_even_when_both_are_targets(good):
    changed = with_instruction(
        good, 1, colour=None, text="Find the chair.", target_instance_ids=(7, 8), distractor_ids=()
    )
    assert any("ambiguous" in failure.problem for failure in check_sequence(changed).failures)


@pytest.mark.parametrize("spoil", ["box", "share", "missing", "extra", "order"])
def test_what_a_frame_shows_is_derived_again(good, spoil):
    frames = list(good.annotations.visible_objects)
    entries = list(frames[4])
    if spoil == "box":
        left, top, right, bottom = entries[0].box_px
        entries[0] = msgspec.structs.replace(entries[0], box_px=(left, top, right + 1, bottom))
    elif spoil == "share":
        entries[0] = msgspec.structs.replace(entries[0], pixel_share=entries[0].pixel_share * 1.01)
    elif spoil == "missing":
        del entries[1]
    elif spoil == "extra":
        entries.append(msgspec.structs.replace(entries[-1], instance_id=1))
    else:
        entries.reverse()
    frames[4] = tuple(entries)
    report = check_sequence(with_annotations(good, visible_objects=tuple(frames)))
    assert report.failures
    assert {failure.frame for failure in report.failures} == {4}


def test_an_instance_id_without_an_object_is_a_hard_failure(good):
    ids = good.instance_ids.copy()
    ids[2, 0, 0] = 999
    assert any("999" in f.problem for f in check_sequence(dataclasses.replace(good, instance_ids=ids)).failures)


def test_boxes_in_the_image_agree_with_a_plain_search():
    ids = np.random.default_rng(3).choice(np.array([0, 2, 5, 9], dtype=np.int32), size=(3, 13, 17))
    ids[1] = 9
    shown = furniture_in_view(ids, {2, 5, 7})
    assert shown[1] == ()
    for frame in (0, 2):
        assert {entry.instance_id for entry in shown[frame]} == {2, 5}
        for entry in shown[frame]:
            rows, columns = np.nonzero(ids[frame] == entry.instance_id)
            assert entry.box_px == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert entry.pixel_share == len(rows) / (13 * 17)


def test_an_imported_walk_without_objects_is_judged_by_the_rest(good):
    bare = with_annotations(good, objects=(), rooms=(), visible_objects=(), relations=(), instructions=())
    bare = dataclasses.replace(bare, instance_ids=np.zeros_like(good.instance_ids))
    assert check_sequence(bare, IMPORTED_LIMITS).accepted
