"""Visibility by rasterising, on the CPU: whole frames at a time into a buffer of triangles, front to back.

Clusters of triangles are culled against the frustum and against what is already drawn. Then depth and corner weights
follow from the winning triangle and the ray, so that they are those of a ray query. The inner loops are C++ that Warp
compiles for the processor at hand; the light is the same source as for rays.
"""

# ruff: noqa: PLR0913

from pathlib import Path
from typing import no_type_check

import warp as wp

from backsight.sim.embedded.scene_arrays import Hit, SceneArrays
from backsight.sim.embedded.shading import encoded
from backsight.sim.embedded.visibility_rays import Views, camera_ray, light_of_hit

wp.set_module_options({"enable_backward": False, "fast_math": False, "optimization_level": 3})

BUCKETS = 512
"""Bins of depth that clusters are sorted into; as in the C++ source."""
TILE = 8
"""Rows and columns of a tile of pixels; as in the C++ source."""

_FOLDER = Path(__file__).parent


@wp.struct
@no_type_check
class Clusters:
    """`ClusteredFaces` for the rasteriser, and what has moved of them."""

    count: wp.int32
    buckets_per_m: wp.float32
    soup: wp.array[wp.float32]
    boxes: wp.array[wp.float32]
    first_block: wp.array[wp.int32]
    slot_face: wp.array[wp.int32]
    slot_instance: wp.array[wp.int32]
    slot_body: wp.array[wp.int32]
    body: wp.array[wp.int32]
    body_rotation: wp.array[wp.mat33]
    body_shift: wp.array[wp.vec3]


@wp.struct
@no_type_check
class Scratch:
    """Memory of one worker: pixels and tiles of the rows it draws, clusters in sight, one resolved row."""

    nearness: wp.array[wp.float32]
    seen: wp.array[wp.int32]
    tile_least: wp.array[wp.float32]
    tile_stale: wp.array[wp.uint8]
    across: wp.array[wp.float32]
    down: wp.array[wp.float32]
    order: wp.array[wp.int32]
    found: wp.array[wp.int32]
    bucket: wp.array[wp.int32]
    rectangle: wp.array[wp.int32]
    nearest: wp.array[wp.float32]
    row_u: wp.array[wp.float32]
    row_v: wp.array[wp.float32]
    row_depth: wp.array[wp.float32]
    row_face: wp.array[wp.int32]
    row_instance: wp.array[wp.int32]
    row_light: wp.array[wp.vec3]


@wp.func_native((_FOLDER / "visibility_raster.cpp").read_text())
@no_type_check
def rasterise(
    clusters: Clusters,
    scratch: Scratch,
    rotation: wp.mat33,
    origin: wp.vec3,
    width: int,
    row_begin: int,
    row_end: int,
    fx: float,
    fy: float,
    cx: float,
    cy: float,
):
    """Find which triangle each pixel of some rows sees, into the scratch."""
    ...


@wp.func_native((_FOLDER / "visibility_resolve.cpp").read_text())
@no_type_check
def resolve_row(clusters: Clusters, scratch: Scratch, rotation: wp.mat33, origin: wp.vec3, width: int, row: int):
    """Work out depth, instance, face and corner weights of one of those rows, into the scratch."""
    ...


@wp.func(inline=True)
@no_type_check
def colour_of_column(
    scene: SceneArrays,
    views: Views,
    scratch: Scratch,
    rotation: wp.mat33,
    origin: wp.vec3,
    column: int,
    x: float,
    y: float,
):
    """Return the linear light at an image position that lies in one column of the resolved row."""
    hit = Hit()
    hit.face = scratch.row_face[column]
    hit.u = scratch.row_u[column]
    hit.v = scratch.row_v[column]
    hit.distance = scratch.row_depth[column]
    return light_of_hit(scene, hit, origin, rotation * camera_ray(views, x, y), views.pixel_width)


@wp.kernel
@no_type_check
def render_rows(
    scene: SceneArrays,
    clusters: Clusters,
    views: Views,
    scratch: Scratch,
    poses: wp.array[wp.int32],
    row_begin: int,
    row_end: int,
    rgb: wp.array2d[wp.uint8],
    depth_m: wp.array[wp.float32],
    instance_ids: wp.array[wp.int32],
):
    """Fill some rows of one pose."""
    pose = poses[wp.tid()]
    rotation = views.rotations[pose]
    origin = views.origins[pose]
    width = views.width
    rasterise(clusters, scratch, rotation, origin, width, row_begin, row_end, views.fx, views.fy, views.cx, views.cy)
    for row in range(row_begin, row_end):
        resolve_row(clusters, scratch, rotation, origin, width, row - row_begin)
        start = (pose * views.height + row) * width
        for column in range(width):
            pixel = start + column
            depth_m[pixel] = scratch.row_depth[column]
            instance_ids[pixel] = scratch.row_instance[column]
            if views.coloured == 1 and views.samples == 1:
                x = float(column) + 0.5
                y = float(row) + 0.5
                colour = colour_of_column(scene, views, scratch, rotation, origin, column, x, y)
                rgb[pixel, 0] = encoded(scene, colour[0])
                rgb[pixel, 1] = encoded(scene, colour[1])
                rgb[pixel, 2] = encoded(scene, colour[2])
