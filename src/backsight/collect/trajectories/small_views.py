"""Tiny pictures that planners judge places and walks by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_poses
from backsight.records.scene import SceneObject
from backsight.sim.simulator import Observation, Simulator
from backsight.sim.survey import shown_shares

VIEW_WIDTH_PX, VIEW_HEIGHT_PX = 48, 36
VIEW_HFOV_DEG = 79.0
SHOWN_SHARE = 0.003
"""A tiny picture shows a thing that covers this share of it: five pixels, three times what measures ask for."""
HEADINGS = 6
"""Directions that a place is looked round in: 60 degrees apart, so that neighbours overlap."""
ROUND_PITCH_RAD = -0.12
_BATCH = 512


def small_views(
    simulator: Simulator,
    world_from_camera: Float64[np.ndarray, "views 4 4"],
    width: int = VIEW_WIDTH_PX,
    height: int = VIEW_HEIGHT_PX,
) -> Observation:
    """Return tiny pictures of many poses.

    Args:
        simulator: With the scene loaded.
        world_from_camera: Poses.
        width: Of the pictures, px.
        height: Of the pictures, px.
    """
    return simulator.render(world_from_camera, intrinsics_from_hfov(width, height, VIEW_HFOV_DEG), width, height)


def thing_shares(
    simulator: Simulator, world_from_camera: Float64[np.ndarray, "views 4 4"], things: Sequence[SceneObject]
) -> Float64[np.ndarray, "views things"]:
    """Return the share of each view's picture that shows each thing.

    Args:
        simulator: With the scene loaded.
        world_from_camera: Poses of the views.
        things: Which things are looked for.
    """
    return shown_shares(small_views(simulator, world_from_camera).instance_ids, things)


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
    simulator: Simulator,
    places_m: Float64[np.ndarray, "places 3"],
    things: Sequence[SceneObject],
    eye_m: float,
) -> LookRound:
    """Look in every direction from places on the floor.

    Args:
        simulator: With the scene loaded.
        places_m: Where to stand.
        things: What is looked for.
        eye_m: Height of the camera above the floor.
    """
    headings = np.arange(HEADINGS) * (2.0 * np.pi / HEADINGS)
    eyes = np.repeat(places_m + np.array([0.0, eye_m, 0.0]), HEADINGS, axis=0)
    yaws = np.tile(headings, len(places_m))
    poses = look_poses(eyes, yaws, np.full(len(yaws), ROUND_PITCH_RAD))
    shares = [thing_shares(simulator, poses[first : first + _BATCH], things) for first in range(0, len(poses), _BATCH)]
    by_place = np.concatenate(shares).reshape(len(places_m), HEADINGS, len(things))
    return LookRound(places_m, tuple(things), headings, by_place, eye_m)
