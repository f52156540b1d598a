from pathlib import Path

import pytest

from backsight.collect.config import CollectConfig
from backsight.collect.plan import make_plan
from backsight.collect.venues import choose_kinds, open_venues
from backsight.records.errors import UsageError
from backsight.records.kinds import CHALLENGE, KINDS, REASONING


def scans(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def notes_and_kinds(config: CollectConfig) -> tuple[str, set[str]]:
    choice = choose_kinds(config, open_venues(config))
    return " / ".join(choice.notes), {kind.name for kind in choice.kinds}


def test_made_scenes_of_all_types_host_everything():
    notes, kinds = notes_and_kinds(CollectConfig())
    assert notes == ""
    assert kinds == {kind.name for kind in KINDS}


def test_a_kind_without_its_type_of_scene_is_left_out_and_named():
    config = CollectConfig(num_sequences=100, scene_types=("flat", "kitchen"))
    notes, kinds = notes_and_kinds(config)
    assert notes == "left out: vertical motion: needs scenes of type two_storey_house that offer it all"
    assert "vertical motion" not in kinds
    plans = make_plan(config)
    assert len(plans) == 100
    # The share of what is left out stays in its group.
    assert sum(plan.kind in {kind.name for kind in KINDS if kind.group == "geometric"} for plan in plans) == 40


def test_scans_have_no_options_and_no_lamps(tmp_path):
    config = CollectConfig(num_sequences=200, scene_dir=scans(tmp_path, "a.glb", "b.obj"))
    notes, kinds = notes_and_kinds(config)
    assert not kinds & {"distinctive patterns", "repetitive patterns", "clutter", "changing light", "mixture of two"}
    assert {"smooth", "scene change", "object motion", "single object", "motion blur", "heavy occlusion"} <= kinds
    assert "distinctive patterns, repetitive patterns, clutter: needs scenes that are made; scan has none" in notes
    assert "changing light: needs lamps that can be dimmed" in notes
    assert "vertical motion: needs scenes of type two_storey_house" in notes
    plans = make_plan(config)
    assert sum(plan.kind in {kind.name for kind in KINDS if kind.group == CHALLENGE} for plan in plans) == 16


def test_stairs_in_scans_are_walked_when_asked_for_by_name(tmp_path):
    config = CollectConfig(num_sequences=5, scene_dir=scans(tmp_path, "house.glb"), kinds=("vertical motion",))
    assert {plan.variant for plan in make_plan(config)} == {"stairs"}


def test_nothing_is_asked_for_in_a_scan_without_names(tmp_path):
    folder = scans(tmp_path, "a.ply", "b.ply")
    config = CollectConfig(num_sequences=60, scene_dir=folder)
    notes, kinds = notes_and_kinds(config)
    assert "scenes whose things have labels" in notes
    assert not kinds & {kind.name for kind in KINDS if kind.group == REASONING or "labels" in kind.needs}
    assert {"smooth", "sharp turns", "rotation in place"} <= kinds
    # With a side-car there may be labels, and only the file that has it is walked in for them.
    (folder / "b.ply.backsight.json").write_text("{}")
    plans = make_plan(config)
    assert {plan.scene_id for plan in plans if plan.kind == "left and right"} == {"b.ply"}
    assert {plan.scene_id for plan in plans if plan.kind == "smooth"} == {"a.ply", "b.ply"}


def test_when_nothing_is_left_the_reasons_are_told(tmp_path):
    config = CollectConfig(scene_dir=scans(tmp_path, "a.ply"), groups=("reasoning",))
    with pytest.raises(UsageError, match=r"nothing can be collected: left out: behind and in front.*labels"):
        make_plan(config)


@pytest.mark.parametrize(
    ("scene", "lighting", "moving", "lamps"),
    [
        ("x.basis.glb", "scene", False, False),
        ("x.basis.glb", "default", False, True),
        ("apt_0", "scene", True, False),
        ("a/apt_0.scene_instance.json", "default", True, True),
    ],
)
def test_what_habitat_offers(scene, lighting, moving, lamps):
    config = CollectConfig(simulator="habitat", habitat_python="python", scenes=(scene,), habitat_lighting=lighting)
    _, kinds = notes_and_kinds(config)
    assert ("object motion" in kinds) == moving
    assert ("changing light" in kinds) == lamps
    assert not kinds & {"clutter", "distinctive patterns", "mixture of two", "vertical motion"}
    assert "left and right" in kinds


def test_fewer_places_than_types_use_the_first_types_and_say_so():
    config = CollectConfig(num_sequences=50, places=2)
    notes, _ = notes_and_kinds(config)
    assert "places 2: only the first scene types are used: living_room, bedroom" in notes
    assert {plan.place_id for plan in make_plan(config)} == {"living_room-0", "bedroom-0"}
