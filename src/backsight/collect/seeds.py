"""Numbers that depend on the data set's seed and on names alone, on any machine."""

import hashlib

SEED_BITS = 63


def derive_seed(seed: int, name: str, purpose: str) -> int:
    """Return `SEED_BITS` bits that depend on every argument and on nothing else.

    Args:
        seed: Of the data set.
        name: Of a sequence, place or kind.
        purpose: Different purposes get independent numbers.
    """
    digest = hashlib.sha256(f"{seed}/{name}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)


def derive_share(seed: int, name: str, purpose: str) -> float:
    """Return a number from 0 up to 1, drawn evenly, that depends on every argument and on nothing else.

    Args:
        seed: Of the data set.
        name: Of a sequence, place or kind.
        purpose: Different purposes get independent numbers.
    """
    return derive_seed(seed, name, purpose) / 2.0**SEED_BITS
