"""How fast the embedded renderer is beside a plain ray renderer, what its options cost, and how well it agrees.

python benchmarks/render_speed.py [--device cpu|cuda] [--windows 5] [--quick] [--json FILE]

On the CPU: frames per second and the ratio to a plain `wp.mesh_query_ray` renderer (`plain_rays.py`), both measured in
turn in one process, over processor seconds of the thread; then options, threads, two processes, moving objects and
agreement.
On CUDA: frames per second at 64 to 4096 cameras, staying on the device and copied to the host.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import tyro
from render_speed_cpu import measure_cpu
from render_speed_cuda import ANCHORS, measure_cuda
from rich.console import Console
from rich.table import Table

from backsight.records.errors import BacksightError
from backsight.records.score import ScoreRow


@dataclass
class Arguments:
    """What to measure."""

    device: str = "cpu"
    """'cpu' or 'cuda'."""
    triangles: tuple[int, ...] = (131_760, 531_556)
    """About how many triangles the scenes have."""
    windows: int = 5
    """Measurements that each median is taken of."""
    cameras: tuple[int, ...] = (64, 256, 1024, 4096)
    """Poses of a launch on CUDA."""
    torch: bool = False
    """On CUDA, measure torch tensors too."""
    quick: bool = False
    """Ratios only, without options, threads, processes, motion and agreement."""
    json: Path | None = None
    """File for the rows."""


def show(rows: list[ScoreRow], title: str) -> None:
    table = Table(title=title)
    for heading in ("metric", "what", "value", "low", "high"):
        table.add_column(heading, justify="left" if heading in ("metric", "what") else "right")
    for entry in rows:
        table.add_row(entry.metric, entry.predictor, *(f"{v:.4g}" for v in (entry.value, entry.low, entry.high)))
    Console().print(table)


def main() -> int:
    arguments = tyro.cli(Arguments)
    try:
        if arguments.device == "cuda":
            rows = measure_cuda(arguments.triangles, arguments.cameras, arguments.windows, arguments.torch)
            show(rows, "Frames per second on CUDA: RGB, depth and ids, mip maps on")
            for line in ANCHORS:
                Console().print(line)
        else:
            rows = measure_cpu(arguments.triangles, arguments.windows, arguments.quick)
            show(rows, "Frames per second on the CPU; ratios to a plain ray renderer")
    except BacksightError as problem:
        print(problem, file=sys.stderr)
        return problem.exit_status
    if arguments.json is not None:
        arguments.json.write_bytes(msgspec.json.encode(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
