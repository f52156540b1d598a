"""How sharp pictures are where one thing ends and another begins."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64

from backsight.geometry.poses import invert_pose
from backsight.geometry.projection import project
from backsight.records.sequence import Sequence

REACH_PX = 3
"""An edge is compared with the step over so many pixels on either side."""
LEAST_STEP = 24.0
"""Step of luma (0 to 255) that is an edge to be judged."""
LEAST_EDGES = 16
"""Frames with fewer edges are not judged."""
LEAST_BORDERS = 3
"""So are frames whose edges lie along fewer borders of one thing with another: that one may be between shaded walls."""
QUANTILE = 0.75
"""Textures and shadows soften some edges of a sharp picture; blur softens all."""
STILL_PX = 0.5
"""An edge that moves no farther across itself while the shutter is open stays sharp."""
USUAL_EXPOSURE_S = 1.0 / 60.0 + 1e-6
"""Longer exposures are for walks that promise motion blur."""
UNKNOWN = -1
"""Number of all borders where no ids are known."""


@dataclass(frozen=True)
class Edges:
    """Where one thing ends and another begins, between a pixel and the next of its row."""

    frame: Int64[np.ndarray, " edges"]
    row: Int64[np.ndarray, " edges"]
    column: Int64[np.ndarray, " edges"]
    """Of the pixel on the left."""
    ratio: Float32[np.ndarray, " edges"]
    """Step between two neighbours over the step across six pixels: 1 = sharp."""
    border: Int64[np.ndarray, " edges"]
    """A number for each two things, or `UNKNOWN`."""

    def of(self, chosen: Bool[np.ndarray, " edges"]) -> "Edges":
        """Return some of them.

        Args:
            chosen: Which.
        """
        parts = (self.frame, self.row, self.column, self.ratio, self.border)
        return Edges(*(part[chosen] for part in parts))


def edge_sharpness(
    luma: Float32[np.ndarray, "frames rows columns"], instance_ids: Int32[np.ndarray, "frames rows columns"]
) -> Float64[np.ndarray, " frames"]:
    """Return how much of the step between two things happens from one pixel to the next; NaN with too few edges.

    An edge lies where the id changes between two pixels of a row and stays the same for three pixels on either side.
    There the largest step of luma between two neighbours of the six is divided by the range of the six: a thing may
    have a rim of its own colour, or be as bright as what is behind it. In a sharp picture that is 1, behind a Gaussian
    blur of 0.7 px 0.55, of 1 px 0.4, of 2 px 0.25. The frame's value is the third quartile.

    Args:
        luma: 0 to 255.
        instance_ids: Of the same pixels. Where they are all alike (no ids) every steep place counts as an edge.
    """
    return sharpness_of_frames(steep_edges(luma, instance_ids), len(luma))


def still_edges(sequence: Sequence, luma: Float32[np.ndarray, "frames height width"], step: int) -> Edges:
    """Return the edges that stay sharp while the camera moves and its shutter is open.

    A camera that turns smears upright edges and leaves level ones sharp, one that walks ahead smears what it passes: by
    depth and poses each edge is known to move across itself by so many pixels, and only those within `STILL_PX` are
    asked. Motion along a slanted border softens it all the same, so of single frames they say little; all those of a
    walk together had 0.56 to 1 of their step in 130 walks with motion blur, and under 0.5 behind a Gaussian of 1 px.

    Args:
        sequence: With rigid poses, depth, ids and exposure.
        luma: 0 to 255, of all pixels.
        step: Every so many rows and columns are read.
    """
    ids = sequence.instance_ids
    upright = steep_edges(luma[:, ::step], ids[:, ::step])
    level = steep_edges(luma[:, :, ::step].transpose(0, 2, 1), ids[:, :, ::step].transpose(0, 2, 1))
    still = [edges.of(smear_px(sequence, edges, axis, step) <= STILL_PX) for axis, edges in enumerate((upright, level))]
    both = (np.concatenate(parts) for parts in zip(*(vars(edges).values() for edges in still), strict=True))
    return Edges(*both)


def steep_edges(
    luma: Float32[np.ndarray, "frames rows columns"], instance_ids: Int32[np.ndarray, "frames rows columns"]
) -> Edges:
    """Return the edges along rows; see `edge_sharpness`.

    Args:
        luma: 0 to 255.
        instance_ids: Of the same pixels; all alike = not known.
    """
    reach, width = REACH_PX, luma.shape[2]
    changes = instance_ids[:, :, 1:] != instance_ids[:, :, :-1]
    known = bool(changes.any())
    if not known:
        changes = np.abs(np.diff(luma, axis=2)) > 0.5 * LEAST_STEP
        instance_ids = np.zeros_like(instance_ids)
    frame, row, column = np.nonzero(changes[:, :, reach - 1 : max(width - reach, reach - 1)])
    column = column + reach - 1
    left, right = instance_ids[frame, row, column], instance_ids[frame, row, column + 1]
    clear = np.ones(len(frame), dtype=bool)
    for step in range(1, reach):
        clear &= instance_ids[frame, row, column - step] == left
        clear &= instance_ids[frame, row, column + 1 + step] == right
    frame, row, column = frame[clear], row[clear], column[clear]
    across = luma[frame[:, None], row[:, None], column[:, None] + np.arange(1 - reach, reach + 1)]
    wide = across.max(axis=1, initial=-np.inf) - across.min(axis=1, initial=np.inf)
    narrow = np.abs(np.diff(across, axis=1)).max(axis=1, initial=0.0)
    steep = wide > LEAST_STEP
    border = left.astype(np.int64) * (int(instance_ids.max(initial=0)) + 1) + right
    if not known:
        border[:] = UNKNOWN
    return Edges(frame[steep], row[steep], column[steep], narrow[steep] / wide[steep], border[clear][steep])


def smear_px(sequence: Sequence, edges: Edges, axis: int, step: int) -> Float64[np.ndarray, " edges"]:
    """Return by how many pixels edges move across themselves while the shutter is open; infinite without depth.

    Half of the exposure lies before a frame's time and half behind it; between frames a camera moves evenly. Of both
    pixels beside an edge the one that moves farther counts.

    Args:
        sequence: With rigid poses, depth and exposure.
        edges: Along rows, or along columns of the transposed pictures.
        axis: 0 for edges along rows, 1 along columns.
        step: Every so many rows (columns) of the sequence's pictures are the edges' rows.
    """
    annotations, poses = sequence.annotations, sequence.world_from_camera
    inverse, last = invert_pose(poses), len(poses) - 1
    neighbours = [inverse[np.clip(np.arange(last + 1) + other, 0, last)] @ poses for other in (-1, 1)]
    farthest = np.zeros(len(edges.frame))
    for beside in (0, 1):
        column, row = edges.column + beside, edges.row * step
        if axis == 1:
            column, row = row, column
        pixels = np.stack([column + 0.5, row + 0.5, np.ones(len(column))], axis=1)
        depth_m = sequence.depth_m[edges.frame, row, column].astype(np.float64)
        points_m = pixels @ np.linalg.inv(sequence.intrinsics).T * depth_m[:, None]
        moved = np.zeros(len(edges.frame))
        for other_from_this in neighbours:
            seen_m = np.einsum("eij,ej->ei", other_from_this[edges.frame, :3, :3], points_m)
            there, ahead_m = project(seen_m + other_from_this[edges.frame, :3, 3], sequence.intrinsics)
            moved += np.where((ahead_m > 0.0) & (depth_m > 0.0), np.abs(there[:, axis] - pixels[:, axis]), np.inf)
        farthest = np.maximum(farthest, moved)
    return 0.5 * annotations.exposure_s * annotations.frame_rate_hz * farthest


def sharpness_of_frames(edges: Edges, frames: int) -> Float64[np.ndarray, " frames"]:
    """Return the third quartile of each frame's edges; NaN where there are too few, or all along too few borders.

    Args:
        edges: Of a walk.
        frames: How many it has.
    """
    order = np.argsort(edges.frame, kind="stable")
    ratio, border = edges.ratio[order], edges.border[order]
    ends = np.searchsorted(edges.frame[order], np.arange(frames + 1))
    sharpness = np.full(frames, np.nan)
    for number, (start, end) in enumerate(pairwise(ends.tolist())):
        borders = len(np.unique(border[start:end]))
        if end - start >= LEAST_EDGES and (borders >= LEAST_BORDERS or border[start] == UNKNOWN):
            sharpness[number] = np.quantile(ratio[start:end], QUANTILE)
    return sharpness


def sharpness_of_walk(edges: Edges) -> float:
    """Return the third quartile of all edges of a walk; NaN as for one frame.

    Args:
        edges: Of all its frames.
    """
    return float(sharpness_of_frames(replace(edges, frame=np.zeros_like(edges.frame)), 1)[0])


def excuses_motion(sequence: Sequence) -> bool:
    """Return whether edges may be smeared by motion: at a usual exposure, and in walks that promise motion blur.

    Args:
        sequence: With its annotations.
    """
    annotations = sequence.annotations
    promised = "motion_blur" in annotations.challenges
    return annotations.exposure_s > 0.0 and (promised or annotations.exposure_s <= USUAL_EXPOSURE_S)
