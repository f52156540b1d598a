"""One worker process: started with one numeric thread, watched by its parent, never outliving it."""

import ctypes
import faulthandler
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

from backsight.records.errors import EnvironmentProblem, UsageError

FATAL_ERRORS = (UsageError, EnvironmentProblem)
"""Errors that no other job would escape."""
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
START_METHOD = "spawn"
"""Of processes: a fork would take over threads and graphics contexts that it can't use."""
_LAST_WORDS_BYTES = 2000
_PR_SET_PDEATHSIG = 1


@dataclass(eq=False)
class Worker:
    """The parent's end of a worker."""

    process: BaseProcess
    connection: Connection
    stderr_path: Path
    deadline_s: float
    """Monotonic time at which the worker counts as hung."""
    ready: bool = False
    job: Any = None
    """The job it is at."""
    group: str | None = None
    """Group of its latest job."""

    @property
    def idle(self) -> bool:
        """Whether it waits for a job."""
        return self.ready and self.job is None

    def send(self, message: tuple[str, Any]) -> None:
        """Give it a job; a worker that has died meanwhile is noticed by its sentinel.

        Args:
            message: Job id and payload.
        """
        try:
            self.connection.send(message)
        except (BrokenPipeError, ConnectionResetError):
            self.process.join()

    def memory_bytes(self) -> int:
        """Return the resident memory of the process; 0 when it has ended."""
        try:
            return int(psutil.Process(self.process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def describe_death(self) -> str:
        """Return how the process ended."""
        self.process.join()
        code = self.process.exitcode or 0
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"

    def kill(self) -> str:
        """End the process at once and return the last lines that it wrote to its standard error."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.connection.close()
        with self.stderr_path.open("rb") as file:
            file.seek(max(0, self.stderr_path.stat().st_size - _LAST_WORDS_BYTES))
            last_words = file.read().decode("utf-8", errors="replace").strip()
        self.stderr_path.unlink()
        return last_words


def start_worker(work: Callable[[Any], Any], start_timeout_s: float) -> Worker:
    """Start a process that does jobs until it is killed.

    Args:
        work: Pickled into the process.
        start_timeout_s: Time until it must be ready.
    """
    context = multiprocessing.get_context(START_METHOD)
    ours, theirs = context.Pipe()
    descriptor, name = tempfile.mkstemp(prefix="backsight-worker-", suffix=".err")
    os.close(descriptor)
    process = context.Process(target=_serve, args=(work, theirs, name), daemon=True)
    with _one_thread_each():
        process.start()
    theirs.close()
    return Worker(process, ours, Path(name), time.monotonic() + start_timeout_s)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that start inside see one thread for every numeric library; they read it when they load."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(work: Callable[[Any], Any], connection: Connection, stderr_name: str) -> None:
    """Do jobs as they come. An exception ends the process: its traceback is the last thing on standard error."""
    # Ctrl-C reaches the whole group of processes; the parent decides what becomes of the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    descriptor = os.open(stderr_name, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    faulthandler.enable()
    _die_with_parent()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection.send(("ready", None))
    while True:
        _, payload = connection.recv()
        try:
            result = work(payload)
        except FATAL_ERRORS as error:
            connection.send(("fatal", error))
            return
        connection.send(("done", result))


def _die_with_parent() -> None:
    """Have the kernel kill this process with its parent, so that even a stopped one never outlives it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_with_parent() -> None:
    """End when the parent has ended: where the kernel doesn't see to it, and where the parent was gone before."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
