"""Do depth, poses and intrinsics of a recorded walk fit together? Reproject depth from frame to frame and see.

    python benchmarks/reprojection.py DIR [--pairs 60] [--seed 0] [--json FILE]

Of the points of one frame that fall on a reading of another, the share whose depth there agrees within 5 cm. 'not
occluded' leaves out points more than 5 cm behind the reading, which something may hide; points in front of it can't be
explained away and count as errors. 'all points' leaves out nothing. The same again with every pose inverted: figures
that do not collapse then would prove nothing.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import tyro
from rich.console import Console
from rich.progress import track
from rich.table import Table

from backsight.geometry.poses import invert_pose
from backsight.geometry.projection import look_up_nearest, project, transform_points, unproject
from backsight.interchange.rgbd_folder import read_rgbd_folder
from backsight.records.errors import BacksightError
from backsight.records.score import ScoreRow

WITHIN_M = 0.05
LEAST_INSIDE = 0.2
TRIES_PER_PAIR = 100
RESAMPLES = 1000


@dataclass(frozen=True)
class Agreement:
    """Of each pair, the share of points that agree."""

    not_occluded: np.ndarray
    all_points: np.ndarray


def measure(depth_m, intrinsics, world_from_camera, pairs: int, seed: int, label: str) -> Agreement:
    """Return the agreement of seeded pairs of which at least `LEAST_INSIDE` of the first frame's points fall inside."""
    generator = np.random.default_rng(seed)
    camera_from_world = invert_pose(world_from_camera)
    shares = []
    tries = generator.integers(0, len(depth_m), (pairs * TRIES_PER_PAIR, 2))
    remaining = iter(tries[tries[:, 0] != tries[:, 1]])
    for _ in track(range(pairs), f"pairs, {label}", transient=True):
        for here, there in remaining:
            points_m = unproject(depth_m[here], intrinsics)[depth_m[here] > 0]
            points_m = transform_points(camera_from_world[there] @ world_from_camera[here], points_m)
            pixels, z_m = project(points_m, intrinsics)
            readings_m, inside = look_up_nearest(depth_m[there], pixels)
            if inside.sum() < max(LEAST_INSIDE * len(z_m), 1):
                continue
            known = readings_m > 0
            behind_m = z_m[known] - readings_m[known]
            agrees = np.abs(behind_m) <= WITHIN_M
            comparable = behind_m <= WITHIN_M
            shares.append((agrees.sum() / max(comparable.sum(), 1), agrees.sum() / max(len(behind_m), 1)))
            break
    found = np.array(shares).reshape(-1, 2)
    return Agreement(found[:, 0], found[:, 1])


def score_row(metric: str, predictor: str, shares: np.ndarray, seed: int) -> ScoreRow:
    """Return the median with the 95 % interval of a bootstrap over pairs (there is one place only)."""
    if not len(shares):
        return ScoreRow(metric, predictor, 0.0, 0.0, 0.0, 1, 0)
    generator = np.random.default_rng(seed)
    medians = np.median(generator.choice(shares, (RESAMPLES, len(shares))), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return ScoreRow(metric, predictor, float(np.median(shares)), float(low), float(high), 1, len(shares))


@dataclass
class Arguments:
    """What to measure."""

    folder: tyro.conf.Positional[Path]
    """Folder of a recorded RGB-D walk: images/, depth/, poses.txt, K.txt."""
    pairs: int = 60
    seed: int = 0
    json: Path | None = None
    """Write the rows there."""


def main() -> int:
    arguments = tyro.cli(Arguments, description=__doc__)
    try:
        sequence = read_rgbd_folder(arguments.folder)
    except BacksightError as error:
        Console(stderr=True).print(str(error))
        return error.exit_status

    table = Table(title=f"Reprojection within {WITHIN_M * 100:g} cm, {sequence.annotations.sequence_id}")
    for heading in ("poses", "points", "pairs", "lower quartile", "median", "upper quartile", "95 % interval"):
        table.add_column(heading, justify="left" if heading in ("poses", "points") else "right")
    rows = []
    poses = sequence.world_from_camera
    for name, world_from_camera in (("as read", poses), ("inverted", invert_pose(poses))):
        agreement = measure(
            sequence.depth_m, sequence.intrinsics, world_from_camera, arguments.pairs, arguments.seed, name
        )
        for points, shares in (("not occluded", agreement.not_occluded), ("all points", agreement.all_points)):
            row = score_row(f"reprojection_within_5cm, {points}", f"poses {name}", shares, arguments.seed)
            lower, upper = np.quantile(shares, [0.25, 0.75]) if len(shares) else (0.0, 0.0)
            figures = (f"{lower:.3f}", f"{row.value:.3f}", f"{upper:.3f}", f"{row.low:.3f} to {row.high:.3f}")
            table.add_row(name, points, str(len(shares)), *figures)
            rows.append(row)
    Console().print(table)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(msgspec.to_builtins(rows), indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
