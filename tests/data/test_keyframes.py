import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backsight.data.keyframes import keyframes_from_depth, pack_voxels, select_keyframes, uniform_keyframes
from backsight.geometry.poses import look_pose


def test_uniform_keyframes_hold_both_ends():
    assert uniform_keyframes(11, 3).tolist() == [0, 5, 10]
    assert uniform_keyframes(7, 1).tolist() == [6]
    assert uniform_keyframes(3, 5).tolist() == [0, 1, 2]


@given(st.integers(1, 97), st.integers(1, 97))
def test_uniform_keyframes_rise_and_end_at_the_current_frame(num_frames, num_keyframes):
    chosen = uniform_keyframes(num_frames, num_keyframes)
    assert len(chosen) == min(num_frames, num_keyframes)
    assert (np.diff(chosen) > 0).all()
    assert chosen[-1] == num_frames - 1


def test_a_count_below_one_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        uniform_keyframes(0, 3)


def test_voxels_are_a_twentieth_of_the_shortest_side():
    corners = np.array([[[0, 0, 0], [4, 2, 3], [0.05, 0.05, 0.05], [0.15, 0.0, 0.0]]], dtype=np.float32)
    packed = pack_voxels(corners, np.ones((1, 4), dtype=bool), metric_scale=True)[0]
    assert packed[2] == packed[0], "5 cm lies inside the first voxel of 10 cm"
    assert packed[3] == packed[0] + (1 << 42), "15 cm along x is one voxel further along x"


def test_voxels_of_a_metric_scale_are_never_under_five_centimetres():
    points = np.array([[[0, 0, 0], [0.2, 0.2, 0.2], [0.04, 0.0, 0.0]]], dtype=np.float32)
    valid = np.ones((1, 3), dtype=bool)
    metric = pack_voxels(points, valid, metric_scale=True)[0]
    relative = pack_voxels(points, valid, metric_scale=False)[0]
    assert metric[2] == metric[0]
    assert relative[2] != relative[0]


def _frames_seeing(*places: list[float]) -> tuple[np.ndarray, np.ndarray]:
    width = max(map(len, places))
    points = np.zeros((len(places), width, 3), dtype=np.float32)
    valid = np.zeros((len(places), width), dtype=bool)
    for frame, xs in enumerate(places):
        points[frame, : len(xs), 0] = xs
        points[frame, : len(xs), 1:] = np.linspace(0, 9, len(xs))[:, None] if len(xs) > 1 else 0.0
        valid[frame, : len(xs)] = True
    return points, valid


def test_the_frame_that_adds_most_space_is_taken_before_one_that_adds_less():
    points = np.zeros((4, 3, 3), dtype=np.float32)
    points[0] = [[0, 0, 0], [1, 1, 1], [2, 2, 2]]
    points[1] = [[9, 9, 9], [8, 8, 8], [2, 2, 2]]
    points[2] = [[5, 5, 5], [0, 0, 0], [1, 1, 1]]
    points[3] = [[0, 0, 0], [1, 1, 1], [0, 0, 0]]
    chosen = select_keyframes(points, np.ones((4, 3), dtype=bool), 2, metric_scale=True)
    assert chosen.tolist() == [1, 3]


def test_without_anything_new_the_rest_is_spread_over_time_and_the_count_is_kept():
    points = np.tile(np.linspace(0, 3, 5, dtype=np.float32)[None, :, None], (17, 1, 3))
    chosen = select_keyframes(points, np.ones((17, 5), dtype=bool), 5, metric_scale=True)
    assert len(chosen) == 5
    assert chosen[-1] == 16
    assert np.diff(chosen).max() <= 8


def test_points_marked_invalid_do_not_count():
    points, valid = _frames_seeing([0.0, 1.0], [50.0, 60.0], [2.0, 3.0], [0.0, 1.0])
    valid[1] = False
    chosen = select_keyframes(points, valid, 2, metric_scale=True)
    assert chosen.tolist() == [2, 3]


@given(st.integers(2, 23), st.integers(1, 23), st.integers(0, 10_000))
def test_greedy_covers_at_least_as_much_as_uniform_when_choosing_two(num_frames, spread, seed):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, spread + 1, (num_frames, 7, 3)).astype(np.float32)
    valid = np.ones((num_frames, 7), dtype=bool)
    packed = pack_voxels(points, valid, metric_scale=True)

    def covered(frames):
        return len(np.unique(packed[frames]))

    chosen = select_keyframes(points, valid, 2, metric_scale=True)
    assert len(chosen) == 2
    assert chosen[-1] == num_frames - 1
    assert covered(chosen) >= covered(uniform_keyframes(num_frames, 2))


def naive_selection(points, valid, num_keyframes):
    """Greedy maximum coverage with sets, as long as a frame adds anything."""
    packed = pack_voxels(points, valid, metric_scale=True)
    sees = [set(row[row >= 0].tolist()) for row in packed]
    chosen, seen = [len(sees) - 1], sees[-1]
    while len(chosen) < num_keyframes:
        gains = [len(row - seen) for row in sees]
        if max(gains) == 0:
            return sorted(chosen), False
        chosen.append(int(np.argmax(gains)))
        seen = seen | sees[chosen[-1]]
    return sorted(chosen), True


@given(st.integers(2, 19), st.integers(1, 7), st.integers(0, 10_000))
def test_the_choice_is_that_of_plain_greedy_coverage(num_frames, num_keyframes, seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 3, (num_frames, 11, 3)).astype(np.float32)
    valid = rng.random((num_frames, 11)) < 0.8
    wanted, filled = naive_selection(points, valid, min(num_keyframes, num_frames))
    chosen = select_keyframes(points, valid, num_keyframes, metric_scale=True)
    assert set(wanted) <= set(chosen.tolist())
    assert not filled or chosen.tolist() == wanted


def long_walk(num_frames):
    heights = np.linspace(0, 3, 192 * 256, dtype=np.float32).reshape(192, 256)
    depth_m = 2 + np.sin(heights * 3)[None] + np.linspace(0, 2, num_frames, dtype=np.float32)[:, None, None]
    poses = [look_pose(np.array([0.03 * i, 1.5, np.sin(i / 40)]), 0.02 * i) for i in range(num_frames)]
    return depth_m, np.stack(poses), np.array([[200.0, 0, 128], [0, 200, 96], [0, 0, 1]])


def test_a_thousand_frames_with_depth_take_no_more_than_a_few_seconds():
    walk = long_walk(1000)
    began_s = time.perf_counter()
    keyframes = keyframes_from_depth(*walk, 16, max_candidates=1000)
    # Well under a second where nothing else runs (benchmarks/keyframes.py); the bound only catches another order.
    assert time.perf_counter() - began_s < 5.0
    assert len(keyframes) == 16


def test_keyframes_do_not_depend_on_where_the_world_is():
    depth_m, poses, intrinsics = long_walk(23)
    moved = look_pose(np.array([4000.0, -20.0, 900.0]), 1.1) @ poses
    chosen = keyframes_from_depth(depth_m, poses, intrinsics, 5)
    np.testing.assert_array_equal(chosen, keyframes_from_depth(depth_m, moved, intrinsics, 5))
    assert chosen[-1] == 22
    assert keyframes_from_depth(depth_m, poses, intrinsics, 5, max_candidates=7)[0] in uniform_keyframes(23, 7)
