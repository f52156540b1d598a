"""Ways told in words, to somewhere or of the walk itself: every clause against the way's points, rooms and boxes."""

import math
import re

import numpy as np
from box_rules import from_footprint
from sentences import Noun, read
from stored_walk import Thing, Walk
from tally import Tally
from thing_questions import check_distractors, fits_noun
from view_questions import left_turn

_CLAUSES = (
    ("passes", re.compile(r"^go past the (?P<what>.+) on your (?P<side>left|right)$")),
    ("enters_room", re.compile(r"^go (?P<door>through the door|on) (?:into|onto) the (?P<room>.+)$")),
    ("takes_stairs", re.compile(r"^go (?P<side>up|down) the stairs$")),
    ("turns", re.compile(r"^(?:after about (?P<metres>\d+) metres? )?turn (?P<side>left|right|around)$")),
    ("goes_on", re.compile(r"^walk on for about (?P<metres>\d+) metres?$")),
    ("stops_beside", re.compile(r"^stop beside the (?P<what>.+)$")),
    ("stops_in_doorway", re.compile(r"^stop in the doorway$")),
    ("stops_on_stairs", re.compile(r"^stop (?:while still )?on the stairs$")),
    ("stops_after", re.compile(r"^stop after about (?P<metres>\d+) metres? in all$")),
    ("stops_in_room", re.compile(r"^stop (?:there|(?:in|on) the (?P<room>.+))$")),
)
_BEGIN = re.compile(r"^(?:go straight |turn )(ahead|around|(?:slightly |sharply )?(?:left|right))")
_LENGTH = re.compile(r"^about (\d+) metres?$")
_BEGINNINGS = {
    "ahead": (-41, 41),
    "slightly left": (19, 61),
    "left": (39, 141),
    "sharply left": (119, 161),
    "slightly right": (-61, -19),
    "right": (-141, -39),
    "sharply right": (-161, -119),
}
"""Degrees to the left; what is beyond 139 either way is around."""
_TO_ROOM = re.compile(r"\b(?:to|reach|back to) the ([a-z ]+?)(?: from here| is|, how far is that)?[.?]")


class Polyline:
    """A way over the floor, measured as seen from above."""

    def __init__(self, points: np.ndarray) -> None:
        kept = [points[0]]
        for point in points[1:]:
            if np.hypot(*(point - kept[-1])[[0, 2]]) > 1e-9 or abs(point[1] - kept[-1][1]) > 1e-9:
                kept.append(point)
        self.points = np.array(kept)
        steps = np.hypot(*np.diff(self.points[:, [0, 2]], axis=0).T)
        self.along = np.concatenate([[0.0], np.cumsum(steps)])
        self.length = float(self.along[-1])

    def at(self, along: float) -> np.ndarray:
        """The point so many metres from the beginning."""
        return np.array([np.interp(along, self.along, self.points[:, axis]) for axis in range(3)])

    def turn_left_deg(self, along: float) -> float:
        """How far it turns to the left at a spot, between 0.8 m before and after."""
        before, after = self.at(along) - self.at(along - 0.8), self.at(along + 0.8) - self.at(along)
        if min(np.hypot(*before[[0, 2]]), np.hypot(*after[[0, 2]])) < 0.3:
            return 0.0  # It comes back on itself: what is left of the chord points anywhere.
        cross = before[2] * after[0] - before[0] * after[2]
        return math.degrees(math.atan2(cross, before[0] * after[0] + before[2] * after[2]))

    def spots(self, spacing: float = 0.05) -> np.ndarray:
        """Places along the way, evenly spaced."""
        return np.linspace(0.0, self.length, max(int(self.length / spacing), 1) + 1)


def split(text: str) -> list[str]:
    """Return the clauses of a way in words."""
    return [part for part in re.split(r", then |, ", text[0].lower() + text[1:].rstrip(".")) if part]


def check_route(walk: Walk, asked: dict, tally: Tally) -> None:
    """The way begins here, ends at what is named, is told as it goes; the place is its beginning."""
    name, frame = f"{asked['instruction_id']} {asked['text']!r}", asked["current_frame"]
    steps = {step["claim"]: step for step in asked["steps"]}
    so = "way" in steps and "first_turn" in steps
    if not tally.hold("ways: have a way", so, name):
        return
    way, seen = Polyline(np.array(steps["way"]["points_m"])), walk.seen(frame)
    camera = walk.poses[frame][:3, 3]
    so = np.hypot(*(way.points[0] - camera)[[0, 2]]) <= 0.35
    tally.hold("ways: begin under the camera", so, name)
    length = float(np.linalg.norm(np.diff(way.points, axis=0), axis=1).sum())
    so = abs(length - steps["way"]["number"]) <= max(0.05, 0.02 * length)
    tally.hold("ways: length", so, f"{name}: {length:.2f}, stated {steps['way']['number']}")
    goal = _check_goal(walk, asked, way, steps["way"], tally)
    _check_freedom(walk, way, frame, goal, name, tally)
    turn = left_turn(walk.poses[frame], way.at(min(1.0, way.length)) - way.points[0] + camera)
    word = steps["first_turn"]["word"]
    so = abs(turn) >= 139 if word == "around" else word in _BEGINNINGS
    so = so and (word == "around" or _BEGINNINGS[word][0] <= turn <= _BEGINNINGS[word][1])
    tally.hold("ways: how they begin", so, f"{name}: {word}, {turn:.0f}")
    _check_rooms(walk, [s for s in asked["steps"] if s["claim"] not in ("way", "first_turn")], way, name, tally)
    _check_stretch(asked, way, name, tally)
    check_distractors(asked, seen, set() if goal is None else {goal.number}, tally)
    only_length = _LENGTH.match(asked["answer"])
    if only_length is not None:
        so = abs(int(only_length[1]) - length) <= 0.5
        tally.hold("answers: length of a way", so, f"{name}: {asked['answer']}, {length:.2f} m")
        return
    clauses = split(asked["answer"])
    begin = _BEGIN.match(clauses[0])
    tally.hold("ways: how they begin", begin is not None and begin[1] == word, f"{name}: {clauses[0]}, {word}")
    told = [step for step in asked["steps"] if step["claim"] not in ("way", "first_turn")]
    rest = clauses[1:]
    goes_to = rest[-1] if len(rest) > len(told) else None
    if goes_to is not None:
        rest = rest[:-1]
        words = re.search(r"\bto the (.+)$", goes_to)
        tally.hold("ways: tell the goal", words is not None, f"{name}: {goes_to}")
    _check_clauses(walk, rest, told, way, frame, name, tally)


def _check_goal(walk: Walk, asked: dict, way: Polyline, step: dict, tally: Tally) -> Thing | None:
    """The way ends by the thing, or in the room, that the words name; return the thing."""
    name, seen = f"{asked['instruction_id']} {asked['text']!r}", walk.seen(asked["current_frame"])
    nouns = read(asked["text"]).nouns
    end = way.points[-1]
    if asked["category"] is None:
        room = _TO_ROOM.search(asked["text"].lower())
        kinds = {room["room_type"] for room in walk.room_of(end, 0.2)}
        tally.hold("ways: end where asked", room is not None and room[1] in kinds, f"{name}: {kinds}")
        return None
    said = (nouns[0].category, nouns[0].colour) if nouns else None
    stated = (asked["category"], asked["colour"])
    tally.hold("words: fields are those of the text", said == stated, f"{name} says {said}, stated {stated}")
    fitting = fits_noun(nouns[0], seen)
    so = len(fitting) == 1 and fitting[0].number == step["subject_id"]
    if not tally.hold("targets: exactly the target fits", so, f"{name} fits {[t.number for t in fitting]}"):
        return None
    gap = from_footprint(end[[0, 2]], fitting[0])
    tally.hold("ways: end where asked", gap <= 1.4, f"{name}: ends {gap:.2f} m from it")
    return fitting[0]


def _check_freedom(walk: Walk, way: Polyline, frame: int, goal: Thing | None, name: str, tally: Tally) -> None:
    """The way leaves rooms at doors and stairs alone, and goes through no furniture that stands in it."""
    doors = [thing for thing in walk.first_things.values() if thing.category in ("door", "stairs")]
    solid = [
        thing
        for number, thing in walk.things(frame).items()
        if number in walk.furniture and thing.size[1] > 0.3 and min(thing.size[0], thing.size[2]) > 0.2
    ]
    standing = walk.standing
    for along in way.spots(0.1):
        point = way.at(along)
        if doors and not walk.room_of(point, 0.05):
            near = min(from_footprint(point[[0, 2]], door) for door in doors)
            tally.hold("ways: leave rooms at doors", near <= 1.0, f"{name}: {near:.2f} m from a door at {along:.1f} m")
        for thing in solid:
            stands = thing.bottom < point[1] + 0.15 and thing.top > point[1] + 0.3
            # A box is not filled to its edges: leaves hang over, a barrow's blade is stood on.
            if stands and np.abs(thing.local(point)[[0, 2]] / thing.size[[0, 2]]).max() < 0.25:
                tally.hold("ways: keep out of furniture", False, f"{name}: in {thing.number} at {along:.1f} m")
        rise = standing[:, 1] - point[1]
        body = standing[(rise > 0.2) & (rise < 1.3)]
        near = np.hypot(body[:, 0] - point[0], body[:, 2] - point[2]).min(initial=np.inf)
        tally.hold("ways: keep clear of what was seen", near >= 0.14, f"{name}: {near:.2f} m from it at {along:.1f} m")
    tally.passed("ways: keep out of furniture", 1)


def _check_clauses(
    walk: Walk, clauses: list[str], steps: list[dict], way: Polyline, frame: int, name: str, tally: Tally
) -> None:
    """Each clause is of a known form, has its step, and is true at that step's spot, one after the other."""
    so = len(clauses) == len(steps)
    if not tally.hold("ways: a step for each clause", so, f"{name}: {clauses}, {[s['claim'] for s in steps]}"):
        return
    last = since = 0.0
    for clause, step in zip(clauses, steps, strict=True):
        form = next(((claim, m) for claim, pattern in _CLAUSES if (m := pattern.match(clause))), None)
        so = form is not None and form[0] == step["claim"]
        if not tally.hold("ways: a step for each clause", so, f"{name}: {clause}, {step['claim']}") or form is None:
            continue
        if step["points_m"]:
            spot = way.at(step["number"])
            away = np.hypot(*(spot - np.array(step["points_m"][0]))[[0, 2]])
            so = away <= 0.25 and step["number"] >= last - 1e-6
            tally.hold("ways: spots lie on them in order", so, f"{name}: {clause}, {away:.2f} m off")
            last = step["number"]
        so = _clause_is_so(walk, form[0], form[1], step, way, frame)
        tally.hold(f"ways: {step['claim']}", so, f"{name}: {clause}")
        if form[0] == "turns":
            # How far it is to a turn is counted from the turn before it, or from the start.
            so = form[1]["metres"] is None or abs(int(form[1]["metres"]) - (step["number"] - since)) <= 0.52
            tally.hold("ways: how far to a turn", so, f"{name}: {clause}, {step['number'] - since:.2f} m")
            since = step["number"]


def _clause_is_so(walk: Walk, claim: str, words: re.Match, step: dict, way: Polyline, frame: int) -> bool:
    spot = step["number"] if step["points_m"] else 0.0
    match claim:
        case "turns":
            left = way.turn_left_deg(spot)
            sides = {"left": 40 <= left <= 151, "right": -151 <= left <= -40, "around": abs(left) >= 129}
            return sides[words["side"]]
        case "enters_room":
            behind = way.at(spot + 0.35)
            into = {room["room_id"] for room in walk.room_of(behind, 0.2) if room["room_type"] == words["room"]}
            doors = [t for t in walk.first_things.values() if t.category == "door"]
            near = min((from_footprint(way.at(spot)[[0, 2]], door) for door in doors), default=math.inf)
            return step["other_ids"][1] in into and (words["door"] == "on" or near <= 0.7)
        case "takes_stairs":
            rise = way.points[-1][1] - way.points[0][1]
            return rise >= 1.0 if words["side"] == "up" else rise <= -1.0
        case "passes" | "stops_beside":
            thing = _named(walk, words["what"], step["subject_id"], frame)
            return thing is not None and _is_beside(way, spot, claim, words, thing)
        case "goes_on":
            return abs(int(words["metres"]) - step["number"]) <= 0.51 or step["number"] < 1.0
        case "stops_in_doorway":
            door = walk.first_things.get(step["subject_id"])
            end = way.points[-1]
            return door is not None and door.category == "door" and from_footprint(end[[0, 2]], door) <= 0.2
        case "stops_after":
            return abs(int(words["metres"]) - way.length) <= 0.75
        case "stops_in_room":
            end = way.points[-1]
            kinds = {room["room_type"] for room in walk.room_of(end, 0.2)}
            doors = [t for t in walk.first_things.values() if t.category == "door" and abs(t.bottom - end[1]) < 0.5]
            in_one = any(from_footprint(end[[0, 2]], door) <= 0.1 for door in doors)
            return not in_one and step["word"] in kinds and words["room"] in (None, step["word"])
        case _:
            return all(abs(way.points[-1][1] - room["floor_m"]) > 0.1 for room in walk.rooms.values())


def _named(walk: Walk, words: str, number: int, frame: int) -> Thing | None:
    """Return the one thing seen that words fit, where it is the one that is meant."""
    nouns: tuple[Noun, ...] = read(f"the {words}").nouns
    fitting = fits_noun(nouns[0], walk.seen(frame)) if nouns else []
    return fitting[0] if len(fitting) == 1 and fitting[0].number == number else None


def _is_beside(way: Polyline, spot: float, claim: str, words: re.Match, thing: Thing) -> bool:
    if claim == "stops_beside":
        return from_footprint(way.points[-1][[0, 2]], thing) <= 1.4
    here = way.at(spot)
    going = way.at(spot + 0.4) - way.at(spot - 0.4)
    away = thing.centre - here
    left = going[2] * away[0] - going[0] * away[2]
    side = "left" if left > 0 else "right"
    return from_footprint(here[[0, 2]], thing) <= 1.5 and side == words["side"]


def _check_rooms(walk: Walk, steps: list[dict], way: Polyline, name: str, tally: Tally) -> None:
    """The rooms that are told are those that the way goes through, in their order."""
    visited: list[int] = []
    for along in way.spots():
        rooms = {room["room_id"] for room in walk.room_of(way.at(along), -0.1)}
        if len(rooms) == 1 and (not visited or visited[-1] not in rooms):
            visited.append(rooms.pop())
    told = [step["other_ids"] for step in steps if step["claim"] == "enters_room"]
    flat = [pair[1] for pair in told]
    position = 0
    for number in flat:
        position = visited.index(number, position) + 1 if number in visited[position:] else -1
        if position < 0:
            break
    tally.hold("ways: rooms in order", position >= 0, f"{name}: goes through {visited}, told {told}")
    same_floor = {walk.rooms[number]["floor_m"] for number in visited}
    named = [number for number in visited[1:] if walk.rooms[number]["room_type"] != "room"]
    if len(same_floor) == 1:
        so = all(number in flat for number in named if _stay(walk, way, number) >= 0.6)
        tally.hold("ways: rooms are told", so, f"{name}: goes through {visited}, told {told}")
    turned = [s for s in way.spots() if 0.9 <= s <= way.length - 0.9 and abs(way.turn_left_deg(s)) >= 65]
    spots = [step["number"] for step in steps if step["claim"] == "turns"]
    so = all(any(abs(s - spot) <= 1.25 for spot in spots) for s in turned)
    tally.hold("ways: turns are told", so, f"{name}: turns at {np.round(turned, 1)}, told at {np.round(spots, 1)}")


def _stay(walk: Walk, way: Polyline, number: int) -> float:
    """How much of a way lies in a room, its walls aside."""
    inside = [number in {room["room_id"] for room in walk.room_of(way.at(s), -0.1)} for s in way.spots()]
    return float(np.mean(inside)) * way.length


def _check_stretch(asked: dict, way: Polyline, name: str, tally: Tally) -> None:
    """The place is the beginning of the way, up to 2.2 m of it."""
    stretch = Polyline(np.array(asked["target_place"]["points_m"]))
    away = max(float(np.linalg.norm(stretch.at(s) - way.at(s))) for s in stretch.spots())
    so = away <= 0.15 and 0.5 <= stretch.length <= 2.2
    tally.hold("ways: place is the next stretch", so, f"{name}: {away:.2f} m off, {stretch.length:.2f} m long")


def check_told_walk(walk: Walk, route: dict, tally: Tally) -> None:
    """The walk in words is the way of the cameras."""
    first, last = route["first_frame"], route["last_frame"]
    name = f"walk {route['text']!r}"
    cameras = walk.poses[first : last + 1, :3, 3]
    way = Polyline(cameras - [0.0, camera_height(walk), 0.0])
    clauses = split(route["text"])
    _check_clauses(walk, clauses, route["steps"], way, last, name, tally)
    _check_rooms(walk, route["steps"], way, name, tally)
    landmarks = [s["subject_id"] for s in route["steps"] if s["claim"] in ("passes", "stops_beside")]
    tally.hold("ways: landmarks", landmarks == list(route["landmark_ids"]), name)


def camera_height(walk: Walk) -> float:
    """Height of the cameras over the floor: the lowest of the readings, off floors that frames show, that are common.

    On stairs a reading is of the storey below or above.
    """
    floors = [number for number, thing in walk.first_things.items() if thing.category == "floor"]
    heights = []
    for frame in range(walk.frames):
        camera = walk.poses[frame][:3, 3]
        points = walk.points(frame)[np.isin(walk.ids[frame], floors) & (walk.depth[frame] > 0)]
        near = points[np.hypot(points[:, 0] - camera[0], points[:, 2] - camera[2]) < 2.5]
        if len(near):
            heights.append(float(camera[1] - np.median(near[:, 1])))
    if not heights:
        return 1.25
    read, counts = np.unique(np.round(heights, 2), return_counts=True)
    return float(read[(counts >= counts.max() / 2) & (read > 0.5)].min())
