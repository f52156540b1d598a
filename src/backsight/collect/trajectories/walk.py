"""What a trajectory planner is asked, and what it answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import repeat

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
    """Of these, the trajectory sees to what lies in its power: occlusion, scale, clutter, a restless gaze for blur."""
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


def first_walk(attempts: Iterable[Callable[[], Walk]], what: str) -> Walk:
    """Return the first of several walks that can be walked.

    Args:
        attempts: Each plans one.
        what: What none of them could do, for the message.

    Raises:
        TrajectoryError: None of them can; says why the last one could not.
    """
    failure: TrajectoryError | str = "there is nothing to try"
    for attempt in attempts:
        try:
            return attempt()
        except TrajectoryError as error:
            failure = error
    raise TrajectoryError(f"{what}: {failure}")


def first_success(plan: Callable[[], Walk], attempts: int, what: str) -> Walk:
    """Return the first walk that can be planned.

    Args:
        plan: Draws a walk.
        attempts: How often it is tried.
        what: Names what is looked for, for the message.

    Raises:
        TrajectoryError: Every try failed; says why the last one did.
    """
    return first_walk(repeat(plan, attempts), f"no {what} could be walked")
