"""Objects that move: against a scene that is built anew with the object there."""

import math
from dataclasses import replace

import numpy as np
import pytest

from backsight.geometry.poses import look_pose
from backsight.records.errors import UsageError
from backsight.records.scene import OrientedBox
from backsight.sim.embedded import simulator as simulator_module
from backsight.sim.embedded.render_options import RenderOptions
from backsight.sim.embedded.renderer import Renderer
from backsight.sim.embedded.simulator import EmbeddedSimulator
from backsight.sim.simulator import Lighting

WIDTH, HEIGHT = 89, 67
INTRINSICS = np.array([[51.0, 0.0, 44.3], [0.0, 57.0, 31.9], [0.0, 0.0, 1.0]])
POSES = np.stack([look_pose(np.array([3.4, 1.25, 2.4]), 0.7, -0.3), look_pose(np.array([5.0, 1.25, 0.5]), 3.6, -0.35)])
WAYS = pytest.mark.parametrize("visibility", ["raster", "rays"])


def thing_of(flat, category):
    return next(thing for thing in flat.objects if thing.category == category)


def moved_box(thing, shift_m, turn_rad):
    centre = tuple(float(c + s) for c, s in zip(thing.box.centre_m, shift_m, strict=True))
    return OrientedBox(centre, thing.box.size_m, thing.box.yaw_rad + turn_rad)


def built_anew(flat, thing, box):
    """The flat with the object's vertices put where its box is."""
    turn = box.yaw_rad - thing.box.yaw_rad
    cos, sin = math.cos(turn), math.sin(turn)
    rotation = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    mine = flat.face_instance == thing.instance_id
    corners = flat.vertices_m[flat.faces].astype(np.float64)
    corners[mine] = (corners[mine] - thing.box.centre_m) @ rotation.T + box.centre_m
    normals = flat.face_normals.astype(np.float64)
    normals[mine] = normals[mine] @ rotation.T
    faces = np.arange(3 * len(corners), dtype=np.int32).reshape(-1, 3)
    return replace(
        flat,
        vertices_m=corners.reshape(-1, 3).astype(np.float32),
        faces=faces,
        face_normals=normals.astype(np.float32),
    )


@WAYS
def test_a_moved_object_looks_as_if_the_scene_were_built_with_it_there(flat, visibility):
    options = RenderOptions(visibility=visibility)
    renderer = Renderer(flat, options=options)
    renderer.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    table, block = thing_of(flat, "table"), thing_of(flat, "box")
    places = (
        (table, moved_box(table, (0.31, 0.07, 0.43), 0.6)),
        (block, moved_box(block, (-0.5, 0.2, -0.7), -1.1)),
        (table, moved_box(table, (0.9, 0.0, 0.2), 2.2)),
    )
    anew = flat
    for thing, box in places:
        renderer.move(thing.instance_id, thing.box, box)
    for thing, box in places[1:]:
        anew = built_anew(anew, thing, box)
    seen = renderer.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    expected = Renderer(anew, options=options).render(POSES, INTRINSICS, WIDTH, HEIGHT)
    assert (seen.instance_ids == expected.instance_ids).mean() > 0.9995
    same = seen.instance_ids == expected.instance_ids
    np.testing.assert_allclose(seen.depth_m[same], expected.depth_m[same], atol=1e-4)
    for thing in (table, block):
        assert (seen.instance_ids == thing.instance_id).any()


@WAYS
def test_moving_back_and_restoring(flat, visibility):
    renderer = Renderer(flat, options=RenderOptions(visibility=visibility))
    before = renderer.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    table = thing_of(flat, "table")
    renderer.move(table.instance_id, table.box, moved_box(table, (0.3, 0.0, 0.4), 1.0))
    moved = renderer.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    assert (moved.instance_ids != before.instance_ids).mean() > 0.005
    renderer.move(table.instance_id, table.box, table.box)
    back = renderer.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    assert (back.instance_ids == before.instance_ids).mean() > 0.9999
    renderer.restore()
    again = renderer.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    assert again.rgb.tobytes() == before.rgb.tobytes()
    assert again.depth_m.tobytes() == before.depth_m.tobytes()
    assert again.instance_ids.tobytes() == before.instance_ids.tobytes()


def test_both_ways_see_a_moved_object_alike(flat):
    table = thing_of(flat, "table")
    seen = []
    for visibility in ("raster", "rays"):
        renderer = Renderer(flat, options=RenderOptions(visibility=visibility))
        renderer.move(table.instance_id, table.box, moved_box(table, (0.3, 0.1, 0.4), 1.0))
        seen.append(renderer.render(POSES, INTRINSICS, WIDTH, HEIGHT))
    assert (seen[0].instance_ids == seen[1].instance_ids).mean() > 0.9995
    assert (np.abs(seen[0].rgb.astype(int) - seen[1].rgb) > 1).mean() < 1e-3


def test_a_moved_object_is_lit_by_its_new_direction(flat):
    """Turning a box by a right angle about its middle shows its other sides, not its old ones turned."""
    block = thing_of(flat, "box")
    renderer = Renderer(flat)
    before = renderer.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    renderer.move(block.instance_id, block.box, moved_box(block, (0, 0, 0), math.pi / 2))
    after = renderer.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    both = (before.instance_ids == block.instance_id) & (after.instance_ids == block.instance_id)
    assert both.sum() > 50
    assert np.abs(before.depth_m[both] - after.depth_m[both]).max() < 0.4


@pytest.fixture
def simulator(monkeypatch, flat):
    monkeypatch.setattr(simulator_module, "build_scene", lambda wanted: flat)
    made = EmbeddedSimulator()
    made.load_scene("flat-1")
    return made


@pytest.mark.parametrize("rendered_before", [True, False])
def test_objects_say_where_they_are_and_pictures_show_it(simulator, flat, rendered_before):
    table = thing_of(flat, "table")
    fresh = Renderer(flat).render(POSES, INTRINSICS, WIDTH, HEIGHT)
    if rendered_before:
        simulator.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    simulator.move_object(table.instance_id, np.array([2.4, 0.5, 1.1]), 0.7)
    now = next(thing for thing in simulator.objects if thing.instance_id == table.instance_id)
    assert now.box == OrientedBox((2.4, 0.5, 1.1), table.box.size_m, 0.7)
    expected = Renderer(built_anew(flat, table, now.box)).render(POSES, INTRINSICS, WIDTH, HEIGHT)
    seen = simulator.render(POSES, INTRINSICS, WIDTH, HEIGHT)
    assert (seen.instance_ids == expected.instance_ids).mean() > 0.9995
    simulator.load_scene("flat-1")
    assert thing_of(flat, "table") in simulator.objects
    assert simulator.render(POSES, INTRINSICS, WIDTH, HEIGHT).rgb.tobytes() == fresh.rgb.tobytes()


def test_what_cannot_move_is_refused(simulator, flat):
    with pytest.raises(UsageError, match="part of the building"):
        simulator.move_object(thing_of(flat, "wall").instance_id, np.zeros(3), 0.0)
    with pytest.raises(UsageError, match="no object 999"):
        simulator.move_object(999, np.zeros(3), 0.0)
    with pytest.raises(UsageError, match="cannot be moved"):
        simulator.move_object(thing_of(flat, "table").instance_id, np.array([0.0, np.nan, 0.0]), 0.0)
    with pytest.raises(UsageError, match="instance id 999"):
        Renderer(flat).move(999, OrientedBox((0, 0, 0), (1, 1, 1)), OrientedBox((0, 0, 0), (1, 1, 1)))


def test_lamps_change_until_the_scene_is_loaded_again(simulator, flat):
    before = simulator.render(POSES, INTRINSICS, WIDTH, HEIGHT).rgb.astype(int)
    simulator.set_lighting(Lighting(intensity=0.4))
    dimmer = simulator.render(POSES, INTRINSICS, WIDTH, HEIGHT).rgb.astype(int)
    assert dimmer.mean() < before.mean() - 10
    simulator.set_lighting(Lighting(warmth=1.0))
    warm = simulator.render(POSES, INTRINSICS, WIDTH, HEIGHT).rgb.astype(int)
    assert (warm[..., 0] - warm[..., 2]).mean() > (before[..., 0] - before[..., 2]).mean() + 3
    simulator.load_scene("flat-1")
    np.testing.assert_array_equal(simulator.render(POSES, INTRINSICS, WIDTH, HEIGHT).rgb, before)
    for wrong in (Lighting(intensity=0.0), Lighting(warmth=1.5), Lighting(dark_rooms=frozenset({77}))):
        with pytest.raises(UsageError, match="lighting"):
            simulator.set_lighting(wrong)
