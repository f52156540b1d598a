import importlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from backsight.collect.supervise import Job, SupervisorConfig, supervise
from backsight.records.errors import EnvironmentProblem, UsageError

HERE = str(Path(__file__).parent)


@pytest.fixture
def fake(monkeypatch, tmp_path):
    # Spawned workers get this process's sys.path and import the module by its plain name.
    monkeypatch.syspath_prepend(HERE)
    return importlib.import_module("fake_work").FakeWork(str(tmp_path))


def jobs_of(actions: dict[str, str], groups: dict[str, str] | None = None) -> list[Job]:
    return [Job(name, (groups or {}).get(name, name), (name, action)) for name, action in actions.items()]


def calls(folder: Path) -> list[tuple[str, str]]:
    return [tuple(line.split()) for line in (folder / "calls").read_text().splitlines()]


def test_every_job_is_done_once_and_a_group_stays_with_its_worker(fake, tmp_path):
    names = [f"job{i}" for i in range(23)]
    groups = {name: f"place{i // 8}" for i, name in enumerate(names)}
    jobs = jobs_of(dict.fromkeys(names, "slow"), groups)
    report = supervise(jobs, fake, SupervisorConfig(workers=2))
    assert report.results == {name: name for name in names}
    done = calls(tmp_path)
    assert sorted(name for name, _ in done) == sorted(names)
    changes = 0
    for worker in {pid for _, pid in done}:
        order = [groups[name] for name, pid in done if pid == worker]
        changes += sum(a != b for a, b in itertools.pairwise(order))
    assert len({pid for _, pid in done}) == 2
    assert changes <= 3


def test_whatever_befalls_a_worker_its_job_is_tried_again(fake):
    actions = {name: f"once:{name}" for name in ("crash", "abort", "killed", "raising")}
    actions |= {f"plain{i}": "answer" for i in range(5)}
    report = supervise(jobs_of(actions), fake, SupervisorConfig(workers=2))
    assert report.poisoned == []
    assert report.retried == 4
    assert {report.results[name] for name in ("crash", "abort", "killed", "raising")} == {
        "crash at last",
        "abort at last",
        "killed at last",
        "raising at last",
    }
    assert len(report.results) == 9


def test_three_failures_put_a_job_on_the_poison_list_with_its_last_error(fake, tmp_path):
    jobs = jobs_of({"bad": "raising", "dead": "killed", "fine": "answer"})
    report = supervise(jobs, fake, SupervisorConfig(workers=1))
    assert report.results == {"fine": "fine done"}
    errors = {poisoned.job_id: poisoned for poisoned in report.poisoned}
    assert errors["bad"].failures == errors["dead"].failures == 3
    assert "KeyError: 'no such thing as bad'" in errors["bad"].last_error
    assert "SIGKILL" in errors["dead"].last_error
    assert [name for name, _ in calls(tmp_path)].count("bad") == 3


def test_a_hung_worker_is_killed_and_its_job_tried_again(fake):
    began = time.monotonic()
    jobs = jobs_of({"stuck": "once:hang", "fine": "answer"})
    report = supervise(jobs, fake, SupervisorConfig(workers=1, job_timeout_s=1.0))
    assert report.results == {"stuck": "stuck at last", "fine": "fine done"}
    assert time.monotonic() - began < 20


def test_a_worker_that_takes_too_much_memory_is_killed(fake):
    jobs = jobs_of({"large": "once:hungry"})
    report = supervise(jobs, fake, SupervisorConfig(max_memory_bytes=380 * 1024**2))
    assert report.results == {"large": "large at last"}
    assert report.retried == 1


def test_an_error_that_concerns_all_jobs_ends_everything(fake):
    report = supervise(jobs_of({"large": "usage", "fine": "answer"}), fake, SupervisorConfig())
    assert isinstance(report.fatal, UsageError)
    assert str(report.fatal) == "large asks for too much"
    assert report.results == {}


def test_workers_that_can_not_start_are_no_endless_loop(monkeypatch):
    monkeypatch.syspath_prepend(HERE)
    work = importlib.import_module("fake_work").WorkThatCanNotStart()
    report = supervise([Job("a", "a", "a")], work, SupervisorConfig())
    assert isinstance(report.fatal, EnvironmentProblem)
    assert "exit status 5" in str(report.fatal)


def test_jobs_are_called_poisoned_only_after_some_job_was_done(fake):
    told = []
    # In one group, where a lost job is tried again at once.
    actions = {"bad": "raising", "worse": "raising", "fine": "answer", "worst": "raising"}
    jobs = jobs_of(actions, dict.fromkeys(actions, "group"))
    report = supervise(jobs, fake, SupervisorConfig(), lambda progress: told.append(progress), told.append)
    assert [lost.job_id for lost in report.poisoned] == ["bad", "worse", "worst"]
    answered = next(i for i, item in enumerate(told) if getattr(item, "done", 0))
    names = [(i, item.job_id) for i, item in enumerate(told) if hasattr(item, "job_id")]
    assert [name for _, name in names] == ["bad", "worse", "worst"]
    assert names[0][0] == answered - 2
    told.clear()
    report = supervise(jobs_of(dict.fromkeys("abc", "raising")), fake, SupervisorConfig(), on_poisoned=told.append)
    assert isinstance(report.fatal, EnvironmentProblem)
    assert told == []


def test_workers_have_one_numeric_thread_and_the_parent_keeps_its_own(fake, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    report = supervise(jobs_of({"a": "threads"}), fake, SupervisorConfig())
    assert report.results == {"a": ("1", "1")}
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_work_with_what_is_done_and_no_process_left(fake, tmp_path, number):
    names = [f"job{i}" for i in range(500)]
    seen = []

    def stop_after_three(progress):
        seen.append(progress)
        if progress.done == 3 and progress.last_result is not None:
            threading.Timer(0.0, os.kill, (os.getpid(), number)).start()

    before = signal.getsignal(number)
    report = supervise(jobs_of(dict.fromkeys(names, "slow")), fake, SupervisorConfig(workers=2), stop_after_three)
    assert report.interrupted
    assert 3 <= len(report.results) < 100
    assert signal.getsignal(number) is before
    for pid in {int(pid) for _, pid in calls(tmp_path)}:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_end_when_their_parent_is_killed(tmp_path):
    script = f"""
import sys
sys.path.insert(0, {HERE!r})
from fake_work import FakeWork
from backsight.collect.supervise import Job, SupervisorConfig, supervise
if __name__ == "__main__":
    supervise([Job("a", "a", ("a", "hang"))], FakeWork({str(tmp_path)!r}), SupervisorConfig())
"""
    (tmp_path / "main.py").write_text(script)
    with subprocess.Popen([sys.executable, str(tmp_path / "main.py")]) as parent:
        deadline = time.monotonic() + 30
        while not (tmp_path / "calls").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        parent.kill()
    worker = int(calls(tmp_path)[0][1])
    while time.monotonic() < deadline and Path(f"/proc/{worker}").exists():
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists() or "Z" in Path(f"/proc/{worker}/stat").read_text().split()[2]
