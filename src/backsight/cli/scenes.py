"""`backsight scenes`: a contact sheet and the counts of a set of scenes."""

import difflib
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from backsight.cli.configuration import parse_arguments
from backsight.evaluate.report.prediction_picture import picture_jpeg, picture_png
from backsight.evaluate.report.scene_card import make_card
from backsight.evaluate.report.scene_sheet import SceneCard, draw_sheet
from backsight.evaluate.scene_counts import (
    Rows,
    count_rows,
    markdown_table,
    missing_relations,
    relation_rows,
    scenes_json,
)
from backsight.records.errors import UsageError
from backsight.records.scene_statistics import SceneStatistics
from backsight.sim.embedded.scans.folder import list_scans
from backsight.sim.embedded.scenes.scene_id import SCENE_TYPES, parse_scene_id
from backsight.sim.embedded.simulator import EmbeddedSimulator
from backsight.sim.scene_statistics import scene_statistics
from backsight.sim.survey import EYE_M, survey_scene

SAMPLES_PER_AXIS = 2
"""Colour samples along each side of a pixel."""
FILE_WIDTH = 160
"""Columns of the tables where the output does not go to a terminal."""
PLAIN_LINE_EVERY_S = 30.0
LEAST_SIDE_PX, MOST_SIDE_PX = 96, 1024
SCAN_TYPE = "scan"
COUNTS_FILE, TABLES_FILE = "scenes.json", "counts.md"


class ScenesCommand(BaseModel):
    """Draw a contact sheet of scenes, with views, maps and counts, and count what they hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: tuple[str, ...] = SCENE_TYPES
    """Types of procedural scenes."""
    seeds: int = Field(default=1, ge=1, le=1000)
    """Scenes of each type."""
    first_seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed of the first one."""
    ids: tuple[str, ...] = ()
    """Scenes by their ids, options included, such as `shop-3+clutter=0.8`; in place of types and seeds."""
    scene_dir: Path | None = None
    """Folder of scene files (GLB, glTF, OBJ, PLY): all of them, or those that --ids names, in place of types."""
    out: Path = Path("out/scenes")
    """Folder for the sheet, scenes.json and counts.md."""
    format: Literal["png", "jpg"] = "png"
    """Of the sheet; a JPEG is a quarter of the size."""
    size: str = "288x216"
    """Width x height of each picture in pixels, 96 to 1024 each."""
    views: int = Field(default=3, ge=1, le=8)
    """Views of a scene beside its map; a scene of several storeys has a map of each and fewer views."""
    threads: int = Field(default=1, ge=1, le=256)
    """CPU threads that render."""

    @field_validator("size")
    @classmethod
    def _check_size(cls, size: str) -> str:
        width, separator, height = size.partition("x")
        if not (separator and width.isdecimal() and height.isdecimal()):
            raise ValueError(f"{size!r} is no image size; write width x height, such as 288x216")
        if not all(LEAST_SIDE_PX <= int(side) <= MOST_SIDE_PX for side in (width, height)):
            raise ValueError(f"{size!r}: use sides of {LEAST_SIDE_PX} to {MOST_SIDE_PX} pixels")
        return size

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of a picture."""
        width, _, height = self.size.partition("x")
        return int(width), int(height)


def run(arguments: list[str]) -> int:
    """Draw, count and print."""
    command = parse_arguments(ScenesCommand, "scenes", arguments)
    scenes = wanted_scenes(command)
    simulator = EmbeddedSimulator(
        threads=command.threads, rgb_samples_per_axis=SAMPLES_PER_AXIS, scene_dir=command.scene_dir
    )
    width_px, height_px = command.size_px
    cards: list[SceneCard] = []
    messages = Console(file=sys.stderr, highlight=False)
    for scene_id, scene_type in _with_progress(scenes, messages):
        simulator.load_scene(scene_id)
        for remark in simulator.notes:
            messages.print(f"{scene_id}: {remark}", markup=False, soft_wrap=True)
        survey = survey_scene(simulator)
        statistics = scene_statistics(scene_id, scene_type, simulator, survey, simulator.scene)
        cards.append(make_card(simulator, statistics, survey, command.views + 1, width_px, height_px))
    counted = [card.statistics for card in cards]
    heading = f"{len(cards)} scene{'' if len(cards) == 1 else 's'}"
    note = (
        f"{simulator.name} simulator, version {simulator.version}; views from {EYE_M} m above the floor; "
        "maps from above: boxes of things in the colour of their kind"
    )
    sheet = draw_sheet(cards, heading, note, command.views + 1)
    command.out.mkdir(parents=True, exist_ok=True)
    sheet_path = command.out / f"sheet.{command.format}"
    sheet_path.write_bytes(picture_png(sheet) if command.format == "png" else picture_jpeg(sheet))
    (command.out / COUNTS_FILE).write_bytes(scenes_json(counted, simulator.name, simulator.version))
    tables = f"{markdown_table(count_rows(counted))}\n{markdown_table(relation_rows(counted))}"
    (command.out / TABLES_FILE).write_text(tables)
    print_counts(counted)
    sys.stdout.write(f"{sheet_path}\n")
    return 0


def wanted_scenes(command: ScenesCommand) -> list[tuple[str, str]]:
    """Return id and type of every scene that is asked for.

    Raises:
        UsageError: there is no such type or scene; the nearest is named.
    """
    if command.scene_dir is not None:
        files = list_scans(command.scene_dir)
        for name in command.ids:
            if name not in files:
                near = difflib.get_close_matches(name, files, 1, 0.4)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                raise UsageError(f"{command.scene_dir}: there is no scene '{name}' in it{hint}")
        return [(name, SCAN_TYPE) for name in command.ids or files]
    if command.ids:
        return [(scene_id, parse_scene_id(scene_id).scene_type) for scene_id in command.ids]
    for name in command.types:
        if name not in SCENE_TYPES:
            near = difflib.get_close_matches(name, SCENE_TYPES, 1, 0.4)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise UsageError(f"--types: no scene type '{name}'; {hint}There are: {', '.join(SCENE_TYPES)}")
    seeds = range(command.first_seed, command.first_seed + command.seeds)
    return [(f"{name}-{seed}", name) for name in command.types for seed in seeds]


def print_counts(scenes: Sequence[SceneStatistics]) -> None:
    """Print both tables, and which relations are true nowhere in a type."""
    terminal = Console(highlight=False)
    console = terminal if terminal.is_terminal else Console(highlight=False, width=FILE_WIDTH)
    for rows in fitting_columns(count_rows(scenes), console.width):
        console.print(_table(rows))
    console.print("How often each relation is true, mean of a scene:", markup=False)
    for rows in fitting_columns(relation_rows(scenes), console.width):
        console.print(_table(rows))
    for name, words in missing_relations(scenes).items():
        console.print(f"{name}: nothing is {', '.join(words)}", markup=False, soft_wrap=True)


def fitting_columns(rows: Rows, width: int) -> list[Rows]:
    """Return the table in parts that are no wider than a console; each begins with the first column.

    Args:
        rows: The head first; heads break between words.
        width: Of the console, in characters.
    """
    needed = [max(len(word) for cell in column for word in cell.split(" ")) + 2 for column in zip(*rows, strict=True)]
    parts: list[list[int]] = [[0]]
    for column in range(1, len(needed)):
        if len(parts[-1]) > 1 and sum(needed[kept] for kept in (*parts[-1], column)) > width:
            parts.append([0])
        parts[-1].append(column)
    return [[tuple(row[column] for column in part) for row in rows] for part in parts]


def _table(rows: Rows) -> Table:
    head, *body = rows
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for index, name in enumerate(head):
        # Heads break between words; figures are never cut.
        table.add_column(name.replace(" ", "\n"), justify="right" if index else "left", no_wrap=True)
    for row in body:
        table.add_row(*row)
    return table


def _with_progress(scenes: Sequence[tuple[str, str]], console: Console) -> Iterator[tuple[str, str]]:
    """Yield the scenes and say how far it is: a bar on a terminal, else a line every 30 seconds."""
    if not console.is_terminal:
        last_s = time.monotonic()
        for done, scene in enumerate(scenes):
            if time.monotonic() - last_s >= PLAIN_LINE_EVERY_S:
                console.print(f"{done} of {len(scenes)} scenes", markup=False)
                last_s = time.monotonic()
            yield scene
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=len(scenes))
        for scene in scenes:
            bar.update(task, description=scene[0])
            yield scene
            bar.advance(task)
