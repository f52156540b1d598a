"""From the name of a trajectory to a walk."""

from backsight.collect.trajectories.circular import plan_circular
from backsight.collect.trajectories.forward_backward import plan_forward_backward
from backsight.collect.trajectories.random_exploration import plan_random_exploration
from backsight.collect.trajectories.room_transition import plan_room_transition
from backsight.collect.trajectories.walk import Walk, WalkRequest
from backsight.records.errors import UsageError


def plan_walk(trajectory: str, request: WalkRequest) -> Walk:
    """Return a walk of the named trajectory.

    Args:
        trajectory: A name of `vocabulary.TRAJECTORIES`.
        request: What is wanted.

    Raises:
        TrajectoryError: The scene can't host the walk; another seed may.
        UsageError: No such trajectory.
    """
    match trajectory:
        case "circular":
            return plan_circular(request)
        case "forward_backward":
            return plan_forward_backward(request)
        case "random_exploration":
            return plan_random_exploration(request)
        case "room_transition":
            return plan_room_transition(request)
        case _:
            raise UsageError(f"no trajectory {trajectory!r}")
