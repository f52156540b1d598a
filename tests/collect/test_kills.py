"""SIGKILL of workers and of the supervisor, at every file operation in turn and at random moments.

After each kill there are whole sequences only, and after resuming the bytes are those of an undisturbed run.
"""

import os
import random
import signal
import time

import psutil
import pytest

WORKER_OPERATIONS, SUPERVISOR_OPERATIONS = 43, 21
"""What a worker does to files for one sequence, and the supervisor for one run: makes folders, opens, writes the first
half, writes the rest, syncs, renames."""
RANDOM_KILLS = 8
"""Of workers, and as many of the supervisor: 80 kills in all."""


@pytest.fixture(scope="module")
def undisturbed(faults, runs):
    config = faults[0].config_for(runs.folder / "undisturbed", workers=1)
    assert runs.run(config) == (0, "")
    content = faults[0].content_of(config.out)
    assert len(content) == 6 * 6
    return content


def kill_at(faults, runs, undisturbed, process: str, operation: int) -> None:
    fault_runs, fake_collect = faults
    config = fault_runs.config_for(runs.folder / f"{process}-{operation}")
    status, output = runs.run(config, process=process, kill_at=operation)
    if process == "worker":
        # The supervisor has looked at the disk when it lost the worker, and has gone on without it.
        assert (status, output) == (0, "lost a worker []\n")
    else:
        assert status == -signal.SIGKILL, f"the supervisor has no operation {operation} to be killed at: {output}"
        assert fake_collect.wrong_in(config.out) == []
        assert runs.run(config)[0] == 0
    assert fake_collect.wrong_in(config.out) == []
    assert fault_runs.content_of(config.out) == undisturbed
    assert not (config.out / ".incoming").exists()


def kill_at_random(faults, runs, undisturbed, victim: str, number: int) -> None:
    fault_runs, fake_collect = faults
    config = fault_runs.config_for(runs.folder / f"random-{victim}-{number}")
    # Three rounds of two workers: it takes longer than the longest wait, on a fast machine too.
    pid = runs.start(config, seconds=0.25)
    generator = random.Random(f"{victim} {number}")
    time.sleep(generator.uniform(0.05, 0.6))
    found = [pid] if victim == "supervisor" else [child.pid for child in psutil.Process(pid).children()]
    if found:
        os.kill(generator.choice(found), signal.SIGKILL)
    status, output = runs.finish()
    assert status in (0, -signal.SIGKILL), output
    assert set(output.splitlines()) <= {"lost a worker []"}, output
    assert fake_collect.wrong_in(config.out) == []
    assert runs.run(config)[0] == 0
    assert fault_runs.content_of(config.out) == undisturbed


@pytest.mark.parametrize(
    ("process", "operation"), [("worker", 2), ("worker", 21), ("supervisor", 6), ("supervisor", 15)]
)
def test_a_kill_at_a_file_operation(faults, runs, undisturbed, process, operation):
    kill_at(faults, runs, undisturbed, process, operation)


@pytest.mark.parametrize(
    ("victim", "number"), [("worker", 101), ("worker", 102), ("supervisor", 101), ("supervisor", 102)]
)
def test_a_kill_at_a_random_moment(faults, runs, undisturbed, victim, number):
    kill_at_random(faults, runs, undisturbed, victim, number)


@pytest.mark.slow
@pytest.mark.parametrize("operation", range(1, WORKER_OPERATIONS + 1))
def test_a_worker_killed_at_each_file_operation(faults, runs, undisturbed, operation):
    kill_at(faults, runs, undisturbed, "worker", operation)


@pytest.mark.slow
@pytest.mark.parametrize("operation", range(1, SUPERVISOR_OPERATIONS + 1))
def test_the_supervisor_killed_at_each_file_operation(faults, runs, undisturbed, operation):
    kill_at(faults, runs, undisturbed, "supervisor", operation)


@pytest.mark.slow
def test_there_is_no_further_file_operation(faults, runs):
    config = faults[0].config_for(runs.folder / "count", workers=1, num_sequences=1)
    assert runs.run(config, process="worker", kill_at=WORKER_OPERATIONS + 1) == (0, "")
    config = faults[0].config_for(runs.folder / "count-more", workers=1, num_sequences=1)
    assert runs.run(config, process="supervisor", kill_at=SUPERVISOR_OPERATIONS + 1) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(RANDOM_KILLS))
@pytest.mark.parametrize("victim", ["worker", "supervisor"])
def test_kills_at_random_moments(faults, runs, undisturbed, victim, number):
    kill_at_random(faults, runs, undisturbed, victim, number)
