"""Runs of the fake collection in processes of their own, for the tests of faults and kills."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from backsight.collect.config import CollectConfig
from backsight.storage.layout import CONTENT_FILES, IMAGINED_FILES, list_sequence_ids, sequence_folder

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"


def config_for(out: Path, **changes) -> CollectConfig:
    small = {"size": "64x48", "min_frames": 3, "mean_frames": 5, "max_frames": 7, "sequences_per_place": 2}
    small |= {"scene_types": ("flat",), "kinds": ("smooth",)}
    return CollectConfig(**(small | {"out": out, "num_sequences": 6, "workers": 2} | changes))


class Runs:
    """A process with everything imported that forks one collection after the other."""

    def __init__(self, folder: Path, *, forked: bool = True) -> None:
        self.folder = folder
        self.unfinished = False
        code = f"import sys; sys.path.insert(0, {str(HERE)!r}); import fake_collect; fake_collect.serve_runs({forked})"
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        environment = os.environ | threads | {"PYTHONPATH": str(SOURCE)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.server = subprocess.Popen([sys.executable, "-c", code], env=environment, text=True, **pipes)

    def __enter__(self) -> "Runs":
        return self

    def __exit__(self, *error: object) -> None:
        self.server.stdin.close()
        self.server.wait(timeout=60)
        self.server.stdout.close()

    def start(self, config: CollectConfig, *, retry: bool = False, serve: float = 0.0, **faults: object) -> int:
        """Begin a collection and return its process id."""
        faults.setdefault("marker", str(self.folder / f"{config.out.name}-happened"))
        asked = {"config": config.model_dump(mode="json"), "faults": faults, "retry": retry, "serve": serve}
        # A test that failed in between has not waited for its collection: its status must not be taken for an id, since
        # a signal to 0 goes to this process and all beside it.
        if self.unfinished:
            self.finish()
        self.unfinished = True
        self.server.stdin.write(json.dumps(asked | {"output": str(self.folder / "output")}) + "\n")
        self.server.stdin.flush()
        pid = int(self.server.stdout.readline())
        assert pid > 1, f"{pid} is no process of ours"
        return pid

    def finish(self) -> tuple[int, str]:
        """Wait for the collection and return its exit status and what it said."""
        status = int(self.server.stdout.readline())
        self.unfinished = False
        return status, (self.folder / "output").read_text()

    def run(
        self, config: CollectConfig, *, retry: bool = False, serve: float = 0.0, **faults: object
    ) -> tuple[int, str]:
        """Begin a collection and wait for it; workers of a killed one may hold its lock for a moment."""
        deadline = time.monotonic() + 20
        while True:
            self.start(config, retry=retry, serve=serve, **faults)
            status, output = self.finish()
            if "another collection is writing" not in output or time.monotonic() > deadline:
                return status, output
            time.sleep(0.05)


def content_of(root: Path) -> dict[str, str]:
    return {
        f"{name}/{file}": hashlib.sha256((sequence_folder(root, name) / file).read_bytes()).hexdigest()
        for name in list_sequence_ids(root)
        for file in (*CONTENT_FILES, *IMAGINED_FILES)
        if file != "metadata.json"
    }
