"""Sequences as they are stored, derived anew by rules of their own: nothing may contradict, and what is spoilt is found."""

import ast
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CHECKER = HERE / "check_dataset.py"
ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]),
}
SIX_KINDS = (
    "left_and_right",
    "how_do_I_get_there",
    "what_would_I_see_if",
    "object_motion",
    "scene_change",
    "single_object",
)
SCARCE = (
    "mixture of four",
    "mixture of three",
    "object motion",
    "scene change",
    "own trajectory",
    "how do I get there",
)


def collect(out: Path, *options: str) -> None:
    code = "import sys; from backsight.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "collect", "--out", str(out), "--workers", "1", *options]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def check(*data: Path, only: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHECKER), *map(str, data), "--only", only]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def six(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("independent") / "six"
    options = ["--num-sequences", "6", "--size", "96x72", "--seed", "3", "--places", "1", "--max-frames", "24"]
    options += ["--mean-frames", "20", "--scene-types", "living_room"]
    collect(out, *options, "--kinds", *SIX_KINDS)
    return out


def folder_of(data: Path, kind: str) -> Path:
    return next(data.glob(f"sequences/*/{kind}-*"))


def spoilt(data: Path, kind: str, out: Path, change: Callable[[dict], None]) -> subprocess.CompletedProcess[str]:
    """Return what the checker says of a copy of one sequence whose annotations were changed."""
    source = folder_of(data, kind)
    copy = out / "sequences" / source.parent.name / source.name
    shutil.copytree(source, copy)
    notes = msgspec.msgpack.decode((copy / "annotations.msgpack").read_bytes())
    change(notes)
    (copy / "annotations.msgpack").write_bytes(msgspec.msgpack.encode(notes))
    return check(out)


def test_nothing_contradicts_what_is_stored(six):
    done = check(six)
    assert done.returncode == 0, done.stdout
    assert "6 sequences" in done.stdout


def test_only_the_table_of_names_is_shared():
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name)
        for path in HERE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name for name in imported if name and name.startswith("backsight")} == {"backsight.records.vocabulary"}


def _flip_relation(notes: dict) -> None:
    item = next(item for item in notes["relations"] if item["relation"] == "left of")
    item["subject_id"], item["anchor_id"] = item["anchor_id"], item["subject_id"]


def _drop_relation(notes: dict) -> None:
    notes["relations"].pop()


def _is_plain(asked: dict) -> bool:
    return len(asked["target_instance_ids"]) == 1 and "where" not in asked["reasoning_type"]


def _swap_target(notes: dict) -> None:
    asked = next(a for a in notes["instructions"] if _is_plain(a) and a["distractor_ids"])
    asked["target_instance_ids"], asked["distractor_ids"] = asked["distractor_ids"][:1], asked["target_instance_ids"]


def _drop_distractor(notes: dict) -> None:
    next(a for a in notes["instructions"] if a["distractor_ids"])["distractor_ids"].pop()


def _change_answer(notes: dict) -> None:
    answers = {"left": "right", "right": "left", "visible now": "seen 2 frames ago"}
    asked = next(a for a in notes["instructions"] if a["answer"] in answers)
    asked["answer"] = answers[asked["answer"]]


def _change_colour_in_text(notes: dict) -> None:
    asked = next(a for a in notes["instructions"] if a["colour"] is not None)
    other = "pink" if asked["colour"] != "pink" else "teal"
    asked["text"] = asked["text"].replace(asked["colour"], other)


def _change_step(notes: dict) -> None:
    step = next(s for a in notes["instructions"] for s in a["steps"] if s["claim"] == "seen_in_frames")
    step["number"] += 1


def _grow_image_box(notes: dict) -> None:
    shown = notes["visible_objects"][0][0]
    shown["box_px"] = [*shown["box_px"][:3], shown["box_px"][3] + 1]


def _move_box(notes: dict) -> None:
    number = notes["visible_objects"][0][0]["instance_id"]
    box = next(item["box"] for item in notes["objects"] if item["instance_id"] == number)
    box["centre_m"] = [box["centre_m"][0] + 0.4, *box["centre_m"][1:]]


def _overlap_too_high(notes: dict) -> None:
    table = [list(row) for row in notes["covisible_percent"]]
    table[0][-1] = min(table[0][-1] + 20, 100) if table[0][-1] < 70 else table[0][-1] - 20
    notes["covisible_percent"] = table


def _state_of_a_track(notes: dict) -> None:
    part = next(p for t in notes["tracks"] for p in t["segments"] if p["state"] == "visible")
    part["state"] = "hidden"


@pytest.mark.parametrize(
    ("change", "sort"),
    [
        (_flip_relation, "relations: listed ones are true"),
        (_drop_relation, "relations: others are not"),
        (_swap_target, "targets: exactly the target fits"),
        (_drop_distractor, "distractors"),
        (_change_answer, "answers: "),
        (_change_colour_in_text, "words: fields are those of the text"),
        (_change_step, "steps: seen_in_frames"),
        (_grow_image_box, "visible objects: share and box"),
        (_move_box, "surfaces: in their boxes"),
        (_overlap_too_high, "overlap: share of two frames"),
        (_state_of_a_track, "tracks: seen or not"),
    ],
)
def test_what_is_spoilt_is_found(six, tmp_path, change, sort):
    done = spoilt(six, "left_and_right", tmp_path, change)
    assert done.returncode == 1, done.stderr
    assert f": {sort}" in done.stdout


def _first_of(notes: dict, reasoning_type: str) -> dict:
    return next(a for a in notes["instructions"] if a["reasoning_type"] == reasoning_type)


def _other_side(notes: dict) -> None:
    sides = {"on the left": "on the right", "in the middle": "on the left", "on the right": "in the middle"}
    asked = next(a for a in notes["instructions"] if a["answer"] in sides)
    asked["answer"] = sides[asked["answer"]]


def _other_pose(notes: dict) -> None:
    asked = _first_of(notes, "what_if")
    asked["text"] = (
        asked["text"]
        .replace("degrees to the left", "degrees to the RIGHT")
        .replace("degrees to the right", "degrees to the left")
        .replace("RIGHT", "right")
    )


def _mirrored_way(notes: dict) -> None:
    asked = _first_of(notes, "route")
    turns = {"turn left": "turn right", "turn right": "turn left", "turn around": "turn left"}
    first = next((words for words in turns if asked["answer"].startswith(words)), None)
    new = "turn around" if first is None else turns[first]
    asked["answer"] = asked["answer"].replace(first or "go straight ahead", new, 1)


def _goal_elsewhere(notes: dict) -> None:
    step = next(s for s in _first_of(notes, "route")["steps"] if s["claim"] == "way")
    step["points_m"][-1] = [step["points_m"][-1][0] + 3.0, *step["points_m"][-1][1:]]


def _motion_never_was(notes: dict) -> None:
    motion = notes["motions"][0]
    motion["centres_m"] = [motion["centres_m"][0]] * len(motion["centres_m"])


def _moved_too_late(notes: dict) -> None:
    motion = notes["motions"][0]
    motion["centres_m"] = [motion["centres_m"][0], *motion["centres_m"][:-1]]
    motion["yaws_rad"] = [motion["yaws_rad"][0], *motion["yaws_rad"][:-1]]


def _another_thing_moved(notes: dict) -> None:
    asked = next(a for a in notes["instructions"] if a["reasoning_type"] in ("scene_change", "object_motion"))
    other = next(
        i["instance_id"]
        for f in notes["visible_objects"]
        for i in f
        if i["instance_id"] not in asked["target_instance_ids"]
    )
    asked["target_instance_ids"] = [other]


@pytest.mark.parametrize(
    ("kind", "change", "sort"),
    [
        ("what_would_I_see_if", _other_side, "answers: imagined views"),
        ("what_would_I_see_if", _other_pose, "imagined views: pose is that of the words"),
        ("how_do_I_get_there", _mirrored_way, "ways: how they begin"),
        ("how_do_I_get_there", _goal_elsewhere, "ways: "),
        ("object_motion", _motion_never_was, "surfaces: moving things"),
        ("object_motion", _moved_too_late, "surfaces: moving things"),
        ("scene_change", _another_thing_moved, "targets: what moved"),
    ],
)
def test_what_is_spoilt_in_questions_of_other_sorts_is_found(six, tmp_path, kind, change, sort):
    done = spoilt(six, kind, tmp_path, change)
    assert done.returncode == 1, done.stderr
    assert f": {sort}" in done.stdout


def test_a_promise_that_is_not_kept_is_found(six, tmp_path):
    def call_it_rotation(notes: dict) -> None:
        notes["kind"] = "rotation in place"

    done = spoilt(six, "how_do_I_get_there", tmp_path, call_it_rotation)
    assert done.returncode == 1
    assert "promises: kept: no more than 0.5 m are walked" in done.stdout


def test_depth_in_another_unit_is_found(six, tmp_path):
    source = folder_of(six, "single_object")
    copy = tmp_path / "sequences" / source.parent.name / source.name
    shutil.copytree(source, copy)
    with zipfile.ZipFile(source / "depth.zip") as archive, zipfile.ZipFile(copy / "depth.zip", "w") as spoilt_archive:
        for name in archive.namelist():
            image = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
            spoilt_archive.writestr(name, cv2.imencode(".png", (image * 1.1).astype(np.uint16))[1].tobytes())
    done = check(tmp_path)
    assert done.returncode == 1
    assert ": surfaces: in their boxes" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_contradicts_a_hundred_sequences_of_all_kinds(tmp_path):
    collect(tmp_path / "all", "--num-sequences", "100", "--size", "128x96", "--seed", "11")
    collect(tmp_path / "scarce", "--num-sequences", "16", "--size", "128x96", "--seed", "12", "--kinds", *SCARCE)
    done = check(tmp_path / "all", tmp_path / "scarce")
    print(done.stdout)
    assert done.returncode == 0, done.stdout
