"""Visibility by rasterising, on the CPU: whole frames at a time into a buffer of triangles, front to back.

Clusters of triangles are culled against the frustum and against what is already drawn. Then depth and corner weights follow
from the winning triangle and the ray, so that they are those of a ray query. The inner loops are C++ that Warp compiles for
the processor at hand; the light is the same source as for rays.
"""

# ruff: noqa: UP018, RUF046, SIM108, PLR0913

from pathlib import Path
from typing import no_type_check

import warp as wp

from backsight.sim.embedded.scene_arrays import Hit, SceneArrays
from backsight.sim.embedded.shading import SKY, encoded, shade
from backsight.sim.embedded.visibility_rays import Views, camera_ray

wp.set_module_options({"enable_backward": False, "fast_math": False, "optimization_level": 3})

_FOLDER = Path(__file__).parent


@wp.struct
@no_type_check
class Clusters:
    """`ClusteredFaces` for the rasteriser."""

    count: wp.int32
    buckets_per_m: wp.float32
    soup: wp.array[wp.float32]
    boxes: wp.array[wp.float32]
    first_block: wp.array[wp.int32]
    slot_face: wp.array[wp.int32]
    slot_instance: wp.array[wp.int32]


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
): ...


@wp.func_native((_FOLDER / "visibility_resolve.cpp").read_text())
@no_type_check
def resolve_row(clusters: Clusters, scratch: Scratch, rotation: wp.mat33, origin: wp.vec3, width: int, row: int): ...


@wp.kernel
@no_type_check
def render_rows(
    scene: SceneArrays,
    clusters: Clusters,
    views: Views,
    scratch: Scratch,
    first_pose: int,
    row_begin: int,
    row_end: int,
    rgb: wp.array2d[wp.uint8],
    depth_m: wp.array[wp.float32],
    instance_ids: wp.array[wp.int32],
):
    """Fill some rows of one pose."""
    pose = first_pose + wp.tid()
    rotation = views.rotations[pose]
    origin = views.origins[pose]
    rasterise(
        clusters, scratch, rotation, origin, views.width, row_begin, row_end, views.fx, views.fy, views.cx, views.cy
    )
    pixel_width = 1.0 / wp.sqrt(views.fx * views.fy)
    for row in range(row_begin, row_end):
        resolve_row(clusters, scratch, rotation, origin, views.width, row - row_begin)
        start = (pose * views.height + row) * views.width
        for column in range(views.width):
            face = scratch.row_face[column]
            depth = scratch.row_depth[column]
            pixel = start + column
            depth_m[pixel] = depth
            instance_ids[pixel] = scratch.row_instance[column]
            colour = SKY
            if face >= 0:
                hit = Hit()
                hit.face = face
                hit.u = scratch.row_u[column]
                hit.v = scratch.row_v[column]
                hit.distance = depth
                direction = rotation * camera_ray(views, float(column) + 0.5, float(row) + 0.5)
                colour = shade(scene, hit, origin, direction, pixel_width)
            rgb[pixel, 0] = encoded(scene, colour[0])
            rgb[pixel, 1] = encoded(scene, colour[1])
            rgb[pixel, 2] = encoded(scene, colour[2])
