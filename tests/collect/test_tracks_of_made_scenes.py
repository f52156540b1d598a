"""States of tracks against things that are rendered alone, in scenes whose things do not fill their boxes."""

from dataclasses import fields, replace

import numpy as np
import pytest

from backsight.collect.annotate import visible_objects
from backsight.collect.tracks import object_tracks
from backsight.collect.trajectories.circular import plan_circular
from backsight.collect.trajectories.smooth import CameraMount, MotionLimits, TrajectoryError
from backsight.collect.trajectories.walk import WalkRequest
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.sim.embedded.renderer import Renderer
from backsight.sim.embedded.simulator import EmbeddedSimulator

WIDTH, HEIGHT, FRAMES = 128, 96, 17
INTRINSICS = intrinsics_from_hfov(WIDTH, HEIGHT, 79.0)


def walk_in(simulator):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        try:
            return plan_circular(WalkRequest(simulator, rng, FRAMES, MotionLimits(), CameraMount()))
        except TrajectoryError:
            continue
    raise AssertionError("no walk")


def alone(scene, instance_id):
    """The scene with the faces of one thing."""
    kept = scene.face_instance == instance_id
    arrays = [field.name for field in fields(scene) if field.name.startswith("face")]
    return replace(scene, **{name: getattr(scene, name)[kept] for name in arrays})


def true_state(shown, possible):
    if possible == 0:
        return "out of view"
    if shown == 0:
        return "hidden"
    return "partly hidden" if 2 * shown < possible else "visible"


@pytest.mark.slow
def test_states_agree_with_things_rendered_alone():
    agree, compared = 0, 0
    for scene_id in ("flat-4", "library-1", "warehouse-1"):
        simulator = EmbeddedSimulator()
        simulator.load_scene(scene_id)
        poses = walk_in(simulator).world_from_camera
        seen = simulator.render(poses, INTRINSICS, WIDTH, HEIGHT)
        visible = visible_objects(seen.instance_ids, simulator.objects)
        images = seen.depth_m, seen.instance_ids
        for track in object_tracks(simulator.objects, (), visible, images, INTRINSICS, poses):
            only = Renderer(alone(simulator.scene, track.instance_id)).render(poses, INTRINSICS, WIDTH, HEIGHT)
            possible = (only.instance_ids == track.instance_id).sum(axis=(1, 2))
            shown = (seen.instance_ids == track.instance_id).sum(axis=(1, 2))
            for segment in track.segments:
                for frame in range(segment.first_frame, segment.last_frame + 1):
                    agree += true_state(shown[frame], possible[frame]) == segment.state
                    compared += 1
    assert compared > 1000
    assert agree >= 0.95 * compared
