"""What each part is worth: the same training and evaluation with one thing changed, over several seeds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backsight.evaluate.samples import EvaluationConfig
from backsight.train.config import TrainConfig

FULL = "full"
"""Name of the variant that the others are compared with."""

Model = TypeVar("Model", bound=BaseModel)


class Variant(BaseModel):
    """One change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    """Also the name of its folder."""
    meaning: str = ""
    """What is changed, in words."""
    train: dict[str, Any] = {}
    """Keys of the training configuration and their other values, nested as there."""
    evaluate: dict[str, Any] = {}
    """The same of the evaluation."""


class AblationConfig(BaseModel):
    """A set of variants, each trained for the same steps with the same seeds and evaluated on the same split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: Path = Path("out/ablation")
    """Folder to write: one folder for each variant and seed, and the tables."""
    seeds: tuple[int, ...] = Field(default=(0, 1, 2), min_length=1)
    """Training seeds; every variant is trained once with each."""
    jobs: int = Field(default=1, ge=1, le=256)
    """Trainings at the same time, a process each."""
    train: TrainConfig = TrainConfig()
    """Of the full model; `seed` and `run` are set for each training."""
    evaluate: EvaluationConfig = EvaluationConfig()
    variants: tuple[Variant, ...] = (Variant(name=FULL),)

    @model_validator(mode="after")
    def _check(self) -> "AblationConfig":
        names = [variant.name for variant in self.variants]
        if len(set(names)) != len(names) or len(set(self.seeds)) != len(self.seeds):
            raise ValueError("variants and seeds must differ from each other")
        if FULL not in names:
            raise ValueError(f"a variant called '{FULL}' is needed: the others are compared with it")
        # A misspelt key is an error now, not hours later.
        ablation_jobs(self)
        return self


@dataclass(frozen=True)
class AblationJob:
    """One training with its evaluation."""

    variant: str
    seed: int
    folder: Path
    train: TrainConfig
    evaluate: EvaluationConfig


def ablation_jobs(config: AblationConfig) -> list[AblationJob]:
    """Return every training that the configuration asks for, seed by seed, so that early tables hold all variants.

    Raises:
        ValueError: a variant changes what there is not, or to a value that is not allowed; names it.
    """
    jobs = []
    for seed in config.seeds:
        for variant in config.variants:
            folder = config.out / variant.name / f"seed-{seed}"
            fixed = {"seed": seed, "run": folder / "run"}
            try:
                train = changed(config.train, variant.train | fixed)
                evaluate = changed(config.evaluate, variant.evaluate)
            except ValueError as error:
                raise ValueError(f"variant '{variant.name}': {error}") from error
            jobs.append(AblationJob(variant.name, seed, folder, train, evaluate))
    return jobs


def changed(config: Model, changes: dict[str, Any]) -> Model:
    """Return a configuration with other values, checked anew.

    Args:
        config: to start from.
        changes: nested as the configuration is.

    Raises:
        ValueError: a key is not known, or a value is not allowed.
    """
    return type(config).model_validate(_merged(config.model_dump(), changes))


def _merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
