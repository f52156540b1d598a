"""Pictures of a walk in which things may move, lamps may change and the shutter may be slow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from jaxtyping import Float64, Int64

from backsight.collect.trajectories.smooth import SAMPLES_PER_FRAME, Motion
from backsight.collect.trajectories.walk import Walk
from backsight.geometry.poses import invert_pose
from backsight.records.sequence import ObjectMotion, SceneEvent
from backsight.sim.motion_blur import render_exposed
from backsight.sim.simulator import Lighting, Observation, Shapes, Simulator

INSTANT_STEP_PX = 1.5
"""Pictures of one exposure lie about so far apart."""
MOST_INSTANTS = 9
"""Pictures of one exposure at most; a render costs as much as so many frames."""
BLUR_DEPTH_M = 2.0
"""Distance at which the image motion of an exposure is reckoned."""


@dataclass(frozen=True)
class EventScript:
    """What happens in a walk, beside the camera's motion."""

    motions: tuple[ObjectMotion, ...] = ()
    """Of the things that move, by id."""
    events: tuple[SceneEvent, ...] = ()
    """By first frame."""
    lighting: tuple[Lighting, ...] = ()
    """Of each frame; empty where the lamps burn as the scene has them."""
    exposure_s: float = 0.0
    """How long the shutter is open; 0 for instants. A usual exposure of 1/60 s is taken as an instant: at the fastest
    turn it smears the picture by half a degree, 1.6 px of 256, and showing that would cost three renders a frame."""


def render_walk(
    simulator: Simulator,
    walk: Walk,
    script: EventScript,
    intrinsics: Float64[np.ndarray, "3 3"],
    width: int,
    height: int,
) -> Observation:
    """Return what the frames of a walk show; depth and ids are those of the middle of each exposure.

    Frames between two changes of the scene are rendered in one call. Things that move stand still while the shutter is
    open. Afterwards the scene is as it was.

    Args:
        simulator: With the scene as it was loaded.
        walk: The camera's way.
        script: What happens on it.
        intrinsics: Of the images, px.
        width: Of the images, px.
        height: Of the images, px.
    """
    poses = walk.world_from_camera
    if script.exposure_s == 0.0:
        return render_at_frames(simulator, poses, np.arange(len(poses)), script, (intrinsics, width, height))
    instants = instants_of_frames(walk.motion, script.exposure_s, intrinsics, width, height)
    images = _empty(len(poses), width, height)
    with _staged(simulator, script) as show:
        for frames in _same_scene(np.arange(len(poses)), script):
            show(int(frames[0]))
            for count in np.unique(instants[frames]).tolist():
                some = frames[instants[frames] == count]
                exposed = _exposure(walk.motion, some, script.exposure_s, count)
                _put(images, some, render_exposed(simulator, exposed, intrinsics, width, height))
    return images


def render_at_frames(
    simulator: Simulator,
    world_from_camera: Float64[np.ndarray, "views 4 4"],
    frame_of_view: Int64[np.ndarray, " views"],
    script: EventScript,
    camera: tuple[Float64[np.ndarray, "3 3"], int, int],
) -> Observation:
    """Return what cameras see, each with the scene as it is in one frame of a walk; then the scene is as it was.

    Args:
        simulator: With the scene as it was loaded.
        world_from_camera: Of the views.
        frame_of_view: Frame of the walk, rising.
        script: What happens on the walk.
        camera: Intrinsics (px), width and height of the images (px).
    """
    if not script.motions and not script.lighting:
        return simulator.render(world_from_camera, *camera)
    images = _empty(len(world_from_camera), *camera[1:])
    with _staged(simulator, script) as show:
        for views in _same_scene(frame_of_view, script):
            show(int(frame_of_view[views[0]]))
            _put(images, views, simulator.render(world_from_camera[views], *camera))
    return images


def shapes_at_frames(
    simulator: Simulator,
    world_from_camera: Float64[np.ndarray, "views 4 4"],
    frame_of_view: Int64[np.ndarray, " views"],
    script: EventScript,
    camera: tuple[Float64[np.ndarray, "3 3"], int, int],
) -> Shapes:
    """Return depth and ids of what `render_at_frames` returns.

    Args:
        simulator: With the scene as it was loaded.
        world_from_camera: Of the views.
        frame_of_view: Frame of the walk, rising.
        script: What happens on the walk; lamps play no part.
        camera: Intrinsics (px), width and height of the images (px).
    """
    if not script.motions:
        return simulator.render_shapes(world_from_camera, *camera)
    moved = EventScript(script.motions)
    parts: list[Shapes] = []
    with _staged(simulator, moved) as show:
        for views in _same_scene(frame_of_view, moved):
            show(int(frame_of_view[views[0]]))
            parts.append(simulator.render_shapes(world_from_camera[views], *camera))
    return Shapes(
        np.concatenate([part.depth_m for part in parts]), np.concatenate([part.instance_ids for part in parts])
    )


def instants_of_frames(
    motion: Motion, exposure_s: float, intrinsics: Float64[np.ndarray, "3 3"], width: int, height: int
) -> Int64[np.ndarray, " frames"]:
    """Return how many pictures make up each frame's exposure: odd, `INSTANT_STEP_PX` apart, at most `MOST_INSTANTS`.

    Reckoned from how far the picture's centre and corners, at `BLUR_DEPTH_M`, move while the shutter is open.

    Args:
        motion: Of the camera.
        exposure_s: How long the shutter is open.
        intrinsics: Of the images, px.
        width: Of the images, px.
        height: Of the images, px.
    """
    blur_px = _blur_px(motion, exposure_s, intrinsics, width, height).max(axis=-1)
    steps = np.ceil(blur_px / INSTANT_STEP_PX / 2.0).astype(np.int64)
    return np.minimum(2 * steps + 1, MOST_INSTANTS)


def mean_blur_px(
    motion: Motion, exposure_s: float, intrinsics: Float64[np.ndarray, "3 3"], width: int, height: int
) -> float:
    """Return how far the picture's centre, at `BLUR_DEPTH_M`, moves in an exposure: the mean over the frames.

    Args:
        motion: Of the camera.
        exposure_s: How long the shutter is open.
        intrinsics: Of the images, px.
        width: Of the images, px.
        height: Of the images, px.
    """
    return float(_blur_px(motion, exposure_s, intrinsics, width, height)[:, -1].mean())


def _blur_px(
    motion: Motion, exposure_s: float, intrinsics: Float64[np.ndarray, "3 3"], width: int, height: int
) -> Float64[np.ndarray, "frames 5"]:
    """Return how far the picture's corners and, last, its centre move in each frame's exposure."""
    time_s = motion.time_s[::SAMPLES_PER_FRAME]
    poses = _poses_at(motion, time_s[:, None] + np.array([-0.5, 0.5]) * exposure_s)
    pixels = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5)]) * [width, height]
    rays = np.concatenate([pixels, np.ones((5, 1))], axis=-1) @ np.linalg.inv(intrinsics).T
    last_from_first = invert_pose(poses[:, 1]) @ poses[:, 0]
    points = BLUR_DEPTH_M * rays @ last_from_first[:, :3, :3].swapaxes(-1, -2) + last_from_first[:, None, :3, 3]
    homogeneous = points @ intrinsics.T
    moved = homogeneous[..., :2] / np.maximum(homogeneous[..., 2:], 1e-3) - pixels
    return np.linalg.norm(moved, axis=-1)


def _exposure(
    motion: Motion, frames: Int64[np.ndarray, " frames"], exposure_s: float, instants: int
) -> Float64[np.ndarray, "frames instants 4 4"]:
    """Return poses of the planned motion while the shutter is open, evenly spread round each frame's time."""
    offset_s = ((np.arange(instants) + 0.5) / instants - 0.5) * exposure_s
    return _poses_at(motion, motion.time_s[frames * SAMPLES_PER_FRAME][:, None] + offset_s)


def _poses_at(
    motion: Motion, time_s: Float64[np.ndarray, "frames instants"]
) -> Float64[np.ndarray, "frames instants 4 4"]:
    """Return poses between the samples of a motion, which stands still beyond its ends."""
    flat = np.clip(time_s.reshape(-1), motion.time_s[0], motion.time_s[-1])
    position = [np.interp(flat, motion.time_s, motion.position_m[:, axis]) for axis in range(3)]
    yaw, pitch = (np.interp(flat, motion.time_s, angle) for angle in (motion.yaw_rad, motion.pitch_rad))
    poses = Motion(flat, np.stack(position, axis=-1), yaw, pitch).world_from_camera()
    return poses.reshape(*time_s.shape, 4, 4)


def _same_scene(frame_of_view: Int64[np.ndarray, " views"], script: EventScript) -> list[Int64[np.ndarray, " _"]]:
    """Return the views, batch by batch, of one state of the scene each."""
    if not script.motions and not script.lighting:
        return [np.arange(len(frame_of_view))]
    states = [_state(script, int(frame)) for frame in frame_of_view]
    return [np.array(list(members)) for _, members in groupby(range(len(states)), key=states.__getitem__)]


def _state(script: EventScript, frame: int) -> tuple[object, ...]:
    lighting = script.lighting[frame] if script.lighting else None
    return lighting, *((motion.centres_m[frame], motion.yaws_rad[frame]) for motion in script.motions)


@contextmanager
def _staged(simulator: Simulator, script: EventScript) -> Iterator["_Stage"]:
    stage = _Stage(simulator, script)
    try:
        yield stage
    finally:
        stage.put_back()


class _Stage:
    """Sets the scene for a frame and changes only what differs from the one before."""

    def __init__(self, simulator: Simulator, script: EventScript) -> None:
        self._simulator = simulator
        self._script = script
        self._lighting = Lighting()
        moving = {motion.instance_id for motion in script.motions}
        boxes = {t.instance_id: t.box for t in simulator.objects if t.instance_id in moving}
        self._loaded = {number: (box.centre_m, box.yaw_rad) for number, box in boxes.items()}
        self._placed = dict(self._loaded)

    def __call__(self, frame: int) -> None:
        for motion in self._script.motions:
            self._place(motion.instance_id, (motion.centres_m[frame], motion.yaws_rad[frame]))
        if self._script.lighting:
            self._light(self._script.lighting[frame])

    def put_back(self) -> None:
        for number, place in self._loaded.items():
            self._place(number, place)
        self._light(Lighting())

    def _place(self, number: int, place: tuple[tuple[float, float, float], float]) -> None:
        if place != self._placed[number]:
            self._simulator.move_object(number, np.array(place[0]), place[1])
            self._placed[number] = place

    def _light(self, lighting: Lighting) -> None:
        if lighting != self._lighting:
            self._simulator.set_lighting(lighting)
            self._lighting = lighting


def _empty(views: int, width: int, height: int) -> Observation:
    shape = (views, height, width)
    return Observation(
        np.empty((*shape, 3), dtype=np.uint8), np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.int32)
    )


def _put(images: Observation, where: Int64[np.ndarray, " views"] | Sequence[int], seen: Observation) -> None:
    images.rgb[where] = seen.rgb
    images.depth_m[where] = seen.depth_m
    images.instance_ids[where] = seen.instance_ids
