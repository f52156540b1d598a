"""Visibility by ray queries, for CPU and CUDA alike: all poses of several scenes in one launch.

`no_type_check` keeps run-time type checkers, which would wrap the functions, away from code that only Warp's own
compiler reads. A literal in `float(0.0)` makes a variable of that compiler where `0.0` alone would make a constant; its
conditions need `if` where Python would allow an expression.
"""

# ruff: noqa: UP018, RUF046

from typing import no_type_check

import warp as wp

from backsight.sim.embedded.scene_arrays import Hit, SceneArrays
from backsight.sim.embedded.shading import encoded, outside, shade

wp.set_module_options({"enable_backward": False, "fast_math": False})

FAR_M = wp.constant(1.0e4)
TILE_COLUMNS = wp.constant(8)
TILE_ROWS = wp.constant(4)
"""The 32 threads of a warp see a tile of pixels, so that their rays take the same way through the tree."""


@wp.struct
@no_type_check
class Views:
    """Poses, the scene that each is in, the intrinsics they share, and rays per pixel and axis for the colour."""

    rotations: wp.array[wp.mat33]
    origins: wp.array[wp.vec3]
    scenes: wp.array[wp.int32]
    width: wp.int32
    height: wp.int32
    fx: wp.float32
    fy: wp.float32
    cx: wp.float32
    cy: wp.float32
    samples: wp.int32
    pixel_width: wp.float32
    """Width of a sample of the colour at depth 1; 0 switches mip maps off."""


@wp.func
@no_type_check
def camera_ray(views: Views, x: float, y: float):
    """Return the ray through an image position; its z is 1, so that ray lengths in its unit are planar depths."""
    return wp.vec3((x - views.cx) / views.fx, (y - views.cy) / views.fy, 1.0)


@wp.func
@no_type_check
def may_meet(low: wp.vec3, high: wp.vec3, origin: wp.vec3, direction: wp.vec3, reach: float):
    """Whether a ray comes through a box within its reach."""
    begin = float(0.0)
    end = reach
    for axis in range(3):
        slope = direction[axis]
        if wp.abs(slope) < 1.0e-20:
            slope = 1.0e-20
        one = (low[axis] - origin[axis]) / slope
        other = (high[axis] - origin[axis]) / slope
        begin = wp.max(begin, wp.min(one, other))
        end = wp.min(end, wp.max(one, other))
    return begin <= end


@wp.func
@no_type_check
def nearest_hit(scene: SceneArrays, origin: wp.vec3, direction: wp.vec3):
    """Return the first face along a ray, moved objects included; face -1 where there is none."""
    hit = Hit()
    hit.face = -1
    hit.distance = FAR_M
    query = wp.mesh_query_ray(scene.mesh, origin, direction, FAR_M)
    if query.result:
        hit.face = query.face
        hit.u = query.u
        hit.v = query.v
        hit.distance = query.t
    for index in range(scene.mover_count):
        mover = scene.movers[index]
        turn = wp.transpose(scene.body_rotation[mover.body])
        start = turn * (origin - scene.body_shift[mover.body])
        along = turn * direction
        if may_meet(mover.low, mover.high, start, along, hit.distance):
            other = wp.mesh_query_ray(mover.mesh, start, along, hit.distance)
            if other.result:
                hit.face = scene.mover_face[mover.first_face + other.face]
                hit.u = other.u
                hit.v = other.v
                hit.distance = other.t
    return hit


@wp.func
@no_type_check
def light_of_hit(scene: SceneArrays, hit: Hit, origin: wp.vec3, direction: wp.vec3, pixel_width: float):
    """Return the linear light that comes along a ray."""
    colour = outside(scene)
    if hit.face >= 0:
        colour = shade(scene, hit, origin, direction, pixel_width)
    return colour


@wp.kernel
@no_type_check
def render_pixels(
    scenes: wp.array[SceneArrays],
    views: Views,
    first: int,
    rgb: wp.array2d[wp.uint8],
    depth_m: wp.array[wp.float32],
    instance_ids: wp.array[wp.int32],
):
    """Fill colour, planar depth and instance id of one pixel of one pose."""
    index = first + wp.tid()
    lane = index % 32
    tile = index / 32
    tile_columns = (views.width + TILE_COLUMNS - 1) / TILE_COLUMNS
    tile_rows = (views.height + TILE_ROWS - 1) / TILE_ROWS
    column = (tile % tile_columns) * TILE_COLUMNS + lane % TILE_COLUMNS
    row = (tile / tile_columns % tile_rows) * TILE_ROWS + lane / TILE_COLUMNS
    pose = tile / (tile_columns * tile_rows)
    if column >= views.width or row >= views.height:
        return
    scene = scenes[views.scenes[pose]]
    origin = views.origins[pose]
    rotation = views.rotations[pose]
    x = float(column)
    y = float(row)
    direction = rotation * camera_ray(views, x + 0.5, y + 0.5)
    hit = nearest_hit(scene, origin, direction)
    depth = float(0.0)
    instance = int(0)
    if hit.face >= 0:
        depth = hit.distance
        instance = scene.faces[hit.face].instance
    colour = wp.vec3(0.0, 0.0, 0.0)
    if views.samples == 1:
        colour = light_of_hit(scene, hit, origin, direction, views.pixel_width)
    else:
        step = 1.0 / float(views.samples)
        for sample in range(views.samples * views.samples):
            sub_x = x + (float(sample % views.samples) + 0.5) * step
            sub_y = y + (float(sample / views.samples) + 0.5) * step
            ray = rotation * camera_ray(views, sub_x, sub_y)
            colour = colour + light_of_hit(scene, nearest_hit(scene, origin, ray), origin, ray, views.pixel_width)
        colour = colour * (step * step)
    pixel = (pose * views.height + row) * views.width + column
    depth_m[pixel] = depth
    instance_ids[pixel] = instance
    rgb[pixel, 0] = encoded(scene, colour[0])
    rgb[pixel, 1] = encoded(scene, colour[1])
    rgb[pixel, 2] = encoded(scene, colour[2])
