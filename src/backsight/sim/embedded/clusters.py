"""Triangles in small groups that lie close together, eight side by side in memory, for the rasteriser."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64

from backsight.sim.embedded.packed import PackedScene

LANES = 8
CLUSTER_FACES = 64


@dataclass(frozen=True)
class ClusteredFaces:
    """All triangles of a scene by cluster; a cluster holds faces of one instance alone."""

    soup: Float32[np.ndarray, "blocks 9 8"]
    """World coordinates of eight triangles at a time: x, y and z of their three corners."""
    slot_face: Int32[np.ndarray, " slots"]
    """Face at each place of the soup; -1 where there is none and the corners are all zero."""
    first_block: Int32[np.ndarray, " clusters_and_one"]
    boxes: Float32[np.ndarray, "clusters 6"]
    """Least and greatest coordinates [m]."""
    instance: Int32[np.ndarray, " clusters"]


def cluster_faces(scene: PackedScene) -> ClusteredFaces:
    """Return a scene's faces by instance and, within one, along a curve through space.

    Args:
        scene: any.
    """
    corners = scene.vertices_m[scene.faces]
    order = np.lexsort((_place_on_curve(corners), scene.face_instance))
    instances = scene.face_instance[order]
    starts = np.flatnonzero(np.diff(instances, prepend=instances[0] - 1))
    in_instance = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    opens = in_instance % CLUSTER_FACES == 0
    first = np.flatnonzero(opens)
    count = np.diff(first, append=len(order))
    blocks = -(-count // LANES)
    first_block = np.concatenate([[0], np.cumsum(blocks)]).astype(np.int32)
    slots = np.repeat(first_block[:-1] * LANES, count) + np.arange(len(order)) - np.repeat(first, count)
    slot_face = np.full(first_block[-1] * LANES, -1, dtype=np.int32)
    slot_face[slots] = order
    return ClusteredFaces(
        _soup(corners, slot_face),
        slot_face,
        first_block,
        np.concatenate(
            [
                np.minimum.reduceat(corners[order].min(axis=1), first),
                np.maximum.reduceat(corners[order].max(axis=1), first),
            ],
            axis=1,
        ),
        instances[first],
    )


def _soup(corners_m: Float32[np.ndarray, "faces 3 3"], slot_face: Int32[np.ndarray, " slots"]) -> np.ndarray:
    """Return corners by block, coordinate and lane; zero where a slot is empty."""
    filled: Bool[np.ndarray, " slots"] = slot_face >= 0
    values = np.where(filled[:, None, None], corners_m[slot_face], np.float32(0.0))
    return np.ascontiguousarray(values.reshape(-1, LANES, 9).transpose(0, 2, 1))


def _place_on_curve(corners_m: Float32[np.ndarray, "faces 3 3"]) -> Int64[np.ndarray, " faces"]:
    """Return the place of each face's middle on Morton's curve, ten bits an axis.

    Source: Morton, A computer oriented geodetic data base and a new technique in file sequencing, 1966.
    """
    middles: Float64[np.ndarray, "faces 3"] = corners_m.mean(axis=1, dtype=np.float64)
    low = middles.min(axis=0)
    extent = max(float((middles.max(axis=0) - low).max()), 1e-9)
    cells = np.minimum((middles - low) / extent * 1024.0, 1023.0).astype(np.int64)
    place = np.zeros(len(middles), dtype=np.int64)
    for bit in range(10):
        for axis in range(3):
            place |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return place
