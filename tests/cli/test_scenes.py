import json

import cv2
import pytest

from backsight.cli.main import main
from backsight.cli.scenes import fitting_columns
from backsight.evaluate.scene_counts import RELATION_WORDS


def test_two_scenes_of_a_type_end_to_end(capsys, tmp_path):
    out = tmp_path / "sheet"
    arguments = ["--types", "study", "--seeds", "2", "--first-seed", "5", "--size", "120x96", "--views", "2"]
    assert main(["scenes", *arguments, "--out", str(out)]) == 0
    picture = cv2.imread(str(out / "sheet.png"))
    assert picture.shape[1] == 2 * 24 + 3 * 120 + 2 * 8
    assert picture.shape[0] > 2 * 96
    content = json.loads((out / "scenes.json").read_text())
    assert [scene["scene_id"] for scene in content["scenes"]] == ["study-5", "study-6"]
    assert content["scenes"][0]["categories"] != content["scenes"][1]["categories"]
    assert set(content["scenes"][0]["relations"]) == set(RELATION_WORDS)
    assert content["scenes"][0]["triangles"] > 500
    printed = capsys.readouterr().out
    assert "study" in printed
    assert "sheet.png" in printed
    tables = (out / "counts.md").read_text()
    assert tables.count("| study |") == 2
    again = tmp_path / "again"
    assert main(["scenes", *arguments, "--out", str(again)]) == 0
    assert all((again / name).read_bytes() == (out / name).read_bytes() for name in ("sheet.png", "scenes.json"))


def test_a_table_is_parted_where_the_console_is_narrow():
    rows = [("type", "in front of", "on"), ("two_storey_house", "1,234", "7")]
    assert fitting_columns(rows, 80) == [rows]
    assert fitting_columns(rows, 25) == [[row[:2] for row in rows], [row[::2] for row in rows]]
    assert fitting_columns(rows, 3) == fitting_columns(rows, 25)


def test_scenes_by_their_ids(tmp_path):
    wanted = "hallway-2+clutter=0.9"
    assert (
        main(["scenes", "--ids", wanted, "--size", "96x96", "--views", "1", "--out", str(tmp_path), "--format", "jpg"])
        == 0
    )
    assert cv2.imread(str(tmp_path / "sheet.jpg")).shape[1] == 2 * 24 + 2 * 96 + 8
    content = json.loads((tmp_path / "scenes.json").read_text())
    assert [(scene["scene_id"], scene["scene_type"]) for scene in content["scenes"]] == [(wanted, "hallway")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--types", "study", "kichen"], "did you mean 'kitchen'"),
        (["--types", "spaceship"], "There are: living_room, bedroom"),
        (["--ids", "shopp-3"], "did you mean 'shop'"),
        (["--ids", "shop-3+cluter=1"], "clutter"),
    ],
)
def test_unknown_scenes_are_refused_before_anything_is_made(arguments, told, capsys, tmp_path):
    out = tmp_path / "sheet"
    assert main(["scenes", *arguments, "--out", str(out)]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(("option", "value"), [("--size", "50x50"), ("--size", "large"), ("--views", "0")])
def test_impossible_pictures_are_refused(option, value, capsys, tmp_path):
    with pytest.raises(SystemExit) as caught:
        main(["scenes", option, value, "--out", str(tmp_path / "sheet")])
    assert caught.value.code == 2
    assert option[2:] in capsys.readouterr().err


def box_lines(name, low, high, first):
    """Lines of an OBJ file that describe a closed box."""
    corners = [(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    sides = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]
    faces = ["f " + " ".join(str(first + corner - 1) for corner in side) for side in sides]
    return [f"o {name}", *("v {} {} {}".format(*corner) for corner in corners), *faces]


def test_a_folder_of_scene_files(capsys, tmp_path):
    boxes = [
        ("floor", (0.0, -0.1, 0.0), (5.0, 0.0, 4.0)),
        ("wall", (0.0, 0.0, -0.1), (5.0, 2.6, 0.0)),
        ("wall_2", (-0.1, 0.0, 0.0), (0.0, 2.6, 4.0)),
        ("table", (1.5, 0.0, 0.5), (3.1, 0.75, 1.3)),
        ("basket", (1.7, 0.0, 0.7), (2.0, 0.3, 0.9)),
        ("vase", (2.4, 0.75, 0.8), (2.6, 1.0, 1.0)),
    ]
    folder = tmp_path / "scans" / "upper"
    folder.mkdir(parents=True)
    lines = [line for index, box in enumerate(boxes) for line in box_lines(*box, 8 * index + 1)]
    (folder / "den.obj").write_text("\n".join(lines))
    out = tmp_path / "sheet"
    arguments = ["--scene-dir", str(tmp_path / "scans"), "--size", "96x96", "--views", "1", "--out", str(out)]
    assert main(["scenes", *arguments]) == 0
    (scene,) = json.loads((out / "scenes.json").read_text())["scenes"]
    assert (scene["scene_id"], scene["scene_type"]) == ("upper/den.obj", "scan")
    assert scene["categories"] == {"basket": 1, "table": 1, "vase": 1}
    assert scene["relations"]["on"] == scene["relations"]["under"] == 1
    assert "upper/den.obj: " in capsys.readouterr().err
    assert main(["scenes", *arguments, "--ids", "upper/dne.obj"]) == 2
