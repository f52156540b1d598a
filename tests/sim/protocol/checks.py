"""What every simulator behind the protocol must do, as functions that fail with an AssertionError where one does not.

Each `check_...` takes a `Bench`. `test_protocol` runs all on every backend; `test_faults` runs them on simulators that
do one thing wrongly, and must see them fail.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from backsight.geometry.cameras import intrinsics_from_hfov, pixel_centres, scale_intrinsics
from backsight.geometry.poses import invert_pose, look_pose
from backsight.records.errors import UsageError
from backsight.records.scene import SceneObject
from backsight.sim.simulator import Lighting, Navigation, Simulator

WIDTH, HEIGHT, HFOV_DEG = 83, 61, 79.0
EYE_M = 1.25
ON_THE_BOX_M = 0.03
"""Surfaces of an object may lie so far beyond its box."""
LENGTH_TOLERANCE = 0.02
"""Lengths of routes are right within 2 %."""


@dataclass
class Bench:
    """A simulator with a scene, and what is known of it."""

    simulator: Simulator
    scene_id: str
    other_scene_id: str
    digest_elsewhere: Callable[[np.ndarray, np.ndarray, int, int], str]
    """`digest` of the same scene's pictures, taken in another process."""
    movable: bool = True
    """Whether the scene has things that can move."""
    lit: bool = True
    """Whether its lighting can be changed."""

    @property
    def navigation(self) -> Navigation:
        return self.simulator.navigation


def camera() -> np.ndarray:
    return intrinsics_from_hfov(WIDTH, HEIGHT, HFOV_DEG)


def look_at(eye_m: np.ndarray, target_m: np.ndarray, turned: float = 0.0, tilted: float = 0.0) -> np.ndarray:
    offset = target_m - eye_m
    yaw = math.atan2(-offset[0], -offset[2])
    pitch = math.atan2(offset[1], math.hypot(offset[0], offset[2]))
    return look_pose(eye_m, yaw + turned, pitch + tilted)


def furniture(bench: Bench) -> list[SceneObject]:
    """Things large enough to be hit by a ray of a small picture."""
    things = [thing for thing in bench.simulator.objects if not thing.is_structure and min(thing.box.size_m) > 0.15]
    assert things, "the scene has no furniture to look at"
    return things


def views(bench: Bench, seed: int = 0) -> list[tuple[SceneObject, np.ndarray]]:
    """Places near things in their own rooms, looking towards them, each thing somewhere off the picture's centre."""
    rng = np.random.default_rng(seed)
    found = []
    for thing in furniture(bench):
        for _ in range(30):
            eye_m = bench.navigation.random_point(rng, room_id=thing.room_id) + np.array([0.0, EYE_M, 0.0])
            distance_m = np.linalg.norm(eye_m - np.array(thing.box.centre_m))
            if max(thing.box.size_m) < distance_m < 4.0:
                turned, tilted = rng.uniform(-0.35, 0.35), rng.uniform(-0.2, 0.2)
                found.append((thing, look_at(eye_m, np.array(thing.box.centre_m), turned, tilted)))
                break
        if len(found) == 12:
            break
    assert len(found) >= 4, f"only {len(found)} things can be looked at from near"
    return found


def rendered(bench: Bench, poses: list[np.ndarray]):
    return bench.simulator.render(np.stack(poses), camera(), WIDTH, HEIGHT)


def projected(point_m: np.ndarray, world_from_camera: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (invert_pose(world_from_camera) @ np.append(point_m, 1.0))[:3]
    u, v, w = camera() @ (x, y, z)
    return u / w, v / w, z


def unprojected(depth_m: np.ndarray, world_from_camera: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    height, width = depth_m.shape
    pixels = np.concatenate([pixel_centres(width, height), np.ones((height, width, 1))], axis=-1)
    rays = pixels @ np.linalg.inv(intrinsics).T
    points = rays * depth_m[..., None]
    return points @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]


def outside_box_m(points_m: np.ndarray, thing: SceneObject) -> np.ndarray:
    """How far points lie outside of a thing's box."""
    cos, sin = math.cos(thing.box.yaw_rad), math.sin(thing.box.yaw_rad)
    box_axes = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    local = (points_m - np.array(thing.box.centre_m)) @ box_axes
    return np.linalg.norm(np.maximum(np.abs(local) - np.array(thing.box.size_m) / 2, 0.0), axis=-1)


def digest(seen) -> str:
    whole = hashlib.sha256()
    for pictures in (seen.rgb, seen.depth_m, seen.instance_ids):
        whole.update(np.ascontiguousarray(pictures).tobytes())
    return whole.hexdigest()


# Pictures


def check_pictures_have_rows_and_columns(bench: Bench) -> None:
    poses = [pose for _, pose in views(bench)[:3]]
    seen = rendered(bench, poses)
    assert seen.rgb.shape == (3, HEIGHT, WIDTH, 3)
    assert seen.depth_m.shape == seen.instance_ids.shape == (3, HEIGHT, WIDTH)
    assert (seen.rgb.dtype, seen.depth_m.dtype, seen.instance_ids.dtype) == (np.uint8, np.float32, np.int32)
    assert seen.rgb.flags.c_contiguous
    assert seen.depth_m.flags.c_contiguous
    assert np.isfinite(seen.depth_m).all()
    assert (seen.depth_m >= 0.0).all()
    assert seen.rgb.std() > 3.0, "the pictures show nothing"
    known = {0} | {thing.instance_id for thing in bench.simulator.objects}
    assert set(np.unique(seen.instance_ids).tolist()) <= known, "ids that no object has"


def check_things_are_where_their_boxes_project_to(bench: Bench) -> None:
    found = views(bench)
    seen = rendered(bench, [pose for _, pose in found])
    hits = 0
    for number, (thing, pose) in enumerate(found):
        shown = seen.instance_ids[number] == thing.instance_id
        u, v, z = projected(np.array(thing.box.centre_m), pose)
        assert z > 0.0
        if not shown.any():
            # Something stands before it, or it is seen through.
            continue
        corners = np.array([projected(corner, pose) for corner in thing.box.corners_m()])
        if corners[:, 2].min() > 0.05:
            rows, columns = np.nonzero(shown)
            low, high = corners[:, :2].min(axis=0) - 1.0, corners[:, :2].max(axis=0) + 1.0
            assert columns.min() + 1 >= low[0], "pixels of a thing to the left of its box"
            assert columns.max() <= high[0], "pixels of a thing to the right of its box"
            assert rows.min() + 1 >= low[1], "pixels of a thing above its box"
            assert rows.max() <= high[1], "pixels of a thing below its box"
        column, row = np.clip([int(u), int(v)], 0, [WIDTH - 1, HEIGHT - 1])
        hits += bool(shown[row, column])
    assert hits >= len(found) / 2, f"{hits} of {len(found)} things are seen at their centres"


def check_pixels_lie_on_the_things_they_show(bench: Bench) -> None:
    things = {thing.instance_id: thing for thing in bench.simulator.objects}
    found = views(bench, seed=1)
    seen = rendered(bench, [pose for _, pose in found])
    judged = 0
    for number, (_, pose) in enumerate(found):
        points_m = unprojected(seen.depth_m[number].astype(np.float64), pose, camera())
        for instance_id in np.unique(seen.instance_ids[number]).tolist():
            thing = things.get(instance_id)
            if thing is None or (thing.is_structure and thing.category != "floor"):
                continue
            shown = seen.instance_ids[number] == instance_id
            away_m = outside_box_m(points_m[shown], thing)
            assert away_m.max() <= ON_THE_BOX_M, (
                f"a pixel of {thing.category} {instance_id} is {away_m.max():.2f} m off"
            )
            judged += int(shown.sum())
    assert judged > len(found) * 50


def check_depth_is_planar(bench: Bench) -> None:
    """A camera that looks straight down sees a floor at one depth, up to the picture's corners."""
    rng = np.random.default_rng(5)
    floors = {thing.instance_id for thing in bench.simulator.objects if thing.category == "floor"}
    judged = 0
    for _ in range(8):
        point_m = bench.navigation.random_point(rng)
        pose = look_pose(point_m + np.array([0.0, EYE_M, 0.0]), 0.7, -math.pi / 2)
        seen = rendered(bench, [pose])
        # Each floor by itself: beside stairs another storey's is seen as well.
        for floor in floors:
            on_floor = seen.instance_ids[0] == floor
            if on_floor.mean() > 0.3:
                low_m, high_m = seen.depth_m[0][on_floor].min(), seen.depth_m[0][on_floor].max()
                assert high_m - low_m < 0.02, f"the floor lies {low_m:.2f} to {high_m:.2f} m below the camera"
                judged += 1
    assert judged >= 3


def check_going_forward_brings_things_nearer(bench: Bench) -> None:
    judged = 0
    for thing, pose in views(bench, seed=2):
        start = look_at(pose[:3, 3], np.array(thing.box.centre_m))
        # 0.2 m along the camera's +z, on the axis the same surface comes nearer by as much.
        moved = start.copy()
        moved[:3, 3] += 0.2 * start[:3, 2]
        seen = rendered(bench, [start, moved])
        before, after = (float(seen.depth_m[k, HEIGHT // 2, WIDTH // 2]) for k in (0, 1))
        if before > 0.4:
            assert abs((before - after) - 0.2) < 0.01, f"0.2 m forward changed the depth by {before - after:.3f} m"
            judged += 1
    assert judged >= 3


def check_turning_right_moves_things_left_and_looking_up_moves_them_down(bench: Bench) -> None:
    judged = 0
    for thing, pose in views(bench, seed=3):
        eye_m, centre_m = pose[:3, 3], np.array(thing.box.centre_m)
        # A smaller yaw turns to the right.
        seen = rendered(
            bench, [look_at(eye_m, centre_m), look_at(eye_m, centre_m, -0.15), look_at(eye_m, centre_m, 0.0, 0.15)]
        )
        masks = seen.instance_ids == thing.instance_id
        touching = masks[:, [0, -1]].any() or masks[:, :, [0, -1]].any()
        if touching or masks.sum(axis=(1, 2)).min() < 12:
            continue
        columns = [np.nonzero(mask)[1].mean() for mask in masks]
        rows = [np.nonzero(mask)[0].mean() for mask in masks]
        assert columns[1] < columns[0] - 3.0, "turning right did not move a thing to the left"
        assert rows[2] > rows[0] + 3.0, "looking up did not move a thing down"
        judged += 1
    assert judged >= 2


def check_the_floor_is_below(bench: Bench) -> None:
    rng = np.random.default_rng(6)
    floors = [thing.instance_id for thing in bench.simulator.objects if thing.category == "floor"]
    points = [bench.navigation.random_point(rng) for _ in range(6)]
    poses = [look_pose(point + np.array([0.0, EYE_M, 0.0]), float(k), -0.3) for k, point in enumerate(points)]
    on_floor = np.isin(rendered(bench, poses).instance_ids, floors)
    lower, upper = on_floor[:, HEIGHT // 2 :].mean(), on_floor[:, : HEIGHT // 2].mean()
    assert lower > upper + 0.1, f"floor in {lower:.0%} of the lower and {upper:.0%} of the upper halves"


def check_intrinsics_scale_with_the_picture(bench: Bench) -> None:
    """In a picture three times as large, every third pixel looks along the same ray."""
    poses = np.stack([pose for _, pose in views(bench)[:3]])
    small = bench.simulator.render(poses, camera(), WIDTH, HEIGHT)
    large = bench.simulator.render(poses, scale_intrinsics(camera(), 3.0, 3.0), 3 * WIDTH, 3 * HEIGHT)
    again = bench.simulator.render(poses, camera(), WIDTH, HEIGHT)
    picked = large.depth_m[:, 1::3, 1::3]
    same = np.abs(picked - small.depth_m) < 1e-3
    assert same.mean() > 0.995, f"{same.mean():.1%} of the rays meet the same surface"
    assert (large.instance_ids[:, 1::3, 1::3] == small.instance_ids).mean() > 0.995
    assert digest(again) == digest(small), "pictures of another size have left something behind"
    wide = intrinsics_from_hfov(WIDTH, HEIGHT, 100.0)
    wider = bench.simulator.render(poses, wide, WIDTH, HEIGHT)
    assert not np.array_equal(wider.depth_m, small.depth_m)
    centre = np.abs(wider.depth_m[:, HEIGHT // 2, WIDTH // 2] - small.depth_m[:, HEIGHT // 2, WIDTH // 2])
    assert centre.max() < 1e-3, "the middle of the picture depends on the field of view"


def check_a_batch_is_its_pictures_one_by_one(bench: Bench) -> None:
    poses = [pose for _, pose in views(bench)[:4]]
    together = rendered(bench, poses)
    for number, pose in enumerate(poses):
        alone = rendered(bench, [pose])
        assert np.array_equal(alone.rgb[0], together.rgb[number])
        assert np.array_equal(alone.depth_m[0], together.depth_m[number])
        assert np.array_equal(alone.instance_ids[0], together.instance_ids[number])
    shapes = bench.simulator.render_shapes(np.stack(poses), camera(), WIDTH, HEIGHT)
    assert np.array_equal(shapes.depth_m, together.depth_m)
    assert np.array_equal(shapes.instance_ids, together.instance_ids)


def check_the_same_poses_give_the_same_bytes(bench: Bench) -> None:
    poses = [pose for _, pose in views(bench)[:3]]
    first = digest(rendered(bench, poses))
    bench.simulator.load_scene(bench.other_scene_id)
    rendered(bench, poses)
    bench.simulator.load_scene(bench.scene_id)
    assert digest(rendered(bench, poses)) == first, "another scene in between has changed the pictures"
    elsewhere = bench.digest_elsewhere(np.stack(poses), camera(), WIDTH, HEIGHT)
    assert elsewhere == first, "another process makes other pictures"


# The table of objects


def check_objects_and_rooms_are_consistent(bench: Bench) -> None:
    objects, rooms = bench.simulator.objects, bench.simulator.rooms
    ids = [thing.instance_id for thing in objects]
    assert ids == sorted(set(ids))
    assert min(ids) > 0
    assert len({room.room_id for room in rooms}) == len(rooms) > 0
    assert min(room.room_id for room in rooms) > 0
    assert {thing.room_id for thing in objects} <= {room.room_id for room in rooms}
    for room in rooms:
        low_x, low_z, high_x, high_z = room.bounds_m
        assert low_x < high_x
        assert low_z < high_z
        assert room.height_m > 0.5
    assert all(min(thing.box.size_m) > 0.0 for thing in objects)
    assert all(np.isfinite([*thing.box.centre_m, *thing.box.size_m, thing.box.yaw_rad]).all() for thing in objects)
    assert any(thing.category == "floor" for thing in objects)


def check_a_moved_thing_is_seen_where_it_is(bench: Bench) -> None:
    if not bench.movable:
        return
    rng = np.random.default_rng(8)
    simulator = bench.simulator
    thing = next((thing for thing in furniture(bench) if _can_move(bench, thing)), None)
    assert thing is not None, "nothing can move"
    room = next(room for room in simulator.rooms if room.room_id == thing.room_id)
    floor_m = min(bench.navigation.floors_m, key=lambda height: abs(height - room.floor_m))
    point_m = max(
        (bench.navigation.random_point(rng, room_id=room.room_id) for _ in range(40)),
        key=lambda point: float(bench.navigation.clearance_m(point[None])[0]),
    )
    target_m = np.array([point_m[0], thing.box.centre_m[1], point_m[2]])
    eye_m = np.array([point_m[0], floor_m + 2.0, point_m[2]])
    pose = look_pose(eye_m, 0.3, -1.45)
    before = rendered(bench, [pose])
    simulator.move_object(thing.instance_id, target_m, 0.8)
    there = next(item for item in simulator.objects if item.instance_id == thing.instance_id)
    assert np.allclose(there.box.centre_m, target_m, atol=1e-4)
    assert math.isclose(math.remainder(there.box.yaw_rad - 0.8, 2 * math.pi), 0.0, abs_tol=1e-4)
    assert np.allclose(there.box.size_m, thing.box.size_m, atol=1e-3)
    assert (there.category, there.room_id) == (thing.category, thing.room_id)
    after = rendered(bench, [pose])
    shown = after.instance_ids[0] == thing.instance_id
    assert shown.sum() > (before.instance_ids[0] == thing.instance_id).sum(), "the thing is not seen where it was put"
    points_m = unprojected(after.depth_m[0].astype(np.float64), pose, camera())
    assert outside_box_m(points_m[shown], there).max() <= ON_THE_BOX_M
    simulator.render(pose[None], scale_intrinsics(camera(), 3.0, 3.0), 3 * WIDTH, 3 * HEIGHT)
    assert digest(rendered(bench, [pose])) == digest(after), "pictures of another size have put the thing back"
    simulator.load_scene(bench.scene_id)
    back = next(item for item in simulator.objects if item.instance_id == thing.instance_id)
    assert back == thing, "loading the scene again did not put the thing back"
    assert digest(rendered(bench, [pose])) == digest(before)


def _can_move(bench: Bench, thing: SceneObject) -> bool:
    try:
        bench.simulator.move_object(thing.instance_id, np.array(thing.box.centre_m), thing.box.yaw_rad)
    except UsageError:
        return False
    bench.simulator.load_scene(bench.scene_id)
    return True


def check_what_cannot_move_is_refused(bench: Bench) -> None:
    wall = next(thing for thing in bench.simulator.objects if thing.category == "wall")
    with pytest.raises(UsageError, match=r"move"):
        bench.simulator.move_object(wall.instance_id, np.array(wall.box.centre_m), 0.0)
    nobody = max(thing.instance_id for thing in bench.simulator.objects) + 7
    with pytest.raises(UsageError, match=str(nobody)):
        bench.simulator.move_object(nobody, np.zeros(3), 0.0)


def check_lamps_can_be_dimmed_and_warmed(bench: Bench) -> None:
    if not bench.lit:
        with pytest.raises(UsageError):
            bench.simulator.set_lighting(Lighting(intensity=0.5))
        return
    poses = [pose for _, pose in views(bench, seed=4)[:4]]
    usual = rendered(bench, poses)
    bench.simulator.set_lighting(Lighting(intensity=0.5))
    dim = rendered(bench, poses)
    assert dim.rgb.mean() < 0.93 * usual.rgb.mean()
    assert np.array_equal(dim.depth_m, usual.depth_m)
    bench.simulator.set_lighting(Lighting(warmth=1.0))
    warm = rendered(bench, poses).rgb.reshape(-1, 3).mean(axis=0)
    bench.simulator.set_lighting(Lighting(warmth=-1.0))
    cool = rendered(bench, poses).rgb.reshape(-1, 3).mean(axis=0)
    assert warm[0] / warm[2] > 1.05 * cool[0] / cool[2], "warm light is no redder than cool light"
    bench.simulator.set_lighting(Lighting())
    assert np.abs(rendered(bench, poses).rgb.astype(int) - usual.rgb).max() <= 2
    bench.simulator.set_lighting(Lighting(intensity=0.3))
    bench.simulator.load_scene(bench.scene_id)
    assert digest(rendered(bench, poses)) == digest(usual), "loading the scene again did not put the lamps back"


def check_a_dark_room_is_darker(bench: Bench) -> None:
    if not bench.lit:
        return
    thing, pose = views(bench, seed=4)[0]
    usual = rendered(bench, [pose]).rgb.mean()
    bench.simulator.set_lighting(Lighting(dark_rooms=frozenset({thing.room_id})))
    assert rendered(bench, [pose]).rgb.mean() < 0.95 * usual
    with pytest.raises(UsageError):
        bench.simulator.set_lighting(Lighting(dark_rooms=frozenset({9999})))
    bench.simulator.load_scene(bench.scene_id)


def check_impossible_requests_are_usage_errors(bench: Bench) -> None:
    simulator = bench.simulator
    pose = np.eye(4)[None]
    with pytest.raises(UsageError):
        simulator.render(np.zeros((0, 4, 4)), camera(), WIDTH, HEIGHT)
    with pytest.raises(UsageError):
        simulator.render(pose, camera(), 0, HEIGHT)
    skewed = camera()
    skewed[0, 1] = 3.0
    with pytest.raises(UsageError):
        simulator.render(pose, skewed, WIDTH, HEIGHT)
    with pytest.raises(UsageError):
        simulator.navigation.random_point(np.random.default_rng(0), room_id=9999)
    with pytest.raises(UsageError, match="no-such-scene"):
        simulator.load_scene("no-such-scene.json")
    simulator.load_scene(bench.scene_id)


# Navigation


def walkable_points(bench: Bench, count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([bench.navigation.random_point(rng) for _ in range(count)])


def check_random_points_are_where_they_were_asked_for(bench: Bench) -> None:
    navigation = bench.navigation
    floors_m = np.array(navigation.floors_m)
    assert (np.diff(floors_m) > 0).all()
    for point in walkable_points(bench, 12):
        assert navigation.is_navigable(point)
        assert navigation.island(point) >= 0
    for room in bench.simulator.rooms:
        low_x, low_z, high_x, high_z = room.bounds_m
        points = [navigation.random_point(np.random.default_rng(k), room_id=room.room_id) for k in range(6)]
        for x, y, z in points:
            assert low_x - 0.02 <= x <= high_x + 0.02
            assert low_z - 0.02 <= z <= high_z + 0.02
            assert abs(y - room.floor_m) < 0.6
        assert np.ptp(np.array(points), axis=0).max() > 0.05, "the same point every time"
    for floor, height_m in enumerate(floors_m):
        x, y, z = navigation.random_point(np.random.default_rng(floor), floor=floor)
        assert abs(y - height_m) < 0.6
    same = [navigation.random_point(np.random.default_rng(11)) for _ in range(2)]
    assert np.array_equal(*same), "the generator alone decides the point"


def check_snapping(bench: Bench) -> None:
    navigation = bench.navigation
    for point in walkable_points(bench, 6, seed=1):
        snapped = navigation.snap(point)
        assert np.linalg.norm(snapped - point) < 0.03, "a navigable point is its own nearest"
        assert np.array_equal(navigation.snap(snapped), snapped)
        above = navigation.snap(point + np.array([0.0, EYE_M, 0.0]))
        assert np.linalg.norm(above - point) < 0.05, "from eye height one stands on the floor below"
    for thing in furniture(bench)[:6]:
        snapped = navigation.snap(np.array(thing.box.centre_m))
        assert navigation.is_navigable(snapped)
        assert np.allclose(navigation.snap(snapped), snapped, atol=1e-5)
    far = navigation.snap(walkable_points(bench, 1)[0] + np.array([80.0, 0.0, -70.0]))
    assert navigation.is_navigable(far), "far outside, the nearest point is still on the floor"


def check_what_is_not_navigable(bench: Bench) -> None:
    navigation = bench.navigation
    point = walkable_points(bench, 1)[0]
    outside = point + np.array([80.0, 0.0, 0.0])
    assert not navigation.is_navigable(outside)
    assert navigation.island(outside) == -1
    assert navigation.shortest_path(point, outside) is None
    assert np.isinf(navigation.geodesic_distances_m(point, outside[None])[0])
    assert not navigation.is_navigable(point + np.array([0.0, 1.1, 0.0])), "a metre above the floor nobody stands"
    blocked = [
        thing
        for thing in furniture(bench)
        if thing.box.size_m[1] > 0.5 and min(thing.box.size_m[0], thing.box.size_m[2]) > 0.3
    ]
    for thing in blocked[:5]:
        inside = np.array(thing.box.centre_m)
        room = next(room for room in bench.simulator.rooms if room.room_id == thing.room_id)
        inside[1] = room.floor_m
        if thing.box.centre_m[1] - thing.box.size_m[1] / 2 < room.floor_m + 0.2 and thing.category not in (
            "table",
            "desk",
            "chair",
        ):
            assert not navigation.is_navigable(inside), f"inside a {thing.category}"


def check_clearance(bench: Bench) -> None:
    navigation = bench.navigation
    points = walkable_points(bench, 40, seed=2)
    clearance_m = navigation.clearance_m(points)
    assert (clearance_m >= 0.15).all(), "an agent of 0.2 m radius stands nearer to an obstacle"
    assert clearance_m.max() > 0.4
    outside = points[:1] + np.array([80.0, 0.0, 0.0])
    assert navigation.clearance_m(outside)[0] == 0.0
    # Nothing comes nearer by more than one goes.
    step = np.array([0.05, 0.0, 0.0])
    assert np.abs(navigation.clearance_m(points + step) - clearance_m).max() < 0.12 + 0.05


def check_routes(bench: Bench) -> None:
    navigation = bench.navigation
    points = walkable_points(bench, 6, seed=3)
    for start, goal in zip(points[:3], points[3:], strict=True):
        route = navigation.shortest_path(start, goal)
        assert route is not None
        assert np.linalg.norm(route.points_m[0] - start) < 0.05
        assert np.linalg.norm(route.points_m[-1] - goal) < 0.05
        steps_m = np.linalg.norm(np.diff(route.points_m, axis=0), axis=1)
        assert math.isclose(route.length_m, steps_m.sum(), rel_tol=1e-6, abs_tol=1e-6)
        assert route.length_m >= np.linalg.norm(goal - start) - 0.05
        assert navigation.island(start) == navigation.island(goal)
        count = max(2, int(route.length_m / 0.2))
        along = np.concatenate([[0.0], np.cumsum(steps_m)])
        at = np.linspace(0.0, along[-1], count)
        dense = np.stack([np.interp(at, along, route.points_m[:, axis]) for axis in range(3)], axis=1)
        off = [point for point in dense if not navigation.is_navigable(point)]
        assert len(off) <= 0.03 * count, f"{len(off)} of {count} points of a route can't be stood on"
        roomy = navigation.shortest_path(start, goal, roomy=True)
        assert roomy is not None
        assert roomy.length_m >= route.length_m * (1 - LENGTH_TOLERANCE) - 0.01
    nowhere = navigation.shortest_path(points[0], points[0])
    assert nowhere is not None
    assert nowhere.length_m < 0.05


def check_distances_obey_the_triangle_inequality(bench: Bench) -> None:
    navigation = bench.navigation
    points = walkable_points(bench, 5, seed=4)
    table = np.stack([navigation.geodesic_distances_m(point, points) for point in points])
    assert table.shape == (5, 5)
    assert np.isfinite(table).all()
    assert np.abs(np.diag(table)).max() < 0.05
    slack = 0.05 + LENGTH_TOLERANCE * table
    assert (np.abs(table - table.T) <= slack).all(), "there and back are not as long"
    straight = np.linalg.norm(points[:, None] - points[None], axis=-1)
    assert (table >= straight - 0.05).all()
    through = (table[:, :, None] + table[None, :, :]).min(axis=1)
    assert (table <= through + slack).all(), "a detour is shorter than the way"
    for i, j in ((0, 1), (2, 3), (4, 0)):
        route = navigation.shortest_path(points[i], points[j])
        assert route is not None
        assert abs(route.length_m - table[i, j]) <= slack[i, j]


def check_top_down_maps_agree(bench: Bench) -> None:
    navigation = bench.navigation
    rng = np.random.default_rng(7)
    for floor, height_m in enumerate(navigation.floors_m):
        free, corner_m, cell_m = navigation.top_down_map(floor)
        assert free.dtype == bool
        assert free.any()
        for wanted, least in ((True, 0.97), (False, 0.9)):
            cells = np.argwhere(free == wanted)
            if not len(cells):
                continue
            picked = cells[rng.integers(len(cells), size=40)]
            x = corner_m[0] + (picked[:, 1] + 0.5) * cell_m
            z = corner_m[1] + (picked[:, 0] + 0.5) * cell_m
            points = np.stack([x, np.full(len(x), height_m), z], axis=1)
            # Stairs are in the maps, away from the storey's own height.
            if wanted:
                right = np.mean([_can_stand_in_the_cell(navigation, point, cell_m) for point in points])
            else:
                right = np.mean([not navigation.is_navigable(point) for point in points])
            assert right >= least, f"{right:.0%} of the cells of storey {floor} that are free={wanted} are so"


def _can_stand_in_the_cell(navigation: Navigation, point_m: np.ndarray, cell_m: float) -> bool:
    if navigation.is_navigable(point_m):
        return True
    away_m = (navigation.snap(point_m) - point_m)[[0, 2]]
    return bool(np.linalg.norm(away_m) < 0.1 * cell_m)


def check_storeys_hang_together(bench: Bench) -> None:
    navigation = bench.navigation
    for floor in range(1, len(navigation.floors_m)):
        low = navigation.random_point(np.random.default_rng(1), floor=floor - 1)
        high = navigation.random_point(np.random.default_rng(2), floor=floor)
        route = navigation.shortest_path(low, high)
        assert route is not None, f"no way from storey {floor - 1} to {floor}"
        rise_m = navigation.floors_m[floor] - navigation.floors_m[floor - 1]
        assert route.points_m[-1, 1] - route.points_m[0, 1] > 0.8 * rise_m
        assert route.length_m > rise_m
        assert np.array_equal(navigation.snap(high), navigation.snap(navigation.snap(high)))
        under = navigation.snap(np.array([high[0], high[1] - 0.6, high[2]]))
        assert abs(under[1] - navigation.floors_m[floor - 1]) < 0.6 * rise_m, "below an upper floor is the lower storey"
