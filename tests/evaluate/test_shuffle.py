from collections import Counter

import numpy as np
import pytest

from backsight.evaluate.samples import EvaluationSample
from backsight.evaluate.shuffle import deranged_history


def sample_of(count, name="walk"):
    return EvaluationSample(name, "flat", 40, np.arange(40 - count, 40), ())


@pytest.mark.parametrize("count", [2, 3, 11, 37])
def test_no_frame_keeps_its_own_image_and_none_is_lost(count):
    for seed in range(23):
        order = deranged_history(sample_of(count), seed)
        assert sorted(order) == list(range(count))
        assert (order != np.arange(count)).all()


def test_a_history_of_one_frame_cannot_be_shuffled():
    assert len(deranged_history(sample_of(1), 0)) == 0


def test_the_order_depends_on_seed_and_sample_alone():
    first = deranged_history(sample_of(13), 3)
    np.testing.assert_array_equal(first, deranged_history(sample_of(13), 3))
    assert not np.array_equal(first, deranged_history(sample_of(13), 4))
    assert not np.array_equal(first, deranged_history(sample_of(13, "other"), 3))


def test_all_derangements_are_drawn_alike():
    drawn = Counter(tuple(deranged_history(sample_of(4), seed).tolist()) for seed in range(900))
    assert len(drawn) == 9
    assert min(drawn.values()) > 60
