"""`backsight validate`: everything of a data set re-read from disk and judged anew."""

import sys
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from backsight.cli.configuration import parse_arguments
from backsight.quality.report.page import write_report
from backsight.quality.table import render_table
from backsight.quality.validate import ValidationReport, validate_dataset
from backsight.records.errors import DataError


class ValidateCommand(BaseModel):
    """Check a data set from disk; never trusts what collection wrote about it. Exit status 3 when it falls short."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Annotated[Path, tyro.conf.Positional]
    """Folder of the data set."""
    workers: int = Field(default=2, ge=1, le=256)
    """Processes that read and judge."""
    worst: int = Field(default=20, ge=1)
    """How many problems the table lists."""
    parts: bool = False
    """List the parts of the metrics too; see docs/quality.md."""
    report: Path | None = None
    """Write a page with pictures of the worst sequences to this file, outside the data set."""
    pictures: int = Field(default=12, ge=0, le=500)
    """How many sequences the page shows."""


def run(arguments: list[str]) -> int:
    """Validate a data set; 0 when nothing is wrong, else 3."""
    command = parse_arguments(ValidateCommand, "validate", arguments)
    report = validate_with_progress(command.data, command.workers)
    console = Console(highlight=False)
    console.print(render_table(report, command.worst, command.parts))
    for finding in report.findings[: command.worst]:
        console.print(f"{finding.path}: {finding.field}: {finding.problem}", markup=False, soft_wrap=True)
    if command.report is not None:
        path = write_report(command.report, report, command.pictures)
        console.print(f"report: {path}", markup=False, soft_wrap=True)
    return 0 if report.passed else DataError.exit_status


def validate_with_progress(root: Path, workers: int) -> ValidationReport:
    """Validate under a progress bar on stderr."""
    columns = (TextColumn("validating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("validating", total=None)
        return validate_dataset(root, workers, lambda done, total: progress.update(task, completed=done, total=total))
