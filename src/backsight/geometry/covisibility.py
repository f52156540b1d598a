"""Which pixels of one view another view saw too: the definition behind footprint heatmaps."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float, Float64, Int, UInt8

from backsight.geometry.poses import invert_pose
from backsight.geometry.projection import (
    SAME_SURFACE_RATIO,
    look_up_inverse_bilinear,
    look_up_nearest,
    project,
    transform_points,
    unproject,
)

ABSOLUTE_TOLERANCE_M = 0.03
RELATIVE_TOLERANCE = 0.02
SLOPE_TOLERANCE_PX = 0.75
MOVED = 1e-3
"""A thing has moved when an entry of the 4x4 pose that carries it between two frames is farther from the identity's: a
millimetre, or a milliradian."""


class Label(IntEnum):
    """What another view knows of the surface that a pixel shows."""

    INVALID = 0
    """A depth is missing, or the other view sees past the point."""
    COVISIBLE = 1
    OCCLUDED = 2
    OUT_OF_VIEW = 3


@dataclass(frozen=True)
class View:
    """One frame's geometry."""

    depth_m: Float[np.ndarray, "height width"]
    intrinsics: Float64[np.ndarray, "3 3"]
    world_from_camera: Float64[np.ndarray, "4 4"]


def depth_slope(depth_m: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
    """Return how steeply depth changes around each pixel, in metres per pixel.

    Along each axis the smaller of the two one-sided differences, so that the jump at a silhouette is not taken for
    slope (which would call hidden points beside it co-visible); then the larger of the two axes. A difference counts
    only between readings that belong together: both present, ratio at most `SAME_SURFACE_RATIO`. Where one side has
    none (border, hole) the other stands; an axis with none on either side gives 0.

    Args:
        depth_m: Planar depth, 0 = none.
    """
    slope = np.zeros_like(depth_m)
    for axis in (0, 1):
        before, after = (depth_m[:-1], depth_m[1:]) if axis == 0 else (depth_m[:, :-1], depth_m[:, 1:])
        nearer, farther = np.minimum(before, after), np.maximum(before, after)
        together = (nearer > 0.0) & (farther <= SAME_SURFACE_RATIO * nearer)
        step = np.where(together, farther - nearer, np.inf).astype(depth_m.dtype)
        edge_shape = [1 if i == axis else n for i, n in enumerate(depth_m.shape)]
        edge = np.full(edge_shape, np.inf, dtype=depth_m.dtype)
        smaller = np.minimum(np.concatenate([edge, step], axis), np.concatenate([step, edge], axis))
        slope = np.maximum(slope, np.where(np.isfinite(smaller), smaller, 0.0))
    return slope


def covisibility_labels(
    current: View, other: View, relative_tolerance_only: bool = False
) -> UInt8[np.ndarray, "height width"]:
    """Return a `Label` for each pixel of the current view.

    A pixel's point, seen from the other camera at u' and depth z', is co-visible when z' agrees within
    max(3 cm, 2 % of z') + 0.75 px x depth slope at u' with the other view's reading nearest to u', or with
    the one interpolated there. Where neither agrees the nearest reading decides: occluded when it is
    nearer, invalid when it is farther (the other view sees past the point). The slope term stands for where
    in a pixel its reading was taken. The scene is taken to be static; `moved_labels` carries along what moved
    between the two frames.

    Args:
        current: View that is labelled.
        other: View that is asked.
        relative_tolerance_only: Leave out the 3 cm, for depth and poses of unknown scale.
    """
    other_from_current = invert_pose(other.world_from_camera) @ current.world_from_camera
    points_m = transform_points(other_from_current, unproject(current.depth_m, current.intrinsics))
    pixels, z_m = project(points_m, other.intrinsics)
    nearest_m, inside = look_up_nearest(other.depth_m, pixels)
    between_m, _ = look_up_inverse_bilinear(other.depth_m, pixels)
    slope, _ = look_up_nearest(depth_slope(other.depth_m), pixels)

    floor_m = 0.0 if relative_tolerance_only else ABSOLUTE_TOLERANCE_M
    tolerance_m = np.maximum(floor_m, RELATIVE_TOLERANCE * z_m) + SLOPE_TOLERANCE_PX * slope
    agrees = np.abs(z_m - nearest_m) <= tolerance_m
    agrees |= (between_m > 0.0) & (np.abs(z_m - between_m) <= tolerance_m)

    labels = np.full(current.depth_m.shape, Label.INVALID, dtype=np.uint8)
    labels[z_m > nearest_m + tolerance_m] = Label.OCCLUDED
    labels[agrees] = Label.COVISIBLE
    labels[nearest_m <= 0.0] = Label.INVALID
    labels[~inside] = Label.OUT_OF_VIEW
    labels[current.depth_m <= 0.0] = Label.INVALID
    return labels


def moved_labels(
    labels: UInt8[np.ndarray, "height width"],
    current: View,
    other: View,
    instance_ids: Int[np.ndarray, "height width"],
    moved: Mapping[int, Float64[np.ndarray, "4 4"]],
) -> UInt8[np.ndarray, "height width"]:
    """Return labels in which the things that moved between two frames are carried with their own motion.

    The surface of a thing that moves is looked for where it went: as if the current camera had been carried along.

    Args:
        labels: From `covisibility_labels`.
        current: View that is labelled.
        other: View that is asked.
        instance_ids: What each pixel of the current view shows.
        moved: Of each thing that moved, the pose in the world that carries it from where it is in the current frame to
            where it is in the other.
    """
    labels = labels.copy()
    for number, other_from_current_world in moved.items():
        mask = instance_ids == number
        if mask.any():
            carried = View(current.depth_m, current.intrinsics, other_from_current_world @ current.world_from_camera)
            labels[mask] = covisibility_labels(carried, other)[mask]
    return labels
