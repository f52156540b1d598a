"""How long the choice of keyframes takes on a thousand frames with depth, and a stream's frames a second."""

import time
from dataclasses import dataclass

import numpy as np
import torch
import tyro
from rich.console import Console
from rich.table import Table

from backsight.data.keyframes import keyframes_from_depth
from backsight.geometry.poses import look_pose
from backsight.model.backsight import Backsight
from backsight.model.presets import preset
from backsight.model.streaming import Stream
from backsight.model.tokenizer import build_tokenizer

INSTRUCTION = "where is the red chair"


@dataclass
class Arguments:
    """What to measure."""

    frames: int = 1000
    keyframes: int = 16
    width_px: int = 256
    height_px: int = 192
    repeats: int = 5
    """The best one counts: other work on the machine only adds time."""
    preset: str = "tiny"
    """Of the stream's model, with random weights."""
    stream_frames: tuple[int, ...] = (8, 16, 32, 64)
    """Frames that a stream keeps when it is looked at."""


def walk(arguments: Arguments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return depth, poses and intrinsics of a walk that winds through uneven surroundings."""
    rng = np.random.default_rng(0)
    size = arguments.height_px, arguments.width_px
    bumps = np.sin(np.linspace(0, 9, size[1]))[None] + np.cos(np.linspace(0, 5, size[0]))[:, None]
    depth_m = (3.0 + bumps + 2 * rng.random((arguments.frames, 1, 1))).astype(np.float32)
    poses = [look_pose(np.array([0.03 * i, 1.5, np.sin(i / 40)]), 0.02 * i) for i in range(arguments.frames)]
    focal_px = 0.8 * arguments.width_px
    intrinsics = np.array([[focal_px, 0, size[1] / 2], [0, focal_px, size[0] / 2], [0, 0, 1]])
    return depth_m, np.stack(poses), intrinsics


def best_s(repeats: int, work) -> float:
    """Return the shortest of several wall times."""
    times_s = []
    for _ in range(repeats):
        began_s = time.perf_counter()
        work()
        times_s.append(time.perf_counter() - began_s)
    return min(times_s)


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    console = Console()
    depth_m, poses, intrinsics = walk(arguments)
    table = Table("candidates", "seconds", title=f"{arguments.keyframes} keyframes of {arguments.frames} frames")
    for candidates in (128, arguments.frames):
        seconds = best_s(
            arguments.repeats,
            lambda: keyframes_from_depth(depth_m, poses, intrinsics, arguments.keyframes, candidates),  # noqa: B023
        )
        table.add_row(str(candidates), f"{seconds:.3f}")
    console.print(table)
    config = preset(arguments.preset)
    torch.manual_seed(0)
    model = Backsight(config, build_tokenizer([INSTRUCTION], config.language.frame_tokens)).eval()
    images = np.random.default_rng(1).integers(0, 256, (config.image_height, config.image_width, 3), dtype=np.uint8)
    table = Table(
        "kept frames", "add, ms", "look, ms", "look with an instruction, ms", title=f"stream, {config.preset}"
    )
    for count in arguments.stream_frames:
        stream = Stream(model, max_frames=max(4, count))
        began_s = time.perf_counter()
        for _ in range(count):
            stream.add(images)
        added_s = (time.perf_counter() - began_s) / count
        plain_s = best_s(arguments.repeats, stream.look)
        asked_s = best_s(arguments.repeats, lambda: stream.look(INSTRUCTION))  # noqa: B023
        table.add_row(str(count), *(f"{1000 * value:.0f}" for value in (added_s, plain_s, asked_s)))
    console.print(table)


if __name__ == "__main__":
    main()
