import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import invert_pose, look_pose
from backsight.records.errors import UsageError
from backsight.records.scene import Room
from backsight.sim.embedded.packed import Material, RoomLight
from backsight.sim.embedded.reference import trace_all
from backsight.sim.embedded.renderer import Renderer

WIDTH, HEIGHT = 83, 61
UNEVEN = np.array([[71.0, 0.0, 37.3], [0.0, 53.0, 33.9], [0.0, 0.0, 1.0]])
"""fx != fy and an off-centre principal point, so that a swapped axis shows."""


def flat_poses():
    return np.stack(
        [
            look_pose(np.array([0.4, 1.25, 2.6]), -0.9, -0.2),
            look_pose(np.array([3.3, 1.1, 1.4]), -1.55, 0.1),
            look_pose(np.array([5.0, 1.25, 0.5]), 3.6, -0.35),
            look_pose(np.array([6.7, 0.4, 2.7]), 0.8, 0.3),
        ]
    )


@pytest.fixture(scope="module")
def renderer(flat):
    return Renderer(flat)


@pytest.fixture(scope="module")
def observation(renderer):
    return renderer.render(flat_poses(), UNEVEN, WIDTH, HEIGHT)


def one_room(maker, extent=(10.0, 10.0, 10.0)):
    """A room of lamps without corners nearby, so that only what a test adds decides the picture."""
    x, _, z = extent
    return (Room(1, "study", (-x, -z, x, z), floor_m=-5.0),), (RoomLight(1, (0.0, 4.0, 0.0), (0.6, 0.6, 0.6)),)


def facing_wall(maker, distance_m=2.0, half_m=(1.5, 1.0), texture=()):
    """A textured wall at z = -distance, seen along -Z from the origin, u to the right and v up as drawn."""
    rooms, lights = one_room(maker)
    number = maker.add_object("wall", 1)
    x, y = half_m
    corners = [(-x, -y, -distance_m), (x, -y, -distance_m), (x, y, -distance_m), (-x, y, -distance_m)]
    maker.quad(corners, (0.0, 0.0, 1.0), 0, number, 1)
    materials = (Material((1.0, 1.0, 1.0), texture=0 if texture else -1),)
    return maker.scene(materials, texture, lights, rooms)


LOOK_AHEAD = look_pose(np.zeros(3), 0.0)


def test_depth_and_ids_match_a_brute_force_tracer(flat, observation):
    errors, equal = [], []
    for pose, depth_m, ids in zip(flat_poses(), observation.depth_m, observation.instance_ids, strict=True):
        true_depth_m, true_ids = trace_all(flat, pose, UNEVEN, WIDTH, HEIGHT)
        errors.append(np.abs(depth_m - true_depth_m).ravel())
        equal.append((ids == true_ids).ravel())
    assert np.median(np.concatenate(errors)) < 1e-5
    assert np.quantile(np.concatenate(errors), 0.999) < 1e-4
    assert np.concatenate(equal).mean() > 0.999


@pytest.mark.parametrize(
    "wrong",
    [
        UNEVEN[[1, 0, 2]][:, [1, 0, 2]],
        UNEVEN + np.array([[0.0, 0.0, 0.5], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        UNEVEN - np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]),
    ],
    ids=["axes swapped", "half a pixel to the right", "half a pixel up"],
)
def test_the_comparison_notices_wrong_intrinsics(flat, observation, wrong):
    true_depth_m, _ = trace_all(flat, flat_poses()[0], wrong, WIDTH, HEIGHT)
    assert np.median(np.abs(observation.depth_m[0] - true_depth_m)) > 1e-3


def test_the_comparison_notices_an_inverted_pose(flat, observation):
    true_depth_m, _ = trace_all(flat, invert_pose(flat_poses()[0]), UNEVEN, WIDTH, HEIGHT)
    assert np.median(np.abs(observation.depth_m[0] - true_depth_m)) > 0.05


def test_depth_is_planar_and_not_the_length_of_the_ray(maker):
    observation = Renderer(facing_wall(maker, 2.0)).render(LOOK_AHEAD[None], UNEVEN, WIDTH, HEIGHT)
    depth_m = observation.depth_m[0]
    seen = depth_m > 0
    assert seen.mean() > 0.5
    np.testing.assert_allclose(depth_m[seen], 2.0, rtol=1e-6)


def test_a_wall_ends_where_the_pinhole_formula_says(maker):
    """Edges at known columns and rows: pixel (column, row) is hit when its centre, half a pixel in, is inside."""
    left, right, bottom, top = -0.6, 0.45, -0.5, 0.38
    rooms, lights = one_room(maker)
    number = maker.add_object("wall", 1)
    corners = [(left, bottom, -2.0), (right, bottom, -2.0), (right, top, -2.0), (left, top, -2.0)]
    maker.quad(corners, (0.0, 0.0, 1.0), 0, number, 1)
    scene = maker.scene((Material((1.0, 1.0, 1.0)),), (), lights, rooms)
    ids = Renderer(scene).render(LOOK_AHEAD[None], UNEVEN, WIDTH, HEIGHT).instance_ids[0]
    columns, rows = np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5
    across = (columns > 71.0 * left / 2 + 37.3) & (columns < 71.0 * right / 2 + 37.3)
    down = (rows > -53.0 * top / 2 + 33.9) & (rows < -53.0 * bottom / 2 + 33.9)
    np.testing.assert_array_equal(ids == number, down[:, None] & across)


def test_nothing_in_sight_gives_depth_and_id_zero(maker):
    backwards = look_pose(np.zeros(3), np.pi)
    observation = Renderer(facing_wall(maker)).render(backwards[None], UNEVEN, WIDTH, HEIGHT)
    assert not observation.depth_m.any()
    assert not observation.instance_ids.any()


def test_faces_are_seen_from_behind_too(maker):
    behind = look_pose(np.array([0.0, 0.0, -4.0]), np.pi)
    observation = Renderer(facing_wall(maker, 2.0)).render(behind[None], UNEVEN, WIDTH, HEIGHT)
    assert observation.depth_m[0, 33, 37] == pytest.approx(2.0, rel=1e-6)


def test_a_closed_room_has_no_holes(flat, renderer):
    """Rays through shared edges and corners must hit one of the triangles that meet there."""
    intrinsics = intrinsics_from_hfov(211, 197, 100.0)
    rng = np.random.default_rng(5)
    poses = [
        look_pose(np.array([rng.uniform(0.3, 3.7), rng.uniform(0.3, 2.3), 2.2]), *rng.uniform(-1.5, 1.5, 2))
        for _ in range(8)
    ]
    corner = np.array([4.0, 2.6, 3.0]) - np.array([1.0, 1.0, 1.0])
    towards = np.arctan2(-1.0, -1.0)
    poses.append(look_pose(corner, towards, np.arctan2(1.0, np.sqrt(2.0))))
    observation = renderer.render(np.stack(poses), intrinsics, 211, 197)
    assert (observation.depth_m == 0).sum() == 0


def test_texture_rows_run_along_v_and_columns_along_u(maker):
    """Four texels, four colours: red at u = v = 0, green at u = 1, blue at v = 1."""
    image = np.array([[(200, 20, 20), (20, 200, 20)], [(20, 20, 200), (200, 200, 200)]], dtype=np.uint8)
    image = image.repeat(16, axis=0).repeat(16, axis=1)
    rgb = Renderer(facing_wall(maker, texture=(image,))).render(LOOK_AHEAD[None], UNEVEN, WIDTH, HEIGHT).rgb[0]
    upper, lower, left, right = 22, 46, 15, 60
    assert rgb[lower, left].argmax() == 0
    assert rgb[lower, right].argmax() == 1
    assert rgb[upper, left].argmax() == 2
    assert np.ptp(rgb[upper, right].astype(int)) < 15


def test_textures_repeat_past_one_and_below_zero(flat, maker):
    image = np.zeros((8, 16, 3), dtype=np.uint8)
    image[:, :8] = (220, 30, 30)
    image[:, 8:] = (30, 30, 220)
    scene = facing_wall(maker, texture=(image,))
    shifted = replace(scene, face_uv=scene.face_uv + np.array([-3.0, 5.0], dtype=np.float32))
    views = [Renderer(s).render(LOOK_AHEAD[None], UNEVEN, WIDTH, HEIGHT).rgb for s in (scene, shifted)]
    assert np.abs(views[0].astype(int) - views[1]).max() <= 1


def test_a_far_chequer_fades_to_its_mean_light_instead_of_flickering(maker):
    image = np.zeros((512, 512, 3), dtype=np.uint8)
    image[::2, ::2] = 255
    image[1::2, 1::2] = 255
    scene = facing_wall(maker, 12.0, half_m=(12.0, 12.0), texture=(image,))
    seen = Renderer(scene).render(LOOK_AHEAD[None], UNEVEN, WIDTH, HEIGHT).rgb[0, 20:40, 20:50].astype(float)
    steps = np.abs(np.diff(seen.mean(axis=-1), axis=1))
    assert steps.max() <= 6.0


def test_light_falls_off_with_distance_from_the_lamp(maker):
    rooms, _ = one_room(maker)
    number = maker.add_object("wall", 1)
    maker.quad([(-9, -1, -2), (9, -1, -2), (9, 1, -2), (-9, 1, -2)], (0.0, 0.0, 1.0), 0, number, 1)
    lights = (RoomLight(1, (0.0, 0.0, 0.0), (0.5, 0.5, 0.5)),)
    scene = replace(maker.scene((Material((0.8, 0.8, 0.8)),), (), lights, rooms), sky=(0.0, 0.0, 0.0))
    views = [
        Renderer(scene).render(look_pose(np.array([x, 0.0, 0.0]), 0.0)[None], UNEVEN, WIDTH, HEIGHT).rgb[0, 33, 37, 0]
        for x in (0.0, 2.0, 4.0)
    ]
    assert views[0] > views[1] + 10
    assert views[1] > views[2] + 10


def test_a_face_is_lit_alike_whichever_way_its_normals_and_its_winding_point(maker):
    scene = facing_wall(maker)
    turned = replace(scene, face_normals=-scene.face_normals)
    inside_out = replace(
        turned, faces=np.ascontiguousarray(scene.faces[:, ::-1]), face_uv=np.ascontiguousarray(scene.face_uv[:, ::-1])
    )
    views = [Renderer(s).render(LOOK_AHEAD[None], UNEVEN, WIDTH, HEIGHT).rgb.astype(int) for s in (scene, turned)]
    np.testing.assert_array_equal(views[0], views[1])
    again = Renderer(inside_out).render(LOOK_AHEAD[None], UNEVEN, WIDTH, HEIGHT).rgb
    assert np.abs(views[0] - again).max() <= 1


def test_a_batch_of_poses_equals_single_renders(renderer, observation):
    for number, pose in enumerate(flat_poses()):
        single = renderer.render(pose[None], UNEVEN, WIDTH, HEIGHT)
        np.testing.assert_array_equal(single.rgb[0], observation.rgb[number])
        np.testing.assert_array_equal(single.depth_m[0], observation.depth_m[number])
        np.testing.assert_array_equal(single.instance_ids[0], observation.instance_ids[number])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_second_renderer_gives_the_same_bytes_with_any_number_of_threads(flat, observation, threads):
    again = Renderer(flat, threads=threads).render(flat_poses(), UNEVEN, WIDTH, HEIGHT)
    assert again.rgb.tobytes() == observation.rgb.tobytes()
    assert again.depth_m.tobytes() == observation.depth_m.tobytes()
    assert again.instance_ids.tobytes() == observation.instance_ids.tobytes()


def test_supersampling_smooths_colour_and_leaves_depth_and_ids_alone(flat, observation):
    smooth = Renderer(flat, rgb_samples_per_axis=2).render(flat_poses(), UNEVEN, WIDTH, HEIGHT)
    np.testing.assert_array_equal(smooth.depth_m, observation.depth_m)
    np.testing.assert_array_equal(smooth.instance_ids, observation.instance_ids)
    difference = np.abs(smooth.rgb.astype(int) - observation.rgb)
    assert difference.max() > 20
    assert difference.mean() < 6


def test_an_observation_outlives_its_renderer(maker):
    observation = Renderer(facing_wall(maker)).render(LOOK_AHEAD[None], UNEVEN, WIDTH, HEIGHT)
    copy = observation.depth_m.copy()
    for _ in range(5):
        np.empty(WIDTH * HEIGHT, dtype=np.float32).fill(7.0)
    np.testing.assert_array_equal(observation.depth_m, copy)


def test_impossible_requests_are_refused(flat, renderer):
    skewed = UNEVEN.copy()
    skewed[0, 1] = 0.1
    with pytest.raises(UsageError, match="skew"):
        renderer.render(LOOK_AHEAD[None], skewed, WIDTH, HEIGHT)
    with pytest.raises(UsageError, match="nothing to render"):
        renderer.render(LOOK_AHEAD[None], UNEVEN, 0, HEIGHT)
    with pytest.raises(UsageError, match="'tpu'"):
        Renderer(flat, device="tpu")
    with pytest.raises(UsageError, match="threads"):
        Renderer(flat, threads=0)


@pytest.mark.parametrize(
    ("field", "value"), [("face_material", 99), ("face_instance", 0), ("faces", 10**6), ("face_room", 77)]
)
def test_indices_that_point_nowhere_are_refused(flat, field, value):
    damaged = getattr(flat, field).copy()
    damaged[3] = value
    with pytest.raises(ValueError, match=field):
        Renderer(replace(flat, **{field: damaged}))


def test_rendering_prints_nothing_on_standard_output():
    code = "from backsight.sim.embedded import warp_device; warp_device.warp_device('cpu')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == ""
