"""Visible objects, relations, surfaces in their boxes, overlap, tracks and coverage, from depth, ids and poses."""

import math

import numpy as np
from box_rules import VIEWED, WORLD, is_true
from stored_walk import Thing, Walk, to_camera, to_world
from tally import Tally

NEAR_PLANE_M = 0.05


def check_visible(walk: Walk, tally: Tally) -> None:
    """Counts and image boxes of furniture are those of the instance maps, by falling share."""
    for frame in range(walk.frames):
        stated = {item["instance_id"]: item for item in walk.notes["visible_objects"][frame]}
        counts = walk.pixels[frame]
        shown = {number for number in walk.furniture if counts[number]}
        tally.hold("visible objects: which", set(stated) == shown, f"frame {frame}: {set(stated) ^ shown}")
        order = [item["pixel_share"] for item in walk.notes["visible_objects"][frame]]
        tally.hold("visible objects: order", order == sorted(order, reverse=True), f"frame {frame}")
        for number in shown & set(stated):
            rows, columns = np.nonzero(walk.ids[frame] == number)
            box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            share = counts[number] / (walk.width * walk.height)
            item = stated[number]
            so = list(item["box_px"]) == box and abs(item["pixel_share"] - share) < 1e-9
            tally.hold("visible objects: share and box", so, f"frame {frame}, {number}: {item}, is {share} {box}")


def check_relations(walk: Walk, tally: Tally) -> None:
    """What is listed is true, and what is true is listed."""
    listed: dict[int | None, set[tuple[int, str, int]]] = {}
    for item in walk.notes["relations"]:
        listed.setdefault(item["frame"], set()).add((item["subject_id"], item["relation"], item["anchor_id"]))
    last = walk.frames - 1
    still = {n: t for n, t in walk.seen(last).items() if n not in walk.motions}
    _compare(walk, listed.pop(None, set()), still, still, None, tally)
    frames = sorted({asked["current_frame"] for asked in walk.notes["instructions"]} | set(listed))
    for frame in frames:
        seen = walk.seen(frame)
        shown = {n: t for n, t in seen.items() if walk.pixels[frame, n]}
        _compare(walk, listed.get(frame, set()), seen, shown, frame, tally)


def _compare(
    walk: Walk,
    listed: set[tuple[int, str, int]],
    subjects: dict[int, Thing],
    anchors: dict[int, Thing],
    frame: int | None,
    tally: Tally,
) -> None:
    pose = None if frame is None else walk.poses[frame]
    names = WORLD if frame is None else VIEWED
    known = set()
    for anchor in anchors.values():
        for subject in subjects.values():
            if subject.room != anchor.room or subject.number == anchor.number:
                continue
            # A cheap first look: farther apart than both diagonals and 0.6 m, none of the world's words holds.
            reach = (np.hypot(*subject.size[[0, 2]]) + np.hypot(*anchor.size[[0, 2]])) / 2 + 0.7
            if frame is None and np.hypot(*(subject.middle - anchor.middle)) > reach:
                continue
            for name in names:
                key = (subject.number, name, anchor.number)
                known.add(key)
                state = is_true(name, subject, anchor, pose)
                if key in listed:
                    tally.hold("relations: listed ones are true", state is not False, f"{key} frame {frame}")
                else:
                    tally.hold("relations: others are not", state is not True, f"{key} frame {frame} is not listed")
    for key in listed - known:
        tally.hold("relations: listed ones are true", False, f"{key} frame {frame} is of no pair that counts")


def check_surfaces(walk: Walk, tally: Tally) -> None:
    """Surface that is marked as a thing lies in its box, in every frame and imagined view."""
    rays = walk.rays()
    views = [(walk.poses[f], walk.depth[f], walk.ids[f], f) for f in range(walk.frames)]
    currents = [view["current_frame"] for view in walk.notes["imagined"]]
    images = zip(walk.imagined_poses, walk.imagined_depth, walk.imagined_ids, currents, strict=True)
    for index, (pose, depth, ids, frame) in enumerate([*views, *images]):
        things = walk.things(frame)
        points = to_world(pose, rays * depth[..., None])
        numbers = np.unique(ids[depth > 0.0])
        for number in numbers[numbers > 0].tolist():
            where = (ids == number) & (depth > 0.0)
            if number not in things:
                tally.hold("surfaces: ids are of objects", False, f"view {index}: {number}")
                continue
            tolerance = np.maximum(0.03, 0.02 * depth[where])
            inside = things[number].outside_by(points[where]) <= tolerance
            so = inside.mean() >= 0.97 or (~inside).sum() <= 2
            what = f"view {index}: {(~inside).sum()} of {inside.size} pixels of {number} lie outside its box"
            sort = "surfaces: moving things" if number in walk.motions else "surfaces: in their boxes"
            tally.hold(sort, so, what)


def slope_of(depth: np.ndarray) -> np.ndarray:
    """How steep the depth image is at each pixel, metres per pixel; jumps do not count."""
    steep = np.zeros_like(depth)
    for axis in (0, 1):
        smaller = np.full(depth.shape, np.inf)
        for shift in (-1, 1):
            other = np.roll(depth, shift, axis=axis)
            together = (depth > 0) & (other > 0) & (np.maximum(depth, other) <= 1.35 * np.minimum(depth, other))
            edge = [slice(None)] * 2
            edge[axis] = slice(-1, None) if shift == -1 else slice(0, 1)
            together[tuple(edge)] = False
            smaller = np.where(together, np.minimum(smaller, np.abs(depth - other)), smaller)
        steep = np.maximum(steep, np.where(np.isfinite(smaller), smaller, 0.0))
    return steep


def shared(walk: Walk, one: int, other: int, stride: int) -> tuple[float, int, int]:
    """Share of a frame's surface that another one shows; of how many pixels depth is the same, and ids with it."""
    offset = stride // 2
    some = (slice(offset, None, stride), slice(offset, None, stride))
    depth, ids = walk.depth[one][some].ravel(), walk.ids[one][some].ravel()
    world = to_world(walk.poses[one], (walk.rays()[some].reshape(-1, 3)) * depth[:, None])
    before, after = walk.things(one), walk.things(other)
    for number in walk.motions:
        mine = ids == number
        world[mine] = after[number].world(before[number].local(world[mine]))
    points = to_camera(walk.poses[other], world)
    measured, ahead = depth > 0.0, points[:, 2] > 1e-6
    z = np.where(ahead, points[:, 2], 1.0)
    x = points[:, 0] / z * walk.lens[0, 0] + walk.lens[0, 2]
    y = points[:, 1] / z * walk.lens[1, 1] + walk.lens[1, 2]
    falls_in = measured & ahead & (x >= 0) & (x < walk.width) & (y >= 0) & (y < walk.height)
    column, row = np.where(falls_in, x, 0).astype(int), np.where(falls_in, y, 0).astype(int)
    image = walk.depth[other]
    reading = image[row, column]
    room = np.maximum(0.03, 0.02 * z) + 0.75 * slope_of(image)[row, column]
    agrees = falls_in & (reading > 0) & (np.abs(reading - z) <= room)
    smooth = between_pixels(image, x, y)
    agrees |= falls_in & (reading > 0) & (smooth > 0) & (np.abs(smooth - z) <= room)
    # Where a wall is looked along or from far, a door jamb a hand's breadth deeper counts as co-visible, but as no id.
    close = agrees & (np.abs(reading - z) <= 0.02)
    same = close & (walk.ids[other][row, column] == ids)
    return float(agrees.sum() / max(measured.sum(), 1)), int(same.sum()), int(close.sum())


def between_pixels(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Depth interpolated in inverse depth between four neighbours that belong together; 0 elsewhere."""
    height, width = image.shape
    left, top = np.floor(x - 0.5).astype(int), np.floor(y - 0.5).astype(int)
    share_x, share_y = x - 0.5 - left, y - 0.5 - top
    corners, weights = [], []
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        column, row = np.clip(left + right, 0, width - 1), np.clip(top + down, 0, height - 1)
        corners.append(image[row, column])
        weights.append((share_x if right else 1 - share_x) * (share_y if down else 1 - share_y))
    readings = np.stack(corners)
    together = (readings.min(axis=0) > 0) & (readings.max(axis=0) <= 1.35 * readings.min(axis=0))
    inverse = (np.stack(weights) / np.maximum(readings, 1e-9)).sum(axis=0)
    return np.where(together, 1.0 / np.maximum(inverse, 1e-9), 0.0)


def check_overlap(walk: Walk, tally: Tally) -> None:
    """A few entries of the table of overlaps, and that ids agree where surfaces do."""
    table = np.array(walk.notes["covisible_percent"])
    if not len(table):
        return
    tally.hold("overlap: diagonal", (np.diagonal(table) == 100).all(), "is not 100")
    step = max(walk.frames // 4, 1)
    pairs = [(0, walk.frames - 1), (walk.frames - 1, 0)]
    pairs += [(f, f + d) for f in range(0, walk.frames, step) for d in (1, -1, 4) if 0 <= f + d < walk.frames]
    for one, other in pairs:
        share, same, close = shared(walk, one, other, 1)
        so = abs(100 * share - table[one, other]) <= 3.0
        tally.hold("overlap: share of two frames", so, f"{one}->{other}: {100 * share:.1f}, stated {table[one, other]}")
        so = close < 50 or same >= 0.9 * close
        tally.hold("reprojection: ids agree", so, f"{one}->{other}: {same} of {close}")


def check_tracks(walk: Walk, tally: Tally) -> None:
    """States cover all frames, are those of the ids, and what is hidden is hidden by rays cast anew."""
    ever = walk.pixels.sum(axis=0) > 0
    tracked = [track["instance_id"] for track in walk.notes["tracks"]]
    tally.hold("tracks: of all that is seen", tracked == sorted(n for n in walk.furniture if ever[n]), f"{tracked}")
    for track in walk.notes["tracks"]:
        number, states = track["instance_id"], []
        for part in track["segments"]:
            so = part["first_frame"] == len(states) and part["last_frame"] >= part["first_frame"]
            tally.hold("tracks: segments follow", so, f"{number}: {part}")
            states += [part["state"]] * (part["last_frame"] - part["first_frame"] + 1)
        if not tally.hold("tracks: all frames", len(states) == walk.frames, f"{number}: {len(states)}"):
            continue
        for frame, state in enumerate(states):
            shows = walk.pixels[frame, number] > 0
            so = shows == (state in ("visible", "partly hidden"))
            tally.hold("tracks: seen or not", so, f"{number} is {state} in frame {frame}")
            if (frame * 7 + number) % 11 == 0:
                _check_state(walk, number, frame, state, tally)


def _check_state(walk: Walk, number: int, frame: int, state: str, tally: Tally) -> None:
    """All pixels are rays here, where collection spreads 64 over a rectangle; so only clear differences count."""
    count, stopped = stopped_rays(walk, walk.things(frame)[number], frame)
    share = stopped / max(count, 1)
    looked_at = 64 * count / max(_rectangle_px(walk, walk.things(frame)[number], frame), 1.0)
    if count >= 64 and looked_at >= 4:
        loose = 0.1 + 1.0 / math.sqrt(min(looked_at, 64))
        so = {
            "visible": share <= 0.5 + loose,
            "partly hidden": share >= 0.5 - loose,
            "hidden": share >= 0.5 - loose,
            "out of view": share <= 0.5 + loose,
        }[state]
        tally.hold("tracks: hidden or not", so, f"{number} is {state} in frame {frame}, {stopped} of {count} rays end")
    elif count == 0:
        tally.hold("tracks: hidden or not", state != "hidden", f"{number} is {state} in frame {frame}, without a ray")


def _rectangle_px(walk: Walk, thing: Thing, frame: int) -> float:
    """Pixels of the rectangle about a box, cut by the picture's edge; the whole picture where it is not all ahead."""
    half = thing.size / 2
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    corners = to_camera(walk.poses[frame], thing.world(signs * half))
    if corners[:, 2].min() <= NEAR_PLANE_M:
        return float(walk.width * walk.height)
    x = np.clip(corners[:, 0] / corners[:, 2] * walk.lens[0, 0] + walk.lens[0, 2], 0, walk.width)
    y = np.clip(corners[:, 1] / corners[:, 2] * walk.lens[1, 1] + walk.lens[1, 2], 0, walk.height)
    return float(np.ptp(x) * np.ptp(y))


def stopped_rays(walk: Walk, thing: Thing, frame: int) -> tuple[int, int]:
    """How many pixels' rays enter a box, or show it, and how many of these another thing stops."""
    rays = walk.rays().reshape(-1, 3)
    directions = rays @ walk.poses[frame][:3, :3].T
    start = thing.local(walk.poses[frame][:3, 3])
    along = thing.local(directions + thing.centre)
    along = np.where(np.abs(along) < 1e-12, 1e-12, along)
    near, far = (-thing.size / 2 - start) / along, (thing.size / 2 - start) / along
    enter, leave = np.minimum(near, far).max(axis=1), np.maximum(near, far).min(axis=1)
    own = walk.ids[frame].ravel() == thing.number
    counts = (leave > np.maximum(enter, 0.0)) | own
    reading = walk.depth[frame].ravel()
    ends = counts & ~own & (reading > 0) & (reading < leave - 0.02 - 0.01 * leave)
    return int(counts.sum()), int(ends.sum())


def covered_cells(walk: Walk) -> int:
    """How many cells of 0.25 m of the surfaces of the planned rooms the walk shows."""
    rooms = [walk.rooms[number] for number in walk.notes["coverage"]["room_ids"]]
    stride = max(round(walk.height / 36), 1)
    some = (slice(stride // 2, None, stride), slice(stride // 2, None, stride))
    cells = set()
    for frame in range(walk.frames):
        depth = walk.depth[frame][some]
        near = np.maximum(depth - 0.02, 0.0)
        points = to_world(walk.poses[frame], walk.rays()[some] * near[..., None])[depth > 0]
        inside = np.zeros(len(points), dtype=bool)
        for room in rooms:
            low_x, low_z, high_x, high_z = room["bounds_m"]
            low = np.array([low_x, room["floor_m"], low_z]) - 0.05
            high = np.array([high_x, room["floor_m"] + room["height_m"], high_z]) + 0.05
            inside |= ((points >= low) & (points <= high)).all(axis=1)
        cells |= set(map(tuple, np.floor(points[inside] / 0.25).astype(int).tolist()))
    return len(cells)


def check_coverage(walk: Walk, tally: Tally) -> None:
    """What the walk shows is not much more than what can be seen at all."""
    coverage = walk.notes["coverage"]
    if coverage is None:
        return
    cells = covered_cells(walk)
    so = 0 < cells <= 1.1 * coverage["visible_cells"]
    tally.hold("coverage: cells", so, f"{cells} of {coverage['visible_cells']}")
