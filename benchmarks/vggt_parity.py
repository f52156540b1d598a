"""Is our VGGT the published one? The same random weights through a reference implementation and through ours.

    python benchmarks/vggt_parity.py REFERENCE_PATH [--json FILE]

REFERENCE_PATH is the folder `vggt` of the published code, the one that holds `models`, `heads` and `layers`; it lies
outside this repository. Its track head, which is only counted here, needs einops.

Random weights of small configurations are written as a published file would be, point head included, and loaded
strictly through `load_published_geometry`. Tokens of every layer, pose encodings of every iteration, depth and
confidence must agree within 1e-4 in float32, and so must cameras decoded from an encoding. Then both full
configurations are built without weights, and their parameters compared head by head.
"""

import importlib
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import tyro
from accelerate import init_empty_weights
from rich.console import Console
from rich.table import Table
from safetensors.torch import save_file
from torch import Tensor, nn

from backsight.model.config import GEOMETRY_PATCH_PX, GeometryConfig
from backsight.model.geometry.pose_encoding import intrinsics_of, pose_encoding_from_cameras, world_from_camera_of
from backsight.model.geometry.published import load_published_geometry
from backsight.model.geometry.vggt import VGGT
from backsight.model.presets import full
from backsight.records.errors import BacksightError, UsageError

BAR = 1e-4
NAME = "vggt"
"""Under which the reference's modules import each other."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    metric: str
    value: float
    bar: float
    ok: bool
    scale: float
    """Largest absolute value of the reference: what the difference is to be seen against."""


@dataclass(frozen=True)
class Case:
    """One small configuration and one size of input."""

    patch_embed: str
    """convolution, small transformer (4 blocks, 64 wide), or the reference's own ViT-S/14 with registers."""
    rows: int
    columns: int
    frames: int
    batch: int = 1

    @property
    def label(self) -> str:
        """Name of the case in the table."""
        return f"{self.patch_embed}, {self.columns} x {self.rows} patches, {self.batch} x {self.frames} frames"


CASES = (
    Case("convolution", 4, 5, 3, 2),
    Case("convolution", 7, 3, 1),
    Case("transformer", 5, 5, 3),  # the position embedding's own grid: nothing to interpolate
    Case("transformer", 3, 3, 2, 2),
    Case("transformer", 7, 11, 2),
    Case("transformer", 13, 2, 5),
    Case("transformer", 1, 17, 11),
    Case("transformer", 11, 7, 9),  # more frames than the reference's heads take at a time
    Case("ViT-S/14", 5, 7, 3),
    Case("ViT-S/14", 13, 11, 2),
)
POSITIONS = 5


def import_reference(path: Path) -> Callable[[str], ModuleType]:
    """Return an importer of the reference's modules, wherever it lies and whatever its folder is called."""
    if not (path / "models" / "aggregator.py").is_file():
        raise UsageError(f"{path}: holds no models/aggregator.py; give the folder 'vggt' of the published code")
    package = ModuleType(NAME)
    package.__path__ = [str(path.resolve())]
    sys.modules[NAME] = package

    def load(name: str) -> ModuleType:
        try:
            return importlib.import_module(f"{NAME}.{name}")
        except ModuleNotFoundError as error:
            raise UsageError(f"{path}: {name} needs {error.name}: install it into a folder on PYTHONPATH") from error

    return load


def small(case: Case) -> GeometryConfig:
    vit = case.patch_embed == "ViT-S/14"
    return GeometryConfig(
        width=384 if vit else 64,
        heads=6 if vit else 4,
        depth=4,
        patch_depth={"convolution": 0, "transformer": 4, "ViT-S/14": 12}[case.patch_embed],
        patch_heads=6 if vit else 2,
        positions=POSITIONS,
        camera_depth=2,
        camera_heads=8,
        depth_features=32,
        depth_channels=(16, 32, 48, 48),
        depth_layers=(0, 1, 2, 3),
        tapped_layer=2,
    )


def reference_of(load: Callable[[str], ModuleType], case: Case, config: GeometryConfig) -> nn.ModuleDict:
    """Build the reference's parts in the sizes of `config`: its own class for all of them fixes most sizes."""
    side = config.positions * GEOMETRY_PATCH_PX
    kind = "dinov2_vits14_reg" if case.patch_embed == "ViT-S/14" else "conv"
    aggregator = load("models.aggregator").Aggregator(
        img_size=side, embed_dim=config.width, depth=config.depth, num_heads=config.heads, patch_embed=kind
    )
    if case.patch_embed == "transformer":
        layers = load("layers.vision_transformer")
        aggregator.patch_embed = layers.DinoVisionTransformer(
            img_size=side,
            patch_size=GEOMETRY_PATCH_PX,
            embed_dim=config.width,
            depth=config.patch_depth,
            num_heads=config.patch_heads,
            init_values=1.0,
            block_chunks=0,
            num_register_tokens=config.registers,
            interpolate_antialias=True,
            interpolate_offset=0.0,
        )
    wide = 2 * config.width
    sizes: dict[str, Any] = {
        "features": config.depth_features,
        "out_channels": list(config.depth_channels),
        "intermediate_layer_idx": list(config.depth_layers),
    }
    dense = load("heads.dpt_head").DPTHead
    return nn.ModuleDict(
        {
            "aggregator": aggregator,
            "camera_head": load("heads.camera_head").CameraHead(
                dim_in=wide, trunk_depth=config.camera_depth, num_heads=config.camera_heads
            ),
            "depth_head": dense(wide, output_dim=2, activation="exp", conf_activation="expp1", **sizes),
            "point_head": dense(wide, output_dim=4, activation="inv_log", conf_activation="expp1", **sizes),
        }
    ).eval()


def randomise(model: nn.Module, generator: torch.Generator) -> None:
    """Draw every parameter anew, so that each has a say: as built, layer scales of 0.01 would hide most blocks."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith("pos_embed") or "token" in name:
                parameter.copy_(noise)
            elif parameter.ndim > 1:
                parameter.copy_(noise / parameter[0].numel() ** 0.5)
            elif name.endswith("weight"):
                parameter.copy_(1 + 0.2 * noise)
            elif name.endswith("gamma"):
                parameter.copy_(0.3 + 0.1 * noise)
            else:
                parameter.copy_(0.1 * noise)


@torch.no_grad()
def compare(load: Callable[[str], ModuleType], case: Case, seed: int) -> Iterator[Row]:
    """Run both on the same images, ours with fused and with plain attention."""
    generator = torch.Generator().manual_seed(seed)
    config = small(case)
    reference = reference_of(load, case, config)
    randomise(reference, generator)
    shape = (case.batch, case.frames, 3, case.rows * GEOMETRY_PATCH_PX, case.columns * GEOMETRY_PATCH_PX)
    images = torch.rand(shape, generator=generator)
    layers, first = reference["aggregator"](images)
    poses = torch.stack(reference["camera_head"](layers, num_iterations=config.camera_iterations))
    depth, confidence = reference["depth_head"](layers, images=images, patch_start_idx=first)
    for fused in (True, False):
        ours = VGGT(config, fused).eval()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.safetensors"
            save_file({name: tensor.contiguous() for name, tensor in reference.state_dict().items()}, file)
            loaded = load_published_geometry(ours, file)
        assert loaded.dropped.keys() == {"point_head"}
        ours.aggregator.kept_layers = frozenset(range(config.depth))
        tokens = ours.aggregator(images)
        found = ours(images)
        assert tokens.first_patch == first
        label = f"{case.label}, {'fused' if fused else 'plain'}"
        every = torch.stack([tokens.layers[layer] for layer in range(config.depth)])
        yield _difference(f"{label}: tokens of every layer", every, torch.stack(layers))
        yield _difference(f"{label}: pose encoding of every iteration", found.pose_encodings, poses)
        yield _difference(f"{label}: depth", found.depth, depth[..., 0])
        yield _difference(f"{label}: confidence", found.depth_confidence, confidence)


def compare_cameras(load: Callable[[str], ModuleType], seed: int) -> Iterator[Row]:
    """Decode an encoding with both, and encode the cameras again."""
    generator = torch.Generator().manual_seed(seed)
    encoding = torch.randn(3, 5, 9, generator=generator)
    encoding[..., 3:7] = nn.functional.normalize(encoding[..., 3:7], dim=-1)
    encoding[..., 3:7] *= encoding[..., 6:7].sign()
    encoding[..., 7:] = encoding[..., 7:].abs() % 1.5 + 0.3
    encoding[:, 0] = torch.tensor([0.0, 0, 0, 0, 0, 0, 1, 0, 0])  # the first camera is the world
    encoding[..., 7:] = encoding[:, 1:2, 7:]
    height, width = 98, 154
    extrinsics, intrinsics = load("utils.pose_enc").pose_encoding_to_extri_intri(encoding, (height, width))
    poses = world_from_camera_of(encoding)
    yield _difference("cameras: camera_from_world", torch.linalg.inv(poses)[..., :3, :], extrinsics)
    yield _difference("cameras: intrinsics", intrinsics_of(encoding, width, height), intrinsics)
    again = load("utils.pose_enc").extri_intri_to_pose_encoding(extrinsics, intrinsics, (height, width))
    ours = pose_encoding_from_cameras(poses, intrinsics[:, 1], width, height)
    yield _difference("cameras: encoding of cameras", ours, again)


def count_parameters(load: Callable[[str], ModuleType]) -> Iterator[Row]:
    """Count both full configurations head by head; what we do not build is counted in the reference alone."""
    with torch.device("meta"):
        ours = VGGT(full().geometry, True)
    with init_empty_weights():
        theirs = load("models.vggt").VGGT()
    for name, head in theirs.named_children():
        count = sum(parameter.numel() for parameter in head.parameters())
        mine = getattr(ours, name, None)
        if mine is None:
            yield Row(f"parameters of {name} (not built here)", 0, 0, True, count)
            continue
        difference = abs(sum(parameter.numel() for parameter in mine.parameters()) - count)
        same = {key: value.shape for key, value in mine.state_dict().items()} == {
            key: value.shape for key, value in head.state_dict().items()
        }
        yield Row(f"parameters of {name}, names and shapes too", difference, 0, same and difference == 0, count)
    total = sum(parameter.numel() for parameter in theirs.parameters())
    published = 1_256_537_516
    yield Row(
        "parameters of the reference, against the published total", abs(total - published), 0, total == published, total
    )


def _difference(metric: str, found: Tensor, reference: Tensor) -> Row:
    assert found.dtype == reference.dtype == torch.float32
    assert found.shape == reference.shape, (metric, found.shape, reference.shape)
    worst = (found - reference).abs().max().item()
    return Row(metric, worst, BAR, worst <= BAR, reference.abs().max().item())


@dataclass
class Arguments:
    """What to compare with."""

    reference: tyro.conf.Positional[Path]
    """Folder `vggt` of the published code."""
    seed: int = 0
    json: Path | None = None
    """Write the rows there."""


def main() -> int:
    arguments = tyro.cli(Arguments, description=__doc__)
    logging.getLogger("backsight").setLevel(logging.ERROR)
    try:
        load = import_reference(arguments.reference)
        rows = [row for case in CASES for row in compare(load, case, arguments.seed)]
        rows += [*compare_cameras(load, arguments.seed), *count_parameters(load)]
    except BacksightError as error:
        Console(stderr=True).print(str(error))
        return error.exit_status
    table = Table(title="Our VGGT against the reference: largest absolute difference in float32")
    for heading in ("metric", "value", "bar", "reference's largest", "ok"):
        table.add_column(heading, justify="left" if heading == "metric" else "right")
    for row in rows:
        table.add_row(row.metric, f"{row.value:.2g}", f"{row.bar:g}", f"{row.scale:.4g}", "yes" if row.ok else "NO")
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
