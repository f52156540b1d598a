"""What light can reach each sample of a scene's surfaces, traced once; and the light there under any lamps."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Bool, Float32, Float64, Int32, Int64
from scipy.spatial import cKDTree

from backsight.sim.embedded.lighting import look_up, tracing
from backsight.sim.embedded.lighting.burning import lamps_by_room
from backsight.sim.embedded.lighting.charts import Charts, make_charts
from backsight.sim.embedded.packed import PackedScene

GATHER_RAYS = 16
"""Rays of a sample's hemisphere."""
LAMP_RAYS = 7
LAMP_RADIUS_M = 0.2
"""Radius of the disc that a lamp is taken for: the larger, the softer its shadows."""
PANE_POINTS = 7
FAINTEST_LAMP, FAINTEST_PANE = 0.003, 0.0008
"""Lamps and windows that would give a sample less than this, at intensity 1, are left out without a ray."""
BOUNCES = 3
SENT_BACK = 0.8
"""Of the light that colours would send back: rooms have more folds and dark gaps than their models."""
SEED_RAYS, EYE_M = 200, 1.3
"""Rays into each half space from lamps and rooms' middles, and the height of the latter above the floor."""
VOTES_PER_SAMPLE = 0.5
"""A side that can be seen is met by some ten rays for each of its samples; fewer have slipped through a joint."""
NEIGHBOUR_WEIGHT = 0.35
"""Of each of four neighbours when the light that surfaces send back is smoothed."""
OPEN_SHARE = 0.15
"""Share of the light from outside that comes along a ray which leaves the scene."""
GROUND_LIGHT = 0.015
"""Linear light that is everywhere, so that nothing is quite black."""


@dataclass(frozen=True)
class LightBake:
    """Terms of the light on each sample; the samples of the faces' other sides follow after those of the front."""

    charts: Charts
    device: Any
    face_light: Any
    """Records of `FaceLight` on the device."""
    met: Any
    """Sample that each ray of each sample meets, or `OPEN`, or `INSIDE`; on the device."""
    lamp_shares: Float32[np.ndarray, "lamps samples"]
    """Light of each lamp of the scene at intensity 1."""
    pane_share: Float32[np.ndarray, " samples"]
    """Share of the hemisphere that windows fill."""
    source: Int64[np.ndarray, " samples"]
    """The nearest sample of the same grid that is not inside something solid."""
    around: Int32[np.ndarray, "samples 4"]
    """Neighbours on the same grid."""

    @property
    def openness(self) -> Float64[np.ndarray, " samples"]:
        """Share of the rays of each sample that leave the scene, each ray as likely as its light counts."""
        return (self.met.numpy() == int(tracing.OPEN)).mean(axis=1)

    def light(
        self,
        lamp_colours: Float64[np.ndarray, "lamps 3"],
        sky: Float64[np.ndarray, "3"],
        *,
        direct: bool = True,
    ) -> Any:
        """Return the linear light on every sample, as an array of vectors on the device.

        Args:
            lamp_colours: linear intensity of each lamp of the scene.
            sky: linear colour of the light from outside.
            direct: with what comes straight from the lamps; else only what windows and surfaces send.
        """
        from_lamps = (self.lamp_shares.T.astype(np.float64) @ lamp_colours)[self.source]
        from_panes = self.pane_share[self.source, None].astype(np.float64) * sky
        first = from_lamps + from_panes
        albedo = SENT_BACK * np.tile(self.charts.albedo, (2, 1)).astype(np.float64)
        open_light = wp.vec3(*(OPEN_SHARE * sky).tolist())
        indirect = np.zeros_like(first)
        received = wp.empty(len(first), dtype=wp.vec3, device=self.device)
        for _ in range(BOUNCES):
            sent = wp.array((albedo * (first + indirect)).astype(np.float32), dtype=wp.vec3, device=self.device)
            wp.launch(
                tracing.bounce,
                dim=len(first),
                inputs=[self.met, open_light, sent],
                outputs=[received],
                device=self.device,
            )
            indirect = received.numpy()[self.source].astype(np.float64)
        for _ in range(2):
            mixed = indirect + NEIGHBOUR_WEIGHT * indirect[self.around].sum(axis=1)
            indirect = mixed / (1.0 + 4.0 * NEIGHBOUR_WEIGHT)
        total = indirect + from_panes + GROUND_LIGHT + (from_lamps if direct else 0.0)
        return wp.array(total.astype(np.float32), dtype=wp.vec3, device=self.device)


def bake_light(scene: PackedScene, mesh: Any, device: Any) -> LightBake:
    """Trace a scene's light.

    Args:
        scene: checked; its rooms play no part.
        mesh: its triangles as a Warp mesh.
        device: Warp device of the mesh.
    """
    charts = make_charts(scene)
    corners = scene.vertices_m[scene.faces].astype(np.float64)
    winding = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    front_above = np.einsum("fi,fi->f", scene.face_normals.sum(axis=1), winding) >= 0.0
    records = _face_records(charts, front_above)
    samples = _samples(charts, records, device)
    turned = _inside_out(scene, charts, mesh, samples, device)
    if turned.any():
        charts = replace(charts, normal=np.where(turned[:, None], -charts.normal, charts.normal))
        turned_instances = np.unique(scene.face_instance[charts.face[turned]])
        records = _face_records(charts, front_above ^ np.isin(scene.face_instance, turned_instances))
        samples = _samples(charts, records, device)
    count = 2 * len(charts.position_m)
    met = _gather(charts, mesh, samples, device)
    lamp_shares = wp.zeros((max(len(scene.lights), 1), count), dtype=wp.float32, device=device)
    lamps = np.array([light.position_m for light in scene.lights], dtype=np.float32).reshape(-1, 3)
    disc = wp.array(_lamp_disc(), dtype=wp.vec3, device=device)
    lamp_array = wp.array(lamps, dtype=wp.vec3, device=device)
    wp.launch(
        tracing.lamp_shares,
        dim=count,
        inputs=[mesh.id, samples, lamp_array, disc, FAINTEST_LAMP],
        outputs=[lamp_shares],
        device=device,
    )
    pane_share = wp.zeros(count, dtype=wp.float32, device=device)
    wp.launch(
        tracing.pane_shares,
        dim=count,
        inputs=[mesh.id, samples, _panes(scene, corners, device), FAINTEST_PANE],
        outputs=[pane_share],
        device=device,
    )
    source, around = _neighbours(charts, samples.wanted.numpy() > 0)
    shares = lamp_shares.numpy()[: len(scene.lights)]
    order, _ = lamps_by_room(scene)
    records["lamps"] = _lamp_bits(charts, shares[order] > 0.0)
    face_light = wp.array(records, dtype=look_up.FaceLight, device=device)
    return LightBake(charts, device, face_light, met, shares, pane_share.numpy(), source, around)


def _spiral(count: int) -> tuple[Float64[np.ndarray, " count"], Float64[np.ndarray, " count"]]:
    """Return (radius, angle) of points spread evenly over a unit disc by the golden angle."""
    index = np.arange(count)
    return np.sqrt((index + 0.5) / count), index * (math.pi * (3.0 - math.sqrt(5.0)))


def _cosine_directions(count: int) -> Float32[np.ndarray, "count 3"]:
    """Return directions of the upper half space, denser towards the zenith as Lambert's law weighs them."""
    radius, angle = _spiral(count)
    up = np.sqrt(1.0 - radius**2)
    return np.stack([radius * np.cos(angle), up, radius * np.sin(angle)], axis=1).astype(np.float32)


def _lamp_disc() -> Float32[np.ndarray, "points 3"]:
    """Return points of a lamp about its middle; the first three lie far apart."""
    radius, angle = _spiral(LAMP_RAYS)
    points = LAMP_RADIUS_M * np.stack([radius * np.cos(angle), np.zeros(LAMP_RAYS), radius * np.sin(angle)], axis=1)
    order = [6, 4, 5, *range(4)]
    return points[order].astype(np.float32)


def _gather(charts: Charts, mesh: Any, samples: Any, device: Any) -> Any:
    """Trace every front sample's hemisphere, then those of the backs that can be seen, and settle which are wanted.

    A chart's back can be seen when rays from outside solids meet it, or when its front sees nothing at all. A sample
    that sees the inside of things lies in one itself.
    """
    count = len(charts.position_m)
    chart = charts.chart
    directions = wp.array(_cosine_directions(GATHER_RAYS), dtype=wp.vec3, device=device)
    met = wp.full((2 * count, GATHER_RAYS), value=int(tracing.INSIDE), dtype=wp.int32, device=device)

    def trace(chosen: Int64[np.ndarray, " chosen"]) -> None:
        indices = wp.array(chosen.astype(np.int32), dtype=wp.int32, device=device)
        inputs = [mesh.id, samples, indices, directions]
        wp.launch(tracing.gather, dim=len(chosen), inputs=inputs, outputs=[met], device=device)

    trace(np.arange(count))
    front = met.numpy()[:count]
    hits = front[(front >= count).mean(axis=1) < 0.2]
    votes = np.bincount(chart[hits[hits >= count] - count], minlength=chart[-1] + 1)
    behind = votes > VOTES_PER_SAMPLE * np.bincount(chart)
    behind[chart[(front == int(tracing.OPEN)).all(axis=1)]] = True
    trace(count + np.flatnonzero(behind[chart]))
    found = met.numpy()
    solid = np.concatenate([np.zeros(count, dtype=bool), ~behind[chart]])
    found[(found >= 0) & solid[found]] = int(tracing.INSIDE)
    wanted = (found == int(tracing.INSIDE)).mean(axis=1) < 0.25
    samples.wanted = wp.array(wanted.astype(np.int32), device=device)
    return wp.array(found, dtype=wp.int32, device=device)


def _inside_out(
    scene: PackedScene, charts: Charts, mesh: Any, samples: Any, device: Any
) -> Bool[np.ndarray, " samples"]:
    """Return the samples of objects that turn their backs to the rooms, as in files that are wound the wrong way."""
    count = len(charts.position_m)
    hits = _seen_from_rooms(scene, mesh, samples, device)
    instance = scene.face_instance[charts.face]
    most = int(instance.max()) + 1
    fronts = np.bincount(instance[hits[hits < count]], minlength=most)
    backs = np.bincount(instance[hits[hits >= count] - count], minlength=most)
    return (backs > 3 * fronts)[instance] & (backs > 8)[instance]


def _seen_from_rooms(scene: PackedScene, mesh: Any, samples: Any, device: Any) -> Int64[np.ndarray, " hits"]:
    """Return the samples that rays from all lamps and from the middles of all rooms meet."""
    places = [light.position_m for light in scene.lights]
    for room in scene.rooms:
        x0, z0, x1, z1 = room.bounds_m
        places.append(((x0 + x1) / 2.0, room.floor_m + min(EYE_M, 0.5 * room.height_m), (z0 + z1) / 2.0))
    upper = _cosine_directions(SEED_RAYS)
    directions = np.concatenate([upper, upper * np.array([1.0, -1.0, 1.0], dtype=np.float32)])
    met = wp.empty((len(places), len(directions)), dtype=wp.int32, device=device)
    wp.launch(
        tracing.look_around,
        dim=len(places),
        inputs=[
            mesh.id,
            samples,
            wp.array(np.array(places, dtype=np.float32), dtype=wp.vec3, device=device),
            wp.array(directions, dtype=wp.vec3, device=device),
        ],
        outputs=[met],
        device=device,
    )
    hits = met.numpy().reshape(-1).astype(np.int64)
    return hits[hits >= 0]


def _face_records(charts: Charts, front_above: Bool[np.ndarray, " faces"]) -> Any:
    """Return the records of all faces."""
    struct: Any = look_up.FaceLight
    records = np.zeros(len(charts.grid), dtype=struct.numpy_dtype())
    records["columns"] = np.where(charts.grid, charts.lumels[:, 1], 0)
    records["first"] = charts.lumels[:, 0]
    records["second"] = np.where(charts.grid, charts.lumels[:, 2], charts.lumels[:, 1])
    records["third"] = charts.lumels[:, 2]
    records["above"] = np.where(front_above, 0, len(charts.position_m))
    records["below"] = np.where(front_above, len(charts.position_m), 0)
    records["at"], records["step_u"], records["step_v"] = np.split(charts.at, 3, axis=1)
    return records


def _lamp_bits(charts: Charts, lit: Bool[np.ndarray, "lamps both"]) -> Int32[np.ndarray, " faces"]:
    """Return for each face the lamps that any of its samples sees, on either side."""
    chart = charts.chart
    bits = np.zeros(chart[-1] + 1, dtype=np.int32)
    for number, samples in enumerate(lit[:, : len(chart)] | lit[:, len(chart) :]):
        seen = np.bincount(chart, samples) > 0
        bits[seen] |= 1 << min(number, int(look_up.LAST_LAMP_BIT))
    of_corner = bits[chart[charts.lumels[:, 0]]]
    of_others = bits[chart[np.where(charts.grid[:, None], charts.lumels[:, :1], charts.lumels[:, 1:])]]
    return of_corner | of_others[:, 0] | of_others[:, -1]


def _samples(charts: Charts, records: Any, device: Any) -> Any:
    """Return the samples of both sides as a structure for the device."""
    normal = charts.normal.astype(np.float64)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    tangent = charts.tangent - normal * np.einsum("si,si->s", charts.tangent, normal)[:, None]
    weak = np.linalg.norm(tangent, axis=1) < 1e-3
    tangent[weak] = np.cross(normal[weak], np.roll(normal[weak], 1, axis=1) + np.array([0.3, -0.2, 0.5]))
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-12)
    turn = ((charts.column % 2) + 2 * (charts.row % 2)) * (math.pi / 8.0)

    def vectors(values: Any) -> Any:
        return wp.array(values.astype(np.float32), dtype=wp.vec3, device=device)

    samples: Any = tracing.Samples()
    samples.position = vectors(np.tile(charts.position_m, (2, 1)))
    samples.normal = vectors(np.concatenate([normal, -normal]))
    samples.tangent = vectors(np.tile(tangent, (2, 1)))
    samples.turn = wp.array(np.tile(turn, 2).astype(np.float32), device=device)
    samples.wanted = wp.full(2 * len(turn), value=1, dtype=wp.int32, device=device)
    samples.faces = wp.array(records, dtype=look_up.FaceLight, device=device)
    return samples


def _panes(scene: PackedScene, corners: Float64[np.ndarray, "faces 3 3"], device: Any) -> Any:
    """Return the windows as sources of light: faces of one object that look the same way are one window."""
    shows = np.array([material.pane for material in scene.materials])[scene.face_material]
    chosen = np.flatnonzero(shows)
    a, b, c = np.moveaxis(corners[chosen], 1, 0)
    cross = np.cross(b - a, c - a)
    turned = np.einsum("fi,fi->f", cross, scene.face_normals[chosen].sum(axis=1)) < 0.0
    cross = np.where(turned[:, None], -cross, cross)
    area = 0.5 * np.linalg.norm(cross, axis=1)
    unit = cross / np.maximum(2.0 * area, 1e-12)[:, None]
    key = np.concatenate([scene.face_instance[chosen, None], np.round(unit * 4.0)], axis=1)
    _, first, window = np.unique(key, axis=0, return_index=True, return_inverse=True)
    window = window.reshape(-1)
    total = np.bincount(window, area, len(first))
    points = np.zeros((len(first), PANE_POINTS, 3))
    for number in range(len(first)):
        own = np.flatnonzero(window == number)
        points[number] = _spread(a[own], b[own], c[own], area[own])
    panes: Any = tracing.Panes()
    panes.points = wp.array(points.astype(np.float32), dtype=wp.vec3, ndim=2, device=device)
    panes.normal = wp.array(unit[first].astype(np.float32), dtype=wp.vec3, device=device)
    panes.area = wp.array(total.astype(np.float32), device=device)
    return panes


def _spread(
    a: Float64[np.ndarray, "faces 3"],
    b: Float64[np.ndarray, "faces 3"],
    c: Float64[np.ndarray, "faces 3"],
    area: Float64[np.ndarray, " faces"],
) -> Float64[np.ndarray, "points 3"]:
    """Return points spread over triangles by a low-discrepancy sequence.

    Source: Roberts, The unreasonable effectiveness of quasirandom sequences, 2018.
    """
    index = np.arange(PANE_POINTS)
    place = (0.5 + index * 0.8191725134) % 1.0 * area.sum()
    face = np.minimum(np.searchsorted(np.cumsum(area), place, side="right"), len(area) - 1)
    u, v = (0.5 + index * 0.6710436067) % 1.0, (0.25 + index * 0.5497004779) % 1.0
    fold = u + v > 1.0
    u, v = np.where(fold, 1.0 - u, u)[:, None], np.where(fold, 1.0 - v, v)[:, None]
    return a[face] + u * (b[face] - a[face]) + v * (c[face] - a[face])


def _neighbours(
    charts: Charts, wanted: Bool[np.ndarray, " both"]
) -> tuple[Int64[np.ndarray, " both"], Int32[np.ndarray, "both 4"]]:
    """Return the sample that each takes its light from, and the four around it on its grid (itself at an edge)."""
    count = len(charts.column)
    index = np.arange(count)
    around = np.stack(
        [
            np.where(charts.column > 0, index - 1, index),
            np.where(charts.column < charts.columns - 1, index + 1, index),
            np.where(charts.row > 0, index - charts.columns, index),
            np.where(charts.row < charts.rows - 1, index + charts.columns, index),
        ],
        axis=1,
    )
    around = np.concatenate([around, around + count])
    source = np.arange(2 * count)
    known = wanted.copy()
    for _ in range(4):
        missing = np.flatnonzero(~known)
        near = around[missing]
        found = known[near]
        pick = near[np.arange(len(missing)), found.argmax(axis=1)]
        has = found.any(axis=1)
        source[missing[has]] = source[pick[has]]
        known[missing[has]] = True
    lost = np.flatnonzero(~known[:count])
    if len(lost) < count:
        found = np.flatnonzero(known[:count])
        _, nearest = cKDTree(charts.position_m[found]).query(charts.position_m[lost])
        source[lost] = source[found[nearest]]
    source[count:][~known[count:]] = source[:count][~known[count:]]
    return source, around.astype(np.int32)
