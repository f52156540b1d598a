"""Checkpoints of a run: whole or absent, verified before they are trusted.

checkpoints/step-000500/model/          what `Backsight.from_pretrained` loads
optimiser.safetensors, optimiser.json
average.safetensors   averaged weights, where the run averages
state.json      step, samples, sampler, time, weighting of the losses
manifest.json   size and sha256 of each file
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from backsight.data.sampler import SamplerState
from backsight.losses.weighting import WeightingState
from backsight.model.checkpoint import load_weights
from backsight.records.errors import DataError
from backsight.storage.sealed_json import read_sealed, sync_folder, write_sealed

MANIFEST = "manifest.json"
AVERAGE_FILE = "average.safetensors"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainState:
    """Where a run stands."""

    step: int
    """Optimiser steps done."""
    samples: int
    sampler: SamplerState
    trained_s: float = 0.0
    """Wall time of all steps so far."""
    weighting: WeightingState | None = None


def save_checkpoint(
    folder: Path,
    state: TrainState,
    save_model: Callable[[Path], None],
    optimiser: torch.optim.Optimizer,
    keep: int,
    average: dict[str, Tensor] | None = None,
) -> Path:
    """Write `folder`/step-NNNNNN by one rename and drop all but the newest `keep`."""
    final = folder / f"step-{state.step:06d}"
    incoming = folder / f".incoming-{final.name}"
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True)
    save_model(incoming / "model")
    tensors, layout = _flatten_optimiser(optimiser)
    save_file(tensors, incoming / "optimiser.safetensors")
    (incoming / "optimiser.json").write_text(json.dumps(layout))
    if average is not None:
        save_file(average, incoming / AVERAGE_FILE)
    (incoming / "state.json").write_text(json.dumps(asdict(state)))
    write_sealed(incoming / MANIFEST, {"files": _describe_files(incoming)})
    _sync_tree(incoming)
    shutil.rmtree(final, ignore_errors=True)
    os.replace(incoming, final)
    sync_folder(folder)
    for old in _checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return final


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint whose manifest verifies, and warn of those passed over."""
    for candidate in reversed(_checkpoints(folder)):
        try:
            check_manifest(candidate)
        except DataError as error:
            _log.warning("passing over a damaged checkpoint: %s", error)
            continue
        return candidate
    return None


def load_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> TrainState:
    """Restore model and optimiser from a verified checkpoint and return where the run stood.

    Raises:
        DataError: the weights or the optimiser's state do not fit this model.
    """
    load_weights(model, path / "model" / "model.safetensors")
    layout = json.loads((path / "optimiser.json").read_text())
    optimiser.load_state_dict(_unflatten_optimiser(load_file(path / "optimiser.safetensors"), layout))
    state = json.loads((path / "state.json").read_text())
    sampler = SamplerState(**state["sampler"])
    return TrainState(state["step"], state["samples"], sampler, state["trained_s"], state["weighting"])


def load_average(path: Path) -> dict[str, Tensor] | None:
    """Return the averaged weights of a verified checkpoint, None where its run did not average."""
    file = path / AVERAGE_FILE
    return load_file(file) if file.exists() else None


def check_manifest(checkpoint: Path) -> None:
    """Compare a checkpoint's files with its manifest.

    Raises:
        DataError: a file is missing, added or changed; names it.
    """
    listed = read_sealed(checkpoint / MANIFEST)["files"]
    found = _describe_files(checkpoint)
    for name in sorted(listed.keys() | found.keys()):
        if listed.get(name) != found.get(name):
            raise DataError(checkpoint / name, "sha256", "differs from what manifest.json lists")


def _describe_files(folder: Path) -> dict[str, dict[str, object]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {
        str(path.relative_to(folder)): {
            "size_bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    }


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
    for path in [*folder.rglob("*"), folder]:
        if path.is_dir():
            sync_folder(path)


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-[0-9]*")) if folder.is_dir() else []


def _flatten_optimiser(optimiser: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, object]]:
    state = optimiser.state_dict()
    tensors = {
        f"{index}/{key}": value.contiguous() for index, entry in state["state"].items() for key, value in entry.items()
    }
    return tensors, {"param_groups": state["param_groups"]}


def _unflatten_optimiser(tensors: dict[str, Tensor], layout: dict[str, object]) -> dict[str, object]:
    entries: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split("/")
        entries.setdefault(int(index), {})[key] = value
    return {"state": entries, "param_groups": layout["param_groups"]}
