"""Finding a face's samples of light on the device, the same source for CPU and CUDA.

`no_type_check` keeps run-time type checkers, which would wrap the functions, away from code that only Warp's own
compiler reads.
"""

from typing import no_type_check

import warp as wp

wp.set_module_options({"enable_backward": False, "fast_math": False})

LAST_LAMP_BIT = wp.constant(30)


@wp.struct
@no_type_check
class FaceLight:
    """Where the light on a face is kept; see `Charts` for the two ways."""

    columns: wp.int32
    """Of the grid; 0 where the three corners have samples of their own."""
    first: wp.int32
    """The grid's first sample, or the first corner's."""
    second: wp.int32
    """The grid's rows, or the second corner's sample."""
    third: wp.int32
    above: wp.int32
    """Added to a sample's index for who looks against the winding's normal, and `below` for the other side."""
    below: wp.int32
    lamps: wp.int32
    """Bit k is set where the k-th lamp can be seen; `LAST_LAMP_BIT` stands for all lamps from there on."""
    at: wp.vec2
    step_u: wp.vec2
    step_v: wp.vec2


@wp.func(inline=True)
@no_type_check
def light_at(faces: wp.array[FaceLight], light: wp.array[wp.vec3], face: int, u: float, v: float, above: bool):
    """Return the light that reaches a point of a face: bilinear on grids, linear between corners."""
    columns = faces[face].columns
    offset = faces[face].below
    if above:
        offset = faces[face].above
    first = faces[face].first + offset
    if columns == 0:
        second = faces[face].second + offset
        third = faces[face].third + offset
        return light[first] * u + light[second] * v + light[third] * (1.0 - u - v)
    rows = faces[face].second
    at = faces[face].at + faces[face].step_u * u + faces[face].step_v * v
    x = wp.clamp(at[0], 0.0, float(columns - 1))
    y = wp.clamp(at[1], 0.0, float(rows - 1))
    x0 = int(x)
    y0 = int(y)
    share = x - float(x0)
    near = first + y0 * columns + x0
    right = wp.min(x0 + 1, columns - 1) - x0
    far = near + (wp.min(y0 + 1, rows - 1) - y0) * columns
    lower = wp.lerp(light[near], light[near + right], share)
    upper = wp.lerp(light[far], light[far + right], share)
    return wp.lerp(lower, upper, y - float(y0))


@wp.func(inline=True)
@no_type_check
def nearest_sample(faces: wp.array[FaceLight], face: int, u: float, v: float, above: bool):
    """Return the index of the sample nearest to a point of a face."""
    columns = faces[face].columns
    offset = faces[face].below
    if above:
        offset = faces[face].above
    if columns == 0:
        sample = faces[face].third
        w = 1.0 - u - v
        if u >= v and u >= w:
            sample = faces[face].first
        elif v >= w:
            sample = faces[face].second
        return sample + offset
    at = faces[face].at + faces[face].step_u * u + faces[face].step_v * v
    x = wp.clamp(int(at[0] + 0.5), 0, columns - 1)
    y = wp.clamp(int(at[1] + 0.5), 0, faces[face].second - 1)
    return faces[face].first + offset + y * columns + x
