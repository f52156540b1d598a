"""Ground truth of one sample, from depth, poses and instance ids alone."""

from collections.abc import Sequence as Sized
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64

from backsight.evaluate.samples import CELL_PX
from backsight.geometry.cells import PRESENT_FOOTPRINT_SHARE, ImageFit, cell_share, target_cells
from backsight.geometry.covisibility import MOVED, View, covisibility_labels, moved_labels
from backsight.geometry.places import place_mask
from backsight.geometry.poses import bearing_and_distance, invert_pose
from backsight.records.instruction import Instruction, Place
from backsight.records.prediction import Truth
from backsight.records.sequence import Sequence, moving_poses


@dataclass(frozen=True)
class MovingThings:
    """Things that move, over the frames of a sample."""

    current_ids: Int32[np.ndarray, "height width"]
    """What each pixel of the current view shows."""
    instance_ids: Int64[np.ndarray, " moving"]
    world_from_thing: Float64[np.ndarray, "moving frames 4 4"]
    """The last frame is the current one."""

    def moved_to(self, frame: int) -> dict[int, Float64[np.ndarray, "4 4"]]:
        """Return of each thing that is elsewhere in a frame what carries it there from where it is now."""
        carried = self.world_from_thing[:, frame] @ invert_pose(self.world_from_thing[:, -1])
        moved = np.abs(carried - np.eye(4)).max(axis=(1, 2), initial=0.0) > MOVED
        return {int(self.instance_ids[row]): carried[row] for row in np.flatnonzero(moved)}


def footprint_maps(
    depth_m: Float32[np.ndarray, "frames height width"],
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
    intrinsics: Float64[np.ndarray, "3 3"],
    fit: ImageFit,
    moving: MovingThings | None = None,
) -> tuple[
    Float32[np.ndarray, "history cells_height cells_width"],
    Bool[np.ndarray, "history cells_height cells_width"],
    Float32[np.ndarray, " history"],
]:
    """Return footprint, valid cells and co-visible share of every frame but the last, over the last one.

    Args:
        depth_m: at stored resolution; the last frame is the current view.
        world_from_camera: pose of each of these frames.
        intrinsics: of the stored images, px.
        fit: crop from the stored image to the maps' field of view.
        moving: what moves in these frames.
    """
    cells = fit.target_width // CELL_PX, fit.target_height // CELL_PX
    current = View(depth_m[-1], intrinsics, world_from_camera[-1])
    pooled = []
    for frame, (depth, pose) in enumerate(zip(depth_m[:-1], world_from_camera[:-1], strict=True)):
        other = View(depth, intrinsics, pose)
        labels = covisibility_labels(current, other)
        if moving is not None:
            labels = moved_labels(labels, current, other, moving.current_ids, moving.moved_to(frame))
        pooled.append(cell_share(labels, fit, *cells))
    share = np.array([p[0] for p in pooled], dtype=np.float32).reshape(-1, cells[1], cells[0])
    valid = np.array([p[1] for p in pooled], dtype=bool).reshape(share.shape)
    return share, valid, np.array([p[2] for p in pooled], dtype=np.float32)


def target_maps(
    sequence: Sequence,
    keyframes: Int64[np.ndarray, " keyframes"],
    instructions: Sized[Instruction],
    fit: ImageFit,
) -> tuple[
    Float32[np.ndarray, "instructions keyframes cells_height cells_width"],
    Bool[np.ndarray, "instructions keyframes"],
]:
    """Return each instruction's target over each keyframe, and whether that keyframe shows it.

    A target that no keyframe shows, and a view that shows too little of it, is a labelled negative: its map is zero.
    """
    cells_width, cells_height = fit.target_width // CELL_PX, fit.target_height // CELL_PX
    maps = np.zeros((len(instructions), len(keyframes), cells_height, cells_width), dtype=np.float32)
    present = np.zeros(maps.shape[:2], dtype=bool)
    for row, instruction in enumerate(instructions):
        ids = instruction.target_instance_ids
        for column, frame in enumerate(keyframes):
            view = sequence.instance_ids[frame]
            if instruction.target_place is not None:
                view, ids = _place_view(sequence, int(frame), instruction.target_place), (1,)
            maps[row, column], present[row, column] = target_cells(view, ids, fit, cells_width, cells_height)
    return maps, present


def _place_view(sequence: Sequence, frame: int, place: Place) -> Int32[np.ndarray, "height width"]:
    """Return 1 where a frame shows a place."""
    points_m = np.array(place.points_m, dtype=np.float64)
    pose = sequence.world_from_camera[frame]
    mask = place_mask(sequence.depth_m[frame], sequence.intrinsics, pose, points_m, place.radius_m)
    return mask.astype(np.int32)


def truth_of(
    sequence: Sequence,
    current_frame: int,
    history: Int64[np.ndarray, " history"],
    keyframes: Int64[np.ndarray, " keyframes"],
    instructions: Sized[Instruction],
    fit: ImageFit,
) -> Truth:
    """Return what a perfect prediction of one current view would hold.

    Args:
        sequence: the walk, with depth, poses and instance ids.
        current_frame: frame index of the current view.
        history: frame indices before it.
        keyframes: frame indices; the last one is the current frame.
        instructions: those that belong to the current frame.
        fit: crop from the stored images to the maps' field of view.
    """
    frames = np.append(history, current_frame)
    poses = sequence.world_from_camera[frames]
    moving = None
    if sequence.annotations.motions:
        ids, world_from_thing = moving_poses(sequence.annotations)
        moving = MovingThings(sequence.instance_ids[current_frame], ids, world_from_thing[:, frames])
    share, valid, covisible = footprint_maps(sequence.depth_m[frames], poses, sequence.intrinsics, fit, moving)
    bearing, distance_m = bearing_and_distance(poses[-1], poses[:-1])
    target, target_present = target_maps(sequence, keyframes, instructions, fit)
    return Truth(
        footprint=share,
        footprint_valid=valid,
        footprint_presence=covisible >= PRESENT_FOOTPRINT_SHARE,
        bearing=bearing.astype(np.float32),
        distance_m=distance_m.astype(np.float32),
        target=target,
        target_valid=np.ones(target.shape, dtype=bool),
        target_presence=target_present,
    )
