import json

import cv2
import pytest

from backsight.cli.main import main
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


def test_scenes_by_their_ids(tmp_path):
    wanted = "hallway-2+clutter=0.9"
    assert main(["scenes", "--ids", wanted, "--size", "96x96", "--views", "1", "--out", str(tmp_path)]) == 0
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
