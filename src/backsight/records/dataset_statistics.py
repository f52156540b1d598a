"""What a data set holds, in numbers."""

import msgspec

QUALITY_BINS = 20
"""Bins of the histograms of quality scores, from 0 to 1."""


class Tally(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many sequences with so many frames and bytes."""

    sequences: int = 0
    frames: int = 0
    size_bytes: int = 0


class CategoryCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often things of a category are seen."""

    sequences: int
    """Sequences in which at least one frame shows one."""
    things: int
    """Different things seen, counted anew in each sequence."""
    views: int
    """Frames that show a thing, added up over things."""
    targets: int
    """Instructions whose target is one."""


class ScoreHistogram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Scores of one quality metric, as collection stored them."""

    mean: float
    lowest: float
    lowest_in: str
    """Sequence id."""
    counts: tuple[int, ...]
    """`QUALITY_BINS` bins of equal width."""


class DatasetStatistics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Counts of one data set; written to `statistics.json`."""

    source: str
    simulator: str
    simulator_version: str
    backsight_version: str
    seed: int
    width: int
    height: int
    frame_rate_hz: float
    planned: int
    """Sequences that the plan asks for."""
    total: Tally
    places: dict[str, int]
    """Of each split."""
    splits: dict[str, Tally]
    groups: dict[str, Tally]
    """'other' for kinds that are not in the plan."""
    kinds: dict[str, Tally]
    losses: dict[str, Tally]
    """Losses that each sequence feeds; one sequence may feed several."""
    scene_types: dict[str, Tally]
    patterns: dict[str, Tally]
    challenges: dict[str, Tally]
    by_place: dict[str, Tally]
    files: dict[str, int]
    """Bytes of all files of a name."""
    lengths: dict[int, int]
    """Frames of a sequence to number of sequences."""
    attempts: dict[int, int]
    """Rejections before a sequence was accepted to number of sequences."""
    categories: dict[str, CategoryCount]
    relations: dict[str, int]
    """Stored relations by word."""
    instructions: dict[str, dict[str, int]]
    """Reasoning type to complexity to number."""
    targets: dict[str, int]
    """Instructions whose target is a thing, a place, or nothing; those about an imagined view are counted besides."""
    texts: int
    """Different instruction texts."""
    routes: int
    """Routes told in words."""
    events: dict[str, int]
    quality: dict[str, ScoreHistogram]
