"""Imagined views: turns and steps within their bounds, ways that are clear, images that are the scene's own."""

import numpy as np
import pytest

from backsight.collect.instructions.imagine import CLEARANCE_M, imagine_views
from backsight.geometry.poses import heading_rad, look_pose

COUNT = 40


class Corridor:
    """Walls at x = 0 and x = 0.6: only steps along z are long."""

    def __init__(self, width_m: float = 0.6) -> None:
        self.width_m = width_m

    def clearance_m(self, points_m):
        return np.maximum(np.minimum(points_m[:, 0], self.width_m - points_m[:, 0]), 0.0)

    @property
    def floors_m(self):
        return (0.0,)

    def random_point(self, rng, room_id=None, floor=None):
        raise NotImplementedError

    def snap(self, point_m):
        raise NotImplementedError

    def is_navigable(self, point_m):
        raise NotImplementedError

    def island(self, point_m):
        raise NotImplementedError

    def shortest_path(self, start_m, goal_m, *, roomy=False):
        raise NotImplementedError

    def geodesic_distances_m(self, start_m, goals_m):
        raise NotImplementedError

    def top_down_map(self, floor=0):
        raise NotImplementedError


@pytest.fixture(scope="module")
def poses():
    return np.stack([look_pose(np.array([0.3, 1.25, 0.2 * n]), np.pi / 2 * n, -0.1) for n in range(5)])


def drawn(poses, width_m=0.6, seed=0):
    views = imagine_views(poses, (2, 4), COUNT, Corridor(width_m), np.random.default_rng(seed))
    found = np.array([view.world_from_camera for view in views]).reshape(2, COUNT, 4, 4)
    assert [view.current_frame for view in views] == [2] * COUNT + [4] * COUNT
    return found


def test_the_head_turns_30_to_120_degrees_by_fifteens_to_both_sides_and_stays_as_level(poses):
    found = drawn(poses)
    for views, frame in zip(found, (2, 4), strict=True):
        turn = np.degrees(heading_rad(views) - heading_rad(poses[frame]))
        turn = (turn + 180) % 360 - 180
        assert (np.abs(turn) >= 30 - 1e-9).all()
        assert (np.abs(turn) <= 120 + 1e-9).all()
        np.testing.assert_allclose(turn / 15, np.round(turn / 15), atol=1e-9)
        assert min((turn > 0).mean(), (turn < 0).mean()) > 0.2
        assert np.abs(turn).max() - np.abs(turn).min() > 60
        np.testing.assert_allclose(views[:, 1, 2], poses[frame][1, 2], atol=1e-12)
        np.testing.assert_allclose(views[:, 1, 0], 0.0, atol=1e-12)


def test_the_later_half_moves_a_little_along_a_clear_way(poses):
    found = drawn(poses)
    step = found[:, :, :3, 3] - poses[[2, 4], None, :3, 3]
    length = np.linalg.norm(step, axis=-1)
    assert not length[:, : COUNT // 2].any()
    moved = length[:, COUNT // 2 :]
    np.testing.assert_allclose(np.unique(moved.round(9)), [0.25, 0.5])
    # Forward and back, as seen by the viewer: aside is no room.
    assert np.abs(step[..., 0]).max() < 1e-12
    assert not step[..., 1].any()
    assert (Corridor().clearance_m(found[:, COUNT // 2 :, :3, 3].reshape(-1, 3)) >= CLEARANCE_M - 1e-12).all()


def test_where_there_is_no_room_the_head_only_turns(poses):
    found = drawn(poses, width_m=0.3)
    assert np.array_equal(found[:, :, :3, 3], np.broadcast_to(poses[[2, 4], None, :3, 3], (2, COUNT, 3)))


def test_equal_seeds_draw_equal_views(poses):
    assert np.array_equal(drawn(poses), drawn(poses))
    assert not np.array_equal(drawn(poses), drawn(poses, seed=1))
