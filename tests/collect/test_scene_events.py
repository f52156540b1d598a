import numpy as np
import pytest

from backsight.collect.moving_things import (
    CAMERA_GAP_M,
    LAST_SHARE,
    LEAST_MOVE_M,
    SLIDE_M,
    SPEED_MPS,
    _is_free,
    movable_of,
)
from backsight.collect.render_walk import EventScript, mean_blur_px, render_walk
from backsight.collect.scene_events import LIGHT_RATIO, script_events
from backsight.collect.trajectories.circular import plan_circular
from backsight.collect.trajectories.smooth import (
    SAMPLES_PER_FRAME,
    CameraMount,
    Motion,
    MotionLimits,
    TrajectoryError,
)
from backsight.collect.trajectories.walk import Walk, WalkRequest
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.upright_boxes import footprint_gaps_m
from backsight.records.kinds import kind_named
from backsight.records.scene import OrientedBox
from backsight.sim.embedded.simulator import EmbeddedSimulator
from backsight.sim.simulator import Lighting

FRAMES, WIDTH, HEIGHT = 29, 96, 72
CAMERA = (intrinsics_from_hfov(WIDTH, HEIGHT, 79.0), WIDTH, HEIGHT)
SCENE = "classroom-3"


@pytest.fixture(scope="module")
def simulator():
    simulator = EmbeddedSimulator()
    simulator.load_scene(SCENE)
    return simulator


@pytest.fixture(scope="module")
def walks(simulator):
    found = []
    for seed in range(12):
        request = WalkRequest(simulator, np.random.default_rng(seed), FRAMES, MotionLimits(), CameraMount(), variant="")
        try:
            found.append(plan_circular(request))
        except TrajectoryError:
            continue
    return found[:6]


def there_and_back(simulator, rng):
    """The head turns a quarter to the left and back, on a free spot: an unseen change needs a return."""
    samples = (FRAMES - 1) * SAMPLES_PER_FRAME + 1
    time_s = np.arange(samples) / (2.0 * SAMPLES_PER_FRAME)
    spot = simulator.navigation.random_point(rng) + np.array([0.0, 1.25, 0.0])
    turn = (1.0 - np.cos(np.clip(time_s / 8.0, 0.0, 1.0) * 2.0 * np.pi)) / 2.0
    yaw = rng.uniform(-np.pi, np.pi) + 2.0 * turn
    return Walk(Motion(time_s, np.tile(spot, (samples, 1)), yaw, np.full(samples, -0.2)))


def scripts(kind, walks, simulator, challenges=()):
    found = []
    for seed, walk in enumerate(walks):
        try:
            rng = np.random.default_rng(seed)
            script = script_events(kind_named(kind), challenges, walk, simulator, CAMERA, rng)
        except TrajectoryError:
            continue
        found.append((walk, script))
    return found


def share_of(simulator, walk, script):
    number = script.motions[0].instance_id
    seen = render_walk(simulator, walk, script, *CAMERA)
    return (seen.instance_ids == number).mean(axis=(1, 2))


def check_places(simulator, walk, motion):
    """An oracle of its own: distances of outlines, sampled densely."""
    thing = next(t for t in simulator.objects if t.instance_id == motion.instance_id)
    room = next(room for room in simulator.rooms if room.room_id == thing.room_id)
    assert not thing.is_structure
    assert (motion.centres_m[0], motion.yaws_rad[0]) == (thing.box.centre_m, thing.box.yaw_rad)
    assert not [t for t in simulator.objects if t.supported_by == thing.instance_id]
    end = OrientedBox(motion.centres_m[-1], thing.box.size_m, motion.yaws_rad[-1])
    corners = end.corners_m()
    outer = np.array(room.bounds_m)
    assert (corners[:, [0, 2]] >= outer[:2] - 1e-6).all()
    assert (corners[:, [0, 2]] <= outer[2:] + 1e-6).all()
    low, high = corners[:, 1].min(), corners[:, 1].max()
    for other in simulator.objects:
        if other.category in ("wall", "floor", "ceiling", "window") or other in (thing,):
            continue
        heights = other.box.corners_m()[:, 1]
        if other.instance_id != thing.supported_by and heights.min() < high - 0.02 and heights.max() > low + 0.03:
            assert footprint_gaps_m([end, other.box])[0, 1] > 0.0, other.category
    for centre, yaw in zip(motion.centres_m, motion.yaws_rad, strict=True):
        assert centre[1] == thing.box.centre_m[1]
        edge = OrientedBox(centre, thing.box.size_m, yaw).corners_m()[[0, 1, 5, 4]][:, [0, 2]]
        # Outline points every few centimetres against every camera position.
        outline = np.concatenate([np.linspace(a, b, 40) for a, b in zip(edge, np.roll(edge, -1, axis=0), strict=True)])
        offset = outline[:, None] - walk.motion.position_m[None, ::5, [0, 2]]
        if motion.instance_id:
            assert np.linalg.norm(offset, axis=-1).min() >= CAMERA_GAP_M - 0.01


def test_a_thing_moves_in_view(simulator, walks):
    found = scripts("object motion", walks, simulator)
    assert len(found) >= len(walks) // 2
    assert not simulator._moved or simulator.objects == simulator.scene.objects
    for walk, script in found:
        (motion,), (event,) = script.motions, script.events
        assert (event.kind, event.instance_id) == ("object_moved", motion.instance_id)
        centres, yaws = np.array(motion.centres_m), np.array(motion.yaws_rad)
        steps_m = np.linalg.norm(np.diff(centres, axis=0), axis=1)
        turns = np.abs(np.diff(yaws))
        changes = np.flatnonzero((steps_m > 0) | (turns > 0))
        assert (changes[0], changes[-1] + 1) == (event.first_frame, event.last_frame)
        assert event.last_frame < LAST_SHARE * FRAMES
        assert event.last_frame - event.first_frame >= 3
        assert steps_m.max() <= SPEED_MPS / 2.0 + 1e-9
        moved_m, turned = np.linalg.norm(centres[-1] - centres[0]), abs(yaws[-1] - yaws[0])
        assert SLIDE_M[0] - 1e-9 <= moved_m <= SLIDE_M[1] or turned >= np.radians(45.0) - 1e-9
        check_places(simulator, walk, motion)
        shares = share_of(simulator, walk, script)
        assert (shares[event.first_frame : event.last_frame + 1] > 0.001).all()


def test_a_thing_moves_while_it_is_out_of_view(simulator):
    rng = np.random.default_rng(5)
    walks = [there_and_back(simulator, rng) for _ in range(8)]
    found = scripts("scene change", walks, simulator)
    assert len(found) >= 3
    for walk, script in found:
        (motion,), (event,) = script.motions, script.events
        assert event.last_frame == event.first_frame + 1
        places = set(zip(motion.centres_m, motion.yaws_rad, strict=True))
        assert len(places) == 2
        assert np.linalg.norm(np.subtract(motion.centres_m[-1], motion.centres_m[0])) >= LEAST_MOVE_M
        check_places(simulator, walk, motion)
        shares = share_of(simulator, walk, script)
        assert shares[event.first_frame] == shares[event.last_frame] == 0.0
        assert shares[: event.first_frame].max() > 0.001
        assert shares[event.last_frame + 1 : int(LAST_SHARE * FRAMES) + 1].max() > 0.001


def test_a_walk_that_never_looks_back_hosts_no_unseen_change(simulator):
    samples = (FRAMES - 1) * SAMPLES_PER_FRAME + 1
    spot = simulator.navigation.random_point(np.random.default_rng(1)) + np.array([0.0, 1.25, 0.0])
    time_s = np.arange(samples) / (2.0 * SAMPLES_PER_FRAME)
    still = Walk(Motion(time_s, np.tile(spot, (samples, 1)), np.zeros(samples), np.zeros(samples)))
    with pytest.raises(TrajectoryError, match="seen again"):
        script_events(kind_named("scene change"), (), still, simulator, CAMERA, np.random.default_rng(0))


def test_light_changes_so_that_pictures_show_it(simulator, walks):
    found = scripts("changing light", walks[:4], simulator, ("changing_light",))
    assert len(found) >= 3
    counts = set()
    for walk, script in found:
        counts.add(len(script.events))
        assert len(script.lighting) == FRAMES
        assert script.lighting[0] == Lighting()
        last = 0
        for event in script.events:
            assert event.kind == "light_changed"
            assert last <= event.first_frame < event.last_frame < FRAMES
            last = event.last_frame
            after = Lighting(event.intensity, event.warmth, frozenset(event.room_ids))
            assert script.lighting[event.last_frame] == after
            assert script.lighting[event.first_frame] != after
        plain = render_walk(simulator, walk, EventScript(), *CAMERA).rgb.astype(float).mean(axis=(1, 2, 3))
        lit = render_walk(simulator, walk, script, *CAMERA).rgb.astype(float).mean(axis=(1, 2, 3))
        factor = lit / plain
        # Bytes are a compressed scale: a factor of 1.4 in light is about 1.16 in them.
        assert factor.max() / factor.min() > LIGHT_RATIO**0.4
        assert lit.min() > 10
    assert counts <= {1, 2, 3}


def test_a_slow_shutter_blurs_as_promised(simulator, walks):
    for walk, script in scripts("motion blur", walks, simulator, ("motion_blur",)):
        assert 1.0 / 15.0 <= script.exposure_s <= 0.25
        assert mean_blur_px(walk.motion, script.exposure_s, *CAMERA) >= 1.0
        assert not script.events
    samples = (FRAMES - 1) * SAMPLES_PER_FRAME + 1
    time_s = np.arange(samples) / (2.0 * SAMPLES_PER_FRAME)
    still = Walk(Motion(time_s, np.zeros((samples, 3)), np.zeros(samples), np.zeros(samples)))
    with pytest.raises(TrajectoryError, match="livelier"):
        script_events(kind_named("motion blur"), ("motion_blur",), still, simulator, CAMERA, np.random.default_rng(0))


def test_scripts_depend_on_the_stream_alone(simulator, walks):
    one = scripts("object motion", walks[:2], simulator, ("changing_light",))
    scripts("object motion", walks[2:3], simulator, ("changing_light",))
    assert scripts("object motion", walks[:2], simulator, ("changing_light",)) == one


def test_without_events_nothing_is_rendered(walks, paper_world):
    paper_world.render = paper_world.render_shapes = lambda *arguments: pytest.fail("something was rendered")
    script = script_events(kind_named("smooth"), ("clutter",), walks[0], paper_world, CAMERA, np.random.default_rng(0))
    assert script == EventScript()


def test_a_place_is_free_of_things_walls_and_the_camera(box_room_simulator):
    """A chair of 0.45 m in a room of 5 x 4 m, a table from x 2 to 3, another chair at 3.7, the camera at (4, 3)."""
    chair = next(thing for thing in box_room_simulator.objects if thing.instance_id == 7)
    movable = movable_of(chair, box_room_simulator)
    samples = 41
    position = np.tile(np.array([4.0, 1.25, 3.0]), (samples, 1))
    walk = Walk(Motion(np.arange(samples) / 40.0, position, np.zeros(samples), np.zeros(samples)))
    quarter = np.pi / 4.0
    for x, z, yaw_rad, is_free in (
        (1.5, 2.5, 0.0, True),
        (4.0, 2.25, 0.0, True),
        (4.0, 2.29, 0.0, False),
        (4.0, 2.25, quarter, False),
        (4.0, 2.16, quarter, True),
        (1.7, 0.8, 0.0, True),
        (1.75, 0.8, 0.0, False),
        (2.5, 0.7, 0.0, False),
        (0.27, 3.0, 0.0, True),
        (0.24, 3.0, 0.0, False),
        (0.27, 3.0, quarter, False),
    ):
        found = _is_free(movable, np.array([[x, 0.45, z]]), np.array([yaw_rad]), walk, box_room_simulator)
        assert found is is_free, (x, z, yaw_rad)


def test_what_others_stand_on_is_not_moved_and_what_hangs_is_not_movable(simulator):
    supports = {thing.supported_by for thing in simulator.objects} - {None}
    hanging = [
        thing for thing in simulator.objects if thing.category in ("picture", "clock") and thing.box.centre_m[1] > 1.0
    ]
    assert supports
    assert hanging
    assert all(movable_of(thing, simulator) is None for thing in hanging)
