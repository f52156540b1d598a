"""One prediction for a video, a folder of images or a recorded RGB-D walk: arrays and a picture."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from backsight.evaluate.predict import checkpoint_id
from backsight.evaluate.prediction_files import PredictionWriter
from backsight.evaluate.report.prediction_picture import draw_prediction, picture_png
from backsight.evaluate.samples import Geometry
from backsight.interchange.rgbd_folder import read_rgbd_folder
from backsight.model.backsight import Backsight
from backsight.model.frames import load_frames
from backsight.model.given import GivenWalk
from backsight.model.prediction import Asked, predict_frames
from backsight.records.errors import UsageError

PICTURE_FILE = "picture.png"
ARRAYS_FOLDER = "prediction"


@dataclass(frozen=True)
class WalkFiles:
    """What a prediction left behind."""

    arrays: Path
    """Folder as `prediction_files` describes it."""
    picture: Path


def predict_walk(
    checkpoint: Path,
    walk: Path,
    instructions: tuple[str, ...],
    out: Path,
    fps: float | None,
    geometry: Geometry = "estimated",
) -> WalkFiles:
    """Predict the last frame of a walk; write `out/prediction` and `out/picture.png`.

    Args:
        checkpoint: folder that `Backsight.save_pretrained` wrote.
        walk: a video, a folder of images, or a recorded walk as `interchange.rgbd_folder` describes it.
        instructions: what to look for.
        out: folder to write.
        fps: frames that are taken from each second of a video; None takes all.
        geometry: whether the model is given the recording's depth and poses.

    Raises:
        UsageError: geometry shall be given, but the walk is no recording with depth and poses.
    """
    model = Backsight.from_pretrained(checkpoint)
    images, given = _read(walk, fps, geometry)
    found = predict_frames(model, images, Asked(np.arange(len(images)), instructions), given)
    name = "model_given" if geometry == "given" else "model"
    info = replace(
        found.info, predictor=name, sequence_id=walk.stem, place_id=walk.stem, checkpoint=checkpoint_id(checkpoint)
    )
    found = replace(found, info=info)
    with PredictionWriter(out / ARRAYS_FOLDER) as writer:
        writer.add(found)
    picture = out / PICTURE_FILE
    picture.write_bytes(picture_png(draw_prediction(found, list(images), instructions)))
    return WalkFiles(out / ARRAYS_FOLDER, picture)


def _read(
    walk: Path, fps: float | None, geometry: Geometry
) -> tuple[UInt8[np.ndarray, "frames height width 3"], GivenWalk | None]:
    recording = (walk / "poses.txt").is_file()
    if geometry == "given":
        if not recording:
            raise UsageError(f"{walk}: geometry can be given where there are images/, depth/, poses.txt and K.txt")
        read = read_rgbd_folder(walk)
        return read.rgb, GivenWalk(read.depth_m, read.world_from_camera, read.intrinsics)
    return load_frames(walk / "images" if recording else walk, fps), None
