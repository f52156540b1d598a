"""Where things may stand: boxes that reach into one another, places on surfaces, rooms that keep their ways."""

import math

import numpy as np
import pytest
from scene_checks import depth_of_overlap_m

from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.records.scene import OrientedBox
from backsight.sim.embedded.scenes.finishes import Finishes
from backsight.sim.embedded.scenes.floor_plan import Opening, PlanRoom
from backsight.sim.embedded.scenes.furniture import seating, tables
from backsight.sim.embedded.scenes.lamps import room_lamps
from backsight.sim.embedded.scenes.mesh_builder import MeshBuilder
from backsight.sim.embedded.scenes.piece import Piece
from backsight.sim.embedded.scenes.placer import Placer
from backsight.sim.embedded.scenes.recipes.things import draw
from backsight.sim.embedded.scenes.room_space import Pose
from backsight.sim.embedded.scenes.solids import Solids, solid_of
from backsight.sim.embedded.scenes.spots import find_spots
from backsight.sim.embedded.simulator import EmbeddedSimulator


def block(size: tuple[float, float, float], shift: tuple[float, float] = (0.0, 0.0)) -> Piece:
    piece = Piece("box")
    piece.box((shift[0], 0.0, shift[1]), size, 0)
    return piece


def box_of(piece: Piece, pose: Pose, base_m: float) -> OrientedBox:
    middle = pose.offset((piece.low[0] + piece.high[0]) / 2, (piece.low[2] + piece.high[2]) / 2)
    size = tuple(high - low for low, high in zip(piece.low, piece.high, strict=True))
    return OrientedBox((middle.x_m, base_m + size[1] / 2, middle.z_m), size, pose.yaw_rad)


def test_hits_agree_with_separating_axes_of_turned_boxes():
    rng = np.random.default_rng(7)
    outcomes = {True: 0, False: 0}
    for _ in range(700):
        pieces = [block(tuple(rng.uniform(0.1, 0.9, 3)), tuple(rng.uniform(-0.2, 0.2, 2))) for _ in range(2)]
        poses = [Pose(*rng.uniform(-0.6, 0.6, 2), float(rng.uniform(-4, 4))) for _ in range(2)]
        bases = rng.uniform(0.0, 0.9, 2).tolist()
        solids = Solids()
        solids.add(11, solid_of(pieces[0], poses[0], bases[0]))
        depth = depth_of_overlap_m(*(box_of(*three) for three in zip(pieces, poses, bases, strict=True)))
        if abs(depth) < 0.02:
            continue
        hit = solids.hits(solid_of(pieces[1], poses[1], bases[1]), ())
        assert hit == (depth > 0), depth
        assert not solids.hits(solid_of(pieces[1], poses[1], bases[1]), (11,))
        outcomes[hit] += 1
    assert min(outcomes.values()) > 100, outcomes


def test_more_boxes_than_first_fit_are_all_remembered():
    solids = Solids()
    piece = block((0.5, 0.5, 0.5))
    for number in range(131):
        solids.add(number + 1, solid_of(piece, Pose(float(number), 0.0, 0.0), 0.0))
    for number in range(131):
        probe = solid_of(block((0.1, 0.1, 0.1)), Pose(float(number), 0.0, 0.3), 0.2)
        assert solids.hits(probe, ())
        assert not solids.hits(probe, (number + 1,))


def shelf() -> Piece:
    piece = block((1.3, 1.1, 0.5))
    piece.offer("on", (0.1, 1.1, 0.0), (0.9, 0.4))
    piece.offer("in", (-0.2, 0.3, 0.05), (0.7, 0.3), 0.25)
    piece.offer("in", (0.2, 0.8, 0.0), (0.2, 0.2))
    return piece


@pytest.mark.parametrize("turn", [0.0, 0.4, -2.3])
def test_spots_keep_a_thing_on_its_surface_and_below_what_is_above(turn):
    rng = np.random.default_rng(3)
    thing = block((0.23, 0.2, 0.11), (0.02, 0.01))
    for kind, y, low, high in (("on", 1.1, (-0.35, -0.2), (0.55, 0.2)), ("in", 0.3, (-0.55, -0.1), (0.15, 0.2))):
        spots = list(find_spots(rng, thing, shelf(), kind, turn, 40))
        assert len(spots) == 40
        for x, at, z in spots:
            corners = box_of(thing, Pose(x, z, turn), at).corners_m()
            assert at == y
            assert (corners[:, [0, 2]].min(axis=0) > low).all()
            assert (corners[:, [0, 2]].max(axis=0) < high).all()
        assert np.ptp([x for x, _, _ in spots]) > 0.2


def test_what_is_too_large_or_would_look_out_of_a_vessel_finds_no_spot():
    rng = np.random.default_rng(3)
    for size in ((0.95, 0.1, 0.1), (0.1, 0.26, 0.35), (0.15, 0.6, 0.15)):
        assert not list(find_spots(rng, block(size), shelf(), "in", 0.0, 9))
    assert list(find_spots(rng, block((0.15, 0.4, 0.15)), shelf(), "in", 0.0, 9))


@pytest.fixture
def placer() -> Placer:
    room = PlanRoom(1, (-2.1, -1.7, 2.1, 1.7), "study", floor_m=2.9, height_m=2.5)
    room.doors[0].append(Opening(0.3, 0.9, 0.0, 2.05, closed=True))
    builder = MeshBuilder()
    return Placer(builder, Finishes(builder, np.random.default_rng(5)), room)


def test_things_stand_at_the_height_of_the_rooms_floor(placer):
    finishes = placer.finishes
    table = placer.stand(tables.table(finishes, finishes.paint("table"), (1.1, 0.7, 0.6), 0), Pose(0.0, 0.6, 0.0))
    cup = placer.put(draw(placer, "cup", "top"), table, "on")
    box = placer.put(block((0.2, 0.2, 0.2)), table, "under")
    assert placer.hang(draw(placer, "clock", "wall", 0), 1.8)
    heights = [placed.position_m[1] for placed in placer.builder.placed]
    assert heights == pytest.approx([2.9, 3.6, 2.9, 4.7])
    assert cup.carriers == (table.instance_id,)
    assert box.carriers == ()
    supported = [placed.supported_by for placed in placer.builder.placed]
    assert supported == [None, table.instance_id, None, None]


def test_a_top_is_filled_until_nothing_fits_and_nothing_overlaps(placer):
    finishes = placer.finishes
    table = placer.stand(tables.table(finishes, finishes.paint("table"), (0.6, 0.7, 0.5), 0), Pose(0.0, 0.6, 0.7))
    things = [placer.put(block((0.2, 0.1, 0.2)), table, "on", 0.3, 50) for _ in range(12)]
    placed = [thing for thing in things if thing is not None]
    assert 2 <= len(placed) <= 6
    boxes = [box_of(thing.piece, thing.pose, thing.base_m) for thing in placed]
    for index, one in enumerate(boxes):
        assert all(depth_of_overlap_m(one, other) < 0.01 for other in boxes[:index])


def test_a_basket_is_not_pushed_under_a_table_where_a_chair_stands(placer):
    finishes = placer.finishes
    table = placer.stand(tables.table(finishes, finishes.paint("table"), (0.8, 0.75, 0.7), 2), Pose(0.0, 0.2, 0.0))
    chair = seating.chair(finishes, finishes.paint("chair"), 0)
    assert placer.tuck(chair, table.pose.offset(0.0, 0.2, math.pi), table) is not None
    placed = [placer.put(block((0.4, 0.3, 0.4)), table, "under", 0.0, 30) for _ in range(3)]
    assert placed == [None, None, None]


def test_doors_and_reserved_floor_stay_free(placer):
    placer.room.reserved.append((0.5, 0.5, 1.5, 1.5))
    again = Placer(placer.builder, placer.finishes, placer.room)
    assert again.stand(block((0.3, 0.3, 0.3)), Pose(1.0, 1.0, 0.0)) is None
    assert again.stand(block((0.3, 0.3, 0.3)), Pose(0.3, -1.3, 0.0)) is None
    assert again.stand(block((0.3, 2.6, 0.3)), Pose(-1.2, 0.8, 0.0)) is None
    assert again.stand(block((0.3, 0.3, 0.3)), Pose(-1.2, 0.8, 0.0)) is not None


def test_what_hangs_is_not_covered_by_what_is_stood_there_later(placer):
    screen = block((1.2, 1.0, 0.4))
    assert placer.hang_at(screen, 2, 0.0, 0.9)
    assert placer.stand(block((0.5, 1.2, 0.4)), Pose(0.0, 1.42, 0.0)) is None
    assert placer.stand(block((0.5, 0.8, 0.4)), Pose(0.0, 1.42, 0.0)) is not None


def test_lamps_of_a_hall_form_a_grid_below_its_ceiling():
    rng = np.random.default_rng(1)
    hall = PlanRoom(3, (0.0, 0.0, 17.0, 11.0), "warehouse", floor_m=1.0, height_m=5.3)
    lamps = room_lamps(rng, hall, "bright")
    columns, rows = ({round(lamp.position_m[axis], 6) for lamp in lamps} for axis in (0, 2))
    assert len(lamps) == len(columns) * len(rows)
    assert len(columns) > len(rows) > 1
    assert all(lamp.room_id == 3 and 1.0 + 4.0 < lamp.position_m[1] < 1.0 + 5.3 for lamp in lamps)
    assert len(room_lamps(rng, PlanRoom(1, (0.0, 0.0, 3.0, 4.0), "study"), "bright")) == 1


@pytest.mark.parametrize("scene_id", ["study-3", "library-1", "warehouse-1"])
def test_lamps_show_their_own_face_from_below(scene_id):
    simulator = EmbeddedSimulator()
    simulator.load_scene(scene_id)
    lamps = [t for t in simulator.objects if t.category == "ceiling" and max(t.box.size_m[0], t.box.size_m[2]) < 0.5]
    assert lamps
    looking_up = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
    for lamp in lamps[:3]:
        x, middle_m, z = lamp.box.centre_m
        pose = looking_up.copy()
        pose[:3, 3] = x - 0.05, middle_m - lamp.box.size_m[1] / 2 - 1.3, z - 0.03
        seen = simulator.render(pose[None], intrinsics_from_hfov(37, 31, 15.0), 37, 31)
        middle = seen.instance_ids[0, 10:21, 13:24]
        assert (middle == lamp.instance_id).all(), (scene_id, np.unique(middle))
        np.testing.assert_allclose(seen.depth_m[0, 10:21, 13:24], 1.3, atol=0.02)
