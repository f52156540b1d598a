from dataclasses import replace
from typing import no_type_check

import numpy as np
import pytest
import warp as wp

from backsight.sim.embedded.lighting.bake import bake_light
from backsight.sim.embedded.lighting.charts import CORNERS_AT_MOST, GRID_SAMPLES_AT_MOST, INSET_M, WELDS_M, make_charts
from backsight.sim.embedded.lighting.look_up import FaceLight, light_at
from backsight.sim.embedded.packed import Material
from backsight.sim.embedded.warp_device import warp_device


@wp.kernel
@no_type_check
def read_light(
    faces: wp.array[FaceLight],
    light: wp.array[wp.vec3],
    face: wp.array[wp.int32],
    u: wp.array[wp.float32],
    v: wp.array[wp.float32],
    above: bool,
    found: wp.array[wp.vec3],
):
    index = wp.tid()
    found[index] = light_at(faces, light, face[index], u[index], v[index], above)


def bake(scene):
    device = warp_device("cpu")
    mesh = wp.Mesh(
        points=wp.array(scene.vertices_m, dtype=wp.vec3, device=device),
        indices=wp.array(scene.faces.reshape(-1), dtype=wp.int32, device=device),
    )
    return bake_light(scene, mesh, device)


@pytest.mark.parametrize("above", [True, False])
def test_a_field_that_is_linear_in_space_is_read_back_at_every_point_of_every_face(flat, above):
    """With its own position as its light, each sample must be found where it lies: wrong axes or offsets show."""
    baked = bake(flat)
    rng = np.random.default_rng(7)
    count = 2003
    face = rng.integers(0, len(flat.faces), count).astype(np.int32)
    weights = rng.dirichlet((1.0, 1.0, 1.0), count)
    points = np.einsum("pc,pci->pi", weights, flat.vertices_m[flat.faces[face]])
    field = np.tile(baked.charts.position_m, (2, 1))
    found = wp.zeros(count, dtype=wp.vec3, device="cpu")
    wp.launch(
        read_light,
        dim=count,
        inputs=[
            baked.face_light,
            wp.array(field, dtype=wp.vec3, device="cpu"),
            wp.array(face, device="cpu"),
            wp.array(weights[:, 0].astype(np.float32), device="cpu"),
            wp.array(weights[:, 1].astype(np.float32), device="cpu"),
            above,
        ],
        outputs=[found],
        device="cpu",
    )
    off_m = np.linalg.norm(found.numpy() - points, axis=1)
    charts = baked.charts
    wide = charts.grid[face] & (charts.lumels[face, 1:] > 1).all(axis=1)
    assert 0.2 < wide.mean() < 1.0
    # Grids begin just within their faces. Narrow faces have one sample across, and corners are drawn in and welded.
    assert off_m[wide].max() < 1.5 * INSET_M
    assert np.median(off_m[wide]) < 1e-5
    assert off_m.max() < 0.075


def test_samples_lie_on_their_faces_and_look_where_the_shading_normals_look(flat):
    charts = make_charts(flat)
    normals = flat.face_normals[charts.face].mean(axis=1)
    np.testing.assert_allclose((normals * charts.normal).sum(axis=1), 1.0, atol=0.02)
    corner = flat.vertices_m[flat.faces[charts.face, 0]]
    assert np.abs(((charts.position_m - corner) * charts.normal).sum(axis=1)).max() < 1e-4
    assert np.abs((charts.tangent * charts.normal)[charts.columns * charts.rows > 1].sum(axis=1)).max() < 1e-5


def test_the_two_faces_of_a_quad_share_their_samples(maker):
    number = maker.add_object("wall", 1)
    maker.quad([(0, 0, 0), (3, 0, 0), (3, 2, 0), (0, 2, 0)], (0.0, 0.0, 1.0), 0, number, 1)
    charts = make_charts(maker.scene((Material((1.0, 1.0, 1.0)),), (), (), ()))
    assert charts.grid.all()
    np.testing.assert_array_equal(charts.lumels[0], charts.lumels[1])
    assert len(charts.position_m) == charts.columns[0] * charts.rows[0]
    assert charts.position_m.min() == pytest.approx(min(INSET_M, 0.0), abs=INSET_M + 1e-6)
    np.testing.assert_allclose(charts.position_m.max(axis=0), [3 - INSET_M, 2 - INSET_M, 0], atol=1e-5)


def test_faces_back_to_back_do_not_share_samples(maker):
    for sign, number in ((1.0, maker.add_object("wall", 1)), (-1.0, maker.add_object("wall", 1))):
        maker.quad([(0, 0, 0), (3, 0, 0), (3, 2, 0), (0, 2, 0)][:: int(sign)], (0.0, 0.0, sign), 0, number, 1)
    charts = make_charts(maker.scene((Material((1.0, 1.0, 1.0)),), (), (), ()))
    assert charts.lumels[0, 0] != charts.lumels[2, 0]
    assert set(np.sign(charts.normal[:, 2])) == {-1.0, 1.0}


def test_fine_meshes_and_large_halls_keep_the_number_of_samples_down(maker):
    """A bumpy sheet of 32,768 triangles, and a floor of a hectare."""
    side = 129
    x, z = np.meshgrid(np.linspace(0, 10, side), np.linspace(0, 10, side))
    y = 0.05 * np.sin(17 * x) * np.cos(13 * z)
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)
    a = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).reshape(-1)
    faces = np.concatenate([np.stack([a, a + side, a + 1], 1), np.stack([a + 1, a + side, a + side + 1], 1)])
    number = maker.add_object("floor", 1)
    maker.quad([(0, 0, 100), (100, 0, 100), (100, 0, 0), (0, 0, 0)], (0.0, 1.0, 0.0), 0, number, 1)
    hall = maker.scene((Material((1.0, 1.0, 1.0)),), (), (), ())
    sheet = replace(
        hall,
        vertices_m=vertices,
        faces=faces.astype(np.int32),
        face_uv=np.zeros((len(faces), 3, 2), dtype=np.float32),
        face_normals=np.tile(np.array([0, 1, 0], dtype=np.float32), (len(faces), 3, 1)),
        **{name: np.zeros(len(faces), dtype=np.int32) for name in ("face_material", "face_instance", "face_room")},
    )
    welded = make_charts(sheet)
    assert not welded.grid.any()
    assert 500 < len(welded.position_m) <= CORNERS_AT_MOST
    reach_m = np.linalg.norm(welded.position_m[welded.lumels] - vertices[faces], axis=2).max()
    assert reach_m < 2.0 * max(WELDS_M[:3])
    assert 5000 < len(make_charts(hall).position_m) <= GRID_SAMPLES_AT_MOST
