import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from backsight.collect.config import CollectConfig
from backsight.collect.plan import estimate, make_plan, plan_attempt, scene_hashes
from backsight.collect.splits import assign_splits
from backsight.storage.layout import check_sequence_id


def test_a_plan_has_the_asked_for_sequences_place_after_place():
    plans = make_plan(CollectConfig(num_sequences=23, sequences_per_place=5, first_place=100))
    assert len({plan.sequence_id for plan in plans}) == len(plans) == 23
    assert [plan.scene_id for plan in plans] == sorted(plan.scene_id for plan in plans)
    assert {plan.place_id for plan in plans} == {f"flat-{i}" for i in range(100, 105)}
    assert {plan.pattern for plan in plans} == {"circular", "room_transition"}
    for plan in plans:
        check_sequence_id(plan.sequence_id)


def test_the_same_configuration_gives_the_same_plan_and_another_seed_other_walks():
    config = CollectConfig(num_sequences=31)
    assert make_plan(config) == make_plan(config)
    others = make_plan(config.model_copy(update={"seed": 1}))
    assert all(a.seed != b.seed for a, b in zip(make_plan(config), others, strict=True))
    assert len({plan.seed for plan in make_plan(config)}) == 31


@pytest.mark.parametrize("field", ["workers", "out", "sequence_timeout_s"])
def test_what_does_not_change_the_content_is_not_part_of_it(field):
    config = CollectConfig(num_sequences=5)
    changed = config.model_copy(update={field: {"out": "elsewhere"}.get(field, 77)})
    assert changed.content() == config.content()
    assert make_plan(changed) == make_plan(config)


@given(st.integers(1, 60), st.integers(1, 60))
def test_a_longer_plan_starts_with_the_shorter_one(first, second):
    short, long = sorted((first, second))
    plans = [make_plan(CollectConfig(num_sequences=count, sequences_per_place=7)) for count in (short, long)]
    assert plans[1][:short] == plans[0]


def test_lengths_lie_in_their_range_with_the_asked_for_mean():
    frames = np.array([plan.num_frames for plan in make_plan(CollectConfig(num_sequences=4000))])
    assert frames.min() == 16
    assert 60 <= frames.max() <= 64
    assert abs(frames.mean() - 32.0) < 0.6


def test_lengths_may_all_be_equal():
    config = CollectConfig(num_sequences=50, min_frames=7, mean_frames=7, max_frames=7)
    assert {plan.num_frames for plan in make_plan(config)} == {7}


def test_another_attempt_keeps_length_and_place_and_changes_the_walk():
    config = CollectConfig(num_sequences=1)
    plan = make_plan(config)[0]
    assert plan_attempt(config, plan, 0) == plan
    again = plan_attempt(config, plan, 1)
    assert (again.num_frames, again.scene_id, again.attempt) == (plan.num_frames, plan.scene_id, 1)
    assert again.seed not in (plan.seed, plan_attempt(config, plan, 2).seed)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": "640"}, "width x height"),
        ({"size": "641x480"}, "even"),
        ({"size": "30x480"}, "32 to 2048"),
        ({"size": "4096x480"}, "32 to 2048"),
        ({"patterns": ("circle",)}, "did you mean 'circular'"),
        ({"patterns": ()}, "at least one"),
        ({"mean_frames": 60}, "mean_frames 60 is not possible"),
        ({"min_frames": 65}, "not possible"),
        ({"num_sequences": 0}, "greater than or equal to 1"),
        ({"num_sequence": 3}, "num_sequence"),
    ],
)
def test_a_configuration_that_makes_no_sense_says_why(change, words):
    with pytest.raises(ValidationError, match=words):
        CollectConfig(**change)


def test_the_size_is_parsed():
    config = CollectConfig(size="128x96")
    assert (config.width, config.height) == (128, 96)


def test_the_estimate_counts_frames_and_places():
    config = CollectConfig(num_sequences=11, sequences_per_place=5, min_frames=7, mean_frames=7, max_frames=7)
    figures = estimate(make_plan(config), config)
    assert (figures.sequences, figures.places, figures.frames) == (11, 3, 77)
    assert figures.size_bytes > 0


def places(count: int, scene_type: str = "flat") -> dict[str, str]:
    return {f"{scene_type}-{number}": scene_type for number in range(count)}


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, (1, 0, 0)), (2, (2, 0, 0)), (3, (1, 1, 1)), (5, (3, 1, 1)), (7, (5, 1, 1)), (10, (8, 1, 1)), (20, (16, 2, 2))],
)
def test_shares_are_exact(count, expected):
    splits = list(assign_splits(places(count)).values())
    assert tuple(splits.count(name) for name in ("train", "val", "test")) == expected


@settings(max_examples=60)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_every_place_has_one_split_and_none_is_empty_from_three_places_on(counts):
    scene_types = {}
    for number, count in enumerate(counts):
        scene_types |= places(count, f"type{number}")
    splits = assign_splits(scene_types)
    assert set(splits) == set(scene_types)
    if sum(counts) >= 3:
        assert set(splits.values()) == {"train", "val", "test"}


@given(st.integers(3, 40), st.integers(1, 40), st.randoms())
def test_a_new_scene_type_or_another_order_moves_nothing(count, others, generator):
    before = assign_splits(places(count))
    mixed = list((places(count) | places(others, "shop")).items())
    generator.shuffle(mixed)
    after = assign_splits(dict(mixed))
    assert {place: after[place] for place in before} == before


def test_types_of_scenes_take_turns_and_a_longer_plan_starts_with_the_shorter():
    types = ("flat", "kitchen", "gym")
    plans = [
        make_plan(CollectConfig(num_sequences=count, sequences_per_place=3, scene_types=types, first_place=5))
        for count in (13, 29)
    ]
    assert plans[1][:13] == plans[0]
    assert [plan.scene_id for plan in plans[0][::3]] == ["flat-5", "kitchen-5", "gym-5", "flat-6", "kitchen-6"]
    assert {plan.scene_type for plan in plans[0]} == set(types)
    assert len({plan.sequence_id for plan in plans[1]}) == 29
    for scene_type in types:
        assert {plan.pattern for plan in plans[1] if plan.scene_type == scene_type} == set(CollectConfig().patterns)


@pytest.mark.parametrize("types", [(), ("flat", "flat"), ("kichen",)])
def test_scene_types_that_cannot_be_are_refused(types):
    with pytest.raises(ValueError, match="did you mean 'kitchen'" if types == ("kichen",) else "name each type once"):
        CollectConfig(scene_types=types)


def test_scene_files_have_their_walks_in_turn_and_then_more(tmp_path):
    for name in ("b.glb", "a/c.ply", "a/d.obj"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    plans = [
        make_plan(CollectConfig(num_sequences=count, sequences_per_place=2, scene_dir=tmp_path)) for count in (9, 17)
    ]
    assert plans[1][:9] == plans[0]
    files = ["a/c.ply", "a/d.obj", "b.glb"]
    assert [plan.scene_id for plan in plans[0]] == [files[0]] * 2 + [files[1]] * 2 + [files[2]] * 2 + [files[0]] * 2 + [
        files[1]
    ]
    assert plans[0][4].place_id == "b.glb"
    assert plans[0][4].sequence_id == "b.glb-000"
    assert {plan.scene_type for plan in plans[0]} == {"scan"}
    assert len({plan.sequence_id for plan in plans[1]}) == 17
    for name in files:
        patterns = [plan.pattern for plan in plans[1] if plan.scene_id == name]
        assert set(patterns) == set(CollectConfig().patterns)


def test_hashes_are_those_of_the_files_that_are_used(tmp_path):
    for name in ("a.glb", "b.glb"):
        (tmp_path / name).write_bytes(b"x")
    config = CollectConfig(num_sequences=2, sequences_per_place=2, scene_dir=tmp_path)
    before = scene_hashes(config, make_plan(config))
    assert list(before) == ["scene file a.glb"]
    (tmp_path / "a.glb").write_bytes(b"y")
    assert scene_hashes(config, make_plan(config)) != before
    assert scene_hashes(CollectConfig(num_sequences=2), make_plan(CollectConfig(num_sequences=2))) == {}
    assert "scene_dir" not in config.content()
