"""`backsight train`: a model from a data set."""

from rich.console import Console

from backsight.cli.configuration import parse_arguments
from backsight.train.config import TrainConfig
from backsight.train.launch import launch
from backsight.train.loop import TrainReport


def run(arguments: list[str]) -> int:
    """Train as the arguments ask for."""
    config = parse_arguments(TrainConfig, "train", arguments)
    print_report(launch(config), Console(highlight=False))
    return 0


def print_report(report: TrainReport, console: Console) -> None:
    """Say what a training run has done."""
    console.print(
        f"trained {report.parameters:,} parameters for {report.steps} steps on {report.sequences} sequences of "
        f"{report.places} places in {report.minutes:.1f} minutes: {report.model}",
        markup=False,
        soft_wrap=True,
    )
