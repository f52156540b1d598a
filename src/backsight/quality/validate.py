"""Whether a data set on disk is what it says: everything is read and judged again, nothing stored is trusted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
from rich.table import Table

from backsight.quality.check import DEFAULT_LIMITS, IMPORTED_LIMITS, METRICS, check_sequence, rejection_reason
from backsight.quality.limits import QualityLimits
from backsight.records.errors import DataError
from backsight.records.quality import Finding, QualityReport
from backsight.storage.dataset import SPLIT_NAMES, DatasetInfo, SplitName, read_dataset_info, read_splits
from backsight.storage.layout import (
    DATASET_FILE,
    INCOMING_FOLDER,
    SEQUENCES_FOLDER,
    SPLITS_FILE,
    belongs_to_root,
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

    @property
    def passed(self) -> bool:
        """Whether there is at least one sequence, all are accepted and nothing is wrong with the files."""
        return bool(self.sequences) and not self.findings and all(report.accepted for report in self.sequences)


class _Judged(msgspec.Struct, frozen=True):
    report: QualityReport | None
    findings: tuple[Finding, ...]
    place_id: str | None


def validate_dataset(
    root: Path, workers: int = 1, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> ValidationReport:
    """Read everything of a data set and return what is wrong; prints nothing.

    Args:
        root: Folder of the data set.
        workers: Threads that read and judge at the same time.
        on_progress: Called with sequences done and their number.

    Raises:
        DataError: The folder is no data set: dataset.json is missing.
    """
    if not (root / DATASET_FILE).is_file():
        raise DataError(root / DATASET_FILE, "file", "is missing", "is this the folder of a data set?")
    findings = list(_tree_findings(root))
    info, splits = _read_root_files(root, findings)
    limits = DEFAULT_LIMITS if info is None or info.source == COLLECTED else IMPORTED_LIMITS
    names = list_sequence_ids(root)
    judged: list[_Judged] = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for outcome in pool.map(partial(_judge, root, info, limits), names):
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
        notes=tuple(_notes(root, info, len(names))),
        places={name: list((splits or {}).values()).count(name) for name in SPLIT_NAMES},
    )


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
    return _Judged(check_sequence(sequence, limits), findings, place_id)


def _tree_findings(root: Path) -> list[Finding]:
    """Return files and folders that have no place in a data set."""
    wrong = [path for path in root.iterdir() if not belongs_to_root(path.name)]
    known = {sequence_folder(root, name) for name in list_sequence_ids(root)}
    shards = list((root / SEQUENCES_FOLDER).iterdir()) if (root / SEQUENCES_FOLDER).is_dir() else []
    for shard in shards:
        wrong += [path for path in shard.iterdir() if path not in known] if shard.is_dir() else [shard]
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


def _notes(root: Path, info: DatasetInfo | None, sequences: int) -> list[Finding]:
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
    if info is not None and sequences < info.num_sequences:
        notes.append(Finding(DATASET_FILE, "num_sequences", f"{sequences} of {info.num_sequences} sequences are there"))
    return notes


def render_table(report: ValidationReport, worst: int = 10) -> Table:
    """Return the table that `validate` prints: scores over all sequences, then what is wrong.

    Args:
        report: Of a data set.
        worst: How many problems are listed.
    """
    accepted = sum(sequence.accepted for sequence in report.sequences)
    verdict = "passed" if report.passed else "falls short"
    title = f"{report.root}: {verdict}, {accepted} of {len(report.sequences)} sequences accepted"
    table = Table(title=title, title_justify="left")
    for heading in ("metric", "mean", "lowest", "lowest in"):
        table.add_column(heading, justify="right" if heading in ("mean", "lowest") else "left")
    for metric in METRICS:
        scored = [(sequence.scores[metric], sequence.sequence_id) for sequence in report.sequences]
        if scored:
            low, name = min(scored)
            mean = sum(score for score, _ in scored) / len(scored)
            table.add_row(metric, f"{mean:.3f}", f"{low:.3f}", name)
    table.add_section()
    problems = [(item.path, f"{item.field}: {item.problem}") for item in report.findings]
    problems += [
        (sequence.sequence_id, rejection_reason(sequence)) for sequence in report.sequences if not sequence.accepted
    ]
    for path, problem in problems[:worst]:
        table.add_row("problem", "", "", f"{path}: {problem}")
    if len(problems) > worst:
        table.add_row("problem", "", "", f"and {len(problems) - worst} more")
    for note in report.notes:
        table.add_row("note", "", "", f"{note.path}: {note.problem}")
    return table
