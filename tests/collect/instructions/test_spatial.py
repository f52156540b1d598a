"""Every draft about things in relations against a search through all things, written apart."""

from functools import lru_cache

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.collect.instructions.config import InstructConfig
from backsight.collect.instructions.draft import InstructionContext
from backsight.collect.instructions.memory import Memory
from backsight.collect.instructions.spatial import spatial_drafts
from backsight.geometry.relations import relation_holds
from backsight.quality.answers import CHOICE_ANSWERS
from backsight.records.scene import OrientedBox
from backsight.records.vocabulary import CONTAINER_CATEGORIES
from random_walks import OpenFloor, random_walk

CONFIG = InstructConfig()


@lru_cache(maxsize=64)
def drafts_of(seed: int):
    walk = random_walk(seed, moving=seed % 2 == 1)
    last = len(walk.world_from_camera) - 1
    memory = Memory.of(walk, last, CONFIG)
    return walk, last, spatial_drafts(InstructionContext(walk, OpenFloor(), None), memory, np.random.default_rng(seed))


def things_now(walk, frame):
    """Things seen, with boxes where they are, found by hand."""
    seen = {item.instance_id for shown in walk.visible_objects[: frame + 1] for item in shown}
    moved = {m.instance_id: OrientedBox(m.centres_m[frame], (0, 0, 0), m.yaws_rad[frame]) for m in walk.motions}
    found = {}
    for thing in walk.objects:
        if thing.instance_id in seen:
            place = moved.get(thing.instance_id, thing.box)
            box = OrientedBox(place.centre_m, thing.box.size_m, place.yaw_rad)
            found[thing.instance_id] = msgspec.structs.replace(thing, box=box)
    return found


def is_related(relation, subject, anchors, pose) -> bool:
    if relation == "between":
        return is_between(subject.box, *(anchor.box for anchor in anchors))
    if relation == "among":
        return is_among(subject.box, [anchor.box for anchor in anchors])
    if relation in ("inside", "outside") and len(anchors) > 1:
        # In one of several alike, or in none of them.
        each = [is_related(relation, subject, [anchor], pose) for anchor in anchors]
        return any(each) if relation == "inside" else all(each)
    (anchor,) = anchors
    if subject.instance_id == anchor.instance_id:
        return False
    if relation == "inside" and anchor.category not in CONTAINER_CATEGORIES:
        return False
    return relation_holds(relation, subject.box, anchor.box, pose)


def is_between(box, first, second) -> bool:
    """For boxes without a turn: the centre in the trapezoid of the near edges, as docs/relations.md says."""
    start, end = (np.array(b.centre_m)[[0, 2]] for b in (first, second))
    along = (end - start) / np.linalg.norm(end - start)
    across = np.array([-along[1], along[0]])

    def spans(b, axis):
        corners = b.corners_m()[:, [0, 2]] @ axis
        return corners.min(), corners.max()

    low, high = spans(first, along)[1], spans(second, along)[0]
    centre = np.array(box.centre_m)[[0, 2]]
    if not 0.2 <= high - low <= 4.0 or not low <= centre @ along <= high:
        return False
    share = (centre @ along - low) / (high - low)
    left = [(1 - share) * a + share * b for a, b in zip(spans(first, across), spans(second, across), strict=True)]
    size = spans(box, along)
    gaps = [abs(box.centre_m[1] - b.centre_m[1]) - (box.size_m[1] + b.size_m[1]) / 2 for b in (first, second)]
    return left[0] <= centre @ across <= left[1] and size[1] - size[0] <= high - low and max(gaps) <= 0.5


def is_among(box, others) -> bool:
    """Three or more others, and every half-plane through the centre has one."""
    offsets = np.array([np.array(b.centre_m)[[0, 2]] - np.array(box.centre_m)[[0, 2]] for b in others])
    angles = np.linspace(0, 2 * np.pi, 3601)
    side = offsets @ np.array([np.cos(angles), np.sin(angles)])
    return len(others) >= 3 and bool((side.max(axis=0) > -1e-3).all())


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 60))
def test_exactly_one_thing_fits_each_draft(seed):
    walk, frame, drafts = drafts_of(seed)
    things = things_now(walk, frame)
    pose = np.array(walk.world_from_camera[frame]).reshape(4, 4)
    for draft in drafts:
        (target,) = draft.target_instance_ids
        alike = [
            thing
            for thing in things.values()
            if thing.category == draft.category and draft.colour in (None, thing.colour)
        ]
        if draft.relation is None:
            continue
        anchors = [things[number] for number in draft.anchor_ids]
        fitting = [thing.instance_id for thing in alike if is_related(draft.relation, thing, anchors, pose)]
        if draft.answer in CHOICE_ANSWERS:
            assert [thing.instance_id for thing in alike] == [target], draft
            assert is_related(draft.relation, things[target], anchors, pose), draft
        else:
            assert fitting == [target], draft
        others = {thing.instance_id for thing in things.values() if thing.category == draft.category} - {target}
        assert set(draft.distractor_ids) == others


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 60))
def test_rows_are_counted_as_the_picture_shows_them(seed):
    walk, frame, drafts = drafts_of(seed)
    for draft in (one for one in drafts if one.template == "row"):
        step = next(step for step in draft.steps if step.claim == "order")
        row = sorted(
            ((item.box_px[0] + item.box_px[2], item.instance_id) for item in walk.visible_objects[frame]
             if next(t for t in walk.objects if t.instance_id == item.instance_id).category == draft.category),
            reverse=step.word == "right",
        )  # fmt: skip
        assert row[int(step.number) - 1][1] == draft.target_instance_ids[0]
        words = {1: f"{step.word}most", 2: "second", 3: "third"}[int(step.number)]
        assert words in draft.slots["the"]


def test_all_families_have_something_to_say():
    drafts = [draft for seed in range(12) for draft in drafts_of(seed)[2]]
    assert {draft.template for draft in drafts} == {"find", "recall", "choice", "row"}
    relations = {draft.relation for draft in drafts}
    assert relations >= {
        "left of", "right of", "in front of", "behind", "next to", "on", "above", "below", "under", "inside",
        "near", "far from", "between", "among",
    }  # fmt: skip
    chains = [draft for draft in drafts if " that is " in draft.slots["the"]]
    assert chains
    assert {draft.complexity for draft in chains} == {"complex"}
    assert {step.claim for draft in chains for step in draft.steps} >= {"only_one_related", "relation"}


@pytest.mark.parametrize("seed", [1, 5, 9])
def test_things_that_moved_are_spoken_of_where_they_are_now(seed):
    walk = random_walk(seed, moving=True)
    memory = Memory.of(walk, len(walk.world_from_camera) - 1, CONFIG)
    before = {thing.instance_id: thing.box for thing in walk.objects}
    moved = {motion.instance_id for motion in walk.motions}
    for thing in memory.things:
        shift = np.subtract(thing.box.centre_m, before[thing.instance_id].centre_m)
        np.testing.assert_allclose(shift, (2.0 if thing.instance_id in moved else 0.0, 0.0, 0.0), atol=1e-12)
