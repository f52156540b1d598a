"""Rasteriser, ray queries and the brute-force tracer against each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.errors import UsageError
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.sim.embedded.batch_renderer import BatchRenderer
from backsight.sim.embedded.clusters import CLUSTER_FACES, cluster_faces
from backsight.sim.embedded.packed import Material, PackedScene, RoomLight
from backsight.sim.embedded.reference import trace_all
from backsight.sim.embedded.render_options import RenderOptions
from backsight.sim.embedded.renderer import Renderer

WIDTH, HEIGHT = 53, 41
INTRINSICS = np.array([[31.0, 0.0, 24.3], [0.0, 37.0, 22.9], [0.0, 0.0, 1.0]])
LOOK_AHEAD = look_pose(np.zeros(3), 0.0)
RAYS = RenderOptions(visibility="rays")


def soup(corners_m, faces_an_instance=3):
    """A scene of loose triangles, some of them in each instance."""
    corners = np.asarray(corners_m, dtype=np.float32)
    count = len(corners)
    instance = np.arange(count, dtype=np.int32) // faces_an_instance + 1
    box = OrientedBox((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    return PackedScene(
        vertices_m=corners.reshape(-1, 3),
        faces=np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
        face_uv=np.zeros((count, 3, 2), dtype=np.float32),
        face_normals=np.tile(np.float32([0.0, 0.0, 1.0]), (count, 3, 1)),
        face_material=np.zeros(count, dtype=np.int32),
        face_instance=instance,
        face_room=np.ones(count, dtype=np.int32),
        materials=(Material((0.8, 0.7, 0.6)),),
        textures=(),
        lights=(RoomLight(1, (0.0, 1.0, 0.0), (1.0, 1.0, 1.0)),),
        objects=tuple(SceneObject(number, "chair", 1, box) for number in range(1, int(instance[-1]) + 1)),
        rooms=(Room(1, "study", (-1.0, -1.0, 1.0, 1.0), floor_m=-5.0),),
        ceiling_m=9.0,
    )


def random_soup(rng, count, size_m):
    middles = rng.uniform((-3, -2, -6), (3, 2, 2), (count, 1, 3))
    return soup(middles + rng.normal(0.0, size_m, (count, 3, 3)))


def assert_agree(scene, poses=LOOK_AHEAD[None], *, width=WIDTH, height=HEIGHT, odd_pixels=2e-3):
    """Depth within 1e-4 where ids agree, and ids equal but for a few pixels at edges; brute force is the judge."""
    raster = Renderer(scene).render(poses, INTRINSICS, width, height)
    rays = Renderer(scene, options=RAYS).render(poses, INTRINSICS, width, height)
    truth = [trace_all(scene, pose, INTRINSICS, width, height) for pose in poses]
    depth_m, ids = (np.stack(images) for images in zip(*truth, strict=True))
    for seen in (raster, rays):
        same = seen.instance_ids == ids
        assert (~same).mean() <= odd_pixels
        scale_m = np.maximum(depth_m, 1.0)
        far_off = same & (np.abs(seen.depth_m - depth_m) > 1e-4 * scale_m)
        assert far_off.mean() <= odd_pixels
    return raster, rays


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**31), count=st.integers(1, 90), size_m=st.sampled_from([0.02, 0.3, 2.0, 30.0]))
def test_random_triangles_are_seen_alike(seed, count, size_m):
    assert_agree(random_soup(np.random.default_rng(seed), count, size_m))


def test_the_comparison_notices_a_shifted_triangle():
    scene = random_soup(np.random.default_rng(2), 40, 0.5)
    moved = replace(scene, vertices_m=scene.vertices_m + np.float32([0.05, 0.0, 0.0]))
    seen = [Renderer(each).render(LOOK_AHEAD[None], INTRINSICS, WIDTH, HEIGHT).instance_ids for each in (scene, moved)]
    assert (seen[0] != seen[1]).mean() > 2e-3


def test_a_triangle_that_reaches_behind_the_camera_is_cut_where_it_should_be():
    floor = [[(-50, -1, 60), (50, -1, 60), (0, -1, -90)], [(-9, 2, 5), (9, 2, 5), (0, 2, -0.3)]]
    raster, _ = assert_agree(soup(floor, 1))
    assert 0.2 < (raster.depth_m > 0).mean() < 0.9


def test_what_is_wholly_behind_is_not_seen():
    scene = soup([[(-1, -1, 2), (1, -1, 2), (0, 1, 2)]])
    assert not Renderer(scene).render(LOOK_AHEAD[None], INTRINSICS, WIDTH, HEIGHT).depth_m.any()


def test_huge_and_near_triangles():
    rng = np.random.default_rng(5)
    huge = rng.uniform(-4000, 4000, (7, 3, 3))
    near = rng.uniform(-0.03, 0.03, (9, 3, 3)) - np.array([0.0, 0.0, 0.02])
    assert_agree(soup(np.concatenate([huge, near]), 1), odd_pixels=5e-3)


def test_degenerate_triangles_are_not_seen_and_hide_nothing():
    wall = [(-2, -2, -3), (2, -2, -3), (0, 2, -3)]
    point = [(0, 0, -1)] * 3
    line = [(-1, 0, -1), (0, 0, -1), (1, 0, -1)]
    edge_on = [(0, -1, -1), (0, 1, -1), (0, 0, -2)]
    raster, _ = assert_agree(soup([wall, point, line, edge_on], 1), odd_pixels=0.0)
    assert set(np.unique(raster.instance_ids)) == {0, 1}


def test_slivers_have_depths_between_their_corners():
    rng = np.random.default_rng(11)
    start = rng.uniform((-2, -2, -6), (2, 2, -1), (400, 3))
    along = rng.normal(0, 1, (400, 3))
    corners = np.stack([start, start + along, start + 0.5 * along + rng.normal(0, 1e-4, (400, 3))], axis=1)
    scene = soup(corners, 1)
    seen = Renderer(scene).render(LOOK_AHEAD[None], INTRINSICS, WIDTH, HEIGHT)
    hit = seen.instance_ids[0] > 0
    depths_m = -corners[seen.instance_ids[0][hit] - 1, :, 2]
    assert hit.sum() > 0
    assert (seen.depth_m[0][hit] >= depths_m.min(axis=1) - 1e-4).all()
    assert (seen.depth_m[0][hit] <= depths_m.max(axis=1) + 1e-4).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 3), (8, 8), (61, 67), (131, 5)])
def test_any_size(width, height):
    assert_agree(random_soup(np.random.default_rng(4), 60, 0.6), width=width, height=height, odd_pixels=0.01)


def test_neighbours_leave_no_gap():
    """A wall of many triangles, seen askew: every pixel within its outline is hit."""
    rng = np.random.default_rng(8)
    grid = np.stack(np.meshgrid(np.linspace(-6, 6, 61), np.linspace(-6, 6, 61)), axis=-1)
    grid[1:-1, 1:-1] += rng.uniform(-0.07, 0.07, grid[1:-1, 1:-1].shape)
    points = np.concatenate([grid, -2.0 + 0.2 * np.sin(9 * grid[..., :1]) * np.cos(7 * grid[..., 1:])], axis=-1)
    corner = points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]
    faces = np.concatenate([np.stack([corner[i] for i in pick], axis=2) for pick in ((0, 1, 2), (0, 2, 3))])
    scene = soup(faces.reshape(-1, 3, 3), 7)
    poses = np.stack([look_pose(np.zeros(3), *rng.uniform(-0.4, 0.4, 2)) for _ in range(6)])
    intrinsics = intrinsics_from_hfov(307, 211, 70.0)
    assert (Renderer(scene).render(poses, intrinsics, 307, 211).depth_m > 0).all()


def test_a_wall_that_is_drawn_first_hides_nothing_before_it():
    """A sloping wall begins nearer than the things that stand just before its far part."""
    wall = [[(-9, -9, -1), (9, -9, -1), (9, 9, -7)], [(-9, -9, -1), (9, 9, -7), (-9, 9, -7)]]
    rng = np.random.default_rng(6)
    places = rng.uniform((-1.5, -1.0), (1.5, 1.0), (40, 2))
    depth_m = 0.9 * (4.0 + places[:, 1:] / 3)
    middles = np.concatenate([places, -depth_m], axis=1)[:, None]
    things = middles + rng.uniform(-0.5, 0.5, (40, 3, 3)) * np.array([1.0, 1.0, 0.05])
    raster, rays = assert_agree(soup(np.concatenate([wall, things]), 2))
    assert (raster.instance_ids > 1).sum() > 50
    np.testing.assert_array_equal(raster.instance_ids, rays.instance_ids)


def test_clusters_hold_each_face_once_and_one_instance_each():
    scene = random_soup(np.random.default_rng(1), 700, 0.5)
    scene = replace(scene, face_instance=(np.arange(700, dtype=np.int32) % 5) + 1)
    clustered = cluster_faces(scene)
    held = clustered.slot_face[clustered.slot_face >= 0]
    np.testing.assert_array_equal(np.sort(held), np.arange(700))
    for cluster, (begin, end) in enumerate(zip(clustered.first_block[:-1], clustered.first_block[1:], strict=True)):
        faces = clustered.slot_face[begin * 8 : end * 8]
        faces = faces[faces >= 0]
        assert 0 < len(faces) <= CLUSTER_FACES
        assert set(scene.face_instance[faces]) == {clustered.instance[cluster]}
        corners = scene.vertices_m[scene.faces[faces]].reshape(-1, 3)
        np.testing.assert_array_equal(clustered.boxes[cluster], [*corners.min(axis=0), *corners.max(axis=0)])


def flat_poses():
    return np.stack(
        [look_pose(np.array([3.3, 1.1, 1.4]), -1.55, 0.1), look_pose(np.array([0.4, 1.25, 2.6]), -0.9, -0.2)] * 3
    )


@pytest.mark.parametrize("options", [RenderOptions(), RAYS], ids=["raster", "rays"])
def test_threads_and_bands_change_no_byte(flat, options):
    expected = Renderer(flat, options=options).render(flat_poses()[:1], INTRINSICS, 83, 157)
    for threads in (2, 3):
        seen = Renderer(flat, threads=threads, options=options).render(flat_poses()[:1], INTRINSICS, 83, 157)
        assert seen.rgb.tobytes() == expected.rgb.tobytes()
        assert seen.depth_m.tobytes() == expected.depth_m.tobytes()
        assert seen.instance_ids.tobytes() == expected.instance_ids.tobytes()


@pytest.mark.parametrize("options", [RenderOptions(), RAYS], ids=["raster", "rays"])
@pytest.mark.parametrize(("samples", "threads"), [(1, 1), (3, 2)])
def test_shapes_are_pictures_without_colour(flat, options, samples, threads):
    renderer = Renderer(flat, rgb_samples_per_axis=samples, threads=threads, options=options)
    shapes = renderer.render_shapes(flat_poses(), INTRINSICS, WIDTH, HEIGHT)
    whole = renderer.render(flat_poses(), INTRINSICS, WIDTH, HEIGHT)
    np.testing.assert_array_equal(shapes.depth_m, whole.depth_m)
    np.testing.assert_array_equal(shapes.instance_ids, whole.instance_ids)
    assert np.ptp(whole.rgb) > 0


@pytest.mark.parametrize("options", [RenderOptions(), RAYS], ids=["raster", "rays"])
@pytest.mark.parametrize("threads", [1, 2])
def test_several_scenes_at_once_equal_one_by_one(flat, options, threads):
    scenes = (flat, random_soup(np.random.default_rng(3), 80, 0.4), random_soup(np.random.default_rng(4), 9, 3.0))
    poses = np.concatenate([flat_poses()[:2], np.repeat(LOOK_AHEAD[None], 5, axis=0)])
    inside = np.array([0, 0, 2, 1, 2, 1, 1])
    batch = BatchRenderer(scenes, threads=threads, options=options)
    together = batch.render(poses, inside, INTRINSICS, WIDTH, HEIGHT)
    for number, (pose, scene) in enumerate(zip(poses, inside, strict=True)):
        alone = Renderer(scenes[scene], options=options).render(pose[None], INTRINSICS, WIDTH, HEIGHT)
        np.testing.assert_array_equal(together.rgb[number], alone.rgb[0])
        np.testing.assert_array_equal(together.depth_m[number], alone.depth_m[0])
        np.testing.assert_array_equal(together.instance_ids[number], alone.instance_ids[0])


def test_rays_and_raster_agree_on_colour_with_several_samples(flat):
    for samples in (1, 2, 3):
        views = [
            Renderer(flat, rgb_samples_per_axis=samples, options=options).render(flat_poses()[:2], INTRINSICS, 71, 59)
            for options in (RenderOptions(), RAYS)
        ]
        difference = np.abs(views[0].rgb.astype(int) - views[1].rgb)
        assert (difference > 1).mean() < 2e-3
        np.testing.assert_array_equal(views[0].instance_ids, views[1].instance_ids)


def test_frames_can_be_filled_again(flat):
    batch = BatchRenderer((flat,))
    frames = batch.frames(1, WIDTH, HEIGHT)
    inside = np.zeros(1, dtype=int)
    batch.draw(frames, flat_poses()[:1], inside, INTRINSICS)
    first = frames.observation().depth_m.copy()
    batch.draw(frames, flat_poses()[1:2], inside, INTRINSICS)
    assert not np.array_equal(frames.observation().depth_m, first)
    expected = batch.render(flat_poses()[1:2], inside, INTRINSICS, WIDTH, HEIGHT)
    np.testing.assert_array_equal(frames.observation().depth_m, expected.depth_m)


def test_impossible_batches_are_refused(flat):
    with pytest.raises(UsageError, match="no scene"):
        BatchRenderer(())
    with pytest.raises(UsageError, match="scenes are 0 to 0"):
        BatchRenderer((flat,)).render(flat_poses()[:1], np.array([1]), INTRINSICS, WIDTH, HEIGHT)
