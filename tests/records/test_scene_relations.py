import numpy as np
import pytest

from backsight.geometry.relations import PAIR_RELATIONS, VIEWER_RELATIONS
from backsight.records.scene import OrientedBox, SceneObject
from backsight.records.scene_relations import scene_relation_holds, scene_relation_matrix
from backsight.records.vocabulary import CATEGORIES, CONTAINER_CATEGORIES, RELATIONS, STORED_RELATIONS


def thing(number, category, centre, size, supported_by=None):
    return SceneObject(number, category, 1, OrientedBox(centre, size), supported_by=supported_by)


SOFA = thing(1, "sofa", (0.0, 0.45, 0.0), (2.0, 0.9, 0.9))
SHELF = thing(2, "bookshelf", (3.0, 0.9, 0.0), (0.8, 1.8, 0.3))


def cushion(supported_by, height_m=0.55):
    return thing(3, "box", (0.3, height_m, 0.1), (0.4, 0.2, 0.3), supported_by)


def test_a_cushion_lies_on_a_sofa_though_its_box_is_within_the_sofas():
    assert scene_relation_holds("on", cushion(1), SOFA)
    assert not scene_relation_holds("inside", cushion(1), SOFA)


@pytest.mark.parametrize("lying", [cushion(None), cushion(2), cushion(1, 1.2)])
def test_without_support_or_contact_it_does_not(lying):
    assert not scene_relation_holds("on", lying, SOFA)


def test_a_book_is_inside_a_shelf_and_not_on_it():
    book = thing(4, "box", (3.1, 0.9, 0.0), (0.1, 0.2, 0.2), supported_by=2)
    assert scene_relation_holds("inside", book, SHELF)
    assert not scene_relation_holds("on", book, SHELF)
    on_top = thing(4, "box", (3.1, 1.9, 0.0), (0.1, 0.2, 0.2), supported_by=2)
    assert scene_relation_holds("on", on_top, SHELF)


def test_what_a_container_carries_without_holding_it_is_on_it():
    tall = thing(5, "plant", (3.1, 2.2, 0.0), (0.1, 0.9, 0.2), supported_by=2)
    assert scene_relation_holds("on", tall, SHELF)
    sunk = thing(5, "plant", (3.1, 1.9, 0.0), (0.1, 0.5, 0.2), supported_by=2)
    assert scene_relation_holds("on", sunk, SHELF)
    assert not scene_relation_holds("inside", sunk, SHELF)


def test_nothing_relates_to_itself_and_no_things_give_an_empty_matrix():
    odd = thing(1, "sofa", (0.0, 0.45, 0.0), (2.0, 0.9, 0.9), supported_by=1)
    assert not scene_relation_matrix("on", [odd, SHELF]).any()
    assert scene_relation_matrix("inside", []).shape == (0, 0)
    assert scene_relation_matrix("left of", [], np.eye(4)).shape == (0, 0)


def test_the_vocabulary_has_the_words_that_have_rules():
    assert set(RELATIONS) == set(PAIR_RELATIONS)
    assert set(RELATIONS[:4]) == VIEWER_RELATIONS
    assert set(STORED_RELATIONS) < set(RELATIONS)
    assert set(CONTAINER_CATEGORIES) < set(CATEGORIES)
