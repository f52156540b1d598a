"""What a surface looks like under the lamps of its room, the same source for CPU and CUDA.

`no_type_check` keeps run-time type checkers, which would wrap the functions, away from code that only Warp's own
compiler reads. A literal in `float(0.0)` makes a variable of that compiler where `0.0` alone would make a constant; its
conditions need `if` where Python would allow an expression. Functions are inlined because Warp passes structures by
value, hundreds of bytes a call.
"""


# ruff: noqa: SIM102

from typing import no_type_check

import warp as wp

from backsight.sim.embedded.lighting.look_up import LAST_LAMP_BIT, light_at
from backsight.sim.embedded.lighting.tracing import LAMP_SOFTNESS, LIFT_M, lamp_light, unseen
from backsight.sim.embedded.scene_arrays import Hit, SceneArrays
from backsight.sim.embedded.texture_look_up import sample_texture

wp.set_module_options({"enable_backward": False, "fast_math": False})

LAST_STEP = wp.constant(4095.0)
PANE_SHOWN = wp.constant(0.34)
"""How bright a window looks, of the light that it lets in: a camera set for the room would show it white."""
OUTSIDE_SHOWN = wp.constant(0.26)
SHEEN = wp.constant(0.35)
SHINE = wp.constant(1.8)
"""How bright the reflections of a room and of a lamp are, at gloss 1."""


@wp.func(inline=True)
@no_type_check
def outside(scene: SceneArrays):
    """Return the linear light along a ray that leaves the scene."""
    return scene.sky * OUTSIDE_SHOWN


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
    body = scene.faces[face].body
    flat = scene.faces[face].flat_normal
    if body > 0:
        flat = scene.body_rotation[body] * flat
    length = wp.length(direction)
    cosine = -wp.dot(flat, direction) / length
    material = scene.faces[face].material
    colour = scene.material_colour[material]
    texture = scene.material_texture[material]
    if texture >= 0:
        uv = scene.faces[face].uv0 * u + scene.faces[face].uv1 * v + scene.faces[face].uv2 * (1.0 - u - v)
        footprint = hit.distance * length * pixel_width * wp.sqrt(1.0 / wp.max(wp.abs(cosine), 0.02))
        colour = wp.cw_mul(colour, sample_texture(scene, texture, uv, footprint * scene.faces[face].texels_per_m))
    if scene.material_unlit[material] > 0.0:
        return wp.vec3(shown(scene, colour[0]), shown(scene, colour[1]), shown(scene, colour[2]))
    glow = scene.material_glow[material]
    if glow < 0.0:
        return wp.cw_mul(colour, scene.sky) * PANE_SHOWN
    light = light_at(scene.face_light, scene.light, face, u, v, cosine >= 0.0)
    if glow > 0.0:
        first = scene.room_first_lamp[scene.faces[face].room]
        if first < scene.room_first_lamp[scene.faces[face].room + 1]:
            light = light + scene.lamp_colour[first] * glow
    gloss = scene.material_gloss[material]
    if gloss == 0.0 and scene.shadow_rays == 0:
        return wp.cw_mul(colour, light)
    point = origin + direction * hit.distance
    normal = smooth_normal(scene, hit, flat, body, cosine)
    if scene.shadow_rays == 1:
        light = light + lamps_in_sight(scene, face, point, normal)
    seen = wp.cw_mul(colour, light)
    if gloss > 0.0:
        seen = seen + glossy(scene, scene.faces[face].room, point, normal, direction / length, light) * gloss
    return seen


@wp.func(inline=True)
@no_type_check
def smooth_normal(scene: SceneArrays, hit: Hit, flat: wp.vec3, body: int, cosine: float):
    """Return the shading normal of a hit point, on the viewer's side."""
    face = hit.face
    w = 1.0 - hit.u - hit.v
    normal = scene.faces[face].normal0 * hit.u + scene.faces[face].normal1 * hit.v + scene.faces[face].normal2 * w
    normal = wp.normalize(normal)
    if body > 0:
        normal = scene.body_rotation[body] * normal
    if wp.dot(normal, flat) * cosine < 0.0:
        normal = -normal
    return normal


@wp.func(inline=True)
@no_type_check
def glossy(scene: SceneArrays, room: int, point: wp.vec3, normal: wp.vec3, along: wp.vec3, light: wp.vec3):
    """Return what a smooth surface reflects: its room at grazing angles, and the lamps of its room."""
    cosine = -wp.dot(normal, along)
    grazing = wp.max(1.0 - cosine, 0.0)
    grazing = grazing * grazing
    total = light * (SHEEN * grazing * grazing)
    mirrored = along + normal * (2.0 * cosine)
    for lamp in range(scene.room_first_lamp[room], scene.room_first_lamp[room + 1]):
        to_lamp = scene.lamp_position[lamp] - point
        squared = wp.dot(to_lamp, to_lamp)
        shine = wp.dot(mirrored, to_lamp)
        if shine > 0.0:
            shine = shine * shine / squared
            if shine > 0.5:
                # The sixth power of the squared cosine: about as broad as the lamp's shade.
                shine = shine * shine * shine
                total = total + scene.lamp_colour[lamp] * (SHINE * shine * shine / (squared + LAMP_SOFTNESS))
    return total


@wp.func(inline=True)
@no_type_check
def lamps_in_sight(scene: SceneArrays, face: int, point: wp.vec3, normal: wp.vec3):
    """Return the light that comes straight from the lamps, by a ray towards each that any of the face can see."""
    total = wp.vec3(0.0, 0.0, 0.0)
    start = point + normal * LIFT_M
    mask = scene.face_light[face].lamps
    for lamp in range(scene.lamp_position.shape[0]):
        if ((mask >> wp.min(lamp, LAST_LAMP_BIT)) & 1) == 1:
            to_lamp = scene.lamp_position[lamp] - start
            bare = lamp_light(to_lamp, normal)
            if bare > 0.0:
                if lamp_hidden(scene, start, to_lamp) == 0:
                    total = total + scene.lamp_colour[lamp] * bare
    return total


@wp.func(inline=True)
@no_type_check
def lamp_hidden(scene: SceneArrays, start: wp.vec3, to_lamp: wp.vec3):
    """Return 1 when something, moved or not, stands between a point and a lamp, else 0."""
    hidden = unseen(scene.mesh, start, to_lamp)
    for number in range(scene.mover_count):
        body = scene.movers[number].body
        back = wp.transpose(scene.body_rotation[body])
        hidden += unseen(scene.movers[number].mesh, back * (start - scene.body_shift[body]), back * to_lamp)
    return wp.min(hidden, 1)


@wp.func(inline=True)
@no_type_check
def encoded(scene: SceneArrays, linear: float):
    """Return the sRGB byte of linear light."""
    step = wp.sqrt(wp.max(linear, 0.0) * scene.encode_scale) * LAST_STEP + 0.5
    return scene.encode[int(wp.min(step, LAST_STEP))]
