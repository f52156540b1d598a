"""A run in one process, or in several of this machine that share every batch.

On a processor two processes of one thread train faster than one of two threads; on several GPUs each process has one.
Runs over several machines are started by `accelerate launch` or `torchrun`, which set the same variables.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import torch

from backsight.records.errors import BacksightError
from backsight.storage.sealed_json import read_sealed, write_sealed
from backsight.train.config import TrainConfig
from backsight.train.loop import TrainReport, train

POLL_S = 0.2
LAST_LINES = 12
"""Lines of a failed process's errors that are shown."""


def launch(config: TrainConfig) -> TrainReport:
    """Train in as many processes as the configuration asks for; the first one shows progress and writes the run.

    Raises:
        BacksightError: a process failed; says what it said, and carries its exit status.
    """
    if config.processes == 1:
        return train(config)
    with tempfile.TemporaryDirectory(prefix="backsight-") as folder:
        told, report = Path(folder) / "config.json", Path(folder) / "report.json"
        told.write_text(config.model_copy(update={"processes": 1}).model_dump_json())
        _run_processes(config, [sys.executable, "-m", "backsight.train.launch", str(told), str(report)], Path(folder))
        found = read_sealed(report)
    return TrainReport(
        model=Path(found["model"]),
        run=Path(found["run"]),
        steps=found["steps"],
        parameters=found["parameters"],
        minutes=found["minutes"],
        places=found["places"],
        sequences=found["sequences"],
    )


def _run_processes(config: TrainConfig, command: list[str], folder: Path) -> None:
    """Start all, wait for all; when one fails the others are ended, since they would wait for it."""
    port = _free_port()
    logs = [(folder / f"rank-{rank}.log").open("w+b") for rank in range(config.processes)]
    running = []
    try:
        for rank, log in enumerate(logs):
            shown = None if rank == 0 else subprocess.DEVNULL
            variables = os.environ | _variables(config.processes, rank, port)
            running.append(subprocess.Popen(command, env=variables, stdout=shown, stderr=log))
        while (status := _status(running)) is None:
            time.sleep(POLL_S)
        if status:
            failed = next(rank for rank, process in enumerate(running) if process.poll())
            error = BacksightError(
                f"training process {failed} of {config.processes} failed:\n{_last_lines(logs[failed])}"
            )
            error.exit_status = status if status > 0 else BacksightError.exit_status
            raise error
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
                process.wait()
        for log in logs:
            log.close()


def _variables(processes: int, rank: int, port: int) -> dict[str, str]:
    """Return what torch.distributed and accelerate read."""
    found = {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    if not torch.cuda.is_available():
        # Without a thread count of ours accelerate would set one for the whole machine.
        threads = str(max(1, (os.cpu_count() or 1) // processes))
        found |= {"ACCELERATE_USE_CPU": "true", "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": threads}
    return found


def _status(running: list[subprocess.Popen[bytes]]) -> int | None:
    """Return the first failure's status, 0 when all are done well, None while they run."""
    statuses = [process.poll() for process in running]
    failures = [status for status in statuses if status]
    if failures:
        return failures[0]
    return 0 if all(status == 0 for status in statuses) else None


def _last_lines(log: BinaryIO) -> str:
    log.seek(0)
    return "\n".join(log.read().decode(errors="replace").splitlines()[-LAST_LINES:])


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def main(arguments: list[str]) -> int:
    """Be one of several processes: `CONFIG REPORT`, files; the first process writes the report."""
    config = TrainConfig.model_validate_json(Path(arguments[0]).read_text())
    try:
        report = train(config)
    except BacksightError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    if os.environ["RANK"] == "0":
        write_sealed(Path(arguments[1]), {k: str(v) if isinstance(v, Path) else v for k, v in asdict(report).items()})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
