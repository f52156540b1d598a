"""How fast the model trains and looks back on this device, how much memory that takes, and where the time goes.

python benchmarks/gpu.py --out out/gpu                                          (CUDA: presets small and full)
python benchmarks/gpu.py --device cpu --preset tiny --seconds 5 --out out/cpu

Weights are random and data are made on the device, so nothing is downloaded or read. torch, transformers, numpy, scipy
and what they need are enough, with peft for the adapters of preset full.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from backsight.data.keyframes import select_keyframes
from backsight.data.truth import MapGrid
from backsight.geometry.cells import ImageFit
from backsight.losses.total import LossWeights, total_loss
from backsight.model.adaptation import AdaptationConfig, ComponentAdaptation, adapt
from backsight.model.backsight import Backsight
from backsight.model.costs import SampleSize, default_adaptation, default_sample, model_costs
from backsight.model.geometry.pose_encoding import intrinsics_of, world_from_camera_of
from backsight.model.outputs import Encoding, Footprints, Targets
from backsight.model.presets import preset
from backsight.model.question import Question
from backsight.model.tokenizer import build_tokenizer
from backsight.records.batch import Batch
from backsight.train.step import batch_truth, loss_terms

BATCH_SIZE = {"tiny": 4, "small": 4, "full": 1}
"""Samples of a training step."""
CURRENTS, INSTRUCTIONS, WORDS, ANSWER = 3, 2, 12, 5
"""Of a sample: supervised current views, instructions, tokens of each, and of its answer."""
HISTORY_CHUNK = 16
"""History frames that are decoded at a time, as in prediction."""
POINT_STRIDE = 6
"""Every such depth reading counts for the choice of keyframes."""
MATRIX_SIDE = {"cuda": 8192, "cpu": 1024}
KERNELS = 15
PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}
OPERATIONS = {"full": 3, "lora": 2, "frozen": 1}
"""Times the forward pass: gradients of inputs cost as much again, those of weights once more. Blocks that are run
again instead of being kept don't count."""


@dataclass(frozen=True)
class Figure:
    """One number with what it was measured on."""

    preset: str
    what: str
    value: float | None
    """None: could not be measured, the note says why."""
    unit: str
    note: str = ""


def shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 else f"{value:.4g}"


@dataclass
class Bench:
    """Where figures are measured and collected."""

    device: torch.device
    precision: str
    seconds: float
    figures: list[Figure] = field(default_factory=list)
    kernels: list[dict[str, float | int | str]] = field(default_factory=list)

    def add(self, name: str, what: str, value: float | None, unit: str, note: str = "") -> None:
        """Keep a figure and say it."""
        self.figures.append(Figure(name, what, value, unit, note))
        print(f"{name}: {what}: {shown(value)} {unit} {note}".rstrip(), flush=True)

    def wait(self) -> None:
        """Wait until the device is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def autocast(self) -> torch.autocast:
        """Return the context that the model computes in."""
        return torch.autocast(self.device.type, PRECISIONS["bf16"], enabled=self.precision == "bf16")

    def time_s(self, work: Callable[[], object], warm_up: int = 1) -> list[float]:
        """Return the time of every call that fits into `seconds`, at least three."""
        for _ in range(warm_up):
            work()
        found: list[float] = []
        while len(found) < 3 or sum(found) < self.seconds:
            self.wait()
            began = time.perf_counter()
            work()
            self.wait()
            found.append(time.perf_counter() - began)
        return found

    @contextmanager
    def stage(self, times: dict[str, list[float]], name: str) -> Iterator[None]:
        """Time one stage of several."""
        self.wait()
        began = time.perf_counter()
        yield
        self.wait()
        times.setdefault(name, []).append(time.perf_counter() - began)

    @contextmanager
    def peak_memory(self, name: str, what: str) -> Iterator[None]:
        """Record how much device memory the work took at its peak, weights included; the CPU doesn't tell."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)
        yield
        if self.device.type == "cuda":
            self.add(name, what, torch.cuda.max_memory_allocated(self.device) / 1e9, "GB")


def describe(bench: Bench, attention: dict[str, str]) -> dict[str, str | int]:
    """Return what every figure depends on."""
    on_gpu = bench.device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(bench.device) if on_gpu else f"CPU {platform.machine()}",
        "threads": torch.get_num_threads(),
        "load before": f"{os.getloadavg()[0]:.1f} of {os.cpu_count()} cores",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "precision": bench.precision,
        "attention": ", ".join(f"{name} {backend}" for name, backend in attention.items()),
    }


def matmul_rate(bench: Bench) -> float:
    """Return operations per second of a square matrix product of random numbers, the median."""
    side = MATRIX_SIDE[bench.device.type]
    left, right = (torch.randn(side, side, device=bench.device, dtype=PRECISIONS[bench.precision]) for _ in range(2))
    rate = 2 * side**3 / statistics.median(bench.time_s(lambda: left @ right))
    bench.add("device", f"{bench.precision} matrix product, {side} x {side} x {side}", rate / 1e12, "TFLOP/s")
    return rate


def random_model(name: str, adaptation: AdaptationConfig, device: torch.device) -> Backsight:
    """Return a preset with random weights, made on the device."""
    torch.manual_seed(0)
    config = preset(name)
    tokenizer = build_tokenizer([], config.language.frame_tokens)
    with device:
        model = Backsight(config, tokenizer)
        adapt(model, adaptation)
    return model.to(device)


def random_batch(model: Backsight, size: int, device: torch.device) -> Batch:
    """Return a batch on the device: a walk along a bumpy wall, three metres away, with things on it."""
    config, sample = model.config, default_sample(model.config)
    frames, height, width = sample.frames, config.image_height, config.image_width
    generator = torch.Generator().manual_seed(0)
    poses = torch.eye(4).repeat(size, frames, 1, 1)
    poses[..., 0, 3] = torch.arange(frames) * 0.1 - (frames - 1) * 0.1
    focal = width / 2
    positions = torch.arange(frames)
    current = positions[-CURRENTS:].flip(0)
    history = torch.stack([positions[positions != one] for one in current])
    tokens = model.language.tokens
    words = torch.randint(tokens.end + 1, tokens.size, (size, INSTRUCTIONS, WORDS), generator=generator)
    things = torch.arange(width) * 8 // width + 1
    return Batch(
        rgb=torch.randint(0, 256, (size, frames, 3, height, width), generator=generator, dtype=torch.uint8),
        depth_m=3 + 0.1 * torch.rand(size, frames, height, width, generator=generator),
        instance_ids=things.expand(size, frames, height, width).contiguous(),
        intrinsics=torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]).repeat(size, 1, 1),
        world_from_camera=poses,
        frame_index=positions.repeat(size, 1),
        keyframes=positions[-sample.keyframes :].repeat(size, 1),
        current=torch.stack([torch.arange(size).repeat_interleave(CURRENTS), current.repeat(size)], dim=1),
        history=history.repeat(size, 1),
        instruction_tokens=words,
        answer_tokens=words[..., :ANSWER].contiguous(),
        target_ids=torch.arange(1, 1 + INSTRUCTIONS).repeat(size, 1)[..., None],
        has_instruction=torch.ones(size, INSTRUCTIONS, dtype=torch.bool),
        has_truth=torch.ones(size, dtype=torch.bool),
    ).to(device)


def ask(model: Backsight, batch: Batch) -> tuple[Encoding, Footprints, Targets]:
    """Call the model as training does: with answers and with the attention of `<heat>` tokens."""
    question = Question(batch.keyframes, batch.frame_index, batch.instruction_tokens, batch.answer_tokens, True)
    return model(batch.rgb, question, batch.current, batch.history)


def train_step(
    bench: Bench,
    model: Backsight,
    batch: Batch,
    optimiser: torch.optim.Optimizer,
    times: dict[str, list[float]] | None = None,
) -> None:
    """Take one step; with `times`, wait after each stage and note how long it took."""
    config = model.config
    fit = ImageFit(config.image_width, config.image_height, config.image_width, config.image_height)
    grid = MapGrid(fit, config.map_columns, config.map_rows)

    def staged(name: str, work: Callable[[], Any]) -> Any:
        if times is None:
            return work()
        with bench.stage(times, name):
            return work()

    truth = staged("truth", lambda: batch_truth(batch, grid))

    def forward() -> tuple[Encoding, Footprints, Targets]:
        with bench.autocast():
            return ask(model, batch)

    outputs = staged("forward", forward)
    loss = staged("losses", lambda: total_loss(loss_terms(batch, truth, *outputs), LossWeights())[0])
    staged("backward", loss.backward)

    def update() -> None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()

    staged("optimiser", update)


def training_operations(model: Backsight, batch: Batch) -> tuple[float, float]:
    """Return what a step computes forward, and forward and backward as its adaptation needs."""
    sample = default_sample(model.config)
    size = SampleSize(sample.keyframes, sample.history, INSTRUCTIONS, WORDS, currents=CURRENTS)
    components = model_costs(model.config, size, model.adaptation).components
    ways = model.adaptation.components()
    forward = sum(part.whole.forward_flops for part in components)
    needed = 0
    for component in components:
        way = ways[component.whole.name].train
        for part in component.parts:
            # The vision tower carries no adapters and sees images alone, so nothing is passed back through it.
            passed = "frozen" if way == "lora" and not part.trained_parameters else way
            needed += part.forward_flops * OPERATIONS[passed]
    return len(batch.rgb) * forward, len(batch.rgb) * needed


def bench_training(bench: Bench, name: str, batch_size: int | None, rate: float, profiled: bool) -> None:
    """Measure the training step of a preset as it is usually trained."""
    model = random_model(name, default_adaptation(preset(name)), bench.device).train()
    batch = random_batch(model, batch_size or BATCH_SIZE[name], bench.device)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-6)
    size = f"batch {len(batch.rgb)} x {batch.rgb.shape[1]} frames, {batch.keyframes.shape[1]} keyframes"
    with bench.peak_memory(name, "peak memory, training"):
        step_s = statistics.median(bench.time_s(lambda: train_step(bench, model, batch, optimiser)))
    bench.add(name, "training step", 1e3 * step_s, "ms", size)
    times: dict[str, list[float]] = {}
    for _ in range(3):
        train_step(bench, model, batch, optimiser, times)
    for stage, found in times.items():
        bench.add(name, f"  {stage}", 1e3 * statistics.median(found), "ms")
    forward, needed = training_operations(model, batch)
    ways = {part.train for part in model.adaptation.components().values()}
    rule = "; ".join(f"{way} x{OPERATIONS[way]}" for way in OPERATIONS if way in ways)
    bench.add(name, "operations forward", forward / 1e12, "TFLOP")
    bench.add(name, "operations forward and backward", needed / 1e12, "TFLOP", rule)
    bench.add(name, "share of the matrix product's rate", 100 * needed / step_s / rate, "%", "training step")
    if profiled:
        bench.kernels = profile(bench, lambda: train_step(bench, model, batch, optimiser))


def profile(bench: Bench, work: Callable[[], None]) -> list[dict[str, float | int | str]]:
    """Return the kernels (on a CPU: the operators) that take most of the time of one call."""
    on_gpu = bench.device.type == "cuda"
    kinds = [torch.profiler.ProfilerActivity.CPU] + [torch.profiler.ProfilerActivity.CUDA] * on_gpu
    with torch.profiler.profile(activities=kinds) as profiler:
        work()
        bench.wait()
    kind = torch.autograd.DeviceType.CUDA if on_gpu else torch.autograd.DeviceType.CPU
    rows = [
        (event.key, event.count, (event.self_device_time_total if on_gpu else event.self_cpu_time_total) / 1e3)
        for event in profiler.key_averages()
        if event.device_type == kind
    ]
    total = sum(time_ms for _, _, time_ms in rows)
    rows = sorted(rows, key=lambda row: -row[2])[:KERNELS]
    return [{"name": key, "calls": n, "ms": ms, "share": ms / max(total, 1e-9)} for key, n, ms in rows]


def chosen_keyframes(model: Backsight, encoding: Encoding, count: int) -> Tensor:
    """Choose keyframes by the model's own depth and cameras."""
    poses, depth = encoding.pose_encodings[-1, 0].double(), encoding.depth[0].double()
    height, width = depth.shape[1:]
    half = POINT_STRIDE // 2
    rows, columns = (torch.arange(half, side, POINT_STRIDE, device=depth.device) for side in (height, width))
    row, column = torch.meshgrid(rows, columns, indexing="ij")
    pixels = torch.stack([column + 0.5, row + 0.5, torch.ones_like(row)], dim=-1).double().flatten(0, 1)
    rays = pixels @ torch.linalg.inv(intrinsics_of(poses, width, height)).transpose(1, 2)
    world_from_camera = world_from_camera_of(poses)
    points = depth[:, row, column].flatten(1)[..., None] * rays @ world_from_camera[:, :3, :3].transpose(1, 2)
    points = (points + world_from_camera[:, None, :3, 3]).float().cpu().numpy()
    valid = (depth[:, row, column].flatten(1) > 0).cpu().numpy()
    chosen = select_keyframes(points, valid, count, metric_scale=False)
    return torch.from_numpy(chosen)[None].to(encoding.depth.device)


@torch.inference_mode()
def look_back(bench: Bench, model: Backsight, rgb: Tensor, count: int, times: dict[str, list[float]]) -> None:
    """Encode a walk, choose keyframes, and decode every map of its last frame and one answer."""
    frames, device = rgb.shape[1], bench.device
    with bench.autocast():
        with bench.stage(times, "encode"):
            encoding = model.encode(rgb)
        with bench.stage(times, "select"):
            keyframes = chosen_keyframes(model, encoding, count)
        with bench.stage(times, "footprints"):
            odometry = model.odometry(encoding)
            current = torch.tensor([[0, frames - 1]], device=device)
            for part in torch.arange(frames - 1, device=device).split(HISTORY_CHUNK):
                model.footprints(encoding, current, part[None], odometry)
        words = torch.full((1, 1, WORDS), model.language.tokens.end + 1, device=device)
        question = Question(keyframes, torch.arange(frames, device=device)[None], words)
        with bench.stage(times, "targets"):
            model.targets(encoding, rgb, question)
        with bench.stage(times, "answer"):
            model.answers(encoding, rgb, question)


def bench_inference(bench: Bench, name: str, frames: int) -> None:
    """Measure looking back, keyframe selection included; encoders and language model are stored in half precision."""
    stored = ComponentAdaptation(train="frozen", half_precision=bench.precision == "bf16")
    model = random_model(name, AdaptationConfig(geometry=stored, appearance=stored, language=stored), bench.device)
    model.eval()
    config = model.config
    rgb = torch.randint(
        0, 256, (1, frames, 3, config.image_height, config.image_width), dtype=torch.uint8, device=bench.device
    )
    times: dict[str, list[float]] = {}
    with bench.peak_memory(name, "peak memory, looking back"):
        bench.time_s(lambda: look_back(bench, model, rgb, config.keyframes, times), warm_up=0)
    # The first call warms up.
    median_ms = {stage: 1e3 * statistics.median(found[1:]) for stage, found in times.items()}
    note = f"{frames} frames, {config.keyframes} keyframes, 1 instruction, answer of {config.language.answer_tokens}"
    bench.add(name, "looking back", sum(median_ms.values()), "ms", note + " tokens at most")
    for stage, value in median_ms.items():
        bench.add(name, f"  {stage}", value, "ms")


def markdown(described: dict[str, str | int], bench: Bench) -> str:
    """Return everything as Markdown."""
    lines = [", ".join(f"{name} {value}" for name, value in described.items()), ""]
    lines += ["| preset | what | value | unit | note |", "|---|---|---:|---|---|"]
    for one in bench.figures:
        what = one.what.replace("  ", "&nbsp;&nbsp;")
        lines.append(f"| {one.preset} | {what} | {shown(one.value)} | {one.unit} | {one.note} |")
    if bench.kernels:
        lines += ["", f"The {len(bench.kernels)} that take most of one training step:", ""]
        lines += ["| kernel | calls | ms | share |", "|---|---:|---:|---:|"]
        for row in bench.kernels:
            lines.append(
                f"| `{str(row['name'])[:90]}` | {row['calls']} | {row['ms']:.2f} | {100 * row['share']:.1f} % |"
            )
    return "\n".join(lines) + "\n"


def write(out: Path, described: dict[str, str | int], bench: Bench) -> None:
    """Write what is there so far."""
    out.mkdir(parents=True, exist_ok=True)
    content = described | {"figures": [asdict(one) for one in bench.figures], "kernels": bench.kernels}
    (out / "gpu.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (out / "gpu.md").write_text(markdown(described, bench), encoding="utf-8")


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--preset", nargs="+", choices=tuple(BATCH_SIZE), default=["small", "full"])
    parser.add_argument("--precision", choices=tuple(PRECISIONS), help="bf16 on CUDA and fp32 on the CPU unless told")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--batch-size", type=int, help="samples of a training step; 4, and 1 at full, unless told")
    parser.add_argument("--frames", type=int, default=64, help="of the walk that is looked back on")
    parser.add_argument("--out", type=Path, required=True, help="folder for gpu.json and gpu.md")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    given = parsed(arguments)
    if given.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device here; --device cpu --preset tiny runs anywhere", file=sys.stderr)
        return 4
    if "full" in given.preset and importlib.util.find_spec("peft") is None:
        print("preset full is trained through adapters: install peft", file=sys.stderr)
        return 4
    precision = given.precision or ("bf16" if given.device == "cuda" else "fp32")
    bench = Bench(torch.device(given.device), precision, given.seconds)
    described = describe(bench, {name: preset(name).attention for name in given.preset})
    print(described, flush=True)
    rate = matmul_rate(bench)
    for number, name in enumerate(given.preset):
        train = partial(bench_training, bench, name, given.batch_size, rate, profiled=number == 0)
        for what, work in (("training", train), ("looking back", partial(bench_inference, bench, name, given.frames))):
            try:
                work()
            except torch.OutOfMemoryError as error:
                bench.add(name, f"{what}: out of memory", None, "", str(error).splitlines()[0])
            write(given.out, described, bench)
    print(markdown(described, bench))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
