"""What moved: events and motions against depth and ids, and questions about them."""

import math

import numpy as np
from box_rules import is_true
from sentences import read
from stored_walk import Walk
from tally import Tally
from thing_questions import check_distractors, fits_noun
from view_questions import from_here, metres

CHANGES = {"object_motion", "scene_change"}
LEAST_PIXELS = 12


def stirred(walk: Walk, number: int, last: int) -> list[int]:
    """Return the frames before `last` after which a thing has another place."""
    motion = walk.motions[number]
    centres, yaws = np.array(motion["centres_m"]), np.array(motion["yaws_rad"])
    apart = np.linalg.norm(np.diff(centres, axis=0), axis=1) > 1e-6
    return [int(f) for f in np.flatnonzero(apart | (np.abs(np.diff(yaws)) > 1e-6)) if f < last]


def check_events(walk: Walk, tally: Tally) -> None:
    """Events and motions name each other, and the thing's surface is where its box is said to be."""
    moved_events = [event for event in walk.notes["events"] if event["kind"] == "object_moved"]
    for motion in walk.notes["motions"]:
        so = len(motion["centres_m"]) == len(motion["yaws_rad"]) == walk.frames
        tally.hold("motions: a place for each frame", so, f"{motion['instance_id']}")
        start = walk.first_things[motion["instance_id"]]
        so = np.allclose(motion["centres_m"][0], start.centre) and abs(motion["yaws_rad"][0] - start.yaw) < 1e-9
        tally.hold("motions: begin where the box is", so, f"{motion['instance_id']}")
    for event in walk.notes["events"]:
        so = 0 <= event["first_frame"] < event["last_frame"] < walk.frames
        tally.hold("events: lie in the walk", so, f"{event}")
    starts = [event["first_frame"] for event in walk.notes["events"]]
    tally.hold("events: in order", starts == sorted(starts), f"{starts}")
    for number in walk.motions:
        frames = stirred(walk, number, walk.frames)
        spans = [
            (event["first_frame"], event["last_frame"]) for event in moved_events if event["instance_id"] == number
        ]
        so = all(any(a <= f < b for a, b in spans) for f in frames) and len(spans) > 0
        tally.hold("events: hold every motion", so, f"{number} moves at {frames}, events {spans}")
        _really_moved(walk, number, frames, tally)


def _really_moved(walk: Walk, number: int, frames: list[int], tally: Tally) -> None:
    """What was seen before lies in the old box and out of the new one, and the reverse."""
    if not frames:
        return
    first, last = frames[0], frames[-1] + 1
    before, after = walk.things(first)[number], walk.things(last)[number]
    if math.dist(before.centre, after.centre) < 0.3:
        return
    for own, other, some in ((before, after, range(first + 1)), (after, before, range(last, walk.frames))):
        outside = []
        for frame in some:
            where = (walk.ids[frame] == number) & (walk.depth[frame] > 0)
            if where.sum() < LEAST_PIXELS:
                continue
            points = walk.points(frame)[where]
            here = own.outside_by(points)
            tally.hold("motions: surface is in the stated box", np.mean(here < 0.05) > 0.9, f"{number} frame {frame}")
            outside.append(float(other.outside_by(points).max() - here.max()))
        # A long thing that slid along itself may show a part that lies in both boxes; not in every frame.
        so = not outside or max(outside) > 0.02
        tally.hold("motions: surface really moved", so, f"{number}: outside of its other box by {outside}")


def in_view(walk: Walk, number: int, last: int) -> bool:
    """Whether frames show a thing before and after it moved, and most of those between do."""
    frames = stirred(walk, number, last)
    if not frames:
        return False
    start, end = frames[0], frames[-1] + 1
    clear = walk.made_out(number)
    return bool(clear[start] and clear[end] and (walk.pixels[start : end + 1, number] > 0).mean() > 0.5)


def unseen(walk: Walk, number: int, last: int) -> bool:
    """Whether a thing was seen before and after it moved, and not while it did."""
    frames = stirred(walk, number, last)
    if not frames:
        return False
    clear, shown = walk.made_out(number)[: last + 1], walk.pixels[: last + 1, number] > 0
    caught = any(shown[f] and shown[f + 1] for f in frames) or shown[frames[0] + 1 : frames[-1] + 1].any()
    return bool(clear[: frames[0] + 1].any() and clear[frames[-1] + 1 :].any() and not caught)


def check_change(walk: Walk, asked: dict, tally: Tally) -> None:
    """What moved is the target, and the answer says how or where to."""
    name, frame = f"{asked['instruction_id']} {asked['text']!r}", asked["current_frame"]
    seen, target = walk.seen(frame), asked["target_instance_ids"]
    moved = sorted(number for number in walk.motions if stirred(walk, number, frame))
    if asked["category"] is not None:
        nouns = read(asked["text"]).nouns
        said, stated = (nouns[0].category, nouns[0].colour), (asked["category"], asked["colour"])
        tally.hold("words: fields are those of the text", said == stated, f"{name} says {said}, stated {stated}")
        fitting = [thing.number for thing in fits_noun(nouns[0], seen)]
        if not asked["answer"].endswith(" one"):
            tally.hold("targets: exactly the target fits", fitting == target, f"{name} fits {fitting}, stated {target}")
        moved = sorted(set(moved) & set(fitting))
    tally.hold("targets: what moved", moved == target, f"{name}: {moved} moved, stated {target}")
    check_distractors(asked, seen, set(target), tally)
    if target:
        rule = in_view if asked["reasoning_type"] == "object_motion" else unseen
        tally.hold("targets: moved in view, or not", rule(walk, target[0], frame), name)
    expected = _answers(walk, asked, target[0] if target else None)
    tally.hold("answers: what moved", asked["answer"] in expected, f"{name}: {asked['answer']!r}, is {expected}")


def _answers(walk: Walk, asked: dict, target: int | None) -> list[str]:
    """Return what the answer may be, by the question's words."""
    if target is None:
        return ["no"]
    low, frame = asked["text"].lower(), asked["current_frame"]
    thing = walk.things(frame)[target]
    names = _names(walk, target, frame)
    if asked["category"] is None:
        is_polar = low.startswith(("has anything", "has something", "did any", "did you", "did something", "is there"))
        is_polar = is_polar or low.startswith(("was anything", "tell me whether"))
        return [f"yes, {name}" for name in names] if is_polar else names
    if "clockwise" in low or "turn" in low:
        return [sense(walk, target, frame)]
    if low.startswith(("which ", "one ", "show me the", "find the", "point at", "tell me which")):
        is_which_one = f"{thing.category} moved" in low or f"{thing.category} that moved" in low
        is_which_one = is_which_one or any(w in low for w in ("which of the", "which one", f"which {thing.category}"))
        if is_which_one and "which way" not in low and "direction" not in low:
            return [f"the {thing.colour} one"]
    if asked["reasoning_type"] == "object_motion":
        return [way_moved(walk, target, frame)]
    lengths = ("how far", "how much", "how many", "what is the distance")
    if any(words in low for words in lengths) and "which way" not in low:
        frames, places = stirred(walk, target, frame), np.array(walk.motions[target]["centres_m"])
        away = places[frames[-1] + 1] - places[frames[0]]
        return [metres(float(np.hypot(away[0], away[2])))]
    return [from_here(walk.poses[frame], thing.centre)]


def _names(walk: Walk, number: int, frame: int) -> list[str]:
    """Return the names that tell a thing from others; where none does, its category."""
    seen = walk.seen(frame)
    thing = seen[number]
    names = [f"the {thing.category}", f"the {thing.colour} {thing.category}"]
    clear = [name for name in names if [t.number for t in fits_noun(read(name).nouns[0], seen)] == [number]]
    return clear or names[:1]


def sense(walk: Walk, number: int, frame: int) -> str:
    """Return which way a thing turned, seen from above; yaw grows to the left."""
    frames, yaws = stirred(walk, number, frame), walk.motions[number]["yaws_rad"]
    return "counter-clockwise" if yaws[frames[-1] + 1] > yaws[frames[0]] else "clockwise"


def way_moved(walk: Walk, number: int, frame: int) -> str:
    """Return which way a thing moved, as the camera of the last frame before saw it."""
    frames, places = stirred(walk, number, frame), np.array(walk.motions[number]["centres_m"])
    start, step = places[frames[0]], places[frames[-1] + 1] - places[frames[0]]
    camera = walk.poses[frames[0]][:3, 3]
    away = (start - camera) * [1, 0, 1]
    away /= np.linalg.norm(away)
    right = np.array([-away[2], 0.0, away[0]])
    ahead_m, right_m = float(step @ away), float(step @ right)
    if abs(ahead_m) >= abs(right_m):
        return "away from me" if ahead_m > 0 else "towards me"
    return "to the right" if right_m > 0 else "to the left"


def check_change_step(walk: Walk, asked: dict, step: dict, tally: Tally) -> bool:
    """Check a step about what moved; return whether it is one."""
    frame, number = asked["current_frame"], step["subject_id"]
    frames = stirred(walk, number, frame) if number in walk.motions else []
    span = (frames[0], frames[-1] + 1) if frames else None
    match step["claim"]:
        case "moved_in_view":
            so = (step["frame"], step["number"]) == span and in_view(walk, number, frame)
        case "moved_unseen":
            so = (step["frame"], step["number"]) == span and unseen(walk, number, frame)
        case "none_moved":
            so = not any(stirred(walk, n, frame) for n in walk.motions)
        case "moved_towards":
            so = span is not None and step["frame"] == span[0] and way_moved(walk, number, frame) == step["word"]
        case "turned":
            so = span is not None and sense(walk, number, frame) == step["word"]
        case "moved_by":
            places = np.array(walk.motions[number]["centres_m"])
            away = places[span[1]] - places[span[0]] if span else np.zeros(3)
            so = abs(np.hypot(away[0], away[2]) - step["number"]) <= 0.5
        case "was_next_to":
            then, now = walk.things(step["frame"]), walk.things(frame)
            other = step["other_ids"][0]
            so = is_true("next to", then[number], then[other]) is not False
            so = so and is_true("next to", now[number], now[other]) is not True
        case _:
            return False
    tally.hold(f"steps: {step['claim']}", so, f"{asked['instruction_id']}: {step['text']!r}")
    return True
