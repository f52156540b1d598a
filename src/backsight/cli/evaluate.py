"""`backsight evaluate`: predict, score against the baselines, write the report."""

from pathlib import Path

from pydantic import Field
from rich.console import Console

from backsight.cli.configuration import parse_arguments
from backsight.cli.evaluation import CheckpointCommand, evaluation_config, is_dataset, model_folder
from backsight.evaluate.evaluation import evaluate_checkpoint
from backsight.evaluate.table import print_table
from backsight.records.errors import DataError


class EvaluateCommand(CheckpointCommand):
    """Predict a split, score it beside all baselines, and write results.json and report/index.html."""

    recording: Path | None = Field(default=None)
    """A recorded RGB-D walk to score as well, zero-shot."""
    run: Path | None = Field(default=None)
    """Run folder whose learning curve the report shows."""


def run(arguments: list[str]) -> int:
    """Evaluate what the arguments ask for."""
    command = parse_arguments(EvaluateCommand, "evaluate", arguments)
    if not is_dataset(command.data):
        raise DataError(command.data, "dataset.json", "is missing", "give a data set; recordings go to --recording")
    result = evaluate_checkpoint(
        model_folder(command.checkpoint),
        command.data,
        command.out,
        evaluation_config(command),
        command.recording,
        command.run,
    )
    console = Console(highlight=False)
    print_table(result.rows, console)
    console.print(f"report: {result.report}", markup=False, soft_wrap=True)
    return 0
