"""Collection of the analytic box room with faults on request; imported by name in spawned workers.

`BACKSIGHT_TEST_FAULTS` holds JSON: `process` (worker or supervisor), `kill_at` (the file operation before which the
process kills itself), `full_at` (the write that finds the disk full), `marker` (a file that remembers that it has
happened, so that it happens once), `acts` (sequence id to what befalls the worker that collects it).
"""

import errno
import io
import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import backsight.collect.work
import factories
from backsight.collect import worker
from backsight.collect.config import CollectConfig
from backsight.collect.dataset_run import collect_dataset
from backsight.collect.orders import serve_orders
from backsight.quality.validate import validate_dataset
from backsight.records.errors import BacksightError
from backsight.sim.embedded.scans.folder import scan_path
from backsight.storage.layout import LOCK_FILE, list_sequence_ids


class FileOperations:
    """Counts what this process does to files under a folder; at one of them something happens."""

    def __init__(self, root, faults):
        self.root, self.faults, self.count, self.writes = str(root), faults, 0, 0
        # A forked worker has its supervisor's counter in its memory; it is not meant.
        self.owner = os.getpid()
        self.real_open = io.open

    def install(self):
        io.open = self.open
        for name in ("fsync", "rename", "replace", "mkdir"):
            setattr(os, name, self.counted(getattr(os, name)))

    def counted(self, function):
        def call(*arguments, **keywords):
            if isinstance(arguments[0], int) or str(arguments[0]).startswith(self.root):
                self.step()
            return function(*arguments, **keywords)

        return call

    def open(self, file, mode="r", *arguments, **keywords):
        opened = self.real_open(file, mode, *arguments, **keywords)
        mine = isinstance(file, str | Path) and str(file).startswith(self.root) and LOCK_FILE not in str(file)
        if not mine or "w" not in mode:
            return opened
        self.step()
        return CountedFile(opened, self)

    def happened(self):
        # Two workers come to the same operation at about the same time: one of them must win.
        try:
            os.close(os.open(self.faults["marker"], os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return True
        return False

    def step(self):
        if os.getpid() != self.owner:
            return
        self.count += 1
        if self.count == self.faults.get("kill_at") and not self.happened():
            os.kill(os.getpid(), signal.SIGKILL)

    def full(self):
        self.writes += 1
        return self.faults.get("full_at") is not None and self.writes >= self.faults["full_at"]


class CountedFile:
    def __init__(self, file, operations):
        self.file, self.operations = file, operations

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, data):
        self.operations.step()
        half = len(data) // 2
        self.file.write(data[:half])
        self.file.flush()
        # Here the file is half written.
        self.operations.step()
        if self.operations.full():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.file.name)
        self.file.write(data[half:])

    def flush(self):
        self.file.flush()

    def fileno(self):
        return self.file.fileno()


def faults():
    return json.loads(os.environ.get("BACKSIGHT_TEST_FAULTS", "{}"))


def wrong_in(root: Path) -> list[str]:
    """What `validate` finds in sequences and root files, other than that something is not there yet."""
    if not (root / "dataset.json").exists():
        # Killed before it was written: there must be no sequence either.
        return list_sequence_ids(root)
    report = validate_dataset(root)
    wrong = [f"{finding.path}: {finding.problem}" for finding in report.findings]
    early = ("holds no sequence", "no sequence lies in", "is missing")
    wrong = [text for text in wrong if text.startswith("sequences/") or not any(word in text for word in early)]
    return wrong + [quality.sequence_id for quality in report.sequences if not quality.accepted]


def serve_runs(forked):
    """Read requests line by line, do each in a forked process, and answer with its id and then its end.

    With `forked`, workers are forked too: they start in milliseconds instead of the seconds that the imports take.
    What a kill does to them is the same.
    """
    if forked:
        worker.START_METHOD = "fork"
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_run(request))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(request):
    """Collect what a request asks for; its output goes to the file that it names."""
    descriptor = os.open(request["output"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ["BACKSIGHT_TEST_FAULTS"] = json.dumps(request["faults"])
    config = CollectConfig(**request["config"])
    install_faults(config.out, "supervisor")
    lost = [0]

    def look(progress):
        # What is on disk at the moment at which a worker was lost?
        if progress.retried > lost[0]:
            lost[0] = progress.retried
            print("lost a worker", wrong_in(config.out), flush=True)

    try:
        if request.get("serve"):
            taken = serve_orders(config, make_simulator=make_simulator, idle_timeout_s=request["serve"])
            print(f"took {taken} orders", flush=True)
            return 0
        report = collect_dataset(config, make_simulator=make_simulator, retry_failed=request["retry"], on_progress=look)
    except BacksightError as error:
        print(error, flush=True)
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    except Exception:  # noqa: BLE001 - the test wants to read whatever it was
        traceback.print_exc()
        sys.stderr.flush()
        return 99
    return 0 if report.complete else 1


def install_faults(root, process):
    operations = FileOperations(root, faults())
    if faults().get("process") == process:
        operations.install()
    return operations


def make_simulator(config):
    """Return what stands in for a simulator; in a worker, let walks come from the factories."""
    if multiprocessing.parent_process() is not None:
        backsight.collect.work.collect_sequence = collect_sequence
        install_faults(config.out, "worker")
    return FakeRoom()


class FakeRoom:
    name, version, notes = "analytic", "1", ()


def collect_sequence(plan, simulator, config):
    for folder in (path for path in [os.environ.get("BACKSIGHT_TEST_CALLS")] if path):
        with Path(folder).open("a") as log:
            log.write(f"{plan.sequence_id} {os.getpid()}\n")
    if config.scene_dir is not None:
        scan_path(config.scene_dir, plan.scene_id)
    act = faults().get("acts", {}).get(plan.sequence_id)
    if act is not None:
        befall(act)
    time.sleep(faults().get("seconds", 0.0))
    number = sum(plan.sequence_id.encode()) % 5
    return factories.make_sequence(
        plan.sequence_id,
        frames=plan.num_frames,
        width=config.width,
        height=config.height,
        seed=number,
        place_id=plan.place_id,
        imagined=2,
    )


def befall(act):
    once, _, name = act.rpartition(":")
    if once:
        marker = Path(once)
        if marker.exists():
            return
        marker.touch()
    if name == "raise":
        raise ValueError("the walk fell over")
    if name == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    if name == "swell":
        block = b"x" * (600 * 1024**2)
        time.sleep(1000.0)
        assert block
