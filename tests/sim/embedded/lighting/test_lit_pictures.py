"""Light as it shows in pictures: lamps, lighting that changes, shadows, turned scenes."""

from dataclasses import replace

import numpy as np
import pytest

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.geometry.poses import look_pose
from backsight.records.errors import UsageError
from backsight.records.scene import Room
from backsight.sim.embedded.lighting.burning import WARMEST
from backsight.sim.embedded.packed import Material, RoomLight
from backsight.sim.embedded.reference import trace_all
from backsight.sim.embedded.render_options import RenderOptions
from backsight.sim.embedded.renderer import Renderer
from backsight.sim.embedded.simulator import EmbeddedSimulator
from backsight.sim.simulator import Lighting

WIDTH, HEIGHT = 83, 61
INTRINSICS = intrinsics_from_hfov(WIDTH, HEIGHT, 78.0)
POSES = np.stack(
    [
        look_pose(np.array([0.4, 1.25, 2.6]), -0.9, -0.2),
        look_pose(np.array([3.3, 1.1, 1.4]), -1.55, 0.1),
        look_pose(np.array([5.0, 1.25, 0.5]), 3.6, -0.35),
        look_pose(np.array([1.7, 1.4, 3.4]), 2.6, -0.3),
    ]
)
LIGHTING = Lighting(intensity=0.6, warmth=0.7, dark_rooms=frozenset({2}))


@pytest.fixture(scope="module")
def room_of_instance(flat):
    """Rooms of all things but the walls, which have two sides in the hand-made flat."""
    rooms = np.zeros(len(flat.objects) + 1, dtype=int)
    for thing in flat.objects:
        if thing.category != "wall":
            rooms[thing.instance_id] = thing.room_id
    return rooms


@pytest.mark.parametrize("shadows", [False, True])
def test_changed_lighting_equals_a_scene_that_was_built_so(flat, shadows):
    options = RenderOptions(shadows=shadows)
    changed = Renderer(flat, options=options)
    before = changed.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    changed.light(LIGHTING)
    after = changed.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    factor = 0.6 * WARMEST**0.7
    lights = tuple(
        replace(lamp, colour=tuple((np.array(lamp.colour) * factor * (lamp.room_id != 2)).tolist()))
        for lamp in flat.lights
    )
    built = Renderer(replace(flat, lights=lights, sky=tuple(0.6 * value for value in flat.sky)), options=options)
    np.testing.assert_array_equal(after.rgb, built.render(POSES, INTRINSICS, WIDTH, HEIGHT).rgb)
    assert (before.rgb != after.rgb).mean() > 0.9
    changed.light(Lighting())
    np.testing.assert_array_equal(changed.render(POSES, INTRINSICS, WIDTH, HEIGHT).rgb, before.rgb)


def test_a_dark_room_darkens_itself_and_others_only_through_doors(flat, room_of_instance):
    """Rooms 1 and 2 share a door; room 3 is closed."""
    lit = Renderer(flat)
    before = lit.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    lit.light(Lighting(dark_rooms=frozenset({2})))
    after = lit.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    room = room_of_instance[before.instance_ids]
    change = before.rgb.astype(int) - after.rgb
    assert all((room == number).sum() > 150 for number in (1, 2, 3))
    assert change.min() >= 0
    assert change[room == 2].mean() > 40
    assert change[room == 1].mean() < 0.25 * change[room == 2].mean()
    assert change[room == 1].max() > 5
    # Room 3 is closed; its floor runs under a wall, where its light is taken from the nearest place in the open.
    assert change[3][room[3] == 3].max() <= 1


def test_light_from_a_neighbouring_room_comes_through_its_door_alone(flat, room_of_instance):
    """Only the lamp of room 2 burns: in room 1 it lights what can see it, and nothing in room 3."""
    only = Renderer(replace(flat, lights=tuple(lamp for lamp in flat.lights if lamp.room_id == 2), sky=(0.0, 0.0, 0.0)))
    seen = only.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    room = room_of_instance[seen.instance_ids]
    dark = seen.rgb[3][room[3] == 3].max()
    assert dark < 45
    assert seen.rgb[room == 2].mean() > 90
    assert seen.rgb[room == 1].max() > 70


def test_shadow_rays_agree_with_a_brute_force_tracer(maker):
    """A lamp above a table: each pixel of the floor is lit or not as a ray of the slow tracer says."""
    floor = maker.add_object("floor", 1)
    maker.quad([(-4, 0, 4), (4, 0, 4), (4, 0, -4), (-4, 0, -4)], (0.0, 1.0, 0.0), 0, floor, 1)
    table = maker.add_object("table", 1)
    maker.box((-0.6, 0.7, -0.4), (0.5, 0.75, 0.4), 0, table, 1, yaw_rad=0.4)
    for x, z in ((-0.4, 0.3), (0.35, -0.25)):
        maker.box((x, 0.0, z), (x + 0.06, 0.7, z + 0.06), 0, table, 1, yaw_rad=0.4)
    lamp = RoomLight(1, (0.3, 2.1, 0.2), (1.5, 1.5, 1.5))
    rooms = (Room(1, "room", (-4.0, -4.0, 4.0, 4.0)),)
    scene = replace(maker.scene((Material((0.25, 0.25, 0.25)),), (), (lamp,), rooms), sky=(0.0, 0.0, 0.0))
    pose = look_pose(np.array([-1.9, 1.6, 1.8]), -0.8, -0.55)
    seen = Renderer(scene, options=RenderOptions(shadows=True)).render(pose[None], INTRINSICS, WIDTH, HEIGHT)
    depth_m, ids = trace_all(scene, pose, INTRINSICS, WIDTH, HEIGHT)
    rows, columns = np.nonzero(ids == floor)
    rays = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], axis=1) @ np.linalg.inv(INTRINSICS).T
    points = (rays * depth_m[rows, columns, None]) @ pose[:3, :3].T + pose[:3, 3]
    hidden = np.array([blocked(scene, point, np.array(lamp.position_m)) for point in points])
    near = np.hypot(points[:, 0] - 0.3, points[:, 2] - 0.2) < 1.7
    rows, columns, hidden = rows[near], columns[near], hidden[near]
    bright = seen.rgb[0, rows, columns, 1] > 15
    assert 0.05 < hidden.mean() < 0.9
    assert (bright == ~hidden).mean() > 0.985
    soft = Renderer(scene).render(pose[None], INTRINSICS, WIDTH, HEIGHT).rgb[0, rows, columns, 1]
    assert abs(float(soft.mean()) - float(seen.rgb[0, rows, columns, 1].mean())) < 6.0


def blocked(scene, point, lamp):
    """Whether any triangle cuts the segment from just above a point to 0.3 m before a lamp; solved face by face."""
    start = point + np.array([0.0, 0.004, 0.0])
    way = lamp - start
    end = 1.0 - 0.3 / np.linalg.norm(way)
    a, b, c = np.moveaxis(scene.vertices_m[scene.faces].astype(float), 1, 0)
    system = np.stack([b - a, c - a, np.broadcast_to(-way, a.shape)], axis=2)
    solvable = np.abs(np.linalg.det(system)) > 1e-12
    u, v, t = np.linalg.solve(system[solvable], (start - a)[solvable][..., None])[..., 0].T
    return bool(((u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0) & (t < end)).any())


def turned_about_y(scene):
    """The scene turned by a quarter: x becomes -z, z becomes x."""

    def turn(points):
        return np.stack([points[..., 2], points[..., 1], -points[..., 0]], axis=-1)

    def room(entry):
        x0, z0, x1, z1 = entry.bounds_m
        return Room(entry.room_id, entry.room_type, (z0, -x1, z1, -x0), entry.floor_m, entry.height_m)

    lights = tuple(replace(lamp, position_m=tuple(turn(np.array(lamp.position_m)).tolist())) for lamp in scene.lights)
    return replace(
        scene,
        vertices_m=turn(scene.vertices_m),
        face_normals=turn(scene.face_normals),
        lights=lights,
        rooms=tuple(room(entry) for entry in scene.rooms),
    )


def test_a_scene_turned_by_a_quarter_gives_the_same_picture(flat):
    """From poses turned alike: nothing in the light depends on where the axes point."""
    quarter = np.eye(4)
    quarter[:3, :3] = [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]
    plain = Renderer(flat).render(POSES, INTRINSICS, WIDTH, HEIGHT).rgb.astype(int)
    turned = Renderer(turned_about_y(flat)).render(quarter @ POSES, INTRINSICS, WIDTH, HEIGHT).rgb
    difference = np.abs(plain - turned)
    assert difference.mean() < 1.0
    assert (difference.max(axis=-1) > 12).mean() < 0.01


def test_windows_shine_by_the_light_from_outside_and_lampshades_by_their_lamp(maker):
    rooms = (Room(1, "room", (-3.0, -3.0, 3.0, 3.0)),)
    window, shade = maker.add_object("window", 1), maker.add_object("lamp", 1)
    maker.quad([(-2, -1, -2), (0, -1, -2), (0, 1, -2), (-2, 1, -2)], (0.0, 0.0, 1.0), 0, window, 1)
    maker.quad([(0, -1, -2), (2, -1, -2), (2, 1, -2), (0, 1, -2)], (0.0, 0.0, 1.0), 1, shade, 1)
    materials = (Material((0.7, 0.7, 0.7), pane=True), Material((0.7, 0.7, 0.7), glow=1.0))
    lamp = RoomLight(1, (0.0, 1.0, 2.5), (0.5, 0.5, 0.5))
    scene = replace(maker.scene(materials, (), (lamp,), rooms), sky=(2.0, 2.0, 2.0))
    renderer = Renderer(scene)

    def seen():
        rgb = renderer.render(look_pose(np.zeros(3), 0.0)[None], INTRINSICS, WIDTH, HEIGHT).rgb[0, 30]
        return int(rgb[25, 1]), int(rgb[60, 1])

    pane, glowing = seen()
    renderer.light(Lighting(dark_rooms=frozenset({1})))
    assert seen()[0] == pane
    assert seen()[1] < glowing - 25
    renderer.light(Lighting(intensity=0.3))
    assert seen()[0] < pane - 25


def test_the_simulator_takes_lighting_before_and_after_the_first_picture_and_resets_it():
    early, late = EmbeddedSimulator(), EmbeddedSimulator()
    for simulator in (early, late):
        simulator.load_scene("bathroom-1")
    pose = look_pose(np.array([*late.scene.lights[0].position_m]) - np.array([0.0, 1.0, 0.0]), 0.4, -0.3)[None]
    plain = late.render(pose, INTRINSICS, WIDTH, HEIGHT).rgb
    dim = Lighting(intensity=0.4, warmth=-0.5)
    for simulator in (early, late):
        simulator.set_lighting(dim)
    darker = late.render(pose, INTRINSICS, WIDTH, HEIGHT).rgb
    np.testing.assert_array_equal(early.render(pose, INTRINSICS, WIDTH, HEIGHT).rgb, darker)
    assert darker.mean() < plain.mean() - 20
    late.load_scene("bathroom-1")
    np.testing.assert_array_equal(late.render(pose, INTRINSICS, WIDTH, HEIGHT).rgb, plain)
    early.load_scene("bathroom-2")
    early.load_scene("bathroom-1")
    np.testing.assert_array_equal(early.render(pose, INTRINSICS, WIDTH, HEIGHT).rgb, plain)


@pytest.mark.parametrize(
    ("lighting", "message"),
    [
        (Lighting(intensity=0.0), "intensity"),
        (Lighting(intensity=float("nan")), "intensity"),
        (Lighting(warmth=1.5), "warmth"),
        (Lighting(dark_rooms=frozenset({1, 9})), r"\[9\]"),
    ],
)
def test_lighting_that_cannot_be_is_refused(flat, lighting, message):
    with pytest.raises(UsageError, match=message):
        Renderer(flat).light(lighting)


def test_default_lighting_exposes_rooms_like_a_photograph():
    """Mean brightness of views across each room, without clipped walls or black corners."""
    simulator = EmbeddedSimulator(rgb_samples_per_axis=1)
    for scene_id in ("flat-3", "study-4"):
        simulator.load_scene(scene_id)
        for room in simulator.rooms:
            x0, z0, x1, z1 = room.bounds_m
            corners = [(x0 + 0.3, z0 + 0.3), (x1 - 0.3, z0 + 0.3), (x1 - 0.3, z1 - 0.3), (x0 + 0.3, z1 - 0.3)]
            poses = [
                look_pose(np.array([x, 1.9, z]), float(np.arctan2(x - (x0 + x1) / 2, z - (z0 + z1) / 2)), -0.35)
                for x, z in corners
            ]
            rgb = simulator.render(np.stack(poses), INTRINSICS, WIDTH, HEIGHT).rgb
            assert 75 < rgb.mean() < 170, (scene_id, room.room_type)
            assert (rgb.min(axis=-1) >= 250).mean() < 0.01
            assert (rgb.max(axis=-1) < 8).mean() < 0.06
