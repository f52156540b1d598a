import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import factories
from backsight.collect.annotate import true_relations, visible_objects
from backsight.geometry.relations import VIEWER_RELATIONS
from backsight.records.scene import OrientedBox, SceneObject
from backsight.records.vocabulary import STORED_RELATIONS

THINGS = tuple(
    SceneObject(number, category, 1, OrientedBox((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
    for number, category in enumerate(["floor", "chair", "table", "lamp"], start=3)
)


def walk_past(things, ids, pose):
    """Annotations of a walk that stands still and sees what the map says."""
    return msgspec.structs.replace(
        factories.make_sequence(frames=len(ids)).annotations,
        objects=things,
        visible_objects=visible_objects(ids, things),
        world_from_camera=(tuple(pose.ravel().tolist()),) * len(ids),
    )


def test_boxes_and_shares_are_those_of_the_map():
    ids = np.zeros((2, 7, 11), dtype=np.int32)
    ids[0, 1:4, 2:9] = 4
    ids[0, 2, 3] = 6
    ids[1, 6, 10] = 5
    ids[1, 0, :] = 3
    first, second = visible_objects(ids, THINGS)
    assert [(v.instance_id, v.box_px) for v in first] == [(4, (2, 1, 9, 4)), (6, (3, 2, 4, 3))]
    assert first[0].pixel_share == pytest.approx(20 / 77)
    assert [(v.instance_id, v.box_px) for v in second] == [(5, (10, 6, 11, 7))]


def test_an_unknown_id_is_refused():
    with pytest.raises(ValueError, match="no object of the scene"):
        visible_objects(np.full((1, 3, 5), 7, dtype=np.int32), THINGS)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_visible_objects_agree_with_a_loop(seed):
    ids = np.random.default_rng(seed).choice([0, 3, 4, 5, 6], p=[0.5, 0.4, 0.05, 0.04, 0.01], size=(3, 5, 7))
    found = visible_objects(ids.astype(np.int32), THINGS)
    for image, shown in zip(ids, found, strict=True):
        assert {v.instance_id for v in shown} == set(np.unique(image)) - {0, 3}
        shares = [v.pixel_share for v in shown]
        assert shares == sorted(shares, reverse=True)
        for item in shown:
            rows, columns = np.nonzero(image == item.instance_id)
            assert item.pixel_share * image.size == pytest.approx(len(rows))
            assert item.box_px == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_relations_are_listed_for_what_was_seen_in_one_room():
    things = (
        SceneObject(1, "table", 1, OrientedBox((0.0, 0.4, -3.0), (1.0, 0.8, 1.0))),
        SceneObject(2, "vase", 1, OrientedBox((0.0, 0.9, -3.0), (0.2, 0.2, 0.2))),
        SceneObject(3, "chair", 1, OrientedBox((-1.0, 0.4, -3.0), (0.5, 0.8, 0.5))),
        SceneObject(4, "chair", 2, OrientedBox((0.9, 0.4, -3.0), (0.5, 0.8, 0.5))),
        SceneObject(5, "lamp", 1, OrientedBox((0.9, 0.4, -3.0), (0.5, 0.8, 0.5))),
    )
    ids = np.zeros((2, 4, 4), dtype=np.int32)
    ids[0, 0, :4] = [1, 2, 3, 4]
    ids[1, 0, 0] = 1
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    found = true_relations(walk_past(things, ids, pose), (1,))
    listed = {(r.subject_id, r.relation, r.anchor_id, r.frame) for r in found}
    assert listed == {
        (2, "on", 1, None),
        (1, "next to", 3, None),
        (3, "next to", 1, None),
        (3, "left of", 1, 1),
    }


def test_all_stored_words_are_listed_and_no_others():
    def thing(number, category, centre, size, supported_by=None):
        return SceneObject(number, category, 1, OrientedBox(centre, size), supported_by=supported_by)

    things = (
        thing(1, "desk", (0.0, 0.375, -3.0), (1.4, 0.75, 0.7)),
        thing(2, "basket", (0.2, 0.15, -3.0), (0.3, 0.3, 0.3)),
        thing(3, "bottle", (0.2, 0.12, -3.0), (0.1, 0.2, 0.1), supported_by=2),
        thing(4, "picture", (0.0, 1.5, -3.4), (0.5, 0.4, 0.02)),
        thing(5, "chair", (0.1, 0.45, -2.0), (0.45, 0.9, 0.45)),
        thing(6, "sofa", (3.0, 0.45, -7.0), (2.0, 0.9, 0.9)),
        thing(7, "cushion", (3.2, 0.55, -7.0), (0.4, 0.2, 0.3), supported_by=6),
    )
    ids = np.arange(1, 8, dtype=np.int32).reshape(1, 1, 7)
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    found = true_relations(walk_past(things, ids, pose), (0,))
    listed = {(r.subject_id, r.relation, r.anchor_id) for r in found}
    assert listed >= {
        (2, "under", 1),
        (3, "inside", 2),
        (4, "above", 1),
        (1, "below", 4),
        (5, "in front of", 1),
        (1, "behind", 5),
        (7, "on", 6),
        (5, "left of", 6),
        (6, "right of", 5),
        (5, "next to", 1),
    }
    assert {relation for _, relation, _ in listed} == set(STORED_RELATIONS)
    for relation in found:
        assert (relation.frame is None) == (relation.relation not in VIEWER_RELATIONS)
    assert not {(r.subject_id, r.relation, r.anchor_id) for r in found if r.relation == "inside"} - {(3, "inside", 2)}
