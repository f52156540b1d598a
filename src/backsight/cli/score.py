"""`backsight score`: a table from written predictions; needs no torch."""

from rich.console import Console

from backsight.cli.configuration import parse_arguments
from backsight.cli.evaluation import EvaluationCommand, evaluation_config
from backsight.evaluate.imagined_files import IMAGINED_FOLDER
from backsight.evaluate.imagined_scores import score_imagined
from backsight.evaluate.prediction_files import INDEX_NAME
from backsight.evaluate.samples import SequenceSource, open_source
from backsight.evaluate.score import score_all
from backsight.evaluate.table import print_table, write_results
from backsight.records.errors import DataError


class ScoreCommand(EvaluationCommand):
    """Score every prediction folder under OUT/predictions against the walks of DATA."""


def run(arguments: list[str]) -> int:
    """Score what the arguments ask for."""
    command = parse_arguments(ScoreCommand, "score", arguments)
    config = evaluation_config(command)
    source = open_source(command.data, config)
    predictions = command.out / "predictions"
    folders = sorted(path.parent for path in predictions.glob(f"*/{INDEX_NAME}"))
    if not folders:
        raise DataError(predictions, INDEX_NAME, "no predictions here", "run backsight predict with the same --out")
    rows = score_all(folders, source, config).rows
    imagined = command.out / IMAGINED_FOLDER
    if imagined.is_dir():
        rows.extend(score_imagined(imagined, source, SequenceSource(command.data, "train"), config))
    write_results(command.out / "results.json", rows)
    print_table(rows, Console(highlight=False))
    return 0
