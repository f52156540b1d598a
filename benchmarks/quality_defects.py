"""Defects that are put into clean sequences to see whether quality control finds them, each at falling sizes."""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import msgspec
import numpy as np

from backsight.geometry.poses import invert_pose
from backsight.quality.visibility import furniture_in_view
from backsight.records.quality import QualityReport
from backsight.records.sequence import Sequence
from backsight.sim.simulator import Simulator

GEOMETRY = r"jumps|depth agrees with frame|outside the boxes|lies outside its box|camera is inside"
"""Reasons that contradicting depth, poses and intrinsics are told by."""


@dataclass(frozen=True)
class Defect:
    """One way in which a sequence can be wrong."""

    name: str
    unit: str
    """What its size means."""
    sizes: tuple[float, ...]
    """From plain to subtle."""
    spoil: Callable[[Sequence, float, Simulator], Sequence | None]
    """Returns a spoilt copy; None where the sequence has nothing to spoil."""
    reason: str
    """Pattern that one of the findings, or the low score, must match."""


def matches(defect: Defect, report: QualityReport) -> bool:
    """Return whether a report rejects its sequence and names the defect."""
    if report.accepted:
        return False
    told = [f"{failure.field}: {failure.problem}" for failure in report.failures]
    told += [f"low {metric}" for metric, score in report.scores.items() if score < 0.7]
    return any(re.search(defect.reason, line) for line in told)


def with_annotations(sequence: Sequence, **changes) -> Sequence:
    return dataclasses.replace(sequence, annotations=msgspec.structs.replace(sequence.annotations, **changes))


def with_poses(sequence: Sequence, poses: np.ndarray) -> Sequence:
    rows = tuple(tuple(row) for row in poses.reshape(-1, 16).tolist())
    return dataclasses.replace(with_annotations(sequence, world_from_camera=rows), world_from_camera=poses)


def with_intrinsics(sequence: Sequence, intrinsics: np.ndarray) -> Sequence:
    rows = tuple(tuple(row) for row in intrinsics.tolist())
    return dataclasses.replace(with_annotations(sequence, intrinsics=rows), intrinsics=intrinsics)


def middle_move(sequence: Sequence) -> int:
    """Return a frame near the middle before which the camera moved well."""
    steps = np.linalg.norm(np.diff(sequence.world_from_camera[:, :3, 3], axis=0), axis=-1)
    ahead = sequence.world_from_camera[:, :3, 2]
    steps = steps + np.arccos(np.clip((ahead[1:] * ahead[:-1]).sum(axis=-1), -1.0, 1.0))
    far = np.abs(np.arange(len(steps)) - len(steps) / 2) / len(steps)
    return int(np.argmax(steps - far * steps.max())) + 1


def pose_jump(sequence: Sequence, size_m: float, _: Simulator) -> Sequence:
    poses, frame = sequence.world_from_camera.copy(), middle_move(sequence)
    poses[frame:, :3, 3] += size_m * poses[frame, :3, 0]
    return with_poses(sequence, poses)


def frozen_frames(sequence: Sequence, frames: float, _: Simulator) -> Sequence:
    rgb, depth_m, ids = sequence.rgb.copy(), sequence.depth_m.copy(), sequence.instance_ids.copy()
    first = middle_move(sequence)
    for frame in range(first, min(first + int(frames), sequence.num_frames)):
        rgb[frame], depth_m[frame], ids[frame] = rgb[first - 1], depth_m[first - 1], ids[first - 1]
    return dataclasses.replace(sequence, rgb=rgb, depth_m=depth_m, instance_ids=ids)


def frozen_video(sequence: Sequence, frames: float, _: Simulator) -> Sequence:
    rgb, first = sequence.rgb.copy(), middle_move(sequence)
    rgb[first : first + int(frames)] = rgb[first - 1]
    return dataclasses.replace(sequence, rgb=rgb)


def depth_scale(sequence: Sequence, factor: float, _: Simulator) -> Sequence:
    return dataclasses.replace(sequence, depth_m=sequence.depth_m * np.float32(factor))


def inverted_poses(sequence: Sequence, _size: float, _: Simulator) -> Sequence:
    return with_poses(sequence, invert_pose(sequence.world_from_camera))


def swapped_centre(sequence: Sequence, _size: float, _: Simulator) -> Sequence:
    intrinsics = sequence.intrinsics.copy()
    intrinsics[0, 2], intrinsics[1, 2] = sequence.intrinsics[1, 2], sequence.intrinsics[0, 2]
    return with_intrinsics(sequence, intrinsics)


def wrong_focal(sequence: Sequence, factor: float, _: Simulator) -> Sequence:
    intrinsics = sequence.intrinsics.copy()
    intrinsics[1, 1] *= factor
    return with_intrinsics(sequence, intrinsics)


def black_frames(sequence: Sequence, frames: float, _: Simulator) -> Sequence:
    rgb, first = sequence.rgb.copy(), sequence.num_frames // 2
    rgb[first : first + int(frames)] = 0
    return dataclasses.replace(sequence, rgb=rgb)


def blur(sequence: Sequence, sigma_px: float, _: Simulator) -> Sequence:
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), sigma_px) for frame in sequence.rgb])
    return dataclasses.replace(sequence, rgb=blurred)


def holes(sequence: Sequence, share: float, _: Simulator) -> Sequence:
    """Square holes in one frame, so many that they cover a share of it."""
    depth_m, frame = sequence.depth_m.copy(), sequence.num_frames // 2
    width, height = sequence.image_size
    side = max(2, height // 24)
    rng = np.random.default_rng(5)
    while (depth_m[frame] == 0.0).mean() < share:
        row, column = rng.integers(0, height - side), rng.integers(0, width - side)
        depth_m[frame, row : row + side, column : column + side] = 0.0
    return dataclasses.replace(sequence, depth_m=depth_m)


def swapped_ids(sequence: Sequence, share: float, frames: slice) -> Sequence | None:
    """Swap the smallest two things that cover the share in some frame; what is said of visible things goes along."""
    best: dict[int, float] = {}
    for visible in sequence.annotations.visible_objects[frames]:
        for entry in visible:
            best[entry.instance_id] = max(best.get(entry.instance_id, 0.0), entry.pixel_share)
    large = sorted((size, number) for number, size in best.items() if size >= share)
    if len(large) < 2:
        return None
    (_, one), (_, other) = large[:2]
    ids = sequence.instance_ids.copy()
    part = ids[frames]
    was_one, was_other = part == one, part == other
    part[was_one], part[was_other] = other, one
    furniture = {thing.instance_id for thing in sequence.annotations.objects if not thing.is_structure}
    visible = tuple(furniture_in_view(ids, furniture))
    return dataclasses.replace(with_annotations(sequence, visible_objects=visible), instance_ids=ids)


def swapped_ids_everywhere(sequence: Sequence, share: float, _: Simulator) -> Sequence | None:
    return swapped_ids(sequence, share, slice(None))


def swapped_ids_in_a_frame(sequence: Sequence, share: float, _: Simulator) -> Sequence | None:
    frame = sequence.num_frames // 2
    return swapped_ids(sequence, share, slice(frame, frame + 1))


def false_relation(sequence: Sequence, _size: float, _: Simulator) -> Sequence | None:
    """The last relation whose words can't hold both ways, told the other way round."""
    relations = list(sequence.annotations.relations)
    for index in reversed(range(len(relations))):
        stated = relations[index]
        if stated.relation in ("left of", "right of", "in front of", "behind", "on", "above", "below", "under"):
            relations[index] = msgspec.structs.replace(
                stated, subject_id=stated.anchor_id, anchor_id=stated.subject_id
            )
            return with_annotations(sequence, relations=tuple(relations))
    return None


def ambiguous_instruction(sequence: Sequence, _size: float, _: Simulator) -> Sequence | None:
    """Take the word away that tells the target from another thing of its kind."""
    instructions = list(sequence.annotations.instructions)
    for index, stated in enumerate(instructions):
        if stated.reasoning_type == "attribute" and stated.colour and stated.category and stated.distractor_ids:
            text = " ".join(stated.text.replace(stated.colour, "").split())
            instructions[index] = msgspec.structs.replace(stated, colour=None, text=text)
            return with_annotations(sequence, instructions=tuple(instructions))
    return None


def missing_depth(sequence: Sequence, _size: float, _: Simulator) -> Sequence:
    return dataclasses.replace(sequence, depth_m=np.delete(sequence.depth_m, sequence.num_frames // 2, axis=0))


def nan_depth(sequence: Sequence, pixels: float, _: Simulator) -> Sequence:
    depth_m = sequence.depth_m.copy()
    depth_m[sequence.num_frames // 2, 3, : int(pixels)] = np.nan
    return dataclasses.replace(sequence, depth_m=depth_m)


def nan_pose(sequence: Sequence, _size: float, _: Simulator) -> Sequence:
    poses = sequence.world_from_camera.copy()
    poses[sequence.num_frames // 2, 0, 3] = np.nan
    return with_poses(sequence, poses)


def camera_inside(sequence: Sequence, inside_m: float, simulator: Simulator) -> Sequence | None:
    """The whole walk shifted so that one frame lies so deep in a piece of furniture, and rendered from there."""
    annotations = sequence.annotations
    moving = {motion.instance_id for motion in annotations.motions}
    big = [
        thing
        for thing in annotations.objects
        if not thing.is_structure and thing.instance_id not in moving and min(thing.box.size_m) > 2.0 * inside_m + 0.02
    ]
    if not big or annotations.events:
        return None
    thing = max(big, key=lambda item: min(item.box.size_m))
    frame = sequence.num_frames // 2
    goal = np.array(thing.box.centre_m)
    goal[1] += 0.5 * thing.box.size_m[1] - inside_m
    poses = sequence.world_from_camera.copy()
    poses[:, :3, 3] += goal - poses[frame, :3, 3]
    simulator.load_scene(annotations.scene_id)
    width, height = sequence.image_size
    seen = simulator.render(poses, sequence.intrinsics, width, height)
    moved = dataclasses.replace(sequence, rgb=seen.rgb, depth_m=seen.depth_m, instance_ids=seen.instance_ids)
    furniture = {thing.instance_id for thing in annotations.objects if not thing.is_structure}
    visible = tuple(furniture_in_view(seen.instance_ids, furniture))
    return with_annotations(with_poses(moved, poses), visible_objects=visible)


DEFECTS: tuple[Defect, ...] = (
    Defect("pose jump", "m", (1.5, 0.5, 0.2, 0.1, 0.05, 0.03, 0.02), pose_jump, GEOMETRY),
    Defect("frozen frames", "frames", (5, 2, 1), frozen_frames, "frame before although the camera moved"),
    Defect("frozen video", "frames", (5, 2, 1), frozen_video, "frame before although the camera moved"),
    Defect("depth in wrong scale", "x", (0.1, 10.0, 1.5, 1.05, 0.95, 1.02, 1.01, 1.005), depth_scale, GEOMETRY),
    Defect("inverted poses", "", (1,), inverted_poses, GEOMETRY),
    Defect("swapped intrinsics: centre", "", (1,), swapped_centre, GEOMETRY),
    Defect("swapped intrinsics: focal length", "x", (1.333, 0.75, 1.1, 1.05, 1.02, 1.01), wrong_focal, GEOMETRY),
    Defect("all-black frames", "frames", (1000, 3, 1), black_frames, "rgb: shows nothing"),
    Defect("blur", "px sigma", (3.0, 2.0, 1.0, 0.7, 0.5), blur, "rgb: is blurred"),
    Defect("holes", "share of a frame", (0.3, 0.1, 0.03, 0.01, 0.003), holes, "has holes"),
    Defect("wrong ids, all frames", "share", (0.05, 0.02, 0.01, 0.005, 0.002), swapped_ids_everywhere, "instance_ids"),
    Defect("wrong ids, one frame", "share", (0.05, 0.02, 0.01, 0.005, 0.002), swapped_ids_in_a_frame, "instance_ids"),
    Defect("false relation", "", (1,), false_relation, r"^relations\["),
    Defect("ambiguous instruction", "", (1,), ambiguous_instruction, r"^instructions\["),
    Defect("missing frame", "", (1,), missing_depth, "a frame is missing"),
    Defect("NaN in depth", "pixels", (5, 1), nan_depth, "depth: holds a value that is not finite"),
    Defect("NaN in a pose", "", (1,), nan_pose, "world_from_camera"),
    Defect("camera inside furniture", "m deep", (0.2, 0.1, 0.05, 0.04), camera_inside, "camera is inside"),
)
"""The fourteen, some in two forms."""
