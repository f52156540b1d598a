"""Consistent sequences without a simulator: a box room with furniture, ray cast analytically."""

import math
from pathlib import Path

import numpy as np

from backsight.geometry.cameras import intrinsics_from_hfov, pixel_centres
from backsight.geometry.poses import look_pose
from backsight.geometry.relations import relation_matrix
from backsight.records.instruction import Instruction
from backsight.records.quality import QualityReport
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.records.sequence import (
    FORMAT_VERSION,
    ImaginedImages,
    ImaginedView,
    Sequence,
    SequenceAnnotations,
    SpatialRelation,
    VisibleObject,
)
from backsight.storage.dataset import DatasetInfo, write_dataset_info, write_splits
from backsight.storage.write import write_sequence

ROOM_X, ROOM_Y, ROOM_Z = 5.0, 2.6, 4.0
"""Inner size; the corner with the smallest coordinates is the origin."""
WALL_M = 0.1

_COLOURS = {
    "wall": (200, 190, 170),
    "floor": (120, 95, 75),
    "ceiling": (225, 225, 220),
    "red": (176, 58, 52),
    "blue": (68, 98, 156),
    "brown": (118, 82, 56),
    "green": (92, 134, 84),
}


def room_objects() -> tuple[SceneObject, ...]:
    """Six parts of the building, two chairs, a table, a plant on it."""
    thick = WALL_M
    structure = [
        ("floor", (ROOM_X / 2, -thick / 2, ROOM_Z / 2), (ROOM_X, thick, ROOM_Z)),
        ("ceiling", (ROOM_X / 2, ROOM_Y + thick / 2, ROOM_Z / 2), (ROOM_X, thick, ROOM_Z)),
        ("wall", (-thick / 2, ROOM_Y / 2, ROOM_Z / 2), (thick, ROOM_Y, ROOM_Z)),
        ("wall", (ROOM_X + thick / 2, ROOM_Y / 2, ROOM_Z / 2), (thick, ROOM_Y, ROOM_Z)),
        ("wall", (ROOM_X / 2, ROOM_Y / 2, -thick / 2), (ROOM_X, ROOM_Y, thick)),
        ("wall", (ROOM_X / 2, ROOM_Y / 2, ROOM_Z + thick / 2), (ROOM_X, ROOM_Y, thick)),
    ]
    objects = [
        SceneObject(number, category, 1, OrientedBox(centre, size))
        for number, (category, centre, size) in enumerate(structure, start=1)
    ]
    furniture = [
        ("chair", "red", (1.4, 0.45, 0.8), (0.45, 0.9, 0.45), None),
        ("chair", "blue", (3.7, 0.45, 0.9), (0.45, 0.9, 0.45), None),
        ("table", "brown", (2.5, 0.35, 0.7), (1.0, 0.7, 0.6), None),
        ("plant", "green", (2.6, 0.95, 0.7), (0.3, 0.5, 0.3), 9),
    ]
    objects += [
        SceneObject(number, category, 1, OrientedBox(centre, size), colour, supported_by)
        for number, (category, colour, centre, size, supported_by) in enumerate(furniture, start=7)
    ]
    return tuple(objects)


def arc_poses(frames: int, seed: int = 0) -> np.ndarray:
    """A slow walk at constant speed along an arc round the table, looking at it."""
    offset = 0.05 * (seed % 5)
    angles = (np.arange(frames) - (frames - 1) / 2) * min(0.05, 1.2 / frames)
    poses = []
    for angle in angles:
        position = np.array(
            [2.5 + 2.2 * math.sin(angle), 1.25 - 0.02 * (seed % 3), 0.9 + offset + 2.2 * math.cos(angle)]
        )
        poses.append(look_pose(position, float(angle), -0.2))
    return np.stack(poses)


def cast(pose: np.ndarray, intrinsics: np.ndarray, width: int, height: int, objects) -> tuple:
    """Depth, instance ids and colour of one view: nearest entry of every ray into an axis-aligned box."""
    pixels = np.concatenate([pixel_centres(width, height), np.ones((height, width, 1))], axis=-1)
    # With z = 1 in the camera frame the ray parameter is the planar depth.
    rays = pixels @ np.linalg.inv(intrinsics).T @ pose[:3, :3].T
    rays = np.where(np.abs(rays) < 1e-12, 1e-12, rays)
    origin = pose[:3, 3]
    best = np.full((height, width), np.inf)
    ids = np.zeros((height, width), dtype=np.int32)
    for item in objects:
        centre, half = np.array(item.box.centre_m), np.array(item.box.size_m) / 2
        near, far = (centre - half - origin) / rays, (centre + half - origin) / rays
        enter = np.minimum(near, far).max(axis=-1)
        leave = np.maximum(near, far).min(axis=-1)
        hit = (enter > 1e-6) & (enter <= leave) & (enter < best)
        best[hit], ids[hit] = enter[hit], item.instance_id
    points = origin + rays * best[..., None]
    colours = np.zeros((max(item.instance_id for item in objects) + 1, 3))
    for item in objects:
        colours[item.instance_id] = _COLOURS[item.colour or item.category]
    shade = 1.0 + 0.25 * np.sin(points @ np.array([9.0, 7.0, 8.0])) * np.cos(points @ np.array([-6.0, 8.0, 5.0]))
    rgb = np.clip(colours[ids] * shade[..., None], 0, 255).astype(np.uint8)
    return best.astype(np.float32), ids, rgb


def visible_objects(ids: np.ndarray, objects) -> tuple[VisibleObject, ...]:
    """What one instance map shows of the furniture, by falling share."""
    seen = []
    for item in objects:
        mask = ids == item.instance_id
        if item.is_structure or not mask.any():
            continue
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        seen.append(VisibleObject(item.instance_id, float(mask.sum() / mask.size), box))
    return tuple(sorted(seen, key=lambda visible: (-visible.pixel_share, visible.instance_id)))


def relations_of(poses: np.ndarray, visible, objects) -> tuple[SpatialRelation, ...]:
    """All true relations: in the world between furniture, and for the last frame's viewer."""
    furniture = [item for item in objects if not item.is_structure]
    last = len(poses) - 1
    seen = {entry.instance_id for entry in visible[last]}
    in_view = [item for item in furniture if item.instance_id in seen]
    found = []
    for relation, items, frame in (
        ("on", furniture, None),
        ("next to", furniture, None),
        ("left of", in_view, last),
        ("right of", in_view, last),
    ):
        viewer = None if frame is None else poses[frame]
        holds = relation_matrix(relation, [item.box for item in items], viewer)
        found += [
            SpatialRelation(items[a].instance_id, relation, items[b].instance_id, frame) for a, b in np.argwhere(holds)
        ]
    return tuple(found)


def instructions_of(current: int, objects) -> tuple[Instruction, ...]:
    """One by category, one by colour, one that fits nothing."""

    def instruction(name, reasoning, category, colour, targets, distractors, text, answer):
        return Instruction(
            instruction_id=name,
            text=text,
            reasoning_type=reasoning,
            complexity="simple",
            frame_of_reference="world",
            current_frame=current,
            category=category,
            colour=colour,
            relation=None,
            anchor_ids=(),
            room_type=None,
            target_instance_ids=targets,
            distractor_ids=distractors,
            answer=answer,
        )

    return (
        instruction("i0", "category", "table", None, (9,), (), "Where is the table?", "visible now"),
        instruction("i1", "attribute", "chair", "red", (7,), (8,), "Find the red chair.", "visible now"),
        instruction("i2", "absent", "bathtub", None, (), (), "Find the bathtub.", "not seen"),
    )


def imagined_of(poses: np.ndarray, current: int, count: int) -> tuple[ImaginedView, ...]:
    """Views of one frame: turned about the vertical to both sides, every second one moved a little."""
    views = []
    for number in range(count):
        angle = (0.4 + 0.2 * number) * (-1) ** number
        turn = np.array([[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]])
        pose = poses[current].copy()
        pose[:3, :3] = turn @ pose[:3, :3]
        pose[0, 3] += 0.2 * (number % 2)
        views.append(ImaginedView(current, tuple(pose.ravel().tolist())))
    return tuple(views)


def make_sequence(
    sequence_id: str = "walk-000001",
    frames: int = 7,
    width: int = 34,
    height: int = 22,
    seed: int = 0,
    place_id: str = "flat-0",
    hfov_deg: float = 79.0,
    imagined: int = 0,
) -> Sequence:
    """A consistent sequence of the box room; prime frame counts and odd aspect ratios welcome.

    Imagined views belong to the last frame.
    """
    objects = room_objects()
    intrinsics = intrinsics_from_hfov(width, height, hfov_deg)
    poses = arc_poses(frames, seed)
    views = [cast(pose, intrinsics, width, height, objects) for pose in poses]
    depth, ids, rgb = (np.stack(images) for images in zip(*views, strict=True))
    visible = tuple(visible_objects(image, objects) for image in ids)
    annotations = SequenceAnnotations(
        format_version=FORMAT_VERSION,
        sequence_id=sequence_id,
        place_id=place_id,
        scene_type="flat",
        kind="viewpoint",
        pattern="circular",
        seed=seed,
        simulator="analytic",
        simulator_version="1",
        frame_rate_hz=2.0,
        intrinsics=tuple(tuple(float(value) for value in row) for row in intrinsics),
        world_from_camera=tuple(tuple(float(value) for value in pose.ravel()) for pose in poses),
        objects=objects,
        rooms=(Room(1, "living room", (0.0, 0.0, ROOM_X, ROOM_Z)),),
        visible_objects=visible,
        relations=relations_of(poses, visible, objects),
        instructions=instructions_of(frames - 1, objects),
        imagined=imagined_of(poses, frames - 1, imagined),
    )
    truth = None
    if imagined:
        asked = [np.array(view.world_from_camera).reshape(4, 4) for view in annotations.imagined]
        seen = [cast(pose, intrinsics, width, height, objects)[:2] for pose in asked]
        truth = ImaginedImages(*(np.stack(images) for images in zip(*seen, strict=True)))
    return Sequence(rgb, depth, ids, intrinsics, poses, annotations, truth)


def good_report(sequence_id: str) -> QualityReport:
    """A report that accepts, for tests that are not about quality."""
    names = ("geometric_consistency", "visual_quality", "temporal_smoothness", "annotation_consistency")
    return QualityReport(sequence_id, dict.fromkeys(names, 1.0))


def make_dataset(
    root: Path,
    places: int = 3,
    per_place: int = 1,
    frames: int = 7,
    width: int = 34,
    height: int = 22,
    imagined: int = 0,
) -> Path:
    """A whole data set under `root`: sequences 'walk-<place>-<number>' in places 'flat-<place>'."""
    info = DatasetInfo(
        source="collected",
        seed=0,
        num_sequences=places * per_place,
        width=width,
        height=height,
        hfov_deg=79.0,
        frame_rate_hz=2.0,
        simulator="analytic",
        simulator_version="1",
        backsight_version="0.1.0",
    )
    write_dataset_info(root, info)
    splits = {f"flat-{place}": ("train", "val", "test")[place % 3] for place in range(places)}
    write_splits(root, splits)
    for place in range(places):
        for number in range(per_place):
            name = f"walk-{place}-{number}"
            seed = place * per_place + number
            sequence = make_sequence(name, frames, width, height, seed, f"flat-{place}", imagined=imagined)
            write_sequence(root, sequence, good_report(name))
    return root
