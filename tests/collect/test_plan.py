import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backsight.collect.config import CollectConfig
from backsight.collect.plan import count_kinds, make_plan, plan_attempt, scene_hashes, way_in_turn
from backsight.collect.venues import is_too_cramped
from backsight.records.kinds import GROUPS, KINDS, Way, kind_named
from backsight.records.vocabulary import CHALLENGES
from backsight.sim.embedded.scenes.scene_id import parse_scene_id
from backsight.storage.layout import check_sequence_id

# Worked out by hand from the weights: N x group / 25,000 x weight / sum of the group's weights, largest remainders.
COUNTS_OF_THE_FULL_PLAN = {
    "smooth": 1364, "sharp turns": 909, "vertical motion": 682, "complex 3d paths": 682, "forward": 909,
    "backward": 909, "lateral": 909, "rotation in place": 454, "same place different angles": 1364,
    "same object different distances": 909, "occlusion": 909,
    "single object": 1685, "several objects": 1263, "appearing and disappearing": 842, "wall corners": 842,
    "doors and windows": 842, "furniture": 1263, "distinctive patterns": 842, "repetitive patterns": 421,
    "behind and in front": 615, "left and right": 615, "above and below": 462, "inside and outside": 462,
    "near and far": 538, "what would I see if": 461, "where is it from here": 461, "how do I get there": 385,
    "object motion": 308, "own trajectory": 308, "scene change": 385,
    "heavy occlusion": 250, "changing light": 250, "clutter": 250, "scale variation": 250, "motion blur": 250,
    "mixture of two": 400, "mixture of three": 250, "mixture of four": 100,
}  # fmt: skip


def test_the_full_plan_has_the_counts_of_the_table(full_plan):
    counts = Counter(plan.kind for plan in full_plan)
    assert counts == COUNTS_OF_THE_FULL_PLAN
    groups = Counter(kind_named(plan.kind).group for plan in full_plan)
    assert groups == {"geometric": 10_000, "correspondence": 8_000, "reasoning": 5_000, "challenge": 2_000}


@pytest.mark.parametrize(
    ("count", "groups"),
    [(1_000, (400, 320, 200, 80)), (100, (40, 32, 20, 8)), (38, (15, 12, 8, 3)), (7, (3, 2, 1, 1))],
)
def test_smaller_plans_are_shared_out_over_groups(count, groups):
    plans = make_plan(CollectConfig(num_sequences=count))
    assert len(plans) == count
    found = Counter(kind_named(plan.kind).group for plan in plans)
    assert tuple(found[group] for group in GROUPS) == groups


def test_a_thousand_sequences_have_every_kind_way_type_and_challenge(thousand):
    assert {plan.kind for plan in thousand} == {kind.name for kind in KINDS}
    for kind in KINDS:
        ways = Counter((plan.pattern, plan.variant) for plan in thousand if plan.kind == kind.name)
        assert set(ways) == {(way.trajectory, way.variant) for way in kind.ways}
        assert max(ways.values()) - min(ways.values()) <= 1
    assert {plan.scene_type for plan in thousand} == set(CollectConfig().scene_types)


def test_ids_are_unique_allowed_and_say_the_kind(whole_plan):
    assert len({plan.sequence_id for plan in whole_plan}) == len(whole_plan)
    for plan in whole_plan:
        check_sequence_id(plan.sequence_id)
        slug, _, number = plan.sequence_id.rpartition("-")
        assert slug.replace("_", " ") == plan.kind
        assert number.isdigit()


def test_each_kind_is_balanced_over_its_scene_types_and_each_way_too(full_plan):
    for kind in KINDS:
        types = Counter(plan.scene_type for plan in full_plan if plan.kind == kind.name)
        hosts = kind.scene_types or CollectConfig().scene_types
        assert set(types) == {name for name in hosts if not is_too_cramped(name, kind.challenges)}
        roomy = [number for name, number in types.items() if not is_too_cramped(name, CHALLENGES)]
        assert max(roomy) - min(roomy) <= (3 if kind.mixes else 1)
        if len(kind.ways) > 1:
            pairs = Counter((plan.scene_type, plan.pattern) for plan in full_plan if plan.kind == kind.name)
            assert len(pairs) == len(types) * len(kind.ways), kind.name
            assert max(pairs.values()) - min(pairs.values()) <= 2


def test_walks_are_not_planned_where_they_hardly_fit(full_plan):
    assert not any(is_too_cramped(plan.scene_type, plan.challenges) for plan in full_plan)
    cramped = Counter(plan.scene_type for plan in full_plan if kind_named(plan.kind).mixes)
    assert cramped["bedroom"] > cramped["bathroom"] > 0
    # Who wants bathrooms gets them.
    asked = CollectConfig(num_sequences=40, scene_types=("bathroom",), kinds=("mixture of four",))
    assert any(is_too_cramped(plan.scene_type, plan.challenges) for plan in make_plan(asked))


@given(st.integers(1, 6), st.integers(1, 40))
def test_every_way_meets_every_venue_equally_often(ways, venues):
    names = tuple(Way(str(number)) for number in range(ways))
    count = ways * venues
    met = Counter((number % venues, way_in_turn(names, number, venues)) for number in range(count))
    assert len(met) == count
    assert set(met.values()) == {1}


def test_mixtures_are_of_different_challenges_and_balanced(full_plan, thousand):
    for mixes in (2, 3, 4):
        drawn = [plan.challenges for plan in full_plan if kind_named(plan.kind).mixes == mixes]
        assert all(len(set(challenges)) == len(challenges) == mixes for challenges in drawn)
        mixtures = Counter(drawn)
        assert set(mixtures) == set(itertools.combinations(CHALLENGES, mixes))
        assert len(set(mixtures.values())) == 1
    others = make_plan(CollectConfig(num_sequences=1_000, seed=1))
    assert {p.sequence_id: p.challenges for p in others} != {p.sequence_id: p.challenges for p in thousand}


def test_scenes_have_the_options_of_kind_and_challenges_and_no_other(full_plan):
    for plan in full_plan:
        scene = parse_scene_id(plan.scene_id)
        assert plan.place_id == f"{scene.scene_type}-{scene.seed}"
        assert plan.scene_type == scene.scene_type
        assert scene.clutter == (1.0 if "clutter" in plan.challenges else 0.5)
        wanted = {"distinctive patterns": "distinctive", "repetitive patterns": "repetitive"}.get(plan.kind, "mixed")
        assert scene.textures == wanted
        assert scene.lighting == "mixed"


def test_equal_scenes_follow_each_other_and_few_are_loaded(whole_plan):
    scenes = [plan.scene_id for plan in whole_plan]
    loads = 1 + sum(before != after for before, after in itertools.pairwise(scenes))
    assert loads == len(set(scenes))
    places = [place for place, _ in itertools.groupby(plan.place_id for plan in whole_plan)]
    assert len(places) == len(set(places))
    assert loads <= 1.5 * len(places)
    assert loads / len(whole_plan) < 0.17


def test_places_have_about_the_asked_for_number_of_walks_of_mixed_kinds(full_plan):
    places = defaultdict(list)
    for plan in full_plan:
        places[plan.place_id].append(plan.kind)
    assert {len(kinds) for kinds in places.values()} <= {9, 10}
    assert len(places) <= 1.01 * 25_000 / 10
    assert min(len(set(kinds)) for kinds in places.values()) >= 4
    assert np.mean([len(set(kinds)) for kinds in places.values()]) > 8.5


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 300), st.integers(1, 25), st.integers(1, 60))
def test_no_more_places_than_asked_for(count, per_place, most):
    config = CollectConfig(num_sequences=count, sequences_per_place=per_place, places=most)
    plans = make_plan(config)
    sizes = Counter(plan.place_id for plan in plans)
    assert len(plans) == sum(sizes.values()) == count
    assert len(sizes) <= most
    if len(make_plan(config.model_copy(update={"places": None}))) <= most:
        assert max(sizes.values()) <= per_place


def test_lengths_lie_in_their_range_with_the_asked_for_mean(full_plan):
    frames = np.array([plan.num_frames for plan in full_plan])
    assert frames.min() == 16
    assert frames.max() == 64
    # Coverage needs 48 frames or more, 6 % of the plan: these lift the mean by one.
    assert abs(frames.mean() - 33.0) < 0.5
    for plan in full_plan:
        kind = kind_named(plan.kind)
        way = next(way for way in kind.ways if (way.trajectory, way.variant) == (plan.pattern, plan.variant))
        low, high = way.frames or kind.frames or (16, 64)
        assert low <= plan.num_frames <= high
    tall = [plan.num_frames for plan in full_plan if plan.kind == "vertical motion"]
    assert abs(np.mean(tall) - (2 * 24 + 64) / 3) < 1.0


def test_lengths_may_all_be_equal_and_kinds_keep_to_the_configured_ends():
    config = CollectConfig(num_sequences=50, min_frames=7, mean_frames=7, max_frames=7)
    assert {plan.num_frames for plan in make_plan(config)} == {7}
    short = make_plan(CollectConfig(num_sequences=500, min_frames=5, mean_frames=20, max_frames=30))
    assert {plan.num_frames >= 24 for plan in short if plan.kind == "left and right"} == {True}
    assert max(plan.num_frames for plan in short) <= 30


def test_the_same_configuration_gives_the_same_plan_and_another_seed_other_walks():
    config = CollectConfig(num_sequences=131)
    assert make_plan(config) == make_plan(config)
    others = {plan.sequence_id: plan for plan in make_plan(config.model_copy(update={"seed": 1}))}
    assert all(plan.seed != others[plan.sequence_id].seed for plan in make_plan(config))
    assert len({plan.seed for plan in make_plan(config)}) == 131


@pytest.mark.parametrize("changes", [{"workers": 7}, {"shard": "2/3"}, {"out": "elsewhere"}, {"max_retries": 9}])
def test_who_collects_changes_nothing(changes, thousand):
    assert make_plan(CollectConfig(num_sequences=1_000, **changes)) == thousand


def test_another_attempt_keeps_length_and_place_and_changes_the_walk():
    config = CollectConfig(num_sequences=1)
    plan = make_plan(config)[0]
    assert plan_attempt(config, plan, 0) == plan
    again = plan_attempt(config, plan, 1)
    assert (again.num_frames, again.scene_id, again.attempt) == (plan.num_frames, plan.scene_id, 1)
    assert again.seed not in (plan.seed, plan_attempt(config, plan, 2).seed)


def test_groups_and_kinds_choose():
    plans = make_plan(CollectConfig(num_sequences=90, groups=("geometric", "correspondence")))
    assert Counter(kind_named(plan.kind).group for plan in plans) == {"geometric": 50, "correspondence": 40}
    chosen = make_plan(CollectConfig(num_sequences=9, kinds=("lateral", "rotation_in_place", "clutter")))
    # 10,000 to 2,000 between the groups, 2,000 to 1,000 inside the first.
    assert Counter(plan.kind for plan in chosen) == {"lateral": 5, "rotation in place": 3, "clutter": 1}
    assert {plan.scene_id.partition("+")[2] for plan in chosen if plan.kind == "clutter"} == {"clutter=1"}


@given(st.integers(0, 3_000), st.sets(st.sampled_from(KINDS), min_size=1))
def test_any_choice_of_kinds_is_shared_out_whole(count, chosen):
    kinds = tuple(kind for kind in KINDS if kind in chosen)
    counts = count_kinds(count, kinds)
    assert sum(counts.values()) == count
    assert list(counts) == [kind.name for kind in kinds]


def test_places_are_numbered_from_the_first():
    plans = make_plan(CollectConfig(num_sequences=23, sequences_per_place=5, first_place=100, scene_types=("flat",)))
    assert list(dict.fromkeys(plan.place_id for plan in plans)) == [f"flat-{number}" for number in range(100, 105)]


def test_scene_files_share_the_walks_and_only_as_many_as_needed_are_used(tmp_path):
    for name in ("b.glb", "a/c.obj", "a/d.obj"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    def used(count: int, **changes) -> dict[str, int]:
        config = CollectConfig(num_sequences=count, sequences_per_place=2, scene_dir=tmp_path, **changes)
        plans = make_plan(config)
        assert {plan.scene_type for plan in plans} == {"scan"}
        assert len({plan.sequence_id for plan in plans}) == count
        return Counter(plan.scene_id for plan in plans)

    assert used(3) == {"a/c.obj": 2, "a/d.obj": 1}
    assert used(17) == {"a/c.obj": 6, "a/d.obj": 6, "b.glb": 5}
    assert used(17, places=1) == {"a/c.obj": 17}


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
