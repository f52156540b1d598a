"""Questions about the walk itself: where the camera was, and from where it came."""

import re

import numpy as np
from stored_walk import Walk
from tally import Tally
from view_questions import check_from_here_answer, direction_of, named_thing

_AGO = re.compile(r"(\d+) seconds? ago", re.IGNORECASE)
_FIRST = re.compile(r"\bfirst\b")
_START = re.compile(r"\b(start|started|begin|began|beginning|set out|starting point)\b")
_ROOM = re.compile(r"\broom\b")


def check_own_walk(walk: Walk, asked: dict, tally: Tally) -> None:
    """The place is where the camera was when the words say, and the answer follows."""
    name, current = f"{asked['instruction_id']} {asked['text']!r}", asked["current_frame"]
    low = asked["text"].lower()
    place = asked["target_place"]
    points = np.array(place["points_m"])
    if re.search(r"\b(came|come|get here)\b", low) and not _FIRST.search(low):
        _check_way_back(walk, asked, points, tally)
        return
    frame = moment(walk, asked, tally)
    if not tally.hold("own walk: the words tell when", frame is not None and frame < current, name) or frame is None:
        return
    camera = walk.poses[frame][:3, 3]
    so = len(points) == 1 and np.hypot(*(points[0] - camera)[[0, 2]]) <= 0.15
    tally.hold("own walk: place is under the camera", so, f"{name}: {points[0]}, camera {camera}")
    rooms = walk.room_of(points[0], 0.2)
    so = any(abs(points[0][1] - room["floor_m"]) <= 0.1 for room in rooms)
    tally.hold("own walk: place is on a floor", so and abs(place["radius_m"] - 0.3) < 1e-9, name)
    if _ROOM.search(low):
        types = {room["room_type"] for room in walk.room_of(points[0], 0.0)}
        answers = {f"{'on' if kind == 'landing' else 'in'} the {kind}" for kind in types}
        tally.hold("answers: rooms of the walk", asked["answer"] in answers, f"{name}: {asked['answer']!r}, {types}")
    else:
        check_from_here_answer(walk, asked, points[0], tally)


def moment(walk: Walk, asked: dict, tally: Tally) -> int | None:
    """Return the frame that the words of a question speak of."""
    low = asked["text"].lower()
    ago = _AGO.search(low)
    if ago is not None:
        frames = float(ago[1]) * walk.notes["frame_rate_hz"]
        return asked["current_frame"] - round(frames) if abs(frames - round(frames)) < 1e-6 else None
    if _FIRST.search(low):
        number = named_thing(walk, asked, tally)
        return None if number is None else int(np.flatnonzero(walk.pixels[:, number])[0])
    return 0 if _START.search(low) else None


def _check_way_back(walk: Walk, asked: dict, points: np.ndarray, tally: Tally) -> None:
    """The way that one came begins here and goes back along the cameras, one after the other."""
    name, current = f"{asked['instruction_id']} {asked['text']!r}", asked["current_frame"]
    cameras = walk.poses[: current + 1, :3, 3]
    length = np.hypot(*np.diff(points[:, [0, 2]], axis=0).T).sum()
    tally.hold("own walk: length of the way back", 1.1 <= length <= 2.1, f"{name}: {length:.2f} m")
    starts = np.hypot(*(points[0] - cameras[-1])[[0, 2]]) <= 0.35
    # Distance of each point from each straight piece between neighbouring cameras.
    frame, on_walk = current, True
    for point in points:
        away = np.hypot(*(cameras[: frame + 1] - point)[:, [0, 2]].T)
        near = np.flatnonzero(away <= 0.5)
        on_walk = on_walk and len(near) > 0
        frame = int(near[-1]) if len(near) else frame
    tally.hold("own walk: way back is the way walked", starts and on_walk, name)
    word = direction_of(walk.poses[current], points[-1])
    # 'to the left' becomes 'from the left', 'ahead to the left' 'from the front on the left'.
    side = word.removeprefix("to ").replace("ahead", "the front").replace(" to ", " on ")
    expected = f"from {side}"
    so = asked["answer"] == expected
    tally.hold("answers: came from", so, f"{name}: {asked['answer']!r}, is {expected!r}")


def check_own_walk_step(walk: Walk, asked: dict, step: dict, tally: Tally) -> bool:
    """Check a step about where the camera was; return whether it is one."""
    frame = step["frame"]
    match step["claim"]:
        case "stood_at":
            point = np.array(asked["target_place"]["points_m"][0])
            so = np.hypot(*(walk.poses[frame][:3, 3] - point)[[0, 2]]) <= 0.15
        case "stood_in_room":
            camera = walk.poses[frame][:3, 3]
            so = any(
                room["room_type"] == step["word"] and room["floor_m"] < camera[1] < room["floor_m"] + room["height_m"]
                for room in walk.rooms.values()
                if room["bounds_m"][0] <= camera[0] <= room["bounds_m"][2]
                and room["bounds_m"][1] <= camera[2] <= room["bounds_m"][3]
            )
        case "first_seen":
            shown = np.flatnonzero(walk.pixels[:, step["subject_id"]])
            so = len(shown) and shown[0] == frame and walk.well(step["subject_id"])[frame]
        case _:
            return False
    tally.hold(f"steps: {step['claim']}", so, f"{asked['instruction_id']}: {step['text']!r}")
    return True
