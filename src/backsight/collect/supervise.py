"""Our own supervisor of worker processes: what a worker loses by dying is tried again, nothing is ever lost.

Process pools of the standard library hang or give up when a worker is killed. Here the parent waits on the processes
themselves (their sentinels) and on one pipe for each, so a death is seen at once, whatever its cause.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any

from backsight.collect.worker import FATAL_ERRORS, Worker, start_worker
from backsight.records.errors import EnvironmentProblem, UsageError

MAX_START_FAILURES = 3
"""So many workers lost in a row without a job, or jobs given up before any is done: the fault is not the job's."""
_TICK_S = 0.5


@dataclass(frozen=True)
class Job:
    """A unit of work."""

    job_id: str
    group: str
    """Jobs of one group prefer one worker, which then keeps its scene loaded."""
    payload: Any
    """What the work is called with; must pickle."""


@dataclass(frozen=True)
class SupervisorConfig:
    """How work is supervised."""

    workers: int = 1
    job_timeout_s: float = 600.0
    """A worker that takes longer for one job is killed."""
    start_timeout_s: float = 300.0
    """A worker that is not ready after this time is killed."""
    max_failures: int = 3
    """So many lost workers put a job on the poison list."""
    max_memory_bytes: int = 8 * 1024**3
    """A worker that holds more is killed."""


@dataclass(frozen=True)
class Poisoned:
    """A job that was given up."""

    job_id: str
    failures: int
    last_error: str


@dataclass(frozen=True)
class Progress:
    """Where the work stands."""

    total: int
    done: int
    retried: int
    poisoned: int
    last_result: Any = None
    """Result of the job that was just finished, if one was."""


@dataclass
class SupervisorReport:
    """What came of all jobs."""

    results: dict[str, Any] = field(default_factory=dict)
    """Job id to result."""
    poisoned: list[Poisoned] = field(default_factory=list)
    retried: int = 0
    interrupted: bool = False
    """Ctrl-C or SIGTERM came before the end."""
    fatal: UsageError | EnvironmentProblem | None = None
    """An error that no other job would escape; it ended the work."""


def supervise(
    jobs: Sequence[Job],
    work: Callable[[Any], Any],
    config: SupervisorConfig,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_poisoned: Callable[[Poisoned], None] = lambda poisoned: None,
) -> SupervisorReport:
    """Do all jobs in spawned processes and return what came of them.

    Args:
        jobs: Unique ids; done about in this order.
        work: Pickled once into each worker; called with a job's payload, returns something that pickles. A
            `UsageError` or `EnvironmentProblem` that it raises ends everything and is the report's `fatal`, as it is
            when workers can't be started; any other exception is a lost worker.
        config: How work is supervised.
        on_progress: Called after every finished, retried or given up job and at least twice a second.
        on_poisoned: Called once for every job that is given up, as soon as some job has shown that workers can work.
    """
    supervisor = _Supervisor(jobs, work, config, on_progress, on_poisoned)
    with stop_signals() as stop_reader:
        try:
            supervisor.run(stop_reader)
        finally:
            supervisor.close()
    return supervisor.report


class _Queue:
    """Waiting jobs by group; a worker keeps to its group and leaves the others' groups alone while it can."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._groups: dict[str, deque[Job]] = {}
        for job in jobs:
            self._groups.setdefault(job.group, deque()).append(job)

    def __bool__(self) -> bool:
        return bool(self._groups)

    def take(self, own_group: str | None, other_groups: set[str]) -> Job:
        free = (group for group in self._groups if group not in other_groups)
        group = own_group if own_group in self._groups else next(free, next(iter(self._groups)))
        job = self._groups[group].popleft()
        if not self._groups[group]:
            del self._groups[group]
        return job

    def put_back(self, job: Job) -> None:
        self._groups.setdefault(job.group, deque()).appendleft(job)


class _Supervisor:
    def __init__(
        self,
        jobs: Sequence[Job],
        work: Callable[[Any], Any],
        config: SupervisorConfig,
        on_progress: Callable[[Progress], None],
        on_poisoned: Callable[[Poisoned], None],
    ) -> None:
        self.report = SupervisorReport()
        self._total = len(jobs)
        self._queue = _Queue(jobs)
        self._work = work
        self._config = config
        self._on_progress = on_progress
        self._on_poisoned = on_poisoned
        self._untold: list[Poisoned] = []
        self._workers: list[Worker] = []
        self._failures: dict[str, int] = {}
        self._start_failures = 0

    def run(self, stop_reader: int) -> None:
        try:
            self._run(stop_reader)
        except FATAL_ERRORS as error:
            self.report.fatal = error

    def _run(self, stop_reader: int) -> None:
        while len(self.report.results) + len(self.report.poisoned) < self._total:
            self._fill()
            ready = wait([stop_reader, *self._waitables()], timeout=_TICK_S)
            if stop_reader in ready:
                self.report.interrupted = True
                return
            for worker in list(self._workers):
                # A result that was sent before the worker died still counts, so the pipe is read first.
                if worker.connection in ready:
                    self._receive(worker)
                elif worker.process.sentinel in ready:
                    self._lost(worker, worker.describe_death())
                else:
                    self._watch(worker)
            self._tell()
        self._tell_poisoned()

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers.clear()

    def _waitables(self) -> Iterator[Connection | int]:
        for worker in self._workers:
            yield worker.connection
            yield worker.process.sentinel

    def _fill(self) -> None:
        """Start missing workers and give every idle one a job."""
        open_jobs = self._total - len(self.report.results) - len(self.report.poisoned)
        while len(self._workers) < min(self._config.workers, open_jobs):
            self._workers.append(start_worker(self._work, self._config.start_timeout_s))
        for worker in self._workers:
            if worker.idle and self._queue:
                others = {other.group for other in self._workers if other is not worker and other.group is not None}
                job = self._queue.take(worker.group, others)
                worker.job, worker.group = job, job.group
                worker.deadline_s = time.monotonic() + self._config.job_timeout_s
                worker.send((job.job_id, job.payload))

    def _receive(self, worker: Worker) -> None:
        try:
            kind, content = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join()
            self._lost(worker, worker.describe_death())
            return
        if kind == "ready":
            worker.ready = True
        elif kind == "done" and worker.job is not None:
            self.report.results[worker.job.job_id] = content
            worker.job = None
            self._start_failures = 0
            self._tell_poisoned()
            self._tell(content)
        elif isinstance(content, FATAL_ERRORS):
            raise content

    def _watch(self, worker: Worker) -> None:
        if not worker.idle and time.monotonic() > worker.deadline_s:
            limit_s = self._config.job_timeout_s if worker.ready else self._config.start_timeout_s
            self._lost(worker, f"hung: nothing came within {limit_s:g} s")
        elif worker.memory_bytes() > self._config.max_memory_bytes:
            self._lost(worker, f"held more than {self._config.max_memory_bytes / 1024**3:.1f} GiB of memory")

    def _lost(self, worker: Worker, reason: str) -> None:
        last_words = worker.kill()
        self._workers.remove(worker)
        error = f"{reason}\n{last_words}".strip()
        job = worker.job
        if job is None:
            self._start_failures += 1
            if self._start_failures >= MAX_START_FAILURES:
                raise EnvironmentProblem(f"workers can't be started: {error}")
            return
        failures = self._failures[job.job_id] = self._failures.get(job.job_id, 0) + 1
        if failures >= self._config.max_failures:
            lost = Poisoned(job.job_id, failures, error)
            self.report.poisoned.append(lost)
            self._untold.append(lost)
            if self.report.results:
                self._tell_poisoned()
            if not self.report.results and len(self.report.poisoned) >= MAX_START_FAILURES:
                raise EnvironmentProblem(f"every job so far has failed {failures} times, most recently: {error}")
        else:
            self.report.retried += 1
            self._queue.put_back(job)

    def _tell_poisoned(self) -> None:
        # Before any job is done the fault may be the machine's, and then nothing must be held against the jobs.
        for lost in self._untold:
            self._on_poisoned(lost)
        self._untold.clear()

    def _tell(self, last_result: Any = None) -> None:
        report = self.report
        self._on_progress(Progress(self._total, len(report.results), report.retried, len(report.poisoned), last_result))


@contextmanager
def stop_signals() -> Iterator[int]:
    """Turn Ctrl-C and SIGTERM into a readable pipe, so that `wait` sees them like everything else."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def remember(number: int, frame: FrameType | None) -> None:
        os.write(writer, b"x")

    # Python allows signal handlers in the main thread only; elsewhere the caller's own handling stays.
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    previous = {number: signal.signal(number, remember) for number in numbers}
    try:
        yield reader
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)
