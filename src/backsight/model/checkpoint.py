"""Weights with everything that is needed to use them, in one folder.

config.json          format, `ModelConfig` and `AdaptationConfig`
calibration.json     `Calibration`
tokenizer/           of transformers
model.safetensors    weights; nothing is ever unpickled
"""

import json
from pathlib import Path
from typing import TypeVar

import torch
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from backsight.model.adaptation import Adaptable, AdaptationConfig, adapt
from backsight.model.calibration import Calibration
from backsight.model.config import ModelConfig
from backsight.records.errors import DataError, UsageError

Model = TypeVar("Model", bound=BaseModel)
Loaded = TypeVar("Loaded", bound="Checkpointed")

FORMAT = 1
CONFIG_FILE = "config.json"
CALIBRATION_FILE = "calibration.json"
TOKENIZER_FOLDER = "tokenizer"
WEIGHTS_FILE = "model.safetensors"
TIED = ("language.model.lm_head.weight",)
"""Shared with the embedding table, so not stored twice."""


class Checkpointed(Adaptable):
    """A model that can be saved to a folder and loaded from it.

    Args:
        config: of a preset.
        tokenizer: saved with the weights.
    """

    def __init__(self, config: ModelConfig, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        self.calibration = Calibration()

    def save_pretrained(self, folder: str | Path) -> None:
        """Write configuration, calibration, tokenizer and weights.

        Args:
            folder: made when it does not exist.
        """
        save_pretrained(self, Path(folder))

    @classmethod
    def from_pretrained(cls: type[Loaded], folder: str | Path, preset: str | None = None) -> Loaded:
        """Load what `save_pretrained` wrote, in evaluation mode.

        Args:
            folder: of the checkpoint.
            preset: that it must be of, when given.

        Raises:
            DataError: a file is missing, damaged, or does not fit the configuration beside it.
            UsageError: the checkpoint is of another preset.
        """
        path = Path(folder)
        config, adaptation = read_config(path), read_adaptation(path)
        if preset is not None and config.preset != preset:
            raise UsageError(f"{path / CONFIG_FILE}: preset: is {config.preset!r}, asked for {preset!r}")
        model = cls(config, _read_tokenizer(path))
        model.calibration = _parsed(path / CALIBRATION_FILE, Calibration, _read_json(path / CALIBRATION_FILE))
        adapt(model, adaptation)
        load_weights(model, path / WEIGHTS_FILE)
        return model.eval()


def save_pretrained(model: Checkpointed, folder: Path) -> None:
    """Write a model; the function behind `Backsight.save_pretrained`.

    Args:
        model: to write.
        folder: made when it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    adaptation = model.adaptation.model_dump(mode="json")
    written = {"format": FORMAT, "model": model.config.model_dump(mode="json"), "adaptation": adaptation}
    (folder / CONFIG_FILE).write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    (folder / CALIBRATION_FILE).write_text(model.calibration.model_dump_json(indent=2) + "\n", encoding="utf-8")
    model.tokenizer.save_pretrained(folder / TOKENIZER_FOLDER)
    save_file(_stored_state(model), folder / WEIGHTS_FILE, metadata={"format": "pt"})


def load_weights(model: nn.Module, path: Path) -> None:
    """Copy weights into a model; every name, shape and precision must agree.

    Args:
        model: of the same configuration.
        path: a safetensors file.

    Raises:
        DataError: the file is missing or damaged, or a tensor does not fit; names the first one.
    """
    try:
        found = load_file(path)
    except FileNotFoundError as error:
        raise DataError(path, "weights", "no such file", "give a folder that save_pretrained wrote") from error
    except SafetensorError as error:
        raise DataError(path, "weights", f"not a whole safetensors file: {error}") from error
    wanted = _stored_state(model)
    advice = "the weights belong to another configuration or version"
    for name in sorted(wanted.keys() - found.keys()):
        raise DataError(path, name, "missing", advice)
    for name in sorted(found.keys() - wanted.keys()):
        raise DataError(path, name, "not part of this model", advice)
    for name, tensor in wanted.items():
        stored = found[name]
        if stored.shape != tensor.shape or stored.dtype != tensor.dtype:
            problem = f"is {_described(stored)}, the configuration asks for {_described(tensor)}"
            raise DataError(path, name, problem, advice)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name not in TIED:
                tensor.copy_(found[name])


def read_config(folder: Path) -> ModelConfig:
    """Read a checkpoint's configuration.

    Args:
        folder: of the checkpoint.

    Raises:
        DataError: it is missing, damaged, or of another format.
    """
    path = folder / CONFIG_FILE
    content = _read_json(path)
    if content.get("format") != FORMAT:
        raise DataError(path, "format", f"is {content.get('format')!r}, this version reads {FORMAT}")
    return _parsed(path, ModelConfig, content.get("model"))


def read_adaptation(folder: Path) -> AdaptationConfig:
    """Read how a checkpoint's model was adapted; not at all where it does not say.

    Args:
        folder: of the checkpoint.

    Raises:
        DataError: the configuration is missing or damaged.
    """
    path = folder / CONFIG_FILE
    return _parsed(path, AdaptationConfig, _read_json(path).get("adaptation", {}))


def _stored_state(model: nn.Module) -> dict[str, Tensor]:
    state = model.state_dict()
    return {name: tensor.detach().contiguous() for name, tensor in state.items() if name not in TIED}


def _described(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def _read_json(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(path, "file", "no such file", "give a folder that save_pretrained wrote") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(path, "file", f"not JSON: {error}") from error
    if not isinstance(content, dict):
        raise DataError(path, "file", "not a JSON object")
    return content


def _parsed(path: Path, kind: type[Model], content: object) -> Model:
    try:
        return kind.model_validate_json(json.dumps(content))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise DataError(path, field, first["msg"]) from error


def _read_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    path = folder / TOKENIZER_FOLDER
    if not (path / "tokenizer.json").is_file():
        raise DataError(path / "tokenizer.json", "file", "no such file", "give a folder that save_pretrained wrote")
    return PreTrainedTokenizerFast.from_pretrained(path)
