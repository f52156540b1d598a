import numpy as np
import pytest

from backsight.model.streaming import Stream
from backsight.records.errors import UsageError

FIELDS = ("footprint", "footprint_presence", "bearing", "distance_m", "target", "target_presence")


@pytest.fixture(scope="module")
def walk() -> list[np.ndarray]:
    random = np.random.default_rng(5)
    return [random.integers(0, 256, (101, 131, 3), dtype=np.uint8) for _ in range(11)]


def same(one, other):
    for name in FIELDS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-4, err_msg=name)
    assert one.answers == other.answers


def test_a_look_says_what_predict_says_of_the_same_frames(model, walk):
    stream = Stream(model)
    for count, frame in enumerate(walk, start=1):
        stream.add(frame)
        if count in (5, 11):
            found, wanted = (
                stream.look(["find the sofa", "a lamp"]),
                model.predict(walk[:count], ["find the sofa", "a lamp"]),
            )
            same(found, wanted)
            np.testing.assert_array_equal(found.keyframes, wanted.keyframes)
            np.testing.assert_array_equal(found.history_frames, wanted.history_frames)


def test_what_depends_on_one_frame_is_computed_once(model, walk, monkeypatch):
    counts = {"see": 0, "view_features": 0}
    for name in counts:
        compute = getattr(model, name)

        def counted(rgb, name=name, compute=compute):
            counts[name] += rgb.shape[1]
            return compute(rgb)

        monkeypatch.setattr(model, name, counted)
    stream = Stream(model)
    for frame in walk[:7]:
        stream.add(frame)
    for _ in range(3):
        stream.look("find the sofa", keyframes=[0, 3, 6])
    assert counts == {"see": 7, "view_features": 3}


def test_old_frames_are_thinned_out_and_what_is_kept_is_predicted(model, walk):
    stream = Stream(model, max_frames=7)
    for frame in walk:
        stream.add(frame)
        assert len(stream.kept_frames) <= 7
    kept = stream.kept_frames
    assert kept.tolist() == [0, 4, 6, 7, 8, 9, 10], "the older, the sparser"
    found = stream.look("the sofa", keyframes="uniform")
    np.testing.assert_array_equal(found.history_frames, kept[:-1])
    assert found.info.current_frame == 10
    plain = model.predict([walk[index] for index in kept], keyframes="uniform")
    np.testing.assert_allclose(found.footprint, plain.footprint, atol=1e-4)


def test_frames_that_do_not_belong_together_are_refused(model, walk):
    with pytest.raises(UsageError, match="at least 4"):
        Stream(model, max_frames=3)
    stream = Stream(model)
    stream.add(walk[0])
    with pytest.raises(UsageError, match="no history"):
        stream.look()
    with pytest.raises(UsageError, match="101, 131, 3"):
        stream.add(walk[1][:50])
