"""The embedded renderer's frames as torch tensors over the same memory, on the CPU and on CUDA."""

from dataclasses import dataclass

import numpy as np
import torch
import warp as wp
from jaxtyping import Float32, Float64, Int, Int32, UInt8

from backsight.sim.embedded.batch_renderer import BatchRenderer, DeviceFrames


@dataclass(frozen=True)
class TorchFrames:
    """Images of a batch of poses on the renderer's device."""

    rgb: UInt8[torch.Tensor, "poses height width 3"]
    depth_m: Float32[torch.Tensor, "poses height width"]
    """Planar depth; 0 where a ray leaves the scene."""
    instance_ids: Int32[torch.Tensor, "poses height width"]


def torch_frames(frames: DeviceFrames) -> TorchFrames:
    """Return tensors that share the memory of frames: what is drawn into the frames next shows in the tensors.

    Args:
        frames: of a `BatchRenderer`.
    """
    return TorchFrames(wp.to_torch(frames.rgb), wp.to_torch(frames.depth_m), wp.to_torch(frames.instance_ids))


def render_torch(
    renderer: BatchRenderer,
    world_from_camera: Float64[np.ndarray, "poses 4 4"],
    scene_of_pose: Int[np.ndarray, " poses"],
    intrinsics: Float64[np.ndarray, "3 3"],
    size: tuple[int, int],
) -> TorchFrames:
    """Return new tensors of a batch of poses, never copied to the host.

    On CUDA the drawing runs on torch's current stream, so that what torch does next with the tensors waits for it.

    Args:
        renderer: its device is that of the tensors.
        world_from_camera: poses.
        scene_of_pose: index of the scene that each pose is in.
        intrinsics: px; no skew.
        size: width and height, px.
    """
    width, height = size
    frames = renderer.frames(len(world_from_camera), width, height)
    if frames.rgb.device.is_cuda:
        stream = wp.stream_from_torch(torch.cuda.current_stream(wp.device_to_torch(frames.rgb.device)))
        with wp.ScopedStream(stream):
            renderer.draw(frames, world_from_camera, scene_of_pose, intrinsics)
    else:
        renderer.draw(frames, world_from_camera, scene_of_pose, intrinsics)
    return torch_frames(frames)
