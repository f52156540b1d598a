from dataclasses import replace

import numpy as np
import pytest
import warp as wp

from backsight.records.scene import Room
from backsight.sim.embedded.lighting.bake import GROUND_LIGHT, OPEN_SHARE, bake_light
from backsight.sim.embedded.packed import Material, RoomLight
from backsight.sim.embedded.warp_device import warp_device

BLACK = Material((0.0, 0.0, 0.0))
GREY = Material((0.6, 0.6, 0.6))
NO_SKY = np.zeros(3)
HALL = (Room(1, "room", (-20.0, -20.0, 20.0, 20.0)),)


def bake(scene):
    device = warp_device("cpu")
    mesh = wp.Mesh(
        points=wp.array(scene.vertices_m, dtype=wp.vec3, device=device),
        indices=wp.array(scene.faces.reshape(-1), dtype=wp.int32, device=device),
    )
    return bake_light(scene, mesh, device)


def add_floor(maker, half_m=12.0, material=0):
    number = maker.add_object("floor", 1)
    h = half_m
    maker.quad([(-h, 0, h), (h, 0, h), (h, 0, -h), (-h, 0, -h)], (0.0, 1.0, 0.0), material, number, 1)
    return number


def add_wall(maker, x_m=None, z_m=None, high_m=6.0, material=0):
    """A long wall at x = x_m that looks along -X, or at z = z_m that looks along -Z."""
    number = maker.add_object("wall", 1)
    far = 7.0
    if z_m is None:
        corners = [(x_m, 0, -far), (x_m, 0, far), (x_m, high_m, far), (x_m, high_m, -far)]
        normal = (-1.0, 0.0, 0.0)
    else:
        corners = [(far, 0, z_m), (-far, 0, z_m), (-far, high_m, z_m), (far, high_m, z_m)]
        normal = (0.0, 0.0, -1.0)
    maker.quad(corners, normal, material, number, 1)


def floor_samples(baked, scene, number):
    """Front samples of an object that look up."""
    charts = baked.charts
    return np.flatnonzero((scene.face_instance[charts.face] == number) & (charts.normal[:, 1] > 0.9))


def near(position_m, x_m, z_m, reach_m=0.35):
    return np.hypot(position_m[:, 0] - x_m, position_m[:, 2] - z_m) < reach_m


def test_openness_is_one_in_the_open_a_half_at_a_wall_and_a_quarter_in_a_corner(maker):
    """A point at the foot of an endless wall sees half of the sky, one in a corner a quarter of it."""
    floor = add_floor(maker, 3.0)
    means = []
    for add_next in (None, {"x_m": 3.0}, {"z_m": 3.0}):
        if add_next is not None:
            add_wall(maker, **add_next)
        scene = maker.scene((BLACK,), (), (), HALL)
        baked = bake(scene)
        here = floor_samples(baked, scene, floor)
        place = baked.charts.position_m[here]
        foot = (place[:, 0] > 2.95) & (np.abs(place[:, 2]) < 1.0)
        corner = (place[:, 0] > 2.8) & (place[:, 2] > 2.8)
        means.append((baked.openness[here][foot].mean(), baked.openness[here][corner].mean()))
    assert means[0] == (1.0, 1.0)
    assert means[1][0] == pytest.approx(0.5, abs=0.05)
    assert means[2][1] == pytest.approx(0.25, abs=0.05)


def test_light_from_the_open_sky_follows_openness(maker):
    floor = add_floor(maker, 3.0)
    add_wall(maker, x_m=3.0, high_m=2.0)
    scene = maker.scene((BLACK,), (), (), HALL)
    baked = bake(scene)
    here = floor_samples(baked, scene, floor)
    place = baked.charts.position_m[here]
    light = baked.light(np.zeros((0, 3)), np.array([2.0, 1.0, 0.5])).numpy()[here] - GROUND_LIGHT
    np.testing.assert_allclose(light[:, 0], 2.0 * light[:, 1], atol=1e-5)
    inner = np.abs(place[:, 2]) < 1.0
    far, foot = inner & (place[:, 0] < -2.0), inner & (place[:, 0] > 2.9)
    assert light[foot, 1].mean() / OPEN_SHARE == pytest.approx(0.5, abs=0.06)
    # A wall that rises to the angle a takes (1 - cos a) / 2 of what reaches a level floor.
    left = 1.0 - 0.5 * (1.0 - np.cos(np.arctan(2.0 / 5.5)))
    assert light[far, 1].mean() / OPEN_SHARE == pytest.approx(left, abs=0.05)


def test_a_lamp_follows_its_law_on_a_black_floor(maker):
    floor = add_floor(maker, 4.0)
    lamp = RoomLight(1, (0.5, 2.0, -0.3), (1.0, 1.0, 1.0))
    scene = maker.scene((BLACK,), (), (lamp,), HALL)
    baked = bake(scene)
    here = floor_samples(baked, scene, floor)
    place = baked.charts.position_m[here]
    light = baked.light(np.ones((1, 3)), NO_SKY).numpy()[here, 1] - GROUND_LIGHT
    away = place - np.array(lamp.position_m)
    squared = (away**2).sum(axis=1)
    expected = 2.0 / np.sqrt(squared) * (4.0 + 1.2) / (squared + 1.2)
    np.testing.assert_allclose(light, expected, rtol=0.01, atol=0.003)
    assert light[near(place, 0.5, -0.3, 0.15)].mean() == pytest.approx(1.0, abs=0.03)


def test_light_is_linear_in_the_lamps(flat):
    baked = bake(flat)
    colours = np.random.default_rng(3).uniform(0.2, 1.5, (3, 3))
    sky = np.array([0.7, 1.1, 1.9])

    def light(lamps, outside):
        return baked.light(lamps, outside).numpy().astype(np.float64) - GROUND_LIGHT

    once, twice = light(colours, sky), light(2.0 * colours, 2.0 * sky)
    np.testing.assert_allclose(twice, 2.0 * once, rtol=1e-4, atol=1e-5)
    parts = sum(light(colours * (np.arange(3) == lamp)[:, None], NO_SKY) for lamp in range(3))
    np.testing.assert_allclose(light(colours, NO_SKY), parts, rtol=1e-4, atol=1e-5)
    assert once.min() >= -1e-6
    assert once[: len(once) // 2].mean() > 0.1


def test_what_stands_between_throws_a_shadow_with_a_soft_edge(maker):
    floor = add_floor(maker, 4.0)
    block = maker.add_object("table", 1)
    maker.box((-0.5, 0.9, -0.5), (0.5, 1.0, 0.5), 0, block, 1)
    lamp = RoomLight(1, (0.0, 2.0, 0.0), (1.0, 1.0, 1.0))
    scene = maker.scene((BLACK,), (), (lamp,), HALL)
    baked = bake(scene)
    here = floor_samples(baked, scene, floor)
    place = baked.charts.position_m[here]
    light = baked.light(np.ones((1, 3)), NO_SKY).numpy()[here, 1] - GROUND_LIGHT
    # The block's lower rim at 0.9 m lies 1.1 m under the lamp: its shadow reaches 0.5 / 1.1 * 2 = 0.91 m out.
    along = np.abs(place[:, 2]) < 0.2
    assert light[along & (np.abs(place[:, 0]) < 0.6)].max() == 0.0
    lit = light[along & (np.abs(place[:, 0]) > 1.4) & (np.abs(place[:, 0]) < 1.8)]
    assert lit.min() > 0.3
    edge = light[along & (np.abs(np.abs(place[:, 0]) - 0.91) < 0.2)]
    assert ((edge > 0.05) & (edge < 0.9 * lit.max())).any()
    on_top = np.flatnonzero((scene.face_instance[baked.charts.face] == block) & (baked.charts.normal[:, 1] > 0.9))
    assert baked.light(np.ones((1, 3)), NO_SKY).numpy()[on_top, 1].min() > 1.0


def test_a_window_brightens_what_is_near_and_faces_it(maker):
    floor = add_floor(maker, 4.0)
    window = maker.add_object("window", 1)
    maker.quad([(1, 1, 4), (-1, 1, 4), (-1, 2, 4), (1, 2, 4)], (0.0, 0.0, -1.0), 1, window, 1)
    scene = maker.scene((BLACK, Material((1.0, 1.0, 1.0), pane=True)), (), (), HALL)
    baked = bake(scene)
    here = floor_samples(baked, scene, floor)
    place = baked.charts.position_m[here]
    share = baked.pane_share[here]
    spots = [share[near(place, 0.0, z)].mean() for z in (2.5, 1.0, -3.0)]
    assert spots[0] > 1.5 * spots[1] > 4.0 * spots[2] > 0.0
    # Two metres wide and one high, 5 m away and 1.5 m up: A cos cos / (pi r^2) about its middle.
    squared = 5.0**2 + 1.5**2
    there = share[near(place, 0.0, -1.0, 0.1)].mean()
    assert there == pytest.approx(2.0 * (5.0 / squared**0.5) * (1.5 / squared**0.5) / (np.pi * squared), rel=0.1)


def test_surfaces_send_light_on_in_their_own_colour(maker):
    """A black ceiling lamp room: the floor in the shadow of a shelf gets what the red wall sends."""
    floor = add_floor(maker, 2.0, material=1)
    add_wall(maker, x_m=2.0, high_m=2.0, material=0)
    lid = maker.add_object("table", 1)
    maker.box((0.6, 0.8, -1.0), (1.6, 0.85, 1.0), 1, lid, 1)
    lamp = RoomLight(1, (0.0, 2.0, 0.0), (1.0, 1.0, 1.0))
    scene = maker.scene((Material((0.8, 0.1, 0.1)), BLACK), (), (lamp,), HALL)
    baked = bake(scene)
    here = floor_samples(baked, scene, floor)
    under = here[near(baked.charts.position_m[here], 1.6, 0.0, 0.25)]
    light = baked.light(np.ones((1, 3)), NO_SKY, direct=False).numpy()[under].mean(axis=0) - GROUND_LIGHT
    assert light[0] > 0.01
    assert light[0] > 8.0 * light[1]


def test_samples_inside_something_solid_take_their_light_from_outside(flat):
    """The floors of the hand-made flat run under its walls."""
    baked = bake(flat)
    light = baked.light(np.ones((3, 3)), NO_SKY).numpy()
    charts = baked.charts
    floor = np.flatnonzero((charts.normal[:, 1] > 0.9) & (charts.position_m[:, 1] < 1e-3))
    x, z = charts.position_m[floor, 0], charts.position_m[floor, 2]
    inside = floor[(x > 4.0) & (x < 4.1) & (z > 0.15) & (z < 0.85)]
    assert len(inside) > 3
    assert light[inside, 1].min() > 0.2 * np.median(light[floor, 1])


def test_a_second_bake_is_the_same_to_the_bit(flat):
    first, second = bake(flat), bake(flat)
    colours, sky = np.full((3, 3), 0.8), np.ones(3)
    assert first.light(colours, sky).numpy().tobytes() == second.light(colours, sky).numpy().tobytes()
    np.testing.assert_array_equal(first.met.numpy(), second.met.numpy())


def test_single_sheets_are_lit_on_both_sides_whichever_way_they_are_wound(maker):
    """A leaf in mid-air between a red and a blue wall."""
    leaf = maker.add_object("plant", 1)
    maker.quad([(0, 1, -0.3), (0, 1, 0.3), (0, 1.6, 0.3), (0, 1.6, -0.3)], (-1.0, 0.0, 0.0), 0, leaf, 1)
    for x, material, normal in ((2.0, 1, -1.0), (-2.0, 2, 1.0)):
        number = maker.add_object("wall", 1)
        corners = [(x, -2, -3), (x, -2, 3), (x, 4, 3), (x, 4, -3)]
        maker.quad(corners if normal < 0 else corners[::-1], (normal, 0.0, 0.0), material, number, 1)
    lamps = tuple(RoomLight(1, (x, 3.0, 0.0), (1.0, 1.0, 1.0)) for x in (-1.0, 1.0))
    red, blue = Material((0.8, 0.05, 0.05)), Material((0.05, 0.05, 0.8))
    scene = maker.scene((GREY, red, blue), (), lamps, HALL)
    turned = replace(scene, faces=scene.faces[:, ::-1].copy(), face_normals=-scene.face_normals)
    for case, flip in ((scene, 1.0), (turned, -1.0)):
        baked = bake(case)
        count = len(baked.charts.face)
        light = baked.light(np.ones((2, 3)), NO_SKY, direct=False).numpy()
        front = np.flatnonzero(case.face_instance[baked.charts.face] == leaf)
        side = np.sign(baked.charts.normal[front[0], 0])
        assert side == -flip
        towards_red, towards_blue = (front, front + count) if side > 0 else (front + count, front)
        assert light[towards_red, 0].mean() > 3.0 * light[towards_red, 2].mean()
        assert light[towards_blue, 2].mean() > 3.0 * light[towards_blue, 0].mean()
