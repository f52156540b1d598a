import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.collect.config import CollectConfig
from backsight.collect.plan import make_plan
from backsight.collect.splits import assign_splits, held_out_places, plan_notes, plan_splits


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


def test_splits_of_a_plan_share_no_place_and_hold_their_shares(full_plan):
    plans, config = full_plan, CollectConfig(num_sequences=25_000)
    splits = plan_splits(plans, config)
    sequences = {name: [plan for plan in plans if splits[plan.place_id] == name] for name in ("train", "val", "test")}
    for name, share in (("train", 0.8), ("val", 0.1), ("test", 0.1)):
        assert abs(len(sequences[name]) / len(plans) - share) < 0.01
        assert {plan.scene_type for plan in sequences[name]} == set(config.scene_types)
        assert {plan.kind for plan in sequences[name]} == {plan.kind for plan in plans}
    # Rescans and other looks of a place are in the place's split.
    of_scene = {name: {plan.scene_id.split("+")[0] for plan in chosen} for name, chosen in sequences.items()}
    assert not of_scene["train"] & of_scene["val"]
    assert not of_scene["train"] & of_scene["test"]
    assert not of_scene["val"] & of_scene["test"]


def test_what_is_held_out_is_never_trained_in_and_the_rest_is_split_as_before():
    config = CollectConfig(num_sequences=1_500, hold_out=("gym", "textures=repetitive"))
    plans = make_plan(config)
    splits = plan_splits(plans, config)
    seen = {name: [plan for plan in plans if splits[plan.place_id] == name] for name in ("train", "val", "test")}
    for name in ("train", "val"):
        assert seen[name]
        assert not any(plan.scene_type == "gym" or "textures=repetitive" in plan.scene_id for plan in seen[name])
    assert any(plan.scene_type == "kitchen" for plan in seen["test"])
    assert all(splits[plan.place_id] == "test" for plan in plans if plan.scene_type == "gym")
    # Few places carry a look, so that holding it out costs few.
    assert len(held_out_places(plans, ("textures=repetitive",))) < 0.1 * len(splits)
    usual = CollectConfig(num_sequences=1_500)
    assert [plan.scene_id for plan in make_plan(usual)] == [plan.scene_id for plan in plans]


def test_notes_name_kinds_that_are_only_tested_and_looks_that_are_not_there():
    config = CollectConfig(num_sequences=500, hold_out=("two_storey_house", "textures=plain"))
    plans = make_plan(config)
    notes = " / ".join(plan_notes(config, plans))
    assert "only in the test split, by hold_out: vertical motion" in notes
    assert "textures=plain: no place of the plan is like that" in notes
    assert plan_notes(CollectConfig(num_sequences=500), make_plan(CollectConfig(num_sequences=500))) == ()


def test_held_out_places_move_no_other():
    before = assign_splits(places(23))
    held_out = {f"gym-{number}": "gym" for number in range(7)}
    after = assign_splits(places(23) | held_out, held_out=set(held_out))
    assert {after[place] for place in held_out} == {"test"}
    assert {place: after[place] for place in before} == before
