import pytest

from backsight.records.vocabulary import CATEGORIES
from backsight.sim.embedded.scans import labels
from backsight.sim.embedded.scans.labels import category_of_name, stem_of_name


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("Chair_012.001", "chair"),
        ("DiningTable", "table"),
        ("coffee table 3", "table"),
        ("IKEA_Books", None),
        ("Books", "book"),
        ("bookshelves", "bookshelf"),
        ("TV", "television"),
        ("table_lamp", "lamp"),
        ("floor_lamp.002", "lamp"),
        ("wall_clock", "clock"),
        ("wall_left_room_main#5", "wall"),
        ("floor_backing_room_main#15", "floor"),
        ("stovetop_main_group_main#40", "stove"),
        ("sink_island_group_main#649", "sink"),
        ("cab_corner_2_main_group_main", "cabinet"),
        ("island_cab_right_island_group_1_main#7", None),
        ("sink cabinet", None),
        ("door_handle", None),
        ("chair_leg", None),
        ("table top", None),
        ("Box.003", None),
        ("Cone", None),
        ("cardboard_box_1", "box"),
        ("Cube.001", None),
        ("", None),
        ("42", None),
        ("kitchen", None),
        ("Room", "building"),
        ("wooden chair", "chair"),
        ("stühle", None),
    ],
)
def test_a_name_means_one_thing_or_nothing(name, category):
    assert category_of_name(name) == category


def test_every_synonym_leads_to_the_vocabulary_and_to_one_category():
    phrases = [phrase for others in labels._SYNONYMS.values() for phrase in others]
    assert len(phrases) == len(set(phrases))
    assert not set(phrases) & set(CATEGORIES)
    assert set(labels._SYNONYMS) <= set(CATEGORIES)


def test_the_number_behind_a_hash_is_that_of_a_piece():
    assert stem_of_name("cab_1#12") == "cab_1"
    assert stem_of_name("cab_1") == "cab_1"
