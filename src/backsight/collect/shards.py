"""Parts of a plan for processes and machines that know nothing of each other."""

from collections import defaultdict

from backsight.collect.config import parse_shard
from backsight.collect.plan import SequencePlan


def shard_plans(plans: list[SequencePlan], shard: str | None) -> list[SequencePlan]:
    """Return the sequences of one part of a plan, in the plan's order.

    Whole places go to one part; the parts have about the same number of frames. A part depends on the plan and on the
    number of parts, never on what other parts have done.

    Args:
        plans: All sequences.
        shard: 'i/n' with i from 1 to n; None is the whole plan.

    Raises:
        ValueError: No such part.
    """
    if shard is None:
        return plans
    number, count = parse_shard(shard)
    frames: defaultdict[str, int] = defaultdict(int)
    for plan in plans:
        frames[plan.place_id] += plan.num_frames
    load = [0] * count
    mine: set[str] = set()
    # Longest first, each to the emptiest part: no two parts differ by more than the longest place.
    for place_id in sorted(frames, key=lambda place: (-frames[place], place)):
        emptiest = min(range(count), key=lambda part: load[part])
        load[emptiest] += frames[place_id]
        if emptiest == number - 1:
            mine.add(place_id)
    return [plan for plan in plans if plan.place_id in mine]
