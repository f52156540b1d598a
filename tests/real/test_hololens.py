"""The importer and the geometry on a real recorded walk; the folder is not part of the repository."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from backsight.geometry.covisibility import Label, View, covisibility_labels
from backsight.geometry.poses import invert_pose
from backsight.interchange.rgbd_folder import read_rgbd_folder

pytestmark = pytest.mark.real
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def hololens() -> Path:
    data = Path(os.environ.get("BACKSIGHT_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    folder = data / "hololens"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent; set BACKSIGHT_REAL_DATA to the folder that holds hololens/")
    return folder


@pytest.fixture(scope="module")
def measure():
    spec = importlib.util.spec_from_file_location("reprojection", REPOSITORY / "benchmarks" / "reprojection.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.measure


@pytest.fixture(scope="module")
def walk(hololens):
    return read_rgbd_folder(hololens)


def test_the_walk_is_complete(walk):
    assert walk.num_frames == 100
    assert walk.image_size == (540, 360)
    assert 0.5 < np.median(walk.depth_m[walk.depth_m > 0]) < 6.0


def test_depth_poses_and_intrinsics_fit_together(walk, measure):
    agreement = measure(walk.depth_m, walk.intrinsics, walk.world_from_camera, 60, 0, "as read")
    assert len(agreement.not_occluded) == 60
    assert np.median(agreement.not_occluded) >= 0.94


def test_a_fitted_walk_still_fits_together_and_inverted_poses_do_not(hololens, measure):
    walk = read_rgbd_folder(hololens, stride=2, image_size=(128, 96))
    assert walk.depth_m.shape == (50, 96, 128)
    agreement = measure(walk.depth_m, walk.intrinsics, walk.world_from_camera, 60, 0, "fitted")
    assert np.median(agreement.not_occluded) >= 0.94
    inverted = measure(walk.depth_m, walk.intrinsics, invert_pose(walk.world_from_camera), 60, 0, "inverted")
    assert np.median(inverted.not_occluded) <= 0.2


def test_neighbouring_frames_share_most_of_what_they_see(walk):
    shares = []
    for frame in range(0, 99, 9):
        here, there = (
            View(walk.depth_m[index], walk.intrinsics, walk.world_from_camera[index]) for index in (frame, frame + 1)
        )
        labels = covisibility_labels(here, there)
        shares.append((labels == Label.COVISIBLE).sum() / (labels != Label.INVALID).sum())
    assert np.median(shares) > 0.7
