from pathlib import Path

import numpy as np
import pytest
import trimesh

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.build import build_scan
from backsight.sim.embedded.scans.levels import Faces, find_slabs, storey_height
from backsight.sim.embedded.scans.limits import ScanLimits
from backsight.sim.embedded.scans.orientation import UNITS, find_orientation, rotation_to_world
from backsight.sim.embedded.scenes.procedural import build_scene
from backsight.sim.embedded.scenes.scene_id import parse_scene_id

AXES = ("+x", "-x", "+y", "-y", "+z", "-z")
LIMITS = ScanLimits()


@pytest.fixture(scope="module")
def flats() -> dict[str, np.ndarray]:
    """Corners of made scenes, as a file without any label would hold them."""
    found = {}
    for name in ("flat-1", "living_room-3"):
        scene = build_scene(parse_scene_id(name))
        corners = scene.vertices_m[scene.faces].astype(np.float64)
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        found[name] = corners[area > 1e-12]
    return found


def oriented(corners, given=(None, None), usual=("+y", True), floor=None):
    faces = Faces.of(corners)
    floor = np.zeros(len(corners), dtype=bool) if floor is None else floor
    return find_orientation(Path("scene.glb"), faces, floor, given, usual, LIMITS)


@pytest.mark.parametrize("up", AXES)
def test_rotations_carry_the_axis_up_and_mirror_nothing(up):
    rotation = rotation_to_world(up)
    axis = np.zeros(3)
    axis["xyz".index(up[1])] = 1.0 if up[0] == "+" else -1.0
    np.testing.assert_array_equal(rotation @ axis, [0, 1, 0])
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3))
    assert np.linalg.det(rotation) == pytest.approx(1.0)


@pytest.mark.parametrize("up", ["-x", "-y", "+z"])
def test_up_is_found_without_labels_whatever_the_format_usually_has(up, flats):
    right = []
    for name, corners in flats.items():
        found = oriented(corners @ rotation_to_world(up))
        assert len(found.reasons) == 2
        # A single room can have all its furniture along one wall; then it says that it is not sure.
        assert found.up == up or "not sure" in found.reasons[0], (name, found.reasons)
        right.append(found.up == up and found.metres_per_unit == 1.0)
    assert any(right)


@pytest.mark.parametrize("up", AXES)
def test_up_is_found_in_a_plain_room(up, make_room):
    corners = make_room(ceiling=False).to_geometry().triangles
    found = oriented(corners @ rotation_to_world(up))
    assert (found.up, found.metres_per_unit) == (up, 1.0), found.reasons


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_found(unit, flats):
    for name, corners in flats.items():
        found = oriented(corners / UNITS[unit], given=("+y", None))
        assert found.metres_per_unit == UNITS[unit], name
        assert unit in found.reasons[0]


def test_storey_heights_are_measured(flats):
    heights = {
        name: storey_height(faces, find_slabs(faces)) for name, faces in ((n, Faces.of(c)) for n, c in flats.items())
    }
    for name, corners in flats.items():
        floor, ceiling = 0.0, np.quantile(corners[..., 1], 0.999)
        assert heights[name] == pytest.approx(ceiling - floor, abs=0.08), name


def test_a_floor_that_is_labelled_decides():
    # Nothing but a labelled slab and a block on one side of it, in a file that usually has +y up.
    slab = trimesh.creation.box(extents=(4.0, 3.0, 0.2)).triangles
    walls = trimesh.creation.box(extents=(4.0, 0.1, 2.6)).triangles + np.array([0, 1.5, -1.4])
    floor = np.arange(24) < 12
    found = oriented(np.concatenate([slab, walls]), floor=floor)
    assert (found.up, found.metres_per_unit) == ("-z", 1.0)
    assert "labelled 'floor'" in found.reasons[0]


def test_what_is_given_is_taken_and_not_remarked_on(flats):
    found = oriented(flats["flat-1"] * 7.0, given=("-x", 0.25))
    assert (found.up, found.metres_per_unit, found.reasons) == ("-x", 0.25, ())


def test_no_unit_fits_nonsense(flats):
    for factor in (1e-4, 13.0, 1e6):
        with pytest.raises(DataError, match=r"give metres_per_unit in scene\.glb\.backsight\.json"):
            oriented(flats["flat-1"] * factor, given=("+y", None), usual=("+y", False))


def test_noise_of_a_scanner_moves_floors_by_a_centimetre_at_most(flats):
    rng = np.random.default_rng(5)
    mesh = trimesh.creation.box(extents=(4.1, 2.6, 3.3))
    for _ in range(5):
        mesh = mesh.subdivide()
    corners = (mesh.vertices + rng.normal(scale=0.008, size=mesh.vertices.shape))[mesh.faces]
    slabs = find_slabs(Faces.of(corners))
    assert [slab.top for slab in slabs] == pytest.approx([-1.3, 1.3], abs=0.015)


def test_a_made_flat_comes_back_from_a_file(tmp_path):
    scene = build_scene(parse_scene_id("flat-2"))
    file_from_world = rotation_to_world("+z").T / 0.01
    mesh = trimesh.Trimesh(scene.vertices_m @ file_from_world.T, scene.faces, process=False)
    path = tmp_path / "flat.glb"
    path.write_bytes(trimesh.exchange.gltf.export_glb(trimesh.Scene(mesh)))
    scan = build_scan(path)
    assert any("up axis +z guessed" in note for note in scan.notes)
    assert any("centimetres" in note for note in scan.notes)
    (room,) = scan.scene.rooms
    low_x, low_z, high_x, high_z = room.bounds_m
    bounds = np.array([room.bounds_m for room in scene.rooms])
    assert (low_x, low_z) == pytest.approx(bounds[:, :2].min(axis=0), abs=0.2)
    assert (high_x, high_z) == pytest.approx(bounds[:, 2:].max(axis=0), abs=0.2)
    assert room.height_m == pytest.approx(scene.ceiling_m, abs=0.03)
