"""Rays that find out from where light reaches each sample, the same source for CPU and CUDA.

`no_type_check` keeps run-time type checkers, which would wrap the functions, away from code that only Warp's own
compiler reads. A literal in `float(0.0)` makes a variable of that compiler where `0.0` alone would make a constant; its
conditions need `if` where Python would allow an expression.
"""

# ruff: noqa: UP018, RUF046, SIM102

from typing import no_type_check

import warp as wp

from backsight.sim.embedded.lighting.burning import LAMP_SOFTNESS_M2
from backsight.sim.embedded.lighting.look_up import FaceLight, nearest_sample

wp.set_module_options({"enable_backward": False, "fast_math": False})

FAR_M = wp.constant(1.0e4)
LIFT_M = wp.constant(0.004)
"""Rays begin this far above their surface."""
OPEN = wp.constant(-1)
"""The ray met nothing."""
INSIDE = wp.constant(-2)
"""The ray met the inside of something solid."""
LAMP_CORE_M = wp.constant(0.3)
"""What is this near to a lamp belongs to it and throws no shadow."""
LAMP_SOFTNESS = wp.constant(LAMP_SOFTNESS_M2)
NEAR_PANE = wp.constant(0.06)
"""Share of a pane's area that is added to squared distances, so that its sample points do not show as spots."""
SHORT_OF_PANE = wp.constant(0.97)
"""Rays towards windows end this early: bars and handles stand close before the pane."""


@wp.struct
@no_type_check
class Samples:
    """Samples as the rays see them. Those of the faces' other sides follow after all of the front."""

    position: wp.array[wp.vec3]
    normal: wp.array[wp.vec3]
    tangent: wp.array[wp.vec3]
    turn: wp.array[wp.float32]
    """rad, of the ray pattern about the normal: neighbours differ."""
    wanted: wp.array[wp.int32]
    """1 where the side can be seen."""
    faces: wp.array[FaceLight]


@wp.func(inline=True)
@no_type_check
def sample_met(mesh: wp.uint64, samples: Samples, start: wp.vec3, direction: wp.vec3):
    """Return the sample nearest to where a ray meets something, or `OPEN`."""
    query = wp.mesh_query_ray(mesh, start, direction, FAR_M)
    found = OPEN
    if query.result:
        above = wp.dot(wp.mesh_eval_face_normal(mesh, query.face), direction) < 0.0
        found = nearest_sample(samples.faces, query.face, query.u, query.v, above)
    return found


@wp.kernel
@no_type_check
def look_around(
    mesh: wp.uint64,
    samples: Samples,
    places: wp.array[wp.vec3],
    directions: wp.array[wp.vec3],
    met: wp.array2d[wp.int32],
):
    """Note which sample each ray from some places meets."""
    place = wp.tid()
    for index in range(directions.shape[0]):
        met[place, index] = sample_met(mesh, samples, places[place], directions[index])


@wp.kernel
@no_type_check
def gather(
    mesh: wp.uint64,
    samples: Samples,
    chosen: wp.array[wp.int32],
    directions: wp.array[wp.vec3],
    met: wp.array2d[wp.int32],
):
    """Note for every ray of some samples' hemispheres which sample it meets."""
    sample = chosen[wp.tid()]
    up = samples.normal[sample]
    along = samples.tangent[sample]
    across = wp.cross(up, along)
    cos = wp.cos(samples.turn[sample])
    sin = wp.sin(samples.turn[sample])
    start = samples.position[sample] + up * LIFT_M
    for index in range(directions.shape[0]):
        local = directions[index]
        x = cos * local[0] - sin * local[2]
        z = sin * local[0] + cos * local[2]
        direction = along * x + across * z + up * local[1]
        met[sample, index] = sample_met(mesh, samples, start, direction)


@wp.kernel
@no_type_check
def lamp_shares(
    mesh: wp.uint64,
    samples: Samples,
    lamps: wp.array[wp.vec3],
    disc: wp.array[wp.vec3],
    faintest: float,
    shares: wp.array2d[wp.float32],
):
    """Fill how much of each lamp's light reaches each sample: fall-off, Lambert's law and what stands between."""
    sample = wp.tid()
    start = samples.position[sample] + samples.normal[sample] * LIFT_M
    up = samples.normal[sample]
    for lamp in range(lamps.shape[0]):
        share = float(0.0)
        to_lamp = lamps[lamp] - start
        bare = float(0.0)
        if samples.wanted[sample] == 1:
            bare = lamp_light(to_lamp, up)
        if bare > faintest:
            rays = disc.shape[0]
            free = float(0.0)
            cast = int(0)
            while cast < rays:
                if unseen(mesh, start, to_lamp + disc[cast]) == 0:
                    free += 1.0
                cast += 1
                # The first three are spread over the lamp: where they agree, so do the others.
                if cast == 3 and (free == 0.0 or free == 3.0):
                    free = free / 3.0 * float(rays)
                    cast = rays
            share = bare * free / float(rays)
        shares[lamp, sample] = share


@wp.func(inline=True)
@no_type_check
def lamp_light(to_lamp: wp.vec3, normal: wp.vec3):
    """Return the light of a lamp of intensity 1 on an open surface: 1 at 2 m straight below."""
    squared = wp.dot(to_lamp, to_lamp)
    cosine = wp.dot(normal, to_lamp) / wp.sqrt(squared + 1.0e-8)
    return wp.max(cosine, 0.0) * (4.0 + LAMP_SOFTNESS) / (squared + LAMP_SOFTNESS)


@wp.func(inline=True)
@no_type_check
def unseen(mesh: wp.uint64, start: wp.vec3, to_lamp: wp.vec3):
    """Return 1 when something stands between a point and a lamp, else 0."""
    distance = wp.length(to_lamp)
    hidden = int(0)
    if distance > LAMP_CORE_M:
        if wp.mesh_query_ray_anyhit(mesh, start, to_lamp / distance, distance - LAMP_CORE_M):
            hidden = int(1)
    return hidden


@wp.struct
@no_type_check
class Panes:
    """Windows as sources of light: points spread over each, and the normal and area of each."""

    points: wp.array2d[wp.vec3]
    normal: wp.array[wp.vec3]
    area: wp.array[wp.float32]


@wp.kernel
@no_type_check
def pane_shares(mesh: wp.uint64, samples: Samples, panes: Panes, faintest: float, shares: wp.array[wp.float32]):
    """Fill the share of each sample's hemisphere that windows fill, weighed by Lambert's law."""
    sample = wp.tid()
    if samples.wanted[sample] == 0:
        return
    up = samples.normal[sample]
    start = samples.position[sample] + up * LIFT_M
    points = panes.points.shape[1]
    total = float(0.0)
    for pane in range(panes.points.shape[0]):
        light = float(0.0)
        for index in range(points):
            light += pane_light(panes.points[pane, index] - start, up, panes.normal[pane], panes.area[pane])
        light = light / float(points)
        if light > faintest:
            free = float(0.0)
            cast = float(0.0)
            for index in range(points):
                # The first three are spread over the window: where they agree, so do the others.
                if cast < 3.0 or (free > 0.0 and free < cast):
                    cast += 1.0
                    if not wp.mesh_query_ray_anyhit(mesh, start, panes.points[pane, index] - start, SHORT_OF_PANE):
                        free += 1.0
            total += light * free / cast
    shares[sample] = total


@wp.func(inline=True)
@no_type_check
def pane_light(to_point: wp.vec3, up: wp.vec3, normal: wp.vec3, area: float):
    """Return the share of a hemisphere that a window fills, as if all of it were at one of its points."""
    leaving = wp.max(-wp.dot(normal, to_point), 0.0)
    arriving = wp.max(wp.dot(up, to_point), 0.0)
    squared = wp.dot(to_point, to_point) + NEAR_PANE * area
    return area * leaving * arriving / (3.14159265 * squared * squared)


@wp.kernel
@no_type_check
def bounce(
    met: wp.array2d[wp.int32],
    open_light: wp.vec3,
    sent: wp.array[wp.vec3],
    received: wp.array[wp.vec3],
):
    """Fill the mean of what the rays of each sample bring."""
    sample = wp.tid()
    total = wp.vec3(0.0, 0.0, 0.0)
    for index in range(met.shape[1]):
        other = met[sample, index]
        if other >= 0:
            total = total + sent[other]
        elif other == OPEN:
            total = total + open_light
    received[sample] = total / float(met.shape[1])


@wp.kernel
@no_type_check
def smooth(around: wp.array2d[wp.int32], weight: float, light: wp.array[wp.vec3], smoothed: wp.array[wp.vec3]):
    """Fill each sample's light mixed with its four neighbours' on the same grid."""
    sample = wp.tid()
    total = light[sample]
    for index in range(4):
        total = total + light[around[sample, index]] * weight
    smoothed[sample] = total / (1.0 + 4.0 * weight)
