"""Blur is judged by what was promised, whatever the texture."""

import dataclasses
import math

import cv2
import msgspec
import numpy as np
import pytest

from backsight.geometry.poses import look_pose
from backsight.quality.check import check_sequence
from backsight.quality.sharpness import Edges, edge_sharpness, sharpness_of_walk, smear_px, still_edges


def striped(width=61, height=37, sigma_px=0.0, samples=8):
    """Two frames of slanted stripes of different things, exact ids, colour averaged over each pixel."""
    fine_x = (np.arange(width * samples) + 0.5) / samples
    fine_y = (np.arange(height) + 0.5)[:, None]
    number = np.floor((fine_x + 0.37 * fine_y) / 11.3).astype(np.int64)
    fine = 40.0 + 37.0 * (number * 7 % 5)
    luma = fine.reshape(height, width, samples).mean(axis=-1).astype(np.float32)
    ids = number[:, samples // 2 :: samples].astype(np.int32) + 1
    if sigma_px:
        luma = cv2.GaussianBlur(luma, (0, 0), sigma_px)
    return np.stack([luma] * 2), np.stack([ids] * 2)


def test_sharp_edges_have_full_marks_also_where_colours_are_averaged():
    assert (edge_sharpness(*striped()) > 0.85).all()
    assert (edge_sharpness(*striped(samples=1)) > 0.99).all()


@pytest.mark.parametrize(("sigma_px", "share"), [(0.7, 0.52), (1.0, 0.38), (2.0, 0.25)])
def test_a_blurred_edge_has_the_share_of_its_step_that_a_gaussian_leaves(sigma_px, share):
    # Between the pixels beside an edge lies erf(1 / (2 sqrt(2) sigma)) of it, of the six around erf(5 / ...).
    def part(pixels):
        return math.erf(pixels / (2.0 * math.sqrt(2.0) * sigma_px))

    expected = part(1) / part(5)
    assert expected == pytest.approx(share, abs=0.04)
    measured = edge_sharpness(*striped(sigma_px=sigma_px, samples=1))
    assert measured == pytest.approx(np.full(2, expected), abs=0.06)


def test_few_edges_say_nothing():
    luma, ids = striped()
    assert np.isnan(edge_sharpness(luma[:, :2], ids[:, :2])).all()
    assert np.isnan(edge_sharpness(np.full_like(luma, 90.0), ids)).all()


def edges_at(pixels):
    """Edges behind pixels (x, y) of the third frame."""
    columns, rows = np.array(pixels).T
    same = np.full(len(rows), 2)
    return Edges(same, rows, columns, np.ones(len(rows), dtype=np.float32), same)


def exposed(sequence, poses, exposure_s):
    annotations = msgspec.structs.replace(sequence.annotations, exposure_s=exposure_s, challenges=("motion_blur",))
    return dataclasses.replace(sequence, world_from_camera=poses, annotations=annotations)


PIXELS = [(5, 11), (36, 29), (37, 50), (66, 3)]


def test_turning_smears_by_the_angle_whatever_the_distance(make_sequence):
    poses = np.stack([look_pose(np.array([2.0, 1.2, 2.0]), 0.05 * i) for i in range(5)])
    turning = exposed(make_sequence(frames=5, width=74, height=58), poses, 0.25)
    # A ray that lies at an angle from straight ahead lies 0.05 rad farther right in the next frame.
    (f, _, cx), (_, _, cy), _ = turning.intrinsics
    share = 0.5 * 0.25 * turning.annotations.frame_rate_hz
    for axis, pixels in enumerate((PIXELS, [(y, x) for x, y in PIXELS])):
        expected = []
        for x, y in PIXELS:
            beside = [(x, y), (x + 1, y) if axis == 0 else (x, y + 1)]
            smears = []
            for column, row in beside:
                angle = math.atan((column + 0.5 - cx) / f)
                there = [angle - 0.05, angle + 0.05]
                if axis == 0:
                    smears.append(sum(abs(f * math.tan(other) + cx - column - 0.5) for other in there))
                else:
                    high = row + 0.5 - cy
                    smears.append(sum(abs(high * math.cos(angle) / math.cos(other) - high) for other in there))
            expected.append(share * max(smears))
        assert smear_px(turning, edges_at(pixels), axis, 1) == pytest.approx(expected, rel=1e-6)


def test_walking_ahead_smears_what_is_near_and_to_the_side(make_sequence):
    sequence = make_sequence(frames=5, width=74, height=58)
    poses = np.stack([look_pose(np.array([2.0, 1.2, 2.0 - 0.1 * i]), 0.0) for i in range(5)])
    near = dataclasses.replace(sequence, depth_m=np.full_like(sequence.depth_m, 1.5))
    far = dataclasses.replace(sequence, depth_m=np.full_like(sequence.depth_m, 5.5))
    cx, share = sequence.intrinsics[0, 2], 0.5 * 0.2 * sequence.annotations.frame_rate_hz
    for walk, depth_m in ((near, 1.5), (far, 5.5)):
        stretch = (depth_m / (depth_m - 0.1) - 1.0) + (1.0 - depth_m / (depth_m + 0.1))
        expected = [share * max(abs(x + side - cx) for side in (0.5, 1.5)) * stretch for x, _ in PIXELS]
        assert smear_px(exposed(walk, poses, 0.2), edges_at(PIXELS), 0, 1) == pytest.approx(expected, rel=1e-5)


def test_every_second_row_is_another_row_of_the_pictures(make_sequence):
    sequence = make_sequence(frames=5, width=74, height=58)
    walk = exposed(sequence, sequence.world_from_camera, 0.2)
    half = [(x, y // 2) for x, y in PIXELS]
    even = [(x, y // 2 * 2) for x, y in PIXELS]
    assert smear_px(walk, edges_at(half), 0, 2) == pytest.approx(smear_px(walk, edges_at(even), 0, 1))


def test_pixels_without_depth_are_never_still(make_sequence):
    sequence = make_sequence(frames=5, width=74, height=58)
    blind = dataclasses.replace(sequence, depth_m=np.zeros_like(sequence.depth_m))
    assert np.isinf(smear_px(exposed(blind, sequence.world_from_camera, 0.2), edges_at(PIXELS), 0, 1)).all()


def test_of_a_camera_that_turns_level_borders_stay_sharp_and_tell_of_blur(make_sequence):
    sequence = make_sequence(frames=5, width=74, height=58)
    poses = np.stack([look_pose(np.array([2.0, 1.2, 2.0]), 0.3 * i) for i in range(5)])
    turning = exposed(sequence, poses, 0.25)
    ids = np.repeat((1 + np.arange(58) // 11).astype(np.int32)[:, None], 74, axis=1)
    luma = (40.0 + 37.0 * (ids * 7 % 5)).astype(np.float32)
    walk = dataclasses.replace(turning, instance_ids=np.stack([ids] * 5), depth_m=np.full_like(turning.depth_m, 3.0))
    # Straight ahead the picture moves by 0.3 rad x 2 Hz x 0.25 s.
    assert 6.0 < 0.15 * sequence.intrinsics[0, 0] < 7.0
    smeared = cv2.blur(luma, (7, 1))
    assert sharpness_of_walk(still_edges(walk, np.stack([smeared] * 5), 1)) == pytest.approx(1.0)
    blurred = cv2.GaussianBlur(smeared, (0, 0), 1.0)
    assert sharpness_of_walk(still_edges(walk, np.stack([blurred] * 5), 1)) < 0.45


def test_upright_borders_of_a_camera_that_turns_are_not_asked(make_sequence):
    sequence = make_sequence(frames=5, width=74, height=58)
    poses = np.stack([look_pose(np.array([2.0, 1.2, 2.0]), 0.3 * i) for i in range(5)])
    ids = np.repeat((1 + np.arange(74) // 11).astype(np.int32)[None], 58, axis=0)
    luma = (40.0 + 37.0 * (ids * 7 % 5)).astype(np.float32)
    walk = dataclasses.replace(exposed(sequence, poses, 0.25), instance_ids=np.stack([ids] * 5))
    walk = dataclasses.replace(walk, depth_m=np.full_like(walk.depth_m, 3.0))
    assert np.isnan(sharpness_of_walk(still_edges(walk, np.stack([luma] * 5), 1)))


def test_promised_blur_is_kept_and_the_same_blur_without_promise_rejected(make_sequence):
    sequence = make_sequence(frames=11, width=148, height=116)
    soft = np.stack([cv2.blur(frame, (5, 1)) for frame in sequence.rgb])
    # 2.2 m radius and 0.05 rad a frame at 2 Hz: a few pixels in a quarter of a second.
    promised = msgspec.structs.replace(sequence.annotations, challenges=("motion_blur",), exposure_s=0.25)
    kept = check_sequence(dataclasses.replace(sequence, rgb=soft, annotations=promised))
    assert not [failure for failure in kept.failures if failure.field == "rgb"], kept.failures
    refused = check_sequence(dataclasses.replace(sequence, rgb=soft))
    assert ["is blurred" in failure.problem for failure in refused.failures] == [True]


@pytest.mark.parametrize("sigma_px", [1.0, 2.0])
def test_blur_on_top_of_promised_motion_blur_is_rejected(make_sequence, sigma_px):
    sequence = make_sequence(frames=11, width=148, height=116)
    soft = np.stack([cv2.GaussianBlur(cv2.blur(frame, (7, 1)), (0, 0), sigma_px) for frame in sequence.rgb])
    promised = msgspec.structs.replace(sequence.annotations, challenges=("motion_blur",), exposure_s=0.25)
    failures = check_sequence(dataclasses.replace(sequence, rgb=soft, annotations=promised)).failures
    assert ["is blurred" in failure.problem for failure in failures if failure.field == "rgb"] == [True]


def test_a_single_blurred_frame_is_named(make_sequence):
    sequence = make_sequence(frames=11, width=148, height=116)
    rgb = sequence.rgb.copy()
    rgb[6] = cv2.GaussianBlur(rgb[6], (0, 0), 1.5)
    report = check_sequence(dataclasses.replace(sequence, rgb=rgb))
    assert [(failure.field, failure.frame) for failure in report.failures] == [("rgb", 6)]


@pytest.mark.parametrize(("challenges", "scene_id"), [(("changing_light",), "flat-1"), ((), "flat-1+lighting=dim")])
def test_dark_pictures_are_right_where_they_were_asked_for(make_sequence, challenges, scene_id):
    sequence = make_sequence(frames=7, width=74, height=58)
    dark = (sequence.rgb * 0.07).astype(np.uint8)
    asked = msgspec.structs.replace(sequence.annotations, challenges=challenges, scene_id=scene_id)
    score = check_sequence(dataclasses.replace(sequence, rgb=dark, annotations=asked)).parts["visual_quality"]
    unasked = check_sequence(dataclasses.replace(sequence, rgb=dark)).parts["visual_quality"]
    assert score["exposure"] > 0.7 > unasked["exposure"]


def test_a_frame_that_is_seen_again_from_elsewhere_is_a_duplicate(make_sequence):
    sequence = make_sequence(frames=11, width=74, height=58)
    rgb = sequence.rgb.copy()
    rgb[9] = rgb[2]
    failures = check_sequence(dataclasses.replace(sequence, rgb=rgb)).failures
    assert [(f.frame, "same picture as frame 2" in f.problem) for f in failures] == [(9, True)]
