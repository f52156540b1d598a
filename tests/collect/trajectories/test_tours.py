import itertools

import numpy as np
import pytest

from backsight.collect.trajectories.smooth import CameraMount, MotionLimits, TrajectoryError, check_motion
from backsight.collect.trajectories.tours import Stop, shortest_order, walk_tour
from backsight.collect.trajectories.walk import Walk, WalkRequest, first_walk
from backsight.sim.simulator import Route

EYE = np.array([0.0, 1.25, 0.0])


class OpenFloor:
    """A plain without obstacles."""

    name, version, notes, objects, rooms, floors_m = "plain", "1", (), (), (), (0.0,)

    @property
    def navigation(self):
        return self

    def clearance_m(self, points_m):
        return np.full(len(points_m), 5.0)

    def shortest_path(self, start_m, goal_m, *, roomy=False):
        return Route(np.stack([start_m, goal_m]), float(np.linalg.norm(goal_m - start_m)))

    def load_scene(self, scene_id):
        raise NotImplementedError

    render = render_shapes = move_object = set_lighting = random_point = snap = is_navigable = island = load_scene
    geodesic_distances_m = top_down_map = load_scene


def request(frames, seed=0):
    return WalkRequest(OpenFloor(), np.random.default_rng(seed), frames, MotionLimits(), CameraMount())


def stop(x, z, *targets):
    return Stop(np.array([x, 0.0, z]), np.array(targets, dtype=np.float64))


@pytest.mark.parametrize("seed", range(5))
def test_a_short_order_of_five_places_is_the_shortest(seed):
    places = np.random.default_rng(seed).uniform(0.0, 5.0, (5, 2))
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)

    def length(order):
        return sum(apart[a, b] for a, b in itertools.pairwise(order))

    best = min(length(order) for order in itertools.permutations(range(5)))
    order = shortest_order(apart)
    assert sorted(order) == list(range(5))
    assert length(order) == pytest.approx(best)


def test_a_tour_reaches_its_stops_and_looks_at_what_it_should():
    stops = [stop(0, 0, (0, 1, -3)), stop(1.5, 0, (3, 1, -1), (-3, 2.4, -1)), stop(1.5, 1.2, (1.5, 0.6, -3))]
    tour = walk_tour(request(47), stops, wobble_deg=0.0)
    assert tour.num_stops == 3
    motion = tour.motion
    check_motion(motion, MotionLimits())
    for wanted in stops:
        gap = np.linalg.norm(motion.position_m - wanted.place_m - EYE, axis=1)
        assert gap.min() < 0.01
        here = gap < 0.02
        for target in wanted.targets_m:
            offset = target - motion.position_m[here]
            ahead = motion.world_from_camera()[here, :3, 2]
            angle = np.degrees(
                np.arccos(np.clip((offset / np.linalg.norm(offset, axis=1)[:, None] * ahead).sum(axis=1), -1.0, 1.0))
            )
            assert angle.min() < 4.0


def test_stops_that_the_time_is_not_enough_for_are_left_out():
    stops = [stop(float(x), 0.0, (x, 1, -3)) for x in range(6)]
    tour = walk_tour(request(17), stops)
    assert 2 <= tour.num_stops <= 4
    with pytest.raises(TrajectoryError, match="too long"):
        walk_tour(request(17), stops, least_stops=6)


def test_the_gaze_turns_the_short_way_round():
    stops = [stop(0, 0, (0.1, 1.25, 3)), stop(1.0, 0, (0.9, 1.25, 3))]
    motion = walk_tour(request(31), stops, wobble_deg=0.0).motion
    assert np.degrees(np.ptp(motion.yaw_rad)) < 90.0


def test_the_first_walk_that_works_is_taken_and_the_last_failure_is_told():
    def failing():
        raise TrajectoryError("a wall")

    with pytest.raises(TrajectoryError, match="no way: a wall"):
        first_walk([failing, failing], "no way")
    walk = Walk(walk_tour(request(17), [stop(0, 0, (0, 1, -3)), stop(1, 0, (0, 1, -3))]).motion)
    assert first_walk(iter([failing, lambda: walk, failing]), "no way") is walk
