import cv2
import numpy as np
import pytest

from backsight.cli.main import main
from backsight.evaluate.predict_walk import predict_walk
from backsight.evaluate.prediction_files import read_predictions
from backsight.evaluate.report.prediction_picture import PAGE_PX
from backsight.model.backsight import Backsight
from backsight.model.presets import tiny
from backsight.model.tokenizer import build_tokenizer
from backsight.records.errors import UsageError
from backsight.storage.codecs import encode_rgb


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    config = tiny()
    Backsight(config, build_tokenizer(["find the sofa"], config.language.frame_tokens)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def recording(make_sequence, tmp_path_factory):
    walk, folder = make_sequence("walk", 5, 130, 100, seed=1), tmp_path_factory.mktemp("walks") / "kitchen"
    for part in ("images", "depth"):
        (folder / part).mkdir(parents=True)
    for number, (image, depth_m) in enumerate(zip(walk.rgb, walk.depth_m, strict=True)):
        cv2.imwrite(str(folder / "images" / f"{number:03d}.png"), image[..., ::-1])
        cv2.imwrite(str(folder / "depth" / f"{number:03d}.png"), np.round(depth_m * 1000).astype(np.uint16))
    np.savetxt(folder / "poses.txt", walk.world_from_camera.reshape(-1, 16))
    np.savetxt(folder / "K.txt", walk.intrinsics)
    (folder.parent / "walk.mp4").write_bytes(encode_rgb(walk.rgb, 2.0))
    return folder


def test_images_and_a_recording_without_geometry_are_one_walk(checkpoint, recording, tmp_path):
    files = predict_walk(checkpoint, recording, ("find the sofa",), tmp_path / "a", 2.0)
    (found,) = read_predictions(files.arrays)
    assert (found.info.predictor, found.info.geometry) == ("model", "estimated")
    assert found.info.instruction_ids == ("0",)
    assert found.history_frames.tolist() == [0, 1, 2, 3]
    plain = predict_walk(checkpoint, recording / "images", ("find the sofa",), tmp_path / "b", 2.0)
    (same,) = read_predictions(plain.arrays)
    np.testing.assert_array_equal(found.footprint, same.footprint)
    assert cv2.imread(str(files.picture)).shape[1] == PAGE_PX


def test_a_recording_brings_its_geometry(checkpoint, recording, tmp_path):
    files = predict_walk(checkpoint, recording, (), tmp_path, None, "given")
    (found,) = read_predictions(files.arrays)
    assert (found.info.predictor, found.info.geometry) == ("model_given", "given")
    assert set(found.footprint_presence.tolist()) <= {0.0, 1.0}
    with pytest.raises(UsageError, match=r"poses\.txt"):
        predict_walk(checkpoint, recording / "images", (), tmp_path, None, "given")


def test_the_command_takes_a_video(checkpoint, recording, tmp_path, capsys):
    video = str(recording.parent / "walk.mp4")
    out = ["--checkpoint", str(checkpoint), "--out", str(tmp_path)]
    assert main(["predict", "--video", video, "--fps", "1", "--instruction", "find the sofa", "the lamp", *out]) == 0
    assert "picture.png" in capsys.readouterr().out
    (found,) = read_predictions(tmp_path / "prediction")
    assert found.info.current_frame == 2, "five frames at 2 Hz are three at 1 Hz"
    assert found.target.shape[0] == 2
    assert main(["predict", "--video", video, "--images", str(recording), *out]) == 2
    assert main(["predict", "--instruction", "find the sofa", *out]) == 2
