"""`backsight collect`: walks in the embedded simulator."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import Field
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from backsight.cli.configuration import parse_arguments
from backsight.cli.plan_tables import calibration_lines, kinds_table, places_table, plan_line
from backsight.collect.calibrate import calibrate, expect
from backsight.collect.config import CollectConfig
from backsight.collect.dataset_run import collect_dataset
from backsight.collect.engines.config import EngineConfig
from backsight.collect.engines.ray import collect_with_ray
from backsight.collect.engines.slurm import collect_with_slurm
from backsight.collect.orders import serve_orders
from backsight.collect.outcome import CollectReport
from backsight.collect.plan import make_plan
from backsight.collect.progress import show_progress
from backsight.collect.shards import shard_plans
from backsight.collect.splits import plan_notes, plan_splits
from backsight.collect.supervise import Progress as Collected
from backsight.records.errors import BacksightError, UsageError
from backsight.storage.orders import FinishedOrder

CALIBRATION_S = 10.0
"""How long `--dry-run` measures."""
FILE_WIDTH = 160
"""Columns of the tables where the output does not go to a terminal."""
BUSY_SHARE = 0.5
"""A load above this share of the cores, beside the measuring process, spoils what is measured."""
DISK_RESERVE = 1.1
"""A data set that needs more than the free space over this is warned of."""


class CollectCommand(EngineConfig, CollectConfig):
    """Collect walks with RGB, depth, instances, poses and instructions. The same command again resumes."""

    retry_poisoned: bool = Field(default=False)
    """Try sequences again that an earlier run has given up."""
    serve: bool = Field(default=False)
    """Take orders for further sequences of this data set in turn, while others read it; see backsight order --help."""
    idle_timeout: float | None = Field(default=None, ge=0.0)
    """With --serve: end after so many seconds without an order; without, only a signal ends it."""

    dry_run: bool = Field(default=False)
    """Print what would be collected, how large it will be and how long it will take, and stop."""
    calibrate: bool = Field(default=True)
    """With --dry-run: measure a few sequences for some ten seconds; without, only the plan is printed."""


def run(arguments: list[str]) -> int:
    """Collect what the arguments ask for; 0 when every planned sequence is there."""
    command = parse_arguments(CollectCommand, "collect", arguments)
    config = CollectConfig(**command.model_dump(include=set(CollectConfig.model_fields)))
    engine = EngineConfig(**command.model_dump(include=set(EngineConfig.model_fields)))
    _refuse_contradictions(command)
    if command.dry_run:
        terminal = Console(highlight=False)
        print_plan(config, terminal if terminal.is_terminal else Console(highlight=False, width=FILE_WIDTH), command)
        return 0
    messages = Console(file=sys.stderr, highlight=False)
    for note in plan_notes(config, make_plan(config)):
        messages.print(note, markup=False, soft_wrap=True)
    if command.serve:
        return _serve(config, command.idle_timeout, messages)
    with show_progress(messages) as on_progress:
        report = _collect(config, engine, command.retry_poisoned, on_progress)
    print_report(config, report, Console(highlight=False))
    return 0 if report.complete else BacksightError.exit_status


def _refuse_contradictions(command: CollectCommand) -> None:
    """Raise when options were given of which one would be ignored."""
    if command.engine == "local" and command.parts != 1:
        raise UsageError("--parts needs --engine slurm or ray; on this machine say --workers, or --shard i/n")
    if command.engine != "local" and command.shard is not None:
        raise UsageError(f"--engine {command.engine} makes the parts itself: say --parts instead of --shard")
    if command.serve and (command.engine != "local" or command.shard is not None):
        raise UsageError("--serve takes orders on one machine, without --engine and --shard")
    if command.idle_timeout is not None and not command.serve:
        raise UsageError("--idle-timeout needs --serve")


def _collect(
    config: CollectConfig, engine: EngineConfig, retry_failed: bool, on_progress: Callable[[Collected], None]
) -> CollectReport:
    if engine.engine == "slurm":
        return collect_with_slurm(config, engine, retry_failed=retry_failed, on_progress=on_progress)
    if engine.engine == "ray":
        return collect_with_ray(config, engine, retry_failed=retry_failed, on_progress=on_progress)
    return collect_dataset(config, on_progress=on_progress, retry_failed=retry_failed)


def _serve(config: CollectConfig, idle_timeout_s: float | None, console: Console) -> int:
    def say(finished: FinishedOrder) -> None:
        detail = (
            finished.reason or f"{len(finished.sequence_ids)} sequences, {len(finished.rejected)} could not be made"
        )
        console.print(f"order {finished.order_id}: {finished.state}: {detail}", markup=False, soft_wrap=True)

    console.print(f"taking orders for {config.out}; Ctrl-C ends it", markup=False, soft_wrap=True)
    taken = serve_orders(config, idle_timeout_s=idle_timeout_s, on_finished=say)
    console.print(f"{taken} orders taken", markup=False)
    return 0


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


def print_plan(config: CollectConfig, console: Console, command: CollectCommand) -> None:
    """Print the plan, and what it will amount to if that is to be measured."""

    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    everything = make_plan(config)
    plans = shard_plans(everything, config.shard)
    if not plans:
        say(f"shard {config.shard} of {len(everything)} sequences is empty: there are fewer places than shards")
        return
    console.print(kinds_table(plans))
    console.print(places_table(plans, plan_splits(everything, config)))
    say(plan_line(plans) + (f" (shard {config.shard} of {len(everything)} sequences)" if config.shard else ""))
    for note in plan_notes(config, everything):
        say(note)
    if not command.calibrate:
        return
    with _calibration_bar(Console(file=sys.stderr, highlight=False)) as on_progress:
        calibration = calibrate(config, plans, CALIBRATION_S, on_progress=on_progress)
    if calibration is None:
        say("no sequence could be collected to measure with; collect a few to see why")
        return
    expected = expect(plans, calibration, config.workers)
    for line in calibration_lines(calibration, expected, config.workers):
        say(line)
    cores = psutil.cpu_count() or 1
    if config.workers > cores:
        say(f"this machine has {cores} cores; {config.workers} workers will not be faster than {cores} here")
    busy = os.getloadavg()[0]
    if busy > BUSY_SHARE * cores + 1.0:
        say(f"this machine is busy (load {busy:.1f} on {cores} cores): quiet, it will be faster than that")
    free_bytes = _free_bytes(config.out)
    say(f"free on the disk of {config.out}: {free_bytes / 1e9:.1f} GB")
    if expected.size_bytes * DISK_RESERVE > free_bytes:
        say(f"warning: that is not enough for {expected.size_bytes / 1e9:.1f} GB; choose another disk with --out")


def _free_bytes(folder: Path) -> int:
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


@contextmanager
def _calibration_bar(console: Console) -> Iterator[Callable[[float, int], None]]:
    columns = (TextColumn("measuring"), BarColumn(), TextColumn("{task.fields[details]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("measure", total=1.0, details="the first sequence compiles programs")

        def show(share: float, sequences: int) -> None:
            bar.update(task, completed=share, details=f"{sequences} sequences")

        yield show
