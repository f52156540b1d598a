"""Colour from several samples a pixel, by rasterising a finer picture; apart, to be compiled where it is used."""

# ruff: noqa: PLR0913

from typing import no_type_check

import warp as wp

from backsight.sim.embedded.scene_arrays import SceneArrays
from backsight.sim.embedded.shading import encoded
from backsight.sim.embedded.visibility_raster import Clusters, Scratch, colour_of_column, rasterise, resolve_row
from backsight.sim.embedded.visibility_rays import Views

wp.set_module_options({"enable_backward": False, "fast_math": False, "optimization_level": 3})


@wp.kernel
@no_type_check
def render_fine_colour(
    scene: SceneArrays,
    clusters: Clusters,
    views: Views,
    scratch: Scratch,
    poses: wp.array[wp.int32],
    row_begin: int,
    row_end: int,
    rgb: wp.array2d[wp.uint8],
):
    """Fill the colour of some rows of one pose from several samples a pixel, rasterised as a finer picture."""
    pose = poses[wp.tid()]
    rotation = views.rotations[pose]
    origin = views.origins[pose]
    width = views.width
    fine = float(views.samples)
    step = 1.0 / fine
    rasterise(
        clusters,
        scratch,
        rotation,
        origin,
        width * views.samples,
        row_begin * views.samples,
        row_end * views.samples,
        views.fx * fine,
        views.fy * fine,
        views.cx * fine,
        views.cy * fine,
    )
    for row in range(row_begin, row_end):
        for column in range(width):
            scratch.row_light[column] = wp.vec3(0.0, 0.0, 0.0)
        for line in range(views.samples):
            sub_row = row * views.samples + line
            resolve_row(clusters, scratch, rotation, origin, width * views.samples, sub_row - row_begin * views.samples)
            y = (float(sub_row) + 0.5) * step
            for sub_column in range(width * views.samples):
                x = (float(sub_column) + 0.5) * step
                colour = colour_of_column(scene, views, scratch, rotation, origin, sub_column, x, y)
                at = sub_column / views.samples
                scratch.row_light[at] = scratch.row_light[at] + colour
        for column in range(width):
            pixel = (pose * views.height + row) * width + column
            colour = scratch.row_light[column] * (step * step)
            rgb[pixel, 0] = encoded(scene, colour[0])
            rgb[pixel, 1] = encoded(scene, colour[1])
            rgb[pixel, 2] = encoded(scene, colour[2])
