"""`backsight doctor`: what this machine has, and whether a Habitat works on it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console

from backsight.cli.configuration import parse_arguments
from backsight.cli.machine import Finding, examine
from backsight.records.errors import EnvironmentProblem, UsageError
from backsight.sim.backends.habitat.config import HabitatConfig
from backsight.sim.backends.habitat.probe import probe

MARKS = {"ok": "[green]ok[/]     ", "note": "[yellow]note[/]   ", "missing": "[red]missing[/]"}


class DoctorCommand(BaseModel):
    """Say what this machine has of what is needed, and what to do about the rest; status 4 when something is missing.

    With --habitat-python: try that Habitat, and with --scene walk and look around in one of its scenes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Annotated[Path, tyro.conf.arg(aliases=["--out"])] = Path("data/collected")
    """Where data sets would go; its disk is measured."""
    habitat_python: Path | None = None
    """The Python in whose environment habitat_sim is installed."""
    scene: str | None = None
    """A scene of Habitat: a file, or a name in the scene data set."""
    scene_dataset: str = "default"
    """The *.scene_dataset_config.json of that scene."""
    habitat_gpu: int = Field(default=0, ge=-1, le=63)
    """Graphics device, as EGL numbers them; -1 takes whatever there is, Mesa on the CPU among it."""
    habitat_lighting: Literal["scene", "default"] = "scene"
    """As the data set says, or with Habitat's own lamps."""
    habitat_debug: bool = False
    """Let Habitat say all it has to say."""


def run(arguments: list[str]) -> int:
    """Print the report; 4 when something needed is missing."""
    command = parse_arguments(DoctorCommand, "doctor", arguments)
    if command.habitat_python is None and (command.scene is not None or command.scene_dataset != "default"):
        raise UsageError("--scene and --scene-dataset are Habitat's: give its Python with --habitat-python")
    console = Console(highlight=False)
    missing = 0
    for finding in examine(command.data):
        missing += _print(finding, console)
    if command.habitat_python is not None:
        with _notes_unsaid():
            findings = _habitat(command, command.habitat_python)
        for finding in findings:
            missing += _print(finding, console)
    console.print("everything needed is there" if not missing else f"needed and missing: {missing}")
    return EnvironmentProblem.exit_status if missing else 0


@contextmanager
def _notes_unsaid() -> Iterator[None]:
    """Keep Habitat's notes out of the log: they are lines of the report."""
    logger = logging.getLogger("backsight.sim.backends.habitat")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _habitat(command: DoctorCommand, python: Path) -> list[Finding]:
    config = HabitatConfig(
        python=python,
        scene_dataset=command.scene_dataset,
        gpu_device_id=command.habitat_gpu,
        lighting=command.habitat_lighting,
        debug=command.habitat_debug,
    )
    found = []
    for step in probe(config, command.scene):
        state = "missing" if not step.passed else "note" if step.name == "note" else "ok"
        found.append(Finding(f"Habitat: {step.name}", state, step.detail))
    return found


def _print(finding: Finding, console: Console) -> bool:
    """Print one line, with what to do below it, and return whether something needed is missing."""
    console.print(f"{MARKS[finding.state]} [bold]{finding.name}[/] ", end="")
    console.print(finding.detail, markup=False, soft_wrap=True)
    if finding.advice:
        console.print(f"        {finding.advice}", markup=False, soft_wrap=True)
    return finding.state == "missing"
