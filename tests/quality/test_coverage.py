"""Walks are judged by what they intend: a turn in place needs no way, and standing still is never enough."""

import dataclasses
import math

import msgspec
import numpy as np
import pytest

from backsight.geometry.poses import look_pose
from backsight.quality.coverage import judge_coverage, key_regions, rooms_visited, seen_cells
from backsight.quality.intents import INTENTS, intent_of
from backsight.quality.samples import sample_views
from backsight.records.kinds import KINDS
from backsight.records.scene import Room

FRAMES = 17


@pytest.fixture(scope="module")
def walk_along(make_sequence, factories):
    """A maker of the box room seen from any poses, said to be of some kind."""
    plain = make_sequence(frames=FRAMES, width=46, height=34)

    def along(poses, kind="smooth", pattern="room_transition", variant="", **changes):
        objects = plain.annotations.objects
        images = [factories.cast(pose, plain.intrinsics, 46, 34, objects) for pose in poses]
        depth_m, ids, rgb = (np.stack(arrays) for arrays in zip(*images, strict=True))
        annotations = msgspec.structs.replace(
            plain.annotations,
            world_from_camera=tuple(tuple(row) for row in poses.reshape(-1, 16).tolist()),
            visible_objects=tuple(factories.visible_objects(image, objects) for image in ids),
            kind=kind,
            pattern=pattern,
            variant=variant,
            **changes,
        )
        return dataclasses.replace(
            plain, rgb=rgb, depth_m=depth_m, instance_ids=ids, world_from_camera=poses, annotations=annotations
        )

    return along


def poses_of(places, yaws):
    return np.stack([look_pose(np.array(place), float(yaw), -0.2) for place, yaw in zip(places, yaws, strict=True)])


def coverage(sequence):
    return judge_coverage(sequence, sample_views(sequence))


STEPS = np.linspace(0.0, 1.0, FRAMES)
TURN = poses_of([(2.5, 1.25, 2.8)] * FRAMES, STEPS * math.radians(230))
STILL = poses_of([(2.5, 1.25, 3.2)] * FRAMES, [0.0] * FRAMES)
FORWARD = poses_of([(2.5, 1.25, 3.8 - 1.5 * step) for step in STEPS], [0.0] * FRAMES)
# Along the left wall, 0.3 m before it.
WALL = poses_of([(0.3, 1.25, 3.0 - 0.6 * step) for step in STEPS], [math.pi / 2] * FRAMES)


def test_a_turn_in_place_is_right_where_it_is_intended_and_nowhere_else(walk_along):
    turning = coverage(walk_along(TURN, "rotation in place", "forward_backward", "rotation"))
    assert turning.score >= 0.9, turning.parts
    forward = coverage(walk_along(TURN, "forward", "forward_backward", "forward"))
    assert forward.parts["viewpoint_diversity"] == 0.0


def test_a_straight_way_is_right_for_forward_and_wrong_for_a_turn(walk_along):
    assert coverage(walk_along(FORWARD, "forward", "forward_backward", "forward")).score >= 0.7
    assert coverage(walk_along(FORWARD, "rotation in place", "forward_backward", "rotation")).score < 0.7


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_standing_still_and_staring_at_a_wall_cover_too_little_for_any_kind(walk_along, kind):
    for way in kind.ways:
        assert coverage(walk_along(STILL, kind.name, way.trajectory, way.variant)).score < 0.4
        staring = coverage(walk_along(WALL, kind.name, way.trajectory, way.variant))
        assert staring.score < 0.7, (way, staring.parts)


def test_every_way_of_every_kind_has_an_intent(walk_along):
    for kind in KINDS:
        for way in kind.ways:
            annotations = walk_along(STILL[:2], kind.name, way.trajectory, way.variant).annotations
            intent = intent_of(annotations)
            assert intent.growth > 1.0
            assert intent.moved_m or intent.turned_deg
    assert {name for name, _ in INTENTS} == {way.trajectory for kind in KINDS for way in kind.ways}


def test_walks_of_unknown_kinds_are_not_judged(walk_along):
    assert coverage(walk_along(STILL, kind="imported", pattern="recorded")) is None
    assert coverage(walk_along(STILL, kind="viewpoint", pattern="circular")) is None


def test_more_of_the_same_walk_covers_no_less(walk_along):
    scores = [
        coverage(walk_along(TURN[:count], "rotation in place", "forward_backward", "rotation")).parts["covered_volume"]
        for count in (3, 9, 17)
    ]
    assert all(score > 0.5 for score in scores), "short walks are asked for their share"


def test_focus_things_are_the_key_regions_where_there_are_any(walk_along):
    seen = walk_along(FORWARD, focus_ids=(9, 7, 999)).annotations
    assert key_regions(seen) == pytest.approx(2 / 3)


def test_rooms_are_visited_on_their_own_storey(walk_along):
    rooms = (Room(1, "hall", (0, 0, 5, 2.9)), Room(2, "bedroom", (0, 2.9, 5, 4)), Room(3, "attic", (0, 0, 5, 4), 2.7))
    annotations = walk_along(FORWARD, rooms=rooms).annotations
    assert rooms_visited(annotations) == {1, 2}
    assert key_regions(annotations) == 1.0


def test_cells_agree_with_a_plain_count(walk_along):
    views = sample_views(walk_along(FORWARD))
    cells = seen_cells(views)
    plain = {tuple(np.floor(point / 0.25).astype(int)) for point in views.points_m.reshape(-1, 3)}
    assert len(np.unique(cells)) == len(plain)
