"""What a kind promises, read from the tables of docs/collection.md, against measures taken in the plainest way."""

import math
import re
from pathlib import Path

import cv2
import numpy as np
from change_questions import in_view, stirred, unseen
from stored_facts import covered_cells, shared
from stored_walk import Walk, to_camera
from tally import Tally

DOCS = Path(__file__).parents[2] / "docs" / "collection.md"
_FORMS = {
    r"no more than ([\d.]+) m are walked": "path_at_most",
    r"([\d.]+) m are walked": "path",
    r"(\d+) turns of 60 degrees or more within 4 s": "sharp_turns",
    r"the camera climbs or descends ([\d.]+) m": "height",
    r"the gaze goes up and down by (\d+) degrees": "pitch",
    r"turns add up to (\d+) degrees": "turning",
    r"(\d+)% of the way is walked forwards": "forwards",
    r"(\d+)% of the way is walked backwards": "backwards",
    r"(\d+)% of the way is walked sideways": "sideways",
    r"views are spread over (\d+) degrees": "spread",
    r"each followed thing is in (\d+)% of the frames": "focus",
    r"the largest distance of the thing is ([\d.]+) times the smallest": "distances",
    r"the thing is hidden by others in (\d+)% of the frames": "hidden",
    r"(\d+) things are followed": "followed",
    r"things come back (once) after being out of sight": "returns",
    r"walls meet in (\d+)% of the frames": "corners",
    r"a door or window is in (\d+)% of the frames": "openings",
    r"a frame shows (\d+) pieces of furniture": "furniture",
    r"a frame shows (\d+) things": "things",
    r"neighbouring frames share (\d+)% of what they see": "overlap",
    r"(\d+) instructions are of its own type": "own_type",
    r"(one) thing moves in view": "moved_in_view",
    r"(one) thing has moved while nobody looked": "moved_unseen",
    r"the light changes (once)": "light_changes",
    r"the brightest frame has ([\d.]+) times the light of the darkest": "brightness",
    r"the picture moves (\d+) px while the shutter is open": "blur",
    r"(\d+)% of the surface of the planned rooms is seen": "coverage",
}
OWN_TYPES = {
    "behind and in front": "front_behind",
    "left and right": "left_right",
    "above and below": "above_below",
    "inside and outside": "inside_outside",
    "near and far": "near_far",
    "what would I see if": "what_if",
    "where is it from here": "where_from_here",
    "how do I get there": "route",
    "object motion": "object_motion",
    "own trajectory": "own_trajectory",
    "scene change": "scene_change",
}
LOOSE = {"coverage": 0.01, "corners": 0.15, "overlap": 0.03, "brightness": 0.05, "blur": 0.1}
"""Measures that are estimated otherwise here."""


def promises() -> dict[str, list[str]]:
    """Return the promises of each kind and challenge, in the words of the tables."""
    found: dict[str, list[str]] = {}
    for line in DOCS.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| ") and len(cells) in (2, 7) and cells[0] not in ("kind", "challenge", "option"):
            found.setdefault(cells[0], [part.strip() for part in cells[-1].split(";")])
    return found


_PROMISES = promises()


def check_promises(walk: Walk, tally: Tally) -> None:
    """Every promise of the walk's kind and challenges is kept."""
    kind = walk.notes["kind"]
    if not tally.hold("promises: kind is in the table", kind in _PROMISES, kind):
        return
    said = list(_PROMISES[kind])
    for challenge in walk.notes["challenges"]:
        said += [part for part in _PROMISES[challenge.replace("_", " ")] if part not in said]
    for words in said:
        if words == "those of its challenges":
            continue
        form = next(((name, m) for pattern, name in _FORMS.items() if (m := re.fullmatch(pattern, words))), None)
        if not tally.hold("promises: are of a known form", form is not None, words) or form is None:
            continue
        name, amount = form[0], {"one": "1", "once": "1"}.get(form[1][1], form[1][1])
        bound = float(amount) / (100.0 if "%" in words else 1.0)
        value = _MEASURES[name](walk)
        if name == "path_at_most":
            so = value <= bound + 1e-6
        else:
            so = value >= bound - 1e-6 - LOOSE.get(name, 0.0) * (1.0 if "%" in words else bound)
        tally.hold("promises: kept", so, f"{words}: {value:.3f}")


def _path(walk: Walk) -> float:
    return float(sum(np.linalg.norm(b - a) for a, b in zip(walk.poses[:-1, :3, 3], walk.poses[1:, :3, 3], strict=True)))


def _headings(walk: Walk) -> np.ndarray:
    """Degrees to the left of -z, without jumps."""
    return np.degrees(np.unwrap(np.arctan2(-walk.poses[:, 0, 2], -walk.poses[:, 2, 2])))


def _sharp_turns(walk: Walk) -> float:
    heading, reach = _headings(walk), math.floor(4.0 * walk.notes["frame_rate_hz"] + 1e-9)
    turns = [
        (end, start)
        for start in range(walk.frames)
        for end in range(start + 1, min(start + reach, walk.frames - 1) + 1)
        if abs(heading[end] - heading[start]) >= 60.0 - 1e-6
    ]
    count, free = 0, 0
    for end, start in sorted(turns):
        if start >= free:
            count, free = count + 1, end
    return float(count)


def _turning(walk: Walk) -> float:
    total = 0.0
    for a, b in zip(walk.poses[:-1, :3, :3], walk.poses[1:, :3, :3], strict=True):
        vector, _ = cv2.Rodrigues(a.T @ b)
        total += math.degrees(float(np.linalg.norm(vector)))
    return total


def _share_walked(walk: Walk, wanted: str) -> float:
    total = part = 0.0
    heading = np.radians(_headings(walk))
    for frame in range(walk.frames - 1):
        step = walk.poses[frame + 1, :3, 3] - walk.poses[frame, :3, 3]
        length = math.hypot(step[0], step[2])
        if length < 1e-9:
            continue
        look = (heading[frame] + heading[frame + 1]) / 2
        cosine = -(step[0] * math.sin(look) + step[2] * math.cos(look)) / length
        edge = math.cos(math.radians(45.0)) - 1e-9
        way = "forwards" if cosine >= edge else "backwards" if cosine <= -edge else "sideways"
        total, part = total + length, part + (length if way == wanted else 0.0)
    return part / total if total else 0.0


def _arc(directions: list[float]) -> float:
    """Smallest arc in degrees that holds directions in degrees."""
    if len(directions) < 2:
        return 0.0
    ordered = sorted(d % 360.0 for d in directions)
    return 360.0 - max(b - a for a, b in zip(ordered, [*ordered[1:], ordered[0] + 360.0], strict=True))


def _focus_places(walk: Walk) -> list[np.ndarray]:
    """Where the camera is from the first followed thing, in the frames that show it."""
    number = walk.notes["focus_ids"][0]
    return [
        walk.poses[frame, :3, 3] - walk.things(frame)[number].centre
        for frame in range(walk.frames)
        if walk.shares[frame, number] >= 0.001
    ]


def _spread(walk: Walk) -> float:
    if not walk.notes["focus_ids"]:
        return _arc(_headings(walk).tolist())
    return _arc([math.degrees(math.atan2(away[2], away[0])) for away in _focus_places(walk)])


def _distances(walk: Walk) -> float:
    lengths = [float(np.linalg.norm(away)) for away in _focus_places(walk)]
    return max(lengths) / min(lengths) if lengths else 0.0


def _hidden(walk: Walk) -> float:
    states = [t for t in walk.notes["tracks"] if t["instance_id"] == walk.notes["focus_ids"][0]]
    parts = [part for track in states for part in track["segments"] if part["state"] in ("hidden", "partly hidden")]
    return sum(part["last_frame"] - part["first_frame"] + 1 for part in parts) / walk.frames


def _shown(walk: Walk) -> np.ndarray:
    return walk.shares[:, walk.notes["focus_ids"]] >= 0.001


def _returns(walk: Walk) -> float:
    count = 0
    for column in _shown(walk).T:
        text = "".join("x" if shown else "." for shown in column)
        count += len(re.findall(r"(?<=x)\.{2,}(?=x)", text))
    return float(count)


def _openings(walk: Walk) -> float:
    numbers = [n for n, thing in walk.first_things.items() if thing.category in ("door", "window")]
    return float((walk.shares[:, numbers] >= 0.005).any(axis=1).mean())


def _things_shown(walk: Walk, share: float) -> float:
    return float((walk.shares[:, sorted(walk.furniture)] >= share).sum(axis=1).mean())


def _overlap(walk: Walk) -> float:
    pairs = [(f, f + 1) for f in range(walk.frames - 1)]
    return float(np.mean([shared(walk, *pair, 4)[0] for a, b in pairs for pair in ((a, b), (b, a))]))


def _corners(walk: Walk) -> float:
    """Share of frames in which, in a tenth of the rows, walls of two directions touch, by normals of depth."""
    walls = [n for n, thing in walk.first_things.items() if thing.category in ("wall", "building")]
    count = 0
    for frame in range(walk.frames):
        points = walk.points(frame)[1::2, 1::2]
        is_wall = np.isin(walk.ids[frame], walls)[1::2, 1::2]
        depth = walk.depth[frame][1::2, 1::2]
        normal = np.cross(points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1])
        normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
        good = is_wall[1:-1, 1:-1] & (np.abs(normal[..., 1]) < 0.15)
        apart = 4
        cosine = (normal[:, :-apart] * normal[:, apart:]).sum(axis=-1)
        inner = depth[1:-1, 1:-1]
        ratio = np.maximum(inner[:, :-apart], inner[:, apart:]) / np.maximum(
            np.minimum(inner[:, :-apart], inner[:, apart:]), 1e-3
        )
        meets = good[:, :-apart] & good[:, apart:] & (cosine <= math.cos(math.radians(20.0))) & (ratio < 1.3)
        count += meets.any(axis=1).mean() >= 0.1
    return count / walk.frames


def _brightness(walk: Walk) -> float:
    video = cv2.VideoCapture(str(walk.folder / "rgb.mp4"))
    light = []
    while True:
        read, picture = video.read()
        if not read:
            break
        value = picture.astype(np.float64) / 255.0
        light.append(np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).mean())
    video.release()
    return max(light) / min(light) if light else 0.0


def _blur(walk: Walk) -> float:
    """Mean motion, while the shutter is open, of the picture of what is 2 m straight ahead."""
    time = walk.notes["exposure_s"] * walk.notes["frame_rate_hz"]
    moved = []
    for frame in range(walk.frames):
        ends = [f for f in (frame - 1, frame + 1) if 0 <= f < walk.frames]
        ahead = walk.poses[frame][:3, 3] + 2.0 * walk.poses[frame][:3, 2]
        shift = np.zeros(2)
        for other in ends:
            seen_at = to_camera(walk.poses[other], ahead)
            shift += (other - frame) * seen_at[:2] / seen_at[2] * walk.lens[[0, 1], [0, 1]] / len(ends)
        moved.append(np.hypot(*shift) * time)
    return float(np.mean(moved))


def _own_type(walk: Walk) -> float:
    wanted = OWN_TYPES.get(walk.notes["kind"])
    return float(sum(asked["reasoning_type"] == wanted for asked in walk.notes["instructions"]))


def _coverage(walk: Walk) -> float:
    coverage = walk.notes["coverage"]
    return 1.0 if coverage is None else covered_cells(walk) / coverage["visible_cells"]


_MEASURES = {
    "path": _path,
    "path_at_most": _path,
    "sharp_turns": _sharp_turns,
    "height": lambda walk: float(np.ptp(walk.poses[:, 1, 3])),
    "pitch": lambda walk: float(np.ptp(np.degrees(np.arcsin(np.clip(walk.poses[:, 1, 2], -1.0, 1.0))))),
    "turning": _turning,
    "forwards": lambda walk: _share_walked(walk, "forwards"),
    "backwards": lambda walk: _share_walked(walk, "backwards"),
    "sideways": lambda walk: _share_walked(walk, "sideways"),
    "spread": _spread,
    "focus": lambda walk: float(_shown(walk).mean(axis=0).min()),
    "distances": _distances,
    "hidden": _hidden,
    "followed": lambda walk: float(_shown(walk).any(axis=0).sum()),
    "returns": _returns,
    "corners": _corners,
    "openings": _openings,
    "furniture": lambda walk: _things_shown(walk, 0.005),
    "things": lambda walk: _things_shown(walk, 16.0 / (128 * 96)),
    "overlap": _overlap,
    "own_type": _own_type,
    "moved_in_view": lambda walk: float(sum(in_view(walk, n, walk.frames) for n in walk.motions)),
    "moved_unseen": lambda walk: float(
        sum(unseen(walk, n, walk.frames) and bool(stirred(walk, n, walk.frames)) for n in walk.motions)
    ),
    "light_changes": lambda walk: float(sum(e["kind"] == "light_changed" for e in walk.notes["events"])),
    "brightness": _brightness,
    "blur": _blur,
    "coverage": _coverage,
}
