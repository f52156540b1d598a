"""What a trajectory planner is asked, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from backsight.collect.trajectories.smooth import (
    CameraMount,
    Motion,
    MotionLimits,
    TrajectoryError,
    frame_poses,
)
from backsight.records.sequence import Coverage
from backsight.sim.simulator import Simulator


@dataclass(frozen=True)
class WalkRequest:
    """A walk that is wanted."""

    simulator: Simulator
    """With the scene loaded."""
    rng: np.random.Generator
    """Source of every choice."""
    num_frames: int
    """At least 2."""
    limits: MotionLimits
    camera: CameraMount
    variant: str = ""
    """Which form of the trajectory; empty is its usual one."""
    challenges: tuple[str, ...] = ()
    """Of these, the trajectory sees to what lies in its power: occlusion and scale."""
    reasoning_type: str | None = None
    """What the instructions will be about."""


@dataclass(frozen=True)
class Walk:
    """A planned walk."""

    motion: Motion
    focus_ids: tuple[int, ...] = ()
    """Things that it was planned around, the most important first."""
    coverage: Coverage | None = None
    """What it set out to see of the rooms, where that was the aim."""

    @property
    def world_from_camera(self) -> Float64[np.ndarray, "frames 4 4"]:
        """Camera pose of every frame."""
        return frame_poses(self.motion)


def first_success(plan: Callable[[], Walk], attempts: int, what: str) -> Walk:
    """Return the first walk that can be planned.

    Args:
        plan: Draws a walk.
        attempts: How often it is tried.
        what: Names what is looked for, for the message.

    Raises:
        TrajectoryError: Every try failed; says why the last one did.
    """
    failure: TrajectoryError | None = None
    for _ in range(attempts):
        try:
            return plan()
        except TrajectoryError as error:
            failure = error
    raise TrajectoryError(f"no {what} could be walked: {failure}") from failure
