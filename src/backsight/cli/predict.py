"""`backsight predict`: heatmaps of a checkpoint, written to files."""

from pathlib import Path

from rich.console import Console

from backsight.cli.configuration import parse_arguments
from backsight.cli.evaluation import CheckpointCommand, evaluation_config, is_dataset, model_folder
from backsight.evaluate.evaluation import PREDICTIONS_FOLDER
from backsight.evaluate.predict import predict_split
from backsight.evaluate.samples import open_source


class PredictCommand(CheckpointCommand):
    """Write heatmaps for a split of a data set or for a recorded RGB-D walk, from RGB and instructions alone."""


def run(arguments: list[str]) -> int:
    """Predict what the arguments ask for."""
    command = parse_arguments(PredictCommand, "predict", arguments)
    config = evaluation_config(command)
    checkpoint = model_folder(command.checkpoint)
    source = open_source(command.data, config)
    folder: Path = predict_split(checkpoint, source, command.out / PREDICTIONS_FOLDER, config)
    console = Console(highlight=False)
    console.print(f"predictions: {folder}", markup=False, soft_wrap=True)
    if not is_dataset(command.data):
        console.print(f"score them with: backsight score --data {command.data} --out {command.out}", soft_wrap=True)
    return 0
