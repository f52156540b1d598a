"""All measures of a sequence: of its motion, of the things it was planned around, of what its pictures show."""

from backsight.quality.measures.focus import measure_focus
from backsight.quality.measures.motion import measure_motion_of_walk
from backsight.quality.measures.scene import measure_scene
from backsight.records.measures import WalkMeasures
from backsight.records.sequence import Sequence


def measure_walk(sequence: Sequence) -> WalkMeasures:
    """Return everything that kinds make promises about.

    Args:
        sequence: With finite images and sound annotations.
    """
    return WalkMeasures(
        motion=measure_motion_of_walk(sequence.annotations),
        focus=measure_focus(sequence),
        scene=measure_scene(sequence),
    )
