"""Names of data sets and what becomes of them."""

import pytest

from backsight.records.vocabulary import CATEGORIES, ROOM_TYPES, UNNAMED_CATEGORY
from backsight.sim.backends.habitat.names import category_of, room_type_of


@pytest.mark.parametrize(
    ("names", "category"),
    [
        (["chair"], "chair"),
        (["Kitchen Cabinet"], "cabinet"),
        (["tv_monitor"], "television"),
        (["dining chairs"], "chair"),
        (["lighting"], "lamp"),
        (["box"], "box"),
        (["kitchen cabinet door"], UNNAMED_CATEGORY),
        (["chest_of_drawers"], "cabinet"),
        (["wall /outside"], UNNAMED_CATEGORY),
        (["window glass"], "window"),
        (["door frame"], "door"),
        (["toilet paper"], UNNAMED_CATEGORY),
        (["ceiling lamp"], "lamp"),
        (["potted plant (small)"], "plant"),
        (["gizmo", "objects"], UNNAMED_CATEGORY),
        (["whatsit", "sofa"], "sofa"),
        (["frl_apartment_chair_01"], "chair"),
        ([""], UNNAMED_CATEGORY),
        ([], UNNAMED_CATEGORY),
    ],
    ids=str,
)
def test_names_of_things(names, category):
    assert category_of(names) == category


def test_every_category_is_its_own_name():
    assert [category_of([name]) for name in CATEGORIES] == list(CATEGORIES)
    assert [category_of([name.replace(" ", "_").upper()]) for name in CATEGORIES] == list(CATEGORIES)


@pytest.mark.parametrize(
    ("name", "contents", "room_type"),
    [
        ("bedroom", (), "bedroom"),
        ("entryway/foyer/lobby", (), "hallway"),
        ("familyroom/lounge", (), "living room"),
        ("office", (), "study"),
        ("garage", ("bed",), "room"),
        ("", ("chair", "bed"), "bedroom"),
        ("", ("bed", "toilet"), "bathroom"),
        ("", ("chair",), "room"),
        ("", (), "room"),
    ],
    ids=str,
)
def test_types_of_rooms(name, contents, room_type):
    assert room_type_of(name, contents) == room_type
    assert room_type in ROOM_TYPES
