"""The CUDA part of the renderer's benchmark: many cameras in several scenes, in one launch."""

import time
from collections.abc import Callable

import numpy as np
import warp as wp
from plain_rays import PlainRenderer
from render_scenes import speed_poses, speed_scene

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.records.score import ScoreRow
from backsight.sim.embedded.batch_renderer import BatchRenderer
from backsight.sim.embedded.render_options import RenderOptions

SIDES = (128, 256)
"""Width and height, px."""
HFOV_DEG = 90.0
SCENES = 4
TREES = ("lbvh", "sah")
"""Built on the device, and on the CPU."""
MOST_PIXELS = 2**31 // 3
MOST_HOST_PIXELS = 1 << 28
"""Pixels that are copied to the host at most: eleven bytes each."""

ANCHORS = (
    "As published, on other scenes and hardware: Madrona over 10,000 at 128x128 (HSSD); Isaac Lab's tiled cameras",
    "40,591 at 128x128 and 20,174 at 256x256 (RTX 4090); Habitat 709 to 2,050 at 128x128, RGB and depth (Titan Xp).",
    "Goal: 100,000 at 128x128 with RGB, depth and ids.",
)


def row(metric: str, what: str, values: list[float]) -> ScoreRow:
    """Return the median of some values, with the lowest and highest as its interval."""
    return ScoreRow(metric, what, float(np.median(values)), min(values), max(values), 1, len(values))


def rates(call: Callable[[], object], frames: int, windows: int) -> list[float]:
    """Return frames per second of a call that may return before the device is done.

    Args:
        call: is called twice before.
        frames: that it draws.
        windows: measurements.
    """
    call()
    call()
    wp.synchronize()
    found = []
    for _ in range(windows):
        start = time.perf_counter()
        repeats = 0
        while repeats < 3 or time.perf_counter() - start < 0.3:
            call()
            repeats += 1
            if repeats % 8 == 0:
                wp.synchronize()
        wp.synchronize()
        found.append(frames * repeats / (time.perf_counter() - start))
    return found


def tree_rows(renderer: BatchRenderer, places: list[np.ndarray], name: str, windows: int, count: int) -> list[ScoreRow]:
    """Return the rates of one renderer at one number of cameras, all sizes."""
    scenes = len(renderer.scenes)
    scene_of_pose = np.arange(count, dtype=np.int32) % scenes
    by_scene = [speed_poses(place, -(-count // scenes)) for place in places]
    poses = np.stack([by_scene[index % scenes][index // scenes] for index in range(count)])
    rows = []
    for side in SIDES:
        if count * side * side >= MOST_PIXELS:
            continue
        intrinsics = intrinsics_from_hfov(side, side, HFOV_DEG)
        frames = renderer.frames(count, side, side)
        label = f"{name}, {scenes} scene(s), {count} cameras, {side}x{side}"

        def draw(frames: object = frames, intrinsics: np.ndarray = intrinsics) -> None:
            renderer.draw(frames, poses, scene_of_pose, intrinsics)

        rows.append(row("fps_on_device", label, rates(draw, count, windows)))
        if count * side * side <= MOST_HOST_PIXELS:

            def copy(frames: object = frames, intrinsics: np.ndarray = intrinsics) -> None:
                renderer.draw(frames, poses, scene_of_pose, intrinsics)
                frames.observation()

            rows.append(row("fps_to_host", label, rates(copy, count, windows)))
    return rows


def torch_rows(renderer: BatchRenderer, place: np.ndarray, windows: int) -> list[ScoreRow]:
    """Return the rate of drawing into torch tensors."""
    from backsight.sim.embedded.frames_torch import render_torch

    count, side = 1024, 128
    poses = speed_poses(place, count)
    intrinsics = intrinsics_from_hfov(side, side, HFOV_DEG)
    inside = np.zeros(count, dtype=np.int32)
    found = rates(lambda: render_torch(renderer, poses, inside, intrinsics, (side, side)), count, windows)
    return [row("fps_torch", f"1 scene, {count} cameras, {side}x{side}", found)]


def measure_cuda(
    triangles: tuple[int, ...], cameras: tuple[int, ...], windows: int, with_torch: bool
) -> list[ScoreRow]:
    """Return all rows of a CUDA device.

    Args:
        triangles: about how many the scenes have.
        cameras: poses of a launch.
        windows: measurements a median is taken of.
        with_torch: torch tensors too.
    """
    rows = []
    for wanted in triangles:
        many = [speed_scene(wanted, seed) for seed in range(SCENES)]
        scene, places = many[0]
        for tree in TREES:
            start = time.perf_counter()
            renderer = BatchRenderer([scene], device="cuda", options=RenderOptions(bvh=tree))
            wp.synchronize()
            name = f"{len(scene.faces)} triangles, {tree}"
            rows.append(row("load_s", name, [time.perf_counter() - start]))
            for count in cameras:
                rows += tree_rows(renderer, [places], name, windows, count)
        several = BatchRenderer([scene for scene, _ in many], device="cuda")
        for count in cameras:
            name = f"{len(scene.faces)} triangles, sah"
            rows += tree_rows(several, [place for _, place in many], name, windows, count)
        plain = PlainRenderer(scene, "cuda")
        poses, intrinsics = speed_poses(places, 256), intrinsics_from_hfov(128, 128, HFOV_DEG)

        def draw_plainly(
            plain: PlainRenderer = plain, poses: np.ndarray = poses, intrinsics: np.ndarray = intrinsics
        ) -> None:
            plain.render(poses, intrinsics, 128, 128)

        found = rates(draw_plainly, len(poses), windows)
        rows.append(row("fps_to_host", f"{len(scene.faces)} triangles, plain rays, 256 cameras, 128x128", found))
    if with_torch:
        scene, places = speed_scene(triangles[0])
        rows += torch_rows(BatchRenderer([scene], device="cuda"), places, windows)
    return rows
