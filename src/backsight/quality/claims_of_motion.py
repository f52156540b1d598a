"""Rules of claims about viewpoints, the own walk and things that move: each is decided by poses, boxes and motions."""

import math
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float64

from backsight.geometry.poses import invert_pose
from backsight.quality.places import way_holds
from backsight.quality.routes import WAY_CLAIMS, is_in_room, way_claim_holds
from backsight.quality.situation import VISIBLE_SHARE, Situation
from backsight.records.instruction import Instruction, Step
from backsight.records.scene import OrientedBox
from backsight.records.scene_relations import scene_relation_holds
from backsight.records.sequence import objects_at

MOTION_CLAIMS: tuple[str, ...] = (
    "direction_from_here",
    "distance_from_here",
    "stood_at",
    "stood_in_room",
    "first_seen",
    "came_from",
    "side_in_imagined_view",
    "middle_of_imagined_view",
    "moved_in_view",
    "moved_unseen",
    "moved_towards",
    "moved_by",
    "turned",
    "was_next_to",
    "none_moved",
    "way",
    "first_turn",
    *WAY_CLAIMS,
)
"""What a step can claim about viewpoint, time and ways."""
_CLOCKWISE: tuple[str, ...] = (
    "ahead",
    "ahead to the right",
    "to the right",
    "behind to the right",
    "behind",
    "behind to the left",
    "to the left",
    "ahead to the left",
)
_MOVES: dict[str, float] = {"away from me": 0.0, "to the left": 90.0, "towards me": 180.0, "to the right": -90.0}
_STIRRED = 1e-6
_FARTHEST_M, _RAY_STEP_M = 20.0, 0.01
_FIRST_TURNS_DEG: dict[str, tuple[float, float]] = {
    "ahead": (0, 40),
    "slightly left": (20, 60),
    "slightly right": (20, 60),
    "left": (40, 140),
    "right": (40, 140),
    "sharply left": (120, 160),
    "sharply right": (120, 160),
}
_FIRST_METRE_M = 1.0


def motion_claim_holds(step: Step, situation: Situation, instruction: Instruction) -> bool:
    """Return whether what a step claims is true at the current frame of its instruction.

    Args:
        step: Its claim is one of `MOTION_CLAIMS`.
        situation: At the instruction's current frame.
        instruction: That the step belongs to.
    """
    match step.claim:
        case "direction_from_here":
            point_m = _point_of(step, situation, instruction)
            return point_m is not None and sector(situation.world_from_viewer, point_m) == step.word
        case "distance_from_here":
            point_m = _point_of(step, situation, instruction)
            return point_m is not None and _is_about(_level_m(situation.world_from_viewer[:3, 3], point_m), step.number)
        case "stood_at" | "stood_in_room" | "first_seen" | "came_from":
            return _own_walk_holds(step, situation, instruction)
        case "side_in_imagined_view":
            return _side_in_imagined_view(step, situation, instruction)
        case "middle_of_imagined_view":
            return _middle_of_imagined_view(step, situation, instruction)
        case "way":
            return way_holds(step, situation)
        case "first_turn":
            return _first_turn(step, situation, instruction)
        case claim if claim in WAY_CLAIMS:
            way_m = _way_of(instruction)
            return way_m is not None and way_claim_holds(step, way_m, situation.annotations, situation.frame)
        case "none_moved":
            return not moved_ids(situation)
        case _:
            return _move_holds(step, situation)


def sector(world_from_viewer: Float64[np.ndarray, "4 4"], point_m: Float64[np.ndarray, "3"]) -> str:
    """Return which of eight sectors round a level viewer a point lies in, seen from above.

    Args:
        world_from_viewer: Camera pose.
        point_m: World frame.
    """
    to_right = world_from_viewer[:3, 0]
    ahead = np.cross(np.array([0.0, 1.0, 0.0]), to_right)
    offset = point_m - world_from_viewer[:3, 3]
    clockwise_deg = math.degrees(math.atan2(offset @ to_right, offset @ ahead)) % 360.0
    return _CLOCKWISE[int((clockwise_deg + 22.5) // 45.0) % 8]


def moved_ids(situation: Situation) -> tuple[int, ...]:
    """Return the things that moved up to the current frame, seen or not.

    Args:
        situation: At that frame.
    """
    return tuple(
        motion.instance_id for motion in situation.annotations.motions if stirrings(motion.instance_id, situation)
    )


def stirrings(instance_id: int | None, situation: Situation) -> list[int]:
    """Return the frames up to the current one after which a thing has another place in the next one.

    Args:
        instance_id: Any number.
        situation: At the current frame.
    """
    for motion in situation.annotations.motions:
        if motion.instance_id == instance_id:
            return [
                frame
                for frame in range(situation.frame)
                if math.dist(motion.centres_m[frame], motion.centres_m[frame + 1]) > _STIRRED
                or abs(motion.yaws_rad[frame] - motion.yaws_rad[frame + 1]) > _STIRRED
            ]
    return []


def watched(instance_id: int, situation: Situation) -> bool:
    """Return whether frames show a thing clearly before it moved and after, and most of those between show it.

    Args:
        instance_id: Of a thing that moved.
        situation: At the current frame.
    """
    frames, column = stirrings(instance_id, situation), situation.column.get(instance_id)
    if not frames or column is None:
        return False
    first, last = frames[0], frames[-1] + 1
    during = [bool(situation.shares[frame, column] > 0.0) for frame in range(first, last + 1)]
    ends = min(situation.shares[first, column], situation.shares[last, column])
    return bool(ends >= VISIBLE_SHARE) and 2 * sum(during) > len(during)


def unwatched(instance_id: int, situation: Situation) -> bool:
    """Return whether a thing was seen clearly before and after it moved, and never while it did.

    Args:
        instance_id: Of a thing that moved.
        situation: At the current frame.
    """
    frames, column = stirrings(instance_id, situation), situation.column.get(instance_id)
    if not frames or column is None:
        return False
    shown, clear = situation.shares[:, column] > 0.0, situation.shares[:, column] >= VISIBLE_SHARE
    caught = any(shown[frame] and shown[frame + 1] for frame in frames)
    between = any(shown[frame] for frame in range(frames[0] + 1, frames[-1] + 1))
    return bool(clear[: frames[0] + 1].any() and clear[frames[-1] + 1 :].any()) and not caught and not between


def _level_m(first_m: Float64[np.ndarray, "3"], second_m: Float64[np.ndarray, "3"]) -> float:
    return math.hypot(first_m[0] - second_m[0], first_m[2] - second_m[2])


def _is_about(length_m: float, number: float | None) -> bool:
    return number is not None and number >= 1.0 and abs(length_m - number) <= 0.5


def _point_of(step: Step, situation: Situation, instruction: Instruction) -> Float64[np.ndarray, "3"] | None:
    """Return what a direction or distance is about: a thing's middle, or where the place of the instruction ends."""
    if step.subject_id is not None:
        subject = situation.thing(step.subject_id)
        return None if subject is None else np.array(subject.box.centre_m)
    place = instruction.target_place
    return None if place is None or not place.points_m else np.array(place.points_m[-1], dtype=np.float64)


def _own_walk_holds(step: Step, situation: Situation, instruction: Instruction) -> bool:
    if step.claim == "came_from":
        point_m = _point_of(step, situation, instruction)
        return point_m is not None and sector(situation.world_from_viewer, point_m) == step.word
    if step.frame is None or not 0 <= step.frame <= situation.frame:
        return False
    pose = situation.annotations.world_from_camera[step.frame]
    camera_m = np.array([pose[3], pose[7], pose[11]])
    if step.claim == "stood_at":
        place = instruction.target_place
        return place is not None and _level_m(camera_m, np.array(place.points_m[0], dtype=np.float64)) <= 0.15
    if step.claim == "stood_in_room":
        floors_m = [room.floor_m for room in situation.annotations.rooms if room.floor_m < camera_m[1] - 0.1]
        found = [
            room.room_type
            for room in situation.annotations.rooms
            if floors_m
            and is_in_room(np.array([camera_m[0], room.floor_m, camera_m[2]]), room)
            and 0.1 < camera_m[1] - room.floor_m < room.height_m
        ]
        return step.word in found
    column = situation.column.get(step.subject_id or 0)
    if column is None:
        return False
    shown = [bool(share > 0.0) for share in situation.shares[:, column]]
    return shown.index(True) == step.frame and bool(situation.shown_well[step.frame, column])


def _imagined_pose(situation: Situation, instruction: Instruction) -> Float64[np.ndarray, "4 4"] | None:
    number, views = instruction.imagined_view, situation.annotations.imagined
    if number is None or not 0 <= number < len(views) or views[number].current_frame != situation.frame:
        return None
    return np.array(views[number].world_from_camera, dtype=np.float64).reshape(4, 4)


def _side_in_imagined_view(step: Step, situation: Situation, instruction: Instruction) -> bool:
    """Whether the middle of `subject_id`'s box lies in the third `word` of the imagined view."""
    pose, subject = _imagined_pose(situation, instruction), situation.thing(step.subject_id)
    if pose is None or subject is None:
        return False
    x, _, z, _ = (invert_pose(pose) @ np.array([*subject.box.centre_m, 1.0])).tolist()
    (focal_px, _, middle_px), *_ = situation.annotations.intrinsics
    if z <= 0.0:
        return False
    share = (focal_px * x / z + middle_px) / (2.0 * middle_px)
    thirds = {"on the left": (0.0, 1 / 3), "in the middle": (1 / 3, 2 / 3), "on the right": (2 / 3, 1.0)}
    low, high = thirds.get(step.word or "", (1.0, 0.0))
    return low <= share <= high


def _middle_of_imagined_view(step: Step, situation: Situation, instruction: Instruction) -> bool:
    """Whether `subject_id`, of category `word`, is the first box that the imagined view's axis comes into."""
    pose, subject = _imagined_pose(situation, instruction), situation.thing(step.subject_id)
    if pose is None or subject is None or subject.category != step.word:
        return False
    along_m = np.arange(_RAY_STEP_M, _FARTHEST_M, _RAY_STEP_M)
    points_m = pose[:3, 3] + along_m[:, None] * pose[:3, 2]
    own = _inside(points_m, subject.box)
    if not own.any():
        return False
    first = int(np.argmax(own))
    others = [
        thing
        for thing in objects_at(situation.annotations, situation.frame)
        if not thing.is_structure and thing.instance_id != subject.instance_id
    ]
    return not any(_inside(points_m[: first + 1], thing.box).any() for thing in others)


def _inside(points_m: Float64[np.ndarray, "points 3"], box: OrientedBox) -> Bool[np.ndarray, " points"]:
    """Return which points lie in a box, by the way back from the box's own axes."""
    x_axis = np.array([math.cos(box.yaw_rad), 0.0, -math.sin(box.yaw_rad)])
    z_axis = np.array([math.sin(box.yaw_rad), 0.0, math.cos(box.yaw_rad)])
    axes = np.stack([x_axis, np.array([0.0, 1.0, 0.0]), z_axis])
    local = (points_m - np.array(box.centre_m)) @ axes.T
    return np.asarray((np.abs(local) <= np.array(box.size_m) / 2).all(axis=1))


def _way_of(instruction: Instruction) -> Float64[np.ndarray, "points 3"] | None:
    ways = [step for step in instruction.steps if step.claim == "way" and len(step.points_m) >= 2]
    return np.array(ways[0].points_m, dtype=np.float64) if len(ways) == 1 else None


def _first_turn(step: Step, situation: Situation, instruction: Instruction) -> bool:
    """Whether the first metre of the way lies `word` of the viewer."""
    way_m = _way_of(instruction)
    if way_m is None:
        return False
    left_m, point_m = _FIRST_METRE_M, way_m[-1]
    for start, end in pairwise(way_m):
        piece_m = _level_m(start, end)
        if piece_m >= left_m:
            point_m = start + (end - start) * left_m / piece_m
            break
        left_m -= piece_m
    to_right, offset = situation.world_from_viewer[:3, 0], point_m - way_m[0]
    ahead = np.cross(np.array([0.0, 1.0, 0.0]), to_right)
    right_deg = math.degrees(math.atan2(offset @ to_right, offset @ ahead))
    low, high = _FIRST_TURNS_DEG.get(step.word or "", (140.0, 180.0))
    if step.word not in (*_FIRST_TURNS_DEG, "around") or not low <= abs(right_deg) <= high:
        return False
    return step.word in ("ahead", "around") or (right_deg > 0) == step.word.endswith("right")


def _move_holds(step: Step, situation: Situation) -> bool:
    """Whether what is said of one thing's motion is true."""
    frames = stirrings(step.subject_id, situation)
    motions = [m for m in situation.annotations.motions if m.instance_id == step.subject_id]
    if not frames or len(motions) != 1 or step.subject_id is None:
        return False
    centres, first, last = motions[0].centres_m, frames[0], frames[-1] + 1
    moved_m = np.array(centres[last]) - np.array(centres[first])
    match step.claim:
        case "moved_in_view":
            return (step.frame, step.number) == (first, last) and watched(step.subject_id, situation)
        case "moved_unseen":
            return (step.frame, step.number) == (first, last) and unwatched(step.subject_id, situation)
        case "moved_by":
            return _is_about(math.hypot(moved_m[0], moved_m[2]), step.number)
        case "turned":
            turned_rad = motions[0].yaws_rad[last] - motions[0].yaws_rad[first]
            return step.word == ("counter-clockwise" if turned_rad > 0.0 else "clockwise") and turned_rad != 0.0
        case "moved_towards":
            if step.frame != first or step.word not in _MOVES:
                return False
            pose = situation.annotations.world_from_camera[first]
            sight = complex(centres[first][0] - pose[3], -(centres[first][2] - pose[11]))
            relative = complex(moved_m[0], -moved_m[2]) / sight
            left_deg = math.degrees(math.atan2(relative.imag, relative.real))
            return abs((left_deg - _MOVES[step.word] + 180.0) % 360.0 - 180.0) <= 40.0
        case "was_next_to":
            if step.frame != first or len(step.other_ids) != 1:
                return False
            then = {thing.instance_id: thing for thing in objects_at(situation.annotations, first)}
            subject, other = situation.thing(step.subject_id), situation.thing(step.other_ids[0])
            if subject is None or other is None or step.other_ids[0] in moved_ids(situation):
                return False
            before = scene_relation_holds("next to", then[step.subject_id], then[step.other_ids[0]])
            return before and not scene_relation_holds("next to", subject, other)
        case _:
            return False
