import msgspec
import numpy as np
import pytest

from backsight.evaluate.keyframe_choice import sample_keyframes
from backsight.evaluate.samples import EvaluationConfig, SequenceSource, open_source, samples_of
from backsight.evaluate.shuffle import shuffled_texts, split_instructions
from backsight.evaluate.truth import truth_of
from backsight.geometry.cells import ImageFit
from backsight.records.errors import DataError
from backsight.records.sequence import Sequence


def flat_wall(annotations, shifts_m, width=44, height=28, distance_m=2.0):
    """Views of a plane at z = 2 m from cameras that slide to the right; one pixel of motion is 5 cm."""
    frames = len(shifts_m)
    poses = np.tile(np.eye(4), (frames, 1, 1))
    poses[:, 0, 3] = shifts_m
    intrinsics = np.array([[40.0, 0.0, width / 2], [0.0, 40.0, height / 2], [0.0, 0.0, 1.0]])
    depth_m = np.full((frames, height, width), distance_m, dtype=np.float32)
    ids = np.zeros((frames, height, width), dtype=np.int32)
    return Sequence(np.zeros((frames, height, width, 3), np.uint8), depth_m, ids, intrinsics, poses, annotations)


def test_every_frame_with_instructions_is_a_sample_with_all_frames_before_it(make_sequence):
    annotations = make_sequence(frames=7).annotations
    first, second, third = annotations.instructions
    moved = msgspec.structs.replace(second, current_frame=3)
    samples = samples_of(msgspec.structs.replace(annotations, instructions=(first, moved, third)))
    assert [s.current_frame for s in samples] == [3, 6]
    assert samples[0].history_frames.tolist() == [0, 1, 2]
    assert samples[1].instruction_ids == ("i0", "i2")


def test_a_walk_without_instructions_is_asked_about_its_last_frame(make_sequence):
    annotations = msgspec.structs.replace(make_sequence(frames=5).annotations, instructions=())
    (sample,) = samples_of(annotations, max_history=2)
    assert sample.current_frame == 4
    assert sample.history_frames.tolist() == [2, 3]


def test_a_split_on_disk_yields_only_its_own_places(make_dataset, tmp_path):
    root = make_dataset(tmp_path / "data", places=3)
    assert open_source(root, EvaluationConfig(split="test")).sequence_ids() == ["walk-2-0"]
    with pytest.raises(DataError, match="neither"):
        open_source(tmp_path, EvaluationConfig())


def test_a_sideways_step_covers_exactly_the_columns_both_views_share(make_sequence):
    # The other camera stands 40 cm to the left: 8 px = 2 cells fall off its right edge.
    sequence = flat_wall(make_sequence().annotations, [-0.4, 0.0])
    fit = ImageFit(44, 28, 44, 28)
    truth = truth_of(sequence, 1, np.array([0]), np.array([0, 1]), (), fit)
    expected = np.ones((7, 11), dtype=np.float32)
    expected[:, 9:] = 0.0
    np.testing.assert_array_equal(truth.footprint[0], expected)
    assert truth.footprint_valid.all()
    np.testing.assert_allclose(truth.bearing[0], [-1.0, 0.0, 0.0], atol=1e-6)
    assert truth.distance_m[0] == pytest.approx(0.4)


def test_a_view_from_far_away_is_absent(make_sequence):
    sequence = flat_wall(make_sequence().annotations, [-30.0, 0.0])
    truth = truth_of(sequence, 1, np.array([0]), np.array([1]), (), ImageFit(44, 28, 44, 28))
    assert not truth.footprint_presence[0]
    assert truth.footprint.max() == 0.0


def test_a_target_that_no_keyframe_shows_is_a_labelled_negative(make_sequence):
    sequence = flat_wall(make_sequence().annotations, [0.0, 0.1, 0.2])
    sequence.instance_ids[0, 4:16, 8:24] = 9
    table = sequence.annotations.instructions[0]
    fit = ImageFit(44, 28, 44, 28)
    seen = truth_of(sequence, 2, np.array([0, 1]), np.array([0, 2]), (table,), fit)
    assert seen.target_presence.tolist() == [[True, False]]
    assert seen.target[0, 0, 1:4, 2:6].min() == 1.0
    assert seen.target[0, 0].sum() == 12.0
    unseen = truth_of(sequence, 2, np.array([0, 1]), np.array([1, 2]), (table,), fit)
    assert not unseen.target_presence.any()
    assert unseen.target.max() == 0.0


def test_keyframes_rise_and_end_with_the_current_frame(make_sequence):
    sequence = make_sequence(frames=13)
    (sample,) = samples_of(sequence.annotations)
    keyframes = sample_keyframes(sequence, sample, 5)
    assert len(keyframes) == 5
    assert keyframes[-1] == 12
    assert (np.diff(keyframes) > 0).all()


def test_shuffled_words_never_keep_the_category(make_sequence):
    walks = tuple(make_sequence(f"walk-{n}", place_id=f"flat-{n}") for n in range(3))
    instructions = split_instructions(SequenceSource(in_memory=walks))
    for seed in range(5):
        texts = shuffled_texts(instructions, seed)
        for key, instruction in instructions:
            assert instruction.category not in texts[key]
    one_category = [pair for pair in instructions if pair[1].category == "table"]
    with pytest.raises(DataError, match="table"):
        shuffled_texts(one_category, 0)
