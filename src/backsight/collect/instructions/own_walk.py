"""Questions about the way that the walk itself took: where the camera was, and from where it came."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from backsight.collect.instructions.bearings import (
    direction_word,
    distance_step,
    distance_words,
    from_here,
    from_here_steps,
    level_distance_m,
    place_words,
)
from backsight.collect.instructions.draft import Draft, InstructionContext
from backsight.collect.instructions.floor_seen import disc_points, points_seen
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.naming import Name, names_of
from backsight.collect.instructions.phrases.own_walk import seconds_words
from backsight.collect.instructions.rooms import NO_ROOM, rooms_of
from backsight.collect.instructions.viewpoint import stays
from backsight.quality.answers import within_room
from backsight.records.instruction import Place, Step
from backsight.records.sequence import annotation_arrays
from backsight.records.vocabulary import UNNAMED_ROOM_TYPE

RADIUS_M = 0.3
"""Of the place where the camera stood."""
LEAST_DISTANCE_M = 1.0
"""Of that place from the current one."""
WAY_BACK_M = (1.2, 2.0)
"""How much of the way that led here is asked for: at least, at most."""
WAY_STEP_M = 0.3
"""Between two points of that way."""
MOST_FIRST_SEEN, MOST_AGO = 4, 3
"""Things and moments that are asked about."""
LEAST_POINTS_SEEN = 5
"""Of the nine points of a place, how many one frame must show."""
SEEN_WEIGHT = 4.0
"""How much places whose floor was seen are preferred to others, which are answered in words alone."""
FLOOR_TOLERANCE_M = 0.06
"""Between a place and the floor of a room; steps of stairs are not asked for."""


@dataclass(frozen=True)
class _Walked:
    """The walk up to a current frame."""

    context: InstructionContext
    memory: Memory
    intrinsics: Float64[np.ndarray, "3 3"]
    poses: Float64[np.ndarray, "frames 4 4"]
    floor_m: Float64[np.ndarray, "frames 3"]
    """The point of the floor under each camera."""
    on_floor: list[bool]
    """Whether it is the floor of a room."""

    @property
    def seconds_a_frame(self) -> float:
        return 1.0 / self.context.annotations.frame_rate_hz

    def weight(self, points_m: Float64[np.ndarray, "points 3"]) -> float:
        """Return how much a question for this floor is preferred."""
        depth_m = self.context.depth_m
        if depth_m is None:
            return 1.0
        seen = points_seen(points_m, depth_m[: len(self.poses)], self.intrinsics, self.poses)
        return SEEN_WEIGHT if int(seen.sum(axis=1).max()) >= LEAST_POINTS_SEEN else 1.0


def own_walk_drafts(context: InstructionContext, memory: Memory, rng: np.random.Generator) -> list[Draft]:
    """Return questions for where the camera was at earlier times and from where it came.

    Args:
        context: The walk.
        memory: What was seen up to the current frame.
        rng: Source of every choice.
    """
    walked = _walked(context, memory)
    drafts: list[Draft] = []
    drafts += _spot_drafts(walked, 0, "at_start", {}, None)
    frames = np.arange(memory.current_frame)
    ago = (memory.current_frame - frames) * walked.seconds_a_frame
    whole = frames[(np.abs(ago - np.round(ago)) < 1e-6) & (np.round(ago) >= 2)]
    asked = 0
    for frame in rng.permutation(whole).tolist():
        words = seconds_words(round((memory.current_frame - frame) * walked.seconds_a_frame))
        about = _spot_drafts(walked, frame, "ago", {"seconds": words}, None)
        drafts += about
        asked += bool(about)
        if asked == MOST_AGO:
            break
    names, asked = names_of(memory, rng), 0
    for index in rng.permutation(len(names)).tolist():
        name = names[index]
        if asked == MOST_FIRST_SEEN:
            break
        shown = memory.situation.shares[:, name.index] > 0.0
        first = int(np.argmax(shown))
        if (
            0 < first < memory.current_frame
            and _clearly_first(memory, name, first)
            and stays(context.annotations, memory, name)
        ):
            about = _spot_drafts(walked, first, "when_first_seen", {"the": name.words}, name)
            drafts += about
            asked += bool(about)
    return drafts + _came_from_drafts(walked)


def _clearly_first(memory: Memory, name: Name, first: int) -> bool:
    """Whether the first frame that shows a thing at all shows it well: it did not creep into view."""
    return bool(memory.situation.shown_well[first, name.index])


def _walked(context: InstructionContext, memory: Memory) -> _Walked:
    intrinsics, poses = annotation_arrays(context.annotations)
    poses = poses[: memory.current_frame + 1]
    floor_m = np.stack([context.navigation.snap(pose[:3, 3]) for pose in poses])
    floor_m[:, [0, 2]] = poses[:, [0, 2], 3]
    rooms = context.annotations.rooms
    floors_m = {room.room_id: room.floor_m for room in rooms}
    on_floor = [
        room_id != NO_ROOM and abs(float(point[1]) - floors_m[room_id]) <= FLOOR_TOLERANCE_M
        for point, room_id in zip(floor_m, rooms_of(floor_m, rooms).tolist(), strict=True)
    ]
    return _Walked(context, memory, intrinsics, poses, floor_m, on_floor)


def _spot_drafts(walked: _Walked, frame: int, when: str, slots: dict[str, str], name: Name | None) -> list[Draft]:
    """Return the questions for the spot and, where it tells something, for the room of one earlier frame."""
    spot_m, here_m = walked.floor_m[frame], walked.floor_m[-1]
    if not walked.on_floor[frame] or np.linalg.norm((spot_m - here_m)[[0, 2]]) < LEAST_DISTANCE_M:
        return []
    answer, room_type = from_here(walked.poses[-1], spot_m.tolist()), _room_worth_telling(walked, frame)
    far = distance_words(level_distance_m(walked.poses[-1], spot_m)) if answer is None and name is None else None
    if answer is None and far is None and room_type is None:
        return []
    weight = walked.weight(disc_points(spot_m, RADIUS_M))
    stood = Step(f"I stood there in frame {frame}.", "stood_at", frame=frame)
    steps = (stood,) if name is None else (_first_seen(name, frame), stood)
    found: list[Draft] = []
    if answer is not None:
        said = from_here_steps("the spot", None, answer)
        found.append(_draft(walked, f"stood_{when}", slots, answer, (*steps, *said), (spot_m, name, weight)))
    elif far is not None:
        # Where the direction lies between two words, as of a whole straight walk, the distance may still be clear.
        said = distance_step("the spot", None, far)
        found.append(_draft(walked, f"far_{when}", slots, far, (*steps, said), (spot_m, name, weight)))
    if room_type is not None:
        answer = within_room(room_type)
        step = Step(f"I was {answer} in frame {frame}.", "stood_in_room", frame=frame, word=room_type)
        found.append(_draft(walked, f"room_{when}", slots, answer, (*steps, step), (spot_m, name, weight)))
    return found


def _first_seen(name: Name, frame: int) -> Step:
    text = f"{name.words[0].upper()}{name.words[1:]} is first seen in frame {frame}."
    return Step(text, "first_seen", subject_id=name.instance_id, frame=frame)


def _draft(
    walked: _Walked,
    template: str,
    slots: dict[str, str],
    answer: str,
    steps: tuple[Step, ...],
    about: tuple[Float64[np.ndarray, "3"], Name | None, float],
) -> Draft:
    spot_m, name, weight = about
    return Draft(
        reasoning_type="own_trajectory",
        template=template,
        slots=slots,
        complexity="simple" if name is None else "medium",
        frame_of_reference="world" if template.startswith("room") else "viewer",
        answer=answer,
        steps=steps,
        category=None if name is None else name.category,
        colour=None if name is None else name.colour,
        target_place=Place((_rounded(spot_m),), RADIUS_M),
        distractor_ids=() if name is None else walked.memory.distractors_of(name.index),
        weight=weight,
    )


def _rounded(point_m: Float64[np.ndarray, "3"]) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 4) for value in point_m)
    return x, y, z


def _room_worth_telling(walked: _Walked, frame: int) -> str | None:
    """Return the type of the room of a frame, where the current frame is in another and the type tells which."""
    rooms = walked.context.annotations.rooms
    then, now = rooms_of(walked.floor_m[[frame, -1]], rooms).tolist()
    if then == now or NO_ROOM in (then, now):
        return None
    types = {room.room_id: room.room_type for room in rooms}
    known = types[then] not in (UNNAMED_ROOM_TYPE, types[now])
    return types[then] if known else None


def _came_from_drafts(walked: _Walked) -> list[Draft]:
    """Return the question for the last metres of the way that led here."""
    points, length_m = [walked.floor_m[-1]], 0.0
    for point in walked.floor_m[-2::-1]:
        step_m = float(np.linalg.norm(point - points[-1]))
        if step_m >= WAY_STEP_M:
            if length_m + step_m > WAY_BACK_M[1]:
                break
            points.append(point)
            length_m += step_m
    straight_m = float(np.linalg.norm((points[-1] - points[0])[[0, 2]]))
    direction = direction_word(walked.poses[-1], points[-1])
    if length_m < WAY_BACK_M[0] or straight_m < 0.75 * length_m or direction is None:
        return []
    if not walked.on_floor[-1] or np.ptp([point[1] for point in points]) > FLOOR_TOLERANCE_M:
        return []
    way = np.stack(points)
    step = Step(f"The way that I came lies {place_words(direction)}.", "came_from", word=direction)
    return [
        Draft(
            reasoning_type="own_trajectory",
            template="came_from",
            slots={},
            complexity="simple",
            frame_of_reference="viewer",
            answer=_from_words(direction),
            steps=(step,),
            target_place=Place(tuple(_rounded(point) for point in way), RADIUS_M),
            weight=walked.weight(np.concatenate([disc_points(way[-1], RADIUS_M), way])),
        )
    ]


def _from_words(direction: str) -> str:
    """Return 'from behind', 'from the left', 'from the front on the left'."""
    if direction.startswith("to "):
        return f"from {direction.removeprefix('to ')}"
    return f"from {direction.replace(' to ', ' on ').replace('ahead', 'the front')}"
