"""A box room seen by cameras of known pose: depth in closed form, no occlusion inside a convex room."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

HALF_ROOM_M = np.array([3.1, 1.7, 2.3])


def camera_pose(position_m: tuple[float, float, float], yaw_deg: float, pitch_deg: float) -> np.ndarray:
    """World_from_camera of an OpenCV camera that at zero angles looks along -Z, upright."""
    turn = Rotation.from_euler("YX", [yaw_deg, pitch_deg], degrees=True).as_matrix()
    pose = np.eye(4)
    pose[:3, :3] = turn @ np.diag([1.0, -1.0, -1.0])
    pose[:3, 3] = position_m
    return pose


def world_points(pose: np.ndarray, intrinsics: np.ndarray, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points on the walls that pixels (..., 2) see, and their planar depth."""
    rays = np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1) @ np.linalg.inv(intrinsics).T
    direction = rays @ pose[:3, :3].T
    walls = (np.sign(direction) * HALF_ROOM_M - pose[:3, 3]) / direction
    depth_m = walls.min(axis=-1)
    return pose[:3, 3] + depth_m[..., None] * direction, depth_m


def centres(height: int, width: int) -> np.ndarray:
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x, y], axis=-1)


class Room:
    """Two samples of three views each."""

    poses = np.stack(
        [
            [
                camera_pose((0.1, 0.0, 0.9), 3, -4),
                camera_pose((0.5, 0.2, 0.6), 17, 6),
                camera_pose((-0.6, -0.1, 0.3), -9, 2),
            ],
            [
                camera_pose((0.4, 0.1, -0.2), 91, 5),
                camera_pose((0.1, 0.3, 0.2), 75, -7),
                camera_pose((1.1, 0.0, 0.1), 99, 3),
            ],
        ]
    )

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        focal = 0.55 * width
        self.intrinsics = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
        seen = [[world_points(p, self.intrinsics, centres(height, width)) for p in sample] for sample in self.poses]
        self.points = np.array([[s[0] for s in sample] for sample in seen])
        self.depth_m = np.array([[s[1] for s in sample] for sample in seen])

    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        """Depth, intrinsics and poses as the losses take them."""
        batch = len(self.poses)
        return (
            torch.from_numpy(self.depth_m).float(),
            torch.from_numpy(self.intrinsics).float().expand(batch, 3, 3).contiguous(),
            torch.from_numpy(self.poses).float(),
        )


@pytest.fixture
def make_room() -> Callable[[int, int], Room]:
    return Room


@pytest.fixture
def points_seen() -> Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    return world_points


@pytest.fixture(scope="session")
def naive() -> ModuleType:
    """Every term as loops over single numbers; see `naive.py` beside this file."""
    # Tests are imported by file, so the folder is no package.
    spec = importlib.util.spec_from_file_location("naive", Path(__file__).with_name("naive.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
