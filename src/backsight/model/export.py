"""The footprint path as a program of its own: images in, footprints of the last one out, without Python.

Source: torch.export, https://docs.pytorch.org/docs/stable/export.html
"""

import copy
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.export import ExportedProgram

from backsight.model.backsight import Backsight
from backsight.records.errors import UsageError


class FootprintPath(nn.Module):
    """Images to calibrated footprints, presences, bearings and distances; no language model.

    Args:
        model: in evaluation mode.
    """

    def __init__(self, model: Backsight) -> None:
        super().__init__()
        # A program stores every weight of its module: those that no footprint needs are left out of this copy.
        light = copy.copy(model)
        light._modules = {name: part for name, part in model.named_children() if name != "language"}
        light.heatmap = nn.ModuleDict({"footprint": model.heatmap["footprint"]})
        self.model = copy.deepcopy(light).to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]

    def forward(
        self, rgb: Float[Tensor, "frames 3 height width"]
    ) -> tuple[
        Float[Tensor, "history rows columns"],
        Float[Tensor, " history"],
        Float[Tensor, "history 3"],
        Float[Tensor, " history"],
    ]:
        """Return maps, presences, bearings and distances (metres) of every frame but the last, over the last.

        Args:
            rgb: in [0, 1], of the model's size, in time order.
        """
        model, last = self.model, rgb.shape[0] - 1
        encoding = model.encode(rgb[None])
        history = torch.arange(last, device=rgb.device)
        current = torch.stack([torch.zeros_like(history[:1]), torch.full_like(history[:1], last)], dim=-1)
        found = model.footprints(encoding, current, history[None])
        use = model.calibration
        return (
            use.footprint.probability(found.logits[0]),
            use.footprint_presence.probability(found.presence_logits[0]),
            found.bearing[0],
            found.log_distance[0].exp(),
        )


def export_footprints(model: Backsight, frames: int) -> ExportedProgram:
    """Trace the footprint path for walks of a fixed number of frames.

    The number is fixed because the way through a walk is composed in as many rounds as that number has bits.

    Args:
        model: in evaluation mode.
        frames: of each walk, the current view included.

    Raises:
        UsageError: the model is training, or there are fewer than two frames.
    """
    if model.training:
        raise UsageError("a model in training mode can't be exported: call eval() first")
    if frames < 2:
        raise UsageError(f"{frames} frame: there is no history to look back on")
    config = model.config
    example = torch.zeros(frames, 3, config.image_height, config.image_width, device=next(model.parameters()).device)
    with torch.no_grad():
        return torch.export.export(FootprintPath(model), (example,))


def save_program(program: ExportedProgram, path: Path) -> None:
    """Write a program as a .pt2 file, which `torch.export.load` reads.

    Args:
        program: of `export_footprints`.
        path: ends with .pt2.
    """
    if path.suffix != ".pt2":
        raise UsageError(f"{path}: an exported program's file ends with .pt2")
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.export.save(program, path)


def load_program(path: Path) -> nn.Module:
    """Return a saved program as a module to call.

    Args:
        path: of `save_program`.

    Raises:
        UsageError: there is no such file.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    return cast(nn.Module, torch.export.load(path).module())
