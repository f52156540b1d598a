"""Quality control of imagined views."""

import dataclasses

import msgspec
import numpy as np
import pytest

from backsight.quality.check import check_sequence
from backsight.quality.integrity import find_broken_parts
from backsight.records.sequence import ImaginedImages, ImaginedView


@pytest.fixture(scope="module")
def walk(make_sequence):
    return make_sequence(frames=7, imagined=3)


def test_a_walk_with_imagined_views_has_nothing_wrong_about_them(walk):
    assert find_broken_parts(walk) == []
    assert check_sequence(walk).failures == ()


def test_an_unknown_instance_in_an_imagined_view_is_a_hard_failure(walk):
    ids = walk.imagined.instance_ids.copy()
    ids[1, 3, 5] = 97
    report = check_sequence(dataclasses.replace(walk, imagined=dataclasses.replace(walk.imagined, instance_ids=ids)))
    assert not report.accepted
    assert [(f.path.rsplit("/", 1)[1], "97" in f.problem) for f in report.failures] == [
        ("imagined_instances.zip", True)
    ]


def with_views(walk, views, images):
    return dataclasses.replace(
        walk, annotations=msgspec.structs.replace(walk.annotations, imagined=views), imagined=images
    )


def test_poses_that_are_not_rigid_and_images_that_do_not_fit_are_hard_failures(walk):
    views, images = walk.annotations.imagined, walk.imagined
    mirrored = (ImaginedView(6, tuple(np.diag([-1.0, 1.0, 1.0, 1.0]).ravel())), *views[1:])
    broken = images.depth_m.copy()
    broken[2, 0, 0] = np.nan
    negative = images.instance_ids.copy()
    negative[0, 0, 0] = -1
    for wrong, problem in (
        (with_views(walk, mirrored, images), "mirrors"),
        (with_views(walk, views, None), "without images"),
        (with_views(walk, views[:2], images), "2 views"),
        (with_views(walk, (), images), "0 views"),
        (with_views(walk, views, ImaginedImages(broken, images.instance_ids)), "not finite"),
        (with_views(walk, views, ImaginedImages(images.depth_m, negative)), "negative"),
    ):
        findings = find_broken_parts(wrong)
        assert len(findings) == 1
        assert problem in findings[0].problem
        assert not check_sequence(wrong).accepted
