"""Questions about viewpoint, time and ways: true by brute force, alike in a moved world, mirrored in a mirrored one."""

import re
from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.collect.instructions.bearings import DIRECTIONS, direction_word, distance_words
from backsight.collect.instructions.changes import change_drafts
from backsight.collect.instructions.config import InstructConfig
from backsight.collect.instructions.draft import Draft
from backsight.collect.instructions.imagine import named_pose
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.own_walk import own_walk_drafts
from backsight.collect.instructions.phrases.changes import CHANGE_SENTENCES
from backsight.collect.instructions.phrases.own_walk import OWN_WALK_SENTENCES
from backsight.collect.instructions.phrases.routes import ROUTE_SENTENCES
from backsight.collect.instructions.phrases.sentences import sentence
from backsight.collect.instructions.phrases.viewpoint import VIEWPOINT_SENTENCES
from backsight.collect.instructions.routes import route_drafts
from backsight.collect.instructions.told_walk import route_instructions
from backsight.collect.instructions.viewpoint import viewpoint_drafts
from backsight.geometry.poses import look_pose
from backsight.quality.instructions import problems_of
from backsight.quality.routes import route_problems
from backsight.records.instruction import Instruction
from backsight.records.sequence import ObjectMotion
from paper_world import EYE_M, FOCAL_PX, THINGS, WIDTH, World, swapped, through_the_door

LAST = 22
VIEWS = ((LAST, 90, 0, 0), (LAST, -60, 0, 0), (LAST, 45, 0.5, 0), (LAST, -105, 0, 0.25), (LAST, 120, 0, 0))
FAMILIES = (viewpoint_drafts, own_walk_drafts, route_drafts, change_drafts)
SENTENCES = {**VIEWPOINT_SENTENCES, **OWN_WALK_SENTENCES, **ROUTE_SENTENCES, **CHANGE_SENTENCES}


def slide(instance_id, first, last, step_m, turn_rad=0.0, frames=LAST + 1) -> ObjectMotion:
    """A thing that moves evenly between two frames."""
    box = next(thing.box for thing in THINGS if thing.instance_id == instance_id)
    share = np.clip((np.arange(frames) - first) / (last - first), 0.0, 1.0)
    centres = np.array(box.centre_m) + share[:, None] * np.array(step_m)
    return ObjectMotion(
        instance_id, tuple(tuple(c) for c in centres.tolist()), tuple((box.yaw_rad + share * turn_rad).tolist())
    )


@cache
def drawn(world: World):
    return world.context("route")


@cache
def all_drafts(world: World):
    context = drawn(world)
    memory = Memory.of(context.annotations, LAST, InstructConfig())
    return memory, [draft for family in FAMILIES for draft in family(context, memory, np.random.default_rng(0))]


def told(world: World):
    return route_instructions(drawn(world), np.random.default_rng(0))


WORLDS = {
    "still": through_the_door(VIEWS),
    "seen": through_the_door(VIEWS, [slide(22, 8, 12, (0.1, 0.0, -0.8))]),
    "turned": through_the_door(VIEWS, [slide(22, 8, 12, (0.0, 0.0, 0.0), 1.2)]),
    "unseen": through_the_door(VIEWS, [slide(22, 15, 16, (-0.45, 0.0, 1.15))]),
}


@pytest.fixture(scope="module", params=sorted(WORLDS))
def world(request):
    return WORLDS[request.param]


def test_every_draft_is_true_by_the_rules_of_quality_control(world):
    memory, drafts = all_drafts(world)
    assert len(drafts) > 15
    for draft in drafts:
        for number in range(len(SENTENCES[draft.template])):
            instruction = worded(draft, number)
            assert problems_of(instruction, memory.situation) == [], instruction.text


def worded(draft: Draft, number: int = 0) -> Instruction:
    """An instruction in one of the sentences that fit."""
    sentences = SENTENCES[draft.template]
    fields = {name: getattr(draft, name) for name in Instruction.__struct_fields__ if hasattr(draft, name)}
    text = sentence(sentences[number % len(sentences)], draft.slots)
    return Instruction(instruction_id="i", text=text, current_frame=LAST, **fields)


def test_there_are_twelve_sentences_of_each_template_all_different_and_filled_in():
    slots = {"the": "the sofa", "did": "x", "do": "x", "doing": "x", "seconds": "3 seconds", "room": "kitchen"}
    slots |= {"category": "chair", "plural": "chairs", "anchor": "the bed"}
    for template, sentences in SENTENCES.items():
        filled = {sentence.format_map(slots) for sentence in sentences}
        assert len(filled) >= 12, template
        assert all(text[-1] in "?." and "  " not in text for text in filled)


@settings(max_examples=8, deadline=None)
@given(
    quarters=st.integers(0, 3),
    shift=st.tuples(*(st.integers(-9, 9).map(float) for _ in range(3))),
    name=st.sampled_from(sorted(WORLDS)),
)
def test_words_stay_the_same_in_a_turned_and_shifted_world(quarters, shift, name):
    world = WORLDS[name]
    moved = world.moved(quarters, shift)
    assert meanings(all_drafts(moved)[1]) == meanings(all_drafts(world)[1])
    assert [route.text for route in told(moved)] == [route.text for route in told(world)]


def meanings(drafts):
    return [(draft.template, tuple(sorted(draft.slots.items())), draft.answer) for draft in drafts]


def test_left_and_right_change_places_in_a_mirrored_world(world):
    _, mirrored = all_drafts(world.mirrored())
    _, drafts = all_drafts(world)
    said = [(t, tuple((k, swapped(v)) for k, v in slots), swapped(answer)) for t, slots, answer in meanings(drafts)]
    # A pixel's centre may fall on either side of an edge: the pictures are no mirror images to the last pixel.
    same = set(said) & set(meanings(mirrored))
    assert len(same) >= 0.9 * len(said)
    assert any("left" in answer or "right" in answer for _, _, answer in same)
    assert [route.text for route in told(world.mirrored())] == [swapped(route.text) for route in told(world)]


def test_words_of_imagined_views_are_the_poses_that_were_drawn():
    context = drawn(WORLDS["still"])
    _, drafts = all_drafts(WORLDS["still"])
    x, y, z, yaw, pitch = WORLDS["still"].poses[LAST]
    found = set()
    for draft in drafts:
        if draft.imagined_view is None:
            continue
        words = re.fullmatch(
            r"(?:moved (half|a quarter of) a metre (.*) and )?turned (\d+) degrees to the (left|right)",
            draft.slots["did"],
        )
        length, way, degrees, side = words.groups()
        ahead, left = {
            None: (0, 0),
            "forward": (1, 0),
            "back": (-1, 0),
            "to the left": (0, 1),
            "to the right": (0, -1),
        }[way]
        metres = {None: 0.0, "half": 0.5, "a quarter of": 0.25}[length]
        at = np.array([x, y, z]) + metres * (
            ahead * np.array([-np.sin(yaw), 0, -np.cos(yaw)]) + left * np.array([-np.cos(yaw), 0, np.sin(yaw)])
        )
        pose = look_pose(at, yaw + np.radians(int(degrees)) * (1 if side == "left" else -1), pitch)
        stated = context.annotations.imagined[draft.imagined_view].world_from_camera
        np.testing.assert_allclose(pose.ravel(), stated, atol=1e-9)
        found.add(draft.imagined_view)
    assert len(found) >= 3


def test_sides_of_imagined_views_are_where_their_pictures_show_the_thing():
    context = drawn(WORLDS["still"])
    _, drafts = all_drafts(WORLDS["still"])
    sides = set()
    for draft in (draft for draft in drafts if draft.template == "what_if_where"):
        shown = np.argwhere(context.imagined.instance_ids[draft.imagined_view] == draft.target_instance_ids[0])
        third = int(3 * (shown[:, 1].mean() + 0.5) / WIDTH)
        assert draft.answer == ("on the left", "in the middle", "on the right")[third]
        sides.add(draft.answer)
    assert len(sides) == 3


@pytest.mark.parametrize("tilt", [(17.0, 0.0), (30.0, 0.1)])
def test_a_pose_that_nobody_can_name_is_not_named(tilt):
    turn_deg, aside_m = tilt
    here = look_pose(np.array([1.0, EYE_M, 2.0]), 0.7, -0.1)
    there = look_pose(np.array([1.0 + aside_m, EYE_M, 2.0]), 0.7 + np.radians(turn_deg), -0.1)
    assert named_pose(here, there) is None
    assert named_pose(here, look_pose(here[:3, 3], 0.7 + np.radians(45.0), -0.1)).turn_deg == 45


@given(yaw=st.floats(-3.1, 3.1), pitch=st.floats(-0.6, 0.6), angle=st.floats(-3.1, 3.1), far=st.floats(0.5, 9.0))
def test_direction_words_are_the_nearest_eighth_of_a_turn_to_the_left(yaw, pitch, angle, far):
    pose = look_pose(np.array([1.0, EYE_M, -2.0]), yaw, pitch)
    heading = yaw + angle
    point = pose[:3, 3] + far * np.array([-np.sin(heading), 0.3, -np.cos(heading)])
    word = direction_word(pose, point)
    eighths = np.degrees(angle) / 45.0
    clear = abs(eighths - round(eighths)) * 45.0
    if abs(clear - 15.5) > 1e-6:
        assert word == (DIRECTIONS[round(eighths) % 8] if clear < 15.5 else None)


def test_distances_in_words_keep_away_from_the_half():
    assert [distance_words(d) for d in (0.7, 0.8, 1.39, 1.45, 1.61, 3.0)] == [
        None, "about 1 metre", "about 1 metre", None, "about 2 metres", "about 3 metres",
    ]  # fmt: skip


def test_answers_of_the_paper_world():
    _, drafts = all_drafts(WORLDS["still"])
    by_words = {(draft.template, draft.slots.get("the") or draft.slots.get("room")): draft for draft in drafts}
    assert by_words["where_from_here", "the sofa"].answer == "behind to the right, about 7 metres away"
    assert by_words["stood_at_start", None].answer == "behind to the right, about 7 metres away"
    assert by_words["room_at_start", None].answer == "in the kitchen"
    assert by_words["came_from", None].answer == "from behind on the right"
    routes = {draft.slots["the"]: draft.answer for draft in drafts if draft.template == "route_to_thing"}
    expected = "go straight ahead, go past the blue chair on your right, then go on to the white desk"
    assert routes["the white desk"] == expected
    text = (
        "Walk on for about 2 metres, go past the brown table on your right, go through the door into the study, "
        "then stop beside the blue chair."
    )
    assert [route.text for route in told(WORLDS["still"])] == [text]


def test_what_moved_is_asked_as_it_was_seen():
    _, seen = all_drafts(WORLDS["seen"])
    answers = {draft.template: draft.answer for draft in seen if draft.reasoning_type == "object_motion"}
    assert answers["what_moved"] == "the blue chair"
    assert answers["anything_moved"] == "yes, the blue chair"
    assert answers["which_one_moved"] == "the blue one"
    # It slides along -z, and the camera comes along +x.
    assert answers["which_way_moved"] == "to the left"
    _, turned = all_drafts(WORLDS["turned"])
    answers = {draft.template: draft.answer for draft in turned if draft.reasoning_type == "object_motion"}
    assert answers["which_way_turned"] == "counter-clockwise"
    assert "which_way_moved" not in answers


def test_what_changed_behind_the_back_is_asked_as_change():
    memory, drafts = all_drafts(WORLDS["unseen"])
    assert not any(draft.reasoning_type == "object_motion" for draft in drafts)
    answers = {draft.template: draft.answer for draft in drafts if draft.reasoning_type == "scene_change"}
    shares = memory.situation.shares[:, memory.situation.column[22]]
    assert shares[15:17].max() == 0.0
    assert answers["what_changed"] in ("the blue chair", "the chair")
    assert answers["how_far_moved"] == "about 1 metre"


def test_walks_without_motion_are_seldom_asked_whether_anything_moved():
    context = drawn(WORLDS["still"])
    memory = Memory.of(context.annotations, LAST, InstructConfig())
    asked = [change_drafts(context, memory, np.random.default_rng(seed)) for seed in range(1000)]
    found = [draft for drafts in asked for draft in drafts]
    # One in forty, give or take four standard deviations.
    assert 5 <= len(found) <= 45
    assert {(draft.answer, draft.target_instance_ids) for draft in found} == {("no", ())}


def test_a_walk_that_ends_in_a_doorway_stops_there():
    walk = WORLDS["still"]
    ends = {}
    for end_m in (-0.5, 0.1, 0.5):
        poses = (*walk.poses[:9], *(pose for pose in walk.poses[9:14] if pose[0] < end_m), (end_m, *walk.poses[13][1:]))
        (route,) = told(World(poses, things=walk.things))
        ends[end_m] = (route.text.removesuffix(".").rsplit("then ", 1)[1], "into the study" in route.text)
    assert ends == {
        -0.5: ("stop in the kitchen", False),
        0.1: ("stop in the doorway", False),
        0.5: ("stop there", True),
    }


def test_walks_backwards_and_on_the_spot_are_not_told():
    world = WORLDS["still"]
    back = World(tuple((*pose[:3], pose[3] + np.pi, pose[4]) for pose in world.poses))
    spot = World(tuple((-3.0, EYE_M, 0.0, 0.3 * n, 0.0) for n in range(15)))
    assert told(back) == ()
    assert told(spot) == ()
    assert len(told(world)) == 1


def test_lies_in_told_walks_are_found():
    context = drawn(WORLDS["still"])
    (route,) = told(WORLDS["still"])
    sound = msgspec.structs.replace(context.annotations, routes=(route,))
    assert list(route_problems(sound)) == []
    lies = [msgspec.structs.replace(route, text=route.text.replace("right", "left"))]
    lies += [msgspec.structs.replace(route, landmark_ids=route.landmark_ids[:1])]
    lies += [msgspec.structs.replace(route, text=route.text.replace("brown table", "chair"))]
    lies += [msgspec.structs.replace(route, last_frame=99)]
    for index, step in enumerate(route.steps):
        for change in lied(step):
            if step.claim != "goes_on" or change.number is not None:
                steps = (*route.steps[:index], change, *route.steps[index + 1 :])
                lies.append(msgspec.structs.replace(route, steps=steps))
    assert len(lies) > 8
    for lie in lies:
        assert list(route_problems(msgspec.structs.replace(sound, routes=(lie,)))), lie


OTHER = {
    "left": "right", "right": "left", "study": "kitchen", "kitchen": "study", "ahead": "behind", "around": "left",
    "on the left": "on the right", "in the middle": "on the left", "on the right": "in the middle",
    "towards me": "away from me", "to the left": "to the right", "clockwise": "counter-clockwise",
    "counter-clockwise": "clockwise", "chair": "sofa", "blue": "black", "away from me": "to the left",
}  # fmt: skip


def lied(step):
    """Yield the step with one of its facts changed."""
    if step.word is not None:
        yield msgspec.structs.replace(step, word=OTHER.get(step.word, "behind" if step.word != "behind" else "ahead"))
    if step.number is not None:
        yield msgspec.structs.replace(step, number=step.number + 9.0)
    if step.frame is not None:
        yield msgspec.structs.replace(step, frame=step.frame + (3 if step.frame < 12 else -3))
    if step.subject_id is not None and step.claim not in ("enters_room", "turned"):
        yield msgspec.structs.replace(step, subject_id=24 if step.subject_id != 24 else 11)
    if step.points_m:
        yield msgspec.structs.replace(step, points_m=tuple((x + 1.5, y, z + 1.5) for x, y, z in step.points_m))
    yield msgspec.structs.replace(step, claim="nonsense")


def test_lies_in_questions_are_found(world):
    memory, drafts = all_drafts(world)
    tried = 0
    for draft in drafts:
        truth = worded(draft)
        lies = (
            [msgspec.structs.replace(truth, answer=swapped(truth.answer))]
            if swapped(truth.answer) != truth.answer
            else []
        )
        lies += [
            msgspec.structs.replace(truth, answer="about 1 metre, or so"),
            msgspec.structs.replace(truth, steps=()),
        ]
        if truth.target_instance_ids:
            lies.append(
                msgspec.structs.replace(truth, target_instance_ids=(13 if truth.target_instance_ids != (13,) else 11,))
            )
            lies.append(msgspec.structs.replace(truth, target_instance_ids=()))
        if truth.target_place is not None:
            place = truth.target_place
            points = tuple((x + 0.6, y, z - 0.6) for x, y, z in place.points_m)
            lies.append(msgspec.structs.replace(truth, target_place=msgspec.structs.replace(place, points_m=points)))
            high = tuple((x, y + 1.5, z) for x, y, z in place.points_m)
            lies.append(msgspec.structs.replace(truth, target_place=msgspec.structs.replace(place, points_m=high)))
            lies.append(msgspec.structs.replace(truth, target_place=None))
            if len(place.points_m) > 1:
                other = tuple(reversed(place.points_m))
                lies.append(msgspec.structs.replace(truth, target_place=msgspec.structs.replace(place, points_m=other)))
        if truth.imagined_view is not None:
            lies += [msgspec.structs.replace(truth, imagined_view=n) for n in (None, 77, (truth.imagined_view + 1) % 5)]
            lies.append(msgspec.structs.replace(truth, text=re.sub(r"\d+ degrees", "15 degrees", truth.text)))
            lies.append(msgspec.structs.replace(truth, text=swapped(truth.text)))
        if "ago" in truth.text:
            lies.append(msgspec.structs.replace(truth, text=re.sub(r"\d+", lambda n: str(int(n[0]) + 1), truth.text)))
        for index, step in enumerate(truth.steps):
            lies += [
                msgspec.structs.replace(truth, steps=(*truth.steps[:index], lie, *truth.steps[index + 1 :]))
                for lie in lied(step)
            ]
        for lie in lies:
            tried += 1
            assert problems_of(lie, memory.situation), (truth, lie)
    assert tried > 150


def test_lies_that_agree_with_their_answers_are_found(world):
    memory, drafts = all_drafts(world)
    tried = set()
    for draft in drafts:
        truth = worded(draft)
        for index, step in enumerate(truth.steps):
            other = OTHER.get(step.word or "", "behind" if step.word != "behind" else "ahead")
            if step.word is None or draft.reasoning_type == "route" or step.claim in ("colour_of", "came_from"):
                continue
            lie = msgspec.structs.replace(step, word=other)
            steps = (*truth.steps[:index], lie, *truth.steps[index + 1 :])
            answer = truth.answer.replace(step.word, other)
            problems = problems_of(msgspec.structs.replace(truth, steps=steps, answer=answer), memory.situation)
            assert problems, (truth, lie)
            tried.add(step.claim)
    assert {"side_in_imagined_view", "direction_from_here"} <= tried


def test_told_walks_that_pass_things_on_the_wrong_side_are_found():
    annotations = drawn(WORLDS["still"]).annotations
    (route,) = told(WORLDS["still"])
    steps = tuple(
        msgspec.structs.replace(step, word="left") if step.claim == "passes" else step for step in route.steps
    )
    lie = msgspec.structs.replace(route, steps=steps, text=route.text.replace("on your right", "on your left"))
    assert [field for field, _, _ in route_problems(msgspec.structs.replace(annotations, routes=(lie,)))]


def test_a_view_that_is_not_what_its_words_say_is_found():
    world = WORLDS["still"]
    _, drafts = all_drafts(world)
    draft = next(draft for draft in drafts if draft.imagined_view == 1)
    for frame, turn, ahead, left in (
        (LAST, -61, 0, 0),
        (LAST, -60, 0.1, 0),
        (LAST, -60, 0.25, 0.25),
        (LAST, -150, 0, 0),
    ):
        views = (*VIEWS[:1], (frame, turn, ahead, left), *VIEWS[2:])
        context = World(world.poses, views).context()
        other = Memory.of(context.annotations, LAST, InstructConfig())
        problems = problems_of(worded(draft), other.situation)
        assert any(field in ("imagined_view", "text") for field, _ in problems)


def test_places_of_the_next_stretch_begin_here_and_were_seen():
    context = drawn(WORLDS["still"])
    _, drafts = all_drafts(WORLDS["still"])
    here = np.array(WORLDS["still"].poses[LAST][:3])
    for draft in (draft for draft in drafts if draft.reasoning_type == "route"):
        points = np.array(draft.target_place.points_m)
        np.testing.assert_allclose(points[0], [here[0], 0.0, here[2]], atol=1e-3)
        assert np.linalg.norm(np.diff(points, axis=0), axis=1).sum() <= 2.0 + 1e-3
        # The end of the stretch, or a point on the way to it, in some picture: by projecting it with plain numbers.
        middle = points[0] + (points[-1] - points[0]) * np.linspace(0.2, 1.0, 9)[:, None]
        seen = False
        for frame, pose in enumerate(np.array(context.annotations.world_from_camera).reshape(-1, 4, 4)):
            for point in middle:
                x, y, z = pose[:3, :3].T @ (point - pose[:3, 3])
                if z > 0.1:
                    column, row = int(FOCAL_PX * x / z + WIDTH / 2), int(FOCAL_PX * y / z + 47 / 2)
                    inside = 0 <= column < WIDTH and 0 <= row < 47
                    seen |= inside and abs(context.depth_m[frame, row, column] - z) < 0.1 * z
        assert seen
