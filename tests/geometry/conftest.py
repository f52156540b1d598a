"""A furnished room that is ray cast exactly, for tests of geometry."""

from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class BoxRoom:
    """Axis-aligned boxes; shares no code with the package, so that an error there cannot hide here."""

    low_m: np.ndarray
    high_m: np.ndarray
    size_m: np.ndarray

    def distance_along(self, origin_m: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """How many times each ray fits before it meets the first box."""
        best = np.full(rays.shape[:-1], np.inf)
        rays = np.where(np.abs(rays) < 1e-12, 1e-12, rays)
        for low, high in zip(self.low_m, self.high_m, strict=True):
            first, second = (low - origin_m) / rays, (high - origin_m) / rays
            enter = np.minimum(first, second).max(axis=-1)
            leave = np.maximum(first, second).min(axis=-1)
            hit = (enter > 1e-6) & (enter <= leave)
            best = np.where(hit, np.minimum(best, enter), best)
        return best

    def rays(self, pose: np.ndarray, intrinsics: np.ndarray, width: int, height: int) -> np.ndarray:
        """World rays through pixel centres whose length is 1 along the camera's z axis."""
        x = (np.arange(width) + 0.5 - intrinsics[0, 2]) / intrinsics[0, 0]
        y = (np.arange(height) + 0.5 - intrinsics[1, 2]) / intrinsics[1, 1]
        right, down, forward = pose[:3, 0], pose[:3, 1], pose[:3, 2]
        return x[None, :, None] * right + y[:, None, None] * down + forward

    def depth(self, pose: np.ndarray, intrinsics: np.ndarray, width: int, height: int) -> np.ndarray:
        """Planar depth image."""
        return self.distance_along(pose[:3, 3], self.rays(pose, intrinsics, width, height)).astype(np.float32)

    def seen_from(self, points_m: np.ndarray, origin_m: np.ndarray) -> np.ndarray:
        """Whether nothing stands between the origin and each point."""
        return self.distance_along(origin_m, points_m - origin_m) >= 1.0 - 1e-6

    def random_pose(self, generator: np.random.Generator) -> np.ndarray:
        """A level or slightly tilted camera in free space, OpenCV axes."""
        while True:
            position = generator.uniform([0.4, 0.8, 0.4], self.size_m - [0.4, 0.9, 0.4])
            blocked = ((position > self.low_m - 0.15) & (position < self.high_m + 0.15)).all(axis=1)
            if not blocked.any():
                break
        yaw, pitch = generator.uniform(-np.pi, np.pi), generator.uniform(-0.4, 0.2)
        flat = np.array([np.sin(yaw), 0.0, np.cos(yaw)])
        forward = np.cos(pitch) * flat + np.array([0.0, np.sin(pitch), 0.0])
        right = np.cross(flat, [0.0, 1.0, 0.0])
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
        pose[:3, 3] = position
        return pose


@pytest.fixture(scope="session")
def make_box_room():
    """Maker of rooms from a generator."""

    def make(generator: np.random.Generator, boxes: int = 12) -> BoxRoom:
        size = np.array([7.0, 2.6, 6.0])
        low, high = [], []
        for axis in range(3):
            for start, end in ((-0.1, 0.0), (size[axis], size[axis] + 0.1)):
                corner, opposite = np.full(3, -0.1), size + 0.1
                corner[axis], opposite[axis] = start, end
                low.append(corner)
                high.append(opposite)
        for _ in range(boxes):
            extent = generator.uniform([0.1, 0.3, 0.1], [1.2, 1.8, 1.2])
            corner = generator.uniform([0.3, 0.0, 0.3], [5.5, 0.5, 4.5])
            low.append(corner)
            high.append(corner + extent)
        return BoxRoom(np.array(low), np.array(high), size)

    return make
