"""Pictures of a camera that moves while its shutter is open: the mean light of several instants."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from scipy.spatial.transform import Rotation, Slerp

from backsight.records.errors import UsageError
from backsight.sim.simulator import Observation
from backsight.sim.srgb import linear_from_srgb, srgb_from_linear

EXPOSURE_S = 1.0 / 60.0
"""A usual exposure."""
BLURRED_EXPOSURES_S = (1.0 / 15.0, 1.0 / 4.0)
"""Range of exposures that make a walk hard to follow."""

_LINEAR_OF_BYTE = linear_from_srgb(np.arange(256) / 255.0).astype(np.float32)
_ENCODE_STEPS = 1 << 14


@runtime_checkable
class Renders(Protocol):
    """A simulator with its scene loaded, or a renderer."""

    def render(
        self,
        world_from_camera: Float64[np.ndarray, "poses 4 4"],
        intrinsics: Float64[np.ndarray, "3 3"],
        width: int,
        height: int,
    ) -> Observation:
        """Return RGB, depth and instance ids for a batch of poses in one call."""
        ...


_BYTE_OF_ROOT = np.round(255.0 * srgb_from_linear(np.linspace(0.0, 1.0, _ENCODE_STEPS) ** 2)).astype(np.uint8)
"""sRGB bytes of linear light at equal steps of its square root."""


def exposure_poses(
    world_from_camera: Float64[np.ndarray, "poses 4 4"],
    times_s: Float64[np.ndarray, " poses"],
    exposure_s: float,
    instants: int,
) -> Float64[np.ndarray, "poses instants 4 4"]:
    """Return where the camera is while the shutter is open around each pose of a walk.

    Between poses it moves on straight lines and turns about fixed axes; before the first and after the last it stands
    still.

    Args:
        world_from_camera: poses of a walk.
        times_s: of the poses, rising.
        exposure_s: how long the shutter is open, half of it before each pose's time.
        instants: poses to return within that time; the middle one of an odd number is the pose itself.

    Raises:
        UsageError: times that do not rise, no time or an even number of instants.
    """
    if len(times_s) > 1 and np.diff(times_s).min() <= 0.0:
        raise UsageError("motion blur: times must rise")
    if exposure_s <= 0.0 or instants < 1 or instants % 2 == 0:
        raise UsageError(f"motion blur: needs an exposure and an odd number of instants, got {exposure_s}, {instants}")
    offsets = ((np.arange(instants) + 0.5) / instants - 0.5) * exposure_s
    if len(times_s) == 1:
        return np.repeat(world_from_camera[:, None], instants, axis=1)
    when = np.clip(times_s[:, None] + offsets, times_s[0], times_s[-1])
    poses = np.tile(np.eye(4), (len(times_s), instants, 1, 1))
    turns = Slerp(times_s, Rotation.from_matrix(world_from_camera[:, :3, :3]))
    poses[..., :3, :3] = turns(when.reshape(-1)).as_matrix().reshape(*when.shape, 3, 3)
    for axis in range(3):
        poses[..., axis, 3] = np.interp(when, times_s, world_from_camera[:, axis, 3])
    poses[:, instants // 2] = world_from_camera
    return poses


def render_exposed(
    simulator: Renders,
    poses: Float64[np.ndarray, "frames instants 4 4"],
    intrinsics: Float64[np.ndarray, "3 3"],
    width: int,
    height: int,
) -> Observation:
    """Return pictures whose colour is the mean light of several instants; depth and ids are those of the middle one.

    Args:
        simulator: or a renderer.
        poses: of each frame, an odd number of instants (`exposure_poses`).
        intrinsics: px.
        width: px.
        height: px.

    Raises:
        UsageError: an even number of instants.
    """
    frames, instants = poses.shape[:2]
    if instants % 2 == 0:
        raise UsageError(f"motion blur: needs an odd number of instants, got {instants}")
    rgb = np.empty((frames, height, width, 3), dtype=np.uint8)
    depth_m = np.empty((frames, height, width), dtype=np.float32)
    instance_ids = np.empty((frames, height, width), dtype=np.int32)
    for frame in range(frames):
        seen = simulator.render(poses[frame], intrinsics, width, height)
        rgb[frame] = mean_light(seen.rgb)
        depth_m[frame] = seen.depth_m[instants // 2]
        instance_ids[frame] = seen.instance_ids[instants // 2]
    return Observation(rgb, depth_m, instance_ids)


def mean_light(rgb: UInt8[np.ndarray, "instants height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """Return the picture of the mean linear light of several sRGB pictures.

    Args:
        rgb: sRGB.
    """
    light: Float32[np.ndarray, "height width 3"] = np.zeros(rgb.shape[1:], dtype=np.float32)
    for picture in rgb:
        light += _LINEAR_OF_BYTE[picture]
    roots = np.sqrt(light / np.float32(len(rgb)))
    return _BYTE_OF_ROOT[np.round(roots * (_ENCODE_STEPS - 1)).astype(np.int32)]
