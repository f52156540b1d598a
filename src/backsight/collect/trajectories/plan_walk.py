"""From the name of a trajectory to a walk."""

from backsight.collect.trajectories.challenge import plan_challenge
from backsight.collect.trajectories.circular import plan_circular
from backsight.collect.trajectories.coverage import plan_coverage
from backsight.collect.trajectories.forward_backward import plan_forward_backward
from backsight.collect.trajectories.object_focused import plan_object_focused
from backsight.collect.trajectories.random_exploration import plan_random_exploration
from backsight.collect.trajectories.relation_focused import plan_relation_focused
from backsight.collect.trajectories.room_transition import plan_room_transition
from backsight.collect.trajectories.systematic_sweep import plan_systematic_sweep
from backsight.collect.trajectories.temporally_coherent import plan_temporally_coherent
from backsight.collect.trajectories.viewpoint_diverse import plan_viewpoint_diverse
from backsight.collect.trajectories.walk import Walk, WalkRequest
from backsight.records.errors import UsageError


def plan_walk(trajectory: str, request: WalkRequest) -> Walk:
    """Return a walk of the named trajectory.

    Args:
        trajectory: A name of `vocabulary.TRAJECTORIES`.
        request: What is wanted.

    Raises:
        TrajectoryError: The scene can't host the walk; another seed may.
        UsageError: No such trajectory, or it has no such variant.
    """
    match trajectory:
        case "challenge":
            return plan_challenge(request)
        case "circular":
            return plan_circular(request)
        case "coverage":
            return plan_coverage(request)
        case "forward_backward":
            return plan_forward_backward(request)
        case "object_focused":
            return plan_object_focused(request)
        case "random_exploration":
            return plan_random_exploration(request)
        case "relation_focused":
            return plan_relation_focused(request)
        case "room_transition":
            return plan_room_transition(request)
        case "systematic_sweep":
            return plan_systematic_sweep(request)
        case "temporally_coherent":
            return plan_temporally_coherent(request)
        case "viewpoint_diverse":
            return plan_viewpoint_diverse(request)
        case _:
            raise UsageError(f"no trajectory {trajectory!r}")
