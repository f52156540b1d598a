"""`backsight ablate`: train and evaluate with one thing changed at a time."""

from pathlib import Path

import tyro
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console

from backsight.cli.configuration import load_yaml
from backsight.evaluate.ablation import FULL, AblationConfig
from backsight.evaluate.ablation_run import finished, run_ablation, train_and_score
from backsight.evaluate.ablation_table import ablation_lines, print_ablation, write_ablation
from backsight.records.errors import BacksightError, UsageError


class AblateCommand(BaseModel):
    """Train every variant of a configuration for the same steps and seeds, and write one table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: Path = Path("configs/ablation.yaml")
    """Variants, training and evaluation; what is given here is laid over it."""
    data: Path | None = None
    """Data set to train and evaluate on."""
    out: Path | None = None
    """Folder to write; what is finished there is not run again."""
    variants: str = ""
    """Names of variants to run, separated by commas; empty: all. The full model always is among them."""
    seeds: str = ""
    """Seeds, separated by commas."""
    steps: int | None = Field(default=None, ge=1)
    """Optimiser steps of each training."""
    jobs: int | None = Field(default=None, ge=1, le=256)
    """Trainings at the same time, a process each."""


def run(arguments: list[str]) -> int:
    """Run the ablation that the arguments ask for; the table is written also when a training failed."""
    command = tyro.cli(AblateCommand, prog="backsight ablate", description=AblateCommand.__doc__, args=arguments)
    config = configured(command)
    console = Console(highlight=False)
    try:
        run_ablation(config, train_and_score, lambda text: console.print(text, markup=False))
    except UsageError:
        raise
    except BacksightError:
        _tabulate(config, console)
        raise
    _tabulate(config, console)
    return 0


def configured(command: AblateCommand) -> AblationConfig:
    """Return the configuration of the file with the command's options laid over it.

    Raises:
        UsageError: a variant or a seed is not known or not a number, or the file is not allowed.
    """
    config = load_yaml(command.config, AblationConfig)
    changes = {"out": command.out, "jobs": command.jobs, "seeds": _seeds(command.seeds)}
    of_training = {"data": command.data, "steps": command.steps}
    train = {key: value for key, value in of_training.items() if value is not None}
    content = config.model_dump() | {key: value for key, value in changes.items() if value}
    content["train"] |= train
    content["variants"] = _chosen(config, command.variants)
    return AblationConfig.model_validate(content)


def _chosen(config: AblationConfig, names: str) -> list[object]:
    known = {variant.name: variant for variant in config.variants}
    wanted = {name.strip() for name in names.split(",") if name.strip()} | {FULL}
    unknown = sorted(wanted - known.keys())
    if unknown:
        raise UsageError(f"variants {', '.join(unknown)} are not known: use {', '.join(known)}")
    return [variant for name, variant in known.items() if not names or name in wanted]


def _seeds(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts):
        raise UsageError(f"--seeds {text}: write whole numbers separated by commas, such as 0,1,2")
    seeds = tuple(int(part) for part in parts)
    if len(set(seeds)) != len(seeds):
        raise UsageError(f"--seeds {text}: a seed stands there twice")
    return seeds


def _tabulate(config: AblationConfig, console: Console) -> None:
    lines = ablation_lines(config, finished(config))
    path = write_ablation(config, lines)
    print_ablation(lines, console)
    console.print(f"table: {path}", markup=False, soft_wrap=True)
