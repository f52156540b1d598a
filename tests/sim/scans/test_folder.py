import re

import pytest

from backsight.records.errors import DataError, UsageError
from backsight.sim.embedded.scans.folder import list_scans, place_of_scan, scan_hash, scan_path
from backsight.sim.embedded.simulator import EmbeddedSimulator
from backsight.storage.layout import SEQUENCE_ID_PATTERN


def test_scenes_are_listed_by_their_paths(tmp_path):
    for name in (
        "b.glb",
        "a/second.OBJ",
        "a/first.ply",
        ".hidden.glb",
        ".git/x.glb",
        "a/notes.txt",
        "b.glb.backsight.json",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert list_scans(tmp_path) == ["a/first.ply", "a/second.OBJ", "b.glb"]


def test_an_empty_or_missing_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="holds no scene"):
        list_scans(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        list_scans(tmp_path / "gone")


@pytest.mark.parametrize("scene_id", ["../x.glb", "/etc/x.glb", "a/../../x.glb", "a\\x.glb", "x.txt"])
def test_ids_stay_inside_the_folder(scene_id, tmp_path):
    (tmp_path / "scenes").mkdir()
    (tmp_path / "x.glb").write_bytes(b"x")
    with pytest.raises(UsageError):
        scan_path(tmp_path / "scenes", scene_id)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.glb: scene file: does not exist.*--scene-dir"):
        scan_path(tmp_path, "gone.glb")


def test_places_have_allowed_and_different_names():
    ids = [
        "kitchen.glb",
        "a/b.glb",
        "a_b.glb",
        "a b.glb",
        "büro.glb",
        "x" * 300 + "1.glb",
        "x" * 300 + "2.glb",
        ".glb/.a.glb",
    ]
    names = [place_of_scan(scene_id) for scene_id in ids]
    assert names[0] == "kitchen.glb"
    assert len(set(names)) == len(ids)
    assert all(SEQUENCE_ID_PATTERN.fullmatch(f"{name}-00123") for name in names), names
    assert re.fullmatch(r"a_b\.glb-[0-9a-f]{12}", names[1])


def test_the_hash_covers_side_car_and_side_files(make_room, write_scene):
    path = write_scene(make_room(), "set/room.obj")
    hashes = [scan_hash(path)]
    (path.parent / "room.mtl").write_text("newmtl Wall\nKd 1 0 0\nmap_Kd wall.png\n")
    hashes.append(scan_hash(path))
    (path.parent / "wall.png").write_bytes(b"picture")
    hashes.append(scan_hash(path))
    path.with_name("room.obj.backsight.json").write_text("{}")
    hashes.append(scan_hash(path))
    path.write_text(path.read_text() + "# more\n")
    hashes.append(scan_hash(path))
    assert len(set(hashes)) == 5
    assert scan_hash(path) == hashes[-1]
    model = write_scene(make_room(), "set/room.gltf")
    before = scan_hash(model)
    buffer = next(model.parent.glob("*.bin"))
    buffer.write_bytes(buffer.read_bytes() + b"\0")
    assert scan_hash(model) != before


def test_a_simulator_loads_files_and_made_scenes(make_room, write_scene, tmp_path):
    write_scene(make_room(), "set/room.glb")
    simulator = EmbeddedSimulator(scene_dir=tmp_path / "set")
    simulator.load_scene("room.glb")
    assert len(simulator.objects) == 13
    assert simulator.notes
    simulator.load_scene("flat-1")
    assert simulator.notes == ()
    with pytest.raises(UsageError, match="--scene-dir"):
        EmbeddedSimulator().load_scene("room.glb")
