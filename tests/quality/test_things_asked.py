"""Instructions about things: true ones pass, and every way to make one false is found, under the right field."""

import msgspec
import numpy as np
import pytest

from backsight.collect.annotate import visible_objects
from backsight.quality.claims import CLAIMS, claim_holds
from backsight.quality.instructions import problems_of
from backsight.quality.situation import Situation
from backsight.records.instruction import Instruction, Step
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.records.sequence import SequenceAnnotations

CHAIR, OTHER_CHAIR, SOFA, TABLE, CUP, OTHER_TABLE, LAMP = range(1, 8)


def thing(number, category, centre, size, colour=None):
    return SceneObject(number, category, 1, OrientedBox(centre, size), colour)


@pytest.fixture(scope="module")
def walk():
    """A camera that looks along -z at two chairs left and right of a sofa, and a cup on one of two tables."""
    things = (
        thing(CHAIR, "chair", (-2.0, 0.45, -4.0), (0.5, 0.9, 0.5), "red"),
        thing(OTHER_CHAIR, "chair", (2.0, 0.45, -4.0), (0.5, 0.9, 0.5), "blue"),
        thing(SOFA, "sofa", (0.0, 0.4, -4.0), (1.8, 0.8, 0.8), "green"),
        thing(TABLE, "table", (0.0, 0.2, -2.6), (0.8, 0.4, 0.5), "brown"),
        thing(CUP, "cup", (0.1, 0.45, -2.6), (0.1, 0.1, 0.1), "white"),
        thing(OTHER_TABLE, "table", (3.5, 0.2, -6.0), (0.8, 0.4, 0.5), "brown"),
        thing(LAMP, "lamp", (-3.5, 0.8, -6.5), (0.3, 1.6, 0.3), "yellow"),
    )
    ids = np.zeros((5, 12, 16), dtype=np.int32)
    for frame in range(5):
        for column, number in enumerate((CHAIR, TABLE, SOFA, CUP, OTHER_CHAIR, OTHER_TABLE)):
            ids[frame, 2:5, 2 * column + 1] = number
    ids[2, 8:10, 3:5] = LAMP
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[:3, 3] = (0.0, 1.25, 0.0)
    return SequenceAnnotations(
        2, "w", "p", "flat", "smooth", "circular", 0, "paper", "1", 2.0,
        intrinsics=((8.0, 0.0, 8.0), (0.0, 8.0, 6.0), (0.0, 0.0, 1.0)),
        world_from_camera=(tuple(pose.ravel().tolist()),) * 5,
        objects=things, rooms=(Room(1, "study", (-5.0, -8.0, 5.0, 1.0)),), visible_objects=visible_objects(ids, things),
    )  # fmt: skip


LEFT = Instruction(
    "i0", "Where is the chair to the left of the sofa?", "left_right", "medium", "viewer", 4, "chair", None, "left of",
    (SOFA,), None, (CHAIR,), (OTHER_CHAIR,), "visible now",
    (Step("The chair is left of the sofa.", "relation", CHAIR, (SOFA,), word="left of"),),
)  # fmt: skip
CHOICE = msgspec.structs.replace(
    LEFT, text="Is the red chair left or right of the sofa?", colour="red", answer="left"
)  # fmt: skip
CHAIN = Instruction(
    "i1", "Find the cup on the table that is in front of the sofa.", "above_below", "complex", "world", 4, "cup", None,
    "on", (TABLE,), None, (CUP,), (), "visible now",
    (Step("Only one table is in front of the sofa.", "only_one_related", TABLE, (SOFA,), word="in front of"),),
)  # fmt: skip
LAST = Instruction(
    "i2", "Where is the lamp?", "category", "simple", "world", 4, "lamp", None, None, (), None, (LAMP,), (),
    "seen 2 frames ago in the study", (Step("It is last seen in frame 2.", "last_seen", LAMP, frame=2),),
)  # fmt: skip
ROW = Instruction(
    "i3", "Find the rightmost chair in this view.", "left_right", "medium", "viewer", 4, "chair", None, None, (), None,
    (OTHER_CHAIR,), (CHAIR,), "visible now",
    (Step("The chair is the rightmost chair in view.", "order", OTHER_CHAIR, word="right", number=1.0),),
)  # fmt: skip
BETWEEN = Instruction(
    "i4", "Is there a sofa between the two chairs?", "between_among", "complex", "world", 4, "sofa", None, "between",
    (CHAIR, OTHER_CHAIR), None, (SOFA,), (), "visible now", (),
)  # fmt: skip


@pytest.mark.parametrize("true", [LEFT, CHOICE, CHAIN, LAST, ROW, BETWEEN], ids=lambda one: one.instruction_id)
def test_true_instructions_pass(walk, true):
    assert problems_of(true, Situation.of(walk, 4)) == []


@pytest.mark.parametrize(
    ("true", "change", "field"),
    [
        (LEFT, {"target_instance_ids": (OTHER_CHAIR,), "distractor_ids": (CHAIR,)}, "target_instance_ids"),
        (LEFT, {"target_instance_ids": (CHAIR, OTHER_CHAIR), "distractor_ids": ()}, "target_instance_ids"),
        (LEFT, {"relation": "right of", "text": "Where is the chair right of the sofa?"}, "target_instance_ids"),
        (LEFT, {"text": "Where is the chair right of the sofa?"}, "text"),
        (LEFT, {"text": "Where is the chair to the left of the bed?"}, "text"),
        (LEFT, {"reasoning_type": "near_far"}, "reasoning_type"),
        (LEFT, {"distractor_ids": ()}, "distractor_ids"),
        (LEFT, {"frame_of_reference": "world"}, "frame_of_reference"),
        (LEFT, {"answer": "seen 2 frames ago in the study"}, "answer"),
        (LEFT, {"answer": "visible"}, "answer"),
        (LEFT, {"anchor_ids": (99,)}, "anchor_ids"),
        (LEFT, {"category": "window", "text": "Where is the window left of the sofa?"}, "category"),
        (CHOICE, {"answer": "right"}, "answer"),
        (CHOICE, {"relation": "right of", "answer": "right"}, "target_instance_ids"),
        (CHOICE, {"colour": None, "text": "Is the chair left or right of the sofa?"}, "target_instance_ids"),
        (CHOICE, {"text": "Is the red chair near or far from the sofa?"}, "text"),
        (CHAIN, {"steps": ()}, "anchor_ids"),
        (CHAIN, {"steps": (msgspec.structs.replace(CHAIN.steps[0], subject_id=OTHER_TABLE),)}, "steps[0]"),
        (LAST, {"answer": "seen 3 frames ago in the study"}, "answer"),
        (LAST, {"answer": "seen 2 frames ago in the kitchen"}, "answer"),
        (LAST, {"steps": (msgspec.structs.replace(LAST.steps[0], frame=1),)}, "steps[0]"),
        (LAST, {"steps": (msgspec.structs.replace(LAST.steps[0], claim="said"),)}, "steps[0].claim"),
        (ROW, {"target_instance_ids": (CHAIR,), "distractor_ids": (OTHER_CHAIR,)}, "target_instance_ids"),
        (ROW, {"steps": ()}, "target_instance_ids"),
        (ROW, {"steps": (msgspec.structs.replace(ROW.steps[0], word="left"),)}, "target_instance_ids"),
        (BETWEEN, {"anchor_ids": (CHAIR,)}, "target_instance_ids"),
        (BETWEEN, {"anchor_ids": (CHAIR, TABLE)}, "target_instance_ids"),
        (BETWEEN, {"text": "Is there a sofa between the lamp and the cup?"}, "text"),
    ],
)
def test_false_ones_are_found(walk, true, change, field):
    found = problems_of(msgspec.structs.replace(true, **change), Situation.of(walk, 4))
    assert field in [where for where, _ in found], found


def test_a_further_look_alike_makes_an_instruction_ambiguous(walk):
    third = thing(8, "chair", (-2.0, 0.45, -5.0), (0.5, 0.9, 0.5), "red")
    shown = tuple((*seen, msgspec.structs.replace(seen[0], instance_id=8)) for seen in walk.visible_objects)
    crowded = msgspec.structs.replace(walk, objects=(*walk.objects, third), visible_objects=shown)
    for true in (LEFT, CHOICE):
        found = problems_of(msgspec.structs.replace(true, distractor_ids=(OTHER_CHAIR, 8)), Situation.of(crowded, 4))
        assert "target_instance_ids" in [where for where, _ in found]


CLAIM_CASES = [
    (Step("t", "in_room", SOFA, word="study"), {"word": "kitchen"}),
    (Step("t", "colour_of", SOFA, word="green"), {"word": "red"}),
    (Step("t", "seen_in_frames", LAMP, number=1.0), {"number": 2.0}),
    (Step("t", "last_seen", LAMP, frame=2), {"frame": 4}),
    (Step("t", "visible_now", LAMP, word="not"), {"word": None}),
    (Step("t", "count_of_category_seen", word="table", number=2.0), {"number": 1.0}),
    (Step("t", "relation", CUP, (TABLE,), word="on"), {"other_ids": (OTHER_TABLE,)}),
    (Step("t", "relation", SOFA, (CHAIR, OTHER_CHAIR), word="between"), {"subject_id": LAMP}),
    (Step("t", "only_one_related", TABLE, (SOFA,), word="in front of"), {"word": "far from"}),
    (Step("t", "order", CHAIR, word="left", number=1.0), {"number": 2.0}),
]


@pytest.mark.parametrize(("true", "change"), CLAIM_CASES, ids=lambda one: getattr(one, "claim", ""))
def test_claims_are_true_and_false_by_the_geometry(walk, true, change):
    situation = Situation.of(walk, 4)
    assert claim_holds(true, situation, LEFT)
    assert not claim_holds(msgspec.structs.replace(true, **change), situation, LEFT)
    assert not claim_holds(msgspec.structs.replace(true, subject_id=99, word="lamp", number=None), situation, LEFT)


def test_every_claim_of_a_thing_is_tried():
    tried = {true.claim for true, _ in CLAIM_CASES} | {"none_fits"}
    assert tried <= set(CLAIMS)


def test_that_nothing_fits_is_a_claim_about_the_instruction(walk):
    absent = msgspec.structs.replace(
        LEFT, relation=None, anchor_ids=(), colour="pink", text="Find the pink chair.", reasoning_type="absent",
        target_instance_ids=(), distractor_ids=(CHAIR, OTHER_CHAIR), answer="not seen",
        steps=(Step("No pink chair was seen.", "none_fits"),), frame_of_reference="world",
    )  # fmt: skip
    situation = Situation.of(walk, 4)
    assert problems_of(absent, situation) == []
    found = problems_of(msgspec.structs.replace(absent, colour="red", text="Find the red chair."), situation)
    assert {"target_instance_ids", "steps[0]"} <= {where for where, _ in found}
