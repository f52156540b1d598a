"""Where on the surfaces of a scene light is kept: grids on large faces, the corners of small ones."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from backsight.sim.embedded.packed import PackedScene
from backsight.sim.srgb import linear_from_srgb

FLOOR_STEP_M, WALL_STEP_M, CEILING_STEP_M = 0.125, 0.2, 0.35
"""Distance of samples on faces that look up, sideways and down: shadows on the floor are seen most."""
NARROW_M, NARROW_STEP_M = 0.12, 0.3
"""A face no wider than this has one sample across, and samples at this distance along."""
WELDS_M = (0.02, 0.05, 0.1, 0.2, 0.4)
GRID_SAMPLES_AT_MOST = 26_000
"""Larger scenes have their samples farther apart, up to eight times."""
CORNERS_AT_MOST = 20_000
"""Corners of small faces share a sample within the smallest of `WELDS_M` that leaves no more samples than this."""
INSET_M = 0.012
"""Samples keep this far off the edge of their face, where they would lie in the neighbouring wall."""
_FLAT_COSINE = 0.985


@dataclass(frozen=True)
class Charts:
    """Samples of light on the surfaces of a scene, and how each face finds its own.

    A face with `grid` true reads the grid that begins at `lumels[:, 0]` with `lumels[:, 1]` columns and
    `lumels[:, 2]` rows, bilinear at `at[:, 0:2]` for its third corner, moved by `at[:, 2:4]` and `at[:, 4:6]` towards
    its first and second. Another face reads the samples of its three corners. `back` is what to add to a sample's
    index for the same place on the face's other side.
    """

    position_m: Float32[np.ndarray, "samples 3"]
    normal: Float32[np.ndarray, "samples 3"]
    tangent: Float32[np.ndarray, "samples 3"]
    albedo: Float32[np.ndarray, "samples 3"]
    """Linear share of light that the surface sends back."""
    column: Int64[np.ndarray, " samples"]
    row: Int64[np.ndarray, " samples"]
    columns: Int64[np.ndarray, " samples"]
    rows: Int64[np.ndarray, " samples"]
    """Place in the sample's own grid and that grid's size; 1 x 1 for a corner."""
    face: Int64[np.ndarray, " samples"]
    """A face that the sample lies on."""
    grid: Bool[np.ndarray, " faces"]
    lumels: Int64[np.ndarray, "faces 3"]
    at: Float32[np.ndarray, "faces 6"]

    @property
    def chart(self) -> Int64[np.ndarray, " samples"]:
        """Number of the grid, or of the corner, that each sample belongs to."""
        return np.cumsum((self.column == 0) & (self.row == 0)) - 1


def make_charts(scene: PackedScene) -> Charts:
    """Return the samples of a scene.

    Args:
        scene: any triangles; it needs neither rooms nor closed surfaces.
    """
    corners = scene.vertices_m[scene.faces].astype(np.float64)
    geometry = _Geometry.of(corners, scene.face_normals)
    albedo = _mean_albedo(scene)[scene.face_material].astype(np.float32)
    partner = _partners(corners, geometry, scene.face_instance)
    leader = np.flatnonzero(geometry.large & (np.arange(len(corners)) <= partner))
    grids = _Grids.over(corners, geometry, leader, partner)
    start = np.concatenate([[0], np.cumsum(grids.columns * grids.rows)])
    owner = np.repeat(np.arange(len(leader)), grids.columns * grids.rows)
    place = np.arange(start[-1]) - start[owner]
    column, row = place % np.maximum(grids.columns[owner], 1), place // np.maximum(grids.columns[owner], 1)
    s = grids.low[owner, 0] + _node(column, grids.columns[owner], grids.size[owner, 0])
    t = grids.low[owner, 1] + _node(row, grids.rows[owner], grids.size[owner, 1])
    position = (
        s[:, None] * grids.s_axis[owner]
        + t[:, None] * grids.t_axis[owner]
        + grids.plane[owner, None] * (geometry.normal[leader][owner])
    )
    chart_of_face = np.full(len(corners), -1)
    chart_of_face[leader] = np.arange(len(leader))
    chart_of_face[partner[leader]] = np.arange(len(leader))
    small = np.flatnonzero(~geometry.large)
    weld = _weld(corners[small], scene.face_normals[small].astype(np.float64))
    lumels = np.zeros((len(corners), 3), dtype=np.int64)
    of_large = chart_of_face[geometry.large]
    lumels[geometry.large] = np.stack([start[of_large], grids.columns[of_large], grids.rows[of_large]], axis=1)
    lumels[small] = start[-1] + weld.sample_of_corner.reshape(-1, 3)
    first = weld.first_corner
    corner_face, corner_number = small[first // 3], first % 3
    corner_normal = scene.face_normals[corner_face, corner_number].astype(np.float64)
    middle = corners[corner_face].mean(axis=1)
    at_corner = corners[corner_face, corner_number]
    reach = np.linalg.norm(middle - at_corner, axis=1, keepdims=True)
    corner_position = at_corner + (middle - at_corner) * np.minimum(INSET_M / np.maximum(reach, 1e-9), 0.3)
    face = np.concatenate([leader[owner], corner_face])
    ones = np.ones(len(first), dtype=np.int64)
    return Charts(
        position_m=np.concatenate([position, corner_position]).astype(np.float32),
        normal=np.concatenate([geometry.normal[leader][owner], corner_normal]).astype(np.float32),
        tangent=np.concatenate([grids.s_axis[owner], geometry.along[corner_face]]).astype(np.float32),
        albedo=albedo[face],
        column=np.concatenate([column, ones * 0]),
        row=np.concatenate([row, ones * 0]),
        columns=np.concatenate([grids.columns[owner], ones]),
        rows=np.concatenate([grids.rows[owner], ones]),
        face=face,
        grid=geometry.large,
        lumels=lumels,
        at=_grid_coordinates(corners, geometry.large, chart_of_face, grids),
    )


@dataclass(frozen=True)
class _Geometry:
    """What each face is like."""

    normal: Float64[np.ndarray, "faces 3"]
    along: Float64[np.ndarray, "faces 3"]
    """Unit direction of the longest edge."""
    longest: Int64[np.ndarray, " faces"]
    """Edge k runs from corner k to corner k + 1."""
    length_m: Float64[np.ndarray, "faces 3"]
    large: Bool[np.ndarray, " faces"]
    """Flat, and too large for the light at its corners to say what it is between them."""

    @classmethod
    def of(cls, corners: Float64[np.ndarray, "faces 3 3"], shading: Float32[np.ndarray, "faces 3 3"]) -> "_Geometry":
        """Return the geometry of faces with their shading normals."""
        edges = np.roll(corners, -1, axis=1) - corners
        length = np.linalg.norm(edges, axis=2)
        longest = length.argmax(axis=1)
        rows = np.arange(len(corners))
        along = edges[rows, longest] / np.maximum(length[rows, longest], 1e-12)[:, None]
        normal = np.cross(edges[:, 0], edges[:, 1])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-20)
        facing = np.einsum("fci,fi->fc", shading, normal)
        flat = np.abs(facing).min(axis=1) > _FLAT_COSINE
        # Shading normals say which side of a face is looked at where the winding does not.
        normal = np.where(facing.mean(axis=1)[:, None] < 0.0, -normal, normal)
        return cls(normal, along, longest, length, flat & (length.max(axis=1) > WALL_STEP_M))


@dataclass(frozen=True)
class _Grids:
    """One grid per large face or pair of faces, in the frame (s along an edge, t across, both in the plane)."""

    s_axis: Float64[np.ndarray, "charts 3"]
    t_axis: Float64[np.ndarray, "charts 3"]
    plane: Float64[np.ndarray, " charts"]
    low: Float64[np.ndarray, "charts 2"]
    size: Float64[np.ndarray, "charts 2"]
    columns: Int64[np.ndarray, " charts"]
    rows: Int64[np.ndarray, " charts"]

    @classmethod
    def over(
        cls,
        corners: Float64[np.ndarray, "faces 3 3"],
        geometry: _Geometry,
        leader: Int64[np.ndarray, " charts"],
        partner: Int64[np.ndarray, " faces"],
    ) -> "_Grids":
        """Return grids over pairs (face, partner); a face without a partner is its own."""
        length = geometry.length_m[leader].copy()
        paired = partner[leader] != leader
        # The shared edge is a diagonal: a pair's grid runs along the longest of the others.
        length[paired, geometry.longest[leader[paired]]] = 0.0
        edge = length.argmax(axis=1)
        s_axis = corners[leader, (edge + 1) % 3] - corners[leader, edge]
        s_axis /= np.maximum(np.linalg.norm(s_axis, axis=1, keepdims=True), 1e-12)
        t_axis = np.cross(geometry.normal[leader], s_axis)
        both = np.concatenate([corners[leader], corners[partner[leader]]], axis=1)
        st = np.stack([np.einsum("kci,ki->kc", both, axis) for axis in (s_axis, t_axis)], axis=2)
        low = st.min(axis=1)
        size = st.max(axis=1) - low
        counts = _counts(size, geometry.normal[leader, 1])
        plane = np.einsum("ki,ki->k", corners[leader, 0], geometry.normal[leader])
        return cls(s_axis, t_axis, plane, low, size, counts[:, 0], counts[:, 1])


def _counts(
    size_m: Float64[np.ndarray, "charts 2"], up: Float64[np.ndarray, " charts"]
) -> Int64[np.ndarray, "charts 2"]:
    """Return columns and rows of grids of these sizes, coarser where a scene is large."""
    step = np.where(up > 0.7, FLOOR_STEP_M, np.where(up < -0.7, CEILING_STEP_M, WALL_STEP_M))
    step = np.where(size_m.min(axis=1) < NARROW_M, NARROW_STEP_M, step)

    def at(scale: float) -> Int64[np.ndarray, "charts 2"]:
        steps = np.ceil(size_m / (scale * step[:, None]) - 1e-3).astype(np.int64)
        return np.where(size_m < NARROW_M, 1, np.maximum(steps, 1) + 1)

    scale, counts = 1.0, at(1.0)
    while counts.prod(axis=1).sum() > GRID_SAMPLES_AT_MOST and scale < 8.0:
        scale *= 1.1
        counts = at(scale)
    return counts


@dataclass(frozen=True)
class _Weld:
    sample_of_corner: Int64[np.ndarray, " corners"]
    first_corner: Int64[np.ndarray, " samples"]


def _weld(corners: Float64[np.ndarray, "faces 3 3"], normals: Float64[np.ndarray, "faces 3 3"]) -> _Weld:
    """Return one sample for all corners at about the same place that look about the same way."""
    if len(corners) == 0:
        return _Weld(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    flat = corners.reshape(-1, 3)
    facing = np.round(normals.reshape(-1, 3) * 2.0).astype(np.int64) + 2
    direction = (facing[:, 0] * 5 + facing[:, 1]) * 5 + facing[:, 2]
    weld = _Weld(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    for cell_m in WELDS_M:
        cell = np.floor((flat - flat.min(axis=0)) / cell_m + 0.5).astype(np.int64)
        extent = cell.max(axis=0) + 1
        key = ((cell[:, 0] * extent[1] + cell[:, 1]) * extent[2] + cell[:, 2]) * 125 + direction
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        weld = _Weld(inverse.reshape(-1), first)
        if len(first) <= CORNERS_AT_MOST:
            break
    return weld


def _partners(
    corners: Float64[np.ndarray, "faces 3 3"], geometry: _Geometry, instance: np.ndarray
) -> Int64[np.ndarray, " faces"]:
    """Return for each face the coplanar one of its object across their common longest edge, or the face itself."""
    partner = np.arange(len(corners))
    large = np.flatnonzero(geometry.large)
    if len(large) == 0:
        return partner
    edge = geometry.longest[large]
    ends = np.stack([corners[large, edge], corners[large, (edge + 1) % 3]], axis=1)
    whole = np.round(ends * 2000.0).astype(np.int64)
    swap = whole[:, 0] - whole[:, 1]
    decisive = np.where(swap[:, 0] != 0, swap[:, 0], np.where(swap[:, 1] != 0, swap[:, 1], swap[:, 2]))
    whole = np.where((decisive > 0)[:, None, None], whole[:, ::-1], whole)
    key = np.concatenate([whole.reshape(-1, 6), instance[large, None].astype(np.int64)], axis=1)
    order = np.lexsort(key.T)
    same = (key[order[1:]] == key[order[:-1]]).all(axis=1)
    one, other = large[order[:-1][same]], large[order[1:][same]]
    flat = np.einsum("ki,ki->k", geometry.normal[one], geometry.normal[other]) > 0.9999
    one, other = one[flat], other[flat]
    # An edge with three faces pairs the first two alone.
    seen = np.isin(one, other)
    one, other = one[~seen], other[~seen]
    partner[one], partner[other] = other, one
    return partner


def _node(
    index: Int64[np.ndarray, " samples"], count: Int64[np.ndarray, " samples"], size_m: Float64[np.ndarray, " samples"]
) -> Float64[np.ndarray, " samples"]:
    """Return the distance of a grid's node from its low edge: the first and the last lie just within."""
    inset = np.minimum(INSET_M, 0.25 * size_m)
    inner = inset + (size_m - 2.0 * inset) * index / np.maximum(count - 1, 1)
    return np.where(count == 1, 0.5 * size_m, inner)


def _grid_coordinates(
    corners: Float64[np.ndarray, "faces 3 3"],
    large: Bool[np.ndarray, " faces"],
    chart: Int64[np.ndarray, " faces"],
    grids: _Grids,
) -> Float32[np.ndarray, "faces 6"]:
    """Return where in its grid a face's third corner lies, and the steps from there to its first and its second."""
    at = np.zeros((len(corners), 6), dtype=np.float32)
    of_face = chart[large]
    for axis, (vector, count) in enumerate(((grids.s_axis, grids.columns), (grids.t_axis, grids.rows))):
        along = np.einsum("fci,fi->fc", corners[large], vector[of_face]) - grids.low[of_face, axis, None]
        size = grids.size[of_face, axis]
        inset = np.minimum(INSET_M, 0.25 * size)
        steps = np.maximum(count[of_face] - 1, 0)
        node = (along - inset[:, None]) / np.maximum(size - 2.0 * inset, 1e-9)[:, None] * steps[:, None]
        at[large, axis] = node[:, 2]
        at[large, 2 + axis] = node[:, 0] - node[:, 2]
        at[large, 4 + axis] = node[:, 1] - node[:, 2]
    return at


def _mean_albedo(scene: PackedScene) -> Float64[np.ndarray, "materials 3"]:
    """Return the linear colour of each material, averaged over its texture."""
    means = np.array([linear_from_srgb(image[::4, ::4] / 255.0).mean(axis=(0, 1)) for image in scene.textures])
    colours = linear_from_srgb(np.array([material.colour for material in scene.materials], dtype=np.float64))
    texture = np.array([material.texture for material in scene.materials])
    if len(means):
        colours = np.where((texture >= 0)[:, None], colours * means[np.maximum(texture, 0)], colours)
    return np.clip(colours, 0.0, 0.95)
