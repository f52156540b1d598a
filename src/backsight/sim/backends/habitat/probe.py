"""Does this Habitat work here? Every step in the worker's process, since a context that can't be made ends it."""

import math
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.errors import BacksightError
from backsight.sim.backends.habitat.client import EMPTY_SCENE, HabitatSimulator
from backsight.sim.backends.habitat.config import HabitatConfig

SEEN_WORKING = ("0.2.3", "0.3.4")
"""Oldest and newest release whose interface this backend was written to."""
_SIDE_PX, _HFOV_DEG, _EYE_M = 256, 79.0, 1.25
_PICTURES = 24
_MESH_ABOVE_FLOOR_M = 0.3
"""The navigation mesh lies up to a voxel above the floor that is seen; this is more."""


@dataclass(frozen=True)
class ProbeStep:
    """One thing that was tried."""

    name: str
    passed: bool
    detail: str


def probe(config: HabitatConfig, scene_id: str | None = None) -> Iterator[ProbeStep]:
    """Yield what works, step after step, up to the first one that does not.

    Args:
        config: Which Habitat.
        scene_id: A scene to load, walk and look around in; without one an empty world is made.
    """
    try:
        simulator = HabitatSimulator(config)
    except BacksightError as error:
        yield ProbeStep("start", False, str(error))
        return
    with closing(simulator):
        yield ProbeStep("start", True, _described(simulator))
        began_s = time.monotonic()
        try:
            simulator.load_scene(scene_id or EMPTY_SCENE)
            yield ProbeStep("load", True, f"{scene_id or 'an empty world'} in {time.monotonic() - began_s:.1f} s")
            if scene_id is not None:
                yield from _look_around(simulator)
        except BacksightError as error:
            yield ProbeStep("scene", False, str(error))


def _described(simulator: HabitatSimulator) -> str:
    facts = simulator.facts
    version = tuple(int(part) for part in simulator.version.split(".")[:3] if part.isdigit())
    oldest, newest = (tuple(int(part) for part in release.split(".")) for release in SEEN_WORKING)
    strange = "" if oldest <= version <= newest else f"; written for {SEEN_WORKING[0]} to {SEEN_WORKING[1]}"
    built = [name for name, flag in (("CUDA", "cuda_enabled"), ("Bullet", "built_with_bullet")) if facts[flag]]
    built_with = f", built with {' and '.join(built)}" if built else ""
    versions = f"Python {facts['python']}, numpy {facts['numpy']}"
    return f"habitat_sim {simulator.version}{strange}, {versions}{built_with}"


def _look_around(simulator: HabitatSimulator) -> Iterator[ProbeStep]:
    """Yield steps about the loaded scene: what is in it, whether one can walk, what the pictures show."""
    things = [thing for thing in simulator.objects if not thing.is_structure]
    rooms = simulator.rooms
    yield ProbeStep(
        "objects", bool(things), f"{len(things)} things, {len(simulator.objects)} in all, {len(rooms)} rooms"
    )
    navigation = simulator.navigation
    if not navigation.floors_m:
        yield ProbeStep("navigation", False, "no floor that an agent of this radius and height can stand on")
        return
    heights = ", ".join(f"{height_m:.2f} m" for height_m in navigation.floors_m)
    yield ProbeStep("navigation", True, f"floors at {heights}")
    rng = np.random.default_rng(0)
    points_m = [navigation.random_point(rng) for _ in range(_PICTURES)]
    eyes_m = [point_m + np.array([0.0, _EYE_M, 0.0]) for point_m in points_m]
    intrinsics = intrinsics_from_hfov(_SIDE_PX, _SIDE_PX, _HFOV_DEG)
    down = np.stack([look_pose(eye_m, 0.0, -math.pi / 2) for eye_m in eyes_m])
    level = np.stack([look_pose(eye_m, 2.0 * math.pi * k / _PICTURES) for k, eye_m in enumerate(eyes_m)])
    depth_m = simulator.render(down, intrinsics, _SIDE_PX, _SIDE_PX).depth_m[:, _SIDE_PX // 2, _SIDE_PX // 2]
    off_m = float(np.median(np.abs(depth_m - _EYE_M)))
    axes = f"straight down from {_EYE_M} m the floor is {float(np.median(depth_m)):.2f} m away"
    yield ProbeStep("axes and depth", off_m <= _MESH_ABOVE_FLOOR_M, axes)
    began_s = time.monotonic()
    seen = simulator.render(level, intrinsics, _SIDE_PX, _SIDE_PX)
    rate = _PICTURES / (time.monotonic() - began_s)
    labelled = float((seen.instance_ids > 0).mean())
    holes = float((seen.depth_m == 0.0).mean())
    content = (
        f"{rate:.3g} a second at {_SIDE_PX} x {_SIDE_PX} with depth and ids; {labelled:.0%} labelled, {holes:.1%} holes"
    )
    yield ProbeStep("pictures", bool(seen.rgb.std() > 1.0), content)
    for note in simulator.notes:
        yield ProbeStep("note", True, note)
