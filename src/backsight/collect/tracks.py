"""What becomes of each thing over a walk: seen, partly hidden, hidden, out of view."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from jaxtyping import Bool, Float, Float64, Int32, Int64

from backsight.collect.annotate import things_seen
from backsight.geometry.poses import invert_pose
from backsight.records.scene import SceneObject
from backsight.records.sequence import ObjectMotion, ObjectTrack, TrackSegment, VisibleObject
from backsight.records.vocabulary import TRACK_STATES

RAYS_PER_AXIS = 8
"""Rays through each thing's image box, across and down."""
NEAREST_M = 0.05
"""Parts of a box nearer than this to the camera's plane are not projected."""
STOP_M, STOP_SHARE = 0.02, 0.01
"""What ends a ray stops it when it lies this much, and this share of the depth, before the ray would leave the box."""
_VISIBLE, _PARTLY_HIDDEN, _HIDDEN, _OUT_OF_VIEW = range(len(TRACK_STATES))
_SIGNS = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
_EDGES = np.array([(a, b) for a in range(8) for b in range(a) if bin(a ^ b).count("1") == 1])


def object_tracks(
    objects: Sequence[SceneObject],
    motions: Sequence[ObjectMotion],
    visible: Sequence[Sequence[VisibleObject]],
    images: tuple[Float[np.ndarray, "frames height width"], Int32[np.ndarray, "frames height width"]],
    intrinsics: Float64[np.ndarray, "3 3"],
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
) -> tuple[ObjectTrack, ...]:
    """Return the track of every piece of furniture that some frame shows, by rising id.

    A frame's state of a thing comes from at most `RAYS_PER_AXIS` squared pixels, spread evenly over the part of the
    picture that the thing's box fills. Each is a ray that enters the box; it is *stopped* where the picture shows
    another thing there, nearer than the place where the ray would leave the box (by `STOP_M` and `STOP_SHARE`).
    Rays that see past the box, through its empty parts, tell nothing of what is hidden, so that the stopped share of
    all rays estimates the hidden share of what the picture's edge leaves of the thing:
    visible: some pixel shows it, and at most half of the rays are stopped.
    partly hidden: some pixel shows it, more than half of the rays are stopped.
    hidden: no pixel shows it, and at least half of the rays are stopped.
    out of view: no pixel shows it, and no ray enters its box, or more than half of those see past it.

    Args:
        objects: All objects of the scene, with the boxes of the first frame.
        motions: Of the things that move.
        visible: Per frame, what it shows.
        images: Planar depth (metres; 0 = nothing measured) and instance ids of every frame.
        intrinsics: Of the images, px.
        world_from_camera: Camera pose of every frame.
    """
    things = things_seen(objects, visible, len(visible) - 1)
    if not things:
        return ()
    rays, stopped = hidden_rays(things, motions, images, intrinsics, world_from_camera)
    column = {thing.instance_id: index for index, thing in enumerate(things)}
    shown = np.zeros(rays.shape, dtype=bool)
    for frame, entries in enumerate(visible):
        shown[frame, [column[entry.instance_id] for entry in entries]] = True
    states = np.full(rays.shape, _OUT_OF_VIEW)
    states[(rays > 0) & (2 * stopped >= rays)] = _HIDDEN
    states[shown] = _VISIBLE
    states[shown & (2 * stopped > rays)] = _PARTLY_HIDDEN
    return tuple(ObjectTrack(t.instance_id, _segments(states[:, i].tolist())) for i, t in enumerate(things))


def hidden_rays(
    things: Sequence[SceneObject],
    motions: Sequence[ObjectMotion],
    images: tuple[Float[np.ndarray, "frames height width"], Int32[np.ndarray, "frames height width"]],
    intrinsics: Float64[np.ndarray, "3 3"],
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
) -> tuple[Int64[np.ndarray, "frames things"], Int64[np.ndarray, "frames things"]]:
    """Return how many rays enter the box of each thing in each frame, and how many of them another thing stops.

    Args:
        things: Whose boxes.
        motions: Of those that move.
        images: Planar depth (metres; 0 = nothing measured) and instance ids of every frame.
        intrinsics: Of the images, px.
        world_from_camera: Camera pose of every frame.
    """
    depth_m, instance_ids = images
    frames, height, width = depth_m.shape
    camera_from_box, half_m = _box_poses(things, motions, world_from_camera)
    bounds = _bounds_px(camera_from_box, half_m, intrinsics)
    low = np.maximum(bounds[..., :2], 0.0)
    high = np.minimum(bounds[..., 2:], [width, height])
    frame, thing = np.nonzero((low < high).all(axis=-1))
    column, row = (
        _spread(low[frame, thing, axis], high[frame, thing, axis], size) for axis, size in ((0, width), (1, height))
    )
    x = ((column + 0.5 - intrinsics[0, 2]) / intrinsics[0, 0])[:, None, :, None]
    y = ((row + 0.5 - intrinsics[1, 2]) / intrinsics[1, 1])[:, :, None, None]
    box_from_camera = invert_pose(camera_from_box[frame, thing])
    axes = box_from_camera[:, None, None, :3, :3]
    # Rays advance by one metre of planar depth, so that what they meet is in the unit of the depth image.
    step = axes[..., 0] * x + axes[..., 1] * y + axes[..., 2]
    step = np.where(np.abs(step) < 1e-9, 1e-9, step)
    origin, half = box_from_camera[:, None, None, :3, 3], half_m[thing][:, None, None]
    one, other = (-half - origin) / step, (half - origin) / step
    enter_m, leave_m = np.minimum(one, other).max(axis=-1), np.maximum(one, other).min(axis=-1)
    inside = frame[:, None, None], row[:, :, None], column[:, None, :]
    own = instance_ids[inside] == np.array([t.instance_id for t in things])[thing][:, None, None]
    reading_m = depth_m[inside]
    entering = (leave_m > np.maximum(enter_m, 0.0)) | own
    before = (reading_m > 0.0) & (reading_m < (1.0 - STOP_SHARE) * leave_m - STOP_M)
    rays, stopped = (np.zeros((frames, len(things)), dtype=np.int64) for _ in range(2))
    rays[frame, thing] = entering.sum(axis=(1, 2))
    stopped[frame, thing] = (entering & before & ~own).sum(axis=(1, 2))
    return rays, stopped


def _box_poses(
    things: Sequence[SceneObject],
    motions: Sequence[ObjectMotion],
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
) -> tuple[Float64[np.ndarray, "frames things 4 4"], Float64[np.ndarray, "things 3"]]:
    """Return where each thing's box is in each frame, seen from the camera, and half of its size [m]."""
    frames = len(world_from_camera)
    centre = np.tile(np.array([thing.box.centre_m for thing in things]), (frames, 1, 1))
    yaw = np.tile(np.array([thing.box.yaw_rad for thing in things], dtype=np.float64), (frames, 1))
    column = {thing.instance_id: index for index, thing in enumerate(things)}
    for motion in motions:
        if motion.instance_id in column:
            centre[:, column[motion.instance_id]] = motion.centres_m
            yaw[:, column[motion.instance_id]] = motion.yaws_rad
    world_from_box = np.tile(np.eye(4), (frames, len(things), 1, 1))
    world_from_box[..., 0, 0] = world_from_box[..., 2, 2] = np.cos(yaw)
    world_from_box[..., 0, 2], world_from_box[..., 2, 0] = np.sin(yaw), -np.sin(yaw)
    world_from_box[..., :3, 3] = centre
    half_m = np.array([thing.box.size_m for thing in things]) / 2.0
    return invert_pose(world_from_camera)[:, None] @ world_from_box, half_m


def _bounds_px(
    camera_from_box: Float64[np.ndarray, "frames things 4 4"],
    half_m: Float64[np.ndarray, "things 3"],
    intrinsics: Float64[np.ndarray, "3 3"],
) -> Float64[np.ndarray, "frames things 4"]:
    """Return left, top, right, bottom of each box in an endless picture; left above right where it is behind."""
    corners = (camera_from_box[..., :3, :3] @ (2.0 * half_m[:, None] * _SIGNS).swapaxes(-1, -2)).swapaxes(-1, -2)
    corners = corners + camera_from_box[..., None, :3, 3]
    bounds = _extent(corners, corners[..., 2] > NEAREST_M, intrinsics)
    crossing = (corners[..., 2].min(axis=-1) <= NEAREST_M) & (corners[..., 2].max(axis=-1) > NEAREST_M)
    cut = corners[crossing]
    start, end = cut[:, _EDGES[:, 0]], cut[:, _EDGES[:, 1]]
    rise = end[..., 2] - start[..., 2]
    crosses = (start[..., 2] > NEAREST_M) != (end[..., 2] > NEAREST_M)
    along = (NEAREST_M - start[..., 2]) / np.where(crosses, rise, 1.0)
    edge_points = start + along[..., None] * (end - start)
    edges = _extent(edge_points, crosses, intrinsics)
    both = bounds[crossing]
    both = np.concatenate([np.minimum(both[:, :2], edges[:, :2]), np.maximum(both[:, 2:], edges[:, 2:])], axis=-1)
    bounds[crossing] = both
    return bounds


def _extent(
    points_m: Float64[np.ndarray, "*boxes points 3"],
    counts: Bool[np.ndarray, "*boxes points"],
    intrinsics: Float64[np.ndarray, "3 3"],
) -> Float64[np.ndarray, "*boxes 4"]:
    z_m = np.where(counts, points_m[..., 2], 1.0)[..., None]
    pixels = points_m[..., :2] / z_m * intrinsics[[0, 1], [0, 1]] + intrinsics[:2, 2]
    low = np.where(counts[..., None], pixels, np.inf).min(axis=-2)
    high = np.where(counts[..., None], pixels, -np.inf).max(axis=-2)
    return np.concatenate([low, high], axis=-1)


def _spread(
    low: Float64[np.ndarray, " boxes"], high: Float64[np.ndarray, " boxes"], size: int
) -> Int64[np.ndarray, "boxes rays"]:
    """Return pixels spread evenly between two positions of one image axis."""
    share = (np.arange(RAYS_PER_AXIS) + 0.5) / RAYS_PER_AXIS
    return np.minimum((low[:, None] + (high - low)[:, None] * share).astype(np.int64), size - 1)


def _segments(states: list[int]) -> tuple[TrackSegment, ...]:
    segments, first = [], 0
    for state, members in groupby(states):
        last = first + len(list(members)) - 1
        segments.append(TrackSegment(first, last, TRACK_STATES[state]))
        first = last + 1
    return tuple(segments)
