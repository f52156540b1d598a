"""Tiny pictures that planners judge places and walks by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from backsight.collect.trajectories.walk import WalkRequest
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_poses
from backsight.records.scene import SceneObject
from backsight.sim.simulator import Shapes
from backsight.sim.survey import shown_shares

VIEW_WIDTH_PX, VIEW_HEIGHT_PX = 48, 36
SHOWN_SHARE = 0.003
"""A tiny picture shows a thing that covers this share of it: five pixels, three times what measures ask for."""
HEADING_STEP = 0.77
"""Directions that a place is looked round in lie this share of the field of view apart, so that neighbours overlap."""
ROUND_PITCH_RAD = -0.12
_BATCH = 512


def view_intrinsics(
    request: WalkRequest, width: int = VIEW_WIDTH_PX, height: int = VIEW_HEIGHT_PX
) -> Float64[np.ndarray, "3 3"]:
    """Return the intrinsics of tiny pictures.

    Args:
        request: With the camera.
        width: Of the pictures, px.
        height: Of the pictures, px.
    """
    return intrinsics_from_hfov(width, height, request.camera.hfov_deg)


def small_views(
    request: WalkRequest,
    world_from_camera: Float64[np.ndarray, "views 4 4"],
    width: int = VIEW_WIDTH_PX,
    height: int = VIEW_HEIGHT_PX,
) -> Shapes:
    """Return tiny pictures of many poses, without colour.

    Args:
        request: With simulator and camera.
        world_from_camera: Poses.
        width: Of the pictures, px.
        height: Of the pictures, px.
    """
    intrinsics = view_intrinsics(request, width, height)
    return request.simulator.render_shapes(world_from_camera, intrinsics, width, height)


def thing_shares(
    request: WalkRequest, world_from_camera: Float64[np.ndarray, "views 4 4"], things: Sequence[SceneObject]
) -> Float64[np.ndarray, "views things"]:
    """Return the share of each view's picture that shows each thing.

    Args:
        request: With simulator and camera.
        world_from_camera: Poses of the views.
        things: Which things are looked for.
    """
    return shown_shares(small_views(request, world_from_camera).instance_ids, things)


def things_per_frame(
    request: WalkRequest,
    world_from_camera: Float64[np.ndarray, "views 4 4"],
    least_share: float,
    size_px: tuple[int, int] = (VIEW_WIDTH_PX, VIEW_HEIGHT_PX),
) -> float:
    """Return how many things a view shows in the mean.

    Args:
        request: With simulator and camera.
        world_from_camera: Poses of the views.
        least_share: Of the picture that a thing must cover to count.
        size_px: Width and height of the pictures.
    """
    things = [thing for thing in request.simulator.objects if not thing.is_structure]
    shares = shown_shares(small_views(request, world_from_camera, *size_px).instance_ids, things)
    return float((shares >= least_share).sum(axis=1).mean())


@dataclass(frozen=True)
class LookRound:
    """What can be seen from places in every direction."""

    places_m: Float64[np.ndarray, "places 3"]
    """On the floor."""
    things: tuple[SceneObject, ...]
    headings_rad: Float64[np.ndarray, " headings"]
    shares: Float64[np.ndarray, "places headings things"]
    """Share of each picture that shows each thing."""
    eye_m: float
    """Height of the camera above the floor."""

    @property
    def best_shares(self) -> Float64[np.ndarray, "places things"]:
        """Largest share of a thing from each place."""
        return self.shares.max(axis=1)

    def offsets_m(self) -> Float64[np.ndarray, "places things 3"]:
        """Return the way from the camera at each place to the centre of each thing's box."""
        centres = np.array([thing.box.centre_m for thing in self.things], dtype=np.float64).reshape(-1, 3)
        return centres[None] - (self.places_m + np.array([0.0, self.eye_m, 0.0]))[:, None]

    def yaws_rad(self) -> Float64[np.ndarray, "places things"]:
        """Return the yaw at which each thing lies from each place."""
        offsets = self.offsets_m()
        return np.arctan2(-offsets[..., 0], -offsets[..., 2])


def look_round(
    request: WalkRequest, places_m: Float64[np.ndarray, "places 3"], things: Sequence[SceneObject]
) -> LookRound:
    """Look in every direction from places on the floor.

    Args:
        request: With simulator and camera.
        places_m: Where to stand.
        things: What is looked for.
    """
    eye_m, number = request.camera.height_m, math.ceil(360.0 / (HEADING_STEP * request.camera.hfov_deg))
    headings = np.arange(number) * (2.0 * np.pi / number)
    eyes = np.repeat(places_m + np.array([0.0, eye_m, 0.0]), number, axis=0)
    yaws = np.tile(headings, len(places_m))
    poses = look_poses(eyes, yaws, np.full(len(yaws), ROUND_PITCH_RAD))
    shares = [thing_shares(request, poses[first : first + _BATCH], things) for first in range(0, len(poses), _BATCH)]
    by_place = np.concatenate(shares).reshape(len(places_m), number, len(things))
    return LookRound(places_m, tuple(things), headings, by_place, eye_m)
