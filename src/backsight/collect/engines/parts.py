"""What all engines share: a part of a plan as a job, waiting for the jobs, one report of them all."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from backsight.collect.config import CollectConfig
from backsight.collect.dataset_run import collect_dataset, report_path
from backsight.collect.outcome import CollectReport, join_reports
from backsight.collect.plan import make_plan
from backsight.collect.supervise import Progress
from backsight.records.errors import DataError, EnvironmentProblem
from backsight.storage.layout import list_sequence_ids
from backsight.storage.sealed_json import read_sealed, write_sealed


@runtime_checkable
class PartJob(Protocol):
    """A part of a plan, handed to a scheduler."""

    def done(self) -> bool:
        """Whether it has ended, well or not."""
        ...

    def error(self) -> str | None:
        """Return why it ended without a report; None when it ended well."""
        ...

    def cancel(self) -> None:
        """Have the scheduler end it."""
        ...


def part_config(config: CollectConfig, number: int, parts: int) -> str:
    """Return the configuration of one job as text, which any scheduler can carry.

    Args:
        config: Of the whole collection.
        number: Of the part, from 1.
        parts: How many there are.
    """
    return config.model_copy(update={"shard": f"{number}/{parts}"}).model_dump_json()


def collect_part(config_json: str, retry_failed: bool) -> dict[str, Any]:
    """Collect one part, on whatever machine this runs, and return its report as plain values.

    Args:
        config_json: From `part_config`; its folder is one that all machines see.
        retry_failed: As for `collect_dataset`.
    """
    report = collect_dataset(CollectConfig.model_validate_json(config_json), retry_failed=retry_failed)
    return msgspec.to_builtins(report)


def wait_for_parts(
    config: CollectConfig,
    jobs: Sequence[PartJob],
    *,
    poll_s: float,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> CollectReport:
    """Wait until all jobs have ended and return the report of all, which is written to report.json too.

    Progress is counted on disk: the tree of sequences is the state.

    Args:
        config: Of the whole collection.
        jobs: One for each part, the first part first.
        poll_s: How often jobs and folder are looked at [s].
        on_progress: Called that often.

    Raises:
        EnvironmentProblem: A job ended without a report.
        KeyboardInterrupt: Ctrl-C; the jobs have been cancelled, and everything committed is whole.
    """
    planned = {plan.sequence_id for plan in make_plan(config)}
    try:
        while True:
            ended = all(job.done() for job in jobs)
            there = len(planned.intersection(list_sequence_ids(config.out)))
            on_progress(Progress(len(planned), there, retried=0, poisoned=0))
            if ended:
                break
            time.sleep(poll_s)
    except KeyboardInterrupt:
        for job in jobs:
            job.cancel()
        raise
    problems = [
        f"part {number}/{len(jobs)}: {error}"
        for number, job in enumerate(jobs, start=1)
        if (error := job.error()) is not None
    ]
    if problems:
        raise EnvironmentProblem("\n".join([*problems, "run the same command again to go on"]))
    report = join_reports([_read_report(config, f"{number}/{len(jobs)}") for number in range(1, len(jobs) + 1)])
    write_sealed(report_path(config.out, None), msgspec.to_builtins(report))
    return report


def _read_report(config: CollectConfig, shard: str) -> CollectReport:
    path = report_path(config.out, shard)
    content = read_sealed(path, "do all machines see the folder of the data set?")
    try:
        return msgspec.convert(content, CollectReport)
    except msgspec.ValidationError as error:
        raise DataError(path, "report", str(error)) from error
