"""A hand-made place behind the simulator protocol: boxes, ray cast analytically, and a rectangle to stand on."""

import numpy as np

from backsight.records.errors import UsageError
from backsight.records.scene import Room
from backsight.sim.simulator import Observation, Shapes


class FakeNavigation:
    """Free rectangles, one a room, on one or several storeys."""

    def __init__(self, rooms, margin_m=0.4, cell_m=0.1):
        self._rooms = {room.room_id: room for room in rooms}
        self._margin_m, self._cell_m = margin_m, cell_m
        self.floors_m = tuple(sorted({room.floor_m for room in rooms}))

    def _inner(self, room):
        low_x, low_z, high_x, high_z = room.bounds_m
        low, high = np.array([low_x, low_z]) + self._margin_m, np.array([high_x, high_z]) - self._margin_m
        if (low >= high).any():
            raise UsageError("navigation: the agent fits nowhere")
        return low, high

    def random_point(self, rng, room_id=None, floor=None):
        room = self._rooms[room_id if room_id is not None else min(self._rooms)]
        x, z = rng.uniform(*self._inner(room))
        return np.array([x, room.floor_m, z])

    def clearance_m(self, points_m):
        found = np.zeros(len(points_m))
        for room in self._rooms.values():
            low_x, low_z, high_x, high_z = room.bounds_m
            x, _, z = points_m.T
            inside = np.min([x - low_x, high_x - x, z - low_z, high_z - z], axis=0)
            found = np.maximum(found, inside)
        return found

    def top_down_map(self, floor=0):
        rooms = [room for room in self._rooms.values() if room.floor_m == self.floors_m[floor]]
        bounds = np.array([room.bounds_m for room in rooms])
        corner = bounds[:, :2].min(axis=0)
        columns, rows = np.ceil((bounds[:, 2:].max(axis=0) - corner) / self._cell_m - 1e-9).astype(int)
        x = corner[0] + (np.arange(columns) + 0.5) * self._cell_m
        z = corner[1] + (np.arange(rows) + 0.5) * self._cell_m
        free = np.zeros((rows, columns), dtype=bool)
        for room in rooms:
            low, high = self._inner(room)
            free |= ((z > low[1]) & (z < high[1]))[:, None] & ((x > low[0]) & (x < high[0]))[None, :]
        return free, corner, self._cell_m

    def snap(self, point_m):
        raise NotImplementedError

    is_navigable = island = shortest_path = geodesic_distances_m = snap


class FakeSimulator:
    """Boxes of objects, seen through `cast` of the factories."""

    name, version, notes = "analytic", "1", ()

    def __init__(self, objects, rooms, cast):
        self.objects, self.rooms, self._cast = objects, rooms, cast
        self.navigation = FakeNavigation(rooms)

    def load_scene(self, scene_id):
        raise NotImplementedError

    move_object = set_lighting = load_scene

    def render(self, world_from_camera, intrinsics, width, height):
        views = [self._cast(pose, intrinsics, width, height, self.objects) for pose in world_from_camera]
        depth, ids, rgb = (np.stack(images) for images in zip(*views, strict=True))
        return Observation(rgb, np.where(np.isfinite(depth), depth, 0.0).astype(np.float32), ids)

    def render_shapes(self, world_from_camera, intrinsics, width, height):
        seen = self.render(world_from_camera, intrinsics, width, height)
        return Shapes(seen.depth_m, seen.instance_ids)


def box_room_simulator(box_room) -> FakeSimulator:
    """The room of the factories: two chairs, a table, a plant on it."""
    rooms = (Room(1, "living room", (0.0, 0.0, box_room.ROOM_X, box_room.ROOM_Z)),)
    return FakeSimulator(box_room.room_objects(), rooms, box_room.cast)
