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
from backsight.sim.backends.habitat.process import NEWEST_RELEASE, OLDEST_RELEASE, release_of

WIDTH_PX, HEIGHT_PX = 256, 192
PICTURES = 16
_HFOV_DEG, _EYE_M, _SMALL_PX = 79.0, 1.25, 33
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
    known = OLDEST_RELEASE <= release_of(simulator.version) <= NEWEST_RELEASE
    strange = "" if known else f"; written for releases up to {'.'.join(map(str, NEWEST_RELEASE))}"
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
    points_m = [navigation.random_point(rng) for _ in range(PICTURES)]
    eyes_m = [point_m + np.array([0.0, _EYE_M, 0.0]) for point_m in points_m]
    down = np.stack([look_pose(eye_m, 0.0, -math.pi / 2) for eye_m in eyes_m])
    small = intrinsics_from_hfov(_SMALL_PX, _SMALL_PX, _HFOV_DEG)
    depth_m = simulator.render(down, small, _SMALL_PX, _SMALL_PX).depth_m[:, _SMALL_PX // 2, _SMALL_PX // 2]
    off_m = float(np.median(np.abs(depth_m - _EYE_M)))
    axes = f"straight down from {_EYE_M} m the floor is {float(np.median(depth_m)):.2f} m away"
    yield ProbeStep("axes and depth", off_m <= _MESH_ABOVE_FLOOR_M, axes)
    level = np.stack([look_pose(eye_m, 2.0 * math.pi * k / PICTURES) for k, eye_m in enumerate(eyes_m)])
    intrinsics = intrinsics_from_hfov(WIDTH_PX, HEIGHT_PX, _HFOV_DEG)
    # The first picture of a size costs what the others do not.
    simulator.render(level[:1], intrinsics, WIDTH_PX, HEIGHT_PX)
    began_s = time.monotonic()
    seen = simulator.render(level, intrinsics, WIDTH_PX, HEIGHT_PX)
    rate = PICTURES / (time.monotonic() - began_s)
    labelled = float((seen.instance_ids > 0).mean())
    holes = float((seen.depth_m == 0.0).mean())
    content = f"{rate:.3g} a second at {WIDTH_PX} x {HEIGHT_PX}; {labelled:.0%} labelled, {holes:.1%} holes"
    yield ProbeStep("pictures", bool(seen.rgb.std() > 1.0), content)
    for note in simulator.notes:
        yield ProbeStep("note", True, note)
