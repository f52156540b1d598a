"""Whether the depths of two frames tell of one world, and whether they give its surfaces the same ids."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from backsight.geometry.poses import invert_pose
from backsight.quality.moving import Places
from backsight.quality.samples import SampledViews
from backsight.records.sequence import Sequence

ONE_SURFACE_RATIO = 1.1
"""Four neighbouring readings are interpolated when the largest is at most so many times the smallest."""
LAGS = (1, 5, 11)
"""Frames apart: neighbours show a single bad frame, frames farther apart a drift."""
FAR_STRIDE = 2
"""Of the pairs that are farther apart than neighbours every second one is compared."""
LEAST_SHARED = 0.1
"""Pairs that share less of the samples say nothing about agreement."""
NEAREST_M = 0.01
"""Points nearer to the camera's plane are not projected."""
SEEN_PAST, SURELY_HIDDEN = 3.0, 8.0
"""Tolerances by which four readings of several surfaces must all lie beyond a point, or before it, to decide."""


@dataclass(frozen=True)
class PairReadings:
    """What the second frame of each pair shows where the samples of the first one fall."""

    first: Int64[np.ndarray, " pairs"]
    second: Int64[np.ndarray, " pairs"]
    agrees: Bool[np.ndarray, "pairs samples"]
    contradicts: Bool[np.ndarray, "pairs samples"]
    """The second frame sees past the surface: nothing explains it but a wrong depth or pose."""
    measured: Bool[np.ndarray, "pairs samples"]
    """The first frame has depth there."""
    possible: Bool[np.ndarray, "pairs samples"]
    """May be seen in the second frame: it falls into the picture and nothing clearly hides it, or it moved."""
    seen_id: Int64[np.ndarray, "pairs samples"]
    """Id at that place, -1 where its four neighbouring pixels differ in it."""
    thing_id: Int64[np.ndarray, "pairs samples"]
    """Thing that each sample of the first frame lies on; 0 for parts of the building."""

    def agreement(self) -> Float64[np.ndarray, " pairs"]:
        """Return the share of the shared surface on which depths agree; NaN where frames share too little.

        The thing of each pair that most is seen past of is left out: between four readings a pleated curtain or a plant
        is no plane. A wrong depth or pose contradicts elsewhere too.
        """
        size = int(self.thing_id.max(initial=0)) + 1
        cell = np.arange(len(self.first))[:, None] * size + self.thing_id
        agreeing, contradicting = (
            np.bincount(cell[holds], minlength=len(cell) * size).reshape(-1, size)
            for holds in (self.agrees, self.contradicts)
        )
        contradicted = contradicting.copy()
        contradicted[:, 0] = 0
        worst = contradicted.argmax(axis=1)
        left_out = np.zeros_like(contradicted, dtype=bool)
        left_out[np.arange(len(worst)), worst] = worst > 0
        agreeing, contradicting = (np.where(left_out, 0, counts).sum(axis=1) for counts in (agreeing, contradicting))
        compared = agreeing + contradicting
        enough = compared >= LEAST_SHARED * self.agrees.shape[1]
        return np.where(enough, agreeing / np.maximum(compared, 1), np.nan)


def compared_pairs(frames: int) -> tuple[Int64[np.ndarray, " pairs"], Int64[np.ndarray, " pairs"]]:
    """Return neighbouring frames and every second pair of those 5 and 11 apart, in both orders.

    Args:
        frames: Number of frames.
    """
    starts = [np.arange(0, max(0, frames - lag), 1 if lag == 1 else FAR_STRIDE) for lag in LAGS]
    first = np.concatenate(starts)
    second = np.concatenate([start + lag for start, lag in zip(starts, LAGS, strict=True)])
    return np.concatenate([first, second]), np.concatenate([second, first])


def compare_frames(
    sequence: Sequence,
    views: SampledViews,
    first: Int64[np.ndarray, " pairs"],
    second: Int64[np.ndarray, " pairs"],
    tolerance: tuple[float, float],
) -> PairReadings:
    """Carry the samples of frames into others and compare what is seen there.

    The depth at the place is interpolated in 1 / z, which is exact on planes, between four readings of one surface.
    Samples of things that lie elsewhere in the second frame are left out, and places where such a thing is now, so
    that neither the thing nor what it has covered or laid bare counts.

    Args:
        sequence: Frames.
        views: Its samples.
        first: Frames whose samples are carried.
        second: Frames that they are carried into.
        tolerance: Depths agree within the larger of so many metres and so large a share of the depth.
    """
    shape = (len(first), len(views.rows))
    measured = views.measured[first]
    falls, x, y, z_m = _project(sequence, views, first, second, measured)
    width, height = sequence.image_size
    # Half a pixel along the border is seen but has no four readings.
    possible = np.zeros(shape, dtype=bool)
    possible.reshape(-1)[falls] = True
    inner = (x >= 0.0) & (x <= width - 1.0) & (y >= 0.0) & (y <= height - 1.0)
    falls, x, y, z_m = falls[inner], x[inner], y[inner], z_m[inner]
    pair = falls // shape[1]
    left, top = np.minimum(x, width - 1.001).astype(np.int64), np.minimum(y, height - 1.001).astype(np.int64)
    start = (second[pair] * height + top) * width + left
    depths, ids = sequence.depth_m.reshape(-1), sequence.instance_ids.reshape(-1)
    corners = (start, start + 1, start + width, start + width + 1)
    readings = [depths.take(corner) for corner in corners]
    seen = [ids.take(corner) for corner in corners]
    smallest = np.minimum(np.minimum(readings[0], readings[1]), np.minimum(readings[2], readings[3]))
    largest = np.maximum(np.maximum(readings[0], readings[1]), np.maximum(readings[2], readings[3]))
    one_id = (seen[1] == seen[0]) & (seen[2] == seen[0]) & (seen[3] == seen[0])
    places = Places(sequence.annotations)
    still = smallest > 0.0
    for shown in (views.instance_ids[first].reshape(-1)[falls], *seen) if sequence.annotations.motions else ():
        still &= ~places.moved(shown.astype(np.int64), first[pair], second[pair])
    tolerance_m = np.maximum(tolerance[0], tolerance[1] * z_m)
    together = still & one_id & (largest <= ONE_SURFACE_RATIO * smallest)
    there_m = _between(readings, together, x - left, y - top)
    close = together & (np.abs(there_m - z_m) <= tolerance_m)
    past = (together & (there_m > z_m + tolerance_m)) | (still & (smallest > z_m + SEEN_PAST * tolerance_m))
    hidden = still & (largest < z_m - SURELY_HIDDEN * tolerance_m)
    possible.reshape(-1)[falls[hidden]] = False
    possible |= measured & _moved_samples(places, views, first, second)
    agrees, contradicts = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    agrees.reshape(-1)[falls] = close
    contradicts.reshape(-1)[falls] = past & ~close
    seen_id = np.full(shape, -1, dtype=np.int64)
    seen_id.reshape(-1)[falls] = np.where(one_id, seen[0], -1)
    things = [thing.instance_id for thing in sequence.annotations.objects if not thing.is_structure]
    thing_id = np.where(np.isin(views.instance_ids, things), views.instance_ids, 0)[first]
    return PairReadings(first, second, agrees, contradicts, measured, possible, seen_id, thing_id)


def _moved_samples(
    places: Places, views: SampledViews, first: Int64[np.ndarray, " pairs"], second: Int64[np.ndarray, " pairs"]
) -> Bool[np.ndarray, "pairs samples"]:
    ids = views.instance_ids[first]
    pair = np.repeat(np.arange(len(first)), ids.shape[1])
    return places.moved(ids.reshape(-1), first[pair], second[pair]).reshape(ids.shape)


def _project(
    sequence: Sequence,
    views: SampledViews,
    first: Int64[np.ndarray, " pairs"],
    second: Int64[np.ndarray, " pairs"],
    measured: Bool[np.ndarray, "pairs samples"],
) -> tuple[
    Int64[np.ndarray, " falls"],
    Float64[np.ndarray, " falls"],
    Float64[np.ndarray, " falls"],
    Float64[np.ndarray, " falls"],
]:
    """Return which samples fall into the second picture (flat), where from the first pixel's centre, and how deep."""
    camera_from_world = invert_pose(sequence.world_from_camera)[second]
    points_m = views.points_m[first] @ camera_from_world[:, :3, :3].swapaxes(1, 2) + camera_from_world[:, None, :3, 3]
    z_m = points_m[..., 2]
    ahead = np.flatnonzero(measured & (z_m > NEAREST_M))
    ahead_m = points_m.reshape(-1, 3)[ahead]
    (focal_x, skew, centre_x), (_, focal_y, centre_y) = sequence.intrinsics[:2]
    z_m = ahead_m[:, 2]
    x = (focal_x * ahead_m[:, 0] + skew * ahead_m[:, 1]) / z_m + (centre_x - 0.5)
    y = focal_y * ahead_m[:, 1] / z_m + (centre_y - 0.5)
    width, height = sequence.image_size
    falls = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return ahead[falls], x[falls], y[falls], z_m[falls]


def _between(
    readings: list[np.ndarray],
    together: Bool[np.ndarray, " falls"],
    along: Float64[np.ndarray, " falls"],
    down: Float64[np.ndarray, " falls"],
) -> Float64[np.ndarray, " falls"]:
    """Return depth between four readings, bilinear in 1 / z; meaningless where they are not together."""
    inverse = [1.0 / np.where(together, reading, 1.0) for reading in readings]
    upper = inverse[0] + along * (inverse[1] - inverse[0])
    lower = inverse[2] + along * (inverse[3] - inverse[2])
    return 1.0 / (upper + down * (lower - upper))
