"""Whether everything that a collected walk should say about itself is there."""

from backsight.quality.judgement import Problem
from backsight.records.kinds import kind_named
from backsight.records.sequence import SequenceAnnotations
from backsight.records.vocabulary import FURNITURE_CATEGORIES, TRAJECTORIES

LEAST_THINGS = 8
"""A walk that shows so many named things has something to ask about."""
FOCUSED = ("object_focused", "relation_focused")
"""Ways to walk that are planned around things."""


def missing_parts(annotations: SequenceAnnotations) -> tuple[list[Problem], int]:
    """Return what is missing, and how many parts were looked for: none in walks that were not collected by the plan.

    Args:
        annotations: Of a walk.
    """
    kind = kind_named(annotations.kind)
    if kind is None or annotations.pattern not in TRAJECTORIES:
        return [], 0
    frames = len(annotations.world_from_camera)
    furniture = {thing.instance_id: thing for thing in annotations.objects if not thing.is_structure}
    seen = {entry.instance_id for visible in annotations.visible_objects for entry in visible} & furniture.keys()
    named = [number for number in seen if furniture[number].category in FURNITURE_CATEGORIES]
    challenges = set(kind.challenges)
    present = {
        "scene_id": bool(annotations.scene_id),
        "place_id": bool(annotations.place_id),
        "simulator_version": bool(annotations.simulator and annotations.simulator_version),
        "objects": bool(annotations.objects),
        "rooms": bool(annotations.rooms),
        "visible_objects": len(annotations.visible_objects) == frames,
        "tracks": bool(annotations.tracks) or not seen,
        "covisible_percent": len(annotations.covisible_percent) == frames,
        "instructions": bool(annotations.instructions) or len(named) < LEAST_THINGS,
        "focus_ids": bool(annotations.focus_ids) or annotations.pattern not in FOCUSED,
        "coverage": annotations.coverage is not None or annotations.pattern != "coverage",
        "challenges": challenges <= set(annotations.challenges) and len(annotations.challenges) >= kind.mixes,
        "motions": bool(annotations.motions) or kind.change is None,
        "events": bool(annotations.events) or not (kind.change or "changing_light" in annotations.challenges),
        "exposure_s": annotations.exposure_s > 0.0 or "motion_blur" not in annotations.challenges,
    }
    problems: list[Problem] = [(field, "is missing", None) for field, there in present.items() if not there]
    return problems, len(present)
