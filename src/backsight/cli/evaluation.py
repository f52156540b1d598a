"""What the commands predict, score and evaluate share: their options and how a table is shown."""

from pathlib import Path

from pydantic import Field

from backsight.evaluate.samples import EvaluationConfig
from backsight.records.errors import DataError
from backsight.storage.layout import DATASET_FILE


class EvaluationCommand(EvaluationConfig):
    """Options that all three commands have."""

    data: Path = Path("data/collected")
    """Data set, or a folder with a recorded RGB-D walk (images, depth, poses.txt, K.txt)."""
    out: Path = Field(default=Path("out/evaluation"))
    """Folder for predictions, results.json and the report."""


class CheckpointCommand(EvaluationCommand):
    """Options of the commands that run a model."""

    checkpoint: Path = Path("checkpoints/model")
    """Folder that a training run wrote: model/ of the run folder, or a step of its checkpoints/."""


def evaluation_config(command: EvaluationCommand) -> EvaluationConfig:
    """Return the part of a command that says how to evaluate."""
    return EvaluationConfig(**{name: getattr(command, name) for name in EvaluationConfig.model_fields})


def model_folder(checkpoint: Path) -> Path:
    """Return the folder with the weights: `checkpoint` itself, its `model`, or the folder of a weights file.

    Raises:
        DataError: there is no model.
    """
    folder = checkpoint.parent if checkpoint.suffix == ".safetensors" else checkpoint
    for candidate in (folder, folder / "model"):
        if (candidate / "model.safetensors").is_file() or (candidate / "config.json").is_file():
            return candidate
    raise DataError(checkpoint, "model.safetensors", "no such file", "give the folder that training wrote")


def is_dataset(path: Path) -> bool:
    """Whether the folder is a data set of ours, and not a recording."""
    return (path / DATASET_FILE).is_file()
