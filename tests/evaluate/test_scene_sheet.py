import itertools

import msgspec
import numpy as np
import pytest

from backsight.evaluate.report import scene_sheet
from backsight.evaluate.report.canvas import Canvas, text_width_px
from backsight.evaluate.report.floor_map import StoreyPlan
from backsight.evaluate.report.scene_card import make_card, on_storey, storey_of
from backsight.evaluate.report.scene_sheet import SceneCard, cells_of_maps, counted_parts, draw_sheet
from backsight.records.scene import Room
from backsight.records.scene_statistics import SceneStatistics
from backsight.records.vocabulary import FURNITURE_CATEGORIES
from backsight.sim.scene_statistics import scene_statistics
from backsight.sim.survey import survey_scene

WIDTH, HEIGHT = 131, 97


def statistics(scene_id="kitchen-3", kinds=3, storeys=1):
    return SceneStatistics(
        scene_id=scene_id,
        scene_type="kitchen",
        room_types={"kitchen": 1},
        categories={name: 63 - i for i, name in enumerate(FURNITURE_CATEGORIES[:kinds])},
        structure={"door": 1, "window": 2},
        navigable_m2=(10.4,) * storeys,
        relations={},
        viewpoints=8,
        triangles=12345,
        textures=7,
    )


def card(cells=4, storeys=1, **options):
    storey = StoreyPlan(np.ones((20, 30), dtype=bool), np.zeros(2), 0.1, (Room(1, "kitchen", (0, 0, 3, 2)),), ())
    noise = np.random.default_rng(0)
    views = tuple(
        noise.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(cells - cells_of_maps(storeys, cells))
    )
    return SceneCard(statistics(storeys=storeys, **options), views, (storey,) * storeys)


class Recorder:
    """Notes where pictures and words go."""

    def __init__(self, monkeypatch):
        self.words, self.pictures = [], []
        write, paste = Canvas.write, Canvas.paste

        def noted_write(canvas, text, left_px, base_px, size_px=15, *args, **options):
            room = options.get("width_px", canvas.width_px - left_px)
            width = min(text_width_px(text, size_px, options.get("bold", False)), room)
            assert text_width_px(text, size_px, options.get("bold", False)) <= room, f"{text!r} is cut"
            self.words.append((left_px, base_px - round(0.75 * size_px), left_px + width, base_px + size_px // 4))
            write(canvas, text, left_px, base_px, size_px, *args, **options)

        def noted_paste(canvas, picture, left_px, top_px):
            self.pictures.append((left_px, top_px, left_px + picture.shape[1], top_px + picture.shape[0]))
            paste(canvas, picture, left_px, top_px)

        monkeypatch.setattr(Canvas, "write", noted_write)
        monkeypatch.setattr(Canvas, "paste", noted_paste)


def overlap(first, second):
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


@pytest.mark.parametrize(("cells", "kinds"), [(5, 3), (5, 60), (8, 60), (5, 0)])
def test_nothing_overlaps_and_nothing_leaves_the_page(monkeypatch, cells, kinds):
    recorder = Recorder(monkeypatch)
    cards = [card(cells, kinds=kinds), card(cells, storeys=2, kinds=kinds), card(cells, scene_id="gym-1")]
    picture = draw_sheet(cards, "3 scenes", "a note", cells)
    height, width = picture.shape[:2]
    assert width == 2 * scene_sheet.MARGIN_PX + cells * WIDTH + (cells - 1) * scene_sheet.GAP_PX
    for left, top, right, bottom in recorder.words + recorder.pictures:
        assert left >= scene_sheet.MARGIN_PX
        assert right <= width - scene_sheet.MARGIN_PX
        assert top >= 0
        assert bottom <= height
    for first, second in itertools.combinations(recorder.words + recorder.pictures, 2):
        assert not overlap(first, second), (first, second)


def test_every_cell_of_the_sheet_holds_a_picture():
    picture = draw_sheet([card(4), card(4, storeys=2), card(4, storeys=5)], "3 scenes", "a note", 4)
    rows = [row for row in range(len(picture)) if (picture[row, scene_sheet.MARGIN_PX + WIDTH // 2] != 246).any()]
    middle = np.array(rows)
    assert len(middle) > 3 * HEIGHT
    for place in range(4):
        left = scene_sheet.MARGIN_PX + place * (WIDTH + scene_sheet.GAP_PX)
        column = picture[:, left : left + WIDTH]
        blank = (column == column[:, :1]).all(axis=(1, 2))
        # Three pictures of HEIGHT rows that are not all of one colour.
        assert (~blank).sum() >= 3 * (HEIGHT - 40)


@pytest.mark.parametrize(("storeys", "cells", "maps"), [(1, 4, 1), (2, 4, 2), (5, 4, 3), (2, 2, 1)])
def test_storeys_take_cells_but_leave_one_for_a_view(storeys, cells, maps):
    assert cells_of_maps(storeys, cells) == maps


def test_rows_that_are_not_full_are_refused():
    short = card(4)
    with pytest.raises(ValueError, match="kitchen-3: 2 views and 1 maps for 4 cells"):
        draw_sheet([SceneCard(short.statistics, short.views[:2], short.storeys)], "", "", 4)
    with pytest.raises(ValueError, match="one size"):
        draw_sheet([SceneCard(short.statistics, (*short.views[:2], short.views[2][:50]), short.storeys)], "", "", 4)
    with pytest.raises(ValueError, match="one size"):
        draw_sheet([], "", "", 4)


def test_the_line_of_counts():
    line = "  ·  ".join(counted_parts(statistics(storeys=2)))
    assert line == (
        "1 room  ·  186 things of 3 kinds  ·  1 door  ·  2 windows  ·  10 + 10 m² to stand on  ·  12,345 triangles  ·  "
        "7 textures"
    )
    assert "7 textures" in counted_parts(msgspec.structs.replace(statistics(), triangles=None))
    assert len(counted_parts(msgspec.structs.replace(statistics(), triangles=None))) == 6


def test_a_card_of_a_scene(box_room_simulator, box_room_survey):
    survey = box_room_survey
    counted = scene_statistics("room-1", "room", box_room_simulator, survey)
    made = make_card(box_room_simulator, counted, survey, 4, WIDTH, HEIGHT)
    assert [view.shape for view in made.views] == [(HEIGHT, WIDTH, 3)] * 3
    assert [number for number, _ in made.storeys[0].cameras] == [1, 2, 3]
    assert {thing.category for thing in made.storeys[0].objects} == {"wall", "chair", "table", "plant"}
    again = make_card(box_room_simulator, counted, survey, 4, WIDTH, HEIGHT)
    np.testing.assert_array_equal(draw_sheet([made], "a", "b", 4), draw_sheet([again], "a", "b", 4))


def test_storeys_share_out_rooms_things_and_views(box_room_simulator):
    lower, floors = box_room_simulator.rooms[0], (0.0, 2.9)
    upper = msgspec.structs.replace(lower, room_id=2, floor_m=2.9)
    assert [storey_of(height, floors) for height in (-1.0, 0.0, 2.4, 2.6, 2.9, 7.0)] == [0, 0, 0, 1, 1, 1]
    lifted = [  # Their ids are those of the things below, which plays no part here.
        msgspec.structs.replace(
            thing,
            box=msgspec.structs.replace(
                thing.box, centre_m=tuple(np.add(thing.box.centre_m, (0.0, 2.9, 0.0)).tolist())
            ),
        )
        for thing in box_room_simulator.objects
    ]
    rooms, objects = on_storey((lower, upper), (*box_room_simulator.objects, *lifted[6:8]), floors, 1)
    assert rooms == (upper,)
    assert objects == tuple(lifted[6:8])
    everything = (*box_room_simulator.objects, *lifted)
    house = type(box_room_simulator)(everything, (lower, upper), box_room_simulator._cast)
    survey = survey_scene(house)
    counted = scene_statistics("house-1", "house", house, survey)
    made = make_card(house, counted, survey, 4, WIDTH, HEIGHT)
    assert (len(made.views), len(made.storeys)) == (2, 2)
    for storey, plan in enumerate(made.storeys):
        for _, pose in plan.cameras:
            assert pose[1, 3] == pytest.approx(floors[storey] + 1.4)
    assert sum(len(plan.cameras) for plan in made.storeys) == 2
