"""What becomes of a planned sequence whose first attempts fail."""

import functools

import pytest

import backsight.collect.work as working
import factories
from backsight.collect.config import CollectConfig
from backsight.collect.instructions.make import FalseInstructionError
from backsight.collect.plan import make_plan
from backsight.collect.sequence import TooFewTargetsError
from backsight.collect.trajectories.smooth import TrajectoryError


@pytest.fixture
def work_that_fails_first(tmp_path, monkeypatch, box_room_simulator):
    return functools.partial(run_work, tmp_path, monkeypatch, box_room_simulator)


def run_work(tmp_path, monkeypatch, simulator, errors):
    config = CollectConfig(out=tmp_path, num_sequences=1, size="64x48", kinds=("smooth",), scene_types=("flat",))
    tried = []

    def collect(plan, simulator, config):
        tried.append((plan.attempt, plan.seed))
        if plan.attempt < len(errors):
            raise errors[plan.attempt]
        size = {"width": config.width, "height": config.height}
        return factories.make_sequence(plan.sequence_id, frames=5, place_id=plan.place_id, imagined=2, **size)

    monkeypatch.setattr(working, "collect_sequence", collect)
    work = working.CollectWork(config, lambda config: simulator)
    return work(make_plan(config)[0]), tried


@pytest.mark.parametrize("error", [TrajectoryError, TooFewTargetsError, FalseInstructionError])
def test_the_next_attempt_has_another_seed_and_the_reason_is_kept(work_that_fails_first, error):
    outcome, tried = work_that_fails_first([error("not here"), error("nor here")])
    assert outcome.accepted
    assert outcome.rejections == ("not here", "nor here")
    assert [attempt for attempt, _ in tried] == [0, 1, 2]
    assert len({seed for _, seed in tried}) == 3


def test_a_fault_of_the_program_is_not_a_rejection(work_that_fails_first):
    with pytest.raises(ZeroDivisionError):
        work_that_fails_first([ZeroDivisionError()])
