import numpy as np

from backsight.sim.embedded.scans.parts import PLAIN, ScanPart
from backsight.sim.embedded.scans.sidecar import Sidecar
from backsight.sim.embedded.scans.things import group_parts

TRIANGLE = np.array([[0.0, 0, 0], [1, 0, 0], [0, 0, 1]])


def part(*nodes: tuple[int, str]) -> ScanPart:
    return ScanPart(nodes, TRIANGLE, np.array([[0, 1, 2]]), PLAIN)


def grouped(*parts: ScanPart, **labels: str) -> list[tuple[str | None, str | None, tuple[int, ...]]]:
    return [(thing.category, thing.name, thing.parts) for thing in group_parts(parts, Sidecar(labels=labels))]


def test_the_nearest_node_with_a_meaning_owns_a_part():
    table = (1, "Table")
    assert grouped(
        part((0, "world"), table, (2, "top")),
        part((0, "world"), table, (3, "leg_1")),
        part((0, "world"), table, (4, "Vase")),
        part((0, "world"), (5, "Table"), (6, "top")),
    ) == [("table", "Table", (0, 1)), ("vase", "Vase", (2,)), ("table", "Table", (3,))]


def test_a_node_farther_up_that_says_the_same_owns_it():
    assert grouped(part((1, "Bed"), (2, "bed_frame")), part((1, "Bed"), (3, "Bed_2"))) == [("bed", "Bed", (0, 1))]


def test_rooms_and_houses_do_not_own_what_is_in_them():
    assert grouped(part((0, "House"), (1, "Gizmo")), part((0, "House"), (2, "Chair"))) == [
        (None, "Gizmo", (0,)),
        ("chair", "Chair", (1,)),
    ]


def test_pieces_behind_a_hash_are_one_thing_and_numbered_copies_are_not():
    assert grouped(part((1, "cab_1#4")), part((2, "cab_1#5")), part((3, "cab_2#6")), part((4, "Chair.001"))) == [
        ("cabinet", "cab_1", (0, 1)),
        ("cabinet", "cab_2", (2,)),
        ("chair", "Chair.001", (3,)),
    ]


def test_two_parts_of_one_node_are_one_thing():
    assert grouped(part((7, "")), part((7, "")), part((8, ""))) == [(None, None, (0, 1)), (None, None, (2,))]


def test_labels_of_the_side_car_come_first():
    assert grouped(part((1, "Chair_1")), part((2, "Chair_2")), Chair_1="stool") == [
        ("stool", "Chair_1", (0,)),
        ("chair", "Chair_2", (1,)),
    ]
