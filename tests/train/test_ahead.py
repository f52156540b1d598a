import threading

import pytest

from backsight.data.sampler import EpochSampler, SamplerState
from backsight.records.errors import DataError
from backsight.train.ahead import BatchesAhead


@pytest.mark.parametrize("ahead", [1, 3])
def test_batches_come_in_the_samplers_order_with_its_state(ahead):
    plain, sampler = EpochSampler(7, seed=5), EpochSampler(7, seed=5)
    with BatchesAhead(tuple, sampler, 3, ahead=ahead) as batches:
        for _ in range(5):
            expected = tuple(plain.next_batch(3))
            assert batches.next() == (expected, plain.state)


def test_going_on_from_a_returned_state_misses_nothing():
    with BatchesAhead(tuple, EpochSampler(11, seed=2), 2, ahead=3) as batches:
        first = [batches.next() for _ in range(6)]
    state = first[2][1]
    assert state == SamplerState(0, 6)
    with BatchesAhead(tuple, EpochSampler(11, seed=2, state=state), 2, ahead=2) as batches:
        assert [batches.next() for _ in range(3)] == first[3:]


def test_ranks_share_the_draws_of_a_step():
    both = []
    for rank in (0, 1):
        with BatchesAhead(tuple, EpochSampler(7, seed=1), 2, rank, 2) as batches:
            both.append([batches.next()[0] for _ in range(3)])
    whole = EpochSampler(7, seed=1)
    for one, other in zip(*both, strict=True):
        assert {*one, *other} == set(whole.next_batch(4))


def test_the_next_batch_is_built_while_the_last_one_is_used():
    second = threading.Event()
    calls = []

    def build(draws):
        calls.append(draws)
        if len(calls) == 2:
            second.set()
        return draws

    with BatchesAhead(build, EpochSampler(5, seed=0), 1) as batches:
        batches.next()
        assert second.wait(timeout=10)


def test_what_building_raises_is_raised():
    def build(draws):
        raise DataError("walk", "rgb", "damaged")

    with BatchesAhead(build, EpochSampler(5, seed=0), 1) as batches, pytest.raises(DataError, match="damaged"):
        batches.next()
