import math

import msgspec
import numpy as np
import pytest

from backsight.quality.measures.coverage_cells import (
    MARGIN_M,
    OUTSIDE,
    TOWARDS_CAMERA_M,
    cell_keys,
    seen_cells,
)
from backsight.quality.measures.focus import measure_focus, smallest_arc_deg
from backsight.records.scene import Room
from backsight.records.sequence import (
    COVERAGE_CELL_M,
    Coverage,
    ObjectMotion,
    ObjectTrack,
    TrackSegment,
    VisibleObject,
)

CHAIR, TABLE = 1, 3


def with_annotations(sequence, **changes):
    changed = msgspec.structs.replace(sequence.annotations, **changes)
    return type(sequence)(
        sequence.rgb,
        sequence.depth_m,
        sequence.instance_ids,
        sequence.intrinsics,
        sequence.world_from_camera,
        changed,
    )


def shown(pattern, number, share=0.02):
    """Frames that show a thing ('#') or do not; a dash shows less of it than counts."""
    shares = {"#": share, "-": 0.0009}
    return [(VisibleObject(number, shares[mark], (0, 0, 2, 2)),) if mark in shares else () for mark in pattern]


def merged(*columns):
    return tuple(sum(frame, ()) for frame in zip(*columns, strict=True))


@pytest.fixture
def sequence(make_sequence):
    return make_sequence(frames=11)


def test_shares_and_returns_of_two_things_are_counted(sequence):
    visible = merged(shown("##..###-#..", CHAIR), shown(".##...##.-#", TABLE))
    found = measure_focus(with_annotations(sequence, focus_ids=(CHAIR, TABLE), visible_objects=visible))
    assert found.focus_count == 2.0
    assert found.focus_share == pytest.approx(5 / 11)  # the table's; the chair has 6
    # Chair: two frames out of sight, then one; table: three, then two; what comes first or last is no return.
    assert found.focus_returns == 3.0


def test_a_thing_that_is_never_seen_makes_the_share_zero(sequence):
    visible = merged(shown("###########", CHAIR))
    found = measure_focus(with_annotations(sequence, focus_ids=(CHAIR, TABLE), visible_objects=visible))
    assert (found.focus_count, found.focus_share) == (1.0, 0.0)


def test_hidden_frames_are_those_of_the_first_thing_that_lie_in_the_field_of_view(sequence):
    states = ((0, 2, "visible"), (3, 4, "partly hidden"), (5, 5, "hidden"), (6, 10, "out of view"))
    track = ObjectTrack(CHAIR, tuple(TrackSegment(*state) for state in states))
    found = measure_focus(with_annotations(sequence, focus_ids=(CHAIR,), tracks=(track,)))
    assert found.focus_hidden_share == pytest.approx(3 / 11)
    other = measure_focus(with_annotations(sequence, focus_ids=(TABLE, CHAIR), tracks=(track,)))
    assert other.focus_hidden_share == 0.0


def test_distance_and_arc_are_of_frames_that_show_the_first_thing_where_it_is_then(sequence):
    centre = np.array([2.0, 0.5, 3.0])
    angles = np.radians([0.0, 40.0, 100.0, 200.0])
    radii = [1.0, 2.0, 3.0, 9.0]
    poses = np.tile(np.eye(4), (11, 1, 1))
    for frame, (angle, radius) in enumerate(zip(angles, radii, strict=True)):
        poses[frame, :3, 3] = centre + radius * np.array([math.cos(angle), 0.0, math.sin(angle)])
    changes = {
        "focus_ids": (CHAIR,),
        "visible_objects": merged(shown("###........", CHAIR)),
        "world_from_camera": tuple(tuple(pose.ravel().tolist()) for pose in poses),
    }
    moved = ObjectMotion(CHAIR, tuple(tuple(centre.tolist()) for _ in range(11)), (0.0,) * 11)
    found = measure_focus(with_annotations(sequence, motions=(moved,), **changes))
    assert found.focus_distance_ratio == pytest.approx(3.0)
    assert found.view_spread_deg == pytest.approx(100.0)


def test_without_a_focus_the_arc_is_that_of_the_viewing_directions(sequence):
    found = measure_focus(sequence)
    ahead = sequence.world_from_camera[:, :3, 2]
    yaw = np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 2]))
    assert found.view_spread_deg == pytest.approx(np.degrees(np.ptp(yaw)))
    assert (found.focus_count, found.focus_share, found.focus_distance_ratio) == (0.0, 0.0, 0.0)


def test_an_arc_across_the_seam_is_small():
    assert smallest_arc_deg(np.radians([170.0, -170.0, 178.0])) == pytest.approx(20.0)
    assert smallest_arc_deg(np.radians([0.0, 120.0, 240.0])) == pytest.approx(240.0)
    assert smallest_arc_deg(np.array([1.0])) == 0.0


def test_overlap_of_neighbours_and_of_all_pairs(sequence):
    percent = ((100, 80, 10), (60, 100, 50), (20, 70, 100))
    found = measure_focus(with_annotations(sequence, covisible_percent=percent))
    assert found.overlap_next == pytest.approx((0.8 + 0.5 + 0.6 + 0.7) / 4)
    assert found.overlap_all == pytest.approx((0.8 + 0.1 + 0.6 + 0.5 + 0.2 + 0.7) / 6)


def one_by_one(depth_m, intrinsics, poses, room):
    """Cells of single points, without any table of keys."""
    min_x, min_z, max_x, max_z = room.bounds_m
    low = np.array([min_x, room.floor_m, min_z]) - MARGIN_M
    high = np.array([max_x, room.floor_m + room.height_m, max_z]) + MARGIN_M
    found = set()
    for depth, pose in zip(depth_m, poses, strict=True):
        for row in range(depth.shape[0]):
            for column in range(depth.shape[1]):
                reading = float(depth[row, column])
                if reading == 0.0:
                    continue
                ray = np.linalg.inv(intrinsics) @ [column + 0.5, row + 0.5, 1.0]
                point = pose[:3, :3] @ (ray * (reading - TOWARDS_CAMERA_M)) + pose[:3, 3]
                if (point >= low).all() and (point <= high).all():
                    found.add(tuple(np.floor(point / COVERAGE_CELL_M).astype(int).tolist()))
    return found


def test_cells_are_those_that_points_one_by_one_lie_in(make_sequence):
    sequence = make_sequence(frames=5, width=46, height=34)
    room = Room(1, "study", (0.3, 0.4, 3.1, 2.9), floor_m=0.1, height_m=1.9)
    keys = cell_keys(sequence.depth_m, sequence.intrinsics, sequence.world_from_camera, [room])
    expected = one_by_one(sequence.depth_m, sequence.intrinsics, sequence.world_from_camera, room)
    assert len(expected) > 40
    # Single precision may put a point that lies on a border of cells to the other side.
    assert abs(len(seen_cells(keys)) - len(expected)) <= 2
    assert (keys == OUTSIDE).any()


def test_coverage_is_the_share_of_the_cells_that_could_be_seen(sequence):
    room = sequence.annotations.rooms[0]
    cells = len(seen_cells(cell_keys(sequence.depth_m, sequence.intrinsics, sequence.world_from_camera, [room])))
    assert measure_focus(sequence).coverage_share == 1.0
    half = with_annotations(sequence, coverage=Coverage((room.room_id,), 2 * cells))
    assert measure_focus(half).coverage_share == pytest.approx(0.5)
