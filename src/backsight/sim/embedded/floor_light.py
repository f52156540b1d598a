"""Soft shadows of furniture on the floor, traced once per scene on a coarse grid."""

# ruff: noqa: UP018, SIM108

import math
from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
import warp as wp
from jaxtyping import Float32, Float64, Int32

from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.shading import FLOOR_BAND_M

wp.set_module_options({"enable_backward": False, "fast_math": False})

LAMP_REACH = wp.constant(0.85)

CELL_M = 0.08
REACH_M = 0.9
"""What is farther away than this does not darken the floor."""
OPENNESS_RAYS = 24
LAMP_RAYS = 9
LAMP_RADIUS_M = 0.22
"""Radius of the disc that a lamp is taken for: the larger, the softer its shadows."""


@dataclass(frozen=True)
class FloorLight:
    """What of the light of a room reaches its floor."""

    openness_and_lamp: Float32[np.ndarray, "rows columns 2"]
    """Openness to the room, and share of the room's lamp in sight; rows along +z, columns along +x."""
    corner_m: tuple[float, float]
    """World (x, z) of the grid's corner."""
    cell_m: float
    floor_m: float


def bake_floor_light(scene: PackedScene, mesh: Any, device: Any) -> FloorLight:
    """Return the light map of a scene's floor.

    Args:
        scene: its rooms say where the floor is.
        mesh: the scene's triangles as a Warp mesh.
        device: Warp device of the mesh.
    """
    bounds = np.array([room.bounds_m for room in scene.rooms])
    corner = bounds[:, :2].min(axis=0)
    columns, rows = np.maximum(np.ceil((bounds[:, 2:].max(axis=0) - corner) / CELL_M), 1).astype(int).tolist()
    floor_m = scene.rooms[0].floor_m
    lamp_of_cell = _lamp_of_cell(scene, corner, rows, columns)
    grid: Any = FloorGrid()
    grid.columns, grid.corner = columns, wp.vec2(*corner.tolist())
    grid.cell, grid.height, grid.reach = CELL_M, floor_m, REACH_M
    grid.directions = wp.array(_cosine_directions(OPENNESS_RAYS), dtype=wp.vec3, device=device)
    grid.lamp_points = wp.array(_lamp_points(scene), dtype=wp.vec3, ndim=2, device=device)
    grid.lamp_of_cell = wp.array(lamp_of_cell.reshape(-1), dtype=wp.int32, device=device)
    pair: Any = wp.vec2
    light = wp.empty((rows, columns), dtype=pair, device=device)
    wp.launch(bake_floor, dim=rows * columns, inputs=[mesh.id, grid], outputs=[light], device=device)
    return FloorLight(light.numpy(), (float(corner[0]), float(corner[1])), CELL_M, floor_m)


def _spiral(count: int) -> tuple[Float64[np.ndarray, " count"], Float64[np.ndarray, " count"]]:
    """Return (radius, angle) of points spread evenly over a unit disc by the golden angle."""
    index = np.arange(count)
    return np.sqrt((index + 0.5) / count), index * (math.pi * (3.0 - math.sqrt(5.0)))


def _cosine_directions(count: int) -> Float32[np.ndarray, "count 3"]:
    """Return directions of the upper half space, denser towards the zenith as Lambert's law weighs them."""
    radius, angle = _spiral(count)
    up = np.sqrt(1.0 - radius**2)
    return np.stack([radius * np.cos(angle), up, radius * np.sin(angle)], axis=1).astype(np.float32)


def _lamp_points(scene: PackedScene) -> Float32[np.ndarray, "lamps points 3"]:
    """Return points on the disc of every lamp; one lamp at least, so that the array has a shape."""
    radius, angle = _spiral(LAMP_RAYS)
    disc = LAMP_RADIUS_M * np.stack([radius * np.cos(angle), np.zeros(LAMP_RAYS), radius * np.sin(angle)], axis=1)
    positions = np.array([light.position_m for light in scene.lights] or [(0.0, 0.0, 0.0)])
    return (positions[:, None] + disc).astype(np.float32)


def _lamp_of_cell(
    scene: PackedScene, corner_m: Float64[np.ndarray, "2"], rows: int, columns: int
) -> Int32[np.ndarray, "rows columns"]:
    """Return the index of the first lamp of the room that each cell lies in; -1 where there is none."""
    x = corner_m[0] + (np.arange(columns) + 0.5) * CELL_M
    z = corner_m[1] + (np.arange(rows) + 0.5) * CELL_M
    lamps = np.full((rows, columns), -1, dtype=np.int32)
    first = {light.room_id: index for index, light in reversed(list(enumerate(scene.lights)))}
    for room in scene.rooms:
        low_x, low_z, high_x, high_z = room.bounds_m
        inside = ((z >= low_z) & (z < high_z))[:, None] & ((x >= low_x) & (x < high_x))
        lamps[inside] = first.get(room.room_id, -1)
    return lamps


@wp.struct
@no_type_check
class FloorGrid:
    """Where light on the floor is measured, and with which rays."""

    columns: wp.int32
    corner: wp.vec2
    cell: wp.float32
    height: wp.float32
    reach: wp.float32
    directions: wp.array[wp.vec3]
    lamp_points: wp.array2d[wp.vec3]
    lamp_of_cell: wp.array[wp.int32]


@wp.kernel
@no_type_check
def bake_floor(mesh: wp.uint64, grid: FloorGrid, floor_light: wp.array2d[wp.vec2]):
    """Fill openness and lamp visibility of one floor cell by rays from its centre."""
    cell = wp.tid()
    row = cell / grid.columns
    column = cell % grid.columns
    start = wp.vec3(
        grid.corner[0] + (float(column) + 0.5) * grid.cell,
        grid.height + FLOOR_BAND_M + 0.005,
        grid.corner[1] + (float(row) + 0.5) * grid.cell,
    )
    open_count = float(0.0)
    for index in range(grid.directions.shape[0]):
        query = wp.mesh_query_ray(mesh, start, grid.directions[index], grid.reach)
        if query.result:
            open_count = open_count + query.t / grid.reach
        else:
            open_count = open_count + 1.0
    openness = open_count / float(grid.directions.shape[0])
    lamp = grid.lamp_of_cell[cell]
    hidden = float(0.0)
    if lamp >= 0:
        for index in range(grid.lamp_points.shape[1]):
            if wp.mesh_query_ray_anyhit(mesh, start, grid.lamp_points[lamp, index] - start, LAMP_REACH):
                hidden = hidden + 1.0
    floor_light[row, column] = wp.vec2(openness, 1.0 - hidden / float(grid.lamp_points.shape[1]))
