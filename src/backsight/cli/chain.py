"""The whole chain in one go: collect, validate, train, evaluate, report. `make demo` and `make firstlight` run it."""

import shutil
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich.console import Console

from backsight.cli.configuration import load_yaml
from backsight.cli.validate import validate_with_progress
from backsight.collect.config import CollectConfig
from backsight.collect.dataset_run import collect_dataset
from backsight.collect.plan import make_plan
from backsight.collect.progress import show_progress
from backsight.collect.splits import plan_notes
from backsight.evaluate.evaluation import evaluate_checkpoint
from backsight.evaluate.samples import EvaluationConfig
from backsight.evaluate.table import print_table
from backsight.quality.table import render_table
from backsight.records.errors import BacksightError, DataError, UsageError
from backsight.train.config import TrainConfig
from backsight.train.launch import launch
from backsight.train.loop import TrainReport

LOG_WIDTH = 140
"""Columns of the output when it does not go to a terminal."""


class ChainConfig(BaseModel):
    """Everything that the chain does, with one folder for all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path
    """Folder for data, run, predictions, results and report."""
    collect: CollectConfig
    train: TrainConfig
    evaluate: EvaluationConfig = EvaluationConfig()
    recording: Path | None = None
    """A recorded RGB-D walk for the zero-shot section; left out, and said so, where the folder is absent."""


def run_chain(config: ChainConfig, console: Console) -> Path:
    """Run the chain and return the report's path. A finished data set and a finished run are gone on with.

    Raises:
        BacksightError: a step fell short; says which.
    """
    began_s = time.monotonic()
    data, run = config.out / "data", config.out / "run"

    def headline(text: str) -> None:
        console.print(f"[bold]{text}[/] [dim]{(time.monotonic() - began_s) / 60:.1f} min[/]")

    headline(f"1/4 collecting {config.collect.num_sequences} walks into {data}")
    for note in plan_notes(config.collect, make_plan(config.collect)):
        console.print(note, markup=False)
    with show_progress(console) as on_progress:
        collected = collect_dataset(config.collect.model_copy(update={"out": data}), on_progress=on_progress)
    if not collected.complete:
        raise BacksightError(f"{data}: {len(collected.given_up)} walks rejected, {len(collected.poisoned)} lost")
    headline(f"2/4 validating {collected.resumed + collected.committed} walks from disk")
    report = validate_with_progress(data, config.collect.workers)
    console.print(render_table(report))
    if not report.passed:
        raise DataError(data, "validation", "the data set falls short, see the table above")
    headline(f"3/4 training preset {config.train.preset} for {config.train.steps} steps")
    trained = launch(config.train.model_copy(update={"data": data, "run": run}))
    headline("4/4 predicting, scoring, reporting")
    recording = config.recording if config.recording is not None and config.recording.is_dir() else None
    if config.recording is not None and recording is None:
        console.print(f"no recording at {config.recording}: the section on a real walk is left out", markup=False)
    shutil.rmtree(config.out / "predictions", ignore_errors=True)
    facts = _facts(config, trained, len(report.sequences), began_s)
    result = evaluate_checkpoint(trained.model, data, config.out, config.evaluate, recording, run, facts)
    print_table(result.rows, console)
    if result.recorded_rows:
        console.print("recorded walk, zero-shot:")
        print_table(result.recorded_rows, console)
    headline(f"done: {trained.parameters:,} parameters, {trained.minutes:.1f} min of training")
    return result.report


def _facts(config: ChainConfig, trained: TrainReport, sequences: int, began_s: float) -> tuple[tuple[str, str], ...]:
    return (
        ("preset", config.train.preset),
        ("parameters", f"{trained.parameters:,}"),
        ("training", f"{trained.steps} steps of {config.train.batch.batch_size} walks, {trained.minutes:.1f} min"),
        ("training data", f"{trained.sequences} walks in {trained.places} places"),
        ("all data", f"{sequences} walks, {config.collect.size} px, hfov {config.collect.hfov_deg:g} degrees"),
        ("seeds", f"data {config.collect.seed}, training {config.train.seed}, evaluation {config.evaluate.seed}"),
        ("chain so far", f"{(time.monotonic() - began_s) / 60:.1f} min"),
        ("geometry", "estimated: images and instructions only"),
    )


def run(arguments: list[str]) -> int:
    """Run the chain that a YAML file describes: `--config FILE`; the last line names the report."""
    if len(arguments) != 2 or arguments[0] != "--config":
        raise UsageError("give --config FILE")
    # Tables are made for wide pages; a log file has no width of its own.
    terminal = Console(highlight=False)
    console = terminal if terminal.is_terminal else Console(highlight=False, width=LOG_WIDTH)
    report = run_chain(load_yaml(Path(arguments[1]), ChainConfig), console)
    console.print(str(report), markup=False, soft_wrap=True)
    return 0
