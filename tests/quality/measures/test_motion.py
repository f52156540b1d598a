import math

import numpy as np
import pytest

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.quality.measures.motion import measure_motion_of_walk
from backsight.records.sequence import FORMAT_VERSION, SequenceAnnotations

RATE_HZ = 2.0


def walk(points, yaws_deg, pitches_deg=None, *, exposure_s=0.0, rate_hz=RATE_HZ):
    pitches_deg = np.zeros(len(points)) if pitches_deg is None else pitches_deg
    poses = [
        look_pose(np.array(point, dtype=np.float64), math.radians(yaw), math.radians(pitch))
        for point, yaw, pitch in zip(points, yaws_deg, pitches_deg, strict=True)
    ]
    return SequenceAnnotations(
        format_version=FORMAT_VERSION,
        sequence_id="walk",
        place_id="flat-0",
        scene_type="flat",
        kind="",
        pattern="circular",
        seed=0,
        simulator="paper",
        simulator_version="1",
        frame_rate_hz=rate_hz,
        intrinsics=tuple(tuple(row) for row in intrinsics_from_hfov(101, 83, 79.0).tolist()),
        world_from_camera=tuple(tuple(pose.ravel().tolist()) for pose in poses),
        exposure_s=exposure_s,
    )


def line(count, step):
    return np.arange(count)[:, None] * np.array(step, dtype=np.float64) + np.array([3.0, 1.25, -2.0])


def turning(*turns_deg, held=0):
    """Yaws of a camera that turns so much from frame to frame."""
    return np.cumsum([0.0, *turns_deg, *([0.0] * held)])


def still(count):
    return line(count, (0.0, 0.0, 0.0))


def test_lengths_are_summed_in_space():
    measures = measure_motion_of_walk(walk(line(7, (0.03, 0.04, -0.12)), np.zeros(7)))
    assert measures.path_m == pytest.approx(6 * 0.13)
    assert measures.height_range_m == pytest.approx(6 * 0.04)


def test_all_rotations_count_for_the_turn():
    assert measure_motion_of_walk(walk(still(5), [0, 10, -7, -7, 4])).turn_deg == pytest.approx(38.0)
    assert measure_motion_of_walk(walk(still(3), [0, 0, 0], [5, -11, 3])).turn_deg == pytest.approx(30.0)


def test_the_pitch_range_is_that_of_the_angles():
    measures = measure_motion_of_walk(walk(still(5), [170, 180, 190, 200, 210], [-26, 3, 17, 11, 0]))
    assert measures.pitch_range_deg == pytest.approx(43.0)


@pytest.mark.parametrize(
    ("step", "shares"),
    [
        ((0.0, 0.0, -0.1), (1.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.1), (0.0, 1.0, 0.0)),
        ((-0.1, 0.0, 0.0), (0.0, 0.0, 1.0)),
        ((0.1, 0.0, 0.0), (0.0, 0.0, 1.0)),
        ((0.1, 0.3, -0.1001), (1.0, 0.0, 0.0)),
        ((0.1001, 0.3, -0.1), (0.0, 0.0, 1.0)),
        ((-0.1, 0.0, 0.1001), (0.0, 1.0, 0.0)),
        ((0.0, 0.1, 0.0), (0.0, 0.0, 0.0)),
    ],
)
@pytest.mark.parametrize("yaw_deg", [0.0, 90.0, 179.0, -117.0])
def test_shares_go_by_the_viewing_direction_from_above(step, shares, yaw_deg):
    cos, sin = math.cos(math.radians(yaw_deg)), math.sin(math.radians(yaw_deg))
    turned = (cos * step[0] + sin * step[2], step[1], -sin * step[0] + cos * step[2])
    measures = measure_motion_of_walk(walk(line(5, turned), np.full(5, yaw_deg), np.full(5, -20.0)))
    found = (measures.forward_share, measures.backward_share, measures.sideways_share)
    assert found == pytest.approx(shares, abs=1e-9)


def test_shares_are_of_the_length_not_of_the_frames():
    points = np.concatenate(
        [line(4, (0.0, 0.0, -0.3)), line(4, (0.0, 0.0, -0.3))[-1] + line(6, (0, 0, 0.02)) - line(1, (0, 0, 0))]
    )
    measures = measure_motion_of_walk(walk(points, np.zeros(len(points))))
    assert measures.forward_share == pytest.approx(0.9 / 1.0)
    assert measures.backward_share == pytest.approx(0.1 / 1.0)


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(
    ("yaws_deg", "turns"),
    [
        (turning(*[15.0] * 4), 1),
        (turning(*[14.9] * 4), 0),
        (turning(*[7.5] * 8), 1),
        (turning(*[7.4] * 8), 0),
        (turning(*[6.8] * 9), 0),
        (turning(*[15.0] * 8), 2),
        (turning(*[15.0] * 7), 1),
        (turning(*[15.0] * 4, *[-15.0] * 4), 2),
        (turning(*[15.0] * 3, *[-15.0] * 3), 0),
        (turning(*[15.0] * 4, held=5), 1),
        (turning(30.0, -30.0, 30.0, 30.0), 1),
        (turning(*[20.0] * 13), 4),
    ],
)
def test_sharp_turns_go_to_one_side_and_do_not_overlap(yaws_deg, turns, side):
    yaws = 170.0 + side * yaws_deg
    assert measure_motion_of_walk(walk(still(len(yaws)), yaws)).sharp_turns == turns


def test_a_sharp_turn_has_four_seconds_at_any_frame_rate():
    yaws = turning(*[6.0] * 11)
    assert measure_motion_of_walk(walk(still(12), yaws, rate_hz=2.5)).sharp_turns == 1
    assert measure_motion_of_walk(walk(still(12), yaws, rate_hz=2.0)).sharp_turns == 0


def moved_centre_px(before, after, point):
    """Where a point moves in the picture from one pose to another, by projection."""
    intrinsics = intrinsics_from_hfov(101, 83, 79.0)
    pixels = []
    for pose in (before, after):
        seen = intrinsics @ (np.linalg.inv(pose) @ np.append(point, 1.0))[:3]
        pixels.append(seen[:2] / seen[2])
    return float(np.linalg.norm(pixels[1] - pixels[0]))


@pytest.mark.parametrize("yaw_dps", [13.0, -7.0])
@pytest.mark.parametrize("pitch_dps", [0.0, 5.0])
def test_blur_is_what_projection_says_for_a_short_exposure(yaw_dps, pitch_dps):
    exposure_s, velocity = 1e-4, np.array([0.3, 0.1, -0.2])

    def pose(time_s):
        position = np.array([1.0, 1.25, 2.0]) + velocity * time_s
        return look_pose(position, math.radians(31 + yaw_dps * time_s), math.radians(-11 + pitch_dps * time_s))

    times = np.arange(5) / 60.0
    expected = []
    for time_s in times:
        begin, end = pose(time_s), pose(time_s + exposure_s)
        expected.append(moved_centre_px(begin, end, begin[:3, 3] + 2.0 * begin[:3, 2]))
    annotations = walk(
        [pose(time_s)[:3, 3] for time_s in times],
        31 + yaw_dps * times,
        -11 + pitch_dps * times,
        exposure_s=exposure_s,
        rate_hz=60.0,
    )
    assert measure_motion_of_walk(annotations).blur_px == pytest.approx(np.mean(expected), rel=2e-3)


def test_instants_have_no_blur_and_one_frame_has_no_motion():
    assert measure_motion_of_walk(walk(line(5, (0.2, 0, 0)), np.zeros(5))).blur_px == 0.0
    alone = measure_motion_of_walk(walk(line(1, (0, 0, 0)), [0.0], exposure_s=0.1))
    assert (alone.path_m, alone.turn_deg, alone.sharp_turns, alone.blur_px) == (0.0, 0.0, 0.0, 0.0)


def test_backing_straight_off_does_not_blur_the_centre():
    assert measure_motion_of_walk(walk(line(5, (0, 0, 0.2)), np.zeros(5), exposure_s=0.1)).blur_px < 1e-9
