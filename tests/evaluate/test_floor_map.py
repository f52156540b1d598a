import numpy as np
import pytest

from backsight.evaluate.report.floor_map import (
    DOOR,
    FLOOR,
    FREE,
    PANEL,
    WALL,
    StoreyPlan,
    category_colour,
    draw_floor_map,
    plan_extent_m,
)
from backsight.geometry.poses import look_pose
from backsight.records.scene import OrientedBox, Room, SceneObject
from backsight.records.vocabulary import FURNITURE_CATEGORIES

WIDTH, HEIGHT = 467, 307


def plan(bounds=(0.0, 0.0, 6.0, 3.0), cameras=(), objects=None):
    """A room of 6 x 3 m, free from x = 3 on, a table in the left half, a door in the left wall."""
    free = np.zeros((30, 60), dtype=bool)
    free[:, 30:] = True
    if objects is None:
        objects = (
            SceneObject(1, "wall", 1, OrientedBox((-0.05, 1.3, 1.5), (0.1, 2.6, 3.0))),
            SceneObject(2, "door", 1, OrientedBox((-0.05, 1.0, 1.0), (0.1, 2.0, 0.9))),
            SceneObject(3, "table", 1, OrientedBox((1.5, 0.4, 1.0), (1.0, 0.8, 1.0))),
            SceneObject(4, "vase", 1, OrientedBox((1.5, 0.9, 1.0), (0.55, 0.2, 0.55))),
            SceneObject(5, "wall", 1, OrientedBox((3.0, 1.3, 1.5), (6.0, 2.6, 3.0))),
        )
    return StoreyPlan(free, np.zeros(2), 0.1, (Room(1, "room", bounds),), objects, cameras)


def at(picture, x, z, turned=False):
    """Colour of the pixel at a world place: the map is centred, its scale limited by one side."""
    across, down = (3.4, 6.4) if turned else (6.4, 3.4)
    room = (HEIGHT - 20, WIDTH - 40) if turned else (WIDTH - 20, HEIGHT - 40)
    scale = min(room[0] / across, room[1] / down)
    right, down = (x - 3.0) * scale, (z - 1.5) * scale
    if turned:
        right, down = down, -right
        column, row = HEIGHT / 2 + right, 10 + (WIDTH - 40) / 2 + down
    else:
        column, row = WIDTH / 2 + right, 10 + (HEIGHT - 40) / 2 + down
    return tuple(picture[int(row), int(column)].tolist())


@pytest.mark.parametrize("turned", [False, True])
def test_places_have_the_colours_of_what_is_there(turned):
    size = (HEIGHT, WIDTH) if turned else (WIDTH, HEIGHT)
    picture = draw_floor_map(plan(), *size)
    assert picture.shape == (size[1], size[0], 3)
    assert at(picture, 4.5, 2.0, turned) == FREE
    assert at(picture, 1.5, 2.5, turned) == FLOOR
    assert at(picture, 1.12, 1.0, turned) == category_colour("table")
    assert at(picture, 1.5, 1.0, turned) == category_colour("vase")  # the higher thing on top
    assert at(picture, -0.05, 1.0, turned) == DOOR
    assert at(picture, -0.05, 2.5, turned) == WALL
    assert at(picture, -0.15, 1.0, turned) == PANEL


def test_a_wall_that_is_no_straight_wall_hides_nothing():
    assert at(draw_floor_map(plan(), WIDTH, HEIGHT), 2.5, 2.6) == FLOOR


def test_a_camera_is_drawn_where_it_stands_and_points_where_it_looks():
    plain = draw_floor_map(plan(), WIDTH, HEIGHT).astype(int)
    pose = look_pose(np.array([4.0, 1.4, 2.0]), -np.pi / 2)  # looks along +X
    seen = draw_floor_map(plan(cameras=((1, pose),)), WIDTH, HEIGHT).astype(int)
    rows, columns = np.nonzero(np.abs(seen - plain).sum(axis=2) > 8)
    scale = min((WIDTH - 20) / 6.4, (HEIGHT - 40) / 3.4)
    column, row = WIDTH / 2 + scale, 10 + (HEIGHT - 40) / 2 + 0.5 * scale
    assert abs(columns.min() - (column - 9)) <= 2
    assert abs(columns.max() - (column + 30)) <= 2
    assert abs((rows.min() + rows.max()) / 2 - row) <= 1.5


def test_the_extent_is_that_of_rooms_and_free_floor():
    low, high = plan_extent_m(plan((1.0, 1.0, 2.0, 2.0)))
    np.testing.assert_allclose([*low, *high], [0.8, -0.2, 6.2, 3.2])
    nowhere = StoreyPlan(np.zeros((2, 2), dtype=bool), np.zeros(2), 0.1, (), ())
    with pytest.raises(ValueError, match="has no map"):
        plan_extent_m(nowhere)


def test_no_two_categories_have_nearly_the_same_colour():
    colours = np.array([category_colour(name) for name in FURNITURE_CATEGORIES], dtype=np.int64)
    apart = np.abs(colours[:, None] - colours[None, :]).sum(axis=-1) + 999 * np.eye(len(colours), dtype=np.int64)
    assert apart.min() >= 9
    frequent = [FURNITURE_CATEGORIES.index(name) for name in ("chair", "table", "bin", "box", "cabinet", "bookshelf")]
    assert apart[np.ix_(frequent, frequent)].min() >= 60
