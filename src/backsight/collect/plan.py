"""What is to be collected: the list of sequences."""

import hashlib
from dataclasses import dataclass

import msgspec
import numpy as np

from backsight.collect.config import CollectConfig, habitat_places
from backsight.sim.embedded.scans.folder import list_scans, place_of_scan, scan_hash, scan_path

KIND_OF_PATTERN: dict[str, str] = {"circular": "same place different angles", "room_transition": "smooth"}
"""What a walk of each pattern is collected for."""
BYTES_PER_PIXEL = 0.7
"""Of a finished sequence, all files; measured on flats at 128x96, larger images need less."""

SCAN = "scan"
"""Scene type of scenes from files."""
HABITAT = "habitat"
"""Scene type of Habitat's scenes."""


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


class PlanEstimate(msgspec.Struct, frozen=True):
    """What a plan will amount to."""

    sequences: int
    places: int
    frames: int
    size_bytes: int


def make_plan(config: CollectConfig) -> list[SequencePlan]:
    """Return all sequences of a data set, place after place so that scenes stay loaded.

    An entry depends only on the configuration and its own id: a longer plan starts with the shorter one.

    Args:
        config: What to collect.
    """
    files = _scene_files(config)
    return [_plan_sequence(config, _place(config, files, index)) for index in range(config.num_sequences)]


def plan_attempt(config: CollectConfig, plan: SequencePlan, attempt: int) -> SequencePlan:
    """Return the plan of another try at a sequence: the same length and place, another walk.

    Args:
        config: What to collect.
        plan: Any attempt's plan of the sequence.
        attempt: 0 for the first try.
    """
    seed = _derive_seed(config.seed, plan.sequence_id, f"attempt {attempt}")
    return msgspec.structs.replace(plan, seed=seed, attempt=attempt)


@dataclass(frozen=True)
class _Place:
    """Where one walk takes place."""

    place_id: str
    scene_id: str
    scene_type: str
    name: str
    """Of its sequences, before their number."""
    number: int
    """Of the walk in its place."""
    turn: int
    """Says which pattern's turn it is."""


def _scene_files(config: CollectConfig) -> list[tuple[str, str, str]] | None:
    """Return scene id, place and scene type of every scene that is not made; None where scenes are made."""
    if config.simulator == "habitat":
        places = habitat_places(config.scenes)
        return [(scene_id, place, HABITAT) for scene_id, place in zip(config.scenes, places, strict=True)]
    if config.scene_dir is not None:
        return [(scene_id, place_of_scan(scene_id), SCAN) for scene_id in list_scans(config.scene_dir)]
    return None


def _place(config: CollectConfig, files: list[tuple[str, str, str]] | None, index: int) -> _Place:
    round_number, number = divmod(index, config.sequences_per_place)
    if files is not None:
        # Every file has its walks, then the first one has more.
        again, file = divmod(round_number, len(files))
        number += again * config.sequences_per_place
        scene_id, place_id, scene_type = files[file]
        return _Place(place_id, scene_id, scene_type, place_id, number, file * config.sequences_per_place + number)
    scene_type = config.scene_types[round_number % len(config.scene_types)]
    seed = config.first_place + round_number // len(config.scene_types)
    place_id = f"{scene_type}-{seed}"
    turn = seed * config.sequences_per_place + number
    return _Place(place_id, place_id, scene_type, f"{scene_type}-{seed:05d}", number, turn)


def _plan_sequence(config: CollectConfig, place: _Place) -> SequencePlan:
    sequence_id = f"{place.name}-{place.number:03d}"
    pattern = config.patterns[place.turn % len(config.patterns)]
    return SequencePlan(
        sequence_id=sequence_id,
        place_id=place.place_id,
        scene_id=place.scene_id,
        scene_type=place.scene_type,
        kind=KIND_OF_PATTERN[pattern],
        pattern=pattern,
        seed=_derive_seed(config.seed, sequence_id, "attempt 0"),
        num_frames=_draw_length(config, _derive_seed(config.seed, sequence_id, "length")),
    )


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


def _derive_seed(seed: int, sequence_id: str, purpose: str) -> int:
    """Return 63 bits that depend on every part and on nothing else, on any machine."""
    digest = hashlib.sha256(f"{seed}/{sequence_id}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _draw_length(config: CollectConfig, seed: int) -> int:
    low, high = config.min_frames, config.max_frames
    mode = 3.0 * config.mean_frames - low - high
    # Half a frame more on either side, so that after rounding the ends get their full share and the mean stays.
    drawn = np.random.default_rng(seed).triangular(low - 0.5, mode, high + 0.5)
    return int(np.clip(np.rint(drawn), low, high))


def estimate(plans: list[SequencePlan], config: CollectConfig) -> PlanEstimate:
    """Return what `--dry-run` prints: expected frames and bytes.

    Args:
        plans: The plan.
        config: What it was made from.
    """
    frames = sum(plan.num_frames for plan in plans)
    size_bytes = int(frames * config.width * config.height * BYTES_PER_PIXEL)
    return PlanEstimate(len(plans), len({plan.place_id for plan in plans}), frames, size_bytes)
