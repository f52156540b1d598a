"""Warp code of the renderer: one ray per pixel, texture look-up, light.

The same functions are compiled for the CPU and for CUDA. `no_type_check` keeps run-time type checkers, which would
wrap the functions, away from code that only Warp's own compiler reads. A literal in `float(0.0)` makes a variable of
that compiler where `0.0` alone would make a constant; its conditions need `if` where Python would allow an expression.
"""

# ruff: noqa: UP018, RUF046, SIM108

from typing import no_type_check

import warp as wp

wp.config.log_level = wp.LOG_ERROR
wp.set_module_options({"enable_backward": False, "fast_math": False})

FAR_M = wp.constant(1.0e4)
LAST_STEP = wp.constant(4095.0)
LAST_LEVEL = wp.constant(15.0)
SKY = wp.constant(wp.vec3(0.62, 0.74, 0.88))
CORNER_SHADE = wp.constant(0.34)
CORNER_REACH_M = wp.constant(0.22)
LAMP_SOFTNESS = wp.constant(2.5)
BRIGHTEST = wp.constant(1.5)
WRAP = wp.constant(0.2)
FLOOR_BAND_M = wp.constant(0.03)
LAMP_REACH = wp.constant(0.85)


@wp.struct
@no_type_check
class SceneArrays:
    """A scene on the device that renders it."""

    mesh: wp.uint64
    corner_uv: wp.array[wp.vec2]
    corner_normal: wp.array[wp.vec3]
    face_normal: wp.array[wp.vec3]
    face_material: wp.array[wp.int32]
    face_instance: wp.array[wp.int32]
    face_room: wp.array[wp.int32]
    face_texels_per_m: wp.array[wp.float32]
    material_colour: wp.array[wp.vec3]
    material_texture: wp.array[wp.int32]
    material_gloss: wp.array[wp.float32]
    texels: wp.array[wp.uint32]
    level_offset: wp.array2d[wp.int32]
    size_log2: wp.array2d[wp.int32]
    room_low: wp.array[wp.vec3]
    room_high: wp.array[wp.vec3]
    room_ambient: wp.array[wp.vec3]
    room_first_lamp: wp.array[wp.int32]
    lamp_position: wp.array[wp.vec3]
    lamp_colour: wp.array[wp.vec3]
    floor_light: wp.array2d[wp.vec2]
    floor_corner: wp.vec2
    floor_cell: wp.float32
    floor_height: wp.float32
    encode: wp.array[wp.uint8]
    encode_scale: wp.float32


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
def texel(scene: SceneArrays, word: wp.uint32):
    """Return the linear light of one texel."""
    red = float(word & wp.uint32(1023))
    green = float((word >> wp.uint32(10)) & wp.uint32(1023))
    blue = float((word >> wp.uint32(20)) & wp.uint32(1023))
    return wp.vec3(red * red, green * green, blue * blue) * (1.0 / (1023.0 * 1023.0))


@wp.func
@no_type_check
def sample_level(scene: SceneArrays, texture: int, level: int, uv: wp.vec2):
    """Return a bilinear look-up in one mip level; textures repeat."""
    width = 1 << wp.max(scene.size_log2[texture, 0] - level, 0)
    height = 1 << wp.max(scene.size_log2[texture, 1] - level, 0)
    x = uv[0] * float(width) - 0.5
    y = uv[1] * float(height) - 0.5
    left = wp.floor(x)
    top = wp.floor(y)
    right_share = x - left
    bottom_share = y - top
    x0 = int(left) & (width - 1)
    x1 = (int(left) + 1) & (width - 1)
    start = scene.level_offset[texture, level]
    row0 = start + (int(top) & (height - 1)) * width
    row1 = start + ((int(top) + 1) & (height - 1)) * width
    upper = wp.lerp(texel(scene, scene.texels[row0 + x0]), texel(scene, scene.texels[row0 + x1]), right_share)
    lower = wp.lerp(texel(scene, scene.texels[row1 + x0]), texel(scene, scene.texels[row1 + x1]), right_share)
    return wp.lerp(upper, lower, bottom_share)


@wp.func
@no_type_check
def sample_texture(scene: SceneArrays, texture: int, uv: wp.vec2, footprint_texels: float):
    """Return a look-up between the two mip levels whose texels are about as large as the ray's footprint."""
    level = wp.clamp(wp.log2(wp.max(footprint_texels, 1.0e-6)), 0.0, LAST_LEVEL)
    fine = int(level)
    colour = sample_level(scene, texture, fine, uv)
    share = level - float(fine)
    if share > 0.0 and fine < 15:
        colour = wp.lerp(colour, sample_level(scene, texture, fine + 1, uv), share)
    return colour


@wp.func
@no_type_check
def plane_shade(distance_m: float, facing: float):
    """Return how much a wall, floor or ceiling this near darkens a surface; its own surface it does not darken."""
    near = wp.max(distance_m, 0.0) / CORNER_REACH_M
    return 1.0 - CORNER_SHADE * (1.0 - wp.abs(facing)) / (1.0 + near * near)


@wp.func
@no_type_check
def corner_shade(scene: SceneArrays, room: int, point: wp.vec3, normal: wp.vec3):
    """Return the ambient light that is left near the edges and corners of a room."""
    low = point - scene.room_low[room]
    high = scene.room_high[room] - point
    x = plane_shade(wp.min(low[0], high[0]), normal[0])
    y = plane_shade(wp.min(low[1], high[1]), normal[1])
    z = plane_shade(wp.min(low[2], high[2]), normal[2])
    return x * y * z


@wp.func
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


@wp.func
@no_type_check
def shade(scene: SceneArrays, query: wp.MeshQueryRay, origin: wp.vec3, direction: wp.vec3, pixel_width: float):
    """Return the linear light that leaves a hit point towards the viewer."""
    face = query.face
    u = query.u
    v = query.v
    w = 1.0 - u - v
    point = origin + direction * query.t
    corner = face * 3
    flat = scene.face_normal[face]
    normal = wp.normalize(
        scene.corner_normal[corner] * u + scene.corner_normal[corner + 1] * v + scene.corner_normal[corner + 2] * w
    )
    view = -wp.normalize(direction)
    cosine = wp.dot(flat, view)
    if wp.dot(normal, flat) * cosine < 0.0:
        normal = -normal
    material = scene.face_material[face]
    colour = scene.material_colour[material]
    texture = scene.material_texture[material]
    if texture >= 0:
        uv = scene.corner_uv[corner] * u + scene.corner_uv[corner + 1] * v + scene.corner_uv[corner + 2] * w
        footprint = query.t * wp.length(direction) * pixel_width * wp.sqrt(1.0 / wp.max(wp.abs(cosine), 0.02))
        colour = wp.cw_mul(colour, sample_texture(scene, texture, uv, footprint * scene.face_texels_per_m[face]))
    gloss = scene.material_gloss[material]
    room = scene.face_room[face]
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


@wp.func
@no_type_check
def encoded(scene: SceneArrays, linear: float):
    """Return the sRGB byte of linear light."""
    step = wp.sqrt(wp.max(linear, 0.0) * scene.encode_scale) * LAST_STEP + 0.5
    return scene.encode[int(wp.min(step, LAST_STEP))]


@wp.func
@no_type_check
def camera_ray(views: Views, x: float, y: float):
    """Return the ray through an image position; its z is 1, so that ray lengths in its unit are planar depths."""
    return wp.vec3((x - views.cx) / views.fx, (y - views.cy) / views.fy, 1.0)


@wp.func
@no_type_check
def seen_colour(scene: SceneArrays, origin: wp.vec3, direction: wp.vec3, pixel_width: float):
    """Return the linear light that comes along a ray."""
    query = wp.mesh_query_ray(scene.mesh, origin, direction, FAR_M)
    colour = SKY
    if query.result:
        colour = shade(scene, query, origin, direction, pixel_width)
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
        instance = scene.face_instance[query.face]
    depth_m[pixel] = depth
    instance_ids[pixel] = instance
    if views.samples == 1:
        if query.result:
            colour = shade(scene, query, origin, direction, pixel_width)
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
