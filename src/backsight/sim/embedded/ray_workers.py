"""Ray queries over a device: what samples see, then depth and ids, then colour; a few million samples at a time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import warp as wp

from backsight.sim.embedded import visibility_rays
from backsight.sim.embedded.device_scene import DeviceScene
from backsight.sim.embedded.scene_arrays import SceneArrays

MOST_SAMPLES = 1 << 22
"""Samples between the two passes: what they see stays in the cache of a large GPU."""


class RayWorkers:
    """Draws frames by ray queries, one launch a pass on CUDA, in pieces over threads on the CPU.

    Args:
        threads: how many, on the CPU.
        device: Warp device.
    """

    def __init__(self, threads: int, device: Any) -> None:
        self._device = device
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 and device.is_cpu else None
        self._scenes: tuple[tuple[int, ...], Any] = ((), None)
        self._hits: Any = None
        self._capacity = 0

    def draw(self, scenes: Sequence[DeviceScene], views: Any, poses: int, outputs: tuple[Any, Any, Any]) -> None:
        """Fill colour, depth and ids of all poses.

        Args:
            scenes: that the poses are in.
            views: a `Views`.
            poses: how many.
            outputs: Warp arrays of colour, depth and ids; without colour, the first of them is not written.
        """
        all_scenes = self._structures(scenes)
        fine_pixels = views.width * views.height * views.samples**2
        together = min(max(MOST_SAMPLES // fine_pixels, 1), poses)
        self._reserve(together * fine_pixels)
        moved = any(scene.has_moved for scene in scenes)
        for first in range(0, poses, together):
            self._draw_some(all_scenes, views, (first, min(together, poses - first)), moved, outputs)

    def _draw_some(
        self, scenes: Any, views: Any, some: tuple[int, int], moved: bool, outputs: tuple[Any, Any, Any]
    ) -> None:
        """Fill the images of successive poses: the first one, and how many."""
        first_pose, poses = some
        rgb, depth_m, instance_ids = outputs
        hits = self._hits

        def find(samples: int) -> None:
            count = poses * _tiles(views.width * samples, views.height * samples) * 32
            before = [scenes, views, samples, first_pose]
            self._split(visibility_rays.find_hits, count, lambda begin: [*before, begin, hits], [])
            if moved:
                self._split(visibility_rays.find_moved, count, lambda begin: [*before, begin, hits], [])

        find(1)
        common = [scenes, views, hits, first_pose]
        self._split(
            visibility_rays.write_depth,
            poses * views.width * views.height,
            lambda begin: [*common, begin],
            [depth_m, instance_ids],
        )
        if not views.coloured:
            return
        if views.samples > 1:
            find(views.samples)
        tiled = poses * _tiles(views.width, views.height) * 32
        self._split(visibility_rays.write_colour, tiled, lambda begin: [*common, begin], [rgb])

    def _split(self, kernel: Any, count: int, inputs: Callable[[int], list[Any]], outputs: list[Any]) -> None:
        """Launch in one piece, or in pieces over a few threads on the CPU."""

        def launch(begin: int, end: int) -> None:
            wp.launch(
                kernel,
                dim=end - begin,
                inputs=inputs(begin),
                outputs=outputs,
                device=self._device,
                block_dim=visibility_rays.BLOCK,
            )

        if self._pool is None:
            launch(0, count)
            return
        # Four pieces a thread: pieces cost unequal time.
        edges = np.unique(np.linspace(0, count, 4 * self._threads + 1).astype(int)).tolist()
        list(self._pool.map(launch, edges[:-1], edges[1:]))

    def _structures(self, scenes: Sequence[DeviceScene]) -> Any:
        """Return the structures of all scenes as one array on the device."""
        versions = tuple(scene.version for scene in scenes)
        if self._scenes[0] != versions:
            structures = [scene.arrays for scene in scenes]
            self._scenes = (versions, wp.array(structures, dtype=SceneArrays, device=self._device))
        return self._scenes[1]

    def _reserve(self, samples: int) -> None:
        """Have memory for what that many samples see."""
        if samples <= self._capacity:
            return
        self._capacity = samples
        hits: Any = visibility_rays.Hits()
        whole: Any = wp.int32
        real: Any = wp.float32
        for name, kind in (("face", whole), ("u", real), ("v", real), ("distance", real)):
            setattr(hits, name, wp.empty(samples, dtype=kind, device=self._device))
        self._hits = hits


def _tiles(width: int, height: int) -> int:
    """Return how many tiles cover an image."""
    return -(-width // int(visibility_rays.TILE_COLUMNS)) * -(-height // int(visibility_rays.TILE_ROWS))
