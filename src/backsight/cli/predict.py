"""`backsight predict`: heatmaps of a checkpoint, written to files."""

from pathlib import Path

from pydantic import Field
from rich.console import Console

from backsight.cli.configuration import parse_arguments
from backsight.cli.evaluation import CheckpointCommand, evaluation_config, is_dataset, model_folder
from backsight.evaluate.evaluation import PREDICTIONS_FOLDER
from backsight.evaluate.predict import predict_split
from backsight.evaluate.predict_walk import predict_walk
from backsight.evaluate.samples import open_source
from backsight.records.errors import UsageError


class PredictCommand(CheckpointCommand):
    """Write heatmaps for a split of a data set or for a recorded RGB-D walk, from RGB and instructions alone.

    With --video or --images: one prediction for the last frame of that walk, as arrays and as a picture.
    """

    video: Path | None = Field(default=None)
    """A video; its last frame is the current view."""
    images: Path | None = Field(default=None)
    """A folder of images in the order of their names, or a recorded RGB-D walk."""
    instruction: tuple[str, ...] = ()
    """What to look for in the video or the images; one or several."""
    fps: float = Field(default=2.0, gt=0.0, le=240.0)
    """Frames that are taken from each second of the video."""


def run(arguments: list[str]) -> int:
    """Predict what the arguments ask for."""
    command = parse_arguments(PredictCommand, "predict", arguments)
    checkpoint = model_folder(command.checkpoint)
    console = Console(highlight=False)
    walk = command.video or command.images
    if command.video and command.images:
        raise UsageError("--video and --images: give one of them")
    if walk is None and command.instruction:
        raise UsageError("--instruction belongs to --video or --images: a data set brings its own")
    if walk is not None:
        files = predict_walk(checkpoint, walk, command.instruction, command.out, command.fps, command.geometry)
        console.print(f"picture: {files.picture}", markup=False, soft_wrap=True)
        console.print(f"arrays: {files.arrays}", markup=False, soft_wrap=True)
        return 0
    config = evaluation_config(command)
    source = open_source(command.data, config)
    folder: Path = predict_split(
        checkpoint, source, command.out / PREDICTIONS_FOLDER, config, geometry=command.geometry
    )
    console.print(f"predictions: {folder}", markup=False, soft_wrap=True)
    if not is_dataset(command.data):
        console.print(f"score them with: backsight score --data {command.data} --out {command.out}", soft_wrap=True)
    return 0
