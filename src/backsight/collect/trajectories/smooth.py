"""From way-points and gaze to a C1 motion within limits, checked on the planned curve."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from pydantic import BaseModel, ConfigDict, Field
from scipy.interpolate import CubicSpline

from backsight.geometry.poses import look_poses
from backsight.records.errors import BacksightError
from backsight.sim.simulator import Navigation

SAMPLES_PER_FRAME = 20
"""Planned samples from one frame to the next."""
PATH_STEP_M = 0.02
SMOOTHING_WIDTHS_M = (0.6, 0.4, 0.25, 0.12)
"""Corner rounding tried from wide to narrow until the path is clear."""
MOST_CURVATURE_PER_M = 40.0
"""Sharper turns are turns on the spot: no walk goes through them at any speed."""
LEAST_STEP_COSINE = 0.5
"""Of the angle between one step of a path and the next; less is a turn on the spot, which no curvature shows."""
TANGENTIAL_SHARE = 0.69
"""Share of the acceleration limit for speeding up, and again for cornering: just under the whole together."""
YAW_SHARE, PITCH_SHARE = 0.94, 0.3
"""Shares of the turn limits given to yaw and pitch, whose axes are perpendicular."""

Clear = Callable[[Float64[np.ndarray, "points axes"]], Bool[np.ndarray, " points"]]
"""Tells which floor points keep the agent's clearance; (x, z), or (x, z, height) where the floor rises."""


class TrajectoryError(BacksightError):
    """A scene can't host the wanted trajectory; another seed or place may."""


class MotionLimits(BaseModel):
    """What a walking agent's motion never exceeds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    speed_mps: float = Field(default=0.5, gt=0, le=2)
    turn_dps: float = Field(default=30.0, gt=0, le=180)
    """Rate of the camera's rotation."""
    acceleration_mps2: float = Field(default=0.5, gt=0, le=5)
    turn_acceleration_dps2: float = Field(default=60.0, gt=0, le=720)
    pitch_deg: float = Field(default=30.0, ge=0, lt=90)
    """Largest pitch up or down."""
    clearance_m: float = Field(default=0.2, ge=0, le=1)
    """Least distance to any obstacle on the floor plane: the agent's radius."""


class CameraMount(BaseModel):
    """How the camera is carried, how often it records and how wide it sees."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    height_m: float = Field(default=1.25, gt=0, le=3)
    """Above the floor."""
    frame_rate_hz: float = Field(default=2.0, gt=0, le=60)
    hfov_deg: float = Field(default=79.0, ge=20.0, le=150.0)
    """Horizontal field of view."""


@dataclass(frozen=True)
class Motion:
    """A planned motion at dense, even times; every `SAMPLES_PER_FRAME`-th sample is a frame."""

    time_s: Float64[np.ndarray, " samples"]
    position_m: Float64[np.ndarray, "samples 3"]
    """Camera in the world frame."""
    yaw_rad: Float64[np.ndarray, " samples"]
    """Unwrapped."""
    pitch_rad: Float64[np.ndarray, " samples"]

    def world_from_camera(self) -> Float64[np.ndarray, "samples 4 4"]:
        """Return the camera pose of every sample."""
        return look_poses(self.position_m, self.yaw_rad, self.pitch_rad)


class FloorPath:
    """A smooth curve over the floor, by its length in space.

    Args:
        points_m: World (x, z), or (x, z, height) where it leads over stairs.
    """

    def __init__(self, points_m: Float64[np.ndarray, "points axes"]) -> None:
        steps_m = np.linalg.norm(np.diff(points_m, axis=0), axis=1)
        kept = np.concatenate([[True], steps_m > 1e-6])
        points = points_m[kept]
        if len(points) < 4:
            raise TrajectoryError("the path is too short to walk; choose points further apart")
        self.distances_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
        self.length_m = float(self.distances_m[-1])
        self._spline = CubicSpline(self.distances_m, points)
        directions = np.diff(points, axis=0) / np.diff(self.distances_m)[:, None]
        self._least_cosine = float((directions[1:] * directions[:-1]).sum(axis=1).min())

    def points_xz_m(self, distance_m: Float64[np.ndarray, " samples"]) -> Float64[np.ndarray, "samples 2"]:
        """Return world (x, z) at distances along the path; beyond the ends, the ends."""
        return self.points_m(distance_m)[:, :2]

    def points_m(self, distance_m: Float64[np.ndarray, " samples"]) -> Float64[np.ndarray, "samples axes"]:
        """Return points with the columns that the path was made of."""
        return self._spline(np.clip(distance_m, 0.0, self.length_m))

    def heading_rad(self, distance_m: Float64[np.ndarray, " samples"]) -> Float64[np.ndarray, " samples"]:
        """Return the unwrapped yaw of the tangent at rising or falling distances along the path."""
        tangent = self._spline(self.distances_m, 1)
        heading = np.unwrap(np.arctan2(-tangent[:, 0], -tangent[:, 1]))
        return np.interp(distance_m, self.distances_m, heading)

    def curvature_per_m(self) -> Float64[np.ndarray, " knots"]:
        """Return the curvature at `distances_m`: in space, or of the heading where that changes faster."""
        first, second = self._spline(self.distances_m, 1), self._spline(self.distances_m, 2)
        cross = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
        length = np.linalg.norm(first, axis=1)
        if first.shape[1] == 2:
            return np.abs(cross) / np.maximum(length**3, 1e-9)
        rising = second[:, 2] * np.linalg.norm(first[:, :2], axis=1)
        heading = np.abs(cross) / np.maximum((first[:, :2] ** 2).sum(axis=1) * length, 1e-9)
        return np.maximum(heading, np.hypot(cross, rising) / np.maximum(length**3, 1e-9))

    @property
    def turns_on_the_spot(self) -> bool:
        """Whether some turn is too sharp to be walked through."""
        sharpest = float(self.curvature_per_m().max())
        return self._least_cosine < LEAST_STEP_COSINE or sharpest > MOST_CURVATURE_PER_M


class SpeedProfile:
    """The fastest walk along a path within limits, from rest to rest."""

    def __init__(self, path: FloorPath, speed_mps: float, limits: MotionLimits) -> None:
        acceleration = TANGENTIAL_SHARE * limits.acceleration_mps2
        curvature = np.maximum(path.curvature_per_m(), 1e-6)
        fastest = np.minimum(np.sqrt(acceleration / curvature), np.radians(limits.turn_dps) / curvature)
        # The limit of a knot also covers its neighbours: curvature between knots may exceed that at them.
        fastest = np.minimum(fastest, np.minimum(np.roll(fastest, 1), np.roll(fastest, -1)))
        squares = np.minimum(fastest, min(speed_mps, limits.speed_mps)) ** 2
        squares[[0, -1]] = 0.0
        self._distances = path.distances_m
        gains = (2.0 * acceleration * np.diff(self._distances)).tolist()
        forward = squares.tolist()
        for index, gain in enumerate(gains):
            forward[index + 1] = min(forward[index + 1], forward[index] + gain)
        for index in range(len(gains) - 1, -1, -1):
            forward[index] = min(forward[index], forward[index + 1] + gains[index])
        self._speeds = np.sqrt(np.array(forward))
        mean_speed = np.maximum((self._speeds[1:] + self._speeds[:-1]) / 2, 1e-9)
        self._times = np.concatenate([[0.0], np.cumsum(np.diff(self._distances) / mean_speed)])
        self.duration_s = float(self._times[-1])

    def distance_m(self, time_s: Float64[np.ndarray, " samples"]) -> Float64[np.ndarray, " samples"]:
        """Return the distance walked at each time; 0 before the start, the length after the end."""
        time = np.clip(time_s, 0.0, self.duration_s)
        knot = np.clip(np.searchsorted(self._times, time, side="right") - 1, 0, len(self._times) - 2)
        span = np.maximum(self._times[knot + 1] - self._times[knot], 1e-12)
        acceleration = (self._speeds[knot + 1] - self._speeds[knot]) / span
        elapsed = time - self._times[knot]
        return self._distances[knot] + self._speeds[knot] * elapsed + acceleration * elapsed**2 / 2


def on_floor(points_xz_m: Float64[np.ndarray, "points 2"], floor_m: float) -> Float64[np.ndarray, "points 3"]:
    """Return world points at the height of a floor.

    Args:
        points_xz_m: World (x, z).
        floor_m: Height of the floor.
    """
    return np.stack([points_xz_m[:, 0], np.full(len(points_xz_m), floor_m), points_xz_m[:, 1]], axis=-1)


def clear_test(navigation: Navigation, floor_m: float, clearance_m: float) -> Clear:
    """Return the test of whether floor points keep a distance to every obstacle.

    Args:
        navigation: Of the loaded scene.
        floor_m: Height of the floor.
        clearance_m: Distance to keep.
    """

    def clear(points_xz_m: Float64[np.ndarray, "points 2"]) -> Bool[np.ndarray, " points"]:
        return navigation.clearance_m(on_floor(points_xz_m, floor_m)) >= clearance_m

    return clear


def clear_walk_test(navigation: Navigation, clearance_m: float) -> Clear:
    """Return the test of whether points of a walk, given as (x, z, height), keep a distance to every obstacle.

    Args:
        navigation: Of the loaded scene.
        clearance_m: Distance to keep.
    """

    def clear(points_m: Float64[np.ndarray, "points axes"]) -> Bool[np.ndarray, " points"]:
        return navigation.clearance_m(points_m[:, [0, 2, 1]]) >= clearance_m

    return clear


def dense_times_s(num_frames: int, frame_rate_hz: float) -> Float64[np.ndarray, " samples"]:
    """Return the sample times of a motion with `num_frames` frames.

    Args:
        num_frames: Number of frames, at least 1.
        frame_rate_hz: Frames a second.
    """
    return np.arange((num_frames - 1) * SAMPLES_PER_FRAME + 1) / (SAMPLES_PER_FRAME * frame_rate_hz)


def smooth_path(way_points_m: Float64[np.ndarray, "points axes"], clear: Clear) -> FloorPath:
    """Round the corners of a way through way-points as widely as the free space allows.

    Args:
        way_points_m: World (x, z) of the way-points, start and goal included; with heights as a third column where
            the floor rises.
        clear: Tells which floor points keep the agent's clearance.

    Raises:
        TrajectoryError: No rounding is clear, or the way turns back on itself.
    """
    line = _resampled(way_points_m)
    for width_m in SMOOTHING_WIDTHS_M:
        rounded = _box_filter(_box_filter(line, width_m), width_m)
        path = FloorPath(rounded)
        if not path.turns_on_the_spot and bool(clear(rounded).all()):
            return path
    raise TrajectoryError(
        "no rounding of the route keeps the agent's clearance without turning on the spot; try other ends"
    )


def limited_angle_rad(
    wanted_rad: Float64[np.ndarray, " samples"], step_s: float, rate_rps: float, acceleration_rps2: float
) -> Float64[np.ndarray, " samples"]:
    """Follow an angle as closely as a rate and an acceleration allow.

    A rate-limited pass from either end, averaged, then a moving average wide enough that the rate can't
    change faster than allowed.

    Args:
        wanted_rad: Unwrapped angle.
        step_s: Time between samples.
        rate_rps: Largest rate in radians a second.
        acceleration_rps2: Largest change of the rate in radians a second squared.
    """
    step = rate_rps * step_s
    limited = (_rate_limited(wanted_rad, step) + _rate_limited(wanted_rad[::-1], step)[::-1]) / 2
    half = int(np.ceil(rate_rps / acceleration_rps2 / step_s))
    padded = np.concatenate([np.full(half, limited[0]), limited, np.full(half, limited[-1])])
    total = np.concatenate([[0.0], np.cumsum(padded)])
    width = 2 * half + 1
    return (total[width:] - total[:-width]) / width


def finished_motion(
    floor_points_m: Float64[np.ndarray, "samples 3"],
    wanted_yaw_rad: Float64[np.ndarray, " samples"],
    wanted_pitch_rad: Float64[np.ndarray, " samples"],
    limits: MotionLimits,
    camera: CameraMount,
) -> Motion:
    """Return the motion of a camera that follows floor points and, as far as the limits allow, wanted angles.

    Args:
        floor_points_m: Where the agent stands at each dense sample, world frame.
        wanted_yaw_rad: Unwrapped yaw wanted at each sample.
        wanted_pitch_rad: Pitch wanted at each sample.
        limits: Limits of the motion.
        camera: Height and frame rate.

    Raises:
        TrajectoryError: The finished curve breaks a limit.
    """
    step_s = 1.0 / (SAMPLES_PER_FRAME * camera.frame_rate_hz)
    turn, turn_change = np.radians(limits.turn_dps), np.radians(limits.turn_acceleration_dps2)
    most_pitch = np.radians(limits.pitch_deg)
    pitch = np.clip(wanted_pitch_rad, -most_pitch, most_pitch)
    motion = Motion(
        time_s=np.arange(len(floor_points_m)) * step_s,
        position_m=floor_points_m + np.array([0.0, camera.height_m, 0.0]),
        yaw_rad=limited_angle_rad(wanted_yaw_rad, step_s, YAW_SHARE * turn, YAW_SHARE * turn_change),
        pitch_rad=limited_angle_rad(pitch, step_s, PITCH_SHARE * turn, PITCH_SHARE * turn_change),
    )
    check_motion(motion, limits)
    return motion


def check_motion(motion: Motion, limits: MotionLimits) -> None:
    """Check speed, turn rate, both accelerations and pitch on the dense curve.

    Args:
        motion: The planned motion.
        limits: What it must keep.

    Raises:
        TrajectoryError: A limit is broken; the message names it.
    """
    if len(motion.time_s) < 3:
        return
    step_s = float(motion.time_s[1] - motion.time_s[0])
    velocity = np.diff(motion.position_m, axis=0) / step_s
    angles = np.stack([motion.yaw_rad, motion.pitch_rad], axis=-1)
    # Yaw turns about the vertical, pitch about a horizontal axis that turns with yaw: hence the third term.
    rate = np.diff(angles, axis=0) / step_s
    change = np.diff(rate, axis=0) / step_s
    turn_change = np.sqrt((change**2).sum(axis=1) + (rate[1:, 0] * rate[1:, 1]) ** 2)
    found = {
        "speed_mps": float(np.linalg.norm(velocity, axis=1).max()),
        "acceleration_mps2": float(np.linalg.norm(np.diff(velocity, axis=0), axis=1).max() / step_s),
        "turn_dps": float(np.degrees(np.linalg.norm(rate, axis=1)).max()),
        "turn_acceleration_dps2": float(np.degrees(turn_change).max()),
        "pitch_deg": float(np.degrees(np.abs(motion.pitch_rad)).max()),
    }
    for name, value in found.items():
        limit = float(getattr(limits, name))
        if not value <= limit * 1.001 + 1e-6:
            raise TrajectoryError(f"planned motion breaks {name}: {value:.3f}, limit {limit:.3f}")


def frame_poses(motion: Motion) -> Float64[np.ndarray, "frames 4 4"]:
    """Return the camera poses of the motion's frames.

    Args:
        motion: The planned motion.
    """
    return motion.world_from_camera()[::SAMPLES_PER_FRAME]


def _resampled(points: Float64[np.ndarray, "corners axes"]) -> Float64[np.ndarray, "samples axes"]:
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    distance = np.concatenate([[0.0], np.cumsum(steps)])
    if distance[-1] < 4 * PATH_STEP_M:
        raise TrajectoryError("the route is too short to walk; choose points further apart")
    even = np.linspace(0.0, distance[-1], int(distance[-1] / PATH_STEP_M) + 2)
    return np.stack([np.interp(even, distance, points[:, axis]) for axis in range(points.shape[1])], axis=-1)


def _box_filter(points: Float64[np.ndarray, "samples axes"], width_m: float) -> Float64[np.ndarray, "samples axes"]:
    """Return the moving average over the path; point reflection at the ends keeps them where they are."""
    half = min(max(round(width_m / PATH_STEP_M / 2), 1), len(points) - 1)
    before = 2 * points[0] - points[half:0:-1]
    after = 2 * points[-1] - points[-2 : -half - 2 : -1]
    total = np.concatenate([np.zeros((1, points.shape[1])), np.cumsum(np.concatenate([before, points, after]), axis=0)])
    width = 2 * half + 1
    return (total[width:] - total[:-width]) / width


def _rate_limited(wanted: Float64[np.ndarray, " samples"], step: float) -> Float64[np.ndarray, " samples"]:
    values = wanted.tolist()
    angle = values[0]
    limited = []
    for value in values:
        angle += min(max(value - angle, -step), step)
        limited.append(angle)
    return np.array(limited)
