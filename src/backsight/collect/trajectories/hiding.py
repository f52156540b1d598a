"""Places from which others hide a thing, beside places from which it is seen."""

import math

import numpy as np
from jaxtyping import Bool, Float64

from backsight.collect.tracks import hidden_rays
from backsight.collect.trajectories.routes import roomy_point
from backsight.collect.trajectories.small_views import small_views, thing_shares, view_intrinsics
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.collect.trajectories.viewpoints import SEEN_SHARE, floor_below_m, free_points, things_to_focus_on
from backsight.collect.trajectories.walk import WalkRequest
from backsight.geometry.poses import look_poses
from backsight.records.scene import SceneObject
from backsight.sim.survey import shown_shares

LEAST_SIDE_M = 0.15
"""Small things are hidden more easily."""
REACH_M = 3.2
"""Places are looked at this far round a random one."""
TRIED_PLACES, MOST_PLACES = 80, 18
NEAREST_M, FARTHEST_M = 0.6, 6.0
"""Distances from which a thing counts as hidden."""
PANORAMA_PITCH_DEG = -20.0
LOWEST_DEG, HIGHEST_DEG = -40.0, 6.0
"""Things further below or above the camera may lie outside of such a view."""
FULL_SHARE, HIDDEN_SHARE = 0.45, 0.25
"""A thing is seen where a panorama shows this share of what the best place promises at the same distance, and hidden
where it shows no more than that."""
MOSTLY = 0.6
"""Part of a thing that others must hide when planning looks: somewhat more than half of it."""
LONGEST_STEP_M = 3.0
"""From a place that sees the thing to one that does not, in a straight line."""


def stops_behind_things(request: WalkRequest, number: int) -> list[tuple[SceneObject, list[Float64[np.ndarray, "3"]]]]:
    """Return things, each with places to walk by: some show it, between them lies one from which it is hidden.

    Args:
        request: With simulator, limits and camera.
        number: How many.

    Raises:
        TrajectoryError: Nothing near a random place is hidden from some places and seen from others.
    """
    rng = request.rng
    places = _places_round(request)
    things, weights = things_to_focus_on(request, LEAST_SIDE_M)
    shares = _panorama_shares(request, places, things)
    seen, hidden = _seen_and_hidden(request, places, things, shares)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    close = apart <= LONGEST_STEP_M
    # Ways from seen to hidden places, for each thing.
    chances = np.einsum("ti,ij,tj->t", seen.astype(np.float64), close.astype(np.float64), hidden.astype(np.float64))
    chances = np.minimum(chances, 12.0) * weights
    if chances.sum() == 0.0:
        raise TrajectoryError("nothing is hidden from some places and seen from others")
    found = []
    for chosen in rng.choice(len(things), size=number, p=chances / chances.sum()):
        pairs = np.argwhere(seen[chosen][:, None] & hidden[chosen][None] & close)
        nearness = 1.0 / (0.3 + apart[pairs[:, 0], pairs[:, 1]]) ** 2
        begin, behind = pairs[int(rng.choice(len(pairs), p=nearness / nearness.sum()))]
        end = int(rng.choice(np.flatnonzero(seen[chosen] & close[behind])))
        found.append((things[chosen], [places[stop] for stop in (begin, behind, end, behind, begin)]))
    return found


def shown_and_hidden(
    request: WalkRequest, thing: SceneObject, poses: Float64[np.ndarray, "views 4 4"]
) -> tuple[Float64[np.ndarray, " views"], Bool[np.ndarray, " views"]]:
    """Return the share of each view that shows a thing, and where others hide most of what the picture's edge leaves.

    Args:
        request: With simulator and camera.
        thing: Of the scene.
        poses: world_from_camera of the views.
    """
    seen = small_views(request, poses)
    images = (seen.depth_m, seen.instance_ids)
    rays, stopped = hidden_rays([thing], (), images, view_intrinsics(request), poses)
    return shown_shares(seen.instance_ids, [thing])[:, 0], (rays[:, 0] > 0) & (stopped[:, 0] >= MOSTLY * rays[:, 0])


def _places_round(request: WalkRequest) -> Float64[np.ndarray, "places 3"]:
    rng = request.rng
    centre = roomy_point(request.simulator.navigation, rng)
    radius = REACH_M * np.sqrt(rng.uniform(size=TRIED_PLACES))
    angle = rng.uniform(0.0, math.tau, size=TRIED_PLACES)
    offset = np.stack([radius * np.cos(angle), np.zeros(TRIED_PLACES), radius * np.sin(angle)], axis=-1)
    places = free_points(request, centre + offset)[:MOST_PLACES]
    if len(places) < 3:
        raise TrajectoryError("there is hardly a place to stand")
    return places


def _panorama_shares(
    request: WalkRequest, places_m: Float64[np.ndarray, "places 3"], things: list[SceneObject]
) -> Float64[np.ndarray, "things places"]:
    """Return what small views to all sides show of each thing from each place, in shares of one view."""
    views = math.ceil(360.0 / request.camera.hfov_deg)
    cameras = np.repeat(places_m + np.array([0.0, request.camera.height_m, 0.0]), views, axis=0)
    yaw = np.tile(np.arange(views) * (math.tau / views), len(places_m))
    poses = look_poses(cameras, yaw, np.full(len(yaw), math.radians(PANORAMA_PITCH_DEG)))
    return thing_shares(request, poses, things).reshape(len(places_m), views, len(things)).sum(axis=1).T


def _seen_and_hidden(
    request: WalkRequest,
    places_m: Float64[np.ndarray, "places 3"],
    things: list[SceneObject],
    shares: Float64[np.ndarray, "things places"],
) -> tuple[Bool[np.ndarray, "things places"], Bool[np.ndarray, "things places"]]:
    cameras = places_m + np.array([0.0, request.camera.height_m, 0.0])
    centres = np.array([thing.box.centre_m for thing in things])
    offset = centres[:, None] - cameras[None]
    distance = np.linalg.norm(offset, axis=-1)
    elevation_deg = np.degrees(np.arctan2(offset[..., 1], np.hypot(offset[..., 0], offset[..., 2])))
    floors = np.array([floor_below_m(request, thing) for thing in things])
    near = (distance >= NEAREST_M) & (distance <= FARTHEST_M) & (np.abs(floors[:, None] - places_m[None, :, 1]) < 0.5)
    best = (shares * distance**2).max(axis=1, keepdims=True)
    seen = near & (shares >= SEEN_SHARE) & (shares * distance**2 >= FULL_SHARE * best)
    hidden = near & (shares * distance**2 <= HIDDEN_SHARE * best)
    hidden &= (elevation_deg >= LOWEST_DEG) & (elevation_deg <= HIGHEST_DEG)
    return seen, hidden
