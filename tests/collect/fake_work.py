"""Work that misbehaves on request, for the supervisor's tests; imported by name in spawned workers."""

import os
import signal
import time
from pathlib import Path

from backsight.records.errors import UsageError


class FakeWork:
    """Payload: what to do. 'once:' in front does it only the first time, remembered by a file."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def __call__(self, payload):
        name, action = payload
        with (self.folder / "calls").open("a") as log:
            log.write(f"{name} {os.getpid()}\n")
        once, _, rest = action.rpartition(":")
        marker = self.folder / f"done-{name}"
        if once and marker.exists():
            return f"{name} at last"
        marker.touch()
        return getattr(self, rest)(name)

    def answer(self, name):
        return f"{name} done"

    def threads(self, name):
        return os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]

    def crash(self, name):
        os._exit(7)

    def abort(self, name):
        os.abort()

    def killed(self, name):
        os.kill(os.getpid(), signal.SIGKILL)

    def raising(self, name):
        raise KeyError(f"no such thing as {name}")

    def usage(self, name):
        raise UsageError(f"{name} asks for too much")

    def hang(self, name):
        time.sleep(1000)

    def slow(self, name):
        time.sleep(0.05)
        return name

    def hungry(self, name):
        self.block = b"x" * (400 * 1024**2)
        time.sleep(1000)


class WorkThatCanNotStart:
    """Dies while a worker unpickles it."""

    def __setstate__(self, state):
        os._exit(5)

    def __getstate__(self):
        return {"a": 1}

    def __call__(self, payload):
        return payload
