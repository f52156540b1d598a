"""What quality control rejects: clean sequences of all kinds (none should be), and defects put into them (all should)."""

import pickle
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tyro
from quality_defects import DEFECTS, Defect, matches
from rich.console import Console
from rich.table import Table

from backsight.collect.plan import CollectConfig, make_plan
from backsight.collect.sequence import collect_sequence
from backsight.quality.check import check_sequence, rejection_reason
from backsight.records.errors import BacksightError
from backsight.records.quality import LEAST_SCORE, QualityReport
from backsight.records.sequence import Sequence
from backsight.sim.embedded.simulator import EmbeddedSimulator
from backsight.storage.layout import list_sequence_ids
from backsight.storage.read import read_sequence


@dataclass
class Arguments:
    """What to judge."""

    data: Path | None = None
    """Folder of a collected data set; without one, sequences are collected first."""
    kept: Path | None = None
    """File that collected sequences are kept in, or taken from when it is there."""
    sequences: int = 200
    size: str = "128x96"
    seed: int = 5
    spoilt: int = 8
    """Into so many of the clean sequences, spread evenly, defects are put."""


def sequences_of(arguments: Arguments, simulator: EmbeddedSimulator, console: Console) -> Iterator[Sequence]:
    """Yield sequences that quality control has not sifted, unless they come from a data set."""
    if arguments.data is not None:
        yield from (read_sequence(arguments.data, name) for name in list_sequence_ids(arguments.data))
    elif arguments.kept is not None and arguments.kept.exists():
        yield from pickle.loads(arguments.kept.read_bytes())
    else:
        collected = []
        config = CollectConfig(num_sequences=arguments.sequences, size=arguments.size, seed=arguments.seed)
        for plan in make_plan(config):
            try:
                collected.append(collect_sequence(plan, simulator, config))
            except BacksightError as error:
                console.print(f"not collected: {plan.sequence_id}, {plan.kind}: {error}", highlight=False)
                continue
            yield collected[-1]
        if arguments.kept is not None:
            arguments.kept.write_bytes(pickle.dumps(collected))


def judge_clean(sequences: list[Sequence], console: Console) -> list[Sequence]:
    """Print what is rejected of clean sequences and how long judging takes; return those that are accepted."""
    reasons: Counter[str] = Counter()
    of_kind: dict[str, list[bool]] = defaultdict(list)
    accepted, used_s = [], 0.0
    for sequence in sequences:
        start = time.process_time()
        report = check_sequence(sequence)
        used_s += time.process_time() - start
        of_kind[sequence.annotations.kind].append(report.accepted)
        if report.accepted:
            accepted.append(sequence)
            continue
        reasons.update(reason_names(report))
        console.print(f"rejected: {report.sequence_id}, {sequence.annotations.kind}: {rejection_reason(report)}")
    rejected = len(sequences) - len(accepted)
    table = Table(title=f"clean: {rejected} of {len(sequences)} rejected ({rejected / len(sequences):.1%})")
    table.add_column("by")
    table.add_column("sequences", justify="right")
    for name, count in reasons.most_common():
        table.add_row(name, str(count))
    console.print(table)
    frames = sum(sequence.num_frames for sequence in sequences)
    console.print(
        f"{len(of_kind)} kinds; {1000 * used_s / len(sequences):.0f} ms of processor time a sequence, "
        f"{1000 * used_s / frames:.2f} ms a frame"
    )
    return accepted


def reason_names(report: QualityReport) -> set[str]:
    """Return fields of the hard failures, or metrics that are low."""
    if report.failures:
        return {failure.field.split("[")[0] for failure in report.failures}
    return {metric for metric, score in report.scores.items() if score < LEAST_SCORE} or {"overall"}


def judge_spoilt(sequences: list[Sequence], simulator: EmbeddedSimulator, console: Console) -> int:
    """Print for each defect and size how many copies were rejected for the right reason; return the misses at first size."""
    table = Table(title=f"defects in {len(sequences)} sequences: rejected for the right reason / spoilt, by size")
    table.add_column("defect")
    table.add_column("unit")
    for number in range(max(len(defect.sizes) for defect in DEFECTS)):
        table.add_column("plain" if not number else "")
    missed = 0
    for defect in DEFECTS:
        cells = []
        for number, size in enumerate(defect.sizes):
            found, spoilt = count_found(defect, size, sequences, simulator)
            missed += 0 if number else spoilt - found
            cells.append(f"{size:g}: {found}/{spoilt}" if defect.unit else f"{found}/{spoilt}")
        table.add_row(defect.name, defect.unit, *cells)
    console.print(table)
    return missed


def count_found(
    defect: Defect, size: float, sequences: list[Sequence], simulator: EmbeddedSimulator
) -> tuple[int, int]:
    """Return how many sequences were rejected for the right reason, and how many could be spoilt."""
    spoilt = [defect.spoil(sequence, size, simulator) for sequence in sequences]
    reports = [check_sequence(copy) for copy in spoilt if copy is not None]
    return sum(matches(defect, report) for report in reports), len(reports)


def main(arguments: Arguments) -> None:
    console, simulator = Console(width=160), EmbeddedSimulator()
    accepted = judge_clean(list(sequences_of(arguments, simulator, console)), console)
    step = max(1, len(accepted) // arguments.spoilt)
    judge_spoilt(accepted[::step][: arguments.spoilt], simulator, console)


if __name__ == "__main__":
    main(tyro.cli(Arguments))
