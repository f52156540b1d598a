from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backsight.collect.shares import share_out

WEIGHTS = st.lists(st.integers(0, 5000), min_size=1, max_size=40).filter(any)


@given(st.integers(0, 100_000), WEIGHTS)
def test_shares_add_up_and_are_less_than_one_off_what_is_due(total, weights):
    shares = share_out(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        due = Fraction(total * weight, sum(weights))
        assert due - 1 < share < due + 1
        assert weight or not share


@given(st.integers(0, 100_000), WEIGHTS)
def test_nobody_with_a_smaller_remainder_gets_more(total, weights):
    shares = share_out(total, weights)
    due = [Fraction(total * weight, sum(weights)) for weight in weights]
    # Independent of the integer arithmetic: those who were rounded up have the largest remainders.
    remainders = [part - part.__floor__() for part in due]
    up = [remainder for share, part, remainder in zip(shares, due, remainders, strict=True) if share > part]
    down = [remainder for share, part, remainder in zip(shares, due, remainders, strict=True) if share < part]
    assert not up or not down or min(up) >= max(down)


@given(st.integers(0, 10_000), WEIGHTS, st.integers(1, 9))
def test_only_proportions_count(total, weights, factor):
    assert share_out(total, weights) == share_out(total, [factor * weight for weight in weights])


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [(5, [1, 1, 1], [2, 2, 1]), (1, [1, 1], [1, 0]), (7, [3, 0, 2], [4, 0, 3]), (0, [4], [0])],
)
def test_among_equals_the_first_comes_first(total, weights, expected):
    assert share_out(total, weights) == expected
