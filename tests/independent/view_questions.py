"""Questions about imagined views, and about where things are from here."""

import math
import re

import numpy as np
from sentences import read
from stored_walk import Walk, to_camera
from tally import Tally
from thing_questions import check_distractors, fits_noun

EIGHT = (
    "ahead",
    "ahead to the left",
    "to the left",
    "behind to the left",
    "behind",
    "behind to the right",
    "to the right",
    "ahead to the right",
)
"""Turning left."""
SIDES = ("on the left", "in the middle", "on the right")
_LENGTHS = {"a quarter of a metre": 0.25, "half a metre": 0.5}
_STEP = re.compile(r"mov(?:ed|e|ing) (a quarter of a metre|half a metre) (forward|back|to the left|to the right)")
_FAR = re.compile(r"\b(how far|how many metres|distance|how long)\b")
_WHICH_WAY = re.compile(r"\b(direction|which way)\b")
_TURN = re.compile(r"turn(?:ed|ing)? (\d+) degrees to the (left|right)")


def level_axes(pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ahead and to the right on the floor, in the world."""
    ahead = np.array([pose[0, 2], 0.0, pose[2, 2]])
    ahead /= np.linalg.norm(ahead)
    return ahead, np.array([-ahead[2], 0.0, ahead[0]])


def left_turn(pose: np.ndarray, point: np.ndarray) -> float:
    """Degrees that a viewer turns to the left to face a point, -180 to 180."""
    ahead, right = level_axes(pose)
    away = point - pose[:3, 3]
    return math.degrees(math.atan2(-(away @ right), away @ ahead))


def direction_of(pose: np.ndarray, point: np.ndarray) -> str:
    """The nearest of eight directions."""
    return EIGHT[round(left_turn(pose, point) / 45.0) % 8]


def level_distance(pose: np.ndarray, point: np.ndarray) -> float:
    """Distance seen from above."""
    return float(np.hypot(point[0] - pose[0, 3], point[2] - pose[2, 3]))


def metres(number: float) -> str:
    """A length in words."""
    return "about 1 metre" if round(number) == 1 else f"about {round(number)} metres"


def from_here(pose: np.ndarray, point: np.ndarray) -> str:
    """Direction and distance in words."""
    return f"{direction_of(pose, point)}, {metres(level_distance(pose, point))} away"


def named_thing(walk: Walk, asked: dict, tally: Tally) -> int | None:
    """Return the one thing that the first noun of a question fits."""
    seen, nouns = walk.seen(asked["current_frame"]), read(asked["text"]).nouns
    name = f"{asked['instruction_id']} {asked['text']!r}"
    if not tally.hold("words: a thing is named", nouns, name):
        return None
    said, stated = (nouns[0].category, nouns[0].colour), (asked["category"], asked["colour"])
    tally.hold("words: fields are those of the text", said == stated, f"{name} says {said}, stated {stated}")
    fitting = [thing.number for thing in fits_noun(nouns[0], seen)]
    sort = "targets: exactly the target fits"
    if not tally.hold(sort, len(fitting) == 1, f"{name} fits {fitting}"):
        return None
    check_distractors(asked, seen, {fitting[0]}, tally)
    return fitting[0]


def _is_target(asked: dict, number: int | None, tally: Tally) -> None:
    stated = asked["target_instance_ids"]
    sort = "targets: exactly the target fits"
    tally.hold(sort, stated == [number], f"{asked['instruction_id']} is about {number}, stated {stated}")


def asked_pose(text: str, pose: np.ndarray) -> np.ndarray:
    """Return the pose that the words of a question ask for, from the current one."""
    wanted = pose.copy()
    ahead, right = level_axes(pose)
    step = _STEP.search(text)
    if step is not None:
        way = {"forward": ahead, "back": -ahead, "to the right": right, "to the left": -right}[step[2]]
        wanted[:3, 3] += _LENGTHS[step[1]] * way
    turn = _TURN.search(text)
    angle = 0.0 if turn is None else math.radians(float(turn[1])) * (1.0 if turn[2] == "left" else -1.0)
    cos, sin = math.cos(angle), math.sin(angle)
    wanted[:3, :3] = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]]) @ pose[:3, :3]
    return wanted


def check_what_if(walk: Walk, asked: dict, tally: Tally) -> None:
    """The view is the one that the words ask for, and shows the thing where the answer says."""
    name, frame, index = f"{asked['instruction_id']} {asked['text']!r}", asked["current_frame"], asked["imagined_view"]
    pose = walk.imagined_poses[index]
    so = np.abs(asked_pose(asked["text"], walk.poses[frame]) - pose).max() < 2e-3
    so = so and walk.notes["imagined"][index]["current_frame"] == frame
    tally.hold("imagined views: pose is that of the words", so, name)
    ids = walk.imagined_ids[index]
    if asked["category"] is None:
        middle = ids[walk.height // 2 - 1 : walk.height // 2 + 1, walk.width // 2 - 1 : walk.width // 2 + 1]
        shown = set(middle.ravel().tolist())
        _is_target(asked, shown.pop() if len(shown) == 1 else None, tally)
        target = asked["target_instance_ids"][0]
        category = walk.first_things[target].category
        so = asked["answer"] == ("an " if category.startswith(tuple("aeiou")) else "a ") + category
        tally.hold("answers: imagined views", so, f"{name}: {asked['answer']!r}")
        return
    number = named_thing(walk, asked, tally)
    _is_target(asked, number, tally)
    columns = np.nonzero(ids == number)[1]
    if not tally.hold("answers: imagined views", len(columns), f"{name}: not shown"):
        return
    expected = SIDES[min(int((columns.mean() + 0.5) / walk.width * 3), 2)]
    tally.hold("answers: imagined views", asked["answer"] == expected, f"{name}: {asked['answer']!r}, is {expected!r}")


def check_from_here(walk: Walk, asked: dict, tally: Tally) -> None:
    """Direction and distance of the thing that is named."""
    frame, number = asked["current_frame"], named_thing(walk, asked, tally)
    _is_target(asked, number, tally)
    if number is not None:
        check_from_here_answer(walk, asked, walk.things(frame)[number].centre, tally)


def check_from_here_answer(walk: Walk, asked: dict, point: np.ndarray, tally: Tally) -> None:
    """The answer is where a point lies from the current frame."""
    pose, low = walk.poses[asked["current_frame"]], asked["text"].lower()
    both, way, far = from_here(pose, point), direction_of(pose, point), metres(level_distance(pose, point))
    expected = [both, way] if not _FAR.search(low) else [both] if _WHICH_WAY.search(low) else [far]
    name = f"{asked['instruction_id']} {asked['text']!r}: {asked['answer']!r}, is {expected}"
    tally.hold("answers: direction and distance", asked["answer"] in expected, name)


def check_view_step(walk: Walk, asked: dict, step: dict, tally: Tally) -> bool:
    """Check a step about viewpoints; return whether it is one."""
    frame, number = asked["current_frame"], step["subject_id"]
    pose, things = walk.poses[frame], walk.things(frame)
    place = asked["target_place"]
    point = things[number].centre if number is not None else None
    if point is None and place is not None:
        point = np.array(place["points_m"][-1])
    match step["claim"]:
        case "direction_from_here" | "came_from":
            so = point is not None and direction_of(pose, point) == step["word"]
        case "distance_from_here":
            so = point is not None and abs(level_distance(pose, point) - step["number"]) <= 0.5
        case "side_in_imagined_view":
            ids = walk.imagined_ids[asked["imagined_view"]]
            columns = np.nonzero(ids == number)[1]
            so = len(columns) and SIDES[min(int((columns.mean() + 0.5) / walk.width * 3), 2)] == step["word"]
            seen_at = to_camera(walk.imagined_poses[asked["imagined_view"]], things[number].centre)
            share = (walk.lens[0, 0] * seen_at[0] / seen_at[2] + walk.lens[0, 2]) / walk.width
            so = so and SIDES[min(max(int(share * 3), 0), 2)] == step["word"]
        case "middle_of_imagined_view":
            ids = walk.imagined_ids[asked["imagined_view"]]
            so = ids[walk.height // 2, walk.width // 2] == number and things[number].category == step["word"]
        case _:
            return False
    tally.hold(f"steps: {step['claim']}", so, f"{asked['instruction_id']}: {step['text']!r}")
    return True
