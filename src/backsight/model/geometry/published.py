"""Published VGGT weights into our VGGT: strictly, but for the heads that Backsight has no use for.

Source: the tensors of huggingface.co/facebook/VGGT-1B.
"""

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from backsight.model.hub import is_hub_id, unreachable
from backsight.records.errors import DataError

WEIGHTS_FILE = "model.safetensors"
UNUSED_HEADS = ("point_head", "track_head")
"""Published heads without a counterpart here: points follow from depth and camera, tracks from matching."""
PRECISIONS = ("F32", "F16", "BF16")
ADVICE = "give VGGT weights of the size that the configuration's geometry names, such as facebook/VGGT-1B at full"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedGeometry:
    """What became of a file of published weights."""

    file: Path
    tensors: int
    """Copied into the model: all that it has."""
    dropped: dict[str, int]
    """Tensors passed over, by the head that they belong to."""


def load_published_geometry(vggt: nn.Module, source: str | Path) -> LoadedGeometry:
    """Copy published weights into a VGGT of the same sizes; every tensor of ours must be there.

    Nothing is copied unless everything fits. Weights are converted to the precision that the model is stored in.

    Args:
        vggt: a `VGGT`.
        source: a safetensors file, a folder that holds model.safetensors, or a hub id.

    Raises:
        DataError: the file is missing or damaged, or a tensor is missing, unknown or of another shape.
        EnvironmentProblem: the hub can't be reached or refuses.
    """
    path = _weights_file(source)
    wanted = vggt.state_dict()
    try:
        with safe_open(path, framework="pt", device="cpu") as stored:
            names = set(stored.keys())
            dropped = Counter(head for name in names if (head := name.split(".", 1)[0]) in UNUSED_HEADS)
            known = {name for name in names if name.split(".", 1)[0] not in UNUSED_HEADS}
            for name in sorted(wanted.keys() - known):
                raise DataError(path, name, "missing", ADVICE)
            for name in sorted(known - wanted.keys()):
                raise DataError(path, name, "not part of VGGT as built here", ADVICE)
            for name, tensor in wanted.items():
                part = stored.get_slice(name)
                _check_tensor(path, name, tuple(part.get_shape()), str(part.get_dtype()), tuple(tensor.shape))
            with torch.no_grad():
                for name, tensor in wanted.items():
                    tensor.copy_(stored.get_tensor(name))
    except SafetensorError as error:
        raise DataError(path, "weights", f"not a whole safetensors file: {error}", "download it again") from error
    for head, count in sorted(dropped.items()):
        _log.warning("%s: %d tensors of %s are not used here and were not loaded", path, count, head)
    return LoadedGeometry(path, len(wanted), dict(dropped))


def _check_tensor(path: Path, name: str, shape: tuple[int, ...], precision: str, wanted: tuple[int, ...]) -> None:
    if shape != wanted:
        raise DataError(path, name, f"has shape {shape}, the configuration asks for {wanted}", ADVICE)
    if precision not in PRECISIONS:
        raise DataError(path, name, f"is {precision}, weights are one of {', '.join(PRECISIONS)}", ADVICE)


def _weights_file(source: str | Path) -> Path:
    path = Path(source)
    if path.is_file():
        return path
    if path.is_dir():
        found = path / WEIGHTS_FILE
        if not found.is_file():
            raise DataError(found, "file", "no such file", "a folder of published VGGT weights holds model.safetensors")
        return found
    if not is_hub_id(source):
        raise DataError(path, "file", "no such file or folder, and no hub id", "a hub id reads owner/name")
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(str(source), WEIGHTS_FILE))
    except OSError as error:
        raise unreachable(str(source), error) from error
