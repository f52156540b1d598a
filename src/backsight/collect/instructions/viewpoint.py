"""Questions about other viewpoints: what an imagined view would show where, and where things are from here."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32

from backsight.collect.instructions.bearings import (
    box_direction_word,
    direction_step,
    distance_step,
    distance_words,
    level_distance_m,
)
from backsight.collect.instructions.draft import Draft, InstructionContext
from backsight.collect.instructions.imagine import named_pose
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.naming import Name, names_of
from backsight.collect.instructions.phrases.grammar import capitalised, with_article
from backsight.collect.instructions.phrases.steps import last_seen
from backsight.collect.instructions.phrases.viewpoint import pose_slots
from backsight.geometry.poses import invert_pose
from backsight.records.instruction import Step
from backsight.records.scene import SceneObject
from backsight.records.sequence import SequenceAnnotations, objects_at

ASKED_SHARE = 0.004
"""An imagined view is asked about what covers this share of it."""
SIDE_MARGIN = 0.04
"""Share of the picture's width between a thing's middle and the border of two sides."""
MIDDLE_REACH = 0.05
"""Share of the picture's width: all of this square round the middle must show the one thing that is looked at."""
LEAST_CHORD_M = 0.02
"""Of the viewing direction inside the box of what is looked at: nothing that is only grazed."""
OUT_OF_VIEW_WEIGHT = 3.0
SIDES = ("on the left", "in the middle", "on the right")


def viewpoint_drafts(context: InstructionContext, memory: Memory, rng: np.random.Generator) -> list[Draft]:
    """Return questions about imagined views of the current frame and about directions from it.

    Args:
        context: The walk.
        memory: What was seen up to the current frame.
        rng: Source of every choice.
    """
    names = [
        name for name in names_of(memory, rng) if in_memory(memory, name) and stays(context.annotations, memory, name)
    ]
    return [*_what_if_drafts(context, memory, names), *_where_from_here_drafts(memory, names)]


def in_memory(memory: Memory, name: Name) -> bool:
    """Return whether some frame so far shows a thing well.

    Args:
        memory: What was seen up to the current frame.
        name: Of the thing.
    """
    return bool(memory.situation.shown_well[:, name.index].any())


def stays(annotations: SequenceAnnotations, memory: Memory, name: Name) -> bool:
    """Return whether a thing is where it was last seen.

    Args:
        annotations: Of the walk.
        memory: What was seen up to the current frame.
        name: Of the thing.
    """
    for motion in annotations.motions:
        if motion.instance_id == name.instance_id:
            last, now = int(np.flatnonzero(memory.situation.shares[:, name.index])[-1]), memory.current_frame
            return (motion.centres_m[last], motion.yaws_rad[last]) == (motion.centres_m[now], motion.yaws_rad[now])
    return True


def last_seen_steps(memory: Memory, name: Name) -> tuple[Step, ...]:
    """Return the step that says which frame was the last to show a thing well; none where no frame did.

    Args:
        memory: What was seen up to the current frame.
        name: Of the thing.
    """
    frame = memory.situation.last_shown_well(name.instance_id)
    return () if frame is None else (last_seen(name.words, name.instance_id, frame),)


def _where_from_here_drafts(memory: Memory, names: list[Name]) -> list[Draft]:
    drafts: list[Draft] = []
    for name in names:
        said = _said_from_here(memory, name)
        if said is None or not memory.is_target[name.index]:
            continue
        template, answer, own_steps = said
        drafts.append(
            Draft(
                reasoning_type="where_from_here",
                template=template,
                slots={"the": name.words},
                complexity="simple" if name.colour is None else "medium",
                frame_of_reference="viewer",
                answer=answer,
                steps=(*last_seen_steps(memory, name), *own_steps),
                category=name.category,
                colour=name.colour,
                target_instance_ids=(name.instance_id,),
                distractor_ids=memory.distractors_of(name.index),
                weight=1.0 if memory.is_visible[name.index] else OUT_OF_VIEW_WEIGHT,
            )
        )
    return drafts


def _said_from_here(memory: Memory, name: Name) -> tuple[str, str, tuple[Step, ...]] | None:
    """Return template, answer and steps for direction and distance, or for the one that is clear; None for none."""
    viewer, box = memory.situation.world_from_viewer, memory.things[name.index].box
    direction = box_direction_word(viewer, box)
    distance = distance_words(level_distance_m(viewer, np.array(box.centre_m)))
    steps: list[Step] = []
    if direction is not None:
        steps.append(direction_step(name.words, name.instance_id, direction))
    if distance is not None:
        steps.append(distance_step(name.words, name.instance_id, distance))
    if direction is None:
        return None if distance is None else ("how_far_from_here", distance, tuple(steps))
    if distance is None:
        return "which_way_from_here", direction, tuple(steps)
    return "where_from_here", f"{direction}, {distance} away", tuple(steps)


@dataclass(frozen=True)
class _View:
    """An imagined view that can be named."""

    index: int
    current_frame: int
    slots: dict[str, str]
    moved: bool
    world_from_camera: Float64[np.ndarray, "4 4"]
    instance_ids: Int32[np.ndarray, "height width"]

    def draft(self, template: str, slots: dict[str, str], answer: str, steps: tuple[Step, ...]) -> Draft:
        return Draft(
            reasoning_type="what_if",
            template=template,
            slots={**slots, **self.slots},
            complexity="complex" if self.moved else "medium",
            frame_of_reference="viewer",
            answer=answer,
            steps=steps,
            imagined_view=self.index,
        )


def _what_if_drafts(context: InstructionContext, memory: Memory, names: list[Name]) -> list[Draft]:
    drafts: list[Draft] = []
    for view in _named_views(context, memory):
        counts = np.bincount(view.instance_ids.ravel()) / view.instance_ids.size
        for name in names:
            if name.instance_id < len(counts) and counts[name.instance_id] >= ASKED_SHARE:
                side = _side_in(view, context.annotations, memory.things[name.index])
                drafts += [] if side is None else [_side_draft(view, memory, name, side)]
        middle = _looked_at(view, names)
        if middle is not None and _nearest_on_axis(view, middle.instance_id, context.annotations):
            drafts.append(_middle_draft(view, memory, middle))
    return drafts


def _named_views(context: InstructionContext, memory: Memory) -> list[_View]:
    if context.imagined is None:
        return []
    found: list[_View] = []
    for index, view in enumerate(context.annotations.imagined):
        if view.current_frame == memory.current_frame:
            pose = np.array(view.world_from_camera, dtype=np.float64).reshape(4, 4)
            asked = named_pose(memory.situation.world_from_viewer, pose)
            if asked is not None:
                slots = pose_slots(asked.turn_deg, asked.way, asked.length_m)
                shown = context.imagined.instance_ids[index]
                found.append(_View(index, view.current_frame, slots, asked.way is not None, pose, shown))
    return found


def _side_draft(view: _View, memory: Memory, name: Name, side: str) -> Draft:
    text = f"{capitalised(name.words)} would be {side}."
    claim = Step(text, "side_in_imagined_view", subject_id=name.instance_id, word=side)
    draft = view.draft("what_if_where", {"the": name.words}, side, (*last_seen_steps(memory, name), claim))
    return dataclasses.replace(
        draft,
        category=name.category,
        colour=name.colour,
        target_instance_ids=(name.instance_id,),
        distractor_ids=memory.distractors_of(name.index),
        weight=1.0 if memory.is_visible[name.index] else OUT_OF_VIEW_WEIGHT,
    )


def _middle_draft(view: _View, memory: Memory, name: Name) -> Draft:
    text = f"{capitalised(name.words)} would be in the middle."
    claim = Step(text, "middle_of_imagined_view", subject_id=name.instance_id, word=name.category)
    answer = with_article(name.category)
    draft = view.draft("what_if_seen", {}, answer, (*last_seen_steps(memory, name), claim))
    weight = 2.0 if memory.is_visible[name.index] else 2.0 * OUT_OF_VIEW_WEIGHT
    return dataclasses.replace(draft, target_instance_ids=(name.instance_id,), weight=weight)


def _side_in(view: _View, annotations: SequenceAnnotations, thing: SceneObject) -> str | None:
    """Return the side on which a view shows a thing; None where its picture and its box don't agree clearly."""
    width = view.instance_ids.shape[1]
    in_column = (view.instance_ids == thing.instance_id).sum(axis=0)
    shown = float(in_column @ (np.arange(width) + 0.5)) / (int(in_column.sum()) * width)
    centre = invert_pose(view.world_from_camera) @ np.array([*thing.box.centre_m, 1.0])
    side = _side(shown)
    if centre[2] <= 0.1 or side is None:
        return None
    focal_px, middle_px = annotations.intrinsics[0][0], annotations.intrinsics[0][2]
    return side if _side(float(focal_px * centre[0] / centre[2] + middle_px) / width) == side else None


def _side(share: float) -> str | None:
    """Return the third of the picture, None near a border of two and outside."""
    if min(abs(share - 1 / 3), abs(share - 2 / 3)) < SIDE_MARGIN or not 0.0 <= share <= 1.0:
        return None
    return SIDES[int(share > 1 / 3) + int(share > 2 / 3)]


def _looked_at(view: _View, names: list[Name]) -> Name | None:
    """Return the thing that fills the middle of a view."""
    height, width = view.instance_ids.shape
    reach = max(round(MIDDLE_REACH * width), 1)
    middle = view.instance_ids[height // 2 - reach : height // 2 + reach, width // 2 - reach : width // 2 + reach]
    if (middle != middle[0, 0]).any():
        return None
    return next((name for name in names if name.instance_id == middle[0, 0]), None)


def _nearest_on_axis(view: _View, instance_id: int, annotations: SequenceAnnotations) -> bool:
    """Whether the viewing direction meets this thing's box, and no other thing's before it or inside of it."""
    things = [thing for thing in objects_at(annotations, view.current_frame) if not thing.is_structure]
    centre = np.array([thing.box.centre_m for thing in things])
    half = np.array([thing.box.size_m for thing in things]) / 2
    yaw = np.array([thing.box.yaw_rad for thing in things])
    start = _in_box_axes(view.world_from_camera[:3, 3] - centre, yaw)
    along = _in_box_axes(np.broadcast_to(view.world_from_camera[:3, 2], centre.shape), yaw)
    along = np.where(np.abs(along) < 1e-9, 1e-9, along)
    low, high = (-half - start) / along, (half - start) / along
    near, far = np.minimum(low, high).max(axis=1), np.maximum(low, high).min(axis=1)
    own = next(index for index, thing in enumerate(things) if thing.instance_id == instance_id)
    met = (near < far) & (far > 0.0) & (near < far[own])
    return bool(near[own] > 0.0 and met.sum() == 1 and met[own] and far[own] - near[own] >= LEAST_CHORD_M)


def _in_box_axes(
    vectors: Float64[np.ndarray, "boxes 3"], yaw_rad: Float64[np.ndarray, " boxes"]
) -> Float64[np.ndarray, "boxes 3"]:
    cosine, sine = np.cos(yaw_rad), np.sin(yaw_rad)
    x, y, z = vectors[:, 0], vectors[:, 1], vectors[:, 2]
    return np.stack([cosine * x - sine * z, y, sine * x + cosine * z], axis=1)
