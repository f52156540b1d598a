import re
from collections import Counter

import msgspec
import numpy as np
import pytest
from backsight.collect.instructions.descriptions import Memory, false_descriptions

from backsight.collect.annotate import visible_objects
from backsight.collect.instructions import phrases
from backsight.collect.instructions.make import InstructConfig, current_frames, make_instructions
from backsight.quality.references import matching_objects
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.records.sequence import SequenceAnnotations
from backsight.records.vocabulary import (
    COLOURS,
    FURNITURE_CATEGORIES,
    REASONING_TYPES,
    UNNAMED_CATEGORY,
    UNNAMED_ROOM_TYPE,
)

ROOMS = (Room(1, "kitchen", (0.0, 0.0, 6.0, 6.0)), Room(2, "study", (6.0, 0.0, 12.0, 6.0)))
CONFIG = InstructConfig()


def random_walk(seed: int) -> SequenceAnnotations:
    """Things scattered over two rooms, seen in random frames; a camera that turns on the spot."""
    rng = np.random.default_rng(seed)
    things = []
    for number in range(2, 17):
        room = int(rng.integers(1, 3))
        size = rng.uniform(0.3, 1.0, 3)
        x, z = rng.uniform(0.5, 5.5, 2)
        box = OrientedBox((float(x) + 6 * (room - 1), float(size[1] / 2), float(z)), tuple(size.tolist()))
        category = str(rng.choice(FURNITURE_CATEGORIES[:9]))
        colour = None if rng.random() < 0.15 else str(rng.choice(list(COLOURS)[:6]))
        things.append(SceneObject(number, category, room, box, colour))
        if rng.random() < 0.3:
            top = OrientedBox((box.centre_m[0], float(size[1]) + 0.1, box.centre_m[2]), (0.2, 0.2, 0.2))
            things.append(SceneObject(number + 30, "vase", room, top, str(rng.choice(list(COLOURS)[:6]))))
    frames = int(rng.choice([17, 31, 43]))
    ids = np.zeros((frames, 12, 16), dtype=np.int32)
    for image in ids:
        for patch in range(12):
            if rng.random() < 0.5:
                image[patch, :6] = rng.choice(things).instance_id
    poses = np.tile(np.diag([1.0, -1.0, -1.0, 1.0]), (frames, 1, 1))
    poses[:, :3, 3] = (5.0, 1.25, 6.0)
    return SequenceAnnotations(
        1, f"s{seed}", "p", "flat", "smooth", "circular", seed, "paper", "1", 2.0,
        intrinsics=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        world_from_camera=tuple(tuple(pose) for pose in poses.reshape(-1, 16).tolist()),
        objects=tuple(things), rooms=ROOMS, visible_objects=visible_objects(ids, things),
    )  # fmt: skip


@pytest.fixture(scope="module")
def hundred_walks():
    walks = [random_walk(seed) for seed in range(100)]
    return [(walk, make_instructions(walk, np.random.default_rng(n), CONFIG)) for n, walk in enumerate(walks)]


def test_every_instruction_fits_exactly_its_target(hundred_walks):
    for walk, instructions in hundred_walks:
        for item in instructions:
            assert matching_objects(item, walk) == item.target_instance_ids
            assert len(item.target_instance_ids) == (0 if item.reasoning_type == "absent" else 1)
            assert item.reasoning_type in REASONING_TYPES


def test_an_ambiguous_or_false_instruction_is_noticed(hundred_walks):
    walk, instructions = hundred_walks[0]
    shown = Counter(t.category for t in walk.objects if any(v.instance_id == t.instance_id for v in
                    sum(walk.visible_objects, ())))  # fmt: skip
    common, count = shown.most_common(1)[0]
    vague = msgspec.structs.replace(
        instructions[-1], category=common, colour=None, relation=None, anchor_ids=(), room_type=None
    )
    assert len(matching_objects(vague, walk)) == count > 1


def test_one_in_ten_has_no_answer_and_a_third_names_no_colour(hundred_walks):
    made = [item for _, instructions in hundred_walks for item in instructions]
    assert len(made) > 1000
    assert sum(not item.target_instance_ids for item in made) / len(made) == pytest.approx(0.1, abs=0.01)
    assert sum(item.colour is None for item in made) / len(made) == pytest.approx(1 / 3, abs=0.01)


def test_the_colour_field_and_the_text_agree(hundred_walks):
    for _, instructions in hundred_walks:
        for item in instructions:
            words = re.findall(r"[a-z]+", item.text)
            assert re.search(rf"\b{item.category}\b", item.text)
            if item.colour is None:
                assert not set(words) & set(COLOURS)
            else:
                assert f"{item.colour} {item.category}" in item.text


def test_walks_get_enough_instructions_with_different_targets(hundred_walks):
    for _, instructions in hundred_walks:
        targets = {target for item in instructions for target in item.target_instance_ids}
        assert len(targets) >= 4
        assert len({item.instruction_id for item in instructions}) == len(instructions)
        for frame in {item.current_frame for item in instructions}:
            bound = [t for item in instructions if item.current_frame == frame for t in item.target_instance_ids]
            assert len(bound) == len(set(bound))
            assert len(bound) <= CONFIG.most_per_frame


def test_every_reasoning_type_occurs_and_most_targets_have_look_alikes(hundred_walks):
    made = [item for _, instructions in hundred_walks for item in instructions]
    named_alone = {"category", "attribute", "room", "absent", "left_right", "near_far", "above_below"}
    assert named_alone <= set(Counter(item.reasoning_type for item in made))
    named = [item for item in made if item.target_instance_ids and item.reasoning_type != "category"]
    assert sum(bool(item.distractor_ids) for item in named) / len(named) > 0.5


def test_targets_were_seen_well_before_the_current_frame(hundred_walks):
    for walk, instructions in hundred_walks:
        for item in instructions:
            for target in item.target_instance_ids:
                shares = [
                    v.pixel_share for shown in walk.visible_objects[: item.current_frame + 1] for v in shown
                    if v.instance_id == target
                ]  # fmt: skip
                assert max(shares) >= CONFIG.least_share


def test_answers_say_when_and_where(hundred_walks):
    for walk, instructions in hundred_walks:
        for item in instructions:
            if not item.target_instance_ids:
                assert item.answer == "not seen"
                continue
            now = {v.instance_id: v.pixel_share for v in walk.visible_objects[item.current_frame]}
            visible = now.get(item.target_instance_ids[0], 0.0) >= CONFIG.visible_share
            assert (item.answer == "visible now") is visible
            if not visible:
                ago, room = re.fullmatch(r"seen (\d+) frames? ago in the (.+)", item.answer).groups()
                then = walk.visible_objects[item.current_frame - int(ago)]
                assert item.target_instance_ids[0] in {v.instance_id for v in then}
                thing = next(t for t in walk.objects if t.instance_id == item.target_instance_ids[0])
                assert room == {1: "kitchen", 2: "study"}[thing.room_id]


def test_articles_agree_and_words_are_few(hundred_walks):
    texts = [item.text for _, instructions in hundred_walks for item in instructions]
    words: set[str] = set()
    for text in texts:
        assert text[0].isupper()
        assert text[-1] in ".?"
        for article, following in re.findall(r"\b(an?) (\w)", text):
            assert (article == "an") == (following in "aeiou"), text
        words |= set(re.findall(r"[a-z]+", text.lower()))
    assert any(" an " in text for text in texts)
    assert len(words) < 150
    assert len({text.split(" the ")[0] for text in texts}) > 10


def test_the_wording_gives_absence_away_to_nobody(hundred_walks):
    made = [item for _, instructions in hundred_walks for item in instructions]
    shares = [
        np.mean([" a " in i.text or " an " in i.text for i in made if bool(i.target_instance_ids) is answered])
        for answered in (True, False)
    ]
    assert abs(shares[0] - shares[1]) < 0.12


def test_the_same_walk_gives_the_same_instructions():
    walk = random_walk(7)
    first, second, other = (make_instructions(walk, np.random.default_rng(seed), CONFIG) for seed in (1, 1, 2))
    assert first == second
    assert first != other


def test_a_walk_that_sees_nothing_gets_no_instructions():
    walk = random_walk(3)
    blind = msgspec.structs.replace(walk, visible_objects=tuple(() for _ in walk.visible_objects))
    assert make_instructions(blind, np.random.default_rng(0), CONFIG) == ()


@pytest.mark.parametrize(("frames", "expected"), [(31, (19, 30)), (16, (10, 15)), (3, (2,)), (2, ())])
def test_current_frames_are_the_last_and_one_at_two_thirds(frames, expected):
    assert current_frames(frames, CONFIG) == expected


def test_plurals():
    assert [phrases.plural(word) for word in ("chair", "box", "bookshelf", "bin")] == [
        "chairs", "boxes", "bookshelves", "bins",
    ]  # fmt: skip
    assert phrases.with_article("orange chair") == "an orange chair"
    assert phrases.with_article("red armchair") == "a red armchair"


def test_things_without_a_label_are_neither_named_nor_said_to_be_absent():
    for seed in range(20):
        walk = random_walk(seed)
        bare = {thing.instance_id for thing in walk.objects if thing.category == "vase" or thing.instance_id % 3 == 0}
        objects = tuple(
            msgspec.structs.replace(thing, category=UNNAMED_CATEGORY) if thing.instance_id in bare else thing
            for thing in walk.objects
        )
        rooms = tuple(msgspec.structs.replace(room, room_type=UNNAMED_ROOM_TYPE) for room in walk.rooms)
        walk = msgspec.structs.replace(walk, objects=objects, rooms=rooms)
        made = make_instructions(walk, np.random.default_rng(seed), CONFIG)
        assert made
        for one in made:
            assert not bare & {*one.target_instance_ids, *one.anchor_ids}
            assert one.reasoning_type not in ("absent", "room")
            assert not re.search(r"\bobject\b|\bin the room\b", one.text)


def test_nothing_is_called_absent_by_a_word_that_fits_something_seen():
    walk = random_walk(13)
    renamed = [msgspec.structs.replace(thing, category="weight bench") for thing in walk.objects]
    walk = msgspec.structs.replace(walk, objects=tuple(renamed))
    memory = Memory.of(walk, len(walk.world_from_camera) - 1, CONFIG.least_share, CONFIG.least_frame_share)
    assert len(memory.things) > 0
    absent = set()
    for seed in range(20):
        options = false_descriptions(memory, True, np.random.default_rng(seed))
        absent |= {option.category for option in options if option.relation is None and option.room_type is None}
    assert {"stool", "mat", "exercise ball"} <= absent
    assert not absent & {"bench", "weight bench"}
