from dataclasses import replace

import cv2
import numpy as np
import pytest

from backsight.evaluate.report.canvas import PAGE, Canvas, text_width_px
from backsight.evaluate.report.prediction_picture import SHOWN_FRAMES, draw_prediction, picture_png, shown_history
from backsight.records.prediction import Prediction, PredictionInfo


@pytest.fixture
def prediction():
    rng = np.random.default_rng(2)
    bearing = rng.normal(size=(11, 3)).astype(np.float32)
    return Prediction(
        info=PredictionInfo("model", "walk", "flat", 11, "estimated", ("0",)),
        history_frames=np.arange(11),
        footprint=rng.random((11, 7, 11), dtype=np.float32),
        footprint_presence=np.array([0.9, 0.1, 0.8, 0.2, 0.7, 0.1, 0.6, 0.1, 0.1, 0.2, 0.3], dtype=np.float32),
        bearing=bearing / np.linalg.norm(bearing, axis=1, keepdims=True),
        distance_m=np.linspace(0.3, 4, 11, dtype=np.float32),
        keyframes=np.array([0, 3, 11]),
        target=rng.random((1, 3, 7, 11), dtype=np.float32) * 0.4,
        target_presence=np.array([[0.9, 0.2, 0.6]], dtype=np.float32),
        answers=("on the left",),
    )


@pytest.fixture
def frames():
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (101, 131, 3), dtype=np.uint8) for _ in range(12)]


def test_present_frames_are_drawn_and_absent_ones_fill_up_spread_over_time(prediction):
    shown = shown_history(prediction)
    assert len(shown) == SHOWN_FRAMES
    assert {0, 2, 4, 6} <= set(shown)
    assert shown == sorted(shown)
    assert set(shown) - {0, 2, 4, 6} == {1, 5, 8, 10}
    everything = replace(prediction, footprint_presence=np.ones(11, dtype=np.float32))
    assert len(shown_history(everything)) == SHOWN_FRAMES


def test_what_is_drawn_follows_what_is_predicted(prediction, frames):
    picture = draw_prediction(prediction, frames, ["find the sofa"])
    assert picture.dtype == np.uint8
    assert picture.shape[1] == 1280
    assert (picture[:10] == PAGE).all()
    assert (picture[-10:] == PAGE).all()
    one_map = prediction.footprint.copy()
    one_map[4] = 1 - one_map[4]
    changes = {
        "footprint": one_map,
        "bearing": -prediction.bearing,
        "target": prediction.target[:, ::-1].copy(),
        "target_presence": 1 - prediction.target_presence,
        "answers": ("on the right",),
    }
    for name, value in changes.items():
        other = draw_prediction(replace(prediction, **{name: value}), frames, ["find the sofa"])
        assert (other != picture).any(), name
    one = draw_prediction(replace(prediction, footprint=one_map), frames, ["find the sofa"])
    changed = (one != picture).any(axis=(1, 2))
    assert changed.sum() < len(picture) / 4, "one map changed one row of cards"


def test_without_instructions_the_page_ends_after_the_footprints(prediction, frames):
    silent = replace(
        prediction, target=prediction.target[:0], target_presence=prediction.target_presence[:0], answers=()
    )
    assert len(draw_prediction(silent, frames)) < len(draw_prediction(prediction, frames, ["find the sofa"]))
    with pytest.raises(ValueError, match="0 texts for 1"):
        draw_prediction(prediction, frames)


def test_the_file_holds_the_picture(prediction, frames):
    picture = draw_prediction(prediction, frames, ["find the sofa"])
    decoded = cv2.imdecode(np.frombuffer(picture_png(picture), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decoded[..., ::-1], picture)


def test_a_line_that_is_too_long_ends_in_dots():
    canvas = Canvas(300)
    canvas.write("a line of very many words that goes on and on", 10, 30, width_px=100)
    inked = (canvas.image != PAGE).any(axis=(0, 2)).nonzero()[0]
    assert 10 <= inked.min() < 20
    assert inked.max() <= 112
    assert text_width_px("wider", 30) > text_width_px("wider", 15)


@pytest.mark.parametrize(("bearing", "side"), [((1.0, 0, 0), "right"), ((-1.0, 0, 0), "left"), ((0, 0, 1.0), "up")])
def test_a_compass_points_where_the_camera_was(bearing, side):
    canvas = Canvas(101)
    canvas.compass(np.array(bearing), (50, 50), 40)
    blue = (canvas.image[..., 2].astype(int) - canvas.image[..., 0] > 120).nonzero()
    row, column = blue[0].mean() - 50, blue[1].mean() - 50
    assert {"right": column > 10, "left": column < -10, "up": row < -10}[side]
