"""Whole numbers in given proportions."""

from collections.abc import Sequence


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Return whole numbers that add up to a total and are as the weights: the method of the largest remainder.

    Everyone gets the whole part of his due; what is left goes to the largest remainders, among equal ones to the first.

    Args:
        total: 0 or more.
        weights: 0 or more each, one of them positive.
    """
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(total * weights[index] % whole), index))
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares
