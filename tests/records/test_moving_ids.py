import msgspec
import numpy as np

from backsight.records.sequence import ObjectMotion, moving_ids_between


def test_things_that_stand_elsewhere_or_turned_are_named(make_sequence):
    still = (0.0, 1.0, 0.0)
    slides = ObjectMotion(9, (still, still, (1.0, 1.0, 0.0), still), (0.0,) * 4)
    turns = ObjectMotion(7, (still,) * 4, (0.0, 0.0, 0.0, 0.5))
    annotations = msgspec.structs.replace(make_sequence(frames=4).annotations, motions=(slides, turns))
    expected = {(0, 1): [], (0, 2): [9], (2, 0): [9], (1, 3): [7], (2, 3): [7, 9], (3, 3): []}
    for (one, other), ids in expected.items():
        found = moving_ids_between(annotations, one, other)
        assert found.dtype == np.int32
        assert found.tolist() == ids
    assert moving_ids_between(make_sequence().annotations, 0, 1).tolist() == []
