import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from backsight.collect.config import CollectConfig, parse_shard
from backsight.collect.plan import make_plan
from backsight.collect.shards import shard_plans

PLANS = make_plan(CollectConfig(num_sequences=211, sequences_per_place=7))


@given(st.integers(1, 40))
def test_shards_partition_the_plan_by_whole_places(count):
    shards = [shard_plans(PLANS, f"{number}/{count}") for number in range(1, count + 1)]
    ids = [plan.sequence_id for shard in shards for plan in shard]
    assert len(ids) == len(set(ids)) == len(PLANS)
    places = [place for shard in shards for place in {plan.place_id for plan in shard}]
    assert len(places) == len(set(places))
    for shard in shards:
        assert shard == [plan for plan in PLANS if plan in shard]


@pytest.mark.parametrize("count", [2, 3, 5, 7])
def test_shards_are_balanced(count):
    frames = [sum(plan.num_frames for plan in shard_plans(PLANS, f"{i}/{count}")) for i in range(1, count + 1)]
    longest_place = max(
        sum(plan.num_frames for plan in PLANS if plan.place_id == place) for place in {p.place_id for p in PLANS}
    )
    assert max(frames) - min(frames) <= longest_place


def test_one_part_and_no_part_are_the_whole_plan():
    assert shard_plans(PLANS, None) == shard_plans(PLANS, "1/1") == PLANS


def test_a_shard_is_no_part_of_the_content():
    config = CollectConfig(num_sequences=5)
    sharded = config.model_copy(update={"shard": "2/3"})
    assert sharded.content() == config.content()
    assert make_plan(sharded) == make_plan(config)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "01/3", "-1/3", "1/3/5", "a/b", "", "\u0663/\u0665"])
def test_what_is_no_shard_is_refused_with_the_way_to_write_one(text):
    with pytest.raises(ValueError, match="write i/n"):
        parse_shard(text)
    with pytest.raises(ValidationError, match="write i/n"):
        CollectConfig(shard=text)
