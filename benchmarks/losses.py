"""How fast truth and losses of one training step are, beside the same done one pair at a time and by plain loops.

    python benchmarks/losses.py [--preset small] [--batch 4] [--history 12] [--keyframes 8] [--device cpu] [--json FILE]

Truth, all terms and their gradients, over a room in closed form and random outputs of the model's widths. 'One pair at
a time' calls the primitives of the package for every pair and map alone. 'Single numbers' are the loops of the tests
(truth: numpy, pair by pair); a few items of each kind are timed, without gradients, and multiplied out. That all three
give equal values is checked first. Peak memory is of a process of its own (Linux), or of the CUDA allocator.
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import torch
import tyro
from losses_loops import Timed, time_loops
from losses_one_by_one import terms_one_by_one
from losses_room import Outputs, Sizes, make_batch, make_outputs
from rich.console import Console
from rich.table import Table
from torch import Tensor

from backsight.losses.matching import MatchingConfig
from backsight.losses.total import LossTerms, LossWeights, total_loss
from backsight.model.presets import small, tiny
from backsight.records.score import ScoreRow
from backsight.train.step import batch_truth, loss_terms

TOLERANCE = 1e-4
GROWTH_FROM = 8
"""Frames from which the exponent of growth is fitted; below, fixed costs show."""


@dataclass
class Arguments:
    """What to measure."""

    preset: Literal["small", "tiny"] = "small"
    batch: int = 4
    history: int = 12
    """History frames of each current view."""
    currents: int = 3
    """Current views of each sample."""
    keyframes: int = 8
    instructions: int = 4
    frames: tuple[int, ...] = (2, 4, 8, 16, 32, 64)
    """Numbers of frames whose cost is measured, one current view each."""
    device: str = "cpu"
    """'cpu' or 'cuda'."""
    threads: int = 2
    repeats: int = 5
    """Steps that the least time is taken of, after one that warms up."""
    pair_repeats: int = 1
    """Likewise one pair at a time."""
    loop_items: int = 3
    """Items of each kind timed by loops over single numbers; 0 leaves the loops out."""
    json: Path | None = None
    """File for the rows."""

    def sizes(self) -> Sizes:
        """Return the sizes of the whole step."""
        config = {"small": small, "tiny": tiny}[self.preset]()
        return Sizes(config, self.batch, self.history + 1, self.currents, self.keyframes, self.instructions)


@dataclass(frozen=True)
class Cost:
    """Of one step."""

    wall_s: float
    processor_s: float
    """Of all threads; other work on the machine moves it less than the wall clock."""
    peak_mib: float | None
    """Above the batch and the outputs; None where the system does not tell."""


Terms = Callable[[], LossTerms]


def step(terms: Terms, leaves: list[Tensor]) -> tuple[dict[str, Tensor], tuple[Tensor, ...]]:
    """Return every term's mean and all gradients of the total."""
    found = terms()
    total, _ = total_loss(found, LossWeights())
    means = {name: value.detach() for name, value in found.means().items()}
    return means, torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True)


def whole(sizes: Sizes, device: torch.device) -> tuple[Terms, Terms, list[Tensor]]:
    """Return the terms of all pairs at once, the same one pair at a time, and what gradients flow into."""
    batch, outputs = make_batch(sizes).to(device), make_outputs(sizes, device)
    parts = outputs.encoding, outputs.footprints, outputs.targets
    return (
        lambda: loss_terms(batch, batch_truth(batch, sizes.grid), *parts),
        lambda: terms_one_by_one(batch, sizes.grid, outputs, MatchingConfig()),
        list(outputs.leaves().values()),
    )


def least_seconds(call: Callable[[], object], repeats: int, device: torch.device) -> tuple[float, float]:
    """Return the least wall and the least processor time of a call."""
    wall, processor = [], []
    for _ in range(repeats):
        start, start_processor = time.perf_counter(), time.process_time()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - start_processor)
    return min(wall), min(processor)


def cost(sizes: Sizes, device_name: str, threads: int, one_by_one: bool, repeats: int) -> Cost:
    """Measure one kind of step; meant for a process of its own, whose memory is then that of the step."""
    torch.set_num_threads(threads)
    device = torch.device(device_name)
    at_once, alone, leaves = whole(sizes, device)
    terms = alone if one_by_one else at_once
    before = memory_mib(device, reset_peak=True)
    step(terms, leaves)
    peak = memory_mib(device, reset_peak=False)
    wall_s, processor_s = least_seconds(lambda: step(terms, leaves), repeats, device)
    return Cost(wall_s, processor_s, None if peak is None or before is None else peak - before)


def memory_mib(device: torch.device, reset_peak: bool) -> float | None:
    """Return the highest memory since the last reset, after resetting it if asked; None where no one tells."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        if reset_peak:
            torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.max_memory_allocated(device) / 2**20
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    if reset_peak:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**10


def cost_apart(sizes: Sizes, arguments: Arguments, one_by_one: bool, repeats: int) -> Cost:
    """Return `cost`, measured in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(cost, sizes, arguments.device, arguments.threads, one_by_one, repeats).result()


def check_equal(sizes: Sizes, device: torch.device) -> float:
    """Return the largest difference of a term or gradient between both ways.

    Raises:
        SystemExit: They differ.
    """
    at_once, alone, leaves = whole(sizes, device)
    (means, gradients), (alone_means, alone_gradients) = step(at_once, leaves), step(alone, leaves)
    # A term of which nothing counts is zero, and not there one pair at a time.
    zero = torch.zeros((), device=device)
    found = [
        float((means.get(name, zero) - alone_means.get(name, zero)).abs() / means.get(name, zero).abs().clamp_min(1.0))
        for name in {*means, *alone_means}
    ]
    for one, other in zip(gradients, alone_gradients, strict=True):
        found.append(float((one - other).abs().max() / one.abs().max().clamp_min(1e-12)))
    # Written so that NaN fails as well.
    if not max(found) <= TOLERANCE or any(np.isnan(found)):
        raise SystemExit(f"one pair at a time differs from all at once by {max(found):.2g}: no times without equality")
    return max(found)


def loops(sizes: Sizes, items: int) -> list[Timed]:
    """Time the loops over single numbers and refuse values that differ."""
    batch = make_batch(sizes)
    outputs: Outputs = make_outputs(sizes, torch.device("cpu"))
    truth = batch_truth(batch, sizes.grid)
    terms = loss_terms(batch, truth, outputs.encoding, outputs.footprints, outputs.targets)
    timed = time_loops(batch, sizes.grid, outputs, truth, terms, items)
    wrong = [part.name for part in timed if not part.largest_difference <= TOLERANCE]
    if wrong:
        raise SystemExit(f"loops differ from all at once in {', '.join(wrong)}")
    return timed


def exponent(frames: list[int], values: list[float | None]) -> float | None:
    """Return the power of the number of frames that values grow with, from `GROWTH_FROM` frames on."""
    points = [(np.log(n), np.log(v)) for n, v in zip(frames, values, strict=True) if v and n >= GROWTH_FROM]
    return float(np.polyfit(*np.array(points).T, 1)[0]) if len(points) > 1 else None


def figure(value: float | None, form: str = ".0f") -> str:
    return "-" if value is None else format(value, form)


def table(title: str, *headings: str) -> Table:
    made = Table(title=title)
    for number, heading in enumerate(headings):
        made.add_column(heading, justify="right" if number else "left")
    return made


def main() -> int:
    arguments = tyro.cli(Arguments, description=__doc__)
    torch.set_num_threads(arguments.threads)
    console, device, sizes = Console(), torch.device(arguments.device), arguments.sizes()
    rows: list[ScoreRow] = []

    def record(metric: str, what: str, value: float | None) -> None:
        if value is not None:
            rows.append(ScoreRow(metric, what, value, value, value, 1, 1))

    difference = check_equal(sizes, device)
    console.print(f"all at once and one pair at a time: equal within {difference:.1e}, values and gradients")
    at_once = cost_apart(sizes, arguments, one_by_one=False, repeats=arguments.repeats)
    alone = cost_apart(sizes, arguments, one_by_one=True, repeats=arguments.pair_repeats)
    about = (
        f"{arguments.preset}, batch {arguments.batch}, {arguments.history} history frames, K = {arguments.keyframes}"
    )
    shown = table(
        f"Truth, losses and gradients: {about}", "way", "s", "CPU s", "times (s)", "times (CPU s)", "peak MiB"
    )
    for way, found in (("all at once", at_once), ("one pair at a time", alone)):
        ratios = found.wall_s / at_once.wall_s, found.processor_s / at_once.processor_s
        seconds = f"{found.wall_s:.3f}", f"{found.processor_s:.3f}"
        shown.add_row(way, *seconds, *(f"{ratio:.1f}" for ratio in ratios), figure(found.peak_mib))
        record("losses_step_s", way, found.wall_s)
        record("losses_step_cpu_s", way, found.processor_s)
        record("losses_peak_mib", way, found.peak_mib)
    if arguments.loop_items:
        timed = loops(sizes, arguments.loop_items)
        seconds = sum(part.seconds for part in timed)
        ratio = seconds / at_once.processor_s
        shown.add_row("single numbers (multiplied out)", "-", f"{seconds:.0f}", "-", f"{ratio:.0f}", "-")
        record("losses_step_cpu_s", "single numbers, multiplied out", seconds)
        parts = table(
            "Single numbers: timed on some items", "what", "items", "timed", "CPU s each", "CPU s in all", "difference"
        )
        for part in timed:
            figures = f"{part.seconds_each:.3g}", f"{part.seconds:.0f}", f"{part.largest_difference:.1e}"
            parts.add_row(part.name, str(part.total), str(part.timed), *figures)
        console.print(parts)
    console.print(shown)
    _frames_table(console, arguments, record)
    if arguments.json is not None:
        arguments.json.write_bytes(msgspec.json.encode(rows))
    return 0


def _frames_table(console: Console, arguments: Arguments, record: Callable[[str, str, float | None], None]) -> None:
    frames, costs = list(arguments.frames), []
    shown = table(
        "Cost against the number of frames, one current view a sample", "frames", "K", "ms", "CPU ms", "peak MiB"
    )
    for number in frames:
        keyframes = min(arguments.keyframes, number)
        sizes = replace(arguments.sizes(), frames=number, currents=1, keyframes=keyframes)
        found = cost_apart(sizes, arguments, one_by_one=False, repeats=arguments.repeats)
        costs.append(found)
        milliseconds = f"{1000 * found.wall_s:.0f}", f"{1000 * found.processor_s:.0f}"
        shown.add_row(str(number), str(keyframes), *milliseconds, figure(found.peak_mib))
        record("losses_step_s", f"{number} frames", found.wall_s)
        record("losses_peak_mib", f"{number} frames", found.peak_mib)
    columns = [[c.wall_s for c in costs], [c.processor_s for c in costs], [c.peak_mib for c in costs]]
    grown = [exponent(frames, column) for column in columns]
    shown.add_row(f"grows as frames ^, from {GROWTH_FROM}", "", *(figure(power, ".2f") for power in grown))
    console.print(shown)


if __name__ == "__main__":
    sys.exit(main())
