from hypothesis import given
from hypothesis import strategies as st

from backsight.data.sampler import EpochSampler, SamplerState


@given(st.integers(1, 41), st.integers(1, 13), st.integers(0, 99))
def test_an_epoch_draws_every_item_once(num_items, batch_size, seed):
    sampler = EpochSampler(num_items, seed)
    draws = []
    while len(draws) < num_items:
        draws += sampler.next_batch(batch_size)
    assert sorted(d.item for d in draws[:num_items]) == list(range(num_items))


@given(st.integers(1, 41), st.integers(1, 7), st.integers(0, 9), st.integers(0, 9))
def test_resuming_at_any_position_gives_the_same_draws(num_items, batch_size, before, after):
    whole = EpochSampler(num_items, seed=3)
    for _ in range(before):
        whole.next_batch(batch_size)
    resumed = EpochSampler(num_items, seed=3, state=SamplerState(whole.state.epoch, whole.state.position))
    for _ in range(after):
        assert whole.next_batch(batch_size) == resumed.next_batch(batch_size)


@given(st.integers(2, 41), st.integers(1, 5), st.integers(2, 4))
def test_ranks_share_one_global_order(num_items, batch_size, num_ranks):
    alone = EpochSampler(num_items, seed=5).next_batch(batch_size * num_ranks)
    shares = [EpochSampler(num_items, seed=5).next_batch(batch_size, r, num_ranks) for r in range(num_ranks)]
    together = [share[i] for i in range(batch_size) for share in shares]
    assert together == alone


def test_epochs_and_seeds_have_orders_of_their_own():
    sampler = EpochSampler(97, seed=0)
    assert sampler.order(0).tolist() != sampler.order(1).tolist()
    assert sampler.order(0).tolist() != EpochSampler(97, seed=1).order(0).tolist()
