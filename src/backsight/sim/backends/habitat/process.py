"""The process with Habitat in it, seen from here: started, asked, watched, ended."""

import os
import signal
import socket
import subprocess
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backsight.records.errors import BacksightError, EnvironmentProblem
from backsight.sim.backends.habitat import worker
from backsight.sim.backends.habitat.advice import advice_for
from backsight.sim.backends.habitat.config import HabitatConfig

OLDEST_RELEASE, NEWEST_RELEASE = (0, 2, 3), (0, 3, 4)
"""Releases of habitat_sim whose interface this was written to."""
LAST_LINES = 12
_LAST_WORDS_BYTES = 4000
_START_TIMEOUT_S = 120.0


class RefusedError(BacksightError):
    """Habitat has answered with an error and lives on."""


class HabitatProcess:
    """One worker; ends with this object, or when the program ends however that happens.

    Args:
        config: Whose Python, and how long to wait.

    Raises:
        EnvironmentProblem: That Python isn't there, has no habitat_sim, or the worker speaks another protocol.
    """

    def __init__(self, config: HabitatConfig) -> None:
        self._config = config
        if not os.access(config.python, os.X_OK) or config.python.is_dir():
            raise EnvironmentProblem(
                f"habitat: {config.python} is no Python that can be run; give the one of Habitat's environment, "
                "such as ~/miniconda3/envs/habitat/bin/python"
            )
        ours, theirs = socket.socketpair()
        descriptor, name = tempfile.mkstemp(prefix="backsight-habitat-", suffix=".err")
        self._stderr = Path(name)
        with theirs, os.fdopen(descriptor, "wb") as stderr:
            self._process = subprocess.Popen(
                [str(config.python), str(Path(worker.__file__)), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                pass_fds=[theirs.fileno()],
                env=_environment(config.debug),
            )
        self._connection = ours
        self._end = weakref.finalize(self, _end, self._process, ours, self._stderr)
        self.facts = self._receive("starting", _START_TIMEOUT_S)[0]
        """What the worker says of itself: versions and how habitat_sim was built."""
        problem = None
        if self.facts["protocol"] != worker.PROTOCOL_VERSION:
            problem = f"the worker speaks protocol {self.facts['protocol']}, not {worker.PROTOCOL_VERSION}"
        elif release_of(self.facts["habitat_version"]) < OLDEST_RELEASE:
            oldest = ".".join(map(str, OLDEST_RELEASE))
            problem = f"habitat_sim {self.facts['habitat_version']} can't tell islands apart; {oldest} is the first"
        if problem is not None:
            self.close()
            raise EnvironmentProblem(f"habitat: {problem}")

    def ask(
        self, operation: str, request: dict[str, Any] | None = None, arrays: Sequence[np.ndarray] = ()
    ) -> tuple[dict[str, Any], list[np.ndarray]]:
        """Return the answer to one request.

        Args:
            operation: A method of `worker.Worker`.
            request: Its header.
            arrays: Its arrays.

        Raises:
            RefusedError: Habitat raised an error; the worker lives.
            EnvironmentProblem: The worker has died or does not answer in time.
        """
        return next(self.ask_many(operation, 1, request, arrays))

    def ask_many(
        self, operation: str, answers: int, request: dict[str, Any] | None = None, arrays: Sequence[np.ndarray] = ()
    ) -> Iterator[tuple[dict[str, Any], list[np.ndarray]]]:
        """Yield several answers to one request; raises as `ask` does.

        Args:
            operation: A method of `worker.Worker`.
            answers: How many there will be.
            request: Its header.
            arrays: Its arrays.
        """
        if not self._end.alive:
            raise EnvironmentProblem(f"habitat: the worker has ended, it can't do this any more: {operation}")
        timeout_s = self._config.load_timeout_s if operation == "load" else self._config.answer_timeout_s
        self._connection.settimeout(timeout_s)
        try:
            worker.send_message(self._connection, {**(request or {}), "operation": operation}, arrays)
        except OSError:
            raise self._lost(operation) from None
        for _ in range(answers):
            yield self._receive(operation, timeout_s)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._end.alive and self._process.poll() is None

    def close(self) -> None:
        """End the process; asking it again is an error."""
        self._end()

    def _receive(self, operation: str, timeout_s: float) -> tuple[dict[str, Any], list[np.ndarray]]:
        self._connection.settimeout(timeout_s)
        try:
            header, arrays = worker.receive_message(self._connection)
        except TimeoutError:
            problem = self._lost(operation, f"has not answered for {timeout_s:g} s")
            raise problem from None
        except (EOFError, OSError):
            raise self._lost(operation) from None
        except ValueError as error:
            raise self._lost(operation, f"sent what can't be read: {error}") from None
        if not header["ok"]:
            raise RefusedError(header["problem"])
        return header, arrays

    def _lost(self, operation: str, how: str | None = None) -> EnvironmentProblem:
        """Return the error that says how the worker was lost, with its last lines; the process is gone then."""
        if how is None:
            try:
                code = self._process.wait(timeout=10.0)
                how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
            except subprocess.TimeoutExpired:
                how = "closed the connection"
        words = self._last_words()
        self.close()
        lines = "\n".join(f"  | {line}" for line in words.splitlines()[-LAST_LINES:])
        return EnvironmentProblem(
            f"habitat: the worker {how} ({operation})\n{lines or '  | (it has said nothing)'}\n{advice_for(words)}"
        )

    def _last_words(self) -> str:
        with self._stderr.open("rb") as file:
            file.seek(max(0, self._stderr.stat().st_size - _LAST_WORDS_BYTES))
            return file.read().decode("utf-8", errors="replace").strip()


def release_of(version: str) -> tuple[int, ...]:
    """Return the first three numbers of a version such as '0.3.3' or '0.3.3.2026.03.12'."""
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())


def _environment(debug: bool) -> dict[str, str]:
    """Return the worker's environment: Habitat reads how much to say before it is imported."""
    environment = dict(os.environ)
    if debug:
        environment.update(MAGNUM_LOG="verbose", HABITAT_SIM_LOG="debug", MAGNUM_GPU_VALIDATION="on")
    else:
        for name in ("MAGNUM_LOG", "HABITAT_SIM_LOG"):
            environment.setdefault(name, "quiet")
    # Buffered lines of a process that aborts would be lost.
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def _end(process: subprocess.Popen[bytes], connection: socket.socket, stderr: Path) -> None:
    connection.close()
    process.kill()
    process.wait()
    stderr.unlink(missing_ok=True)
