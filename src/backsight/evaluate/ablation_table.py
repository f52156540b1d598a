"""One table of an ablation: each variant's mean over seeds, its spread, and the difference to the full model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from backsight.evaluate.ablation import FULL, AblationConfig
from backsight.evaluate.ablation_run import Measured
from backsight.evaluate.metric_names import MetricName
from backsight.storage.sealed_json import write_durably

JSON_FILE = "ablation.json"
MARKDOWN_FILE = "ablation.md"
MINUTES = "minutes"
METRICS: tuple[MetricName, ...] = (
    MetricName("footprint_auc", "footprint AUC"),
    MetricName("frame_identification", "frame identif."),
    MetricName("presence_auroc", "presence AUROC"),
    MetricName("bearing_median_deg", "bearing error, deg", "lower", 1),
    MetricName("target_auc", "target AUC"),
    MetricName("target_hit", "target hit"),
    MetricName("reasoning_accuracy", "answers exact"),
    MetricName(MINUTES, "minutes", "neither", 1),
)
NOTE = (
    "Mean over seeds, ± standard deviation over seeds; below or in brackets the mean difference to the full model, "
    "over the seeds that both have, ± its standard deviation. One seed gives no deviation. Minutes: training steps."
)


@dataclass(frozen=True)
class AblationCell:
    """One metric of one variant."""

    mean: float
    spread: float | None
    """Standard deviation over seeds; None with one seed."""
    seeds: int
    difference: float | None
    """Mean over seeds of variant less full model; None where they share no seed, and for the full model itself."""
    difference_spread: float | None


@dataclass(frozen=True)
class AblationLine:
    """One variant; a metric that was not measured has no cell."""

    variant: str
    meaning: str
    parameters: int
    cells: dict[str, AblationCell]


def ablation_lines(config: AblationConfig, found: Mapping[tuple[str, int], Measured]) -> list[AblationLine]:
    """Return a line for each variant of which at least one training is finished.

    Args:
        config: names the variants and their order.
        found: what was measured, by variant and seed.
    """
    lines = []
    reference = _by_seed(found, FULL)
    for variant in config.variants:
        of_variant = _by_seed(found, variant.name)
        if of_variant:
            against = {} if variant.name == FULL else reference
            cells = {
                name.metric: cell
                for name in METRICS
                if (cell := _cell(name.metric, of_variant, {} if name.better == "neither" else against)) is not None
            }
            parameters = next(iter(of_variant.values())).parameters
            lines.append(AblationLine(variant.name, variant.meaning, parameters, cells))
    return lines


def _by_seed(found: Mapping[tuple[str, int], Measured], variant: str) -> dict[int, Measured]:
    return {seed: value for (name, seed), value in sorted(found.items()) if name == variant}


def _value(measured: Measured, metric: str) -> float | None:
    return measured.minutes if metric == MINUTES else measured.values.get(metric)


def _cell(metric: str, found: dict[int, Measured], reference: dict[int, Measured]) -> AblationCell | None:
    values = {seed: value for seed, one in found.items() if (value := _value(one, metric)) is not None}
    if not values:
        return None
    differences = [
        value - other
        for seed, value in values.items()
        if seed in reference and (other := _value(reference[seed], metric)) is not None
    ]
    return AblationCell(
        float(np.mean(list(values.values()))),
        _spread(list(values.values())),
        len(values),
        float(np.mean(differences)) if differences else None,
        _spread(differences),
    )


def _spread(values: list[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def write_ablation(config: AblationConfig, lines: list[AblationLine]) -> Path:
    """Write ablation.json and ablation.md and return the Markdown's path."""
    config.out.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {"seeds": list(config.seeds), "lines": msgspec.to_builtins(lines)}
    write_durably(config.out / JSON_FILE, msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
    path = config.out / MARKDOWN_FILE
    write_durably(path, ablation_markdown(lines).encode())
    return path


def ablation_markdown(lines: list[AblationLine]) -> str:
    """Return the table as Markdown."""
    heads = ["variant", *(name.label for name in METRICS), "seeds"]
    rows = [heads, ["---", *(["---:"] * (len(heads) - 1))]]
    for line in lines:
        title = f"{line.variant}: {line.meaning}" if line.meaning else line.variant
        rows.append([title.replace("|", "\\|"), *(_shown(line, name, " ({})") for name in METRICS), str(_seeds(line))])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + f"\n\n{NOTE}\n"


def print_ablation(lines: list[AblationLine], console: Console) -> None:
    """Print the table; the difference to the full model stands below each figure."""
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_lines=False)
    table.add_column("variant", no_wrap=True)
    for name in METRICS:
        table.add_column(name.label.replace(" ", "\n", 1), justify="right", no_wrap=True)
    table.add_column("seeds", justify="right", style="dim")
    for line in lines:
        table.add_row(line.variant, *(_shown(line, name, "\n{}") for name in METRICS), str(_seeds(line)))
    console.print(table)
    console.print(NOTE, style="dim")


def _seeds(line: AblationLine) -> int:
    return max(cell.seeds for cell in line.cells.values())


def _shown(line: AblationLine, name: MetricName, difference: str) -> str:
    cell = line.cells.get(name.metric)
    if cell is None:
        return "-"
    text = f"{cell.mean:.{name.digits}f}{_deviation(cell.spread, name)}"
    if cell.difference is None:
        return text
    # Adding 0 turns a rounded -0 into +0.
    rounded = round(cell.difference, name.digits) + 0.0
    return text + difference.format(f"{rounded:+.{name.digits}f}{_deviation(cell.difference_spread, name)}")


def _deviation(spread: float | None, name: MetricName) -> str:
    return "" if spread is None else f" ±{spread:.{name.digits}f}"
