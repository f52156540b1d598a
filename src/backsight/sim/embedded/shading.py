"""What a surface looks like under the lamps of its room, the same source for CPU and CUDA.

`no_type_check` keeps run-time type checkers, which would wrap the functions, away from code that only Warp's own
compiler reads. A literal in `float(0.0)` makes a variable of that compiler where `0.0` alone would make a constant; its
conditions need `if` where Python would allow an expression. Functions are inlined because Warp passes structures by
value, hundreds of bytes a call.
"""

# ruff: noqa: UP018

from typing import no_type_check

import warp as wp

from backsight.sim.embedded.scene_arrays import Hit, SceneArrays
from backsight.sim.embedded.texture_look_up import sample_texture

wp.set_module_options({"enable_backward": False, "fast_math": False})

LAST_STEP = wp.constant(4095.0)
SKY = wp.constant(wp.vec3(0.62, 0.74, 0.88))
CORNER_SHADE = wp.constant(0.34)
CORNER_REACH_M = wp.constant(0.22)
LAMP_SOFTNESS = wp.constant(2.5)
BRIGHTEST = wp.constant(1.5)
WRAP = wp.constant(0.2)
FLOOR_BAND_M = wp.constant(0.03)


@wp.func(inline=True)
@no_type_check
def plane_shade(distance_m: float, facing: float):
    """Return how much a wall, floor or ceiling this near darkens a surface; its own surface it does not darken."""
    near = wp.max(distance_m, 0.0) / CORNER_REACH_M
    return 1.0 - CORNER_SHADE * (1.0 - wp.abs(facing)) / (1.0 + near * near)


@wp.func(inline=True)
@no_type_check
def corner_shade(scene: SceneArrays, room: int, point: wp.vec3, normal: wp.vec3):
    """Return the ambient light that is left near the edges and corners of a room."""
    low = point - scene.room_low[room]
    high = scene.room_high[room] - point
    x = plane_shade(wp.min(low[0], high[0]), normal[0])
    y = plane_shade(wp.min(low[1], high[1]), normal[1])
    z = plane_shade(wp.min(low[2], high[2]), normal[2])
    return x * y * z


@wp.func(inline=True)
@no_type_check
def floor_look_up(scene: SceneArrays, point: wp.vec3):
    """Return (openness to the room, share of the lamps in sight) of a point on the floor, bilinear."""
    rows = scene.floor_light.shape[0]
    columns = scene.floor_light.shape[1]
    x = (point[0] - scene.floor_corner[0]) / scene.floor_cell - 0.5
    z = (point[2] - scene.floor_corner[1]) / scene.floor_cell - 0.5
    x = wp.clamp(x, 0.0, float(columns - 1))
    z = wp.clamp(z, 0.0, float(rows - 1))
    x0 = int(x)
    z0 = int(z)
    x1 = wp.min(x0 + 1, columns - 1)
    z1 = wp.min(z0 + 1, rows - 1)
    share = x - float(x0)
    near = wp.lerp(scene.floor_light[z0, x0], scene.floor_light[z0, x1], share)
    far = wp.lerp(scene.floor_light[z1, x0], scene.floor_light[z1, x1], share)
    return wp.lerp(near, far, z - float(z0))


@wp.func(inline=True)
@no_type_check
def shown(scene: SceneArrays, linear: float):
    """Return the light that a picture shows as a linear colour: exposure and tone curve the other way round."""
    last = scene.light_of_shown.shape[0] - 1
    place = wp.sqrt(wp.clamp(linear, 0.0, 1.0)) * float(last)
    low = wp.min(int(place), last - 1)
    return wp.lerp(scene.light_of_shown[low], scene.light_of_shown[low + 1], place - float(low))


@wp.func
@no_type_check
def shade(scene: SceneArrays, hit: Hit, origin: wp.vec3, direction: wp.vec3, pixel_width: float):
    """Return the linear light that leaves a hit point towards the viewer."""
    face = hit.face
    u = hit.u
    v = hit.v
    w = 1.0 - u - v
    distance = hit.distance
    point = origin + direction * distance
    flat = scene.faces[face].flat_normal
    normal = wp.normalize(scene.faces[face].normal0 * u + scene.faces[face].normal1 * v + scene.faces[face].normal2 * w)
    body = scene.faces[face].body
    if body > 0:
        flat = scene.body_rotation[body] * flat
        normal = scene.body_rotation[body] * normal
    view = -wp.normalize(direction)
    cosine = wp.dot(flat, view)
    if wp.dot(normal, flat) * cosine < 0.0:
        normal = -normal
    material = scene.faces[face].material
    colour = scene.material_colour[material]
    texture = scene.material_texture[material]
    if texture >= 0:
        uv = scene.faces[face].uv0 * u + scene.faces[face].uv1 * v + scene.faces[face].uv2 * w
        footprint = distance * wp.length(direction) * pixel_width * wp.sqrt(1.0 / wp.max(wp.abs(cosine), 0.02))
        colour = wp.cw_mul(colour, sample_texture(scene, texture, uv, footprint * scene.faces[face].texels_per_m))
    if scene.material_unlit[material] > 0.0:
        return wp.vec3(shown(scene, colour[0]), shown(scene, colour[1]), shown(scene, colour[2]))
    gloss = scene.material_gloss[material]
    room = scene.faces[face].room
    open_share = corner_shade(scene, room, point, normal)
    lamp_share = float(1.0)
    if normal[1] > 0.9 and wp.abs(point[1] - scene.floor_height) < FLOOR_BAND_M:
        baked = floor_look_up(scene, point)
        open_share = wp.min(open_share, baked[0])
        lamp_share = baked[1]
    # Light that walls and ceiling send back: a little more from above than from below.
    light = scene.room_ambient[room] * ((0.94 + 0.06 * normal[1]) * open_share)
    highlight = wp.vec3(0.0, 0.0, 0.0)
    for lamp in range(scene.room_first_lamp[room], scene.room_first_lamp[room + 1]):
        to_lamp = scene.lamp_position[lamp] - point
        squared = wp.dot(to_lamp, to_lamp)
        to_lamp = to_lamp / wp.sqrt(squared + 1.0e-8)
        # 1 at 2 m; no brighter than a large shade would be from near by.
        fall_off = wp.min((4.0 + LAMP_SOFTNESS) / (squared + LAMP_SOFTNESS), BRIGHTEST)
        lambert = wp.max(wp.dot(normal, to_lamp) + WRAP, 0.0) / (1.0 + WRAP)
        power = scene.lamp_colour[lamp] * (fall_off * lamp_share)
        light = light + power * (lambert * (0.35 + 0.65 * open_share))
        if gloss > 0.0:
            shine = wp.max(wp.dot(normal, wp.normalize(to_lamp + view)), 0.0)
            shine = shine * shine * shine * shine
            shine = shine * shine
            highlight = highlight + power * (gloss * 0.35 * shine * shine * shine)
    return wp.cw_mul(colour, light) + highlight


@wp.func(inline=True)
@no_type_check
def encoded(scene: SceneArrays, linear: float):
    """Return the sRGB byte of linear light."""
    step = wp.sqrt(wp.max(linear, 0.0) * scene.encode_scale) * LAST_STEP + 0.5
    return scene.encode[int(wp.min(step, LAST_STEP))]
