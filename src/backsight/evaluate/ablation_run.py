"""Runs the trainings of an ablation, one after another or several at the same time; what is finished stays."""

import contextlib
import json
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backsight.evaluate.ablation import AblationConfig, AblationJob, ablation_jobs
from backsight.evaluate.predict import predict_split
from backsight.evaluate.samples import open_source
from backsight.evaluate.score import score_predictions
from backsight.evaluate.table import write_results
from backsight.records.errors import BacksightError, UsageError
from backsight.storage.sealed_json import read_sealed, write_sealed
from backsight.train.checkpoint import newest_checkpoint
from backsight.train.loop import train

SETTINGS_FILE = "settings.json"
MEASURED_FILE = "measured.json"
LOG_FILE = "log.txt"
NOT_CONTENT = frozenset({"run", "threads", "batches_ahead"})
"""Settings of a training that its result does not depend on, rounding apart."""


@dataclass(frozen=True)
class Measured:
    """What one training came to."""

    values: dict[str, float]
    """By metric, of the model alone."""
    minutes: float
    """Of training steps."""
    parameters: int


RunJob = Callable[[AblationJob], Measured]
Say = Callable[[str], None]


def run_ablation(config: AblationConfig, run_job: RunJob, say: Say) -> dict[tuple[str, int], Measured]:
    """Run what is not finished yet and return what is, by variant and seed.

    A training that fails does not stop the others.

    Args:
        config: variants, seeds, folder, number of processes.
        run_job: trains and scores one variant (`train_and_score`); a function of a module, if there are processes.
        say: is told of every start and end.

    Raises:
        UsageError: the folder holds results of other settings.
        BacksightError: trainings failed; names them, after all others are done.
    """
    jobs = ablation_jobs(config)
    for job in jobs:
        _claim(job)
    waiting = [job for job in jobs if measured(job) is None]
    say(f"{len(jobs)} trainings, {len(jobs) - len(waiting)} finished before")
    failures = _run_beside(waiting, run_job, say, config.jobs) if config.jobs > 1 else _run_each(waiting, run_job, say)
    if failures:
        raise BacksightError(
            f"{len(failures)} of {len(waiting)} trainings failed; the same command again tries them anew\n"
            + "\n".join(failures)
        )
    return finished(config)


def finished(config: AblationConfig) -> dict[tuple[str, int], Measured]:
    """Return what has been measured so far, by variant and seed."""
    found = {(job.variant, job.seed): measured(job) for job in ablation_jobs(config)}
    return {key: value for key, value in found.items() if value is not None}


def measured(job: AblationJob) -> Measured | None:
    """Return what a training came to; None before it is finished.

    Raises:
        DataError: the file was changed.
    """
    path = job.folder / MEASURED_FILE
    if not path.is_file():
        return None
    content = read_sealed(path)
    return Measured(dict(content["values"]), float(content["minutes"]), int(content["parameters"]))


def train_and_score(job: AblationJob) -> Measured:
    """Train one variant, predict its split and score the model's rows; a training that was stopped is gone on with.

    Raises:
        BacksightError: training or evaluation fell short.
    """
    trained = train(job.train)
    source = open_source(job.train.data, job.evaluate)
    predictions = predict_split(trained.model, source, job.folder / "predictions", job.evaluate)
    rows = score_predictions([predictions], source, job.evaluate)
    write_results(job.folder / "results.json", rows)
    return Measured({row.metric: row.value for row in rows}, _trained_minutes(job), trained.parameters)


def _trained_minutes(job: AblationJob) -> float:
    """Return the time of all steps, those before an interruption included."""
    newest = newest_checkpoint(job.train.run / "checkpoints")
    if newest is None:
        raise BacksightError(f"{job.train.run}: the training left no checkpoint")
    return float(json.loads((newest / "state.json").read_text())["trained_s"]) / 60


def _claim(job: AblationJob) -> None:
    """Write down what a folder is for; refuse one that is for something else."""
    path = job.folder / SETTINGS_FILE
    wanted = _settings(job)
    if not path.is_file():
        job.folder.mkdir(parents=True, exist_ok=True)
        write_sealed(path, wanted)
        return
    known = {key: value for key, value in read_sealed(path).items() if key in wanted}
    if known != wanted:
        differ = [key for key in wanted if known.get(key) != wanted[key]]
        raise UsageError(
            f"{job.folder}: holds results of other settings ({', '.join(differ)}); give another --out, or remove it"
        )


def _settings(job: AblationJob) -> dict[str, Any]:
    training = job.train.model_dump(mode="json", exclude=set(NOT_CONTENT))
    return {f"train.{key}": value for key, value in training.items()} | {
        f"evaluate.{key}": value for key, value in job.evaluate.model_dump(mode="json").items()
    }


def _run_each(jobs: list[AblationJob], run_job: RunJob, say: Say) -> list[str]:
    failures = []
    for job in jobs:
        say(f"{job.variant}, seed {job.seed}")
        failure = _work(job, run_job)
        failures += [failure] if failure else []
    return failures


def _run_beside(jobs: list[AblationJob], run_job: RunJob, say: Say, processes: int) -> list[str]:
    failures = []
    threads = max(1, (os.cpu_count() or 1) // processes)
    # Spawned, and a fresh process for each: nothing of torch is shared or left over.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, max_tasks_per_child=1) as pool:
        running = {pool.submit(_work_apart, _with_threads(job, threads), run_job): job for job in jobs}
        for future in as_completed(running):
            job = running[future]
            try:
                failure = future.result()
            except BrokenProcessPool:
                failure = f"{job.variant}, seed {job.seed}: a process died; see {job.folder / LOG_FILE}"
            failures += [failure] if failure else []
            say(f"{job.variant}, seed {job.seed}: {'failed' if failure else 'done'}")
    return failures


def _with_threads(job: AblationJob, threads: int) -> AblationJob:
    return job if job.train.threads else replace(job, train=job.train.model_copy(update={"threads": threads}))


def _work_apart(job: AblationJob, run_job: RunJob) -> str | None:
    """Work in a process of its own; what it would show goes to a file."""
    path: Path = job.folder / LOG_FILE
    with path.open("a", encoding="utf-8") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        return _work(job, run_job)


def _work(job: AblationJob, run_job: RunJob) -> str | None:
    """Run one training and write what it came to; return what went wrong."""
    try:
        found = run_job(job)
    except BacksightError as error:
        return f"{job.variant}, seed {job.seed}: {error}"
    content = {"values": found.values, "minutes": found.minutes, "parameters": found.parameters}
    write_sealed(job.folder / MEASURED_FILE, content)
    return None
