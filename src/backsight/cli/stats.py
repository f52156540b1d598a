"""`backsight stats`: what a data set holds, as tables, as a page with pictures and as a card."""

import re
import sys
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import BaseModel, ConfigDict, Field, field_validator
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from backsight.cli.configuration import parse_arguments
from backsight.evaluate.dataset_counts import STATISTICS_FILE, count_dataset, statistics_bytes
from backsight.evaluate.report.dataset_card import CARD_FILE, dataset_card
from backsight.evaluate.report.dataset_page import dataset_page, kind_samples, size_text
from backsight.records.dataset_statistics import DatasetStatistics, Tally

PAGE_FILE = "index.html"


class StatsCommand(BaseModel):
    """Count what a data set holds: by kind, place, category, relation and loss. Images are not opened without --out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Annotated[Path, tyro.conf.Positional]
    """Folder of the data set."""
    out: Path | None = None
    """Folder for index.html (with pictures), statistics.json and README.md, the card; nothing is written without it."""
    title: str | None = Field(default=None, min_length=1, max_length=200)
    """Name of the data set on page and card; that of its folder unless given."""
    licence: str = "other"
    """What the card says under licence, as hubs name them, such as cc-by-4.0."""

    @field_validator("licence")
    @classmethod
    def _check_licence(cls, licence: str) -> str:
        if re.fullmatch(r"[a-z0-9.-]{1,40}", licence) is None:
            raise ValueError(f"{licence!r} is no licence as hubs write them, such as cc-by-4.0")
        return licence

    @field_validator("title")
    @classmethod
    def _check_title(cls, title: str | None) -> str | None:
        if title is not None and ("\n" in title or ":" in title):
            raise ValueError("write the title in one line, without a colon: the card's front matter holds it")
        return title


def run(arguments: list[str]) -> int:
    """Count a data set; 0 when it could be read."""
    command = parse_arguments(StatsCommand, "stats", arguments)
    with Progress(console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("counting", total=None)
        statistics = count_dataset(command.data, lambda done, total: progress.update(task, completed=done, total=total))
    console = Console(highlight=False)
    for table in _tables(statistics):
        console.print(table)
    if command.out is not None:
        _write(command, command.out, statistics)
        console.print(f"{command.out / PAGE_FILE}, {STATISTICS_FILE}, {CARD_FILE}", markup=False, soft_wrap=True)
    return 0


def _write(command: StatsCommand, out: Path, statistics: DatasetStatistics) -> None:
    title = command.title or command.data.resolve().name
    out.mkdir(parents=True, exist_ok=True)
    page = dataset_page(statistics, title, kind_samples(command.data))
    (out / PAGE_FILE).write_text(page, encoding="utf-8")
    (out / STATISTICS_FILE).write_bytes(statistics_bytes(statistics))
    (out / CARD_FILE).write_text(dataset_card(statistics, title, command.licence), encoding="utf-8")


def _tables(statistics: DatasetStatistics) -> list[Table]:
    total = statistics.total
    places = ", ".join(f"{count} {name}" for name, count in statistics.places.items())
    head = (
        f"{total.sequences:,} of {statistics.planned:,} sequences, {total.frames:,} frames, "
        f"{size_text(total.size_bytes)}; places: {places}"
    )
    kinds = _tally_table(head, "kind", {n: t for n, t in statistics.kinds.items() if t.sequences})
    kinds.add_section()
    for name, tally in statistics.groups.items():
        kinds.add_row(f"all {name}", *_cells(tally))
    others = (
        ("scene type", statistics.scene_types),
        ("trajectory", statistics.patterns),
        ("challenge", statistics.challenges),
        ("loss fed", statistics.losses),
        ("split", statistics.splits),
    )
    return [
        kinds,
        *(_tally_table("", heading, tallies) for heading, tallies in others if tallies),
        _instruction_table(statistics),
        _count_table("relation", statistics.relations),
        _category_table(statistics),
        _quality_table(statistics),
    ]


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD)
    for position, heading in enumerate(headings):
        table.add_column(heading, justify="right" if position else "left")
    return table


def _cells(tally: Tally) -> tuple[str, str, str, str]:
    sequences = max(tally.sequences, 1)
    return (
        f"{tally.sequences:,}",
        f"{tally.frames:,}",
        size_text(tally.size_bytes),
        f"{tally.size_bytes / sequences / 1e6:.2f}",
    )


def _tally_table(title: str, heading: str, tallies: dict[str, Tally]) -> Table:
    table = _table(title, heading, "sequences", "frames", "size", "MB a sequence")
    for name, tally in tallies.items():
        table.add_row(name.replace("_", " "), *_cells(tally))
    return table


def _instruction_table(statistics: DatasetStatistics) -> Table:
    levels = ("simple", "medium", "complex")
    table = _table("", "instructions", *levels, "all")
    for name, of_type in statistics.instructions.items():
        counts = [of_type.get(level, 0) for level in levels]
        table.add_row(name.replace("_", " "), *(f"{count:,}" for count in counts), f"{sum(of_type.values()):,}")
    return table


def _count_table(heading: str, counts: dict[str, int]) -> Table:
    table = _table("", heading, "stored")
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    return table


def _category_table(statistics: DatasetStatistics, longest: int = 20) -> Table:
    table = _table("", "category", "sequences", "things", "views", "times a target")
    for name, count in list(statistics.categories.items())[:longest]:
        table.add_row(name, *(f"{n:,}" for n in (count.sequences, count.things, count.views, count.targets)))
    if len(statistics.categories) > longest:
        table.add_row(f"and {len(statistics.categories) - longest} more", "", "", "", "")
    return table


def _quality_table(statistics: DatasetStatistics) -> Table:
    table = _table("", "quality as stored", "mean", "lowest", "lowest in")
    for metric, scores in statistics.quality.items():
        table.add_row(metric.replace("_", " "), f"{scores.mean:.3f}", f"{scores.lowest:.3f}", scores.lowest_in)
    return table
