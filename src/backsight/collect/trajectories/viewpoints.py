"""What in a scene a walk can be planned around, and where one can stand to see it."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from backsight.collect.trajectories.gaze import angles_towards_rad
from backsight.collect.trajectories.small_views import thing_shares
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.collect.trajectories.walk import WalkRequest
from backsight.geometry.poses import look_poses
from backsight.records.scene import SceneObject
from backsight.records.vocabulary import UNNAMED_CATEGORY

SPARE_CLEARANCE_M = 0.05
LEAST_SIDE_M, MOST_SIDE_M = 0.3, 3.5
"""Longest sides of things that a walk is planned around, unless it asks for smaller ones."""
FLOOR_SLACK_M = 0.3
"""A thing stands on the highest floor that is not further than this above its lowest point."""
DIRECTIONS = 24
RADII = 8
NEAREST_M, FARTHEST_M = 0.4, 4.5
"""From the edge of a thing's footprint, and from its middle."""
MOST_VIEWPOINTS = 30
SEEN_SHARE = 0.004
"""Of a small view: four times what counts as seen in a picture."""


@dataclass(frozen=True)
class Viewpoints:
    """Places to stand from which a thing is seen."""

    thing: SceneObject
    points_m: Float64[np.ndarray, "points 3"]
    """On the floor."""
    direction_rad: Float64[np.ndarray, " points"]
    """From the thing, seen from above."""
    distance_m: Float64[np.ndarray, " points"]
    """From the thing's middle to the camera."""


def things_to_focus_on(
    request: WalkRequest, least_side_m: float = LEAST_SIDE_M
) -> tuple[list[SceneObject], Float64[np.ndarray, " things"]]:
    """Return things of a fair size and how likely each should be drawn; things with a name where there are any.

    Args:
        request: With the simulator.
        least_side_m: Longest side of the smallest things.

    Raises:
        TrajectoryError: The scene has none.
    """
    things = [thing for thing in request.simulator.objects if not thing.is_structure]
    things = [thing for thing in things if least_side_m <= max(thing.box.size_m) <= MOST_SIDE_M]
    things = [thing for thing in things if thing.category != UNNAMED_CATEGORY] or things
    if not things:
        raise TrajectoryError("the scene has nothing of a fair size to look at")
    weight = np.array([min(sorted(thing.box.size_m)[1], 1.0) for thing in things]) + 0.05
    # Twenty chairs of a classroom together are drawn hardly more often than its one lectern is.
    count = Counter(thing.category for thing in things)
    weight = weight / np.sqrt([count[thing.category] for thing in things])
    return things, weight / weight.sum()


def floor_below_m(request: WalkRequest, thing: SceneObject) -> float:
    """Return the height of the storey's floor that a thing stands or hangs above.

    Args:
        request: With the simulator.
        thing: Of the scene.
    """
    bottom = thing.box.centre_m[1] - thing.box.size_m[1] / 2
    floors = request.simulator.navigation.floors_m
    return max((floor for floor in floors if floor <= bottom + FLOOR_SLACK_M), default=min(floors))


def free_points(request: WalkRequest, points_m: Float64[np.ndarray, "points 3"]) -> Float64[np.ndarray, "free 3"]:
    """Return those points with room to stand.

    Args:
        request: With simulator and limits.
        points_m: World frame, on a floor.
    """
    navigation = request.simulator.navigation
    return points_m[navigation.clearance_m(points_m) >= request.limits.clearance_m + SPARE_CLEARANCE_M]


def viewpoints_of(request: WalkRequest, thing: SceneObject) -> Viewpoints:
    """Return places round a thing from which a small view shows it.

    Args:
        request: With simulator, limits and camera.
        thing: To be looked at.
    """
    centre = np.array(thing.box.centre_m, dtype=np.float64)
    floor_m = floor_below_m(request, thing)
    edge_m = math.hypot(thing.box.size_m[0], thing.box.size_m[2]) / 2
    nearest_m = edge_m + NEAREST_M
    radii = np.geomspace(nearest_m, max(FARTHEST_M, nearest_m + 1.0), RADII)
    angles = (np.arange(DIRECTIONS) + request.rng.uniform()) * (math.tau / DIRECTIONS)
    radius, angle = (grid.ravel() for grid in np.meshgrid(radii, angles))
    ring = np.stack(
        [centre[0] + radius * np.cos(angle), np.full_like(radius, floor_m), centre[2] + radius * np.sin(angle)], axis=-1
    )
    points = free_points(request, ring)
    if len(points) > MOST_VIEWPOINTS:
        points = points[np.sort(request.rng.choice(len(points), size=MOST_VIEWPOINTS, replace=False))]
    if len(points):
        cameras = points + np.array([0.0, request.camera.height_m, 0.0])
        yaw, pitch = angles_towards_rad(cameras, centre)
        most = math.radians(request.limits.pitch_deg)
        poses = look_poses(cameras, yaw, np.clip(pitch, -most, most))
        points = points[thing_shares(request, poses, [thing])[:, 0] >= SEEN_SHARE]
    offset = points + np.array([0.0, request.camera.height_m, 0.0]) - centre
    direction = np.arctan2(offset[:, 2], offset[:, 0])
    return Viewpoints(thing, points, direction, np.linalg.norm(offset, axis=1))
