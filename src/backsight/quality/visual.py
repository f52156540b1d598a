"""Visual quality: exposure, contrast, sharpness, holes, frames that stand still; judged by what the kind promises."""

import math

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from backsight.quality.judgement import Judgement, weakest_counts
from backsight.quality.motion import moved_between_frames
from backsight.quality.sharpness import edge_sharpness, excuses_motion, sharpness_of_walk, still_edges
from backsight.records.quality import Finding
from backsight.records.sequence import Sequence, SequenceAnnotations
from backsight.storage.layout import RGB_FILE, path_in_dataset

_LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
ROWS_READ = 64
"""About so many rows of a frame are read."""
DARKEST_MEAN, BRIGHTEST_MEAN = 20.0, 235.0
"""Mean luma (0 to 255) of a frame with full marks."""
DARKEST_DIM_MEAN = 6.0
"""The same where little light was promised."""
BLACK, WHITE = 4.0, 251.0
LEAST_CONTRAST = 8.0
"""Standard deviation of luma at which a frame has full marks."""
LEAST_SPREAD = 1.0
"""A frame whose luma varies less shows nothing, be it black, white or grey."""
MOST_BLURRED = 0.65
"""A walk whose edges are softer is blurred."""
MOST_BLURRED_IN_MOTION = 0.5
"""The same of edges that keep still while the camera moves and its shutter is open."""
FULL_SHARPNESS = 0.9
"""Sharpness of edges, 1 = sharp, that has full marks."""
ONE_FRAME_BLURRED, NEIGHBOURS_SHARP = 0.55, 0.85
"""A single frame is blurred when its edges are softer than the first and those of both neighbours sharper than the
second."""
FROZEN_DIFFERENCE = 0.05
"""Mean difference of luma under which two frames are one picture."""
THUMBNAIL_PX = 16
APART_M, APART_COSINE = 0.1, 0.996
"""Two frames so far or (5 degrees) so differently turned can't be one picture."""
MARGIN = 0.4
"""A picture that is black, blank or stands still can't be made good by its other virtues."""


def luma_of(rgb: UInt8[np.ndarray, "frames height width 3"]) -> Float32[np.ndarray, "frames height width"]:
    """Return brightness of sRGB images, 0 to 255.

    Args:
        rgb: Images.
    """
    return rgb.astype(np.float32) @ _LUMA


def judge_pictures(sequence: Sequence) -> Judgement:
    """Return visual quality: the mean of its parts, at most the lowest and `MARGIN`.

    Args:
        sequence: With rigid poses.
    """
    step = max(1, sequence.image_size[1] // ROWS_READ)
    luma = luma_of(sequence.rgb[:, ::step])
    ids = sequence.instance_ids[:, ::step]
    blank = luma.std(axis=(1, 2)) < LEAST_SPREAD
    frozen = frozen_frames(sequence, luma) & ~blank
    if excuses_motion(sequence):
        soft, sharp = sharpness_in_motion(sequence, step)
    else:
        soft, sharp = sharpness(sequence, edge_sharpness(luma, ids))
    parts = {
        "exposure": exposure(luma, promises_dim_light(sequence.annotations)),
        "contrast": float(np.clip(luma.std(axis=(1, 2)) / LEAST_CONTRAST, 0.0, 1.0).mean()),
        "sharpness": sharp,
        "holes": whole_share(sequence),
        "no_frozen_frames": 1.0 - float(frozen.mean()),
    }
    path = path_in_dataset(sequence.annotations.sequence_id, RGB_FILE)
    findings = [
        Finding(path, "rgb", "is the frame before although the camera moved", int(frame))
        for frame in np.flatnonzero(frozen)
    ]
    findings += [
        Finding(path, "rgb", f"shows nothing: luma is {luma[frame].mean():.0f} everywhere", int(frame))
        for frame in np.flatnonzero(blank)
    ]
    findings += [
        Finding(path, "rgb", f"is the same picture as frame {first}, taken from another place", second)
        for first, second in duplicated_frames(sequence, luma)
        if not frozen[second]
    ]
    return Judgement(weakest_counts(parts, MARGIN), parts, (*findings, *soft))


def promises_dim_light(annotations: SequenceAnnotations) -> bool:
    """Return whether dark pictures were asked for: light that changes, or a scene lit dimly by its id.

    Args:
        annotations: Of a walk.
    """
    dim = any(f"lighting={word}" in annotations.scene_id for word in ("dim", "evening"))
    return dim or "changing_light" in annotations.challenges


def exposure(luma: Float32[np.ndarray, "frames rows columns"], dim: bool) -> float:
    """Return the mean over frames of: mean luma within bounds x share of pixels that are neither black nor white.

    Args:
        luma: 0 to 255.
        dim: Whether dark pictures were asked for.
    """
    mean = luma.mean(axis=(1, 2))
    darkest = DARKEST_DIM_MEAN if dim else DARKEST_MEAN
    bright_enough = np.clip((mean - 0.25 * darkest) / (0.75 * darkest), 0.0, 1.0)
    dark_enough = np.clip((255.0 - mean) / (255.0 - BRIGHTEST_MEAN), 0.0, 1.0)
    clipped = (luma > WHITE).mean(axis=(1, 2))
    if not dim:
        clipped = clipped + (luma < BLACK).mean(axis=(1, 2))
    return float((bright_enough * dark_enough * (1.0 - clipped)).mean())


def sharpness(sequence: Sequence, of_frames: Float64[np.ndarray, " frames"]) -> tuple[list[Finding], float]:
    """Return findings of blur, in all frames or a single one, and the mean sharpness of edges as a score.

    Args:
        sequence: Whose pictures they are.
        of_frames: Sharpness of the edges of each frame, 1 = sharp; NaN = not judged.
    """
    judged = of_frames[np.isfinite(of_frames)]
    if not judged.size:
        return [], 1.0
    score = float(np.clip(np.minimum(judged, 1.0).mean() / FULL_SHARPNESS, 0.0, 1.0))
    typical = float(np.median(judged))
    if not sequence.annotations.objects:
        return [], score
    if typical < MOST_BLURRED:
        return [_blurred(sequence, typical)], score
    findings = [
        _blurred(sequence, of_frames[frame], frame)
        for frame in range(1, len(of_frames) - 1)
        if of_frames[frame] < ONE_FRAME_BLURRED and min(of_frames[frame - 1], of_frames[frame + 1]) > NEIGHBOURS_SHARP
    ]
    return findings, score


def sharpness_in_motion(sequence: Sequence, step: int) -> tuple[list[Finding], float]:
    """Return findings of blur that motion does not explain, and the sharpness of edges that keep still as a score.

    Args:
        sequence: Whose camera moves while its shutter is open.
        step: Every so many rows and columns are read.
    """
    share = sharpness_of_walk(still_edges(sequence, luma_of(sequence.rgb), step))
    if math.isnan(share):
        return [], 1.0
    findings = [_blurred(sequence, share)] if share < MOST_BLURRED_IN_MOTION and sequence.annotations.objects else []
    return findings, float(np.clip(share / FULL_SHARPNESS, 0.0, 1.0))


def _blurred(sequence: Sequence, share: float, frame: int | None = None) -> Finding:
    path = path_in_dataset(sequence.annotations.sequence_id, RGB_FILE)
    return Finding(path, "rgb", f"is blurred: edges have {share:.0%} of their sharpness", frame)


def whole_share(sequence: Sequence) -> float:
    """Return 1 - 10 x share of pixels without depth that lie amid measured ones; 0 from a tenth on.

    Pixels without depth at a frame's border or all over it are judged by the share of valid depth; here it is small
    gaps: both neighbours in a row, two pixels away, are measured. In walks that were recorded with a sensor gaps are
    how the sensor works: they count a tenth.

    Args:
        sequence: With depth.
    """
    depth_m = sequence.depth_m
    if float(depth_m.min()) > 0.0:
        return 1.0
    gaps = (depth_m[:, :, 2:-2] <= 0.0) & (depth_m[:, :, :-4] > 0.0) & (depth_m[:, :, 4:] > 0.0)
    weight = 10.0 if sequence.annotations.objects else 1.0
    return float(np.clip(1.0 - weight * gaps.mean(), 0.0, 1.0))


def frozen_frames(sequence: Sequence, luma: Float32[np.ndarray, "frames rows columns"]) -> Bool[np.ndarray, " frames"]:
    """Return frames that are the picture before although the camera moved and the depth changed.

    Args:
        sequence: With rigid poses.
        luma: Of its frames.
    """
    still = np.abs(np.diff(luma, axis=0)).mean(axis=(1, 2)) < FROZEN_DIFFERENCE
    return np.concatenate([[False], still & moved_between_frames(sequence.world_from_camera)])


def duplicated_frames(sequence: Sequence, luma: Float[np.ndarray, "frames rows columns"]) -> list[tuple[int, int]]:
    """Return pairs of frames that are one picture although they were taken far apart, each second frame once.

    Args:
        sequence: With rigid poses.
        luma: Of its frames.
    """
    rows = np.linspace(0, luma.shape[1] - 1, THUMBNAIL_PX).astype(np.int64)
    columns = np.linspace(0, luma.shape[2] - 1, THUMBNAIL_PX).astype(np.int64)
    small: Float64[np.ndarray, "frames pixels"] = (
        luma[:, rows[:, None], columns].reshape(len(luma), -1).astype(np.float64)
    )
    difference = np.abs(small[:, None] - small[None]).mean(axis=-1)
    place, ahead = sequence.world_from_camera[:, :3, 3], sequence.world_from_camera[:, :3, 2]
    apart = np.linalg.norm(place[:, None] - place[None], axis=-1) > APART_M
    apart |= ahead @ ahead.T < APART_COSINE
    flat = small.std(axis=1) < LEAST_CONTRAST
    same = (difference < FROZEN_DIFFERENCE) & apart & ~flat[:, None]
    pairs = np.argwhere(np.triu(same, 1))
    return list({int(second): (int(first), int(second)) for first, second in pairs[::-1]}.values())
