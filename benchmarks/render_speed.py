"""How fast the embedded renderer is, and how well it agrees with a brute-force tracer.

python benchmarks/render_speed.py [--scene flat-7] [--device cpu] [--seconds 3] [--json FILE]
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import tyro
from rich.console import Console
from rich.progress import track
from rich.table import Table

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.errors import BacksightError
from backsight.records.score import ScoreRow
from backsight.sim.embedded.reference import trace_all
from backsight.sim.embedded.renderer import Renderer
from backsight.sim.embedded.simulator import EmbeddedSimulator

SIZES = ((128, 128), (256, 256), (640, 480))
"""Width and height, px."""
REFERENCE_SIZE = (97, 73)
EYE_M = 1.25
POSES = 16
REFERENCE_POSES = 4


@dataclass
class Arguments:
    """What to measure."""

    scene: str = "flat-7"
    """Scene id."""
    device: str = "cpu"
    """'cpu' or 'cuda'."""
    threads: tuple[int, ...] = (1, 2)
    """Thread counts to measure; more than one plays no part on CUDA."""
    rgb_samples_per_axis: int = 1
    """Rays per pixel and axis for the colour."""
    seconds: float = 2.0
    """Length of each of the windows the median is taken of."""
    windows: int = 3
    """Windows per row."""
    json: Path | None = None
    """File for the rows."""


def standing_poses(simulator: EmbeddedSimulator, count: int) -> np.ndarray:
    """Return poses at eye height in random places, all directions."""
    rng = np.random.default_rng(0)
    poses = []
    for _ in range(count):
        place = simulator.navigation.random_point(rng) + np.array([0.0, EYE_M, 0.0])
        poses.append(look_pose(place, float(rng.uniform(-np.pi, np.pi)), float(rng.uniform(-0.3, 0.1))))
    return np.stack(poses)


def frames_per_second(
    renderer: Renderer, poses: np.ndarray, size: tuple[int, int], arguments: Arguments
) -> list[float]:
    """Return the rate of each window, after one render that warms up."""
    width, height = size
    intrinsics = intrinsics_from_hfov(width, height, 79.0)
    renderer.render(poses[:1], intrinsics, width, height)
    rates = []
    for _ in range(arguments.windows):
        frames, start = 0, time.perf_counter()
        while time.perf_counter() - start < arguments.seconds:
            renderer.render(poses, intrinsics, width, height)
            frames += len(poses)
        rates.append(frames / (time.perf_counter() - start))
    return rates


def agreement(simulator: EmbeddedSimulator, renderer: Renderer, predictor: str) -> list[ScoreRow]:
    """Return depth error, equal ids and holes against the brute-force tracer."""
    width, height = REFERENCE_SIZE
    intrinsics = intrinsics_from_hfov(width, height, 79.0)
    poses = standing_poses(simulator, REFERENCE_POSES)
    seen = renderer.render(poses, intrinsics, width, height)
    errors_m, equal, holes = [], [], []
    for number in track(range(len(poses)), "brute force", console=Console(stderr=True), transient=True):
        depth_m, ids = trace_all(simulator.scene, poses[number], intrinsics, width, height)
        errors_m.append(float(np.median(np.abs(seen.depth_m[number] - depth_m))))
        equal.append(float((seen.instance_ids[number] == ids).mean()))
        holes.append(float(((seen.depth_m[number] == 0) & (depth_m > 0)).mean()))
    figures = (("render_depth_error_m", errors_m), ("render_ids_equal", equal), ("render_hole_share", holes))
    return [row(metric, predictor, values, len(poses)) for metric, values in figures]


def row(metric: str, predictor: str, values: list[float], maps: int) -> ScoreRow:
    """Return the median of some values, with the lowest and highest as its interval."""
    return ScoreRow(metric, predictor, float(np.median(values)), min(values), max(values), 1, maps)


def measure(arguments: Arguments) -> list[ScoreRow]:
    """Return every row of the table."""
    simulator = EmbeddedSimulator()
    simulator.load_scene(arguments.scene)
    poses = standing_poses(simulator, POSES)
    rows = []
    for threads in arguments.threads:
        start = time.perf_counter()
        renderer = Renderer(
            simulator.scene,
            device=arguments.device,
            threads=threads,
            rgb_samples_per_axis=arguments.rgb_samples_per_axis,
        )
        predictor = f"embedded {arguments.device}, threads {threads}"
        rows.append(row("render_load_s", predictor, [time.perf_counter() - start], 1))
        for size in track(SIZES, predictor, console=Console(stderr=True), transient=True):
            name = f"render_fps_{size[0]}" if size[0] == size[1] else f"render_fps_{size[0]}x{size[1]}"
            rates = frames_per_second(renderer, poses, size, arguments)
            rows.append(row(name, predictor, rates, len(poses)))
    triangles = float(len(simulator.scene.faces))
    rows.append(row("render_triangles", arguments.scene, [triangles], 1))
    return rows + agreement(simulator, renderer, predictor)


def main() -> int:
    arguments = tyro.cli(Arguments)
    try:
        rows = measure(arguments)
    except BacksightError as problem:
        print(problem, file=sys.stderr)
        return problem.exit_status
    table = Table(title=f"{arguments.scene}: frames per second, and agreement with brute force")
    for heading in ("metric", "predictor", "value", "low", "high", "maps"):
        table.add_column(heading, justify="right" if heading in ("value", "low", "high", "maps") else "left")
    for entry in rows:
        figures = [f"{value:.4g}" for value in (entry.value, entry.low, entry.high)]
        table.add_row(entry.metric, entry.predictor, *figures, str(entry.maps))
    Console().print(table)
    if arguments.json is not None:
        arguments.json.write_bytes(msgspec.json.encode(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
