"""Counting what a data set holds: everything but its images is read."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np

from backsight.records.dataset_statistics import (
    QUALITY_BINS,
    CategoryCount,
    DatasetStatistics,
    ScoreHistogram,
    Tally,
)
from backsight.records.errors import DataError
from backsight.records.instruction import Instruction
from backsight.records.kinds import GROUPS, KINDS, kind_named, losses_fed
from backsight.records.sequence import SequenceAnnotations
from backsight.records.vocabulary import REASONING_TYPES
from backsight.storage.annotations import SequenceMetadata
from backsight.storage.dataset import SPLIT_NAMES, SplitName, read_dataset_info, read_splits
from backsight.storage.layout import SEQUENCES_FOLDER, list_sequence_ids, sequence_folder
from backsight.storage.read import read_annotations, read_metadata

OTHER = "other"
STATISTICS_FILE = "statistics.json"
_LOSSES = ("geometric", "correspondence", "coherence", "reasoning", "discrimination")


class _Tallies:
    """Tallies by name; names given at the start come first and are there even when they stay empty."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self._counts: dict[str, np.ndarray] = {name: np.zeros(3, dtype=np.int64) for name in names}

    def add(self, name: str, frames: int, size_bytes: int) -> None:
        self._counts.setdefault(name, np.zeros(3, dtype=np.int64))
        self._counts[name] += (1, frames, size_bytes)

    def result(self, *, by_name: bool = False) -> dict[str, Tally]:
        names = sorted(self._counts) if by_name else self._counts
        return {name: Tally(*self._counts[name].tolist()) for name in names}


class _Count:
    """All counters of one pass over a data set."""

    def __init__(self, splits: Mapping[str, SplitName]) -> None:
        self._place_splits = splits
        self.total = _Tallies(("all",))
        self.splits = _Tallies(SPLIT_NAMES)
        self.groups = _Tallies(tuple(GROUPS))
        self.kinds = _Tallies(tuple(kind.name for kind in KINDS))
        self.losses = _Tallies(_LOSSES)
        self.scene_types, self.patterns, self.challenges = _Tallies(), _Tallies(), _Tallies()
        self.by_place = _Tallies()
        self.files: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()
        self.attempts: Counter[int] = Counter()
        self.relations: Counter[str] = Counter()
        self.targets: Counter[str] = Counter(thing=0, place=0, nothing=0)
        self.events: Counter[str] = Counter()
        self.instructions: dict[str, Counter[str]] = {name: Counter() for name in REASONING_TYPES}
        self.texts: set[str] = set()
        self.routes = 0
        self.categories: dict[str, np.ndarray] = {}
        self.scores: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)

    def add(self, walk: SequenceAnnotations, metadata: SequenceMetadata, sizes: dict[str, int]) -> None:
        frames, size_bytes = metadata.num_frames, sum(sizes.values())
        kind = kind_named(walk.kind)
        self.total.add("all", frames, size_bytes)
        named = [
            (self.splits, self._place_splits.get(walk.place_id, OTHER)),
            (self.groups, OTHER if kind is None else kind.group),
            (self.kinds, walk.kind),
            (self.scene_types, walk.scene_type),
            (self.patterns, walk.pattern),
            (self.by_place, walk.place_id),
        ]
        named += [(self.challenges, name) for name in walk.challenges]
        named += [(self.losses, name) for name in losses_fed(walk.kind, walk.pattern)]
        for tallies, name in named:
            tallies.add(name, frames, size_bytes)
        self.files.update(sizes)
        self.lengths[frames] += 1
        self.attempts[walk.attempt] += 1
        self.relations.update(relation.relation for relation in walk.relations)
        self.events.update(event.kind for event in walk.events)
        self.routes += len(walk.routes)
        for instruction in walk.instructions:
            self._add_instruction(instruction)
        self._add_categories(walk)
        for metric, score in metadata.quality.scores.items():
            self.scores[metric].append((score, walk.sequence_id))

    def _add_instruction(self, instruction: Instruction) -> None:
        self.instructions.setdefault(instruction.reasoning_type, Counter())[instruction.complexity] += 1
        self.texts.add(instruction.text)
        if instruction.target_place is not None:
            self.targets["place"] += 1
        else:
            self.targets["thing" if instruction.target_instance_ids else "nothing"] += 1
        if instruction.imagined_view is not None:
            self.targets["imagined view"] += 1

    def _add_categories(self, walk: SequenceAnnotations) -> None:
        category_of = {thing.instance_id: thing.category for thing in walk.objects}
        views = Counter(item.instance_id for shown in walk.visible_objects for item in shown)
        found: defaultdict[str, np.ndarray] = defaultdict(lambda: np.zeros(4, dtype=np.int64))
        for number, count in views.items():
            found[category_of[number]] += (0, 1, count, 0)
        for name in found:
            found[name][0] = 1
        for instruction in walk.instructions:
            for number in instruction.target_instance_ids:
                found[category_of[number]][3] += 1
        for name, counts in found.items():
            self.categories[name] = self.categories.get(name, np.zeros(4, dtype=np.int64)) + counts


def count_dataset(root: Path, on_progress: Callable[[int, int], None] = lambda done, total: None) -> DatasetStatistics:
    """Return what a data set holds; its images are not opened.

    Args:
        root: Folder of the data set.
        on_progress: Called with sequences done and their number.

    Raises:
        DataError: Something is damaged, or there is no sequence.
    """
    info, splits = read_dataset_info(root), read_splits(root)
    names = list_sequence_ids(root)
    if not names:
        raise DataError(root / SEQUENCES_FOLDER, "folder", "holds no sequence", "collect some first")
    count = _Count(splits)
    for done, name in enumerate(names, start=1):
        folder = sequence_folder(root, name)
        sizes = {file.name: file.stat().st_size for file in folder.iterdir()}
        count.add(read_annotations(root, name), read_metadata(root, name), sizes)
        on_progress(done, len(names))
    categories = {
        name: CategoryCount(*counts.tolist())
        for name, counts in sorted(count.categories.items(), key=lambda item: (-item[1][2], item[0]))
    }
    return DatasetStatistics(
        source=info.source,
        simulator=info.simulator,
        simulator_version=info.simulator_version,
        backsight_version=info.backsight_version,
        seed=info.seed,
        width=info.width,
        height=info.height,
        frame_rate_hz=info.frame_rate_hz,
        planned=info.num_sequences,
        total=count.total.result()["all"],
        places={split: sum(found == split for found in splits.values()) for split in SPLIT_NAMES},
        splits=count.splits.result(),
        groups=count.groups.result(),
        kinds=count.kinds.result(),
        losses=count.losses.result(),
        scene_types=count.scene_types.result(by_name=True),
        patterns=count.patterns.result(by_name=True),
        challenges=count.challenges.result(by_name=True),
        by_place=count.by_place.result(by_name=True),
        files=dict(sorted(count.files.items())),
        lengths=dict(sorted(count.lengths.items())),
        attempts=dict(sorted(count.attempts.items())),
        categories=categories,
        relations=dict(count.relations.most_common()),
        instructions={name: dict(sorted(of_type.items())) for name, of_type in count.instructions.items()},
        targets=dict(count.targets),
        texts=len(count.texts),
        routes=count.routes,
        events=dict(sorted(count.events.items())),
        quality={metric: _histogram(scores) for metric, scores in count.scores.items()},
    )


def statistics_bytes(statistics: DatasetStatistics) -> bytes:
    """Return the content of `statistics.json`.

    Args:
        statistics: Of a data set.
    """
    return msgspec.json.format(msgspec.json.encode(statistics), indent=1) + b"\n"


def _histogram(scores: list[tuple[float, str]]) -> ScoreHistogram:
    lowest, name = min(scores)
    values = np.array([score for score, _ in scores], dtype=np.float64)
    counts, _ = np.histogram(values, bins=QUALITY_BINS, range=(0.0, 1.0))
    return ScoreHistogram(float(values.mean()), lowest, name, tuple(counts.tolist()))
