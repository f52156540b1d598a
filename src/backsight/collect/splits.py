"""Which places are for training, validation and test."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping

from backsight.storage.dataset import SPLIT_NAMES, SplitName

SPLIT_SHARES: dict[SplitName, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
SMALLEST_STRATUM = 3
"""Scene types with fewer places share one stratum: three splits can't be filled from less."""


def assign_splits(scene_types: Mapping[str, str]) -> dict[str, SplitName]:
    """Return the split of every place: 80 / 10 / 10, by a hash of the place within each scene type.

    Inside a scene type the places are ranked by the sha256 of their id; the first go to test, the next to val, the rest
    to train, with counts by largest remainder. From three places on none is empty. The result for a scene type depends
    only on its own places, so data sets can grow by new scene types; scene types with fewer than three places are
    pooled and ranked together, since they can't fill three splits alone. Fewer than three places in all go to train.

    Args:
        scene_types: Place id to scene type.
    """
    strata: dict[str, list[str]] = defaultdict(list)
    for place_id, scene_type in scene_types.items():
        strata[scene_type].append(place_id)
    large = [places for places in strata.values() if len(places) >= SMALLEST_STRATUM]
    pooled = [place for places in strata.values() if len(places) < SMALLEST_STRATUM for place in places]
    splits: dict[str, SplitName] = {}
    for places in [*large, pooled]:
        ranked = sorted(places, key=lambda place: (hashlib.sha256(place.encode()).digest(), place))
        counts = _split_counts(len(ranked))
        names: list[SplitName] = [name for name in reversed(SPLIT_NAMES) for _ in range(counts[name])]
        splits.update(zip(ranked, names, strict=True))
    return {place_id: splits[place_id] for place_id in sorted(splits)}


def _split_counts(places: int) -> dict[SplitName, int]:
    counts: dict[SplitName, int] = {name: math.floor(share * places + 1e-9) for name, share in SPLIT_SHARES.items()}
    by_remainder = sorted(SPLIT_NAMES, key=lambda name: counts[name] - SPLIT_SHARES[name] * places)
    for name in by_remainder[: places - sum(counts.values())]:
        counts[name] += 1
    for name in SPLIT_NAMES:
        if counts[name] == 0 and places >= SMALLEST_STRATUM:
            counts[name], counts["train"] = 1, counts["train"] - 1
    return counts
