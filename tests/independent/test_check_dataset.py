"""Stored sequences, derived anew by rules of their own: nothing contradicts, and what is spoilt is found."""

import ast
import math
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
    "left and right",
    "how do I get there",
    "what would I see if",
    "object motion",
    "scene change",
    "own trajectory",
)
"""Of about the same weight, so that six sequences are one of each."""
SCARCE = {
    "challenges": (6, ("mixture of four", "changing light", "clutter", "scale variation")),
    "time": (12, ("inside and outside", "object motion", "scene change", "own trajectory", "how do I get there")),
}
"""Kinds that a hundred sequences hold few of."""


def collect(out: Path, *options: str) -> int:
    code = "import sys; from backsight.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "collect", "--out", str(out), "--workers", "1", *options]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    # 1: some were given up, which is told; the others are there.
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return len(list(out.glob("sequences/*/*")))


def check(*data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHECKER), *map(str, data), "--shown", "2000"]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def six(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("independent") / "six"
    options = ["--num-sequences", "6", "--size", "96x72", "--seed", "1", "--places", "1", "--max-frames", "32"]
    assert collect(out, *options, "--mean-frames", "24", "--scene-types", "flat", "--kinds", *SIX_KINDS) == 6
    return out


def notes_of(sequence: Path) -> dict:
    return msgspec.msgpack.decode((sequence / "annotations.msgpack").read_bytes())


def travelled_m(sequence: Path) -> float:
    """Return how far the thing that moves gets; 0 where it only turns."""
    motion = notes_of(sequence)["motions"][0]
    return math.dist(motion["centres_m"][0], motion["centres_m"][-1])


@pytest.fixture(scope="module")
def motion(tmp_path_factory) -> Path:
    """Return a sequence in which a thing travels: that a small one only turns shows in too few pixels to be denied."""
    out = tmp_path_factory.mktemp("independent") / "motion"
    options = ["--num-sequences", "6", "--size", "96x72", "--seed", "1", "--places", "1", "--max-frames", "16"]
    collect(out, *options, "--mean-frames", "16", "--scene-types", "flat", "--kinds", "object motion")
    found = max(out.glob("sequences/*/*"), key=travelled_m)
    assert travelled_m(found) >= 0.3
    return found


@pytest.fixture(scope="module")
def found(six, motion, tmp_path_factory) -> str:
    """Return what the checker says of one spoilt copy for each fault, all in one run."""
    out = tmp_path_factory.mktemp("spoilt") / "sequences" / "all"
    stored = {kind: next(six.glob(f"sequences/*/{kind.replace(' ', '_')}-*")) for kind in SIX_KINDS}
    stored["object motion"] = motion
    for change, (kind, _) in FAULTS.items():
        copy = shutil.copytree(stored[kind], out / change.__name__)
        notes = notes_of(copy)
        change(notes)
        (copy / "annotations.msgpack").write_bytes(msgspec.msgpack.encode(notes))
    _scale_depth(shutil.copytree(stored["left and right"], out / "_scale_depth") / "depth.zip")
    done = check(out.parents[1])
    assert (done.returncode, done.stderr) == (1, "")
    return done.stdout


def _scale_depth(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            archive.writestr(name, cv2.imencode(".png", (image * 1.1).astype(np.uint16))[1].tobytes())


def test_nothing_contradicts_what_is_stored(six):
    done = check(six)
    assert done.returncode == 0, done.stdout + done.stderr
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
    ways = (a for a in notes["instructions"] if a["reasoning_type"] == "route")
    asked = next(a for a in ways if not a["answer"].startswith("about "))
    turns = {"left": "right", "right": "left", "around": "left"}
    first, comma, rest = asked["answer"].partition(",")
    side = next((word for word in turns if first.endswith(word)), None)
    turned = "turn around" if side is None else first.removesuffix(side) + turns[side]
    asked["answer"] = turned + comma + rest


def _longer_way(notes: dict) -> None:
    ways = (a for a in notes["instructions"] if a["reasoning_type"] == "route")
    asked = next(a for a in ways if a["answer"].startswith("about "))
    asked["answer"] = f"about {int(asked['answer'].split()[1]) + 1} metres"


def _goal_elsewhere(notes: dict) -> None:
    step = next(s for s in _first_of(notes, "route")["steps"] if s["claim"] == "way")
    step["points_m"][-1] = [step["points_m"][-1][0] + 3.0, *step["points_m"][-1][1:]]


def _through_what_stands(notes: dict) -> None:
    step = next(s for s in _first_of(notes, "route")["steps"] if s["claim"] == "way")
    shown = [thing for frame in notes["visible_objects"] for thing in frame]
    high = {o["instance_id"]: o["box"]["centre_m"] for o in notes["objects"] if o["box"]["size_m"][1] > 0.8}
    most = max((thing for thing in shown if thing["instance_id"] in high), key=lambda thing: thing["pixel_share"])
    centre = high[most["instance_id"]]
    step["points_m"].insert(1, [centre[0], step["points_m"][0][1], centre[2]])


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


def _call_it_rotation(notes: dict) -> None:
    notes["kind"] = "rotation in place"


def _room_of_the_walk(notes: dict) -> None:
    asked = _first_of(notes, "own_trajectory")
    asked["answer"] = "in the kitchen" if asked["answer"].startswith("in the ") else "ahead, about 9 metres away"


FAULTS: dict[Callable[[dict], None], tuple[str, str]] = {
    _flip_relation: ("left and right", "relations: listed ones are true"),
    _drop_relation: ("left and right", "relations: others are not"),
    _swap_target: ("left and right", "targets: exactly the target fits"),
    _drop_distractor: ("left and right", "distractors"),
    _change_answer: ("left and right", "answers: "),
    _change_colour_in_text: ("left and right", "words: fields are those of the text"),
    _change_step: ("left and right", "steps: seen_in_frames"),
    _grow_image_box: ("left and right", "visible objects: share and box"),
    _move_box: ("left and right", "surfaces: in their boxes"),
    _overlap_too_high: ("left and right", "overlap: share of two frames"),
    _state_of_a_track: ("left and right", "tracks: seen or not"),
    _other_side: ("what would I see if", "answers: imagined views"),
    _other_pose: ("what would I see if", "imagined views: pose is that of the words"),
    _mirrored_way: ("how do I get there", "ways: how they begin"),
    _longer_way: ("how do I get there", "answers: length of a way"),
    _goal_elsewhere: ("how do I get there", "ways: "),
    _through_what_stands: ("how do I get there", "ways: keep clear of what was seen"),
    _call_it_rotation: ("how do I get there", "promises: kept: no more than 0.5 m are walked"),
    _motion_never_was: ("object motion", "surfaces: moving things"),
    _moved_too_late: ("object motion", "surfaces: moving things"),
    _another_thing_moved: ("scene change", "targets: what moved"),
    _room_of_the_walk: ("own trajectory", "answers: "),
}
"""What is done to a copy, of which kind, and what the checker says then."""


@pytest.mark.parametrize("change", FAULTS, ids=lambda change: change.__name__[1:])
def test_what_is_spoilt_is_found(found, change):
    assert f"\n{change.__name__}: {FAULTS[change][1]}" in found


def test_depth_in_another_unit_is_found(found):
    assert "\n_scale_depth: surfaces: in their boxes" in found


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_contradicts_a_hundred_sequences_of_all_kinds(tmp_path):
    count = collect(tmp_path / "all", "--num-sequences", "100", "--size", "128x96", "--seed", "11")
    for name, (number, kinds) in SCARCE.items():
        options = ["--num-sequences", str(number), "--size", "128x96", "--seed", "12", "--kinds", *kinds]
        count += collect(tmp_path / name, *options)
    assert count >= 100
    done = check(tmp_path / "all", *(tmp_path / name for name in SCARCE))
    print(done.stdout)
    assert done.returncode == 0, done.stdout
