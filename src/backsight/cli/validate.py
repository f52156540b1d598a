"""`backsight validate`: everything of a data set re-read from disk and judged anew."""

import sys
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.progress import Progress

from backsight.cli.configuration import parse_arguments
from backsight.quality.validate import ValidationReport, render_table, validate_dataset
from backsight.records.errors import DataError


class ValidateCommand(BaseModel):
    """Check a data set from disk; never trusts what collection wrote about it. Exit status 3 when it falls short."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Annotated[Path, tyro.conf.Positional]
    """Folder of the data set."""
    workers: int = Field(default=2, ge=1, le=256)
    """Threads that read and judge."""
    worst: int = Field(default=20, ge=1)
    """How many problems the table lists."""


def run(arguments: list[str]) -> int:
    """Validate a data set; 0 when nothing is wrong, else 3."""
    command = parse_arguments(ValidateCommand, "validate", arguments)
    report = validate_with_progress(command.data, command.workers)
    console = Console(highlight=False)
    console.print(render_table(report, command.worst))
    for finding in report.findings[: command.worst]:
        console.print(f"{finding.path}: {finding.field}: {finding.problem}", markup=False, soft_wrap=True)
    return 0 if report.passed else DataError.exit_status


def validate_with_progress(root: Path, workers: int) -> ValidationReport:
    """Validate under a progress bar on stderr."""
    with Progress(console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("validating", total=None)
        return validate_dataset(root, workers, lambda done, total: progress.update(task, completed=done, total=total))
