"""A scene as the renderer holds it on its device, whichever that is.

`no_type_check` keeps run-time type checkers, which would wrap the functions, away from code that only Warp's own
compiler reads. A literal in `float(0.0)` makes a variable of that compiler where `0.0` alone would make a constant; its
conditions need `if` where Python would allow an expression.
"""

from typing import no_type_check

import warp as wp

from backsight.sim.embedded.lighting.look_up import FaceLight

wp.config.log_level = wp.LOG_ERROR


@wp.struct
@no_type_check
class Face:
    """All that the shading knows of a triangle, in one piece of memory."""

    uv0: wp.vec2
    uv1: wp.vec2
    uv2: wp.vec2
    normal0: wp.vec3
    normal1: wp.vec3
    normal2: wp.vec3
    flat_normal: wp.vec3
    material: wp.int32
    instance: wp.int32
    room: wp.int32
    texels_per_m: wp.float32
    body: wp.int32
    """Which of the scene's bodies it belongs to; 0 is what has never moved."""


@wp.struct
@no_type_check
class Mover:
    """The triangles of one moved object, where they were before it moved."""

    mesh: wp.uint64
    body: wp.int32
    first_face: wp.int32
    """Where its faces begin in `mover_face`."""
    low: wp.vec3
    high: wp.vec3


@wp.struct
@no_type_check
class SceneArrays:
    """A scene on the device that renders it."""

    mesh: wp.uint64
    """All that has never moved."""
    mover_count: wp.int32
    movers: wp.array[Mover]  # pyright: ignore[reportGeneralTypeIssues]
    mover_face: wp.array[wp.int32]
    body_rotation: wp.array[wp.mat33]
    """Turns each body from where it was loaded to where it is; then comes the shift [m]."""
    body_shift: wp.array[wp.vec3]
    faces: wp.array[Face]  # pyright: ignore[reportGeneralTypeIssues]
    material_colour: wp.array[wp.vec3]
    material_texture: wp.array[wp.int32]
    material_gloss: wp.array[wp.float32]
    material_unlit: wp.array[wp.float32]
    light_of_shown: wp.array[wp.float32]
    texels: wp.array[wp.uint32]
    level_offset: wp.array2d[wp.int32]
    size_log2: wp.array2d[wp.int32]
    room_first_lamp: wp.array[wp.int32]
    lamp_position: wp.array[wp.vec3]
    lamp_colour: wp.array[wp.vec3]
    face_light: wp.array[FaceLight]
    light: wp.array[wp.vec3]
    material_glow: wp.array[wp.float32]
    """Negative for windows."""
    sky: wp.vec3
    shadow_rays: wp.int32
    encode: wp.array[wp.uint8]
    encode_scale: wp.float32


@wp.struct
@no_type_check
class Hit:
    """Where a ray meets a face: u and v weigh its first and second corner, distance is in units of the ray."""

    face: wp.int32
    u: wp.float32
    v: wp.float32
    distance: wp.float32
