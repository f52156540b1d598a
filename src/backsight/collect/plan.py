"""What is to be collected: the list of sequences.

The number of sequences is shared out over groups and kinds, each sequence gets a venue in turn, and the sequences of a
venue are put into places. `docs/collection.md` tells it in words.
"""

import hashlib
import itertools
import math
from collections import Counter

import msgspec
import numpy as np

from backsight.collect.config import CollectConfig
from backsight.collect.places import Options, Unplaced, put_into_places
from backsight.collect.seeds import derive_seed, derive_share
from backsight.collect.shares import share_out
from backsight.collect.venues import Venue, can_host, choose_kinds, is_too_cramped, open_venues
from backsight.records.kinds import GROUPS, Kind, Way, kind_named
from backsight.records.vocabulary import CHALLENGES
from backsight.sim.embedded.scans.folder import scan_hash, scan_path

LEAST_BYTES_PER_PIXEL = 0.2
"""Of a finished sequence, all files; measured: 0.7 at 128x96, 0.45 at 256x256, less in larger pictures."""
CHALLENGE_OPTIONS: dict[str, Options] = {"clutter": (("clutter", "1"),)}
"""Options of the scene's id that a challenge needs; lamps are changed during the walk, and the rest is the camera's."""


class SequencePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sequence that is to be collected."""

    sequence_id: str
    place_id: str
    scene_id: str
    """What the simulator loads."""
    scene_type: str
    kind: str
    pattern: str
    seed: int
    """Of this attempt; all randomness of the walk comes from it."""
    num_frames: int
    attempt: int = 0
    """How often quality control has rejected the sequence before."""
    variant: str = ""
    """Variant of the pattern."""
    challenges: tuple[str, ...] = ()
    """Names of `vocabulary.CHALLENGES`."""


def make_plan(config: CollectConfig) -> list[SequencePlan]:
    """Return all sequences of a data set, place after place so that scenes stay loaded.

    An entry depends on the configuration and its own id; workers and shards change nothing.

    Args:
        config: What to collect.

    Raises:
        UsageError: None of the asked for kinds can be collected, or there are no scenes.
    """
    turns = open_venues(config)
    kinds = choose_kinds(config, turns).kinds
    counts = count_kinds(config.num_sequences, kinds)
    hosted: dict[Venue, list[Unplaced]] = {venue: [] for venue in turns}
    begun: Counter[tuple[Venue, ...]] = Counter()
    for kind in kinds:
        hosts = [venue for venue in turns if can_host(config, venue, kind)]
        for number in range(counts[kind.name]):
            walk = _choose_walk(config, kind, number, len(hosts))
            # Where all venues are cramped, some of the walks will still succeed.
            roomy = [venue for venue in hosts if not is_too_cramped(venue.scene_type, walk.challenges)] or hosts
            # Walks with the same venues go on where the one before has stopped, so that venues are balanced.
            same = tuple(dict.fromkeys(roomy))
            hosted[roomy[begun[same] % len(roomy)]].append(walk)
            begun[same] += 1
    return [
        plan_sequence(config, walk, place.place_id, scene_id, place.scene_type)
        for place in put_into_places(config, [(venue, walks) for venue, walks in hosted.items() if walks])
        for scene_id, walk in place.walks
    ]


def count_kinds(num_sequences: int, kinds: tuple[Kind, ...]) -> dict[str, int]:
    """Return the number of sequences of each kind: shared out over groups, then over the kinds of each.

    Args:
        num_sequences: Of all kinds together.
        kinds: Those that are collected; groups without any get nothing.
    """
    groups = [group for group in GROUPS if any(kind.group == group for kind in kinds)]
    counts: dict[str, int] = {}
    for group, total in zip(groups, share_out(num_sequences, [GROUPS[group] for group in groups]), strict=True):
        members = [kind for kind in kinds if kind.group == group]
        shares = share_out(total, [kind.weight for kind in members])
        counts |= {kind.name: share for kind, share in zip(members, shares, strict=True)}
    return counts


def plan_sequence(config: CollectConfig, walk: Unplaced, place_id: str, scene_id: str, scene_type: str) -> SequencePlan:
    """Return the plan of one sequence's first attempt.

    Args:
        config: Seed and lengths.
        walk: What it is to be.
        place_id: Where.
        scene_id: What the simulator loads there.
        scene_type: Of the place.
    """
    return SequencePlan(
        sequence_id=walk.sequence_id,
        place_id=place_id,
        scene_id=scene_id,
        scene_type=scene_type,
        kind=walk.kind.name,
        pattern=walk.way.trajectory,
        seed=derive_seed(config.seed, walk.sequence_id, "attempt 0"),
        num_frames=_draw_length(config, walk.kind, walk.way, derive_share(config.seed, walk.sequence_id, "length")),
        variant=walk.way.variant,
        challenges=walk.challenges,
    )


def plan_attempt(config: CollectConfig, plan: SequencePlan, attempt: int) -> SequencePlan:
    """Return the plan of another try at a sequence: the same length and place, another walk.

    Where its kind is walked in several ways they take turns: a room that one of them cannot do may suit another.

    Args:
        config: What to collect.
        plan: Any attempt's plan of the sequence.
        attempt: 0 for the first try.
    """
    seed = derive_seed(config.seed, plan.sequence_id, f"attempt {attempt}")
    kind = kind_named(plan.kind)
    ways = [] if kind is None else [way for way in kind.ways if _admits(way, plan.num_frames)]
    first = Way(plan.pattern, plan.variant)
    names = [Way(way.trajectory, way.variant) for way in ways]
    way = names[(names.index(first) + attempt - plan.attempt) % len(names)] if first in names else first
    return msgspec.structs.replace(plan, seed=seed, attempt=attempt, pattern=way.trajectory, variant=way.variant)


def _admits(way: Way, num_frames: int) -> bool:
    return way.frames is None or way.frames[0] <= num_frames <= way.frames[1]


def plan_hash(plans: list[SequencePlan]) -> str:
    """Return a hash that changes with anything in a plan; another table of kinds makes another plan.

    Args:
        plans: The plan.
    """
    return hashlib.sha256(msgspec.json.encode(plans)).hexdigest()[:32]


def least_size_bytes(plans: list[SequencePlan], config: CollectConfig) -> int:
    """Return what the sequences will take at the very least; `collect.calibrate` measures what they will take.

    Args:
        plans: Sequences.
        config: Says how large their pictures are.
    """
    frames = sum(plan.num_frames for plan in plans)
    return int(frames * config.width * config.height * LEAST_BYTES_PER_PIXEL)


def scene_hashes(config: CollectConfig, plans: list[SequencePlan]) -> dict[str, str]:
    """Return hashes of the scene files that a plan uses, by keys that name them; empty for scenes that are made.

    Args:
        config: Says where the files are.
        plans: The plan.
    """
    if config.scene_dir is None:
        return {}
    names = sorted({plan.scene_id for plan in plans})
    return {f"scene file {name}": scan_hash(scan_path(config.scene_dir, name)) for name in names}


def _choose_walk(config: CollectConfig, kind: Kind, number: int, venues: int) -> Unplaced:
    challenges = kind.challenges or (_draw_challenges(config, kind, number) if kind.mixes else ())
    options = dict(kind.scene_options)
    for challenge in challenges:
        options |= dict(CHALLENGE_OPTIONS.get(challenge, ()))
    return Unplaced(
        sequence_id=f"{kind.name.replace(' ', '_')}-{number:05d}",
        kind=kind,
        way=way_in_turn(kind.ways, number, venues),
        challenges=challenges,
        options=tuple(sorted(options.items())),
    )


def way_in_turn(ways: tuple[Way, ...], number: int, venues: int) -> Way:
    """Return the way of a kind's sequence: all in turn, and all in turn at each venue as well.

    Args:
        ways: Of the kind.
        number: Of the sequence among its kind's.
        venues: Number of venues that take turns.
    """
    # Where both numbers have a common divisor some ways would never meet some venues: each round begins one later.
    both = math.lcm(len(ways), venues)
    shift = number // both if both < len(ways) * venues else 0
    return ways[(number + shift) % len(ways)]


def _draw_challenges(config: CollectConfig, kind: Kind, number: int) -> tuple[str, ...]:
    """Return the challenges of a mixture: every mixture comes once a round, in an order drawn for the round."""
    mixtures = list(itertools.combinations(CHALLENGES, kind.mixes))
    round_number, turn = divmod(number, len(mixtures))
    seed = derive_seed(config.seed, kind.name, f"round {round_number}")
    return mixtures[np.random.default_rng(seed).permutation(len(mixtures))[turn]]


def _draw_length(config: CollectConfig, kind: Kind, way: Way, share: float) -> int:
    """Return the number of frames below which a share of the triangular distribution lies.

    Args:
        config: Ends and mean.
        kind: Its ends count inside those of the configuration, and the mean comes as near as they allow.
        way: Its ends count instead of the kind's.
        share: Drawn evenly from 0 to 1.
    """
    low, high = config.min_frames, config.max_frames
    ends = way.frames or kind.frames
    if ends is not None:
        low, high = (min(max(end, low), high) for end in ends)
    # The mean of a triangular distribution lies between a third and two thirds of the way.
    mean = min(max(config.mean_frames, (2 * low + high) / 3), (low + 2 * high) / 3)
    mode = min(max(3.0 * mean - low - high, low), high)
    # Half a frame more on either side, so that after rounding the ends get their full share and the mean stays.
    first, last = low - 0.5, high + 0.5
    width, rise, fall = last - first, mode - first, last - mode
    drawn = first + math.sqrt(share * width * rise)
    if share * width > rise:
        drawn = last - math.sqrt((1.0 - share) * width * fall)
    return min(max(round(drawn), low), high)
