"""Tables of results: terminal, Markdown and JSON."""

import math
from collections.abc import Sequence as Sized
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backsight.evaluate.metric_names import (
    GROUPS,
    MODEL,
    NOT_COMPETING,
    ORACLES,
    SHORT_LABELS,
    MetricName,
    predictor_label,
)
from backsight.records.errors import DataError
from backsight.records.score import ScoreRow


@dataclass(frozen=True)
class TableLine:
    """One metric over all predictors."""

    name: MetricName
    cells: tuple[ScoreRow | None, ...]
    """In the order of the predictors; None where the row does not apply."""

    def is_best(self, cell: ScoreRow) -> bool:
        """Whether no predictor does better; those that get depth or poses do not compete."""
        rivals = [c.value for c in self.cells if c is not None and c.predictor not in NOT_COMPETING]
        if self.name.better == "neither" or cell.predictor in NOT_COMPETING:
            return False
        return cell.value == (max(rivals) if self.name.better == "higher" else min(rivals))

    @property
    def counts(self) -> tuple[int, int]:
        """Most maps and places behind any cell."""
        known = [c for c in self.cells if c is not None]
        return max(c.maps for c in known), max(c.places for c in known)


@dataclass(frozen=True)
class TableGroup:
    """Lines that share a title and their predictors."""

    title: str
    predictors: tuple[str, ...]
    lines: tuple[TableLine, ...]


def table_groups(rows: Sized[ScoreRow]) -> list[TableGroup]:
    """Return the rows in groups; predictors without any figure in a group are left out of it.

    A metric that no group knows comes last, in a group of its own: nothing that was measured is hidden.
    """
    found = {(row.metric, row.predictor): row for row in rows}
    everyone = list(dict.fromkeys(row.predictor for row in rows))
    groups = []
    known = {name.metric for group in GROUPS for name in group.metrics}
    others = tuple(MetricName(m, m) for m in dict.fromkeys(r.metric for r in rows) if m not in known)
    layout = [(g.title, g.metrics, g.predictors) for g in GROUPS] + [("Other", others, ())]
    for title, names, preferred in layout:
        order = [*preferred, *(p for p in everyone if p not in preferred)]
        predictors = tuple(p for p in order if any((name.metric, p) in found for name in names))
        lines = tuple(
            TableLine(name, tuple(found.get((name.metric, p)) for p in predictors))
            for name in names
            if any((name.metric, p) in found for p in predictors)
        )
        if lines:
            groups.append(TableGroup(title, predictors, lines))
    return groups


def format_value(row: ScoreRow, name: MetricName) -> str:
    """Return a figure with the metric's number of digits."""
    return f"{row.value:.{name.digits}f}"


def format_interval(row: ScoreRow, name: MetricName) -> str:
    """Return the interval's two ends; empty where one place gives none."""
    if math.isnan(row.low):
        return ""
    return f"{row.low:.{name.digits}f} to {row.high:.{name.digits}f}"


def print_table(rows: Sized[ScoreRow], console: Console) -> None:
    """Print one table for each group, readable from 100 columns on; figures are never cut, long labels wrap.

    The best figure that is not an oracle's is bold; the model's has half the width of its interval beside it.
    """
    for group in table_groups(rows):
        title = Text(group.title, style="bold")
        table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
        table.add_column("", min_width=14)
        for predictor in group.predictors:
            style = "dim" if predictor in ORACLES else ""
            head = SHORT_LABELS.get(predictor, predictor)
            table.add_column(head, justify="right", style=style, no_wrap=True)
        table.add_column("maps/\nplaces", justify="right", style="dim", no_wrap=True)
        for line in group.lines:
            cells = [_terminal_cell(cell, line) for cell in line.cells]
            table.add_row(line.name.label, *cells, "/".join(str(c) for c in line.counts))
        console.print(title)
        console.print(table)


def _terminal_cell(cell: ScoreRow | None, line: TableLine) -> Text:
    if cell is None:
        return Text("-", style="dim")
    text = Text(format_value(cell, line.name), style="bold" if line.is_best(cell) else "")
    if cell.predictor == MODEL and not math.isnan(cell.low):
        half = f"{(cell.high - cell.low) / 2.0:.{line.name.digits}f}".removeprefix("0")
        text.append(f" ±{half}", style="dim")
    return text


def markdown_table(rows: Sized[ScoreRow]) -> str:
    """Return all groups as Markdown; the model's figures with their 95 % interval."""
    parts = []
    for group in table_groups(rows):
        heads = ["", *(predictor_label(p) for p in group.predictors), "maps", "places"]
        parts += [f"### {group.title}", "", _markdown_line(heads)]
        parts.append(_markdown_line(["---", *(["---:"] * (len(heads) - 1))]))
        for line in group.lines:
            cells = [_markdown_cell(cell, line) for cell in line.cells]
            parts.append(_markdown_line([line.name.label.strip(), *cells, *(str(c) for c in line.counts)]))
        parts.append("")
    parts.append("Intervals: 95 %, bootstrap over places. Bold: best figure that is not an oracle's.")
    return "\n".join(parts) + "\n"


def _markdown_line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _markdown_cell(cell: ScoreRow | None, line: TableLine) -> str:
    if cell is None:
        return "-"
    value = format_value(cell, line.name)
    value = f"**{value}**" if line.is_best(cell) else value
    interval = format_interval(cell, line.name)
    return f"{value} ({interval})" if interval and cell.predictor == MODEL else value


def write_results(path: Path, rows: Sized[ScoreRow]) -> None:
    """Write the rows as a JSON list; an interval that one place cannot give is null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(list(rows)), indent=1) + b"\n")


class _StoredRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row as JSON holds it, which knows no NaN."""

    metric: str
    predictor: str
    value: float
    low: float | None
    high: float | None
    places: int
    maps: int


def read_results(path: Path) -> list[ScoreRow]:
    """Return the rows of a file of results.

    Raises:
        DataError: the file is missing or damaged.
    """
    if not path.is_file():
        raise DataError(path, "file", "is missing", "run score first")
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=list[_StoredRow])
    except msgspec.DecodeError as error:
        raise DataError(path, "rows", f"cannot be read: {error}") from error
    return [ScoreRow(r.metric, r.predictor, r.value, _end(r.low), _end(r.high), r.places, r.maps) for r in stored]


def _end(value: float | None) -> float:
    return math.nan if value is None else value
