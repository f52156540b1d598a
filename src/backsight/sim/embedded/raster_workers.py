"""The rasteriser over a pool of threads: each has memory of its own, and what it draws depends on its task alone."""

import itertools
import queue
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp

from backsight.sim.embedded import visibility_raster, visibility_raster_fine
from backsight.sim.embedded.device_scene import DeviceScene
from backsight.sim.embedded.visibility_raster import TILE

MOST_PIXELS = 1 << 21
"""Pixels that one task draws at a time at most; bounds the memory of a thread."""
LEAST_ROWS = 32
"""Rows of a task at least: culling is done for each task anew."""


@dataclass(frozen=True)
class Task:
    """Some rows of some poses in one scene."""

    scene: int
    poses: Any
    """Indices of poses, a Warp array."""
    row_begin: int
    row_end: int


class RasterWorkers:
    """Draws frames over threads.

    Args:
        threads: how many.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._scratch: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._capacity = (0, 0, 0)

    def draw(
        self,
        scenes: Sequence[DeviceScene],
        scene_of_pose: np.ndarray,
        views: Any,
        outputs: tuple[Any, Any, Any],
    ) -> None:
        """Fill colour, depth and ids of all poses.

        Args:
            scenes: with clusters.
            scene_of_pose: index of each pose's scene.
            views: a `Views`.
            outputs: Warp arrays of colour, depth and ids; without colour, the first of them is not written.
        """
        tasks = self._tasks(scene_of_pose, views)
        most_rows = max(task.row_end - task.row_begin for task in tasks)
        self._reserve(most_rows * views.samples, views.width * views.samples, max(s.clusters.count for s in scenes))

        def run(task: Task) -> None:
            scratch = self._scratch.get()
            shared = [scenes[task.scene].arrays, scenes[task.scene].clusters, views, scratch, task.poses]
            rows = [task.row_begin, task.row_end]
            count = task.poses.shape[0]
            wp.launch(
                visibility_raster.render_rows, dim=count, inputs=shared + rows, outputs=list(outputs), device="cpu"
            )
            if views.coloured and views.samples > 1:
                wp.launch(
                    visibility_raster_fine.render_fine_colour,
                    dim=count,
                    inputs=shared + rows,
                    outputs=[outputs[0]],
                    device="cpu",
                )
            self._scratch.put(scratch)

        if self._pool is None:
            for task in tasks:
                run(task)
        else:
            list(self._pool.map(run, tasks))

    def _tasks(self, scene_of_pose: np.ndarray, views: Any) -> list[Task]:
        """Return tasks enough to keep all threads busy, whole frames where there are frames enough."""
        wanted = 1 if self._threads == 1 else 4 * self._threads
        bands = max(1, -(-wanted // len(scene_of_pose)))
        bands = min(bands, max(1, views.height // LEAST_ROWS))
        fine_pixels = views.height * views.width * views.samples**2
        bands = min(max(bands, -(-fine_pixels // MOST_PIXELS)), views.height)
        edges = np.unique(np.linspace(0, views.height, bands + 1).round().astype(int)).tolist()
        chunk = max(1, len(scene_of_pose) // wanted)
        tasks = []
        for scene in np.unique(scene_of_pose).tolist():
            poses = np.flatnonzero(scene_of_pose == scene).astype(np.int32)
            for first in range(0, len(poses), chunk):
                some = wp.array(poses[first : first + chunk], dtype=wp.int32, device="cpu")
                tasks += [Task(scene, some, *rows) for rows in itertools.pairwise(edges)]
        return tasks

    def _reserve(self, rows: int, width: int, clusters: int) -> None:
        """Have memory for that many pixels and clusters for every thread."""
        if rows <= self._capacity[0] and width <= self._capacity[1] and clusters <= self._capacity[2]:
            return
        rows, width, clusters = np.maximum((rows, width, clusters), self._capacity).tolist()
        self._capacity = (rows, width, clusters)
        self._scratch = queue.SimpleQueue()
        for _ in range(self._threads):
            self._scratch.put(_scratch(rows, width, clusters))


def _scratch(rows: int, width: int, clusters: int) -> Any:
    """Return one worker's memory."""
    lines = -(-rows // TILE) * TILE
    stride = -(-width // TILE) * TILE + TILE
    tiles = (lines // TILE) * (stride // TILE)
    scratch: Any = visibility_raster.Scratch()
    fields: Any = (
        (("nearness",), lines * stride, wp.float32),
        (("seen",), lines * stride, wp.int32),
        (("tile_least",), tiles, wp.float32),
        (("tile_stale",), tiles, wp.uint8),
        (("across", "row_u", "row_v", "row_depth"), stride, wp.float32),
        (("row_face", "row_instance"), stride, wp.int32),
        (("row_light",), stride, wp.vec3),
        (("down",), lines, wp.float32),
        (("order", "found", "bucket"), clusters, wp.int32),
        (("rectangle",), 4 * clusters, wp.int32),
        (("nearest",), clusters, wp.float32),
    )
    for names, size, kind in fields:
        for name in names:
            setattr(scratch, name, wp.empty(size, dtype=kind, device="cpu"))
    return scratch
