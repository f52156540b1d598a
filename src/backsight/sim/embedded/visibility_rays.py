"""Visibility by ray queries, for CPU and CUDA alike: all poses of several scenes in one launch.

`no_type_check` keeps run-time type checkers, which would wrap the functions, away from code that only Warp's own
compiler reads. A literal in `float(0.0)` makes a variable of that compiler where `0.0` alone would make a constant; its
conditions need `if` where Python would allow an expression. Functions are inlined because Warp passes structures by
value, hundreds of bytes a call.
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
BLOCK = 128
"""Threads of a block on CUDA."""


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
    coloured: wp.int32
    """0 where depth and ids are all that is wanted."""
    pixel_width: wp.float32
    """Width of a sample of the colour at depth 1; 0 switches mip maps off."""


@wp.func(inline=True)
@no_type_check
def camera_ray(views: Views, x: float, y: float):
    """Return the ray through an image position; its z is 1, so that ray lengths in its unit are planar depths."""
    return wp.vec3((x - views.cx) / views.fx, (y - views.cy) / views.fy, 1.0)


@wp.func(inline=True)
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


@wp.func(inline=True)
@no_type_check
def light_of_hit(scene: SceneArrays, hit: Hit, origin: wp.vec3, direction: wp.vec3, pixel_width: float):
    """Return the linear light that comes along a ray."""
    colour = outside(scene)
    if hit.face >= 0:
        colour = shade(scene, hit, origin, direction, pixel_width)
    return colour


@wp.struct
@no_type_check
class Hits:
    """What the samples of some poses see, row by row; several samples a pixel make finer rows."""

    face: wp.array[wp.int32]
    u: wp.array[wp.float32]
    v: wp.array[wp.float32]
    distance: wp.array[wp.float32]


@wp.func(inline=True)
@no_type_check
def tiled_pixel(index: int, width: int, height: int):
    """Return pose, row and column; 32 successive indices are a tile."""
    lane = index % 32
    tile = index / 32
    tile_columns = (width + TILE_COLUMNS - 1) / TILE_COLUMNS
    tile_rows = (height + TILE_ROWS - 1) / TILE_ROWS
    column = (tile % tile_columns) * TILE_COLUMNS + lane % TILE_COLUMNS
    row = (tile / tile_columns % tile_rows) * TILE_ROWS + lane / TILE_COLUMNS
    return wp.vec3i(tile / (tile_columns * tile_rows), row, column)


@wp.func(inline=True)
@no_type_check
def ray_of_sample(views: Views, samples: int, pose: int, row: int, column: int):
    """Return the ray of one sample."""
    x = (float(column) + 0.5) / float(samples)
    y = (float(row) + 0.5) / float(samples)
    return views.rotations[pose] * camera_ray(views, x, y)


@wp.kernel
@no_type_check
def find_hits(scenes: wp.array[SceneArrays], views: Views, samples: int, first_pose: int, first: int, hits: Hits):
    """Fill what one sample sees of all that never moved."""
    width = views.width * samples
    height = views.height * samples
    place = tiled_pixel(first + wp.tid(), width, height)
    if place[1] >= height or place[2] >= width:
        return
    pose = first_pose + place[0]
    direction = ray_of_sample(views, samples, pose, place[1], place[2])
    query = wp.mesh_query_ray(scenes[views.scenes[pose]].mesh, views.origins[pose], direction, FAR_M)
    sample = (place[0] * height + place[1]) * width + place[2]
    face = int(-1)
    if query.result:
        face = query.face
    hits.face[sample] = face
    hits.u[sample] = query.u
    hits.v[sample] = query.v
    hits.distance[sample] = query.t


@wp.kernel
@no_type_check
def find_moved(scenes: wp.array[SceneArrays], views: Views, samples: int, first_pose: int, first: int, hits: Hits):
    """Put moved objects before what one sample sees so far; `find_hits` needs fewer registers without this."""
    width = views.width * samples
    height = views.height * samples
    place = tiled_pixel(first + wp.tid(), width, height)
    if place[1] >= height or place[2] >= width:
        return
    pose = first_pose + place[0]
    index = views.scenes[pose]
    origin = views.origins[pose]
    direction = ray_of_sample(views, samples, pose, place[1], place[2])
    sample = (place[0] * height + place[1]) * width + place[2]
    reach = float(FAR_M)
    if hits.face[sample] >= 0:
        reach = hits.distance[sample]
    for number in range(scenes[index].mover_count):
        mover = scenes[index].movers[number]
        turn = wp.transpose(scenes[index].body_rotation[mover.body])
        start = turn * (origin - scenes[index].body_shift[mover.body])
        along = turn * direction
        if may_meet(mover.low, mover.high, start, along, reach):
            query = wp.mesh_query_ray(mover.mesh, start, along, reach)
            if query.result:
                reach = query.t
                hits.face[sample] = scenes[index].mover_face[mover.first_face + query.face]
                hits.u[sample] = query.u
                hits.v[sample] = query.v
                hits.distance[sample] = query.t


@wp.kernel
@no_type_check
def write_depth(
    scenes: wp.array[SceneArrays],
    views: Views,
    hits: Hits,
    first_pose: int,
    first: int,
    depth_m: wp.array[wp.float32],
    instance_ids: wp.array[wp.int32],
):
    """Fill planar depth and instance id of one pixel from what its centre sees."""
    index = first + wp.tid()
    size = views.width * views.height
    pixel = first_pose * size + index
    face = hits.face[index]
    depth = float(0.0)
    instance = int(0)
    if face >= 0:
        depth = hits.distance[index]
        instance = scenes[views.scenes[pixel / size]].faces[face].instance
    depth_m[pixel] = depth
    instance_ids[pixel] = instance


@wp.kernel
@no_type_check
def write_colour(
    scenes: wp.array[SceneArrays], views: Views, hits: Hits, first_pose: int, first: int, rgb: wp.array2d[wp.uint8]
):
    """Fill the colour of one pixel from what its samples see."""
    place = tiled_pixel(first + wp.tid(), views.width, views.height)
    row = place[1]
    column = place[2]
    if row >= views.height or column >= views.width:
        return
    pose = first_pose + place[0]
    scene = scenes[views.scenes[pose]]
    origin = views.origins[pose]
    rotation = views.rotations[pose]
    step = 1.0 / float(views.samples)
    colour = wp.vec3(0.0, 0.0, 0.0)
    for number in range(views.samples * views.samples):
        sub_row = row * views.samples + number / views.samples
        sub_column = column * views.samples + number % views.samples
        sample = (place[0] * views.height * views.samples + sub_row) * views.width * views.samples + sub_column
        hit = Hit()
        hit.face = hits.face[sample]
        hit.u = hits.u[sample]
        hit.v = hits.v[sample]
        hit.distance = hits.distance[sample]
        x = (float(sub_column) + 0.5) * step
        y = (float(sub_row) + 0.5) * step
        colour = colour + light_of_hit(scene, hit, origin, rotation * camera_ray(views, x, y), views.pixel_width)
    colour = colour * (step * step)
    pixel = (pose * views.height + row) * views.width + column
    rgb[pixel, 0] = encoded(scene, colour[0])
    rgb[pixel, 1] = encoded(scene, colour[1])
    rgb[pixel, 2] = encoded(scene, colour[2])
