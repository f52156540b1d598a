"""The CPU part of the renderer's benchmark."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from plain_rays import PlainRenderer
from render_scenes import speed_poses, speed_scene

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.records.scene import OrientedBox
from backsight.records.score import ScoreRow
from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.reference import trace_all
from backsight.sim.embedded.render_options import RenderOptions
from backsight.sim.embedded.renderer import Renderer

SIZES = ((128, 128), (256, 256), (640, 480))
"""Width and height, px."""
HFOV_DEG = 90.0
POSES = {128: 32, 256: 16, 640: 4}
"""Poses of a call, by width."""
REFERENCE_SIZE = (41, 31)
REFERENCE_POSES = 3
PROCESSES = 2
PROCESS_SECONDS = 3.0
MOVED_FRAMES = 64

PLAIN = RenderOptions(mip_maps=False)
VARIANTS: dict[str, dict[str, object]] = {
    "mip maps": {},
    "rays instead of rasterising": {"visibility": "rays", "mip_maps": False},
    "mip maps, shadow ray": {"shadows": True},
}
"""Options on top of the base, which has a bilinear texture and baked or local light."""

Call = Callable[[], object]


def row(metric: str, what: str, values: list[float]) -> ScoreRow:
    """Return the median of some values, with the lowest and highest as its interval."""
    return ScoreRow(metric, what, float(np.median(values)), min(values), max(values), 1, len(values))


def name_of(size: tuple[int, int]) -> str:
    """Return a size as words."""
    return f"{size[0]}x{size[1]}"


def in_turn(calls: dict[str, Call], windows: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Return seconds of each call, all calls in turn within each window.

    Args:
        calls: by name; each is called once before.
        windows: how often.
        clock: seconds.
    """
    for call in calls.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(windows):
        for name, call in calls.items():
            start = clock()
            call()
            seconds[name].append(clock() - start)
    return seconds


def drawing(renderer: Renderer | PlainRenderer, poses: np.ndarray, size: tuple[int, int]) -> Call:
    """Return a call that renders poses."""
    intrinsics = intrinsics_from_hfov(*size, HFOV_DEG)
    return lambda: renderer.render(poses, intrinsics, *size)


def ratio_rows(scene: PackedScene, places: np.ndarray, windows: int, quick: bool) -> list[ScoreRow]:
    """Return frames per processor second, and the ratios to the plain renderer within each window."""
    what = f"{len(scene.faces)} triangles"
    renderers: dict[str, Renderer | PlainRenderer] = {"plain rays": PlainRenderer(scene, "cpu")}
    start = time.thread_time()
    renderers["base"] = Renderer(scene, options=PLAIN)
    rows = [row("load_cpu_s", what, [time.thread_time() - start])]
    if not quick:
        for name, fields in VARIANTS.items():
            if set(fields) <= set(RenderOptions.model_fields):
                renderers[name] = Renderer(scene, options=RenderOptions.model_validate(fields))
    for size in SIZES:
        poses = speed_poses(places, POSES[size[0]])
        calls = {name: drawing(renderer, poses, size) for name, renderer in renderers.items()}
        seconds = in_turn(calls, windows, time.thread_time)
        for name, values in seconds.items():
            label = f"{what}, {name_of(size)}, {name}"
            rows.append(row("fps", label, [len(poses) / value for value in values]))
            if name != "plain rays":
                pairs = zip(seconds["plain rays"], values, strict=True)
                rows.append(row("ratio", label, [plain / value for plain, value in pairs]))
    return rows


def thread_rows(scene: PackedScene, places: np.ndarray, windows: int) -> list[ScoreRow]:
    """Return frames per second of the clock with one thread and with two."""
    rows = []
    for size in SIZES:
        poses = speed_poses(places, POSES[size[0]])
        calls = {
            f"threads {threads}": drawing(Renderer(scene, threads=threads, options=PLAIN), poses, size)
            for threads in (1, 2)
        }
        for name, values in in_turn(calls, windows, time.perf_counter).items():
            label = f"{len(scene.faces)} triangles, {name_of(size)}, {name}"
            rows.append(row("fps_wall", label, [len(poses) / value for value in values]))
    return rows


def process_rates(triangles: int) -> dict[str, float]:
    """Return frames per second of the clock of one process, by size and renderer."""
    scene, places = speed_scene(triangles)
    rates = {}
    for name, renderer in (("plain rays", PlainRenderer(scene, "cpu")), ("base", Renderer(scene, options=PLAIN))):
        for size in SIZES:
            poses = speed_poses(places, POSES[size[0]])
            call = drawing(renderer, poses, size)
            call()
            frames, start = 0, time.perf_counter()
            while time.perf_counter() - start < PROCESS_SECONDS:
                call()
                frames += len(poses)
            rates[f"{name_of(size)}, {name}"] = frames / (time.perf_counter() - start)
    return rates


def process_rows(triangles: int) -> list[ScoreRow]:
    """Return the summed rates of several processes that run beside each other."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        rates = list(pool.map(process_rates, [triangles] * PROCESSES))
    return [
        row("fps_wall", f"{triangles} triangles, {PROCESSES} processes, {name}", [sum(rate[name] for rate in rates)])
        for name in rates[0]
    ]


def motion_rows(scene: PackedScene, places: np.ndarray, windows: int) -> list[ScoreRow]:
    """Return the time of frames with an object moved before each (its first move included), over the time without."""
    thing = next(thing for thing in reversed(scene.objects) if not thing.is_structure)
    x, y, z = thing.box.centre_m
    poses = speed_poses(places, MOVED_FRAMES)
    rows = []
    for name, size in (("base", SIZES[0]), ("base", SIZES[1]), ("rays", SIZES[0])):
        renderer = Renderer(
            scene, options=PLAIN if name == "base" else RenderOptions(visibility="rays", mip_maps=False)
        )
        intrinsics = intrinsics_from_hfov(*size, HFOV_DEG)
        renderer.render(poses[:1], intrinsics, *size)
        costs = []
        for _ in range(windows):
            start = time.thread_time()
            for pose in poses:
                renderer.render(pose[None], intrinsics, *size)
            still = time.thread_time() - start
            start = time.thread_time()
            for number, pose in enumerate(poses):
                moved = OrientedBox((x + 0.002 * number, y, z), thing.box.size_m, 0.01 * number)
                renderer.move(thing.instance_id, thing.box, moved)
                renderer.render(pose[None], intrinsics, *size)
            costs.append((time.thread_time() - start) / still)
            renderer.restore()
        rows.append(row("motion_cost", f"{len(scene.faces)} triangles, {name_of(size)}, {name}, 64 frames", costs))
    return rows


def agreement_rows(scene: PackedScene, places: np.ndarray) -> list[ScoreRow]:
    """Return depth error, equal ids and holes against the brute-force tracer."""
    intrinsics = intrinsics_from_hfov(*REFERENCE_SIZE, HFOV_DEG)
    poses = speed_poses(places, REFERENCE_POSES)
    truth = [trace_all(scene, pose, intrinsics, *REFERENCE_SIZE) for pose in poses]
    rows = []
    for name, options in (("raster", PLAIN), ("rays", RenderOptions(visibility="rays"))):
        seen = Renderer(scene, options=options).render(poses, intrinsics, *REFERENCE_SIZE)
        errors_m, equal, holes = [], [], []
        for number, (depth_m, ids) in enumerate(truth):
            same = seen.instance_ids[number] == ids
            errors_m.append(float(np.quantile(np.abs(seen.depth_m[number] - depth_m)[same], 0.999)))
            equal.append(float(same.mean()))
            holes.append(float(((seen.depth_m[number] == 0) & (depth_m > 0)).sum()))
        label = f"{len(scene.faces)} triangles, {name}"
        rows += [row("depth_error_999_m", label, errors_m), row("ids_equal", label, equal)]
        rows.append(row("holes", label, holes))
    return rows


def measure_cpu(triangles: tuple[int, ...], windows: int, quick: bool) -> list[ScoreRow]:
    """Return all rows of the CPU.

    Args:
        triangles: about how many the scenes have.
        windows: measurements a median is taken of.
        quick: ratios only.
    """
    rows = []
    for wanted in triangles:
        scene, places = speed_scene(wanted)
        rows += ratio_rows(scene, places, windows, quick)
        if not quick:
            rows += thread_rows(scene, places, windows)
            rows += process_rows(wanted)
            rows += motion_rows(scene, places, windows)
    if not quick:
        rows += agreement_rows(*speed_scene(triangles[0]))
    return rows
