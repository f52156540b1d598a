from dataclasses import dataclass, field

import numpy as np
import pytest

from backsight.collect.render_walk import (
    MOST_INSTANTS,
    EventScript,
    instants_of_frames,
    mean_blur_px,
    render_at_frames,
    render_walk,
    shapes_at_frames,
)
from backsight.collect.trajectories.smooth import SAMPLES_PER_FRAME, Motion
from backsight.collect.trajectories.walk import Walk
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.records.sequence import ObjectMotion
from backsight.sim.embedded.simulator import EmbeddedSimulator
from backsight.sim.motion_blur import mean_light
from backsight.sim.simulator import Lighting

WIDTH, HEIGHT, FRAMES = 53, 41, 7
INTRINSICS = intrinsics_from_hfov(WIDTH, HEIGHT, 79.0)
SCENE = "bathroom-3"


def turning(turn_rad=0.9, shift_m=0.3):
    samples = (FRAMES - 1) * SAMPLES_PER_FRAME + 1
    along = np.linspace(0.0, 1.0, samples)
    position = np.stack([shift_m * along, np.full(samples, 1.25), np.zeros(samples)], axis=-1)
    return Walk(Motion(along * (FRAMES - 1) / 2.0, position, turn_rad * along, np.zeros(samples)))


WALK = turning()


@dataclass
class Watched:
    """A simulator that notes how many poses each call renders."""

    inner: EmbeddedSimulator
    calls: list[int] = field(default_factory=list)
    moves: int = 0

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def render(self, world_from_camera, intrinsics, width, height):
        self.calls.append(len(world_from_camera))
        return self.inner.render(world_from_camera, intrinsics, width, height)

    def move_object(self, instance_id, centre_m, yaw_rad):
        self.moves += 1
        self.inner.move_object(instance_id, centre_m, yaw_rad)


@pytest.fixture(scope="module")
def simulator():
    simulator = EmbeddedSimulator()
    simulator.load_scene(SCENE)
    return simulator


@pytest.fixture(scope="module")
def script(simulator):
    """Something seen slides between frames 2 and 4, something else between 3 and 4; the light dims from frame 5 on."""
    plain = simulator.render(WALK.world_from_camera, INTRINSICS, WIDTH, HEIGHT)
    counts = np.bincount(plain.instance_ids.ravel())
    things = [thing for thing in simulator.objects if not thing.is_structure and thing.instance_id < len(counts)]
    first, second = sorted(things, key=lambda thing: -counts[thing.instance_id])[:2]

    def motion(thing, offsets):
        x, y, z = thing.box.centre_m
        yaws = tuple(thing.box.yaw_rad + 2.0 * offset for offset in offsets)
        return ObjectMotion(thing.instance_id, tuple((x + offset, y, z) for offset in offsets), yaws)

    lighting = (Lighting(),) * 5 + (Lighting(0.5, 0.3),) * 2
    slides = motion(first, (0.0, 0.0, 0.0, 0.1, 0.2, 0.2, 0.2)), motion(second, (0.0,) * 4 + (0.3,) * 3)
    return EventScript(motions=slides, lighting=lighting)


def same(one, other):
    for name in ("rgb", "depth_m", "instance_ids"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name


def frame_by_frame(script):
    """Each frame in a simulator of its own."""
    fresh = EmbeddedSimulator()
    images = []
    for frame, pose in enumerate(WALK.world_from_camera):
        fresh.load_scene(SCENE)
        for motion in script.motions:
            fresh.move_object(motion.instance_id, np.array(motion.centres_m[frame]), motion.yaws_rad[frame])
        fresh.set_lighting(script.lighting[frame])
        images.append(fresh.render(pose[None], INTRINSICS, WIDTH, HEIGHT))
    return images


def test_frames_are_those_of_their_own_scene_and_the_scene_is_left_as_it_was(simulator, script):
    before = simulator.render(WALK.world_from_camera, INTRINSICS, WIDTH, HEIGHT)
    objects = simulator.objects
    watched = Watched(simulator)
    seen = render_walk(watched, WALK, script, INTRINSICS, WIDTH, HEIGHT)
    for frame, alone in enumerate(frame_by_frame(script)):
        np.testing.assert_array_equal(seen.rgb[frame], alone.rgb[0])
        np.testing.assert_array_equal(seen.depth_m[frame], alone.depth_m[0])
        np.testing.assert_array_equal(seen.instance_ids[frame], alone.instance_ids[0])
    assert watched.calls == [3, 1, 1, 2]
    assert watched.moves == 5
    assert simulator.objects == objects
    same(simulator.render(WALK.world_from_camera, INTRINSICS, WIDTH, HEIGHT), before)
    assert (seen.instance_ids != before.instance_ids).any(axis=(1, 2)).tolist() == [False] * 3 + [True] * 4


def test_loading_the_scene_again_puts_all_back_whatever_came_before(simulator, script):
    plain = render_walk(simulator, WALK, EventScript(), INTRINSICS, WIDTH, HEIGHT)
    for motion in script.motions:
        simulator.move_object(motion.instance_id, np.array(motion.centres_m[-1]), motion.yaws_rad[-1])
    simulator.set_lighting(script.lighting[-1])
    simulator.load_scene(SCENE)
    same(render_walk(simulator, WALK, EventScript(), INTRINSICS, WIDTH, HEIGHT), plain)


def test_the_scene_is_put_back_when_rendering_fails(simulator, script):
    class Fails(Watched):
        def render(self, world_from_camera, intrinsics, width, height):
            if len(self.calls) == 3:
                raise MemoryError
            return super().render(world_from_camera, intrinsics, width, height)

    objects = simulator.objects
    with pytest.raises(MemoryError):
        render_walk(Fails(simulator), WALK, script, INTRINSICS, WIDTH, HEIGHT)
    assert simulator.objects == objects


def test_other_views_see_the_scene_of_their_frame(simulator, script):
    walk = render_walk(simulator, WALK, script, INTRINSICS, WIDTH, HEIGHT)
    frames = np.array([1, 4, 4, 6])
    views = WALK.world_from_camera[[1, 4, 2, 6]]
    seen = render_at_frames(simulator, views, frames, script, (INTRINSICS, WIDTH, HEIGHT))
    for view, frame in ((0, 1), (1, 4), (3, 6)):
        np.testing.assert_array_equal(seen.instance_ids[view], walk.instance_ids[frame])
    assert (seen.instance_ids[2] != walk.instance_ids[2]).any()
    for one in (script, EventScript(lighting=script.lighting), EventScript()):
        whole = render_at_frames(simulator, views, frames, one, (INTRINSICS, WIDTH, HEIGHT))
        shapes = shapes_at_frames(simulator, views, frames, one, (INTRINSICS, WIDTH, HEIGHT))
        np.testing.assert_array_equal(shapes.depth_m, whole.depth_m)
        np.testing.assert_array_equal(shapes.instance_ids, whole.instance_ids)


def test_a_walk_without_events_is_one_call(simulator):
    watched = Watched(simulator)
    render_walk(watched, WALK, EventScript(), INTRINSICS, WIDTH, HEIGHT)
    assert watched.calls == [FRAMES]
    assert watched.moves == 0


def test_an_exposure_is_the_mean_light_of_the_way_and_its_middle_is_the_frame(simulator):
    exposure_s = 0.2
    sharp = render_walk(simulator, WALK, EventScript(), INTRINSICS, WIDTH, HEIGHT)
    watched = Watched(simulator)
    blurred = render_walk(watched, WALK, EventScript(exposure_s=exposure_s), INTRINSICS, WIDTH, HEIGHT)
    np.testing.assert_array_equal(blurred.depth_m, sharp.depth_m)
    np.testing.assert_array_equal(blurred.instance_ids, sharp.instance_ids)
    instants = instants_of_frames(WALK.motion, exposure_s, INTRINSICS, WIDTH, HEIGHT)
    assert sorted(watched.calls) == sorted(instants.tolist())
    # An oracle from the formula of the motion: it turns evenly and moves on a straight line.
    count, time_s = int(instants[3]), 1.5
    when = time_s + ((np.arange(count) + 0.5) / count - 0.5) * exposure_s
    share = when / WALK.motion.time_s[-1]
    position = np.stack([0.3 * share, np.full(count, 1.25), np.zeros(count)], axis=-1)
    poses = Motion(when, position, 0.9 * share, np.zeros(count)).world_from_camera()
    mean = mean_light(simulator.render(poses, INTRINSICS, WIDTH, HEIGHT).rgb)
    assert np.abs(blurred.rgb[3].astype(int) - mean.astype(int)).max() <= 2
    assert np.abs(blurred.rgb[3].astype(int) - sharp.rgb[3].astype(int)).max() > 20


def test_pictures_of_an_exposure_are_as_many_as_the_motion_asks_for():
    still = turning(0.0, 0.0).motion
    assert instants_of_frames(still, 0.25, INTRINSICS, WIDTH, HEIGHT).tolist() == [1] * FRAMES
    slow = instants_of_frames(turning(0.3, 0.0).motion, 0.1, INTRINSICS, WIDTH, HEIGHT)
    fast = instants_of_frames(turning(3.0, 0.0).motion, 0.25, INTRINSICS, WIDTH, HEIGHT)
    assert (slow % 2 == 1).all()
    assert slow.max() == 3
    assert fast[3] == MOST_INSTANTS
    # A turn of 0.5 rad a second moves the centre of a picture of focal length f by f tan(0.05) in a tenth of one.
    blur_px = mean_blur_px(turning(1.5, 0.0).motion, 0.1, INTRINSICS, WIDTH, HEIGHT)
    full = INTRINSICS[0, 0] * np.tan(0.05)
    assert blur_px == pytest.approx(full * (FRAMES - 1) / FRAMES, rel=0.01)
