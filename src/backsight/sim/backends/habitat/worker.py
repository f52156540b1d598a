"""Habitat's side: a script for the Python in which habitat_sim is installed, 3.9 and newer; one simulator per process.

It says what Habitat says, in Habitat's own terms; the client converts. Messages go over one socket: a fixed head, a
JSON header, raw arrays. The script needs nothing but habitat_sim (which brings magnum), numpy and the standard library.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import socket
import struct
import sys
import threading
import time
import traceback
from typing import Any

import numpy as np

PROTOCOL_VERSION = 1
MAX_HEADER_BYTES = 64 * 1024**2
MAX_ARRAY_BYTES = 512 * 1024**2
_HEAD = struct.Struct("<4sIQ")
_MAGIC = b"BSHB"
_DTYPES = ("bool", "uint8", "int32", "float32", "float64")
_SEARCH_RADIUS_M = 20.0  # Walls farther away than this count as this far.
_ROOMY_MARGIN_M = 0.25  # Added to the agent's radius for routes that keep away from obstacles.


def send_message(connection: socket.socket, header: dict[str, Any], arrays: Any = ()) -> None:
    """Send a JSON header (its key 'arrays' is taken) and arrays of bool, uint8, int32, float32 or float64."""
    whole = [np.ascontiguousarray(array) for array in arrays]
    shapes = [[str(array.dtype), list(array.shape)] for array in whole]
    text = json.dumps(dict(header, arrays=shapes)).encode()
    size = sum(array.nbytes for array in whole)
    if len(text) > MAX_HEADER_BYTES or size > MAX_ARRAY_BYTES:
        raise ValueError(f"a message of {len(text)} + {size} bytes is larger than allowed")
    connection.sendall(_HEAD.pack(_MAGIC, len(text), size) + text)
    for array in whole:
        connection.sendall(array.data.cast("B") if array.size else b"")


def receive_message(connection: socket.socket) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Return the header and the arrays of the next message.

    Raises:
        EOFError: The other side has closed the connection.
        ValueError: What comes is no message of this protocol, or larger than allowed.
    """
    magic, header_bytes, array_bytes = _HEAD.unpack(_receive(connection, _HEAD.size))
    if magic != _MAGIC or header_bytes > MAX_HEADER_BYTES or array_bytes > MAX_ARRAY_BYTES:
        raise ValueError(f"no message of this protocol: {magic!r}, {header_bytes} + {array_bytes} bytes")
    header = json.loads(bytes(_receive(connection, header_bytes)))
    arrays, rest = [], array_bytes
    for name, shape in header.pop("arrays"):
        if name not in _DTYPES or min(shape, default=0) < 0:
            raise ValueError(f"no array of this protocol: {name} {shape}")
        size = math.prod(shape) * np.dtype(name).itemsize
        rest -= size
        if rest < 0:
            raise ValueError("the arrays of a message are longer than its head says")
        arrays.append(np.frombuffer(_receive(connection, size), dtype=name).reshape(shape))
    if rest:
        raise ValueError("the arrays of a message are shorter than its head says")
    return header, arrays


def _receive(connection: socket.socket, size: int) -> bytearray:
    buffer = bytearray(size)
    view = memoryview(buffer)
    while len(view):
        count = connection.recv_into(view)
        if count == 0:
            raise EOFError("the connection was closed")
        view = view[count:]
    return buffer


class Worker:
    """Answers requests with one simulator: each public method is an operation.

    Args:
        habitat_sim: The module.
        magnum: The module.
    """

    def __init__(self, habitat_sim: Any, magnum: Any) -> None:
        self._habitat = habitat_sim
        self._magnum = magnum
        self._simulator: Any = None
        self._scene: dict[str, Any] = {}
        self._camera = (64, 48, 90.0)
        self._lamps: list[Any] = []
        self._colours: Any = None
        self._moved: dict[int, Any] = {}
        self._rigid_ids: dict[int, int] = {}
        self._roomy: Any = None

    def load(self, request: dict[str, Any], arrays: Any) -> Any:
        """Load a scene and say what it holds."""
        self._scene, self._colours, self._moved, self._roomy = request, None, {}, None
        self._configure()
        self._lamps = list(self._simulator.get_current_light_setup())
        settings, finder = self._navmesh_settings(0.0), self._simulator.pathfinder
        # The mesh that lies beside the scene serves where it was made for this very agent. "NONE" is an empty world.
        made_for_it = finder.is_loaded and finder.nav_mesh_settings == settings
        if not made_for_it and request["scene_id"] != "NONE":
            self._compute_navmesh(finder, settings)
        return self._describe_scene(), []

    def render(self, request: dict[str, Any], arrays: Any) -> Any:
        """Yield RGB, depth and semantic ids of each camera: the agent's body stands in the camera's place."""
        camera = (int(request["width"]), int(request["height"]), float(request["hfov_deg"]))
        if camera != self._camera:
            self._camera = camera
            self._configure()
        positions, rotations_xyzw = arrays
        agent = self._simulator.get_agent(0)
        for number, position in enumerate(positions):
            state = self._habitat.AgentState()
            state.position = np.array(position, dtype=np.float32)
            # A list is [x, y, z, w]; a quaternion object would be made from w, x, y, z.
            state.rotation = rotations_xyzw[number].tolist()
            agent.set_state(state, reset_sensors=True, infer_sensor_states=True)
            sensor = agent.get_state().sensor_states["depth"]
            turn = [float(getattr(sensor.rotation, part)) for part in "xyzw"]
            pictures = self._simulator.get_sensor_observations()
            rgb = np.asarray(pictures["rgb"])[..., :3].astype(np.uint8)
            depth = np.asarray(pictures["depth"], dtype=np.float32)
            ids = np.asarray(pictures["semantic"]).astype(np.int64)
            ids = np.where((ids < 0) | (ids > 2**31 - 1), 0, ids).astype(np.int32)
            yield {"position": _numbers(sensor.position), "rotation_xyzw": turn}, [rgb, depth, ids]

    def navmesh(self, request: dict[str, Any], arrays: Any) -> Any:
        """Return the triangles that can be walked on: corners [triangles, 3, 3] and the island of each."""
        finder = self._simulator.pathfinder
        corners, islands = [np.zeros((0, 3, 3))], [np.zeros(0, dtype=np.int32)]
        for island in range(finder.num_islands if finder.is_loaded else 0):
            vertices = np.array(finder.build_navmesh_vertices(island), dtype=np.float64).reshape(-1, 3)
            indices = np.array(finder.build_navmesh_vertex_indices(island), dtype=np.int64).reshape(-1, 3)
            corners.append(vertices[indices])
            islands.append(np.full(len(indices), island, dtype=np.int32))
        return {}, [np.concatenate(corners), np.concatenate(islands)]

    def stand(self, request: dict[str, Any], arrays: Any) -> Any:
        """Return for points [n, 3]: snapped points, whether navigable, island (or -1), distance to the mesh's rim."""
        finder, points = self._simulator.pathfinder, arrays[0].astype(np.float32)
        snapped = np.zeros((len(points), 3))
        standing = np.zeros(len(points), dtype=bool)
        islands = np.full(len(points), -1, dtype=np.int32)
        edges = np.zeros(len(points))
        for number, point in enumerate(points):
            snapped[number] = np.array(finder.snap_point(point), dtype=np.float64)
            standing[number] = finder.is_navigable(point, float(request["max_y_delta_m"]))
            if standing[number]:
                islands[number] = finder.get_island(point)
            if np.isfinite(snapped[number]).all():
                place = snapped[number].astype(np.float32)
                edges[number] = finder.distance_to_closest_obstacle(place, _SEARCH_RADIUS_M)
        return {}, [snapped, standing, islands, edges]

    def paths(self, request: dict[str, Any], arrays: Any) -> Any:
        """Return the walking distance from `arrays[0]` to every goal, and the points of the way to the first one."""
        finder = self._roomy_finder() if request["roomy"] else self._simulator.pathfinder
        start, goals = arrays
        lengths, points = np.full(len(goals), math.inf), np.zeros((0, 3))
        for number, goal in enumerate(goals):
            path = self._habitat.ShortestPath()
            path.requested_start = start.astype(np.float32)
            path.requested_end = goal.astype(np.float32)
            if finder is not None and finder.find_path(path):
                lengths[number] = float(path.geodesic_distance)
                if number == 0:
                    points = np.array([_numbers(point) for point in path.points]).reshape(-1, 3)
        return {}, [lengths, points]

    def top_down(self, request: dict[str, Any], arrays: Any) -> Any:
        """Return the map of one height; a cell tells of the point at its corner of least x and z."""
        finder = self._simulator.pathfinder
        free = np.array(finder.get_topdown_view(float(request["cell_m"]), float(request["height_m"])), dtype=bool)
        return {"low": _numbers(finder.get_bounds()[0])}, [free]

    def move(self, request: dict[str, Any], arrays: Any) -> Any:
        """Put a rigid object somewhere: the origin and the rotation of its own frame."""
        self._moved[int(request["object_id"])] = (request["position"], request["rotation_xyzw"])
        self._place_moved()
        return {}, []

    def light(self, request: dict[str, Any], arrays: Any) -> Any:
        """Give the scene's lamps other colours, in the order in which `load` has listed them."""
        relit, self._colours = self._relit, arrays[0]
        if relit:
            self._colour_lamps()
        else:
            # Only the default setup can be changed: from here on copies of the data set's lamps light the scene.
            self._configure()
        return {}, []

    @property
    def _relit(self) -> bool:
        return self._scene["lighting"] == "default" or self._colours is not None

    def _configure(self) -> None:
        """Make the simulator, or bring it up to date: its scene, its sensors, then what was changed in the scene."""
        configuration = self._configuration()
        if self._simulator is None:
            self._simulator = self._habitat.Simulator(configuration)
        else:
            self._simulator.reconfigure(configuration)
        # Configuring puts all objects and the default lamps back.
        self._number_rigid_objects()
        self._place_moved()
        self._colour_lamps()

    def _configuration(self) -> Any:
        scene, habitat = self._scene, self._habitat
        simulator = habitat.SimulatorConfiguration()
        simulator.scene_dataset_config_file = scene["scene_dataset"]
        simulator.scene_id = scene["scene_id"]
        simulator.gpu_device_id = int(scene["gpu_device_id"])
        simulator.enable_physics = False
        if self._relit:
            simulator.override_scene_light_defaults = True
            simulator.scene_light_setup = habitat.gfx.DEFAULT_LIGHTING_KEY
        width, height, hfov_deg = self._camera
        kinds = habitat.SensorType
        sensors = []
        for name, kind in (("rgb", kinds.COLOR), ("depth", kinds.DEPTH), ("semantic", kinds.SEMANTIC)):
            sensor = habitat.CameraSensorSpec()
            sensor.uuid = name
            sensor.sensor_type = kind
            sensor.sensor_subtype = habitat.SensorSubType.PINHOLE
            sensor.resolution = [height, width]
            sensor.position = [0.0, 0.0, 0.0]
            sensor.hfov = hfov_deg
            if kind == kinds.COLOR:
                sensor.clear_color = self._magnum.Color4(*scene["clear_colour"], 1.0)
            sensors.append(sensor)
        agent = habitat.agent.AgentConfiguration(
            height=scene["agent_height_m"], radius=scene["agent_radius_m"], sensor_specifications=sensors
        )
        return habitat.Configuration(simulator, [agent])

    def _navmesh_settings(self, margin_m: float) -> Any:
        settings = self._habitat.NavMeshSettings()
        settings.set_defaults()
        settings.agent_radius = float(self._scene["agent_radius_m"]) + margin_m
        settings.agent_height = float(self._scene["agent_height_m"])
        settings.agent_max_climb = float(self._scene["max_climb_m"])
        if hasattr(settings, "include_static_objects"):
            settings.include_static_objects = True
        return settings

    def _compute_navmesh(self, finder: Any, settings: Any) -> bool:
        if hasattr(settings, "include_static_objects"):
            return bool(self._simulator.recompute_navmesh(finder, settings))
        return bool(self._simulator.recompute_navmesh(finder, settings, include_static_objects=True))

    def _roomy_finder(self) -> Any:
        """Return navigation for an agent that is wider by the margin, None where such a one fits nowhere."""
        if self._roomy is None:
            finder = self._habitat.PathFinder()
            self._roomy = (finder,) if self._compute_navmesh(finder, self._navmesh_settings(_ROOMY_MARGIN_M)) else ()
        return self._roomy[0] if self._roomy else None

    def _rigid_objects(self) -> list[Any]:
        manager = self._simulator.get_rigid_object_manager()
        things = [manager.get_object_by_handle(handle) for handle in manager.get_object_handles()]
        return sorted(things, key=lambda thing: thing.object_id)

    def _semantics(self, kind: str) -> list[Any]:
        """Return objects or regions; Replica's lists have holes, and some scenes have no semantics at all."""
        semantics = self._simulator.semantic_scene
        return [] if semantics is None else [thing for thing in getattr(semantics, kind) if thing is not None]

    def _number_rigid_objects(self) -> None:
        """Give every rigid object a semantic id of its own, above the stage's: data sets put the class there."""
        first = max((_semantic_id(thing) for thing in self._semantics("objects")), default=0) + 1
        for number, thing in enumerate(self._rigid_objects()):
            thing.semantic_id = self._rigid_ids[thing.object_id] = first + number

    def _place_moved(self) -> None:
        magnum = self._magnum
        for object_id, (position, (x, y, z, w)) in self._moved.items():
            thing = self._simulator.get_rigid_object_manager().get_object_by_id(object_id)
            thing.motion_type = self._habitat.physics.MotionType.KINEMATIC
            thing.translation = magnum.Vector3(*position)
            thing.rotation = magnum.Quaternion(magnum.Vector3(x, y, z), w)

    def _colour_lamps(self) -> None:
        if self._colours is None:
            return
        gfx, setup = self._habitat.gfx, []
        for number, lamp in enumerate(self._lamps):
            colour = self._magnum.Color3(*_numbers(self._colours[number]))
            setup.append(gfx.LightInfo(vector=lamp.vector, color=colour, model=lamp.model))
        self._simulator.set_light_setup(setup, gfx.DEFAULT_LIGHTING_KEY)

    def _describe_scene(self) -> dict[str, Any]:
        regions = self._semantics("regions")
        places = {region.id: number for number, region in enumerate(regions)}
        world = self._habitat.gfx.LightPositionModel.Global
        lamps = [(_numbers(lamp.vector), _numbers(lamp.color), lamp.model == world) for lamp in self._lamps]
        return {
            "objects": [_describe_object(thing, places) for thing in self._semantics("objects")],
            "regions": [{"name": _name(region.category), "box": _box(region.aabb)} for region in regions],
            "rigid_objects": [self._describe_rigid(thing) for thing in self._rigid_objects()],
            "lamps": [{"vector": vector, "colour": colour, "in_world": there} for vector, colour, there in lamps],
            "navigable": bool(self._simulator.pathfinder.is_loaded),
        }

    def _describe_rigid(self, thing: Any) -> dict[str, Any]:
        return {
            "handle": str(thing.handle),
            "object_id": int(thing.object_id),
            "semantic_id": int(self._rigid_ids[thing.object_id]),
            "position": _numbers(thing.translation),
            "rotation_xyzw": [*_numbers(thing.rotation.vector), float(thing.rotation.scalar)],
            "local_box": _box(thing.root_scene_node.cumulative_bb),
        }


def _describe_object(thing: Any, places: dict[str, int]) -> dict[str, Any]:
    oriented = {
        "centre": _numbers(thing.obb.center),
        "half_size": _numbers(thing.obb.half_extents),
        "rotation_xyzw": _numbers(thing.obb.rotation),
    }
    region = None if thing.region is None else places.get(thing.region.id)
    names = [name for name in (_maker_name(thing.category), _name(thing.category)) if name]
    own = {"semantic_id": _semantic_id(thing), "names": names, "region": region}
    return dict(own, box=_box(thing.aabb), oriented_box=oriented)


def _semantic_id(thing: Any) -> int:
    """Return the id that pictures show; before 0.2.2 it is the last part of the object's name alone."""
    number = getattr(thing, "semantic_id", None)
    return int(thing.id.split("_")[-1]) if number is None else int(number)


def _name(category: Any) -> str:
    return "" if category is None else str(category.name())


def _maker_name(category: Any) -> str:
    """Return MP3D's label as it was written, finer than its 40 categories; "" where there is one name only."""
    return str(category.name("raw")) if type(category).__name__ == "Mp3dObjectCategory" else ""


def _numbers(vector: Any) -> list[float]:
    return [float(value) for value in vector]


def _box(box: Any) -> dict[str, list[float]]:
    """Return centre and size: up to 0.3.2 boxes have properties, later ones methods."""
    centre = box.center() if callable(box.center) else box.center
    return {"centre": _numbers(centre), "size": _numbers(box.size() if hasattr(box, "size") else box.sizes)}


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _answer(worker: Worker, connection: socket.socket) -> bool:
    """Answer one request, with several messages where it asks for several pictures; False when nobody asks any more."""
    try:
        request, arrays = receive_message(connection)
    except EOFError:
        return False
    try:
        reply = getattr(worker, request["operation"])(request, arrays)
        for header, content in [reply] if isinstance(reply, tuple) else reply:
            send_message(connection, dict(header, ok=True), content)
    except (AssertionError, LookupError, RuntimeError, ValueError) as error:
        traceback.print_exc()
        send_message(connection, {"ok": False, "problem": f"{type(error).__name__}: {error}"})
    return True


def main() -> None:
    """Serve the socket whose descriptor is the first argument; everything printed goes to standard error."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    habitat_sim = importlib.import_module("habitat_sim")
    facts = {"protocol": PROTOCOL_VERSION, "habitat_version": str(habitat_sim.__version__), "numpy": np.__version__}
    builds = {name: bool(getattr(habitat_sim, name, False)) for name in ("cuda_enabled", "built_with_bullet")}
    send_message(connection, dict(facts, **builds, ok=True, python=sys.version.split()[0]))
    worker = Worker(habitat_sim, importlib.import_module("magnum"))
    while _answer(worker, connection):
        continue


if __name__ == "__main__":
    main()
