"""`backsight collect`: walks in the embedded simulator."""

import sys

from pydantic import Field
from rich.console import Console

from backsight.cli.configuration import parse_arguments
from backsight.collect.config import CollectConfig
from backsight.collect.dataset_run import collect_dataset
from backsight.collect.outcome import CollectReport
from backsight.collect.plan import estimate, make_plan
from backsight.collect.progress import show_progress
from backsight.records.errors import BacksightError

FRAMES_PER_SECOND_OF_A_CORE = 40.0
"""What `--dry-run` reckons with, everything included, at 256 x 256."""


class CollectCommand(CollectConfig):
    """Collect walks with RGB, depth, instances, poses and instructions. The same command again resumes."""

    dry_run: bool = Field(default=False)
    """Print what would be collected and stop."""


def run(arguments: list[str]) -> int:
    """Collect what the arguments ask for; 0 when every planned sequence is there."""
    command = parse_arguments(CollectCommand, "collect", arguments)
    config = CollectConfig(**command.model_dump(exclude={"dry_run"}))
    console = Console(highlight=False)
    if command.dry_run:
        _print_estimate(config, console)
        return 0
    with show_progress(Console(file=sys.stderr, highlight=False)) as on_progress:
        report = collect_dataset(config, on_progress=on_progress)
    print_report(config, report, console)
    return 0 if report.complete else BacksightError.exit_status


def print_report(config: CollectConfig, report: CollectReport, console: Console) -> None:
    """Say what a collection has done and what it could not do."""
    console.print(
        f"{report.resumed + report.committed} of {report.planned} sequences in {config.out}: {report.committed} new, "
        f"{report.frames} frames, {report.size_bytes / 1e6:.1f} MB, {report.seconds:.0f} s",
        markup=False,
        soft_wrap=True,
    )
    for name, notes in report.scene_notes.items():
        for note in notes:
            console.print(f"{name}: {note}", markup=False, soft_wrap=True)
    for name in report.given_up:
        console.print(f"given up: {name}: {report.rejections[name][-1]}", markup=False, soft_wrap=True)
    for name, error in report.poisoned:
        console.print(f"lost: {name}: {error}", markup=False, soft_wrap=True)
    for name, reason in report.skipped.items():
        console.print(f"left alone (--retry-poisoned tries again): {name}: {reason}", markup=False, soft_wrap=True)


def _print_estimate(config: CollectConfig, console: Console) -> None:
    amount = estimate(make_plan(config), config)
    hours = amount.frames / FRAMES_PER_SECOND_OF_A_CORE / config.workers / 3600
    hours *= config.width * config.height / 256**2
    console.print(
        f"{amount.sequences} sequences in {amount.places} places, about {amount.frames} frames, "
        f"{amount.size_bytes / 1e9:.2f} GB, {hours:.2f} hours with {config.workers} workers",
        markup=False,
        soft_wrap=True,
    )
