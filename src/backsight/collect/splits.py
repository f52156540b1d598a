"""Which places are for training, validation and test."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from backsight.collect.config import CollectConfig
from backsight.collect.plan import SequencePlan
from backsight.collect.venues import choose_kinds, open_venues
from backsight.storage.dataset import SPLIT_NAMES, SplitName

SPLIT_SHARES: dict[SplitName, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
SMALLEST_STRATUM = 3
"""Scene types with fewer places share one stratum: three splits can't be filled from less."""


def plan_splits(plans: Sequence[SequencePlan], config: CollectConfig) -> dict[str, SplitName]:
    """Return the split of every place of a plan.

    Args:
        plans: All sequences.
        config: Says what is held out.
    """
    return assign_splits({plan.place_id: plan.scene_type for plan in plans}, held_out_places(plans, config.hold_out))


def held_out_places(plans: Sequence[SequencePlan], hold_out: tuple[str, ...]) -> set[str]:
    """Return the places that must not be trained in: those of a held out type, and all that show a held out look.

    Args:
        plans: All sequences.
        hold_out: Scene types, and looks as scene ids write them.
    """
    held_out = frozenset(hold_out)
    return {plan.place_id for plan in plans if held_out & {plan.scene_type, *plan.scene_id.split("+")[1:]}}


def plan_notes(config: CollectConfig, plans: Sequence[SequencePlan]) -> tuple[str, ...]:
    """Return what a user should know of a plan: kinds that are left out and why, and what holding out leaves.

    Args:
        config: What to collect.
        plans: Made from it.

    Raises:
        UsageError: None of the asked for kinds can be collected, or there are no scenes.
    """
    notes = list(choose_kinds(config, open_venues(config)).notes)
    for name in config.hold_out:
        if not held_out_places(plans, (name,)):
            notes.append(f"hold_out {name}: no place of the plan is like that")
    held_out = held_out_places(plans, config.hold_out)
    kinds = Counter(plan.kind for plan in plans)
    kinds.subtract(plan.kind for plan in plans if plan.place_id in held_out)
    only_tested = [kind for kind, others in kinds.items() if others == 0]
    if only_tested:
        notes.append(f"only in the test split, by hold_out: {', '.join(only_tested)}")
    return tuple(notes)


def assign_splits(scene_types: Mapping[str, str], held_out: Collection[str] = ()) -> dict[str, SplitName]:
    """Return the split of every place: 80 / 10 / 10, by a hash of the place within each scene type.

    Held out places go to test before that and do not count towards the shares of the others.

    Inside a scene type the places are ranked by the sha256 of their id; the first go to test, the next to val, the rest
    to train, with counts by largest remainder. From three places on none is empty. The result for a scene type depends
    only on its own places, so data sets can grow by new scene types; scene types with fewer than three places are
    pooled and ranked together, since they can't fill three splits alone. Fewer than three places in all go to train.

    Args:
        scene_types: Place id to scene type.
        held_out: Places that must not be trained in.
    """
    strata: dict[str, list[str]] = defaultdict(list)
    for place_id, scene_type in scene_types.items():
        if place_id not in held_out:
            strata[scene_type].append(place_id)
    large = [places for places in strata.values() if len(places) >= SMALLEST_STRATUM]
    pooled = [place for places in strata.values() if len(places) < SMALLEST_STRATUM for place in places]
    splits: dict[str, SplitName] = {place: "test" for place in scene_types if place in held_out}
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
