"""Visibility by one ray query per pixel, for CPU and CUDA alike: the oracle of the other ways.

`no_type_check` keeps run-time type checkers, which would wrap the functions, away from code that only Warp's own
compiler reads. A literal in `float(0.0)` makes a variable of that compiler where `0.0` alone would make a constant; its
conditions need `if` where Python would allow an expression.
"""

# ruff: noqa: UP018, RUF046

from typing import no_type_check

import warp as wp

from backsight.sim.embedded.scene_arrays import Hit, SceneArrays
from backsight.sim.embedded.shading import SKY, encoded, shade

wp.set_module_options({"enable_backward": False, "fast_math": False})

FAR_M = wp.constant(1.0e4)


@wp.struct
@no_type_check
class Views:
    """Poses, the intrinsics they share, and rays per pixel and axis for the colour."""

    rotations: wp.array[wp.mat33]
    origins: wp.array[wp.vec3]
    width: wp.int32
    height: wp.int32
    fx: wp.float32
    fy: wp.float32
    cx: wp.float32
    cy: wp.float32
    samples: wp.int32


@wp.func
@no_type_check
def camera_ray(views: Views, x: float, y: float):
    """Return the ray through an image position; its z is 1, so that ray lengths in its unit are planar depths."""
    return wp.vec3((x - views.cx) / views.fx, (y - views.cy) / views.fy, 1.0)


@wp.func
@no_type_check
def hit_of(query: wp.MeshQueryRay):
    """Return a query's answer as the shading takes it."""
    hit = Hit()
    hit.face = query.face
    hit.u = query.u
    hit.v = query.v
    hit.distance = query.t
    return hit


@wp.func
@no_type_check
def seen_colour(scene: SceneArrays, origin: wp.vec3, direction: wp.vec3, pixel_width: float):
    """Return the linear light that comes along a ray."""
    query = wp.mesh_query_ray(scene.mesh, origin, direction, FAR_M)
    colour = SKY
    if query.result:
        colour = shade(scene, hit_of(query), origin, direction, pixel_width)
    return colour


@wp.kernel
@no_type_check
def render_pixels(
    scene: SceneArrays,
    views: Views,
    first: int,
    rgb: wp.array2d[wp.uint8],
    depth_m: wp.array[wp.float32],
    instance_ids: wp.array[wp.int32],
):
    """Fill colour, planar depth and instance id of one pixel of one pose."""
    pixel = first + wp.tid()
    column = pixel % views.width
    row = (pixel / views.width) % views.height
    pose = pixel / (views.width * views.height)
    origin = views.origins[pose]
    rotation = views.rotations[pose]
    x = float(column)
    y = float(row)
    direction = rotation * camera_ray(views, x + 0.5, y + 0.5)
    pixel_width = 1.0 / (wp.sqrt(views.fx * views.fy) * float(views.samples))
    query = wp.mesh_query_ray(scene.mesh, origin, direction, FAR_M)
    depth = float(0.0)
    instance = int(0)
    colour = SKY
    if query.result:
        depth = query.t
        instance = scene.faces[query.face].instance
    depth_m[pixel] = depth
    instance_ids[pixel] = instance
    if views.samples == 1:
        if query.result:
            colour = shade(scene, hit_of(query), origin, direction, pixel_width)
    else:
        total = wp.vec3(0.0, 0.0, 0.0)
        step = 1.0 / float(views.samples)
        for sub_row in range(views.samples):
            for sub_column in range(views.samples):
                sub_x = x + (float(sub_column) + 0.5) * step
                sub_y = y + (float(sub_row) + 0.5) * step
                ray = rotation * camera_ray(views, sub_x, sub_y)
                total = total + seen_colour(scene, origin, ray, pixel_width)
        colour = total * (step * step)
    rgb[pixel, 0] = encoded(scene, colour[0])
    rgb[pixel, 1] = encoded(scene, colour[1])
    rgb[pixel, 2] = encoded(scene, colour[2])
