"""Texture look-up of the shading, the same source for CPU and CUDA.

`no_type_check` keeps run-time type checkers, which would wrap the functions, away from code that only Warp's own
compiler reads. A literal in `float(0.0)` makes a variable of that compiler where `0.0` alone would make a constant; its
conditions need `if` where Python would allow an expression. Functions are inlined because Warp passes structures by
value, hundreds of bytes a call.
"""

from pathlib import Path
from typing import no_type_check

import warp as wp

from backsight.sim.embedded.scene_arrays import SceneArrays

wp.set_module_options({"enable_backward": False, "fast_math": False})

LAST_LEVEL = wp.constant(15.0)


# Warp learns from the annotations what it returns, which `no_type_check` would hide from it.
@wp.func_native((Path(__file__).parent / "texture_look_up.cpp").read_text())
def between_texels(
    upper_left: wp.uint32,
    upper_right: wp.uint32,
    lower_left: wp.uint32,
    lower_right: wp.uint32,
    right: float,
    bottom: float,
) -> wp.vec3:
    """Return the linear light between four texels, at these shares of the way to the right and to the bottom."""
    ...


@wp.func(inline=True)
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
    return between_texels(
        scene.texels[row0 + x0],
        scene.texels[row0 + x1],
        scene.texels[row1 + x0],
        scene.texels[row1 + x1],
        right_share,
        bottom_share,
    )


@wp.func(inline=True)
@no_type_check
def sample_texture(scene: SceneArrays, texture: int, uv: wp.vec2, footprint_texels: float):
    """Return a look-up between the two mip levels whose texels are about as large as the ray's footprint."""
    if footprint_texels <= 1.0:
        return sample_level(scene, texture, 0, uv)
    level = wp.min(wp.log2(footprint_texels), LAST_LEVEL)
    fine = int(level)
    colour = sample_level(scene, texture, fine, uv)
    share = level - float(fine)
    if share > 0.0 and fine < 15:
        colour = wp.lerp(colour, sample_level(scene, texture, fine + 1, uv), share)
    return colour
