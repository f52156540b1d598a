"""Rules of questions about viewpoint, time and ways: what they refer to, and whether their answers follow."""

import math
from collections.abc import Iterator

import numpy as np

from backsight.quality.answers import within_room
from backsight.quality.claims_of_motion import moved_ids, unwatched, watched
from backsight.quality.places import place_problems
from backsight.quality.references import matching_in
from backsight.quality.routes import told_in_order
from backsight.quality.situation import Situation
from backsight.records.instruction import Instruction, Step

MOTION_REASONING: tuple[str, ...] = (
    "what_if",
    "where_from_here",
    "route",
    "object_motion",
    "own_trajectory",
    "scene_change",
)
"""Reasoning types that these rules are for."""
TURNS_DEG, TURN_STEP_DEG = (30, 120), 15
_LENGTHS: dict[float, str] = {0.25: "a quarter of a metre", 0.5: "half a metre"}
_WAYS: dict[tuple[int, int], str] = {(1, 0): "forward", (-1, 0): "back", (0, 1): "to the right", (0, -1): "to the left"}
"""By ahead and right."""
_POSE_TOLERANCE = 1e-3
NOTHING_MOVED = "no"
_ABOUT = "about "
_LENGTH_WORDS = ("how far", "how long", "how many metres", "what distance")
"""Questions for the length of a way say one of these."""


def question_problems(instruction: Instruction, situation: Situation) -> Iterator[tuple[str, str]]:
    """Yield field and problem of everything that is wrong with what a question refers to and with its answer.

    Args:
        instruction: Of one of `MOTION_REASONING`, with words of the vocabulary.
        situation: At its current frame.
    """
    yield from _reference_problems(instruction, situation)
    match instruction.reasoning_type:
        case "what_if":
            yield from _pose_problems(instruction, situation)
        case "own_trajectory" | "route":
            yield from place_problems(instruction, situation)
        case _:
            pass
    if instruction.reasoning_type == "own_trajectory":
        yield from _time_problems(instruction, situation)
    if instruction.reasoning_type == "route":
        asks_length = any(words in instruction.text.lower() for words in _LENGTH_WORDS)
        if asks_length != instruction.answer.startswith(_ABOUT):
            yield "answer", "does not say what is asked for, the way or its length"
    expected = _expected_answer(instruction, situation)
    if expected is None:
        yield "steps", "do not lead to an answer"
    elif instruction.reasoning_type == "route" and not instruction.answer.startswith(_ABOUT):
        missing = told_in_order(instruction.answer, instruction.steps, situation.things)
        if missing is not None:
            yield "answer", f"does not say {missing!r} where it should"
        if not instruction.answer.startswith(expected):
            yield "answer", f"does not begin with {expected!r}"
    elif instruction.answer != expected:
        yield "answer", f"is {instruction.answer!r}, by its steps it is {expected!r}"


def changed_things(instruction: Instruction, situation: Situation) -> tuple[int, ...]:
    """Return the things that moved as a question about motion or change says, by rising id.

    One that names no thing is about everything that moved, seen or not.

    Args:
        instruction: About object motion or scene change.
        situation: At its current frame.
    """
    moved = moved_ids(situation)
    if instruction.category is None:
        return tuple(sorted(moved))
    named = set(matching_in(instruction, situation))
    return tuple(sorted(named.intersection(moved)))


def _reference_problems(instruction: Instruction, situation: Situation) -> Iterator[tuple[str, str]]:
    targets, kind = set(instruction.target_instance_ids), instruction.reasoning_type
    is_place = kind in ("own_trajectory", "route")
    if is_place != (instruction.target_place is not None):
        yield "target_place", "belongs to questions for places, and to those alone"
    if (kind == "what_if") != (instruction.imagined_view is not None):
        yield "imagined_view", "belongs to questions about imagined views, and to those alone"
    if is_place and targets:
        yield "target_instance_ids", "has things where a place is asked for"
    if kind in ("object_motion", "scene_change"):
        rule = watched if kind == "object_motion" else unwatched
        fitting = set(changed_things(instruction, situation))
        if fitting != targets:
            yield "target_instance_ids", f"{sorted(fitting)} moved, stated {sorted(targets)}"
        elif not all(rule(number, situation) for number in targets):
            yield "target_instance_ids", "did not move in the way that is asked about"
    elif instruction.category is not None:
        fitting = set(matching_in(instruction, situation))
        if len(fitting) != 1 or (not is_place and fitting != targets):
            yield "target_instance_ids", f"{instruction.text!r} fits {sorted(fitting)}, stated {sorted(targets)}"
        subjects = {step.subject_id for step in instruction.steps if step.claim in ("first_seen", "way")}
        if is_place and subjects != fitting:
            yield "steps", f"are about {sorted(n for n in subjects if n is not None)}, named is {sorted(fitting)}"
        targets = fitting
    if len(targets) > 1:
        yield "target_instance_ids", "are several"
    same = {thing.instance_id for thing in situation.things if thing.category == instruction.category}
    if same - targets != set(instruction.distractor_ids):
        yield "distractor_ids", f"are {sorted(same - targets)}, stated {sorted(instruction.distractor_ids)}"


def _pose_problems(instruction: Instruction, situation: Situation) -> Iterator[tuple[str, str]]:
    """The words of the text must be those of the imagined view's pose."""
    number, views = instruction.imagined_view, situation.annotations.imagined
    if number is None or not 0 <= number < len(views) or views[number].current_frame != situation.frame:
        yield "imagined_view", "is no view of the current frame"
        return
    here = situation.world_from_viewer
    there = np.array(views[number].world_from_camera, dtype=np.float64).reshape(4, 4)
    turn = there[:3, :3] @ here[:3, :3].T
    if abs(turn[1, 1] - 1.0) > _POSE_TOLERANCE:
        yield "imagined_view", "is tilted against the current frame"
        return
    left_deg = math.degrees(math.atan2(turn[0, 2], turn[2, 2]))
    whole = round(left_deg / TURN_STEP_DEG) * TURN_STEP_DEG
    if abs(whole - left_deg) > 0.05 or not TURNS_DEG[0] <= abs(whole) <= TURNS_DEG[1]:
        yield "imagined_view", f"is turned by {left_deg:.2f} degrees, which nobody can name"
        return
    words = f"turn* {abs(whole)} degrees to the {'left' if whole > 0 else 'right'}"
    step_m = there[:3, 3] - here[:3, 3]
    if np.abs(step_m).max() > _POSE_TOLERANCE:
        to_right = here[:3, 0]
        ahead = np.cross(np.array([0.0, 1.0, 0.0]), to_right)
        quarters = np.array([step_m @ ahead, step_m @ to_right]) / 0.25
        length_m = float(np.abs(np.round(quarters)).sum()) * 0.25
        way = (int(np.sign(np.round(quarters[0]))), int(np.sign(np.round(quarters[1]))))
        level = abs(step_m[1]) <= _POSE_TOLERANCE and np.abs(quarters - np.round(quarters)).max() <= 4 * _POSE_TOLERANCE
        if not level or way not in _WAYS or length_m not in _LENGTHS:
            yield "imagined_view", "is moved by a step that nobody can name"
            return
        words = f"mov* {_LENGTHS[length_m]} {_WAYS[way]} and {words}"
    if not any(_in_form(words, form) in instruction.text for form in range(3)):
        yield "text", f"does not say {_in_form(words, 0)!r}"
    elif "mov*" not in words and " mov" in instruction.text:
        yield "text", "says a move where there is none"


def _in_form(words: str, form: int) -> str:
    """Return the words with verbs in the past, in the present, and as 'moving'."""
    turn, move = ("turned", "turn", "turning")[form], ("moved", "move", "moving")[form]
    return words.replace("turn*", turn).replace("mov*", move)


def _time_problems(instruction: Instruction, situation: Situation) -> Iterator[tuple[str, str]]:
    """When the text says how long ago, or at the start, the frame of the spot must be that one."""
    frames = [step.frame for step in instruction.steps if step.claim == "stood_at"]
    words = instruction.text.lower().replace("?", " ").replace(",", " ").replace(".", " ").split()
    if not frames or frames[0] is None:
        return
    ago_s = (situation.frame - frames[0]) / situation.annotations.frame_rate_hz
    if "ago" in words:
        said = words[words.index("ago") - 2]
        if not said.isdigit() or abs(int(said) - ago_s) > 1e-6:
            yield "text", f"says {said} seconds, it was {ago_s:g}"
        return
    first_seen = any(step.claim == "first_seen" and step.frame == frames[0] for step in instruction.steps)
    if frames[0] != 0 and not first_seen:
        yield "steps", f"speak of frame {frames[0]}, the walk starts with frame 0"


def _expected_answer(instruction: Instruction, situation: Situation) -> str | None:
    """Return the answer that follows from the claims of the steps, for a route its first words."""
    by_claim = {step.claim: step for step in instruction.steps}
    target = instruction.target_instance_ids[0] if instruction.target_instance_ids else None
    match instruction.reasoning_type:
        case "what_if":
            step = by_claim.get("side_in_imagined_view" if instruction.category else "middle_of_imagined_view")
            if step is None or step.subject_id != target or not step.word:
                return None
            # 'What would I see?' is answered by 'an armchair'; a side is a side.
            return step.word if instruction.category else f"{'an' if step.word[0] in 'aeiou' else 'a'} {step.word}"
        case "where_from_here":
            return _from_here(by_claim, target)
        case "own_trajectory":
            if "came_from" in by_claim:
                return _from_words(by_claim["came_from"].word or "")
            if "stood_in_room" not in by_claim:
                return _from_here(by_claim, None)
            step, stood = by_claim["stood_in_room"], by_claim.get("stood_at")
            return within_room(step.word or "") if stood is not None and stood.frame == step.frame else None
        case "route":
            step = by_claim.get("first_turn")
            if step is None or "way" not in by_claim:
                return None
            if instruction.answer.startswith(_ABOUT):
                # How far it is, not where it goes.
                return _metres(float(round(by_claim["way"].number or 0.0)))
            return "go straight ahead" if step.word == "ahead" else f"turn {step.word}"
        case "object_motion":
            return _motion_answer(instruction, situation, by_claim, target)
        case _:
            return _change_answer(instruction, situation, by_claim, target)


def _motion_answer(
    instruction: Instruction, situation: Situation, by_claim: dict[str, Step], target: int | None
) -> str | None:
    if target is None:
        return NOTHING_MOVED if "none_moved" in by_claim else None
    if "moved_in_view" not in by_claim or by_claim["moved_in_view"].subject_id != target:
        return None
    if "moved_towards" in by_claim:
        return by_claim["moved_towards"].word if by_claim["moved_towards"].subject_id == target else None
    if "turned" in by_claim:
        return by_claim["turned"].word if by_claim["turned"].subject_id == target else None
    if "colour_of" in by_claim:
        step = by_claim["colour_of"]
        alike = [t for t in situation.things if t.category == instruction.category and t.colour == step.word]
        return f"the {step.word} one" if [t.instance_id for t in alike] == [target] else None
    words = _name_in(instruction.answer, situation, target)
    return words if words is None or not instruction.answer.startswith("yes") else f"yes, {words}"


def _change_answer(
    instruction: Instruction, situation: Situation, by_claim: dict[str, Step], target: int | None
) -> str | None:
    if "moved_unseen" not in by_claim or by_claim["moved_unseen"].subject_id != target or target is None:
        return None
    if "moved_by" in by_claim:
        step = by_claim["moved_by"]
        return _metres(step.number) if step.subject_id == target else None
    if "direction_from_here" in by_claim:
        return _direction_and_distance(by_claim, target)
    return _name_in(instruction.answer, situation, target)


def _name_in(answer: str, situation: Situation, target: int) -> str | None:
    """Return the name that an answer gives a thing, where it is one of its names."""
    subject = situation.thing(target)
    if subject is None:
        return None
    names = [f"the {subject.category}", f"the {subject.colour} {subject.category}"]
    return next((name for name in names if answer.removeprefix("yes, ") == name), None)


def _from_here(by_claim: dict[str, Step], subject_id: int | None) -> str | None:
    """Return direction and distance, or the one of them that the steps tell."""
    direction, distance = by_claim.get("direction_from_here"), by_claim.get("distance_from_here")
    if direction is not None and distance is not None:
        return _direction_and_distance(by_claim, subject_id)
    if direction is not None:
        return direction.word if direction.subject_id == subject_id else None
    return _metres(distance.number) if distance is not None and distance.subject_id == subject_id else None


def _direction_and_distance(by_claim: dict[str, Step], subject_id: int | None) -> str | None:
    direction, distance = by_claim.get("direction_from_here"), by_claim.get("distance_from_here")
    if direction is None or distance is None or {direction.subject_id, distance.subject_id} != {subject_id}:
        return None
    return f"{direction.word}, {_metres(distance.number)} away"


def _metres(number: float | None) -> str:
    return "about 1 metre" if number == 1 else f"about {number or 0:.0f} metres"


def _from_words(direction: str) -> str:
    if direction.startswith("to "):
        return f"from {direction[3:]}"
    side = direction.rpartition(" to ")[2] if " to " in direction else ""
    return f"from {'behind' if direction.startswith('behind') else 'the front'}{side and f' on {side}'}"
