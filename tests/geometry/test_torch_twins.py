import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.geometry.cameras import intrinsics_from_hfov, pixel_centres
from backsight.geometry.cells import ImageFit, cell_share, pool_sums, target_cells
from backsight.geometry.cells_torch import pool_labels_torch, pool_sums_torch, pool_targets_torch
from backsight.geometry.covisibility import Label, View, covisibility_labels, depth_slope
from backsight.geometry.covisibility_torch import covisibility_labels_torch, depth_slope_torch
from backsight.geometry.poses import invert_pose, look_pose
from backsight.geometry.projection import look_up_inverse_bilinear, project, transform_points, unproject
from backsight.geometry.projection_torch import invert_pose_torch, warp_maps_torch

WIDTH, HEIGHT = 61, 47


def _frames(make_box_room, seed: int, frames: int):
    """Views of one room, some readings missing, each frame with its own camera."""
    generator = np.random.default_rng(seed)
    room = make_box_room(generator)
    views = []
    for index in range(frames):
        pose = room.random_pose(generator)
        camera = intrinsics_from_hfov(WIDTH, HEIGHT, 70.0 + 5.0 * index)
        camera[1, 1] *= 1.1
        camera[:2, 2] += generator.uniform(-2.0, 2.0, 2)
        depth_m = room.depth(pose, camera, WIDTH, HEIGHT)
        depth_m[generator.random(depth_m.shape) < 0.02] = 0.0
        views.append(View(depth_m, camera, pose))
    return views


def _torch_labels(views, current, other, **options):
    return covisibility_labels_torch(
        torch.from_numpy(np.stack([view.depth_m for view in views])),
        torch.tensor(current, dtype=torch.long),
        torch.tensor(other, dtype=torch.long),
        torch.from_numpy(np.stack([view.intrinsics for view in views])).float(),
        torch.from_numpy(np.stack([view.world_from_camera for view in views])).float(),
        **options,
    ).numpy()


@pytest.mark.parametrize("relative", [False, True])
def test_labels_agree_with_double_precision_numpy(make_box_room, relative):
    # Single precision moves u' by about 1e-5 px and z' by about 1e-6 m, so only points that close to a pixel's
    # border or to the tolerance may differ; measured: none of 702,415. Forgetting the half pixel in the interpolated
    # reading, which decides for few pixels, changes 9.5e-4 of them and must be caught.
    differing, total, seen = 0, 0, np.zeros(4, dtype=int)
    for seed in range(5):
        views = _frames(make_box_room, seed, 7)
        current, other = (list(side) for side in np.indices((7, 7)).reshape(2, -1).tolist())
        labels = _torch_labels(views, current, other, relative_tolerance_only=relative)
        for pair, (here, there) in enumerate(zip(current, other, strict=True)):
            expected = covisibility_labels(views[here], views[there], relative_tolerance_only=relative)
            differing += int((labels[pair] != expected).sum())
            total += expected.size
            seen += np.bincount(expected.ravel(), minlength=4)
    assert differing / total < 1e-4
    assert (seen > 1000).all()


@pytest.mark.parametrize("pairs", [1, 3, 5, 7])
def test_labels_do_not_depend_on_how_many_pairs_are_labelled_at_a_time(make_box_room, monkeypatch, pairs):
    views = _frames(make_box_room, 11, 3)
    order = [0, 1, 2, 1, 0], [1, 2, 0, 0, 2]
    at_once = _torch_labels(views, *order)
    monkeypatch.setattr("backsight.geometry.covisibility_torch.CHUNK_PIXELS", pairs * WIDTH * HEIGHT + 1)
    np.testing.assert_array_equal(_torch_labels(views, *order), at_once)


def test_no_pairs_have_no_labels(make_box_room):
    assert _torch_labels(_frames(make_box_room, 1, 2), [], []).shape == (0, HEIGHT, WIDTH)


def test_a_pair_is_not_its_transpose(make_box_room):
    views = _frames(make_box_room, 3, 5)
    forward, backward = _torch_labels(views, [0, 1], [1, 0])
    assert (forward == covisibility_labels(views[0], views[1])).mean() > 0.999
    assert (backward == covisibility_labels(views[1], views[0])).mean() > 0.999
    assert (forward != backward).mean() > 0.05


def test_labels_do_not_suffer_under_autocast(make_box_room):
    views = _frames(make_box_room, 5, 5)
    expected = _torch_labels(views, [0, 1, 2], [1, 2, 0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        labels = _torch_labels(views, [0, 1, 2], [1, 2, 0])
    np.testing.assert_array_equal(labels, expected)


def test_inputs_are_left_alone(make_box_room):
    views = _frames(make_box_room, 5, 3)
    depth_m = torch.from_numpy(np.stack([view.depth_m for view in views]))
    before = depth_m.clone()
    cameras = torch.from_numpy(np.stack([view.intrinsics for view in views])).float()
    poses = torch.from_numpy(np.stack([view.world_from_camera for view in views])).float()
    covisibility_labels_torch(depth_m, torch.tensor([0]), torch.tensor([1]), cameras, poses)
    assert torch.equal(depth_m, before)


def test_slopes_agree_exactly(make_box_room):
    depth_m = np.stack([view.depth_m for view in _frames(make_box_room, 7, 3)])
    slopes = depth_slope_torch(torch.from_numpy(depth_m)).numpy()
    np.testing.assert_array_equal(slopes, np.stack([depth_slope(image) for image in depth_m]))


@pytest.mark.parametrize("autocast", [False, True])
def test_torch_inverts_poses_as_numpy_does(autocast):
    poses = np.stack([look_pose(np.array([1.0, 2.0, 3.0]), 0.4, 0.1), look_pose(np.array([-4.0, 1, 0.5]), -2.0)])
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        inverted = invert_pose_torch(torch.from_numpy(poses).float())
    np.testing.assert_allclose(inverted.numpy(), invert_pose(poses), atol=2e-6)


FITS = [
    (61, 47, 61, 47, 61, 47),
    (60, 48, 60, 48, 15, 12),
    (61, 47, 32, 24, 8, 6),
    (47, 61, 32, 24, 7, 5),
    (7, 5, 3, 3, 5, 5),
]


@pytest.mark.parametrize(("source_w", "source_h", "target_w", "target_h", "cells_w", "cells_h"), FITS)
def test_pooling_agrees_with_numpy(source_w, source_h, target_w, target_h, cells_w, cells_h):
    generator = np.random.default_rng(0)
    fit = ImageFit(source_w, source_h, target_w, target_h)
    labels = generator.choice(4, (5, source_h, source_w), p=[0.45, 0.3, 0.15, 0.1]).astype(np.uint8)
    share, valid, presence = pool_labels_torch(torch.from_numpy(labels), fit, cells_w, cells_h)
    for index, image in enumerate(labels):
        expected_share, expected_valid, expected_presence = cell_share(image, fit, cells_w, cells_h)
        np.testing.assert_allclose(share[index].numpy(), expected_share, rtol=1e-6)
        np.testing.assert_array_equal(valid[index].numpy(), expected_valid)
        assert float(presence[index]) == pytest.approx(expected_presence, rel=1e-6)
    assert not valid.all()


@settings(deadline=None, max_examples=40)
@given(st.tuples(*[st.integers(1, 37)] * 4, *[st.integers(1, 11)] * 2), st.integers(0, 2**32 - 1))
def test_sums_agree_with_numpy_for_any_sizes(sizes, seed):
    source_w, source_h, target_w, target_h, cells_w, cells_h = sizes
    fit = ImageFit(source_w, source_h, target_w, target_h)
    mask = np.random.default_rng(seed).random((2, 3, source_h, source_w)) < 0.5
    sums = pool_sums_torch(torch.from_numpy(mask), fit, cells_w, cells_h).numpy()
    np.testing.assert_array_equal(sums[1, 2], pool_sums(mask[1, 2], fit, cells_w, cells_h))
    np.testing.assert_array_equal(sums[0, 1], pool_sums(mask[0, 1], fit, cells_w, cells_h))


@pytest.mark.parametrize(("source_w", "source_h", "target_w", "target_h", "cells_w", "cells_h"), FITS[:4])
def test_target_maps_agree_with_numpy(source_w, source_h, target_w, target_h, cells_w, cells_h):
    generator = np.random.default_rng(1)
    fit = ImageFit(source_w, source_h, target_w, target_h)
    ids = generator.integers(0, 40, (7, source_h, source_w))
    ids[1] = np.repeat(np.repeat(generator.integers(0, 40, (source_h // 5 + 1, source_w // 5 + 1)), 5, 0), 5, 1)[
        :source_h, :source_w
    ]
    ids[2] = np.where(ids[2] == 7, 0, ids[2])
    targets = [(3, 9), (5,), (7,), (), (1, 2, 39), (12,), (400,)]
    padded = torch.tensor([list(each) + [-1] * (3 - len(each)) for each in targets])
    maps, present = pool_targets_torch(torch.from_numpy(ids), padded, fit, cells_w, cells_h)
    for index, each in enumerate(targets):
        expected, expected_present = target_cells(ids[index], each, fit, cells_w, cells_h)
        np.testing.assert_allclose(maps[index].numpy(), expected, rtol=1e-6)
        assert bool(present[index]) is expected_present
    assert present.any()
    assert not present.all()


def test_masks_of_another_size_are_refused():
    with pytest.raises(ValueError, match="5 x 7"):
        pool_sums_torch(torch.ones(2, 7, 5, dtype=torch.bool), ImageFit(7, 5, 7, 5), 1, 1)


def _warp(maps_i, depth_j, camera, i_from_j):
    kind = {"dtype": torch.float32}
    return warp_maps_torch(
        torch.as_tensor(maps_i, **kind)[None],
        torch.as_tensor(depth_j, **kind)[None],
        torch.as_tensor(camera, **kind)[None],
        torch.as_tensor(i_from_j, **kind)[None],
    )


def test_a_map_warped_into_its_own_view_does_not_change():
    camera = intrinsics_from_hfov(13, 11, 80.0)
    maps = np.random.default_rng(0).random((11, 13))
    warped, inside = _warp(maps, np.full((11, 13), 2.0), camera, np.eye(4))
    assert inside.all()
    np.testing.assert_allclose(warped[0].numpy(), maps, atol=1e-5)


def test_a_sidestep_shifts_a_map_by_the_cells_computed_by_hand():
    # View i stands half a metre right of view j: at 2 m and f = 8 cells, everything moves 2 cells to the left in i.
    camera = np.array([[8.0, 0, 6.5], [0, 8.0, 5.5], [0, 0, 1]])
    i_from_j = np.eye(4)
    i_from_j[0, 3] = -0.5
    maps = np.random.default_rng(0).random((11, 13))
    warped, inside = _warp(maps, np.full((11, 13), 2.0), camera, i_from_j)
    np.testing.assert_allclose(warped[0, :, 2:].numpy(), maps[:, :-2], atol=1e-5)
    np.testing.assert_array_equal(inside[0].numpy(), np.arange(13)[None].repeat(11, 0) >= 2)
    assert not warped[0, :, :2].any()


def test_a_smooth_map_arrives_where_the_numpy_chain_puts_it(make_box_room):
    generator = np.random.default_rng(4)
    room = make_box_room(generator)
    camera = intrinsics_from_hfov(31, 23, 85.0)
    pose_j = room.random_pose(generator)
    pose_i = pose_j @ look_pose(np.array([0.1, 0.05, -0.2]), 0.2, 0.05) @ np.diag([1.0, -1, -1, 1])
    depth_j = room.depth(pose_j, camera, 31, 23)
    depth_j[5:8, 5:8] = 0.0
    i_from_j = invert_pose(pose_i) @ pose_j
    # 1 / map is linear in the pixel, so the inverse-depth lookup is an exact bilinear lookup of the map.
    maps_i = 1.0 / (pixel_centres(31, 23) @ [0.03, 0.01] + 5.0)
    warped, inside = _warp(1.0 / maps_i, depth_j, camera, i_from_j)
    pixels, z_m = project(transform_points(i_from_j, unproject(depth_j, camera)), camera)
    expected, expected_inside = look_up_inverse_bilinear(maps_i, pixels)
    expected_inside &= (z_m > 0) & (depth_j > 0)
    assert 200 < expected_inside.sum() < 31 * 23
    np.testing.assert_array_equal(inside[0].numpy(), expected_inside)
    np.testing.assert_allclose(warped[0].numpy()[expected_inside], 1.0 / expected[expected_inside], rtol=1e-4)
    assert not warped[0].numpy()[~expected_inside].any()


def test_what_lies_behind_the_first_camera_is_not_inside():
    camera = intrinsics_from_hfov(13, 11, 80.0)
    _, inside = _warp(np.ones((11, 13)), np.full((11, 13), 2.0), camera, np.diag([-1.0, 1.0, -1.0, 1.0]))
    assert not inside.any()


def test_gradients_reach_the_maps_that_are_warped():
    camera = torch.as_tensor(intrinsics_from_hfov(13, 11, 80.0)).float()[None]
    maps = torch.rand(1, 11, 13, requires_grad=True)
    warped, _ = warp_maps_torch(maps, torch.full((1, 11, 13), 2.0), camera, torch.eye(4)[None])
    warped.sum().backward()
    assert maps.grad is not None
    np.testing.assert_allclose(maps.grad.numpy(), 1.0, atol=1e-4)


def test_presence_of_a_view_in_itself_is_full(make_box_room):
    views = _frames(make_box_room, 9, 3)
    labels = torch.from_numpy(_torch_labels(views, [0, 1, 2], [0, 1, 2]))
    _, _, presence = pool_labels_torch(labels, ImageFit(WIDTH, HEIGHT, WIDTH, HEIGHT), 9, 7)
    known = torch.from_numpy(np.stack([view.depth_m > 0 for view in views])).float().mean((1, 2))
    torch.testing.assert_close(presence, known)
    assert int(Label.COVISIBLE) == 1
