import numpy as np
import pytest

from backsight.data.frames import FrameChoiceConfig, choose_frames, choose_keyframes, probe_points, rough_coverage
from backsight.geometry.covisibility import Label, View, covisibility_labels


@pytest.fixture(scope="module")
def walk(make_sequence):
    return make_sequence(frames=23, width=64, height=48)


def test_probe_points_lie_on_the_surfaces_of_the_room(walk):
    points, valid = probe_points(walk, np.array([3, 17]))
    assert points.shape == (2, 192, 3)
    assert valid.all()
    assert points.min() > -0.01
    assert (points.max(axis=(0, 1)) < (5.01, 2.61, 4.01)).all(), "the room is 5 x 2.6 x 4 m from the origin"


def test_rough_coverage_is_near_the_exact_one(walk):
    history = np.arange(22)
    rough = rough_coverage(walk, 22, history)
    current = View(walk.depth_m[22], walk.intrinsics, walk.world_from_camera[22])
    exact = [
        (
            covisibility_labels(current, View(walk.depth_m[k], walk.intrinsics, walk.world_from_camera[k]))
            == Label.COVISIBLE
        ).mean()
        for k in history
    ]
    assert np.ptp(exact) > 0.2, "the walk must have near and far frames for this test to mean anything"
    assert np.abs(rough - exact).max() < 0.12


def test_rough_coverage_of_swapped_frames_differs(walk):
    there = rough_coverage(walk, 22, np.array([0]))
    inverted = walk.world_from_camera.copy()
    inverted = np.linalg.inv(inverted)
    wrong = type(walk)(walk.rgb, walk.depth_m, walk.instance_ids, walk.intrinsics, inverted, walk.annotations)
    assert abs(rough_coverage(wrong, 22, np.array([21]))[0] - rough_coverage(walk, 22, np.array([21]))[0]) > 0.2
    assert 0 <= there[0] <= 1


def test_a_sample_has_its_keyframes_and_ends_at_the_current_frame(walk):
    config = FrameChoiceConfig(num_frames=7, num_keyframes=3)
    choice = choose_frames(walk, 19, config, np.random.default_rng(0))
    assert len(choice.frames) == 7
    assert (np.diff(choice.frames) > 0).all()
    assert choice.frames[-1] == 19
    assert choice.keyframes[-1] == 6
    assert choice.frames[choice.keyframes].tolist() == choose_keyframes(walk, 19, config).tolist()


def test_choices_depend_on_the_generator_alone(walk):
    config = FrameChoiceConfig(num_frames=7, num_keyframes=3)
    first = choose_frames(walk, 22, config, np.random.default_rng(5))
    again = choose_frames(walk, 22, config, np.random.default_rng(5))
    others = {tuple(choose_frames(walk, 22, config, np.random.default_rng(s)).frames) for s in range(11)}
    assert first.frames.tolist() == again.frames.tolist()
    assert len(others) > 1


def test_too_little_history_is_an_error(walk):
    with pytest.raises(ValueError, match="too little history"):
        choose_frames(walk, 5, FrameChoiceConfig(num_frames=7, num_keyframes=3), np.random.default_rng(0))


def test_a_limited_history_holds_the_latest_frames_alone(walk):
    config = FrameChoiceConfig(num_frames=7, num_keyframes=3, max_history=6)
    for keyframes in ("space_aware", "uniform"):
        limited = config.model_copy(update={"keyframes": keyframes})
        choice = choose_frames(walk, 19, limited, np.random.default_rng(2))
        assert choice.frames.tolist() == [13, 14, 15, 16, 17, 18, 19]
    assert choice.keyframes.tolist() == [0, 3, 6]
    wider = FrameChoiceConfig(num_frames=5, num_keyframes=3, max_history=9)
    seen = {int(f) for s in range(19) for f in choose_frames(walk, 22, wider, np.random.default_rng(s)).frames}
    assert seen == set(range(13, 23))


def test_a_history_too_short_for_a_sample_is_refused():
    with pytest.raises(ValueError, match="max_history 5 leaves fewer than num_frames 7"):
        FrameChoiceConfig(num_frames=7, max_history=5)
