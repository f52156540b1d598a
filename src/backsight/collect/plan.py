"""What is to be collected: the configuration, the list of sequences, the split of places."""

import difflib
import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from backsight.records.vocabulary import PATTERNS
from backsight.sim.embedded.scans.folder import list_scans, place_of_scan, scan_hash, scan_path
from backsight.sim.embedded.scenes.scene_id import SCENE_TYPES
from backsight.storage.dataset import SPLIT_NAMES, SplitName
from backsight.storage.layout import MAX_FRAMES

MIN_SIDE_PX, MAX_SIDE_PX = 32, 2048
SPLIT_SHARES: dict[SplitName, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
SMALLEST_STRATUM = 3
"""Scene types with fewer places share one stratum: three splits can't be filled from less."""
KIND_OF_PATTERN: dict[str, str] = {"circular": "same place different angles", "room_transition": "smooth"}
"""What a walk of each pattern is collected for."""
BYTES_PER_PIXEL = 0.7
"""Of a finished sequence, all files; measured on flats at 128x96, larger images need less."""

SCAN = "scan"
"""Scene type of scenes from files."""
HABITAT = "habitat"
"""Scene type of Habitat's scenes."""

_NOT_CONTENT = frozenset(
    {"out", "workers", "sequence_timeout_s", "max_worker_memory_gb", "scene_dir"}
    | {"habitat_python", "habitat_gpu", "scenes", "scene_dataset"}
)


class CollectConfig(BaseModel):
    """What to collect and where to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path = Path("data/collected")
    """Folder of the data set."""
    num_sequences: int = Field(default=100, ge=1, le=1_000_000)
    """Number of sequences."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed of the data set: with the sequence's id it decides the walk."""
    size: str = "640x480"
    """Width x height of the images in pixels; even, 32 to 2048 each."""
    hfov_deg: float = Field(default=79.0, ge=20.0, le=150.0)
    """Horizontal field of view in degrees."""
    camera_height_m: float = Field(default=1.25, ge=0.2, le=2.2)
    """Height of the camera above the floor in metres."""
    frame_rate_hz: float = Field(default=2.0, ge=0.5, le=60.0)
    """Frames a second."""
    min_frames: int = Field(default=16, ge=2, le=MAX_FRAMES)
    """Frames of the shortest sequence."""
    mean_frames: float = Field(default=32.0, ge=2.0, le=MAX_FRAMES)
    """Mean number of frames; lengths follow a triangular distribution."""
    max_frames: int = Field(default=64, ge=2, le=MAX_FRAMES)
    """Frames of the longest sequence."""
    sequences_per_place: int = Field(default=10, ge=1, le=10_000)
    """Walks in each place."""
    first_place: int = Field(default=0, ge=0, lt=2**31)
    """Number of the first place, so that data sets can be kept apart; of made scenes, not of files."""
    scene_types: tuple[str, ...] = ("flat",)
    """Types of scenes that are made, in turn."""
    scene_dir: Path | None = None
    """Folder of scene files (GLB, glTF, OBJ, PLY) to walk in instead, in turn; see docs/scans.md."""
    simulator: Literal["embedded", "habitat"] = "embedded"
    """Where to walk; 'habitat' needs --habitat-python and --scenes, see docs/habitat.md."""
    habitat_python: Path | None = None
    """The Python in whose environment habitat_sim is installed."""
    scenes: tuple[str, ...] = ()
    """Scenes of Habitat, in turn: files, or names that the scene data set knows."""
    scene_dataset: str = "default"
    """Habitat's *.scene_dataset_config.json; without it most scans have no semantics."""
    habitat_gpu: int = Field(default=0, ge=-1, le=63)
    """Graphics device of Habitat, as EGL numbers them; -1 takes whatever there is, Mesa on the CPU among it."""
    habitat_lighting: Literal["scene", "default"] = "scene"
    """How Habitat lights scenes: as the data set says, which for scans is not at all, or with its own lamps."""
    patterns: tuple[str, ...] = ("circular", "room_transition")
    """Trajectory patterns, used in turn."""
    imagined_views: int = Field(default=4, ge=0, le=64)
    """Views of each current frame that are asked for by pose alone: half of them turned, half turned and moved."""
    rgb_samples_per_axis: int = Field(default=1, ge=1, le=8)
    """Colour samples along each side of a pixel; more is smoother and slower."""
    max_retries: int = Field(default=3, ge=0, le=100)
    """How often a sequence that fails quality control is collected anew with the next seed."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that collect at the same time."""
    sequence_timeout_s: float = Field(default=600.0, ge=1.0, le=86_400.0)
    """A worker that takes longer for a sequence is taken for hung and replaced."""
    max_worker_memory_gb: float = Field(default=8.0, ge=0.25, le=1024.0)
    """A worker that holds more memory is replaced."""

    @field_validator("size")
    @classmethod
    def _check_size(cls, size: str) -> str:
        width, separator, height = size.partition("x")
        if not (separator and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
            raise ValueError(f"{size!r} is no image size; write width x height, such as 640x480")
        for side in (int(width), int(height)):
            if not MIN_SIDE_PX <= side <= MAX_SIDE_PX or side % 2:
                raise ValueError(f"{size!r}: use even sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels")
        return f"{int(width)}x{int(height)}"

    @field_validator("patterns")
    @classmethod
    def _check_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        if not patterns:
            raise ValueError(f"name at least one of {', '.join(PATTERNS)}")
        for name in patterns:
            if name not in PATTERNS:
                near = difflib.get_close_matches(name, PATTERNS, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(PATTERNS)}"
                raise ValueError(f"unknown pattern {name!r}{hint}")
        return patterns

    @field_validator("scene_types")
    @classmethod
    def _check_scene_types(cls, scene_types: tuple[str, ...]) -> tuple[str, ...]:
        if not scene_types or len(set(scene_types)) != len(scene_types):
            raise ValueError(f"name each type once, at least one of {', '.join(SCENE_TYPES)}")
        for name in scene_types:
            if name not in SCENE_TYPES:
                near = difflib.get_close_matches(name, SCENE_TYPES, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(SCENE_TYPES)}"
                raise ValueError(f"unknown scene type {name!r}{hint}")
        return scene_types

    @model_validator(mode="after")
    def _check_lengths(self) -> "CollectConfig":
        low, mean, high = self.min_frames, self.mean_frames, self.max_frames
        # A triangular distribution on [low, high] has its mean between a third and two thirds of the way.
        if low > high or not 2 * low + high <= 3 * mean <= low + 2 * high:
            raise ValueError(
                f"mean_frames {mean:g} is not possible with min_frames {low} and max_frames {high}: "
                f"use {(2 * low + high) / 3:.1f} to {(low + 2 * high) / 3:.1f}"
            )
        return self

    @model_validator(mode="after")
    def _check_habitat(self) -> "CollectConfig":
        if self.simulator == "habitat":
            if self.habitat_python is None or not self.scenes:
                raise ValueError("simulator habitat needs habitat_python (its Python) and scenes; see docs/habitat.md")
            if self.scene_dir is not None or self.rgb_samples_per_axis > 1:
                raise ValueError("scene_dir and rgb_samples_per_axis belong to the embedded simulator")
            habitat_places(self.scenes)
        elif self.habitat_python is not None or self.scenes or self.scene_dataset != "default":
            raise ValueError("habitat_python, scenes and scene_dataset need simulator habitat")
        return self

    @property
    def width(self) -> int:
        """Image width in pixels."""
        return int(self.size.split("x")[0])

    @property
    def height(self) -> int:
        """Image height in pixels."""
        return int(self.size.split("x")[1])

    def content(self) -> dict[str, Any]:
        """Return everything that the collected sequences depend on, as plain JSON values."""
        content = self.model_dump(mode="json", exclude=set(_NOT_CONTENT))
        if self.simulator != "habitat":
            return {key: value for key, value in content.items() if key not in ("simulator", "habitat_lighting")}
        # Where the files lie on this machine says nothing about what is in them.
        return content | {"scenes": habitat_places(self.scenes), "scene_dataset": Path(self.scene_dataset).name}


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


def habitat_places(scenes: Sequence[str]) -> list[str]:
    """Return the names of the places of Habitat's scenes: file names without folders and suffixes.

    Args:
        scenes: Files, or names in a scene data set.

    Raises:
        ValueError: Two scenes have one name.
    """
    places = [place_of_scan(Path(scene_id).name.split(".")[0] or "scene") for scene_id in scenes]
    twice = [place for place in places if places.count(place) > 1]
    if twice:
        raise ValueError(f"scenes: {twice[0]} is there twice; walks are named by their scene's file")
    return places


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
