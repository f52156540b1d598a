from collections import Counter
from dataclasses import replace as dataclass_replace

import msgspec
import numpy as np
import pytest

from backsight.data.curriculum import Curriculum, CurriculumConfig, item_difficulty
from backsight.data.sampler import EpochSampler, SamplerState

DIFFICULTY = np.linspace(0, 1, 41)


def sampler(state: SamplerState | None = None, epochs: int = 4, seed: int = 3) -> EpochSampler:
    return EpochSampler(41, seed, state, Curriculum(DIFFICULTY, CurriculumConfig(enabled=True, epochs=epochs)))


def mean_difficulty(order: np.ndarray) -> float:
    return float(DIFFICULTY[order % 41].mean())


def test_easy_items_come_first_and_all_alike_in_the_end():
    means = [mean_difficulty(sampler().order(epoch)) for epoch in range(5)]
    assert means[0] < 0.37
    assert means[:4] == sorted(means[:4])
    assert means[4] == pytest.approx(0.5)
    for epoch in (4, 5, 9):
        assert sorted(sampler().order(epoch).tolist()) == list(range(41))


def test_shares_by_hand():
    shares = Curriculum(DIFFICULTY, CurriculumConfig(enabled=True, epochs=4, ratio=8.0)).shares(0)
    assert shares.sum() == pytest.approx(41)
    assert shares[0] / shares[-1] == pytest.approx(8.0)
    assert shares[0] / shares[20] == pytest.approx(8.0**0.5)


def test_counts_are_the_shares_rounded_up_or_down():
    curriculum = sampler().curriculum
    for epoch in range(4):
        counts = Counter((sampler().order(epoch) % 41).tolist())
        for item, share in enumerate(curriculum.shares(epoch)):
            assert counts[item] in (int(np.floor(share)), int(np.ceil(share)))


def test_no_two_draws_of_an_epoch_make_the_same_choices():
    draws = sampler().next_batch(41)
    assert len({draw.item for draw in draws}) < 41
    assert len({draw.seed for draw in draws}) == 41


@pytest.mark.parametrize("taken", [0, 1, 17, 41, 60, 200])
def test_resuming_at_any_position_gives_the_same_draws(taken):
    whole = sampler()
    if taken:
        whole.next_batch(taken)
    resumed = sampler(dataclass_replace(whole.state))
    assert whole.next_batch(97) == resumed.next_batch(97)
    assert sampler(seed=4).next_batch(97) != sampler().next_batch(97)


def test_ranks_share_one_order():
    alone = sampler().next_batch(12)
    shares = [sampler().next_batch(4, rank, 3) for rank in range(3)]
    assert [share[i] for i in range(4) for share in shares] == alone


def test_difficulty_follows_what_is_annotated(make_sequence):
    walk = make_sequence(frames=13).annotations
    easy = walk.instructions[0]
    assert easy.current_frame == 12
    longer = [(0, 4), (0, 8), (0, 12)]
    found = item_difficulty([walk], longer)
    assert found[0] == 0
    assert found[-1] == 1
    harder = msgspec.structs.replace(easy, complexity="complex")
    crowded = msgspec.structs.replace(easy, distractor_ids=(7, 8, 10))
    walks = [msgspec.structs.replace(walk, instructions=(one,)) for one in (easy, harder, crowded)]
    for harder_walk in walks[1:]:
        assert item_difficulty([walks[0], harder_walk], [(0, 12), (1, 12)]).tolist() == [0.0, 1.0]
    turned = np.array(walk.world_from_camera).reshape(-1, 4, 4)
    turned[:-1, :3, :3] = turned[:-1, :3, :3] @ np.diag([-1.0, 1.0, -1.0])
    away = msgspec.structs.replace(walk, world_from_camera=tuple(tuple(pose.ravel().tolist()) for pose in turned))
    assert item_difficulty([walk, away], [(0, 12), (1, 12)]).tolist() == [0.0, 1.0]


def test_items_alike_are_equally_difficult(make_sequence):
    walk = make_sequence(frames=7).annotations
    assert len(set(item_difficulty([walk, walk, walk], [(0, 6), (1, 6), (2, 6)]).tolist())) == 1
    assert len(item_difficulty([walk], [])) == 0
