"""What happens in a walk: things that move, lamps that change, a slow shutter."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from backsight.collect.moving_things import GLANCE_PX, Glance, move_in_view, move_unseen
from backsight.collect.render_walk import EventScript, mean_blur_px, render_at_frames
from backsight.collect.trajectories.smooth import TrajectoryError
from backsight.collect.trajectories.walk import Walk
from backsight.geometry.cameras import scale_intrinsics
from backsight.records.kinds import Kind
from backsight.records.scene import Room
from backsight.records.sequence import SceneEvent
from backsight.sim.motion_blur import BLURRED_EXPOSURES_S
from backsight.sim.simulator import Lighting, Simulator
from backsight.sim.srgb import linear_from_srgb

MOST_LIGHT_EVENTS = 3
QUIET_FRAMES = 2
"""Frames before the first change of light, and after the last."""
INTENSITIES = (0.3, 2.2)
"""Range of the factor on all lights."""
DIMMED, BRIGHTENED = (0.35, 0.6), (1.6, 2.2)
"""Ranges of the factor that one event brings, relative to what was before."""
LEAST_WARMTH = 0.4
LIGHT_RATIO = 1.4
"""Brightest over darkest small picture, and with over without the events in one frame: a bit more than is promised."""
DARKEST = 0.01
"""Mean linear light of the darkest small picture."""
MOST_RAMP_FRAMES = 4
LEAST_BLUR_PX = 1.2
"""Mean blur of the finished pictures: a bit more than is promised, since that is judged by the frames' poses alone."""
_LIGHT_TRIES = 6


def script_events(
    kind: Kind | None,
    challenges: Sequence[str],
    walk: Walk,
    simulator: Simulator,
    camera: tuple[Float64[np.ndarray, "3 3"], int, int],
    rng: np.random.Generator,
) -> EventScript:
    """Return what happens in a walk of a kind with its challenges.

    Args:
        kind: Of the sequence; None for one that was not planned by kinds.
        challenges: Names of `vocabulary.CHALLENGES`; 'changing_light' and 'motion_blur' are seen to here.
        walk: The camera's way.
        simulator: With the scene as it was loaded; it is left so.
        camera: Intrinsics (px), width and height of the images (px).
        rng: Source of every choice.

    Raises:
        TrajectoryError: The walk or the scene can't host what the kind asks for; another seed may.
    """
    change = None if kind is None else kind.change
    script = EventScript()
    if change is not None or "changing_light" in challenges:
        glance = _glance(walk, simulator, camera)
        if change is not None:
            script = (move_in_view if change == "seen" else move_unseen)(walk, simulator, glance, rng)
        if "changing_light" in challenges:
            events, lighting = _changing_light(walk, simulator, glance, rng)
            events = tuple(sorted((*script.events, *events), key=lambda event: event.first_frame))
            script = EventScript(script.motions, events, lighting)
    if "motion_blur" in challenges:
        exposure_s = _slow_exposure_s(walk, camera, rng)
        script = EventScript(script.motions, script.events, script.lighting, exposure_s)
    return script


def _glance(walk: Walk, simulator: Simulator, camera: tuple[Float64[np.ndarray, "3 3"], int, int]) -> Glance:
    intrinsics, width, height = camera
    small_height = max(round(GLANCE_PX * height / width), 1)
    small = scale_intrinsics(intrinsics, GLANCE_PX / width, small_height / height)
    seen = simulator.render_shapes(walk.world_from_camera, small, GLANCE_PX, small_height)
    return Glance(small, GLANCE_PX, small_height, seen)


def _slow_exposure_s(
    walk: Walk, camera: tuple[Float64[np.ndarray, "3 3"], int, int], rng: np.random.Generator
) -> float:
    """Draw an exposure, longer where it must be for the blur that is promised."""
    shortest_s, longest_s = BLURRED_EXPOSURES_S
    blur_px = mean_blur_px(walk.motion, longest_s, *camera)
    if blur_px < LEAST_BLUR_PX:
        raise TrajectoryError(
            f"motion blur: the walk blurs its pictures by {blur_px:.2f} px at most; try a livelier one"
        )
    shortest_s = max(shortest_s, longest_s * LEAST_BLUR_PX / blur_px)
    return float(rng.uniform(shortest_s, longest_s))


def _changing_light(
    walk: Walk, simulator: Simulator, glance: Glance, rng: np.random.Generator
) -> tuple[tuple[SceneEvent, ...], tuple[Lighting, ...]]:
    poses = walk.world_from_camera
    frames = np.arange(len(poses))
    plain = _brightness(simulator.render(poses, *glance.camera).rgb)
    for _ in range(_LIGHT_TRIES):
        events = _draw_light_events(walk, simulator.rooms, rng)
        settled = EventScript(lighting=_lighting_of_frames(events, len(poses), ramps=False))
        lit = _brightness(render_at_frames(simulator, poses, frames, settled, glance.camera).rgb)
        factor = lit / np.maximum(plain, 1e-6)
        changed = max(float(factor.max()), 1.0 / max(float(factor.min()), 1e-6))
        if lit.min() >= DARKEST and changed >= LIGHT_RATIO and lit.max() / lit.min() >= LIGHT_RATIO:
            return events, _lighting_of_frames(events, len(poses), ramps=True)
    raise TrajectoryError("changing light: the room stays as bright as it is, or gets too dark; try another walk")


def _brightness(rgb: np.ndarray) -> Float64[np.ndarray, " frames"]:
    return linear_from_srgb(rgb / 255.0).mean(axis=(1, 2, 3))


def _draw_light_events(walk: Walk, rooms: Sequence[Room], rng: np.random.Generator) -> tuple[SceneEvent, ...]:
    """Draw one to three events, one after the other; one of them at least dims or brightens all lights."""
    poses = walk.world_from_camera
    free = len(poses) - 1 - 2 * QUIET_FRAMES
    if free < 1:
        raise TrajectoryError(f"changing light: {len(poses)} frames are too few")
    count = int(rng.integers(1, min(MOST_LIGHT_EVENTS, free) + 1))
    strong = int(rng.integers(count))
    edges = np.linspace(QUIET_FRAMES, QUIET_FRAMES + free, count + 1).astype(int)
    state, events = Lighting(), []
    for number in range(count):
        first = int(rng.integers(edges[number], edges[number + 1]))
        longest = min(MOST_RAMP_FRAMES, int(edges[number + 1]) - first)
        change = "strength" if number == strong else ("strength", "lamps", "warmth")[rng.integers(3)]
        room_id = _room_at(poses[first, :3, 3], rooms)
        state = _next_lighting(state, change, room_id, rng)
        # Lamps are switched; other changes may come slowly.
        steps = 1 if change == "lamps" or rng.random() < 0.5 else int(rng.integers(1, longest + 1))
        dark = tuple(sorted(state.dark_rooms))
        events.append(
            SceneEvent("light_changed", first, first + steps, None, dark, state.intensity, state.warmth),
        )
    return tuple(events)


def _next_lighting(before: Lighting, change: str, room_id: int | None, rng: np.random.Generator) -> Lighting:
    if change == "lamps" and room_id is not None:
        return Lighting(before.intensity, before.warmth, before.dark_rooms ^ {room_id})
    if change == "warmth":
        side = -np.sign(before.warmth) if before.warmth else rng.choice([-1.0, 1.0])
        return Lighting(before.intensity, float(side * rng.uniform(LEAST_WARMTH, 1.0)), before.dark_rooms)
    dims = before.intensity > 1.0 or (before.intensity == 1.0 and rng.random() < 0.5)
    factor = rng.uniform(*(DIMMED if dims else BRIGHTENED))
    return Lighting(float(np.clip(before.intensity * factor, *INTENSITIES)), before.warmth, before.dark_rooms)


def _room_at(position_m: Float64[np.ndarray, "3"], rooms: Sequence[Room]) -> int | None:
    x, y, z = position_m.tolist()
    for room in rooms:
        low_x, low_z, high_x, high_z = room.bounds_m
        if low_x <= x <= high_x and low_z <= z <= high_z and room.floor_m <= y <= room.floor_m + room.height_m:
            return room.room_id
    return None


def _lighting_of_frames(events: Sequence[SceneEvent], num_frames: int, *, ramps: bool) -> tuple[Lighting, ...]:
    """Return the lighting of every frame; between an event's ends strength goes geometrically, warmth evenly."""
    found, state = [], Lighting()
    for frame in range(num_frames):
        state = Lighting()
        for event in events:
            if frame <= event.first_frame:
                break
            after = Lighting(event.intensity, event.warmth, frozenset(event.room_ids))
            share = (frame - event.first_frame) / (event.last_frame - event.first_frame) if ramps else 1.0
            state = after if share >= 1.0 else _between(state, after, share)
        found.append(state)
    return tuple(found)


def _between(before: Lighting, after: Lighting, share: float) -> Lighting:
    return Lighting(
        before.intensity ** (1.0 - share) * after.intensity**share,
        (1.0 - share) * before.warmth + share * after.warmth,
        after.dark_rooms,
    )
