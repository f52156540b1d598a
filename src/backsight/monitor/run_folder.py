"""The run folder: one writer, one line a record, readable while the run goes on.

runs/<name>/run.json         resolved configuration, versions, hardware
runs/<name>/metrics.jsonl    one record a line
"""

import json
import os
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
import psutil

from backsight.records.errors import DataError


class MetricRecord(msgspec.Struct, frozen=True):
    """Named values at one step."""

    step: int
    epoch: int
    phase: str
    wall_s: float
    """Seconds since the run began."""
    samples: int
    """Training samples seen so far."""
    values: dict[str, float]


def versions() -> dict[str, str]:
    """Return the versions of what computes results here."""
    names = ("backsight", "torch", "transformers", "accelerate", "numpy", "warp-lang")
    installed = {d.metadata["Name"].lower() for d in metadata.distributions() if d.metadata["Name"]}
    return {"python": platform.python_version()} | {n: metadata.version(n) for n in names if n in installed}


def hardware() -> dict[str, Any]:
    """Return what the run had to compute with."""
    return {
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
    }


class RunWriter:
    """Writes one run folder; only rank 0 holds one."""

    def __init__(self, folder: Path, configuration: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        description = {"configuration": configuration, "versions": versions(), "hardware": hardware()}
        (folder / "run.json").write_text(json.dumps(description, indent=2, default=str) + "\n")
        self._began_s = time.monotonic()
        self._file = (folder / "metrics.jsonl").open("ab", buffering=0)

    def log(self, step: int, epoch: int, phase: str, samples: int, values: dict[str, float]) -> None:
        """Append one record with a single write."""
        record = MetricRecord(step, epoch, phase, time.monotonic() - self._began_s, samples, values)
        self._file.write(msgspec.json.encode(record) + b"\n")

    def close(self) -> None:
        """Close the metrics file."""
        self._file.close()


def read_metrics(folder: Path) -> list[MetricRecord]:
    """Return the records of a run; an unfinished last line is left out.

    Raises:
        DataError: a finished line is not a record.
    """
    path = folder / "metrics.jsonl"
    if not path.is_file():
        raise DataError(path, "file", "is missing", "a run folder holds metrics.jsonl")
    *lines, _ = path.read_bytes().split(b"\n")
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(msgspec.json.decode(line, type=MetricRecord))
        except msgspec.DecodeError as error:
            raise DataError(path, f"line {number}", f"is not a metric record: {error}") from error
    return records
