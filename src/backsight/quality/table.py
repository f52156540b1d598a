"""What `validate` prints."""

from collections.abc import Iterator

from rich.table import Table

from backsight.quality.check import METRICS, rejection_reason
from backsight.quality.validate import ValidationReport
from backsight.records.quality import QualityReport

Scored = tuple[str, float, float, str]
"""Name, mean, lowest, the sequence of the lowest."""


def render_table(report: ValidationReport, worst: int = 10, parts: bool = False) -> Table:
    """Return the table that `validate` prints: scores over all sequences, then what is wrong.

    Args:
        report: Of a data set.
        worst: How many problems are listed.
        parts: Also list the parts of the metrics.
    """
    accepted = sum(sequence.accepted for sequence in report.sequences)
    verdict = "passed" if report.passed else "falls short"
    title = f"{report.root}: {verdict}, {accepted} of {len(report.sequences)} sequences accepted"
    table = Table(title=title, title_justify="left")
    for heading in ("metric", "mean", "lowest", "lowest in"):
        table.add_column(heading, justify="right" if heading in ("mean", "lowest") else "left")
    for name, mean, low, sequence_id in summary_lines(report.sequences, parts):
        table.add_row(name, f"{mean:.3f}", f"{low:.3f}", sequence_id if low < 1.0 else "")
    table.add_section()
    problems = list(problem_lines(report))
    for path, problem in problems[:worst]:
        table.add_row("problem", "", "", f"{path}: {problem}")
    if len(problems) > worst:
        table.add_row("problem", "", "", f"and {len(problems) - worst} more")
    for note in report.notes:
        table.add_row("note", "", "", f"{note.path}: {note.problem}")
    return table


def summary_lines(sequences: tuple[QualityReport, ...], parts: bool) -> Iterator[Scored]:
    """Yield mean and lowest value of every metric that applies to some sequence, its parts after it, and the overall.

    Args:
        sequences: Reports.
        parts: Whether to yield parts.
    """
    for metric in METRICS:
        scored = [(report.scores[metric], report.sequence_id) for report in sequences if metric in report.scores]
        if not scored:
            continue
        yield _line(metric, scored)
        of_parts = [(report.parts.get(metric, {}), report.sequence_id) for report in sequences]
        for name in dict.fromkeys(name for values, _ in of_parts for name in values) if parts else ():
            yield _line(f"  {name}", [(values[name], where) for values, where in of_parts if name in values])
    if sequences:
        yield _line("overall", [(report.overall, report.sequence_id) for report in sequences])


def _line(name: str, scored: list[tuple[float, str]]) -> Scored:
    low, where = min(scored)
    return name, sum(score for score, _ in scored) / len(scored), low, where


def problem_lines(report: ValidationReport) -> Iterator[tuple[str, str]]:
    """Yield path and problem of everything that makes a data set fall short, files before sequences.

    Args:
        report: Of a data set.
    """
    for item in report.findings:
        yield item.path, f"{item.field}: {item.problem}"
    for sequence in report.sequences:
        if not sequence.accepted:
            yield sequence.sequence_id, rejection_reason(sequence)
