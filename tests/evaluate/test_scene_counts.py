import json

from backsight.evaluate.scene_counts import (
    RELATION_WORDS,
    count_rows,
    markdown_table,
    missing_relations,
    relation_rows,
    scenes_json,
)
from backsight.records.scene_statistics import SceneStatistics


def scene(scene_id, categories, triangles=None, **relations):
    counts = dict.fromkeys(RELATION_WORDS, 0) | {word.replace("_", " "): number for word, number in relations.items()}
    return SceneStatistics(
        scene_id=scene_id,
        scene_type=scene_id.split("-")[0],
        room_types={"shop": 1},
        categories=categories,
        structure={"door": 1},
        navigable_m2=(7.4, 3.4),
        relations=counts,
        viewpoints=8,
        triangles=triangles,
        textures=None,
    )


SCENES = [
    scene("shop-0", {"rack": 3, "box": 1}, 1000, on=2, left_of=200),
    scene("shop-1", {"rack": 2, "bin": 1}, 3001, on=3),
    scene("gym-0", {"mat": 1}, on=1),
]


def test_rows_are_means_of_a_type_and_kinds_of_all_its_scenes():
    assert count_rows(SCENES) == [
        ("type", "scenes", "rooms", "categories", "objects", "doors", "windows", "area m²", "triangles", "textures"),
        ("shop", "2", "1", "3", "3.5", "1", "0", "11", "2,000", "-"),
        ("gym", "1", "1", "1", "1", "1", "0", "11", "-", "-"),
        ("all", "3", "", "4", "", "", "", "", "", ""),
    ]
    head, shop, gym = relation_rows(SCENES)
    assert dict(zip(head, shop, strict=True)) == {"type": "shop"} | dict.fromkeys(RELATION_WORDS, "0") | {
        "on": "2.5",
        "left of": "100",
    }
    assert gym[head.index("on")] == "1"


def test_a_word_is_missing_where_no_scene_of_the_type_has_it():
    missing = missing_relations(SCENES)
    assert set(missing["gym"]) - set(missing["shop"]) == {"left of"}
    assert "on" not in missing["shop"]
    assert missing_relations([scene("shop-2", {}, **{word.replace(" ", "_"): 1 for word in RELATION_WORDS})]) == {}


def test_a_markdown_table():
    assert markdown_table([("a", "b"), ("c", "1")]) == "| a | b |\n|---|---:|\n| c | 1 |\n"


def test_the_file_of_counts_can_be_read():
    content = json.loads(scenes_json(SCENES, "embedded", "2"))
    assert content["simulator_version"] == "2"
    assert [entry["scene_id"] for entry in content["scenes"]] == ["shop-0", "shop-1", "gym-0"]
    assert content["scenes"][0]["categories"] == {"rack": 3, "box": 1}
    assert "left of" in content["missing_relations"]["gym"]
