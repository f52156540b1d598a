"""`backsight model`: what a preset costs, component by component."""

import json
import sys
from dataclasses import asdict
from typing import Annotated, Any, Literal

import tyro
from pydantic import BaseModel, ConfigDict, Field
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from backsight.cli.configuration import parse_arguments
from backsight.model.adaptation import AdaptationConfig
from backsight.model.costs import Cost, ModelCosts, SampleSize, default_sample, model_costs
from backsight.model.presets import preset

COUNTS = ((1e9, "B"), (1e6, "M"))
BYTES = ((1e9, "GB"), (1e6, "MB"))
OPERATIONS = ((1e12, "TFLOP"), (1e9, "GFLOP"))
COLUMNS = (
    ("parameters", "parameters", COUNTS),
    ("trained", "trained_parameters", COUNTS),
    ("fp32", "weights_fp32_bytes", BYTES),
    ("bf16", "weights_bf16_bytes", BYTES),
    ("stored", "training_weights_bytes", BYTES),
    ("states", "optimiser_bytes", BYTES),
    ("kept", "activation_bytes", BYTES),
    ("forward", "forward_flops", OPERATIONS),
)
"""Head, field of `Cost`, and units, the largest first."""
EXPLANATION = """\
fp32, bf16: weights in either precision. stored: weights while training, adapters included.
states: gradients and AdamW's moments of what is trained. kept: what the forward pass of one sample keeps for the
backward pass, without autocast. forward: one sample; a multiplication and its addition are two operations.
B is 10^9, M 10^6; GB are 10^9 bytes."""


FILE_WIDTH = 100
"""Columns where the output does not go to a terminal."""


class ModelCommand(BaseModel):
    """Print parameters, memory and arithmetic of a preset. Nothing is loaded: shapes are enough."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Literal["tiny", "small", "full"] = "tiny"
    """Which one."""
    keyframes: Annotated[int, Field(ge=1)] | None = None
    """Views that the language model reads, the current one included; the preset's own number when not given."""
    history: Annotated[int, Field(ge=1)] | None = None
    """Frames before the current one; the preset's own number when not given."""
    instructions: Annotated[int, Field(ge=1)] = 1
    """Instructions about the sample."""
    json_: Annotated[bool, tyro.conf.arg(name="json"), Field(alias="json")] = False
    """Print JSON instead of a table."""


def run(arguments: list[str]) -> int:
    """Measure and print."""
    command = parse_arguments(ModelCommand, "model", arguments)
    config = preset(command.preset)
    usual = default_sample(config)
    sample = SampleSize(
        keyframes=command.keyframes or usual.keyframes,
        history=command.history or usual.history,
        instructions=command.instructions,
    )
    costs = model_costs(config, sample)
    if command.json_:
        sys.stdout.write(json.dumps(costs_as_json(costs), indent=1) + "\n")
        return 0
    terminal = Console(highlight=False)
    console = terminal if terminal.is_terminal else Console(highlight=False, width=FILE_WIDTH)
    console.print(heading(costs), markup=False, soft_wrap=True)
    console.print(cost_table(costs))
    console.print(EXPLANATION, markup=False, soft_wrap=True)
    return 0


def heading(costs: ModelCosts) -> str:
    """Return what the figures are stated for."""
    sample = costs.sample
    return (
        f"{costs.preset}: {sample.frames} images of {costs.image_px[0]} x {costs.image_px[1]}, "
        f"{sample.keyframes} keyframes, {sample.history} history frames, {sample.instructions} instructions of "
        f"{sample.words} tokens; maps {costs.map_cells[0]} x {costs.map_cells[1]}; attention {costs.attention}\n"
        f"trained: {described_adaptation(costs.adaptation)}"
    )


def described_adaptation(adaptation: AdaptationConfig) -> str:
    """Return in words how each component is trained."""
    parts = []
    for name, part in adaptation.components().items():
        ways = [part.train, *(["bf16"] if part.half_precision else []), *(["recompute"] if part.recompute else [])]
        parts.append(f"{name} {' '.join(ways)}")
    return ", ".join(parts)


def cost_rows(costs: ModelCosts) -> list[tuple[str, ...]]:
    """Return heads, units, a row for each component, its parts indented below it, and their total.

    A column has one unit, that of its total, so that its figures can be compared by eye.
    """
    fields = [(field, _unit(getattr(costs.total, field), units)) for _, field, units in COLUMNS]

    def row(cost: Cost, indent: str = "") -> tuple[str, ...]:
        numbers = [(getattr(cost, field), size) for field, (size, _) in fields]
        return indent + cost.name, *(f"{number / size:.3f}" if number else "-" for number, size in numbers)

    rows: list[tuple[str, ...]] = [("", *(head for head, _, _ in COLUMNS)), ("", *(unit for _, (_, unit) in fields))]
    for component in costs.components:
        rows.append(row(component.whole))
        rows += [row(part, "  ") for part in component.parts]
    return [*rows, row(costs.total)]


def cost_table(costs: ModelCosts) -> Table:
    """Return the rows for a terminal; figures are never cut, long names wrap."""
    heads, units, *rows = cost_rows(costs)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("", min_width=12)
    for head, unit in zip(heads[1:], units[1:], strict=True):
        table.add_column(f"{head}\n{unit}", justify="right", no_wrap=True)
    for name, *figures in rows:
        if name == costs.total.name:
            table.add_section()
        table.add_row(name, *figures, style="" if name.startswith(" ") else "bold")
    return table


def _unit(total: int, units: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    return next((unit for unit in units if total >= unit[0]), units[-1])


def costs_as_json(costs: ModelCosts) -> dict[str, Any]:
    """Return the same figures, unrounded."""
    return {
        "preset": costs.preset,
        "attention": costs.attention,
        "image_px": list(costs.image_px),
        "map_cells": list(costs.map_cells),
        "input": asdict(costs.sample) | {"frames": costs.sample.frames},
        "adaptation": costs.adaptation.model_dump(mode="json"),
        "components": [
            _cost_as_json(component.whole) | {"parts": [_cost_as_json(part) for part in component.parts]}
            for component in costs.components
        ],
        "total": _cost_as_json(costs.total),
    }


def _cost_as_json(cost: Cost) -> dict[str, Any]:
    return asdict(cost) | {
        "weights_fp32_bytes": cost.weights_fp32_bytes,
        "weights_bf16_bytes": cost.weights_bf16_bytes,
        "optimiser_bytes": cost.optimiser_bytes,
    }
