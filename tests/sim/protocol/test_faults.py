"""The checks can fail: simulators that do one thing wrongly are each caught by the checks meant for it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backsight.geometry.cameras import pixel_centres
from backsight.geometry.poses import CV_FROM_GL
from backsight.records.errors import EnvironmentProblem
from backsight.sim.backends.habitat import client, conversions
from backsight.sim.simulator import Observation

BOXES = "things_are_where_their_boxes_project_to"
SURFACES = "pixels_lie_on_the_things_they_show"
PLANAR = "depth_is_planar"
SHAPES = "pictures_have_rows_and_columns"
BELOW = "the_floor_is_below"
TURNING = "turning_right_moves_things_left_and_looking_up_moves_them_down"
FORWARD = "going_forward_brings_things_nearer"
SCALING = "intrinsics_scale_with_the_picture"
BATCH = "a_batch_is_its_pictures_one_by_one"


class Faulty:
    """A simulator that passes everything on and does one thing wrongly on the way."""

    def __init__(self, simulator, fault):
        self._simulator, self._fault = simulator, fault

    def __getattr__(self, name):
        return getattr(self._simulator, name)

    def render(self, world_from_camera, intrinsics, width, height):
        return self._fault(self._simulator.render, world_from_camera, intrinsics, width, height)


def of_all(seen, change):
    return Observation(*(np.ascontiguousarray(change(part)) for part in (seen.rgb, seen.depth_m, seen.instance_ids)))


def upside_down(render, poses, intrinsics, width, height):
    return of_all(render(poses, intrinsics, width, height), lambda pictures: pictures[:, ::-1])


def mirrored(render, poses, intrinsics, width, height):
    return of_all(render(poses, intrinsics, width, height), lambda pictures: pictures[:, :, ::-1])


def opengl_axes(render, poses, intrinsics, width, height):
    return render(poses @ CV_FROM_GL, intrinsics, width, height)


def camera_from_world(render, poses, intrinsics, width, height):
    return render(np.linalg.inv(poses), intrinsics, width, height)


def ray_depth(render, poses, intrinsics, width, height):
    seen = render(poses, intrinsics, width, height)
    offsets = (pixel_centres(width, height) - intrinsics[:2, 2]) / intrinsics[[0, 1], [0, 1]]
    longer = np.sqrt(1.0 + (offsets**2).sum(axis=-1))
    return replace(seen, depth_m=(seen.depth_m * longer).astype(np.float32))


def sides_swapped(render, poses, intrinsics, width, height):
    turned = intrinsics.copy()
    turned[[0, 1], 2] = intrinsics[[1, 0], 2]
    return render(poses, turned, height, width)


def sides_swapped_in_memory(render, poses, intrinsics, width, height):
    seen = sides_swapped(render, poses, intrinsics, width, height)
    return of_all(seen, lambda pictures: pictures.reshape(len(poses), height, width, *pictures.shape[3:]))


def xyzw_read_as_wxyz(render, poses, intrinsics, width, height):
    xyzw = Rotation.from_matrix((poses @ CV_FROM_GL)[:, :3, :3]).as_quat()
    w, x, y, z = xyzw.T
    misread = poses.copy()
    misread[:, :3, :3] = Rotation.from_quat(np.stack([x, y, z, w], axis=1)).as_matrix() @ CV_FROM_GL[:3, :3]
    return render(misread, intrinsics, width, height)


def focal_length_of_the_height(render, poses, intrinsics, width, height):
    shorter = intrinsics.copy()
    shorter[[0, 1], [0, 1]] *= height / width
    return render(poses, shorter, width, height)


def always_one_field_of_view(render, poses, intrinsics, width, height):
    fixed = intrinsics.copy()
    fixed[[0, 1], [0, 1]] = width * 0.6
    return render(poses, fixed, width, height)


def left_handed_yaw(render, poses, intrinsics, width, height):
    turned = poses.copy()
    mirror = np.diag([-1.0, 1.0, 1.0])
    turned[:, :3, :3] = mirror @ poses[:, :3, :3] @ mirror
    return render(turned, intrinsics, width, height)


def ids_one_too_high(render, poses, intrinsics, width, height):
    seen = render(poses, intrinsics, width, height)
    return replace(seen, instance_ids=np.where(seen.instance_ids > 0, seen.instance_ids + 1, 0).astype(np.int32))


def depth_in_another_unit(render, poses, intrinsics, width, height):
    seen = render(poses, intrinsics, width, height)
    return replace(seen, depth_m=(seen.depth_m * 1.1).astype(np.float32))


def batch_backwards(render, poses, intrinsics, width, height):
    return of_all(render(poses, intrinsics, width, height), lambda pictures: pictures[::-1])


FAULTS = {
    upside_down: (BOXES, SURFACES, BELOW, TURNING),
    mirrored: (BOXES, SURFACES, TURNING),
    opengl_axes: (BOXES,),
    camera_from_world: (BOXES,),
    ray_depth: (SURFACES, PLANAR),
    sides_swapped: (SHAPES,),
    sides_swapped_in_memory: (SURFACES, BOXES),
    xyzw_read_as_wxyz: (BOXES,),
    focal_length_of_the_height: (SURFACES,),
    always_one_field_of_view: (SCALING,),
    left_handed_yaw: (BOXES, TURNING),
    ids_one_too_high: (SURFACES,),
    depth_in_another_unit: (SURFACES, FORWARD),
    batch_backwards: (BATCH,),
}


@pytest.mark.parametrize("bench", ["embedded", "habitat"], indirect=True)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_wrong_simulator_is_caught(fault, bench, checks):
    wrong = replace(bench, simulator=Faulty(bench.simulator, fault))
    for name in FAULTS[fault]:
        with pytest.raises(AssertionError):
            getattr(checks, f"check_{name}")(wrong)


INSIDE = {
    # What Habitat would do, what catches it, and as which error.
    "y_down": (BOXES, AssertionError),
    "ray_depth": (SURFACES, AssertionError),
    "width_first": (SHAPES, EnvironmentProblem),
    "wxyz": (BOXES, EnvironmentProblem),
}


@pytest.mark.parametrize("fault", INSIDE)
def test_a_habitat_that_is_otherwise_than_documented_is_caught(fault, habitat_bench, checks, make_habitat, monkeypatch):
    monkeypatch.setenv("HABITAT_STAND_IN_FAULT", fault)
    simulator = make_habitat()
    simulator.load_scene(habitat_bench.scene_id)
    name, error = INSIDE[fault]
    with pytest.raises(error):
        getattr(checks, f"check_{name}")(replace(habitat_bench, simulator=simulator))


def test_a_conversion_without_the_camera_axes_is_caught(habitat_bench, checks, monkeypatch):
    habitat_bench.simulator.load_scene(habitat_bench.scene_id)
    monkeypatch.setattr(conversions, "CV_FROM_GL", np.eye(4))
    with pytest.raises(AssertionError):
        checks.check_things_are_where_their_boxes_project_to(habitat_bench)


def test_quaternions_sent_in_the_other_order_are_caught_at_once(habitat_bench, checks, monkeypatch):
    habitat_bench.simulator.load_scene(habitat_bench.scene_id)

    def real_part_first(poses):
        positions, rotation_xyzw = conversions.habitat_poses(poses)
        return positions, rotation_xyzw[:, [3, 0, 1, 2]]

    monkeypatch.setattr(client, "habitat_poses", real_part_first)
    with pytest.raises(EnvironmentProblem, match="it took the picture at"):
        checks.check_pictures_have_rows_and_columns(habitat_bench)
