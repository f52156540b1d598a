"""Checkpoints of a run: whole or absent, verified before they are trusted.

    checkpoints/step-000500/model/          what `Backsight.from_pretrained` loads
                            optimiser.safetensors, optimiser.json
                            state.json      step, samples, sampler
                            manifest.json   size and sha256 of each file
"""

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
from backsight.records.errors import DataError
from backsight.storage.manifest import sync_tree, verify_manifest, write_manifest

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainState:
    """Where a run stands."""

    step: int
    """Optimiser steps done."""
    samples: int
    sampler: SamplerState


def save_checkpoint(
    folder: Path,
    state: TrainState,
    save_model: Callable[[Path], None],
    optimiser: torch.optim.Optimizer,
    keep: int,
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
    (incoming / "state.json").write_text(json.dumps(asdict(state)))
    write_manifest(incoming)
    sync_tree(incoming)
    shutil.rmtree(final, ignore_errors=True)
    os.replace(incoming, final)
    for old in _checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return final


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint whose manifest verifies, and warn of those passed over."""
    for candidate in reversed(_checkpoints(folder)):
        findings = verify_manifest(candidate)
        if not findings:
            return candidate
        _log.warning("passing over %s: %s %s", candidate, findings[0].path, findings[0].problem)
    return None


def load_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> TrainState:
    """Restore model and optimiser from a verified checkpoint and return where the run stood.

    Raises:
        DataError: the weights or the optimiser's state do not fit this model.
    """
    weights = load_file(path / "model" / "model.safetensors")
    missing, unexpected = model.load_state_dict(weights, strict=False)
    if missing or unexpected:
        raise DataError(
            path / "model" / "model.safetensors",
            (missing or unexpected)[0],
            "does not fit this model",
            "the run was started with another preset; choose another run folder",
        )
    layout = json.loads((path / "optimiser.json").read_text())
    optimiser.load_state_dict(_unflatten_optimiser(load_file(path / "optimiser.safetensors"), layout))
    state = json.loads((path / "state.json").read_text())
    return TrainState(state["step"], state["samples"], SamplerState(**state["sampler"]))


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
