import re
from collections import Counter

import msgspec
import numpy as np
import pytest

from backsight.collect.instructions.absent import absent_drafts
from backsight.collect.instructions.config import InstructConfig, current_frames
from backsight.collect.instructions.draft import InstructionContext
from backsight.collect.instructions.make import make_instructions
from backsight.collect.instructions.memory import Memory
from backsight.quality.answers import CHOICE_ANSWERS
from backsight.quality.instructions import instruction_problems
from backsight.quality.references import matching_objects
from backsight.quality.things_asked import is_choice
from backsight.records.sequence import SequenceAnnotations
from backsight.records.vocabulary import COLOURS, REASONING_TYPES, UNNAMED_CATEGORY, UNNAMED_ROOM_TYPE
from random_walks import OpenFloor, random_walk

CONFIG = InstructConfig()
SPATIAL_TYPES = (
    "front_behind", "left_right", "above_below", "inside_outside", "near_far", "between_among",
)  # fmt: skip


def instructions_of(walk: SequenceAnnotations, seed: int, favoured: str | None = None):
    return make_instructions(InstructionContext(walk, OpenFloor(), None, favoured), np.random.default_rng(seed), CONFIG)


@pytest.fixture(scope="module")
def many_walks():
    walks = [random_walk(seed) for seed in range(30)]
    return [(walk, instructions_of(walk, n)) for n, walk in enumerate(walks)]


def test_every_instruction_fits_exactly_its_target(many_walks):
    for walk, instructions in many_walks:
        for item in instructions:
            assert matching_objects(item, walk) == item.target_instance_ids
            assert len(item.target_instance_ids) == (0 if item.reasoning_type == "absent" else 1)
            assert item.reasoning_type in REASONING_TYPES


def test_quality_control_finds_nothing_wrong_with_them(many_walks):
    for walk, instructions in many_walks:
        assert not list(instruction_problems(msgspec.structs.replace(walk, instructions=instructions)))


def test_an_ambiguous_or_false_instruction_is_noticed(many_walks):
    walk, instructions = many_walks[0]
    shown = Counter(t.category for t in walk.objects if any(v.instance_id == t.instance_id for v in
                    sum(walk.visible_objects, ())))  # fmt: skip
    common, count = shown.most_common(1)[0]
    vague = msgspec.structs.replace(
        instructions[-1], category=common, colour=None, relation=None, anchor_ids=(), room_type=None
    )
    assert len(matching_objects(vague, walk)) == count > 1


def test_one_in_ten_has_no_answer_and_a_third_names_no_colour(many_walks):
    made = [item for _, instructions in many_walks for item in instructions]
    assert len(made) > 300
    assert sum(not item.target_instance_ids for item in made) / len(made) == pytest.approx(0.1, abs=0.02)
    assert sum(item.colour is None for item in made) / len(made) == pytest.approx(1 / 3, abs=0.03)


def test_the_colour_field_and_the_text_agree(many_walks):
    for _, instructions in many_walks:
        for item in instructions:
            words = re.findall(r"[a-z]+", item.text)
            assert re.search(rf"\b{item.category}\b", item.text)
            if item.colour is None:
                assert not set(words) & set(COLOURS)
            else:
                assert f"{item.colour} {item.category}" in item.text


def test_walks_get_enough_instructions_with_different_targets(many_walks):
    for _, instructions in many_walks:
        targets = {target for item in instructions for target in item.target_instance_ids}
        assert len(targets) >= 4
        assert len({item.instruction_id for item in instructions}) == len(instructions)
        for frame in {item.current_frame for item in instructions}:
            bound = [t for item in instructions if item.current_frame == frame for t in item.target_instance_ids]
            assert len(bound) == len(set(bound))
            assert len(bound) <= CONFIG.most_per_frame


def test_every_reasoning_type_occurs_and_most_targets_have_look_alikes(many_walks):
    made = [item for _, instructions in many_walks for item in instructions]
    assert {"category", "attribute", "room", "absent", *SPATIAL_TYPES} <= {item.reasoning_type for item in made}
    assert set(Counter(item.complexity for item in made)) == {"simple", "medium", "complex"}
    named = [item for item in made if item.target_instance_ids and item.reasoning_type != "category"]
    assert sum(bool(item.distractor_ids) for item in named) / len(named) > 0.5


def shown_well(walk, thing_id, frame) -> bool:
    """By hand: 16 pixels of 128 x 96 for what is at most half a metre long, 61 for all else."""
    sizes = next(thing.box.size_m for thing in walk.objects if thing.instance_id == thing_id)
    least = 0.0014 if max(sizes) <= 0.5 else 0.005
    return any(v.instance_id == thing_id and v.pixel_share >= least for v in walk.visible_objects[frame])


def test_targets_were_seen_well_before_the_current_frame(many_walks):
    for walk, instructions in many_walks:
        for item in instructions:
            for target in item.target_instance_ids:
                frames = [frame for frame in range(item.current_frame + 1) if shown_well(walk, target, frame)]
                assert item.current_frame in frames or len(frames) >= 2


def test_answers_say_when_and_where(many_walks):
    for walk, instructions in many_walks:
        for item in instructions:
            if not item.target_instance_ids:
                assert item.answer == "not seen"
                continue
            if item.answer in CHOICE_ANSWERS:
                continue
            now = {v.instance_id: v.pixel_share for v in walk.visible_objects[item.current_frame]}
            visible = now.get(item.target_instance_ids[0], 0.0) >= 0.0014
            assert (item.answer == "visible now") is visible
            if not visible:
                ago, room = re.fullmatch(r"seen (\d+) frames? ago in the (.+)", item.answer).groups()
                last = item.current_frame - int(ago)
                later = range(last + 1, item.current_frame + 1)
                assert shown_well(walk, item.target_instance_ids[0], last)
                assert not any(shown_well(walk, item.target_instance_ids[0], frame) for frame in later)
                thing = next(t for t in walk.objects if t.instance_id == item.target_instance_ids[0])
                assert room == {1: "kitchen", 2: "study"}[thing.room_id]


def test_articles_agree_and_words_are_few(many_walks):
    texts = [item.text for _, instructions in many_walks for item in instructions]
    words: set[str] = set()
    for text in texts:
        assert text[0].isupper()
        assert text[-1] in ".?"
        for article, following in re.findall(r"\b(an?) (\w)", text):
            assert (article == "an") == (following in "aeiou"), text
        words |= set(re.findall(r"[a-z]+", text.lower()))
    assert any(" an " in text for text in texts)
    assert len(words) < 220
    assert len({text.split(" the ")[0] for text in texts}) > 10


def test_the_wording_gives_absence_away_to_nobody(many_walks):
    made = [
        item
        for _, instructions in many_walks
        for item in instructions
        if not (is_choice(item) or "view" in item.text or "see now" in item.text)
    ]
    shares = [
        np.mean([" a " in i.text or " an " in i.text for i in made if bool(i.target_instance_ids) is answered])
        for answered in (True, False)
    ]
    assert abs(shares[0] - shares[1]) < 0.12


def test_the_same_walk_gives_the_same_instructions():
    walk = random_walk(7)
    first, second, other = (instructions_of(walk, seed) for seed in (1, 1, 2))
    assert first == second
    assert first != other


def test_a_walk_that_sees_nothing_gets_no_instructions():
    walk = random_walk(3)
    blind = msgspec.structs.replace(walk, visible_objects=tuple(() for _ in walk.visible_objects))
    assert instructions_of(blind, 0) == ()


@pytest.mark.parametrize("favoured", SPATIAL_TYPES)
def test_most_instructions_are_of_the_favoured_type_where_there_are_so_many(favoured):
    share, plain = [], []
    for seed in range(5):
        walk = random_walk(seed)
        made, usual = instructions_of(walk, seed, favoured), instructions_of(walk, seed)
        share.append(np.mean([item.reasoning_type == favoured for item in made]))
        plain.append(np.mean([item.reasoning_type == favoured for item in usual]))
        assert len({item.reasoning_type for item in made}) > 1
    assert np.mean(share) > 2 * np.mean(plain)
    if favoured in ("near_far", "left_right", "above_below"):
        assert np.mean(share) > 0.5


@pytest.mark.parametrize(("frames", "expected"), [(31, (19, 30)), (16, (10, 15)), (3, (2,)), (2, ())])
def test_current_frames_are_the_last_and_one_at_two_thirds(frames, expected):
    assert current_frames(frames, CONFIG) == expected


def test_things_without_a_label_are_neither_named_nor_said_to_be_absent():
    for seed in range(5):
        walk = random_walk(seed)
        bare = {thing.instance_id for thing in walk.objects if thing.category == "vase" or thing.instance_id % 3 == 0}
        objects = tuple(
            msgspec.structs.replace(thing, category=UNNAMED_CATEGORY) if thing.instance_id in bare else thing
            for thing in walk.objects
        )
        rooms = tuple(msgspec.structs.replace(room, room_type=UNNAMED_ROOM_TYPE) for room in walk.rooms)
        walk = msgspec.structs.replace(walk, objects=objects, rooms=rooms)
        made = instructions_of(walk, seed)
        assert made
        for one in made:
            assert not bare & {*one.target_instance_ids, *one.anchor_ids}
            assert one.reasoning_type not in ("absent", "room")
            assert not re.search(r"\bobject\b|\bin the room\b", one.text)


def test_nothing_is_called_absent_by_a_word_that_fits_something_seen():
    walk = random_walk(13)
    renamed = [msgspec.structs.replace(thing, category="weight bench") for thing in walk.objects]
    walk = msgspec.structs.replace(walk, objects=tuple(renamed))
    memory = Memory.of(walk, len(walk.world_from_camera) - 1, CONFIG)
    context = InstructionContext(walk, OpenFloor(), None)
    assert len(memory.things) > 0
    absent = set()
    for seed in range(30):
        options = absent_drafts(context, memory, True, np.random.default_rng(seed))
        absent |= {option.category for option in options if option.relation is None and option.room_type is None}
    assert {"stool", "fridge", "bookshelf"} <= absent
    assert not absent & {"bench", "weight bench"}


def test_what_is_absent_is_mostly_what_such_rooms_have():
    walk = random_walk(13)
    memory = Memory.of(walk, len(walk.world_from_camera) - 1, CONFIG)
    options = [
        option
        for seed in range(30)
        for option in absent_drafts(
            InstructionContext(walk, OpenFloor(), None), memory, True, np.random.default_rng(seed)
        )
    ]
    unseen = {option.category for option in options if option.relation is None and option.room_type is None}
    assert {"kettle", "stove"} <= unseen
    assert not unseen & {"treadmill", "pallet", "toilet", "cash register"}
