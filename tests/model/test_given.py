from dataclasses import replace

import numpy as np
import pytest
import torch

from backsight.data.keyframes import keyframes_from_depth
from backsight.data.truth import MapGrid
from backsight.evaluate.truth import footprint_maps
from backsight.geometry.cells import ImageFit
from backsight.geometry.poses import bearing_and_distance, look_pose
from backsight.model.given import GivenWalk, computed_footprints, given_geometry, given_walk, walk_geometry
from backsight.records.errors import UsageError

FIT = ImageFit(131, 101, 128, 96)


@pytest.fixture(scope="module")
def walk(make_sequence):
    return make_sequence("walk", 7, 131, 101, seed=3)


@pytest.fixture(scope="module")
def given(walk):
    depth_m = walk.depth_m.copy()
    depth_m[:, :23, :31] = 0
    return GivenWalk(depth_m, walk.world_from_camera, walk.intrinsics)


def arguments(given):
    return {name: getattr(given, name) for name in ("depth_m", "world_from_camera", "intrinsics")}


def told(given):
    return walk_geometry(given, FIT, torch.device("cpu"))


def test_what_is_given_changes_nothing_before_training(fresh_model, inputs):
    with torch.no_grad():
        plain, told_so = fresh_model.encode(inputs.rgb), fresh_model.encode(inputs.rgb, inputs.given())
    for name, value in vars(plain).items():
        assert torch.equal(value, getattr(told_so, name)), name


def test_a_wrong_pose_and_a_wrong_depth_change_outputs_once_it_has_learned(model, inputs, given):
    right = told(given)
    poses = given.world_from_camera.copy()
    poses[2] = poses[2] @ look_pose(np.array([0.4, 0.1, 0.3]), 0.5)
    depth_m = given.depth_m.copy()
    depth_m[4] *= 1.3
    rgb = inputs.rgb[:1, [0, 1, 2, 3, 4, 0, 1]]
    with torch.no_grad():
        one = model.encode(rgb, right)
        for wrong in (replace(given, world_from_camera=poses), replace(given, depth_m=depth_m)):
            other = model.encode(rgb, told(wrong))
            assert (one.match - other.match).abs().max() > 1e-3


@pytest.mark.parametrize("far_m", [0.0, 3000.0])
def test_the_worlds_origin_and_axes_change_nothing(model, inputs, given, far_m):
    moved = look_pose(np.array([far_m, -2.0, far_m / 3 + 1.0]), 2.1, 0.7) @ given.world_from_camera
    here, there = told(given), told(replace(given, world_from_camera=moved))
    for name, value in vars(here).items():
        torch.testing.assert_close(getattr(there, name), value, atol=1e-5, rtol=1e-5)
    rgb = inputs.rgb[:1, [0, 1, 2, 3, 4, 0, 1]]
    with torch.no_grad():
        torch.testing.assert_close(model.encode(rgb, here).match, model.encode(rgb, there).match, atol=1e-4, rtol=0)


def test_a_room_twice_as_large_is_told_in_the_same_numbers(given):
    poses = given.world_from_camera.copy()
    poses[:, :3, 3] *= 2
    larger = GivenWalk(given.depth_m * 2, poses, given.intrinsics)
    for name, value in vars(told(given)).items():
        torch.testing.assert_close(getattr(told(larger), name), value, atol=1e-5, rtol=1e-5)


def test_depth_is_told_patch_by_patch_and_holes_do_not_count():
    depth_m = np.full((2, 96, 128), 3.0, dtype=np.float32)
    depth_m[1, 16:32, 48:64] = 6.0
    depth_m[1, 16:28, 48:64] = 0.0
    depth_m[1, 80:, 112:] = 0.0
    poses = np.stack([np.eye(4), look_pose(np.array([0.0, 0.0, 1.0]), 0.3)])
    intrinsics = np.array([[100.0, 0, 64], [0, 100.0, 48], [0, 0, 1]])
    found = walk_geometry(GivenWalk(depth_m, poses, intrinsics), ImageFit(128, 96, 128, 96), torch.device("cpu"))
    grid, share = found.log_depth.view(2, 6, 8), found.depth_share.view(2, 6, 8)
    assert share[1, 1, 3] == pytest.approx(0.25)
    assert (grid[1, 1, 3] - grid[1, 2, 3]).item() == pytest.approx(np.log(2), abs=1e-5)
    assert share[1, 5, 7] == 0
    assert grid[1, 5, 7] == 0
    assert share[0].min() == 1


def test_cameras_are_told_as_vggt_encodes_them(given):
    encodings = told(given).pose_encodings[0]
    torch.testing.assert_close(encodings[0, :7], torch.tensor([0.0, 0, 0, 0, 0, 0, 1]))
    fx_px = given.intrinsics[0, 0] * FIT.scale
    assert encodings[3, 8].item() == pytest.approx(2 * np.arctan(FIT.target_width / 2 / fx_px), abs=1e-5)
    camera_from_first = np.linalg.inv(given.world_from_camera[4]) @ given.world_from_camera[0]
    direction = camera_from_first[:3, 3] / np.linalg.norm(camera_from_first[:3, 3])
    told_so = encodings[4, :3].numpy()
    np.testing.assert_allclose(told_so / np.linalg.norm(told_so), direction, atol=1e-4)


def test_footprints_are_those_of_the_truth(given):
    grid = MapGrid(FIT, 32, 24)
    found = computed_footprints(given, grid, torch.device("cpu"))
    maps, valid, share = footprint_maps(given.depth_m, given.world_from_camera, given.intrinsics, FIT)
    np.testing.assert_array_equal(found.known, valid)
    assert np.abs(found.maps - maps).max() <= 0.25
    assert np.abs(found.maps - maps).mean() < 1e-3
    np.testing.assert_array_equal(found.present, share >= 0.01)
    bearing, distance_m = bearing_and_distance(given.world_from_camera[-1], given.world_from_camera[:-1])
    np.testing.assert_allclose(found.bearing, bearing, atol=1e-6)
    np.testing.assert_allclose(found.distance_m, distance_m, atol=1e-6)


def test_footprints_in_parts_equal_the_whole(given, monkeypatch):
    grid = MapGrid(FIT, 32, 24)
    whole = computed_footprints(given, grid, torch.device("cpu"))
    monkeypatch.setattr("backsight.model.given.PAIRS_AT_ONCE", 4)
    parts = computed_footprints(given, grid, torch.device("cpu"))
    np.testing.assert_array_equal(parts.maps, whole.maps)
    np.testing.assert_array_equal(parts.present, whole.present)


def test_predict_computes_what_geometry_says_and_estimates_the_rest(model, walk, given):
    frames = list(walk.rgb)
    found = model.predict(frames, "find the sofa", keyframes=[0, 3, 6], **arguments(given))
    estimated = model.predict(frames, "find the sofa", keyframes=[0, 3, 6])
    assert (found.info.geometry, estimated.info.geometry) == ("given", "estimated")
    computed = computed_footprints(given, MapGrid(FIT, 32, 24), torch.device("cpu"))
    np.testing.assert_array_equal(found.footprint[computed.known], computed.maps[computed.known])
    assert (~computed.known).any()
    assert np.abs(found.footprint[~computed.known] - computed.maps[~computed.known]).max() > 0.01
    np.testing.assert_array_equal(found.footprint_presence, computed.present)
    np.testing.assert_array_equal(found.distance_m, computed.distance_m)
    assert np.abs(found.target - estimated.target).max() > 1e-4, "depth and poses reach the target maps"


def test_keyframes_follow_the_given_depth(model, walk, given):
    found = model.predict(list(walk.rgb), **arguments(given))
    wanted = keyframes_from_depth(given.depth_m, given.world_from_camera, given.intrinsics, model.config.keyframes)
    np.testing.assert_array_equal(found.keyframes, wanted)


def test_what_does_not_fit_the_frames_is_refused(walk, given):
    parts, shape = arguments(given), walk.rgb.shape[:3]
    assert given_walk(shape, None, None, None) is None
    with pytest.raises(UsageError, match="intrinsics missing"):
        given_walk(shape, **{**parts, "intrinsics": None})
    with pytest.raises(UsageError, match="depth_m has shape"):
        given_walk(shape, **{**parts, "depth_m": given.depth_m[:, :-1]})
    poses = given.world_from_camera.copy()
    poses[2, :3, :3] *= 1.1
    with pytest.raises(UsageError, match="world_from_camera: pose 2"):
        given_walk(shape, **{**parts, "world_from_camera": poses})
    with pytest.raises(UsageError, match="negative or not finite"):
        given_walk(shape, **{**parts, "depth_m": given.depth_m * np.nan})


def test_samples_of_a_batch_are_told_apart(given):
    depth_m = torch.from_numpy(np.stack([given.depth_m, given.depth_m[::-1] * 1.7]))
    poses = torch.from_numpy(np.stack([given.world_from_camera, given.world_from_camera[::-1]]))
    intrinsics = torch.from_numpy(np.stack([given.intrinsics, given.intrinsics * [[1.2], [1.2], [1]]]))
    both = given_geometry(depth_m, poses, intrinsics, FIT)
    second = given_geometry(depth_m[1:], poses[1:], intrinsics[1:], FIT)
    for name, value in vars(second).items():
        torch.testing.assert_close(getattr(both, name)[1:], value)
