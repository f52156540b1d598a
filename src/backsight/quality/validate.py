"""Whether a data set on disk is what it says: everything is read and judged again, nothing stored is trusted."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import msgspec

from backsight.quality.check import DEFAULT_LIMITS, IMPORTED_LIMITS, check_sequence
from backsight.quality.limits import QualityLimits
from backsight.records.errors import DataError, EnvironmentProblem
from backsight.records.quality import Finding, QualityReport
from backsight.storage.dataset import SPLIT_NAMES, DatasetInfo, SplitName, read_dataset_info, read_splits
from backsight.storage.layout import (
    DATASET_FILE,
    INCOMING_FOLDER,
    ORDER_PREFIX,
    SEQUENCES_FOLDER,
    SPLITS_FILE,
    belongs_to_root,
    is_own_folder,
    is_report_name,
    is_unfinished,
    list_sequence_ids,
    path_in_dataset,
    sequence_folder,
)
from backsight.storage.manifest import verify_manifest
from backsight.storage.read import read_annotations, read_metadata, read_sequence
from backsight.storage.sealed_json import read_sealed

COLLECTED = "collected"
LEAST_PER_WORKER = 4
"""With fewer sequences for each, starting processes takes longer than they save."""


class ValidationReport(msgspec.Struct, frozen=True):
    """What is wrong with a data set."""

    root: str
    sequences: tuple[QualityReport, ...]
    """Of every sequence that could be read, by id."""
    findings: tuple[Finding, ...]
    """Wrong with files, folders and splits."""
    notes: tuple[Finding, ...]
    """Worth knowing and harmless, such as what a killed collection left in `.incoming`."""
    places: dict[str, int]
    """Split to its number of places."""
    kinds: dict[str, str] = {}
    """Sequence to its kind."""

    @property
    def passed(self) -> bool:
        """Whether there is at least one sequence, all are accepted and nothing is wrong with the files."""
        return bool(self.sequences) and not self.findings and all(report.accepted for report in self.sequences)


class _Judged(msgspec.Struct, frozen=True):
    report: QualityReport | None
    findings: tuple[Finding, ...]
    place_id: str | None
    kind: str = ""


def validate_dataset(
    root: Path, workers: int = 1, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> ValidationReport:
    """Read everything of a data set and return what is wrong; prints nothing.

    Args:
        root: Folder of the data set.
        workers: Processes that read and judge at the same time; the report does not depend on them.
        on_progress: Called with sequences done and their number.

    Raises:
        DataError: The folder is no data set: dataset.json is missing.
        EnvironmentProblem: A process was ended from outside.
    """
    if not (root / DATASET_FILE).is_file():
        raise DataError(root / DATASET_FILE, "file", "is missing", "is this the folder of a data set?")
    findings = list(_tree_findings(root))
    info, splits = _read_root_files(root, findings)
    limits = DEFAULT_LIMITS if info is None or info.source == COLLECTED else IMPORTED_LIMITS
    names = list_sequence_ids(root)
    judged: list[_Judged] = []
    for outcome in _judge_all(root, info, limits, names, workers):
        judged.append(outcome)
        on_progress(len(judged), len(names))
    for outcome in judged:
        findings += outcome.findings
    if splits is not None:
        findings += _split_findings(splits, {outcome.place_id for outcome in judged if outcome.place_id is not None})
    if not names:
        findings.append(Finding(SEQUENCES_FOLDER, "folder", "holds no sequence"))
    return ValidationReport(
        root=str(root),
        sequences=tuple(outcome.report for outcome in judged if outcome.report is not None),
        findings=tuple(findings),
        notes=tuple(_notes(root, info, names)),
        places={name: list((splits or {}).values()).count(name) for name in SPLIT_NAMES},
        kinds={outcome.report.sequence_id: outcome.kind for outcome in judged if outcome.report is not None},
    )


def _judge_all(
    root: Path, info: DatasetInfo | None, limits: QualityLimits, names: list[str], workers: int
) -> Iterator[_Judged]:
    judge = partial(_judge, root, info, limits)
    workers = min(workers, len(names) // LEAST_PER_WORKER)
    if workers < 2:
        yield from map(judge, names)
        return
    # Started afresh: a fork would copy the locks of whatever threads this process has.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(judge, names, chunksize=LEAST_PER_WORKER)
        except BrokenProcessPool as error:
            advice = "it may have run out of memory; use fewer --workers"
            raise EnvironmentProblem(f"{root}: a process that validates was ended: {advice}") from error


def _read_root_files(root: Path, findings: list[Finding]) -> tuple[DatasetInfo | None, dict[str, SplitName] | None]:
    info, splits = None, None
    try:
        info = read_dataset_info(root)
    except DataError as error:
        findings.append(Finding(DATASET_FILE, error.field, error.problem))
    try:
        splits = read_splits(root)
    except DataError as error:
        findings.append(Finding(SPLITS_FILE, error.field, error.problem))
    for path in sorted(path for path in root.iterdir() if is_report_name(path.name)):
        try:
            read_sealed(path)
        except DataError as error:
            findings.append(Finding(path.name, error.field, error.problem))
    return info, splits


def _judge(root: Path, info: DatasetInfo | None, limits: QualityLimits, sequence_id: str) -> _Judged:
    broken = tuple(verify_manifest(sequence_folder(root, sequence_id)))
    try:
        place_id = read_annotations(root, sequence_id).place_id
        if broken:
            return _Judged(None, broken, place_id)
        sequence = read_sequence(root, sequence_id, verify=False)
        size = read_metadata(root, sequence_id)
    except DataError as error:
        named = Path(str(error.path)).relative_to(root).as_posix()
        return _Judged(None, broken or (Finding(named, error.field, error.problem),), None)
    findings: tuple[Finding, ...] = ()
    if info is not None and info.source == COLLECTED and (size.width, size.height) != (info.width, info.height):
        problem = f"is {size.width}x{size.height}, {DATASET_FILE} says {info.width}x{info.height}"
        findings = (Finding(path_in_dataset(sequence_id, "rgb.mp4"), "size", problem),)
    return _Judged(check_sequence(sequence, limits), findings, place_id, sequence.annotations.kind)


def _tree_findings(root: Path) -> list[Finding]:
    """Return files and folders that have no place in a data set."""
    wrong = [path for path in root.iterdir() if not belongs_to_root(path.name)]
    shards = list((root / SEQUENCES_FOLDER).iterdir()) if is_own_folder(root / SEQUENCES_FOLDER) else []
    there = [path for shard in shards for path in (shard.iterdir() if is_own_folder(shard) else [shard])]
    # Looked up afterwards: a collection may be at work, and what it commits meanwhile has its place.
    known = {sequence_folder(root, name) for name in list_sequence_ids(root)}
    wrong += [path for path in there if path not in known]
    return [
        Finding(path.relative_to(root).as_posix(), "file", "has no place in a data set; move it elsewhere")
        for path in sorted(wrong)
    ]


def _split_findings(splits: dict[str, SplitName], places: set[str]) -> list[Finding]:
    # One split a place is the form of the file itself: a key can't occur twice once it has been read and re-sealed.
    findings = [Finding(SPLITS_FILE, "places", f"has no split for {place}") for place in sorted(places - splits.keys())]
    used = {splits[place] for place in places & splits.keys()}
    if len(splits) >= len(SPLIT_NAMES) and set(splits.values()) != set(SPLIT_NAMES):
        empty = sorted(set(SPLIT_NAMES) - set(splits.values()))
        findings.append(Finding(SPLITS_FILE, "places", f"has no place in {', '.join(empty)}"))
    elif len(places) >= len(SPLIT_NAMES) and used != set(SPLIT_NAMES):
        empty = sorted(set(SPLIT_NAMES) - used)
        findings.append(Finding(SPLITS_FILE, "places", f"no sequence lies in {', '.join(empty)}"))
    return findings


def _notes(root: Path, info: DatasetInfo | None, names: list[str]) -> list[Finding]:
    notes = []
    incoming = root / INCOMING_FOLDER
    if incoming.is_dir() and any(incoming.iterdir()):
        notes.append(
            Finding(INCOMING_FOLDER, "folder", "left by a collection that was stopped; the next one removes it")
        )
    notes += [
        Finding(path.name, "file", "left by a process that was stopped; the next collection removes it")
        for path in sorted(root.iterdir())
        if is_unfinished(path.name)
    ]
    ordered = sum(name.startswith(ORDER_PREFIX) for name in names)
    if ordered:
        notes.append(Finding(SEQUENCES_FOLDER, "orders", f"{ordered} sequences beside the plan were ordered"))
    sequences = len(names) - ordered
    if info is not None and sequences < info.num_sequences:
        notes.append(Finding(DATASET_FILE, "num_sequences", f"{sequences} of {info.num_sequences} sequences are there"))
    return notes
